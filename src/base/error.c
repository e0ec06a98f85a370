/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(Error *reterr, int r, const char *format, ...) {
        assert(r < 0);

        if (!reterr)
                return r;

        va_list ap;
        va_start(ap, format);
        int n = vsnprintf(reterr->text, sizeof(reterr->text), format, ap);
        va_end(ap);

        reterr->number = -r;
        if (n < 0)
                reterr->text[0] = '\0';
        size_t used = strnlen(reterr->text, sizeof(reterr->text));
        (void) snprintf(reterr->text + used, sizeof(reterr->text) - used, ": %s", strerror(-r));
        return r;
}

int error_prefix(Error *reterr, int r, const char *format, ...) {
        assert(r < 0);

        if (!reterr)
                return r;

        char old[ERROR_TEXT_MAX];
        memcpy(old, reterr->text, sizeof(old));

        va_list ap;
        va_start(ap, format);
        int n = vsnprintf(reterr->text, sizeof(reterr->text), format, ap);
        va_end(ap);

        if (n < 0)
                reterr->text[0] = '\0';
        size_t used = strnlen(reterr->text, sizeof(reterr->text));
        (void) snprintf(reterr->text + used, sizeof(reterr->text) - used, ": %s",
                        reterr->number ? old : strerror(-r));
        reterr->number = -r;
        return r;
}

void error_reset(Error *error) {
        *error = (Error){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/duration.h"

#include "base/num.h"

#define DIGITS_MAX 9U

static const struct {
        const char *name;
        uint64_t seconds;
} units[] = {
        { "h", 3600 },
        { "min", 60 },
        { "s", 1 },
};

/* The unit that `text` is, up to a digit or its end; its index, or ELEMENTSOF(units). */
static size_t find_unit(const char *text, size_t n) {
        size_t i = 0;
        while (i < ELEMENTSOF(units) &&
               (strlen(units[i].name) != n || strncmp(units[i].name, text, n) != 0))
                i++;
        return i;
}

int duration_parse(const char *text, uint64_t *ret_seconds) {
        uint64_t seconds = 0;
        size_t next = 0; /* the largest unit that may still come */
        do {
                size_t n = strspn(text, "0123456789");
                char digits[DIGITS_MAX + 1] = "";
                uint64_t number = 0;
                if (n == 0 || n > DIGITS_MAX)
                        return -EINVAL;
                memcpy(digits, text, n);
                if (num_parse_u64(digits, &number) < 0)
                        return -EINVAL;

                text += n;
                n = strcspn(text, "0123456789");
                size_t unit = find_unit(text, n);
                if (unit < next || unit == ELEMENTSOF(units))
                        return -EINVAL;
                next = unit + 1;
                seconds += number * units[unit].seconds;
                text += n;
        } while (*text);
        *ret_seconds = seconds;
        return 0;
}

void duration_add(uint64_t seconds, StrBuf *out) {
        if (seconds >= 3600)
                seconds -= seconds % 60;
        bool is_first = true;
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                uint64_t count = seconds / units[i].seconds;
                seconds %= units[i].seconds;
                bool is_last = i + 1 == ELEMENTSOF(units);
                if (count == 0 && !(is_last && is_first))
                        continue;
                strbuf_addf(out, "%s%llu %s", is_first ? "" : " ", (unsigned long long) count,
                            units[i].name);
                is_first = false;
        }
}

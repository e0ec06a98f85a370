/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/labelled.h"

#include "cli/prose.h"

void labelled_add(StrBuf *out, const char *label, const char *text, size_t width) {
        size_t n = strlen(label);
        assert(n + 2 <= LABELLED_INDENT);
        if (!text || *text == '\0')
                return;
        CLEANUP(strbuf_deinit) StrBuf body = {};
        prose_add(&body, text, LABELLED_INDENT, width);
        if (body.length < LABELLED_INDENT) {
                out->failed |= body.failed;
                return;
        }
        strbuf_add(out, label);
        strbuf_add_char(out, n > 0 ? ':' : ' ');
        strbuf_add(out,
                   strbuf_text(&body) + n + 1); /* the label stands where the first blanks were */
        out->failed |= body.failed;
}

void labelled_add_list(
                StrBuf *out, const char *label, const char *const *texts, size_t n_texts,
                size_t width) {
        for (size_t i = 0; i < n_texts; i++)
                labelled_add(out, i == 0 ? label : "", texts[i], width);
}

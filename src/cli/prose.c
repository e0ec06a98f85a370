/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/prose.h"

#include "diag/text.h"
#include "diag/utf8.h"

/* Goes over the blanks; how many newlines were among them. */
static size_t skip_blanks(const char **text) {
        size_t newlines = 0;
        for (; **text == ' ' || **text == '\n'; (*text)++)
                newlines += **text == '\n' ? 1 : 0;
        return newlines;
}

void prose_add(StrBuf *out, const char *text, size_t indent, size_t width) {
        size_t column = 0;
        for (;;) {
                size_t newlines = skip_blanks(&text);
                if (*text == '\0')
                        break;
                if (newlines > 1 && column > 0) {
                        strbuf_add(out, "\n\n");
                        column = 0;
                }
                size_t n = strcspn(text, " \n"), shown = utf8_count(text, n);
                if (column > 0 && column + 1 + shown > width) {
                        strbuf_add_char(out, '\n');
                        column = 0;
                }
                size_t blanks = column == 0 ? indent : 1;
                strbuf_add_repeat(out, ' ', blanks);
                diag_text_add_escaped(out, text, n);
                column += blanks + shown;
                text += n;
        }
        if (column > 0)
                strbuf_add_char(out, '\n');
}

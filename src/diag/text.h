/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Diagnostics as text for people, in the compiler form of STYLE part 7: first line
 * `name:line:column: error[TW417]: message`, the line, carets under the place, dashes under the labels,
 * then `= note:`, `= source:` for each that the registry names, and `= help:`. A diagnostic without a place is `error[TW417]: message`.
 *
 * Columns are characters, carets go by display width, tabs show as one space, control and bidirectional
 * characters are escaped as \xNN or \u{NNNN}, so that hostile text cannot paint the terminal. A blank line
 * stands before and after a diagnostic of more than one line.
 */

#include "base/strbuf.h"
#include "diag/diag.h"

typedef struct DiagTextOptions {
        bool colour;
        size_t limit;                    /* how many to show before "… and N more"; 0 for all */
        bool (*shows)(const Diag *diag); /* those that it denies are left out; NULL for none */
} DiagTextOptions;

void diag_text_render(const DiagList *list, const DiagTextOptions *options, StrBuf *out);

/* Appends `text` (n bytes, any content) with control and bidirectional characters escaped. */
void diag_text_add_escaped(StrBuf *out, const char *text, size_t n);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The style sheet of a report: light and dark by what the reader's system prefers, light on paper, from 320 pixels on.
 * Constant; it names no other file.
 *
 * Text has a contrast of at least 4.5:1 to what is behind it, lines and bars of 3:1 (WCAG 2.1, 1.4.3 and 1.4.11); no
 * meaning is in a colour alone.
 */

const char *report_style(void);

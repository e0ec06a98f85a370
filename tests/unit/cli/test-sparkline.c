/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sparkline.h"

#include "test.h"

static void test_sparkline_table(void **state) {
        (void) state;
        static const struct {
                uint64_t values[8];
                size_t n, width;
                uint64_t top;
                const char *want;
        } rows[] = {
                { { 0, 1, 2, 3, 4, 5, 6, 7 }, 8, 8, 7, "▁▂▃▄▅▆▇█" },
                { { 0, 100 }, 2, 8, 0, "▁█" },
                { { 1, 1000000 }, 2, 8, 0, "▂█" },               /* a little is not nothing */
                { { 0, 0, 9, 0, 0, 0, 0, 0 }, 8, 4, 0, "▁█▁▁" }, /* a peak is not lost */
                { { 5, 5 }, 2, 8, 1, "██" },                     /* above the top */
                { { 0, 0, 0 }, 3, 8, 0, "▁▁▁" },
                { { 0 }, 0, 8, 0, "" },
                { { 1 }, 1, 0, 0, "" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                sparkline_add(row->values, row->n, row->width, row->top, &out);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

TEST_MAIN(cmocka_unit_test(test_sparkline_table))

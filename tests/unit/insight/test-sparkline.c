/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/sparkline.h"

#include "test.h"

static void check(const Sparkline *line, size_t width, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf out = { 0 };
        sparkline_render(line, width, &out);
        assert_string_equal(strbuf_text(&out), want);
}

static void test_render(void **state UNUSED) {
        Sparkline line = { 0 };
        check(&line, 3, "   ");
        check(&line, 0, "");
        sparkline_push(&line, 0);
        check(&line, 3, "  ▁");
        sparkline_push(&line, 7);
        sparkline_push(&line, 3);
        check(&line, 3, "▁█▄");
        sparkline_push_gap(&line);
        check(&line, 5, " ▁█▄ ");
        /* only what is shown counts for the scale */
        sparkline_push(&line, 1);
        check(&line, 2, " █");
        assert_int_equal(sparkline_peak(&line, 2), 1);
        assert_int_equal(sparkline_peak(&line, 99), 7);
}

static void test_small_values_are_seen(void **state UNUSED) {
        Sparkline line = { 0 };
        sparkline_push(&line, UINT64_MAX);
        sparkline_push(&line, 1);
        sparkline_push(&line, 0);
        check(&line, 3, "█▂▁");
}

static void test_old_values_go(void **state UNUSED) {
        Sparkline line = { 0 };
        sparkline_push(&line, 1000);
        for (size_t i = 0; i < SPARKLINE_VALUES; i++)
                sparkline_push(&line, 5);
        assert_int_equal(sparkline_peak(&line, SIZE_MAX), 5);
        CLEANUP(strbuf_deinit) StrBuf out = { 0 };
        sparkline_render(&line, SPARKLINE_VALUES + 2, &out);
        assert_int_equal(out.length, 2 + SPARKLINE_VALUES * strlen("█"));
}

TEST_MAIN(cmocka_unit_test(test_render), cmocka_unit_test(test_small_values_are_seen),
          cmocka_unit_test(test_old_values_go))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/text.h"

#include "test.h"

/* The forms of whole diagnostics are golden files (tests/golden/diag); here are the corners. */

static const DiagTextOptions plain = { .colour = false, .limit = 0 };

static Span span_from(const Source *source, uint32_t line, uint32_t column, uint32_t end_column) {
        return (Span){ .source = source,
                       .line = line,
                       .column = column,
                       .end_line = line,
                       .end_column = end_column };
}

static DiagList *list_with(const char *text, const Source **ret) {
        DiagList *list = diag_list_new();
        Source *source = source_new("a.yaml", text, strlen(text));
        diag_list_take_source(list, source);
        *ret = source;
        return list;
}

static void assert_rendered(
                const DiagList *list, const DiagTextOptions *options, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf out = { 0 };
        diag_text_render(list, options, &out);
        assert_string_equal(strbuf_text(&out), want);
}

static void test_escape_table(void **state UNUSED) {
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "plain é中", "plain é中" }, { "a\tb\nc\033[31m", "a\\x09b\\x0ac\\x1b[31m" },
                { "\xFF", "\\xff" },          { "\xE2\x80\xAE", "\\u{202e}" },
                { "\xC2\x85", "\\u{0085}" },  { "\x7F", "\\x7f" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = { 0 };
                diag_text_add_escaped(&out, row->text, strlen(row->text));
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

static void test_carets_by_display_width(void **state UNUSED) {
        static const struct {
                const char *line;
                uint32_t column, end_column;
                const char *want; /* the excerpt's two lines */
        } rows[] = {
                { "k: abc", 4, 7, " 1 | k: abc\n   |    ^^^\n" },
                { "\tk: v", 2, 3, " 1 |  k: v\n   |  ^\n" },         /* a tab is one space */
                { "中文: v", 5, 6, " 1 | 中文: v\n   |       ^\n" }, /* two columns each */
                { "e\xCC\x81x", 3, 4,
                  " 1 | e\xCC\x81x\n   |  ^\n" }, /* a combining accent has none */
                { "a\x01"
                  "b",
                  2, 3, " 1 | a\\x01b\n   |  ^^^^\n" },
                { "ab", 3, 4, " 1 | ab\n   |   ^\n" }, /* behind the end */
                { "ab", 1, 99, " 1 | ab\n   | ^^\n" }, /* longer than the line */
        };
        TEST_EACH(row, rows) {
                const Source *source;
                CLEANUP(diag_list_freep) DiagList *list = list_with(row->line, &source);
                Span span = span_from(source, 1, row->column, row->end_column);
                (void) diag_add(list, DIAG_OUT_OF_RANGE, span, "m");
                char want[256];
                (void) snprintf(want, sizeof(want), "a.yaml:1:%u: error[TW417]: m\n   |\n%s",
                                (unsigned) row->column, row->want);
                assert_rendered(list, &plain, want);
        }
}

static void test_span_over_lines_ends_with_the_first(void **state UNUSED) {
        const Source *source;
        CLEANUP(diag_list_freep) DiagList *list = list_with("ab: |\n  text\n", &source);
        Span span = { .source = source, .line = 1, .column = 5, .end_line = 2, .end_column = 7 };
        (void) diag_add(list, DIAG_NOT_ONE_LINE, span, "m");
        assert_rendered(list, &plain,
                        "a.yaml:1:5: error[TW229]: m\n   |\n 1 | ab: |\n   |     ^\n");
}

static void test_limit_names_the_rest(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        for (unsigned i = 0; i < 9; i++)
                (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m%u", i);
        assert_rendered(list, &(DiagTextOptions){ .limit = 2 },
                        "error[TW543]: m0\nerror[TW543]: m1\n… and 7 more\n");
}

static void test_blank_lines_only_around_long_ones(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m0");
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m1");
        diag_set_help(list, diag_add(list, DIAG_BUSY, (Span){ 0 }, "m2"), "h");
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m3");
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m4");
        assert_rendered(list, &plain,
                        "error[TW543]: m0\n"
                        "error[TW543]: m1\n"
                        "\n"
                        "error[TW543]: m2\n"
                        "   = help: h\n"
                        "\n"
                        "error[TW543]: m3\n"
                        "error[TW543]: m4\n");
}

static bool is_no_note(const Diag *diag) {
        return diag_row(diag->id)->severity != DIAG_SEVERITY_NOTE;
}

static void test_findings_can_be_left_out(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        for (unsigned i = 0; i < 4; i++)
                (void) diag_add(list, i % 2 == 0 ? DIAG_NOTHING_TO_DO : DIAG_BUSY, (Span){ 0 },
                                "m%u", i);
        assert_rendered(list, &(DiagTextOptions){ .limit = 1, .shows = is_no_note },
                        "error[TW543]: m1\n… and 1 more\n");
}

static void test_colour_only_when_asked(void **state UNUSED) {
        static const struct {
                DiagId id;
                const char *want;
        } rows[] = {
                { DIAG_BUSY, "\033[1;31merror[TW543]\033[0m: \033[1mm\033[0m\n" },
                { DIAG_TIME_WAIT_BELOW_RFC, "\033[1;31merror[TW451]\033[0m: \033[1mm\033[0m\n" },
                { DIAG_KEY_PENDING, "\033[1;33mwarning[TW560]\033[0m: \033[1mm\033[0m\n" },
                { DIAG_DROPPED_BY_REBOOT, "\033[1;33mwarning[TW570]\033[0m: \033[1mm\033[0m\n" },
                { DIAG_NOTHING_TO_DO, "\033[1;36mnote[TW712]\033[0m: \033[1mm\033[0m\n" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                (void) diag_add(list, row->id, (Span){ 0 }, "m");
                CLEANUP(strbuf_deinit) StrBuf want = {};
                strbuf_add(&want, row->want);
                for (size_t i = 0; i < diag_row(row->id)->n_sources; i++)
                        strbuf_addf(&want, "   \033[1;34m= \033[0m\033[1msource:\033[0m %s\n",
                                    diag_row(row->id)->sources[i]);
                assert_rendered(list, &(DiagTextOptions){ .colour = true }, strbuf_text(&want));
        }
}

static void test_colour_of_excerpt(void **state UNUSED) {
        const Source *source;
        CLEANUP(diag_list_freep) DiagList *list = list_with("ab", &source);
        Diag *diag = diag_add(list, DIAG_BUSY, span_from(source, 1, 2, 3), "m");
        diag_add_label(list, diag, span_from(source, 1, 1, 2), "l");
        diag_set_help(list, diag, "h");
        assert_rendered(list, &(DiagTextOptions){ .colour = true },
                        "\033[1ma.yaml:1:2: \033[0m\033[1;31merror[TW543]\033[0m: \033[1mm\033[0m\n"
                        "\033[1;34m   |\033[0m\n"
                        "\033[1;34m 1 |\033[0m ab\n"
                        "\033[1;34m   |\033[0m \033[1;34m- l\033[0m\n"
                        "\033[1;34m   |\033[0m  \033[1;31m^\033[0m\n"
                        "   \033[1;34m= \033[0m\033[1mhelp:\033[0m h\n");
}

static void test_places_in_two_sources(void **state UNUSED) {
        const Source *a;
        CLEANUP(diag_list_freep) DiagList *list = list_with("x: 1", &a);
        Source *b = source_new("b.yaml", "y: 2", 4);
        diag_list_take_source(list, b);
        Diag *diag = diag_add(list, DIAG_MERGE_CONFLICT, span_from(a, 1, 1, 2), "m");
        diag_add_label(list, diag, span_from(b, 1, 4, 5), "2 here");
        diag_add_label(list, diag, span_from(a, 1, 1, 2), "1 here");
        assert_rendered(list, &plain,
                        "a.yaml:1:1: error[TW301]: m\n"
                        "   |\n"
                        " 1 | x: 1\n"
                        "   | ^ 1 here\n"
                        "   ::: b.yaml:1:4\n"
                        "   |\n"
                        " 1 | y: 2\n"
                        "   |    - 2 here\n");
}

static void test_gutter_grows_and_labels_are_sorted(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        strbuf_add_repeat(&text, '\n', 999);
        strbuf_add(&text, "abc");
        const Source *source;
        CLEANUP(diag_list_freep) DiagList *list = list_with(strbuf_text(&text), &source);
        Diag *diag = diag_add(list, DIAG_BUSY, span_from(source, 1000, 2, 3), "m");
        diag_add_label(list, diag, span_from(source, 1000, 3, 4), "third");
        diag_add_label(list, diag, span_from(source, 7, 1, 1), "first");
        assert_rendered(list, &plain,
                        "a.yaml:1000:2: error[TW543]: m\n"
                        "     |\n"
                        "   7 |\n"
                        "     | - first\n"
                        "1000 | abc\n"
                        "     |  ^\n"
                        "     |   - third\n");
}

static void test_second_place_far_off_in_a_cut_line(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        strbuf_add_repeat(&text, 'x', 500);
        const Source *source;
        CLEANUP(diag_list_freep) DiagList *list = list_with(strbuf_text(&text), &source);
        Diag *diag = diag_add(list, DIAG_BUSY, span_from(source, 1, 1, 500), "m");
        diag_add_label(list, diag, span_from(source, 1, 400, 401), "far");

        CLEANUP(strbuf_deinit) StrBuf want = { 0 };
        strbuf_add(&want, "a.yaml:1:1: error[TW543]: m\n   |\n 1 | ");
        strbuf_add_repeat(&want, 'x', 120);
        strbuf_add(&want, "…\n   | ");
        strbuf_add_repeat(&want, '^', 120);
        strbuf_add(&want, "\n   | ");
        strbuf_add_repeat(&want, ' ', 120);
        strbuf_add(&want, "- far\n");
        assert_rendered(list, &plain, strbuf_text(&want));
}

static void test_lost_findings_are_told(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "m");
        /* a text that cannot be made, as when memory is short */
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "%ls", L"\x20AC");
        assert_rendered(list, &plain,
                        "error[TW543]: m\nmemory ran out: some findings are missing\n");
}

static void test_place_without_line(void **state UNUSED) {
        const Source *source;
        CLEANUP(diag_list_freep) DiagList *list = list_with("x", &source);
        Diag *diag = diag_add(list, DIAG_BUSY, span_from(source, 9, 1, 2), "m");
        diag_add_label(list, diag, (Span){ 0 }, "nowhere");
        assert_rendered(list, &plain, "a.yaml:9:1: error[TW543]: m\n");
}

TEST_MAIN(cmocka_unit_test(test_escape_table), cmocka_unit_test(test_carets_by_display_width),
          cmocka_unit_test(test_span_over_lines_ends_with_the_first),
          cmocka_unit_test(test_limit_names_the_rest),
          cmocka_unit_test(test_blank_lines_only_around_long_ones),
          cmocka_unit_test(test_findings_can_be_left_out),
          cmocka_unit_test(test_colour_only_when_asked), cmocka_unit_test(test_colour_of_excerpt),
          cmocka_unit_test(test_places_in_two_sources),
          cmocka_unit_test(test_gutter_grows_and_labels_are_sorted),
          cmocka_unit_test(test_second_place_far_off_in_a_cut_line),
          cmocka_unit_test(test_lost_findings_are_told), cmocka_unit_test(test_place_without_line))

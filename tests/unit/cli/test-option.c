/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/option.h"

#include "model/plan.h"
#include "test.h"

static int parse(const char *const *words, Options *options, unsigned *seen, StrBuf *problem) {
        size_t argc = 0;
        while (words[argc])
                argc++;
        for (size_t i = 0; i < argc; i++) {
                int r = option_parse((char *const *) words, argc, &i, options, seen, problem);
                if (r != 0)
                        return r;
        }
        return 0;
}

static void test_option_parse_values(void **state) {
        (void) state;
        Options o = {};
        unsigned seen = 0;
        CLEANUP(strbuf_deinit) StrBuf problem = {};
        const char *const words[] = {
                "--root=/x", "--reason", "two words", "-nq",  "--adopt=owner,drift",
                "--adopt",   "fragment", "--limit=7", "--to", "origin",
                "--json",    "-mlast",   NULL
        };
        assert_int_equal(parse(words, &o, &seen, &problem), 0);
        assert_string_equal(o.root, "/x");
        assert_string_equal(o.reason, "last");
        assert_true(o.dry_run && o.quiet && !o.help);
        assert_int_equal(o.adopt, PLAN_ADOPT_OWNER | PLAN_ADOPT_FRAGMENT | PLAN_ADOPT_DRIFT);
        assert_int_equal(o.limit, 7);
        assert_string_equal(o.to, "origin");
        assert_int_equal(o.json, JSON_MODE_AUTO);
        assert_int_equal(
                        seen, OPT_ROOT | OPT_REASON | OPT_DRY_RUN | OPT_QUIET | OPT_ADOPT |
                                              OPT_LIMIT | OPT_TO | OPT_JSON);
}

static void test_option_parse_window(void **state) {
        (void) state;
        Options o = {};
        unsigned seen = 0;
        CLEANUP(strbuf_deinit) StrBuf problem = {};
        const char *const words[] = { "--confirm-within=24h", "--gate",        "--runtime",
                                      "--same-session",       "--choice=keep", NULL };
        assert_int_equal(parse(words, &o, &seen, &problem), 0);
        assert_int_equal(o.confirm_within_s, 86400);
        assert_true(o.gate && o.runtime && o.same_session);
        assert_string_equal(o.choice, "keep");
        assert_int_equal(
                        seen, OPT_CONFIRM_WITHIN | OPT_GATE | OPT_RUNTIME | OPT_SAME_SESSION |
                                              OPT_CHOICE);
}

static void test_option_parse_says_what_is_wrong(void **state) {
        (void) state;
        static const struct {
                const char *words[3];
                const char *want;
        } rows[] = {
                { { "--olny" }, "unknown option '--olny'; did you mean '--only'?" },
                { { "--zzzzzzzz" }, "unknown option '--zzzzzzzz'" },
                { { "--onl" }, "unknown option '--onl'; did you mean '--only'?" },
                { { "-z" }, "unknown option '-z'" },
                { { "--only=yes" }, "--only takes no argument" },
                { { "--root" }, "--root needs an argument: --root=DIR" },
                { { "--root=" }, "--root needs DIR, not nothing" },
                { { "-m" }, "--reason needs an argument: --reason=TEXT" },
                { { "--limit=-1" }, "'-1' is no number: use --limit=N" },
                { { "--limit", "08" }, "'08' is no number: use --limit=N" },
                { { "--json=xml" }, "no JSON form 'xml': use --json=pretty, short or off" },
                { { "--adopt=owner,all" },
                  "cannot adopt 'all': use --adopt=owner, fragment or drift" },
                { { "--confirm-within=0s" },
                  "'0s' is no time for a confirmation: use --confirm-within=90s, 2min or 1h, from 5 s to 24 h" },
                { { "--confirm-within=1440min1s" },
                  "'1440min1s' is no time for a confirmation: use --confirm-within=90s, 2min or 1h, from 5 s to 24 h" },
                { { "--choice=" }, "no choice '': use --choice=base or keep" },
                { { "--adopt=" }, "cannot adopt '': use --adopt=owner, fragment or drift" },
        };
        TEST_EACH(row, rows) {
                Options o = {};
                unsigned seen = 0;
                CLEANUP(strbuf_deinit) StrBuf problem = {};
                assert_int_equal(parse(row->words, &o, &seen, &problem), OPTION_E_USAGE);
                assert_string_equal(strbuf_text(&problem), row->want);
        }
}

static void test_option_scan_json_before_anything_goes_wrong(void **state) {
        (void) state;
        static const struct {
                const char *words[4];
                size_t n;
                JsonMode want;
        } rows[] = {
                { { "p", "enable", "x" }, 3, JSON_MODE_OFF },
                { { "p", "enable", "--json" }, 3, JSON_MODE_AUTO },
                { { "p", "--json=short", "--bad" }, 3, JSON_MODE_SHORT },
                { { "p", "--json=pretty" }, 2, JSON_MODE_PRETTY },
                { { "p", "--json=off" }, 2, JSON_MODE_OFF },
                { { "p", "--json=xml" }, 2, JSON_MODE_AUTO },
                { { "p", "-j" }, 2, JSON_MODE_AUTO },
                { { "p", "--jsonx" }, 2, JSON_MODE_OFF },
                { { "p", "sandbox", "--", "--json" }, 4, JSON_MODE_OFF },
        };
        TEST_EACH(row, rows)
                assert_int_equal(option_scan_json((char *const *) row->words, row->n), row->want);
}

static void test_option_rows_are_sound(void **state) {
        (void) state;
        unsigned all = 0;
        const Options none = {};
        for (size_t i = 0; i < option_count(); i++) {
                const OptionRow *row = option_get(i);
                /* the filters of the audit log go together, what the lab plays, what is in a report; all others alone */
                bool is_group = (row->bit & (OPT_FILTER | OPT_LAB | OPT_REPORT)) != 0;
                bool is_again = (all & row->bit) != 0;
                assert_true(!is_again || is_group);
                assert_true(is_again || option_get_bit(row->bit) == row);
                assert_int_equal(option_is_given(row, &none), !is_group);
                all |= row->bit;
                for (size_t k = 0; k < i; k++) {
                        assert_string_not_equal(option_get(k)->name, row->name);
                        assert_true(row->letter == 0 || option_get(k)->letter != row->letter);
                }
        }
}

TEST_MAIN(cmocka_unit_test(test_option_parse_values), cmocka_unit_test(test_option_parse_window),
          cmocka_unit_test(test_option_parse_says_what_is_wrong),
          cmocka_unit_test(test_option_scan_json_before_anything_goes_wrong),
          cmocka_unit_test(test_option_rows_are_sound))

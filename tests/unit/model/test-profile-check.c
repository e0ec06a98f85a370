/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-check.h"

#include "checker.h"

static void test_read_integer_table(void **state UNUSED) {
        static const struct {
                const char *text;
                const char *want; /* the finding */
                int64_t number;
                const char *help;
        } rows[] = {
                { "0", "", 0, NULL },
                { "-5", "", -5, NULL },
                { "9223372036854775807", "", INT64_MAX, NULL },
                { "9223372036854775808", "out-of-range", 0, "choose a smaller number" },
                { "'7'", "wrong-type", 0, "remove the quotes: 7" },
                { "'x'", "wrong-type", 0, "write one plain decimal integer" },
                { "[7]", "wrong-type", 0, "write one plain decimal integer" },
                { "~", "wrong-type", 0, "write one plain decimal integer" },
                { "yes", "bad-number", 0, "write 1" },
                { "On", "bad-number", 0, "write 1" },
                { "false", "bad-number", 0, "write 0" },
                { "0x1E", "bad-number", 0, "write 30" },
                { "0x", "bad-number", 0, "write a plain decimal integer" },
                { "0xffffffffffffffff", "bad-number", 0, "write a plain decimal integer" },
                { "007", "bad-number", 0,
                  "leave out the leading zero: the kernel takes such a number for octal" },
                { "+7", "bad-number", 0, "leave out the '+'" },
                { "1e3", "bad-number", 0,
                  "write the whole number in full, without point or exponent" },
                { "7.0", "bad-number", 0,
                  "write the whole number in full, without point or exponent" },
                { "1_000", "bad-number", 0, "write the digits without anything between them" },
                { "1 000", "bad-number", 0, "write the digits without anything between them" },
                { "seven", "bad-number", 0, "write a plain decimal integer" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                int64_t number = 0;
                bool good = check_read_integer(&lone.check, lone.node, "'n'", &number);
                assert_int_equal(good, row->want[0] == '\0');
                assert_string_equal(lone_finding(&lone), row->want);
                assert_int_equal(number, row->number);
                if (row->help)
                        assert_string_equal(diag_list_get(lone.diags, 0)->help, row->help);
        }
}

static void test_read_line_table(void **state UNUSED) {
        static const struct {
                const char *text, *want;
        } rows[] = {
                { "a word", "" },
                { "'7'", "" },
                { "\"yes\"", "" },
                { ">-\n  a\n  b\n", "" },
                { "1-2-x", "" },
                { "5a", "" },
                { "-", "" },
                { "v1", "" },
                { "7", "wrong-type" },
                { "-7.5", "wrong-type" },
                { ".5", "wrong-type" },
                { "1e3", "wrong-type" },
                { "0x1f", "wrong-type" },
                { "0o17", "wrong-type" },
                { "2026-11-20", "wrong-type" },
                { "12:30", "wrong-type" },
                { "1_000", "wrong-type" },
                { "yes", "wrong-type" },
                { "Off", "wrong-type" },
                { ".inf", "wrong-type" },
                { "~", "wrong-type" },
                { "null", "wrong-type" },
                { "Null", "wrong-type" },
                { "NULL", "wrong-type" },
                { "[a]", "wrong-type" },
                { "{a: b}", "wrong-type" },
                { "|\n  a\n", "not-one-line" },
                { "|-\n  a\tb\n", "not-one-line" },
                { "|-\n  a\n  b\n", "not-one-line" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                /* "-" alone would open a sequence */
                lone_init(&lone, streq(row->text, "-") ? "'-'" : row->text);
                const char *text = NULL;
                bool good = check_read_line(&lone.check, lone.node, "'t'", &text);
                assert_int_equal(good, row->want[0] == '\0');
                assert_int_equal(good, text != NULL);
                assert_string_equal(lone_finding(&lone), row->want);
        }
}

static void read_nothing(ProfileCheck *check, const YamlNode *node, void *target) {
        (void) check;
        (void) node;
        (*(size_t *) target)++;
}

static void test_fields_walk(void **state UNUSED) {
        static const ProfileField rows[] = {
                { "one", true, read_nothing, "one: 1", "The first." },
                { "two", false, read_nothing, "two: 2", "The second." },
        };
        static const ProfileFields fields = { "a thing", rows, ELEMENTSOF(rows) };
        static const struct {
                const char *text;
                bool want;
                size_t read;
                const char *finding, *help;
        } cases[] = {
                { "{one: x, two: y}", true, 2, "", NULL },
                { "one: x", true, 1, "", NULL },
                { "two: x", false, 1, "missing-field", "add it, for instance 'one: 1'" },
                { "{}", false, 0, "missing-field", "add it, for instance 'one: 1'" },
                { "{one: x, tow: y}", false, 1, "unknown-field", "did you mean 'two'?" },
                { "{one: x, zebra: y}", false, 1, "unknown-field",
                  "remove it, or write it as a comment behind '#'" },
                { "{one: x, net.core.somaxconn: 1}", false, 1, "unknown-field",
                  "indent it below 'sysctl:'" },
                { "[one]", false, 0, "wrong-type", "write it as fields, for instance 'one: 1'" },
        };
        TEST_EACH(row, cases) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                size_t read = 0;
                assert_int_equal(check_fields(&lone.check, &fields, lone.node, &read), row->want);
                assert_int_equal(read, row->read);
                assert_string_equal(lone_finding(&lone), row->finding);
                if (row->help)
                        assert_string_equal(diag_list_get(lone.diags, 0)->help, row->help);
        }
}

static void test_alloc_of_nothing_is_something(void **state UNUSED) {
        CLEANUP(lone_deinit) Lone lone = { 0 };
        lone_init(&lone, "x");
        assert_non_null(check_alloc(&lone.check, 0, 8));
        assert_false(lone.check.no_memory);
        assert_null(check_alloc(&lone.check, SIZE_MAX, 8));
        assert_true(lone.check.no_memory);
}

TEST_MAIN(cmocka_unit_test(test_read_integer_table), cmocka_unit_test(test_read_line_table),
          cmocka_unit_test(test_fields_walk), cmocka_unit_test(test_alloc_of_nothing_is_something))

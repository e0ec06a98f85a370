/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-value.h"

#include "checker.h"

static const SysctlChoice flags[] = {
        { 1, "one" }, { 2, "two" }, { 4, "four" }, { 8, "eight" }, { 16, "more" }
};
static const SysctlChoice modes[] = { { 0, "off" }, { 2, "on" } };

/* clang-format off: one row each */
static const SysctlSpec bool_spec = {
        .key = "t.bool", .type = SYSCTL_TYPE_BOOL, .n_values = 1, .kernel_max = 255, .sane_max = 1
};
static const SysctlSpec enum_spec = { .key = "t.enum",
                                      .type = SYSCTL_TYPE_ENUM,
                                      .n_values = 1,
                                      .kernel_max = 2,
                                      .sane_max = 2,
                                      .choices = modes,
                                      .n_choices = 2 };
static const SysctlSpec mask_spec = { .key = "t.mask",
                                      .type = SYSCTL_TYPE_BITMASK,
                                      .n_values = 1,
                                      .kernel_max = 63,
                                      .sane_max = 63,
                                      .choices = flags,
                                      .n_choices = 5 };
static const SysctlSpec int_spec = { .key = "t.int",
                                     .type = SYSCTL_TYPE_INT,
                                     .unit = SYSCTL_UNIT_SECONDS,
                                     .n_values = 1,
                                     .kernel_min = 0,
                                     .kernel_max = 1000,
                                     .sane_min = 10,
                                     .sane_max = 900 };
static const SysctlSpec zero_spec = { .key = "t.zero",
                                      .type = SYSCTL_TYPE_INT,
                                      .n_values = 1,
                                      .kernel_max = 9,
                                      .sane_max = 9,
                                      .zero_means = "unlimited" };
static const SysctlSpec range_spec = { .key = "t.range",
                                       .type = SYSCTL_TYPE_RANGE,
                                       .n_values = 2,
                                       .ascending = true,
                                       .kernel_min = 1,
                                       .kernel_max = 65535,
                                       .sane_min = 1,
                                       .sane_max = 65535 };
static const SysctlSpec vector_spec = { .key = "t.vector",
                                        .type = SYSCTL_TYPE_VECTOR,
                                        .unit = SYSCTL_UNIT_BYTES,
                                        .n_values = 3,
                                        .ascending = true,
                                        .kernel_max = 1 << 30,
                                        .sane_max = 1 << 30 };
static const SysctlSpec pair_spec = {
        .key = "t.pair", .type = SYSCTL_TYPE_VECTOR, .n_values = 2, .kernel_max = 9, .sane_max = 9
};
static const SysctlSpec ports_spec = { .key = "t.ports",
                                       .type = SYSCTL_TYPE_PORTS,
                                       .n_values = 1,
                                       .kernel_max = 65535,
                                       .sane_min = 2,
                                       .sane_max = 65535 };
static const SysctlSpec word_spec = { .key = "t.word", .type = SYSCTL_TYPE_STRING, .n_values = 1 };
static const SysctlSpec words_spec = { .key = "t.words",
                                       .type = SYSCTL_TYPE_STRINGS,
                                       .n_values = 1 };
/* clang-format on */

static void test_good_table(void **state UNUSED) {
        static const struct {
                const SysctlSpec *spec;
                const char *text, *want; /* in the kernel's spelling */
        } rows[] = {
                { &bool_spec, "0", "0" },
                { &enum_spec, "2", "2" },
                { &mask_spec, "5", "5" },
                { &int_spec, "10", "10" },
                { &int_spec, "2min", "120" },
                { &int_spec, "'2min'", "120" },
                { &range_spec, "[1, 2]", "1\t2" },
                { &range_spec, "[2, 2]", "2\t2" },
                { &vector_spec, "[4KiB, 5000, 1MiB]", "4096\t5000\t1048576" },
                { &ports_spec, "[]", "" },
                { &ports_spec, "[90, \"10-20\", 21-22, 80]", "10-22,80,90" },
                { &word_spec, "bbr", "bbr" },
                { &word_spec, "\"fq_codel\"", "fq_codel" },
                { &words_spec, "[bbr, cubic]", "bbr cubic" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                SysctlValue value;
                assert_true(value_read(&lone.check, row->spec, lone.node, &value));
                assert_string_equal(lone_finding(&lone), "");
                assert_string_equal(
                                sysctl_value_to_kernel(row->spec, &value, lone.arena), row->want);
        }
}

static void test_bad_table(void **state UNUSED) {
        static const struct {
                const SysctlSpec *spec;
                const char *text, *want, *help;
        } rows[] = {
                { &bool_spec, "2", "out-of-range", "choose a value from 0 to 1" },
                { &bool_spec, "yes", "bad-number", "write 1" },
                { &bool_spec, "'1'", "wrong-type", "remove the quotes: 1" },
                { &bool_spec, "[1]", "wrong-type", "write 0 or 1" },
                { &bool_spec, "256", "out-of-range", "choose a value from 0 to 1" },
                { &enum_spec, "1", "not-a-choice", "choose one of 0, 2" },
                { &enum_spec, "3", "not-a-choice", NULL },
                { &mask_spec, "32", "not-a-choice", "choose a sum of 1, 2, 4, 8, 16" },
                { &int_spec, "9", "out-of-range", "choose a value from 10 to 900 s" },
                { &int_spec, "901", "out-of-range", "choose a value from 10 to 900 s" },
                { &int_spec, "1001", "out-of-range", "choose a value from 10 to 900 s" },
                { &int_spec, "-1", "out-of-range", "choose a value from 10 to 900 s" },
                { &int_spec, "16min", "out-of-range", "choose a value from 10 to 900 s" },
                { &int_spec, "{a: 1}", "wrong-type", "write one integer" },
                { &int_spec, "~", "wrong-type", "write one integer" },
                { &range_spec, "1 2", "wrong-type", "write [1, 2]" },
                { &range_spec, "'1,  2'", "wrong-type", "write [1, 2]" },
                { &range_spec, "x", "wrong-type", "write a sequence of 2 integers" },
                { &range_spec, "5", "wrong-type", "write [5]" },
                { &range_spec, "[1]", "wrong-count", "give exactly 2 numbers, the smallest first" },
                { &range_spec, "[1, 2, 3, 4]", "wrong-count", NULL },
                { &range_spec, "[]", "wrong-count", NULL },
                { &range_spec, "[2, 1]", "not-ascending", "give 2 numbers, the smallest first" },
                { &range_spec, "[1, 70000]", "out-of-range", NULL },
                { &range_spec, "[1, '2']", "wrong-type", "remove the quotes: 2" },
                { &range_spec, "[1, [2]]", "wrong-type", "write one integer" },
                { &vector_spec, "x", "wrong-type", "write a sequence of 3 integers" },
                { &vector_spec, "[3, 2, 1]", "not-ascending", NULL },
                { &pair_spec, "x", "wrong-type", "write a sequence of 2 integers" },
                { &ports_spec, "8080", "wrong-type", "write [8080]" },
                { &ports_spec, "a-b", "wrong-type",
                  "write for instance [8080, \"30000-30010\"], or [] for no port" },
                { &ports_spec, "[0]", "bad-ports", NULL },
                { &ports_spec, "[1]", "bad-ports", "write ports from 1 to 65535" },
                { &ports_spec, "[65536]", "bad-ports", NULL },
                { &ports_spec, "[123456]", "bad-ports", NULL },
                { &ports_spec, "['80']", "bad-ports", "remove the quotes" },
                { &ports_spec, "['20-10']", "bad-ports", "write the smaller port first" },
                { &ports_spec, "['10-']", "bad-ports", NULL },
                { &ports_spec, "['-10']", "bad-ports", NULL },
                { &ports_spec, "['10-20-30']", "bad-ports", NULL },
                { &ports_spec, "['010-20']", "bad-ports", NULL },
                { &ports_spec, "[[80]]", "bad-ports", NULL },
                { &ports_spec, "[~]", "bad-ports", NULL },
                { &word_spec, "'bbr cubic'", "bad-word", NULL },
                { &word_spec, "''", "bad-word", NULL },
                { &word_spec, "a/b", "bad-word", NULL },
                { &word_spec, "1", "wrong-type", NULL },
                { &word_spec, "[bbr]", "wrong-type", "write one word" },
                { &words_spec, "bbr cubic", "wrong-type", "write a sequence of words" },
                { &words_spec, "[bbr, 'a b']", "bad-word", NULL },
                { &words_spec, "[[bbr]]", "wrong-type", NULL },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                SysctlValue value;
                assert_false(value_read(&lone.check, row->spec, lone.node, &value));
                assert_string_equal(lone_finding(&lone), row->want);
                const Diag *diag = diag_list_get(lone.diags, 0);
                assert_true(span_is_set(&diag->span));
                assert_non_null(diag->help);
                if (row->help)
                        assert_string_equal(diag->help, row->help);
        }
}

static void test_kernel_and_sane_limit_read_differently(void **state UNUSED) {
        static const struct {
                const char *text, *label;
        } rows[] = {
                { "-1", "the kernel takes no less than 0 s" },
                { "9", "lowest allowed value is 10 s" },
                { "901", "highest allowed value is 900 s" },
                { "1001", "the kernel takes no more than 1000 s" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                SysctlValue value;
                assert_false(value_read(&lone.check, &int_spec, lone.node, &value));
                const Diag *diag = diag_list_get(lone.diags, 0);
                assert_string_equal(diag->labels[0].text, row->label);
                assert_int_equal(diag->n_notes, 1);
        }
}

static void test_ports_that_one_write_cannot_carry(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        for (unsigned port = 10000; port < 14000; port += 2)
                strbuf_addf(&text, "%s%u", port == 10000 ? "[" : ",", port);
        strbuf_add(&text, "]");
        CLEANUP(lone_deinit) Lone lone = { 0 };
        lone_init(&lone, strbuf_text(&text));
        SysctlValue value;
        assert_false(value_read(&lone.check, &ports_spec, lone.node, &value));
        assert_string_equal(lone_finding(&lone), "bad-ports");
        assert_string_equal(
                        diag_list_get(lone.diags, 0)->help, "join neighbouring ports to ranges");
}

static void test_bound_table(void **state UNUSED) {
        static const struct {
                const SysctlSpec *spec;
                const char *text, *want, *note;
        } rows[] = {
                { &int_spec, "at-least: 100", "", NULL },
                { &int_spec, "at-most: 10min", "", NULL },
                { &int_spec, "at-most: 5", "out-of-range", NULL },
                { &enum_spec, "at-least: 2", "bound-not-ordered",
                  "the key takes one integer, which is not a quantity" },
                { &range_spec, "at-least: [1, 2]", "bound-not-ordered",
                  "the key takes a sequence of 2 integers, which is not a quantity" },
                { &zero_spec, "at-least: 1", "bound-not-ordered",
                  "0 is not less than 1 there; it means: unlimited" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(lone_deinit) Lone lone = { 0 };
                lone_init(&lone, row->text);
                SysctlValue value;
                bool good = value_read_bound(&lone.check, row->spec, lone.node->first, &value);
                assert_int_equal(good, row->want[0] == '\0');
                assert_string_equal(lone_finding(&lone), row->want);
                if (row->note)
                        assert_string_equal(diag_list_get(lone.diags, 0)->notes[0], row->note);
        }
}

TEST_MAIN(cmocka_unit_test(test_good_table), cmocka_unit_test(test_bad_table),
          cmocka_unit_test(test_kernel_and_sane_limit_read_differently),
          cmocka_unit_test(test_ports_that_one_write_cannot_carry),
          cmocka_unit_test(test_bound_table))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/sysctl-value.h"
#include "test.h"

/* Types that no row of the catalogue has yet are tested with rows made here. */
static const SysctlChoice bits[] = { { 1, "client" }, { 2, "server" }, { 0x400, "no cookie" } };
static const SysctlSpec spec_mask = { .key = "m",
                                      .type = SYSCTL_TYPE_BITMASK,
                                      .n_values = 1,
                                      .kernel_max = INT32_MAX,
                                      .sane_max = 0x403,
                                      .choices = bits,
                                      .n_choices = ELEMENTSOF(bits) };
static const SysctlSpec spec_word = { .key = "w", .type = SYSCTL_TYPE_STRING, .n_values = 1 };
static const SysctlSpec spec_words = { .key = "ws", .type = SYSCTL_TYPE_STRINGS, .n_values = 1 };

static const SysctlSpec *spec_of(const char *name) {
        if (streq(name, "mask"))
                return &spec_mask;
        if (streq(name, "word"))
                return &spec_word;
        return streq(name, "words") ? &spec_words : catalogue_find(name);
}

static SysctlValue parsed(const SysctlSpec *spec, const char *text, Arena *arena) {
        SysctlValue value;
        assert_int_equal(sysctl_value_from_kernel(spec, text, strlen(text), arena, &value), 0);
        return value;
}

#define REUSE     "net.ipv4.tcp_tw_reuse"
#define FIN       "net.ipv4.tcp_fin_timeout"
#define RANGE     "net.ipv4.ip_local_port_range"
#define MEM       "net.ipv4.tcp_mem"
#define PORTS     "net.ipv4.ip_local_reserved_ports"
#define SOMAXCONN "net.core.somaxconn"

/* From the kernel's text and back to its spelling; want NULL: -EINVAL. */
static void test_value_from_kernel_and_back(void **state) {
        (void) state;
        static const struct {
                const char *spec, *text, *want;
        } rows[] = {
                { REUSE, "2\n", "2" },
                { REUSE, "2", "2" },
                { REUSE, " \t2 \n", "2" },
                { REUSE, "7", "7" },
                { FIN, "-5\n", "-5" },
                { FIN, "9223372036854775807", "9223372036854775807" },
                { FIN, "-9223372036854775808", "-9223372036854775808" },
                { FIN, "9223372036854775808", NULL },
                { FIN, "-9223372036854775809", NULL },
                { FIN, "99999999999999999999999", NULL },
                { FIN, "", NULL },
                { FIN, "\n", NULL },
                { FIN, "-", NULL },
                { FIN, "+5", NULL },
                { FIN, "010", NULL },
                { FIN, "00", NULL },
                { FIN, "0x1e", NULL },
                { FIN, "1e3", NULL },
                { FIN, "30.5", NULL },
                { FIN, "30 40", NULL },
                { FIN, "30;", NULL },
                { FIN, "- 5", NULL },
                { RANGE, "32768\t60999\n", "32768\t60999" },
                { RANGE, "32768 60999", "32768\t60999" },
                { RANGE, "  32768 \t 60999  ", "32768\t60999" },
                { RANGE, "32768", NULL },
                { RANGE, "32768-60999", NULL },
                { RANGE, "32768 60999 1", NULL },
                { RANGE, "1 x", NULL },
                { MEM, "287898\t383867\t575796\n", "287898\t383867\t575796" },
                { MEM, "3 2 1", "3\t2\t1" },
                { MEM, "1 2", NULL },
                { "mask", "1027", "1027" },
                { PORTS, "", "" },
                { PORTS, "\n", "" },
                { PORTS, "8080\n", "8080" },
                { PORTS, "9148,8080", "8080,9148" },
                { PORTS, "30000-30010,8080,30005-30020,30021", "8080,30000-30021" },
                { PORTS, "0-65535", "0-65535" },
                { PORTS, "65535,65534", "65534-65535" },
                { PORTS, "5-5", "5" },
                { PORTS, "1,2,3", "1-3" },
                { PORTS, "1,3", "1,3" },
                { PORTS, "1-9,2-3,5", "1-9" },
                { PORTS, "65536", NULL },
                { PORTS, "-5", NULL },
                { PORTS, "10-5", NULL },
                { PORTS, "8080,", NULL },
                { PORTS, ",8080", NULL },
                { PORTS, "8080,,9", NULL },
                { PORTS, "80 90", NULL },
                { PORTS, "1-", NULL },
                { PORTS, "1-65536", NULL },
                { PORTS, "1-2-3", NULL },
                { PORTS, "a", NULL },
                { "word", "cubic\n", "cubic" },
                { "word", "  cubic ", "cubic" },
                { "word", "", NULL },
                { "word", "two words", NULL },
                { "word", "cu\001bic", NULL },
                { "word", "cu\177bic", NULL },
                { "word", "caf\xc3\xa9", "caf\xc3\xa9" },
                { "words", "reno  cubic\tbbr\n", "reno cubic bbr" },
                { "words", "\n", "" },
                { "words", "a \r", NULL },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = spec_of(row->spec);
                SysctlValue value;
                int r = sysctl_value_from_kernel(spec, row->text, strlen(row->text), arena, &value);
                assert_int_equal(r, row->want ? 0 : -EINVAL);
                if (row->want) {
                        const char *got = sysctl_value_to_kernel(spec, &value, arena);
                        assert_string_equal(got, row->want);
                }
        }
}

/* Every row was written into the kernel file of 6.18; want is what it then held. */
static void test_value_from_written_table(void **state) {
        (void) state;
        static const struct {
                const char *spec, *text, *want;
        } rows[] = {
                { FIN, "30", "30" },
                { FIN, "010", "8" },
                { FIN, "0x1e", "30" },
                { FIN, "0X1E", "30" },
                { FIN, "0", "0" },
                { FIN, "00", "0" },
                { FIN, "-0x5", "-5" },
                { FIN, "-010", "-8" },
                { FIN, " \t7", "7" },
                { FIN, "7 x", "7" },
                { FIN, "7\tx", "7" },
                { FIN, "7 # half a minute", "7" },
                { FIN, "1 2 3", "1" },
                { FIN, "08", NULL },
                { FIN, "0x", NULL },
                { FIN, "0x1g", NULL },
                { FIN, "+5", NULL },
                { FIN, "7x", NULL },
                { FIN, "7\r", NULL },
                { FIN, "7,8", NULL },
                { FIN, "-", NULL },
                { FIN, "- 5", NULL },
                { FIN, "", NULL },
                { FIN, "0xfffffffffffffffff", NULL },
                { RANGE, "1024 0xffff", "1024\t65535" },
                { RANGE, "02000 60999", "1024\t60999" },
                { RANGE, "1024  60999 zz", "1024\t60999" },
                { RANGE, "1024 60999x", NULL },
                { RANGE, "1024,60999", NULL },
                { RANGE, "1024", NULL }, /* taken, but the upper bound is what it was */
                { PORTS, "010", "8" },
                { PORTS, "0x10-0x20", "16-32" },
                { PORTS, "8080,", "8080" },
                { PORTS, "5-5,", "5" },
                { PORTS, "", "" },
                { PORTS, ",", NULL },
                { PORTS, ",8080", NULL },
                { PORTS, "8080,,90", NULL },
                { PORTS, "80-", NULL },
                { PORTS, "80, 90", NULL },
                { PORTS, "80 ,90", NULL },
                { PORTS, "80 x", NULL },
                { "word", " bbr ", "bbr" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = spec_of(row->spec);
                SysctlValue value;
                int r = sysctl_value_from_written(
                                spec, row->text, strlen(row->text), arena, &value);
                assert_int_equal(r, row->want ? 0 : -EINVAL);
                if (row->want)
                        assert_string_equal(sysctl_value_to_kernel(spec, &value, arena), row->want);
        }
}

static void test_value_from_kernel_reads_n_bytes_only(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlValue value = { .n_ints = 77 };

        assert_int_equal(
                        sysctl_value_from_kernel(catalogue_find(FIN), "6099", 2, arena, &value), 0);
        assert_int_equal(value.ints[0], 60);
        assert_int_equal(
                        sysctl_value_from_kernel(catalogue_find(FIN), "6\0", 2, arena, &value),
                        -EINVAL);
        assert_int_equal(
                        sysctl_value_from_kernel(catalogue_find(PORTS), "6\0", 2, arena, &value),
                        -EINVAL);
        assert_int_equal(sysctl_value_from_kernel(&spec_words, "a\0b", 3, arena, &value), -EINVAL);
        assert_int_equal(value.ints[0], 60); /* a refusal writes nothing */
}

/* Ports 2, 4, 6 …: n of them. */
static size_t fill_even_ports(PortRange *ranges, size_t n) {
        for (size_t i = 0; i < n; i++)
                ranges[i].first = ranges[i].last = (uint16_t) (2 * i + 2);
        return n;
}

static void test_value_of_port_list_that_one_write_cannot_carry(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const SysctlSpec *spec = catalogue_find(PORTS);
        PortRange ranges[1000];
        SysctlValue value;

        size_t index = 77;
        size_t n = fill_even_ports(ranges, ELEMENTSOF(ranges));
        assert_int_equal(sysctl_ports_build(ranges, n, arena, &value), 0);
        assert_int_equal(value.n_ports, n);
        assert_int_equal(sysctl_value_check(spec, &value, &index), SYSCTL_FAULT_TOO_LONG);
        assert_int_equal(index, 0);
        const char *text = sysctl_value_to_kernel(spec, &value, arena);
        assert_true(strlen(text) > SYSCTL_VALUE_TEXT_MAX);
        assert_int_equal(
                        sysctl_value_from_kernel(spec, text, SYSCTL_VALUE_TEXT_MAX, arena, &value),
                        -EINVAL);

        /* The longest that fits: its text and the newline fill a page but for one byte. */
        while (n > 0) {
                assert_int_equal(sysctl_ports_build(ranges, --n, arena, &value), 0);
                if (sysctl_value_check(spec, &value, &index) == SYSCTL_FAULT_NONE)
                        break;
        }
        size_t length = strlen(sysctl_value_to_kernel(spec, &value, arena)) + 1;
        assert_in_range(length, SYSCTL_VALUE_TEXT_MAX - 5, SYSCTL_VALUE_TEXT_MAX - 1);
}

static void test_value_port_text_counts_ranges_too(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const SysctlSpec *spec = catalogue_find(PORTS);
        PortRange ranges[400];
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                ranges[i] = (PortRange){ (uint16_t) (10000 + 10 * i), (uint16_t) (10005 + 10 * i) };

        SysctlValue value;
        assert_int_equal(sysctl_ports_build(ranges, 341, arena, &value), 0);
        assert_int_equal(strlen(sysctl_value_to_kernel(spec, &value, arena)), 341 * 12 - 1);
        assert_int_equal(sysctl_value_check(spec, &value, NULL), SYSCTL_FAULT_NONE);
        assert_int_equal(sysctl_ports_build(ranges, 342, arena, &value), 0);
        assert_int_equal(sysctl_value_check(spec, &value, NULL), SYSCTL_FAULT_TOO_LONG);
}

static void test_value_equal_table(void **state) {
        (void) state;
        static const struct {
                const char *spec_a, *a, *spec_b, *b;
                bool want;
        } rows[] = {
                { FIN, "60", FIN, " 60\n", true },
                { FIN, "60", FIN, "61", false },
                { FIN, "60", REUSE, "60", false },
                { RANGE, "1024 65000", RANGE, "1024\t65000\n", true },
                { RANGE, "1024 65000", RANGE, "1024\t65001\n", false },
                { RANGE, "1 2", MEM, "1 2 3", false },
                { PORTS, "1,2,3", PORTS, "1-3", true },
                { PORTS, "9,1", PORTS, "1,9", true },
                { PORTS, "1-3", PORTS, "1-4", false },
                { PORTS, "2-3", PORTS, "1-3", false },
                { PORTS, "", PORTS, "1", false },
                { PORTS, "", PORTS, "\n", true },
                { "words", "a  b", "words", "a b\n", true },
                { "words", "a b", "words", "b a", false },
                { "word", "a", "words", "a", false },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                SysctlValue a = parsed(spec_of(row->spec_a), row->a, arena);
                SysctlValue b = parsed(spec_of(row->spec_b), row->b, arena);
                assert_int_equal(sysctl_value_equal(&a, &b), row->want);
                assert_int_equal(sysctl_value_equal(&b, &a), row->want);
        }
}

#define RATE    "net.ipv4.tcp_invalid_ratelimit"
#define BUCKETS "net.netfilter.nf_conntrack_buckets"

static void test_value_holds_after_the_kernels_rounding(void **state) {
        (void) state;
        static const struct {
                const char *key, *wanted, *live;
                bool want;
        } rows[] = {
                { RATE, "500", "500", true },
                { RATE, "501", "501", true }, /* HZ=1000 */
                { RATE, "501", "504", true }, /* HZ=250 and 300 */
                { RATE, "501", "510", true }, /* HZ=100 */
                { RATE, "501", "502", false },
                { RATE, "501", "500", false }, /* never down */
                { RATE, "501", "511", false },
                { RATE, "504", "501", false },
                { RATE, "0", "0", true },
                { RATE, "0", "4", false },
                { RATE, "-1", "0", false },
                { RATE, "2147483647", "2147483648", true },
                { RATE, "9223372036854775807", "9223372036854775806", false },
                { BUCKETS, "65536", "65536", true },
                { BUCKETS, "65537", "66048", true }, /* pages of 4 KiB */
                { BUCKETS, "65537", "73728", true }, /* pages of 64 KiB */
                { BUCKETS, "65536", "66048", false },
                { BUCKETS, "65537", "65536", false },
                { BUCKETS, "9223372036854775807", "0", false },
                { FIN, "60", "60", true },
                { FIN, "60", "64", false },
                { RANGE, "1024 65000", "1024 65000", true },
                { RANGE, "1024 65000", "1024 65001", false },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = spec_of(row->key);
                SysctlValue wanted = parsed(spec, row->wanted, arena);
                SysctlValue live = parsed(spec, row->live, arena);
                assert_int_equal(sysctl_value_holds(spec, &wanted, &live), row->want);
        }
}

static void test_value_compare_and_ordered(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlValue low = parsed(catalogue_find(FIN), "-5", arena);
        SysctlValue high = parsed(catalogue_find(FIN), "60", arena);
        assert_true(sysctl_value_compare(&low, &high) < 0);
        assert_true(sysctl_value_compare(&high, &low) > 0);
        assert_int_equal(sysctl_value_compare(&high, &high), 0);

        static const struct {
                const char *spec;
                bool want;
        } rows[] = {
                { SOMAXCONN, true },
                { FIN, true },
                { "net.ipv4.tcp_orphan_retries", false }, /* 0 means 8 */
                { "net.ipv4.tcp_child_ehash_entries", false },
                { REUSE, false },
                { RANGE, false },
                { PORTS, false },
                { "net.ipv4.tcp_rfc1337", false },
                { "mask", false },
                { "word", false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(sysctl_spec_is_ordered(spec_of(row->spec)), row->want);
}

static void test_value_copy_outlives_its_arena(void **state) {
        (void) state;
        static const struct {
                const char *spec, *text;
        } rows[] = {
                { PORTS, "1-3,9" }, { PORTS, "" }, { RANGE, "1024\t65000" }, { "words", "a b" }
        };
        CLEANUP(arena_freep) Arena *keep = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = spec_of(row->spec);
                Arena *gone = arena_new();
                SysctlValue value = parsed(spec, row->text, gone);
                SysctlValue copy;
                assert_int_equal(sysctl_value_copy(&value, keep, &copy), 0);
                assert_true(sysctl_value_equal(&value, &copy));
                (void) arena_free(gone);
                assert_string_equal(sysctl_value_to_kernel(spec, &copy, keep), row->text);
        }
}

static void test_value_check_table(void **state) {
        (void) state;
        static const struct {
                const char *spec, *text;
                SysctlFault want;
                size_t index;
        } rows[] = {
                { SOMAXCONN, "4096", SYSCTL_FAULT_NONE, 0 },
                { SOMAXCONN, "-1", SYSCTL_FAULT_BELOW_KERNEL, 0 },
                { SOMAXCONN, "127", SYSCTL_FAULT_BELOW_SANE, 0 },
                { SOMAXCONN, "65536", SYSCTL_FAULT_ABOVE_SANE, 0 },
                { SOMAXCONN, "2147483648", SYSCTL_FAULT_ABOVE_KERNEL, 0 },
                { FIN, "0", SYSCTL_FAULT_BELOW_SANE, 0 },
                { FIN, "-1", SYSCTL_FAULT_BELOW_SANE, 0 },
                { FIN, "3600", SYSCTL_FAULT_NONE, 0 },
                { "net.ipv4.tcp_max_tw_buckets", "4095", SYSCTL_FAULT_BELOW_SANE, 0 },
                { "net.ipv4.tcp_tw_timeout", "601", SYSCTL_FAULT_ABOVE_KERNEL, 0 },
                { "net.ipv4.tcp_rfc1337", "2", SYSCTL_FAULT_ABOVE_SANE, 0 },
                { REUSE, "2", SYSCTL_FAULT_NONE, 0 },
                { REUSE, "3", SYSCTL_FAULT_NOT_A_CHOICE, 0 },
                { "net.ipv4.tcp_timestamps", "7", SYSCTL_FAULT_NOT_A_CHOICE, 0 },
                { RANGE, "32768 60999", SYSCTL_FAULT_NONE, 0 },
                { RANGE, "32768 32768", SYSCTL_FAULT_NONE, 0 },
                { RANGE, "60999 32768", SYSCTL_FAULT_NOT_ASCENDING, 1 },
                { RANGE, "80 60999", SYSCTL_FAULT_NONE, 0 },
                { RANGE, "32768 65536", SYSCTL_FAULT_ABOVE_KERNEL, 1 },
                { RANGE, "0 65536", SYSCTL_FAULT_BELOW_KERNEL, 0 },
                { MEM, "1000 3000 2000", SYSCTL_FAULT_NOT_ASCENDING, 2 },
                { MEM, "1000 2000 3000", SYSCTL_FAULT_NONE, 0 },
                { PORTS, "", SYSCTL_FAULT_NONE, 0 },
                { PORTS, "1-65535", SYSCTL_FAULT_NONE, 0 },
                { PORTS, "0,80", SYSCTL_FAULT_BELOW_SANE, 0 },
                { "mask", "1027", SYSCTL_FAULT_NONE, 0 },
                { "mask", "0", SYSCTL_FAULT_NONE, 0 },
                { "mask", "4", SYSCTL_FAULT_NOT_A_CHOICE, 0 },
                { "mask", "-1", SYSCTL_FAULT_BELOW_KERNEL, 0 },
                { "mask", "2147483648", SYSCTL_FAULT_ABOVE_KERNEL, 0 },
                { "word", "cubic", SYSCTL_FAULT_NONE, 0 },
                { "words", "a b", SYSCTL_FAULT_NONE, 0 },
                { "words", "", SYSCTL_FAULT_NONE, 0 },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = spec_of(row->spec);
                SysctlValue value = parsed(spec, row->text, arena);
                size_t index = 0;
                assert_int_equal(sysctl_value_check(spec, &value, &index), row->want);
                assert_int_equal(index, row->index);
                assert_int_equal(sysctl_value_check(spec, &value, NULL), row->want);
        }
}

static void test_value_check_of_wrong_count(void **state) {
        (void) state;
        const SysctlValue one = { .type = SYSCTL_TYPE_RANGE, .n_ints = 1, .ints = { 2000 } };
        assert_int_equal(sysctl_value_check(catalogue_find(RANGE), &one, NULL), SYSCTL_FAULT_COUNT);
        const SysctlValue three = { .type = SYSCTL_TYPE_RANGE, .n_ints = 3 };
        assert_int_equal(
                        sysctl_value_check(catalogue_find(RANGE), &three, NULL),
                        SYSCTL_FAULT_COUNT);
        const SysctlValue two_words = { .type = SYSCTL_TYPE_STRING, .text = "a b" };
        assert_int_equal(sysctl_value_check(&spec_word, &two_words, NULL), SYSCTL_FAULT_COUNT);
        const SysctlValue empty = { .type = SYSCTL_TYPE_STRING, .text = "" };
        assert_int_equal(sysctl_value_check(&spec_word, &empty, NULL), SYSCTL_FAULT_COUNT);
}

/* Every default that the catalogue gives is a value of its type, inside what we take, and printed back
 * as it stands. */
static void test_value_of_every_default(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        for (size_t i = 0; i < catalogue_count(); i++) {
                const SysctlSpec *spec = catalogue_get(i);
                if (!spec->default_text)
                        continue;
                SysctlValue value = parsed(spec, spec->default_text, arena);
                assert_int_equal(sysctl_value_check(spec, &value, NULL), SYSCTL_FAULT_NONE);
                assert_string_equal(
                                sysctl_value_to_kernel(spec, &value, arena), spec->default_text);
        }
}

TEST_MAIN(cmocka_unit_test(test_value_from_kernel_and_back),
          cmocka_unit_test(test_value_from_written_table),
          cmocka_unit_test(test_value_from_kernel_reads_n_bytes_only),
          cmocka_unit_test(test_value_of_port_list_that_one_write_cannot_carry),
          cmocka_unit_test(test_value_port_text_counts_ranges_too),
          cmocka_unit_test(test_value_equal_table),
          cmocka_unit_test(test_value_holds_after_the_kernels_rounding),
          cmocka_unit_test(test_value_compare_and_ordered),
          cmocka_unit_test(test_value_copy_outlives_its_arena),
          cmocka_unit_test(test_value_check_table),
          cmocka_unit_test(test_value_check_of_wrong_count),
          cmocka_unit_test(test_value_of_every_default))

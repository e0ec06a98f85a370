/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/num.h"

#include "test.h"

static void test_num_parse_u64(void **state UNUSED) {
        static const struct {
                const char *text;
                int r;
                uint64_t want;
        } rows[] = {
                { "0", 0, 0 },
                { "1", 0, 1 },
                { "65535", 0, 65535 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -ERANGE, 0 },
                { "99999999999999999999999", -ERANGE, 0 },
                { "99999999999999999999999x", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "00", -EINVAL, 0 },
                { "010", -EINVAL, 0 },
                { "0x1e", -EINVAL, 0 },
                { "+1", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { " 1", -EINVAL, 0 },
                { "1 ", -EINVAL, 0 },
                { "1\n", -EINVAL, 0 },
                { "1e3", -EINVAL, 0 },
                { "\xd9\xa1", -EINVAL, 0 }, /* ARABIC-INDIC DIGIT ONE */
        };
        TEST_EACH(row, rows) {
                uint64_t got = 77;
                assert_int_equal(num_parse_u64(row->text, &got), row->r);
                assert_int_equal(got, row->r == 0 ? row->want : 77);
        }
}

static void test_num_parse_i64(void **state UNUSED) {
        static const struct {
                const char *text;
                int r;
                int64_t want;
        } rows[] = {
                { "0", 0, 0 },
                { "-1", 0, -1 },
                { "9223372036854775807", 0, INT64_MAX },
                { "9223372036854775808", -ERANGE, 0 },
                { "-9223372036854775808", 0, INT64_MIN },
                { "-9223372036854775809", -ERANGE, 0 },
                { "-0", -EINVAL, 0 },
                { "-", -EINVAL, 0 },
                { "--1", -EINVAL, 0 },
                { "-01", -EINVAL, 0 },
        };
        TEST_EACH(row, rows) {
                int64_t got = 77;
                assert_int_equal(num_parse_i64(row->text, &got), row->r);
                assert_int_equal(got, row->r == 0 ? row->want : 77);
        }
}

TEST_MAIN(cmocka_unit_test(test_num_parse_u64), cmocka_unit_test(test_num_parse_i64))

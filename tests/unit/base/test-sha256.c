/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

#include "test.h"

/* FIPS 180-4's own examples. */
static void test_sha256_known_answers(void **state UNUSED) {
        static const struct {
                const char *text, *hex;
        } rows[] = {
                { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
                { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        };
        TEST_EACH(row, rows) {
                Sha256 hash = sha256_of(row->text, strlen(row->text));
                char hex[SHA256_HEX_SIZE];
                sha256_to_hex(&hash, hex);
                assert_string_equal(hex, row->hex);

                Sha256 back;
                assert_int_equal(sha256_from_hex(hex, &back), 0);
                assert_true(sha256_equal(&hash, &back));
        }
}

static void test_sha256_stream_equals_whole(void **state UNUSED) {
        Sha256Stream stream;
        sha256_init_stream(&stream);
        sha256_add(&stream, "a", 1);
        sha256_add(&stream, NULL, 0);
        sha256_add(&stream, "bc", 2);
        Sha256 parts = sha256_end(&stream), whole = sha256_of("abc", 3);
        assert_true(sha256_equal(&parts, &whole));
}

static Sha256 two_fields(const char *a, const char *b) {
        Sha256Stream stream;
        sha256_init_stream(&stream);
        sha256_add_field(&stream, a, strlen(a));
        sha256_add_field(&stream, b, strlen(b));
        return sha256_end(&stream);
}

static void test_sha256_fields_do_not_trade_bytes(void **state UNUSED) {
        Sha256 a = two_fields("ab", "c"), b = two_fields("a", "bc"), c = two_fields("ab", "c");
        assert_false(sha256_equal(&a, &b));
        assert_true(sha256_equal(&a, &c));
}

static void test_sha256_from_hex_is_strict(void **state UNUSED) {
        static const char *const rows[] = {
                "",
                "ba7816bf",
                "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag",
                "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
        };
        TEST_EACH(row, rows) {
                Sha256 hash;
                assert_int_equal(sha256_from_hex(*row, &hash), -EINVAL);
        }
}

TEST_MAIN(cmocka_unit_test(test_sha256_known_answers),
          cmocka_unit_test(test_sha256_stream_equals_whole),
          cmocka_unit_test(test_sha256_fields_do_not_trade_bytes),
          cmocka_unit_test(test_sha256_from_hex_is_strict))

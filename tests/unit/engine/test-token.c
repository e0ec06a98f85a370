/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/token.h"

#include "engine/tx-id.h"
#include "test.h"

static void test_token_is_of_its_transaction_and_random(void **state UNUSED) {
        char tx[TX_ID_SIZE], one[TOKEN_SIZE], other[TOKEN_SIZE];
        tx_id_new(tx);
        token_new(tx, one);
        token_new(tx, other);

        assert_int_equal(strlen(one), TOKEN_SIZE - 1);
        assert_memory_equal(one, tx, 8);
        assert_int_equal(one[8], '-');
        assert_int_equal(strspn(one + 9, "0123456789abcdef"), 32);
        assert_string_not_equal(one, other);
        assert_true(token_is_of(one, tx));
        tx[0] = tx[0] == '0' ? '1' : '0';
        assert_false(token_is_of(one, tx));
        assert_false(token_is_of("", tx));
}

static void test_token_equal_table(void **state UNUSED) {
        static const struct {
                const char *a, *b;
                bool want;
        } rows[] = {
                { "", "", true },       { "a", "a", true },      { "a", "b", false },
                { "", "a", false },     { "a", "", false },      { "abc", "ab", false },
                { "ab", "abc", false }, { "abc", "abd", false },
        };
        TEST_EACH(row, rows)
                assert_int_equal(token_equal(row->a, row->b), row->want);
}

TEST_MAIN(cmocka_unit_test(test_token_is_of_its_transaction_and_random),
          cmocka_unit_test(test_token_equal_table))

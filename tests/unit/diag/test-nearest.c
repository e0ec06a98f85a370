/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/nearest.h"

#include "test.h"

static void test_distance_table(void **state UNUSED) {
        static const struct {
                const char *a, *b;
                size_t want;
        } rows[] = {
                { "", "", 0 },        { "", "abc", 3 },           { "abc", "", 3 },
                { "abc", "abc", 0 },  { "abc", "abd", 1 },        { "abc", "acb", 1 },
                { "abc", "abcd", 1 }, { "kitten", "sitting", 3 }, { "ab", "ba", 1 },
        };
        TEST_EACH(row, rows)
                assert_int_equal(nearest_distance(row->a, row->b), row->want);
}

static void test_distance_of_long_words(void **state UNUSED) {
        char word[NEAREST_MAX_LENGTH + 2];
        memset(word, 'x', sizeof(word));
        word[NEAREST_MAX_LENGTH + 1] = '\0';
        assert_true(nearest_distance(word, "x") == SIZE_MAX);
        assert_true(nearest_distance("x", word) == SIZE_MAX);
        assert_int_equal(nearest_distance(word + 1, ""), NEAREST_MAX_LENGTH);
}

static void test_find_table(void **state UNUSED) {
        static const char *const words[] = { "enable", "disable", "status", "confirm" };
        static const struct {
                const char *word, *want;
        } rows[] = {
                { "enabel", "enable" }, { "disabel", "disable" },
                { "statsu", "status" }, { "explode", NULL },
                { "", NULL },           { "enable", "enable" },
                { "x", NULL },
        };
        TEST_EACH(row, rows) {
                const char *found = nearest_find(row->word, words, ELEMENTSOF(words));
                assert_true(streq_null(found, row->want));
        }
}

TEST_MAIN(cmocka_unit_test(test_distance_table), cmocka_unit_test(test_distance_of_long_words),
          cmocka_unit_test(test_find_table))

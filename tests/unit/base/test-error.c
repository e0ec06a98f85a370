/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include "test.h"

static void test_error_set(void **state UNUSED) {
        Error error = { 0 };
        assert_false(error_is_set(&error));
        assert_int_equal(error_set(&error, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
        assert_true(error_is_set(&error));
        assert_int_equal(error.number, ENOENT);
        assert_string_equal(error.text, "cannot open 'x': No such file or directory");
        error_reset(&error);
        assert_false(error_is_set(&error));
        assert_string_equal(error.text, "");
}

static void test_error_prefix_reads_as_one_sentence(void **state UNUSED) {
        Error error = { 0 };
        assert_int_equal(error_set(&error, -EIO, "cannot read '%s'", "journal"), -EIO);
        assert_int_equal(error_prefix(&error, -EIO, "cannot recover"), -EIO);
        assert_string_equal(
                        error.text, "cannot recover: cannot read 'journal': Input/output error");
}

static void test_error_prefix_of_nothing_names_the_errno(void **state UNUSED) {
        Error error = { 0 };
        assert_int_equal(error_prefix(&error, -EPERM, "cannot work"), -EPERM);
        assert_string_equal(error.text, "cannot work: Operation not permitted");
}

static void test_error_takes_null(void **state UNUSED) {
        assert_int_equal(error_set(NULL, -EIO, "cannot"), -EIO);
        assert_int_equal(error_prefix(NULL, -EIO, "cannot"), -EIO);
}

static void test_error_long_text_is_cut(void **state UNUSED) {
        char text[2 * ERROR_TEXT_MAX];
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        Error error = { 0 };
        assert_int_equal(error_set(&error, -EIO, "%s", text), -EIO);
        assert_int_equal(strlen(error.text), ERROR_TEXT_MAX - 1);
        assert_int_equal(error_prefix(&error, -EIO, "%s", text), -EIO);
        assert_int_equal(strlen(error.text), ERROR_TEXT_MAX - 1);
}

TEST_MAIN(cmocka_unit_test(test_error_set),
          cmocka_unit_test(test_error_prefix_reads_as_one_sentence),
          cmocka_unit_test(test_error_prefix_of_nothing_names_the_errno),
          cmocka_unit_test(test_error_takes_null), cmocka_unit_test(test_error_long_text_is_cut))

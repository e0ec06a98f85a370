/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/strbuf.h"

#include "test.h"

static void test_strbuf_grows(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf buf = { 0 };
        assert_string_equal(strbuf_text(&buf), "");
        for (unsigned i = 0; i < 1000; i++)
                strbuf_addf(&buf, "%03u,", i);
        assert_int_equal(buf.length, 4000);
        assert_false(buf.failed);
        assert_memory_equal(strbuf_text(&buf) + 3996, "999,", 5);
}

static void test_strbuf_adds(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf buf = { 0 };
        strbuf_add(&buf, "ab");
        strbuf_add(&buf, "");
        strbuf_add_char(&buf, 'c');
        strbuf_add_repeat(&buf, '-', 3);
        strbuf_add_repeat(&buf, '-', 0);
        strbuf_add_bytes(&buf, "x\0y", 3);
        strbuf_add_bytes(&buf, NULL, 0);
        strbuf_addf(&buf, "%s", "");
        assert_int_equal(buf.length, 9);
        assert_memory_equal(buf.data, "abc---x\0y", 10);
}

static void test_strbuf_reset_keeps_the_memory(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf buf = { 0 };
        strbuf_reset(&buf);
        strbuf_add(&buf, "something");
        size_t capacity = buf.capacity;
        strbuf_reset(&buf);
        assert_string_equal(strbuf_text(&buf), "");
        assert_int_equal(buf.capacity, capacity);
        strbuf_add(&buf, "else");
        assert_string_equal(strbuf_text(&buf), "else");
}

static void test_strbuf_finish_hands_over(void **state UNUSED) {
        StrBuf buf = { 0 };
        cleanup_free char *empty = NULL, *text = NULL;
        assert_int_equal(strbuf_finish(&buf, &empty), 0);
        assert_string_equal(empty, "");
        strbuf_add(&buf, "text");
        assert_int_equal(strbuf_finish(&buf, &text), 0);
        assert_string_equal(text, "text");
        assert_null(buf.data);
        assert_int_equal(buf.length, 0);
}

/* A size that cannot be: sticky, later additions are no-ops, and it is said once at the end. */
static void test_strbuf_failure_is_sticky(void **state UNUSED) {
        StrBuf buf = { 0 };
        strbuf_add(&buf, "a");
        strbuf_add_repeat(&buf, 'x', SIZE_MAX / 2);
        assert_true(buf.failed);
        strbuf_add(&buf, "b");
        strbuf_add_char(&buf, 'c');
        strbuf_add_repeat(&buf, 'd', 1);
        strbuf_addf(&buf, "%d", 1);
        assert_string_equal(strbuf_text(&buf), "a");

        char *text = (char *) "untouched";
        assert_int_equal(strbuf_finish(&buf, &text), -ENOMEM);
        assert_string_equal(text, "untouched");
        assert_false(buf.failed);
}

static void test_strbuf_reset_forgives(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf buf = { 0 };
        strbuf_add_repeat(&buf, 'x', SIZE_MAX - 1);
        assert_true(buf.failed);
        strbuf_reset(&buf);
        strbuf_add(&buf, "fine");
        assert_string_equal(strbuf_text(&buf), "fine");
}

static void test_strbuf_sizes(void **state UNUSED) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = {
                { 0, "0 bytes" },
                { 999, "999 bytes" },
                { 1000, "1.0 kB" },
                { 999999, "999.9 kB" },
                { 6300000, "6.3 MB" },
                { UINT64_C(1000000000000), "1.0 TB" },
                { UINT64_MAX, "18446744.0 TB" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf text = {};
                strbuf_add_size(&text, row->bytes);
                assert_string_equal(strbuf_text(&text), row->text);
        }
}

TEST_MAIN(cmocka_unit_test(test_strbuf_grows), cmocka_unit_test(test_strbuf_adds),
          cmocka_unit_test(test_strbuf_sizes), cmocka_unit_test(test_strbuf_reset_keeps_the_memory),
          cmocka_unit_test(test_strbuf_finish_hands_over),
          cmocka_unit_test(test_strbuf_failure_is_sticky),
          cmocka_unit_test(test_strbuf_reset_forgives))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/program.h"

#include <stdlib.h>

#include "test.h"

static int run(const char *script, size_t limit, unsigned timeout_ms, StrBuf *out) {
        return program_read(
                        (const char *const[]){ "/bin/sh", "-c", script, NULL }, limit, timeout_ms,
                        out);
}

static void test_output(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        strbuf_add(&out, "before ");
        assert_int_equal(run("echo one; sleep 0.1; echo noise >&2; echo two", 100, 60000, &out), 0);
        assert_string_equal(strbuf_text(&out), "before one\ntwo\n");
}

/* Nothing of this process's surroundings decides what the other one prints. */
static void test_surroundings(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(setenv("TW_PLANTED", "here", 1), 0);
        assert_int_equal(
                        run("echo \"$LC_ALL $TZ ${TW_PLANTED-gone}\"; read -r line || echo empty; "
                            "for fd in /proc/self/fd/*; do :; done; echo \"${fd##*/}\" | grep -c '^[0-9]$'",
                            1000, 60000, &out),
                        0);
        assert_string_equal(strbuf_text(&out), "C UTC gone\nempty\n1\n");
}

static void test_failures(void **state UNUSED) {
        static const struct {
                const char *script;
                size_t limit;
                unsigned timeout_ms;
                int want;
        } rows[] = {
                { "exit 3", 100, 60000, -EIO },        { "kill -9 $$", 100, 60000, -EIO },
                { "exec yes", 100000, 60000, -EFBIG }, { "exec sleep 600", 100, 50, -ETIMEDOUT },
                { "echo 12345", 6, 60000, 0 },         { "echo 12345", 5, 60000, -EFBIG },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(run(row->script, row->limit, row->timeout_ms, &out), row->want);
        }
        CLEANUP(strbuf_deinit) StrBuf out = {};
        const char *const absent[] = { "/nonexistent/program", NULL };
        assert_int_equal(program_read(absent, 100, 1000, &out), -ENOENT);
        assert_int_equal(out.length, 0);
}

TEST_MAIN(cmocka_unit_test(test_output), cmocka_unit_test(test_surroundings),
          cmocka_unit_test(test_failures))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/procps-conf.h"

#include "test.h"

#define FIN      "net.ipv4.tcp_fin_timeout"
#define FIN_PATH "net/ipv4/tcp_fin_timeout"

static SysctlConf parsed(const char *bytes, size_t n, Arena *arena) {
        SysctlConf conf;
        assert_int_equal(procps_conf_parse(bytes, n, arena, &conf), 0);
        return conf;
}

/* One line each: what becomes of it. path NULL: no item; literal NULL: as the path. */
static void test_procps_parse_line(void **state UNUSED) {
        static const struct {
                const char *text, *path, *value, *literal;
                bool dash, glob, bad;
        } rows[] = {
                { FIN " = 30", FIN_PATH, "30", NULL, 0, 0, 0 },
                { " \t\v" FIN "\f=\t30 \r\n", FIN_PATH, "30", NULL, 0, 0, 0 },
                { FIN_PATH "=30\n", FIN_PATH, "30", NULL, 0, 0, 0 },
                { "/" FIN_PATH "=30", FIN_PATH, "30", "/" FIN_PATH, 0, 0, 0 },
                { "." FIN "=30", FIN_PATH, "30", "/" FIN_PATH, 0, 0, 0 },
                { "net..ipv4.x = 1", "net/ipv4/x", "1", "net//ipv4/x", 0, 0, 0 },
                { "net/./ipv4/x = 1", "net/ipv4/x", "1", "net/./ipv4/x", 0, 0, 0 },
                { "net/../net/x = 1", "net/x", "1", "net/../net/x", 0, 0, 0 },
                { "net/../../x = 1", "", "1", "net/../../x", 0, 0, 0 },
                { "net.ipv4.x. = 1", "", "1", "net/ipv4/x/", 0, 0, 0 },
                { "net/ipv4/x/. = 1", "", "1", "net/ipv4/x/.", 0, 0, 0 },
                { "net/ipv4/x/.. = 1", "", "1", "net/ipv4/x/..", 0, 0, 0 },
                { "net.ipv4/x = 1", "net/ipv4.x", "1", NULL, 0, 0, 0 },
                { FIN "=", FIN_PATH, "", NULL, 0, 0, 0 },
                { FIN "= a = b # c", FIN_PATH, "a = b # c", NULL, 0, 0, 0 },
                { "-" FIN "=30", FIN_PATH, "30", NULL, 1, 0, 0 },
                { "- " FIN "=30", " " FIN_PATH, "30", NULL, 1, 0, 0 },
                { "--" FIN "=30", FIN_PATH, "30", NULL, 1, 0, 0 },
                { "---" FIN "=30", "-" FIN_PATH, "30", NULL, 1, 0, 0 },
                { "-" FIN "\n", FIN_PATH, NULL, NULL, 0, 0, 0 },
                { "-" FIN " \r", FIN_PATH, NULL, NULL, 0, 0, 0 },
                { "-net.*.x", "net/*/x", NULL, NULL, 0, 1, 0 },
                { "net.*.x = 1", "net/*/x", "1", NULL, 0, 1, 0 },
                { "net.*.x. = 1", "net/*/x", "1", "net/*/x/", 0, 1, 0 },
                { "x = *", "x", "*", NULL, 0, 0, 0 },
                { "# x = 1", NULL, NULL, NULL, 0, 0, 0 },
                { "\v;x = 1", NULL, NULL, NULL, 0, 0, 0 },
                { " \t\r\n", NULL, NULL, NULL, 0, 0, 0 },
                { "", NULL, NULL, NULL, 0, 0, 0 },
                { "x", NULL, NULL, NULL, 0, 0, 0 },
                { "foo", NULL, NULL, NULL, 0, 0, 1 },
                { FIN " 30", NULL, NULL, NULL, 0, 0, 1 },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                SysctlConf conf = parsed(row->text, strlen(row->text), arena);
                assert_int_equal(conf.bad_line, row->bad ? 1 : 0);
                assert_int_equal(conf.n_items, row->path ? 1 : 0);
                for (size_t i = 0; i < conf.n_items; i++) {
                        const SysctlAssignment *item = &conf.items[i];
                        assert_string_equal(item->path, row->path);
                        assert_string_equal(item->literal, row->literal ? row->literal : row->path);
                        assert_true(streq_null(item->value, row->value));
                        assert_int_equal(item->dash, row->dash);
                        assert_int_equal(item->glob, row->glob);
                        assert_int_equal(item->exclusion, row->value == NULL);
                }
        }
}

static void test_procps_parse_lines_end_at_newlines_only(void **state UNUSED) {
        static const char text[] = "a.b = 1\rc.d = 2\n"
                                   "\n"
                                   "e.f = 3\0g.h = 4\n"
                                   "\0i.j = 5\n"
                                   "k.l = 6";
        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlConf conf = parsed(text, sizeof(text) - 1, arena);
        assert_int_equal(conf.n_items, 3);
        assert_string_equal(conf.items[0].value, "1\rc.d = 2");
        assert_string_equal(conf.items[1].value, "3");
        assert_int_equal(conf.items[1].line, 3);
        assert_string_equal(conf.items[2].key, "k.l");
        assert_int_equal(conf.items[2].line, 5);
        assert_int_equal(conf.bad_line, 3);
}

static void test_procps_parse_never_reads_behind_the_end(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        static const char text[] = "-a./.=1 2";
        for (size_t n = 0; n < sizeof(text); n++) {
                cleanup_free char *exact = malloc(n > 0 ? n : 1);
                assert_non_null(exact);
                memcpy(exact, text, n);
                SysctlConf conf = parsed(exact, n, arena);
                assert_int_equal(conf.n_items, n >= 2 ? 1 : 0);
        }
}

TEST_MAIN(cmocka_unit_test(test_procps_parse_line),
          cmocka_unit_test(test_procps_parse_lines_end_at_newlines_only),
          cmocka_unit_test(test_procps_parse_never_reads_behind_the_end))

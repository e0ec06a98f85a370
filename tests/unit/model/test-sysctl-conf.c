/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/sysctl-conf.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define FIN      "net.ipv4.tcp_fin_timeout"
#define FIN_PATH "net/ipv4/tcp_fin_timeout"

static SysctlConf parsed(const char *bytes, size_t n, Arena *arena) {
        SysctlConf conf;
        assert_int_equal(sysctl_conf_parse(bytes, n, arena, &conf), 0);
        return conf;
}

/* One line each: what becomes of it. path NULL: no item. */
static void test_conf_parse_line(void **state) {
        (void) state;
        static const struct {
                const char *text, *path, *value;
                bool dash, glob, bad;
        } rows[] = {
                { FIN " = 30", FIN_PATH, "30", 0, 0, 0 },
                { FIN "=30\n", FIN_PATH, "30", 0, 0, 0 },
                { " \t" FIN "\t=\t30 \r\n", FIN_PATH, "30", 0, 0, 0 },
                { FIN " = 30\r", FIN_PATH, "30", 0, 0, 0 },
                { FIN_PATH " = 30", FIN_PATH, "30", 0, 0, 0 },
                { "/" FIN_PATH " = 30", FIN_PATH, "30", 0, 0, 0 },
                { "." FIN " = 30", FIN_PATH, "30", 0, 0, 0 },
                { "net//ipv4/./tcp_fin_timeout/ = 30", FIN_PATH, "30", 0, 0, 0 },
                { "net..ipv4...tcp_fin_timeout = 30", FIN_PATH, "30", 0, 0, 0 },
                { "net/ipv4/conf/eth0.100/forwarding = 1", "net/ipv4/conf/eth0.100/forwarding", "1",
                  0, 0, 0 },
                { "net.ipv4.conf.eth0/100.forwarding = 1", "net/ipv4/conf/eth0.100/forwarding", "1",
                  0, 0, 0 },
                { "net.ipv4/tcp_fin_timeout = 1", "net/ipv4.tcp_fin_timeout", "1", 0, 0, 0 },
                { "net/ipv4/../ipv4/x = 1", "net/ipv4/../ipv4/x", "1", 0, 0, 0 },
                { "net.ipv4. = 1", "net/ipv4", "1", 0, 0, 0 },
                { FIN " = 30 # half a minute", FIN_PATH, "30 # half a minute", 0, 0, 0 },
                { FIN " = a=b", FIN_PATH, "a=b", 0, 0, 0 },
                { FIN " =", FIN_PATH, "", 0, 0, 0 },
                { FIN " = \"30\"", FIN_PATH, "\"30\"", 0, 0, 0 },
                { FIN " = 1\t2  3", FIN_PATH, "1\t2  3", 0, 0, 0 },
                { "-" FIN " = 30", FIN_PATH, "30", 1, 0, 0 },
                { " -  " FIN " = 30", FIN_PATH, "30", 1, 0, 0 },
                { "--" FIN " = 30", "-" FIN_PATH, "30", 1, 0, 0 },
                { "-" FIN, FIN_PATH, NULL, 0, 0, 0 },
                { "-net.ipv4.conf.*.rp_filter", "net/ipv4/conf/*/rp_filter", NULL, 0, 1, 0 },
                { "net.ipv4.conf.*.rp_filter = 1", "net/ipv4/conf/*/rp_filter", "1", 0, 1, 0 },
                { "net.ipv4.conf.eth?.rp_filter = 1", "net/ipv4/conf/eth?/rp_filter", "1", 0, 1,
                  0 },
                { "net.ipv4.conf.eth[01].x = 1", "net/ipv4/conf/eth[01]/x", "1", 0, 1, 0 },
                { FIN " = *", FIN_PATH, "*", 0, 0, 0 },
                { "\xef\xbb\xbf" FIN " = 30", "\xef\xbb\xbf" FIN_PATH, "30", 0, 0, 0 },
                { "swappiness = 1", "swappiness", "1", 0, 0, 0 },
                { "", NULL, NULL, 0, 0, 0 },
                { " \t\r\n", NULL, NULL, 0, 0, 0 },
                { "# x = 1", NULL, NULL, 0, 0, 0 },
                { "   ;x = 1", NULL, NULL, 0, 0, 0 },
                { "\xef\xbb\xbf# x", NULL, NULL, 0, 0, 1 },
                { "foo", NULL, NULL, 0, 0, 1 },
                { FIN " 30", NULL, NULL, 0, 0, 1 },
                { "= 5", NULL, NULL, 0, 0, 1 },
                { "-", NULL, NULL, 0, 0, 1 },
                { "- = 3", NULL, NULL, 0, 0, 1 },
                { "/./ = 3", NULL, NULL, 0, 0, 1 },
                { "-..", NULL, NULL, 0, 0, 1 },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                SysctlConf conf = parsed(row->text, strlen(row->text), arena);
                assert_int_equal(conf.bad_line, row->bad ? 1 : 0);
                assert_int_equal(conf.n_items, row->path ? 1 : 0);
                for (size_t i = 0; i < conf.n_items; i++) {
                        const SysctlAssignment *item = &conf.items[i];
                        assert_string_equal(item->path, row->path);
                        assert_true(streq_null(item->value, row->value));
                        assert_int_equal(item->dash, row->dash);
                        assert_int_equal(item->glob, row->glob);
                        assert_int_equal(item->exclusion, row->value == NULL);
                        assert_int_equal(item->line, 1);
                }
        }
}

static void test_conf_parse_keeps_all_in_order(void **state) {
        (void) state;
        static const char text[] = "# head\n"
                                   "a.b = 1\r\n"
                                   "\n"
                                   "nonsense\n"
                                   "c.d = 2\n"
                                   "more nonsense\n"
                                   "a/b = 3\n"
                                   "-c.d\n"
                                   "a.b = 1"; /* no newline */
        static const struct {
                const char *key, *value;
                uint32_t line;
        } rows[] = {
                { "a.b", "1", 2 },  { "c.d", "2", 5 }, { "a.b", "3", 7 },
                { "c.d", NULL, 8 }, { "a.b", "1", 9 },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlConf conf = parsed(text, sizeof(text) - 1, arena);
        assert_int_equal(conf.n_items, ELEMENTSOF(rows));
        assert_int_equal(conf.bad_line, 4);
        TEST_EACH(row, rows) {
                const SysctlAssignment *item = &conf.items[row - rows];
                assert_string_equal(item->key, row->key);
                assert_true(streq_null(item->value, row->value));
                assert_int_equal(item->line, row->line);
        }
}

/* systemd-sysctl ends a line at a NUL and at a lone CR; both tools were asked (252 and 4.0.2). */
static void test_conf_parse_of_lines_the_tools_read_differently(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();

        static const char nul[] = "x = 0\na.b = 1\0c.d = 2\ne.f = 3\n";
        SysctlConf conf = parsed(nul, sizeof(nul) - 1, arena);
        assert_int_equal(conf.n_items, 4);
        assert_string_equal(conf.items[1].value, "1");
        assert_string_equal(conf.items[2].key, "c.d");
        assert_int_equal(conf.items[2].line, 2);
        assert_int_equal(conf.items[3].line, 3);
        assert_int_equal(conf.bad_line, 2);

        static const char cr[] = "a.b = 1\rc.d = 2\n";
        conf = parsed(cr, sizeof(cr) - 1, arena);
        assert_int_equal(conf.n_items, 2);
        assert_string_equal(conf.items[0].value, "1");
        assert_int_equal(conf.bad_line, 1);
}

static void test_conf_parse_never_reads_behind_the_end(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        static const char text[] = "a.b = 12345";
        for (size_t n = 0; n < sizeof(text); n++) {
                /* A block of exactly n bytes, so that the sanitizers see one byte too many. */
                cleanup_free char *exact = malloc(n > 0 ? n : 1);
                assert_non_null(exact);
                memcpy(exact, text, n);
                SysctlConf conf = parsed(exact, n, arena);
                assert_int_equal(conf.n_items, n >= 5 ? 1 : 0);
        }
}

static void test_conf_parse_of_long_lines(void **state) {
        (void) state;
        static const struct {
                size_t n; /* of the value's line */
                size_t n_items;
                uint32_t bad_line;
        } rows[] = { { SYSCTL_CONF_LINE_MAX - 1, 3, 0 }, { SYSCTL_CONF_LINE_MAX, 1, 2 } };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf text = { 0 };
                strbuf_add(&text, "a.b = 1\nc.d = ");
                strbuf_add_repeat(&text, 'x', row->n - strlen("c.d = "));
                strbuf_add(&text, "\ne.f = 3\n");
                SysctlConf conf = parsed(strbuf_text(&text), text.length, arena);
                assert_int_equal(conf.n_items, row->n_items);
                assert_int_equal(conf.bad_line, row->bad_line);
        }
}

static void test_conf_key_and_path_spellings(void **state) {
        (void) state;
        static const struct {
                const char *path, *key;
        } rows[] = {
                { "net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse" },
                { "net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding" },
                { "swappiness", "swappiness" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                assert_string_equal(sysctl_conf_key_of_path(row->path, arena), row->key);
                assert_string_equal(sysctl_conf_path_of_key(row->key, arena), row->path);
        }
        assert_string_equal(sysctl_conf_path_of_key("", arena), "");
        assert_string_equal(sysctl_conf_path_of_key("...", arena), "");

        /* In an assignment the key is always dotted; a dot inside a part is a slash there. */
        SysctlConf conf = parsed("net/ipv4/conf/eth0.100/x=1", 26, arena);
        assert_string_equal(conf.items[0].key, "net.ipv4.conf.eth0/100.x");
}

static void test_conf_render_reads_back(void **state) {
        (void) state;
        static const char *const profiles[] = { "hygiene", "outbound-proxy" };
        static const FragmentHead head = { .generation = 7, .profiles = profiles, .n_profiles = 2 };
        static const FragmentLine rows[] = {
                { "net/ipv4/ip_local_reserved_ports", "", "outbound-proxy" },
                { "net/ipv4/ip_local_port_range", "20000\t60999", NULL },
                { "net/ipv4/conf/eth0.100/forwarding", "1", "hygiene: why = because" },
        };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        sysctl_conf_render(&head, rows, ELEMENTSOF(rows), &text);
        assert_string_equal(
                        strbuf_text(&text),
                        "# Kernel settings of the enabled twprofile profiles. Do not edit:\n"
                        "# twprofile writes this file whole, and refuses to when it was changed.\n"
                        "#\n"
                        "# generation 7\n"
                        "# profiles   hygiene outbound-proxy\n"
                        "# undo       twprofile rollback\n"
                        "# look       twprofile status, twprofile history\n"
                        "\n"
                        "# outbound-proxy\n"
                        "net.ipv4.ip_local_reserved_ports =\n"
                        "net.ipv4.ip_local_port_range = 20000\t60999\n"
                        "# hygiene: why = because\n"
                        "net/ipv4/conf/eth0.100/forwarding = 1\n");

        CLEANUP(arena_freep) Arena *arena = arena_new();
        SysctlConf conf = parsed(strbuf_text(&text), text.length, arena);
        assert_int_equal(conf.bad_line, 0);
        assert_int_equal(conf.n_items, ELEMENTSOF(rows));
        TEST_EACH(row, rows) {
                assert_string_equal(conf.items[row - rows].path, row->path);
                assert_string_equal(conf.items[row - rows].value, row->value);
                assert_false(conf.items[row - rows].glob || conf.items[row - rows].dash);
        }
}

static void test_conf_render_names_a_profile_once_in_a_row(void **state) {
        (void) state;
        static const FragmentLine rows[] = {
                { "a", "1", "x" }, { "b", "2", "x" }, { "c", "3", "y" },
                { "d", "4", "y" }, { "e", "5", "x" },
        };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        sysctl_conf_render(&(FragmentHead){ .generation = 1 }, rows, ELEMENTSOF(rows), &text);
        const char *body = strstr(strbuf_text(&text), "\n\n");
        assert_non_null(body);
        assert_string_equal(body, "\n\n# x\na = 1\nb = 2\n# y\nc = 3\nd = 4\n# x\ne = 5\n");
}

static void test_conf_render_keeps_the_head_narrow(void **state) {
        (void) state;
        char name[65];
        memset(name, 'n', 64);
        name[64] = '\0';
        const char *const profiles[] = { "a", name, "b", "c", name, name };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        sysctl_conf_render(
                        &(FragmentHead){ .generation = UINT64_MAX,
                                         .profiles = profiles,
                                         .n_profiles = ELEMENTSOF(profiles) },
                        NULL, 0, &text);
        for (const char *line = strbuf_text(&text); *line;) {
                size_t n = strcspn(line, "\n");
                assert_true(n <= 79 && line[0] == '#');
                line += n + 1;
        }
        assert_non_null(strstr(strbuf_text(&text), "# profiles   a nnn"));
        assert_non_null(strstr(strbuf_text(&text), "nnn\n#            b c\n#            nnn"));
}

static void test_conf_render_of_nothing(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        sysctl_conf_render(&(FragmentHead){ .generation = 1 }, NULL, 0, &text);
        assert_non_null(strstr(strbuf_text(&text), "# profiles   none\n"));
        SysctlConf conf = parsed(strbuf_text(&text), text.length, arena);
        assert_int_equal(conf.n_items, 0);
        assert_int_equal(conf.bad_line, 0);
}

static bool render_aborts(const FragmentHead *head, const FragmentLine *line) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                const struct rlimit no_core = { 0 };
                (void) setrlimit(RLIMIT_CORE, &no_core);
                (void) signal(SIGABRT, SIG_DFL);
                (void) close(STDERR_FILENO);
                CLEANUP(strbuf_deinit) StrBuf text = { 0 };
                sysctl_conf_render(head, line, 1, &text);
                _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* The last wall: nothing that could become a line, a comment or another key of its own gets through. */
static void test_conf_render_asserts_what_was_refused_before(void **state) {
        (void) state;
        static const char *const hostile_profile[] = { "a\nkernel.core_pattern = |/x" };
        static const struct {
                FragmentHead head;
                FragmentLine line;
                bool aborts;
        } rows[] = {
                { { 0 }, { "a/b", "1", "fine" }, false },
                { { 0 }, { "a/b", "1\t2", NULL }, false },
                { { .profiles = hostile_profile, .n_profiles = 1 }, { "a/b", "1", NULL }, true },
                { { 0 }, { "a/b", "1\nkernel.core_pattern = |/x", NULL }, true },
                { { 0 }, { "a/b", "1\r", NULL }, true },
                { { 0 }, { "a/b", "1\v2", NULL }, true },
                { { 0 }, { "a/b", " 1", NULL }, true },
                { { 0 }, { "a/b", "1\t", NULL }, true },
                { { 0 }, { "a/b", "1\177", NULL }, true },
                { { 0 }, { "a/b", "1", "x\ny = 1" }, true },
                { { 0 }, { "a/b", "1", "x\ty" }, true },
                { { 0 }, { "", "1", NULL }, true },
                { { 0 }, { "/a/b", "1", NULL }, true },
                { { 0 }, { "-a/b", "1", NULL }, true },
                { { 0 }, { "#a/b", "1", NULL }, true },
                { { 0 }, { ";a/b", "1", NULL }, true },
                { { 0 }, { "a//b", "1", NULL }, true },
                { { 0 }, { "a/b/", "1", NULL }, true },
                { { 0 }, { "a/*", "1", NULL }, true },
                { { 0 }, { "a/b?", "1", NULL }, true },
                { { 0 }, { "a/[b]", "1", NULL }, true },
                { { 0 }, { "a/b = 2", "1", NULL }, true },
                { { 0 }, { "a/b\n", "1", NULL }, true },
        };
        TEST_EACH(row, rows)
                assert_int_equal(render_aborts(&row->head, &row->line), row->aborts);
}

TEST_MAIN(cmocka_unit_test(test_conf_parse_line),
          cmocka_unit_test(test_conf_parse_keeps_all_in_order),
          cmocka_unit_test(test_conf_parse_of_lines_the_tools_read_differently),
          cmocka_unit_test(test_conf_parse_never_reads_behind_the_end),
          cmocka_unit_test(test_conf_parse_of_long_lines),
          cmocka_unit_test(test_conf_key_and_path_spellings),
          cmocka_unit_test(test_conf_render_reads_back),
          cmocka_unit_test(test_conf_render_names_a_profile_once_in_a_row),
          cmocka_unit_test(test_conf_render_keeps_the_head_narrow),
          cmocka_unit_test(test_conf_render_of_nothing),
          cmocka_unit_test(test_conf_render_asserts_what_was_refused_before))

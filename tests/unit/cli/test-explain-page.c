/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-page.h"
#include "test.h"

/* The longest line, but for lines of one word. */
static size_t widest(const char *text) {
        size_t most = 0;
        for (const char *line = text; *line != '\0';) {
                size_t n = strcspn(line, "\n"), indent = strspn(line, " ");
                if (n > most && indent < n && memchr(line + indent, ' ', n - indent))
                        most = n;
                line += n + (line[n] == '\n' ? 1 : 0);
        }
        return most;
}

static void test_explain_page_every_row(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const Host host = { .kernel = { 6, 1, 0 }, .initial_netns = true };
        for (size_t i = 0; i < catalogue_count(); i++) {
                const SysctlSpec *spec = catalogue_get(i);
                const ExplainKey key = { .spec = spec, .host = &host };
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(explain_page_render(&key, arena, 80, &out), 0);
                const char *text = strbuf_text(&out);
                assert_true(startswith(text, spec->key));
                assert_true(widest(text) <= 80);
                assert_non_null(strstr(text, "\nScope:        one value "));
                assert_non_null(strstr(text, "\nSources:      "));
                assert_int_equal(strstr(text, "\nRange:") != NULL, explain_key_has_range(spec));
                assert_int_equal(strstr(text, "\nRefused:") != NULL, !spec->settable);
                assert_int_equal(strstr(text, "\nFormerly:") != NULL, spec->n_older > 0);
        }
}

static void test_explain_page_says_what_is_here(void **state) {
        (void) state;
        static const struct {
                const char *key;
                KernelVersion kernel;
                bool initial;
                LiveState live;
                const char *text, *want;
        } rows[] = {
                { "net.ipv4.tcp_tw_reuse", { 6, 1, 0 }, true, LIVE_PRESENT, "2", " 2\n" },
                { "net.ipv4.ip_local_port_range",
                  { 6, 1, 0 },
                  true,
                  LIVE_PRESENT,
                  "1\t2",
                  " 1 2\n" },
                { "net.ipv4.ip_local_reserved_ports",
                  { 6, 1, 0 },
                  true,
                  LIVE_PRESENT,
                  "",
                  " empty\n" },
                { "net.ipv4.tcp_tw_reuse",
                  { 6, 1, 0 },
                  true,
                  LIVE_UNREADABLE,
                  NULL,
                  " cannot be read: Permission denied\n" },
                { "net.ipv4.tcp_tw_recycle",
                  { 6, 1, 7 },
                  false,
                  LIVE_ABSENT,
                  NULL,
                  " not on this kernel (6.1.7)\n" },
                { "net.ipv4.tcp_tw_timeout",
                  { 5, 10, 0 },
                  true,
                  LIVE_ABSENT,
                  NULL,
                  " not on this kernel (5.10)\n" },
                { "net.netfilter.nf_conntrack_buckets",
                  { 6, 1, 0 },
                  true,
                  LIVE_ABSENT,
                  NULL,
                  "it comes when the module nf_conntrack" },
                { "net.core.netdev_budget",
                  { 6, 1, 0 },
                  false,
                  LIVE_ABSENT,
                  NULL,
                  "or only in the host's own" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = catalogue_find(row->key);
                assert_non_null(spec);
                const Host host = { .kernel = row->kernel, .initial_netns = row->initial };
                const LiveKey live = {
                        .spec = spec, .state = row->live, .error = EACCES, .text = row->text
                };
                const ExplainKey key = { .spec = spec, .host = &host, .live = &live };
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(explain_page_render(&key, arena, 80, &out), 0);
                const char *line = strstr(strbuf_text(&out), "\nValue here:  ");
                assert_non_null(line);
                assert_non_null(strstr(line, row->want));
        }
}

TEST_MAIN(cmocka_unit_test(test_explain_page_every_row),
          cmocka_unit_test(test_explain_page_says_what_is_here))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-queue.h"

#include "situation-expect.h"

static void test_full_listener(void **state UNUSED) {
        SnapshotListener listeners[] = {
                { .port = 80, .queue = 60, .queue_limit = 100 },
                { .port = 81, .queue = 9, .queue_limit = 10 },
                { .port = 82, .queue = 49, .queue_limit = 100 },
        };
        Snapshot now = { .sockets = { .listeners = listeners,
                                      .n_listeners = ELEMENTSOF(listeners) } };
        assert_null(advice_full_listener(&now, false));
        assert_ptr_equal(advice_full_listener(&now, true), &listeners[1]);
        listeners[2].queue = 101;
        assert_ptr_equal(advice_full_listener(&now, false), &listeners[2]);
        now.sockets.n_listeners = 0;
        assert_null(advice_full_listener(&now, true));
}

static void test_accept_queue(void **state UNUSED) {
        static const struct {
                uint32_t queue, limit;
                const char *somaxconn;
                uint64_t overflows;
                const char *wanted;
        } rows[] = {
                { 16, 16, "16", 0, "" },
                { 17, 16, "16", 0, "ACC-1 critical" },
                { 17, 16, "4096", 0, "ACC-1 critical, ACC-2 notice" },
                { 1, 0, "4096", 0, "ACC-1 critical, ACC-2 notice" }, /* listen(fd, 0) */
                { 0, 16, "16", 1, "ACC-1 critical" },
                { 0, 16, "4096", 1, "ACC-1 critical" }, /* which one is not known */
                { 8, 16, "4096", 1, "ACC-1 critical, ACC-2 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.core.somaxconn", row->somaxconn);
                const SnapshotListener listener = { .port = 80,
                                                    .queue = row->queue,
                                                    .queue_limit = row->limit };
                situation_incoming(&s, &listener);
                situation_earlier(&s);
                situation_grow(&s, COUNTER_LISTEN_OVERFLOWS, row->overflows);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_accept_queue_of_one_sample(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        SnapshotListener listener = { .port = 80, .queue = 17, .queue_limit = 16 };
        situation_incoming(&s, &listener);
        situation_expect(&s, "ACC-1 critical");
        listener.queue = 16;
        situation_expect(&s, "");
        assert_non_null(situation_skipped(&s, "ACC-1"));
        situation_deinit(&s);
}

static void test_cookies(void **state UNUSED) {
        static const struct {
                const char *mode;
                uint64_t sent, received, failed;
                const char *wanted;
        } rows[] = {
                { "1", 0, 0, 0, "" },
                { "1", 20, 19, 0, "SYN-1 warning" },
                { "1", 20, 2, 0, "SYN-1 warning" },
                { "1", 20, 1, 0, "SYN-2 warning" },
                { "1", 9, 0, 0, "SYN-1 warning" }, /* too few to call it a flood */
                { "1", 20, 5, 6, "" },             /* neither: whose they were cannot be told */
                { "2", 20, 19, 0, "" },            /* cookies are always sent */
                { "2", 5000, 3, 0, "SYN-2 warning" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_syncookies", row->mode);
                situation_earlier(&s);
                situation_grow(&s, COUNTER_COOKIES_SENT, row->sent);
                situation_grow(&s, COUNTER_REQUESTS_COOKIES, row->sent);
                situation_grow(&s, COUNTER_COOKIES_RECEIVED, row->received);
                situation_grow(&s, COUNTER_COOKIES_FAILED, row->failed);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_syn_settings(void **state UNUSED) {
        static const struct {
                const char *cookies, *backlog, *slots, *abort, *wanted;
        } rows[] = {
                { "1", "2048", "262144", "0", "" },
                { "1", "2048", "-262144", "0", "" },
                { "1", "128", "1024", "0", "" },
                { "1", "8192", "262144", "0", "SYN-3 notice" },
                { "2", "64", "262144", "0", "SYN-3 notice" },
                { "0", "8192", "262144", "0", "SYN-4 warning" },
                { "1", "8192", NULL, "0", "" },
                { NULL, "8192", "262144", "0", "" },
                { "1", "2048", "262144", "1", "SYN-5 warning" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_syncookies", row->cookies);
                situation_set(&s, "net.ipv4.tcp_max_syn_backlog", row->backlog);
                situation_set(&s, "net.ipv4.tcp_ehash_entries", row->slots);
                situation_set(&s, "net.ipv4.tcp_abort_on_overflow", row->abort);
                situation_expect(&s, row->wanted);
                if (!row->slots)
                        assert_non_null(situation_skipped(&s, "SYN-3"));
                situation_deinit(&s);
        }
}

static void test_syn_backlog_of_a_profile(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_set(&s, "net.ipv4.tcp_syncookies", "1");
        situation_set(&s, "net.ipv4.tcp_max_syn_backlog", "2048");
        const SnapshotEnabledKey key = { catalogue_find("net.ipv4.tcp_max_syn_backlog"), "recipe",
                                         "2048", NULL };
        s.now.enabled = (SnapshotEnabled){ true, s.now.netns, &key, 1 };
        situation_expect(&s, "SYN-3 notice");
        s.now.enabled.netns++;
        situation_expect(&s, "");
        situation_deinit(&s);
}

static void test_packets(void **state UNUSED) {
        static const struct {
                uint64_t drops, squeezes;
                const char *wanted;
        } rows[] = {
                { 0, 9, "" },
                { 1, 0, "NIC-1 warning" },
                { 0, 10, "NIC-2 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                s.now.settings.initial_netns = true;
                situation_earlier(&s);
                situation_grow(&s, COUNTER_BACKLOG_DROPPED, row->drops);
                situation_grow(&s, COUNTER_BUDGET_SPENT, row->squeezes);
                situation_expect(&s, row->wanted);
                s.now.settings.initial_netns = false;
                situation_expect(&s, "");
                assert_non_null(situation_skipped(&s, "NIC-1"));
                situation_deinit(&s);
        }
}

TEST_MAIN(cmocka_unit_test(test_full_listener), cmocka_unit_test(test_accept_queue),
          cmocka_unit_test(test_accept_queue_of_one_sample), cmocka_unit_test(test_cookies),
          cmocka_unit_test(test_syn_settings), cmocka_unit_test(test_syn_backlog_of_a_profile),
          cmocka_unit_test(test_packets))

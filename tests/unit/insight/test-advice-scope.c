/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-scope.h"

#include "situation-expect.h"

static void test_another_namespace(void **state UNUSED) {
        static const struct {
                bool is_known;
                uint64_t netns; /* this one is 7 */
                const char *reuse, *wanted;
        } rows[] = {
                { false, 8, "2", "" },
                { true, 7, "2", "" }, /* here: that is drift, and not told by advice */
                { true, 8, "2", "NS-1 warning" },
                { true, 8, "1", "" }, /* the same value here */
        };
        const SnapshotEnabledKey key = { catalogue_find("net.ipv4.tcp_tw_reuse"), "proxy", "1",
                                         "2" };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_tw_reuse", row->reuse);
                s.now.enabled = (SnapshotEnabled){ row->is_known, row->netns, &key, 1 };
                situation_expect(&s, row->wanted);
                s.now.enabled.n_keys = 0;
                situation_expect(&s, "");
                situation_deinit(&s);
        }
}

/* A key that no snapshot has: whether it differs is not known, that it is not inherited is. */
static void test_another_namespace_and_other_keys(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        const SnapshotEnabledKey key = { catalogue_find("net.ipv4.tcp_retries2"), "proxy", "8",
                                         "15" };
        s.now.enabled = (SnapshotEnabled){ true, 8, &key, 1 };
        situation_expect(&s, "NS-1 warning");
        situation_deinit(&s);
}

static void test_keys_of_the_host(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        const SnapshotEnabledKey keys[] = {
                { catalogue_find("net.core.netdev_max_backlog"), "router", NULL, NULL },
                { catalogue_find("net.ipv4.tcp_mem"), "router", "1\t2\t3", NULL },
        };
        s.now.enabled = (SnapshotEnabled){ true, s.now.netns, keys, ELEMENTSOF(keys) };
        situation_expect(&s, "NS-2 notice");
        s.now.settings.initial_netns = true;
        situation_expect(&s, "");
        situation_deinit(&s);
}

static void test_children(void **state UNUSED) {
        static const struct {
                const char *slots, *wanted;
        } rows[] = {
                { "0", "" },
                { "1", "NS-3 warning" },
                { "8191", "NS-3 warning" },
                { "8192", "" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_child_ehash_entries", row->slots);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_old_limit(void **state UNUSED) {
        static const struct {
                const char *origin, *now;
                uint32_t limit, queue;
                const char *wanted;
        } rows[] = {
                { "128", "4096", 128, 0, "NS-4 notice" },
                { "128", "4096", 127, 0, "" },
                { "128", "4096", 4096, 0, "" },
                { NULL, "4096", 128, 0, "" },
                { "4096", "128", 4096, 0, "" }, /* lowered: it still has more */
                { "many", "4096", 128, 0, "" },
                { "128", "4096", 128, 129,
                  "ACC-1 critical, NS-4 notice" }, /* says what ACC-2 would */
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.core.somaxconn", row->now);
                const SnapshotEnabledKey key = { catalogue_find("net.core.somaxconn"), "web",
                                                 row->now, row->origin };
                s.now.enabled = (SnapshotEnabled){ true, s.now.netns, &key, 1 };
                const SnapshotListener listener = { .port = 80,
                                                    .queue = row->queue,
                                                    .queue_limit = row->limit };
                situation_incoming(&s, &listener);
                situation_expect(&s, row->wanted);
                situation_deinit(&s);
        }
}

static void test_vendors(void **state UNUSED) {
        static const struct {
                const char *seconds, *wanted;
        } rows[] = {
                { NULL, "" }, { "59", "VEN-1 warning" }, { "0", "VEN-1 warning" },
                { "60", "" }, { "61", "VEN-2 notice" },
        };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.tcp_tw_timeout", row->seconds);
                situation_expect(&s, row->wanted);
                assert_non_null(situation_skipped(&s, "VEN-3"));
                situation_deinit(&s);
        }
}

static void test_strange_keys(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        const SnapshotStrange keys[] = { { "tcp_tw_count", "7" }, { "tcp_tw_secret", NULL } };
        s.now.knows_strange = true;
        situation_expect(&s, "");
        s.now.strange = keys;
        s.now.n_strange = ELEMENTSOF(keys);
        situation_expect(&s, "VEN-3 info, VEN-3 info");
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_another_namespace),
          cmocka_unit_test(test_another_namespace_and_other_keys),
          cmocka_unit_test(test_keys_of_the_host), cmocka_unit_test(test_children),
          cmocka_unit_test(test_old_limit), cmocka_unit_test(test_vendors),
          cmocka_unit_test(test_strange_keys))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/snapshot.h"

#include "test.h"

/* A snapshot with these settings; integers, and the text of the port lists. */
typedef struct Setting {
        const char *key, *text;
} Setting;

static void set(Snapshot *snapshot, Arena *arena, const Setting *rows, size_t n_rows) {
        size_t n = snapshot_setting_count();
        LiveKey *keys = arena_alloc_array(arena, n, sizeof(LiveKey));
        assert_non_null(keys);
        for (size_t i = 0; i < n; i++) {
                keys[i] = (LiveKey){ .spec = snapshot_setting(i), .state = LIVE_ABSENT };
                for (size_t k = 0; k < n_rows; k++) {
                        if (!streq(rows[k].key, keys[i].spec->key))
                                continue;
                        assert_int_equal(
                                        sysctl_value_from_kernel(
                                                        keys[i].spec, rows[k].text,
                                                        strlen(rows[k].text), arena,
                                                        &keys[i].value),
                                        0);
                        keys[i].state = LIVE_PRESENT;
                }
        }
        snapshot->settings.keys = keys;
        snapshot->settings.n_keys = n;
}

static void test_settings_are_sorted_and_known(void **state UNUSED) {
        for (size_t i = 0; i < snapshot_setting_count(); i++) {
                assert_non_null(snapshot_setting(i));
                if (i > 0)
                        assert_true(strcmp(snapshot_setting(i - 1)->key, snapshot_setting(i)->key) <
                                    0);
        }
}

static void test_names(void **state UNUSED) {
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                const SnapshotCounter *counter = snapshot_counter(id);
                assert_non_null(counter->name);
                assert_non_null(counter->means);
                assert_true(startswith(counter->name, "Tcp.") ||
                            startswith(counter->name, "TcpExt.") ||
                            startswith(counter->name, "softnet_stat.") ||
                            startswith(counter->name, "nf_conntrack."));
                assert_int_equal(snapshot_counter_find(counter->name), id);
        }
        assert_int_equal(snapshot_counter_find("TcpExt.NoSuchThing"), SNAPSHOT_COUNTERS);

        for (TcpState s = TCP_STATE_ESTABLISHED; s < TCP_STATES; s++)
                assert_int_equal(tcp_state_find(tcp_state_name(s)), s);
        assert_int_equal(tcp_state_find("TIME-WAIT"), TCP_STATES);
        assert_string_equal(tcp_state_name(TCP_STATES), "?");
}

static void test_values(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot snapshot = { 0 };
        assert_null(snapshot_value(&snapshot, "net.ipv4.tcp_tw_reuse"));
        static const Setting rows[] = {
                { "net.ipv4.tcp_max_tw_buckets", "131072\n" },
                { "net.ipv4.tcp_tw_reuse_delay", "250" },
                { "net.ipv4.tcp_tw_timeout", "20" },
        };
        assert_int_equal(snapshot_time_wait_ms(&snapshot), 60000);
        assert_int_equal(snapshot_reuse_delay_ms(&snapshot), 1000);
        set(&snapshot, arena, rows, ELEMENTSOF(rows));
        assert_int_equal(snapshot_number(&snapshot, "net.ipv4.tcp_max_tw_buckets", -1), 131072);
        assert_int_equal(snapshot_number(&snapshot, "net.ipv4.tcp_fin_timeout", -1), -1);
        assert_int_equal(snapshot_number(&snapshot, "no.such.key", -1), -1);
        assert_int_equal(snapshot_time_wait_ms(&snapshot), 20000);
        assert_int_equal(snapshot_reuse_delay_ms(&snapshot), 250);
}

static void test_defaults(void **state UNUSED) {
        static const struct {
                const char *slots;
                bool known;
                uint64_t buckets, backlog;
        } rows[] = {
                { "262144", true, 131072, 2048 },  /* as on a host with 24 GB */
                { "-262144", true, 131072, 2048 }, /* its child, which shares the table */
                { "1024", true, 512, 128 },        /* a child with tcp_child_ehash_entries=1024 */
                { "1", true, 0, 128 },
                { "0", false, 0, 0 },
                { "-9223372036854775808", false, 0, 0 },
        };
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                Snapshot snapshot = { 0 };
                const Setting setting = { "net.ipv4.tcp_ehash_entries", row->slots };
                set(&snapshot, arena, &setting, 1);
                uint64_t buckets = 0, backlog = 0;
                assert_int_equal(snapshot_default_buckets(&snapshot, &buckets), row->known);
                assert_int_equal(snapshot_default_syn_backlog(&snapshot, &backlog), row->known);
                assert_int_equal(buckets, row->buckets);
                assert_int_equal(backlog, row->backlog);
        }
}

static void test_enabled(void **state UNUSED) {
        const SnapshotEnabledKey key = { catalogue_find("net.core.somaxconn"), "web", "4096",
                                         "128" };
        Snapshot snapshot = { .netns = 5, .enabled = { true, 5, &key, 1 } };
        assert_ptr_equal(snapshot_enabled(&snapshot, "net.core.somaxconn"), &key);
        assert_null(snapshot_enabled(&snapshot, "net.ipv4.tcp_mem"));
        snapshot.enabled.netns = 6; /* another namespace's */
        assert_null(snapshot_enabled(&snapshot, "net.core.somaxconn"));
}

static void test_pool(void **state UNUSED) {
        static const struct {
                KernelVersion kernel;
                const char *reuse, *timestamps;
                PortReuse want;
        } rows[] = {
                { { 6, 1, 0 }, "2", "1", PORT_REUSE_LOOPBACK },
                { { 6, 1, 0 }, "1", "1", PORT_REUSE_ALL },
                { { 6, 1, 0 }, "0", "1", PORT_REUSE_NONE },
                { { 6, 1, 0 }, "1", "0", PORT_REUSE_NONE },
                /* before 4.18 the value 2 means all */
                { { 4, 15, 0 }, "2", "1", PORT_REUSE_ALL },
        };
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                Snapshot snapshot = { .settings = { .kernel = row->kernel } };
                const Setting settings[] = {
                        { "net.ipv4.ip_local_port_range", "40000\t40999\n" },
                        { "net.ipv4.ip_local_reserved_ports", "40100-40109,50000\n" },
                        { "net.ipv4.tcp_tw_reuse", row->reuse },
                        { "net.ipv4.tcp_timestamps", row->timestamps },
                };
                set(&snapshot, arena, settings, ELEMENTSOF(settings));
                snapshot_set_pool(&snapshot);
                assert_true(snapshot.has_pool);
                assert_int_equal(snapshot.pool.size, 990);
                assert_int_equal(snapshot.pool.reuse, row->want);

                const SnapshotUse use = { .n_time_wait = 400, .n_fin_wait2 = 50, .n_other = 45 };
                assert_int_equal(snapshot_use_total(&use), 495);
                assert_int_equal(snapshot_use_level(&snapshot, &use), 500);

                /* without the list of reserved ports the size is not known */
                set(&snapshot, arena, settings, 1);
                snapshot_set_pool(&snapshot);
                assert_false(snapshot.has_pool);
                assert_int_equal(snapshot_use_level(&snapshot, &use), 0);
        }
}

static void test_pool_without_ports(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot snapshot = { 0 };
        static const Setting settings[] = {
                { "net.ipv4.ip_local_port_range", "40000 40999" },
                { "net.ipv4.ip_local_reserved_ports", "0-65535" },
        };
        set(&snapshot, arena, settings, ELEMENTSOF(settings));
        snapshot_set_pool(&snapshot);
        assert_true(snapshot.has_pool);
        assert_int_equal(snapshot.pool.size, 0);
        assert_int_equal(snapshot_use_level(&snapshot, &(SnapshotUse){ .n_other = 7 }), 0);
}

static void test_state_total(void **state UNUSED) {
        SnapshotSockets sockets = { 0 };
        sockets.states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT] = 3;
        sockets.states[SNAPSHOT_IPV6][TCP_STATE_TIME_WAIT] = 4;
        assert_int_equal(snapshot_state_total(&sockets, TCP_STATE_TIME_WAIT), 7);
        assert_int_equal(snapshot_state_total(&sockets, TCP_STATE_LISTEN), 0);

        sockets.states[SNAPSHOT_IPV6][TCP_STATE_CLOSE_WAIT] = 7;
        sockets.states[SNAPSHOT_IPV4][TCP_STATE_ESTABLISHED] = 8;
        SnapshotStateCount counts[TCP_STATES];
        assert_int_equal(snapshot_states_by_count(&sockets, counts), 3);
        static const TcpState expected[] = { TCP_STATE_ESTABLISHED, TCP_STATE_TIME_WAIT,
                                             TCP_STATE_CLOSE_WAIT };
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                assert_int_equal(counts[i].state, expected[i]);
        assert_int_equal(counts[2].n, 7);
}

TEST_MAIN(cmocka_unit_test(test_settings_are_sorted_and_known), cmocka_unit_test(test_names),
          cmocka_unit_test(test_values), cmocka_unit_test(test_defaults),
          cmocka_unit_test(test_enabled), cmocka_unit_test(test_pool),
          cmocka_unit_test(test_pool_without_ports), cmocka_unit_test(test_state_total))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/snapshot-format.h"

#include "test.h"

static const struct {
        const char *key, *text;
} settings[] = {
        { "net.ipv4.ip_local_port_range", "40000\t40999" },
        { "net.ipv4.ip_local_reserved_ports", "" },
        { "net.ipv4.tcp_max_tw_buckets", "131072" },
        { "net.ipv4.tcp_timestamps", "1" },
        { "net.ipv4.tcp_tw_reuse", "1" },
};

static Snapshot make_snapshot(Arena *arena) {
        size_t n = snapshot_setting_count();
        LiveKey *keys = arena_alloc_array(arena, n, sizeof(LiveKey));
        assert_non_null(keys);
        for (size_t i = 0; i < n; i++) {
                keys[i] = (LiveKey){ .spec = snapshot_setting(i), .state = LIVE_ABSENT };
                for (size_t k = 0; k < ELEMENTSOF(settings); k++)
                        if (streq(settings[k].key, keys[i].spec->key)) {
                                keys[i].state = LIVE_PRESENT;
                                keys[i].text = settings[k].text;
                                assert_int_equal(
                                                sysctl_value_from_kernel(
                                                                keys[i].spec, keys[i].text,
                                                                strlen(keys[i].text), arena,
                                                                &keys[i].value),
                                                0);
                        }
        }
        Snapshot snapshot = {
                .time_us = INT64_C(1790000000000001),
                .monotonic_us = 5,
                .netns = 4026531840,
                .settings = { .keys = keys,
                              .n_keys = n,
                              .kernel = { 6, 18, 44 },
                              .initial_netns = true },
                .page_size = 4096,
                .memory = UINT64_C(25000000000),
                .sockstat = { true, { 1, 2 }, 3, 4, 5, 6 },
                .has_sockets = true,
                .sockets = { .n_buckets = 7 },
                .cost = { 8, 9, 10 },
        };
        snapshot.known[COUNTER_TIME_WAIT] = true;
        snapshot.counters[COUNTER_TIME_WAIT] = UINT64_MAX;
        snapshot.known[COUNTER_RESETS_SENT] = true;
        snapshot_set_pool(&snapshot);
        assert_true(snapshot.has_pool);
        return snapshot;
}

static int decode(const json_t *object, Arena *arena, Snapshot *ret, Error *error) {
        cleanup_free char *text = json_dumps(object, JSON_COMPACT);
        assert_non_null(text);
        return snapshot_decode(text, strlen(text), arena, ret, error);
}

static void check(const Snapshot *got) {
        assert_int_equal(got->time_us, INT64_C(1790000000000001));
        assert_int_equal(got->monotonic_us, 5);
        assert_int_equal(got->netns, 4026531840);
        assert_true(got->settings.initial_netns);
        assert_int_equal(got->settings.kernel.minor, 18);
        assert_int_equal(got->page_size, 4096);
        assert_int_equal(got->memory, UINT64_C(25000000000));
        assert_true(got->has_pool);
        assert_int_equal(got->pool.size, 1000);
        assert_int_equal(got->pool.reuse, PORT_REUSE_ALL);
        assert_int_equal(snapshot_number(got, "net.ipv4.tcp_max_tw_buckets", -1), 131072);
        assert_null(snapshot_value(got, "net.ipv4.tcp_tw_recycle"));
        assert_true(got->sockstat.known);
        assert_int_equal(got->sockstat.in_use[SNAPSHOT_IPV6], 2);
        assert_int_equal(got->sockstat.time_wait, 3);
        assert_int_equal(got->sockstat.memory_pages, 6);
        assert_true(got->known[COUNTER_TIME_WAIT]);
        assert_true(got->counters[COUNTER_TIME_WAIT] == UINT64_MAX);
        assert_true(got->known[COUNTER_RESETS_SENT]);
        assert_int_equal(got->counters[COUNTER_RESETS_SENT], 0);
        assert_false(got->known[COUNTER_ACTIVE_OPENS]);
        assert_int_equal(got->cost.n_sockets, 8);
        assert_int_equal(got->cost.cpu_us, 10);
}

static void test_there_and_back(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const Snapshot snapshot = make_snapshot(arena);
        json_auto_t *object = snapshot_to_json(&snapshot);
        assert_non_null(object);
        Snapshot got;
        Error error = { 0 };
        int r = decode(object, arena, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(r, 0);
        check(&got);
        assert_true(got.has_sockets);
        assert_int_equal(got.sockets.n_buckets, 7);

        /* as observe prints it */
        json_auto_t *envelope = json_pack("{s:i, s:O}", "schema_version", 1, "result", object);
        assert_int_equal(decode(envelope, arena, &got, &error), 0);
        check(&got);
}

static void test_what_is_not_known(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot snapshot = make_snapshot(arena);
        snapshot.has_sockets = false;
        snapshot.sockstat.known = false;
        snapshot.has_pool = false;
        json_auto_t *object = snapshot_to_json(&snapshot);
        /* what a newer program may have recorded beside it */
        json_object_set_new(json_object_get(object, "counters"), "TcpExt.New", json_string("1"));
        json_object_set_new(json_object_get(object, "settings"), "net.new", json_string("1"));
        json_object_set_new(
                        json_object_get(object, "settings"), "net.ipv4.tcp_tw_reuse",
                        json_string("much"));
        Snapshot got;
        Error error = { 0 };
        int r = decode(object, arena, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(r, 0);
        assert_false(got.has_sockets);
        assert_false(got.sockstat.known);
        assert_null(snapshot_value(&got, "net.ipv4.tcp_tw_reuse"));
        assert_int_equal(got.pool.reuse, PORT_REUSE_NONE);
}

static void test_refuses(void **state UNUSED) {
        static const struct {
                const char *member, *value;
        } rows[] = {
                { "v", "2" },
                { "v", "0" },
                { "time_us", "1.5" },
                { "netns", "-1" },
                { "kernel", "\"new\"" },
                { "settings", "[]" },
                { "settings", "{\"net.ipv4.tcp_tw_reuse\":1}" },
                { "counters", "{\"TcpExt.TW\":1}" },
                { "counters", "{\"TcpExt.TW\":\"-1\"}" },
                { "sockstat", "{}" },
                { "sockstat", "7" },
                { "sockets", "{}" },
                { "cost", "{}" },
                { "surprise", "1" },
                { "strange", "[]" },
                { "strange", "{\"tcp_tw_count\":1}" },
                { "strange", "{\"tcp_tw_\\u001b[2J\":\"1\"}" },
                { "strange", "{\"tcp_tw_count\":\"\\u001b[2J\"}" },
                { "enabled", "{\"netns\":1}" },
                { "enabled",
                  "{\"netns\":1,\"keys\":{\"net.core.somaxconn\":{\"value\":\"1\"}}}" }, /* no profile */
                { "enabled", "{\"netns\":1,\"keys\":{\"net.core.somaxconn\":7}}" },
                { "tracked", "{\"tcp\":1}" },
                { "tracked", "{\"tcp\":1,\"time_wait\":-1}" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                const Snapshot snapshot = make_snapshot(arena);
                json_auto_t *object = snapshot_to_json(&snapshot);
                json_object_set_new(
                                object, row->member, json_loads(row->value, JSON_DECODE_ANY, NULL));
                Snapshot got;
                Error error = { 0 };
                assert_int_equal(decode(object, arena, &got, &error), -EBADMSG);
                assert_true(error_is_set(&error));
        }
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot got;
        Error error = { 0 };
        assert_int_equal(snapshot_decode("{", 1, arena, &got, &error), -EBADMSG);
        assert_int_equal(snapshot_decode("{\"result\":null}", 15, arena, &got, &error), -EBADMSG);
}

static void test_surroundings(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot snapshot = make_snapshot(arena);
        Snapshot got;
        Error error = { 0 };
        json_auto_t *without = snapshot_to_json(&snapshot);
        assert_null(json_object_get(without, "strange"));
        assert_int_equal(decode(without, arena, &got, &error), 0);
        assert_false(got.knows_strange);
        assert_false(got.enabled.known);
        assert_false(got.knows_tracked);

        const SnapshotStrange strange[] = { { "tcp_tw_count", "7" }, { "tcp_tw_secret", NULL } };
        const SnapshotEnabledKey keys[] = {
                { catalogue_find("net.core.somaxconn"), "web", "4096", "128" },
                { catalogue_find("net.ipv4.tcp_mem"), "web", "1\t2\t3", NULL },
                { catalogue_find("net.ipv4.tcp_retries1"), "web", NULL, NULL },
        };
        snapshot.knows_strange = true;
        snapshot.strange = strange;
        snapshot.n_strange = ELEMENTSOF(strange);
        snapshot.enabled = (SnapshotEnabled){ true, 4026531840, keys, ELEMENTSOF(keys) };
        snapshot.knows_tracked = true;
        snapshot.n_tracked_tcp = 9;
        snapshot.n_tracked_time_wait = 8;
        json_auto_t *object = snapshot_to_json(&snapshot);
        json_object_set_new(
                        json_object_get(json_object_get(object, "enabled"), "keys"), "net.new",
                        json_null());
        int r = decode(object, arena, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(r, 0);
        assert_true(got.knows_strange);
        assert_int_equal(got.n_strange, 2);
        assert_string_equal(got.strange[0].name, "tcp_tw_count");
        assert_string_equal(got.strange[0].text, "7");
        assert_null(got.strange[1].text);
        assert_true(got.enabled.known);
        assert_int_equal(got.enabled.netns, 4026531840);
        assert_int_equal(got.enabled.n_keys, 3);
        assert_null(got.enabled.keys[2].value);
        assert_string_equal(got.enabled.keys[0].spec->key, "net.core.somaxconn");
        assert_string_equal(got.enabled.keys[0].origin, "128");
        assert_string_equal(got.enabled.keys[1].value, "1\t2\t3");
        assert_null(got.enabled.keys[1].origin);
        assert_true(got.knows_tracked);
        assert_int_equal(got.n_tracked_tcp, 9);
        assert_int_equal(got.n_tracked_time_wait, 8);
}

TEST_MAIN(cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_what_is_not_known),
          cmocka_unit_test(test_refuses), cmocka_unit_test(test_surroundings))

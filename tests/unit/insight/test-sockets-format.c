/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/sockets-format.h"

#include "test.h"

static void test_addresses(void **state UNUSED) {
        static const char *const rows[] = {
                "10.0.0.1",
                "255.255.255.255",
                "0.0.0.0",
                "::1",
                "::",
                "fe80::1",
                "2001:db8:1111:2222:3333:4444:5555:6666",
        };
        TEST_EACH(row, rows) {
                TcpAddress address;
                char text[TCP_ADDRESS_TEXT_MAX];
                assert_int_equal(tcp_address_from_text(*row, &address), 0);
                tcp_address_to_text(&address, text);
                assert_string_equal(text, *row);
        }
        TcpAddress a, b;
        assert_int_equal(tcp_address_from_text("10.0.0.1", &a), 0);
        assert_int_equal(tcp_address_from_text("::ffff:10.0.0.1", &b), 0);
        assert_memory_equal(&a, &b, sizeof(a));
        assert_int_equal(tcp_address_from_text("", &a), -EINVAL);
        assert_int_equal(tcp_address_from_text("10.0.0", &a), -EINVAL);
        assert_int_equal(tcp_address_from_text("example.org", &a), -EINVAL);
}

static void test_sides(void **state UNUSED) {
        assert_string_equal(snapshot_side_name(SNAPSHOT_OUTGOING), "outgoing");
        assert_string_equal(snapshot_side_name(SNAPSHOT_STRAY), "stray");
}

/* Numbers that differ everywhere. */
static Snapshot make_snapshot(void) {
        static const SnapshotTuple tuples[] = {
                { .local = { { 1 } },
                  .remote = { { [10] = 0xff, 0xff, 10, 1, 2, 3 } },
                  .remote_port = 65535,
                  .use = { 9, 8, 7, 6, 5 } },
                { .remote_port = 1, .use = { .n_other = 1 } },
        };
        static const SnapshotListener listeners[] = {
                { 443, 2, 3, 4096, UINT32_MAX, { 14, 15, 16, 13, 12 } },
        };
        static const SnapshotHolder holders[] = { { 33, SNAPSHOT_INCOMING, 80, 125 } };
        Snapshot snapshot = { .has_sockets = true };
        SnapshotSockets *sockets = &snapshot.sockets;
        for (SnapshotFamily f = 0; f < SNAPSHOT_FAMILIES; f++)
                for (TcpState s = TCP_STATE_ESTABLISHED; s < TCP_STATE_NEW_SYN_RECV; s++)
                        sockets->states[f][s] = 100 * (uint32_t) f + (uint32_t) s;
        for (SnapshotSide side = 0; side < SNAPSHOT_SIDES; side++)
                sockets->sides[side] = (SnapshotUse){ 30 + (uint32_t) side, 40, 50, 20, 10 };
        sockets->n_buckets = 61;
        sockets->n_pool_ports_taken = 62;
        sockets->n_all_tuples = 63;
        sockets->n_all_listeners = 64;
        sockets->tuples_error = 65;
        sockets->holders_error = 66;
        sockets->tuples = tuples;
        sockets->n_tuples = ELEMENTSOF(tuples);
        sockets->listeners = listeners;
        sockets->n_listeners = ELEMENTSOF(listeners);
        sockets->holders = holders;
        sockets->n_holders = ELEMENTSOF(holders);
        return snapshot;
}

static void test_there_and_back(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const Snapshot snapshot = make_snapshot();
        json_auto_t *object = sockets_to_json(&snapshot);
        assert_non_null(object);
        SnapshotSockets got;
        Error error = { 0 };
        int r = sockets_from_json(object, arena, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(r, 0);

        const SnapshotSockets *want = &snapshot.sockets;
        assert_memory_equal(got.states, want->states, sizeof(got.states));
        assert_memory_equal(got.sides, want->sides, sizeof(got.sides));
        assert_int_equal(got.n_buckets, 61);
        assert_int_equal(got.n_pool_ports_taken, 62);
        assert_int_equal(got.n_all_tuples, 63);
        assert_int_equal(got.n_all_listeners, 64);
        assert_int_equal(got.tuples_error, 65);
        assert_int_equal(got.holders_error, 66);
        assert_int_equal(got.n_tuples, 2);
        for (size_t i = 0; i < got.n_tuples; i++) {
                assert_memory_equal(&got.tuples[i].remote, &want->tuples[i].remote, 16);
                assert_memory_equal(&got.tuples[i].local, &want->tuples[i].local, 16);
                assert_int_equal(got.tuples[i].remote_port, want->tuples[i].remote_port);
                assert_memory_equal(&got.tuples[i].use, &want->tuples[i].use, sizeof(SnapshotUse));
        }
        assert_int_equal(got.n_listeners, 1);
        assert_int_equal(got.listeners[0].port, 443);
        assert_int_equal(got.listeners[0].queue, 3);
        assert_int_equal(got.listeners[0].queue_limit, 4096);
        assert_true(got.listeners[0].uid == UINT32_MAX);
        assert_memory_equal(&got.listeners[0].use, &want->listeners[0].use, sizeof(SnapshotUse));
        assert_int_equal(got.n_holders, 1);
        assert_int_equal(got.holders[0].side, SNAPSHOT_INCOMING);
        assert_int_equal(got.holders[0].n_close_wait, 125);
}

/* One member of the valid document replaced by something else. */
static void test_refuses(void **state UNUSED) {
        static const struct {
                const char *path[3]; /* the last is the member; numbers are indices */
                const char *value;   /* JSON, NULL: removed */
        } rows[] = {
                { { "buckets" }, "-1" },
                { { "buckets" }, "\"7\"" },
                { { "buckets" }, "4294967296" },
                { { "buckets" }, NULL },
                { { "surprise" }, "1" },
                { { "states" }, "[]" },
                { { "states", "ipv6" }, NULL },
                { { "states", "ipv4", "TIME_WAIT" }, "-1" },
                { { "states", "ipv4", "TIME_WAIT" }, "1e3" },
                { { "states", "ipv4", "SLEEPING" }, "1" },
                { { "sides", "stray" }, NULL },
                { { "sides", "stray", "other" }, "99999999999" },
                { { "tuples" }, "[1]" },
                { { "tuples" }, "[{}]" },
                { { "tuples", "0", "port" }, "65536" },
                { { "tuples", "0", "local" }, "\"somewhere\"" },
                { { "tuples", "0", "time_wait" }, "4000000000" },
                { { "listeners", "0", "uid" }, "4294967296" },
                { { "listeners", "0", "port" }, "65536" },
                { { "listeners", "0", "time_wait" }, "null" },
                { { "holders", "0", "side" }, "\"inside\"" },
                { { "holders", "0", "port" }, "70000" },
                { { "holders", "0", "close_wait" }, "70000000000" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                const Snapshot snapshot = make_snapshot();
                json_auto_t *object = sockets_to_json(&snapshot);
                json_t *at = object;
                size_t depth = 0;
                for (; depth + 1 < ELEMENTSOF(row->path) && row->path[depth + 1]; depth++)
                        at = json_is_array(at) ? json_array_get(at, 0)
                                               : json_object_get(at, row->path[depth]);
                assert_non_null(at);
                const char *member = row->path[depth];
                if (row->value)
                        json_object_set_new(
                                        at, member, json_loads(row->value, JSON_DECODE_ANY, NULL));
                else
                        json_object_del(at, member);
                SnapshotSockets got;
                Error error = { 0 };
                assert_int_equal(sockets_from_json(object, arena, &got, &error), -EBADMSG);
                assert_true(error_is_set(&error));
        }
}

TEST_MAIN(cmocka_unit_test(test_addresses), cmocka_unit_test(test_sides),
          cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_refuses))

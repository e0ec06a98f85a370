/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Situations for the tests of advice: a quiet host with the kernel's defaults, changed by the test.
 *
 *         Situation s;
 *         situation_init(&s);
 *         situation_set(&s, "net.ipv4.tcp_tw_reuse", "1");
 *         SnapshotTuple tuples[] = { situation_tuple("10.0.0.2", 80, (SnapshotUse){ .n_time_wait = 600 }) };
 *         situation_outgoing(&s, tuples, 1);
 *         Advice advice = situation_judge(&s);
 *         situation_deinit(&s);
 */

#include "insight/advice.h"
#include "insight/sockets-format.h"
#include "test.h"

#define SITUATION_MAX_SETTINGS 128

typedef struct Situation {
        Arena *arena;
        LiveKey keys[SITUATION_MAX_SETTINGS];
        Snapshot before, now;
        bool has_before;
} Situation;

static inline void situation_set(Situation *s, const char *key, const char *text) {
        for (size_t i = 0; i < s->now.settings.n_keys; i++) {
                LiveKey *live = &s->keys[i];
                if (!streq(live->spec->key, key))
                        continue;
                *live = (LiveKey){ .spec = live->spec, .state = LIVE_ABSENT };
                if (text) {
                        live->state = LIVE_PRESENT;
                        live->text = text;
                        assert_int_equal(
                                        sysctl_value_from_kernel(
                                                        live->spec, text, strlen(text), s->arena,
                                                        &live->value),
                                        0);
                }
                snapshot_set_pool(&s->now);
                return;
        }
        fail_msg("'%s' is not in a snapshot", key);
}

static inline void situation_init(Situation *s) {
        *s = (Situation){ .arena = arena_new() };
        assert_non_null(s->arena);
        s->now.settings.keys = s->keys;
        s->now.settings.n_keys = snapshot_setting_count();
        s->now.settings.kernel = (KernelVersion){ 6, 18, 0 };
        assert_true(s->now.settings.n_keys <= SITUATION_MAX_SETTINGS);
        for (size_t i = 0; i < s->now.settings.n_keys; i++)
                s->keys[i] = (LiveKey){ .spec = snapshot_setting(i), .state = LIVE_ABSENT };
        situation_set(s, "net.ipv4.ip_local_port_range", "40000\t40999");
        situation_set(s, "net.ipv4.ip_local_reserved_ports", "");
        situation_set(s, "net.ipv4.tcp_timestamps", "1");
        situation_set(s, "net.ipv4.tcp_tw_reuse", "0");
        s->now.netns = 7;
        s->now.monotonic_us = 60000000;
        s->now.has_sockets = true;
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++)
                s->now.known[id] = true;
}

static inline void situation_deinit(Situation *s) {
        s->arena = arena_free(s->arena);
}

/* An earlier sample, as the later one is now, 1 s before it. */
static inline void situation_earlier(Situation *s) {
        s->before = s->now;
        s->before.monotonic_us -= 1000000;
        s->has_before = true;
}

static inline SnapshotTuple situation_tuple(const char *remote, uint16_t port, SnapshotUse use) {
        SnapshotTuple tuple = { .remote_port = port, .use = use };
        assert_int_equal(tcp_address_from_text("10.0.0.1", &tuple.local), 0);
        assert_int_equal(tcp_address_from_text(remote, &tuple.remote), 0);
        return tuple;
}

/* The largest first; borrowed. */
static inline void situation_outgoing(Situation *s, const SnapshotTuple *tuples, size_t n) {
        SnapshotSockets *sockets = &s->now.sockets;
        SnapshotUse *all = &sockets->sides[SNAPSHOT_OUTGOING];
        sockets->tuples = tuples;
        sockets->n_tuples = n;
        sockets->n_all_tuples = (uint32_t) n;
        *all = (SnapshotUse){};
        for (size_t i = 0; i < n; i++) {
                all->n_time_wait += tuples[i].use.n_time_wait;
                all->n_fin_wait2 += tuples[i].use.n_fin_wait2;
                all->n_other += tuples[i].use.n_other;
                all->n_recent += tuples[i].use.n_recent;
                all->n_reusable += tuples[i].use.n_reusable;
        }
        sockets->states[SNAPSHOT_IPV4][TCP_STATE_TIME_WAIT] = all->n_time_wait;
}

static inline AdviceInput situation_input(const Situation *s) {
        return (AdviceInput){ .before = s->has_before ? &s->before : NULL, .now = &s->now };
}

static inline Advice situation_judge(const Situation *s) {
        const AdviceInput input = situation_input(s); /* what is returned borrows the snapshots */
        Advice advice = {};
        assert_int_equal(advise(&input, s->arena, &advice), 0);
        return advice;
}

/* NULL when the rule has raised nothing. */
static inline const AdviceFinding *situation_find(const Advice *advice, const char *rule) {
        for (size_t i = 0; i < advice->n_findings; i++)
                if (streq(advice->findings[i].rule->id, rule))
                        return &advice->findings[i];
        return NULL;
}

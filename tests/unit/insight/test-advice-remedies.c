/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-remedies.h"

#include "situation.h"

static const char *range_detail(Situation *s, const char *range) {
        static SnapshotTuple tuple;
        static Advice advice;
        situation_set(s, "net.ipv4.ip_local_port_range", range);
        tuple = situation_tuple("10.0.0.2", 80, (SnapshotUse){ .n_time_wait = s->now.pool.size });
        situation_outgoing(s, &tuple, 1);
        advice = situation_judge(s);
        const AdviceFinding *f = situation_find(&advice, "PORT-1");
        assert_non_null(f);
        if (!f || !f->has_remedy[ADVICE_REMEDY_PORT_RANGE])
                return NULL;
        return f->remedy_detail[ADVICE_REMEDY_PORT_RANGE];
}

/* A range that is as wide as that of outbound-proxy is not to be widened. */
static void test_range(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        const char *detail = range_detail(&s, "32768\t60999");
        assert_string_equal(
                        detail ? detail : "",
                        "now 32768 to 60999; 20000 to 65535 would be 45,536 ports, and C0 = "
                        "758.9 connections/s");
        assert_non_null(range_detail(&s, "20001\t65535"));
        assert_null(range_detail(&s, "20000\t65535"));
        assert_null(range_detail(&s, "1024\t65535"));
        situation_deinit(&s);
}

/* Services inside the wider range are to be reserved; not all of them are named. */
static void test_services(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        SnapshotListener listeners[11];
        for (size_t i = 0; i < ELEMENTSOF(listeners); i++)
                listeners[i] = (SnapshotListener){ .port = (uint16_t) (19999 + i) };
        s.now.sockets.listeners = listeners;
        s.now.sockets.n_listeners = 3;
        const char *detail = range_detail(&s, "32768\t60999");
        assert_non_null(strstr(detail ? detail : "", "; reserve 20000, 20001"));
        assert_null(strstr(detail ? detail : "", "more"));
        s.now.sockets.n_listeners = ELEMENTSOF(listeners);
        detail = range_detail(&s, "32768\t60999");
        assert_non_null(strstr(detail ? detail : "", "20007 and 2 more"));
        situation_deinit(&s);
}

static bool reuse_is_advised(Situation *s, SnapshotUse use) {
        static SnapshotTuple tuple;
        tuple = situation_tuple("10.0.0.2", 80, use);
        situation_outgoing(s, &tuple, 1);
        Advice advice = situation_judge(s);
        const AdviceFinding *f = situation_find(&advice, "PORT-2");
        assert_non_null(f);
        return f && f->has_remedy[ADVICE_REMEDY_TW_REUSE];
}

/* Only TIME_WAITs can be used again: not what is open, nor orphans. */
static void test_reuse(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        uint32_t part = s.now.pool.size / 5;
        assert_true(reuse_is_advised(&s, (SnapshotUse){ .n_time_wait = 3 * part }));
        assert_true(reuse_is_advised(
                        &s, (SnapshotUse){ .n_time_wait = 2 * part, .n_other = part }));
        assert_false(reuse_is_advised(&s, (SnapshotUse){ .n_other = 3 * part }));
        assert_false(reuse_is_advised(
                        &s, (SnapshotUse){ .n_time_wait = part, .n_fin_wait2 = 2 * part }));
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_range), cmocka_unit_test(test_services),
          cmocka_unit_test(test_reuse))

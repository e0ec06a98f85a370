/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-range.h"

#include "situation.h"

static void test_range_and_reserved(void **state UNUSED) {
        static const struct {
                const char *range, *reserved, *start, *rule; /* of PORT-12 to PORT-15, or NULL */
                AdviceSeverity severity;
        } rows[] = {
                { "40000\t40999", "", "1024", NULL, 0 },
                { "40000\t40998", "", "1024", "PORT-12", ADVICE_WARNING },
                { "40001\t40999", "", "1024", "PORT-12", ADVICE_WARNING },
                { "40000\t41001", "40000-40001", "1024", NULL, 0 },
                { "40000\t43999", "40000-41999", "1024", NULL, 0 },
                { "40000\t43999", "40000-42000", "1024", "PORT-13", ADVICE_NOTICE },
                { "40000\t43999", "30000-60000", "1024", "PORT-13", ADVICE_CRITICAL },
                { "40000\t42000", "", "1024", "PORT-14", ADVICE_NOTICE },
                { "1024\t60999", "", "1024", NULL, 0 },
                { "1023\t61000", "", "1000", "PORT-15", ADVICE_WARNING },
                { "32768\t60999", "", "31768", NULL, 0 },
                { "32768\t60999", "", "31769", "PORT-15", ADVICE_WARNING },
        };
        static const char *const rules[] = { "PORT-12", "PORT-13", "PORT-14", "PORT-15" };
        TEST_EACH(row, rows) {
                Situation s;
                situation_init(&s);
                situation_set(&s, "net.ipv4.ip_local_port_range", row->range);
                situation_set(&s, "net.ipv4.ip_local_reserved_ports", row->reserved);
                situation_set(&s, "net.ipv4.ip_unprivileged_port_start", row->start);
                Advice advice = situation_judge(&s);
                for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                        const AdviceFinding *f = situation_find(&advice, rules[i]);
                        bool wanted = row->rule && streq(row->rule, rules[i]);
                        if (wanted && f)
                                assert_int_equal(f->severity, row->severity);
                        /* two even or two odd bounds come with some of the rows */
                        if (wanted || !streq(rules[i], "PORT-14"))
                                assert_int_equal(f != NULL, wanted);
                }
                situation_deinit(&s);
        }
}

static void test_services(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        SnapshotListener listeners[20];
        for (size_t i = 0; i < ELEMENTSOF(listeners); i++)
                listeners[i] = (SnapshotListener){ .port = (uint16_t) (40019 - i) };
        listeners[0].port = 443;
        s.now.sockets.listeners = listeners;
        s.now.sockets.n_listeners = 3;
        Advice advice = situation_judge(&s);
        const AdviceFinding *f = situation_find(&advice, "PORT-11");
        assert_non_null(f);
        if (f) {
                assert_int_equal(f->severity, ADVICE_NOTICE);
                assert_string_equal(
                                f->remedy_detail[ADVICE_REMEDY_RESERVE_SERVICES],
                                "40017,40018"); /* sorted, as the key takes it */
        }
        s.now.sockets.n_listeners = ELEMENTSOF(listeners);
        SnapshotTuple tuple = situation_tuple("10.0.0.2", 80, (SnapshotUse){ .n_other = 500 });
        situation_outgoing(&s, &tuple, 1);
        advice = situation_judge(&s);
        f = situation_find(&advice, "PORT-11");
        assert_non_null(f);
        if (f) {
                assert_int_equal(f->severity, ADVICE_WARNING);
                assert_non_null(strstr(f->evidence, "40015 …,"));
        }
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_range_and_reserved), cmocka_unit_test(test_services))

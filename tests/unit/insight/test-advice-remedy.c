/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-remedy.h"

#include "test.h"

static const AdviceRemedy *find(const char *name) {
        for (AdviceRemedyId id = 0; id < ADVICE_REMEDIES; id++)
                if (streq(advice_remedy_get(id)->name, name))
                        return advice_remedy_get(id);
        return NULL;
}

static void test_rows_are_whole(void **state UNUSED) {
        for (AdviceRemedyId id = 0; id < ADVICE_REMEDIES; id++) {
                const AdviceRemedy *remedy = advice_remedy_get(id);
                assert_non_null(remedy->name);
                assert_non_null(remedy->text);
                assert_true(*remedy->text && remedy->text[strlen(remedy->text) - 1] != '.');
                assert_int_equal(remedy->change == ADVICE_CHANGE_NONE, !remedy->key);
                assert_int_equal(remedy->change == ADVICE_CHANGE_SET, remedy->value != NULL);
                assert_ptr_equal(find(remedy->name), remedy); /* no name twice */
        }
}

/* The order of the reference, in which a sysctl is never the first. */
static void test_order(void **state UNUSED) {
        static const AdviceRemedyId order[] = {
                ADVICE_REMEDY_REUSE_CONNECTIONS, ADVICE_REMEDY_BIND_LATE,
                ADVICE_REMEDY_MORE_TUPLES,       ADVICE_REMEDY_PORT_RANGE,
                ADVICE_REMEDY_TW_REUSE,          ADVICE_REMEDY_TW_REUSE_DELAY,
        };
        for (size_t i = 1; i < ELEMENTSOF(order); i++)
                assert_true(order[i - 1] < order[i]);
        bool has_setting = false;
        for (AdviceRemedyId id = 0; id < ADVICE_REMEDY_NOTHING; id++) {
                has_setting |= advice_remedy_get(id)->key != NULL;
                if (id < ADVICE_REMEDY_PORT_RANGE)
                        assert_false(has_setting);
        }
}

/* What is never right is in no row: whatever a rule does, it cannot recommend it. */
static void test_never(void **state UNUSED) {
        static const struct {
                const char *key;
                AdviceChange change;
                const char *value;
        } allowed[] = {
                { "net.ipv4.tcp_tw_recycle", ADVICE_CHANGE_SET, "0" },
                { "net.ipv4.tcp_max_tw_buckets", ADVICE_CHANGE_RAISE, NULL },
                { "net.ipv4.tcp_timestamps", ADVICE_CHANGE_SET, "1" },
        };
        for (AdviceRemedyId id = 0; id < ADVICE_REMEDIES; id++) {
                const AdviceRemedy *remedy = advice_remedy_get(id);
                for (size_t i = 0; i < ELEMENTSOF(allowed); i++) {
                        if (!remedy->key || !streq(remedy->key, allowed[i].key))
                                continue;
                        assert_int_equal(remedy->change, allowed[i].change);
                        if (allowed[i].value)
                                assert_string_equal(remedy->value, allowed[i].value);
                }
                /* advice_remedy() takes this one from rules about FIN_WAIT2 only */
                if (remedy->key && streq(remedy->key, "net.ipv4.tcp_fin_timeout"))
                        assert_int_equal(id, ADVICE_REMEDY_FIN_TIMEOUT);
        }
}

TEST_MAIN(cmocka_unit_test(test_rows_are_whole), cmocka_unit_test(test_order),
          cmocka_unit_test(test_never))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-life.h"

#include "test.h"

static Error error;

static FieldLife play(const char *key, const char *text) {
        const LabSetting setting = { catalogue_find(key), text };
        assert_non_null(setting.spec);
        FieldLifeRequest request = { &setting, 1, /* limit_ms= */ 5000 };
        CLEANUP(lab_stage_freep) LabStage *stage = NULL;
        int r = field_life_start(&request, &stage, &error);
        if (r == 0)
                r = lab_stage_wait(stage, NULL, NULL, &error);
        if (r < 0)
                print_error("%s\n", error.text);
        assert_int_equal(r, 0);
        return *(const FieldLife *) lab_stage_result(stage);
}

/* tcp_fin_timeout=2: the orphans go after two seconds, TIME_WAIT stays. */
static void test_fin_timeout_moves_the_orphans_alone(void **state) {
        (void) state;
        FieldLife life = play("net.ipv4.tcp_fin_timeout", "2");
        assert_int_equal(life.states[0], LAB_SETTING_WRITTEN);
        assert_int_equal(life.time_wait, FIELD_LIFE_CONNECTIONS);
        assert_int_equal(life.fin_wait2, FIELD_LIFE_CONNECTIONS);
        assert_int_equal(life.close_wait, FIELD_LIFE_CONNECTIONS);
        assert_in_range(life.fin_wait2_ms, 1500, 4500);
        assert_int_equal(life.time_wait_ms, 0);
        assert_int_equal(life.close_wait_end, FIELD_LIFE_CONNECTIONS);
        assert_true(life.watched_ms >= 5000);
        assert_int_equal(life.keepalive_idle_s, 7200);
        assert_int_equal(life.keepalive_interval_s, 75);
}

static void test_what_is_absent_is_not_watched(void **state) {
        (void) state;
        FieldLife life = play("net.ipv4.tcp_tw_recycle", "1");
        assert_int_equal(life.states[0], LAB_SETTING_ABSENT);
        assert_int_equal(life.time_wait, 0);
}

TEST_MAIN(cmocka_unit_test(test_fin_timeout_moves_the_orphans_alone),
          cmocka_unit_test(test_what_is_absent_is_not_watched))

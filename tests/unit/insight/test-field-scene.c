/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-scene.h"

#include "test.h"

static Error error;
static LabSetting settings[2];

static void set(size_t i, const char *key, const char *text) {
        settings[i] = (LabSetting){ catalogue_find(key), text };
        assert_non_null(settings[i].spec);
}

static void play(FieldSceneRequest *request, FieldScene *ret) {
        CLEANUP(lab_stage_freep) LabStage *stage = NULL;
        int r = field_scene_start(request, &stage, &error);
        if (r == 0)
                r = lab_stage_wait(stage, NULL, NULL, &error);
        if (r < 0)
                print_error("%s\n", error.text);
        assert_int_equal(r, 0);
        *ret = *(const FieldScene *) lab_stage_result(stage);
}

/* Every state that a server can be in, at once, and as many as were asked for. */
static void test_each_state_is_made(void **state) {
        (void) state;
        FieldSceneRequest request = { .wanted = {
                                                      [TCP_STATE_LISTEN] = 3,
                                                      [TCP_STATE_ESTABLISHED] = 11,
                                                      [TCP_STATE_FIN_WAIT1] = 4,
                                                      [TCP_STATE_FIN_WAIT2] = 7,
                                                      [TCP_STATE_CLOSE_WAIT] = 6,
                                                      [TCP_STATE_LAST_ACK] = 5,
                                                      [TCP_STATE_CLOSING] = 2,
                                                      [TCP_STATE_TIME_WAIT] = 600,
                                      } };
        FieldScene scene;
        play(&request, &scene);
        for (size_t i = 0; i < TCP_STATES; i++)
                assert_int_equal(scene.counts[i], request.wanted[i]);
        assert_int_equal(scene.server.value[LAB_OUT_RSTS], 0);
        assert_int_equal(scene.server.value[LAB_TW_OVERFLOW], 0);
}

/* FIN_WAIT2 has its share of the limit; each socket that finds no place costs its peer a reset. */
static void test_limit_of_buckets_is_filled_and_costs_resets(void **state) {
        (void) state;
        set(0, "net.ipv4.tcp_max_tw_buckets", "100");
        FieldSceneRequest request = {
                .wanted = { [TCP_STATE_LISTEN] = 1,
                            [TCP_STATE_FIN_WAIT2] = 10,
                            [TCP_STATE_TIME_WAIT] = 300 },
                .settings = settings,
                .n_settings = 1,
        };
        FieldScene scene;
        play(&request, &scene);
        assert_int_equal(scene.states[0], LAB_SETTING_WRITTEN);
        assert_int_equal(scene.counts[TCP_STATE_FIN_WAIT2], 10);
        assert_int_equal(scene.counts[TCP_STATE_TIME_WAIT], 90);
        assert_int_equal(scene.server.value[LAB_TW_OVERFLOW], 210);
        /* a FIN whose acknowledgement comes together with the peer's is answered by nobody */
        assert_in_range(scene.server.value[LAB_OUT_RSTS], 200, 210);
}

static void test_lowering_the_limit_ends_none(void **state) {
        (void) state;
        set(0, "net.ipv4.tcp_max_tw_buckets", "10");
        FieldSceneRequest request = {
                .wanted = { [TCP_STATE_LISTEN] = 1, [TCP_STATE_TIME_WAIT] = 50 },
                .late = settings,
                .n_late = 1,
        };
        FieldScene scene;
        play(&request, &scene);
        assert_int_equal(scene.counts[TCP_STATE_TIME_WAIT], 50);
        assert_int_equal(scene.late_time_wait, 50);
}

TEST_MAIN(cmocka_unit_test(test_each_state_is_made),
          cmocka_unit_test(test_limit_of_buckets_is_filled_and_costs_resets),
          cmocka_unit_test(test_lowering_the_limit_ends_none))

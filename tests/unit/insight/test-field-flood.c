/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-flood.h"

#include "test.h"

static Error error;

static uint32_t kept(const char *cookies, const char *backlog, uint64_t *ret_drops) {
        const LabSetting settings[] = {
                { catalogue_find("net.ipv4.tcp_syncookies"), cookies },
                { catalogue_find("net.ipv4.tcp_max_syn_backlog"), backlog },
        };
        FieldFloodRequest request = { settings, ELEMENTSOF(settings) };
        CLEANUP(lab_stage_freep) LabStage *stage = NULL;
        int r = field_flood_start(&request, &stage, &error);
        if (r == 0)
                r = lab_stage_wait(stage, NULL, NULL, &error);
        if (r < 0)
                print_error("%s\n", error.text);
        assert_int_equal(r, 0);
        const FieldFlood *result = lab_stage_result(stage);
        assert_int_equal(result->states[0], LAB_SETTING_WRITTEN);
        assert_int_equal(result->states[1], LAB_SETTING_WRITTEN);
        *ret_drops = result->server.value[LAB_LISTEN_DROPS];
        return result->kept;
}

/* net/ipv4/tcp_input.c, tcp_conn_request(): the limit is asked without cookies only. */
static void test_syn_backlog_is_asked_without_cookies_only(void **state) {
        (void) state;
        uint64_t drops = 0;
        assert_int_equal(kept("1", "64", &drops), FIELD_FLOOD_REQUESTS);
        assert_int_equal(drops, 0);
        assert_in_range(kept("0", "64", &drops), 40, 64);
        assert_true(drops > 0);
}

TEST_MAIN(cmocka_unit_test(test_syn_backlog_is_asked_without_cookies_only))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/quarantine.h"

#include "seam/engine-world.h"
#include "test.h"

#define QUARANTINE WORLD_STATE "/quarantine"

static void quarantine_alpha(World *w) {
        assert_int_equal(world_try(w, "alpha", 60), 0);
        w->now_ms += 60000;
        assert_int_equal(world_revert(w, "deadline"), 6);
}

static void test_quarantine_refuses_until_released(void **state UNUSED) {
        World w;
        world_init(&w);
        quarantine_alpha(&w);

        assert_int_equal(world_enable(&w, "alpha"), 4);
        assert_true(world_has_finding(&w, DIAG_PROFILE_QUARANTINED));
        assert_string_equal(world_outcome(&w), "refused");
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(world_enable(&w, "alpha beta"), 4);

        assert_int_equal(world_release(&w, "beta"), 5);
        assert_true(world_has_finding(&w, DIAG_NOT_QUARANTINED));
        assert_int_equal(world_release(&w, "alpha"), 0);
        assert_string_equal(world_outcome(&w), "released");
        assert_int_equal(scratch_count(&w.scratch, QUARANTINE, ""), 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"ev\":\"release\""));
        assert_non_null(strstr(audit, "\"released\""));
        assert_non_null(strstr(audit, "looked into"));
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        assert_null(strstr(status, "quarantined"));
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

static void test_quarantine_is_of_the_bytes(void **state UNUSED) {
        World w;
        world_init(&w);
        quarantine_alpha(&w);
        world_profile(&w, "alpha", "  net.core.somaxconn: 8191\n");
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

/* Enabled before, and tried again with another one beside it: it is the other one that is new. */
static void test_quarantine_spares_what_has_proved_itself(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_try(&w, "beta", 60), 0);
        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_int_equal(scratch_count(&w.scratch, QUARANTINE, ""), 1);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "gamma"), 0);
        assert_int_equal(world_enable(&w, "beta"), 4);
        world_deinit(&w);
}

static void test_quarantine_unreadable_file_counts_by_its_name(void **state UNUSED) {
        World w;
        world_init(&w);
        quarantine_alpha(&w);
        assert_int_equal(world_enable(&w, "alpha"), 4);
        const Diag *finding = world_finding(&w, DIAG_PROFILE_QUARANTINED);
        assert_non_null(finding);
        const char *note = finding->notes[0];
        char path[160], hex[65];
        (void) snprintf(hex, sizeof(hex), "%s", note + strlen("digest "));
        (void) snprintf(path, sizeof(path), QUARANTINE "/%s", hex);
        scratch_write(&w.scratch, path, "garbage");
        scratch_write(&w.scratch, QUARANTINE "/README", "not one");

        assert_int_equal(world_enable(&w, "alpha"), 4);
        assert_int_equal(world_release(&w, "alpha"), 5);
        assert_int_equal(world_release(&w, hex), 0);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

static void test_quarantine_unreadable_directory_refuses(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_mkdir(&w.scratch, WORLD_STATE);
        scratch_write(&w.scratch, QUARANTINE, "in the way\n");
        assert_int_equal(world_enable(&w, "alpha"), 2);
        assert_true(world_has_finding(&w, DIAG_STATE_UNWRITABLE));
        assert_int_equal(world_release(&w, "alpha"), 2);
        scratch_remove(&w.scratch, QUARANTINE);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

static void test_quarantine_release_needs_the_audit_log(void **state UNUSED) {
        World w;
        world_init(&w);
        quarantine_alpha(&w);
        scratch_remove(&w.scratch, "var/log/twprofile");
        scratch_write(&w.scratch, "var/log/twprofile", "in the way\n");
        assert_int_equal(world_release(&w, "alpha"), 2);
        assert_true(world_has_finding(&w, DIAG_AUDIT_UNWRITABLE));
        assert_int_equal(scratch_count(&w.scratch, QUARANTINE, ""), 1);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_quarantine_refuses_until_released),
          cmocka_unit_test(test_quarantine_is_of_the_bytes),
          cmocka_unit_test(test_quarantine_spares_what_has_proved_itself),
          cmocka_unit_test(test_quarantine_unreadable_file_counts_by_its_name),
          cmocka_unit_test(test_quarantine_unreadable_directory_refuses),
          cmocka_unit_test(test_quarantine_release_needs_the_audit_log))

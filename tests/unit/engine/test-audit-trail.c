/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-trail.h"

#include "audit-check.h"

#define STRANGER "7f000001-0000-4000-8000-000000000001"

static AuditTrail find(World *w, const char *tx, uint64_t from) {
        cleanup_seam_fd SeamFd state = SEAM_FD_EMPTY;
        assert_int_equal(seam_open_dir(seam_real(), w->scratch.fd, WORLD_STATE, 0700, &state), 0);
        const AuditPlace place = { .seam = seam_real(),
                                   .root_fd = w->scratch.fd,
                                   .state_fd = state.fd,
                                   .gid = (gid_t) -1 };
        CLEANUP(audit_log_close) AuditLog log;
        AuditTrail trail;
        assert_int_equal(audit_log_open(&log, &place, NULL), 0);
        assert_int_equal(audit_trail_find(&log, tx, from, &trail, NULL), 0);
        return trail;
}

static void check(World *w) {
        assert_int_equal(world_enable(w, "alpha"), 0);
        cleanup_free char *tx = strdup(w->result.tx);
        assert_int_equal(world_enable(w, "beta"), 0);

        AuditTrail trail = find(w, tx, 0);
        assert_true(trail.has_intent && trail.has_outcome);
        AuditTrail last = find(w, w->result.tx, 0);
        assert_true(last.has_intent && last.has_outcome);
        assert_true(trail.outcome.seq < last.outcome.seq);
        cleanup_free char *head = scratch_read(&w->scratch, CHECK_HEAD, NULL);
        assert_int_equal(strtoull(head, NULL, 10), last.outcome.seq);

        trail = find(w, tx, last.outcome.seq);
        assert_false(trail.has_intent || trail.has_outcome);
        trail = find(w, STRANGER, 0);
        assert_false(trail.has_intent || trail.has_outcome);
}

static void test_trail_in_one_file(void **state UNUSED) {
        World w;
        world_init(&w);
        check(&w);
        world_deinit(&w);
}

static void test_trail_across_files(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.audit_limits = (AuditLimits){ .file_bytes = 1, .files = 50 };
        check(&w);
        assert_true(check_chain(&w).n_files > 3);
        world_deinit(&w);
}

static void test_trail_of_a_confirmation(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        cleanup_free char *tx = strdup(w.result.tx);
        assert_false(find(&w, tx, 0).has_outcome);
        assert_int_equal(world_confirm(&w), 0);
        assert_true(find(&w, tx, 0).has_outcome);
        world_deinit(&w);
}

/* What lies too far back to be read is taken for an intent, here and in an older file. */
static void test_trail_ends_somewhere(void **state UNUSED) {
        for (int older = 0; older < 2; older++) {
                World w;
                world_init(&w);
                cleanup_free char *noise = malloc(AUDIT_TRAIL_MAX + 2);
                memset(noise, 'x', AUDIT_TRAIL_MAX + 1);
                noise[AUDIT_TRAIL_MAX + 1] = '\0';
                scratch_write(&w.scratch, CHECK_DIR "/audit-1.ndjson", noise);
                if (older)
                        scratch_write(&w.scratch, CHECK_DIR "/audit-2.ndjson", "");
                assert_int_equal(world_enable(&w, "alpha"), 0);
                AuditTrail trail = find(&w, STRANGER, 0);
                assert_true(trail.has_intent);
                assert_false(trail.has_outcome);
                world_deinit(&w);
        }
}

TEST_MAIN(cmocka_unit_test(test_trail_in_one_file), cmocka_unit_test(test_trail_across_files),
          cmocka_unit_test(test_trail_of_a_confirmation),
          cmocka_unit_test(test_trail_ends_somewhere))

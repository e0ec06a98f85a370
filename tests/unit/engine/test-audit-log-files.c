/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-log-files.h"

#include "audit-check.h"

/* --- names and directories -------------------------------------------------------------------------------------- */

static void test_files_are_listed_by_number(void **state UNUSED) {
        static const char *const names[] = {
                "audit-10.ndjson", "audit-9.ndjson",    "audit-1.ndjson",
                "audit-0.ndjson",  "audit-.ndjson",     "audit-07.ndjson",
                "audit-5.json",    "audit-5.ndjson.gz", "Audit-5.ndjson",
                "audit-5x.ndjson", "audit-+5.ndjson",   "audit-99999999999999999999999999.ndjson",
        };
        World w;
        world_init(&w);
        TEST_EACH(name, names) {
                char path[128];
                (void) snprintf(path, sizeof(path), CHECK_DIR "/%s", *name);
                scratch_write(&w.scratch, path, "");
        }
        CLEANUP(audit_files_deinit) AuditFiles files = check_list(&w);
        assert_int_equal(files.n, 3);
        assert_int_equal(files.first[0], 1);
        assert_int_equal(files.first[1], 9);
        assert_int_equal(files.first[2], 10);
        world_deinit(&w);
}

static void test_files_first_and_last_record(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_write(&w.scratch, CHECK_DIR "/audit-7.ndjson", "torn");
        scratch_mkdir(&w.scratch, CHECK_DIR "/audit-8.ndjson");

        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        assert_int_equal(audit_files_open_dir(seam_real(), w.scratch.fd, &dir, NULL), 0);
        AuditBeginning beginning;
        AuditHead last;
        assert_int_equal(audit_files_read_first(&dir, 1, &beginning), 0);
        assert_int_equal(beginning.seq, 1);
        assert_int_equal(strlen(beginning.log_id), TX_ID_SIZE - 1);
        assert_int_equal(audit_files_read_last(&dir, 1, &last), 0);
        assert_int_equal(last.seq, 3);
        assert_int_equal(audit_files_read_first(&dir, 7, &beginning), -ENODATA);
        assert_int_equal(audit_files_read_last(&dir, 7, &last), -ENODATA);
        assert_int_equal(audit_files_read_last(&dir, 8, &last), -EINVAL);
        assert_int_equal(audit_files_read_last(&dir, 9, &last), -ENOENT);
        world_deinit(&w);
}

/* --- rotation --------------------------------------------------------------------------------------------------- */

static void test_rotation_goes_on_in_the_next_file(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.audit_limits = (AuditLimits){ .file_bytes = 3000, .files = 100 };
        for (unsigned i = 0; i < 4; i++) {
                assert_int_equal(world_enable(&w, "alpha"), 0);
                assert_int_equal(world_rollback(&w, "origin"), 0);
        }
        check_whole(&w);
        AuditVerdict verdict = check_chain(&w);
        assert_true(verdict.n_files > 2);
        assert_int_equal(verdict.first, 1);
        assert_int_equal(check_count(&w, "\"ev\":\"rotate\""), verdict.n_files - 1);
        assert_int_equal(check_count(&w, "\"ev\":\"open\""), verdict.n_files);
        assert_int_equal(check_count(&w, "\"ev\":\"intent\""), 8);
        assert_int_equal(check_count(&w, "\"ev\":\"outcome\""), 8);

        CLEANUP(audit_files_deinit) AuditFiles files = check_list(&w);
        for (size_t i = 0; i < files.n; i++) {
                size_t n;
                cleanup_free char *bytes = check_read_file(&w, files.first[i], &n);
                char first[64], count[64];
                (void) snprintf(first, sizeof(first), "\"seq\":%llu,",
                                (unsigned long long) files.first[i]);
                assert_non_null(strstr(bytes, first));
                assert_true(n < 3000 + 2 * AUDIT_LINE_MAX);
                if (i + 1 == files.n)
                        break;
                (void) snprintf(count, sizeof(count), "\"file\":{\"first\":%llu,\"n\":%llu}",
                                (unsigned long long) files.first[i],
                                (unsigned long long) (files.first[i + 1] - files.first[i]));
                assert_non_null(strstr(bytes, count));
        }
        world_deinit(&w);
}

static void test_pruning_keeps_what_can_be_checked(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.audit_limits = (AuditLimits){ .file_bytes = 1, .files = 3 };
        for (unsigned i = 0; i < 6; i++) {
                assert_int_equal(world_enable(&w, "alpha"), 0);
                assert_int_equal(world_rollback(&w, "origin"), 0);
                check_whole(&w);
        }
        AuditVerdict verdict = check_chain(&w);
        assert_int_equal(verdict.n_files, 3);
        assert_true(verdict.first > 30);

        /* fewer are kept from now on: two go with each new file */
        w.engine.audit_limits.files = 1;
        assert_int_equal(world_enable(&w, "beta"), 0);
        check_whole(&w);
        assert_int_equal(check_chain(&w).n_files, 2);
        world_deinit(&w);
}

/* Pruning would be a way to make an edit disappear. */
static void test_pruning_hides_no_edit(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.audit_limits = (AuditLimits){ .file_bytes = 1, .files = 2 };
        assert_int_equal(world_enable(&w, "alpha"), 0);
        CLEANUP(audit_files_deinit) AuditFiles files = check_list(&w);
        char name[AUDIT_FILE_NAME_SIZE], path[128];
        audit_files_name(files.first[0], name);
        (void) snprintf(path, sizeof(path), CHECK_DIR "/%s", name);
        cleanup_free char *bytes = scratch_read(&w.scratch, path, NULL);
        char *via = strstr(strstr(bytes, "\"ev\":\"rotate\""), "\"via\":\"");
        via[strlen("\"via\":\"")] ^= 1;
        scratch_write(&w.scratch, path, bytes);

        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_true(check_chain(&w).n_files > 2);
        assert_int_equal(check_chain(&w).kind, AUDIT_BREAK_EDITED);
        world_deinit(&w);
}

/* What cannot be read is kept, and keeps nothing from being written. */
static void test_pruning_leaves_what_it_cannot_read(void **state UNUSED) {
        World w;
        world_init(&w);
        w.engine.audit_limits = (AuditLimits){ .file_bytes = 1, .files = 2 };
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_remove(&w.scratch, CHECK_DIR "/audit-1.ndjson");
        scratch_mkdir(&w.scratch, CHECK_DIR "/audit-1.ndjson");
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_true(scratch_has(&w.scratch, CHECK_DIR "/audit-1.ndjson"));
        world_deinit(&w);
}

/* --- deaths and errors ------------------------------------------------------------------------------------------ */

static int enable_beta(World *w) {
        return world_enable(w, "beta");
}

static void settle(World *w, uint64_t at) {
        if (at % 2)
                scratch_remove(&w->scratch, CHECK_HEAD);
        assert_int_equal(world_recover(w), 0);
        assert_int_equal(world_disable(w, "alpha"), 0);
        check_whole(w);
        size_t intents = check_count(w, "\"ev\":\"intent\"");
        assert_true(intents >= 1);
        CLEANUP(audit_files_deinit) AuditFiles files = check_list(w);
        assert_true(files.n <= 3);
}

/* A file ends, the next begins, and the oldest goes, twice in each request: killed before every call of it. */
static void test_rotation_killed_at_every_call(void **state UNUSED) {
        bool died = true;
        for (uint64_t at = 1; died; at++) {
                World w;
                world_init(&w);
                w.engine.audit_limits = (AuditLimits){ .file_bytes = 1, .files = 3 };
                assert_int_equal(world_enable(&w, "alpha"), 0);
                died = world_die_at(&w, enable_beta, at);
                assert_true(died || at > 60);
                settle(&w, at);
                world_deinit(&w);
        }
}

static void test_rotation_error_at_every_call(void **state UNUSED) {
        bool met = true;
        for (uint64_t at = 1; met; at++) {
                World w;
                world_init(&w);
                w.engine.audit_limits = (AuditLimits){ .file_bytes = 1, .files = 3 };
                assert_int_equal(world_enable(&w, "alpha"), 0);
                seam_fault_reset(&w.fault);
                w.fault.at = at;
                w.fault.kind = SEAM_FAULT_ERROR;
                w.fault.error = EIO;
                (void) world_enable(&w, "beta");
                met = w.fault.n_calls >= at;
                seam_fault_reset(&w.fault);
                settle(&w, 0);
                world_deinit(&w);
        }
}

/* The names of new files and of their directory are flushed before anything is written into them. */
typedef struct Flushes {
        bool dir, parent, written, early;
} Flushes;

static bool watch_flushes(void *userdata, const SeamCall *call) {
        Flushes *seen = userdata;
        if (call->kind == SEAM_CALL_FSYNC && streq(call->path, CHECK_DIR))
                seen->dir = true;
        if (call->kind == SEAM_CALL_FSYNC && endswith(call->path, ".."))
                seen->parent = true;
        if (call->kind == SEAM_CALL_PWRITE && endswith(call->path, ".ndjson")) {
                seen->written = true;
                seen->early |= !seen->dir;
        }
        return false;
}

static void test_new_names_are_flushed_first(void **state UNUSED) {
        World w;
        world_init(&w);
        Flushes seen = { 0 };
        w.fault.matches = watch_flushes;
        w.fault.userdata = &seen;
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_true(seen.dir && seen.parent && seen.written && !seen.early);

        seen = (Flushes){ 0 };
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_true(seen.written && !seen.dir);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_files_are_listed_by_number),
          cmocka_unit_test(test_files_first_and_last_record),
          cmocka_unit_test(test_rotation_goes_on_in_the_next_file),
          cmocka_unit_test(test_pruning_keeps_what_can_be_checked),
          cmocka_unit_test(test_pruning_hides_no_edit),
          cmocka_unit_test(test_pruning_leaves_what_it_cannot_read),
          cmocka_unit_test(test_rotation_killed_at_every_call),
          cmocka_unit_test(test_rotation_error_at_every_call),
          cmocka_unit_test(test_new_names_are_flushed_first))

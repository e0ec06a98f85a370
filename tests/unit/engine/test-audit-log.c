/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-log.h"

#include "seam/engine-world.h"
#include "test.h"

#define HEAD WORLD_STATE "/audit-head"

/* Walks the file as a reader who knows the format alone: gapless numbers, each `prev` the hash of the line before. Lines
 * that are no record are counted. Returns the number of records. */
typedef struct Walk {
        uint64_t records, strays, gaps;
        char last_event[16];
} Walk;

static void walk_line(Walk *walk, AuditHead *head, const char *line, size_t n) {
        AuditLine decoded;
        if (audit_line_decode(line, n, &decoded, NULL) < 0) {
                walk->strays++;
                return;
        }
        bool follows = decoded.seq == head->seq + 1 &&
                       (head->seq == 0 || sha256_equal(&decoded.prev, &head->hash));
        walk->gaps += !follows;
        walk->records++;
        *head = (AuditHead){ .seq = decoded.seq, .hash = decoded.hash };
        (void) snprintf(walk->last_event, sizeof(walk->last_event), "%s",
                        audit_event_name(decoded.event));
        json_decref(decoded.object);
}

static Walk walk_log(World *w) {
        Walk walk = { 0 };
        AuditHead head = { 0 };
        cleanup_free char *audit = scratch_read(&w->scratch, WORLD_AUDIT, NULL);
        for (char *rest = audit, *line; audit && (line = strsep(&rest, "\n"));)
                if (line[0] != '\0')
                        walk_line(&walk, &head, line, strlen(line));
        return walk;
}

static void test_audit_log_chain_over_many_requests(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        assert_int_equal(world_rollback(&w, "origin"), 0);

        Walk walk = walk_log(&w);
        assert_int_equal(walk.records, 1 + 4 * 2); /* open, then intent and outcome of each */
        assert_int_equal(walk.gaps, 0);
        assert_int_equal(walk.strays, 0);
        assert_string_equal(walk.last_event, "outcome");
        cleanup_free char *head = scratch_read(&w.scratch, HEAD, NULL);
        assert_int_equal(strtol(head, NULL, 10), 9);
        world_deinit(&w);
}

static void cut_log(World *w, size_t n_bytes) {
        size_t n;
        cleanup_free char *audit = scratch_read(&w->scratch, WORLD_AUDIT, &n);
        assert_true(n > n_bytes);
        scratch_write_bytes(&w->scratch, WORLD_AUDIT, audit, n - n_bytes);
}

/* A crash tore the last write: the tear is ended and told, and everything goes on. */
static void test_audit_log_torn_tail(void **state UNUSED) {
        static const size_t cuts[] = { 2, 20, 200 };
        TEST_EACH(cut, cuts) {
                World w;
                world_init(&w);
                assert_int_equal(world_enable(&w, "alpha"), 0);
                cut_log(&w, *cut);
                scratch_remove(&w.scratch, HEAD); /* as after the power cut that tore the log */

                assert_int_equal(world_enable(&w, "beta"), 0);
                Walk walk = walk_log(&w);
                assert_int_equal(walk.gaps, 0);
                assert_int_equal(walk.strays, 1);
                cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
                assert_non_null(strstr(audit, "\"ev\":\"torn\""));
                world_deinit(&w);
        }
}

/* Only the newline is missing: the record counts, and the next one starts on its own line. */
static void test_audit_log_lost_newline(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cut_log(&w, 1);
        scratch_remove(&w.scratch, HEAD);
        assert_int_equal(world_enable(&w, "beta"), 0);
        Walk walk = walk_log(&w);
        assert_int_equal(walk.records, 5);
        assert_int_equal(walk.gaps, 0);
        assert_int_equal(walk.strays, 0);
        world_deinit(&w);
}

/* The very first write was torn: the log starts behind it, on a line of its own. */
static void test_audit_log_torn_at_its_birth(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_write(&w.scratch, WORLD_AUDIT, "{\"boot\":\"b007");
        assert_int_equal(world_enable(&w, "alpha"), 0);
        Walk walk = walk_log(&w);
        assert_int_equal(walk.records, 4); /* open, torn, intent, outcome */
        assert_int_equal(walk.gaps, 0);
        assert_int_equal(walk.strays, 1);
        world_deinit(&w);
}

/* Somebody took whole records away: the chain goes on from the head that was kept, so the gap shows. */
static void test_audit_log_cut_file_leaves_a_gap(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        char *second = strchr(audit, '\n') + 1;
        scratch_write_bytes(&w.scratch, WORLD_AUDIT, audit, (size_t) (second - audit));

        assert_int_equal(world_disable(&w, "alpha"), 0);
        Walk walk = walk_log(&w);
        assert_int_equal(walk.gaps, 1);
        assert_int_equal(walk.records, 3);
        cleanup_free char *now = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(now, "\"seq\":6"));
        world_deinit(&w);
}

static void test_audit_log_removed_file_leaves_a_gap(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_remove(&w.scratch, WORLD_AUDIT);
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_false(scratch_has(&w.scratch, WORLD_AUDIT));
        cleanup_free char *audit = scratch_read(
                        &w.scratch, "var/log/twprofile/audit-4.ndjson", NULL);
        assert_non_null(strstr(audit, "\"seq\":4"));
        world_deinit(&w);
}

static void test_audit_log_strange_head_counts_as_none(void **state UNUSED) {
        static const char *const heads[] = {
                "", "7", "seven 00\n", "7 00\n", "99999999999999999999 00\n",
        };
        TEST_EACH(head, heads) {
                World w;
                world_init(&w);
                assert_int_equal(world_enable(&w, "alpha"), 0);
                scratch_write(&w.scratch, HEAD, *head);
                assert_int_equal(world_enable(&w, "beta"), 0);
                Walk walk = walk_log(&w);
                assert_int_equal(walk.gaps, 0);
                assert_int_equal(walk.records, 5);
                world_deinit(&w);
        }
}

/* The head is written after the log and not flushed: an older one is what a power cut leaves, and no tampering. */
static void test_audit_log_older_head_is_a_prefix(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *older = scratch_read(&w.scratch, HEAD, NULL);
        assert_int_equal(world_enable(&w, "beta"), 0);
        scratch_write(&w.scratch, HEAD, older);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        Walk walk = walk_log(&w);
        assert_int_equal(walk.records, 7);
        assert_int_equal(walk.gaps, 0);
        world_deinit(&w);
}

/* The same number with another hash: the last record was rewritten. The chain goes on from what was written. */
static void test_audit_log_rewritten_end_shows(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        char *outcome = strstr(strstr(audit, "\"ev\":\"outcome\""), "\"verb\":\"enable\"");
        assert_non_null(outcome);
        outcome[strlen("\"verb\":\"enab")] = 'X';
        scratch_write(&w.scratch, WORLD_AUDIT, audit);
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(walk_log(&w).gaps, 1);
        world_deinit(&w);
}

static void test_audit_log_goes_on_in_the_newest_file(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        size_t n;
        cleanup_free char *first = scratch_read(&w.scratch, WORLD_AUDIT, &n);
        scratch_write(&w.scratch, "var/log/twprofile/audit-4.ndjson", "");
        scratch_write(&w.scratch, "var/log/twprofile/audit-x.ndjson", "");
        scratch_write(&w.scratch, "var/log/twprofile/audit-9.ndjson.gz", "");
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *same = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_string_equal(first, same);
        cleanup_free char *second = scratch_read(
                        &w.scratch, "var/log/twprofile/audit-4.ndjson", NULL);
        assert_non_null(strstr(second, "\"seq\":4"));
        world_deinit(&w);
}

/* --- a log that cannot be written ------------------------------------------------------------------------------- */

static void test_audit_log_that_cannot_be_opened_refuses(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        scratch_mkdir(&w.scratch,
                      "var/log/twprofile/audit-1.ndjson"); /* a directory in its place */
        int code = world_enable(&w, "alpha");
        assert_int_equal(code, 2);
        assert_true(world_has_finding(&w, DIAG_AUDIT_UNWRITABLE));
        assert_true(world_view_is(&w, origin));
        assert_int_equal(w.kernel.n_writes, 0);
        world_deinit(&w);
}

static bool writes_audit(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PWRITE && strstr(call->path, "audit-1") != NULL;
}

static void test_audit_log_full_disk_refuses_before_any_write(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        w.fault.matches = writes_audit;
        w.fault.at = 1;
        w.fault.for_ever = true;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = ENOSPC;
        assert_int_equal(world_enable(&w, "alpha"), 2);
        assert_true(world_has_finding(&w, DIAG_AUDIT_UNWRITABLE));
        assert_true(world_view_is(&w, origin));
        assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ""), 0);
        seam_fault_reset(&w.fault);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        world_deinit(&w);
}

/* The outcome cannot be told any more: what is committed stays, and the answer says so. */
static void test_audit_log_full_disk_at_the_outcome(void **state UNUSED) {
        World w;
        world_init(&w);
        w.fault.matches = writes_audit;
        w.fault.at = 2;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = ENOSPC;
        int code = world_enable(&w, "alpha");
        assert_true(world_has_finding(&w, DIAG_AUDIT_INCOMPLETE));
        assert_int_equal(code, diag_list_exit_code(w.result.findings));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        seam_fault_reset(&w.fault);
        assert_int_equal(world_rollback(&w, "origin"), 0);
        world_deinit(&w);
}

static bool take_all(void *userdata, const AuditRecord *record, const AuditHead *head) {
        unsigned *n = userdata;
        *n += 1;
        assert_true(head->seq > 0);
        assert_non_null(record->verb);
        return true;
}

static void test_audit_log_mirror_is_told(void **state UNUSED) {
        World w;
        world_init(&w);
        unsigned n = 0;
        w.engine.mirror = take_all;
        w.engine.mirror_userdata = &n;
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(n, 2);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"mirror\":1"));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_audit_log_chain_over_many_requests),
          cmocka_unit_test(test_audit_log_torn_tail), cmocka_unit_test(test_audit_log_lost_newline),
          cmocka_unit_test(test_audit_log_torn_at_its_birth),
          cmocka_unit_test(test_audit_log_cut_file_leaves_a_gap),
          cmocka_unit_test(test_audit_log_removed_file_leaves_a_gap),
          cmocka_unit_test(test_audit_log_strange_head_counts_as_none),
          cmocka_unit_test(test_audit_log_older_head_is_a_prefix),
          cmocka_unit_test(test_audit_log_rewritten_end_shows),
          cmocka_unit_test(test_audit_log_goes_on_in_the_newest_file),
          cmocka_unit_test(test_audit_log_that_cannot_be_opened_refuses),
          cmocka_unit_test(test_audit_log_full_disk_refuses_before_any_write),
          cmocka_unit_test(test_audit_log_full_disk_at_the_outcome),
          cmocka_unit_test(test_audit_log_mirror_is_told))

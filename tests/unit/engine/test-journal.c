/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/journal.h"

#include <unistd.h>

#include "engine/paths.h"
#include "failing-world.h"

#define TX_A "11111111-1111-4111-8111-111111111111"
#define TX_B "22222222-2222-4222-8222-222222222222"

/* --- the file itself ------------------------------------------------------------------------------------------ */

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
        Arena *arena;
        Journal journal;
        Error error;
        unsigned n_checkpoints;
} Fixture;

static void fixture_open(Fixture *f) {
        f->arena = arena_new();
        assert_non_null(f->arena);
        assert_int_equal(
                        journal_open(&f->journal, &f->fault.seam, f->scratch.fd, f->arena,
                                     &f->error),
                        0);
}

static void fixture_close(Fixture *f) {
        journal_deinit(&f->journal);
        f->arena = arena_free(f->arena);
}

static void fixture_reopen(Fixture *f) {
        fixture_close(f);
        fixture_open(f);
}

static void fixture_init(Fixture *f) {
        *f = (Fixture){ 0 };
        scratch_init(&f->scratch);
        seam_fault_init(&f->fault, seam_real());
        fixture_open(f);
}

static void fixture_deinit(Fixture *f) {
        fixture_close(f);
        scratch_deinit(&f->scratch);
}

static int checkpoint(void *userdata, Error *reterr UNUSED) {
        Fixture *f = userdata;
        f->n_checkpoints++;
        return 0;
}

static int append(Fixture *f, JournalType type, const char *tx, const char *text) {
        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        strbuf_add(&payload, text);
        Sha256 hash;
        return journal_append(&f->journal, type, tx, &payload, &hash, &f->error);
}

static void test_journal_missing_file_is_empty(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(f.journal.scan.n_frames, 0);
        assert_null(journal_find_last(&f.journal, JOURNAL_COMMIT, NULL));
        assert_int_equal(append(&f, JOURNAL_DONE, TX_A, "{}"), -ENOSPC); /* no room was made */
        fixture_deinit(&f);
}

static void test_journal_append_and_scan(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(journal_reserve(&f.journal, 4096, checkpoint, &f, &f.error), 0);
        assert_int_equal(f.n_checkpoints, 0); /* nothing was in it */
        assert_int_equal(scratch_size(&f.scratch, ENGINE_JOURNAL), JOURNAL_FILE_SIZE);
        assert_int_equal(append(&f, JOURNAL_PREPARED, TX_A, "{\"a\":1}"), 0);
        assert_int_equal(append(&f, JOURNAL_COMMIT, TX_A, "{\"a\":2}"), 0);
        assert_int_equal(journal_flush(&f.journal, &f.error), 0);
        assert_int_equal(append(&f, JOURNAL_DONE, TX_A, "{\"a\":3}"), 0);
        assert_int_equal(append(&f, JOURNAL_PREPARED, TX_B, "{\"b\":1}"), 0);

        fixture_reopen(&f);
        assert_int_equal(f.journal.scan.n_frames, 4);
        assert_int_equal(f.journal.scan.tail, JOURNAL_TAIL_CLEAN);
        const JournalFrame *frame = journal_find_last(&f.journal, JOURNAL_PREPARED, TX_A);
        assert_non_null(frame);
        assert_memory_equal(frame->payload, "{\"a\":1}", frame->payload_length);
        frame = journal_find_last(&f.journal, JOURNAL_PREPARED, NULL);
        assert_string_equal(frame->tx, TX_B);
        assert_int_equal(f.journal.scan.frames[3].durable, 2);
        assert_int_equal(append(&f, JOURNAL_DONE, TX_B, "{}"), 0); /* goes on where it ended */
        fixture_reopen(&f);
        assert_int_equal(f.journal.scan.n_frames, 5);
        fixture_deinit(&f);
}

static void test_journal_full_file_is_replaced(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(journal_reserve(&f.journal, 4096, checkpoint, &f, &f.error), 0);
        assert_int_equal(append(&f, JOURNAL_COMMIT, TX_A, "{\"old\":1}"), 0);
        assert_int_equal(append(&f, JOURNAL_DONE, TX_A, "{}"), 0);
        assert_int_equal(append(&f, JOURNAL_COMMIT, TX_B, "{\"kept\":1}"), 0);
        assert_int_equal(append(&f, JOURNAL_DONE, TX_B, "{\"kept\":2}"), 0);
        fixture_reopen(&f);

        /* does not fit behind what is there: a new file, as large as needed, with the last COMMIT and its DONE */
        size_t need = JOURNAL_FILE_SIZE + 1;
        assert_int_equal(journal_reserve(&f.journal, need, checkpoint, &f, &f.error), 0);
        assert_int_equal(f.n_checkpoints, 1);
        assert_int_equal(scratch_size(&f.scratch, ENGINE_JOURNAL), 2 * JOURNAL_FILE_SIZE);
        fixture_reopen(&f);
        assert_int_equal(f.journal.scan.n_frames, 2);
        assert_string_equal(f.journal.scan.frames[0].tx, TX_B);
        assert_int_equal(f.journal.scan.frames[1].type, JOURNAL_DONE);

        assert_int_equal(
                        journal_reserve(&f.journal, JOURNAL_FILE_MAX + 1, checkpoint, &f, &f.error),
                        -EFBIG);
        fixture_deinit(&f);
}

static int failing_checkpoint(void *userdata UNUSED, Error *reterr) {
        return error_set(reterr, -EIO, "cannot flush");
}

static void test_journal_stays_when_the_checkpoint_fails(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(journal_reserve(&f.journal, 4096, checkpoint, &f, &f.error), 0);
        assert_int_equal(append(&f, JOURNAL_COMMIT, TX_A, "{}"), 0);
        fixture_reopen(&f);
        assert_int_equal(
                        journal_reserve(&f.journal, JOURNAL_FILE_SIZE, failing_checkpoint, &f,
                                        &f.error),
                        -EIO);
        fixture_reopen(&f);
        assert_int_equal(f.journal.scan.n_frames, 1);
        fixture_deinit(&f);
}

static void test_journal_open_refuses_links_and_giants(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        Journal journal = { 0 };
        scratch_link(&f.scratch, ENGINE_JOURNAL, "/etc/passwd");
        assert_int_equal(
                        journal_open(&journal, &f.fault.seam, f.scratch.fd, f.arena, &f.error),
                        -ELOOP);
        scratch_remove(&f.scratch, ENGINE_JOURNAL);
        scratch_write(&f.scratch, ENGINE_JOURNAL, "");
        char path[128];
        (void) snprintf(path, sizeof(path), "%s/journal", f.scratch.path);
        assert_int_equal(truncate(path, (off_t) JOURNAL_FILE_MAX + 1), 0);
        assert_int_equal(
                        journal_open(&journal, &f.fault.seam, f.scratch.fd, f.arena, &f.error),
                        -EFBIG);
        fixture_deinit(&f);
}

/* --- without memory ----------------------------------------------------------------------------------------------- */

static void *before_full(void *data UNUSED) {
        static Fixture one; /* at a time */
        Fixture *f = &one;
        fixture_init(f);
        assert_int_equal(journal_reserve(&f->journal, 4096, checkpoint, f, &f->error), 0);
        assert_int_equal(append(f, JOURNAL_COMMIT, TX_A, "{\"kept\":1}"), 0);
        assert_int_equal(append(f, JOURNAL_DONE, TX_A, "{\"kept\":2}"), 0);
        return f;
}

/* A new file because of its size, one more frame, and a new file because of a flush that failed. */
static void act_full(void *fixture, void *data UNUSED) {
        Fixture *f = fixture;
        Error error = { 0 };
        CLEANUP(journal_deinit) Journal journal = { .file = SEAM_FD_EMPTY };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(strbuf_deinit) StrBuf payload = { 0 };
        Sha256 hash;
        strbuf_add(&payload, "{\"new\":1}");
        const JournalRecord records[] = { { JOURNAL_PREPARED, &payload },
                                          { JOURNAL_COMMIT, &payload } };
        if (!arena || journal_open_latest(&journal, &f->fault.seam, f->scratch.fd, arena, &error))
                return;
        if (journal_reserve(&journal, JOURNAL_FILE_SIZE, checkpoint, f, &error) < 0 ||
            journal_append(&journal, JOURNAL_PREPARED, TX_B, &payload, &hash, &error) < 0)
                return;
        (void) !journal_rewrite(&journal, TX_B, records, ELEMENTSOF(records), &hash, &error);
}

/* Whatever failed: what was committed is there, alone or with the other, and nothing is damaged. */
static void after_full(void *fixture, void *data UNUSED) {
        Fixture *f = fixture;
        fixture_reopen(f);
        const JournalFrame *commit = journal_find_last(&f->journal, JOURNAL_COMMIT, TX_A);
        assert_true(commit || journal_find_last(&f->journal, JOURNAL_COMMIT, TX_B));
        assert_int_equal(f->journal.scan.tail, JOURNAL_TAIL_CLEAN);
        if (commit)
                assert_memory_equal(commit->payload, "{\"kept\":1}", commit->payload_length);
        fixture_deinit(f);
}

static void test_journal_without_memory(void **state UNUSED) {
        assert_in_range(failing_memory_everywhere(&(FailingMemoryTest){ before_full, act_full,
                                                                        after_full, NULL }),
                        FAILING_MEMORY_HAS_MALLOC ? 3 : 1, 500);

        Fixture f;
        fixture_init(&f);
        StrBuf failed = { .failed = true };
        Sha256 hash;
        assert_int_equal(
                        journal_rewrite(&f.journal, TX_A,
                                        &(JournalRecord){ JOURNAL_COMMIT, &failed }, 1, &hash,
                                        &f.error),
                        -ENOMEM);
        fixture_deinit(&f);
}

/* --- a COMMIT that cannot be flushed -------------------------------------------------------------------------- */

static bool flushes_journal(void *userdata UNUSED, const SeamCall *call) {
        bool flush = call->kind == SEAM_CALL_FSYNC || call->kind == SEAM_CALL_FDATASYNC;
        return flush && strstr(call->path, "journal") != NULL;
}

static void fail_journal_flushes(World *w, uint64_t from, bool for_ever) {
        seam_fault_reset(&w->fault);
        w->fault.matches = flushes_journal;
        w->fault.at = from;
        w->fault.for_ever = for_ever;
        w->fault.kind = SEAM_FAULT_ERROR;
        w->fault.error = EIO;
}

static void mend(World *w) {
        seam_fault_reset(&w->fault);
        w->fault.matches = NULL;
}

static void test_journal_commit_gets_a_second_file(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        fail_journal_flushes(&w, 1, /* for_ever= */ false);
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(w.fault.n_faults, 1);
        mend(&w);

        cleanup_free char *view = world_view(&w);
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_outcome(&w), "unchanged");
        assert_true(world_view_is(&w, view));
        assert_int_equal(w.result.generation, 2);
        assert_int_equal(world_rollback(&w, NULL), 0);
        assert_int_equal(world_rollback(&w, "origin"), 0);
        world_deinit(&w);
}

/* The second file's COMMIT survives a power cut before the fragment, with what recovery must know. */
static bool renames_fragment(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && endswith(call->to, "/60-twprofile.conf");
}

static int disable_with_bad_flush(World *w) {
        w->fault.matches = flushes_journal;
        w->fault.at = 1;
        w->fault.kind = SEAM_FAULT_ERROR;
        w->fault.error = EIO;
        return world_disable(w, "alpha");
}

static void test_journal_second_file_and_a_power_cut(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha delta"), 0);
        assert_true(world_die_when(&w, disable_with_bad_flush, renames_fragment));
        world_reboot(&w);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192"); /* the old fragment */

        assert_int_equal(world_boot(&w), 0);
        assert_true(world_has_finding(&w, DIAG_REDONE));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_port_range"), "20000\t60999");
        world_deinit(&w);
}

static void test_journal_that_cannot_be_flushed_at_all(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *old = world_view(&w);
        fail_journal_flushes(&w, 1, /* for_ever= */ true);
        assert_int_equal(world_enable(&w, "beta"), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        assert_non_null(status);
        assert_non_null(strstr(status, "unknown"));
        mend(&w);

        assert_int_equal(world_recover(&w), 0);
        cleanup_free char *now = world_view(&w);
        bool is_old = streq(now, old);
        assert_int_equal(w.result.generation, is_old ? 1 : 2);
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(world_rollback(&w, "origin"), 0);
        world_deinit(&w);
}

/* Enough changes for several files; every generation stays reachable. */
static void count_new_files(void *userdata, const SeamCall *call) {
        unsigned *n = userdata;
        *n += call->kind == SEAM_CALL_RENAME_AT && endswith(call->to, "/journal");
}

static void test_journal_full_through_the_engine(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *origin = world_view(&w);
        unsigned n_files = 0;
        w.fault.before = count_new_files;
        w.fault.userdata = &n_files;
        for (unsigned i = 0; i < 120; i++)
                assert_int_equal(world_only(&w, i % 2 ? "alpha delta epsilon" : "beta gamma"), 0);
        assert_in_range(n_files, 2, 10);
        assert_int_equal(w.result.generation, 120);
        assert_int_equal(world_rollback(&w, "1"), 0);
        assert_string_equal(world_live(&w, "net/ipv4/tcp_max_syn_backlog"), "8192");
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_true(world_view_is(&w, origin));
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_journal_missing_file_is_empty),
          cmocka_unit_test(test_journal_append_and_scan),
          cmocka_unit_test(test_journal_full_file_is_replaced),
          cmocka_unit_test(test_journal_stays_when_the_checkpoint_fails),
          cmocka_unit_test(test_journal_open_refuses_links_and_giants),
          cmocka_unit_test(test_journal_without_memory),
          cmocka_unit_test(test_journal_commit_gets_a_second_file),
          cmocka_unit_test(test_journal_second_file_and_a_power_cut),
          cmocka_unit_test(test_journal_that_cannot_be_flushed_at_all),
          cmocka_unit_test(test_journal_full_through_the_engine))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/atomic-file.h"

#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
} Fixture;

static void fixture_init(Fixture *f) {
        scratch_init(&f->scratch);
        seam_fault_init(&f->fault, seam_real());
        scratch_write(&f->scratch, "60-x.conf", "old");
}

static void fixture_deinit(Fixture *f) {
        scratch_deinit(&f->scratch);
}

static void assert_content(Fixture *f, const char *want) {
        cleanup_free char *text = scratch_read(&f->scratch, "60-x.conf", NULL);
        assert_string_equal(text, want);
}

static int begin(Fixture *f, bool flush, AtomicFile *ret) {
        AtomicContent content = { .bytes = "new", .length = 3, .mode = 0644, .flush = flush };
        return atomic_file_begin(&f->fault.seam, f->scratch.fd, "60-x.conf", &content, ret);
}

static void test_atomic_file_commit(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        AtomicFile file;
        assert_int_equal(begin(&f, /* flush= */ true, &file), 0);
        assert_content(&f, "old");
        assert_true(file.temporary[0] == '.');
        assert_false(endswith(file.temporary, ".conf")); /* procps reads hidden files */
        assert_true(scratch_has(&f.scratch, file.temporary));

        assert_int_equal(atomic_file_commit(&file, /* flush= */ true), 0);
        assert_content(&f, "new");
        assert_int_equal(f.fault.n_kind[SEAM_CALL_FSYNC], 2); /* the file, the directory */
        atomic_file_abandon(&file);                           /* after a commit: nothing */
        assert_content(&f, "new");
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 1);
        fixture_deinit(&f);
}

static void test_atomic_file_abandon(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        AtomicFile file;
        assert_int_equal(begin(&f, /* flush= */ false, &file), 0);
        atomic_file_abandon(&file);
        assert_content(&f, "old");
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 1);
        atomic_file_abandon(&file);
        fixture_deinit(&f);
}

static void test_atomic_file_remove(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        AtomicFile file;
        assert_int_equal(begin(&f, /* flush= */ false, &file), 0);
        assert_int_equal(atomic_file_remove(&file), 0);
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 0);
        assert_int_equal(begin(&f, /* flush= */ false, &file), 0);
        assert_int_equal(atomic_file_remove(&file), 0); /* it was not there: just as well */

        assert_int_equal(begin(&f, /* flush= */ false, &file), 0);
        f.fault.at = f.fault.n_calls + 1;
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EROFS;
        assert_int_equal(atomic_file_remove(&file), -EROFS);
        atomic_file_abandon(&file);
        fixture_deinit(&f);
}

/* Whatever fails while it begins: the old file stands and nothing is left beside it. */
static void test_atomic_file_begin_failures_leave_nothing(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        AtomicFile file;
        assert_int_equal(begin(&f, /* flush= */ true, &file), 0);
        uint64_t n_calls = f.fault.n_calls;
        atomic_file_abandon(&file);

        for (uint64_t at = 1; at < n_calls; at++) { /* the last one is close() */
                seam_fault_reset(&f.fault);
                f.fault.at = at;
                f.fault.kind = SEAM_FAULT_ERROR;
                f.fault.error = ENOSPC;
                assert_int_equal(begin(&f, /* flush= */ true, &file), -ENOSPC);
                assert_content(&f, "old");
                assert_int_equal(scratch_count(&f.scratch, ".", ""), 1);
        }
        fixture_deinit(&f);
}

static void test_atomic_file_failed_commit_can_be_abandoned(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        AtomicFile file;
        assert_int_equal(begin(&f, /* flush= */ true, &file), 0);
        f.fault.at = f.fault.n_calls + 1;
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EIO;
        assert_int_equal(atomic_file_commit(&file, /* flush= */ true), -EIO);
        atomic_file_abandon(&file);
        assert_content(&f, "old");
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 1);
        fixture_deinit(&f);
}

static void test_atomic_file_replace(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(
                        atomic_file_replace(
                                        &f.fault.seam, f.scratch.fd, "60-x.conf", "abc", 3, 0600),
                        0);
        assert_content(&f, "abc");
        assert_int_equal(f.fault.n_kind[SEAM_CALL_FSYNC], 0);
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 1);
        fixture_deinit(&f);
}

static void test_atomic_file_name_too_long(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char name[2 * ATOMIC_FILE_NAME_MAX];
        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_int_equal(
                        atomic_file_replace(&f.fault.seam, f.scratch.fd, name, "abc", 3, 0600),
                        -ENAMETOOLONG);
        assert_int_equal(f.fault.n_calls, 0);
        fixture_deinit(&f);
}

static void test_atomic_file_sweep(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        AtomicFile dead;
        assert_int_equal(
                        atomic_file_begin(
                                        &f.fault.seam, f.scratch.fd, "60-x.conf",
                                        &(AtomicContent){
                                                        .bytes = "abc", .length = 3, .mode = 0644 },
                                        &dead),
                        0);
        scratch_write(&f.scratch, "60-x.plain", "");
        scratch_write(&f.scratch, ".70-y.00000000", "");

        atomic_file_sweep(&f.fault.seam, f.scratch.fd, "60-x.");
        assert_false(scratch_has(&f.scratch, dead.temporary));
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 3);
        atomic_file_sweep(&f.fault.seam, f.scratch.fd, "");
        assert_true(scratch_has(&f.scratch, "60-x.plain"));
        assert_int_equal(scratch_count(&f.scratch, ".", ""), 2);
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_atomic_file_commit), cmocka_unit_test(test_atomic_file_abandon),
          cmocka_unit_test(test_atomic_file_remove),
          cmocka_unit_test(test_atomic_file_begin_failures_leave_nothing),
          cmocka_unit_test(test_atomic_file_failed_commit_can_be_abandoned),
          cmocka_unit_test(test_atomic_file_replace), cmocka_unit_test(test_atomic_file_sweep),
          cmocka_unit_test(test_atomic_file_name_too_long))

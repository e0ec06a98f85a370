/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/seam-io.h"

#include <fcntl.h>
#include <unistd.h>

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
}

static void fixture_deinit(Fixture *f) {
        scratch_deinit(&f->scratch);
}

static void fail_at(Fixture *f, uint64_t at, SeamFaultKind kind, int error, bool for_ever) {
        seam_fault_reset(&f->fault);
        f->fault.at = at;
        f->fault.kind = kind;
        f->fault.error = error;
        f->fault.for_ever = for_ever;
}

static void test_seam_io_open_and_close(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "a", "text");
        int number;
        {
                cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
                assert_int_equal(seam_open(&f.fault.seam, f.scratch.fd, "a", O_RDONLY, 0, &fd), 0);
                number = fd.fd;
                assert_true((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
                struct stat st;
                assert_int_equal(seam_fstat(&fd, &st), 0);
                assert_int_equal(st.st_size, 4);
        }
        assert_true(fcntl(number, F_GETFD) < 0);
        assert_int_equal(f.fault.n_kind[SEAM_CALL_CLOSE], 1);

        SeamFd missing = SEAM_FD_EMPTY;
        assert_int_equal(
                        seam_open(&f.fault.seam, f.scratch.fd, "b", O_RDONLY, 0, &missing),
                        -ENOENT);
        assert_int_equal(missing.fd, FD_EMPTY);
        seam_fd_close(&missing);
        fixture_deinit(&f);
}

static void test_seam_io_retries_what_a_signal_cut(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        fail_at(&f, 1, SEAM_FAULT_ERROR, EINTR, false);
        assert_int_equal(
                        seam_open(&f.fault.seam, f.scratch.fd, "a", O_RDWR | O_CREAT, 0600, &fd),
                        0);
        fail_at(&f, 1, SEAM_FAULT_ERROR, EINTR, false);
        assert_int_equal(seam_write(&fd, "hello", 5, 0), 0);
        fail_at(&f, 1, SEAM_FAULT_ERROR, EINTR, false);
        assert_int_equal(seam_fsync(&fd), 0);
        fail_at(&f, 1, SEAM_FAULT_ERROR, EINTR, false);
        assert_int_equal(seam_fdatasync(&fd), 0);
        char buffer[8];
        fail_at(&f, 1, SEAM_FAULT_ERROR, EINTR, false);
        assert_int_equal(seam_read(&fd, buffer, sizeof(buffer), 0), 5);

        fail_at(&f, 1, SEAM_FAULT_ERROR, EINTR, true); /* for ever: a broken world, not a hang */
        assert_int_equal(seam_write(&fd, "hello", 5, 0), -EINTR);
        fixture_deinit(&f);
}

static void test_seam_io_short_transfers(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        assert_int_equal(
                        seam_open(&f.fault.seam, f.scratch.fd, "a", O_RDWR | O_CREAT, 0600, &fd),
                        0);
        fail_at(&f, 1, SEAM_FAULT_SHORT, 0, true);
        assert_int_equal(seam_write(&fd, "0123456789", 10, 0), 0);
        assert_true(f.fault.n_calls > 1);
        char buffer[16] = { 0 };
        fail_at(&f, 1, SEAM_FAULT_SHORT, 0, true);
        assert_int_equal(seam_read(&fd, buffer, 10, 0), 10);
        assert_string_equal(buffer, "0123456789");

        /* a kernel file is written once or not at all */
        fail_at(&f, 1, SEAM_FAULT_SHORT, 0, false);
        assert_int_equal(seam_write_once(&fd, "4096\n", 5), -EIO);
        fail_at(&f, 1, SEAM_FAULT_ERROR, EINVAL, false);
        assert_int_equal(seam_write_once(&fd, "4096\n", 5), -EINVAL);
        seam_fault_reset(&f.fault);
        assert_int_equal(seam_write_once(&fd, "4096\n", 5), 0);
        assert_int_equal(f.fault.n_calls, 1);
        fixture_deinit(&f);
}

static ssize_t write_nothing(
                const Seam *seam UNUSED, int fd UNUSED, const void *bytes UNUSED, size_t n UNUSED,
                off_t offset UNUSED) {
        return 0;
}

static void test_seam_io_write_that_does_not_advance(void **state UNUSED) {
        SeamOps ops = *seam_real()->ops;
        ops.pwrite = write_nothing;
        Seam seam = { .ops = &ops };
        SeamFd fd = { .seam = &seam, .fd = STDOUT_FILENO };
        assert_int_equal(seam_write(&fd, "x", 1, 0), -EIO);
}

static void test_seam_io_read_file(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char large[9000];
        memset(large, 'x', sizeof(large));
        scratch_write(&f.scratch, "empty", "");
        scratch_write(&f.scratch, "four", "four");
        scratch_write_bytes(&f.scratch, "large", large, sizeof(large));
        scratch_link(&f.scratch, "link", "four");
        scratch_mkdir(&f.scratch, "dir");

        static const struct {
                const char *name;
                size_t limit;
                int r;
                size_t length;
        } rows[] = {
                { "empty", 10, 0, 0 },         { "four", 10, 0, 4 },
                { "four", 4, 0, 4 },           { "four", 3, -EFBIG, 0 },
                { "large", 9000, 0, 9000 },    { "large", 8999, -EFBIG, 0 },
                { "link", 10, -ELOOP, 0 },     { "dir", 10, -EINVAL, 0 },
                { "missing", 10, -ENOENT, 0 },
        };
        TEST_EACH(row, rows) {
                cleanup_free char *bytes = NULL;
                size_t n = 0;
                assert_int_equal(
                                seam_read_file_at(
                                                &f.fault.seam, f.scratch.fd, row->name, row->limit,
                                                &bytes, &n),
                                row->r);
                assert_int_equal(n, row->length);
                assert_true(row->r < 0 || bytes[n] == '\0');
        }
        fixture_deinit(&f);
}

/* Files of /proc say size 0 and are read to their end all the same, up to the limit. */
static int fstat_zero(const Seam *seam UNUSED, int fd, struct stat *ret) {
        int r = seam_real()->ops->fstat(seam_real(), fd, ret);
        ret->st_size = 0;
        return r;
}

static void test_seam_io_read_file_without_a_size(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char large[20000];
        memset(large, 'x', sizeof(large));
        scratch_write_bytes(&f.scratch, "large", large, sizeof(large));
        SeamOps ops = *seam_real()->ops;
        ops.fstat = fstat_zero;
        Seam seam = { .ops = &ops };

        cleanup_free char *bytes = NULL;
        size_t n;
        assert_int_equal(seam_read_file_at(&seam, f.scratch.fd, "large", 1U << 20, &bytes, &n), 0);
        assert_int_equal(n, sizeof(large));
        char *none = NULL;
        assert_int_equal(seam_read_file_at(&seam, f.scratch.fd, "large", 19999, &none, &n), -EFBIG);
        assert_null(none);
        fixture_deinit(&f);
}

static void test_seam_io_read_file_reports_errors(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "a", "text");
        for (uint64_t at = 1; at <= 4; at++) { /* open, fstat, fstat, pread */
                fail_at(&f, at, SEAM_FAULT_ERROR, EIO, false);
                char *bytes = NULL;
                size_t n;
                assert_int_equal(
                                seam_read_file_at(&f.fault.seam, f.scratch.fd, "a", 10, &bytes, &n),
                                -EIO);
                assert_null(bytes);
        }
        fixture_deinit(&f);
}

static void test_seam_io_open_dir_makes_parents(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        assert_int_equal(seam_open_dir(&f.fault.seam, f.scratch.fd, "a/b/c", 0700, &dir), 0);
        struct stat st;
        assert_int_equal(seam_fstat(&dir, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);

        cleanup_seam_fd SeamFd again = SEAM_FD_EMPTY;
        uint64_t n_mkdir = f.fault.n_kind[SEAM_CALL_MKDIR_AT];
        assert_int_equal(seam_open_dir(&f.fault.seam, f.scratch.fd, "a/b/c", 0700, &again), 0);
        assert_int_equal(f.fault.n_kind[SEAM_CALL_MKDIR_AT], n_mkdir);

        scratch_write(&f.scratch, "file", "");
        SeamFd none = SEAM_FD_EMPTY;
        assert_int_equal(
                        seam_open_dir(&f.fault.seam, f.scratch.fd, "file/x", 0700, &none),
                        -ENOTDIR);
        fail_at(&f, 2, SEAM_FAULT_ERROR, EROFS, false);
        assert_int_equal(seam_open_dir(&f.fault.seam, f.scratch.fd, "new/x", 0700, &none), -EROFS);
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_seam_io_open_and_close),
          cmocka_unit_test(test_seam_io_retries_what_a_signal_cut),
          cmocka_unit_test(test_seam_io_short_transfers),
          cmocka_unit_test(test_seam_io_write_that_does_not_advance),
          cmocka_unit_test(test_seam_io_read_file),
          cmocka_unit_test(test_seam_io_read_file_without_a_size),
          cmocka_unit_test(test_seam_io_read_file_reports_errors),
          cmocka_unit_test(test_seam_io_open_dir_makes_parents))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/seam.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "seam/scratch.h"
#include "test.h"

static const Seam *s;
static const SeamOps *ops;

static void setup(void) {
        s = seam_real();
        ops = s->ops;
}

static void test_seam_files(void **state UNUSED) {
        setup();
        Scratch scratch;
        scratch_init(&scratch);
        int fd = ops->open_at(s, scratch.fd, "a", O_RDWR | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        assert_int_equal(ops->fallocate(s, fd, 0, 100), 0);
        assert_int_equal(ops->pwrite(s, fd, "hello", 5, 10), 5);
        char buffer[8] = { 0 };
        assert_int_equal(ops->pread(s, fd, buffer, 5, 10), 5);
        assert_string_equal(buffer, "hello");
        assert_int_equal(ops->fsync(s, fd), 0);
        assert_int_equal(ops->fdatasync(s, fd), 0);

        struct stat st;
        assert_int_equal(ops->fstat(s, fd, &st), 0);
        assert_int_equal(st.st_size, 100);
        assert_int_equal(ops->ftruncate(s, fd, 7), 0);
        assert_int_equal(ops->fchmod(s, fd, 0640), 0);
        assert_int_equal(ops->fchown(s, fd, (uid_t) -1, (gid_t) -1), 0);
        assert_int_equal(ops->fstat(s, fd, &st), 0);
        assert_int_equal(st.st_size, 7);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(ops->flock(s, fd, LOCK_EX | LOCK_NB), 0);
        assert_int_equal(ops->close(s, fd), 0);
        scratch_deinit(&scratch);
}

static int count_names(void *userdata, const char *name) {
        unsigned *n = userdata;
        assert_true(streq(name, "b") || streq(name, "dir") || streq(name, "link"));
        *n += 1;
        return 0;
}

static int stop_at_once(void *userdata, const char *name UNUSED) {
        unsigned *n = userdata;
        *n += 1;
        return -ECANCELED;
}

static void test_seam_names(void **state UNUSED) {
        setup();
        Scratch scratch;
        scratch_init(&scratch);
        scratch_write(&scratch, "a", "");
        scratch_link(&scratch, "link", "target");
        assert_int_equal(ops->mkdir_at(s, scratch.fd, "dir", 0700), 0);
        assert_int_equal(ops->rename_at(s, scratch.fd, "a", scratch.fd, "b"), 0);
        char buffer[16] = { 0 };
        assert_int_equal(ops->readlink_at(s, scratch.fd, "link", buffer, sizeof(buffer)), 6);
        assert_string_equal(buffer, "target");

        unsigned n = 0;
        assert_int_equal(ops->list(s, scratch.fd, count_names, &n), 0);
        assert_int_equal(n, 3);
        n = 0;
        assert_int_equal(ops->list(s, scratch.fd, count_names, &n), 0); /* again from the start */
        assert_int_equal(n, 3);
        n = 0;
        assert_int_equal(ops->list(s, scratch.fd, stop_at_once, &n), -ECANCELED);
        assert_int_equal(n, 1);
        assert_int_equal(ops->unlink_at(s, scratch.fd, "b", 0), 0);
        assert_int_equal(ops->unlink_at(s, scratch.fd, "dir", AT_REMOVEDIR), 0);
        scratch_deinit(&scratch);
}

/* Every call gives its error as a negative number. */
static void test_seam_errors(void **state UNUSED) {
        setup();
        const int bad = 100000;
        struct stat st;
        char b[4];
        unsigned n = 0;
        assert_int_equal(ops->open_at(s, bad, "a", O_RDONLY, 0), -EBADF);
        assert_int_equal(ops->pread(s, bad, b, 1, 0), -EBADF);
        assert_int_equal(ops->pwrite(s, bad, b, 1, 0), -EBADF);
        assert_int_equal(ops->fsync(s, bad), -EBADF);
        assert_int_equal(ops->fdatasync(s, bad), -EBADF);
        assert_int_equal(ops->fallocate(s, bad, 0, 1), -EBADF);
        assert_int_equal(ops->ftruncate(s, bad, 0), -EBADF);
        assert_int_equal(ops->fstat(s, bad, &st), -EBADF);
        assert_int_equal(ops->fchmod(s, bad, 0), -EBADF);
        assert_int_equal(ops->fchown(s, bad, (uid_t) -1, (gid_t) -1), -EBADF);
        assert_int_equal(ops->mkdir_at(s, bad, "a", 0), -EBADF);
        assert_int_equal(ops->rename_at(s, bad, "a", bad, "b"), -EBADF);
        assert_int_equal(ops->unlink_at(s, bad, "a", 0), -EBADF);
        assert_int_equal(ops->readlink_at(s, bad, "a", b, 1), -EBADF);
        assert_int_equal(ops->flock(s, bad, LOCK_UN), -EBADF);
        assert_int_equal(ops->list(s, bad, count_names, &n), -EBADF);
        assert_int_equal(ops->close(s, bad), -EBADF);
}

TEST_MAIN(cmocka_unit_test(test_seam_files), cmocka_unit_test(test_seam_names),
          cmocka_unit_test(test_seam_errors))

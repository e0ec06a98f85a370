/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include "test.h"

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_fd_close_closes_and_keeps_errno(void **state UNUSED) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(is_open(fd));
        errno = EXDEV;
        assert_int_equal(fd_close(fd), FD_EMPTY);
        assert_int_equal(errno, EXDEV);
        assert_false(is_open(fd));
        assert_int_equal(fd_close(FD_EMPTY), FD_EMPTY);
}

static void test_fd_close_keeps_errno_when_it_fails(void **state UNUSED) {
        errno = EXDEV;
        assert_int_equal(fd_close(1000000), FD_EMPTY);
        assert_int_equal(errno, EXDEV);
}

static void test_fd_cleanup_and_take(void **state UNUSED) {
        int kept, closed;
        {
                cleanup_close int a = open("/dev/null", O_RDONLY | O_CLOEXEC);
                cleanup_close int b = open("/dev/null", O_RDONLY | O_CLOEXEC);
                closed = a;
                kept = TAKE_FD(b);
                assert_int_equal(b, FD_EMPTY);
        }
        assert_false(is_open(closed));
        assert_true(is_open(kept));
        kept = fd_close(kept);
        assert_int_equal(kept, FD_EMPTY);
}

TEST_MAIN(cmocka_unit_test(test_fd_close_closes_and_keeps_errno),
          cmocka_unit_test(test_fd_close_keeps_errno_when_it_fails),
          cmocka_unit_test(test_fd_cleanup_and_take))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/caller.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

static const CallerMethod methods[] = { CALLER_BY_PEERPIDFD, CALLER_BY_PID };

static void test_identify_self(void **state) {
        (void) state;
        TEST_EACH(method, methods) {
                int fds[2];
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);

                CLEANUP(caller_deinit) Caller caller = { .pidfd = FD_EMPTY };
                Error error = {};
                assert_int_equal(caller_identify_by(fds[0], *method, &caller, &error), 0);
                assert_int_equal(caller.state, CALLER_KNOWN);
                assert_int_equal(caller.audit.pid, getpid());
                assert_int_equal(caller.audit.uid, getuid());
                assert_int_equal(caller.audit.gid, getgid());
                assert_true(caller.audit.start > 0);
                assert_string_not_equal(caller.audit.comm, "");
                assert_true(caller_is_alive(&caller));
                if (*method == CALLER_BY_PID)
                        assert_false(caller.audit.pidfd_verified);
                (void) close(fds[0]);
                (void) close(fds[1]);
        }
}

/* A listening socket without a name of its own in the file system. */
static int listen_somewhere(struct sockaddr_un *ret, socklen_t *ret_size) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        assert_int_equal(bind(fd, (struct sockaddr *) ret, sizeof(sa_family_t)), 0);
        assert_int_equal(listen(fd, 4), 0);
        *ret_size = sizeof(*ret);
        assert_int_equal(getsockname(fd, (struct sockaddr *) ret, ret_size), 0);
        return fd;
}

/* A child that connects and lives until `gate` is closed; then its connection, kept by us, has a dead peer. */
static pid_t connect_from_child(const struct sockaddr_un *address, socklen_t size, int gate) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid > 0)
                return pid;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) address, size) < 0)
                _exit(1);
        char byte;
        _exit(read(gate, &byte, 1) == 0 ? 0 : 1);
}

static void test_identify_child_then_gone(void **state) {
        (void) state;
        TEST_EACH(method, methods) {
                struct sockaddr_un address;
                socklen_t size;
                cleanup_close int listener = listen_somewhere(&address, &size);
                int gate[2];
                assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
                pid_t pid = connect_from_child(&address, size, gate[0]);
                /* the child holds a copy of the writing end too: it sees the end only when that is gone */
                cleanup_close int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                assert_true(fd >= 0);

                CLEANUP(caller_deinit) Caller caller = { .pidfd = FD_EMPTY };
                assert_int_equal(caller_identify_by(fd, *method, &caller, NULL), 0);
                /* by number alone a process that started after us is not believed */
                assert_int_equal(caller.audit.pid, pid);
                if (*method == CALLER_BY_PEERPIDFD)
                        assert_int_equal(caller.state, CALLER_KNOWN);

                assert_int_equal(kill(pid, SIGKILL), 0);
                assert_int_equal(waitpid(pid, NULL, 0), pid);
                assert_false(caller_is_alive(&caller));

                /* asked only now, nothing but PEERCRED is known */
                CLEANUP(caller_deinit) Caller late = { .pidfd = FD_EMPTY };
                assert_int_equal(caller_identify_by(fd, *method, &late, NULL), 0);
                assert_int_equal(late.state, CALLER_GONE);
                assert_int_equal(late.audit.pid, pid);
                assert_int_equal(late.audit.uid, getuid());
                assert_int_equal(late.audit.start, 0);
                assert_int_equal(late.audit.auid, AUDIT_UNSET);
                assert_string_equal(late.audit.comm, "");
                assert_false(late.audit.pidfd_verified);
                assert_false(caller_is_alive(&late));
                (void) close(gate[0]);
                (void) close(gate[1]);
        }
}

static void test_identify_refuses_no_connection(void **state) {
        (void) state;
        Caller caller;
        Error error = {};
        int fds[2];
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(caller_identify(fds[0], &caller, &error), -ENOTSOCK);
        assert_non_null(strstr(error.text, "cannot ask who is calling"));
        (void) close(fds[0]);
        (void) close(fds[1]);

        cleanup_close int lonely = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(caller_identify(lonely, &caller, &error), -ENOTCONN);
}

TEST_MAIN(cmocka_unit_test(test_identify_self), cmocka_unit_test(test_identify_child_then_gone),
          cmocka_unit_test(test_identify_refuses_no_connection))

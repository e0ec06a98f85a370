/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/caller.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "helper/process.h"

/* Linux 6.5; not in the headers of Debian 12. The number is that of asm-generic, which alpha, mips, parisc and
 * sparc do not share: there it is left undefined and the older way is taken. */
#if !defined(SO_PEERPIDFD) && !defined(__alpha__) && !defined(__mips__) && !defined(__hppa__) && \
                !defined(__sparc__)
#define SO_PEERPIDFD 77
#endif

void caller_deinit(Caller *caller) {
        caller->pidfd = fd_close(caller->pidfd);
}

bool caller_is_alive(const Caller *caller) {
        if (caller->pidfd < 0)
                return false;

        struct pollfd pollfd = { .fd = caller->pidfd, .events = POLLIN };
        int r;
        do
                r = poll(&pollfd, 1, /* timeout= */ 0);
        while (r < 0 && errno == EINTR);
        return r == 0;
}

/* A pidfd of the process that connected. -EOPNOTSUPP where the kernel cannot give one. */
static int peer_pidfd(int fd) {
#ifdef SO_PEERPIDFD
        int pidfd = FD_EMPTY;
        socklen_t size = sizeof(pidfd);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) >= 0)
                return pidfd;
        /* -ENODATA: connected by a kernel that kept no pid; -ESRCH, -EINVAL: reaped already (before 6.16) */
        return errno == ENOPROTOOPT ? -EOPNOTSUPP : -errno;
#else
        (void) fd;
        return -EOPNOTSUPP;
#endif
}

static int pidfd_from_pid(pid_t pid) {
        long fd = syscall(SYS_pidfd_open, pid, 0);
        return fd < 0 ? -errno : (int) fd;
}

/* Before 6.5: whether the process behind the number can be the one that connected. It connected before this
 * process was started for it, so it did not start later; and it is the same one before and after. */
static bool is_same_process(int proc_fd, uint64_t start) {
        uint64_t own, again;
        cleanup_close int self = process_open(getpid());
        if (self < 0 || process_read_start(self, &own) < 0)
                return false;
        if (process_read_start(proc_fd, &again) < 0)
                return false;
        return start != 0 && start == again && start <= own;
}

/* Fills what /proc knows, through a pidfd that pins the process. False when it is gone. */
static bool caller_read(Caller *caller, CallerMethod method) {
        /* opened before the pidfd is asked: once it says "alive", the number was its own here too */
        cleanup_close int proc_fd = process_open((pid_t) caller->audit.pid);

        AuditCaller facts = caller->audit;
        if (proc_fd >= 0)
                process_read_facts(proc_fd, &facts);
        else if (proc_fd != -ENOENT || method == CALLER_BY_PID)
                return false;
        if (method == CALLER_BY_PID && !is_same_process(proc_fd, facts.start))
                return false;
        if (!caller_is_alive(caller))
                return false;

        facts.pidfd_verified = method == CALLER_BY_PEERPIDFD;
        caller->audit = facts;
        return true;
}

int caller_identify_by(int fd, CallerMethod method, Caller *ret, Error *reterr) {
        struct ucred credentials;
        socklen_t size = sizeof(credentials);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return error_set(reterr, -errno, "cannot ask who is calling");
        if (credentials.uid == (uid_t) -1)
                return error_set(reterr, -ENOTCONN, "cannot ask who is calling");

        Caller caller = {
                .state = CALLER_GONE,
                .pidfd = FD_EMPTY,
                .audit = {
                        .uid = credentials.uid,
                        .gid = credentials.gid,
                        .pid = credentials.pid,
                        .auid = AUDIT_UNSET,
                        .session = AUDIT_UNSET,
                },
        };
        if (credentials.pid <= 0) {
                caller.state = CALLER_INVISIBLE;
                *ret = caller;
                return 0;
        }

        int pidfd = method == CALLER_BY_PEERPIDFD ? peer_pidfd(fd) : -EOPNOTSUPP;
        if (pidfd == -EOPNOTSUPP) {
                method = CALLER_BY_PID;
                pidfd = pidfd_from_pid(credentials.pid);
        }
        if (pidfd == -EMFILE || pidfd == -ENFILE || pidfd == -ENOMEM || pidfd == -EPERM)
                return error_set(reterr, pidfd, "cannot watch process %d", (int) credentials.pid);

        caller.pidfd = pidfd;
        if (pidfd >= 0 && caller_read(&caller, method))
                caller.state = CALLER_KNOWN;
        else
                caller_deinit(&caller);
        *ret = caller;
        return 0;
}

int caller_identify(int fd, Caller *ret, Error *reterr) {
        return caller_identify_by(fd, CALLER_BY_PEERPIDFD, ret, reterr);
}

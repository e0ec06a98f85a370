/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/guard-keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define PENDING "pending"
/* Between the death of a guard and the next one, so that one that cannot start does not take a processor. */
#define PAUSE_MS 50

static int open_pidfd(pid_t pid) {
        long fd = syscall(SYS_pidfd_open, pid, 0);
        return fd < 0 ? -errno : (int) fd; /* close-on-exec by itself */
}

typedef struct Keeper {
        const char *helper;
        int run_fd;
        int command_fd; /* pidfd of the command */
        int events_fd;
} Keeper;

static void keeper_deinit(Keeper *keeper) {
        keeper->run_fd = fd_close(keeper->run_fd);
        keeper->command_fd = fd_close(keeper->command_fd);
        keeper->events_fd = fd_close(keeper->events_fd);
}

/* In the child; does not return. */
static void be_guard(const char *helper, pid_t keeper) {
        char *argv[] = { (char *) "twprofile-helper", (char *) "guard", NULL };
        char *environment[] = { NULL };
        /* the keeper may have ended before the kernel was told */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == keeper)
                (void) execve(helper, argv, environment); /* returns only when it failed */
        _exit(127);
}

static pid_t start_guard(const char *helper) {
        pid_t keeper = getpid(), pid = fork();
        if (pid == 0)
                be_guard(helper, keeper);
        return pid;
}

/* Waits for the end of the command, of the guard, or for something to happen in the directory. Whether the command
 * has ended. */
static bool wait_for_news(const Keeper *keeper, int guard_fd) {
        struct pollfd polls[] = {
                { .fd = keeper->command_fd, .events = POLLIN },
                { .fd = keeper->events_fd, .events = POLLIN },
                { .fd = guard_fd, .events = POLLIN }, /* a negative one is left out */
        };
        char events[4096];
        if (poll(polls, ELEMENTSOF(polls), -1) < 0)
                return errno != EINTR;
        while (read(keeper->events_fd, events, sizeof(events)) > 0)
                ; /* that something happened is all there is to know */
        return polls[0].revents != 0;
}

static void keep(const Keeper *keeper) {
        pid_t guard = 0;
        cleanup_close int guard_fd = FD_EMPTY;
        for (;;) {
                if (guard > 0 && waitpid(guard, NULL, WNOHANG) == guard) {
                        guard = 0;
                        guard_fd = fd_close(guard_fd);
                        (void) poll(NULL, 0, PAUSE_MS);
                }
                if (guard <= 0 && faccessat(keeper->run_fd, PENDING, F_OK, 0) == 0) {
                        guard = start_guard(keeper->helper);
                        if (guard > 0)
                                guard_fd = open_pidfd(guard);
                }
                if (wait_for_news(keeper, guard_fd))
                        return;
        }
}

/* Neither the terminal's keys nor its pipes are ours; what the guard has to say goes to standard error. */
static int detach(void) {
        static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGPIPE };
        for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
                if (signal(ignored[i], SIG_IGN) == SIG_ERR)
                        return -errno;
        (void) setsid(); /* fails only for a leader of a group, which a fresh child is not */
        cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                return -errno;
        return 0;
}

static int keeper_open(const char *run_dir, Keeper *keeper) {
        keeper->command_fd = open_pidfd(getpid());
        if (keeper->command_fd < 0)
                return keeper->command_fd;
        keeper->run_fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        keeper->events_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (keeper->run_fd < 0 || keeper->events_fd < 0 ||
            inotify_add_watch(keeper->events_fd, run_dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
                return -errno;
        return 0;
}

/* In the first child: its own child is nobody's but init's. */
static int fork_keeper(const Keeper *keeper) {
        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                if (detach() == 0)
                        keep(keeper);
                _exit(0);
        }
        return 0;
}

int guard_keeper_start(const char *run_dir, const char *helper, Error *reterr) {
        CLEANUP(keeper_deinit)
        Keeper keeper = {
                .helper = helper,
                .run_fd = FD_EMPTY,
                .command_fd = FD_EMPTY,
                .events_fd = FD_EMPTY,
        };
        int r = keeper_open(run_dir, &keeper);
        if (r < 0)
                return error_set(reterr, r, "cannot watch '%s'", run_dir);

        pid_t pid = fork();
        if (pid < 0)
                return error_set(reterr, -errno, "cannot start the guard's keeper");
        if (pid == 0)
                _exit(fork_keeper(&keeper) < 0 ? 1 : 0);
        int status = 1;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return error_set(reterr, -errno, "cannot start the guard's keeper");
        return status == 0 ? 0 : error_set(reterr, -ECHILD, "cannot start the guard's keeper");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-stage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "insight/lab-load.h"

/* What the processes of a stage have in common. */
typedef struct Shared {
        Error error; /* the first failure */
        _Alignas(max_align_t) unsigned char result[];
} Shared;

struct LabStage {
        LabPlay play;
        LabNet net; /* the child's */
        Shared *shared;
        int gone_fd; /* the caller's; the other end is with everybody of the stage */
        pid_t child;
        uint64_t since_ns;
};

static size_t shared_size(const LabPlay *play) {
        return offsetof(Shared, result) + play->result_size;
}

void *lab_stage_result(const LabStage *stage) {
        return stage->shared->result;
}

LabNet *lab_stage_net(LabStage *stage) {
        return &stage->net;
}

/* --- processes ------------------------------------------------------------------------------------------ */

static void tell_failure(Shared *shared, int r, const Error *error) {
        if (error_is_set(&shared->error))
                return;
        shared->error = *error;
        shared->error.number = -r;
}

/* Dies with its parent, also with one that died before it could ask for that. Unsharing a user namespace changes
 * credentials and with them forgets the wish (commit_creds() in kernel/cred.c), so it is asked for behind that. */
static int die_with(pid_t parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        return getppid() == parent ? 0 : -ESRCH;
}

/* The child never returns; it runs no handler and flushes no buffer of the caller's. */
pid_t lab_stage_fork(LabStage *stage, LabBody body, void *userdata) {
        pid_t parent = getpid();
        pid_t child = fork();
        if (child != 0)
                return child < 0 ? -errno : child;
        Error error = {};
        int r = die_with(parent);
        if (r == 0)
                r = body(stage, userdata, &error);
        if (r < 0)
                tell_failure(stage->shared, r, &error);
        _exit(r < 0 ? 1 : 0);
}

static int reap(pid_t child) {
        int status = 0;
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int lab_process_join(pid_t *process) {
        int code = reap(*process);
        *process = 0;
        return code;
}

void lab_process_end(const pid_t *process) {
        if (*process <= 0)
                return;
        (void) kill(*process, SIGKILL); /* ours, and not waited for yet */
        (void) reap(*process);
}

/* --- inside --------------------------------------------------------------------------------------------- */

/* The most descriptors that we may have: each connection under way is one on either side. */
static void raise_limit(void) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit); /* fewer will do for most loads */
}

static int run_stage(LabStage *stage, void *userdata, Error *reterr) {
        pid_t parent = getppid();
        int r = lab_net_build(&stage->net, reterr);
        if (r < 0)
                return r;
        r = die_with(parent);
        if (r < 0)
                return error_set(reterr, r, "cannot stay with the parent process");
        raise_limit();
        return stage->play.body(stage, userdata, reterr);
}

/* --- outside -------------------------------------------------------------------------------------------- */

static int map_shared(LabStage *stage, Error *reterr) {
        void *memory = mmap(
                        NULL, shared_size(&stage->play), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return error_set(reterr, -errno, "cannot get memory for the lab");
        stage->shared = memory;
        return 0;
}

static int start_child(LabStage *stage, Error *reterr) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(reterr, -errno, "cannot start the lab");
        stage->gone_fd = ends[0];
        cleanup_close int held_fd UNUSED = ends[1];
        stage->since_ns = lab_now_ns();
        stage->child = lab_stage_fork(stage, run_stage, stage->play.userdata);
        return stage->child < 0 ? error_set(reterr, stage->child, "cannot start the lab") : 0;
}

int lab_stage_start(const LabPlay *play, LabStage **ret, Error *reterr) {
        CLEANUP(lab_stage_freep) LabStage *stage = calloc(1, sizeof(*stage));
        if (!stage)
                return error_set(reterr, -ENOMEM, "cannot start the lab");
        *stage = (LabStage){ .play = *play, .net = LAB_NET_EMPTY, .gone_fd = FD_EMPTY };
        int r = map_shared(stage, reterr);
        if (r == 0)
                r = start_child(stage, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(stage);
        return 0;
}

/* Until the child is gone: everybody of the stage holds the pipe's other end. */
static int watch_child(const LabStage *stage, LabWatch watch, void *userdata, Error *reterr) {
        uint32_t limit_ms = stage->play.limit_ms + LAB_STAGE_GRACE_MS;
        for (;;) {
                struct pollfd gone = { .fd = stage->gone_fd, .events = POLLIN };
                int n = poll(&gone, 1, (int) LAB_STAGE_WATCH_MS);
                if (n < 0 && errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait for the lab");
                if (n > 0)
                        return 0;
                uint32_t elapsed_ms = (uint32_t) ((lab_now_ns() - stage->since_ns) / 1000000);
                int r = watch ? watch(userdata, elapsed_ms) : 0;
                if (r < 0)
                        return error_set(reterr, r, "the lab was stopped");
                if (elapsed_ms > limit_ms)
                        return error_set(reterr, -ETIMEDOUT, "the lab did not end in time");
        }
}

int lab_stage_wait(LabStage *stage, LabWatch watch, void *userdata, Error *reterr) {
        int r = watch_child(stage, watch, userdata, reterr);
        if (r < 0)
                return r;
        int code = lab_process_join(&stage->child);
        const Error *error = &stage->shared->error;
        if (error_is_set(error)) {
                if (reterr)
                        *reterr = *error;
                return -error->number;
        }
        return code == 0 ? 0 : error_set(reterr, -EPROTO, "the lab ended early");
}

LabStage *lab_stage_free(LabStage *stage) {
        if (!stage)
                return NULL;
        lab_process_end(&stage->child);
        (void) fd_close(stage->gone_fd);
        if (stage->shared)
                (void) munmap(stage->shared, shared_size(&stage->play));
        free(stage);
        return NULL;
}

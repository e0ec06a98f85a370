/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "insight/lab-client.h"
#include "insight/lab-nat.h"
#include "insight/lab-server.h"

#define SETTLE_MS 500U /* above the longest delayed ACK that is usual (40 ms), on a busy machine */

/* What the processes of a run have in common. */
typedef struct Shared {
        LabRunResult result;
        Error error; /* the first failure */
} Shared;

typedef struct Stage {
        const LabRunRequest *request;
        Shared *shared;
        LabNet net;
        int listeners[LAB_DESTINATIONS_MAX];
} Stage;

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

typedef int (*Body)(Stage *stage, Error *reterr);

/* The child never returns; it runs no handler and flushes no buffer of the caller's. */
static pid_t start(Stage *stage, Body body) {
        pid_t parent = getpid();
        pid_t child = fork();
        if (child != 0)
                return child < 0 ? -errno : child;
        Error error = {};
        int r = die_with(parent);
        if (r == 0)
                r = body(stage, &error);
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

/* Waits for one that ends by itself; it is nobody's to end afterwards. */
static int join_process(pid_t *child) {
        int code = reap(*child);
        *child = 0;
        return code;
}

static void end_process(const pid_t *child) {
        if (*child <= 0)
                return;
        (void) kill(*child, SIGKILL); /* ours, and not waited for yet */
        (void) reap(*child);
}

/* --- inside --------------------------------------------------------------------------------------------- */

static int run_server(Stage *stage, Error *reterr) {
        return lab_server_run(stage->request->load, stage->listeners, reterr);
}

static int run_client(Stage *stage, Error *reterr) {
        int r = lab_net_enter(&stage->net.client, reterr);
        if (r < 0)
                return r;
        const LabLoad *load = stage->request->load;
        LabTally *tally = &stage->shared->result.tally;
        return load->returning_clients ? lab_nat_run(tally, reterr)
                                       : lab_client_run(load, tally, reterr);
}

static int write_settings(const Stage *stage, Error *reterr) {
        const LabSide *const sides[] = { &stage->net.server, &stage->net.client };
        for (size_t s = 0; s < ELEMENTSOF(sides); s++) {
                int r = lab_net_enter(sides[s], reterr);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < stage->request->n_settings; i++)
                        stage->shared->result.states[i] = lab_setting_write(
                                        &stage->request->settings[i]);
        }
        int r = lab_ports_count(&stage->shared->result.tally.ports);
        return r < 0 ? error_set(reterr, r, "cannot read the lab's port range") : 0;
}

static int add_sample(Stage *stage, bool is_last, Error *reterr) {
        LabRunResult *result = &stage->shared->result;
        LabSample sample = { .connections = result->tally.connections };
        int r = lab_time_wait_read(&stage->net.client, &sample.client_time_wait);
        if (r == 0)
                r = lab_time_wait_read(&stage->net.server, &sample.server_time_wait);
        if (r < 0)
                return error_set(reterr, r, "cannot count the lab's TIME_WAIT sockets");
        uint64_t since_ns = result->tally.started_ns, now_ns = lab_now_ns();
        if (since_ns != 0 && now_ns > since_ns)
                sample.at_ms = (uint32_t) ((now_ns - since_ns) / 1000000);
        if (sample.client_time_wait > result->client_peak)
                result->client_peak = sample.client_time_wait;
        if (sample.server_time_wait > result->server_peak)
                result->server_peak = sample.server_time_wait;
        if (result->n_samples < LAB_SAMPLES_MAX - !is_last)
                result->samples[result->n_samples++] = sample;
        return 0;
}

/* Until the client is gone. */
static int sample_until(Stage *stage, pid_t client, Error *reterr) {
        uint32_t step_ms = LAB_SAMPLE_MS;
        while (stage->request->load->duration_ms / step_ms >= LAB_SAMPLES_MAX - 2)
                step_ms *= 2;
        for (;;) {
                siginfo_t info = {};
                if (waitid(P_PID, (id_t) client, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
                    errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait for the lab's client");
                bool is_gone = info.si_pid == client;
                int r = add_sample(stage, is_gone, reterr);
                if (r < 0 || is_gone)
                        return r;
                (void) poll(NULL, 0, (int) step_ms); /* a shorter wait is no harm */
        }
}

/* What a server that follows late still has to send is part of the run. */
static int take_counters(Stage *stage, Error *reterr) {
        LabRunResult *result = &stage->shared->result;
        int r = 0;
        if (stage->request->load->order == LAB_ORDER_LATE) {
                (void) poll(NULL, 0, (int) (stage->request->load->linger_ms + SETTLE_MS));
                r = add_sample(stage, true, reterr);
        }
        if (r == 0)
                r = lab_counters_read(&stage->net.client, &result->client, reterr);
        return r < 0 ? r : lab_counters_read(&stage->net.server, &result->server, reterr);
}

static int run_sides(Stage *stage, Error *reterr) {
        int r = lab_net_enter(&stage->net.server, reterr);
        if (r == 0)
                r = lab_server_listen(stage->request->load, stage->listeners, reterr);
        if (r < 0)
                return r;
        CLEANUP(end_process) pid_t server = start(stage, run_server);
        CLEANUP(end_process) pid_t client = server < 0 ? server : start(stage, run_client);
        if (client < 0)
                return error_set(reterr, client, "cannot start the lab's processes");
        r = sample_until(stage, client, reterr);
        if (r < 0)
                return r;
        if (join_process(&client) != 0)
                return error_set(reterr, -EPROTO, "the lab's client ended early");
        return take_counters(stage, reterr);
}

/* The most descriptors that we may have: each connection under way is one on either side. */
static void raise_limit(void) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit); /* fewer will do for most loads */
}

static int run_stage(Stage *stage, Error *reterr) {
        pid_t parent = getppid();
        int r = lab_net_build(&stage->net, reterr);
        if (r < 0)
                return r;
        r = die_with(parent);
        if (r < 0)
                return error_set(reterr, r, "cannot stay with the parent process");
        raise_limit();
        stage->shared->result.user_namespace = stage->net.user_namespace;
        r = write_settings(stage, reterr);
        return r < 0 ? r : run_sides(stage, reterr);
}

/* --- outside -------------------------------------------------------------------------------------------- */

/* Until the child is gone: everybody of the run holds the pipe's other end. */
static int watch_child(
                int gone_fd, const LabRunRequest *request, LabRunWatch watch, void *userdata,
                Error *reterr) {
        uint64_t since_ns = lab_now_ns();
        uint32_t limit_ms = request->load->duration_ms + LAB_RUN_GRACE_MS;
        for (;;) {
                struct pollfd gone = { .fd = gone_fd, .events = POLLIN };
                int n = poll(&gone, 1, (int) LAB_SAMPLE_MS);
                if (n < 0 && errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait for the lab");
                if (n > 0)
                        return 0;
                uint32_t elapsed_ms = (uint32_t) ((lab_now_ns() - since_ns) / 1000000);
                int r = watch ? watch(userdata, elapsed_ms) : 0;
                if (r < 0)
                        return error_set(reterr, r, "the lab was stopped");
                if (elapsed_ms > limit_ms)
                        return error_set(reterr, -ETIMEDOUT, "the lab did not end in time");
        }
}

static int run_shared(
                const LabRunRequest *request, LabRunWatch watch, void *userdata, Shared *shared,
                Error *reterr) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(reterr, -errno, "cannot start the lab");
        cleanup_close int gone_fd = ends[0], held_fd = ends[1];
        cleanup_free Stage *stage = calloc(1, sizeof(*stage));
        if (!stage)
                return error_set(reterr, -ENOMEM, "cannot start the lab");
        *stage = (Stage){ .request = request, .shared = shared, .net = LAB_NET_EMPTY };
        CLEANUP(end_process) pid_t child = start(stage, run_stage);
        if (child < 0)
                return error_set(reterr, child, "cannot start the lab");
        (void) fd_close(TAKE_FD(held_fd));
        int r = watch_child(gone_fd, request, watch, userdata, reterr);
        if (r < 0)
                return r;
        int code = join_process(&child);
        if (error_is_set(&shared->error)) {
                if (reterr)
                        *reterr = shared->error;
                return -shared->error.number;
        }
        return code == 0 ? 0 : error_set(reterr, -EPROTO, "the lab ended early");
}

static void unmap(Shared **shared) {
        if (*shared)
                (void) munmap(*shared, sizeof(Shared));
}

int lab_run(const LabRunRequest *request, LabRunWatch watch, void *userdata, LabRunResult *ret,
            Error *reterr) {
        assert(request->n_settings <= LAB_SETTINGS_MAX);
        assert(request->load->duration_ms <= LAB_RUN_MAX_MS);
        void *memory = mmap(
                        NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
        if (memory == MAP_FAILED)
                return error_set(reterr, -errno, "cannot get memory for the lab");
        CLEANUP(unmap) Shared *shared = memory;
        int r = run_shared(request, watch, userdata, shared, reterr);
        if (r == 0)
                memcpy(ret, &shared->result, sizeof(*ret));
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-run.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "insight/lab-client.h"
#include "insight/lab-nat.h"
#include "insight/lab-server.h"

#define SETTLE_MS 500U /* above the longest delayed ACK that is usual (40 ms), on a busy machine */

/* One run, in the stage's process and the two that it starts. */
typedef struct Run {
        const LabRunRequest *request;
        LabRunResult *result; /* shared */
        LabNet *net;
        int listeners[LAB_DESTINATIONS_MAX];
} Run;

/* --- inside --------------------------------------------------------------------------------------------- */

static int run_server(LabStage *stage, void *userdata, Error *reterr) {
        (void) stage;
        const Run *run = userdata;
        return lab_server_run(run->request->load, run->listeners, reterr);
}

static int run_client(LabStage *stage, void *userdata, Error *reterr) {
        (void) stage;
        const Run *run = userdata;
        int r = lab_net_enter(&run->net->client, reterr);
        if (r < 0)
                return r;
        const LabLoad *load = run->request->load;
        LabTally *tally = &run->result->tally;
        return load->returning_clients ? lab_nat_run(tally, reterr)
                                       : lab_client_run(load, tally, reterr);
}

static int add_sample(Run *run, bool is_last, Error *reterr) {
        LabRunResult *result = run->result;
        LabSample sample = { .connections = result->tally.connections };
        int r = lab_time_wait_read(&run->net->client, &sample.client_time_wait);
        if (r == 0)
                r = lab_time_wait_read(&run->net->server, &sample.server_time_wait);
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
static int sample_until(Run *run, pid_t client, Error *reterr) {
        uint32_t step_ms = LAB_SAMPLE_MS;
        while (run->request->load->duration_ms / step_ms >= LAB_SAMPLES_MAX - 2)
                step_ms *= 2;
        for (;;) {
                siginfo_t info = {};
                if (waitid(P_PID, (id_t) client, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
                    errno != EINTR)
                        return error_set(reterr, -errno, "cannot wait for the lab's client");
                bool is_gone = info.si_pid == client;
                int r = add_sample(run, is_gone, reterr);
                if (r < 0 || is_gone)
                        return r;
                (void) poll(NULL, 0, (int) step_ms); /* a shorter wait is no harm */
        }
}

/* What a server that follows late still has to send is part of the run. */
static int take_counters(Run *run, Error *reterr) {
        LabRunResult *result = run->result;
        int r = 0;
        if (run->request->load->order == LAB_ORDER_LATE) {
                (void) poll(NULL, 0, (int) (run->request->load->linger_ms + SETTLE_MS));
                r = add_sample(run, true, reterr);
        }
        if (r == 0)
                r = lab_counters_read(&run->net->client, &result->client, reterr);
        return r < 0 ? r : lab_counters_read(&run->net->server, &result->server, reterr);
}

static int run_sides(LabStage *stage, Run *run, Error *reterr) {
        int r = lab_net_enter(&run->net->server, reterr);
        if (r == 0)
                r = lab_server_listen(run->request->load, run->listeners, reterr);
        if (r < 0)
                return r;
        CLEANUP(lab_process_end) pid_t server = lab_stage_fork(stage, run_server, run);
        CLEANUP(lab_process_end)
        pid_t client = server < 0 ? server : lab_stage_fork(stage, run_client, run);
        if (client < 0)
                return error_set(reterr, client, "cannot start the lab's processes");
        r = sample_until(run, client, reterr);
        if (r < 0)
                return r;
        if (lab_process_join(&client) != 0)
                return error_set(reterr, -EPROTO, "the lab's client ended early");
        return take_counters(run, reterr);
}

static int play(LabStage *stage, void *userdata, Error *reterr) {
        Run run = {
                .request = userdata,
                .result = lab_stage_result(stage),
                .net = lab_stage_net(stage),
        };
        run.result->user_namespace = run.net->user_namespace;
        int r = lab_net_write_settings(
                        run.net, run.request->settings, run.request->n_settings, run.result->states,
                        reterr);
        if (r < 0)
                return r;
        r = lab_ports_count(&run.result->tally.ports);
        if (r < 0)
                return error_set(reterr, r, "cannot read the lab's port range");
        return run_sides(stage, &run, reterr);
}

/* --- outside -------------------------------------------------------------------------------------------- */

int lab_run_start(LabRunRequest *request, LabStage **ret, Error *reterr) {
        assert(request->n_settings <= LAB_SETTINGS_MAX);
        assert(request->load->duration_ms <= LAB_RUN_MAX_MS);
        const LabPlay lab = { play, request, sizeof(LabRunResult), request->load->duration_ms };
        return lab_stage_start(&lab, ret, reterr);
}

int lab_run(const LabRunRequest *request, LabWatch watch, void *userdata, LabRunResult *ret,
            Error *reterr) {
        CLEANUP(lab_stage_freep) LabStage *stage = NULL;
        LabRunRequest copy = *request;
        int r = lab_run_start(&copy, &stage, reterr);
        if (r == 0)
                r = lab_stage_wait(stage, watch, userdata, reterr);
        if (r == 0)
                memcpy(ret, lab_stage_result(stage), sizeof(*ret));
        return r;
}

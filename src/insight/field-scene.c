/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-scene.h"

#include <poll.h>

#include "insight/field-socket.h"
#include "insight/lab-load.h"

#define BACKLOG    512
#define BATCH      256U
#define SETTLE_MS  200
#define FIRST_PORT 20000U

typedef struct Scene {
        const FieldSceneRequest *request;
        FieldScene *result; /* shared */
        LabNet *net;
        int listeners[FIELD_SCENE_LISTEN_MAX];
        uint32_t n_listeners, next;
        FieldPair held[FIELD_SCENE_HELD_MAX];
        uint32_t n_held;
        FieldPair batch[BATCH];
} Scene;

/* --- one connection in a state -------------------------------------------------------------------------- */

typedef int (*Step)(FieldPair *pair, Error *reterr);

static int stay(FieldPair *pair, Error *reterr) {
        (void) pair;
        (void) reterr;
        return 0;
}

static int server_closes(FieldPair *pair, Error *reterr) {
        pair->server = fd_close(pair->server);
        return field_wait_for_end(pair->client, reterr);
}

static int client_closes(FieldPair *pair, Error *reterr) {
        pair->client = fd_close(pair->client);
        return field_wait_for_end(pair->server, reterr);
}

/* Our FIN goes out; its acknowledgement is lost. */
static int close_deaf(FieldPair *pair, Error *reterr) {
        int r = field_deafen(pair->server, reterr);
        pair->server = fd_close(pair->server);
        return r;
}

static int close_deaf_last(FieldPair *pair, Error *reterr) {
        int r = client_closes(pair, reterr);
        return r < 0 ? r : close_deaf(pair, reterr);
}

/* Our FIN is lost; the other end sends its own, which therefore acknowledges nothing of ours. */
static int close_both(FieldPair *pair, Error *reterr) {
        int r = field_deafen(pair->client, reterr);
        field_pair_close(&(FieldPair){ FD_EMPTY, TAKE_FD(pair->server) });
        field_pair_close(&(FieldPair){ TAKE_FD(pair->client), FD_EMPTY });
        return r;
}

static const struct {
        TcpState state;
        Step step;
} steps[] = {
        { TCP_STATE_ESTABLISHED, stay },         { TCP_STATE_FIN_WAIT2, server_closes },
        { TCP_STATE_CLOSE_WAIT, client_closes }, { TCP_STATE_FIN_WAIT1, close_deaf },
        { TCP_STATE_LAST_ACK, close_deaf_last }, { TCP_STATE_CLOSING, close_both },
};

/* No tuple comes twice. */
static int open_next(Scene *scene, FieldPair *ret, Error *reterr) {
        uint32_t n = scene->next++, i = n % scene->n_listeners;
        uint32_t from = FIRST_PORT + n / scene->n_listeners;
        if (from > UINT16_MAX)
                return error_set(reterr, -E2BIG, "cannot make so many connections");
        return field_pair_open(i, scene->listeners[i], (uint16_t) from, ret, reterr);
}

static int hold(Scene *scene, Step step, uint32_t n, Error *reterr) {
        for (uint32_t i = 0; i < n; i++) {
                assert(scene->n_held < FIELD_SCENE_HELD_MAX);
                FieldPair *pair = &scene->held[scene->n_held];
                int r = open_next(scene, pair, reterr);
                if (r < 0)
                        return r;
                scene->n_held++;
                r = step(pair, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- TIME_WAIT ------------------------------------------------------------------------------------------ */

/* All of a batch are in FIN_WAIT2 together, as on a server whose clients take a moment. */
static int wait_batch(Scene *scene, uint32_t n, Error *reterr) {
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < n; i++)
                r = open_next(scene, &scene->batch[i], reterr);
        for (uint32_t i = 0; r == 0 && i < n; i++)
                r = server_closes(&scene->batch[i], reterr);
        for (uint32_t i = 0; i < n; i++)
                field_pair_close(&scene->batch[i]);
        return r;
}

static int make_time_waits(Scene *scene, Error *reterr) {
        uint32_t left = scene->request->wanted[TCP_STATE_TIME_WAIT];
        while (left > 0) {
                uint32_t n = left < BATCH ? left : BATCH;
                int r = wait_batch(scene, n, reterr);
                if (r < 0)
                        return r;
                left -= n;
        }
        return 0;
}

/* --- the scene ------------------------------------------------------------------------------------------ */

static int listen_all(Scene *scene, Error *reterr) {
        uint32_t wanted = scene->request->wanted[TCP_STATE_LISTEN];
        assert(wanted > 0 && wanted <= FIELD_SCENE_LISTEN_MAX);
        int r = lab_net_enter(&scene->net->server, reterr);
        while (r == 0 && scene->n_listeners < wanted) {
                int fd = field_listen(scene->n_listeners, BACKLOG, reterr);
                if (fd < 0)
                        return fd;
                scene->listeners[scene->n_listeners++] = fd;
        }
        return r;
}

static int make_all(Scene *scene, Error *reterr) {
        int r = listen_all(scene, reterr);
        if (r == 0)
                r = lab_net_enter(&scene->net->client, reterr);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(steps); i++)
                r = hold(scene, steps[i].step, scene->request->wanted[steps[i].state], reterr);
        return r < 0 ? r : make_time_waits(scene, reterr);
}

static int count(Scene *scene, Error *reterr) {
        FieldScene *result = scene->result;
        (void) poll(NULL, 0, SETTLE_MS); /* a shorter wait is no harm */
        int r = field_count_states(&scene->net->server, result->counts, reterr);
        if (r == 0)
                r = lab_counters_read(&scene->net->server, &result->server, reterr);
        if (r < 0 || scene->request->n_late == 0)
                return r;
        LabSettingState ignored[FIELD_SETTINGS_MAX];
        uint32_t again[TCP_STATES] = {};
        r = lab_net_write_settings(
                        scene->net, scene->request->late, scene->request->n_late, ignored, reterr);
        if (r == 0)
                r = field_count_states(&scene->net->server, again, reterr);
        if (r == 0)
                result->late_time_wait = again[TCP_STATE_TIME_WAIT];
        result->was_late = r == 0;
        return r;
}

static int play_scene(Scene *scene, Error *reterr) {
        uint64_t since_ns = lab_now_ns();
        int r = make_all(scene, reterr);
        scene->result->made_ms = (uint32_t) ((lab_now_ns() - since_ns) / 1000000);
        if (r == 0)
                r = count(scene, reterr);
        for (uint32_t i = 0; i < scene->n_held; i++)
                field_pair_close(&scene->held[i]);
        for (uint32_t i = 0; i < scene->n_listeners; i++)
                scene->listeners[i] = fd_close(scene->listeners[i]);
        return r;
}

static int play(LabStage *stage, void *userdata, Error *reterr) {
        cleanup_free Scene *scene = calloc(1, sizeof(*scene));
        if (!scene)
                return error_set(reterr, -ENOMEM, "cannot make the sockets");
        *scene = (Scene){
                .request = userdata,
                .result = lab_stage_result(stage),
                .net = lab_stage_net(stage),
        };
        for (size_t i = 0; i < BATCH; i++)
                scene->batch[i] = FIELD_PAIR_EMPTY;
        scene->result->user_namespace = scene->net->user_namespace;
        int r = lab_net_write_settings(
                        scene->net, scene->request->settings, scene->request->n_settings,
                        scene->result->states, reterr);
        return r < 0 ? r : play_scene(scene, reterr);
}

int field_scene_start(FieldSceneRequest *request, LabStage **ret, Error *reterr) {
        assert(request->n_settings <= FIELD_SETTINGS_MAX && request->n_late <= FIELD_SETTINGS_MAX);
        const LabPlay scene = { play, request, sizeof(FieldScene), FIELD_SCENE_LIMIT_MS };
        return lab_stage_start(&scene, ret, reterr);
}

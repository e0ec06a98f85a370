/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-life.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "insight/field-socket.h"
#include "insight/lab-load.h"

#define STEP_MS 100U
#define COUNT_MS \
        2000U /* a whole list costs the kernel milliseconds; buckets are counted in between */
#define SETTLE_MS 100
#define BACKLOG   64

typedef struct Life {
        const FieldLifeRequest *request;
        FieldLife *result; /* shared */
        LabNet *net;
        FieldPair kept[FIELD_LIFE_CONNECTIONS]; /* the server's ends of those in FIN_WAIT2 */
        uint64_t since_ns;
} Life;

/* The client closes; the server as well when `both`. */
static int close_one(int listener, bool both, FieldPair *pair, Error *reterr) {
        int r = field_pair_open(0, listener, /* from= */ 0, pair, reterr);
        if (r < 0)
                return r;
        pair->client = fd_close(pair->client);
        r = field_wait_for_end(pair->server, reterr);
        if (both)
                field_pair_close(pair);
        return r;
}

static int read_option(int option, uint32_t *ret, Error *reterr) {
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int value = 0;
        socklen_t n = sizeof(value);
        if (fd < 0 || getsockopt(fd, IPPROTO_TCP, option, &value, &n) < 0)
                return error_set(reterr, -errno, "cannot read a socket's keep-alive times");
        *ret = (uint32_t) value;
        return 0;
}

static int close_all(Life *life, Error *reterr) {
        int r = lab_net_enter(&life->net->server, reterr);
        cleanup_close int listener = r < 0 ? r : field_listen(0, BACKLOG, reterr);
        r = listener < 0 ? listener : lab_net_enter(&life->net->client, reterr);
        if (r == 0)
                r = read_option(TCP_KEEPIDLE, &life->result->keepalive_idle_s, reterr);
        if (r == 0)
                r = read_option(TCP_KEEPINTVL, &life->result->keepalive_interval_s, reterr);
        for (size_t i = 0; r == 0 && i < FIELD_LIFE_CONNECTIONS; i++) {
                FieldPair pair = FIELD_PAIR_EMPTY;
                r = close_one(listener, /* both= */ true, &pair, reterr);
                field_pair_close(&pair);
                if (r == 0)
                        r = close_one(listener, /* both= */ false, &life->kept[i], reterr);
        }
        life->since_ns = lab_now_ns();
        return r;
}

static uint32_t elapsed_ms(const Life *life) {
        return (uint32_t) ((lab_now_ns() - life->since_ns) / 1000000);
}

static int count_first(Life *life, Error *reterr) {
        uint32_t client[TCP_STATES] = {}, server[TCP_STATES] = {};
        (void) poll(NULL, 0, SETTLE_MS); /* a shorter wait is no harm */
        int r = field_count_states(&life->net->server, server, reterr);
        if (r == 0)
                r = field_count_states(&life->net->client, client, reterr);
        if (r < 0)
                return r;
        life->result->time_wait = client[TCP_STATE_TIME_WAIT];
        life->result->fin_wait2 = client[TCP_STATE_FIN_WAIT2];
        life->result->close_wait = server[TCP_STATE_CLOSE_WAIT];
        return 0;
}

static void note_life(uint32_t at_ms, uint32_t first, uint32_t now, uint32_t *life_ms) {
        if (*life_ms == 0 && now * 2 <= first)
                *life_ms = at_ms;
}

static bool is_over(const Life *life) {
        const FieldLife *result = life->result;
        uint32_t limit_ms = life->request->limit_ms != 0 ? life->request->limit_ms
                                                         : FIELD_LIFE_LIMIT_MS;
        return (result->time_wait_ms != 0 && result->fin_wait2_ms != 0) ||
               elapsed_ms(life) >= limit_ms;
}

/* Buckets, of either state, tell that something has changed; the list tells what. An orphan that is no bucket (fin_timeout
 * above 60) is found by the list alone. */
static int watch(Life *life, Error *reterr) {
        uint32_t buckets = 0, counted_ms = 0;
        while (!is_over(life)) {
                (void) poll(NULL, 0, STEP_MS); /* a shorter wait is no harm */
                uint32_t now = 0, at_ms = elapsed_ms(life);
                int r = lab_time_wait_read(&life->net->client, &now);
                if (r < 0)
                        return error_set(reterr, r, "cannot count the lab's TIME_WAIT sockets");
                if (now == buckets && at_ms - counted_ms < COUNT_MS)
                        continue;
                uint32_t client[TCP_STATES];
                r = field_count_states(&life->net->client, client, reterr);
                if (r < 0)
                        return r;
                buckets = now;
                counted_ms = at_ms;
                FieldLife *result = life->result;
                note_life(at_ms, result->time_wait, client[TCP_STATE_TIME_WAIT],
                          &result->time_wait_ms);
                note_life(at_ms, result->fin_wait2, client[TCP_STATE_FIN_WAIT2],
                          &result->fin_wait2_ms);
        }
        return 0;
}

static int count_last(Life *life, Error *reterr) {
        uint32_t server[TCP_STATES];
        life->result->watched_ms = elapsed_ms(life);
        int r = field_count_states(&life->net->server, server, reterr);
        life->result->close_wait_end = r == 0 ? server[TCP_STATE_CLOSE_WAIT] : 0;
        return r;
}

static int play(LabStage *stage, void *userdata, Error *reterr) {
        Life life = {
                .request = userdata,
                .result = lab_stage_result(stage),
                .net = lab_stage_net(stage),
        };
        for (size_t i = 0; i < FIELD_LIFE_CONNECTIONS; i++)
                life.kept[i] = FIELD_PAIR_EMPTY;
        life.result->user_namespace = life.net->user_namespace;
        int r = lab_net_write_settings(
                        life.net, life.request->settings, life.request->n_settings,
                        life.result->states, reterr);
        for (size_t i = 0; r == 0 && i < life.request->n_settings; i++)
                if (life.result->states[i] != LAB_SETTING_WRITTEN && life.request->n_settings == 1)
                        return 0; /* nothing to watch: the one thing that was to be tried is not there */
        if (r == 0)
                r = close_all(&life, reterr);
        if (r == 0)
                r = count_first(&life, reterr);
        if (r == 0)
                r = watch(&life, reterr);
        if (r == 0)
                r = count_last(&life, reterr);
        for (size_t i = 0; i < FIELD_LIFE_CONNECTIONS; i++)
                field_pair_close(&life.kept[i]);
        return r;
}

int field_life_start(FieldLifeRequest *request, LabStage **ret, Error *reterr) {
        assert(request->n_settings <= FIELD_SETTINGS_MAX);
        const LabPlay life = { play, request, sizeof(FieldLife), FIELD_LIFE_LIMIT_MS };
        return lab_stage_start(&life, ret, reterr);
}

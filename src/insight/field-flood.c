/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-flood.h"

#include <poll.h>

#include "insight/field-socket.h"

#define SETTLE_MS \
        300 /* below a SYN's first repetition, one second: what was dropped comes again then */
#define LIMIT_MS 5000U

typedef struct Flood {
        const FieldFloodRequest *request;
        FieldFlood *result; /* shared */
        LabNet *net;
        int clients[FIELD_FLOOD_REQUESTS];
} Flood;

static int flood(Flood *f, Error *reterr) {
        int r = lab_net_enter(&f->net->server, reterr);
        cleanup_close int listener = r < 0 ? r : field_listen(0, FIELD_FLOOD_BACKLOG, reterr);
        r = listener < 0 ? listener : lab_net_enter(&f->net->client, reterr);
        for (size_t i = 0; r == 0 && i < FIELD_FLOOD_REQUESTS; i++) {
                f->clients[i] = field_open_half(0, reterr);
                r = f->clients[i] < 0 ? f->clients[i] : 0;
        }
        if (r < 0)
                return r;
        (void) poll(NULL, 0, SETTLE_MS); /* a shorter wait is no harm */
        uint32_t states[TCP_STATES];
        r = field_count_states(&f->net->server, states, reterr);
        if (r < 0)
                return r;
        f->result->kept = states[TCP_STATE_SYN_RECV];
        return lab_counters_read(&f->net->server, &f->result->server, reterr);
}

static int play(LabStage *stage, void *userdata, Error *reterr) {
        Flood f = {
                .request = userdata,
                .result = lab_stage_result(stage),
                .net = lab_stage_net(stage),
        };
        for (size_t i = 0; i < FIELD_FLOOD_REQUESTS; i++)
                f.clients[i] = FD_EMPTY;
        f.result->user_namespace = f.net->user_namespace;
        int r = lab_net_write_settings(
                        f.net, f.request->settings, f.request->n_settings, f.result->states,
                        reterr);
        if (r == 0)
                r = flood(&f, reterr);
        for (size_t i = 0; i < FIELD_FLOOD_REQUESTS; i++)
                f.clients[i] = fd_close(f.clients[i]);
        return r;
}

int field_flood_start(FieldFloodRequest *request, LabStage **ret, Error *reterr) {
        assert(request->n_settings <= FIELD_SETTINGS_MAX);
        const LabPlay lab = { play, request, sizeof(FieldFlood), LIMIT_MS };
        return lab_stage_start(&lab, ret, reterr);
}

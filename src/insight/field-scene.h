/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A web server's sockets in a given number of each state, made for real, and counted as the kernel lists them: the table that
 * `netstat -an | awk '/^tcp/ {++S[$NF]} END {for (a in S) print a, S[a]}'` prints.
 *
 * The server is the side that is counted. It closes first for TIME_WAIT, whose peers acknowledge its FIN at once and close a
 * moment later; orphans in FIN_WAIT2 have peers that do not close; CLOSE_WAIT is a server that does not. FIN_WAIT1,
 * LAST_ACK and CLOSING need packets that are lost: one end is deaf (insight/field-socket.h). TIME_WAIT comes last, because
 * FIN_WAIT2 shares the limit of buckets with it.
 */

#include "insight/field-life.h"
#include "model/port-use.h"

#define FIELD_SCENE_LISTEN_MAX 64U
#define FIELD_SCENE_HELD_MAX   2048U   /* sockets that are not in TIME_WAIT or LISTEN */
#define FIELD_SCENE_LIMIT_MS   100000U /* far more than it takes; the machine may be busy */

typedef struct FieldSceneRequest {
        uint32_t wanted[TCP_STATES];
        const LabSetting *settings; /* on both sides, before anything is opened */
        size_t n_settings;          /* at most FIELD_SETTINGS_MAX */
        const LabSetting *late; /* on both sides, when everything has been counted; then again */
        size_t n_late;
} FieldSceneRequest;

typedef struct FieldScene {
        bool user_namespace;
        LabSettingState states[FIELD_SETTINGS_MAX];
        uint32_t counts[TCP_STATES];
        bool was_late;           /* there was something to write late */
        uint32_t late_time_wait; /* TIME_WAIT at once afterwards */
        LabCounters server;
        uint32_t made_ms; /* how long it took to make; TIME_WAIT has to be counted within its life */
} FieldScene;

/* A stage whose result is a FieldScene. The request has to stay until the stage is started. 0 or <0. */
NODISCARD int field_scene_start(FieldSceneRequest *request, LabStage **ret, Error *reterr);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How long TIME_WAIT and an orphaned FIN_WAIT2 live, and whether CLOSE_WAIT goes away: connections that are closed and
 * watched until the kernel has forgotten them. Takes about a minute, nearly all of it waiting.
 *
 * FIELD_LIFE_CONNECTIONS connections end in TIME_WAIT at the client, as many in FIN_WAIT2 at the client, whose other ends
 * stay in CLOSE_WAIT because the server never closes them.
 */

#include "insight/lab-counters.h"
#include "insight/lab-settings.h"
#include "insight/lab-stage.h"

#define FIELD_LIFE_CONNECTIONS 100U
#define FIELD_LIFE_LIMIT_MS    75000U
#define FIELD_SETTINGS_MAX     16U

typedef struct FieldLifeRequest {
        const LabSetting *settings; /* on both sides */
        size_t n_settings;          /* at most FIELD_SETTINGS_MAX */
        uint32_t limit_ms;          /* how long to watch at most; 0: FIELD_LIFE_LIMIT_MS */
} FieldLifeRequest;

typedef struct FieldLife {
        bool user_namespace;
        LabSettingState states[FIELD_SETTINGS_MAX];
        uint32_t time_wait, fin_wait2, close_wait; /* when all is closed */
        uint32_t time_wait_ms,
                        fin_wait2_ms; /* until half of them were gone; 0: they were not in time */
        uint32_t close_wait_end;      /* of close_wait, at the end */
        uint32_t watched_ms;
        uint32_t keepalive_idle_s, keepalive_interval_s; /* of a new socket */
} FieldLife;

/* A stage whose result is a FieldLife. The request has to stay until the stage is started. 0 or <0. */
NODISCARD int field_life_start(FieldLifeRequest *request, LabStage **ret, Error *reterr);

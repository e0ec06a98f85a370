/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Half-open connections: FIELD_FLOOD_REQUESTS SYNs whose senders never answer the SYN-ACK, to a socket whose backlog is far
 * larger. How many requests the kernel keeps tells which limit it asked. Takes half a second.
 */

#include "insight/field-life.h"

#define FIELD_FLOOD_REQUESTS 500U
#define FIELD_FLOOD_BACKLOG  4096

typedef struct FieldFloodRequest {
        const LabSetting *settings; /* on both sides */
        size_t n_settings;          /* at most FIELD_SETTINGS_MAX */
} FieldFloodRequest;

typedef struct FieldFlood {
        bool user_namespace;
        LabSettingState states[FIELD_SETTINGS_MAX];
        uint32_t kept; /* requests in SYN_RECV */
        LabCounters server;
} FieldFlood;

/* A stage whose result is a FieldFlood. The request has to stay until the stage is started. 0 or <0. */
NODISCARD int field_flood_start(FieldFloodRequest *request, LabStage **ret, Error *reterr);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The sockets of a snapshot as JSON: a part of insight/snapshot-format.h.
 */

#include "base/error.h"
#include "insight/snapshot.h"
#include "record/strict-json.h"

/* New reference, or NULL when out of memory. The snapshot has sockets. */
json_t *sockets_to_json(const Snapshot *snapshot);
/* The lists go into the arena. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int sockets_from_json(json_t *object, Arena *arena, SnapshotSockets *ret, Error *reterr);

/* "10.0.0.1", "::1"; a mapped address as IPv4. */
#define TCP_ADDRESS_TEXT_MAX 46U
void tcp_address_to_text(const TcpAddress *address, char ret[TCP_ADDRESS_TEXT_MAX]);
/* 0 or -EINVAL. */
NODISCARD int tcp_address_from_text(const char *text, TcpAddress *ret);

/* "outgoing", "incoming", "stray". */
const char *snapshot_side_name(SnapshotSide side);

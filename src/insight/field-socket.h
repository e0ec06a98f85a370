/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Sockets of one process in both namespaces of a lab (insight/lab-net.h): connections that are brought into a state and
 * left there, and how many are in which.
 *
 * A deaf socket sends, but drops whatever comes in (a socket filter, BPF, on the socket itself): it stands for a link that
 * loses packets, without a rule or a queueing discipline that would need modules.
 */

#include "insight/lab-net.h"
#include "model/port-use.h"

#define FIELD_PORT 7000U /* the first that is listened on */

typedef struct FieldPair {
        int client, server; /* owned; FD_EMPTY when closed */
} FieldPair;

#define FIELD_PAIR_EMPTY ((FieldPair){ FD_EMPTY, FD_EMPTY })

void field_pair_close(FieldPair *pair);

/* Listening on FIELD_PORT + i at the server's address, in the namespace of the caller. The descriptor or <0. */
NODISCARD int field_listen(uint32_t i, int backlog, Error *reterr);
/* From the namespace of the caller, which has to be the client's, to FIELD_PORT + i, whose listening socket is given; both
 * ends stand and block. `from`: the client's port; 0: the kernel chooses, perhaps one that the server still has in
 * TIME_WAIT, which then makes room. 0 or <0. */
NODISCARD int field_pair_open(
                uint32_t i, int listener, uint16_t from, FieldPair *ret, Error *reterr);
/* As the client's part alone, and deaf: the server answers, and waits. The descriptor or <0. */
NODISCARD int field_open_half(uint32_t i, Error *reterr);
/* 0 or <0. */
NODISCARD int field_deafen(int fd, Error *reterr);
/* Until the other end's FIN is here, which is acknowledged at once. 0 or <0. */
NODISCARD int field_wait_for_end(int fd, Error *reterr);

/* How many sockets of a side are in which state; moves the caller there. 0 or <0. */
NODISCARD int field_count_states(const LabSide *side, uint32_t ret[TCP_STATES], Error *reterr);

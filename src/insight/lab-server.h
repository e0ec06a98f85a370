/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lab's server: listens, answers requests, closes as it is told (lab-load.h). One thread, epoll; what came with the
 * connection is answered before the connection is watched at all, so that a short exchange costs four system calls.
 */

#include "base/error.h"
#include "insight/lab-load.h"

/* Sockets that listen on LAB_SERVER_ADDRESS, one for each destination, in the namespace of the caller. The backlog asks
 * for the most; net.core.somaxconn decides. */
NODISCARD int lab_server_listen(const LabLoad *load, int *ret_fds, Error *reterr);

/* Serves until the process is ended; returns only when it cannot go on. The descriptors stay the caller's. */
NODISCARD int lab_server_run(const LabLoad *load, const int *fds, Error *reterr);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Varlink messages over a stream socket: JSON objects, each ended by NUL (varlink.org). Used by both ends.
 *
 * A connection reads and writes one message at a time with a deadline. It never interprets parameters.
 * Messages are at most VARLINK_MAX_MESSAGE bytes; a longer one, bytes that are not strict JSON, or an object
 * with duplicate members end the connection with -EBADMSG.
 */

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"

#define VARLINK_MAX_MESSAGE ((size_t) 4 * 1024 * 1024)

typedef struct VarlinkConnection VarlinkConnection;

/* Takes the socket over. NULL when out of memory (the fd is then closed). */
VarlinkConnection *varlink_connection_new(int fd);
VarlinkConnection *varlink_connection_free(VarlinkConnection *connection);
DEFINE_CLEANUP_PTR(VarlinkConnection, varlink_connection_free)

int varlink_connection_fd(const VarlinkConnection *connection);

/* 1 and a new reference; 0 at the clean end of the stream; <0: -ETIMEDOUT when nothing whole arrived within
 * timeout_ms (-1 waits for ever), -EBADMSG, -ECONNRESET, … */
NODISCARD int varlink_connection_read(
        VarlinkConnection *connection, int timeout_ms, json_t **ret, Error *reterr);

/* Steals nothing. SIGPIPE never rises (MSG_NOSIGNAL). 0 or <0 (-EPIPE, -ETIMEDOUT …). */
NODISCARD int varlink_connection_write(
        VarlinkConnection *connection, json_t *message, int timeout_ms, Error *reterr);

/* The parts of a call; strings borrow from the message. -EBADMSG when it is not a call. */
typedef struct VarlinkCall {
        const char *method;
        json_t *parameters; /* borrowed; an empty object when absent is represented by NULL */
        bool more;
        bool oneway;
        bool upgrade;
} VarlinkCall;

NODISCARD int varlink_call_decode(json_t *message, VarlinkCall *ret);

/* New references, NULL when out of memory; `parameters` is stolen in every case and may be NULL (→ {}). */
json_t *varlink_call_new(const char *method, json_t *parameters, bool more);
json_t *varlink_reply_new(json_t *parameters, bool continues);
json_t *varlink_error_new(const char *error, json_t *parameters);

/* A reply as the client sees it; borrows from the message. */
typedef struct VarlinkReply {
        const char *error; /* NULL for success */
        json_t *parameters;
        bool continues;
} VarlinkReply;

NODISCARD int varlink_reply_decode(json_t *message, VarlinkReply *ret);

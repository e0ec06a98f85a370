/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Varlink messages over a stream socket: JSON objects, each ended by NUL (varlink.org). Used by both ends.
 *
 *         CLEANUP(varlink_connection_freep) VarlinkConnection *c = varlink_connection_new(fd);
 *         while ((r = varlink_connection_read(c, 2000, &message, &error)) > 0) {
 *                 VarlinkCall call;
 *                 r = varlink_call_decode(message, &call); …
 *                 r = varlink_connection_write(c, reply, 2000, &error); …
 *         }
 *
 * A connection reads and writes one message at a time with a deadline. It never interprets parameters.
 * Messages are at most VARLINK_MAX_MESSAGE bytes and VARLINK_MAX_DEPTH deep; a longer or deeper one, bytes
 * that are not strict JSON, a value that is no object, or an object with duplicate members give -EBADMSG, and
 * the connection is good for nothing but being freed.
 *
 * The socket's flags are left alone (every call asks for MSG_DONTWAIT itself): where systemd hands it out as
 * standard input, another process holds the same open file.
 */

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"

#define VARLINK_MAX_MESSAGE ((size_t) 4 * 1024 * 1024)
/* Of arrays and objects; our deepest message has 6. The bound keeps recursion in the JSON library short. */
#define VARLINK_MAX_DEPTH 32U
/* How much varlink_connection_queue() keeps for a peer that does not read. */
#define VARLINK_MAX_QUEUED ((size_t) 64 * 1024)

typedef struct VarlinkConnection VarlinkConnection;

/* Takes the socket over. NULL when out of memory (the fd is then closed). */
VarlinkConnection *varlink_connection_new(int fd);
VarlinkConnection *varlink_connection_free(VarlinkConnection *connection);
DEFINE_CLEANUP_PTR(VarlinkConnection, varlink_connection_free)

int varlink_connection_fd(const VarlinkConnection *connection);

/* 1 and a new reference; 0 at the clean end of the stream; <0: -ETIMEDOUT when nothing whole arrived within
 * timeout_ms (-1 waits for ever), -EBADMSG, -ECONNRESET (also for an end inside a message), … */
NODISCARD int varlink_connection_read(
                VarlinkConnection *connection, int timeout_ms, json_t **ret, Error *reterr);

/* Steals nothing. SIGPIPE never rises (MSG_NOSIGNAL). What is queued goes first. 0 or <0 (-EPIPE, -ETIMEDOUT,
 * -EMSGSIZE for more than VARLINK_MAX_MESSAGE, …). */
NODISCARD int varlink_connection_write(
                VarlinkConnection *connection, const json_t *message, int timeout_ms,
                Error *reterr);

/* Sends what the socket takes at once and keeps the rest for the next write: it never waits, so it may be
 * called with a lock held. A message that would exceed VARLINK_MAX_QUEUED is left out whole (returns false);
 * progress may be lost, results may not. */
bool varlink_connection_queue(VarlinkConnection *connection, const json_t *message);

/* The parts of a call; strings borrow from the message. -EBADMSG when it is not a call: a member that the
 * protocol does not know is refused too, because nobody can say what its sender relies on. */
typedef struct VarlinkCall {
        const char *method;
        json_t *parameters; /* borrowed; NULL when absent or null, which means an empty object */
        bool more;
        bool oneway;
        bool upgrade;
} VarlinkCall;

NODISCARD int varlink_call_decode(json_t *message, VarlinkCall *ret);

/* New references, NULL when out of memory; `parameters` is stolen in every case and may be NULL (→ {}): a
 * caller that built them and ran out of memory cannot tell, so it checks before. */
json_t *varlink_call_new(const char *method, json_t *parameters, bool more);
json_t *varlink_reply_new(json_t *parameters, bool continues);
json_t *varlink_error_new(const char *error, json_t *parameters);

/* A reply as the client sees it; borrows from the message. */
typedef struct VarlinkReply {
        const char *error;  /* NULL for success */
        json_t *parameters; /* borrowed; NULL when absent or null */
        bool continues;
} VarlinkReply;

NODISCARD int varlink_reply_decode(json_t *message, VarlinkReply *ret);

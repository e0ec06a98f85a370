/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "varlink/message.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#define READ_CHUNK ((size_t) 16 * 1024)

struct VarlinkConnection {
        int fd;
        char *in; /* bytes that arrived and were not handed out yet */
        size_t n_in, in_capacity;
        size_t n_searched; /* this many bytes of `in` are known to hold no NUL */
        char *out;         /* queued and not sent yet */
        size_t n_out;
};

VarlinkConnection *varlink_connection_new(int fd) {
        VarlinkConnection *connection = calloc(1, sizeof(*connection));
        if (!connection) {
                (void) fd_close(fd);
                return NULL;
        }
        connection->fd = fd;
        return connection;
}

VarlinkConnection *varlink_connection_free(VarlinkConnection *connection) {
        if (!connection)
                return NULL;

        (void) fd_close(connection->fd);
        free(connection->in);
        free(connection->out);
        free(connection);
        return NULL;
}

int varlink_connection_fd(const VarlinkConnection *connection) {
        return connection->fd;
}

/* Milliseconds of CLOCK_MONOTONIC. */
static int64_t now_ms(void) {
        struct timespec now;
        int r = clock_gettime(CLOCK_MONOTONIC, &now);
        assert(r == 0);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t deadline_after(int timeout_ms) {
        return timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
}

/* 0 when the events are there (or an error that the next call on the socket will tell), -ETIMEDOUT, <0. */
static int wait_for(int fd, short events, int64_t deadline) {
        for (;;) {
                int timeout = -1;
                if (deadline != INT64_MAX) {
                        int64_t left = deadline - now_ms();
                        timeout = left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int) left;
                }

                struct pollfd pollfd = { .fd = fd, .events = events };
                int r = poll(&pollfd, 1, timeout);
                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* Whether arrays and objects nest deeper than we allow. Counts brackets outside of strings; whether they match
 * is the parser's question. */
static bool is_too_deep(const char *text, size_t n) {
        size_t depth = 0;
        bool in_string = false;
        for (size_t i = 0; i < n; i++) {
                char c = text[i];
                if (in_string) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                in_string = false;
                } else if (c == '"')
                        in_string = true;
                else if (c == '{' || c == '[') {
                        if (++depth > VARLINK_MAX_DEPTH)
                                return true;
                } else if ((c == '}' || c == ']') && depth > 0)
                        depth--;
        }
        return false;
}

static int message_parse(const char *text, size_t n, json_t **ret, Error *reterr) {
        if (is_too_deep(text, n))
                return error_set(
                                reterr, -EBADMSG, "message is nested deeper than %u",
                                VARLINK_MAX_DEPTH);

        json_error_t why;
        json_t *message = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
        if (!message && json_error_code(&why) == json_error_out_of_memory)
                return error_set(reterr, -ENOMEM, "cannot parse message");
        if (!message)
                return error_set(
                                reterr, -EBADMSG, "message is not valid JSON (%s, byte %d)",
                                why.text, why.position);
        if (!json_is_object(message)) {
                json_decref(message);
                return error_set(reterr, -EBADMSG, "message is no JSON object");
        }

        *ret = message;
        return 0;
}

/* Takes the first whole message out of the buffer: 1, 0 when there is none yet, or <0. */
static int buffer_take(VarlinkConnection *c, json_t **ret, Error *reterr) {
        const char *end = c->n_in > c->n_searched ? memchr(c->in + c->n_searched, '\0',
                                                           c->n_in - c->n_searched)
                                                  : NULL;
        if (!end) {
                c->n_searched = c->n_in;
                if (c->n_in >= VARLINK_MAX_MESSAGE)
                        return error_set(
                                        reterr, -EBADMSG, "message is longer than %zu bytes",
                                        VARLINK_MAX_MESSAGE);
                return 0;
        }

        size_t length = (size_t) (end - c->in);
        int r = message_parse(c->in, length, ret, reterr);
        if (r < 0)
                return r;

        c->n_in -= length + 1;
        memmove(c->in, end + 1, c->n_in);
        c->n_searched = 0;
        return 1;
}

static int buffer_reserve(VarlinkConnection *c) {
        if (c->in_capacity - c->n_in > 0)
                return 0;

        size_t capacity = c->in_capacity == 0 ? READ_CHUNK : c->in_capacity * 2;
        if (capacity > VARLINK_MAX_MESSAGE)
                capacity = VARLINK_MAX_MESSAGE;
        assert(capacity > c->n_in);
        char *grown = realloc(c->in, capacity);
        if (!grown)
                return -ENOMEM;
        c->in = grown;
        c->in_capacity = capacity;
        return 0;
}

int varlink_connection_read(
                VarlinkConnection *connection, int timeout_ms, json_t **ret, Error *reterr) {
        int64_t deadline = deadline_after(timeout_ms);

        for (;;) {
                int r = buffer_take(connection, ret, reterr);
                if (r != 0)
                        return r;
                r = buffer_reserve(connection);
                if (r < 0)
                        return error_set(reterr, r, "cannot read message");

                ssize_t n = recv(
                                connection->fd, connection->in + connection->n_in,
                                connection->in_capacity - connection->n_in, MSG_DONTWAIT);
                if (n > 0) {
                        connection->n_in += (size_t) n;
                        continue;
                }
                if (n == 0 && connection->n_in == 0)
                        return 0;
                if (n == 0)
                        return error_set(reterr, -ECONNRESET, "connection ended inside a message");
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return error_set(reterr, -errno, "cannot read message");
                r = wait_for(connection->fd, POLLIN, deadline);
                if (r < 0)
                        return error_set(reterr, r, "cannot read message");
        }
}

/* --- writing -------------------------------------------------------------------------------------------- */

/* Sends as much as is taken before the deadline; *ret_sent says how much, also on failure. 0 = all. */
static int send_until(int fd, const char *bytes, size_t n, int64_t deadline, size_t *ret_sent) {
        *ret_sent = 0;
        while (*ret_sent < n) {
                ssize_t sent = send(
                                fd, bytes + *ret_sent, n - *ret_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (sent >= 0) {
                        *ret_sent += (size_t) sent;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                int r = wait_for(fd, POLLOUT, deadline);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int queue_flush(VarlinkConnection *c, int64_t deadline) {
        if (c->n_out == 0)
                return 0;

        size_t sent;
        int r = send_until(c->fd, c->out, c->n_out, deadline, &sent);
        c->n_out -= sent;
        memmove(c->out, c->out + sent, c->n_out);
        return r;
}

/* The text of a message; *ret_n counts its final NUL. The caller frees it. NULL when out of memory. */
static char *message_render(const json_t *message, size_t *ret_n) {
        char *text = json_dumps(message, JSON_COMPACT);
        if (text)
                *ret_n = strlen(text) + 1;
        return text;
}

int varlink_connection_write(
                VarlinkConnection *connection, const json_t *message, int timeout_ms,
                Error *reterr) {
        int64_t deadline = deadline_after(timeout_ms);

        size_t n;
        cleanup_free char *text = message_render(message, &n);
        if (!text)
                return error_set(reterr, -ENOMEM, "cannot send message");
        if (n > VARLINK_MAX_MESSAGE)
                return error_set(reterr, -EMSGSIZE, "cannot send message of %zu bytes", n);

        int r = queue_flush(connection, deadline);
        if (r < 0)
                return error_set(reterr, r, "cannot send message");
        size_t sent;
        r = send_until(connection->fd, text, n, deadline, &sent);
        if (r < 0)
                return error_set(reterr, r, "cannot send message");
        return 0;
}

bool varlink_connection_queue(VarlinkConnection *connection, const json_t *message) {
        size_t n;
        cleanup_free char *text = message_render(message, &n);
        if (!text || n > VARLINK_MAX_QUEUED - connection->n_out)
                return false;
        if (!connection->out) {
                connection->out = malloc(VARLINK_MAX_QUEUED);
                if (!connection->out)
                        return false;
        }

        memcpy(connection->out + connection->n_out, text, n);
        connection->n_out += n;
        /* An error here shows again at the next write, which has to report it. */
        (void) queue_flush(connection, /* deadline= */ 0);
        return true;
}

/* --- messages ------------------------------------------------------------------------------------------- */

static int parameters_decode(json_t *value, json_t **ret) {
        if (value && !json_is_object(value) && !json_is_null(value))
                return -EBADMSG;
        *ret = json_is_object(value) ? value : NULL;
        return 0;
}

int varlink_call_decode(json_t *message, VarlinkCall *ret) {
        const char *method;
        json_t *value = NULL;
        int more = 0, oneway = 0, upgrade = 0;
        if (json_unpack_ex(message, /* error= */ NULL, JSON_STRICT, "{s:s, s?o, s?b, s?b, s?b}",
                           "method", &method, "parameters", &value, "more", &more, "oneway",
                           &oneway, "upgrade", &upgrade) < 0)
                return -EBADMSG;

        json_t *parameters;
        int r = parameters_decode(value, &parameters);
        if (r < 0)
                return r;
        *ret = (VarlinkCall){ method, parameters, more != 0, oneway != 0, upgrade != 0 };
        return 0;
}

int varlink_reply_decode(json_t *message, VarlinkReply *ret) {
        const char *error = NULL;
        json_t *value = NULL;
        int continues = 0;
        if (json_unpack_ex(message, /* error= */ NULL, JSON_STRICT, "{s?s, s?o, s?b}", "error",
                           &error, "parameters", &value, "continues", &continues) < 0)
                return -EBADMSG;
        /* An error is always the last word. */
        if (error && continues)
                return -EBADMSG;

        json_t *parameters;
        int r = parameters_decode(value, &parameters);
        if (r < 0)
                return r;
        *ret = (VarlinkReply){ error, parameters, continues != 0 };
        return 0;
}

json_t *varlink_call_new(const char *method, json_t *parameters, bool more) {
        json_t *message = json_pack(
                        "{s:s, s:o}", "method", method, "parameters",
                        parameters ? parameters : json_object());
        if (message && more && json_object_set_new(message, "more", json_true()) < 0) {
                json_decref(message);
                return NULL;
        }
        return message;
}

json_t *varlink_reply_new(json_t *parameters, bool continues) {
        json_t *message = json_pack("{s:o}", "parameters", parameters ? parameters : json_object());
        if (message && continues && json_object_set_new(message, "continues", json_true()) < 0) {
                json_decref(message);
                return NULL;
        }
        return message;
}

json_t *varlink_error_new(const char *error, json_t *parameters) {
        return json_pack(
                        "{s:s, s:o}", "error", error, "parameters",
                        parameters ? parameters : json_object());
}

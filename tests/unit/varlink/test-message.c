/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "varlink/message.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define WAIT_MS 2000

/* A connection and the bare other end of its socket. */
typedef struct Pair {
        VarlinkConnection *connection;
        int peer;
} Pair;

static Pair pair_open(void) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        Pair pair = { varlink_connection_new(fds[0]), fds[1] };
        assert_non_null(pair.connection);
        return pair;
}

static void pair_close(Pair *pair) {
        pair->connection = varlink_connection_free(pair->connection);
        pair->peer = fd_close(pair->peer);
}

static void peer_send(const Pair *pair, const void *bytes, size_t n) {
        assert_int_equal(send(pair->peer, bytes, n, MSG_NOSIGNAL), (ssize_t) n);
}

static json_t *read_one(VarlinkConnection *connection) {
        Error error = {};
        json_t *message = NULL;
        int r = varlink_connection_read(connection, WAIT_MS, &message, &error);
        if (r != 1)
                print_error("  read gave %d: %s\n", r, error.text);
        assert_int_equal(r, 1);
        return message;
}

static void test_read_split_and_joined(void **state) {
        (void) state;
        Pair pair = pair_open();

        /* two messages and a half, then the rest byte by byte */
        static const char first[] = "{\"method\":\"a.B\"}\0{\"method\":\"c.D\"}\0{\"meth";
        peer_send(&pair, first, sizeof(first) - 1);
        for (const char *p = "od\":\"e.F\"}"; *p; p++)
                peer_send(&pair, p, 1);
        peer_send(&pair, "", 1);

        static const char *const wanted[] = { "a.B", "c.D", "e.F" };
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                json_t *message = read_one(pair.connection);
                VarlinkCall call;
                assert_int_equal(varlink_call_decode(message, &call), 0);
                assert_string_equal(call.method, wanted[i]);
                json_decref(message);
        }

        pair.peer = fd_close(pair.peer);
        json_t *message = NULL;
        assert_int_equal(
                        varlink_connection_read(
                                        pair.connection, WAIT_MS, &message, /* reterr= */ NULL),
                        0);
        assert_null(message);
        pair_close(&pair);
}

static void test_read_refuses(void **state) {
        (void) state;
        static const struct {
                const char *bytes;
                size_t n;
                int want;
                const char *text;
        } rows[] = {
#define ROW(bytes, want, text) { bytes, sizeof(bytes), want, text }
                ROW("", -EBADMSG, "not valid JSON"),
                ROW("[]", -EBADMSG, "no JSON object"),
                ROW("\"x\"", -EBADMSG, "not valid JSON"),
                ROW("{} {}", -EBADMSG, "not valid JSON"),
                ROW("{\"a\":1,\"a\":2}", -EBADMSG, "duplicate"),
                ROW("{\"a\":\"\\u0000\"}", -EBADMSG, "not valid JSON"),
                ROW("{\"a\":\"\xff\"}", -EBADMSG, "not valid JSON"),
                ROW("{\"a\":18446744073709551616}", -EBADMSG, "too big"),
                ROW("{'a':1}", -EBADMSG, "not valid JSON"),
#undef ROW
                /* no final NUL: the end of the stream comes inside a message */
                { "{\"a\":1}", 7, -ECONNRESET, "inside a message" },
        };
        TEST_EACH(row, rows) {
                Pair pair = pair_open();
                peer_send(&pair, row->bytes, row->n);
                pair.peer = fd_close(pair.peer);

                Error error = {};
                json_t *message = NULL;
                assert_int_equal(
                                varlink_connection_read(pair.connection, WAIT_MS, &message, &error),
                                row->want);
                assert_non_null(strstr(error.text, row->text));
                assert_null(message);
                pair_close(&pair);
        }
}

/* Sends `depth` opening brackets as the value of a member. */
static int read_nested(size_t depth) {
        Pair pair = pair_open();
        peer_send(&pair, "{\"a\":", 5);
        for (size_t i = 0; i < depth; i++)
                peer_send(&pair, "[", 1);
        /* brackets in a string, also behind an escaped quote, are text */
        peer_send(&pair, "\"\\\"[[[[\"", 8);
        for (size_t i = 0; i < depth; i++)
                peer_send(&pair, "]", 1);
        peer_send(&pair, "}", 2);

        json_t *message = NULL;
        int r = varlink_connection_read(pair.connection, WAIT_MS, &message, /* reterr= */ NULL);
        json_decref(message);
        pair_close(&pair);
        return r;
}

static void test_read_bounds_depth(void **state) {
        (void) state;
        assert_int_equal(read_nested(VARLINK_MAX_DEPTH - 1), 1);
        assert_int_equal(read_nested(VARLINK_MAX_DEPTH), -EBADMSG);
}

static void test_read_times_out(void **state) {
        (void) state;
        Pair pair = pair_open();
        json_t *message = NULL;
        Error error = {};
        assert_int_equal(varlink_connection_read(pair.connection, 0, &message, &error), -ETIMEDOUT);
        /* half a message is not a sign of life that would extend the time */
        peer_send(&pair, "{", 1);
        assert_int_equal(
                        varlink_connection_read(pair.connection, 20, &message, &error), -ETIMEDOUT);
        assert_null(message);
        pair_close(&pair);
}

/* Feeds an endless string from another process and expects to be cut off at the limit. */
static void test_read_bounds_length(void **state) {
        (void) state;
        Pair pair = pair_open();
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                /* with no reader left, send() ends the loop */
                (void) varlink_connection_free(pair.connection);
                char block[65536];
                memset(block, ' ', sizeof(block));
                while (send(pair.peer, block, sizeof(block), MSG_NOSIGNAL) > 0)
                        ;
                _exit(0);
        }

        json_t *message = NULL;
        Error error = {};
        assert_int_equal(
                        varlink_connection_read(
                                        pair.connection, /* timeout_ms= */ -1, &message, &error),
                        -EBADMSG);
        assert_non_null(strstr(error.text, "longer than 4194304 bytes"));
        pair_close(&pair);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_write_and_read_back(void **state) {
        (void) state;
        Pair pair = pair_open();
        VarlinkConnection *other = varlink_connection_new(fcntl(pair.peer, F_DUPFD_CLOEXEC, 0));
        assert_non_null(other);

        json_t *sent = varlink_call_new(
                        "org.example.Do", json_pack("{s:i}", "n", 7), /* more= */ true);
        assert_non_null(sent);
        assert_int_equal(
                        varlink_connection_write(
                                        pair.connection, sent, WAIT_MS, /* reterr= */ NULL),
                        0);
        json_t *got = read_one(other);
        assert_true(json_equal(sent, got));

        VarlinkCall call;
        assert_int_equal(varlink_call_decode(got, &call), 0);
        assert_string_equal(call.method, "org.example.Do");
        assert_true(call.more);
        assert_false(call.oneway);
        assert_int_equal(json_integer_value(json_object_get(call.parameters, "n")), 7);

        json_decref(sent);
        json_decref(got);
        (void) varlink_connection_free(other);
        pair_close(&pair);
}

static void test_write_fails_without_signal(void **state) {
        (void) state;
        Pair pair = pair_open();
        json_t *message = varlink_reply_new(/* parameters= */ NULL, /* continues= */ false);

        /* a peer that does not read: the socket fills, then the deadline passes */
        int r = 0;
        json_t *large = varlink_reply_new(
                        json_pack("{s:o}", "x", json_stringn_nocheck((char[100000]){}, 100000)),
                        false);
        for (int i = 0; i < 100 && r == 0; i++)
                r = varlink_connection_write(pair.connection, large, 0, /* reterr= */ NULL);
        assert_int_equal(r, -ETIMEDOUT);

        pair.peer = fd_close(pair.peer);
        Error error = {};
        assert_int_equal(varlink_connection_write(pair.connection, message, 0, &error), -EPIPE);
        json_decref(large);
        json_decref(message);
        pair_close(&pair);
}

static void test_queue_never_waits_and_keeps_order(void **state) {
        (void) state;
        Pair pair = pair_open();
        int size = 4096;
        assert_int_equal(
                        setsockopt(varlink_connection_fd(pair.connection), SOL_SOCKET, SO_SNDBUF,
                                   &size, sizeof(size)),
                        0);

        int taken = 0;
        for (int i = 0; i < 2000; i++) {
                json_t *message = varlink_reply_new(
                                json_pack("{s:i, s:s}", "n", taken, "text",
                                          "a text of about a hundred bytes, so that the socket and then "
                                          "the queue behind it fill up some time"),
                                /* continues= */ true);
                taken += varlink_connection_queue(pair.connection, message) ? 1 : 0;
                json_decref(message);
        }
        assert_in_range(taken, 100, 1999);

        VarlinkConnection *other = varlink_connection_new(fcntl(pair.peer, F_DUPFD_CLOEXEC, 0));
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                json_t *last = varlink_reply_new(json_pack("{s:i}", "n", taken), false);
                _exit(varlink_connection_write(pair.connection, last, WAIT_MS, NULL) == 0 ? 0 : 1);
        }

        VarlinkReply reply = { .continues = true };
        for (int i = 0; reply.continues; i++) {
                json_t *message = read_one(other);
                assert_int_equal(varlink_reply_decode(message, &reply), 0);
                assert_int_equal(json_integer_value(json_object_get(reply.parameters, "n")), i);
                assert_int_equal(reply.continues, i < taken);
                json_decref(message);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        (void) varlink_connection_free(other);
        pair_close(&pair);
}

static void test_call_decode_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int want;
        } rows[] = {
                { "{\"method\":\"a.B\"}", 0 },
                { "{\"method\":\"a.B\",\"parameters\":{}}", 0 },
                { "{\"method\":\"a.B\",\"parameters\":null}", 0 },
                { "{\"method\":\"a.B\",\"more\":true,\"oneway\":false,\"upgrade\":false}", 0 },
                { "{}", -EBADMSG },
                { "{\"method\":1}", -EBADMSG },
                { "{\"method\":\"a.B\",\"parameters\":[]}", -EBADMSG },
                { "{\"method\":\"a.B\",\"more\":1}", -EBADMSG },
                { "{\"method\":\"a.B\",\"other\":1}", -EBADMSG },
        };
        TEST_EACH(row, rows) {
                json_t *message = json_loads(row->text, 0, NULL);
                assert_non_null(message);
                VarlinkCall call;
                assert_int_equal(varlink_call_decode(message, &call), row->want);
                json_decref(message);
        }
}

static void test_reply_decode_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int want;
                const char *error;
                bool continues;
        } rows[] = {
                { "{}", 0, NULL, false },
                { "{\"parameters\":{\"a\":1}}", 0, NULL, false },
                { "{\"parameters\":{},\"continues\":true}", 0, NULL, true },
                { "{\"error\":\"a.B\",\"parameters\":{}}", 0, "a.B", false },
                { "{\"error\":\"a.B\",\"continues\":true}", -EBADMSG, NULL, false },
                { "{\"error\":7}", -EBADMSG, NULL, false },
                { "{\"parameters\":\"x\"}", -EBADMSG, NULL, false },
                { "{\"method\":\"a.B\"}", -EBADMSG, NULL, false },
        };
        TEST_EACH(row, rows) {
                json_t *message = json_loads(row->text, 0, NULL);
                assert_non_null(message);
                VarlinkReply reply = {};
                assert_int_equal(varlink_reply_decode(message, &reply), row->want);
                if (row->want == 0) {
                        assert_true(streq_null(reply.error, row->error));
                        assert_int_equal(reply.continues, row->continues);
                }
                json_decref(message);
        }
}

static void test_error_new(void **state) {
        (void) state;
        json_t *message = varlink_error_new("org.example.Bad", /* parameters= */ NULL);
        char *text = json_dumps(message, JSON_COMPACT);
        assert_string_equal(text, "{\"error\":\"org.example.Bad\",\"parameters\":{}}");
        free(text);
        json_decref(message);
}

TEST_MAIN(cmocka_unit_test(test_read_split_and_joined), cmocka_unit_test(test_read_refuses),
          cmocka_unit_test(test_read_bounds_depth), cmocka_unit_test(test_read_times_out),
          cmocka_unit_test(test_read_bounds_length), cmocka_unit_test(test_write_and_read_back),
          cmocka_unit_test(test_write_fails_without_signal),
          cmocka_unit_test(test_queue_never_waits_and_keeps_order),
          cmocka_unit_test(test_call_decode_table), cmocka_unit_test(test_reply_decode_table),
          cmocka_unit_test(test_error_new))

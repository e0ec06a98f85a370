/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a caller sends: the bytes go through a real socket into the helper's whole way from framing to the judged call. The
 * helper is one that must not act, so everything is read and decided, and nothing is done.
 */

#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "helper/service.h"
#include "system/seam.h"

#define INPUT_MAX ((size_t) 64 * 1024) /* what a socket takes at once */

static void say_nothing(const char *line UNUSED) {
}

static void send_all(int fd, const uint8_t *bytes, size_t n) {
        size_t sent = 0;
        while (sent < n) {
                ssize_t k = send(fd, bytes + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (k <= 0)
                        break;
                sent += (size_t) k;
        }
        FUZZ_ASSERT(shutdown(fd, SHUT_WR) == 0);
}

/* Each answer is a whole message: an object, ended by NUL. */
static void check_answers(int fd) {
        CLEANUP(varlink_connection_freep) VarlinkConnection *c = varlink_connection_new(fd);
        FUZZ_ASSERT(c);
        for (;;) {
                json_t *message = NULL;
                Error error = { 0 };
                int r = varlink_connection_read(c, /* timeout_ms= */ 0, &message, &error);
                if (r <= 0) {
                        FUZZ_ASSERT(r == 0);
                        return;
                }
                VarlinkReply reply;
                FUZZ_ASSERT(varlink_reply_decode(message, &reply) == 0);
                json_decref(message);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        if (n > INPUT_MAX)
                return 0;
        int fds[2];
        FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
        int size = 4 * 1024 * 1024;
        (void) setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        (void) setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        send_all(fds[0], bytes, n);

        Engine engine = { .seam = seam_real(), .root_fd = -EBADF };
        Caller caller = { .state = CALLER_KNOWN, .pidfd = -EBADF };
        Service service = {
                .engine = &engine,
                .connection = varlink_connection_new(fds[1]),
                .caller = &caller,
                .via = "direct",
                .unfit = "it is here to listen only",
                .log = say_nothing,
        };
        FUZZ_ASSERT(service.connection);
        Error error = { 0 };
        FUZZ_ASSERT(service_run(&service, &error) == 0);
        service.connection = varlink_connection_free(service.connection);
        check_answers(fds[0]);
        return 0;
}

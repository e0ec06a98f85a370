/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bare generator, for the lab's to be compared with: blocking sockets, nothing measured, nothing counted but how many
 * connections were completed. The same wire (insight/lab-net.h), the same exchange, the client closes first.
 *
 * usage: floor PROCESSES MILLISECONDS
 *
 * So many clients and as many servers. Prints connections per second.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "insight/lab-net.h"
#include "insight/lab-server.h"

#define MAX_PROCESSES 64U

static _Noreturn void fail(const char *what) {
        perror(what);
        _exit(1);
}

static bool receive(int fd, size_t n) {
        char bytes[LAB_ANSWER_BYTES];
        while (n > 0) {
                ssize_t k = recv(fd, bytes, n < sizeof(bytes) ? n : sizeof(bytes), 0);
                if (k <= 0)
                        return false;
                n -= (size_t) k;
        }
        return true;
}

static _Noreturn void serve(int listener) {
        static const char answer[LAB_ANSWER_BYTES];
        char end;
        for (;;) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (fd < 0)
                        continue;
                if (receive(fd, LAB_REQUEST_BYTES) &&
                    send(fd, answer, sizeof(answer), MSG_NOSIGNAL) == (ssize_t) sizeof(answer))
                        (void) recv(fd, &end, 1, 0); /* the client's end */
                (void) close(fd);
        }
}

static bool exchange(const struct sockaddr_in *server) {
        static const char request[LAB_REQUEST_BYTES];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;
        bool done = connect(fd, (const struct sockaddr *) server, sizeof(*server)) == 0 &&
                    send(fd, request, sizeof(request), MSG_NOSIGNAL) == (ssize_t) sizeof(request) &&
                    receive(fd, LAB_ANSWER_BYTES);
        (void) close(fd);
        return done;
}

static _Noreturn void churn(uint64_t end_ns, _Atomic uint64_t *n) {
        const struct sockaddr_in server = {
                .sin_family = AF_INET,
                .sin_port = htons(LAB_SERVER_PORT),
                .sin_addr.s_addr = htonl(LAB_SERVER_ADDRESS),
        };
        while (lab_now_ns() < end_ns)
                if (exchange(&server))
                        atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
        _exit(0);
}

static pid_t fork_mortal(void) {
        pid_t child = fork();
        if (child < 0)
                fail("fork");
        if (child == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                fail("prctl");
        return child;
}

static int open_listener(const LabNet *net) {
        const LabLoad load = { .destinations = 1 };
        int listener = -1;
        Error error = {};
        if (lab_net_enter(&net->server, &error) < 0 ||
            lab_server_listen(&load, &listener, &error) < 0) {
                (void) fprintf(stderr, "floor: %s\n", error.text);
                _exit(1);
        }
        /* it was made for epoll */
        int blocking = fcntl(listener, F_GETFL);
        if (blocking < 0 || fcntl(listener, F_SETFL, blocking & ~O_NONBLOCK) < 0)
                fail("fcntl");
        return listener;
}

int main(int argc, char **argv) {
        uint64_t n_processes = 0, ms = 0;
        if (argc != 3 || num_parse_u64(argv[1], &n_processes) < 0 || n_processes == 0 ||
            n_processes > MAX_PROCESSES || num_parse_u64(argv[2], &ms) < 0 || ms == 0)
                return 64;
        LabNet net;
        Error error = {};
        if (lab_net_build(&net, &error) < 0) {
                (void) fprintf(stderr, "floor: %s\n", error.text);
                return 77;
        }
        _Atomic uint64_t *n = mmap(
                        NULL, sizeof(*n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                        0);
        if (n == MAP_FAILED)
                fail("mmap");
        pid_t children[2 * MAX_PROCESSES];
        int listener = open_listener(&net);
        for (uint64_t i = 0; i < n_processes; i++)
                if ((children[i] = fork_mortal()) == 0)
                        serve(listener);
        if (lab_net_enter(&net.client, &error) < 0)
                return 1;
        uint64_t began_ns = lab_now_ns();
        for (uint64_t i = 0; i < n_processes; i++)
                if ((children[n_processes + i] = fork_mortal()) == 0)
                        churn(began_ns + ms * 1000000, n);
        for (uint64_t i = 0; i < n_processes; i++)
                (void) waitpid(children[n_processes + i], NULL, 0);
        uint64_t took_ns = lab_now_ns() - began_ns;
        for (uint64_t i = 0; i < n_processes; i++)
                (void) kill(children[i], SIGKILL);
        (void) printf("%.0f\n", (double) *n * 1e9 / (double) took_ns);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * churn N [4|6] [DESTINATIONS] [client|server] [WORKERS]: leaves N sockets in TIME_WAIT on the loopback of this network
 * namespace, evenly to so many destination ports from 10000 on, by connections that the client (or the server) closes first.
 * Prints "ready" and stays, with its listening sockets, until its standard input ends.
 *
 * On the loopback every step is done when its call returns, so one thread is enough for each worker, and the count is exact
 * as long as it takes less than the 60 s of a TIME_WAIT. tcp_tw_reuse has to be 0, or connect() takes them over again.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE_PORT        10000
#define MAX_DESTINATIONS 1000

typedef struct Plan {
        long n;
        int family;
        int n_destinations;
        bool is_server_first;
        int n_workers;
} Plan;

static void die(const char *what) {
        perror(what);
        exit(1);
}

typedef union Address {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
} Address;

static socklen_t address_of(const Plan *plan, int destination, Address *ret) {
        uint16_t port = htons((uint16_t) (BASE_PORT + destination));
        if (plan->family == AF_INET) {
                *ret = (Address){ .four = { .sin_family = AF_INET,
                                            .sin_port = port,
                                            .sin_addr = { htonl(INADDR_LOOPBACK) } } };
                return sizeof(ret->four);
        }
        *ret = (Address){ .six = { .sin6_family = AF_INET6,
                                   .sin6_port = port,
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT } };
        return sizeof(ret->six);
}

static int listen_on(const Plan *plan, int destination) {
        Address address;
        socklen_t size = address_of(plan, destination, &address);
        int fd = socket(plan->family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(fd, &address.any, size) < 0 || listen(fd, 64) < 0)
                die("listen");
        return fd;
}

static void connect_and_close(const Plan *plan, int listener, const Address *to, socklen_t size) {
        int client = socket(plan->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client < 0 || connect(client, &to->any, size) < 0)
                die("connect");
        int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (server < 0)
                die("accept");
        (void) close(plan->is_server_first ? server : client);
        (void) close(plan->is_server_first ? client : server);
}

/* Every n_workers-th destination. */
static void work(const Plan *plan, const int *listeners, int worker) {
        for (int d = worker; d < plan->n_destinations; d += plan->n_workers) {
                Address to;
                socklen_t size = address_of(plan, d, &to);
                long n = plan->n / plan->n_destinations + (d < plan->n % plan->n_destinations);
                for (long i = 0; i < n; i++)
                        connect_and_close(plan, listeners[d], &to, size);
        }
}

static long number(const char *text, long low, long high) {
        char *end;
        errno = 0;
        long value = strtol(text, &end, 10);
        if (errno != 0 || *end != '\0' || end == text || value < low || value > high) {
                (void) fprintf(stderr, "churn: '%s' is not from %ld to %ld\n", text, low, high);
                exit(64);
        }
        return value;
}

int main(int argc, char **argv) {
        if (argc < 2)
                return 64;
        Plan plan = {
                .n = number(argv[1], 0, 10000000),
                .family = argc > 2 && strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET,
                .n_destinations = argc > 3 ? (int) number(argv[3], 1, MAX_DESTINATIONS) : 100,
                .is_server_first = argc > 4 && strcmp(argv[4], "server") == 0,
                .n_workers = argc > 5 ? (int) number(argv[5], 1, 16) : 2,
        };
        static int listeners[MAX_DESTINATIONS];
        for (int d = 0; d < plan.n_destinations; d++)
                listeners[d] = listen_on(&plan, d);
        for (int w = 0; w < plan.n_workers; w++) {
                pid_t pid = fork();
                if (pid < 0)
                        die("fork");
                if (pid == 0) {
                        work(&plan, listeners, w);
                        _exit(0);
                }
        }
        int status, failed = 0;
        while (wait(&status) > 0)
                failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        if (failed)
                return 1;
        (void) puts("ready");
        (void) fflush(stdout);
        char byte;
        while (read(STDIN_FILENO, &byte, 1) > 0)
                ;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sockets of the loopback, for what lists sockets. */

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"

#define LOOPBACK_BACKLOG 7

/* A listening socket of AF_INET or AF_INET6 at a port of the kernel's choice, owned by the caller; <0. */
static inline int loopback_listen(int family, uint16_t *ret_port) {
        const struct sockaddr_in6 six = { .sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        const struct sockaddr_in four = { .sin_family = AF_INET,
                                          .sin_addr = { htonl(INADDR_LOOPBACK) } };
        const struct sockaddr *address = family == AF_INET ? (const struct sockaddr *) &four
                                                           : (const struct sockaddr *) &six;
        socklen_t size = family == AF_INET ? sizeof(four) : sizeof(six);
        cleanup_close int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, LOOPBACK_BACKLOG) < 0)
                return -errno;
        struct sockaddr_in6 bound = { 0 };
        size = sizeof(bound);
        if (getsockname(fd, (struct sockaddr *) &bound, &size) < 0)
                return -errno;
        *ret_port = ntohs(bound.sin6_port); /* at the same place in both */
        return TAKE_FD(fd);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "insight/lab-link.h"
#include "system/private-namespaces.h"

#define CLIENT_LINK "lab-client"
#define SERVER_LINK "lab-server"
#define PROBE_PORT  9U    /* discard */
#define PROBE_TRIES 5000U /* one each millisecond */

/* --- settings ------------------------------------------------------------------------------------------- */

/* A container's /proc/sys is read-only; over our own namespace's part we may mount it writable. */
static int make_sysctls_writable(Error *reterr) {
        struct statvfs st;
        if (statvfs("/proc/sys/net", &st) < 0)
                return error_set(reterr, -errno, "cannot find '/proc/sys/net'");
        if ((st.f_flag & ST_RDONLY) == 0)
                return 0;
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("/proc/sys/net", "/proc/sys/net", NULL, MS_BIND, NULL) < 0 ||
            mount(NULL, "/proc/sys/net", NULL,
                  MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return error_set(
                                reterr, -EROFS, "cannot write to '/proc/sys/net' (%s)",
                                strerror(errno));
        return 0;
}

/* --- the two sides -------------------------------------------------------------------------------------- */

static int open_here(const char *path, int *ret, Error *reterr) {
        *ret = open(path, O_RDONLY | O_CLOEXEC);
        return *ret < 0 ? error_set(reterr, -errno, "cannot open '%s'", path) : 0;
}

/* What /proc/net shows is decided when the file is opened. */
static int side_open(LabSide *side, Error *reterr) {
        int r = open_here("/proc/self/ns/net", &side->netns_fd, reterr);
        if (r == 0)
                r = open_here("/proc/self/net/sockstat", &side->sockstat_fd, reterr);
        if (r == 0)
                r = open_here("/proc/self/net/snmp", &side->snmp_fd, reterr);
        return r < 0 ? r : open_here("/proc/self/net/netstat", &side->netstat_fd, reterr);
}

static void side_close(LabSide *side) {
        side->netns_fd = fd_close(side->netns_fd);
        side->sockstat_fd = fd_close(side->sockstat_fd);
        side->snmp_fd = fd_close(side->snmp_fd);
        side->netstat_fd = fd_close(side->netstat_fd);
}

static int configure(const LabSide *side, const char *link, uint32_t address, Error *reterr) {
        int r = lab_net_enter(side, reterr);
        if (r < 0)
                return r;
        r = lab_link_raise("lo");
        if (r == 0)
                r = lab_link_add_address(link, htonl(address));
        if (r == 0)
                r = lab_link_raise(link);
        return r < 0 ? error_set(reterr, r, "cannot configure '%s'", link) : 0;
}

/* A socket of that side, connected to the other side's. */
static int open_probe(const LabSide *side, uint32_t here, uint32_t there, Error *reterr) {
        int r = lab_net_enter(side, reterr);
        if (r < 0)
                return r;
        cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(PROBE_PORT),
                .sin_addr.s_addr = htonl(here),
        };
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set(reterr, -errno, "cannot probe the veth pair");
        address.sin_addr.s_addr = htonl(there);
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set(reterr, -errno, "cannot probe the veth pair");
        return TAKE_FD(fd);
}

/* Whether something came. What is sent may be dropped, and a send may fail: the next try follows. */
static bool probe(int from_fd, int to_fd) {
        char byte = 0;
        (void) send(from_fd, &byte, sizeof(byte), MSG_NOSIGNAL);
        struct pollfd wanted = { .fd = to_fd, .events = POLLIN };
        return poll(&wanted, 1, 1) > 0 && recv(to_fd, &byte, sizeof(byte), 0) == sizeof(byte);
}

/* The end that was raised first begins to transmit by a work queue (linkwatch_do_dev() in net/core/link_watch.c), and
 * what it sends before is dropped: on a busy machine the first connections then waited a second for their SYN to be
 * repeated. Datagrams in both directions, which no counter of TCP sees, tell when the wire is there. */
static int wait_for_wire(const LabNet *net, Error *reterr) {
        cleanup_close int server = open_probe(
                        &net->server, LAB_SERVER_ADDRESS, LAB_CLIENT_ADDRESS, reterr);
        if (server < 0)
                return server;
        cleanup_close int client = open_probe(
                        &net->client, LAB_CLIENT_ADDRESS, LAB_SERVER_ADDRESS, reterr);
        if (client < 0)
                return client;
        bool there = false, back = false;
        for (unsigned i = 0; i < PROBE_TRIES; i++) {
                there = there || probe(client, server);
                back = back || probe(server, client);
                if (there && back)
                        return 0;
        }
        return error_set(reterr, -ETIMEDOUT, "the veth pair carries nothing");
}

static int build(LabNet *net, Error *reterr) {
        int r = private_namespaces_enter(&net->user_namespace, reterr);
        if (r == 0)
                r = make_sysctls_writable(reterr);
        if (r == 0)
                r = side_open(&net->client, reterr);
        if (r < 0)
                return r;
        if (unshare(CLONE_NEWNET) < 0)
                return error_set(reterr, -errno, "cannot make a second network namespace");
        r = side_open(&net->server, reterr);
        if (r < 0)
                return r;
        r = lab_link_make_pair(SERVER_LINK, CLIENT_LINK, net->client.netns_fd);
        if (r < 0)
                return error_set(reterr, r, "cannot make a veth pair");
        r = configure(&net->server, SERVER_LINK, LAB_SERVER_ADDRESS, reterr);
        if (r == 0)
                r = configure(&net->client, CLIENT_LINK, LAB_CLIENT_ADDRESS, reterr);
        return r < 0 ? r : wait_for_wire(net, reterr);
}

int lab_net_build(LabNet *ret, Error *reterr) {
        CLEANUP(lab_net_close) LabNet net = LAB_NET_EMPTY;
        int r = build(&net, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot set up the lab");
        *ret = net;
        net = LAB_NET_EMPTY;
        return 0;
}

void lab_net_close(LabNet *net) {
        side_close(&net->client);
        side_close(&net->server);
}

int lab_net_enter(const LabSide *side, Error *reterr) {
        if (setns(side->netns_fd, CLONE_NEWNET) < 0)
                return error_set(reterr, -errno, "cannot enter a network namespace of the lab");
        return 0;
}

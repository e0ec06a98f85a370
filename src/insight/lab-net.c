/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "insight/lab-link.h"

#define CLIENT_LINK "lab-client"
#define SERVER_LINK "lab-server"

/* --- namespaces ----------------------------------------------------------------------------------------- */

static int write_text(const char *path, const char *text) {
        cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        size_t n = strlen(text);
        return write(fd, text, n) == (ssize_t) n ? 0 : -errno;
}

/* Root inside, ourselves outside: user_namespaces(7). */
static int map_ids(uid_t uid, gid_t gid) {
        char uid_map[64], gid_map[64];
        (void) snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", (unsigned) uid); /* fits */
        (void) snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", (unsigned) gid); /* fits */
        int r = write_text("/proc/self/setgroups", "deny\n");
        if (r < 0 && r != -ENOENT)
                return r;
        r = write_text("/proc/self/uid_map", uid_map);
        return r < 0 ? r : write_text("/proc/self/gid_map", gid_map);
}

/* Root takes the namespaces as they are; everybody else, root without CAP_SYS_ADMIN among them, needs a user namespace
 * round them. */
static int leave_host(bool *ret_user_namespace, Error *reterr) {
        *ret_user_namespace = false;
        if (geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWNET) == 0)
                return 0;
        uid_t uid = geteuid();
        gid_t gid = getegid();
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
                return error_set(reterr, -errno, "cannot make private namespaces");
        *ret_user_namespace = true;
        int r = map_ids(uid, gid);
        return r < 0 ? error_set(reterr, r, "cannot become root of a user namespace") : 0;
}

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

static int build(LabNet *net, Error *reterr) {
        int r = leave_host(&net->user_namespace, reterr);
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
        return r < 0 ? r : configure(&net->client, CLIENT_LINK, LAB_CLIENT_ADDRESS, reterr);
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

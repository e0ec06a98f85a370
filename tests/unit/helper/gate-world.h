/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A root directory of its own with what the health gate reads of /proc. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

typedef struct GateWorld {
        char path[64];
        int root_fd;
} GateWorld;

static const char *const gate_world_dirs[] = { "proc",     "proc/self",    "proc/self/net",
                                               "proc/sys", "proc/sys/net", "proc/sys/net/ipv4" };
static const char *const gate_world_files[] = { "proc/self/net/netstat",
                                                "proc/self/net/snmp",
                                                "proc/sys/net/ipv4/ip_local_port_range",
                                                "proc/sys/net/ipv4/ip_local_reserved_ports",
                                                "proc/sys/net/ipv4/tcp_timestamps",
                                                "proc/sys/net/ipv4/tcp_tw_reuse" };

static inline void gate_world_write(const GateWorld *world, const char *path, const char *text) {
        int fd = openat(world->root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        (void) close(fd);
}

/* Two counters and the whole of one. */
static inline void gate_world_count(const GateWorld *world, unsigned overflows, unsigned segments) {
        char text[128];
        (void) snprintf(text, sizeof(text), "TcpExt: TW ListenOverflows\nTcpExt: 1 %u\n",
                        overflows);
        gate_world_write(world, "proc/self/net/netstat", text);
        (void) snprintf(text, sizeof(text), "Tcp: OutSegs RetransSegs\nTcp: %u 0\n", segments);
        gate_world_write(world, "proc/self/net/snmp", text);
}

static inline void gate_world_open(GateWorld *world) {
        (void) snprintf(world->path, sizeof(world->path), "/tmp/twprofile-gate.XXXXXX");
        assert_non_null(mkdtemp(world->path));
        world->root_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(gate_world_dirs); i++)
                assert_int_equal(mkdirat(world->root_fd, gate_world_dirs[i], 0755), 0);
        gate_world_count(world, 0, 0);
        gate_world_write(world, "proc/sys/net/ipv4/ip_local_port_range", "1024\t65535\n");
        gate_world_write(world, "proc/sys/net/ipv4/ip_local_reserved_ports", "\n");
        gate_world_write(world, "proc/sys/net/ipv4/tcp_timestamps", "1\n");
        gate_world_write(world, "proc/sys/net/ipv4/tcp_tw_reuse", "2\n");
}

static inline void gate_world_close(GateWorld *world) {
        for (size_t i = 0; i < ELEMENTSOF(gate_world_files); i++)
                (void) unlinkat(world->root_fd, gate_world_files[i], 0);
        for (size_t i = ELEMENTSOF(gate_world_dirs); i-- > 0;)
                (void) unlinkat(world->root_fd, gate_world_dirs[i], AT_REMOVEDIR);
        (void) close(world->root_fd);
        assert_int_equal(rmdir(world->path), 0);
}

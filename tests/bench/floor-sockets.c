/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor-sockets: the least that counting all TCP sockets by state can be: one request to sock_diag(7) for both families,
 * answers of 32 KiB, one addition for each socket. No destinations, no settings, no library.
 */

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned long counts[256];

/* 0 at the end, 1 when more comes, -1. */
static int take(const char *answer, size_t n) {
        const struct nlmsghdr *header = (const void *) answer;
        for (; NLMSG_OK(header, n); header = NLMSG_NEXT(header, n)) {
                if (header->nlmsg_type == NLMSG_DONE)
                        return 0;
                if (header->nlmsg_type == NLMSG_ERROR)
                        return -1;
                counts[((const struct inet_diag_msg *) NLMSG_DATA(header))->idiag_state]++;
        }
        return 1;
}

int main(void) {
        struct {
                struct nlmsghdr header;
                struct inet_diag_req wanted;
        } request = {
                .header = { .nlmsg_len = sizeof(request),
                            .nlmsg_type = TCPDIAG_GETSOCK,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                .wanted = { .idiag_family = AF_INET, .idiag_states = 0xfff },
        };
        static char answer[32 * 1024] __attribute__((aligned(8)));
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0)
                return 1;
        int more = 1;
        while (more > 0) {
                ssize_t n = recv(fd, answer, sizeof(answer), 0);
                if (n <= 0)
                        return 1;
                more = take(answer, (size_t) n);
        }
        for (int i = 0; i < 256; i++)
                if (counts[i] > 0)
                        (void) printf("%d %lu\n", i, counts[i]);
        return more < 0 ? 1 : 0;
}

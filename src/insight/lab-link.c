/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-link.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define MESSAGE_MAX 512U
#define PREFIX_BITS 24U

/* One request. The kernel wants every part on a boundary of four bytes. */
typedef struct Message {
        union {
                struct nlmsghdr header;
                unsigned char bytes[MESSAGE_MAX];
        };
} Message;

static void *message_extend(Message *message, size_t n) {
        size_t at = NLMSG_ALIGN(message->header.nlmsg_len);
        assert(at + NLMSG_ALIGN(n) <= MESSAGE_MAX);
        message->header.nlmsg_len = (uint32_t) (at + n);
        return message->bytes + at;
}

static void message_begin(Message *message, uint16_t type, uint16_t flags) {
        *message = (Message){};
        message->header.nlmsg_len = NLMSG_HDRLEN;
        message->header.nlmsg_type = type;
        message->header.nlmsg_flags = (uint16_t) (NLM_F_REQUEST | NLM_F_ACK | flags);
        message->header.nlmsg_seq = 1;
}

static void message_add(Message *message, uint16_t type, const void *bytes, size_t n) {
        struct rtattr *attribute = message_extend(message, RTA_LENGTH(n));
        attribute->rta_type = type;
        attribute->rta_len = (unsigned short) RTA_LENGTH(n);
        if (n > 0)
                memcpy(RTA_DATA(attribute), bytes, n);
}

static void message_add_text(Message *message, uint16_t type, const char *text) {
        message_add(message, type, text, strlen(text) + 1);
}

/* The attribute's offset: its length is known when all that it holds is there. */
static size_t message_open(Message *message, uint16_t type) {
        size_t at = NLMSG_ALIGN(message->header.nlmsg_len);
        message_add(message, type, NULL, 0);
        return at;
}

static void message_shut(Message *message, size_t at) {
        struct rtattr *attribute = (struct rtattr *) (void *) (message->bytes + at);
        attribute->rta_len = (unsigned short) (message->header.nlmsg_len - at);
}

static int read_answer(int fd) {
        Message answer = {};
        ssize_t n = recv(fd, answer.bytes, sizeof(answer.bytes), 0);
        if (n < 0)
                return -errno;
        if ((size_t) n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) ||
            answer.header.nlmsg_type != NLMSG_ERROR)
                return -EBADMSG;
        const struct nlmsgerr *verdict = NLMSG_DATA(&answer.header);
        return verdict->error;
}

static int ask(const Message *message) {
        cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (fd < 0)
                return -errno;
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        ssize_t n = sendto(
                        fd, message->bytes, message->header.nlmsg_len, 0,
                        (const struct sockaddr *) &kernel, sizeof(kernel));
        return n < 0 ? -errno : read_answer(fd);
}

int lab_link_make_pair(const char *name, const char *peer, int peer_netns_fd) {
        Message message;
        message_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        (void) message_extend(&message, sizeof(struct ifinfomsg)); /* all zero */
        message_add_text(&message, IFLA_IFNAME, name);
        size_t info = message_open(&message, IFLA_LINKINFO);
        message_add_text(&message, IFLA_INFO_KIND, "veth");
        size_t data = message_open(&message, IFLA_INFO_DATA);
        size_t other = message_open(&message, VETH_INFO_PEER);
        (void) message_extend(&message, sizeof(struct ifinfomsg));
        message_add_text(&message, IFLA_IFNAME, peer);
        message_add(&message, IFLA_NET_NS_FD, &peer_netns_fd, sizeof(peer_netns_fd));
        message_shut(&message, other);
        message_shut(&message, data);
        message_shut(&message, info);
        return ask(&message);
}

int lab_link_add_address(const char *name, uint32_t address) {
        unsigned index = if_nametoindex(name);
        if (index == 0)
                return -errno;
        Message message;
        message_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
        struct ifaddrmsg *head = message_extend(&message, sizeof(*head));
        head->ifa_family = AF_INET;
        head->ifa_prefixlen = PREFIX_BITS;
        head->ifa_index = index;
        message_add(&message, IFA_LOCAL, &address, sizeof(address));
        message_add(&message, IFA_ADDRESS, &address, sizeof(address));
        return ask(&message);
}

int lab_link_raise(const char *name) {
        unsigned index = if_nametoindex(name);
        if (index == 0)
                return -errno;
        Message message;
        message_begin(&message, RTM_NEWLINK, 0);
        struct ifinfomsg *head = message_extend(&message, sizeof(*head));
        head->ifi_index = (int) index;
        head->ifi_change = IFF_UP;
        head->ifi_flags = IFF_UP;
        return ask(&message);
}

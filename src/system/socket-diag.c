/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/socket-diag.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

/* What a dump may take at once; the kernel fills up to 32 KiB (net/netlink/af_netlink.c). */
#define ANSWER_MAX ((size_t) 32 * 1024)

/* --- the library ---------------------------------------------------------------------------------------- */

#define LIBRARY "libmnl.so.0"

/* The functions of the library that are used, by the types of its header. */
#define FUNCTIONS(X)              \
        X(socket_open2)           \
        X(socket_bind)            \
        X(socket_get_fd)          \
        X(socket_get_portid)      \
        X(socket_close)           \
        X(socket_sendto)          \
        X(socket_recvfrom)        \
        X(nlmsg_put_header)       \
        X(nlmsg_put_extra_header) \
        X(nlmsg_get_payload)      \
        X(nlmsg_get_payload_len)  \
        X(attr_put)               \
        X(cb_run)

/* NOLINTNEXTLINE(bugprone-macro-parentheses): the name that is declared takes no brackets */
#define MEMBER(name) typeof(mnl_##name) *name;
#define ROW(name)    { "mnl_" #name, offsetof(Functions, name) },

typedef struct Functions {
        FUNCTIONS(MEMBER)
} Functions;

/* Loaded at the first use and never closed: few processes list sockets, and each would pay for it at its start. */
static Functions mnl;

static int load_library(Error *reterr) {
        static const struct {
                const char *name;
                size_t offset;
        } rows[] = { FUNCTIONS(ROW) };
        if (mnl.cb_run)
                return 0;

        void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return error_set(
                                reterr, -ENOENT, "cannot load '%s', which lists sockets (%s)",
                                LIBRARY, dlerror());
        Functions found;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                void *symbol = dlsym(library, rows[i].name);
                if (!symbol)
                        return error_set(
                                        reterr, -ENOENT, "cannot find '%s' in '%s'", rows[i].name,
                                        LIBRARY);
                memcpy((char *) &found + rows[i].offset, &symbol, sizeof(symbol));
        }
        mnl = found;
        return 0;
}

/* --- opening -------------------------------------------------------------------------------------------- */

int socket_diag_open(SocketDiag *ret, Error *reterr) {
        int r = load_library(reterr);
        if (r < 0)
                return r;
        struct mnl_socket *nl = mnl.socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
        if (!nl)
                return error_set(reterr, -errno, "cannot open a netlink socket");
        *ret = (SocketDiag){ .socket = nl };

        static const struct timeval wait = { .tv_sec = SOCKET_DIAG_WAIT_MS / 1000 };
        if (mnl.socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
            setsockopt(mnl.socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0) {
                r = -errno;
                socket_diag_close(ret);
                return error_set(reterr, r, "cannot prepare a netlink socket");
        }
        return 0;
}

void socket_diag_close(SocketDiag *diag) {
        if (diag->socket)
                (void) mnl.socket_close(diag->socket); /* nothing is left to lose */
        *diag = SOCKET_DIAG_EMPTY;
}

/* --- asking --------------------------------------------------------------------------------------------- */

/* The filter's program: two comparisons of two cells each, the second cell holds the port. A jump to its end takes the
 * socket, one beyond it leaves it out (net/ipv4/inet_diag.c, inet_diag_bc_run()). */
static void add_filter(struct nlmsghdr *header, const SocketDiagRequest *request) {
        enum { CELL = sizeof(struct inet_diag_bc_op), PAIR = 2 * CELL, OUT = CELL };
        const struct inet_diag_bc_op program[] = {
                { .code = INET_DIAG_BC_S_GE, .yes = PAIR, .no = 2 * PAIR + OUT },
                { .no = request->port_first },
                { .code = INET_DIAG_BC_S_LE, .yes = PAIR, .no = PAIR + OUT },
                { .no = request->port_last },
        };
        mnl.attr_put(header, INET_DIAG_REQ_BYTECODE, sizeof(program), program);
}

/* The request of before Linux 3.3, which ss(8) sends too when it wants all families: with it the kernel walks its tables
 * once for IPv4 and IPv6 (net/ipv4/inet_diag.c, inet_diag_dump_compat()), with SOCK_DIAG_BY_FAMILY once for each. At a
 * million sockets such a walk is two fifths of the cost. */
static int send_request(SocketDiag *diag, const SocketDiagRequest *request) {
        union {
                char bytes[256];
                struct nlmsghdr header; /* for its alignment */
        } buffer = { { 0 } };
        struct nlmsghdr *header = mnl.nlmsg_put_header(buffer.bytes);
        header->nlmsg_type = TCPDIAG_GETSOCK;
        header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        header->nlmsg_seq = ++diag->sequence;

        struct inet_diag_req *wanted = mnl.nlmsg_put_extra_header(header, sizeof(*wanted));
        wanted->idiag_family = AF_INET; /* not looked at */
        /* one bit more and newer kernels walk their table of bound ports as well */
        wanted->idiag_states = request->states & SOCKET_DIAG_STATES;
        if (request->port_last > 0)
                add_filter(header, request);
        return mnl.socket_sendto(diag->socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

/* --- answers -------------------------------------------------------------------------------------------- */

static TcpAddress address_of(int family, const uint32_t words[4]) {
        TcpAddress address = { .bytes = { [10] = 0xff, [11] = 0xff } };
        if (family == AF_INET)
                memcpy(address.bytes + 12, words, 4);
        else
                memcpy(address.bytes, words, sizeof(address.bytes));
        return address;
}

static inline int decode(const void *message, size_t n, TcpSocket *ret) {
        /* not copied: at a million sockets that is felt; a payload of netlink is aligned to 4 bytes, as this structure */
        const struct inet_diag_msg *in = message;
        if (n < sizeof(*in))
                return -EBADMSG;
        if ((in->idiag_family != AF_INET && in->idiag_family != AF_INET6) || in->idiag_state == 0 ||
            in->idiag_state >= 32)
                return -EBADMSG;
        *ret = (TcpSocket){
                .family = in->idiag_family,
                .state = in->idiag_state,
                .timer = in->idiag_timer,
                .local_port = ntohs(in->id.idiag_sport),
                .remote_port = ntohs(in->id.idiag_dport),
                .local = address_of(in->idiag_family, in->id.idiag_src),
                .remote = address_of(in->idiag_family, in->id.idiag_dst),
                .interface = in->id.idiag_if,
                .expires_ms = in->idiag_expires,
                .uid = in->idiag_uid,
                .inode = in->idiag_inode,
                .queue = in->idiag_rqueue,
                .queue_limit = in->idiag_wqueue,
        };
        return 0;
}

int socket_diag_decode(const void *message, size_t n, TcpSocket *ret) {
        return decode(message, n, ret);
}

typedef struct Dump {
        SocketDiagVisit visit;
        void *userdata;
        TcpSocket *sockets; /* read and not yet handed on */
        size_t n_sockets;
        int r; /* of the visit, or of a member that makes no sense */
} Dump;

static void hand_on(Dump *dump) {
        if (dump->r == 0 && dump->n_sockets > 0)
                dump->r = dump->visit(dump->userdata, dump->sockets, dump->n_sockets);
        dump->n_sockets = 0;
}

/* A visit that is over stays over, but the list is read to its end: what is left of it would be taken for the next. */
static inline void take_message(Dump *dump, const void *message, size_t n) {
        if (dump->r < 0)
                return;
        dump->r = decode(message, n, &dump->sockets[dump->n_sockets]);
        if (dump->r == 0 && ++dump->n_sockets == SOCKET_DIAG_BATCH)
                hand_on(dump);
}

static int take_answer(const struct nlmsghdr *header, void *userdata) {
        take_message(userdata, mnl.nlmsg_get_payload(header), mnl.nlmsg_get_payload_len(header));
        return MNL_CB_OK;
}

/* One answer. Plain messages are taken here, for calls through pointers for each are felt at a million of them; from the
 * first that is not plain on (the end, an error, what was not asked for) the library judges. */
static int take_answers(
                const SocketDiag *diag, unsigned port_id, const char *answer, size_t n,
                Dump *dump) {
        const struct nlmsghdr *header = (const struct nlmsghdr *) answer;
        for (; NLMSG_OK(header, n); header = NLMSG_NEXT(header, n)) {
                if (header->nlmsg_type < NLMSG_MIN_TYPE || header->nlmsg_seq != diag->sequence ||
                    header->nlmsg_pid != port_id || (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
                        break;
                take_message(dump, NLMSG_DATA(header), NLMSG_PAYLOAD(header, 0));
        }
        int r = mnl.cb_run(header, n, diag->sequence, port_id, take_answer, dump);
        hand_on(dump);
        return r;
}

static int dump_all(SocketDiag *diag, const SocketDiagRequest *request, Dump *dump) {
        int r = send_request(diag, request);
        if (r < 0)
                return r;
        const unsigned port_id = mnl.socket_get_portid(diag->socket);
        char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
        for (;;) {
                ssize_t n = mnl.socket_recvfrom(diag->socket, answer, sizeof(answer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                r = take_answers(diag, port_id, answer, (size_t) n, dump);
                if (r == MNL_CB_STOP)
                        return dump->r;
                if (r == MNL_CB_ERROR)
                        return -errno;
        }
}

int socket_diag_dump(
                SocketDiag *diag, const SocketDiagRequest *request, SocketDiagVisit visit,
                void *userdata, Error *reterr) {
        TcpSocket sockets[SOCKET_DIAG_BATCH];
        Dump dump = { .visit = visit, .userdata = userdata, .sockets = sockets };
        int r = diag->socket ? dump_all(diag, request, &dump) : -EBADF;
        if (r < 0 && dump.r == 0)
                socket_diag_close(diag);
        return r < 0 ? error_set(reterr, r, "cannot list the TCP sockets") : 0;
}

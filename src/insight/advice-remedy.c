/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-remedy.h"

#define PROGRAM(name_, text_) \
        { .name = (name_), .text = (text_) }
#define SET(name_, key_, value_, text_) \
        { (name_), ADVICE_CHANGE_SET, (key_), (value_), (text_) }
#define OTHER(name_, change_, key_, text_) \
        { .name = (name_), .change = ADVICE_CHANGE_##change_, .key = (key_), .text = (text_) }

static const AdviceRemedy remedies[ADVICE_REMEDIES] = {
        [ADVICE_REMEDY_REUSE_CONNECTIONS] = PROGRAM(
                        "reuse-connections",
                        "reuse connections: HTTP keep-alive, pools, HTTP/2, persistent "
                        "connections to databases and caches"),
        [ADVICE_REMEDY_BIND_LATE] = PROGRAM(
                        "bind-late", "set IP_BIND_ADDRESS_NO_PORT where a program binds an address "
                                     "before connect()"),
        [ADVICE_REMEDY_CLOSE_LEAK] = PROGRAM(
                        "close-leak", "look for connections that nobody uses any more, and "
                                      "limit the pool of the program"),
        [ADVICE_REMEDY_CLOSE_SOCKETS] = PROGRAM(
                        "close-sockets",
                        "mend the program: it has to close a socket when the peer has"),
        [ADVICE_REMEDY_PEER_CLOSES] = PROGRAM(
                        "peer-closes", "mend the peer: it has to close its side when it has "
                                       "read the end of the stream"),
        [ADVICE_REMEDY_LINGER2] = PROGRAM(
                        "linger2",
                        "set TCP_LINGER2 in the program, for its own sockets in FIN_WAIT2"),
        [ADVICE_REMEDY_CLIENT_CLOSES_FIRST] = PROGRAM(
                        "client-closes-first", "let the clients close first"),
        [ADVICE_REMEDY_NO_ABORT] = PROGRAM(
                        "no-abort", "read to the end before close(), and keep SO_LINGER 0 "
                                    "for health checks: data can be lost"),
        [ADVICE_REMEDY_ACCEPT_FASTER] = PROGRAM(
                        "accept-faster",
                        "accept faster: more workers, no slow work in the accepting one"),
        [ADVICE_REMEDY_BACKLOG] = PROGRAM(
                        "backlog",
                        "ask for a longer backlog in the program (nginx backlog=, Apache "
                        "ListenBackLog)"),
        [ADVICE_REMEDY_LISTEN_AGAIN] = PROGRAM(
                        "listen-again",
                        "restart or reload the program: the limit is taken at listen()"),
        [ADVICE_REMEDY_UNIX_SOCKET] = PROGRAM(
                        "unix-socket",
                        "use a UNIX socket between programs of one host: it has no ports"),
        [ADVICE_REMEDY_LOOPBACK_ADDRESS] = PROGRAM(
                        "loopback-address", "connect to 127.0.0.1 or ::1 instead"),
        [ADVICE_REMEDY_MORE_TUPLES] = PROGRAM(
                        "more-tuples", "more tuples: more destination addresses or ports, "
                                       "more source addresses"),
        [ADVICE_REMEDY_RIGHT_NAMESPACE] = PROGRAM(
                        "right-namespace",
                        "apply the profile in the namespace of the process: container "
                        "sysctls, securityContext of the pod"),
        [ADVICE_REMEDY_SPLIT_PROFILE] = PROGRAM(
                        "split-profile",
                        "move the keys of the whole host into a profile for the host"),
        [ADVICE_REMEDY_PEER_TIMESTAMPS] = PROGRAM(
                        "peer-timestamps",
                        "see that TCP timestamps are on at the peer as well, and that no "
                        "box in between strips them"),
        [ADVICE_REMEDY_MIDDLEBOX] = PROGRAM(
                        "middlebox", "look at the firewalls and NAT boxes in between"),
        [ADVICE_REMEDY_FILTER_UPSTREAM] = PROGRAM(
                        "filter-upstream", "filter the flood before it gets here"),
        [ADVICE_REMEDY_NEWER_KERNEL] = PROGRAM("newer-kernel", "run a newer kernel"),
        [ADVICE_REMEDY_PORT_RANGE] = OTHER(
                        "port-range", EDIT, "net.ipv4.ip_local_port_range",
                        "a wider port range, with the services inside it reserved"),
        [ADVICE_REMEDY_RESERVE_SERVICES] = OTHER(
                        "reserve-services", EDIT, "net.ipv4.ip_local_reserved_ports",
                        "reserve the ports of the services inside the range"),
        [ADVICE_REMEDY_RESERVE_LESS] = OTHER(
                        "reserve-less", EDIT, "net.ipv4.ip_local_reserved_ports",
                        "shorten the list of reserved ports"),
        [ADVICE_REMEDY_RANGE_PARITY] = OTHER(
                        "range-parity", EDIT, "net.ipv4.ip_local_port_range",
                        "move one bound of the port range by 1"),
        [ADVICE_REMEDY_RANGE_START] = OTHER(
                        "range-start", EDIT, "net.ipv4.ip_local_port_range",
                        "begin the port range above the system ports"),
        [ADVICE_REMEDY_TIMESTAMPS_ON] = SET(
                        "timestamps-on", "net.ipv4.tcp_timestamps", "1",
                        "switch TCP timestamps on"),
        [ADVICE_REMEDY_RECYCLE_OFF] = SET(
                        "recycle-off", "net.ipv4.tcp_tw_recycle", "0",
                        "switch tcp_tw_recycle off at once"),
        [ADVICE_REMEDY_TW_REUSE] = SET(
                        "tw-reuse", "net.ipv4.tcp_tw_reuse", "1",
                        "tcp_tw_reuse=1 on the connecting host"),
        [ADVICE_REMEDY_TW_REUSE_LOOPBACK] = SET(
                        "tw-reuse-loopback", "net.ipv4.tcp_tw_reuse", "2",
                        "tcp_tw_reuse=2: on the loopback only"),
        [ADVICE_REMEDY_TW_REUSE_DEFAULT] = OTHER(
                        "tw-reuse-default", DROP, "net.ipv4.tcp_tw_reuse",
                        "leave tcp_tw_reuse at its default here, and set it on the clients "
                        "where they lack ports"),
        [ADVICE_REMEDY_TW_REUSE_DELAY] = OTHER(
                        "tw-reuse-delay", LOWER, "net.ipv4.tcp_tw_reuse_delay",
                        "tcp_tw_reuse_delay below 1000, between hosts whose timestamps are "
                        "known to tick faster"),
        [ADVICE_REMEDY_TW_TIMEOUT_60] = SET(
                        "tw-timeout-60", "net.ipv4.tcp_tw_timeout", "60",
                        "tcp_tw_timeout back to 60"),
        [ADVICE_REMEDY_MORE_BUCKETS] = OTHER(
                        "more-buckets", RAISE, "net.ipv4.tcp_max_tw_buckets",
                        "raise tcp_max_tw_buckets"),
        [ADVICE_REMEDY_FIN_TIMEOUT] = OTHER(
                        "fin-timeout", EDIT, "net.ipv4.tcp_fin_timeout",
                        "choose tcp_fin_timeout for orphans of FIN_WAIT2; it does nothing "
                        "to TIME_WAIT"),
        [ADVICE_REMEDY_ORPHAN_RETRIES] = OTHER(
                        "orphan-retries", EDIT, "net.ipv4.tcp_orphan_retries",
                        "tcp_orphan_retries from 3 to 7"),
        [ADVICE_REMEDY_MAX_ORPHANS] = OTHER(
                        "max-orphans", RAISE, "net.ipv4.tcp_max_orphans",
                        "raise tcp_max_orphans, which is one for the whole host"),
        [ADVICE_REMEDY_SOMAXCONN] = OTHER(
                        "somaxconn", RAISE, "net.core.somaxconn", "raise somaxconn"),
        [ADVICE_REMEDY_SYNCOOKIES_ON] = SET(
                        "syncookies-on", "net.ipv4.tcp_syncookies", "1",
                        "tcp_syncookies=1: cookies when a queue is full"),
        [ADVICE_REMEDY_SYN_BACKLOG_DROP] = OTHER(
                        "syn-backlog-drop", DROP, "net.ipv4.tcp_max_syn_backlog",
                        "take tcp_max_syn_backlog out of the profile: it is not used"),
        [ADVICE_REMEDY_ABORT_OFF] = SET(
                        "abort-off", "net.ipv4.tcp_abort_on_overflow", "0",
                        "tcp_abort_on_overflow=0, unless a load balancer needs it"),
        [ADVICE_REMEDY_RFC1337_OFF] = SET(
                        "rfc1337-off", "net.ipv4.tcp_rfc1337", "0",
                        "tcp_rfc1337=0 where clients share addresses"),
        [ADVICE_REMEDY_NETDEV_BACKLOG] = OTHER(
                        "netdev-backlog", RAISE, "net.core.netdev_max_backlog",
                        "raise netdev_max_backlog"),
        [ADVICE_REMEDY_NETDEV_BUDGET] = OTHER(
                        "netdev-budget", RAISE, "net.core.netdev_budget",
                        "raise netdev_budget and netdev_budget_usecs, or use more queues"),
        [ADVICE_REMEDY_CONNTRACK_LESS] = PROGRAM(
                        "conntrack-less", "do not track connections that need no tracking"),
        [ADVICE_REMEDY_CONNTRACK_MAX] = OTHER(
                        "conntrack-max", RAISE, "net.netfilter.nf_conntrack_max",
                        "raise nf_conntrack_max, and the buckets, in the first namespace"),
        [ADVICE_REMEDY_CONNTRACK_TIME_WAIT] = OTHER(
                        "conntrack-time-wait", EDIT,
                        "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
                        "nf_conntrack_tcp_timeout_time_wait from 60 to 119 s"),
        [ADVICE_REMEDY_CONNTRACK_ESTABLISHED] = OTHER(
                        "conntrack-established", RAISE,
                        "net.netfilter.nf_conntrack_tcp_timeout_established",
                        "let conntrack remember longer than TCP keep-alive is silent"),
        [ADVICE_REMEDY_IPVS_CONN_REUSE] = OTHER(
                        "ipvs-conn-reuse", EDIT, "net.ipv4.vs.conn_reuse_mode",
                        "choose conn_reuse_mode knowing its cost"),
        [ADVICE_REMEDY_CHILD_EHASH] = OTHER(
                        "child-ehash", EDIT, "net.ipv4.tcp_child_ehash_entries",
                        "tcp_child_ehash_entries 0, or 8192 and more, in the "
                        "creating namespace"),
        [ADVICE_REMEDY_NOTHING] = PROGRAM("nothing", "nothing: this is how it has to be"),
};

const AdviceRemedy *advice_remedy_get(AdviceRemedyId id) {
        assert((size_t) id < ADVICE_REMEDIES);
        return &remedies[id];
}

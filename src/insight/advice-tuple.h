/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the rules about ports ask of one tuple (local address, remote address, remote port): how much of the pool it takes, how
 * fast connections are opened, and how fast they could be. Rates are in thousandths of a connection per second.
 *
 * A TIME_WAIT whose port connect() takes again is no obstacle: where tcp_tw_reuse works for the tuple, those that are old
 * enough are not counted as taken. Whether it works shows in TWRecycled: a setting alone proves nothing, for the peer may have
 * no timestamps.
 */

#include "insight/advice.h"

typedef struct AdviceTuple {
        const SnapshotTuple *tuple;
        uint64_t ports;                          /* P */
        uint64_t n_time_wait, n_orphans, n_open; /* T, F, A */
        uint64_t n_blocked;                      /* of T: those that connect() cannot take */
        uint64_t n_taken;                        /* n_blocked + F + A */
        uint32_t level;         /* U: n_taken in thousandths of P; 0 without ports */
        bool is_loopback;       /* as tcp_tw_reuse=2 knows it: 127/8 or ::1 */
        bool reuse_is_on;       /* tcp_tw_reuse and tcp_timestamps allow it for this tuple */
        bool reuse_happens;     /* it is on, and nothing says that it does not work */
        bool has_rate;          /* lambda is known */
        bool rate_is_steady;    /* it is T / 60; else the tuple's share of what is opened */
        uint64_t rate;          /* lambda */
        uint64_t ceiling;       /* C0 = P / 60 */
        uint64_t reuse_ceiling; /* C1 = P x 1000 / delay */
        uint32_t delay_ms;
} AdviceTuple;

/* The pool and the sockets are known. */
AdviceTuple advice_tuple_figures(const AdviceRun *run, const SnapshotTuple *tuple);

/* TIME_WAITs that were old enough and were not taken, while there is need: what rule PORT-8 is about. */
bool advice_reuse_fails(const AdviceRun *run, const AdviceTuple *figures);

/* Whether so many ports are held one by one that a program must call bind() before connect(): what PORT-7 is about. */
bool advice_ports_are_bound(const AdviceRun *run);

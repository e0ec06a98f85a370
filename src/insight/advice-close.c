/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-close.h"

#include "insight/advice-facts.h"

/* [J] Orphans of FIN_WAIT2: so many, and this share of the buckets in thousandths. */
#define MANY_ORPHANS  1000U
#define ORPHANS_SHARE 500U
/* [E] Above 60 s the socket is kept for (value - 60) s, and then a bucket for as long again: shorter than 60 s below 90, than
 * what was asked for below 120 (Linux 4.4 to 7.2). */
#define FIN_TIMEOUT_USUAL   60
#define FIN_TIMEOUT_TWOFOLD 120
/* [J] A peer behind a slow line needs some seconds to read and to close. */
#define FIN_TIMEOUT_SHORT 5
/* [J] Closes that are not answered: so many, and this share of the established ones in thousandths. */
#define MANY_UNANSWERED  1000U
#define UNANSWERED_SHARE 100U
/* [J] */
#define MANY_CLOSE_WAITS 100U
/* [J] Between the samples: less than that comes and goes on any busy server. */
#define CLOSE_WAIT_GROWTH 10U
/* [S] tcp_too_many_orphans() compares a multiple of the orphans: resets may begin at half of the limit. */
#define ORPHANS_LEVEL 700U
/* [J] Thousandths of the connections that are opened and accepted; and aborts per second, in thousandths. */
#define ABORTS_SHARE 100U
#define MANY_ABORTS  1000U

static const char fin_timeout_key[] = "net.ipv4.tcp_fin_timeout";

static uint64_t in_state(const AdviceRun *run, TcpState state) {
        return snapshot_state_total(&run->now->sockets, state);
}

/* --- FIN-1 to FIN-3: FIN_WAIT2 -------------------------------------------------------------------------- */

static uint64_t count_orphans(const Snapshot *now) {
        uint64_t n = 0;
        for (SnapshotSide side = 0; side < SNAPSHOT_SIDES; side++)
                n += now->sockets.sides[side].n_fin_wait2;
        return n;
}

static void judge_orphans_of_fin_wait2(AdviceRun *run) {
        uint64_t orphans = count_orphans(run->now), buckets = run->now->sockets.n_buckets;
        if (orphans <= MANY_ORPHANS || advice_share(orphans, buckets) <= ORPHANS_SHARE)
                return;
        int64_t timeout = 0;
        bool is_known = advice_setting(run, fin_timeout_key, &timeout);
        AdviceFinding *f = advice_find_plain(run, "FIN_WAIT2");
        advice_evidence(run, f,
                        "%s connections were closed here and the peers do not close their side; no "
                        "process holds them any more.",
                        advice_count(run, orphans));
        advice_formula(run, f, "F / tw = %s / %s = %s", advice_count(run, orphans),
                       advice_count(run, buckets), advice_percent(run, orphans, buckets));
        advice_number(f, "F", (double) orphans, "sockets");
        advice_number(f, "tw", (double) buckets, "buckets");
        advice_remedy(run, f, ADVICE_REMEDY_PEER_CLOSES,
                      "often HTTP clients that keep idle connections");
        advice_remedy(run, f, ADVICE_REMEDY_LINGER2, NULL);
        if (is_known && timeout > 30) {
                advice_number(f, "tcp_fin_timeout", (double) timeout, "s");
                advice_remedy(run, f, ADVICE_REMEDY_FIN_TIMEOUT, "from 10 to 30; it is %lld now",
                              (long long) timeout);
        }
        advice_next(run, f, "ss -tn state fin-wait-2");
}

static void judge_twofold_timeout(AdviceRun *run) {
        int64_t timeout = 0;
        if (!advice_setting(run, fin_timeout_key, &timeout) || timeout <= FIN_TIMEOUT_USUAL ||
            timeout >= FIN_TIMEOUT_TWOFOLD)
                return;
        long long real = 2 * (timeout - FIN_TIMEOUT_USUAL);
        AdviceFinding *f = advice_find_plain(run, fin_timeout_key);
        advice_evidence(run, f, "tcp_fin_timeout is %lld s, and FIN_WAIT2 lasts %lld s.",
                        (long long) timeout, real);
        advice_formula(run, f, "2 x (%lld - 60) s = %lld s", (long long) timeout, real);
        advice_number(f, "tcp_fin_timeout", (double) timeout, "s");
        advice_number(f, "FIN_WAIT2", (double) real, "s");
        advice_remedy(run, f, ADVICE_REMEDY_FIN_TIMEOUT, "at most 60, or at least 120");
        advice_next(run, f, "twprofile plan hygiene");
        f->profile = "hygiene";
}

static void judge_short_timeout(AdviceRun *run) {
        int64_t timeout = 0;
        if (!advice_setting(run, fin_timeout_key, &timeout) || timeout >= FIN_TIMEOUT_SHORT)
                return;
        AdviceFinding *f = advice_find_plain(run, fin_timeout_key);
        advice_evidence(run, f,
                        "tcp_fin_timeout is %lld s: what a peer sends later than that after our "
                        "close is answered by RST. TIME_WAIT lasts as long as before.",
                        (long long) timeout);
        advice_formula(run, f, "%lld < %d", (long long) timeout, FIN_TIMEOUT_SHORT);
        advice_number(f, "tcp_fin_timeout", (double) timeout, "s");
        advice_remedy(run, f, ADVICE_REMEDY_FIN_TIMEOUT, "5 or more");
        advice_next(run, f, "twprofile explain %s", fin_timeout_key);
}

/* --- FIN-4: nobody answers ------------------------------------------------------------------------------ */

static void judge_unanswered(AdviceRun *run) {
        uint64_t fin_wait1 = in_state(run, TCP_STATE_FIN_WAIT1);
        uint64_t last_ack = in_state(run, TCP_STATE_LAST_ACK);
        uint64_t established = in_state(run, TCP_STATE_ESTABLISHED), n = fin_wait1 + last_ack;
        if (n <= MANY_UNANSWERED || n * 1000 <= established * UNANSWERED_SHARE)
                return;
        AdviceFinding *f = advice_find_plain(run, "FIN_WAIT1 and LAST_ACK");
        advice_evidence(run, f,
                        "%s sockets in FIN_WAIT1 and %s in LAST_ACK wait for an answer to their "
                        "FIN: peers vanished, or a firewall drops what they send.",
                        advice_count(run, fin_wait1), advice_count(run, last_ack));
        advice_formula(run, f, "(FIN_WAIT1 + LAST_ACK) / ESTABLISHED = (%s + %s) / %s",
                       advice_count(run, fin_wait1), advice_count(run, last_ack),
                       advice_count(run, established));
        advice_number(f, "FIN_WAIT1", (double) fin_wait1, "sockets");
        advice_number(f, "LAST_ACK", (double) last_ack, "sockets");
        advice_number(f, "ESTABLISHED", (double) established, "sockets");
        advice_remedy(run, f, ADVICE_REMEDY_MIDDLEBOX,
                      "do they drop RST or ACK of closing connections?");
        int64_t retries = 0;
        if (advice_setting(run, "net.ipv4.tcp_orphan_retries", &retries) &&
            (retries <= 0 || retries > 7))
                advice_remedy(run, f, ADVICE_REMEDY_ORPHAN_RETRIES,
                              retries == 0 ? "it is 0, which stands for 8" : NULL);
        advice_next(run, f, "ss -tno state fin-wait-1 state last-ack");
}

/* --- CW-1: the program does not close ------------------------------------------------------------------- */

static uint64_t close_waits_before(const AdviceRun *run, uint64_t otherwise) {
        const Snapshot *before = run->input->before;
        if (run->rates.interval_us <= 0 || !before || !before->has_sockets)
                return otherwise;
        return snapshot_state_total(&before->sockets, TCP_STATE_CLOSE_WAIT);
}

static const char *holder_text(AdviceRun *run, const SnapshotHolder *holder) {
        return advice_text(
                        run, "uid %u, %s port %u", holder->uid,
                        holder->side == SNAPSHOT_OUTGOING ? "remote" : "local", holder->port);
}

static void judge_close_wait(AdviceRun *run) {
        const SnapshotSockets *sockets = &run->now->sockets;
        uint64_t n = in_state(run, TCP_STATE_CLOSE_WAIT), before = close_waits_before(run, n);
        bool grows = n >= before + CLOSE_WAIT_GROWTH;
        if (n <= MANY_CLOSE_WAITS && !grows)
                return;
        const SnapshotHolder *holder = sockets->n_holders > 0 ? &sockets->holders[0] : NULL;
        AdviceFinding *f = advice_find_plain(run, holder ? holder_text(run, holder) : "CLOSE_WAIT");
        advice_evidence(run, f,
                        "%s sockets are in CLOSE_WAIT: the peer has closed, the program here has "
                        "not. They stay until it does; no setting ends them.",
                        advice_count(run, n));
        if (grows)
                advice_evidence(run, f, "They were %s before.", advice_count(run, before));
        if (holder)
                advice_evidence(run, f, "%s of them: %s.", advice_count(run, holder->n_close_wait),
                                holder_text(run, holder));
        advice_formula(run, f, "CLOSE_WAIT = %s", advice_count(run, n));
        advice_number(f, "CLOSE_WAIT", (double) n, "sockets");
        if (grows)
                advice_number(f, "CLOSE_WAIT before", (double) before, "sockets");
        advice_remedy(run, f, ADVICE_REMEDY_CLOSE_SOCKETS, NULL);
        if (holder)
                advice_next(run, f, "ss -tnp state close-wait '( %s = :%u )'",
                            holder->side == SNAPSHOT_OUTGOING ? "dport" : "sport", holder->port);
        else
                advice_next(run, f, "ss -tnp state close-wait");
}

/* --- ORPH-1, RST-1: resets ------------------------------------------------------------------------------ */

/* The key is there in the first namespace only, and both numbers are of the whole host. */
static void judge_orphans(AdviceRun *run) {
        static const char key[] = "net.ipv4.tcp_max_orphans";
        const SnapshotSockstat *sockstat = &run->now->sockstat;
        int64_t limit = 0;
        uint64_t resets = advice_rate_or_0(run, COUNTER_ABORT_ON_MEMORY);
        bool is_known = advice_setting(run, key, &limit) && limit > 0 && sockstat->known;
        bool is_full = is_known && sockstat->orphans * 1000 >= (uint64_t) limit * ORPHANS_LEVEL;
        if (!is_full && resets == 0) {
                (void) advice_rate(run, COUNTER_ABORT_ON_MEMORY, &resets); /* or it is skipped */
                return;
        }
        AdviceFinding *f = advice_find(
                        run, resets > 0 ? ADVICE_CRITICAL : advice_rule_severity(run->rule), NULL,
                        key);
        if (is_known) {
                advice_evidence(run, f,
                                "%s of %s orphans: connections that were closed and are "
                                "not at their end.",
                                advice_count(run, sockstat->orphans),
                                advice_count(run, (uint64_t) limit));
                advice_formula(run, f, "orphans / tcp_max_orphans = %s / %s = %s",
                               advice_count(run, sockstat->orphans),
                               advice_count(run, (uint64_t) limit),
                               advice_percent(run, sockstat->orphans, (uint64_t) limit));
                advice_number(f, "orphans", (double) sockstat->orphans, "sockets");
                advice_number(f, "tcp_max_orphans", (double) limit, "sockets");
        }
        if (resets > 0) {
                advice_evidence(run, f,
                                "%s closed connections per second are reset for lack of room.",
                                advice_decimal(run, resets));
                advice_formula(run, f, "TCPAbortOnMemory = %s per second",
                               advice_decimal(run, resets));
                advice_number(f, "TCPAbortOnMemory", (double) resets / 1000, "1/s");
        }
        advice_remedy(run, f, ADVICE_REMEDY_MIDDLEBOX, "why do peers not answer the FIN?");
        advice_remedy(run, f, ADVICE_REMEDY_MAX_ORPHANS, NULL);
        advice_next(run, f, "ss -tno state fin-wait-1 state last-ack");
}

static void judge_aborts(AdviceRun *run) {
        uint64_t aborts, opens, accepts;
        if (!advice_rate(run, COUNTER_ABORT_ON_DATA, &aborts) ||
            !advice_rate(run, COUNTER_ACTIVE_OPENS, &opens) ||
            !advice_rate(run, COUNTER_PASSIVE_OPENS, &accepts))
                return;
        uint64_t all = opens + accepts;
        if (aborts < MANY_ABORTS || aborts * 1000 <= all * ABORTS_SHARE)
                return;
        AdviceFinding *f = advice_find_plain(run, "TCPAbortOnData");
        advice_evidence(run, f,
                        "Programs of this host abort %s connections per second: they close with "
                        "SO_LINGER 0, or with data unread. The peer may lose what it has not read.",
                        advice_decimal(run, aborts));
        advice_formula(run, f,
                       "TCPAbortOnData / (ActiveOpens + PassiveOpens) = %s / (%s + %s) per second",
                       advice_decimal(run, aborts), advice_decimal(run, opens),
                       advice_decimal(run, accepts));
        advice_number(f, "TCPAbortOnData", (double) aborts / 1000, "1/s");
        advice_number(f, "ActiveOpens", (double) opens / 1000, "1/s");
        advice_number(f, "PassiveOpens", (double) accepts / 1000, "1/s");
        advice_remedy(run, f, ADVICE_REMEDY_NO_ABORT, NULL);
        advice_next(run, f, "twprofile observe --watch");
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "FIN-1", DIAG_FIN_1, ADVICE_NEEDS_SOCKETS, true, judge_orphans_of_fin_wait2, {} },
        { "FIN-2", DIAG_FIN_2, 0, true, judge_twofold_timeout, {} },
        { "FIN-3", DIAG_FIN_3, 0, true, judge_short_timeout, {} },
        { "FIN-4", DIAG_FIN_4, ADVICE_NEEDS_SOCKETS, false, judge_unanswered, {} },
        { "CW-1", DIAG_CW_1, ADVICE_NEEDS_SOCKETS, false, judge_close_wait, {} },
        { "ORPH-1", DIAG_ORPH_1, 0, false, judge_orphans, {} },
        { "RST-1", DIAG_RST_1, ADVICE_NEEDS_RATES, false, judge_aborts, {} },
};

const AdviceRules advice_close_rules = { rows, ELEMENTSOF(rows) };

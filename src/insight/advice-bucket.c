/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-bucket.h"

#include "insight/advice-facts.h"

/* [J] Thousandths of tcp_max_tw_buckets. */
#define NEARLY_FULL_LEVEL 900U
#define HALF_FULL_LEVEL   500U
/* [J] No host of today computes fewer than this: 8192 with 2 GB [E]. */
#define FEW_BUCKETS 4096
/* What the profile hygiene asks for; met by the default of a host with 4 GB. Where the kernel's own value is not known. */
#define ENOUGH_BUCKETS 16384U
/* [E] See advice-server.c. */
#define BUCKET_BYTES 512U

static const char limit_key[] = "net.ipv4.tcp_max_tw_buckets";

/* At least twice the buckets of now, and what the kernel computes. */
static uint64_t wanted_buckets(const AdviceRun *run, uint64_t buckets) {
        uint64_t computed = ENOUGH_BUCKETS;
        bool is_known = snapshot_default_buckets(run->now, &computed);
        if (is_known && computed < FEW_BUCKETS)
                computed = ENOUGH_BUCKETS; /* a namespace made with tcp_child_ehash_entries */
        return buckets * 2 > computed ? buckets * 2 : computed;
}

/* Where the limit is high enough already, it is not what has to be changed. */
static void tell_more_buckets(AdviceRun *run, uint64_t buckets, AdviceFinding *f) {
        uint64_t wanted = wanted_buckets(run, buckets);
        int64_t limit = 0;
        if (advice_setting(run, limit_key, &limit) && limit > 0 && (uint64_t) limit >= wanted)
                return;
        advice_remedy(run, f, ADVICE_REMEDY_MORE_BUCKETS, "to %s or more, at most %s of memory",
                      advice_count(run, wanted), advice_bytes(run, wanted * BUCKET_BYTES));
        if (wanted <= ENOUGH_BUCKETS)
                f->profile = "hygiene";
        else if (wanted <= 131072)
                f->profile = "busy-web-server"; /* asks for at least so many */
}

static void tell_next(AdviceRun *run, AdviceFinding *f) {
        if (f->profile)
                advice_next(run, f, "twprofile plan %s", f->profile);
        else
                advice_next(run, f, "twprofile explain %s", limit_key);
}

static void tell_level(AdviceRun *run, uint64_t buckets, int64_t limit, AdviceFinding *f) {
        advice_formula(run, f, "tw / tcp_max_tw_buckets = %s / %s = %s", advice_count(run, buckets),
                       advice_count(run, (uint64_t) limit),
                       advice_percent(run, buckets, (uint64_t) limit));
        advice_number(f, "tw", (double) buckets, "buckets");
        advice_number(f, "B", (double) limit, "buckets");
}

/* --- TWB-1, TWB-2, TWB-5: the limit is reached, nearly, was once ----------------------------------------- */

static void judge_overflowing(AdviceRun *run) {
        uint64_t rate, buckets = 0;
        int64_t limit = 0;
        if (!advice_rate(run, COUNTER_TIME_WAIT_OVERFLOW, &rate) || rate == 0)
                return;
        bool is_known = advice_setting(run, limit_key, &limit) && advice_buckets(run, &buckets);
        AdviceFinding *f = advice_find_plain(run, limit_key);
        advice_evidence(run, f,
                        "%s connections per second close without a TIME_WAIT: the peer's last "
                        "segments may be answered by RST, and late duplicates are not caught.",
                        advice_decimal(run, rate));
        if (is_known && limit > 0 && advice_share(buckets, (uint64_t) limit) < HALF_FULL_LEVEL)
                advice_evidence(run, f,
                                "The limit is not reached now: it was raised just before, or the "
                                "kernel had no memory for them.");
        advice_formula(run, f, "TCPTimeWaitOverflow = %s per second", advice_decimal(run, rate));
        if (is_known && limit > 0)
                tell_level(run, buckets, limit, f);
        advice_number(f, "TCPTimeWaitOverflow", (double) rate / 1000, "1/s");
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
        if (run->now->has_sockets &&
            snapshot_state_total(&run->now->sockets, TCP_STATE_FIN_WAIT2) * UINT64_C(2) > buckets)
                advice_remedy(run, f, ADVICE_REMEDY_PEER_CLOSES, NULL);
        tell_more_buckets(run, buckets, f);
        tell_next(run, f);
}

static void judge_nearly_full(AdviceRun *run) {
        uint64_t buckets;
        int64_t limit = 0;
        if (!advice_setting(run, limit_key, &limit) || limit <= 0)
                return;
        if (!advice_buckets(run, &buckets)) {
                advice_skip(run, "neither sockets nor /proc/net/sockstat can be read");
                return;
        }
        if (advice_share(buckets, (uint64_t) limit) < NEARLY_FULL_LEVEL)
                return;
        AdviceFinding *f = advice_find_plain(run, limit_key);
        advice_evidence(run, f,
                        "%s of %s buckets are taken; a connection that closes at the limit gets no "
                        "TIME_WAIT.",
                        advice_count(run, buckets), advice_count(run, (uint64_t) limit));
        tell_level(run, buckets, limit, f);
        advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
        tell_more_buckets(run, buckets, f);
        tell_next(run, f);
}

static void judge_overflowed(AdviceRun *run) {
        const Snapshot *now = run->now;
        uint64_t rate, total = now->counters[COUNTER_TIME_WAIT_OVERFLOW];
        if (now->known[COUNTER_TIME_WAIT_OVERFLOW] && total == 0)
                return;
        if (!advice_rate(run, COUNTER_TIME_WAIT_OVERFLOW, &rate) || rate > 0)
                return;
        AdviceFinding *f = advice_find_plain(run, limit_key);
        advice_evidence(run, f,
                        "%s connections closed without a TIME_WAIT since this namespace began; "
                        "none between the samples.",
                        advice_count(run, total));
        advice_formula(run, f, "TCPTimeWaitOverflow = %s, 0 per second", advice_count(run, total));
        advice_number(f, "TCPTimeWaitOverflow", (double) total, "closes");
        advice_remedy(run, f, ADVICE_REMEDY_NOTHING, "but watch whether it happens again");
        advice_next(run, f, "twprofile observe --watch");
}

/* --- TWB-3, TWB-4: the limit itself --------------------------------------------------------------------- */

static void judge_lowered(AdviceRun *run) {
        int64_t limit = 0;
        uint64_t computed = 0, buckets = 0;
        if (!advice_setting(run, limit_key, &limit) || limit <= 0)
                return;
        bool is_known = snapshot_default_buckets(run->now, &computed);
        bool is_below = is_known && (uint64_t) limit < computed;
        if (!is_below && limit >= FEW_BUCKETS)
                return;
        AdviceFinding *f = advice_find_plain(run, limit_key);
        if (is_below)
                advice_evidence(run, f,
                                "The limit is %s; the kernel computed %s for this namespace, and "
                                "somebody lowered it. That frees nothing that matters: %s at the "
                                "limit.",
                                advice_count(run, (uint64_t) limit), advice_count(run, computed),
                                advice_bytes(run, (uint64_t) limit * BUCKET_BYTES));
        else
                advice_evidence(run, f,
                                "The limit is %s, less than a busy host closes in a minute: %s at "
                                "the limit.",
                                advice_count(run, (uint64_t) limit),
                                advice_bytes(run, (uint64_t) limit * BUCKET_BYTES));
        if (is_known)
                advice_formula(run, f, "B0 = tcp_ehash_entries / 2 = %s",
                               advice_count(run, computed));
        advice_formula(run, f, "B x 512 bytes = %s x 512 = %s", advice_count(run, (uint64_t) limit),
                       advice_bytes(run, (uint64_t) limit * BUCKET_BYTES));
        advice_number(f, "B", (double) limit, "buckets");
        if (is_known)
                advice_number(f, "B0", (double) computed, "buckets");
        (void) advice_buckets(run, &buckets);
        tell_more_buckets(run, buckets, f);
        tell_next(run, f);
}

static void judge_off(AdviceRun *run) {
        int64_t limit = 0, child = 0;
        uint64_t computed = 0;
        if (!advice_setting(run, limit_key, &limit) || limit > 0)
                return;
        AdviceFinding *f = advice_find_plain(run, limit_key);
        advice_evidence(run, f,
                        "tcp_max_tw_buckets is %lld: no connection has a TIME_WAIT, every "
                        "close goes without.",
                        (long long) limit);
        if (snapshot_default_buckets(run->now, &computed) && computed < FEW_BUCKETS)
                advice_evidence(run, f,
                                "The kernel computed %s when it made this namespace: look at "
                                "tcp_child_ehash_entries where it was made.",
                                advice_count(run, computed));
        advice_formula(run, f, "B = %lld <= 0", (long long) limit);
        advice_number(f, "B", (double) limit, "buckets");
        if (computed < FEW_BUCKETS && advice_setting(run, "net.ipv4.tcp_ehash_entries", &child)) {
                advice_number(f, "tcp_ehash_entries", (double) child, "slots");
                advice_remedy(run, f, ADVICE_REMEDY_CHILD_EHASH, NULL);
        }
        tell_more_buckets(run, 0, f);
        tell_next(run, f);
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "TWB-1", DIAG_TWB_1, ADVICE_NEEDS_RATES, false, judge_overflowing, { "TWB-2", "TWB-5" } },
        { "TWB-2", DIAG_TWB_2, 0, false, judge_nearly_full, {} },
        { "TWB-3", DIAG_TWB_3, 0, false, judge_lowered, {} },
        { "TWB-4", DIAG_TWB_4, 0, false, judge_off, { "TWB-1", "TWB-2", "TWB-3", "TWB-5" } },
        { "TWB-5", DIAG_TWB_5, 0, false, judge_overflowed, {} },
};

const AdviceRules advice_bucket_rules = { rows, ELEMENTSOF(rows) };

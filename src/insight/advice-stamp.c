/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-stamp.h"

#include "insight/advice-facts.h"
#include "insight/advice-tuple.h"

/* Of the pool, in thousandths: connect() fails, or is about to (PORT-1). */
#define USED_UP_LEVEL 950U
/* [D] 0, 1 and 2 are defined (Documentation/networking/ip-sysctl.rst, tcp_timestamps). */
#define TIMESTAMPS_DEFINED 2
/* [J] Segments per second, in thousandths: some are dropped for reordering alone. */
#define MANY_REJECTED 10000U

static const char timestamps_key[] = "net.ipv4.tcp_timestamps";
static const char rfc1337_key[] = "net.ipv4.tcp_rfc1337";
static const char recycle_key[] = "net.ipv4.tcp_tw_recycle";

/* --- TS-1, TS-2 ----------------------------------------------------------------------------------------- */

/* The tuple whose ports TIME_WAIT has used up although tcp_tw_reuse is set for it, or NULL. */
static const SnapshotTuple *used_up_in_spite(const AdviceRun *run) {
        const Snapshot *now = run->now;
        int64_t reuse = 0;
        if (!now->has_sockets || !now->has_pool || now->sockets.n_tuples == 0 ||
            !advice_setting(run, "net.ipv4.tcp_tw_reuse", &reuse) || reuse == 0)
                return NULL;
        const SnapshotTuple *tuple = &now->sockets.tuples[0];
        const SnapshotUse *use = &tuple->use;
        bool is_most = use->n_time_wait >= use->n_fin_wait2 && use->n_time_wait >= use->n_other;
        if (snapshot_use_level(now, use) < USED_UP_LEVEL || !is_most)
                return NULL;
        bool is_loopback = tcp_address_is_loopback(&tuple->local) ||
                           tcp_address_is_loopback(&tuple->remote);
        return reuse == 1 || is_loopback ? tuple : NULL;
}

static void judge_off(AdviceRun *run) {
        int64_t mode = 0;
        if (!advice_setting(run, timestamps_key, &mode) || mode != 0)
                return;
        const SnapshotTuple *tuple = used_up_in_spite(run);
        AdviceFinding *f = advice_find(
                        run, tuple ? ADVICE_CRITICAL : advice_rule_severity(run->rule), NULL,
                        timestamps_key);
        advice_evidence(run, f,
                        "tcp_timestamps is 0: old duplicates are told from new segments by "
                        "their sequence number alone (no PAWS), and tcp_tw_reuse has no "
                        "effect.");
        if (tuple)
                advice_evidence(run, f,
                                "%s has no ports left, and tcp_tw_reuse, which is set, "
                                "takes no TIME_WAIT over.",
                                advice_tuple(run, tuple));
        advice_formula(run, f, "tcp_timestamps: 0");
        advice_number(f, "tcp_timestamps", 0, "");
        advice_remedy(run, f, ADVICE_REMEDY_TIMESTAMPS_ON, NULL);
        advice_next(run, f, "twprofile plan hygiene");
        f->profile = "hygiene";
}

static void judge_undefined(AdviceRun *run) {
        int64_t mode = 0;
        if (!advice_setting(run, timestamps_key, &mode) ||
            (mode >= 0 && mode <= TIMESTAMPS_DEFINED))
                return;
        AdviceFinding *f = advice_find_plain(run, timestamps_key);
        advice_evidence(run, f, "tcp_timestamps is %lld; 0, 1 and 2 are defined.",
                        (long long) mode);
        advice_formula(run, f, "%lld > %d", (long long) mode, TIMESTAMPS_DEFINED);
        advice_number(f, "tcp_timestamps", (double) mode, "");
        advice_remedy(run, f, ADVICE_REMEDY_TIMESTAMPS_ON, NULL);
        advice_next(run, f, "twprofile plan hygiene");
        f->profile = "hygiene";
}

/* --- NAT-1: SYNs that meet another machine's TIME_WAIT --------------------------------------------------- */

static void tell_rate(AdviceRun *run, SnapshotCounterId id, AdviceFinding *f) {
        uint64_t rate = advice_rate_or_0(run, id);
        if (rate == 0)
                return;
        const char *field = strchr(snapshot_counter(id)->name, '.') + 1;
        advice_formula(run, f, "%s = %s per second", field, advice_decimal(run, rate));
        advice_number(f, field, (double) rate / 1000, "1/s");
}

/* PAWSTimewait is there since Linux 6.17; the other one tells of a part of the same. */
static bool read_rejected(AdviceRun *run, uint64_t *ret) {
        const SnapshotRates *rates = &run->rates;
        bool has_paws = rates->known[COUNTER_PAWS_TIME_WAIT];
        if (!has_paws && !rates->known[COUNTER_SKIPPED_TIME_WAIT])
                return advice_rate(run, COUNTER_SKIPPED_TIME_WAIT, ret); /* skips the rule */
        uint64_t paws = advice_rate_or_0(run, COUNTER_PAWS_TIME_WAIT);
        *ret = paws > 0 ? paws : advice_rate_or_0(run, COUNTER_SKIPPED_TIME_WAIT);
        return true;
}

static void judge_shared_address(AdviceRun *run) {
        uint64_t rejected;
        int64_t rfc1337 = 0;
        uint64_t incoming = run->now->sockets.sides[SNAPSHOT_INCOMING].n_time_wait;
        if (!read_rejected(run, &rejected) || rejected == 0 || incoming == 0)
                return;
        bool is_strict = advice_setting(run, rfc1337_key, &rfc1337) && rfc1337 != 0;
        AdviceFinding *f = advice_find(
                        run, is_strict ? ADVICE_CRITICAL : advice_rule_severity(run->rule), NULL,
                        "clients behind one address");
        advice_evidence(run, f,
                        "%s segments per second, from addresses and ports that are in TIME_WAIT "
                        "here, have older timestamps: several machines share an address, or a "
                        "proxy uses its ports again with another clock.",
                        advice_decimal(run, rejected));
        advice_evidence(run, f,
                        "%s TIME_WAITs are of accepted connections: this host closes "
                        "first.",
                        advice_count(run, incoming));
        if (is_strict)
                advice_evidence(run, f,
                                "With tcp_rfc1337=%lld such a client is not served until "
                                "the TIME_WAIT is over.",
                                (long long) rfc1337);
        tell_rate(run, COUNTER_PAWS_TIME_WAIT, f);
        tell_rate(run, COUNTER_SKIPPED_TIME_WAIT, f);
        advice_number(f, "T", (double) incoming, "sockets");
        advice_remedy(run, f, ADVICE_REMEDY_CLIENT_CLOSES_FIRST, NULL);
        advice_remedy(run, f, ADVICE_REMEDY_MIDDLEBOX, "they must not drop the odd ACK or RST");
        if (is_strict) {
                advice_remedy(run, f, ADVICE_REMEDY_RFC1337_OFF, NULL);
                f->profile = "hygiene";
        }
        advice_next(run, f, is_strict ? "twprofile plan hygiene" : "twprofile lab --scenario=nat");
}

/* --- NAT-2 to NAT-4 ------------------------------------------------------------------------------------- */

static void judge_rfc1337(AdviceRun *run) {
        int64_t mode = 0;
        if (!advice_setting(run, rfc1337_key, &mode) || mode == 0)
                return;
        AdviceFinding *f = advice_find_plain(run, rfc1337_key);
        advice_evidence(run, f,
                        "tcp_rfc1337 is %lld: a RST does not end a TIME_WAIT, so a client "
                        "behind a shared address that meets one is not served for 60 s and "
                        "more.",
                        (long long) mode);
        advice_formula(run, f, "tcp_rfc1337 = %lld", (long long) mode);
        advice_number(f, "tcp_rfc1337", (double) mode, "");
        advice_remedy(run, f, ADVICE_REMEDY_RFC1337_OFF, NULL);
        advice_next(run, f, "twprofile plan hygiene");
        f->profile = "hygiene";
}

static void judge_recycle(AdviceRun *run) {
        int64_t mode = 0;
        if (!advice_setting(run, recycle_key, &mode) || mode == 0)
                return;
        const KernelVersion *kernel = &run->now->settings.kernel;
        AdviceFinding *f = advice_find_plain(run, recycle_key);
        advice_evidence(run, f,
                        "tcp_tw_recycle is %lld on Linux %u.%u: SYNs of all but one of the "
                        "machines behind a NAT are dropped.",
                        (long long) mode, kernel->major, kernel->minor);
        advice_formula(run, f, "tcp_tw_recycle: %lld", (long long) mode);
        tell_rate(run, COUNTER_PAWS_PASSIVE, f);
        advice_number(f, "tcp_tw_recycle", (double) mode, "");
        advice_remedy(run, f, ADVICE_REMEDY_NEWER_KERNEL, "4.12 and later do not have the key");
        advice_remedy(run, f, ADVICE_REMEDY_RECYCLE_OFF, NULL);
        advice_next(run, f, "sysctl -w net.ipv4.tcp_tw_recycle=0");
}

static void judge_rejected(AdviceRun *run) {
        uint64_t rejected;
        if (!advice_rate(run, COUNTER_PAWS_ESTAB, &rejected) || rejected < MANY_REJECTED)
                return;
        AdviceFinding *f = advice_find_plain(run, "PAWSEstab");
        advice_evidence(run, f,
                        "%s segments per second of open connections are dropped for older "
                        "timestamps: they come out of order, or several hosts share an address.",
                        advice_decimal(run, rejected));
        tell_rate(run, COUNTER_PAWS_ESTAB, f);
        advice_remedy(run, f, ADVICE_REMEDY_MIDDLEBOX, NULL);
        advice_next(run, f, "twprofile observe --watch");
}

/* -------------------------------------------------------------------------------------------------------- */

static const AdviceRule rows[] = {
        { "TS-1", DIAG_TS_1, 0, false, judge_off, {} },
        { "TS-2", DIAG_TS_2, 0, false, judge_undefined, {} },
        { "NAT-1",
          DIAG_NAT_1,
          ADVICE_NEEDS_RATES | ADVICE_NEEDS_SOCKETS,
          false,
          judge_shared_address,
          {} },
        { "NAT-2", DIAG_NAT_2, 0, false, judge_rfc1337, {} },
        { "NAT-3", DIAG_NAT_3, 0, false, judge_recycle, {} },
        { "NAT-4", DIAG_NAT_4, ADVICE_NEEDS_RATES, false, judge_rejected, {} },
};

const AdviceRules advice_stamp_rules = { rows, ELEMENTSOF(rows) };

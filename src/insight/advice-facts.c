/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-facts.h"

AdviceFinding *advice_find_plain(AdviceRun *run, const char *subject) {
        return advice_find(run, advice_rule_severity(run->rule), NULL, subject);
}

bool advice_setting(const AdviceRun *run, const char *key, int64_t *ret) {
        const SysctlValue *value = snapshot_value(run->now, key);
        if (!value || value->n_ints != 1)
                return false;
        *ret = value->ints[0];
        return true;
}

bool advice_buckets(const AdviceRun *run, uint64_t *ret) {
        const Snapshot *now = run->now;
        if (!now->has_sockets && !now->sockstat.known)
                return false;
        *ret = now->has_sockets ? now->sockets.n_buckets : now->sockstat.time_wait;
        return true;
}

uint64_t advice_rate_or_0(const AdviceRun *run, SnapshotCounterId id) {
        return run->rates.interval_us > 0 && run->rates.known[id] ? run->rates.per_second[id] : 0;
}

uint64_t advice_share(uint64_t part, uint64_t whole) {
        return whole > 0 ? (uint64_t) ((unsigned __int128) part * 1000 / whole) : 0;
}

const char *advice_percent(AdviceRun *run, uint64_t part, uint64_t whole) {
        return advice_text(run, "%s%%", advice_decimal(run, advice_share(part, whole) * 100));
}

const char *advice_bytes(AdviceRun *run, uint64_t bytes) {
        static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
        uint64_t thousandths = bytes / 1024 * 1000 + bytes % 1024 * 1000 / 1024;
        size_t unit = 0;
        for (; thousandths >= UINT64_C(1024000) && unit + 1 < ELEMENTSOF(units); unit++)
                thousandths /= 1024;
        return advice_text(run, "%s %s", advice_decimal(run, thousandths), units[unit]);
}

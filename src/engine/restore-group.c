/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/restore-group.h"

typedef struct GroupRule {
        const char *one, *other; /* keys */
        bool (*is_broken)(const SysctlValue *one, const SysctlValue *other);
} GroupRule;

static bool range_below_start(const SysctlValue *range, const SysctlValue *start) {
        return range->ints[0] < start->ints[0];
}

static bool range_all_reserved(const SysctlValue *range, const SysctlValue *reserved) {
        int64_t low = range->ints[0], high = range->ints[1];
        for (size_t i = 0; i < reserved->n_ports; i++)
                if (reserved->ports[i].first <= low && high <= reserved->ports[i].last)
                        return true;
        return false;
}

static bool reuse_without_timestamps(const SysctlValue *reuse, const SysctlValue *timestamps) {
        return reuse->ints[0] == 1 && timestamps->ints[0] == 0;
}

static const GroupRule group_rules[] = {
        { "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
          range_below_start },
        { "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", range_all_reserved },
        { "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_timestamps", reuse_without_timestamps },
};

static ApplyItem *group_find(Apply *apply, const char *key) {
        for (size_t i = 0; i < apply->n_items; i++)
                if (streq(apply->items[i].spec->key, key))
                        return &apply->items[i];
        return NULL;
}

static const SysctlValue *group_now(const ApplyItem *item, const LiveSnapshot *live) {
        const LiveKey *key = live_find(live, item->spec);
        return key && key->state == LIVE_PRESENT ? &key->value : NULL;
}

static bool group_is_foreign(const ApplyItem *item, const SysctlValue *now) {
        return !item->forced && !sysctl_value_equal(now, &item->before) &&
               !sysctl_value_holds(item->spec, &item->target, now);
}

/* 1 when an item was forced that was not before. */
static bool group_apply_rule(const GroupRule *rule, Apply *apply, const LiveSnapshot *live) {
        ApplyItem *one = group_find(apply, rule->one), *other = group_find(apply, rule->other);
        const SysctlValue *one_now = one ? group_now(one, live) : NULL;
        const SysctlValue *other_now = other ? group_now(other, live) : NULL;
        if (!one_now || !other_now || rule->is_broken(&one->before, &other->before))
                return false;

        bool keep_one = group_is_foreign(one, one_now);
        bool keep_other = group_is_foreign(other, other_now);
        if (!rule->is_broken(
                            keep_one ? one_now : &one->before,
                            keep_other ? other_now : &other->before))
                return false;

        one->forced |= keep_one;
        other->forced |= keep_other;
        return keep_one || keep_other;
}

void restore_group_force(Apply *apply, const LiveSnapshot *live) {
        /* Forcing one key may break what it keeps with a third: until nothing changes any more, at most once a key. */
        for (bool again = true; again;) {
                again = false;
                for (size_t i = 0; i < ELEMENTSOF(group_rules); i++)
                        again |= group_apply_rule(&group_rules[i], apply, live);
        }
}

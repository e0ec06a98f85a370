/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/merge.h"

static int priority_of(const MergeCandidate *candidate) {
        return bundle_root(candidate->bundle)->priority;
}

static const char *name_of(const MergeCandidate *candidate) {
        return bundle_root(candidate->bundle)->name;
}

static SettingMerge kind_of(const MergeCandidate *candidate) {
        return candidate->setting->setting->merge;
}

static const SysctlValue *value_of(const MergeCandidate *candidate) {
        return &candidate->setting->setting->value;
}

static bool is_less(const MergeCandidate *a, const MergeCandidate *b) {
        return sysctl_value_compare(value_of(a), value_of(b)) < 0;
}

/* Highest priority first; the name makes the findings the same at every run. */
static int compare_candidates(const void *a, const void *b) {
        const MergeCandidate *x = a, *y = b;
        if (priority_of(x) != priority_of(y))
                return priority_of(x) > priority_of(y) ? -1 : 1;
        return strcmp(name_of(x), name_of(y));
}

static const char *describe(const MergeCandidate *candidate) {
        switch (kind_of(candidate)) {
        case SETTING_AT_LEAST:
                return "asks for at least this";
        case SETTING_AT_MOST:
                return "asks for at most this";
        case SETTING_EXACT:
                break;
        }
        return "sets this value";
}

static void add_place(DiagList *findings, Diag *d, const MergeCandidate *candidate) {
        const Profile *from = candidate->setting->from;
        diag_add_label(findings, d, candidate->setting->setting->value_span, "profile '%s' %s",
                       name_of(candidate), describe(candidate));
        if (from != bundle_root(candidate->bundle))
                diag_add_note(findings, d, "profile '%s' includes it from '%s'", name_of(candidate),
                              from->name);
}

static int report_conflict(
                DiagList *findings, DiagId id, const MergeCandidate *a, const MergeCandidate *b) {
        const ProfileSetting *setting = b->setting->setting;
        Diag *d = diag_add(
                        findings, id, setting->value_span,
                        id == DIAG_MERGE_CONFLICT
                                        ? "profiles '%s' and '%s' set '%s' to different values, and both have priority %d"
                                        : "profiles '%s' and '%s' contradict each other about '%s', and both have priority %d",
                        name_of(a), name_of(b), setting->spec->key, priority_of(a));
        add_place(findings, d, a);
        if (b->setting->from != bundle_root(b->bundle))
                diag_add_note(findings, d, "profile '%s' includes it from '%s'", name_of(b),
                              b->setting->from->name);
        diag_set_key(findings, d, setting->spec->key);
        diag_set_profile(findings, d, name_of(b));
        diag_set_help(findings, d, "give '%s' or '%s' another priority, or remove the key from one",
                      name_of(a), name_of(b));
        return MERGE_E_CONFLICT;
}

static void report_overridden(
                DiagList *findings, const MergeCandidate *candidate, const MergeCandidate *winner) {
        const ProfileSetting *setting = candidate->setting->setting;
        Diag *d = diag_add(
                        findings, DIAG_OVERRIDDEN, setting->value_span,
                        "'%s' from profile '%s' (priority %d) gives way to profile '%s' (priority %d)",
                        setting->spec->key, name_of(candidate), priority_of(candidate),
                        name_of(winner), priority_of(winner));
        add_place(findings, d, winner);
        diag_set_key(findings, d, setting->spec->key);
        diag_set_profile(findings, d, name_of(candidate));
}

/* The bounds from above together with those of this level that can still hold. */
static MergeResult tighten(const MergeResult *above, const MergeCandidate *level, size_t n) {
        MergeResult result = *above;
        for (const MergeCandidate *c = level; c < level + n; c++)
                if (kind_of(c) == SETTING_AT_LEAST) {
                        bool beyond = above->high && is_less(above->high, c);
                        if (!beyond && (!result.low || is_less(result.low, c)))
                                result.low = c;
                } else if (kind_of(c) == SETTING_AT_MOST) {
                        bool beyond = above->low && is_less(c, above->low);
                        if (!beyond && (!result.high || is_less(c, result.high)))
                                result.high = c;
                }
        return result;
}

static int find_exact(
                const MergeCandidate *level, size_t n, DiagList *findings,
                const MergeCandidate **ret) {
        const MergeCandidate *exact = NULL;
        for (const MergeCandidate *c = level; c < level + n; c++) {
                if (kind_of(c) != SETTING_EXACT)
                        continue;
                if (exact && !sysctl_value_equal(value_of(exact), value_of(c)))
                        return report_conflict(findings, DIAG_MERGE_CONFLICT, exact, c);
                if (!exact)
                        exact = c;
        }
        *ret = exact;
        return 0;
}

static int merge_level(
                MergeResult *result, const MergeCandidate *level, size_t n, DiagList *findings) {
        const MergeCandidate *exact = NULL;
        int r = find_exact(level, n, findings, &exact);
        if (r != 0)
                return r;

        MergeResult both = tighten(result, level, n);
        if (!exact) {
                if (both.low && both.high && is_less(both.high, both.low))
                        return report_conflict(findings, DIAG_BOUNDS_CONFLICT, both.low, both.high);
                *result = both;
                return 0;
        }

        const MergeCandidate *decider = exact;
        if (result->low && is_less(exact, result->low))
                decider = result->low;
        else if (result->high && is_less(result->high, exact))
                decider = result->high;

        /* The decider keeps to the bounds from above, so one that it breaks is of this level. */
        if (both.low && is_less(decider, both.low))
                return report_conflict(findings, DIAG_BOUNDS_CONFLICT, exact, both.low);
        if (both.high && is_less(both.high, decider))
                return report_conflict(findings, DIAG_BOUNDS_CONFLICT, exact, both.high);
        both.exact = decider;
        *result = both;
        return 0;
}

/* Whether the candidate wanted something else than what came out. */
static bool is_overridden(const MergeResult *result, const MergeCandidate *candidate) {
        const MergeCandidate *exact = result->exact, *limit;
        switch (kind_of(candidate)) {
        case SETTING_AT_LEAST:
                limit = exact ? exact : result->high;
                return limit && is_less(limit, candidate);
        case SETTING_AT_MOST:
                limit = exact ? exact : result->low;
                return limit && is_less(candidate, limit);
        case SETTING_EXACT:
                break;
        }
        return exact && !sysctl_value_equal(value_of(exact), value_of(candidate));
}

static bool contradicts(const MergeCandidate *a, const MergeCandidate *b) {
        if (kind_of(a) == SETTING_EXACT && kind_of(b) == SETTING_EXACT)
                return !sysctl_value_equal(value_of(a), value_of(b));
        bool too_low = kind_of(a) != SETTING_AT_LEAST && kind_of(b) != SETTING_AT_MOST;
        bool too_high = kind_of(a) != SETTING_AT_MOST && kind_of(b) != SETTING_AT_LEAST;
        return (too_low && is_less(a, b)) || (too_high && is_less(b, a));
}

/* The first from above that the candidate cannot stand beside. */
static const MergeCandidate *find_winner(
                const MergeCandidate *candidates, const MergeCandidate *overridden) {
        const MergeCandidate *winner = candidates;
        while (winner < overridden && !contradicts(winner, overridden))
                winner++;
        return winner;
}

int merge_candidates(MergeCandidate *candidates, size_t n, DiagList *findings, MergeResult *ret) {
        qsort(candidates, n, sizeof(*candidates), compare_candidates);

        MergeResult result = {};
        for (size_t i = 0, end; i < n && !result.exact; i = end) {
                end = i + 1;
                while (end < n && priority_of(&candidates[end]) == priority_of(&candidates[i]))
                        end++;
                int r = merge_level(&result, &candidates[i], end - i, findings);
                if (r != 0)
                        return r;
        }

        for (size_t i = 0; i < n; i++)
                if (is_overridden(&result, &candidates[i]))
                        report_overridden(
                                        findings, &candidates[i],
                                        find_winner(candidates, &candidates[i]));
        *ret = result;
        return 0;
}

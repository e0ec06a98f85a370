/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/merge.h"

#include "fixture.h"

/* One profile each; all about net.ipv4.tcp_retries2 (8 to 30), an ordered key. */
typedef struct Word {
        int priority;
        const char *text;
} Word;

typedef enum Outcome {
        EXACT,
        BOUNDS,
        MERGE, /* merge-conflict */
        BOUND, /* bounds-conflict */
} Outcome;

#define NAMES "abcd"

static size_t load_words(
                const Word *words, size_t n, Bundle **bundles, MergeCandidate *candidates) {
        size_t filled = 0;
        for (; filled < n && words[filled].text; filled++) {
                char name[2] = { NAMES[filled], 0 }, text[256];
                (void) snprintf(text, sizeof(text),
                                "priority: %d\nsysctl:\n  net.ipv4.tcp_retries2: %s\n",
                                words[filled].priority, words[filled].text);
                FixtureProfile profile = { name, text };
                FixtureLibrary library = { &profile, 1 };
                bundles[filled] = fixture_bundle(&library, name);
                candidates[filled] = (MergeCandidate){ .bundle = bundles[filled],
                                                       .setting = &bundles[filled]->settings[0] };
        }
        return filled;
}

static int64_t value_of(const MergeCandidate *candidate) {
        return candidate ? candidate->setting->setting->value.ints[0] : -1;
}

#define LEAST(n) "{at-least: " #n "}"
#define MOST(n)  "{at-most: " #n "}"

static void test_merge_table(void **state UNUSED) {
        static const struct {
                Word words[4];
                Outcome outcome;
                int64_t low, high; /* the exact value is in `low`; -1: none */
                size_t overridden;
        } rows[] = {
                /* exact against exact */
                { { { 50, "9" } }, EXACT, 9, -1, 0 },
                { { { 50, "9" }, { 50, "9" } }, EXACT, 9, -1, 0 },
                { { { 50, "9" }, { 50, "10" } }, MERGE, -1, -1, 0 },
                { { { 50, "9" }, { 51, "10" } }, EXACT, 10, -1, 1 },
                { { { 51, "9" }, { 50, "10" } }, EXACT, 9, -1, 1 },
                { { { 20, "10" }, { 50, "9" }, { 20, "11" } }, EXACT, 9, -1, 2 },
                { { { 20, "9" }, { 50, "9" } }, EXACT, 9, -1, 0 },
                /* bounds alone: the strictest, whatever their priority */
                { { { 50, LEAST(9) } }, BOUNDS, 9, -1, 0 },
                { { { 50, MOST(9) } }, BOUNDS, -1, 9, 0 },
                { { { 50, LEAST(9) }, { 50, LEAST(12) } }, BOUNDS, 12, -1, 0 },
                { { { 90, LEAST(9) }, { 10, LEAST(12) } }, BOUNDS, 12, -1, 0 },
                { { { 10, MOST(12) }, { 90, MOST(20) } }, BOUNDS, -1, 12, 0 },
                { { { 50, LEAST(9) }, { 60, MOST(20) } }, BOUNDS, 9, 20, 0 },
                { { { 50, LEAST(9) }, { 50, MOST(9) } }, BOUNDS, 9, 9, 0 },
                /* contradictory bounds */
                { { { 50, LEAST(12) }, { 50, MOST(9) } }, BOUND, -1, -1, 0 },
                { { { 60, LEAST(12) }, { 50, MOST(9) } }, BOUNDS, 12, -1, 1 },
                { { { 50, LEAST(12) }, { 60, MOST(9) } }, BOUNDS, -1, 9, 1 },
                /* the one in the middle is beyond, the one below it is not */
                { { { 60, MOST(12) }, { 50, LEAST(14) }, { 40, LEAST(10) } }, BOUNDS, 10, 12, 1 },
                /* what is overridden from above contradicts nobody beside it */
                { { { 60, MOST(12) }, { 50, LEAST(14) }, { 50, MOST(11) } }, BOUNDS, -1, 11, 1 },
                /* exact against bound */
                { { { 50, "12" }, { 50, LEAST(9) } }, EXACT, 12, -1, 0 },
                { { { 50, "12" }, { 50, MOST(12) } }, EXACT, 12, -1, 0 },
                { { { 50, "9" }, { 50, LEAST(12) } }, BOUND, -1, -1, 0 },
                { { { 50, "12" }, { 50, MOST(9) } }, BOUND, -1, -1, 0 },
                { { { 50, "9" }, { 60, LEAST(12) } }, EXACT, 12, -1, 1 },
                { { { 50, "12" }, { 60, MOST(9) } }, EXACT, 9, -1, 1 },
                { { { 60, "9" }, { 50, LEAST(12) } }, EXACT, 9, -1, 1 },
                { { { 60, "12" }, { 50, MOST(9) } }, EXACT, 12, -1, 1 },
                /* the bound from above settles what would be a conflict beside it, and may make one */
                { { { 60, LEAST(12) }, { 50, "9" }, { 50, LEAST(10) } }, EXACT, 12, -1, 1 },
                { { { 60, LEAST(12) }, { 50, "9" }, { 50, LEAST(14) } }, BOUND, -1, -1, 0 },
                /* an exact value above ends it: contradictions below do not matter */
                { { { 60, "12" }, { 50, LEAST(20) }, { 50, MOST(9) } }, EXACT, 12, -1, 2 },
                { { { 60, "12" }, { 50, "9" }, { 50, "10" } }, EXACT, 12, -1, 2 },
        };
        TEST_EACH(row, rows) {
                Bundle *bundles[4] = {};
                MergeCandidate candidates[4];
                size_t n = load_words(row->words, ELEMENTSOF(row->words), bundles, candidates);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                MergeResult result = {};
                int r = merge_candidates(candidates, n, list, &result);

                bool conflict = row->outcome == MERGE || row->outcome == BOUND;
                assert_int_equal(r, conflict ? MERGE_E_CONFLICT : 0);
                assert_int_equal(fixture_count(list, DIAG_MERGE_CONFLICT), row->outcome == MERGE);
                assert_int_equal(fixture_count(list, DIAG_BOUNDS_CONFLICT), row->outcome == BOUND);
                assert_int_equal(fixture_count(list, DIAG_OVERRIDDEN), row->overridden);
                if (row->outcome == EXACT)
                        assert_int_equal(value_of(result.exact), row->low);
                if (row->outcome == BOUNDS) {
                        assert_null(result.exact);
                        assert_int_equal(value_of(result.low), row->low);
                        assert_int_equal(value_of(result.high), row->high);
                }
                for (size_t i = 0; i < n; i++)
                        bundle_free(bundles[i]);
        }
}

static void assert_place(const Span *span, const char *file, uint32_t line) {
        assert_string_equal(source_name(span->source), file);
        assert_int_equal(span->line, line);
}

#define PATH(name) "/usr/share/twprofile/profiles/" name ".yaml"

/* Both places are named, and the include that a value came in by. */
static void test_conflict_names_both_places(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "left", "include: [inner]\nsysctl:\n  net.core.somaxconn: 4096\n" },
                { "inner", "sysctl:\n  net.ipv4.tcp_tw_reuse: 1\n" },
                { "right", "include: [other]\nsysctl:\n  net.core.somaxconn: 4096\n" },
                { "other", "sysctl:\n  net.ipv4.tcp_tw_reuse: 0\n" },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(bundle_freep) Bundle *left = fixture_bundle(&library, "left");
        CLEANUP(bundle_freep) Bundle *right = fixture_bundle(&library, "right");
        const SysctlSpec *spec = catalogue_find("net.ipv4.tcp_tw_reuse");
        MergeCandidate candidates[] = {
                { .bundle = right, .setting = bundle_find_setting(right, spec) },
                { .bundle = left, .setting = bundle_find_setting(left, spec) },
        };
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        MergeResult result = {};
        assert_int_equal(
                        merge_candidates(candidates, ELEMENTSOF(candidates), list, &result),
                        MERGE_E_CONFLICT);

        const Diag *d = diag_list_get(list, 0);
        assert_int_equal(d->id, DIAG_MERGE_CONFLICT);
        assert_place(&d->span, PATH("other"), 5);
        assert_int_equal(d->n_labels, 1);
        assert_place(&d->labels[0].span, PATH("inner"), 5);
        assert_int_equal(d->n_notes, 2);
        assert_non_null(strstr(d->notes[0], "'left' includes it from 'inner'"));
        assert_non_null(strstr(d->notes[1], "'right' includes it from 'other'"));
        assert_non_null(strstr(d->message, "priority 50"));
        assert_string_equal(d->key, "net.ipv4.tcp_tw_reuse");
        assert_int_equal(diag_list_exit_code(list), 3);
}

static void test_overridden_names_the_winner(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "low", "priority: 10\nsysctl:\n  net.ipv4.tcp_retries2: 9\n" },
                { "high", "priority: 60\nsysctl:\n  net.ipv4.tcp_retries2: {at-least: 12}\n" },
                { "top", "priority: 70\nsysctl:\n  net.ipv4.tcp_retries2: {at-most: 11}\n" },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        fixture_bundles_load(&bundles, &library, "high low top");
        MergeCandidate candidates[3];
        for (size_t i = 0; i < ELEMENTSOF(candidates); i++) {
                const Bundle *bundle = bundles.items[i];
                assert(bundle);
                candidates[i] = (MergeCandidate){ .bundle = bundle, .setting = bundle->settings };
        }
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        MergeResult result = {};
        assert_int_equal(merge_candidates(candidates, 3, list, &result), 0);
        assert_int_equal(value_of(result.exact), 9);
        assert_int_equal(diag_list_count(list), 1);
        const Diag *d = diag_list_get(list, 0);
        assert_string_equal(
                        d->message,
                        "'net.ipv4.tcp_retries2' from profile 'high' (priority 60) gives way to profile "
                        "'top' (priority 70)");
}

TEST_MAIN(cmocka_unit_test(test_merge_table), cmocka_unit_test(test_conflict_names_both_places),
          cmocka_unit_test(test_overridden_names_the_winner))

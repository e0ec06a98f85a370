/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The exhaustive search: the engine's own functions on a simulated machine, killed and cut off before every call that changes
 * something, in every way a power cut can come out, recovery included.
 *
 *         engine-model [--actions=N] [--crashes=N] [--cuts=N] [--plant=NAME] [--request=NAME …]
 *                      [--quiet] [--trace] [--counts]
 *
 *   --actions=N   how many requests a history holds (default 2)
 *   --crashes=N   how many crashes (default 1; each inside a request, a recovery or a boot)
 *   --cuts=N      outcomes of one power cut that are looked at (default 64); with more, they are drawn evenly
 *   --plant=NAME  a fault that the search has to find: commit-unflushed fragment-unflushed act-unflushed blind-write
 *                 blind-restore old-boot-id no-redo. The search ends where it is found.
 *
 *   --request=NAME  what users ask for, may be given several times: enable replace disable rollback window touch (these six
 *                   are the default) origin release
 *   --trace       the history of each new state
 *   --counts      also lines "count", scenario, fault, points, runs, violations between tabs, for docs/crash-matrix.md
 *
 * States that nothing can tell apart are looked at once. What must hold is asked where nothing runs (oracle.c), and knows
 * nothing of the engine but its answers. Prints the counts, and for a violation the history that leads to it. Exit 0: none;
 * 1: some; 64: usage.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "explorer.h"

static int usage(const char *word) {
        fprintf(stderr,
                "engine-model: cannot use '%s'; see the head of tests/model/engine-model.c\n",
                word);
        return 64;
}

static bool parse_number(const char *word, const char *name, uint64_t *ret) {
        size_t n = strlen(name);
        return strncmp(word, name, n) == 0 && num_parse_u64(word + n, ret) >= 0;
}

static bool parse_plant(const char *word, SimPlant *ret) {
        return startswith(word, "--plant=") && plant_parse(word + strlen("--plant="), ret);
}

static bool parse_request(const char *word, unsigned *ret) {
        static const char *const names[] = {
                [STEP_ENABLE] = "enable",   [STEP_REPLACE] = "replace",
                [STEP_DISABLE] = "disable", [STEP_ROLLBACK] = "rollback",
                [STEP_WINDOW] = "window",   [STEP_TOUCH] = "touch",
                [STEP_ORIGIN] = "origin",   [STEP_RELEASE] = "release",
        };
        if (!startswith(word, "--request="))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i] && streq(word + strlen("--request="), names[i])) {
                        *ret |= 1U << i;
                        return true;
                }
        return false;
}

static void print_counts(const ExplorerCounts *counts) {
        static const char *const hits[] = {
                [HIT_NONE] = "nothing",
                [HIT_KILL] = "killed before a change",
                [HIT_CUT] = "power cut before a change",
                [HIT_TOUCH] = "foreign write before a call",
        };
        for (unsigned i = 0; i < SITUATIONS; i++)
                for (Hit hit = 0; hit < _HIT_MAX; hit++) {
                        const ExplorerCount *row = &counts->rows[i][hit];
                        if (row->runs > 0 || row->violations > 0)
                                printf("count\t%s\t%s\t%llu\t%llu\t%llu\n", situation_name(i),
                                       i == SITUATION_REST ? "power cut" : hits[hit],
                                       (unsigned long long) row->points,
                                       (unsigned long long) row->runs,
                                       (unsigned long long) row->violations);
                }
}

int main(int argc, char **argv) {
        bool wants_counts = false;
        ExplorerOptions options = { .actions = 2, .crashes = 1, .cuts = 64 };
        for (int i = 1; i < argc; i++) {
                const char *word = argv[i];
                if (streq(word, "--quiet"))
                        options.quiet = true;
                else if (streq(word, "--trace"))
                        options.trace = true;
                else if (streq(word, "--counts"))
                        wants_counts = true;
                else if (!parse_number(word, "--actions=", &options.actions) &&
                         !parse_number(word, "--crashes=", &options.crashes) &&
                         !parse_number(word, "--cuts=", &options.cuts) &&
                         !parse_plant(word, &options.plant) &&
                         !parse_request(word, &options.requests))
                        return usage(word);
        }

        ExplorerCounts counts = { 0 };
        explorer_run(&options, &counts);
        printf("%llu states, %llu requests run, %llu killed, %llu of %llu power cuts, %llu foreign "
               "writes, %llu violations\n",
               (unsigned long long) counts.states, (unsigned long long) counts.runs,
               (unsigned long long) counts.kills, (unsigned long long) counts.cuts,
               (unsigned long long) counts.possible, (unsigned long long) counts.touches,
               (unsigned long long) counts.violations);
        if (wants_counts)
                print_counts(&counts);
        return counts.violations > 0 ? 1 : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An error at every call: each scenario is run once for each call of the seam and each error that the call could give, the
 * error once and for ever; also at each allocation; and somebody else writes a key before each call of a request. Then the
 * fault is gone, recovery runs, and the power goes off.
 *
 *         fault-matrix [--cuts=N] [--stride=N] [--plant=NAME] [--scenario=TEXT] [--counts]
 *
 *   --cuts=N     outcomes of the power cut after each faulty run that are looked at (default 0: no power cut)
 *   --stride=N   only each N-th call of memory's (default 1)
 *   --plant=NAME a fault that has to be found, by the names of machine.h; ends where it is found
 *   --scenario=TEXT  only those whose name begins with it
 *   --counts     also lines "count", scenario, fault, points, runs, violations between tabs, for docs/crash-matrix.md
 *
 * What must hold: the answer is true (0: new, 2 to 6: old, 8: unknown), and after recovery everything is old or everything is
 * new. Exit 0: it held; 1: not.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "machine.h"

static const Fault faults[] = {
        { .name = "ENOSPC", .kind = SEAM_FAULT_ERROR, .error = ENOSPC },
        { .name = "EIO", .kind = SEAM_FAULT_ERROR, .error = EIO },
        { .name = "EIO after it was done", .kind = SEAM_FAULT_ERROR_AFTER, .error = EIO },
        { .name = "EACCES", .kind = SEAM_FAULT_ERROR, .error = EACCES },
        { .name = "EROFS", .kind = SEAM_FAULT_ERROR, .error = EROFS },
        { .name = "EINTR", .kind = SEAM_FAULT_ERROR, .error = EINTR },
        { .name = "EMFILE", .kind = SEAM_FAULT_ERROR, .error = EMFILE },
        { .name = "ENOMEM", .kind = SEAM_FAULT_ERROR, .error = ENOMEM },
        { .name = "short", .kind = SEAM_FAULT_SHORT },
        { .name = "key: EINVAL", .kind = SEAM_FAULT_ERROR, .error = EINVAL, .of_keys = true },
        { .name = "key: ENOENT", .kind = SEAM_FAULT_ERROR, .error = ENOENT, .of_keys = true },
        { .name = "key: EPERM", .kind = SEAM_FAULT_ERROR, .error = EPERM, .of_keys = true },
        { .name = "memory", .of_memory = true },
};

/* Where the last step before is killed. */
typedef enum Death {
        DIES_NOT,
        DIES_MIDWAY,
        DIES_UNCOMMITTED, /* the last moment from which recovery takes it back */
        DIES_COMMITTED,   /* the first from which recovery completes it */
} Death;

typedef struct Scenario {
        const char *name;
        Step before[3]; /* _STEP_MAX ends */
        Death death;
        bool power_cut; /* then the power goes off */
        Step step;
} Scenario;

#define NO _STEP_MAX

static const Scenario scenarios[] = {
        { "enable", { NO }, DIES_NOT, false, STEP_ENABLE },
        { "enable another", { STEP_ENABLE, NO }, DIES_NOT, false, STEP_REPLACE },
        { "disable", { STEP_ENABLE, NO }, DIES_NOT, false, STEP_DISABLE },
        { "rollback", { STEP_ENABLE, STEP_REPLACE, NO }, DIES_NOT, false, STEP_ROLLBACK },
        { "rollback to the origin",
          { STEP_ENABLE, STEP_REPLACE, NO },
          DIES_NOT,
          false,
          STEP_ORIGIN },
        { "disable, a foreign value",
          { STEP_ENABLE, STEP_TOUCH, NO },
          DIES_NOT,
          false,
          STEP_DISABLE },
        { "rollback, a foreign value",
          { STEP_ENABLE, STEP_TOUCH, NO },
          DIES_NOT,
          false,
          STEP_ROLLBACK },
        { "enable with a window", { NO }, DIES_NOT, false, STEP_WINDOW },
        { "window over another", { STEP_REPLACE, NO }, DIES_NOT, false, STEP_WINDOW },
        { "confirm", { STEP_WINDOW, NO }, DIES_NOT, false, STEP_CONFIRM },
        { "confirm over another",
          { STEP_REPLACE, STEP_WINDOW, NO },
          DIES_NOT,
          false,
          STEP_CONFIRM },
        { "rollback in a window", { STEP_WINDOW, NO }, DIES_NOT, false, STEP_ROLLBACK },
        { "guard", { STEP_WINDOW, NO }, DIES_NOT, false, STEP_DEADLINE },
        { "guard, a foreign value",
          { STEP_WINDOW, STEP_TOUCH, NO },
          DIES_NOT,
          false,
          STEP_DEADLINE },
        { "guard over another", { STEP_REPLACE, STEP_WINDOW, NO }, DIES_NOT, false, STEP_DEADLINE },
        { "confirm after a reboot", { STEP_WINDOW, NO }, DIES_NOT, true, STEP_CONFIRM },
        { "release", { STEP_WINDOW, STEP_DEADLINE, NO }, DIES_NOT, false, STEP_RELEASE },
        { "recovery, not committed", { STEP_ENABLE, NO }, DIES_UNCOMMITTED, false, STEP_RECOVER },
        { "recovery, committed", { STEP_ENABLE, NO }, DIES_COMMITTED, false, STEP_RECOVER },
        { "recovery in a window", { STEP_WINDOW, NO }, DIES_MIDWAY, false, STEP_RECOVER },
        { "recovery, confirm not committed",
          { STEP_WINDOW, STEP_CONFIRM, NO },
          DIES_UNCOMMITTED,
          false,
          STEP_RECOVER },
        { "recovery, confirm committed",
          { STEP_WINDOW, STEP_CONFIRM, NO },
          DIES_COMMITTED,
          false,
          STEP_RECOVER },
        { "recovery of a cut revert",
          { STEP_WINDOW, STEP_DEADLINE, NO },
          DIES_MIDWAY,
          false,
          STEP_RECOVER },
        { "recovery of a cut rollback",
          { STEP_ENABLE, STEP_ROLLBACK, NO },
          DIES_MIDWAY,
          false,
          STEP_RECOVER },
        { "boot", { STEP_ENABLE, NO }, DIES_NOT, true, STEP_BOOT },
        { "boot after a cut commit", { STEP_ENABLE, NO }, DIES_COMMITTED, true, STEP_BOOT },
        { "boot after a cut confirm",
          { STEP_WINDOW, STEP_CONFIRM, NO },
          DIES_COMMITTED,
          true,
          STEP_BOOT },
        { "boot after a cut revert",
          { STEP_WINDOW, STEP_DEADLINE, NO },
          DIES_MIDWAY,
          true,
          STEP_BOOT },
        { "boot in a window", { STEP_WINDOW, NO }, DIES_NOT, true, STEP_BOOT },
};

typedef struct Count {
        uint64_t points, runs, violations;
} Count;

typedef struct Counts {
        Count of[ELEMENTSOF(faults)][2]; /* once, and for ever */
        Count touches;                   /* somebody else writes */
        Count cuts;                      /* of the power behind a faulty run */
        uint64_t codes[10];              /* how often each exit code was the answer; [9]: none */
} Counts;

static uint64_t most_cuts, stride = 1;
static SimPlant plant;
static uint64_t n_violations;

static bool is_committed_after(const State *from, Step step, uint64_t die_at) {
        State *state = state_copy(from);
        state_run(state, step, (RunOptions){ .die_at = die_at });
        state_run(state, STEP_RECOVER, (RunOptions){ 0 });
        bool committed = state_has_fragment(state);
        state_free(state);
        return committed;
}

/* Before which change it is killed; 0: it is not. */
static uint64_t find_death(const State *from, Step step, Death death) {
        State *clean = state_copy(from);
        state_run(clean, step, (RunOptions){ 0 });
        uint64_t n = clean->n_changes;
        state_free(clean);
        if (death == DIES_MIDWAY)
                return n * 2 / 3;

        uint64_t at = 1;
        while (at <= n && !is_committed_after(from, step, at))
                at++;
        SIM_MUST(at > 1 && at <= n);
        return death == DIES_COMMITTED ? at : at - 1;
}

static State *start(const Scenario *scenario) {
        State *state = state_new(/* actions= */ 9, /* crashes= */ 9, plant);
        for (size_t i = 0; scenario->before[i] != NO; i++) {
                Step step = scenario->before[i];
                bool dies = scenario->death != DIES_NOT && scenario->before[i + 1] == NO;
                uint64_t at = dies ? find_death(state, step, scenario->death) : 0;
                state_run(state, step, (RunOptions){ .die_at = at });
        }
        if (scenario->power_cut)
                state_cut(state, sim_disk_cuts(state->disk, SIZE_MAX / 256) - 1);
        return state;
}

static void judge(State *state, Count *count) {
        if (state->phase == PHASE_READY)
                state_judge(state);
        if (state->fault[0] == '\0')
                return;
        n_violations++;
        if (++count->violations <= 5)
                printf("violation: %s\n  history:%s\n", state->fault, state->history);
}

/* The fault is gone: recovery, then the power goes off. */
static void settle(State *state, bool touched, Count *count, Count *cuts) {
        size_t all = sim_disk_cuts(state->disk, SIZE_MAX / 256);
        if (most_cuts > 0)
                cuts->points++;
        for (size_t i = 0; i < most_cuts && i < all; i++) {
                State *off = state_copy(state);
                state_cut(off, i * ((all - 1) / (most_cuts > 1 ? most_cuts - 1 : 1)));
                state_run(off, STEP_BOOT, (RunOptions){ 0 });
                cuts->runs++;
                judge(off, cuts);
                state_free(off);
        }
        state_run(state, state->phase == PHASE_BOOT ? STEP_BOOT : STEP_RECOVER, (RunOptions){ 0 });
        judge(state, count);
        if (touched && state->phase == PHASE_READY && state->fault[0] == '\0') {
                /* what is put back later tells what was seen */
                state_run(state, STEP_DISABLE, (RunOptions){ 0 });
                judge(state, count);
        }
}

static void try(const State *from, Step step, RunOptions how, Counts *counts) {
        if (plant != SIM_PLANT_NONE && n_violations > 0)
                return; /* found */
        Count *count = how.fault ? &counts->of[how.fault - faults][how.for_ever] : &counts->touches;
        Phase phase = from->phase;
        State *state = state_copy(from);
        state_run(state, step, how);
        if (!how.fault && !state->touched) { /* that moment does not exist */
                state_free(state);
                return;
        }
        count->points++;
        count->runs++;
        counts->codes[state->exit_code >= 0 && state->exit_code < 9 ? state->exit_code : 9]++;
        /* a recovery that was refused or failed has settled nothing yet */
        if (phase != PHASE_READY && state->exit_code != 0)
                state->phase = phase;
        judge(state, count);
        if (state->fault[0] == '\0')
                settle(state, !how.fault, count, &counts->cuts);
        state_free(state);
}

static void touch_everywhere(const State *from, Step step, Counts *counts) {
        State *clean = state_copy(from);
        state_run(clean, step, (RunOptions){ 0 });
        uint64_t n = clean->n_calls;
        state_free(clean);
        for (uint64_t at = 1; at <= n; at++)
                try(from, step, (RunOptions){ .touch_at = at }, counts);
}

static void run_scenario(const Scenario *scenario, Counts *counts) {
        State *from = start(scenario);
        if (from->phase == PHASE_READY)
                touch_everywhere(from, scenario->step, counts);
        for (size_t i = 0; i < ELEMENTSOF(faults); i++) {
                RunOptions how = { .fault = &faults[i] };
                State *clean = state_copy(from);
                state_run(clean, scenario->step, how);
                uint64_t n = clean->n_calls;
                state_free(clean);
                for (how.fault_at = 1; how.fault_at <= n;
                     how.fault_at += faults[i].of_memory ? stride : 1)
                        for (int for_ever = 0; for_ever < 2; for_ever++) {
                                how.for_ever = for_ever;
                                try(from, scenario->step, how, counts);
                        }
        }
        state_free(from);
}

static void print_count(const Scenario *scenario, const char *fault, const char *how, Count count) {
        if (count.runs > 0 || count.violations > 0)
                printf("count\t%s\t%s%s\t%llu\t%llu\t%llu\n", scenario->name, fault, how,
                       (unsigned long long) count.points, (unsigned long long) count.runs,
                       (unsigned long long) count.violations);
}

static void print_counts(const Scenario *scenario, const Counts *counts) {
        for (size_t i = 0; i < ELEMENTSOF(faults); i++) {
                print_count(scenario, faults[i].name, " once", counts->of[i][false]);
                print_count(scenario, faults[i].name, " for ever", counts->of[i][true]);
        }
        print_count(scenario, "foreign write before a call", "", counts->touches);
        print_count(scenario, "power cut after any of these", "", counts->cuts);
}

static void print_scenario(const Scenario *scenario, const Counts *counts) {
        uint64_t points = counts->touches.points;
        uint64_t violations = counts->cuts.violations + counts->touches.violations;
        for (size_t i = 0; i < ELEMENTSOF(faults); i++)
                for (int for_ever = 0; for_ever < 2; for_ever++) {
                        points += counts->of[i][for_ever].points;
                        violations += counts->of[i][for_ever].violations;
                }
        static const int codes[] = { 0, 2, 4, 6, 7, 8 };
        printf("%-30s %6llu faults, %6llu power cuts, %llu violations; answers", scenario->name,
               (unsigned long long) points, (unsigned long long) counts->cuts.runs,
               (unsigned long long) violations);
        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                printf(" %d: %llu,", codes[i], (unsigned long long) counts->codes[codes[i]]);
        printf(" none: %llu\n", (unsigned long long) counts->codes[9]);
}

int main(int argc, char **argv) {
        bool wants_counts = false;
        const char *only = "";
        for (int i = 1; i < argc; i++) {
                if (streq(argv[i], "--counts"))
                        wants_counts = true;
                else if (startswith(argv[i], "--scenario="))
                        only = argv[i] + strlen("--scenario=");
                else if (!(startswith(argv[i], "--cuts=") &&
                           num_parse_u64(argv[i] + 7, &most_cuts) >= 0) &&
                         !(startswith(argv[i], "--stride=") &&
                           num_parse_u64(argv[i] + 9, &stride) >= 0 && stride > 0) &&
                         !(startswith(argv[i], "--plant=") &&
                           plant_parse(argv[i] + strlen("--plant="), &plant))) {
                        fprintf(stderr, "fault-matrix: cannot use '%s'\n", argv[i]);
                        return 64;
                }
        }

        for (size_t i = 0; i < ELEMENTSOF(scenarios); i++) {
                if (!startswith(scenarios[i].name, only))
                        continue;
                Counts counts = { 0 };
                run_scenario(&scenarios[i], &counts);
                print_scenario(&scenarios[i], &counts);
                if (plant != SIM_PLANT_NONE && n_violations > 0)
                        return 1;
                if (wants_counts)
                        print_counts(&scenarios[i], &counts);
        }
        return n_violations > 0 ? 1 : 0;
}

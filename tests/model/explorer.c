/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "explorer.h"

#define TABLE_SIZE ((size_t) 1 << 20)

typedef struct Explorer {
        const ExplorerOptions *options;
        ExplorerCounts *counts;
        State **queue;
        size_t head, tail, room;
        Sha256 *known;
        bool *is_known;
} Explorer;

/* --- states that were seen -------------------------------------------------------------------------------------- */

static bool remember(Explorer *explorer, const State *state) {
        Sha256 digest = state_digest(state);
        size_t at;
        memcpy(&at, digest.bytes, sizeof(at));
        for (at %= TABLE_SIZE; explorer->is_known[at]; at = (at + 1) % TABLE_SIZE)
                if (sha256_equal(&explorer->known[at], &digest))
                        return false;
        SIM_MUST(explorer->counts->states < TABLE_SIZE / 2);
        if (explorer->options->trace)
                printf("state:%s\n", state->history);
        explorer->known[at] = digest;
        explorer->is_known[at] = true;
        explorer->counts->states++;
        return true;
}

/* Takes the state over. */
static void enqueue(Explorer *explorer, State *state) {
        if (!remember(explorer, state)) {
                state_free(state);
                return;
        }
        if (explorer->tail == explorer->room) {
                explorer->room = explorer->room ? 2 * explorer->room : 1024;
                explorer->queue = sim_realloc(explorer->queue, explorer->room * sizeof(State *));
        }
        explorer->queue[explorer->tail++] = state;
}

/* --- counts ----------------------------------------------------------------------------------------------------- */

static ExplorerCount *count_of(Explorer *explorer, const State *state) {
        return &explorer->counts->rows[state->situation][state->hit];
}

/* One more place where this was done to such a step. */
static void count_point(Explorer *explorer, State *state, unsigned situation, Hit hit) {
        state->situation = situation;
        state->hit = hit;
        count_of(explorer, state)->points++;
}

/* --- one step --------------------------------------------------------------------------------------------------- */

static void tell(Explorer *explorer, const State *state) {
        explorer->counts->violations++;
        count_of(explorer, state)->violations++;
        if (!explorer->options->quiet && explorer->counts->violations <= 10)
                printf("violation: %s\n  history:%s\n", state->fault, state->history);
}

/* What a state that nothing runs in is worth: a violation is told, anything else is gone on from. */
static void judge(Explorer *explorer, State *state) {
        if (state->phase == PHASE_READY)
                state_judge(state);
        if (state->fault[0] == '\0') {
                enqueue(explorer, state);
                return;
        }
        tell(explorer, state);
        state_free(state);
}

/* The power goes off in `state`, which is left alone: every way it can come out. */
static void cut(Explorer *explorer, const State *state, unsigned situation) {
        size_t all = sim_disk_cuts(state->disk, SIZE_MAX / 256);
        size_t n = all < explorer->options->cuts ? all : explorer->options->cuts;
        explorer->counts->possible += all;
        explorer->counts->rows[situation][HIT_CUT].points++;
        for (size_t i = 0; i < n; i++) {
                State *off = state_copy(state);
                /* spread evenly, the first and the last among them */
                size_t way = n == all || n < 2 ? i : i * ((all - 1) / (n - 1));
                state_cut(off, i == n - 1 ? all - 1 : way);
                off->situation = situation;
                off->hit = HIT_CUT;
                explorer->counts->cuts++;
                count_of(explorer, off)->runs++;
                judge(explorer, off);
        }
}

static State *run(Explorer *explorer, const State *state, Step step, RunOptions how) {
        State *next = state_copy(state);
        explorer->counts->runs++;
        state_run(next, step, how);
        return next;
}

/* Killed before each call that changes something; then recovery, or the power goes off too. */
static void crash_everywhere(
                Explorer *explorer, const State *state, Step step, uint64_t n_changes) {
        for (uint64_t at = 1; at <= n_changes; at++) {
                State *dead = run(explorer, state, step, (RunOptions){ .die_at = at });
                SIM_MUST(dead->phase == PHASE_DEAD);
                dead->crashes_left--;
                explorer->counts->kills++;
                count_point(explorer, dead, state_situation(state, step), HIT_KILL);
                count_of(explorer, dead)->runs++;
                cut(explorer, dead, dead->situation);
                judge(explorer, dead);
        }
}

/* Somebody else writes a key, before each call. */
static void touch_everywhere(Explorer *explorer, const State *state, Step step, uint64_t n_calls) {
        for (uint64_t at = 1; at <= n_calls; at++) {
                State *next = run(explorer, state, step, (RunOptions){ .touch_at = at });
                if (!next->touched) { /* that moment does not exist */
                        state_free(next);
                        continue;
                }
                next->touches_left--;
                explorer->counts->touches++;
                count_point(explorer, next, state_situation(state, step), HIT_TOUCH);
                count_of(explorer, next)->runs++;
                judge(explorer, next);
        }
}

/* A step that nothing was done to: what goes wrong in it is put down to what was done before. */
static void count_whole(Explorer *explorer, State *next, unsigned situation) {
        ExplorerCount *row = &explorer->counts->rows[situation][HIT_NONE];
        row->points++;
        row->runs++;
        if (next->hit == HIT_NONE)
                next->situation = situation;
}

static void take_step(Explorer *explorer, const State *state, Step step) {
        State *next = run(explorer, state, step, (RunOptions){ 0 });
        uint64_t n_changes = next->n_changes, n_calls = next->n_calls;
        if (state->crashes_left > 0)
                crash_everywhere(explorer, state, step, n_changes);
        if (state->touches_left > 0 && state->phase == PHASE_READY)
                touch_everywhere(explorer, state, step, n_calls);
        count_whole(explorer, next, state_situation(state, step));
        judge(explorer, next);
}

/* What does the same as another on this small machine is looked at when it is asked for: rollback to the origin, release.
 * What answers a crash or ends a window is always taken. */
static bool is_wanted(const Explorer *explorer, Step step) {
        const unsigned seldom = 1U << STEP_ORIGIN | 1U << STEP_RELEASE;
        const unsigned answers = 1U << STEP_CONFIRM | 1U << STEP_DEADLINE | 1U << STEP_RECOVER |
                                 1U << STEP_BOOT;
        unsigned wanted = explorer->options->requests;
        if (wanted == 0)
                return (seldom & 1U << step) == 0;
        return ((wanted | answers) & 1U << step) != 0;
}

static void expand(Explorer *explorer, const State *state) {
        for (Step step = 0; step < _STEP_MAX; step++)
                if (state_allows(state, step) && is_wanted(explorer, step))
                        take_step(explorer, state, step);
        /* at rest too */
        if (state->crashes_left > 0 && state->phase == PHASE_READY) {
                State *off = state_copy(state);
                off->crashes_left--;
                cut(explorer, off, SITUATION_REST);
                state_free(off);
        }
}

void explorer_run(const ExplorerOptions *options, ExplorerCounts *ret) {
        Explorer explorer = {
                .options = options,
                .counts = ret,
                .known = sim_realloc(NULL, TABLE_SIZE * sizeof(Sha256)),
                .is_known = sim_realloc(NULL, TABLE_SIZE * sizeof(bool)),
        };
        memset(explorer.is_known, 0, TABLE_SIZE * sizeof(bool));

        State *first = state_new(
                        (unsigned) options->actions, (unsigned) options->crashes, options->plant);
        enqueue(&explorer, first);
        bool is_planted = options->plant != SIM_PLANT_NONE;
        while (explorer.head < explorer.tail && !(is_planted && ret->violations > 0)) {
                State *state = explorer.queue[explorer.head++];
                expand(&explorer, state);
                state_free(state);
        }
        while (explorer.head < explorer.tail)
                state_free(explorer.queue[explorer.head++]);
        sim_free(explorer.queue);
        sim_free(explorer.known);
        sim_free(explorer.is_known);
}

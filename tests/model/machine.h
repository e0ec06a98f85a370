/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One state of the search: the machine, what its users were told, and how it came about. state_judge() is the oracle: it reads
 * two live values and one file, and knows of the engine's answers what a user would.
 *
 * Two keys, two profiles. BASE is what the kernel starts with; FOREIGN is what somebody else writes.
 */

#include "seam/seam-fault.h"
#include "sim-disk.h"

#define STATE_KEYS 2U

typedef enum Config {
        CONFIG_BASE, /* nothing of ours */
        CONFIG_ONE,
        CONFIG_TWO,
        _CONFIG_MAX,
} Config;

typedef enum Phase {
        PHASE_READY, /* nothing runs, nothing is left to settle */
        PHASE_DEAD,  /* a process was killed: recovery comes next */
        PHASE_BOOT, /* the machine started again: the boot unit comes next, or a request before it */
} Phase;

typedef enum Step {
        STEP_ENABLE,  /* ONE */
        STEP_REPLACE, /* TWO alone */
        STEP_DISABLE, /* whatever there is */
        STEP_ROLLBACK,
        STEP_ORIGIN, /* rollback --to=origin */
        STEP_WINDOW, /* ONE, to be confirmed within ten seconds */
        STEP_CONFIRM,
        STEP_DEADLINE, /* ten seconds pass, the guard comes */
        STEP_RELEASE,  /* ONE may be enabled again */
        STEP_TOUCH,    /* somebody else writes a key */
        STEP_RECOVER,
        STEP_BOOT,
        _STEP_MAX,
} Step;

/* What was done to a step, for the counts. */
typedef enum Hit {
        HIT_NONE,  /* nothing: it ran to its end */
        HIT_KILL,  /* killed before a call that changes something */
        HIT_CUT,   /* the power went off, at rest or before such a call */
        HIT_TOUCH, /* somebody else wrote a key, before any call */
        _HIT_MAX,
} Hit;

/* Rows of the counts: one for each step, and two more. */
#define SITUATION_REST      ((unsigned) _STEP_MAX)
#define SITUATION_TAKE_BACK ((unsigned) _STEP_MAX + 1)
#define SITUATIONS          ((unsigned) _STEP_MAX + 2)

/* One call of the seam, or one allocation, that fails. */
typedef struct Fault {
        const char *name;
        SeamFaultKind kind;
        int error;      /* positive errno */
        bool of_keys;   /* only calls on sysctl files are counted */
        bool of_memory; /* allocations are counted instead of calls */
} Fault;

typedef struct RunOptions {
        uint64_t die_at, touch_at;
        const Fault *fault; /* NULL: none; with fault_at 0 its calls are only counted, in State.n_calls */
        uint64_t fault_at;
        bool for_ever; /* and at all calls behind it */
} RunOptions;

typedef struct State {
        SimDisk *disk;
        Phase phase;
        unsigned actions_left, crashes_left, touches_left;

        /* what users know */
        unsigned may; /* bits of Config: what may be committed */
        bool window;  /* a change may await its confirmation */
        unsigned window_boot;
        Config window_to;
        char token[64];               /* "" when no answer told one */
        bool foreign[STATE_KEYS];     /* somebody else's value stands there on top of ours */
        const char *base[STATE_KEYS]; /* what a key has when it is not ours */
        bool base_may_be_kernels; /* the power went off while nobody knew whether anything of ours was committed */
        bool base_is_open[STATE_KEYS]; /* a write came during a request: either may be the origin */

        /* the last thing that was done to it, which a violation is put down to */
        unsigned situation;
        Hit hit;

        /* of the last run */
        uint64_t n_changes, n_calls;
        bool touched;
        bool was_foreign; /* before it, the first key held somebody else's value on top of ours */
        bool key_was_gone; /* the engine was told that a key does not exist: it may have left it as it was */
        bool status_lags; /* the answer said that the public status could not be written */
        int exit_code;    /* -1: killed, or no answer */
        char fault[256];
        char history[512];
} State;

/* By the name that the programs' --plant= takes: commit-unflushed fragment-unflushed act-unflushed blind-write blind-restore
 * old-boot-id no-redo. */
bool plant_parse(const char *name, SimPlant *ret);

State *state_new(unsigned actions, unsigned crashes, SimPlant plant);
State *state_copy(const State *state);
void state_free(State *state);
bool state_allows(const State *state, Step step);
/* Which row of the counts a step belongs to when it begins in this state, and the row's name. */
unsigned state_situation(const State *state, Step step);
const char *situation_name(unsigned situation);
void state_run(State *state, Step step, RunOptions how);
/* The power goes off and comes back: way `i` of sim_disk_cut(), then systemd-sysctl. */
void state_cut(State *state, size_t i);
bool state_has_fragment(const State *state);
void state_judge(State *state);
Sha256 state_digest(const State *state);

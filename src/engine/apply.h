/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Writing live values so that they can be taken back: what a plan wants written, one item for each key, in order.
 *
 *         apply_init()       items from the plan and the open files
 *         apply_rehearse()   writes each before-image back; a kernel that refuses that now would refuse it at undo.
 *                            Where that changed the value and it cannot be put right, the culprit is STUCK
 *         apply_write()      per key: compare, write once, read back, compare typed
 *         apply_undo()       in reverse order, three-way
 *
 * A key that says EINVAL is tried once more after all others: two keys may bound each other (the lower end of the
 * port range and ip_unprivileged_port_start).
 *
 * Items of recovery come from the journal instead of a plan; they go through apply_undo() alike.
 */

#include "engine/live-set.h"
#include "model/plan.h"

typedef enum ApplyState {
        APPLY_WAITING,
        APPLY_WRITTEN,  /* holds the target */
        APPLY_UNDONE,   /* holds what was before */
        APPLY_FOREIGN,  /* at undo: somebody else changed it meanwhile; kept */
        APPLY_STUCK,    /* at undo: the kernel did not take the old value: attention */
        APPLY_VANISHED, /* at undo: the key is gone, nothing to restore */
} ApplyState;

typedef enum ApplyFault {
        APPLY_FAULT_NONE,
        APPLY_FAULT_READ_ONLY,     /* could not be opened for writing */
        APPLY_FAULT_REHEARSAL,     /* the old value could not be written back */
        APPLY_FAULT_FOREIGN_WRITE, /* changed between planning and writing */
        APPLY_FAULT_WRITE,
        APPLY_FAULT_READ_BACK, /* written, but another value stands there */
} ApplyFault;

typedef struct ApplyItem {
        const SysctlSpec *spec;
        LiveFile *file;   /* NULL: could not be opened */
        bool is_absent;   /* because the kernel has no such key */
        bool undo_failed; /* our own try to put it back: whatever stands there may be a half of it */
        SysctlValue before;
        SysctlValue target;
        ApplyState state;
        bool forced; /* at undo: back to `before`, whosever value stands there (restore-group.h) */
        bool has_after;
        SysctlValue after; /* read back last */
} ApplyItem;

typedef struct Apply {
        ApplyItem *items;
        size_t n_items;
        size_t *written; /* indices of items in the order they were written */
        size_t n_written;
        Arena *arena; /* borrowed */
        ApplyFault fault;
        const ApplyItem *culprit;
        int error; /* positive errno of the fault, or 0 */
} Apply;

enum {
        APPLY_E_FAULT = 1, /* fault, culprit and error say what */
};

NODISCARD int apply_init(const Plan *plan, LiveSet *live, Arena *arena, Apply *ret);
NODISCARD int apply_rehearse(Apply *apply);
NODISCARD int apply_write(Apply *apply);
/* Takes back what was written. Every item ends in a final state; 0 or -ENOMEM. */
NODISCARD int apply_undo(Apply *apply);

size_t apply_count(const Apply *apply, ApplyState state);
const char *apply_fault_name(ApplyFault fault); /* the cause in the journal's REVERT */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/apply.h"

#define APPLY_PASSES 2

int apply_init(const Plan *plan, LiveSet *live, Arena *arena, Apply *ret) {
        size_t n = plan_count_writes(plan);
        Apply apply = {
                .items = arena_alloc_array(arena, n + 1, sizeof(ApplyItem)),
                .written = arena_alloc_array(arena, n + 1, sizeof(size_t)),
                .arena = arena,
        };
        if (!apply.items || !apply.written)
                return -ENOMEM;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];
                if (!plan_step_writes(step) || !step->has_live) /* below --root nothing is live */
                        continue;
                apply.items[apply.n_items++] = (ApplyItem){
                        .spec = step->spec,
                        .file = live_set_find(live, step->spec),
                        .before = step->live,
                        .target = step->target,
                };
        }

        *ret = apply;
        return 0;
}

static int apply_fail(Apply *apply, ApplyFault fault, const ApplyItem *item, int r) {
        apply->fault = fault;
        apply->culprit = item;
        apply->error = r < 0 ? -r : 0;
        return r == -ENOMEM ? r : APPLY_E_FAULT;
}

/* Reads into `after`; -EBADMSG when it is no value of the key's type. */
static int apply_read(const Apply *apply, ApplyItem *item) {
        const char *text;
        int r = live_file_read(item->file, apply->arena, &item->after, &text);
        item->has_after = r >= 0;
        return r;
}

static bool apply_holds(const ApplyItem *item, const SysctlValue *value) {
        return item->has_after && sysctl_value_equal(&item->after, value);
}

/* The target, or what the kernel's rounding makes of it. */
static bool apply_has_target(const ApplyItem *item) {
        return item->has_after && sysctl_value_holds(item->spec, &item->target, &item->after);
}

/* A rehearsal that failed half way (a short write) may have changed the value: one more try, then it is stuck. Where the
 * rehearsal was written whole, and the kernel takes the value this time, what stood there between was somebody else's, and
 * stands there again. */
static int apply_mend(const Apply *apply, ApplyItem *item, bool is_whole) {
        int r = apply_read(apply, item);
        if (r == -ENOMEM || apply_holds(item, &item->before))
                return r == -ENOMEM ? r : 0;

        SysctlValue found = item->after;
        bool is_foreign = is_whole && item->has_after;
        r = live_file_write(item->file, &item->before, apply->arena);
        int read = apply_read(apply, item);
        if (r == -ENOMEM || read == -ENOMEM)
                return -ENOMEM;
        if (!apply_holds(item, &item->before))
                item->state = APPLY_STUCK;
        else if (is_foreign && live_file_write(item->file, &found, apply->arena) == -ENOMEM)
                return -ENOMEM;
        return 0;
}

static int apply_fail_rehearsal(Apply *apply, ApplyItem *item, int r) {
        int mended = apply_mend(apply, item, r >= 0);
        return mended < 0 ? mended : apply_fail(apply, APPLY_FAULT_REHEARSAL, item, r);
}

static int apply_rehearse_item(Apply *apply, ApplyItem *item) {
        if (!item->file)
                return apply_fail(apply, APPLY_FAULT_READ_ONLY, item, -ENOENT);

        /* Somebody may have changed it since the plan was made: that is not ours to write over. */
        int r = apply_read(apply, item);
        if (r < 0 || !apply_holds(item, &item->before))
                return apply_fail(apply, APPLY_FAULT_FOREIGN_WRITE, item, r);
        if (!item->spec->rehearsable)
                return 0;

        r = live_file_write(item->file, &item->before, apply->arena);
        if (r == -EBADF)
                return apply_fail(apply, APPLY_FAULT_READ_ONLY, item, -EACCES);
        if (r < 0)
                return apply_fail_rehearsal(apply, item, r);

        r = apply_read(apply, item);
        if (r < 0 || !apply_holds(item, &item->before))
                return apply_fail_rehearsal(apply, item, r);
        return 0;
}

int apply_rehearse(Apply *apply) {
        for (size_t i = 0; i < apply->n_items; i++) {
                int r = apply_rehearse_item(apply, &apply->items[i]);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* 0 written; -EAGAIN to be tried after the others; APPLY_E_FAULT; -ENOMEM. */
static int apply_write_item(Apply *apply, size_t i, bool last_pass) {
        ApplyItem *item = &apply->items[i];

        int r = apply_read(apply, item);
        if (r < 0 || !apply_holds(item, &item->before))
                return apply_fail(apply, APPLY_FAULT_FOREIGN_WRITE, item, r);

        r = live_file_write(item->file, &item->target, apply->arena);
        if (r == -EINVAL && !last_pass)
                return -EAGAIN;
        if (r == -ENOMEM)
                return r;

        /* Also after an error: a short write has set a part. */
        item->state = APPLY_WRITTEN;
        apply->written[apply->n_written++] = i;
        if (r < 0)
                return apply_fail(apply, APPLY_FAULT_WRITE, item, r);

        r = apply_read(apply, item);
        if (r < 0 || !apply_has_target(item))
                return apply_fail(apply, APPLY_FAULT_READ_BACK, item, r);
        return 0;
}

int apply_write(Apply *apply) {
        for (int pass = 1; pass <= APPLY_PASSES && apply->n_written < apply->n_items; pass++)
                for (size_t i = 0; i < apply->n_items; i++) {
                        if (apply->items[i].state != APPLY_WAITING)
                                continue;
                        int r = apply_write_item(apply, i, pass == APPLY_PASSES);
                        if (r != 0 && r != -EAGAIN)
                                return r;
                }
        return 0;
}

/* Three-way: back to `before` only where our own value still stands. -EAGAIN: try after the others. */
static int apply_undo_item(Apply *apply, ApplyItem *item, bool last_pass) {
        if (!item->file) {
                item->state = item->is_absent ? APPLY_VANISHED : APPLY_STUCK;
                return 0;
        }

        int r = apply_read(apply, item);
        if (r == -ENOMEM)
                return r;
        if (apply_holds(item, &item->before)) {
                item->state = APPLY_UNDONE;
                return 0;
        }
        /* What a failed or short write left is ours as well. */
        bool ours = apply_has_target(item) || item == apply->culprit || item->undo_failed ||
                    item->forced;
        if (!ours) {
                bool is_known = r >= 0 || r == -EBADMSG;
                if (!is_known && !last_pass)
                        return -EAGAIN;
                item->state = is_known ? APPLY_FOREIGN : APPLY_STUCK;
                return 0;
        }

        r = live_file_write(item->file, &item->before, apply->arena);
        if (r == -ENOMEM)
                return r;
        item->undo_failed = r < 0;
        if (r < 0 && !last_pass)
                return -EAGAIN;

        int read = apply_read(apply, item);
        item->state = r >= 0 && read >= 0 && apply_holds(item, &item->before) ? APPLY_UNDONE
                                                                              : APPLY_STUCK;
        return 0;
}

int apply_undo(Apply *apply) {
        for (int pass = 1; pass <= APPLY_PASSES; pass++)
                for (size_t k = apply->n_written; k > 0; k--) {
                        ApplyItem *item = &apply->items[apply->written[k - 1]];
                        if (item->state != APPLY_WRITTEN)
                                continue;
                        int r = apply_undo_item(apply, item, pass == APPLY_PASSES);
                        if (r < 0 && r != -EAGAIN)
                                return r;
                }
        return 0;
}

size_t apply_count(const Apply *apply, ApplyState state) {
        size_t n = 0;
        for (size_t i = 0; i < apply->n_items; i++)
                n += apply->items[i].state == state;
        return n;
}

const char *apply_fault_name(ApplyFault fault) {
        static const char *const names[] = {
                [APPLY_FAULT_NONE] = "none",
                [APPLY_FAULT_READ_ONLY] = "read-only",
                [APPLY_FAULT_REHEARSAL] = "rehearsal-failed",
                [APPLY_FAULT_FOREIGN_WRITE] = "foreign-write",
                [APPLY_FAULT_WRITE] = "write-failed",
                [APPLY_FAULT_READ_BACK] = "read-back-differs",
        };
        return names[fault];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/report.h"

static const ApplyItem *report_find_item(const Apply *apply, const SysctlSpec *spec) {
        for (size_t i = 0; apply && i < apply->n_items; i++)
                if (apply->items[i].spec == spec)
                        return &apply->items[i];
        return NULL;
}

static const char *report_written(const PlanStep *step, const ApplyItem *item) {
        switch (item->state) {
        case APPLY_WRITTEN:
                return step->action == PLAN_RESTORE ? "restored" : "set";
        case APPLY_UNDONE:
                return "undone";
        case APPLY_FOREIGN:
                return "left";
        case APPLY_STUCK:
                return "stuck";
        case APPLY_VANISHED:
                return "gone";
        case APPLY_WAITING:
                break;
        }
        return "untouched";
}

static const char *report_outcome(const PlanStep *step, const Apply *apply, const ApplyItem *item) {
        if (item)
                return report_written(step, item);

        switch (step->action) {
        case PLAN_SET:
        case PLAN_RESTORE:
                if (!apply)
                        return "planned";
                return step->has_live ? "untouched"
                                      : "pending"; /* below --root: with the next boot */
        case PLAN_KEEP:
                return "kept";
        case PLAN_RESTORED:
                return "restored";
        case PLAN_LEAVE:
                return "left";
        case PLAN_PENDING:
                return "pending";
        case PLAN_GONE:
                break;
        }
        return "gone";
}

static int report_change(
                Session *session, const PlanStep *step, const Apply *apply, EngineChange *ret) {
        const SysctlSpec *spec = step->spec;
        const ApplyItem *item = report_find_item(apply, spec);

        *ret = (EngineChange){
                .key = spec->key,
                .profile = step->profile ? arena_copy(session->arena, step->profile) : NULL,
                .outcome = report_outcome(step, apply, item),
                .origin = step->origin_known ? session_text(session, spec, &step->origin) : NULL,
                .before = step->has_live ? session_text(session, spec, &step->live) : NULL,
                .wanted = session_text(session, spec, &step->target),
        };
        if (item && item->has_after)
                ret->after = session_text(session, spec, &item->after);
        else
                ret->after = ret->before;

        bool complete = ret->wanted && (!step->profile || ret->profile) &&
                        (!step->origin_known || ret->origin) && (!step->has_live || ret->before);
        return complete ? 0 : -ENOMEM;
}

int report_changes(Session *session, const Plan *plan, const Apply *apply) {
        EngineChange *changes = arena_alloc_array(
                        session->arena, plan->n_steps + 1, sizeof(EngineChange));
        if (!changes)
                return -ENOMEM;

        for (size_t i = 0; i < plan->n_steps; i++) {
                int r = report_change(session, &plan->steps[i], apply, &changes[i]);
                if (r < 0)
                        return r;
        }

        session->result->changes = changes;
        session->result->n_changes = plan->n_steps;
        return 0;
}

int report_owner(Session *session, const Generation *generation, EngineChange *change) {
        const SysctlSpec *spec = catalogue_find(change->key);
        const GenerationKey *key = spec ? generation_find_key(generation, spec) : NULL;
        if (!key)
                return 0;

        change->profile = arena_copy(session->arena, key->profile);
        if (key->origin_known)
                change->origin = session_text(session, spec, &key->origin);
        return change->profile && (change->origin || !key->origin_known) ? 0 : -ENOMEM;
}

int report_audit_keys(Session *session, bool outcome, const AuditKey **ret, size_t *ret_n) {
        const EngineResult *result = session->result;
        AuditKey *keys = arena_alloc_array(session->arena, result->n_changes + 1, sizeof(AuditKey));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < result->n_changes; i++) {
                const EngineChange *change = &result->changes[i];
                keys[i] = (AuditKey){
                        .key = change->key,
                        .before = change->before,
                        .wanted = change->wanted,
                        .after = outcome ? change->after : NULL,
                        .outcome = outcome ? change->outcome : NULL,
                };
        }

        *ret = keys;
        *ret_n = result->n_changes;
        return 0;
}

int report_audit_profiles(
                Session *session, const Generation *generation, const char *const **ret,
                size_t *ret_n) {
        size_t n = generation ? generation->n_profiles : 0;
        const char **profiles = arena_alloc_array(session->arena, n + 1, sizeof(char *));
        if (!profiles)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                char hex[SHA256_HEX_SIZE];
                sha256_to_hex(&generation->profiles[i].digest, hex);
                profiles[i] = arena_format(
                                session->arena, "%s@%s", generation->profiles[i].name, hex);
                if (!profiles[i])
                        return -ENOMEM;
        }

        *ret = profiles;
        *ret_n = n;
        return 0;
}

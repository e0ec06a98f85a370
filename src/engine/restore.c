/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/restore.h"

#include "engine/restore-group.h"

void restore_close(Restore *restore) {
        live_set_close(&restore->live);
}

static int restore_compare_specs(const void *a, const void *b) {
        return strcmp((*(const SysctlSpec *const *) a)->key, (*(const SysctlSpec *const *) b)->key);
}

int restore_open(Session *session, const JournalKey *keys, size_t n, Restore *ret, Error *reterr) {
        Restore restore = {
                .session = session,
                .apply = {
                        .items = arena_alloc_array(session->arena, n + 1, sizeof(ApplyItem)),
                        .written = arena_alloc_array(session->arena, n + 1, sizeof(size_t)),
                        .arena = session->arena,
                },
        };
        const SysctlSpec **specs = arena_alloc_array(
                        session->arena, n + 1, sizeof(const SysctlSpec *));
        if (!specs || !restore.apply.items || !restore.apply.written)
                return error_set(reterr, -ENOMEM, "cannot take the values back");

        size_t n_specs = 0;
        for (size_t i = 0; i < n; i++) {
                const SysctlSpec *spec = catalogue_find(keys[i].key);
                if (spec)
                        specs[n_specs++] = spec;
        }
        qsort(specs, n_specs, sizeof(const SysctlSpec *), restore_compare_specs);

        int r = live_set_open(
                        &(SeamFd){ session->engine->seam, session->engine->root_fd }, specs,
                        n_specs, session->arena, &restore.live, reterr);
        if (r < 0)
                return r;
        *ret = restore;
        return 0;
}

int restore_add(Restore *restore, const char *key, const char *from, const char *to,
                Error *reterr) {
        Apply *apply = &restore->apply;
        const SysctlSpec *spec = catalogue_find(key);
        const LiveKey *live = spec ? live_find(&restore->live.snapshot, spec) : NULL;
        ApplyItem item = {
                .spec = spec,
                .file = spec ? live_set_find(&restore->live, spec) : NULL,
                .is_absent = live && live->state == LIVE_ABSENT,
                .state = APPLY_WRITTEN, /* perhaps: undo looks at the value itself */
        };
        int r = spec ? 0 : -ENOKEY;
        if (r >= 0)
                r = sysctl_value_from_kernel(spec, to, strlen(to), apply->arena, &item.before);
        if (r >= 0)
                r = sysctl_value_from_kernel(spec, from, strlen(from), apply->arena, &item.target);
        if (r < 0)
                return error_set(reterr, r, "cannot understand the journal's '%s'", key);

        apply->written[apply->n_written++] = apply->n_items;
        apply->items[apply->n_items++] = item;
        return 0;
}

static void restore_find(const Restore *restore, const ApplyItem *item, const AuditKey *told) {
        DiagList *findings = restore->session->result->findings;
        Diag *d = NULL;

        if (item->state == APPLY_STUCK)
                d = diag_add(findings, DIAG_STATE_UNKNOWN, (Span){ 0 },
                             "'%s' could not be put back to '%s'", told->key, told->wanted);
        else if (item->state == APPLY_FOREIGN && !restore->is_silent)
                d = diag_add(findings, DIAG_FOREIGN_VALUE_KEPT, (Span){ 0 },
                             "'%s' is left as it is: somebody else changed it from '%s'", told->key,
                             told->before);
        else if (item->forced)
                d = diag_add(findings, DIAG_UNSAFE_MIX_PREVENTED, (Span){ 0 },
                             "'%s' was put back to '%s' although somebody else had changed it: with the values of "
                             "the other keys it would not be safe",
                             told->key, told->wanted);
        if (d)
                diag_set_key(findings, d, told->key);
}

static const char *restore_word(const ApplyItem *item) {
        static const char *const words[] = {
                [APPLY_WAITING] = "untouched", [APPLY_WRITTEN] = "untouched",
                [APPLY_UNDONE] = "undone",     [APPLY_FOREIGN] = "left",
                [APPLY_STUCK] = "stuck",       [APPLY_VANISHED] = "gone",
        };
        return item->state == APPLY_UNDONE && item->forced ? "forced" : words[item->state];
}

static int restore_tell(Restore *restore) {
        Session *session = restore->session;
        const Apply *apply = &restore->apply;
        AuditKey *keys = arena_alloc_array(session->arena, apply->n_items + 1, sizeof(AuditKey));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < apply->n_items; i++) {
                const ApplyItem *item = &apply->items[i];
                const LiveKey *live = live_find(&restore->live.snapshot, item->spec);
                const SysctlValue *found = item->forced && live ? &live->value : &item->target;
                keys[i] = (AuditKey){
                        .key = item->spec->key,
                        .before = session_text(session, item->spec, found),
                        .wanted = session_text(session, item->spec, &item->before),
                        .after = item->has_after ? session_text(session, item->spec, &item->after)
                                                 : NULL,
                        .outcome = restore_word(item),
                };
                if (!keys[i].before || !keys[i].wanted)
                        return -ENOMEM;
                restore_find(restore, item, &keys[i]);
        }

        restore->keys = keys;
        restore->n_keys = apply->n_items;
        restore->n_stuck = apply_count(apply, APPLY_STUCK);
        restore->n_kept = apply_count(apply, APPLY_FOREIGN);
        return 0;
}

int restore_run(Restore *restore, Error *reterr) {
        restore_group_force(&restore->apply, &restore->live.snapshot);
        int r = apply_undo(&restore->apply);
        if (r >= 0)
                r = restore_tell(restore);
        return r < 0 ? error_set(reterr, r, "cannot take the values back") : 0;
}

int restore_undo(Session *session, const JournalKey *keys, size_t n, Restore *ret, Error *reterr) {
        CLEANUP(restore_close) Restore restore = { 0 };
        int r = restore_open(session, keys, n, &restore, reterr);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = restore_add(&restore, keys[i].key, keys[i].want, keys[i].before, reterr);
        if (r >= 0)
                r = restore_run(&restore, reterr);
        if (r < 0)
                return r;

        *ret = restore;
        restore.live = (LiveSet){ 0 };
        return 0;
}

int restore_report(const Restore *restore) {
        Session *session = restore->session;
        EngineChange *changes = arena_alloc_array(
                        session->arena, restore->n_keys + 1, sizeof(EngineChange));
        if (!changes)
                return -ENOMEM;

        for (size_t i = 0; i < restore->n_keys; i++) {
                const AuditKey *key = &restore->keys[i];
                changes[i] = (EngineChange){
                        .key = key->key,
                        .before = key->before,
                        .wanted = key->wanted,
                        .after = key->after,
                        .outcome = key->outcome,
                };
        }
        session->result->changes = changes;
        session->result->n_changes = restore->n_keys;
        return 0;
}

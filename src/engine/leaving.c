/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/leaving.h"

#include "engine/generation-store.h"

/* NULL when it is nowhere. */
static int leaving_find_old(Session *session, uint64_t number, Generation **ret, Error *reterr) {
        const JournalScan *scan = &session->journal.scan;
        for (size_t i = scan->n_frames; i-- > 0 && number > 0;) {
                if (scan->frames[i].type != JOURNAL_COMMIT)
                        continue;
                CLEANUP(generation_freep) Generation *generation = NULL;
                int r = journal_commit_decode(&scan->frames[i], &generation, reterr);
                if (r < 0)
                        return r;
                if (generation->number == number) {
                        *ret = TAKE_PTR(generation);
                        return 0;
                }
        }

        *ret = NULL;
        Error ignored = { 0 };
        int r = number == 0 ? 0
                            : generation_store_load(
                                              session->engine->seam, session->state.fd, number, ret,
                                              &ignored);
        return r == -ENOMEM ? error_set(reterr, r, "cannot read the generation before") : 0;
}

static const GenerationKey *leaving_find_key(const Generation *generation, const char *key) {
        const SysctlSpec *spec = catalogue_find(key);
        return generation && spec ? generation_find_key(generation, spec) : NULL;
}

static const JournalKey *leaving_find_row(const JournalKey *rows, size_t n, const char *key) {
        for (size_t i = 0; i < n; i++)
                if (streq(rows[i].key, key))
                        return &rows[i];
        return NULL;
}

/* What the change was to write. */
static int leaving_add_written(
                Session *session, const JournalPrepared *prepared, const Generation *old,
                JournalKey *rows, size_t *n) {
        for (size_t i = 0; i < prepared->n_keys; i++) {
                const JournalKey *key = &prepared->keys[i];
                if (leaving_find_key(session->current, key->key))
                        continue;
                JournalKey *row = &rows[(*n)++];
                *row = *key;
                const GenerationKey *was = leaving_find_key(old, key->key);
                if (was)
                        row->before = session_text(session, was->spec, &was->value);
                if (!row->before)
                        return -ENOMEM;
        }
        return 0;
}

/* What it left to somebody else, whose value went with the boot. */
static int leaving_add_left(Session *session, const Generation *old, JournalKey *rows, size_t *n) {
        for (size_t i = 0; old && i < old->n_keys; i++) {
                const GenerationKey *was = &old->keys[i];
                if (!was->origin_known || generation_find_key(session->current, was->spec) ||
                    leaving_find_row(rows, *n, was->spec->key))
                        continue;
                JournalKey *row = &rows[(*n)++];
                *row = (JournalKey){
                        .key = was->spec->key,
                        .before = session_text(session, was->spec, &was->value),
                        .want = session_text(session, was->spec, &was->origin),
                };
                if (!row->before || !row->want)
                        return -ENOMEM;
        }
        return 0;
}

int leaving_list(
                Session *session, const JournalPrepared *prepared, const JournalKey **ret,
                size_t *ret_n, Error *reterr) {
        CLEANUP(generation_freep) Generation *old = NULL;
        int r = leaving_find_old(session, prepared->from, &old, reterr);
        if (r < 0)
                return r;

        size_t n = 0, most = prepared->n_keys + (old ? old->n_keys : 0) + 1;
        JournalKey *rows = arena_alloc_array(session->arena, most, sizeof(JournalKey));
        r = rows ? leaving_add_written(session, prepared, old, rows, &n) : -ENOMEM;
        if (r >= 0)
                r = leaving_add_left(session, old, rows, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot list the keys that leave");
        *ret = rows;
        *ret_n = n;
        return 0;
}

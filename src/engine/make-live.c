/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/make-live.h"

#include "engine/live-set.h"
#include "engine/paths.h"
#include "system/winner.h"

typedef struct Maker {
        Session *session;
        MakeLive *make;
        LiveSet live;
        const WinnerFiles *files; /* of sysctl.d */
} Maker;

static void maker_deinit(Maker *maker) {
        live_set_close(&maker->live);
}

static int maker_open(Maker *maker, Error *reterr) {
        Session *session = maker->session;
        const Engine *engine = session->engine;
        const Generation *current = session->current;

        const SysctlSpec **specs = arena_alloc_array(
                        session->arena, current->n_keys + 1, sizeof(const SysctlSpec *));
        if (!specs)
                return error_set(reterr, -ENOMEM, "cannot compare the live values");
        for (size_t i = 0; i < current->n_keys; i++)
                specs[i] = current->keys[i].spec;

        int r = live_set_open(
                        &(SeamFd){ engine->seam, engine->root_fd }, specs, current->n_keys,
                        session->arena, &maker->live, reterr);
        if (r < 0)
                return r;
        return winner_files_read(
                        engine->seam, engine->root_fd, /* as_fragment= */ NULL, session->arena,
                        &maker->files, reterr);
}

static Diag *maker_add(Maker *maker, DiagId id, const GenerationKey *key, const char *what) {
        DiagList *findings = maker->session->result->findings;
        Diag *d = diag_add(findings, id, (Span){ 0 }, "'%s' %s", key->spec->key, what);
        diag_set_key(findings, d, key->spec->key);
        diag_set_profile(findings, d, key->profile);
        return d;
}

/* Whether another file asks for another value and wins over ours. When our fragment is not there as it should be, an
 * earlier file may win, which the repair of the fragment settles. */
static bool maker_is_overridden(Maker *maker, const GenerationKey *key) {
        DiagList *findings = maker->session->result->findings;
        if (key->adopted)
                return false;

        Winner winner;
        winner_find(maker->files, WINNER_SYSTEMD, key->spec->path, &winner);
        const char *name = winner.path ? strrchr(winner.path, '/') : NULL;
        if (!winner.path || (name && strcmp(name + 1, ENGINE_FRAGMENT) <= 0))
                return false;

        SysctlValue value;
        int r = sysctl_value_from_written(
                        key->spec, winner.value, strlen(winner.value), maker->session->arena,
                        &value);
        if (r >= 0 && sysctl_value_equal(&value, &key->value))
                return false;

        Diag *d = maker_add(maker, DIAG_OTHER_FILE_WINS, key, "is set by a later file, which wins");
        diag_add_note(findings, d, "%s:%u: %s", winner.path, winner.line, winner.value);
        diag_set_help(findings, d, "remove that line, or disable the profile");
        return true;
}

static void maker_fail(Maker *maker, const GenerationKey *key, AuditKey *told, int r) {
        DiagList *findings = maker->session->result->findings;
        Diag *d = maker_add(maker, DIAG_STATE_UNKNOWN, key, "could not be set");
        diag_add_note(findings, d, "the kernel said: %s", strerror(r < 0 ? -r : EIO));
        told->outcome = "failed";
        told->error = -r;
}

static int maker_write(Maker *maker, const GenerationKey *key, AuditKey *told) {
        Session *session = maker->session;
        LiveFile *file = live_set_find(&maker->live, key->spec);
        SysctlValue after;
        const char *text;

        int r = live_file_write(file, &key->value, session->arena);
        if (r >= 0)
                r = live_file_read(file, session->arena, &after, &text);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !sysctl_value_holds(key->spec, &key->value, &after)) {
                maker_fail(maker, key, told, r);
                return 0;
        }

        told->after = session_text(session, key->spec, &after);
        told->outcome = "set";
        maker->make->n_written++;
        return 0;
}

static int maker_treat(Maker *maker, const GenerationKey *key, AuditKey *told) {
        Session *session = maker->session;
        const LiveKey *live = live_find(&maker->live.snapshot, key->spec);

        *told = (AuditKey){
                .key = key->spec->key,
                .wanted = session_text(session, key->spec, &key->value),
        };
        if (live->state == LIVE_ABSENT) {
                (void) maker_add(maker, DIAG_KEY_PENDING, key, "is not in the kernel yet");
                told->outcome = "pending";
                return 0;
        }
        if (live->state != LIVE_PRESENT) {
                maker_fail(maker, key, told, -live->error);
                return 0;
        }

        told->before = told->after = session_text(session, key->spec, &live->value);
        told->outcome = "kept";
        if (sysctl_value_holds(key->spec, &key->value, &live->value))
                return 0;

        maker->make->n_differing++;
        told->outcome = "left";
        if (maker_is_overridden(maker, key))
                return 0;
        if (!maker->make->write) {
                (void) maker_add(
                                maker, DIAG_FOREIGN_VALUE_KEPT, key,
                                "was changed by somebody else and is left");
                return 0;
        }
        return maker_write(maker, key, told);
}

int make_live_run(Session *session, MakeLive *make, Error *reterr) {
        const Generation *current = session->current;
        CLEANUP(maker_deinit) Maker maker = { .session = session, .make = make };

        int r = maker_open(&maker, reterr);
        if (r < 0)
                return r;

        AuditKey *keys = arena_alloc_array(session->arena, current->n_keys + 1, sizeof(AuditKey));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot compare the live values");
        for (size_t i = 0; i < current->n_keys; i++) {
                r = maker_treat(&maker, &current->keys[i], &keys[i]);
                if (r < 0)
                        return error_set(reterr, r, "cannot set '%s'", current->keys[i].spec->key);
        }

        make->keys = keys;
        make->n_keys = current->n_keys;
        return 0;
}

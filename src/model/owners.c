/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/owners.h"

#define ADOPTED_MAX 480U /* of a file's name and of a value in the record */

typedef struct Checker {
        Plan *plan;
        unsigned adopt;
        DiagList *findings;
        Arena *arena;        /* of the next generation */
        GenerationKey *keys; /* its own, to be marked */
        bool refused;
        bool told_bpftune;
} Checker;

int owner_differs(
                const Owner *owner, const SysctlSpec *spec, const SysctlValue *value, Arena *arena,
                bool *ret) {
        *ret = true;
        if (!owner->value)
                return 0;
        SysctlValue theirs;
        int r = sysctl_value_from_written(spec, owner->value, strlen(owner->value), arena, &theirs);
        if (r == -ENOMEM)
                return r;
        *ret = r < 0 || !sysctl_value_equal(&theirs, value);
        return 0;
}

const char *owner_describe(const Owner *owner, Arena *arena) {
        const char *place = owner->line > 0 ? arena_format(arena, "%s:%u", owner->path, owner->line)
                                            : owner->path;
        if (!place || !owner->name)
                return place;
        return arena_format(arena, "the TuneD profile '%s' (%s)", owner->name, place);
}

static const char *value_of(const Owner *owner) {
        return owner->value ? owner->value : "a value that only it knows";
}

static Diag *add(Checker *c, DiagId id, const GenerationKey *key, const char *message) {
        Diag *d = diag_add(c->findings, id, (Span){}, "%s", message);
        diag_set_key(c->findings, d, key->spec->key);
        diag_set_profile(c->findings, d, key->profile);
        return d;
}

static const char *wanted_text(Checker *c, const GenerationKey *key) {
        char *text = arena_copy(c->arena, sysctl_value_to_kernel(key->spec, &key->value, c->arena));
        for (char *p = text; p && *p; p++)
                if (*p == '\t')
                        *p = ' ';
        return text ? text : "?";
}

static void note_when(Checker *c, Diag *d, const Owner *owner) {
        if (owner->kind == OWNER_TUNED)
                diag_add_note(c->findings, d,
                              "TuneD sets it whenever it starts or switches its profile, and with reapply_sysctl=0 "
                              "not the files of sysctl.d again");
        else if (owner->glob)
                diag_add_note(c->findings, d,
                              "by a pattern, which systemd-sysctl applies after all lines that name a key");
        else
                diag_add_note(c->findings, d,
                              "systemd-sysctl reads it later than 60-twprofile.conf, so it wins at boot");
}

static void help_with(Checker *c, Diag *d, const Owner *owner) {
        if (owner->kind == OWNER_TUNED)
                diag_set_help(c->findings, d,
                              "take the key out of that profile or set reapply_sysctl=1 in /etc/tuned/tuned-main.conf; "
                              "--adopt=owner with --reason=… lets the profile win now");
        else
                diag_set_help(c->findings, d,
                              "remove it there; or --adopt=owner with --reason=… lets the profile win, now and at boot");
}

static int adopt(Checker *c, GenerationKey *key, const Owner *owner, const char *who) {
        const char *record = arena_format(
                        c->arena, "%.*s: %.*s", (int) ADOPTED_MAX, who, (int) ADOPTED_MAX,
                        value_of(owner));
        const char *message = arena_format(
                        c->arena, "'%s' becomes %s, and wins over the %s of %s", key->spec->key,
                        wanted_text(c, key), value_of(owner), who);
        if (!record || !message)
                return -ENOMEM;
        if (!key->adopted || (c->adopt & PLAN_ADOPT_OWNER))
                key->adopted = record;

        Diag *d = add(c, DIAG_OWNER_ADOPTED, key, message);
        if (owner->kind == OWNER_TUNED)
                diag_add_note(c->findings, d,
                              "until TuneD starts again or switches its profile, at boot too: it writes later than twprofile-boot.service");
        else
                diag_add_note(c->findings, d,
                              "that file stays as it is: at boot, twprofile-boot.service writes ours after it");
        return 0;
}

static int judge_winner(Checker *c, GenerationKey *key, const Owner *owner, const char *who) {
        if (key->adopted || (c->adopt & PLAN_ADOPT_OWNER))
                return adopt(c, key, owner, who);

        bool enable = c->plan->verb == PLAN_ENABLE;
        const char *message = arena_format(
                        c->arena, "%s sets '%s' to %s, and profile '%s' wants %s", who,
                        key->spec->key, value_of(owner), key->profile, wanted_text(c, key));
        if (!message)
                return -ENOMEM;
        Diag *d = add(c, enable ? DIAG_OTHER_OWNER : DIAG_BOOT_WINNER_DIFFERS, key, message);
        note_when(c, d, owner);
        help_with(c, d, owner);
        c->refused |= enable;
        return 0;
}

static int warn(Checker *c, const GenerationKey *key, const Owner *owner, const char *who) {
        bool tuned = owner->kind == OWNER_TUNED_REAPPLIED;
        const char *message = arena_format(
                        c->arena, "%s sets '%s' to %s, and %s", who, key->spec->key,
                        value_of(owner),
                        tuned ? "'tuned-adm verify' will say that it differs"
                              : "'sysctl --system' would leave that");
        if (!message)
                return -ENOMEM;
        Diag *d = add(c, tuned ? DIAG_TUNED_VERIFY_DIFFERS : DIAG_PROCPS_ORDER_DIFFERS, key,
                      message);
        diag_set_help(c->findings, d,
                      tuned ? "take the key out of the TuneD profile, or out of ours"
                            : "remove that line: systemd-sysctl does not read it at boot");
        return 0;
}

static void tell_bpftune(Checker *c, const GenerationKey *key, const Owner *owner) {
        if (c->told_bpftune)
                return;
        c->told_bpftune = true;
        Diag *d = diag_add(
                        c->findings, DIAG_BPFTUNE_RUNS, (Span){},
                        "%s runs, and may change '%s' and other keys by itself", owner->path,
                        key->spec->key);
        diag_set_help(c->findings, d, "decide for one of the two: systemctl disable --now bpftune");
}

static int judge(Checker *c, GenerationKey *key, const Owner *owner) {
        if (owner->kind == OWNER_BPFTUNE) {
                tell_bpftune(c, key, owner);
                return 0;
        }
        bool differs;
        int r = owner_differs(owner, key->spec, &key->value, c->arena, &differs);
        const char *who = r < 0 ? NULL : owner_describe(owner, c->arena);
        if (!who)
                return -ENOMEM;
        if (differs)
                return owner->kind == OWNER_LATER_FILE || owner->kind == OWNER_TUNED
                                       ? judge_winner(c, key, owner, who)
                                       : warn(c, key, owner, who);
        if (owner->kind != OWNER_LATER_FILE)
                return 0;
        const char *message = arena_format(
                        c->arena, "%s sets '%s' to the same value", who, key->spec->key);
        if (!message)
                return -ENOMEM;
        (void) add(c, DIAG_OWNER_AGREES, key, message);
        return 0;
}

static GenerationKey *find_key(const Checker *c, const SysctlSpec *spec) {
        const GenerationKey *found = generation_find_key(c->plan->next, spec);
        return found ? &c->keys[found - c->plan->next->keys] : NULL;
}

void owners_report_flaws(const Owners *owners, DiagList *findings) {
        for (size_t i = 0; i < owners->n_flaws; i++) {
                const OwnersFlaw *flaw = &owners->flaws[i];
                Diag *d;
                if (flaw->error != 0)
                        d = diag_add(findings, DIAG_SYSCTL_FILES_DOUBTFUL, (Span){},
                                     "cannot read '%s': %s", flaw->path, strerror(flaw->error));
                else
                        d = diag_add(findings, DIAG_SYSCTL_FILES_DOUBTFUL, (Span){},
                                     "%s:%u is not read in the same way by all programs",
                                     flaw->path, flaw->line);
                diag_add_note(findings, d, "what it sets may win over a profile unseen");
        }
}

int owners_check(
                Plan *plan, unsigned adopt_what, const Owners *owners, DiagList *findings,
                Error *reterr) {
        Generation *next = plan->next;
        Checker c = {
                .plan = plan,
                .adopt = adopt_what,
                .findings = findings,
                .arena = next->arena,
                .keys = arena_alloc_array(next->arena, next->n_keys + 1, sizeof(GenerationKey)),
        };
        if (!c.keys)
                return error_set(reterr, -ENOMEM, "cannot tell who else sets the keys");
        if (next->n_keys > 0)
                memcpy(c.keys, next->keys, next->n_keys * sizeof(GenerationKey));

        bool marked = false;
        for (size_t i = 0; i < owners->n_rows; i++) {
                GenerationKey *key = find_key(&c, owners->rows[i].spec);
                if (!key)
                        continue;
                const char *before = key->adopted;
                if (judge(&c, key, &owners->rows[i]) < 0)
                        return error_set(reterr, -ENOMEM, "cannot tell who else sets the keys");
                marked |= !streq_null(before, key->adopted);
        }
        owners_report_flaws(owners, findings);

        next->keys = c.keys;
        if (marked)
                plan->is_noop = false;
        return c.refused ? PLAN_E_REFUSED : 0;
}

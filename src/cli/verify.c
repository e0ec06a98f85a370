/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "cli/host.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "model/owners.h"
#include "system/boot-unit.h"
#include "system/writers.h"

#define FRAGMENT_PATH "/etc/sysctl.d/" SYSCTL_OWN_FRAGMENT

typedef enum KeyState {
        KEY_OK,
        KEY_DIFFERS,
        KEY_PENDING, /* the kernel has no such key now */
        KEY_UNKNOWN, /* cannot be read, or only files were looked at */
} KeyState;

static const char *const key_state_names[] = {
        [KEY_OK] = "ok",
        [KEY_DIFFERS] = "differs",
        [KEY_PENDING] = "pending",
        [KEY_UNKNOWN] = "unknown",
};

static const char *const host_state_names[] = {
        [HOST_STATUS_NONE] = "none",
        [HOST_STATUS_CURRENT] = "current",
        [HOST_STATUS_OTHER_BOOT] = "other-boot",
        [HOST_STATUS_OTHER_NETNS] = "other-netns",
};

typedef enum FileState {
        FILE_OK,
        FILE_EDITED,
        FILE_MISSING,
        FILE_UNEXPECTED, /* a fragment, though nothing is enabled */
        FILE_UNREADABLE,
} FileState;

static const char *const file_state_names[] = {
        [FILE_OK] = "ok",
        [FILE_EDITED] = "edited",
        [FILE_MISSING] = "missing",
        [FILE_UNEXPECTED] = "unexpected",
        [FILE_UNREADABLE] = "unreadable",
};

typedef struct VerifyKey {
        const GenerationKey *key;
        const char *wanted, *live; /* kernel's spelling; NULL unknown */
        KeyState state;
        const char *writer; /* who set the live value, where it differs */
        const char *boot, *boot_by;
        KeyState boot_state;
        const char *procps, *procps_by; /* what `sysctl --system` would leave */
} VerifyKey;

typedef struct Verify {
        Context *context;
        const Host *host;
        const Generation *generation; /* NULL: nothing is enabled */
        LiveSnapshot live;
        Owners owners;
        const WinnerFiles *files;
        VerifyKey *keys;
        FileState fragment;
        BootUnitState unit;
        size_t n_differ, n_pending, n_unknown;
        bool boot_differs;
} Verify;

static Diag *add(Verify *v, DiagId id, const GenerationKey *key, const char *message) {
        DiagList *findings = v->context->findings;
        Diag *d = diag_add(findings, id, (Span){}, "%s", message ? message : "out of memory");
        if (key) {
                diag_set_key(findings, d, key->spec->key);
                diag_set_profile(findings, d, key->profile);
        }
        return d;
}

/* --- a key now ------------------------------------------------------------------------------------------ */

static int tell_writer(Verify *v, VerifyKey *row, const LiveKey *live) {
        Arena *arena = v->context->arena;
        row->writer = "unknown writer";
        for (size_t i = 0; live->state == LIVE_PRESENT && i < v->owners.n_rows; i++) {
                const Owner *owner = &v->owners.rows[i];
                bool differs = true;
                if (owner->spec != row->key->spec || !owner->value)
                        continue;
                if (owner_differs(owner, owner->spec, &live->value, arena, &differs) < 0)
                        return -ENOMEM;
                if (differs)
                        continue;
                row->writer = owner_describe(owner, arena);
                return row->writer ? 0 : -ENOMEM;
        }
        return 0;
}

static int judge_live(Verify *v, VerifyKey *row, const LiveKey *live) {
        Arena *arena = v->context->arena;
        const char *name = row->key->spec->key;
        switch (live->state) {
        case LIVE_ASSUMED:
                row->state = KEY_UNKNOWN;
                return 0;
        case LIVE_ABSENT:
                row->state = v->host->files_only ? KEY_UNKNOWN : KEY_PENDING;
                return 0;
        case LIVE_UNREADABLE:
                row->state = KEY_UNKNOWN;
                (void) add(v, DIAG_NOT_VERIFIED, row->key,
                           arena_format(arena, "cannot read '%s': %s", name,
                                        strerror(live->error)));
                return 0;
        case LIVE_PRESENT:
        case LIVE_STRANGE:
                break;
        }
        if (live->state == LIVE_PRESENT && sysctl_value_equal(&live->value, &row->key->value))
                return 0;
        row->state = KEY_DIFFERS;
        if (tell_writer(v, row, live) < 0)
                return -ENOMEM;
        Diag *d = add(v, DIAG_KEY_DIFFERS, row->key,
                      arena_format(arena, "'%s' is %s, and profile '%s' wants %s: set by %s", name,
                                   outcome_value_for_people(row->live, arena), row->key->profile,
                                   outcome_value_for_people(row->wanted, arena), row->writer));
        diag_set_help(v->context->findings, d,
                      "twprofile enable with --adopt=drift and --reason=… sets it again");
        return 0;
}

static void judge_pending(Verify *v, const VerifyKey *row) {
        const SysctlSpec *spec = row->key->spec;
        Arena *arena = v->context->arena;
        (void) add(v, DIAG_KEY_PENDING, row->key,
                   spec->module ? arena_format(arena,
                                               "'%s' waits for the kernel module '%s', which is not loaded",
                                               spec->key, spec->module)
                                : arena_format(arena, "'%s' is not in this kernel", spec->key));
}

/* --- a key at boot -------------------------------------------------------------------------------------- */

static int predict(
                Verify *v, const VerifyKey *row, WinnerTool tool, WinnerPrediction *prediction,
                const char **ret, const char **ret_by) {
        Arena *arena = v->context->arena;
        const SysctlSpec *spec = row->key->spec;
        int r = winner_predict(v->files, tool, spec, arena, prediction);
        if (r < 0)
                return r;
        *ret = *ret_by = NULL;
        if (prediction->by.path)
                *ret_by = prediction->by.line > 0
                                          ? arena_format(arena, "%s:%u", prediction->by.path,
                                                         prediction->by.line)
                                          : prediction->by.path;
        if (prediction->effect == WINNER_EFFECT_SET)
                *ret = sysctl_value_to_kernel(spec, &prediction->value, arena);
        bool failed = (prediction->by.path && !*ret_by) ||
                      (prediction->effect == WINNER_EFFECT_SET && !*ret);
        return failed ? -ENOMEM : 0;
}

/* As the boot unit judges it: what is read before ours, it writes over. */
static bool is_later(const Winner *by) {
        const char *name = by->path ? strrchr(by->path, '/') : NULL;
        return by->path && (!name || strcmp(name + 1, SYSCTL_OWN_FRAGMENT) > 0);
}

static int judge_boot(Verify *v, VerifyKey *row) {
        WinnerPrediction systemd, procps;
        int r = predict(v, row, WINNER_SYSTEMD, &systemd, &row->boot, &row->boot_by);
        if (r == 0)
                r = predict(v, row, WINNER_PROCPS, &procps, &row->procps, &row->procps_by);
        if (r < 0)
                return r;
        bool equal = systemd.effect == WINNER_EFFECT_SET &&
                     sysctl_value_equal(&systemd.value, &row->key->value);
        bool by_unit = v->unit == BOOT_UNIT_ENABLED &&
                       (row->key->adopted || !is_later(&systemd.by));
        if (!equal && by_unit) {
                row->boot = row->wanted;
                row->boot_by = BOOT_UNIT;
        } else if (!equal) {
                row->boot_state = systemd.effect == WINNER_EFFECT_UNKNOWN ? KEY_UNKNOWN
                                                                          : KEY_DIFFERS;
                v->boot_differs = true;
                Arena *arena = v->context->arena;
                Diag *d = add(v, DIAG_BOOT_DIFFERS, row->key,
                              row->boot_by ? arena_format(arena,
                                                          "%s sets '%s' to %s at boot, and profile '%s' wants %s",
                                                          row->boot_by, row->key->spec->key,
                                                          row->boot ? outcome_value_for_people(
                                                                                      row->boot,
                                                                                      arena)
                                                                    : "something else",
                                                          row->key->profile,
                                                          outcome_value_for_people(
                                                                          row->wanted, arena))
                                           : arena_format(arena, "nothing sets '%s' at boot",
                                                          row->key->spec->key));
                if (is_later(&systemd.by))
                        diag_set_help(v->context->findings, d,
                                      "remove it there; or twprofile enable %s --adopt=owner --reason=…",
                                      row->key->profile);
        }
        return 0;
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static int look_at_key(Verify *v, const GenerationKey *key, VerifyKey *row) {
        Arena *arena = v->context->arena;
        const LiveKey *live = live_find(&v->live, key->spec);
        *row = (VerifyKey){
                .key = key,
                .wanted = sysctl_value_to_kernel(key->spec, &key->value, arena),
                .live = live->state == LIVE_PRESENT
                                        ? sysctl_value_to_kernel(key->spec, &live->value, arena)
                                        : live->text,
        };
        if (!row->wanted)
                return -ENOMEM;
        int r = judge_live(v, row, live);
        if (r == 0)
                r = judge_boot(v, row);
        if (row->state == KEY_PENDING)
                judge_pending(v, row);
        v->n_differ += row->state == KEY_DIFFERS;
        v->n_pending += row->state == KEY_PENDING;
        v->n_unknown += row->state == KEY_UNKNOWN;
        return r;
}

static int look_at_keys(Verify *v) {
        Context *context = v->context;
        const Generation *g = v->generation;
        const SysctlSpec **specs = arena_alloc_array(
                        context->arena, g->n_keys + 1, sizeof(const SysctlSpec *));
        v->keys = arena_alloc_array(context->arena, g->n_keys + 1, sizeof(VerifyKey));
        if (!specs || !v->keys)
                return error_set(&context->error, -ENOMEM, "cannot compare the values");
        for (size_t i = 0; i < g->n_keys; i++)
                specs[i] = g->keys[i].spec;

        int r = host_read_live(
                        v->host, specs, g->n_keys, context->arena, &v->live, &context->error);
        if (r < 0)
                return r;
        const WritersRequest request = {
                .seam = v->host->seam,
                .root_fd = v->host->root_fd,
                .files_only = v->host->files_only,
                .specs = specs,
                .n_specs = g->n_keys,
        };
        r = writers_find(&request, context->arena, &v->owners, &v->files, &context->error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < g->n_keys; i++)
                if (look_at_key(v, &g->keys[i], &v->keys[i]) < 0)
                        return error_set(&context->error, -ENOMEM, "cannot compare the values");
        owners_report_flaws(&v->owners, context->findings);
        return 0;
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void look_at_fragment(Verify *v) {
        const Generation *g = v->generation;
        PlanFragment found;
        Error error = { 0 };
        int r = host_read_fragment(v->host, &found, &error);
        bool wanted = g && g->has_fragment;
        if (r < 0) {
                v->fragment = FILE_UNREADABLE;
                (void) add(v, DIAG_NOT_VERIFIED, NULL,
                           arena_format(v->context->arena, "cannot read '" FRAGMENT_PATH "': %s",
                                        strerror(-r)));
                return;
        }
        if (found.exists && wanted)
                v->fragment = sha256_equal(&found.digest, &g->fragment) ? FILE_OK : FILE_EDITED;
        else if (found.exists != wanted)
                v->fragment = wanted ? FILE_MISSING : FILE_UNEXPECTED;
        /* Of what another namespace's helper wrote nothing is known here. */
        if (v->fragment == FILE_OK || v->host->status_state == HOST_STATUS_OTHER_NETNS)
                return;
        v->boot_differs = true;
        (void) add(v, DIAG_BOOT_DIFFERS, NULL,
                   v->fragment == FILE_EDITED    ? FRAGMENT_PATH " is not what twprofile wrote"
                   : v->fragment == FILE_MISSING ? FRAGMENT_PATH " is missing"
                                                 : FRAGMENT_PATH
                                   " is there, though no profile is known to be enabled");
}

static void look_at_unit(Verify *v) {
        const Host *host = v->host;
        v->unit = boot_unit_find(host->seam, host->root_fd, host->files_only);
        if (!v->generation || v->generation->n_profiles == 0 || v->unit == BOOT_UNIT_ENABLED ||
            v->unit == BOOT_UNIT_NO_SYSTEMD)
                return;
        v->boot_differs = true;
        Diag *d = add(v, DIAG_BOOT_DIFFERS, NULL,
                      v->unit == BOOT_UNIT_MASKED ? BOOT_UNIT
                                      " is masked, so nothing checks the values after a boot"
                                                  : BOOT_UNIT
                                      " is not enabled, so nothing checks the values after a boot");
        diag_set_help(v->context->findings, d, "run: systemctl %s " BOOT_UNIT,
                      v->unit == BOOT_UNIT_MASKED ? "unmask" : "enable");
}

static void look_at_state(Verify *v) {
        const Host *host = v->host;
        if (host->status_state == HOST_STATUS_OTHER_BOOT)
                (void) add(v, DIAG_STATE_ELSEWHERE, NULL,
                           "the public status is from before the last boot: " BOOT_UNIT
                           " has not run");
        if (host->status_state == HOST_STATUS_OTHER_NETNS)
                (void) add(v, DIAG_STATE_ELSEWHERE, NULL,
                           arena_format(v->context->arena,
                                        "the public status belongs to network namespace %" PRIu64
                                        ", and this is %" PRIu64 ": nothing was compared",
                                        host->status.instance.netns_inode,
                                        host->instance.netns_inode));
        if (!v->generation)
                return;
        if (host->status.attention)
                (void) add(v, DIAG_STATE_UNKNOWN, NULL, "the state needs attention");
        if (host->status.undecided_tx)
                (void) add(v, DIAG_NOT_VERIFIED, NULL,
                           arena_format(v->context->arena,
                                        "change %s is not decided: values are compared with what is committed",
                                        host->status.undecided_tx));
}

/* --- what is said --------------------------------------------------------------------------------------- */

static json_t *key_to_json(const VerifyKey *row) {
        return json_pack(
                        "{s:s, s:s, s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s, s:s?, s:s?, s:s?}",
                        "key", row->key->spec->key, "profile", row->key->profile, "wanted",
                        row->wanted, "live", row->live, "state", key_state_names[row->state],
                        "writer", row->writer, "boot", row->boot, "boot_by", row->boot_by,
                        "boot_state", key_state_names[row->boot_state], "procps", row->procps,
                        "procps_by", row->procps_by, "adopted", row->key->adopted);
}

static json_t *to_json(const Verify *v) {
        size_t n = v->generation ? v->generation->n_keys : 0;
        json_t *keys = json_array();
        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(keys, key_to_json(&v->keys[i]));
        return json_pack(
                        "{s:s, s:I, s:s, s:s, s:b, s:{s:I, s:I, s:I, s:I}, s:o}", "state",
                        host_state_names[v->host->status_state], "generation",
                        (json_int_t) (v->generation ? v->generation->number : 0), "fragment",
                        file_state_names[v->fragment], "boot_unit", boot_unit_state_name(v->unit),
                        "boot_differs", v->boot_differs, "counts", "keys", (json_int_t) n, "differ",
                        (json_int_t) v->n_differ, "pending", (json_int_t) v->n_pending, "unknown",
                        (json_int_t) v->n_unknown, "keys", keys);
}

static int add_table(Verify *v) {
        Context *context = v->context;
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        static const char *const titles[] = { "KEY", "WANTED", "LIVE", "AT BOOT", "STATE" };
        for (size_t i = 0; i < ELEMENTSOF(titles); i++)
                table_add_column(table, titles[i], 0);
        for (size_t i = 0; i < v->generation->n_keys; i++) {
                const VerifyKey *row = &v->keys[i];
                if (row->state == KEY_OK && row->boot_state == KEY_OK)
                        continue;
                const char *const cells[] = {
                        row->key->spec->key,
                        outcome_value_for_people(row->wanted, context->arena),
                        outcome_value_for_people(row->live, context->arena),
                        outcome_value_for_people(row->boot, context->arena),
                        key_state_names[row->state == KEY_OK ? row->boot_state : row->state],
                };
                table_add_row(table, cells);
        }
        r = table_render(table, &context->text, &context->error);
        strbuf_add_char(&context->text, '\n');
        return r;
}

static int render(Verify *v) {
        StrBuf *out = &v->context->text;
        const Generation *g = v->generation;
        if (!g || g->n_profiles == 0) {
                strbuf_add(out,
                           v->host->status_state == HOST_STATUS_OTHER_NETNS
                                           ? "Nothing is known to be enabled in this network namespace.\n"
                                           : "Nothing is enabled.\n");
                return 0;
        }
        bool shows_rows = false;
        for (size_t i = 0; i < g->n_keys; i++)
                shows_rows |= v->keys[i].state != KEY_OK || v->keys[i].boot_state != KEY_OK;
        int r = shows_rows && !v->host->files_only ? add_table(v) : 0;
        if (v->host->files_only)
                strbuf_addf(out, "Generation %" PRIu64 ", %zu keys: only files were compared.\n",
                            g->number, g->n_keys);
        else if (v->n_differ + v->n_pending + v->n_unknown == 0)
                strbuf_addf(out, "All %zu keys of generation %" PRIu64 " are live as wanted.\n",
                            g->n_keys, g->number);
        else
                strbuf_addf(out,
                            "Of %zu keys of generation %" PRIu64
                            ", %zu differ, %zu are pending, %zu could not be read.\n",
                            g->n_keys, g->number, v->n_differ, v->n_pending, v->n_unknown);
        strbuf_add(out, v->boot_differs ? "The next boot would not lead to what is wanted.\n"
                                        : "The next boot leads to the same.\n");
        return r;
}

/* -------------------------------------------------------------------------------------------------------- */

static int verdict(const Verify *v) {
        int code = context_finish(v->context);
        if (code != EXIT_OK && code != EXIT_PARTLY)
                return code;
        bool elsewhere = v->host->status_state == HOST_STATUS_OTHER_BOOT ||
                         v->host->status_state == HOST_STATUS_OTHER_NETNS;
        return v->n_differ > 0 || v->boot_differs || elsewhere ? EXIT_DIFFERS : code;
}

/* *ret_again: it may only be somebody's change that is not through yet, and there is news of one. */
static int verify_host(Context *context, const Host *host, bool *ret_again) {
        Verify v = { .context = context, .host = host, .generation = host_generation(host) };
        look_at_state(&v);
        look_at_fragment(&v);
        look_at_unit(&v);
        int r = v.generation ? look_at_keys(&v) : 0;
        if (r < 0)
                return r;
        bool drifted = v.n_differ > 0 && !host_awaits_confirmation(host);
        *ret_again = (drifted || v.boot_differs) && host_has_news(host);
        r = context_is_json(context) ? context_take_result(context, to_json(&v)) : render(&v);
        return r < 0 ? r : verdict(&v);
}

static int verify_run(Context *context) {
        for (int looks = 1;; looks++) {
                CLEANUP(host_close) Host host = HOST_EMPTY;
                int r = host_open(&host, context, &context->error);
                if (r < 0)
                        return r;
                bool again = false;
                int code = verify_host(context, &host, &again);
                if (!again || code < 0 || looks == HOST_LOOKS)
                        return code;
                r = context_begin_again(context);
                if (r < 0)
                        return r;
        }
}

const Command cmd_verify = {
        .name = "verify",
        .args = "",
        .help = "Compare live and boot values with what is wanted",
        .more = "Every key of the committed generation: the live value, who set it where it\n"
                "is another, and what the files lead to at boot. Needs no privilege. Exits 0\n"
                "when all is as wanted, 1 for differences, 7 when keys are only pending.\n",
        .group = COMMAND_GROUP_WATCH,
        .options = OPT_ROOT,
        .run = verify_run,
};

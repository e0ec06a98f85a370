/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "cli/clock-text.h"
#include "cli/duration.h"
#include "cli/guard-state.h"
#include "cli/host.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/window.h"
#include "diag/text.h"

typedef enum KeyState {
        KEY_STATE_OK,
        KEY_STATE_DRIFT,
        KEY_STATE_PENDING, /* waits for its module */
        KEY_STATE_ABSENT,  /* was there, is gone */
        KEY_STATE_UNKNOWN, /* cannot be read, or only files were looked at */
} KeyState;

static const char *const state_names[] = {
        [KEY_STATE_OK] = "ok",           [KEY_STATE_DRIFT] = "drift",
        [KEY_STATE_PENDING] = "pending", [KEY_STATE_ABSENT] = "absent",
        [KEY_STATE_UNKNOWN] = "unknown",
};

static const char *const host_names[] = {
        [HOST_STATUS_NONE] = "none",
        [HOST_STATUS_CURRENT] = "current",
        [HOST_STATUS_OTHER_BOOT] = "other-boot",
        [HOST_STATUS_OTHER_NETNS] = "other-netns",
};

typedef struct StatusKey {
        const GenerationKey *key;
        const char *wanted, *live, *origin; /* kernel's spelling; NULL unknown */
        KeyState state;
} StatusKey;

typedef struct StatusView {
        const Host *host;
        const Generation *generation; /* NULL: nothing */
        StatusKey *keys;
        bool *changed; /* per profile: its file differs from what is stored */
        size_t n_drift;
} StatusView;

static KeyState judge(const Host *host, const GenerationKey *key, const LiveKey *live) {
        if (host->files_only)
                return KEY_STATE_UNKNOWN;
        switch (live->state) {
        case LIVE_PRESENT:
                return sysctl_value_holds(key->spec, &key->value, &live->value) ? KEY_STATE_OK
                                                                                : KEY_STATE_DRIFT;
        case LIVE_ABSENT:
                return key->pending ? KEY_STATE_PENDING : KEY_STATE_ABSENT;
        case LIVE_UNREADABLE:
                return KEY_STATE_UNKNOWN;
        case LIVE_STRANGE:
                return KEY_STATE_DRIFT;
        case LIVE_ASSUMED:
                return KEY_STATE_UNKNOWN;
        }
        return KEY_STATE_UNKNOWN;
}

static int look_at_key(
                Context *context, const GenerationKey *key, const LiveSnapshot *live,
                StatusView *view, StatusKey *ret) {
        const LiveKey *now = live_find(live, key->spec);
        *ret = (StatusKey){
                .key = key,
                .wanted = sysctl_value_to_kernel(key->spec, &key->value, context->arena),
                .live = now->text,
                .state = judge(view->host, key, now),
        };
        if (key->origin_known)
                ret->origin = sysctl_value_to_kernel(key->spec, &key->origin, context->arena);
        /* shown in the kernel's own spelling even where it pads */
        if (now->state == LIVE_PRESENT)
                ret->live = sysctl_value_to_kernel(key->spec, &now->value, context->arena);
        view->n_drift += ret->state == KEY_STATE_DRIFT || ret->state == KEY_STATE_ABSENT ? 1 : 0;
        return ret->wanted ? 0 : -ENOMEM;
}

static int look_at_keys(Context *context, StatusView *view) {
        const Generation *g = view->generation;
        const SysctlSpec **specs = arena_alloc_array(
                        context->arena, g->n_keys + 1, sizeof(SysctlSpec *));
        view->keys = arena_alloc_array(context->arena, g->n_keys + 1, sizeof(StatusKey));
        if (!specs || !view->keys)
                return -ENOMEM;
        for (size_t i = 0; i < g->n_keys; i++)
                specs[i] = g->keys[i].spec;
        LiveSnapshot live;
        int r = host_read_live(
                        view->host, specs, g->n_keys, context->arena, &live, &context->error);
        for (size_t i = 0; r == 0 && i < g->n_keys; i++)
                r = look_at_key(context, &g->keys[i], &live, view, &view->keys[i]);
        return r;
}

static int look_at_profiles(Context *context, StatusView *view) {
        const Generation *g = view->generation;
        view->changed = arena_alloc_array(context->arena, g->n_profiles + 1, sizeof(bool));
        if (!view->changed)
                return -ENOMEM;
        for (size_t i = 0; i < g->n_profiles; i++) {
                int r = host_profile_is_changed(
                                view->host, &g->profiles[i], &view->changed[i], &context->error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static json_t *profiles_to_json(const StatusView *view) {
        json_t *array = json_array();
        for (size_t i = 0; view->generation && i < view->generation->n_profiles; i++) {
                const GenerationProfile *profile = &view->generation->profiles[i];
                char digest[SHA256_HEX_SIZE];
                sha256_to_hex(&profile->digest, digest);
                (void) json_array_append_new(
                                array, json_pack("{s:s, s:s, s:b}", "name", profile->name, "digest",
                                                 digest, "changed_on_disk", view->changed[i]));
        }
        return array;
}

static json_t *keys_to_json(const StatusView *view) {
        json_t *array = json_array();
        for (size_t i = 0; view->generation && i < view->generation->n_keys; i++) {
                const StatusKey *key = &view->keys[i];
                (void) json_array_append_new(
                                array,
                                json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s}", "key",
                                          key->key->spec->key, "wanted", key->wanted, "live",
                                          key->live, "origin", key->origin, "profile",
                                          key->key->profile, "state", state_names[key->state]));
        }
        return array;
}

/* The change that awaits confirmation here and now; NULL for none. */
static const char *undecided_of(const Host *host) {
        return host->status_state == HOST_STATUS_CURRENT ? host->status.undecided_tx : NULL;
}

static bool has_deadline(const Host *host) {
        return undecided_of(host) && host->status.undecided_deadline_ms > 0;
}

static json_t *quarantined_to_json(const Host *host) {
        json_t *array = json_array();
        for (size_t i = 0; i < host->status.n_quarantined; i++) {
                const Quarantine *row = &host->status.quarantined[i];
                char digest[SHA256_HEX_SIZE];
                sha256_to_hex(&row->digest, digest);
                (void) json_array_append_new(
                                array, json_pack("{s:s, s:s, s:s, s:s?, s:s}", "name", row->name,
                                                 "digest", digest, "cause", row->cause, "evidence",
                                                 row->evidence, "transaction", row->tx));
        }
        return array;
}

static json_t *undecided_to_json(const Host *host) {
        const Status *status = &host->status;
        if (!undecided_of(host))
                return json_null();
        if (!has_deadline(host))
                return json_pack(
                                "{s:s, s:n, s:n, s:n}", "transaction", status->undecided_tx,
                                "deadline_ms", "seconds_left", "guard");
        return json_pack(
                        "{s:s, s:I, s:I, s:s}", "transaction", status->undecided_tx, "deadline_ms",
                        (json_int_t) status->undecided_deadline_ms, "seconds_left",
                        (json_int_t) window_seconds_left(status->undecided_deadline_ms), "guard",
                        guard_state_name(guard_state_read(host->root_fd, status->undecided_tx)));
}

static json_t *view_to_json(const StatusView *view) {
        const Status *status = &view->host->status;
        const Generation *g = view->generation;
        return json_pack(
                        "{s:s, s:I, s:I, s:b, s:s?, s:o, s:o, s:s?, s:o, s:o}", "state",
                        host_names[view->host->status_state], "generation",
                        (json_int_t) (g ? g->number : 0), "parent",
                        (json_int_t) (g ? g->parent : 0), "attention", status->attention,
                        "undecided", undecided_of(view->host), "window",
                        undecided_to_json(view->host), "quarantined",
                        quarantined_to_json(view->host), "last_outcome", status->last_outcome,
                        "profiles", profiles_to_json(view), "keys", keys_to_json(view));
}

/* --- text ----------------------------------------------------------------------------------------------- */

static void add_profiles(const StatusView *view, StrBuf *out) {
        for (size_t i = 0; i < view->generation->n_profiles; i++) {
                const GenerationProfile *profile = &view->generation->profiles[i];
                char digest[SHA256_HEX_SIZE];
                sha256_to_hex(&profile->digest, digest);
                strbuf_addf(out, "  %s (%.8s)%s\n", profile->name, digest,
                            view->changed[i]
                                            ? ", changed on disk: twprofile plan shows what it would do"
                                            : "");
        }
}

typedef enum StatusColumn {
        COLUMN_KEY,
        COLUMN_WANTED,
        COLUMN_LIVE,
        COLUMN_ORIGIN,
        COLUMN_STATE,
        COLUMN_STATE_LIVE, /* with the live value where it is not the wanted one */
        COLUMN_PROFILE,
        COLUMN_END,
} StatusColumn;

static const char *const column_titles[] = {
        [COLUMN_KEY] = "KEY",         [COLUMN_WANTED] = "WANTED", [COLUMN_LIVE] = "LIVE",
        [COLUMN_ORIGIN] = "ORIGIN",   [COLUMN_STATE] = "STATE",   [COLUMN_STATE_LIVE] = "STATE",
        [COLUMN_PROFILE] = "PROFILE",
};

/* The first that fits the line; the last does where none fits. */
typedef struct StatusLayout {
        bool for_one; /* not where several profiles are enabled */
        bool is_whole;
        StatusColumn columns[TABLE_MAX_COLUMNS];
} StatusLayout;

static const StatusLayout layouts[] = {
        { .is_whole = true,
          .columns = { COLUMN_KEY, COLUMN_WANTED, COLUMN_LIVE, COLUMN_ORIGIN, COLUMN_STATE,
                       COLUMN_PROFILE, COLUMN_END } },
        { .is_whole = true,
          .for_one = true,
          .columns = { COLUMN_KEY, COLUMN_WANTED, COLUMN_LIVE, COLUMN_ORIGIN, COLUMN_STATE,
                       COLUMN_END } },
        { .is_whole = true,
          .for_one = true,
          .columns = { COLUMN_KEY, COLUMN_WANTED, COLUMN_ORIGIN, COLUMN_STATE_LIVE, COLUMN_END } },
        { .is_whole = true,
          .columns = { COLUMN_KEY, COLUMN_WANTED, COLUMN_ORIGIN, COLUMN_STATE_LIVE, COLUMN_PROFILE,
                       COLUMN_END } },
        { .for_one = true,
          .columns = { COLUMN_KEY, COLUMN_WANTED, COLUMN_STATE_LIVE, COLUMN_END } },
        { .columns = { COLUMN_KEY, COLUMN_WANTED, COLUMN_STATE_LIVE, COLUMN_PROFILE, COLUMN_END } },
};

static const char *cell_of(const StatusKey *key, StatusColumn column, Arena *arena) {
        switch (column) {
        case COLUMN_KEY:
                return key->key->spec->key;
        case COLUMN_WANTED:
                return outcome_value_for_people(key->wanted, arena);
        case COLUMN_LIVE:
                return outcome_value_for_people(key->live, arena);
        case COLUMN_ORIGIN:
                return outcome_value_for_people(key->origin, arena);
        case COLUMN_STATE:
                return state_names[key->state];
        case COLUMN_STATE_LIVE:
                if (key->state != KEY_STATE_DRIFT || !key->live)
                        return state_names[key->state];
                return arena_format(
                                arena, "%s: %s", state_names[key->state],
                                outcome_value_for_people(key->live, arena));
        case COLUMN_PROFILE:
                return key->key->profile;
        case COLUMN_END:
                break;
        }
        return NULL;
}

/* Of an image nothing is live. */
static bool is_told(const StatusView *view, StatusColumn column) {
        return !view->host->files_only || (column != COLUMN_LIVE && column != COLUMN_ORIGIN &&
                                           column != COLUMN_STATE && column != COLUMN_STATE_LIVE);
}

static int make_table(
                Context *context, const StatusView *view, const StatusLayout *layout, Table **ret) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        for (const StatusColumn *c = layout->columns; *c != COLUMN_END; c++)
                table_add_column(
                                table, column_titles[*c],
                                is_told(view, *c) ? 0 : TABLE_COLUMN_OPTIONAL);
        for (size_t i = 0; i < view->generation->n_keys; i++) {
                const char *cells[TABLE_MAX_COLUMNS] = { NULL };
                for (size_t c = 0; layout->columns[c] != COLUMN_END; c++)
                        if (is_told(view, layout->columns[c]))
                                cells[c] = cell_of(
                                                &view->keys[i], layout->columns[c], context->arena);
                table_add_row(table, cells);
        }
        *ret = TAKE_PTR(table);
        return 0;
}

static int add_keys(Context *context, const StatusView *view) {
        bool one = view->generation->n_profiles == 1;
        CLEANUP(table_freep) Table *table = NULL;
        const StatusLayout *used = NULL;
        for (size_t i = 0; i < ELEMENTSOF(layouts); i++) {
                if (layouts[i].for_one && !one)
                        continue;
                used = &layouts[i];
                if (table)
                        table = table_free(table);
                int r = make_table(context, view, used, &table);
                if (r < 0)
                        return r;
                if (table_width(table) <= context->out.width)
                        break;
        }
        int r = table_render(table, &context->text, &context->error);
        if (r == 0 && !used->is_whole)
                strbuf_add(&context->text,
                           "\nThe line is too short for where each key came from: --json tells it.\n");
        return r;
}

static void add_undecided(const Host *host, StrBuf *out) {
        static const char *const guard_texts[] = {
                [GUARD_STATE_UNKNOWN] = "Whether a guard watches it cannot be seen from here.",
                [GUARD_STATE_ALIVE] = "The guard watches it.",
                [GUARD_STATE_ABSENT] =
                                "No guard watches it: see systemctl status twprofile-guard.path.",
        };
        const Status *status = &host->status;
        strbuf_addf(out, "Change %s awaits confirmation", status->undecided_tx);
        if (!has_deadline(host))
                strbuf_add(out, ";\na reboot takes it back.\n");
        else {
                strbuf_add(out, ":\n");
                duration_add(window_seconds_left(status->undecided_deadline_ms), out);
                strbuf_addf(out, " left, then it is taken back.\n%s\n",
                            guard_texts[guard_state_read(host->root_fd, status->undecided_tx)]);
        }
        strbuf_add(out,
                   "To decide: twprofile confirm TOKEN (enable told it), or twprofile rollback.\n\n");
}

static void add_quarantined(const Quarantine *row, StrBuf *out) {
        static const struct {
                const char *cause, *text;
        } causes[] = {
                { "deadline", "was not confirmed in time" },
                { "gate", "was taken back by the health gate" },
                { "reboot", "was cut off by a reboot before it was confirmed" },
        };
        const char *text = "was taken back by itself";
        for (size_t i = 0; i < ELEMENTSOF(causes); i++)
                if (streq(row->cause, causes[i].cause))
                        text = causes[i].text;
        char digest[SHA256_HEX_SIZE];
        sha256_to_hex(&row->digest, digest);
        strbuf_addf(out, "Quarantined: %s (%.8s) %s", row->name, digest, text);
        if (row->evidence) {
                strbuf_add(out, ":\n");
                diag_text_add_escaped(out, row->evidence, strlen(row->evidence));
        }
        strbuf_addf(out, ".\nTo let it be enabled again: twprofile release %s --reason=TEXT\n\n",
                    row->name);
}

/* What is to be known before the numbers are believed. */
static void add_warnings(const Host *host, StrBuf *out) {
        if (host->status_state == HOST_STATUS_OTHER_BOOT)
                strbuf_add(out,
                           "This is from before the last boot: twprofile-boot.service has not made it live.\n"
                           "See: systemctl status twprofile-boot.service\n\n");
        if (host->status_state == HOST_STATUS_NONE || host->status_state == HOST_STATUS_OTHER_NETNS)
                return;
        if (host->status.attention)
                strbuf_add(out, "The state needs attention: run twprofile recover.\n\n");
        if (undecided_of(host))
                add_undecided(host, out);
        for (size_t i = 0; i < host->status.n_quarantined; i++)
                add_quarantined(&host->status.quarantined[i], out);
}

static int render(Context *context, const StatusView *view) {
        StrBuf *out = &context->text;
        const Generation *g = view->generation;
        add_warnings(view->host, out);
        if (view->host->status_state == HOST_STATUS_OTHER_NETNS)
                strbuf_add(out, "The public status belongs to another network namespace.\n");
        if (!g || g->n_profiles == 0) {
                strbuf_add(out, "Nothing is enabled.\n");
                if (g)
                        strbuf_addf(out, "Generation %" PRIu64 ", after %" PRIu64 ".\n", g->number,
                                    g->parent);
                return 0;
        }
        CLEANUP(strbuf_deinit) StrBuf since = {};
        clock_text_add(g->created_us, &since);
        strbuf_addf(out, "Generation %" PRIu64 " since %s, enabled:\n", g->number,
                    strbuf_text(&since));
        add_profiles(view, out);
        strbuf_add_char(out, '\n');
        if (g->n_keys == 0)
                return 0;
        int r = add_keys(context, view);
        if (r == 0 && view->host->files_only)
                strbuf_add(out, "\nThe next boot of that image sets these values.\n");
        if (r == 0 && view->n_drift > 0)
                strbuf_addf(out,
                            "\n%zu of %zu keys %s not as wanted: see STATE. twprofile enable with --adopt=drift\n"
                            "sets %s again; twprofile history tells what we did.\n",
                            view->n_drift, g->n_keys, view->n_drift == 1 ? "is" : "are",
                            view->n_drift == 1 ? "it" : "them");
        return r;
}

/* -------------------------------------------------------------------------------------------------------- */

static int status_on(Context *context, const Host *host) {
        StatusView view = { .host = host, .generation = host_generation(host) };
        int r = view.generation ? look_at_keys(context, &view) : 0;
        if (r == 0 && view.generation)
                r = look_at_profiles(context, &view);
        if (r == 0)
                r = context_is_json(context) ? context_take_result(context, view_to_json(&view))
                                             : render(context, &view);
        if (r < 0)
                return r;
        if (!context->options.check)
                return EXIT_OK;
        if (host->status_state == HOST_STATUS_OTHER_BOOT || view.n_drift > 0)
                return EXIT_DIFFERS;
        bool is_settled = host->status_state == HOST_STATUS_NONE ||
                          (!host->status.attention && !undecided_of(host) &&
                           host->status.n_quarantined == 0);
        return is_settled ? EXIT_OK : EXIT_DIFFERS;
}

static int status_run(Context *context) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open(&host, context, &context->error);
        return r < 0 ? r : status_on(context, &host);
}

const Command cmd_status = {
        .name = "status",
        .args = "",
        .help = "Show what is enabled and whether it is live",
        .more = "Needs no privilege. A change that awaits confirmation is shown with the time\n"
                "left and whether its guard lives. --check exits 1 when a live value is not the\n"
                "wanted one, when a boot has not made it live, or when something waits for a\n"
                "person: a change to be confirmed, a quarantined profile, a state that needs\n"
                "attention.\n",
        .group = COMMAND_GROUP_WATCH,
        .options = OPT_ROOT | OPT_CHECK,
        .run = status_run,
};

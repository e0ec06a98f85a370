/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/report-host.h"

#include <time.h>

#include "cli/audit-reader.h"
#include "cli/audit-words.h"
#include "system/writers.h"

#define US_PER_S INT64_C(1000000)

/* --- which settings -------------------------------------------------------------------------------------- */

static int compare_specs(const void *a, const void *b) {
        const SysctlSpec *const *one = a, *const *other = b;
        return strcmp((*one)->key, (*other)->key);
}

/* Those of the sample that this kernel has, and those that a profile asks for; sorted. */
static int choose_specs(
                Context *context, const Host *host, const Report *report, const SysctlSpec ***ret,
                size_t *ret_n) {
        const LiveSnapshot *live = &report->sample->settings;
        const Generation *generation = host ? host_generation(host) : NULL;
        size_t n_generation = generation ? generation->n_keys : 0, n = 0;
        const SysctlSpec **specs = arena_alloc_array(
                        context->arena, live->n_keys + n_generation + 1, sizeof(SysctlSpec *));
        if (!specs)
                return error_set(&context->error, -ENOMEM, "cannot list the settings");
        for (size_t i = 0; i < live->n_keys; i++)
                if (live->keys[i].state != LIVE_ABSENT)
                        specs[n++] = live->keys[i].spec;
        for (size_t i = 0; i < n_generation; i++) {
                const LiveKey *sampled = live_find(live, generation->keys[i].spec);
                if (!sampled || sampled->state == LIVE_ABSENT)
                        specs[n++] = generation->keys[i].spec;
        }
        qsort(specs, n, sizeof(SysctlSpec *), compare_specs);
        *ret = specs;
        *ret_n = n;
        return 0;
}

/* --- who sets them --------------------------------------------------------------------------------------- */

typedef struct Judge {
        Context *context;
        const Report *report;
        const Generation *generation; /* NULL: nothing is enabled, or not known */
        LiveSnapshot live;        /* of this moment; without keys: the sample's are all there are */
        const WinnerFiles *files; /* NULL: not known */
        Owners owners;
} Judge;

static const GenerationKey *find_asked_for(const Generation *generation, const SysctlSpec *spec) {
        for (size_t i = 0; generation && i < generation->n_keys; i++)
                if (generation->keys[i].spec == spec)
                        return &generation->keys[i];
        return NULL;
}

static const LiveKey *live_of(const Judge *judge, const SysctlSpec *spec) {
        const LiveKey *sampled = live_find(&judge->report->sample->settings, spec);
        if (sampled || judge->live.n_keys == 0)
                return sampled;
        return live_find(&judge->live, spec);
}

static int tell_prediction(
                const Judge *judge, WinnerTool tool, const SysctlSpec *spec,
                WinnerPrediction *prediction, const char **ret, const char **ret_by) {
        Arena *arena = judge->context->arena;
        int r = winner_predict(judge->files, tool, spec, arena, prediction);
        if (r < 0 || !prediction->by.path)
                return r;
        *ret_by = prediction->by.line > 0 ? arena_format(arena, "%s:%u", prediction->by.path,
                                                         prediction->by.line)
                                          : prediction->by.path;
        if (prediction->effect == WINNER_EFFECT_SET)
                *ret = sysctl_value_to_kernel(spec, &prediction->value, arena);
        bool failed = !*ret_by || (prediction->effect == WINNER_EFFECT_SET && !*ret);
        return failed ? -ENOMEM : 0;
}

static bool is_left(const WinnerPrediction *prediction, const LiveKey *live) {
        return live && live->state == LIVE_PRESENT && prediction->effect == WINNER_EFFECT_SET &&
               sysctl_value_equal(&prediction->value, &live->value);
}

/* The kernel's constant, where it has one. */
static int is_default(const LiveKey *live, Arena *arena, bool *ret) {
        *ret = false;
        const char *text = live ? live->spec->default_text : NULL;
        if (!text || live->state != LIVE_PRESENT)
                return 0;
        SysctlValue value;
        int r = sysctl_value_from_kernel(live->spec, text, strlen(text), arena, &value);
        *ret = r == 0 && sysctl_value_equal(&value, &live->value);
        return r == -ENOMEM ? r : 0;
}

/* Owners that are no files of sysctl.d: the two predictions tell of those. */
static int add_others(const Judge *judge, const SysctlSpec *spec, ReportSetting *setting) {
        Arena *arena = judge->context->arena;
        const char **others = arena_alloc_array(
                        arena, judge->owners.n_rows + 1, sizeof(const char *));
        if (!others)
                return -ENOMEM;
        for (size_t i = 0; i < judge->owners.n_rows; i++) {
                const Owner *owner = &judge->owners.rows[i];
                if (owner->spec != spec || owner->kind == OWNER_LATER_FILE ||
                    owner->kind == OWNER_PROCPS_FILE)
                        continue;
                others[setting->n_others] = owner_describe(owner, arena);
                if (!others[setting->n_others++])
                        return -ENOMEM;
        }
        setting->others = others;
        return 0;
}

static int judge_profile(
                const Judge *judge, const GenerationKey *asked, const LiveKey *live,
                ReportSetting *setting) {
        const SysctlSpec *spec = asked->spec;
        setting->profile = asked->profile;
        setting->is_adopted = asked->adopted;
        setting->wanted = sysctl_value_to_kernel(spec, &asked->value, judge->context->arena);
        bool holds = live && live->state == LIVE_PRESENT &&
                     sysctl_value_holds(spec, &asked->value, &live->value);
        setting->owner = holds ? REPORT_OWNER_PROFILE : REPORT_OWNER_DRIFT;
        return setting->wanted ? 0 : -ENOMEM;
}

/* Some defaults depend on the memory of the machine; two of those can be told. */
static ReportOwner owner_of_computed(const Snapshot *sample, const LiveKey *live) {
        const char *key = live->spec->key;
        uint64_t computed = 0;
        bool is_known = streq(key, "net.ipv4.tcp_max_tw_buckets")
                                        ? snapshot_default_buckets(sample, &computed)
                        : streq(key, "net.ipv4.tcp_max_syn_backlog")
                                        ? snapshot_default_syn_backlog(sample, &computed)
                                        : false;
        if (!is_known)
                return REPORT_OWNER_COMPUTED;
        return (uint64_t) live->value.ints[0] == computed ? REPORT_OWNER_NOBODY : REPORT_OWNER_ELSE;
}

static ReportOwner owner_without_file(
                const Snapshot *sample, const SysctlSpec *spec, const LiveKey *live,
                bool is_default_value) {
        if (!spec->settable)
                return REPORT_OWNER_READ_ONLY;
        if (is_default_value)
                return REPORT_OWNER_NOBODY;
        if (!live || live->state != LIVE_PRESENT)
                return REPORT_OWNER_UNKNOWN;
        return spec->default_text ? REPORT_OWNER_ELSE : owner_of_computed(sample, live);
}

static int judge_setting(const Judge *judge, const SysctlSpec *spec, ReportSetting *setting) {
        const LiveKey *live = live_of(judge, spec);
        const GenerationKey *asked = find_asked_for(judge->generation, spec);
        WinnerPrediction boot = {}, procps = {};
        *setting = (ReportSetting){ .key = spec->key,
                                    .live = live ? live->text : NULL,
                                    .owner = REPORT_OWNER_UNKNOWN };
        int r = tell_prediction(
                        judge, WINNER_SYSTEMD, spec, &boot, &setting->boot, &setting->boot_by);
        if (r == 0)
                r = tell_prediction(
                                judge, WINNER_PROCPS, spec, &procps, &setting->procps,
                                &setting->procps_by);
        if (r == 0)
                r = add_others(judge, spec, setting);
        if (r < 0)
                return r;
        if (asked)
                return judge_profile(judge, asked, live, setting);
        bool by_file = is_left(&boot, live), by_procps = is_left(&procps, live), by_kernel = false;
        r = is_default(live, judge->context->arena, &by_kernel);
        setting->set_by = by_file ? setting->boot_by : setting->procps_by;
        if (by_file || by_procps)
                setting->owner = REPORT_OWNER_FILE;
        else
                setting->owner = owner_without_file(judge->report->sample, spec, live, by_kernel);
        return r;
}

static int judge_all(
                Judge *judge, const Host *host, const SysctlSpec **specs, size_t n,
                ReportSetting *settings) {
        Context *context = judge->context;
        const WritersRequest request = {
                .seam = host->seam,
                .root_fd = host->root_fd,
                .files_only = host->files_only,
                .specs = specs,
                .n_specs = n,
        };
        int r = writers_find(
                        &request, context->arena, &judge->owners, &judge->files, &context->error);
        if (r < 0)
                return r;
        if (!judge->report->is_recorded) {
                r = host_read_live(host, specs, n, context->arena, &judge->live, &context->error);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++) {
                r = judge_setting(judge, specs[i], &settings[i]);
                if (r < 0)
                        return error_set(
                                        &context->error, r, "cannot tell who sets '%s'",
                                        specs[i]->key);
        }
        return 0;
}

/* What the sample itself has: the values, and which of them were enabled. */
static void tell_sampled(const Report *report, const SysctlSpec *spec, ReportSetting *setting) {
        const LiveKey *live = live_find(&report->sample->settings, spec);
        const SnapshotEnabledKey *enabled = snapshot_enabled(report->sample, spec->key);
        *setting = (ReportSetting){ .key = spec->key,
                                    .live = live ? live->text : NULL,
                                    .owner = REPORT_OWNER_UNKNOWN };
        if (!enabled)
                return;
        setting->profile = enabled->profile;
        setting->wanted = enabled->value;
        setting->owner = setting->live && streq(setting->live, enabled->value)
                                         ? REPORT_OWNER_PROFILE
                                         : REPORT_OWNER_DRIFT;
}

int report_host_add_settings(Context *context, const Host *host, bool knows_host, Report *report) {
        const SysctlSpec **specs = NULL;
        size_t n = 0;
        int r = choose_specs(context, knows_host ? host : NULL, report, &specs, &n);
        if (r < 0)
                return r;
        ReportSetting *settings = arena_alloc_array(context->arena, n + 1, sizeof(ReportSetting));
        if (!settings)
                return error_set(&context->error, -ENOMEM, "cannot list the settings");
        if (knows_host) {
                Judge judge = { .context = context,
                                .report = report,
                                .generation = host_generation(host) };
                r = judge_all(&judge, host, specs, n, settings);
        }
        for (size_t i = 0; !knows_host && i < n; i++)
                tell_sampled(report, specs[i], &settings[i]);
        report->settings = settings;
        report->n_settings = n;
        return r;
}

/* --- changes --------------------------------------------------------------------------------------------- */

static const char *text_of(json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

/* "2026-11-21T00:19:41.277590Z"; the decoder has seen that it is so. */
static bool time_of(json_t *record, int64_t *ret_us) {
        const char *text = text_of(record, "t");
        struct tm tm = {};
        const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        if (!end || *end != '.' || strlen(end) != strlen(".277590Z"))
                return false;
        *ret_us = timegm(&tm) * US_PER_S + strtol(end + 1, NULL, 10);
        return true;
}

static bool is_same(const char *one, const char *other) {
        return one && other ? streq(one, other) : one == other;
}

static int add_keys(Context *context, json_t *record, ReportChange *change) {
        json_t *keys = json_object_get(record, "keys");
        ReportKeyChange *rows = arena_alloc_array(
                        context->arena, json_array_size(keys) + 1, sizeof(ReportKeyChange));
        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < json_array_size(keys); i++) {
                json_t *key = json_array_get(keys, i);
                const char *before = text_of(key, "b"), *after = text_of(key, "a");
                if (is_same(before, after))
                        continue;
                ReportKeyChange *row = &rows[change->n_keys++];
                *row = (ReportKeyChange){
                        .key = arena_copy(
                                        context->arena,
                                        text_of(key, "k") ? text_of(key, "k") : "?"),
                        .before = before ? arena_copy(context->arena, before) : NULL,
                        .after = after ? arena_copy(context->arena, after) : NULL,
                };
                if (!row->key || (before && !row->before) || (after && !row->after))
                        return -ENOMEM;
        }
        change->keys = rows;
        return 0;
}

static const char *keep(Context *context, const StrBuf *text) {
        return text->failed ? NULL : arena_copy(context->arena, strbuf_text(text));
}

static int add_change(Context *context, const AuditEntry *entry, ReportChange *change) {
        CLEANUP(strbuf_deinit) StrBuf who = {}, profiles = {};
        json_t *record = entry->record.object;
        const char *verb = text_of(record, "verb"), *why = text_of(record, "why");
        audit_words_add_who(record, &who);
        audit_words_add_profiles(record, &profiles);
        change->number = entry->record.seq;
        change->who = keep(context, &who);
        change->profiles = keep(context, &profiles);
        change->outcome = arena_copy(
                        context->arena, audit_words_outcome(record, entry->record.event));
        change->verb = arena_copy(
                        context->arena, verb ? verb : audit_event_name(entry->record.event));
        change->reason = why ? arena_copy(context->arena, why) : NULL;
        bool failed = !change->who || !change->profiles || !change->outcome || !change->verb ||
                      (why && !change->reason);
        return failed ? -ENOMEM : add_keys(context, record, change);
}

static bool is_change(const AuditEntry *entry, int64_t first_us, int64_t last_us, int64_t *ret_us) {
        if (!entry->record.object || !audit_words_is_told(entry->record.event) ||
            !time_of(entry->record.object, ret_us))
                return false;
        return *ret_us >= first_us && *ret_us <= last_us;
}

static int add_changes(
                Context *context, const AuditEntries *all, int64_t first_us, int64_t last_us,
                Report *report) {
        ReportChange *changes = arena_alloc_array(
                        context->arena, all->n_items + 1, sizeof(ReportChange));
        if (!changes)
                return -ENOMEM;
        size_t n = 0;
        for (size_t i = 0; i < all->n_items; i++) {
                int64_t time_us = 0;
                if (!is_change(&all->items[i], first_us, last_us, &time_us))
                        continue;
                ReportChange *change = &changes[n];
                *change = (ReportChange){ .time_us = time_us };
                int r = add_change(context, &all->items[i], change);
                if (r < 0)
                        return r;
                /* a refusal, a confirmation and the like change no value */
                n += change->n_keys > 0 ? 1 : 0;
        }
        report->changes = changes;
        report->n_changes = n;
        return 0;
}

int report_host_add_changes(
                Context *context, const Host *host, int64_t first_us, int64_t last_us,
                Report *report) {
        CLEANUP(audit_entries_deinit) AuditEntries all = {};
        Error error = {};
        int r = audit_reader_load(host->seam, host->root_fd, context->arena, &all, &error);
        if (r == -EACCES || r == -EPERM) {
                report->changes_missing =
                                "Only root and the group adm may read the audit log: what twprofile changed is not known here.";
                return 0;
        }
        if (r < 0) {
                report->changes_missing = arena_format(
                                context->arena, "The audit log could not be read: %s.", error.text);
                return report->changes_missing && r != -ENOMEM
                                       ? 0
                                       : error_set(&context->error, -ENOMEM,
                                                   "cannot read the audit log");
        }
        r = add_changes(context, &all, first_us, last_us, report);
        return r < 0 ? error_set(&context->error, r, "cannot tell the changes") : 0;
}

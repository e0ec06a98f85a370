/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/host.h"
#include "cli/table.h"
#include "cli/verbs.h"

typedef struct Listed {
        const ProfileEntry *entry;
        const GenerationProfile *enabled; /* NULL: not enabled */
        bool changed;
        bool quarantined;
        const char *summary; /* NULL: cannot be read */
} Listed;

/* The summary of one file, without what it includes: a broken include does not hide it. */
static int read_summary(Context *context, const Host *host, Listed *listed) {
        CLEANUP(diag_list_freep) DiagList *diags = diag_list_new();
        if (!diags)
                return -ENOMEM;
        ProfileDirs dirs = host->dirs;
        dirs.trusting = true;
        Source *source = NULL;
        int r = profile_dirs_fetch(&dirs, listed->entry->name, diags, &source, &context->error);
        if (r != 0)
                return r < 0 ? r : 0;
        CLEANUP(profile_freep) Profile *profile = NULL;
        r = profile_parse(source, listed->entry->name, diags, &profile, &context->error);
        if (r != 0)
                return r < 0 ? r : 0;
        listed->summary = arena_copy(context->arena, profile->summary);
        return listed->summary ? 0 : -ENOMEM;
}

static int look_at(Context *context, const Host *host, const ProfileEntry *entry, Listed *ret) {
        const Generation *current = host_generation(host);
        *ret = (Listed){ .entry = entry };
        if (current)
                ret->enabled = generation_find_profile(current, entry->name);
        if (ret->enabled) {
                int r = host_profile_is_changed(host, ret->enabled, &ret->changed, &context->error);
                if (r < 0)
                        return r;
        }
        if (entry->masked)
                return 0;
        int r = host_profile_is_quarantined(host, entry->name, &ret->quarantined, &context->error);
        return r < 0 ? r : read_summary(context, host, ret);
}

static json_t *listed_to_json(const Listed *listed) {
        const ProfileEntry *entry = listed->entry;
        return json_pack(
                        "{s:s, s:b, s:b, s:b, s:s, s:s, s:b, s:s?, s:s?}", "name", entry->name,
                        "enabled", listed->enabled != NULL, "changed_on_disk", listed->changed,
                        "quarantined", listed->quarantined, "from", entry->directory, "path",
                        entry->path, "masked", entry->masked, "overrides", entry->overrides,
                        "summary", listed->summary);
}

/* The mark first: a narrow terminal cuts the end off. */
static const char *summary_of(const Listed *listed, Arena *arena) {
        const char *summary = listed->entry->masked ? "(masked)" : listed->summary;
        if (!summary)
                summary = "(not valid)";
        if (listed->quarantined)
                return arena_format(arena, "(quarantined: see status) %s", summary);
        return listed->changed ? arena_format(arena, "(changed on disk) %s", summary) : summary;
}

static void add_row(Context *context, Table *table, const Listed *listed) {
        const ProfileEntry *entry = listed->entry;
        table_add_row(table,
                      (const char *[]){
                                      entry->name,
                                      listed->enabled ? "yes" : "no",
                                      entry->overrides ? arena_format(context->arena, "%s over %s",
                                                                      entry->directory,
                                                                      entry->overrides)
                                                       : entry->directory,
                                      summary_of(listed, context->arena),
                      });
}

static int show(Context *context, const Listed *listed, size_t n) {
        if (context_is_json(context)) {
                json_t *array = json_array();
                for (size_t i = 0; i < n; i++)
                        if (json_array_append_new(array, listed_to_json(&listed[i])) < 0) {
                                json_decref(array);
                                return -ENOMEM;
                        }
                return context_take_result(context, json_pack("{s:o?}", "profiles", array));
        }
        if (n == 0) {
                strbuf_add(&context->text, "No profiles are installed.\n");
                return 0;
        }
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        table_add_column(table, "NAME", 0);
        table_add_column(table, "ENABLED", 0);
        table_add_column(table, "FROM", 0);
        table_add_column(table, "SUMMARY", TABLE_COLUMN_WRAP);
        for (size_t i = 0; i < n; i++)
                add_row(context, table, &listed[i]);
        return table_render(table, &context->text, &context->error);
}

static int list_on(Context *context, const Host *host) {
        ProfileEntry *entries = NULL;
        size_t n = 0;
        int r = profile_dirs_list(&host->dirs, context->arena, &entries, &n, &context->error);
        if (r < 0)
                return r;
        Listed *listed = arena_alloc_array(context->arena, n + 1, sizeof(Listed));
        if (!listed)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                r = look_at(context, host, &entries[i], &listed[i]);
                if (r < 0)
                        return r;
        }
        r = show(context, listed, n);
        return r < 0 ? r : EXIT_OK;
}

static int list_run(Context *context) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open(&host, context, &context->error);
        return r < 0 ? r : list_on(context, &host);
}

const Command cmd_list = {
        .name = "list",
        .args = "",
        .help = "List the profiles, and which are enabled",
        .group = COMMAND_GROUP_PROFILES,
        .options = OPT_ROOT,
        .run = list_run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "cli/audit-filter.h"
#include "cli/audit-reader.h"
#include "cli/audit-words.h"
#include "cli/clock-text.h"
#include "cli/history-diff.h"
#include "cli/host.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "diag/text.h"

static const char *text_of(json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

static json_int_t number_of(json_t *object, const char *outer, const char *inner) {
        return json_integer_value(json_object_get(json_object_get(object, outer), inner));
}

/* --- text ----------------------------------------------------------------------------------------------- */

/* Cells are escaped by the table. */
static void add_row(Context *context, Table *table, const AuditEntry *entry) {
        CLEANUP(strbuf_deinit) StrBuf when = {}, who = {}, what = {};
        json_t *object = entry->record.object;
        if (!object) {
                strbuf_addf(&what, "not a record: %s line %zu: %s", entry->file, entry->line,
                            entry->why);
                table_add_row(table,
                              (const char *[]){ "?", "?", "?", "?", "broken", strbuf_text(&what) });
                return;
        }
        clock_text_add_utc(text_of(object, "t"), &when);
        audit_words_add_who(object, &who);
        const char *verb = text_of(object, "verb"), *why = text_of(object, "why");
        const char *evidence = text_of(object, "evidence");
        strbuf_add(&what, verb ? verb : audit_event_name(entry->record.event));
        CLEANUP(strbuf_deinit) StrBuf profiles = {};
        audit_words_add_profiles(object, &profiles);
        if (profiles.length > 0)
                strbuf_addf(&what, " → %s", strbuf_text(&profiles));
        if (why)
                strbuf_addf(&what, " (%s)", why);
        if (evidence)
                strbuf_addf(&what, " (%s)", evidence);
        /* the day and the minute; --verbose tells more */
        const char *short_when = arena_copy_n(
                        context->arena, strbuf_text(&when), when.length < 16 ? when.length : 16);
        table_add_row(table,
                      (const char *[]){
                                      arena_format(context->arena, "%" PRIu64, entry->record.seq),
                                      short_when,
                                      strbuf_text(&who),
                                      arena_format(context->arena, "%lld→%lld",
                                                   number_of(object, "gen", "from"),
                                                   number_of(object, "gen", "to")),
                                      audit_words_outcome(object, entry->record.event),
                                      strbuf_text(&what),
                      });
}

static int render_table(Context *context, const AuditEntry *const *entries, size_t n) {
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        static const char *const titles[] = { "#", "WHEN", "WHO", "GEN", "OUTCOME" };
        for (size_t i = 0; i < ELEMENTSOF(titles); i++)
                table_add_column(table, titles[i], i == 0 ? TABLE_COLUMN_RIGHT : 0);
        table_add_column(table, "WHAT", TABLE_COLUMN_WRAP);
        for (size_t i = 0; i < n; i++)
                add_row(context, table, entries[i]);
        return table_render(table, &context->text, &context->error);
}

static void add_escaped_line(StrBuf *out, const char *label, const char *text) {
        if (!text || *text == '\0')
                return;
        strbuf_addf(out, "  %-8s ", label);
        diag_text_add_escaped(out, text, strlen(text));
        strbuf_add_char(out, '\n');
}

static int add_key_table(Context *context, json_t *keys) {
        if (!json_is_array(keys) || json_array_size(keys) == 0)
                return 0;
        CLEANUP(table_freep) Table *table = NULL;
        int r = table_new(&table, context->out, &context->error);
        if (r < 0)
                return r;
        static const char *const titles[] = { "KEY", "BEFORE", "WANTED", "AFTER", "OUTCOME" };
        for (size_t i = 0; i < ELEMENTSOF(titles); i++)
                table_add_column(table, titles[i], 0);
        for (size_t i = 0; i < json_array_size(keys); i++) {
                json_t *key = json_array_get(keys, i);
                table_add_row(table,
                              (const char *[]){
                                              text_of(key, "k"),
                                              outcome_value_for_people(
                                                              text_of(key, "b"), context->arena),
                                              outcome_value_for_people(
                                                              text_of(key, "w"), context->arena),
                                              outcome_value_for_people(
                                                              text_of(key, "a"), context->arena),
                                              text_of(key, "o"),
                              });
        }
        return table_render(table, &context->text, &context->error);
}

static int render_one(Context *context, const AuditEntry *entry) {
        StrBuf *out = &context->text;
        json_t *object = entry->record.object;
        if (!object) {
                strbuf_addf(out, "%s line %zu is not a record:\n", entry->file, entry->line);
                add_escaped_line(out, "because", entry->why);
                return 0;
        }
        CLEANUP(strbuf_deinit) StrBuf when = {}, who = {}, profiles = {};
        clock_text_add_utc(text_of(object, "t"), &when);
        audit_words_add_who(object, &who);
        audit_words_add_profiles(object, &profiles);
        json_t *caller = json_object_get(object, "who");
        strbuf_addf(out, "Record %" PRIu64 ", %s\n", entry->record.seq, strbuf_text(&when));
        add_escaped_line(out, "who", strbuf_text(&who));
        add_escaped_line(out, "program", text_of(caller, "comm"));
        add_escaped_line(out, "unit", text_of(caller, "unit"));
        add_escaped_line(out, "verb", text_of(object, "verb"));
        add_escaped_line(out, "why", text_of(object, "why"));
        add_escaped_line(out, "adopt", text_of(object, "adopt"));
        add_escaped_line(out, "cause", text_of(object, "cause"));
        add_escaped_line(out, "saw", text_of(object, "evidence"));
        add_escaped_line(out, "profiles", strbuf_text(&profiles));
        if (json_object_get(object, "gen"))
                strbuf_addf(out, "  %-8s %lld → %lld\n", "steps", number_of(object, "gen", "from"),
                            number_of(object, "gen", "to"));
        add_escaped_line(out, "outcome", audit_words_outcome(object, entry->record.event));
        add_escaped_line(out, "tx", text_of(object, "tx"));
        return add_key_table(context, json_object_get(object, "keys"));
}

static int render_all(Context *context, const AuditEntry *const *entries, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        strbuf_add_char(&context->text, '\n');
                int r = render_one(context, entries[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

/* Records as they stand in the log; what is none, as its place. */
static int entries_to_json(Context *context, const AuditEntry *const *entries, size_t n) {
        json_t *records = json_array(), *broken = json_array();
        for (size_t i = 0; i < n; i++) {
                const AuditEntry *entry = entries[i];
                if (entry->record.object)
                        (void) json_array_append(records, entry->record.object);
                else
                        (void) json_array_append_new(
                                        broken,
                                        json_pack("{s:s, s:I, s:s}", "file", entry->file, "line",
                                                  (json_int_t) entry->line, "message", entry->why));
        }
        return context_take_result(
                        context, json_pack("{s:o, s:o}", "records", records, "broken", broken));
}

/* -------------------------------------------------------------------------------------------------------- */

/* What was asked for: the record of a number, else those that are told, and through the filters if there are any. */
typedef struct Wanted {
        uint64_t number; /* 0: not asked for */
        AuditFilter filter;
} Wanted;

static bool is_wanted(Wanted *wanted, const AuditEntry *entry) {
        json_t *record = entry->record.object;
        if (wanted->number > 0)
                return record && entry->record.seq == wanted->number;
        if (!record)
                return !wanted->filter.is_set;
        /* asked for each record, so that it knows what was enabled before */
        return audit_filter_takes(&wanted->filter, record) &&
               (!entry->record.object || audit_words_is_told(entry->record.event));
}

/* Newest first. */
static int select_entries(
                Context *context, const AuditEntries *all, Wanted *wanted, const AuditEntry ***ret,
                size_t *ret_n) {
        const AuditEntry **selected = arena_alloc_array(
                        context->arena, all->n_items + 1, sizeof(AuditEntry *));
        if (!selected)
                return -ENOMEM;
        size_t n = 0, at = all->n_items;
        for (size_t i = 0; i < all->n_items; i++)
                if (is_wanted(wanted, &all->items[i])) {
                        selected[--at] = &all->items[i];
                        n++;
                }
        uint64_t limit = context->options.limit;
        *ret = selected + at;
        *ret_n = wanted->number > 0 || limit == 0 || n < limit ? n : (size_t) limit;
        return 0;
}

static int show(Context *context, const AuditEntries *all, Wanted *wanted) {
        const AuditEntry **entries = NULL;
        size_t n = 0;
        int r = select_entries(context, all, wanted, &entries, &n);
        if (r < 0)
                return r;
        if (wanted->number > 0 && n == 0)
                return context_fail(
                                context, DIAG_UNKNOWN_GENERATION,
                                "twprofile history lists the records",
                                "there is no audit record %" PRIu64, wanted->number);
        if (context_is_json(context))
                return entries_to_json(context, entries, n);
        if (n == 0) {
                strbuf_add(&context->text, wanted->filter.is_set ? "No record is as asked for.\n"
                                                                 : "Nothing was changed yet.\n");
                return 0;
        }
        return wanted->number > 0 || context->options.verbose ? render_all(context, entries, n)
                                                              : render_table(context, entries, n);
}

static int history_on(Context *context, const Host *host, Wanted *wanted) {
        CLEANUP(audit_entries_deinit) AuditEntries all = {};
        int r = audit_reader_load(host->seam, host->root_fd, context->arena, &all, &context->error);
        if (r == -EACCES || r == -EPERM) {
                error_reset(&context->error);
                return context_fail(
                                context, DIAG_NOT_PERMITTED, "use sudo, or be in group adm",
                                "only root and the group adm may read the audit log");
        }
        return r < 0 ? r : show(context, &all, wanted);
}

static int read_number(Context *context, uint64_t *ret) {
        const char *word = context->n_args == 1 ? context->args[0] : NULL;
        if (word && (num_parse_u64(word, ret) < 0 || *ret == 0))
                return context_fail_usage(
                                context, "'%s' is no record number: twprofile history [N]", word);
        return 0;
}

static int history_run(Context *context) {
        Wanted wanted = { .number = 0 };
        int r = read_number(context, &wanted.number);
        if (r == 0)
                r = audit_filter_init(&wanted.filter, context);
        if (r != 0)
                return r;
        if ((wanted.number > 0) + wanted.filter.is_set + (context->options.diff != NULL) > 1)
                return context_fail_usage(
                                context, "a record number, filters and --diff exclude each other");
        CLEANUP(host_close) Host host = HOST_EMPTY;
        r = host_open_files(&host, context, &context->error);
        if (r < 0)
                return r;
        return context->options.diff ? history_diff_run(context, &host)
                                     : history_on(context, &host, &wanted);
}

const Command cmd_history = {
        .name = "history",
        .args = "[N]",
        .help = "Show who changed what, when and why",
        .more = "Reads the audit log, newest first; it belongs to root and the group adm. With N,\n"
                "the number in the first column, or with --verbose, every key is shown with its\n"
                "value before and after. The filters all have to hold; TIME is a date with or\n"
                "without a time, today, yesterday, or -2h. --diff=A..B compares two generations\n"
                "as they are stored, for root alone; without B, with the newest.\n",
        .group = COMMAND_GROUP_WATCH,
        .max_args = 1,
        .options = OPT_ROOT | OPT_LIMIT | OPT_VERBOSE | OPT_DIFF | OPT_FILTER,
        .run = history_run,
};

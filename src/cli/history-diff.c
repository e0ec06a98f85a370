/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/history-diff.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "record/generation-format.h"

#define GENERATIONS    "var/lib/twprofile/generations"
#define GENERATION_MAX ((size_t) 16 * 1024 * 1024)
#define NEWEST         UINT64_MAX

typedef struct HistoryDiff {
        Context *context;
        uint64_t number[2];  /* from, to */
        Generation *side[2]; /* NULL: nothing of ours */
} HistoryDiff;

static void diff_deinit(HistoryDiff *diff) {
        for (size_t i = 0; i < ELEMENTSOF(diff->side); i++)
                (void) generation_free(diff->side[i]);
}

int history_diff_parse(const char *text, uint64_t *ret_from, uint64_t *ret_to) {
        char from[24];
        const char *dots = strstr(text, "..");
        size_t n = dots ? (size_t) (dots - text) : 0;
        if (!dots || n == 0 || n >= sizeof(from))
                return -EINVAL;
        memcpy(from, text, n);
        from[n] = '\0';
        *ret_to = NEWEST;
        if (num_parse_u64(from, ret_from) < 0)
                return -EINVAL;
        return dots[2] == '\0' || num_parse_u64(dots + 2, ret_to) == 0 ? 0 : -EINVAL;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int visit_newest(void *userdata, const char *name) {
        uint64_t *newest = userdata, number = 0;
        char digits[24];
        size_t n = strcspn(name, ".");
        if (n >= sizeof(digits) || !streq(name + n, ".json"))
                return 0;
        memcpy(digits, name, n);
        digits[n] = '\0';
        if (num_parse_u64(digits, &number) == 0 && number > *newest)
                *newest = number;
        return 0;
}

static int denied(Context *context) {
        return context_fail(
                        context, DIAG_NOT_PERMITTED, "use sudo",
                        "only root may read the stored generations");
}

static int find_newest(const HistoryDiff *diff, const Host *host, uint64_t *ret) {
        Context *context = diff->context;
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        *ret = 0;
        int r = seam_open(
                        host->seam, host->root_fd, GENERATIONS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                        0, &dir);
        if (r >= 0)
                r = host->seam->ops->list(host->seam, dir.fd, visit_newest, ret);
        if (r == -ENOENT)
                return 0;
        if (r == -EACCES || r == -EPERM)
                return denied(context);
        return r < 0 ? error_set(&context->error, r, "cannot list the generations") : 0;
}

static int read_side(HistoryDiff *diff, const Host *host, size_t i) {
        Context *context = diff->context;
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        char path[sizeof(GENERATIONS) + 32];
        if (diff->number[i] == 0)
                return 0;
        (void) snprintf(path, sizeof(path), GENERATIONS "/%" PRIu64 ".json", diff->number[i]);
        int r = seam_read_file_at(host->seam, host->root_fd, path, GENERATION_MAX, &bytes, &n);
        if (r == -EACCES || r == -EPERM)
                return denied(context);
        if (r == -ENOENT)
                return context_fail(
                                context, DIAG_UNKNOWN_GENERATION,
                                "twprofile history shows their numbers",
                                "there is no generation %" PRIu64 ", or it is no longer kept",
                                diff->number[i]);
        if (r < 0)
                return error_set(
                                &context->error, r, "cannot read generation %" PRIu64,
                                diff->number[i]);
        r = generation_decode(bytes, n, &diff->side[i], &context->error);
        return r < 0 ? error_prefix(&context->error, r, "cannot read generation %" PRIu64,
                                    diff->number[i])
                     : 0;
}

/* --- comparing ------------------------------------------------------------------------------------------ */

typedef struct DiffRow {
        const char *change; /* "added", "removed", "changed" */
        const char *name, *from, *to;
} DiffRow;

typedef int (*DiffVisit)(HistoryDiff *diff, const DiffRow *row, void *userdata);

static DiffRow row_of(const char *name, const char *from, const char *to) {
        return (DiffRow){ !from ? "added" : !to ? "removed" : "changed", name, from, to };
}

static const char *value_of(const HistoryDiff *diff, const GenerationKey *key) {
        return key ? sysctl_value_to_kernel(key->spec, &key->value, diff->context->arena) : NULL;
}

static int visit_key(
                HistoryDiff *diff, const GenerationKey *from, const GenerationKey *to,
                DiffVisit visit, void *userdata) {
        assert(from || to);
        if (from && to && sysctl_value_equal(&from->value, &to->value))
                return 0;
        const char *left = value_of(diff, from), *right = value_of(diff, to);
        if ((from && !left) || (to && !right))
                return -ENOMEM;
        DiffRow row = row_of((from ? from : to)->spec->key, left, right);
        return visit(diff, &row, userdata);
}

/* Those of the first side, then what only the second has: both are sorted. */
static int visit_keys(HistoryDiff *diff, DiffVisit visit, void *userdata) {
        const Generation *a = diff->side[0], *b = diff->side[1];
        int r = 0;
        for (size_t i = 0; r == 0 && a && i < a->n_keys; i++) {
                const GenerationKey *other = b ? generation_find_key(b, a->keys[i].spec) : NULL;
                r = visit_key(diff, &a->keys[i], other, visit, userdata);
        }
        for (size_t i = 0; r == 0 && b && i < b->n_keys; i++)
                if (!a || !generation_find_key(a, b->keys[i].spec))
                        r = visit_key(diff, NULL, &b->keys[i], visit, userdata);
        return r;
}

static int visit_profile(
                HistoryDiff *diff, const GenerationProfile *from, const GenerationProfile *to,
                DiffVisit visit, void *userdata) {
        char left[SHA256_HEX_SIZE], right[SHA256_HEX_SIZE];
        assert(from || to);
        if (from && to && sha256_equal(&from->digest, &to->digest))
                return 0;
        if (from)
                sha256_to_hex(&from->digest, left);
        if (to)
                sha256_to_hex(&to->digest, right);
        DiffRow row = row_of((from ? from : to)->name, from ? left : NULL, to ? right : NULL);
        return visit(diff, &row, userdata);
}

static int visit_profiles(HistoryDiff *diff, DiffVisit visit, void *userdata) {
        const Generation *a = diff->side[0], *b = diff->side[1];
        int r = 0;
        for (size_t i = 0; r == 0 && a && i < a->n_profiles; i++) {
                const char *name = a->profiles[i].name;
                r = visit_profile(
                                diff, &a->profiles[i], b ? generation_find_profile(b, name) : NULL,
                                visit, userdata);
        }
        for (size_t i = 0; r == 0 && b && i < b->n_profiles; i++)
                if (!a || !generation_find_profile(a, b->profiles[i].name))
                        r = visit_profile(diff, NULL, &b->profiles[i], visit, userdata);
        return r;
}

/* --- telling -------------------------------------------------------------------------------------------- */

static int add_to_json(HistoryDiff *diff UNUSED, const DiffRow *row, void *userdata) {
        json_t *object = json_pack(
                        "{s:s, s:s, s:s?, s:s?}", "name", row->name, "change", row->change, "from",
                        row->from, "to", row->to);
        return json_array_append_new(userdata, object) < 0 ? -ENOMEM : 0;
}

static int to_json(HistoryDiff *diff) {
        json_auto_t *profiles = json_array(), *keys = json_array();
        if (!profiles || !keys)
                return -ENOMEM;
        int r = visit_profiles(diff, add_to_json, profiles);
        if (r == 0)
                r = visit_keys(diff, add_to_json, keys);
        if (r < 0)
                return r;
        return context_take_result(
                        diff->context,
                        json_pack("{s:{s:I, s:I, s:O, s:O}}", "diff", "from",
                                  (json_int_t) diff->number[0], "to", (json_int_t) diff->number[1],
                                  "profiles", profiles, "keys", keys));
}

static int add_profile_line(HistoryDiff *diff, const DiffRow *row, void *userdata) {
        bool *any = userdata;
        *any = true;
        strbuf_addf(&diff->context->text, "Profile %s: %s\n", row->name,
                    streq(row->change, "changed") ? "its file changed" : row->change);
        return 0;
}

static int add_key_row(HistoryDiff *diff, const DiffRow *row, void *userdata) {
        Arena *arena = diff->context->arena;
        Table **table = userdata;
        if (!*table) {
                int r = table_new(table, diff->context->out, &diff->context->error);
                if (r < 0)
                        return r;
                static const char *const titles[] = { "KEY", "FROM", "TO", "CHANGE" };
                for (size_t i = 0; i < ELEMENTSOF(titles); i++)
                        table_add_column(*table, titles[i], 0);
        }
        const char *const cells[] = {
                row->name,
                row->from ? outcome_value_for_people(row->from, arena) : NULL,
                row->to ? outcome_value_for_people(row->to, arena) : NULL,
                row->change,
        };
        table_add_row(*table, cells);
        return 0;
}

static int render(HistoryDiff *diff) {
        Context *context = diff->context;
        CLEANUP(table_freep) Table *table = NULL;
        bool any = false;
        int r = visit_profiles(diff, add_profile_line, &any);
        if (r == 0)
                r = visit_keys(diff, add_key_row, &table);
        if (r < 0)
                return r;
        if (!any && !table) {
                strbuf_addf(&context->text,
                            "Generations %" PRIu64 " and %" PRIu64 " ask for the same.\n",
                            diff->number[0], diff->number[1]);
                return 0;
        }
        if (any && table)
                strbuf_add_char(&context->text, '\n');
        return table ? table_render(table, &context->text, &context->error) : 0;
}

int history_diff_run(Context *context, const Host *host) {
        CLEANUP(diff_deinit) HistoryDiff diff = { .context = context };
        if (history_diff_parse(context->options.diff, &diff.number[0], &diff.number[1]) < 0)
                return context_fail_usage(
                                context,
                                "'%s' names no two generations: use --diff=3..5, or --diff=3.. up to the newest",
                                context->options.diff);
        int r = diff.number[1] == NEWEST ? find_newest(&diff, host, &diff.number[1]) : 0;
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(diff.side); i++)
                r = read_side(&diff, host, i);
        if (r != 0)
                return r;
        return context_is_json(context) ? to_json(&diff) : render(&diff);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-field-files.h"

#include <dirent.h>
#include <fcntl.h>

#include "cli/input.h"
#include "model/sysctl-conf.h"

#define FILES_MAX  64U
#define FILE_BYTES ((size_t) 256 * 1024)
#define SUFFIX     ".conf"

/* --- which files ---------------------------------------------------------------------------------------- */

typedef struct Names {
        const char *items[FILES_MAX];
        size_t n_items;
} Names;

static void close_dir(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Of a folder, sorted. 0 or <0. */
static int list_folder(Arena *arena, const char *folder, Names *ret) {
        CLEANUP(close_dir) DIR *dir = opendir(folder);
        if (!dir)
                return -errno;
        const struct dirent *entry = NULL;
        while (ret->n_items < FILES_MAX && (entry = readdir(dir)) != NULL) {
                if (entry->d_name[0] == '.' || !endswith(entry->d_name, SUFFIX))
                        continue;
                const char *path = arena_format(arena, "%s/%s", folder, entry->d_name);
                if (!path)
                        return -ENOMEM;
                ret->items[ret->n_items++] = path;
        }
        if (ret->n_items > 0)
                qsort(ret->items, ret->n_items, sizeof(ret->items[0]), compare_names);
        return 0;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

/* "a": the file whose name begins with "a-". */
static const char *find_letter(const Names *folder, const char *word) {
        for (size_t i = 0; i < folder->n_items; i++) {
                const char *rest = startswith(base_name(folder->items[i]), word);
                if (rest && *rest == '-')
                        return folder->items[i];
        }
        return NULL;
}

static bool is_path(const char *word) {
        return strchr(word, '/') || endswith(word, SUFFIX);
}

static int choose_one(Context *context, const Names *folder, const char *word, Names *ret) {
        const char *path = is_path(word) ? word : find_letter(folder, word);
        if (!path)
                return context_fail(
                                context, DIAG_UNKNOWN_PROFILE, "a path, or a, b, c or d",
                                "there is no list '%s' of the field", word);
        if (ret->n_items == FILES_MAX)
                return context_fail_usage(context, "--field takes at most %u files", FILES_MAX);
        ret->items[ret->n_items++] = path;
        return 0;
}

static int choose(Context *context, const char *folder, Names *ret) {
        Names installed = {};
        bool needs_folder = context->n_args == 0;
        for (size_t i = 0; i < context->n_args; i++)
                needs_folder = needs_folder || !is_path(context->args[i]);
        int r = needs_folder ? list_folder(context->arena, folder, &installed) : 0;
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot list '%s'", folder);
        if (r < 0)
                return context_fail(
                                context, DIAG_UNKNOWN_PROFILE, "name the files by their paths",
                                "cannot read '%s', where the lists of the field are installed: %s",
                                folder, strerror(-r));
        if (context->n_args == 0)
                *ret = installed;
        for (size_t i = 0; r == 0 && i < context->n_args; i++)
                r = choose_one(context, &installed, context->args[i], ret);
        return r;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int add_stray(
                Context *context, FieldFiles *files, const FieldFile *file, uint32_t line,
                const char *text) {
        FieldStray *strays = arena_alloc_array(
                        context->arena, files->n_strays + 1, sizeof(FieldStray));
        if (!strays || !text)
                return error_set(&context->error, -ENOMEM, "cannot read '%s'", file->path);
        if (files->n_strays > 0)
                memcpy(strays, files->strays, files->n_strays * sizeof(FieldStray));
        strays[files->n_strays++] = (FieldStray){ { file->name, line }, text };
        files->strays = strays;
        (void) diag_add(context->findings, DIAG_FIELD_LINE_UNCOVERED, (Span){},
                        "%s:%u: %s: nothing known is about it, and it was not tried", file->name,
                        line, text);
        return 0;
}

static bool has_claim(const FieldFile *file, const char *key) {
        for (size_t i = 0; i < field_claim_count(); i++)
                if (field_claim_is_about(field_claim_get(i), file->name, key))
                        return true;
        return false;
}

/* As in a file of sysctl.d the last assignment wins. */
static void add_setting(FieldFile *file, const SysctlSpec *spec, const SysctlAssignment *line) {
        size_t at = file->n_settings;
        for (size_t i = 0; i < file->n_settings; i++)
                if (file->settings[i].spec == spec)
                        at = i;
        file->settings[at] = (LabSetting){ spec, line->value };
        file->lines[at] = line->line;
        file->n_settings += at == file->n_settings;
}

static int take_line(
                Context *context, FieldFiles *files, FieldFile *file,
                const SysctlAssignment *line) {
        const SysctlSpec *spec = line->glob || line->exclusion ? NULL : catalogue_find(line->key);
        if (spec && has_claim(file, spec->key)) {
                add_setting(file, spec, line);
                return 0;
        }
        return add_stray(
                        context, files, file, line->line,
                        line->exclusion ? arena_format(context->arena, "-%s", line->key)
                                        : arena_format(context->arena, "%s = %s", line->key,
                                                       line->value));
}

static int parse_file(Context *context, const StrBuf *bytes, FieldFiles *files, FieldFile *file) {
        Arena *arena = context->arena;
        SysctlConf conf = {};
        const char *copy = arena_copy_n(arena, strbuf_text(bytes), bytes->length);
        int r = copy ? sysctl_conf_parse(copy, bytes->length, arena, &conf) : -ENOMEM;
        file->settings = arena_alloc_array(arena, conf.n_items + 1, sizeof(LabSetting));
        file->lines = arena_alloc_array(arena, conf.n_items + 1, sizeof(uint32_t));
        if (r < 0 || !file->settings || !file->lines)
                return error_set(&context->error, -ENOMEM, "cannot read '%s'", file->path);
        for (size_t i = 0; r == 0 && i < conf.n_items; i++)
                r = take_line(context, files, file, &conf.items[i]);
        if (r == 0 && conf.bad_line > 0)
                r = add_stray(context, files, file, conf.bad_line, "no line of sysctl.d");
        return r;
}

static int read_file(Context *context, FieldFiles *files, FieldFile *file) {
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = input_read(file->path, O_CLOEXEC, FILE_BYTES, &bytes);
        if (r == 0 && bytes.length > FILE_BYTES)
                r = -EFBIG;
        if (r == 0)
                return parse_file(context, &bytes, files, file);
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot read '%s'", file->path);
        if (r == -ENOENT)
                return context_fail(
                                context, DIAG_UNKNOWN_PROFILE, NULL, "there is no file '%s'",
                                file->path);
        return context_fail(
                        context, DIAG_PROFILE_FILE_UNREADABLE, NULL, "cannot read '%s': %s",
                        file->path, strerror(-r));
}

int lab_field_files_read(Context *context, const char *folder, FieldFiles *ret) {
        *ret = (FieldFiles){};
        Names names = {};
        int r = choose(context, folder, &names);
        if (r != 0)
                return r;
        ret->items = arena_alloc_array(context->arena, names.n_items + 1, sizeof(FieldFile));
        if (!ret->items)
                return error_set(&context->error, -ENOMEM, "cannot read the lists of the field");
        for (size_t i = 0; r == 0 && i < names.n_items; i++) {
                FieldFile *file = &ret->items[ret->n_items++];
                file->path = names.items[i];
                file->name = base_name(file->path);
                r = read_file(context, ret, file);
        }
        return r;
}

/* --- claims --------------------------------------------------------------------------------------------- */

typedef struct Matching {
        FieldCase *cases;
        size_t n_cases, n_max;
} Matching;

static bool is_same(const FieldCase *one, const FieldClaim *claim, const LabSetting *line) {
        return one->claim == claim && (one->line == NULL) == (line == NULL) &&
               (!line || streq(one->line->text, line->text));
}

/* What is said of a whole file, and what is tried with all of its lines, is its own case. */
static bool is_of_file(const FieldClaim *claim) {
        for (size_t i = 0; i < claim->n_trials; i++)
                if (claim->trials[i].with == FIELD_WITH_FILE ||
                    claim->trials[i].with == FIELD_WITH_LATE)
                        return true;
        return false;
}

static void match(Matching *m, const FieldClaim *claim, const LabSetting *line, FieldPlace place) {
        FieldCase *one = NULL;
        for (size_t i = 0; i < m->n_cases && !is_of_file(claim); i++)
                if (is_same(&m->cases[i], claim, line))
                        one = &m->cases[i];
        if (!one) {
                assert(m->n_cases < m->n_max);
                one = &m->cases[m->n_cases++];
                *one = (FieldCase){ .claim = claim, .line = line };
        }
        if (one->n_places < FIELD_PLACES_MAX)
                one->places[one->n_places++] = place;
}

static void match_claim(const FieldFiles *files, const FieldClaim *claim, Matching *m) {
        for (size_t f = 0; f < files->n_items; f++) {
                const FieldFile *file = &files->items[f];
                if (!claim->key && field_claim_is_about(claim, file->name, NULL))
                        match(m, claim, NULL, (FieldPlace){ file->name, 0 });
                for (size_t i = 0; claim->key && i < file->n_settings; i++)
                        if (field_claim_is_about(claim, file->name, file->settings[i].spec->key))
                                match(m, claim, &file->settings[i],
                                      (FieldPlace){ file->name, file->lines[i] });
        }
}

int lab_field_files_match(
                Context *context, const FieldFiles *files, FieldCase **ret, size_t *ret_n) {
        size_t n_lines = 1;
        for (size_t i = 0; i < files->n_items; i++)
                n_lines += files->items[i].n_settings + 1;
        Matching m = { .n_max = n_lines * field_claim_count() };
        m.cases = arena_alloc_array(context->arena, m.n_max, sizeof(FieldCase));
        if (!m.cases)
                return error_set(&context->error, -ENOMEM, "cannot find the claims");
        for (size_t i = 0; i < field_claim_count(); i++)
                match_claim(files, field_claim_get(i), &m);
        *ret = m.cases;
        *ret_n = m.n_cases;
        return 0;
}

const FieldFile *lab_field_files_of(const FieldFiles *files, const FieldCase *one) {
        for (size_t i = 0; i < files->n_items; i++)
                if (streq(files->items[i].name, one->places[0].file))
                        return &files->items[i];
        return &files->items[0];
}

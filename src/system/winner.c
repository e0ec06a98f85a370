/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/winner.h"

#include "model/procps-conf.h"
#include "model/sysctl-glob.h"

#define KEY_MAX 512U

/* One line as one tool takes it. */
typedef struct Entry {
        const SysctlAssignment *item; /* of the last line that says so */
        const char *file;
        size_t position; /* in the order of the writes */
        bool dash;
} Entry;

/* What one tool does with all files together. */
typedef struct Order {
        Entry *entries; /* as read; position is the index */
        size_t n_entries, capacity;
        Entry *named; /* by path, then position; for systemd-sysctl one for each path, exclusions too */
        size_t n_named;
        Entry *shields; /* by literal path: what keeps a pattern off the key */
        size_t n_shields;
        Entry *globs; /* by position */
        size_t n_globs;
} Order;

struct WinnerFiles {
        Order orders[WINNER_TOOLS];
        WinnerFlaw *flaws;
        size_t n_flaws, flaws_capacity;
};

typedef struct Reader {
        WinnerFiles *files;
        Arena *arena;
        size_t budget;
} Reader;

static int add_flaw(Reader *reader, const char *path, uint32_t line, int error) {
        WinnerFiles *files = reader->files;
        if (files->n_flaws == files->flaws_capacity) {
                size_t capacity = files->flaws_capacity ? files->flaws_capacity * 2 : 16;
                WinnerFlaw *flaws = arena_alloc_array(reader->arena, capacity, sizeof(WinnerFlaw));
                if (!flaws)
                        return -ENOMEM;
                if (files->n_flaws > 0)
                        memcpy(flaws, files->flaws, files->n_flaws * sizeof(WinnerFlaw));
                files->flaws = flaws;
                files->flaws_capacity = capacity;
        }
        files->flaws[files->n_flaws++] = (WinnerFlaw){ path, line, error };
        return 0;
}

static int order_append(Order *order, const char *path, const SysctlConf *conf, Arena *arena) {
        if (order->capacity - order->n_entries < conf->n_items) {
                size_t capacity = (order->n_entries + conf->n_items) * 2;
                Entry *entries = arena_alloc_array(arena, capacity, sizeof(Entry));
                if (!entries)
                        return -ENOMEM;
                if (order->n_entries > 0)
                        memcpy(entries, order->entries, order->n_entries * sizeof(Entry));
                order->entries = entries;
                order->capacity = capacity;
        }
        for (size_t i = 0; i < conf->n_items; i++) {
                order->entries[order->n_entries] = (Entry){
                        .item = &conf->items[i],
                        .file = path,
                        .position = order->n_entries,
                        .dash = conf->items[i].dash,
                };
                order->n_entries++;
        }
        return 0;
}

static uint32_t find_doubtful_line(const SysctlConf *conf) {
        for (size_t i = 0; i < conf->n_items; i++) {
                const SysctlAssignment *item = &conf->items[i];
                /* procps honours a pattern that excludes from 4.0.5 on. */
                if ((item->exclusion && item->glob) || strstr(item->literal, ".."))
                        return item->line;
        }
        return 0;
}

/* One tool's reading of one file. A flaw is told once for both tools, by the caller's `told`. */
static int read_text(Reader *reader, WinnerTool tool, const SysctlFile *file, uint32_t *told) {
        SysctlConf conf;
        int r = tool == WINNER_SYSTEMD
                                ? sysctl_conf_parse(file->text, file->length, reader->arena, &conf)
                                : procps_conf_parse(file->text, file->length, reader->arena, &conf);
        if (r < 0)
                return r;

        const uint32_t lines[] = { conf.bad_line, find_doubtful_line(&conf) };
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                if (lines[i] == 0 || lines[i] == told[0] || lines[i] == told[1])
                        continue;
                told[i] = lines[i];
                r = add_flaw(reader, file->path, lines[i], 0);
                if (r < 0)
                        return r;
        }
        return order_append(&reader->files->orders[tool], file->path, &conf, reader->arena);
}

static int read_file(Reader *reader, const SysctlFile *file, bool by_systemd, bool by_procps) {
        uint32_t told[2] = { 0, 0 };
        int r = 0;

        /* A link that leads nowhere is an empty file to both. */
        if (file->error != 0 && file->error != ENOENT)
                r = add_flaw(reader, file->path, 0, file->error);
        /* procps takes the name for a pattern of names. */
        if (r >= 0 && by_procps && file->name && strpbrk(file->name, "*?[{\\"))
                r = add_flaw(reader, file->path, 0, 0);
        if (r >= 0 && by_systemd)
                r = read_text(reader, WINNER_SYSTEMD, file, told);
        if (r >= 0 && by_procps)
                r = read_text(reader, WINNER_PROCPS, file, told);
        return r;
}

static int read_directories(
                Reader *reader, const Seam *seam, int root_fd, const char *as_fragment,
                Error *reterr) {
        SysctlDirs dirs;
        int r = sysctl_dirs_read(seam, root_fd, as_fragment, reader->arena, &dirs, reterr);
        if (r < 0)
                return r;
        if (dirs.denied) {
                r = add_flaw(reader, dirs.denied, 0, dirs.denied_error);
                if (r < 0)
                        return error_set(reterr, r, "cannot read the files of sysctl.d");
        }
        for (size_t i = 0; i < dirs.n_files; i++) {
                r = read_file(reader, &dirs.files[i], !dirs.files[i].is_hidden, true);
                if (r < 0)
                        return error_set(reterr, r, "cannot read '%s'", dirs.files[i].path);
        }
        return 0;
}

/* procps reads it last of all; systemd-sysctl only by a link in a directory. */
static int read_sysctl_conf(Reader *reader, const Seam *seam, int root_fd, Error *reterr) {
        SysctlFile file = { .path = "/etc/sysctl.conf", .text = "" };
        int r = sysctl_file_read(seam, root_fd, reader->arena, &reader->budget, &file);
        if (file.error == EISDIR || file.error == EINVAL)
                file.error = 0; /* it wants a regular file */
        if (r >= 0)
                r = read_file(reader, &file, /* by_systemd= */ false, /* by_procps= */ true);
        return r < 0 ? error_set(reterr, r, "cannot read '%s'", file.path) : 0;
}

/* Where the service manager looks for a credential that a unit names without a path, in its order (systemd.exec(5)); last what
 * the service was given, which is a copy of one of them or comes from a drop-in. */
static int read_credential(Reader *reader, const Seam *seam, int root_fd, Error *reterr) {
        static const char *const places[] = {
                "/run/credentials/@system/sysctl.extra",
                "/etc/credstore/sysctl.extra",
                "/run/credstore/sysctl.extra",
                "/usr/local/lib/credstore/sysctl.extra",
                "/usr/lib/credstore/sysctl.extra",
                "/run/credentials/systemd-sysctl.service/sysctl.extra",
        };
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                SysctlFile file = { .path = places[i], .text = "" };
                int r = sysctl_file_read(seam, root_fd, reader->arena, &reader->budget, &file);
                bool is_there = r >= 0 && file.error == 0;
                if (is_there)
                        file.path = "credential sysctl.extra";
                if (r >= 0)
                        r = read_file(reader, &file, /* by_systemd= */ true,
                                      /* by_procps= */ false);
                if (r < 0)
                        return error_set(reterr, r, "cannot read '%s'", places[i]);
                if (is_there)
                        break;
        }
        return 0;
}

static int compare_positions(const Entry *a, const Entry *b) {
        return (a->position > b->position) - (a->position < b->position);
}

static int compare_paths(const void *a, const void *b) {
        const Entry *x = a, *y = b;
        int order = strcmp(x->item->path, y->item->path);
        return order != 0 ? order : compare_positions(x, y);
}

static int compare_literals(const void *a, const void *b) {
        const Entry *x = a, *y = b;
        return strcmp(x->item->literal, y->item->literal);
}

static int compare_entries(const void *a, const void *b) {
        return compare_positions(a, b);
}

static void sort_entries(Entry *entries, size_t n, int (*compare)(const void *, const void *)) {
        if (n > 1)
                qsort(entries, n, sizeof(Entry), compare);
}

/* systemd-sysctl keeps one entry for each key, patterns and exclusions among them: a line with another value takes the
 * place of the earlier one and goes to the end, a line with the same value changes nothing but the dash. */
static void fold_as_systemd(Order *order) {
        sort_entries(order->entries, order->n_entries, compare_paths);
        for (size_t i = 0; i < order->n_entries; i++) {
                const Entry *entry = &order->entries[i];
                if (i == 0 || !streq(entry->item->path, order->entries[i - 1].item->path)) {
                        order->named[order->n_named++] = *entry;
                        continue;
                }
                Entry *last = &order->named[order->n_named - 1];
                bool is_same = streq_null(last->item->value, entry->item->value);
                *last = (Entry){
                        .item = entry->item,
                        .file = entry->file,
                        .position = is_same ? last->position : entry->position,
                        .dash = entry->dash || (is_same && last->dash),
                };
        }

        /* Patterns do not hide anything, and excluded ones do nothing. */
        size_t n = 0;
        for (size_t i = 0; i < order->n_named; i++) {
                const Entry entry = order->named[i];
                if (!entry.item->glob)
                        order->named[n++] = entry;
                else if (!entry.item->exclusion)
                        order->globs[order->n_globs++] = entry;
        }
        order->n_named = n;
        sort_entries(order->globs, order->n_globs, compare_entries);
}

/* procps writes every line in turn; whatever is named, excluded or not, is hidden from patterns. */
static void fold_as_procps(Order *order) {
        for (size_t i = 0; i < order->n_entries; i++) {
                const Entry *entry = &order->entries[i];
                if (!entry->item->glob)
                        order->shields[order->n_shields++] = *entry;
                if (entry->item->exclusion || entry->item->path[0] == '\0')
                        continue;
                if (entry->item->glob)
                        order->globs[order->n_globs++] = *entry;
                else
                        order->named[order->n_named++] = *entry;
        }
        sort_entries(order->named, order->n_named, compare_paths);
        sort_entries(order->shields, order->n_shields, compare_literals);
}

static int order_fold(Order *order, WinnerTool tool, Arena *arena) {
        order->named = arena_alloc_array(arena, order->n_entries + 1, sizeof(Entry));
        order->shields = arena_alloc_array(arena, order->n_entries + 1, sizeof(Entry));
        order->globs = arena_alloc_array(arena, order->n_entries + 1, sizeof(Entry));
        if (!order->named || !order->shields || !order->globs)
                return -ENOMEM;
        if (tool == WINNER_SYSTEMD)
                fold_as_systemd(order);
        else
                fold_as_procps(order);
        return 0;
}

int winner_files_read(
                const Seam *seam, int root_fd, const char *as_fragment, Arena *arena,
                const WinnerFiles **ret, Error *reterr) {
        WinnerFiles *files = arena_alloc(arena, sizeof(WinnerFiles));
        Reader reader = { .files = files, .arena = arena, .budget = 2 * SYSCTL_FILE_MAX };
        if (!files)
                return error_set(reterr, -ENOMEM, "cannot read the files of sysctl.d");

        int r = read_directories(&reader, seam, root_fd, as_fragment, reterr);
        if (r >= 0)
                r = read_sysctl_conf(&reader, seam, root_fd, reterr);
        if (r >= 0)
                r = read_credential(&reader, seam, root_fd, reterr);
        if (r < 0)
                return r;

        for (WinnerTool tool = 0; tool < WINNER_TOOLS; tool++) {
                r = order_fold(&files->orders[tool], tool, arena);
                if (r < 0)
                        return error_set(reterr, r, "cannot read the files of sysctl.d");
        }
        *ret = files;
        return 0;
}

/* How many of the sorted entries come before `text`; `by_literal` as sorted. */
static size_t lower_bound(const Entry *entries, size_t n, const char *text, bool by_literal) {
        size_t low = 0;
        while (low < n) {
                size_t middle = low + (n - low) / 2;
                const SysctlAssignment *item = entries[middle].item;
                if (strcmp(by_literal ? item->literal : item->path, text) < 0)
                        low = middle + 1;
                else
                        n = middle;
        }
        return low;
}

/* What glob(3) makes of the pattern for this key: its own separators, the key's names. False when it does not fit. */
static bool expand(const char *literal, const char *path, char ret[static KEY_MAX]) {
        size_t n = 0;
        while (*literal) {
                size_t part = strcspn(literal, "/");
                bool is_name = part > 0 && !(part == 1 && *literal == '.');
                size_t length = is_name ? strcspn(path, "/") : part;
                if (n + length + 2 > KEY_MAX)
                        return false;
                memcpy(ret + n, is_name ? path : literal, length);
                n += length;
                if (is_name)
                        path += length + (path[length] == '/');
                literal += part;
                if (*literal == '/')
                        ret[n++] = *literal++;
        }
        while (n > 0 && ret[n - 1] == '/')
                n--;
        ret[n] = '\0';
        return true;
}

static bool is_shielded(const Order *order, const Entry *glob, const char *path) {
        char expanded[KEY_MAX];
        if (order->n_shields == 0 || !expand(glob->item->literal, path, expanded))
                return false;
        size_t i = lower_bound(order->shields, order->n_shields, expanded, /* by_literal= */ true);
        return i < order->n_shields && streq(order->shields[i].item->literal, expanded);
}

/* The last write of the key before that position, or NULL. */
static const Entry *find_before(
                const WinnerFiles *files, WinnerTool tool, const char *path, size_t before) {
        const Order *order = &files->orders[tool];
        const Entry *found = NULL;

        for (size_t i = lower_bound(order->named, order->n_named, path, /* by_literal= */ false);
             i < order->n_named && streq(order->named[i].item->path, path); i++) {
                if (tool == WINNER_SYSTEMD)
                        return order->named[i].item->exclusion || order->named[i].position >= before
                                               ? NULL
                                               : &order->named[i];
                if (order->named[i].position < before)
                        found = &order->named[i];
        }

        for (size_t i = order->n_globs; i > 0; i--) {
                const Entry *glob = &order->globs[i - 1];
                if (glob->position >= before)
                        continue;
                if (found && found->position > glob->position)
                        break;
                if (sysctl_glob_match(glob->item->path, path) && !is_shielded(order, glob, path))
                        return glob;
        }
        return found;
}

static Winner winner_of(const Entry *entry) {
        if (!entry)
                return (Winner){ 0 };
        return (Winner){
                .path = entry->file,
                .line = entry->item->line,
                .value = entry->item->value,
                .glob = entry->item->glob,
                .ignored = entry->dash,
        };
}

void winner_find(const WinnerFiles *files, WinnerTool tool, const char *path, Winner *ret) {
        *ret = winner_of(find_before(files, tool, path, SIZE_MAX));
}

/* What the kernel does with one write: 1 it takes the value, 0 it refuses, 2 it may have taken a part; <0. */
static int judge_write(const SysctlSpec *spec, const char *text, Arena *arena, SysctlValue *ret) {
        int r = sysctl_value_from_written(spec, text, strlen(text), arena, ret);
        if (r == -ENOMEM)
                return r;
        /* Numbers in front of a wrong one or without the rest. */
        if (r < 0)
                return spec->n_values > 1 && text[0] != '\0' ? 2 : 0;

        switch (sysctl_value_check(spec, ret, /* ret_index= */ NULL)) {
        case SYSCTL_FAULT_NONE:
        case SYSCTL_FAULT_BELOW_SANE:
        case SYSCTL_FAULT_ABOVE_SANE:
                return 1;
        case SYSCTL_FAULT_COUNT:
        case SYSCTL_FAULT_BELOW_KERNEL:
        case SYSCTL_FAULT_ABOVE_KERNEL:
        case SYSCTL_FAULT_NOT_A_CHOICE:
        case SYSCTL_FAULT_NOT_ASCENDING:
        case SYSCTL_FAULT_TOO_LONG:
        default:
                return spec->n_values > 1 ? 2 : 0;
        }
}

int winner_predict(
                const WinnerFiles *files, WinnerTool tool, const SysctlSpec *spec, Arena *arena,
                WinnerPrediction *ret) {
        WinnerPrediction prediction = { .effect = WINNER_EFFECT_NONE };
        size_t before = SIZE_MAX;

        for (;;) {
                const Entry *entry = find_before(files, tool, spec->path, before);
                if (!entry)
                        break;
                int r = judge_write(spec, entry->item->value, arena, &prediction.value);
                if (r < 0)
                        return r;
                if (r > 0) {
                        prediction.effect = r == 1 ? WINNER_EFFECT_SET : WINNER_EFFECT_UNKNOWN;
                        prediction.by = winner_of(entry);
                        break;
                }
                if (!prediction.refused.path)
                        prediction.refused = winner_of(entry);
                before = entry->position;
        }
        *ret = prediction;
        return 0;
}

size_t winner_count_flaws(const WinnerFiles *files) {
        return files->n_flaws;
}

const WinnerFlaw *winner_get_flaw(const WinnerFiles *files, size_t i) {
        assert(i < files->n_flaws);
        return &files->flaws[i];
}

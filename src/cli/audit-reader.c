/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-reader.h"

#include <fcntl.h>

#include "base/num.h"

#define LOG_DIR        "var/log/twprofile"
#define FILE_MAX_BYTES ((size_t) 256 * 1024 * 1024)

typedef struct LogFile {
        const char *name;
        uint64_t first_seq;
} LogFile;

typedef struct LogFiles {
        Arena *arena;
        LogFile *items;
        size_t n_items, capacity;
} LogFiles;

void audit_entries_deinit(AuditEntries *entries) {
        for (size_t i = 0; i < entries->n_items; i++)
                json_decref(entries->items[i].record.object);
        free(entries->items);
        *entries = (AuditEntries){};
}

/* audit-<first seq>.ndjson; false for other names. */
static bool parse_name(const char *name, uint64_t *ret) {
        const char *number = startswith(name, "audit-");
        if (!number || !endswith(number, ".ndjson"))
                return false;
        char digits[32];
        size_t n = strlen(number) - strlen(".ndjson");
        if (n == 0 || n >= sizeof(digits))
                return false;
        memcpy(digits, number, n);
        digits[n] = '\0';
        const char *significant = digits; /* the name may be padded for sorting */
        while (significant[0] == '0' && significant[1] != '\0')
                significant++;
        return num_parse_u64(significant, ret) == 0;
}

static int visit(void *userdata, const char *name) {
        LogFiles *files = userdata;
        uint64_t seq = 0;
        if (!parse_name(name, &seq))
                return 0;
        if (files->n_items == files->capacity) {
                size_t capacity = files->capacity > 0 ? files->capacity * 2 : 8;
                LogFile *items = realloc(files->items, capacity * sizeof(LogFile));
                if (!items)
                        return -ENOMEM;
                files->items = items;
                files->capacity = capacity;
        }
        const char *copy = arena_copy(files->arena, name);
        if (!copy)
                return -ENOMEM;
        files->items[files->n_items++] = (LogFile){ .name = copy, .first_seq = seq };
        return 0;
}

static int compare_files(const void *a, const void *b) {
        const LogFile *left = a, *right = b;
        return left->first_seq < right->first_seq ? -1 : left->first_seq > right->first_seq;
}

static int add_entry(AuditEntries *entries, AuditEntry entry) {
        if (entries->n_items == entries->capacity) {
                size_t capacity = entries->capacity > 0 ? entries->capacity * 2 : 64;
                AuditEntry *items = realloc(entries->items, capacity * sizeof(AuditEntry));
                if (!items)
                        return -ENOMEM;
                entries->items = items;
                entries->capacity = capacity;
        }
        entries->items[entries->n_items++] = entry;
        return 0;
}

static int add_line(
                AuditEntries *entries, const char *file, size_t number, const char *bytes, size_t n,
                Arena *arena) {
        AuditEntry entry = { .file = file, .line = number };
        Error error = {};
        int r = audit_line_decode(bytes, n, &entry.record, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                entry.record = (AuditLine){};
                entry.why = arena_copy(arena, error_is_set(&error) ? error.text : "not a record");
                if (!entry.why)
                        return -ENOMEM;
        }
        r = add_entry(entries, entry);
        if (r < 0)
                json_decref(entry.record.object);
        return r;
}

static int load_file(
                const Seam *seam, int dir_fd, const char *name, Arena *arena, AuditEntries *entries,
                Error *reterr) {
        cleanup_free char *bytes = NULL;
        size_t n = 0, number = 0;
        int r = seam_read_file_at(seam, dir_fd, name, FILE_MAX_BYTES, &bytes, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot read the audit log '/" LOG_DIR "/%s'", name);
        for (const char *line = bytes, *end = bytes + n; line < end;) {
                const char *newline = memchr(line, '\n', (size_t) (end - line));
                const char *stop = newline ? newline : end;
                r = add_line(entries, name, ++number, line, (size_t) (stop - line), arena);
                if (r < 0)
                        return error_set(reterr, r, "cannot read the audit log");
                line = stop + 1;
        }
        return 0;
}

static void files_deinit(LogFiles *files) {
        free(files->items);
}

int audit_reader_load(
                const Seam *seam, int root_fd, Arena *arena, AuditEntries *ret, Error *reterr) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(seam, root_fd, LOG_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &dir);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(reterr, r, "cannot open the audit log '/" LOG_DIR "'");
        CLEANUP(files_deinit) LogFiles files = { .arena = arena };
        r = seam->ops->list(seam, dir.fd, visit, &files);
        if (r < 0)
                return error_set(reterr, r, "cannot list the audit log '/" LOG_DIR "'");
        if (files.n_items > 0)
                qsort(files.items, files.n_items, sizeof(LogFile), compare_files);
        for (size_t i = 0; i < files.n_items; i++) {
                r = load_file(seam, dir.fd, files.items[i].name, arena, ret, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-files.h"

#include <fcntl.h>

#include "base/num.h"

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

typedef struct Walk {
        const Seam *seam;
        int dir_fd;
        AuditFilesVisit visit;
        void *userdata;
} Walk;

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

static int visit_name(void *userdata, const char *name) {
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

static int walk_lines(
                const Walk *walk, AuditFileLine line, const char *bytes, size_t n, Error *reterr) {
        int r = walk->visit(walk->userdata, &line, reterr);
        for (const char *end = bytes + n; r >= 0 && bytes < end;) {
                const char *newline = memchr(bytes, '\n', (size_t) (end - bytes));
                const char *stop = newline ? newline : end;
                line.number++;
                line.bytes = bytes;
                line.n = (size_t) (stop - bytes);
                line.has_newline = newline != NULL;
                r = walk->visit(walk->userdata, &line, reterr);
                bytes = stop + 1;
        }
        return r;
}

static int walk_file(const Walk *walk, const LogFile *file, Error *reterr) {
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        int r = seam_read_file_at(walk->seam, walk->dir_fd, file->name, FILE_MAX_BYTES, &bytes, &n);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(
                                reterr, r, "cannot read the audit log '/" AUDIT_FILES_DIR "/%s'",
                                file->name);
        AuditFileLine line = { .file = file->name, .first = file->first_seq };
        return walk_lines(walk, line, bytes, n, reterr);
}

static void files_deinit(LogFiles *files) {
        free(files->items);
}

int audit_files_walk(
                const Seam *seam, int root_fd, Arena *arena, AuditFilesVisit visit_line,
                void *userdata, Error *reterr) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(
                        seam, root_fd, AUDIT_FILES_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                        &dir);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(reterr, r, "cannot open the audit log '/" AUDIT_FILES_DIR "'");
        CLEANUP(files_deinit) LogFiles files = { .arena = arena };
        r = seam->ops->list(seam, dir.fd, visit_name, &files);
        if (r < 0)
                return error_set(reterr, r, "cannot list the audit log '/" AUDIT_FILES_DIR "'");
        if (files.n_items > 0)
                qsort(files.items, files.n_items, sizeof(LogFile), compare_files);
        Walk walk = { .seam = seam, .dir_fd = dir.fd, .visit = visit_line, .userdata = userdata };
        for (size_t i = 0; i < files.n_items; i++) {
                r = walk_file(&walk, &files.items[i], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

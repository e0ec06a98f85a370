/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-log-files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "engine/paths.h"
#include "record/audit-line.h"

#define AUDIT_PREFIX     "audit-"
#define AUDIT_SUFFIX     ".ndjson"
#define AUDIT_TAIL_BYTES ((size_t) 8 * AUDIT_LINE_MAX)

/* --- names ------------------------------------------------------------------------------------------------------ */

void audit_files_name(uint64_t first, char ret[static AUDIT_FILE_NAME_SIZE]) {
        (void) snprintf(ret, AUDIT_FILE_NAME_SIZE, AUDIT_PREFIX "%" PRIu64 AUDIT_SUFFIX, first);
}

void audit_files_deinit(AuditFiles *files) {
        free(files->first);
        *files = (AuditFiles){ 0 };
}

static bool audit_files_parse(const char *name, uint64_t *ret) {
        const char *rest = startswith(name, AUDIT_PREFIX);
        char digits[AUDIT_FILE_NAME_SIZE], canonical[AUDIT_FILE_NAME_SIZE];
        size_t n = rest ? strspn(rest, "0123456789") : 0;
        if (n == 0 || n >= sizeof(digits))
                return false;
        memcpy(digits, rest, n);
        digits[n] = '\0';
        if (num_parse_u64(digits, ret) < 0 || *ret == 0)
                return false;
        audit_files_name(*ret, canonical);
        return streq(name, canonical);
}

static int audit_files_visit(void *userdata, const char *name) {
        AuditFiles *files = userdata;
        uint64_t first;
        if (!audit_files_parse(name, &first))
                return 0;

        if (files->n == files->allocated) {
                size_t allocated = files->allocated == 0 ? 32 : 2 * files->allocated;
                uint64_t *grown = reallocarray(files->first, allocated, sizeof(uint64_t));
                if (!grown)
                        return -ENOMEM;
                files->first = grown;
                files->allocated = allocated;
        }
        files->first[files->n++] = first;
        return 0;
}

static int audit_files_compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
        return x < y ? -1 : x > y;
}

int audit_files_list(const SeamFd *dir, AuditFiles *ret) {
        CLEANUP(audit_files_deinit) AuditFiles files = { 0 };
        int r = dir->seam->ops->list(dir->seam, dir->fd, audit_files_visit, &files);
        if (r < 0)
                return r;
        if (files.n > 0)
                qsort(files.first, files.n, sizeof(uint64_t), audit_files_compare);
        *ret = files;
        files = (AuditFiles){ 0 };
        return 0;
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

int audit_files_open_dir(const Seam *seam, int root_fd, SeamFd *ret, Error *reterr) {
        int r = seam_open_dir(seam, root_fd, ENGINE_LOG_DIR, ENGINE_LOG_MODE, ret);
        return r < 0 ? error_set(reterr, r, "cannot open '/%s'", ENGINE_LOG_DIR) : 0;
}

int audit_files_open(const SeamFd *dir, uint64_t first, gid_t gid, SeamFd *ret, Error *reterr) {
        const Seam *seam = dir->seam;
        char name[AUDIT_FILE_NAME_SIZE];
        audit_files_name(first, name);

        cleanup_seam_fd SeamFd file = SEAM_FD_EMPTY;
        int r = seam_open(seam, dir->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0640, &file);
        if (r < 0)
                return error_set(reterr, r, "cannot open '/%s/%s'", ENGINE_LOG_DIR, name);

        struct stat st;
        r = seam_fstat(&file, &st);
        if (r >= 0 && !S_ISREG(st.st_mode))
                r = -EINVAL;
        if (r >= 0 && (st.st_mode & 07777) != 0640)
                r = seam->ops->fchmod(seam, file.fd, 0640);
        if (r < 0)
                return error_set(reterr, r, "cannot use '/%s/%s'", ENGINE_LOG_DIR, name);

        /* Where adm does not exist or may not be given, root alone reads the log. */
        if (gid != (gid_t) -1 && st.st_gid != gid)
                (void) seam->ops->fchown(seam, file.fd, (uid_t) -1, gid);
        *ret = file;
        file = SEAM_FD_EMPTY;
        return 0;
}

int audit_files_flush(const SeamFd *dir, bool is_new, Error *reterr) {
        cleanup_seam_fd SeamFd parent = SEAM_FD_EMPTY;
        int r = seam_fsync(dir);
        if (r >= 0 && is_new)
                r = seam_open(dir->seam, dir->fd, "..", O_RDONLY | O_DIRECTORY, 0, &parent);
        if (r >= 0 && is_new)
                r = seam_fsync(&parent);
        return r < 0 ? error_set(reterr, r, "cannot flush '/%s'", ENGINE_LOG_DIR) : 0;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

bool audit_files_walk_back(const char *bytes, size_t n, AuditTakeLine take, void *userdata) {
        for (size_t end = n; end > 0;) {
                end -= bytes[end - 1] == '\n';
                size_t begin = end;
                while (begin > 0 && bytes[begin - 1] != '\n')
                        begin--;
                if (!take(userdata, bytes + begin, end - begin, begin))
                        return false;
                end = begin;
        }
        return true;
}

/* Up to `size` bytes of a file, from its beginning or up to its end. */
static int audit_files_read(
                const SeamFd *dir, uint64_t first, bool from_end, size_t size, char *bytes,
                size_t *ret_n) {
        char name[AUDIT_FILE_NAME_SIZE];
        audit_files_name(first, name);
        cleanup_seam_fd SeamFd file = SEAM_FD_EMPTY;
        struct stat st;
        int r = seam_open(dir->seam, dir->fd, name, O_RDONLY | O_NOFOLLOW, 0, &file);
        if (r >= 0)
                r = seam_fstat(&file, &st);
        if (r < 0)
                return r;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;

        off_t start = from_end && st.st_size > (off_t) size ? st.st_size - (off_t) size : 0;
        ssize_t n = seam_read(&file, bytes, size, start);
        if (n < 0)
                return (int) n;
        *ret_n = (size_t) n;
        return 0;
}

int audit_files_read_first(const SeamFd *dir, uint64_t first, AuditBeginning *ret) {
        char bytes[AUDIT_LINE_MAX];
        size_t n;
        int r = audit_files_read(dir, first, false, sizeof(bytes), bytes, &n);
        if (r < 0)
                return r;

        const char *end = memchr(bytes, '\n', n);
        AuditLine line;
        if (!end || audit_line_decode(bytes, (size_t) (end - bytes), &line, NULL) < 0)
                return -ENODATA;
        const char *log = json_string_value(json_object_get(line.object, "log"));
        *ret = (AuditBeginning){ .seq = line.seq, .prev = line.prev };
        if (log && strlen(log) < sizeof(ret->log_id))
                (void) snprintf(ret->log_id, sizeof(ret->log_id), "%s", log);
        json_decref(line.object);
        return 0;
}

static bool audit_files_take_last(
                void *userdata, const char *bytes, size_t n, size_t offset UNUSED) {
        AuditHead *head = userdata;
        AuditLine line;
        if (audit_line_decode(bytes, n, &line, NULL) < 0)
                return true;
        *head = (AuditHead){ .seq = line.seq, .hash = line.hash };
        json_decref(line.object);
        return false;
}

int audit_files_read_last(const SeamFd *dir, uint64_t first, AuditHead *ret) {
        char bytes[AUDIT_TAIL_BYTES];
        size_t n;
        int r = audit_files_read(dir, first, true, sizeof(bytes), bytes, &n);
        if (r < 0)
                return r;
        return audit_files_walk_back(bytes, n, audit_files_take_last, ret) ? -ENODATA : 0;
}

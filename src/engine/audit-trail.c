/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-trail.h"

#include <fcntl.h>

typedef struct AuditSearch {
        const char *tx;
        uint64_t from;
        size_t budget; /* bytes that may still be read */
        AuditTrail trail;
} AuditSearch;

/* Takes note of one line. False: the search is over. */
static bool audit_follow(void *userdata, const char *bytes, size_t n, size_t offset UNUSED) {
        AuditSearch *search = userdata;
        AuditTrail *trail = &search->trail;
        AuditLine line;
        if (audit_line_decode(bytes, n, &line, NULL) < 0)
                return true;

        const char *of = json_string_value(json_object_get(line.object, "tx"));
        bool ours = of && streq(of, search->tx);
        if (ours && line.event == AUDIT_INTENT)
                trail->has_intent = true;
        if (ours && audit_event_is_outcome(line.event)) {
                trail->has_outcome = true;
                trail->outcome = (AuditHead){ .seq = line.seq, .hash = line.hash };
        }
        json_decref(line.object);
        return line.seq > search->from && !trail->has_intent;
}

/* 1 when the file did not end the search, 0 when it did, <0. */
static int audit_search_file(const SeamFd *file, size_t size, AuditSearch *search) {
        size_t want = size < search->budget ? size : search->budget;
        cleanup_free char *bytes = malloc(want + 1);
        if (!bytes)
                return -ENOMEM;
        ssize_t n = seam_read(file, bytes, want, (off_t) (size - want));
        if (n < 0)
                return (int) n;

        if (!audit_files_walk_back(bytes, (size_t) n, audit_follow, search))
                return 0;
        search->budget -= want;
        if (want == size)
                return 1;
        search->trail.has_intent = true;
        return 0;
}

static int audit_search_older(const AuditLog *log, uint64_t first, AuditSearch *search) {
        char name[AUDIT_FILE_NAME_SIZE];
        audit_files_name(first, name);
        cleanup_seam_fd SeamFd file = SEAM_FD_EMPTY;
        struct stat st;
        int r = seam_open(log->dir.seam, log->dir.fd, name, O_RDONLY | O_NOFOLLOW, 0, &file);
        if (r >= 0)
                r = seam_fstat(&file, &st);
        return r < 0 ? r : audit_search_file(&file, (size_t) st.st_size, search);
}

static int audit_search(const AuditLog *log, AuditSearch *search) {
        int r = audit_search_file(&log->file, log->end > 0 ? (size_t) log->end : 0, search);
        if (r <= 0)
                return r;

        CLEANUP(audit_files_deinit) AuditFiles files = { 0 };
        r = audit_files_list(&log->dir, &files);
        if (r < 0)
                return r;
        for (size_t i = files.n; i > 0; i--) {
                if (files.first[i - 1] >= log->file_first)
                        continue;
                r = audit_search_older(log, files.first[i - 1], search);
                if (r <= 0)
                        return r;
        }
        return 0;
}

int audit_trail_find(
                const AuditLog *log, const char *tx, uint64_t from, AuditTrail *ret,
                Error *reterr) {
        AuditSearch search = { .tx = tx, .from = from, .budget = AUDIT_TRAIL_MAX };
        int r = audit_search(log, &search);
        if (r < 0)
                return error_set(reterr, r, "cannot read the audit log");

        r = search.trail.has_outcome ? seam_fdatasync(&log->file) : 0;
        if (r < 0)
                return error_set(reterr, r, "cannot flush the audit log");
        *ret = search.trail;
        return 0;
}

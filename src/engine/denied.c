/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/denied.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "engine/paths.h"
#include "system/atomic-file.h"

#define DENIED_FILE_MAX 128U

/* The file: three decimal numbers, a blank between. */
typedef struct DeniedCount {
        uint64_t since_ms; /* begin of the window */
        uint64_t records;  /* written in it */
        uint64_t waiting;  /* calls without a record */
} DeniedCount;

/* A missing or strange file counts as none. */
static DeniedCount denied_read(const SeamFd *dir) {
        DeniedCount count = { 0 };
        cleanup_free char *bytes = NULL;
        size_t n;
        if (seam_read_file_at(dir->seam, dir->fd, ENGINE_DENIED, DENIED_FILE_MAX, &bytes, &n) < 0)
                return count;

        uint64_t *const fields[] = { &count.since_ms, &count.records, &count.waiting };
        char *rest = bytes;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char *word = strsep(&rest, " \n");
                if (!word || num_parse_u64(word, fields[i]) < 0 || *fields[i] > INT64_MAX)
                        return (DeniedCount){ 0 };
        }
        return count;
}

static int denied_write(const SeamFd *dir, const DeniedCount *count) {
        char text[DENIED_FILE_MAX];
        int n = snprintf(
                        text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                        count->since_ms, count->records, count->waiting);
        return atomic_file_replace(dir->seam, dir->fd, ENGINE_DENIED, text, (size_t) n, 0600);
}

/* Whether there is to be a record of this call. */
static bool denied_take(DeniedCount *count, uint64_t now_ms) {
        bool is_over = count->records == 0 || now_ms < count->since_ms ||
                       now_ms - count->since_ms >= (uint64_t) DENIED_WINDOW_MS;
        if (is_over)
                *count = (DeniedCount){ .since_ms = now_ms, .waiting = count->waiting };
        count->waiting++;
        if (count->records >= DENIED_BURST)
                return false;
        count->records++;
        return true;
}

int denied_record(Session *session, const char *why, Error *reterr) {
        const Engine *engine = session->engine;
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open_dir(engine->seam, engine->root_fd, ENGINE_RUN_DIR, ENGINE_RUN_MODE, &dir);
        if (r < 0)
                return error_set(reterr, r, "cannot count a denied call");

        DeniedCount count = denied_read(&dir);
        bool due = denied_take(&count, (uint64_t) session_now_ms(session));
        uint64_t calls = count.waiting;
        count.waiting = due ? 0 : calls;
        r = denied_write(&dir, &count);
        if (r < 0)
                return error_set(reterr, r, "cannot count a denied call");
        if (!due)
                return 0;

        AuditRecord record = {
                .event = AUDIT_DENIED,
                .outcome = why,
                .exit_code = 4,
                .count = calls > 1 ? calls : 0,
        };
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/quarantine.h"

#include <fcntl.h>
#include <time.h>

#include "engine/paths.h"
#include "system/atomic-file.h"

#define QUARANTINE_MAX 4096U

typedef struct QuarantineVisit {
        Session *session;
        int dir_fd;
        Quarantine *rows; /* in the session's arena, grown as needed */
        size_t n, allocated;
} QuarantineVisit;

static int quarantine_grow(QuarantineVisit *visit) {
        if (visit->n < visit->allocated)
                return 0;
        if (visit->n >= QUARANTINE_MAX)
                return -E2BIG;

        size_t allocated = visit->allocated == 0 ? 16 : 2 * visit->allocated;
        Quarantine *rows = arena_alloc_array(visit->session->arena, allocated, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        if (visit->n > 0)
                memcpy(rows, visit->rows, visit->n * sizeof(*rows));
        visit->rows = rows;
        visit->allocated = allocated;
        return 0;
}

static int quarantine_visit(void *userdata, const char *name) {
        QuarantineVisit *visit = userdata;
        Sha256 digest;
        if (sha256_from_hex(name, &digest) < 0)
                return 0;

        int r = quarantine_grow(visit);
        if (r < 0)
                return r;

        Session *session = visit->session;
        Quarantine row = { 0 };
        cleanup_free char *bytes = NULL;
        size_t n;
        r = seam_read_file_at(
                        session->engine->seam, visit->dir_fd, name, QUARANTINE_MAX_BYTES, &bytes,
                        &n);
        if (r >= 0)
                r = quarantine_decode(bytes, n, session->arena, &row, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || !sha256_equal(&row.digest, &digest))
                row = (Quarantine){
                        .name = "unknown",
                        .cause = "unknown",
                        .tx = "00000000-0000-0000-0000-000000000000",
                };
        row.digest = digest;
        visit->rows[visit->n++] = row;
        return 0;
}

static int quarantine_compare(const void *a, const void *b) {
        const Quarantine *x = a, *y = b;
        int order = strcmp(x->name, y->name);
        return order != 0 ? order : memcmp(&x->digest, &y->digest, sizeof(x->digest));
}

int quarantine_load(Session *session, Error *reterr) {
        if (session->quarantine_is_known || session->state.fd < 0)
                return 0;

        const Seam *seam = session->engine->seam;
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(
                        seam, session->state.fd, ENGINE_QUARANTINE, O_RDONLY | O_DIRECTORY, 0,
                        &dir);
        QuarantineVisit visit = { .session = session, .dir_fd = dir.fd };
        if (r >= 0)
                r = seam->ops->list(seam, dir.fd, quarantine_visit, &visit);
        if (r < 0 && r != -ENOENT)
                return error_set(
                                reterr, r, "cannot read '/%s/%s'", ENGINE_STATE_DIR,
                                ENGINE_QUARANTINE);

        if (visit.n > 0)
                qsort(visit.rows, visit.n, sizeof(*visit.rows), quarantine_compare);
        session->quarantined = visit.rows;
        session->n_quarantined = visit.n;
        session->quarantine_is_known = true;
        return 0;
}

int quarantine_check(Session *session, const Generation *next, Error *reterr) {
        int r = quarantine_load(session, reterr);
        if (r < 0)
                return r;
        bool refused = quarantine_judge(
                        session->quarantined, session->n_quarantined, session->current, next,
                        session->result->findings);
        return refused ? QUARANTINE_E_REFUSED : 0;
}

/* --- adding ------------------------------------------------------------------------------------------------- */

static int quarantine_write(Session *session, const Quarantine *row) {
        const Seam *seam = session->engine->seam;
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        int r = quarantine_encode(row, &text);
        if (r < 0 || text.failed)
                return -ENOMEM;

        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        r = seam_open_dir(seam, session->state.fd, ENGINE_QUARANTINE, ENGINE_STATE_MODE, &dir);
        if (r < 0)
                return r;

        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(&row->digest, hex);
        AtomicContent content = {
                .bytes = text.data, .length = text.length, .mode = 0600, .flush = true
        };
        CLEANUP(atomic_file_abandon) AtomicFile file = { .seam = seam };
        r = atomic_file_begin(seam, dir.fd, hex, &content, &file);
        if (r >= 0)
                r = atomic_file_commit(&file, /* flush= */ true);
        /* The directory may be as new as the file. */
        return r < 0 ? r : seam_fsync(&session->state);
}

void quarantine_add(
                Session *session, const JournalProfile *profiles, size_t n,
                const JournalRevert *why, const char *tx) {
        DiagList *findings = session->result->findings;
        struct timespec now;
        (void) clock_gettime(CLOCK_REALTIME, &now);

        for (size_t i = 0; i < n; i++) {
                Quarantine row = {
                        .name = profiles[i].name,
                        .digest = profiles[i].digest,
                        .cause = why->cause,
                        .evidence = why->evidence,
                        .tx = tx,
                        .time_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000,
                };
                int r = session->state.fd < 0 ? -EBADF : quarantine_write(session, &row);
                if (r < 0) {
                        (void) diag_add(findings, DIAG_STATUS_UNWRITABLE, (Span){ 0 },
                                        "cannot quarantine '%s': %s", row.name, strerror(-r));
                        continue;
                }
                Diag *d = diag_add(
                                findings, DIAG_QUARANTINED, (Span){ 0 }, "'%s' is quarantined now",
                                row.name);
                diag_set_profile(findings, d, row.name);
                diag_set_help(findings, d,
                              "run 'twprofile release %s --reason=...' when the cause is gone",
                              row.name);
        }
        session->quarantine_is_known = false;
}

/* --- releasing ---------------------------------------------------------------------------------------------- */

static bool quarantine_is_meant(const Quarantine *row, const char *name) {
        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(&row->digest, hex);
        return streq(row->name, name) || streq(hex, name);
}

/* The profiles of the record are those that are released. */
static int quarantine_audit_release(Session *session, const char *name, Error *reterr) {
        uint64_t number = session->current ? session->current->number : 0;
        const char **profiles = arena_alloc_array(
                        session->arena, session->n_quarantined + 1, sizeof(char *));
        size_t n = 0;
        for (size_t i = 0; profiles && i < session->n_quarantined; i++) {
                const Quarantine *row = &session->quarantined[i];
                char hex[SHA256_HEX_SIZE];
                sha256_to_hex(&row->digest, hex);
                if (!quarantine_is_meant(row, name))
                        continue;
                profiles[n] = arena_format(session->arena, "%s@%s", row->name, hex);
                if (!profiles[n++])
                        return error_set(reterr, -ENOMEM, "cannot write the audit log");
        }
        if (!profiles)
                return error_set(reterr, -ENOMEM, "cannot write the audit log");

        AuditRecord record = {
                .event = AUDIT_RELEASE,
                .verb = "release",
                .profiles = profiles,
                .n_profiles = n,
                .generation_from = number,
                .generation_to = number,
                .outcome = "released",
        };
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

static int quarantine_remove(Session *session, const Quarantine *row) {
        const Seam *seam = session->engine->seam;
        char hex[SHA256_HEX_SIZE], path[sizeof(ENGINE_QUARANTINE) + SHA256_HEX_SIZE];
        sha256_to_hex(&row->digest, hex);
        (void) snprintf(path, sizeof(path), "%s/%s", ENGINE_QUARANTINE, hex);
        int r = seam->ops->unlink_at(seam, session->state.fd, path, 0);
        return r == -ENOENT ? 0 : r;
}

static int quarantine_remove_all(Session *session, const char *name, Error *reterr) {
        for (size_t i = 0; i < session->n_quarantined; i++) {
                const Quarantine *row = &session->quarantined[i];
                int r = quarantine_is_meant(row, name) ? quarantine_remove(session, row) : 0;
                if (r < 0)
                        return error_set(reterr, r, "cannot release '%s'", row->name);
        }
        return 0;
}

static int quarantine_refuse_release(Session *session, const char *name) {
        Diag *d = diag_add(
                        session->result->findings, DIAG_NOT_QUARANTINED, (Span){ 0 },
                        "'%s' is not quarantined", name);
        diag_set_help(session->result->findings, d, "'twprofile status' shows what is quarantined");
        session->result->outcome = "not-found";
        return 0;
}

static int quarantine_fail(Session *session, DiagId id, const Error *error) {
        session_add_error(session, id, error);
        session->result->outcome = "failed";
        return 0;
}

int quarantine_release(Session *session, Error *reterr) {
        const char *name = session->request->n_profiles > 0 ? session->request->profiles[0] : "";
        Error error = { 0 };
        int r = quarantine_load(session, &error);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot release");
        if (r < 0)
                return quarantine_fail(session, DIAG_STATE_UNWRITABLE, &error);

        size_t n = 0;
        for (size_t i = 0; i < session->n_quarantined; i++)
                n += quarantine_is_meant(&session->quarantined[i], name);
        if (n == 0)
                return quarantine_refuse_release(session, name);

        /* Accounted for first, as every change is. */
        if (quarantine_audit_release(session, name, &error) < 0)
                return quarantine_fail(session, DIAG_AUDIT_UNWRITABLE, &error);
        if (quarantine_remove_all(session, name, &error) < 0)
                return quarantine_fail(session, DIAG_STATE_UNWRITABLE, &error);
        session->quarantine_is_known = false;
        session->result->outcome = "released";
        session->result->changed = true;
        session_publish(session, "released", NULL);
        return 0;
}

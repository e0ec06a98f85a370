/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/upkeep.h"

#include <fcntl.h>

#include "engine/fragment.h"
#include "engine/generation-store.h"
#include "engine/paths.h"
#include "engine/report.h"
#include "system/atomic-file.h"

static void upkeep_sweep_dir(Session *session, int dir_fd, const char *path, const char *stem) {
        const Seam *seam = session->engine->seam;
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        if (seam_open(seam, dir_fd, path, O_RDONLY | O_DIRECTORY, 0, &dir) >= 0)
                atomic_file_sweep(seam, dir.fd, stem);
}

void upkeep_sweep(Session *session) {
        int root_fd = session->engine->root_fd;
        fragment_sweep(session->engine->seam, root_fd);
        upkeep_sweep_dir(session, session->state.fd, ".", "");
        upkeep_sweep_dir(session, session->state.fd, ENGINE_GENERATIONS, "");
        upkeep_sweep_dir(session, root_fd, ENGINE_RUN_DIR, ENGINE_STATUS_STEM);
        upkeep_sweep_dir(session, root_fd, ENGINE_RUN_DIR, ENGINE_PENDING_STEM);
        upkeep_sweep_dir(session, root_fd, ENGINE_RUN_DIR, ENGINE_DENIED_STEM);
        upkeep_sweep_dir(session, session->state.fd, ENGINE_QUARANTINE, "");
}

/* Frames that a power cut kept while it lost the generation's own file. */
static int upkeep_rebuild(Session *session, Error *reterr) {
        const Journal *journal = &session->journal;
        const Engine *engine = session->engine;

        for (size_t i = 0; i < journal->scan.n_frames; i++) {
                const JournalFrame *frame = &journal->scan.frames[i];
                if (frame->type != JOURNAL_COMMIT)
                        continue;

                CLEANUP(generation_freep) Generation *generation = NULL;
                int r = journal_commit_decode(frame, &generation, reterr);
                if (r < 0)
                        return r;

                CLEANUP(generation_freep) Generation *stored = NULL;
                Error ignored = { 0 };
                if (generation_store_load(
                                    engine->seam, session->state.fd, generation->number, &stored,
                                    &ignored) >= 0)
                        continue;
                r = generation_store_save(engine->seam, session->state.fd, generation, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Without the marker nothing is made live at boot; a write of it may have failed while all else went well. */
static int upkeep_mark(Session *session, Error *reterr) {
        const Seam *seam = session->engine->seam;
        bool wanted = session->current && session->current->n_profiles > 0;
        return generation_store_is_marked(seam, session->state.fd) == wanted
                               ? 0
                               : generation_store_mark(
                                                 seam, session->state.fd, session->current, reterr);
}

/* Audit's intent was flushed, the journal's PREPARED was not: the power cut came between, and nothing was written
 * that outlived it. */
static int upkeep_close_intent(Session *session, Error *reterr) {
        int r = session_open_audit(session, reterr);
        if (r < 0)
                return r;

        const AuditLog *audit = &session->audit;
        if (audit->open_tx[0] == '\0' || streq(audit->open_boot, session->engine->instance.boot_id))
                return 0;

        char tx[TX_ID_SIZE];
        memcpy(tx, audit->open_tx, sizeof(tx));
        uint64_t number = session->current ? session->current->number : 0;
        AuditRecord record = {
                .event = AUDIT_OUTCOME,
                .tx = tx,
                .verb = "recover",
                .generation_from = number,
                .generation_to = number,
                .outcome = "dropped-by-reboot",
        };
        (void) diag_add(session->result->findings, DIAG_DROPPED_BY_REBOOT, (Span){ 0 },
                        "a change was cut off by a reboot: nothing of it is left");
        r = report_audit_profiles(session, session->current, &record.profiles, &record.n_profiles);
        if (r < 0)
                return error_set(reterr, r, "cannot write the audit log");
        Sha256 hash;
        return session_audit(session, &record, &hash, reterr);
}

int upkeep_run(Session *session, Error *reterr) {
        /* a change may have died before it was in the journal, or behind its end */
        upkeep_sweep(session);

        int r = upkeep_rebuild(session, reterr);
        if (r >= 0)
                r = session_load(session, reterr);
        if (r >= 0)
                r = upkeep_mark(session, reterr);
        if (r < 0)
                return r;

        /* Nothing waits for the log here, least of all a boot. */
        Error error = { 0 };
        if (upkeep_close_intent(session, &error) < 0)
                session_add_error(session, DIAG_AUDIT_INCOMPLETE, &error);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The change that awaits confirmation: the last frame of the journal is APPLIED, of this boot and this namespace. Until
 * it is confirmed or taken back nothing else is changed.
 *
 * An Undecided lives in the session's arena and owns its generation; its frames borrow from the journal.
 */

#include "engine/engine.h"
#include "engine/journal.h"

typedef struct Session Session;

typedef struct Undecided {
        char tx[TX_ID_SIZE];
        const JournalFrame *prepared_frame;
        const JournalFrame *applied_frame;
        JournalPrepared prepared;
        JournalApplied applied;
        Generation *generation; /* owned */
} Undecided;

/* From the journal's frames; both are of the same transaction. 0; -EBADMSG; -ENOMEM. */
NODISCARD int undecided_load(
                Session *session, const JournalFrame *prepared_frame,
                const JournalFrame *applied_frame, Undecided **ret, Error *reterr);
/* Frees what it owns; NULL. */
Undecided *undecided_release(Undecided *undecided);

/* Makes /run/twprofile/pending from session->undecided, whose guard needs it; without a deadline there is none. What
 * cannot be written is a warning. 0 or -ENOMEM. */
NODISCARD int undecided_write_pending(Session *session, Error *reterr);

/* For who only reads: sets session->undecided where the journal says so, of this boot and namespace. 0; -EBADMSG;
 * -ENOMEM. */
NODISCARD int undecided_find(Session *session, Error *reterr);

bool undecided_is_expired(const Session *session, const Undecided *undecided);

/* Who asks for what: the caller's uid and login uid, verb, names, options, and the digests of all bundles. The gate's
 * baseline is sampled anew each time and does not count. */
Sha256 undecided_digest(const EngineRequest *request, const WantedBundles *bundles);

/* ENABLE while a change awaits confirmation: the same request again is told the same once more and does not extend
 * the window; any other is refused, naming the change, its deadline, and both ways to decide it. 0 or <0. */
NODISCARD int undecided_answer_enable(Session *session, Error *reterr);
/* Every other change. */
int undecided_refuse(Session *session);

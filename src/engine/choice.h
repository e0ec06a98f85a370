/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `recover --choice=base|keep`: where the journal cannot say what was decided, whoever is responsible does.
 *
 *         both    the newest generation that can be read, in the journal or in its own file, is the current one; its
 *                 fragment and marker are put right; the damaged journal is kept as `journal.damaged`; a new one
 *                 starts with that generation
 *         base    before that: the before-images that can still be read, of the journal's open transaction or in
 *                 /run/twprofile/pending, are restored three-way, and the generation's values are written; where the
 *                 kernel does not take one of them, nothing is settled and the question is asked again
 *         keep    the live values stay as they are
 *
 * The new journal comes last: a death before it leaves the damaged one, and the question is asked again.
 */

#include "engine/session.h"

/* Whether the caller has chosen. */
bool choice_is_made(const Session *session);

enum {
        CHOICE_E_STUCK = 1, /* a value could not be restored: still undecided */
};

/* Sets session->current; adds recovered-by-choice. 0, CHOICE_E_STUCK or <0. */
NODISCARD int choice_run(Session *session, Error *reterr);

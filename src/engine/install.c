/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/install.h"

#include "engine/fragment.h"
#include "engine/generation-store.h"

int install_generation(Session *session, Error *reterr) {
        const Engine *engine = session->engine;
        cleanup_free char *bytes = NULL;
        size_t n;
        int r = generation_render_fragment(session->current, &bytes, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot render the fragment");

        PlanFragment found;
        r = fragment_read(engine->seam, engine->root_fd, &found, reterr);
        if (r < 0)
                return r;
        bool right = found.exists == session->current->has_fragment &&
                     (!found.exists || sha256_equal(&found.digest, &session->current->fragment));

        CLEANUP(fragment_deinit) Fragment fragment = { .dir = SEAM_FD_EMPTY };
        r = right ? 0
                  : fragment_prepare(engine->seam, engine->root_fd, bytes, n, &fragment, reterr);
        if (r >= 0)
                r = right ? fragment_flush(engine->seam, engine->root_fd, reterr)
                          : fragment_install(&fragment, reterr);
        if (r >= 0)
                r = generation_store_save(
                                engine->seam, session->state.fd, session->current, reterr);
        return r;
}

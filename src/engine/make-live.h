/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Compares the live values with the current generation and, when asked, writes those that differ: after a boot, and for
 * a commit that a crash cut off before its reboot. Needs no journal: the wanted values are committed, and a death in
 * between is settled by running again.
 *
 * A key whose value another sysctl.d file sets later than ours is left to that file (other-file-wins): systemd-sysctl has
 * just given it the value that the administrator's files ask for. Unless that was adopted: then ours is written over it.
 */

#include "engine/session.h"

typedef struct MakeLive {
        bool write;           /* false: only report */
        const AuditKey *keys; /* one for each key of the generation */
        size_t n_keys;
        size_t n_written;
        size_t n_differing; /* left as they are */
} MakeLive;

NODISCARD int make_live_run(Session *session, MakeLive *make, Error *reterr);

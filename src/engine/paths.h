/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the engine's files live, below its root directory (DESIGN part 3). */

#define ENGINE_STATE_DIR     "var/lib/twprofile"
#define ENGINE_STATE_MODE    0700
#define ENGINE_JOURNAL       "journal"
#define ENGINE_LOCK          "lock"
#define ENGINE_ENABLED       "enabled"
#define ENGINE_GENERATIONS   "generations"
#define ENGINE_AUDIT_HEAD    "audit-head"
#define ENGINE_QUARANTINE    "quarantine"
#define ENGINE_DAMAGED       "journal.damaged"

#define ENGINE_LOG_DIR       "var/log/twprofile"
#define ENGINE_LOG_MODE      0755

#define ENGINE_RUN_DIR       "run/twprofile"
#define ENGINE_RUN_MODE      0755
#define ENGINE_STATUS        "status.json"
#define ENGINE_STATUS_STEM   "status." /* of its temporary names */
#define ENGINE_PENDING       "pending"
#define ENGINE_PENDING_STEM  "pending."
#define ENGINE_DENIED        "denied"
#define ENGINE_DENIED_STEM   "denied." /* of its temporary names */

#define ENGINE_SYSCTL_DIR    "etc/sysctl.d"
#define ENGINE_SYSCTL_MODE   0755
#define ENGINE_FRAGMENT      "60-twprofile.conf"
#define ENGINE_FRAGMENT_PATH "/" ENGINE_SYSCTL_DIR "/" ENGINE_FRAGMENT
#define ENGINE_FRAGMENT_STEM "60-twprofile." /* of its temporary names */

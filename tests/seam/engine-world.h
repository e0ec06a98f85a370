/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine in a scratch directory with an engine on it: a kernel of a few sysctls (seam-sysctl), profiles, state
 * directories, and a seam that counts and fails (seam-fault) between the engine and all of it.
 *
 *         World w;
 *         world_init(&w);
 *         assert_int_equal(world_enable(&w, "alpha beta"), 0);        the exit code
 *         assert_string_equal(world_live(&w, "net/core/somaxconn"), "4096");
 *         world_deinit(&w);
 *
 * The result of the last request stays in w.result; a request that could not be answered at all gives its negative
 * errno, with w.error set. The object must not move. No privilege and no namespace is needed.
 *
 * The kernel's values at boot are not defaults of Linux, so that a default put back shows as wrong.
 */

#include "engine/engine.h"
#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "seam/seam-sysctl.h"

#define WORLD_FRAGMENT "etc/sysctl.d/60-twprofile.conf"
#define WORLD_STATE    "var/lib/twprofile"
#define WORLD_JOURNAL  WORLD_STATE "/journal"
#define WORLD_AUDIT    "var/log/twprofile/audit-1.ndjson"
#define WORLD_STATUS   "run/twprofile/status.json"
#define WORLD_BOOT_ID  "proc/sys/kernel/random/boot_id"
#define WORLD_PENDING  "run/twprofile/pending"

/* What the kernel does with writes to one key. */
typedef struct WorldTrouble {
        const char *path;    /* "net/core/somaxconn"; NULL: of any key */
        const char *value;   /* only this value; NULL: any */
        int error;           /* positive errno to refuse with; 0: take, see `instead` */
        const char *instead; /* stored instead of what was written */
        unsigned from, to;   /* only from the from-th such write (1) up to the to-th; 0: no limit */
        unsigned n_seen;
} WorldTrouble;

#define WORLD_TROUBLES 4

typedef struct World {
        Scratch scratch;
        SeamSysctl kernel;
        SeamFault fault;
        Engine engine;
        EngineResult result;
        Error error;
        WorldTrouble troubles[WORLD_TROUBLES];
        bool pairs_bound; /* ip_unprivileged_port_start must stay below the range's low end */
        unsigned boots;
        int64_t now_ms;     /* the engine's CLOCK_BOOTTIME */
        AuditCaller caller; /* of the requests that a window makes; session 1 */
        int arm_error;      /* the guard's answer: 0 armed */
        unsigned n_armed;
        char token[64];                  /* the last one that a window gave */
        char live[SEAM_SYSCTL_TEXT_MAX]; /* world_live()'s answer */
} World;

void world_init(World *world);
void world_deinit(World *world);

/* Writes /etc/twprofile/profiles/NAME.yaml; `sysctl` is what stands under `sysctl:`, with two blanks before each line. */
void world_profile(World *world, const char *name, const char *sysctl);

int world_run(World *world, const EngineRequest *request);
int world_enable(World *world, const char *names); /* separated by blanks */
int world_only(World *world, const char *names);
int world_disable(World *world, const char *names);
int world_rollback(World *world, const char *to);
int world_recover(World *world);
int world_boot(World *world);

/* enable --confirm-within=SECONDS, or --runtime when it is 0. */
int world_try(World *world, const char *names, uint32_t seconds);
/* confirm with the last token, from login session 2. */
int world_confirm(World *world);
/* What the guard asks: cause "deadline" or "gate". */
int world_revert(World *world, const char *cause);
int world_release(World *world, const char *name);

/* Runs the request in a child process that ends without a word just before its at-th call of the seam, as by SIGKILL;
 * the files stay as it left them. False when the request was over before that call. */
typedef int (*WorldRequest)(World *world);
bool world_die_at(World *world, WorldRequest request, uint64_t at);
/* The same, at the first call that `matches` likes. */
bool world_die_when(World *world, WorldRequest request, SeamFaultMatch matches);

/* Another boot id, every value as the kernel starts with, /run empty; then what systemd-sysctl would do: each line of
 * every file in /etc/sysctl.d, in the order of their names. */
void world_reboot(World *world);
void world_set_netns(World *world, const char *inode);

/* The value without its newline; until the next call. */
const char *world_live(World *world, const char *path);
void world_set_live(World *world, const char *path, const char *value);

/* Everything that a reader of /proc and /etc sees, as text: every live value, and the fragment. Freed by the caller. */
char *world_view(World *world);
bool world_view_is(World *world, const char *view);

bool world_has_finding(const World *world, DiagId id);
/* The first one, borrowed, or NULL. */
const Diag *world_finding(const World *world, DiagId id);
/* The word in the last result. */
const char *world_outcome(const World *world);
/* The change told for a key, or NULL. */
const EngineChange *world_change(const World *world, const char *key);

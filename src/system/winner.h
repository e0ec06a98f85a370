/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who sets a key at boot: every file of sysctl.d as systemd-sysctl and as procps ("sysctl --system") read it, with masks,
 * links, globs, exclusions, /etc/sysctl.conf and the credential sysctl.extra (sysctl.d(5), sysctl.conf(5); the rules and how
 * they were measured: docs/winner.md).
 *
 * What is asked is "which line decides, and what value does it leave", for each tool by itself: there is no file name that
 * wins in both. The two answers differ when the kernel refuses the value of the line that decides: winner_find() names the
 * line, winner_predict() what is left. The files of others are hostile: bounded, read once, never written.
 *
 * All results live in the arena that winner_files_read() was given.
 */

#include "model/sysctl-value.h"
#include "system/sysctl-dirs.h"

typedef enum WinnerTool {
        WINNER_SYSTEMD,
        WINNER_PROCPS,
        WINNER_TOOLS,
} WinnerTool;

typedef struct Winner {
        const char *path; /* "/etc/sysctl.d/99-local.conf", "/etc/sysctl.conf", "credential sysctl.extra"; NULL: nobody sets it */
        uint32_t line;    /* 1-based */
        const char *value;
        bool glob;    /* by a pattern */
        bool ignored; /* the line has a dash: the tool takes a failure in silence */
} Winner;

typedef struct WinnerFiles WinnerFiles; /* all files, read once, in the arena */

/* Reads all of them. `as_fragment` (NULL: read from disk): the bytes that our own fragment will have, "" for none. */
NODISCARD int winner_files_read(
                const Seam *seam, int root_fd, const char *as_fragment, Arena *arena,
                const WinnerFiles **ret, Error *reterr);

/* `path` below /proc/sys with slashes ("net/ipv4/tcp_tw_reuse"). Never fails: nobody is a result too. */
void winner_find(const WinnerFiles *files, WinnerTool tool, const char *path, Winner *ret);

typedef enum WinnerEffect {
        WINNER_EFFECT_NONE, /* no write that the kernel takes: what was there stays */
        WINNER_EFFECT_SET,  /* `value` is left */
        WINNER_EFFECT_UNKNOWN, /* the deciding write sets a part of the numbers, or may be refused for other keys' sake */
} WinnerEffect;

typedef struct WinnerPrediction {
        WinnerEffect effect;
        SysctlValue value; /* SET */
        Winner by;         /* the line whose value is left; path NULL for NONE */
        Winner refused;    /* the last write when the kernel refuses it; else path NULL */
} WinnerPrediction;

/* What the tool's writes, one after the other, leave in the kernel for a key of the catalogue. 0 or -ENOMEM. */
NODISCARD int winner_predict(
                const WinnerFiles *files, WinnerTool tool, const SysctlSpec *spec, Arena *arena,
                WinnerPrediction *ret);

/* Files that could not be read, have lines that no tool understands, or that the versions of a tool read differently: what
 * is said of keys may be wrong then. */
typedef struct WinnerFlaw {
        const char *path;
        uint32_t line; /* 0: the whole file */
        int error;     /* positive errno, 0: not understood */
} WinnerFlaw;
size_t winner_count_flaws(const WinnerFiles *files);
const WinnerFlaw *winner_get_flaw(const WinnerFiles *files, size_t i);

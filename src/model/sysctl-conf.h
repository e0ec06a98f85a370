/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text form that systemd-sysctl and procps read: our fragment is written with sysctl_conf_render() and any
 * file of sysctl.d is read with sysctl_conf_parse(), by the rules both tools share (peers.md part 1: comment
 * only at the start of a line, last assignment wins, first separator decides the spelling of the key).
 *
 * The fragment: `#` comments only, dotted keys (slashes only for a key with a dot inside a part), no glob, no
 * dash, no duplicate, values in the kernel's own spelling, one `key = value` per line.
 */

#include "base/arena.h"
#include "base/strbuf.h"
#include "diag/source.h"

#define SYSCTL_CONF_LINE_MAX ((size_t) 1 << 20)

typedef struct SysctlAssignment {
        const char *key; /* normalised to dots between parts, slashes inside one part's dots stay as '/' */
        const char *path; /* with slashes, below /proc/sys; "" when it can be no file there */
        const char *literal; /* as written, with slashes: procps compares with that; for systemd-sysctl it is `path` */
        const char *value; /* without the blanks around; NULL for an exclusion */
        bool dash;         /* `-key = …`: failures are ignored by the tools */
        bool glob;         /* has * ? or [ */
        bool exclusion;    /* `-key` without '=' */
        uint32_t line;     /* 1-based */
} SysctlAssignment;

typedef struct SysctlConf {
        const SysctlAssignment *items;
        size_t n_items;
        uint32_t bad_line; /* the first line that is none of comment, assignment, exclusion; 0 for none */
} SysctlConf;

/* Lines that no tool understands are marked, not fatal: files of others are what they are. Never writes to
 * `bytes`. 0 or -ENOMEM.
 *
 * Where the two tools differ, systemd-sysctl's reading is given and the line is marked as bad, so that
 * nobody calls such a file understood: a NUL or a lone CR ends a line (procps drops what follows a NUL and
 * keeps the CR), and a line of SYSCTL_CONF_LINE_MAX bytes or more ends the reading (procps goes on).
 * Exclusions of a glob and blanks behind a dash are given as systemd-sysctl takes them. */
NODISCARD int sysctl_conf_parse(const char *bytes, size_t n, Arena *arena, SysctlConf *ret);

/* A key as the fragment spells it ("net.ipv4.tcp_tw_reuse", "net/ipv4/conf/eth0.100/forwarding") for a path
 * with slashes. NULL when out of memory. */
const char *sysctl_conf_key_of_path(const char *path, Arena *arena);
/* The path below /proc/sys for any spelling of a key: the first separator decides. NULL when out of memory. */
const char *sysctl_conf_path_of_key(const char *key, Arena *arena);

typedef struct FragmentLine {
        const char *path;
        const char *value; /* the kernel's spelling; must hold no newline, NUL or other control character but tab */
        const char *comment; /* who asked for it, one line, or NULL; said once for neighbours that share it */
} FragmentLine;

typedef struct FragmentHead {
        uint64_t generation;
        const char *const *profiles;
        size_t n_profiles;
} FragmentHead;

/* Renders the fragment in the order given, comments at most 79 columns wide. Asserts again what the reader has
 * refused before: no control character can reach a line of its own. */
void sysctl_conf_render(
                const FragmentHead *head, const FragmentLine *lines, size_t n_lines, StrBuf *out);

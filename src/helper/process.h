/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What /proc tells about another process to a reader with no capability: start time, login uid, audit session,
 * comm, control group. Its exe, cwd and namespaces are not readable for us (they ask for ptrace rights).
 *
 * Everything goes through one descriptor of /proc/PID: it belongs to that process for ever, and reading through
 * it fails once the process is gone, also when the number was given to another one.
 *
 * Reliable: start, loginuid, sessionid, unit. comm is a claim: the process may write it.
 */

#include <sys/types.h>

#include "record/audit-format.h"

/* A descriptor of /proc/PID, or <0: -ENOENT when there is no such process. */
NODISCARD int process_open(pid_t pid);

/* Clock ticks between boot and the start of the process. 0 or <0. */
NODISCARD int process_read_start(int proc_fd, uint64_t *ret);

/* Fills auid, session, start, comm and unit; what cannot be read is left as "unknown". */
void process_read_facts(int proc_fd, AuditCaller *ret);

/* --- the texts (hostile) -------------------------------------------------------------------------------- */

/* Field 22 of `stat`. The second field is a name in brackets that may hold blanks and brackets itself. */
bool process_parse_start(const char *stat, uint64_t *ret);

/* "4294967295" is how the kernel writes "unset": AUDIT_UNSET, as for everything that is no number. */
int64_t process_parse_audit_id(const char *text);

/* The last part of the path in `cgroup`: of the systemd hierarchy, else of the unified one; "" for the root
 * group. Characters that have no business in a unit's name become '?'. */
void process_parse_unit(const char *cgroup, char *ret, size_t size);

/* Copies a name; control characters and all that is not ASCII become '?', a final newline is left out. */
void process_copy_name(const char *text, size_t n, char *ret, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * POSIX record locks on a whole file (fcntl(2)): held by a process, gone with it, and whoever may read the file can ask
 * who holds them.
 *
 *         r = posix_lock_take(fd);                       the holder; fd is open for writing
 *         r = posix_lock_find_holder(fd, &pid);          anybody else; fd may be read-only
 *
 * Two traps: the lock falls when *any* descriptor of that file is closed in the holder, so it opens the file once; and
 * asking through a descriptor that is open for writing makes an IN_CLOSE_WRITE event for those who watch the file.
 */

#include <sys/types.h>

#include "base/macro.h"

/* Does not wait. 0; -EAGAIN when another process holds it. A lock that we hold already is taken again. */
NODISCARD int posix_lock_take(int fd);

/* 1 and *ret when another process has a write lock, 0 when none has, <0. *ret is 0 for a holder in a process namespace
 * that cannot be seen from ours. */
NODISCARD int posix_lock_find_holder(int fd, pid_t *ret);

/* For those who may not open the file: whether the text of /proc/locks has a write lock on it. */
bool posix_lock_is_listed(const char *proc_locks, dev_t device, ino_t inode);

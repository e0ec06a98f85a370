/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Leaving the host: network and mount namespaces of this process alone, for what is tried without touching anything.
 *
 * Root takes them as they are; everybody else, root without CAP_SYS_ADMIN among them, gets a user namespace round them
 * and is root inside (user_namespaces(7)). For a process with one thread. What was done when it fails stays.
 */

#include "base/error.h"

/* 0 or <0: -EPERM, -ENOSPC or -EINVAL where this host allows none. */
NODISCARD int private_namespaces_enter(bool *ret_user_namespace, Error *reterr);

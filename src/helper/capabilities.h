/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The capability plan: none, from before the first byte of a caller is read until the end.
 *
 *   state               bounding  permitted  effective  inheritable  ambient   no_new_privs
 *   start, in a unit    empty     empty      empty      empty        empty     set       by the unit file
 *   start, direct       any       any        any        any          any       any
 *   while serving       empty(1)  empty      empty      empty        empty     set
 *
 *   (1) Where CAP_SETPCAP was not there to empty it (a container that withholds it, an ordinary caller with
 *       --root), what is left in it cannot be reached: no_new_privs stands in front of it.
 *
 * One exception: in a user namespace of its own (`twprofile sandbox` of an ordinary user, rootless containers)
 * CAP_NET_ADMIN stays permitted, effective and bounding. The kernel asks for the machine's uid 0 or for that
 * capability in the network namespace's user namespace (net/sysctl_net.c net_ctl_permissions()), and uid 0 there is
 * not the machine's; the capability reaches no further than that namespace.
 *
 * Elsewhere no capability is needed for anything, so there is no array of kept ones: uid 0 owns /proc/sys/net, /etc,
 * /var/lib/twprofile, and the group adm comes from the unit or from setgroups() before the drop. What is given
 * up with it is written down in docs/decisions/helper-without-capabilities.md.
 *
 * This is the only file that knows libcap. All functions: 0 or <0; -EPERM names what is wrong and who has to
 * change it.
 */

#include "base/error.h"

/* For a process that a unit started: nothing is dropped, because nothing may be there. */
NODISCARD int capabilities_check_unit(Error *reterr);

/* Drops everything (see the exception above), locks the way back, then reads it all back. */
NODISCARD int capabilities_drop(Error *reterr);

/* The mask of what capabilities_drop() leaves: 0, or CAP_NET_ADMIN in a user namespace of its own. */
uint64_t capabilities_kept(void);

#define CAPABILITY_NONE (-1)

/* What was read from the kernel, for the checks above and their test: of each set one capability that is in it,
 * or CAPABILITY_NONE. */
typedef struct CapabilityState {
        int permitted;
        int inheritable;
        int effective;
        int ambient;
        int bounding;
        bool no_new_privs;
        bool is_setpcap; /* CAP_SETPCAP is effective */
} CapabilityState;

NODISCARD int capabilities_read(CapabilityState *ret, Error *reterr);
/* Judges it: bounding may be left only when `bounding_may_stay`. */
NODISCARD int capabilities_judge(
                const CapabilityState *state, bool bounding_may_stay, Error *reterr);

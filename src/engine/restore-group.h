/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keys that have to keep something together. Taking back leaves a key alone that somebody else changed since, but where
 * that value and the restored value of the other key would break what both have to keep, safety goes before courtesy:
 * both are put back. What was broken before the change already is left as it was.
 *
 *         keys                                               | what they have to keep        | else
 *         ---------------------------------------------------+-------------------------------+--------------------------
 *         ip_local_port_range, ip_unprivileged_port_start    | start <= low end of the range | the kernel says EINVAL
 *         ip_local_port_range, ip_local_reserved_ports       | a port is left                | connect(): EADDRNOTAVAIL
 *         tcp_tw_reuse, tcp_timestamps                       | reuse only with timestamps    | reuse does nothing
 *
 * Sources: schema/sysctls.yaml (interactions), net/ipv4/sysctl_net_ipv4.c ipv4_local_port_range() and
 * ipv4_privileged_ports(), net/ipv4/inet_hashtables.c __inet_hash_connect(), net/ipv4/tcp_ipv4.c tcp_twsk_unique().
 */

#include "engine/apply.h"

/* Marks items `forced` that somebody else changed and that have to go back all the same. `live` has the present values
 * of all items. */
void restore_group_force(Apply *apply, const LiveSnapshot *live);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is known of the machine beside its sysctls, for the safety rules. Plain data; system/machine-facts.h reads
 * it, tests make it up. What could not be read is unknown, never 0.
 */

#include "base/error.h"

typedef struct MachineFacts {
        bool knows_listeners;
        const uint16_t *listeners; /* TCP ports that something listens on in this network namespace, ascending */
        size_t n_listeners;
        uint64_t memory;        /* bytes; 0: unknown */
        uint64_t ehash_entries; /* slots of the table of established connections; 0: unknown */
        uint64_t page_size;     /* bytes, the unit of net.ipv4.tcp_mem; 0: unknown */
} MachineFacts;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A sysctl's value by type. Values are read from the kernel's text once and compared as values ever
 * after: tabs against spaces, the order of a port list, hexadecimal or octal never count as a difference.
 *
 * Port sets live in the arena that the reading call was given; everything else is inline. A value never
 * outlives that arena.
 */

#include "base/arena.h"
#include "model/catalogue.h"

#define SYSCTL_VALUE_MAX_INTS 3U
/* A kernel file's text with its newline is shorter than this. Only a port list could be longer: the kernel
 * then takes a write in parts, each of which is live before the next, and cuts what it prints to the
 * reader's buffer without a sign (measured on 6.18: 4093 bytes of 9443 taken, 4096 printed, then "end"). So
 * such a list is refused in both directions, and a buffer of this size that came back full is not a value. */
#define SYSCTL_VALUE_TEXT_MAX 4096U

typedef struct PortRange {
        uint16_t first, last;
} PortRange;

typedef struct SysctlValue {
        SysctlType type;
        size_t n_ints;
        int64_t ints[SYSCTL_VALUE_MAX_INTS];
        const PortRange *ports; /* sorted, merged, disjoint and not touching */
        size_t n_ports;
        const char *text; /* STRING and STRINGS, blanks folded */
} SysctlValue;

typedef enum SysctlFault {
        SYSCTL_FAULT_NONE,
        SYSCTL_FAULT_COUNT,        /* not the number of values the key has */
        SYSCTL_FAULT_BELOW_KERNEL, /* the kernel would refuse, or take it and mean something else */
        SYSCTL_FAULT_ABOVE_KERNEL,
        SYSCTL_FAULT_BELOW_SANE, /* the kernel takes it; we do not */
        SYSCTL_FAULT_ABOVE_SANE,
        SYSCTL_FAULT_NOT_A_CHOICE,
        SYSCTL_FAULT_NOT_ASCENDING,
        SYSCTL_FAULT_TOO_LONG, /* a port list that does not fit into one write */
} SysctlFault;

/* Reads what the kernel printed (with or without its newline). 0, -EINVAL when it is not of this type or
 * may have been cut (n from SYSCTL_VALUE_TEXT_MAX), -ENOMEM. Out-of-range numbers are values like any other here. */
NODISCARD int sysctl_value_from_kernel(
                const SysctlSpec *spec, const char *text, size_t n, Arena *arena, SysctlValue *ret);

/* What the kernel makes of a text that somebody writes into the file, so that a line of another sysctl.d file
 * can be compared with ours: 0x1e and 010 are numbers of base 16 and 8, what follows the last number behind
 * a blank is ignored, a port list may end in a comma (all measured on 6.18). -EINVAL when the kernel would
 * refuse it, and for a vector with numbers missing, because then the result depends on what was there. */
NODISCARD int sysctl_value_from_written(
                const SysctlSpec *spec, const char *text, size_t n, Arena *arena, SysctlValue *ret);

/* The kernel's own spelling without newline: plain decimals, tabs in vectors, "a-b,c" for ports, "" for an
 * empty set. NULL when out of memory. What goes to the kernel file is this plus a newline, which is also how
 * an empty port set must be written (an empty write changes nothing). */
const char *sysctl_value_to_kernel(const SysctlSpec *spec, const SysctlValue *value, Arena *arena);

bool sysctl_value_equal(const SysctlValue *a, const SysctlValue *b);
/* Whether `live`, read from the kernel, is what stands there after `wanted` was written: equal, or what the
 * kernel's own rounding of this key makes of it (SysctlSpec.rounding; include/linux/jiffies.h, for the timer
 * frequencies 100, 250, 300 and 1000; net/netfilter/nf_conntrack_core.c nf_ct_alloc_hashtable(), for pages of
 * 4, 16 and 64 KiB and pointers of 4 and 8 bytes). */
bool sysctl_value_holds(const SysctlSpec *spec, const SysctlValue *wanted, const SysctlValue *live);

/* For single integers only (bounds): <0, 0, >0. */
int sysctl_value_compare(const SysctlValue *a, const SysctlValue *b);
/* Whether at-least and at-most make sense for the key: one integer that is a quantity. */
bool sysctl_spec_is_ordered(const SysctlSpec *spec);

/* A copy whose port set lives in `arena`. 0 or -ENOMEM. */
NODISCARD int sysctl_value_copy(const SysctlValue *value, Arena *arena, SysctlValue *ret);

/* What is wrong with a value that somebody wants to set. *ret_index (may be NULL) is the offending number. */
SysctlFault sysctl_value_check(const SysctlSpec *spec, const SysctlValue *value, size_t *ret_index);

/* Builds a port set from unsorted ranges: sorts, merges overlapping and touching ones. 0 or -ENOMEM. */
NODISCARD int sysctl_ports_build(const PortRange *ranges, size_t n, Arena *arena, SysctlValue *ret);

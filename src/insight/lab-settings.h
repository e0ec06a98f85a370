/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The settings of a side of the lab: which of the host's are brought in, and what became of each when it was written.
 *
 * A new network namespace begins with the kernel's defaults, not with the host's values (reference: the kernel's
 * tcp_sk_init()), so the lab copies them: all keys of TCP and of the local ports that are per namespace, and the ones a
 * profile touches.
 */

#include "insight/lab-net.h"
#include "model/live.h"

#define LAB_SETTINGS_MAX 192U

typedef enum LabSettingState {
        LAB_SETTING_WRITTEN,
        LAB_SETTING_HOST_WIDE, /* one value for the whole host: not tried in the lab */
        LAB_SETTING_ABSENT,    /* this kernel has no such key in a new namespace */
        LAB_SETTING_REFUSED,   /* not writable there, or the value was refused */
        LAB_SETTING_STATES,
} LabSettingState;

typedef struct LabSetting {
        const SysctlSpec *spec;
        const char *text; /* as written to the kernel, without the newline */
} LabSetting;

/* "written", "host-wide", … as in JSON */
const char *lab_setting_state_name(LabSettingState state);

/* Whether the lab copies the host's value even when no profile touches the key. */
bool lab_setting_is_general(const SysctlSpec *spec);

/* Writes one into the network namespace of the caller. */
LabSettingState lab_setting_write(const LabSetting *setting);
/* Writes all on both sides, in this order; ret_states gets what became of each at the client's, where the caller is then. 0 or
 * <0. */
NODISCARD int lab_net_write_settings(
                const LabNet *net, const LabSetting *settings, size_t n,
                LabSettingState *ret_states, Error *reterr);

/* The ports that connect() may choose from in the namespace of the caller: the range without the reserved ones. 0 or
 * <0. */
NODISCARD int lab_ports_count(uint32_t *ret);
/* "32768 60999", as the kernel prints it. -EBADMSG when it is no range of ports. */
NODISCARD int lab_range_parse(const char *range, uint32_t *ret_low, uint32_t *ret_high);
/* Of the two files' texts. -EBADMSG when the range is none. */
NODISCARD int lab_ports_parse(const char *range, const char *reserved, uint32_t *ret);

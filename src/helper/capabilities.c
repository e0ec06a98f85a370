/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/capabilities.h"

#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>

/* uid 0 is nothing special for exec and setuid, ambient capabilities cannot be raised; none of it can be undone. */
#define SECUREBITS                                                                               \
        (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                         \
         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static void cap_t_freep(cap_t *caps) {
        if (*caps)
                (void) cap_free(*caps);
}

static void cap_namep(char **name) {
        if (*name)
                (void) cap_free(*name);
}

/* --- reading -------------------------------------------------------------------------------------------- */

int capabilities_read(CapabilityState *ret, Error *reterr) {
        CLEANUP(cap_t_freep) cap_t caps = cap_get_proc();
        if (!caps)
                return error_set(reterr, -errno, "cannot read the capabilities of this process");
        int no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
        if (no_new_privs < 0)
                return error_set(reterr, -errno, "cannot read no_new_privs");

        CapabilityState state = {
                .permitted = CAPABILITY_NONE,
                .inheritable = CAPABILITY_NONE,
                .effective = CAPABILITY_NONE,
                .ambient = CAPABILITY_NONE,
                .bounding = CAPABILITY_NONE,
                .no_new_privs = no_new_privs == 1,
        };
        for (cap_value_t value = 0; value < cap_max_bits(); value++) {
                cap_flag_value_t permitted, inheritable, effective;
                if (cap_get_flag(caps, value, CAP_PERMITTED, &permitted) < 0 ||
                    cap_get_flag(caps, value, CAP_INHERITABLE, &inheritable) < 0 ||
                    cap_get_flag(caps, value, CAP_EFFECTIVE, &effective) < 0)
                        return error_set(reterr, -errno, "cannot read capability %d", value);

                if (permitted == CAP_SET)
                        state.permitted = value;
                if (inheritable == CAP_SET)
                        state.inheritable = value;
                if (effective == CAP_SET)
                        state.effective = value;
                if (cap_get_ambient(value) == CAP_SET)
                        state.ambient = value;
                if (cap_get_bound(value) == CAP_SET)
                        state.bounding = value;
                if (value == CAP_SETPCAP)
                        state.is_setpcap = effective == CAP_SET;
        }

        *ret = state;
        return 0;
}

int capabilities_judge(const CapabilityState *state, bool bounding_may_stay, Error *reterr) {
        const struct {
                const char *set;
                int held;
                const char *directive;
        } sets[] = {
                { "effective", state->effective, "CapabilityBoundingSet= (empty)" },
                { "permitted", state->permitted, "CapabilityBoundingSet= (empty)" },
                { "inheritable", state->inheritable, "CapabilityBoundingSet= (empty)" },
                { "ambient", state->ambient, "AmbientCapabilities= (empty)" },
                { "bounding", bounding_may_stay ? CAPABILITY_NONE : state->bounding,
                  "CapabilityBoundingSet= (empty)" },
        };
        for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
                if (sets[i].held == CAPABILITY_NONE)
                        continue;
                CLEANUP(cap_namep) char *name = cap_to_name(sets[i].held);
                return error_set(
                                reterr, -EPERM,
                                "this process still has %s in its %s set; the unit file must say %s, so this is a "
                                "packaging mistake or a drop-in",
                                name ? name : "a capability", sets[i].set, sets[i].directive);
        }

        if (!state->no_new_privs)
                return error_set(
                                reterr, -EPERM,
                                "this process may gain privileges; the unit file must say NoNewPrivileges=yes, "
                                "so this is a packaging mistake or a drop-in");
        return 0;
}

int capabilities_check_unit(Error *reterr) {
        CapabilityState state;
        int r = capabilities_read(&state, reterr);
        if (r < 0)
                return r;
        return capabilities_judge(&state, /* bounding_may_stay= */ false, reterr);
}

/* --- dropping ------------------------------------------------------------------------------------------- */

static int bounding_drop(Error *reterr) {
        for (cap_value_t value = 0; value < cap_max_bits(); value++)
                if (cap_drop_bound(value) < 0)
                        return error_set(
                                        reterr, -errno,
                                        "cannot drop capability %d from the bounding set", value);
        return 0;
}

int capabilities_drop(Error *reterr) {
        CapabilityState state;
        int r = capabilities_read(&state, reterr);
        if (r < 0)
                return r;
        /* In a unit there is nothing left to drop, and its filter refuses the calls for it. */
        if (capabilities_judge(&state, /* bounding_may_stay= */ false, /* reterr= */ NULL) >= 0)
                return 0;

        if (state.is_setpcap) {
                r = bounding_drop(reterr);
                if (r < 0)
                        return r;
                if (cap_set_secbits(SECUREBITS) < 0)
                        return error_set(reterr, -errno, "cannot set the secure bits");
        }
        if (cap_reset_ambient() < 0)
                return error_set(reterr, -errno, "cannot empty the ambient capabilities");
        CLEANUP(cap_t_freep) cap_t none = cap_init();
        if (!none)
                return error_set(reterr, -ENOMEM, "cannot drop the capabilities");
        if (cap_set_proc(none) < 0)
                return error_set(reterr, -errno, "cannot drop the capabilities");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set(reterr, -errno, "cannot set no_new_privs");

        bool bounding_may_stay = !state.is_setpcap;
        r = capabilities_read(&state, reterr);
        if (r < 0)
                return r;
        return capabilities_judge(&state, bounding_may_stay, reterr);
}

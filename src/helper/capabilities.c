/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/capabilities.h"

#include <linux/securebits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/num.h"

/* uid 0 is nothing special for exec and setuid, ambient capabilities cannot be raised; none of it can be undone. */
#define SECUREBITS                                                                               \
        (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                         \
         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static void cap_t_freep(cap_t *caps) {
        if (*caps)
                (void) cap_free(*caps);
}

static void file_closep(FILE **file) {
        if (*file)
                (void) fclose(*file); /* only read from */
}

static void cap_namep(char **name) {
        if (*name)
                (void) cap_free(*name);
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The number of a capability in the mask. */
static int mask_find(uint64_t mask) {
        return mask == 0 ? CAPABILITY_NONE : 63 - __builtin_clzll(mask);
}

/* The number behind "NAME:\t" when the line is that one. */
static bool line_parse(const char *line, const char *name, uint64_t *ret) {
        const char *digits = startswith(line, name);
        if (!digits || digits[0] != ':' || digits[1] != '\t')
                return false;

        char *end;
        errno = 0;
        unsigned long long value = strtoull(digits + 2, &end, 16);
        if (errno != 0 || end == digits + 2 || *end != '\n')
                return false;
        *ret = value;
        return true;
}

/* One file instead of a call for each capability and set, which are 82, twice. Before the lines for us stands one
 * with all supplementary groups, so a line may be long; the name of the process comes escaped. */
static int status_read(const char *const names[], uint64_t values[], size_t n, Error *reterr) {
        char buffer[8192]; /* before the file: it goes after it */
        CLEANUP(file_closep) FILE *file = fopen("/proc/self/status", "re");
        if (!file)
                return error_set(reterr, -errno, "cannot read the capabilities of this process");

        /* stdio's own buffer has the 1024 bytes of st_blksize and would take the file in pieces */
        (void) setvbuf(file, buffer, _IOFBF, sizeof(buffer));
        cleanup_free char *line = NULL;
        size_t size = 0, found = 0;
        while (found < n && getline(&line, &size, file) > 0)
                if (line_parse(line, names[found], &values[found]))
                        found++;
        if (found < n)
                return error_set(
                                reterr, -EBADMSG,
                                "cannot read the capabilities of this process: /proc/self/status has no %s",
                                names[found]);
        return 0;
}

/* What there is besides the capabilities of the mask. */
static int state_read(uint64_t kept, CapabilityState *ret, Error *reterr) {
        enum { INHERITABLE, PERMITTED, EFFECTIVE, BOUNDING, AMBIENT, NO_NEW_PRIVS, N_LINES };
        /* in the order of the file (fs/proc/array.c) */
        static const char *const names[N_LINES] = {
                "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
        };
        uint64_t values[N_LINES] = { 0 };
        int r = status_read(names, values, N_LINES, reterr);
        if (r < 0)
                return r;

        *ret = (CapabilityState){
                .permitted = mask_find(values[PERMITTED] & ~kept),
                .inheritable = mask_find(values[INHERITABLE]),
                .effective = mask_find(values[EFFECTIVE] & ~kept),
                .ambient = mask_find(values[AMBIENT]),
                .bounding = mask_find(values[BOUNDING] & ~kept),
                .no_new_privs = values[NO_NEW_PRIVS] == 1,
                .is_setpcap = (values[EFFECTIVE] & (UINT64_C(1) << CAP_SETPCAP)) != 0,
        };
        return 0;
}

int capabilities_read(CapabilityState *ret, Error *reterr) {
        return state_read(/* kept= */ 0, ret, reterr);
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
                                "the helper still has %s in its %s set; its unit file must say %s, so this is a "
                                "packaging mistake or a drop-in",
                                name ? name : "a capability", sets[i].set, sets[i].directive);
        }

        if (!state->no_new_privs)
                return error_set(
                                reterr, -EPERM,
                                "the helper may gain privileges; its unit file must say NoNewPrivileges=yes, "
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

/* Whether uid 0 here is the machine's: its map is the identity over all 2^32 - 1 numbers (user_namespaces(7)).
 * Doubt counts as yes, so that nothing is kept. */
static bool is_initial_userns(void) {
        CLEANUP(file_closep) FILE *file = fopen("/proc/self/uid_map", "re");
        cleanup_free char *line = NULL;
        size_t size = 0;
        if (!file || getline(&line, &size, file) <= 0)
                return true;

        uint64_t fields[3]; /* first inside, first outside, how many */
        char *rest = NULL, *word = strtok_r(line, " \n", &rest);
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                if (!word || num_parse_u64(word, &fields[i]) < 0)
                        return true;
                word = strtok_r(NULL, " \n", &rest);
        }
        return fields[0] == 0 && fields[1] == 0 && fields[2] == UINT32_MAX;
}

uint64_t capabilities_kept(void) {
        if (is_initial_userns())
                return 0;

        CLEANUP(cap_t_freep) cap_t caps = cap_get_proc();
        cap_flag_value_t is_permitted = CAP_CLEAR;
        if (!caps || cap_get_flag(caps, CAP_NET_ADMIN, CAP_PERMITTED, &is_permitted) < 0)
                return 0;
        return is_permitted == CAP_SET ? UINT64_C(1) << CAP_NET_ADMIN : 0;
}

static int bounding_drop(uint64_t kept, Error *reterr) {
        for (cap_value_t value = 0; value < cap_max_bits(); value++) {
                if ((kept & (UINT64_C(1) << value)) != 0)
                        continue;
                if (cap_drop_bound(value) < 0)
                        return error_set(
                                        reterr, -errno,
                                        "cannot drop capability %d from the bounding set", value);
        }
        return 0;
}

static int sets_drop(uint64_t kept, Error *reterr) {
        static const cap_value_t net_admin[] = { CAP_NET_ADMIN };

        CLEANUP(cap_t_freep) cap_t caps = cap_init();
        if (!caps)
                return error_set(reterr, -ENOMEM, "cannot drop the capabilities");
        if (kept != 0 && (cap_set_flag(caps, CAP_PERMITTED, 1, net_admin, CAP_SET) < 0 ||
                          cap_set_flag(caps, CAP_EFFECTIVE, 1, net_admin, CAP_SET) < 0))
                return error_set(reterr, -errno, "cannot drop the capabilities");
        if (cap_set_proc(caps) < 0)
                return error_set(reterr, -errno, "cannot drop the capabilities");
        return 0;
}

int capabilities_drop(Error *reterr) {
        uint64_t kept = capabilities_kept();

        CapabilityState state;
        int r = state_read(kept, &state, reterr);
        if (r < 0)
                return r;
        /* In a unit there is nothing left to drop, and its filter refuses the calls for it. */
        if (capabilities_judge(&state, /* bounding_may_stay= */ false, /* reterr= */ NULL) >= 0)
                return 0;

        if (state.is_setpcap) {
                r = bounding_drop(kept, reterr);
                if (r < 0)
                        return r;
                if (cap_set_secbits(SECUREBITS) < 0)
                        return error_set(reterr, -errno, "cannot set the secure bits");
        }
        if (state.ambient != CAPABILITY_NONE && cap_reset_ambient() < 0)
                return error_set(reterr, -errno, "cannot empty the ambient capabilities");
        r = sets_drop(kept, reterr);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set(reterr, -errno, "cannot set no_new_privs");

        bool bounding_may_stay = !state.is_setpcap;
        r = state_read(kept, &state, reterr);
        if (r < 0)
                return r;
        return capabilities_judge(&state, bounding_may_stay, reterr);
}

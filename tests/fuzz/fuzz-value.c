/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Values: the first two bytes choose a key, the rest is what its file shows or what somebody writes into it. What is
 * understood has one spelling that leads back to the same value, and checking never depends on how it was spelled.
 */

#include "fuzz.h"
#include "model/procps-conf.h"
#include "model/sysctl-conf.h"
#include "model/sysctl-glob.h"
#include "model/sysctl-value.h"

static void check_spelling(const SysctlSpec *spec, const SysctlValue *value, Arena *arena) {
        const char *text = sysctl_value_to_kernel(spec, value, arena);
        FUZZ_ASSERT(text);
        size_t n = strlen(text);
        FUZZ_ASSERT(!memchr(text, '\n', n));

        SysctlValue again;
        FUZZ_ASSERT(sysctl_value_from_kernel(spec, text, n, arena, &again) == 0);
        FUZZ_ASSERT(sysctl_value_equal(value, &again));
        FUZZ_ASSERT(sysctl_value_check(spec, value, NULL) ==
                    sysctl_value_check(spec, &again, NULL));

        const char *second = sysctl_value_to_kernel(spec, &again, arena);
        FUZZ_ASSERT(second && streq(second, text));

        SysctlValue copy;
        FUZZ_ASSERT(sysctl_value_copy(value, arena, &copy) == 0);
        FUZZ_ASSERT(sysctl_value_equal(&copy, value));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        if (n < 2)
                return 0;
        size_t chosen = ((size_t) bytes[0] << 8 | bytes[1]) % catalogue_count();
        const SysctlSpec *spec = catalogue_get(chosen);
        const char *text = (const char *) bytes + 2;

        CLEANUP(arena_freep) Arena *arena = arena_new();
        FUZZ_ASSERT(arena);
        SysctlValue value;
        if (sysctl_value_from_kernel(spec, text, n - 2, arena, &value) >= 0)
                check_spelling(spec, &value, arena);
        if (sysctl_value_from_written(spec, text, n - 2, arena, &value) >= 0)
                check_spelling(spec, &value, arena);

        /* the same bytes as a file of sysctl.d */
        SysctlConf conf;
        FUZZ_ASSERT(sysctl_conf_parse(text, n - 2, arena, &conf) == 0);
        for (size_t i = 0; i < conf.n_items; i++) {
                FUZZ_ASSERT(conf.items[i].path && conf.items[i].line > 0);
                FUZZ_ASSERT(conf.items[i].exclusion == !conf.items[i].value);
                (void) sysctl_glob_match(conf.items[i].path, spec->path);
        }
        FUZZ_ASSERT(procps_conf_parse(text, n - 2, arena, &conf) == 0);
        for (size_t i = 0; i < conf.n_items; i++) {
                FUZZ_ASSERT(conf.items[i].path && conf.items[i].literal && conf.items[i].line > 0);
                FUZZ_ASSERT(conf.items[i].exclusion == !conf.items[i].value);
                (void) sysctl_glob_match(conf.items[i].path, spec->path);
        }
        return 0;
}

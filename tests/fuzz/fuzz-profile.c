/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The profile reader. What it takes is a profile whose every value has one spelling: written for the kernel and read back it
 * is the same value. What it refuses has a reason, and every reason can be shown.
 */

#include "diag/json.h"
#include "diag/text.h"
#include "fuzz.h"
#include "model/profile.h"

static void check_setting(const ProfileSetting *setting) {
        if (setting->merge != SETTING_EXACT)
                return;

        CLEANUP(arena_freep) Arena *arena = arena_new();
        FUZZ_ASSERT(arena);
        const SysctlSpec *spec = setting->spec;
        const char *text = sysctl_value_to_kernel(spec, &setting->value, arena);
        FUZZ_ASSERT(text);
        SysctlValue again;
        FUZZ_ASSERT(sysctl_value_from_kernel(spec, text, strlen(text), arena, &again) == 0);
        FUZZ_ASSERT(sysctl_value_equal(&setting->value, &again));
        FUZZ_ASSERT(sysctl_value_check(spec, &again, NULL) == SYSCTL_FAULT_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        CLEANUP(diag_list_freep) DiagList *diags = diag_list_new();
        Source *source = source_new("fuzz.yaml", (const char *) bytes, n);
        FUZZ_ASSERT(diags && source);

        Error error = { 0 };
        CLEANUP(profile_freep) Profile *profile = NULL;
        int r = profile_parse(source, NULL, diags, &profile, &error);
        FUZZ_ASSERT(r >= 0);
        FUZZ_ASSERT((r == 0) == (profile != NULL));
        FUZZ_ASSERT(r == 0 || diag_list_exit_code(diags) == 3);

        CLEANUP(strbuf_deinit) StrBuf shown = { 0 };
        diag_text_render(diags, &(DiagTextOptions){ .colour = n % 2 }, &shown);
        FUZZ_ASSERT(!shown.failed);
        json_t *findings = diag_json_encode(diags);
        FUZZ_ASSERT(findings);
        json_decref(findings);

        for (size_t i = 0; profile && i < profile->n_settings; i++)
                check_setting(&profile->settings[i]);
        return 0;
}

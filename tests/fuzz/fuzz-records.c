/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Generations and the public view. What is read as a generation can be written again, and what was written is read as the
 * same again.
 */

#include "fuzz.h"
#include "record/generation-format.h"
#include "record/status-format.h"

static void read_generation(const char *bytes, size_t n) {
        Error error = { 0 };
        CLEANUP(generation_freep) Generation *generation = NULL;
        int r = generation_decode(bytes, n, &generation, &error);
        FUZZ_ASSERT(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        FUZZ_ASSERT(generation_encode(generation, &text) == 0 && !text.failed);
        CLEANUP(generation_freep) Generation *again = NULL;
        FUZZ_ASSERT(generation_decode(text.data, text.length, &again, &error) == 0);
        FUZZ_ASSERT(again->number == generation->number && again->n_keys == generation->n_keys);
        for (size_t i = 0; i < again->n_keys; i++)
                FUZZ_ASSERT(sysctl_value_equal(&again->keys[i].value, &generation->keys[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        read_generation((const char *) bytes, n);

        CLEANUP(arena_freep) Arena *arena = arena_new();
        FUZZ_ASSERT(arena);
        Error error = { 0 };
        CLEANUP(status_deinit) Status status = { 0 };
        int r = status_decode((const char *) bytes, n, arena, &status, &error);
        FUZZ_ASSERT(r == 0 || r == -EBADMSG);
        return 0;
}

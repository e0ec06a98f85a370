/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Recordings for advice: whatever a file says, it is refused or judged, and the findings are whole. What was judged is written,
 * read and judged again with the same result.
 */

#include "fuzz.h"
#include "insight/advice-format.h"

static json_t *judge(const AdviceInput *input, Arena *arena) {
        Advice advice;
        FUZZ_ASSERT(advise(input, arena, &advice) == 0);
        FUZZ_ASSERT(advice.summary && advice.n_skipped <= advice_rule_count());
        for (size_t i = 0; i < advice.n_findings; i++)
                FUZZ_ASSERT(*advice.findings[i].evidence && *advice.findings[i].formula &&
                            *advice.findings[i].next && *advice.findings[i].subject);
        json_t *object = advice_to_json(input, &advice);
        FUZZ_ASSERT(object);
        return object;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        FUZZ_ASSERT(arena);
        AdviceInput input, again;
        Error error = { 0 };
        if (advice_decode_samples((const char *) bytes, n, arena, &input, &error) < 0) {
                FUZZ_ASSERT(*error.text);
                return 0;
        }
        json_auto_t *object = judge(&input, arena);
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        FUZZ_ASSERT(strict_json_render(object, &text) == 0);
        if (text.length > ADVICE_FORMAT_MAX_BYTES)
                return 0;
        FUZZ_ASSERT(advice_decode_samples(text.data, text.length, arena, &again, &error) == 0);
        json_auto_t *object_again = judge(&again, arena);
        FUZZ_ASSERT(json_equal(object, object_again));
        return 0;
}

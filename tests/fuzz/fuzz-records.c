/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The small files: a generation, the public view, what awaits confirmation, a quarantine, the gate's baseline. Each reader
 * is given the same bytes. What one of them takes can be written again, what was written is read again, and writing
 * that gives the same bytes: a record has one spelling, which holds all that was read.
 */

#include "fuzz.h"
#include "record/gate-format.h"
#include "record/generation-format.h"
#include "record/pending-format.h"
#include "record/quarantine-format.h"
#include "record/status-format.h"

typedef struct RecordKind {
        const char *name;
        /* Reads, and writes what was read. 0, or what the reader gave; writing has to go well. */
        int (*rewrite)(const char *bytes, size_t n, StrBuf *out, Error *reterr);
} RecordKind;

/* A generation keeps the bytes that it was read from, so it is written by way of its members. */
static void write_generation(const Generation *generation, StrBuf *out) {
        json_auto_t *object = NULL;
        FUZZ_ASSERT(generation_to_json(generation, &object) == 0);
        FUZZ_ASSERT(strict_json_render(object, out) == 0);
}

static int rewrite_generation(const char *bytes, size_t n, StrBuf *out, Error *reterr) {
        CLEANUP(generation_freep) Generation *generation = NULL;
        int r = generation_decode(bytes, n, &generation, reterr);
        if (r < 0)
                return r;
        write_generation(generation, out);
        CLEANUP(strbuf_deinit) StrBuf kept = { 0 };
        FUZZ_ASSERT(generation_encode(generation, &kept) == 0);
        CLEANUP(generation_freep) Generation *again = NULL;
        FUZZ_ASSERT(generation_decode(kept.data, kept.length, &again, reterr) == 0);
        FUZZ_ASSERT(again->number == generation->number && again->n_keys == generation->n_keys);
        for (size_t i = 0; i < again->n_keys; i++)
                FUZZ_ASSERT(sysctl_value_equal(&again->keys[i].value, &generation->keys[i].value));
        return 0;
}

static int rewrite_status(const char *bytes, size_t n, StrBuf *out, Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(status_deinit) Status status = { 0 };
        FUZZ_ASSERT(arena);
        int r = status_decode(bytes, n, arena, &status, reterr);
        if (r < 0)
                return r;
        FUZZ_ASSERT(status_encode(&status, out) == 0);
        return 0;
}

static int rewrite_pending(const char *bytes, size_t n, StrBuf *out, Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Pending pending;
        FUZZ_ASSERT(arena);
        int r = pending_decode(bytes, n, arena, &pending, reterr);
        if (r < 0)
                return r;
        FUZZ_ASSERT(pending_encode(&pending, out) == 0);
        return 0;
}

static int rewrite_quarantine(const char *bytes, size_t n, StrBuf *out, Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Quarantine quarantine;
        FUZZ_ASSERT(arena);
        int r = quarantine_decode(bytes, n, arena, &quarantine, reterr);
        if (r < 0)
                return r;
        FUZZ_ASSERT(quarantine_encode(&quarantine, out) == 0);
        return 0;
}

static int rewrite_baseline(const char *bytes, size_t n, StrBuf *out, Error *reterr) {
        GateBaseline baseline;
        int r = gate_baseline_decode(bytes, n, &baseline, reterr);
        if (r < 0)
                return r;
        FUZZ_ASSERT(gate_baseline_encode(&baseline, out) == 0);
        return 0;
}

static const RecordKind kinds[] = {
        { "generation", rewrite_generation }, { "status", rewrite_status },
        { "pending", rewrite_pending },       { "quarantine", rewrite_quarantine },
        { "baseline", rewrite_baseline },
};

static void read_record(const RecordKind *kind, const char *bytes, size_t n) {
        Error error = { 0 };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        int r = kind->rewrite(bytes, n, &text, &error);
        FUZZ_ASSERT(r == 0 || r == -EBADMSG);
        FUZZ_ASSERT(error_is_set(&error) == (r < 0));
        if (r < 0)
                return;

        CLEANUP(strbuf_deinit) StrBuf again = { 0 };
        FUZZ_ASSERT(!text.failed);
        r = kind->rewrite(text.data, text.length, &again, &error);
        if (r < 0)
                fprintf(stderr, "%s: what was written is not read: %s\n", kind->name, error.text);
        FUZZ_ASSERT(r == 0);
        FUZZ_ASSERT(!again.failed && again.length == text.length);
        FUZZ_ASSERT(memcmp(again.data, text.data, text.length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                read_record(&kinds[i], (const char *) bytes, n);
        return 0;
}

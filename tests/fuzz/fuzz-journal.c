/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The journal's file. Its bytes decide what is written to the kernel after a crash, so what the reader gives must be what was
 * framed: whole frames in order, each inside the file, and the quick way of reading agrees with the thorough one.
 *
 * A fuzzer cannot make up a SHA-256. So the input is a list of frames to be (type, flags, length, payload), which are framed
 * as the writer would, and then damaged as the last bytes of the input say.
 */

#include "fuzz.h"
#include "record/journal-format.h"
#include "record/journal-payload.h"

#define TX      "0f0f0f0f-1111-4222-8333-444444444444"
#define PADDING 4096U

static void decode_payload(const JournalFrame *frame, Arena *arena) {
        Error error = { 0 };
        JournalPrepared prepared;
        JournalRevert revert;
        JournalDone done;
        CLEANUP(generation_freep) Generation *generation = NULL;

        switch (frame->type) {
        case JOURNAL_PREPARED:
                (void) !journal_prepared_decode(frame, arena, &prepared, &error);
                break;
        case JOURNAL_COMMIT:
                (void) !journal_commit_decode(frame, &generation, &error);
                break;
        case JOURNAL_REVERT:
                (void) !journal_revert_decode(frame, arena, &revert, &error);
                break;
        case JOURNAL_DONE:
                (void) !journal_done_decode(frame, arena, &done, &error);
                break;
        case JOURNAL_APPLIED:
        default:
                break;
        }
}

static void check_scan(const JournalScan *scan, size_t n) {
        size_t at = 0;
        for (size_t i = 0; i < scan->n_frames; i++) {
                const JournalFrame *frame = &scan->frames[i];
                FUZZ_ASSERT(frame->offset == at);
                FUZZ_ASSERT(frame->index == i);
                FUZZ_ASSERT(frame->durable <= i);
                at += journal_frame_size(frame->payload_length);
                FUZZ_ASSERT(at <= n);
        }
        FUZZ_ASSERT(scan->end == at || scan->tail == JOURNAL_TAIL_CORRUPT);
}

/* What no later frame vouches for is read the same both ways; nothing the thorough way refuses is taken by the quick one. */
static void scan_both(const char *bytes, size_t n) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        FUZZ_ASSERT(arena);
        JournalScan whole, latest;
        FUZZ_ASSERT(journal_scan(bytes, n, arena, &whole) == 0);
        FUZZ_ASSERT(journal_scan_latest(bytes, n, arena, &latest) == 0);
        check_scan(&whole, n);
        check_scan(&latest, n);
        for (size_t i = 0; i < whole.n_frames; i++)
                decode_payload(&whole.frames[i], arena);
        if (whole.tail == JOURNAL_TAIL_CORRUPT)
                return;
        FUZZ_ASSERT(latest.tail == whole.tail);
        FUZZ_ASSERT(latest.n_frames == whole.n_frames && latest.end == whole.end);
}

/* One frame from the input: a byte of type and durability, two of length, the payload. */
static size_t add_frame(const uint8_t *bytes, size_t n, uint64_t index, Sha256 *last, StrBuf *out) {
        if (n < 3)
                return 0;
        size_t length = (size_t) (bytes[1] << 8 | bytes[2]);
        if (length > n - 3)
                length = n - 3;
        cleanup_free char *payload = malloc(length + 1);
        FUZZ_ASSERT(payload);
        memcpy(payload, bytes + 3, length);

        JournalFrame frame = {
                .type = (JournalType) (1 + bytes[0] % 5),
                .index = index,
                .durable = (bytes[0] & 0x80) ? index : 0,
                .tx = TX,
                .payload = payload,
                .payload_length = length,
        };
        Sha256 hash;
        FUZZ_ASSERT(journal_frame_encode(&frame, last, out, &hash) == 0);
        *last = hash;
        return 3 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        /* as they are */
        scan_both((const char *) bytes, n);
        if (n < 4)
                return 0;

        CLEANUP(strbuf_deinit) StrBuf file = { 0 };
        const uint8_t *damage = bytes + n - 3;
        size_t left = n - 3;
        uint64_t index = 0;
        Sha256 last = { 0 };
        for (size_t at = 0, used = 1; used > 0; at += used, index++)
                used = add_frame(bytes + at, left - at, index, &last, &file);
        for (size_t i = 0; i < PADDING; i++)
                strbuf_add_char(&file, '\0');
        FUZZ_ASSERT(!file.failed);
        scan_both(file.data, file.length);

        size_t where = ((size_t) damage[0] << 8 | damage[1]) % file.length;
        file.data[where] = (char) (file.data[where] ^ damage[2]);
        scan_both(file.data, file.length);
        scan_both(file.data, where);
        return 0;
}

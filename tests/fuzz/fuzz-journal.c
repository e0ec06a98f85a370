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

/* Reads a frame's payload, and writes what was read. 0, or what the reader gave. */
static int rewrite_prepared(const JournalFrame *frame, Arena *arena, StrBuf *out, Error *reterr) {
        JournalPrepared prepared;
        int r = journal_prepared_decode(frame, arena, &prepared, reterr);
        return r < 0 ? r : journal_prepared_encode(&prepared, out);
}

static int rewrite_applied(const JournalFrame *frame, Arena *arena, StrBuf *out, Error *reterr) {
        CLEANUP(generation_freep) Generation *generation = NULL;
        JournalApplied applied;
        int r = journal_applied_decode(frame, arena, &applied, &generation, reterr);
        return r < 0 ? r : journal_applied_encode(&applied, out);
}

static int rewrite_commit(
                const JournalFrame *frame, Arena *arena UNUSED, StrBuf *out, Error *reterr) {
        CLEANUP(generation_freep) Generation *generation = NULL;
        int r = journal_commit_decode(frame, &generation, reterr);
        return r < 0 ? r : journal_commit_encode(&(JournalCommit){ generation }, out);
}

static int rewrite_revert(const JournalFrame *frame, Arena *arena, StrBuf *out, Error *reterr) {
        JournalRevert revert;
        int r = journal_revert_decode(frame, arena, &revert, reterr);
        return r < 0 ? r : journal_revert_encode(&revert, out);
}

static int rewrite_done(const JournalFrame *frame, Arena *arena, StrBuf *out, Error *reterr) {
        JournalDone done;
        int r = journal_done_decode(frame, arena, &done, reterr);
        return r < 0 ? r : journal_done_encode(&done, out);
}

static int (*const rewrite[])(const JournalFrame *, Arena *, StrBuf *, Error *) = {
        [JOURNAL_PREPARED] = rewrite_prepared, [JOURNAL_APPLIED] = rewrite_applied,
        [JOURNAL_COMMIT] = rewrite_commit,     [JOURNAL_REVERT] = rewrite_revert,
        [JOURNAL_DONE] = rewrite_done,
};

/* What a payload says can be written again, is read again, and has one spelling from then on. */
static void check_payload(const JournalFrame *frame, Arena *arena) {
        Error error = { 0 };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        int r = rewrite[frame->type](frame, arena, &text, &error);
        FUZZ_ASSERT(r == 0 || r == -EBADMSG);
        FUZZ_ASSERT(error_is_set(&error) == (r < 0));
        if (r < 0)
                return;

        JournalFrame second = *frame;
        second.payload = text.data;
        second.payload_length = text.length;
        CLEANUP(strbuf_deinit) StrBuf again = { 0 };
        r = rewrite[frame->type](&second, arena, &again, &error);
        if (r < 0)
                fprintf(stderr, "what was written is not read: %s\n", error.text);
        FUZZ_ASSERT(r == 0);
        FUZZ_ASSERT(!text.failed && !again.failed && again.length == text.length);
        FUZZ_ASSERT(memcmp(again.data, text.data, text.length) == 0);
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
static JournalScan scan_both(const char *bytes, size_t n, Arena *arena) {
        JournalScan whole, latest;
        FUZZ_ASSERT(journal_scan(bytes, n, arena, &whole) == 0);
        FUZZ_ASSERT(journal_scan_latest(bytes, n, arena, &latest) == 0);
        check_scan(&whole, n);
        check_scan(&latest, n);
        for (size_t i = 0; i < whole.n_frames; i++)
                check_payload(&whole.frames[i], arena);
        if (whole.tail != JOURNAL_TAIL_CORRUPT) {
                FUZZ_ASSERT(latest.tail == whole.tail);
                FUZZ_ASSERT(latest.n_frames == whole.n_frames && latest.end == whole.end);
        }
        return whole;
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
                .type = (JournalType) (JOURNAL_PREPARED + (bytes[0] & 0x7f) % JOURNAL_DONE),
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

/* The number of frames. */
static size_t write_frames(const uint8_t *bytes, size_t n, StrBuf *file) {
        size_t n_frames = 0;
        Sha256 last = { 0 };
        for (size_t at = 0;; n_frames++) {
                size_t used = add_frame(bytes + at, n - at, n_frames, &last, file);
                if (used == 0)
                        break;
                at += used;
        }
        for (size_t i = 0; i < PADDING; i++)
                strbuf_add_char(file, '\0');
        FUZZ_ASSERT(!file->failed);
        return n_frames;
}

/* The scan of a file with a damaged byte at `where`, beside that of the file as it was written: what stands before the
 * damaged frame is there, nothing behind it is; and where a later frame vouches for it, that is no crash's doing. */
static void check_damage(const JournalScan *was, const JournalScan *now, size_t where) {
        size_t hit = 0;
        bool vouched = false;
        while (hit < was->n_frames &&
               where >= was->frames[hit].offset +
                                               journal_frame_size(was->frames[hit].payload_length))
                hit++;
        for (size_t i = hit + 1; i < was->n_frames; i++)
                vouched |= was->frames[i].durable > hit;
        FUZZ_ASSERT(now->n_frames == hit);
        FUZZ_ASSERT(now->tail == (vouched ? JOURNAL_TAIL_CORRUPT : JOURNAL_TAIL_TORN));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        FUZZ_ASSERT(arena);
        /* as they are */
        (void) scan_both((const char *) bytes, n, arena);
        if (n < 4)
                return 0;

        CLEANUP(strbuf_deinit) StrBuf file = { 0 };
        const uint8_t *damage = bytes + n - 3;
        size_t n_frames = write_frames(bytes, n - 3, &file);
        JournalScan was = scan_both(file.data, file.length, arena);
        FUZZ_ASSERT(was.n_frames == n_frames && was.tail == JOURNAL_TAIL_CLEAN);

        size_t where = ((size_t) damage[0] << 8 | damage[1]) % file.length;
        /* what is read points into the bytes, and those of `was` change now */
        file.data[where] = (char) (file.data[where] ^ damage[2]);
        JournalScan now = scan_both(file.data, file.length, arena);
        if (damage[2] != 0)
                check_damage(&was, &now, where);
        (void) scan_both(file.data, where, arena);
        return 0;
}

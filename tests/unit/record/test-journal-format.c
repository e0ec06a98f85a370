/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/journal-format.h"

#include "test.h"

#define TX   "0f2c5a1e-7b1d-4c8e-9a54-3f0b6d2e8c11"
#define TAIL 512U

typedef struct Journal {
        StrBuf bytes;
        Sha256 last;
        uint64_t index;
        size_t starts[16];
} Journal;

static void journal_deinit(Journal *journal) {
        strbuf_deinit(&journal->bytes);
}

static void add(Journal *journal, JournalType type, uint64_t durable, const char *payload) {
        if (journal->index < ELEMENTSOF(journal->starts))
                journal->starts[journal->index] = journal->bytes.length;
        JournalFrame frame = {
                .type = type,
                .index = journal->index++,
                .durable = durable,
                .tx = TX,
                .payload = payload,
                .payload_length = strlen(payload),
        };
        assert_int_equal(
                        journal_frame_encode(
                                        &frame, &journal->last, &journal->bytes, &journal->last),
                        0);
}

static const struct {
        JournalType type;
        const char *payload;
} sample[] = {
        { JOURNAL_PREPARED, "{\"some\":\"keys\",\"and\":[1,2,3]}" },
        { JOURNAL_COMMIT, "{\"exactly\":\"64 bytes, so that there is no padding behind it 789\"}" },
        { JOURNAL_DONE, "" },
        { JOURNAL_PREPARED,
          "{\"one more than 64 bytes\":\"so that 63 bytes of padding follow it\"}" },
        { JOURNAL_REVERT, "{}" },
};
#define N ELEMENTSOF(sample)

/* `flushed`: each frame knows that all before it are on disk. */
static void make_sample(Journal *journal, bool flushed) {
        for (size_t i = 0; i < N; i++)
                add(journal, sample[i].type, flushed ? i : 0, sample[i].payload);
        strbuf_add_repeat(&journal->bytes, '\0', TAIL);
}

static size_t sample_end(const Journal *journal, size_t i) {
        return i + 1 < N ? journal->starts[i + 1] : journal->bytes.length - TAIL;
}

/* The first `n` frames are those of the sample, whatever happened behind them. */
static void check_scan(
                const Journal *journal, const JournalScan *scan, size_t n, JournalTail tail) {
        assert_int_equal(scan->n_frames, n);
        assert_int_equal(scan->tail, tail);
        assert_int_equal(scan->end, n > 0 ? sample_end(journal, n - 1) : 0);
        for (size_t i = 0; i < n; i++) {
                const JournalFrame *frame = &scan->frames[i];
                assert_int_equal(frame->type, sample[i].type);
                assert_int_equal(frame->index, i);
                assert_int_equal(frame->offset, journal->starts[i]);
                assert_string_equal(frame->tx, TX);
                assert_int_equal(frame->payload_length, strlen(sample[i].payload));
                assert_memory_equal(frame->payload, sample[i].payload, frame->payload_length);
        }
}

static void scan_and_check(
                const Journal *journal, const char *bytes, size_t length, size_t n,
                JournalTail tail) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalScan scan;
        assert_int_equal(journal_scan(bytes, length, arena, &scan), 0);
        check_scan(journal, &scan, n, tail);
        /* The quick way comes to the same, but for damage in what later frames vouch for. */
        if (tail == JOURNAL_TAIL_CORRUPT)
                return;
        JournalScan latest;
        assert_int_equal(journal_scan_latest(bytes, length, arena, &latest), 0);
        check_scan(journal, &latest, n, tail);
}

static void test_scan_gives_what_was_encoded(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        make_sample(&journal, /* flushed= */ true);

        scan_and_check(&journal, journal.bytes.data, journal.bytes.length, N, JOURNAL_TAIL_CLEAN);
        assert_int_equal(journal.starts[1], journal_frame_size(strlen(sample[0].payload)));
        assert_int_equal(journal_frame_size(0), 128);
        assert_int_equal(journal_frame_size(64), 192);
        assert_int_equal(journal_frame_size(65), 256);
}

static void test_scan_of_nothing(void **state) {
        (void) state;
        static const char zeros[9000];
        static const size_t lengths[] = { 0, 1, 63, 64, 127, 128, 4096, 4097, 8999 };
        Journal none = {};
        for (size_t i = 0; i < ELEMENTSOF(lengths); i++)
                scan_and_check(&none, zeros, lengths[i], 0, JOURNAL_TAIL_CLEAN);
}

/* The hash covers header and payload, the padding is looked at: no byte can change unseen. */
static void test_scan_every_byte_changed(void **state) {
        (void) state;
        static const unsigned char masks[] = { 0x01, 0x80, 0xFF };

        for (int flushed = 0; flushed < 2; flushed++) {
                CLEANUP(journal_deinit) Journal journal = {};
                make_sample(&journal, flushed);
                char *bytes = journal.bytes.data;
                size_t length = journal.bytes.length, frame = 0;

                for (size_t at = 0; at < length; at++) {
                        while (frame < N && at >= sample_end(&journal, frame))
                                frame++;
                        /* A middle frame that was flushed once is missing; otherwise a crash explains it. */
                        JournalTail tail = flushed && frame + 1 < N ? JOURNAL_TAIL_CORRUPT
                                                                    : JOURNAL_TAIL_TORN;
                        for (size_t m = 0; m < ELEMENTSOF(masks); m++) {
                                bytes[at] = (char) (bytes[at] ^ masks[m]);
                                scan_and_check(&journal, bytes, length, frame, tail);
                                bytes[at] = (char) (bytes[at] ^ masks[m]);
                        }
                }
                assert_int_equal(frame, N);
        }
}

static void test_scan_cut_at_every_length(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        make_sample(&journal, /* flushed= */ true);

        size_t whole = 0;
        for (size_t length = 0; length <= journal.bytes.length; length++) {
                while (whole < N && length >= sample_end(&journal, whole))
                        whole++;
                bool at_end = length == (whole > 0 ? sample_end(&journal, whole - 1) : 0);
                /* A copy of that size, so that the sanitizers see any read behind it. */
                cleanup_free char *copy = malloc(length + 1);
                assert_non_null(copy);
                memcpy(copy, journal.bytes.data, length);
                copy = realloc(copy, length > 0 ? length : 1);
                scan_and_check(&journal, copy, length, whole,
                               at_end || whole == N ? JOURNAL_TAIL_CLEAN : JOURNAL_TAIL_TORN);
        }
}

/* What a power cut may leave: any part written, the rest still zero. */
static void test_scan_last_frame_written_in_part(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        make_sample(&journal, /* flushed= */ true);
        size_t start = journal.starts[N - 1], end = sample_end(&journal, N - 1);

        for (size_t from = start; from < end; from += 64) {
                cleanup_free char *copy = malloc(journal.bytes.length);
                memcpy(copy, journal.bytes.data, journal.bytes.length);
                memset(copy + from, 0, end - from);
                scan_and_check(&journal, copy, journal.bytes.length, N - 1,
                               from == start ? JOURNAL_TAIL_CLEAN : JOURNAL_TAIL_TORN);
        }
}

/* Frame 1 was lost and frame 2 was not, neither was flushed; then others took their place. */
static void test_scan_remains_of_a_torn_tail(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        add(&journal, JOURNAL_PREPARED, 0, "{\"n\":0}");
        Journal before = journal;
        add(&journal, JOURNAL_REVERT, 1, "{\"n\":1}");
        add(&journal, JOURNAL_DONE, 1, "{\"n\":2}");
        strbuf_add_repeat(&journal.bytes, '\0', TAIL);
        char *bytes = journal.bytes.data;
        size_t length = journal.bytes.length;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalScan scan;

        memset(bytes + journal.starts[1], 0, journal_frame_size(7));
        assert_int_equal(journal_scan(bytes, length, arena, &scan), 0);
        assert_int_equal(scan.n_frames, 1);
        assert_int_equal(scan.tail, JOURNAL_TAIL_TORN);
        assert_int_equal(scan.end, journal.starts[1]);

        /* The new frame fits exactly; behind it stands the old frame 2, whole and of another chain. */
        CLEANUP(journal_deinit) Journal next = { .last = before.last, .index = 1 };
        add(&next, JOURNAL_REVERT, 1, "{\"n\":9}");
        memcpy(bytes + scan.end, strbuf_text(&next.bytes), next.bytes.length);
        assert_int_equal(journal_scan(bytes, length, arena, &scan), 0);
        assert_int_equal(scan.n_frames, 2);
        assert_int_equal(scan.tail, JOURNAL_TAIL_TORN);
        assert_int_equal(scan.end, journal.starts[2]);

        /* Once frame 2 has a successor of its own that vouches for all, a hole is a hole. */
        add(&next, JOURNAL_DONE, 2, "{\"n\":8}");
        add(&next, JOURNAL_PREPARED, 3, "{\"n\":7}");
        memcpy(bytes + journal.starts[1], strbuf_text(&next.bytes), next.bytes.length);
        assert_int_equal(journal_scan(bytes, length, arena, &scan), 0);
        assert_int_equal(scan.n_frames, 4);
        assert_int_equal(scan.tail, JOURNAL_TAIL_CLEAN);
        bytes[journal.starts[2] + 130] ^= 1;
        assert_int_equal(journal_scan(bytes, length, arena, &scan), 0);
        assert_int_equal(scan.n_frames, 2);
        assert_int_equal(scan.tail, JOURNAL_TAIL_CORRUPT);
}

/* A flipped byte behind the last COMMIT is found by both ways; before it, in what later frames vouch for, only by
 * the thorough one. */
static void test_scan_of_the_latest(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        add(&journal, JOURNAL_COMMIT, 0, "{\"n\":0}");
        add(&journal, JOURNAL_DONE, 1, "{\"n\":1}");
        add(&journal, JOURNAL_PREPARED, 1, "{\"n\":2}");
        add(&journal, JOURNAL_COMMIT, 1, "{\"n\":3}");
        add(&journal, JOURNAL_DONE, 4, "{\"n\":4}");
        strbuf_add_repeat(&journal.bytes, '\0', TAIL);
        char *bytes = journal.bytes.data;
        size_t length = journal.bytes.length;
        CLEANUP(arena_freep) Arena *arena = arena_new();

        for (size_t i = 0; i < 5; i++) {
                JournalScan whole, latest;
                bytes[journal.starts[i] + 130] ^= 1;
                assert_int_equal(journal_scan(bytes, length, arena, &whole), 0);
                assert_int_equal(journal_scan_latest(bytes, length, arena, &latest), 0);
                assert_int_equal(whole.n_frames, i);
                assert_int_equal(latest.n_frames, i < 3 ? 5 : i);
                assert_int_equal(latest.tail, i < 3 ? JOURNAL_TAIL_CLEAN : whole.tail);
                bytes[journal.starts[i] + 130] ^= 1;
        }
}

static void sign(char *frame, size_t payload_length) {
        cleanup_free char *text = malloc(96 + payload_length);
        assert_non_null(text);
        memcpy(text, frame, 96);
        memcpy(text + 96, frame + 128, payload_length);
        Sha256 hash = sha256_of(text, 96 + payload_length);
        memcpy(frame + 96, hash.bytes, sizeof(hash.bytes));
}

/* Whole and right, but not for this program: it must not be taken for rubbish and overwritten. */
static void test_scan_frame_of_the_future(void **state) {
        (void) state;
        static const struct {
                size_t at;
                char value;
                JournalTail tail;
        } rows[] = {
                { 8, 2, JOURNAL_TAIL_CORRUPT },  /* version */
                { 8, 0, JOURNAL_TAIL_CORRUPT },  /* no version at all */
                { 12, 6, JOURNAL_TAIL_CORRUPT }, /* type */
                { 12, 0, JOURNAL_TAIL_CORRUPT }, /* type */
                { 48, 6, JOURNAL_TAIL_CORRUPT }, /* vouches for itself */
                { 56, 1, JOURNAL_TAIL_CORRUPT }, /* a field that has no meaning yet */
                { 24, 3, JOURNAL_TAIL_TORN },    /* length, signed for the old one */
                { 26, 65, JOURNAL_TAIL_TORN },   /* over the limit */
                { 25, 7, JOURNAL_TAIL_TORN },    /* over the end of the file */
                { 31, (char) 128, JOURNAL_TAIL_TORN },
                { 16, 7, JOURNAL_TAIL_TORN }, /* index: does not follow */
                { 64, 1, JOURNAL_TAIL_TORN }, /* the frame before: does not follow */
                { 0, 'x', JOURNAL_TAIL_TORN },
        };
        TEST_EACH(row, rows) {
                CLEANUP(journal_deinit) Journal journal = {};
                make_sample(&journal, /* flushed= */ true);
                char *last = journal.bytes.data + journal.starts[N - 1];
                last[row->at] = row->value;
                sign(last, strlen(sample[N - 1].payload));
                scan_and_check(&journal, journal.bytes.data, journal.bytes.length, N - 1,
                               row->tail);
        }
}

/* Every block of the file calls itself a frame as long as the rest: the search must end soon. */
static void test_scan_hostile_headers(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        add(&journal, JOURNAL_PREPARED, 0, "{}");
        char header[64];
        memcpy(header, strbuf_text(&journal.bytes), sizeof(header));
        size_t n = (size_t) 256 * 1024;
        char *bytes = calloc(1, n);
        cleanup_free char *owner = bytes;
        assert_non_null(owner);

        header[16] = 9; /* index */
        header[48] = 9; /* durable */
        for (size_t at = 0; at + 128 <= n; at += 64) {
                size_t length = n - at - 128;
                memcpy(bytes + at, header, sizeof(header));
                for (size_t i = 0; i < 8; i++)
                        bytes[at + 24 + i] = (char) (length >> (8 * i));
        }
        scan_and_check(&journal, bytes, n, 0, JOURNAL_TAIL_CORRUPT);
}

static void test_scan_many_frames(void **state) {
        (void) state;
        CLEANUP(journal_deinit) Journal journal = {};
        for (size_t i = 0; i < 1000; i++)
                add(&journal, JOURNAL_DONE, i, "{}");

        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalScan scan;
        assert_int_equal(journal_scan(journal.bytes.data, journal.bytes.length, arena, &scan), 0);
        assert_int_equal(scan.n_frames, 1000);
        assert_int_equal(scan.tail, JOURNAL_TAIL_CLEAN);
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(scan.frames[i].index, i);
        assert_memory_equal(&scan.frames[999].hash, &journal.last, sizeof(journal.last));
}

static void test_encode_payload_limits(void **state) {
        (void) state;
        cleanup_free char *payload = malloc(JOURNAL_MAX_PAYLOAD + 1);
        assert_non_null(payload);
        memset(payload, 'x', JOURNAL_MAX_PAYLOAD + 1);
        JournalFrame frame = { .type = JOURNAL_COMMIT,
                               .tx = TX,
                               .payload = payload,
                               .payload_length = JOURNAL_MAX_PAYLOAD + 1 };
        Sha256 previous = {}, hash;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_frame_encode(&frame, &previous, &out, &hash), -EMSGSIZE);
        assert_int_equal(out.length, 0);

        frame.payload_length--;
        assert_int_equal(journal_frame_encode(&frame, &previous, &out, &hash), 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalScan scan;
        assert_int_equal(journal_scan(out.data, out.length, arena, &scan), 0);
        assert_int_equal(scan.n_frames, 1);
        assert_int_equal(scan.frames[0].payload_length, JOURNAL_MAX_PAYLOAD);
        assert_memory_equal(&scan.frames[0].hash, &hash, sizeof(hash));

        StrBuf failed = { .failed = true };
        assert_int_equal(journal_frame_encode(&frame, &previous, &failed, &hash), -ENOMEM);
}

static void test_type_name(void **state) {
        (void) state;
        static const char *const names[] = { "unknown", "prepared", "applied", "commit",
                                             "revert",  "done",     "unknown" };
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_string_equal(journal_type_name((JournalType) i), names[i]);
}

TEST_MAIN(cmocka_unit_test(test_scan_gives_what_was_encoded),
          cmocka_unit_test(test_scan_of_nothing), cmocka_unit_test(test_scan_of_the_latest),
          cmocka_unit_test(test_scan_every_byte_changed),
          cmocka_unit_test(test_scan_cut_at_every_length),
          cmocka_unit_test(test_scan_last_frame_written_in_part),
          cmocka_unit_test(test_scan_remains_of_a_torn_tail),
          cmocka_unit_test(test_scan_frame_of_the_future),
          cmocka_unit_test(test_scan_hostile_headers), cmocka_unit_test(test_scan_many_frames),
          cmocka_unit_test(test_encode_payload_limits), cmocka_unit_test(test_type_name))

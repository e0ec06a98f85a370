/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/journal-format.h"

#include "record/strict-json.h"

/* 0x1A and the control characters cannot stand in JSON text, so no payload holds it. */
static const char journal_magic[8] = { '\x89', 'T', 'W', 'P', 'J', '\r', '\n', '\x1A' };

#define AT_VERSION  8U
#define AT_TYPE     12U
#define AT_INDEX    16U
#define AT_LENGTH   24U
#define AT_TX       32U
#define AT_DURABLE  48U
#define AT_RESERVED 56U
#define AT_PREVIOUS 64U
#define AT_HASH     96U

#define TX_BYTES    16U
/* Hostile bytes could have a magic every 64 bytes and lengths to the end; looking for a later frame hashes at
 * most so many times the file. */
#define SEARCH_FACTOR 4U

typedef struct FrameHeader {
        uint64_t version, type;
        uint64_t index, durable;
        size_t payload_length;
        bool reserved_is_zero;
        Sha256 previous, hash;
} FrameHeader;

static void put_le(unsigned char *p, uint64_t value, size_t n) {
        for (size_t i = 0; i < n; i++)
                p[i] = (unsigned char) (value >> (8 * i));
}

static uint64_t get_le(const char *p, size_t n) {
        uint64_t value = 0;
        for (size_t i = 0; i < n; i++)
                value |= (uint64_t) (unsigned char) p[i] << (8 * i);
        return value;
}

static bool is_zero(const char *p, size_t n) {
        static const char zeros[4096];

        for (; n > sizeof(zeros); p += sizeof(zeros), n -= sizeof(zeros))
                if (memcmp(p, zeros, sizeof(zeros)) != 0)
                        return false;
        return memcmp(p, zeros, n) == 0;
}

static unsigned hex_value(char c) {
        return (unsigned) (c <= '9' ? c - '0' : c - 'a' + 10);
}

static void tx_to_bytes(const char *tx, unsigned char ret[static TX_BYTES]) {
        for (size_t i = 0; i < TX_BYTES; i++, tx += 2) {
                if (*tx == '-')
                        tx++;
                ret[i] = (unsigned char) (hex_value(tx[0]) << 4 | hex_value(tx[1]));
        }
}

static void tx_from_bytes(const char *bytes, char ret[static TX_ID_SIZE]) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < TX_BYTES; i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *ret++ = '-';
                *ret++ = digits[(unsigned char) bytes[i] >> 4];
                *ret++ = digits[(unsigned char) bytes[i] & 15];
        }
        *ret = '\0';
}

static Sha256 frame_hash(const void *header, const char *payload, size_t payload_length) {
        Sha256Stream stream;
        sha256_init_stream(&stream);
        sha256_add(&stream, header, AT_HASH);
        sha256_add(&stream, payload, payload_length);
        return sha256_end(&stream);
}

size_t journal_frame_size(size_t payload_length) {
        return (JOURNAL_HEADER_SIZE + payload_length + JOURNAL_ALIGN - 1) / JOURNAL_ALIGN *
               JOURNAL_ALIGN;
}

int journal_frame_encode(
                const JournalFrame *frame, const Sha256 *previous, StrBuf *out, Sha256 *ret_hash) {
        assert(strict_json_is_uuid(frame->tx));
        assert(frame->durable <= frame->index);

        if (frame->payload_length > JOURNAL_MAX_PAYLOAD)
                return -EMSGSIZE;

        unsigned char header[JOURNAL_HEADER_SIZE] = {};
        memcpy(header, journal_magic, sizeof(journal_magic));
        put_le(header + AT_VERSION, JOURNAL_FORMAT_VERSION, 4);
        put_le(header + AT_TYPE, (uint64_t) frame->type, 4);
        put_le(header + AT_INDEX, frame->index, 8);
        put_le(header + AT_LENGTH, frame->payload_length, 8);
        tx_to_bytes(frame->tx, header + AT_TX);
        put_le(header + AT_DURABLE, frame->durable, 8);
        memcpy(header + AT_PREVIOUS, previous->bytes, SHA256_SIZE);
        Sha256 hash = frame_hash(header, frame->payload, frame->payload_length);
        memcpy(header + AT_HASH, hash.bytes, SHA256_SIZE);

        size_t size = journal_frame_size(frame->payload_length);
        strbuf_add_bytes(out, header, sizeof(header));
        strbuf_add_bytes(out, frame->payload, frame->payload_length);
        strbuf_add_repeat(out, '\0', size - sizeof(header) - frame->payload_length);
        if (out->failed)
                return -ENOMEM;

        *ret_hash = hash;
        return 0;
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* Whether something at `offset` calls itself a frame and fits. Its hash is not looked at. */
static bool header_read(const char *bytes, size_t n, size_t offset, FrameHeader *ret) {
        if (n - offset < JOURNAL_HEADER_SIZE)
                return false;

        const char *p = bytes + offset;
        if (memcmp(p, journal_magic, sizeof(journal_magic)) != 0)
                return false;

        uint64_t length = get_le(p + AT_LENGTH, 8);
        if (length > JOURNAL_MAX_PAYLOAD || journal_frame_size((size_t) length) > n - offset)
                return false;

        *ret = (FrameHeader){
                .version = get_le(p + AT_VERSION, 4),
                .type = get_le(p + AT_TYPE, 4),
                .index = get_le(p + AT_INDEX, 8),
                .durable = get_le(p + AT_DURABLE, 8),
                .payload_length = (size_t) length,
                .reserved_is_zero = get_le(p + AT_RESERVED, 8) == 0,
        };
        memcpy(ret->previous.bytes, p + AT_PREVIOUS, SHA256_SIZE);
        memcpy(ret->hash.bytes, p + AT_HASH, SHA256_SIZE);
        return true;
}

static bool frame_is_intact(const char *p, const FrameHeader *header) {
        const char *payload = p + JOURNAL_HEADER_SIZE;
        size_t used = JOURNAL_HEADER_SIZE + header->payload_length;
        if (!is_zero(p + used, journal_frame_size(header->payload_length) - used))
                return false;

        Sha256 hash = frame_hash(p, payload, header->payload_length);
        return sha256_equal(&hash, &header->hash);
}

static bool frame_is_known(const FrameHeader *header) {
        return header->version == JOURNAL_FORMAT_VERSION && header->type >= JOURNAL_PREPARED &&
               header->type <= JOURNAL_DONE && header->durable <= header->index &&
               header->reserved_is_zero;
}

static int scan_add(JournalScan *scan, Arena *arena, const JournalFrame *frame) {
        /* Doubles at 16, 32, 64 …; what is left behind in the arena is at most as much again. */
        if (scan->n_frames == 0 ||
            (scan->n_frames >= 16 && (scan->n_frames & (scan->n_frames - 1)) == 0)) {
                size_t room = scan->n_frames ? scan->n_frames * 2 : 16;
                JournalFrame *frames = arena_alloc_array(arena, room, sizeof(*frames));
                if (!frames)
                        return -ENOMEM;
                if (scan->n_frames > 0)
                        memcpy(frames, scan->frames, scan->n_frames * sizeof(*frames));
                scan->frames = frames;
        }

        scan->frames[scan->n_frames++] = *frame;
        return 0;
}

/* Takes frames as long as the chain holds. `tail` is CORRUPT afterwards when the next frame is sound, but not
 * for this program. */
static int scan_chain(const char *bytes, size_t n, bool hashed, Arena *arena, JournalScan *scan) {
        Sha256 previous = {};
        FrameHeader header;

        while (header_read(bytes, n, scan->end, &header) && header.index == scan->n_frames &&
               sha256_equal(&header.previous, &previous) &&
               (!hashed || frame_is_intact(bytes + scan->end, &header))) {
                if (!frame_is_known(&header)) {
                        scan->tail = JOURNAL_TAIL_CORRUPT;
                        return 0;
                }

                const char *p = bytes + scan->end;
                JournalFrame frame = {
                        .type = (JournalType) header.type,
                        .index = header.index,
                        .durable = header.durable,
                        .payload = p + JOURNAL_HEADER_SIZE,
                        .payload_length = header.payload_length,
                        .offset = scan->end,
                        .hash = header.hash,
                };
                tx_from_bytes(p + AT_TX, frame.tx);
                int r = scan_add(scan, arena, &frame);
                if (r < 0)
                        return r;

                scan->end += journal_frame_size(header.payload_length);
                previous = header.hash;
        }
        return 0;
}

/* Whether a valid frame behind `offset` says that frame number `missing` was on disk once. */
static bool is_vouched_for(const char *bytes, size_t n, size_t offset, uint64_t missing) {
        size_t budget = n > SIZE_MAX / SEARCH_FACTOR ? SIZE_MAX : n * SEARCH_FACTOR;

        for (; offset < n && n - offset >= JOURNAL_HEADER_SIZE; offset += JOURNAL_ALIGN) {
                FrameHeader header;
                if (!header_read(bytes, n, offset, &header) || header.index <= missing ||
                    header.durable <= missing)
                        continue;

                size_t size = journal_frame_size(header.payload_length);
                if (size > budget)
                        return true; /* nothing a crash leaves behind; be careful with it */
                budget -= size;
                if (frame_is_intact(bytes + offset, &header))
                        return true;
        }
        return false;
}

static JournalTail judge_tail(const char *bytes, size_t n, const JournalScan *scan) {
        if (is_zero(bytes + scan->end, n - scan->end))
                return JOURNAL_TAIL_CLEAN;
        return is_vouched_for(bytes, n, scan->end, scan->n_frames) ? JOURNAL_TAIL_CORRUPT
                                                                   : JOURNAL_TAIL_TORN;
}

int journal_scan(const char *bytes, size_t n, Arena *arena, JournalScan *ret) {
        JournalScan scan = { .tail = JOURNAL_TAIL_CLEAN };

        int r = scan_chain(bytes, n, /* hashed= */ true, arena, &scan);
        if (r < 0)
                return r;
        if (scan.tail == JOURNAL_TAIL_CLEAN)
                scan.tail = judge_tail(bytes, n, &scan);

        *ret = scan;
        return 0;
}

/* The first frame that must be hashed: the last COMMIT, or the first that is not known to be on disk. */
static size_t find_latest(const JournalScan *scan) {
        size_t first = 0;
        for (size_t i = 0; i < scan->n_frames; i++)
                if (scan->frames[i].type == JOURNAL_COMMIT)
                        first = i;
        uint64_t durable = scan->n_frames > 0 ? scan->frames[scan->n_frames - 1].durable : 0;
        return durable < first ? (size_t) durable : first;
}

static bool latest_is_intact(const char *bytes, size_t n, const JournalScan *scan) {
        for (size_t i = find_latest(scan); i < scan->n_frames; i++) {
                FrameHeader header;
                size_t offset = scan->frames[i].offset;
                if (!header_read(bytes, n, offset, &header) ||
                    !frame_is_intact(bytes + offset, &header))
                        return false;
        }
        return true;
}

int journal_scan_latest(const char *bytes, size_t n, Arena *arena, JournalScan *ret) {
        JournalScan scan = { .tail = JOURNAL_TAIL_CLEAN };

        int r = scan_chain(bytes, n, /* hashed= */ false, arena, &scan);
        if (r < 0)
                return r;
        if (scan.tail != JOURNAL_TAIL_CLEAN || !latest_is_intact(bytes, n, &scan))
                return journal_scan(bytes, n, arena, ret);

        scan.tail = judge_tail(bytes, n, &scan);
        *ret = scan;
        return 0;
}

const char *journal_type_name(JournalType type) {
        switch (type) {
        case JOURNAL_PREPARED:
                return "prepared";
        case JOURNAL_APPLIED:
                return "applied";
        case JOURNAL_COMMIT:
                return "commit";
        case JOURNAL_REVERT:
                return "revert";
        case JOURNAL_DONE:
                return "done";
        }
        return "unknown";
}

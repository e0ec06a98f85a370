/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The transaction journal's bytes: frames one behind the other in a preallocated file that is zero where
 * nothing was written yet.
 *
 * A frame is a 128 byte header and a payload of JSON (journal-payload.h), padded with zeros to 64 bytes:
 *
 *           0  magic; has bytes that no JSON holds       48  durable, 8 bytes
 *           8  version, 4 bytes                          56  zeros
 *          12  type, 4 bytes                             64  hash of the frame before
 *          16  index, 8 bytes                            96  hash of bytes 0 to 95 and the payload
 *          24  payload length, 8 bytes                  128  payload
 *          32  transaction, 16 bytes
 *
 * This layout stays for ever; what may change is the version. Transactions follow each other in one file; it is
 * replaced by a new one when it is full and its last transaction is DONE (engine/journal.h).
 *
 * What stands behind the last good frame decides: zeros = clean; other bytes = torn, ignored and overwritten;
 * but when a frame that was flushed once is missing, the file is corrupt: touch nothing.
 *
 * Not every frame is flushed, and a file system may write its pages in any order. So after a power cut a later
 * frame may be there while an earlier one is not, and remains of a torn frame stay behind its successor; both
 * are ordinary. Therefore each frame says how many frames were known to be on disk when it was written
 * (`durable`), and only a valid later frame that vouches for the missing one makes it corruption. A frame that
 * is intact but of a newer format, or of a type not known here, is corruption for this program too: it must
 * not be overwritten.
 *
 * Nothing here does I/O. All integers are little endian. The reader trusts nothing: lengths are bounded,
 * hashes checked, JSON strict.
 */

#include "base/arena.h"
#include "base/sha256.h"
#include "base/strbuf.h"

#define JOURNAL_FORMAT_VERSION 1U
#define JOURNAL_HEADER_SIZE    128U
#define JOURNAL_ALIGN          64U
#define JOURNAL_MAX_PAYLOAD    ((size_t) 4 * 1024 * 1024)
#define TX_ID_SIZE             37U /* uuid text with the NUL */

typedef enum JournalType {
        JOURNAL_PREPARED = 1,
        JOURNAL_APPLIED = 2, /* the confirmation window (a later version writes it) */
        JOURNAL_COMMIT = 3,
        JOURNAL_REVERT = 4,
        JOURNAL_DONE = 5,
} JournalType;

typedef struct JournalFrame {
        JournalType type;
        uint64_t index;   /* from 0, gapless in one file */
        uint64_t durable; /* so many frames from the first were flushed before this was written */
        char tx[TX_ID_SIZE];
        const char *payload; /* borrows from the scanned bytes */
        size_t payload_length;
        size_t offset; /* of the header */
        Sha256 hash;
} JournalFrame;

typedef enum JournalTail {
        JOURNAL_TAIL_CLEAN,
        JOURNAL_TAIL_TORN,
        JOURNAL_TAIL_CORRUPT, /* `end` is where the bad frame stands */
} JournalTail;

typedef struct JournalScan {
        JournalFrame *frames; /* in the arena */
        size_t n_frames;
        size_t end; /* where the next frame goes */
        JournalTail tail;
} JournalScan;

/* `bytes` is the whole file. 0 or -ENOMEM; damage is a result, not an error. */
NODISCARD int journal_scan(const char *bytes, size_t n, Arena *arena, JournalScan *ret);

/* The same for every entry that only continues: the chain of headers is walked whole, but hashed are only the frames
 * from the last COMMIT on, and those that no later frame vouches for. What lies before is history that nobody acts on;
 * hashing it at each entry would cost more than the change. Whatever is not in order is judged by journal_scan(). */
NODISCARD int journal_scan_latest(const char *bytes, size_t n, Arena *arena, JournalScan *ret);

/* Size of a frame with that payload, padding included. */
size_t journal_frame_size(size_t payload_length);

/* Appends the frame's bytes to `out`: its type, index, durable, tx and payload count, offset and hash do not.
 * `previous` is the hash of the frame before it, all zero for the first. 0, -ENOMEM, or -EMSGSIZE for a payload
 * over JOURNAL_MAX_PAYLOAD. */
NODISCARD int journal_frame_encode(
                const JournalFrame *frame, const Sha256 *previous, StrBuf *out, Sha256 *ret_hash);

const char *journal_type_name(JournalType type);

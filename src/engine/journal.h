/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The journal file: one preallocated file that transactions are appended to, read whole at every start.
 *
 *         journal_open()      scan; afterwards journal->scan tells what was found
 *         journal_reserve()   room for all frames of one transaction, so that a decision cannot meet ENOSPC
 *         journal_append()    one frame; journal_flush() makes it durable
 *
 * The file is made (and flushed with its directory) at first use. When a transaction does not fit any more and
 * the last one is DONE, the file is replaced by a new one that starts with the last COMMIT and its DONE, so the
 * current generation is always inside. Only frames that were never followed are overwritten: a torn tail.
 *
 * After a failed append or flush the inode is never trusted again (a failed fsync may have dropped the pages):
 * journal_rewrite() makes a new file.
 */

#include "record/journal-payload.h"
#include "system/seam-io.h"

/* About twenty changes of a shipped profile until the next new file, which costs a dozen flushes. Every entry reads what
 * is written in it, but hashes only the latest part (journal_scan_latest()). */
#define JOURNAL_FILE_SIZE ((size_t) 256 * 1024)
#define JOURNAL_FILE_MAX  ((size_t) 16 * 1024 * 1024)

typedef struct Journal {
        const Seam *seam;
        int state_fd; /* borrowed */
        Arena *arena; /* borrowed */
        SeamFd file;
        char *bytes; /* as read; frames borrow from here */
        size_t size; /* of the file */
        JournalScan scan;
        size_t end; /* where the next frame goes */
        uint64_t next_index;
        uint64_t durable; /* so many frames are known to be on disk; each new frame vouches for them */
        Sha256 last;      /* hash of the last frame */
} Journal;

/* A missing file is an empty journal. Checks the whole file; 0 or <0. */
NODISCARD int journal_open(
                Journal *ret, const Seam *seam, int state_fd, Arena *arena, Error *reterr);
/* The same for an entry that only continues: journal_scan_latest(). */
NODISCARD int journal_open_latest(
                Journal *ret, const Seam *seam, int state_fd, Arena *arena, Error *reterr);
void journal_deinit(Journal *journal);

/* Makes room for `need` bytes of frames: as it is, by a new file, or by a larger one. `checkpoint` is called
 * before a file with COMMIT frames is given up, to make durable what was derived from them. */
typedef int (*JournalCheckpoint)(void *userdata, Error *reterr);
NODISCARD int journal_reserve(
                Journal *journal, size_t need, JournalCheckpoint checkpoint, void *userdata,
                Error *reterr);

NODISCARD int journal_append(
                Journal *journal, JournalType type, const char *tx, const StrBuf *payload,
                Sha256 *ret_hash, Error *reterr);
NODISCARD int journal_flush(Journal *journal, Error *reterr);

typedef struct JournalRecord {
        JournalType type;
        const StrBuf *payload;
} JournalRecord;

/* Writes a new file with the last committed generation and these frames of `tx`, flushed and renamed into place: the
 * second try for a COMMIT that could not be written or flushed. *ret_hash is the last frame's. */
NODISCARD int journal_rewrite(
                Journal *journal, const char *tx, const JournalRecord *records, size_t n,
                Sha256 *ret_hash, Error *reterr);

/* The last frame of that type in the whole file, or only of transaction `tx`. NULL when there is none. */
const JournalFrame *journal_find_last(const Journal *journal, JournalType type, const char *tx);

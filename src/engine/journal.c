/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/journal.h"

#include <fcntl.h>

#include "engine/paths.h"

#define JOURNAL_TEMPORARY ".journal.new"

void journal_deinit(Journal *journal) {
        seam_fd_close(&journal->file);
        free(journal->bytes);
        *journal = (Journal){ .file = SEAM_FD_EMPTY };
}

static void journal_place(Journal *journal) {
        const JournalScan *scan = &journal->scan;
        journal->end = scan->end;
        journal->next_index = scan->n_frames;
        if (scan->n_frames == 0)
                return;
        journal->last = scan->frames[scan->n_frames - 1].hash;
        journal->durable = scan->frames[scan->n_frames - 1].durable;
}

typedef int (*JournalScanner)(const char *bytes, size_t n, Arena *arena, JournalScan *ret);

static int journal_open_with(
                JournalScanner scan, Journal *ret, const Seam *seam, int state_fd, Arena *arena,
                Error *reterr) {
        CLEANUP(journal_deinit)
        Journal journal = {
                .seam = seam, .state_fd = state_fd, .arena = arena, .file = SEAM_FD_EMPTY
        };

        int r = seam_open(seam, state_fd, ENGINE_JOURNAL, O_RDWR | O_NOFOLLOW, 0, &journal.file);
        if (r < 0 && r != -ENOENT)
                return error_set(reterr, r, "cannot open the journal");

        if (r >= 0) {
                r = seam_read_file(&journal.file, JOURNAL_FILE_MAX, &journal.bytes, &journal.size);
                if (r < 0)
                        return error_set(reterr, r, "cannot read the journal");
                r = scan(journal.bytes, journal.size, arena, &journal.scan);
                if (r < 0)
                        return error_set(reterr, r, "cannot read the journal");
                journal_place(&journal);
        }

        *ret = journal;
        journal = (Journal){ .file = SEAM_FD_EMPTY };
        return 0;
}

int journal_open(Journal *ret, const Seam *seam, int state_fd, Arena *arena, Error *reterr) {
        return journal_open_with(journal_scan, ret, seam, state_fd, arena, reterr);
}

int journal_open_latest(Journal *ret, const Seam *seam, int state_fd, Arena *arena, Error *reterr) {
        return journal_open_with(journal_scan_latest, ret, seam, state_fd, arena, reterr);
}

const JournalFrame *journal_find_last(const Journal *journal, JournalType type, const char *tx) {
        for (size_t i = journal->scan.n_frames; i > 0; i--) {
                const JournalFrame *frame = &journal->scan.frames[i - 1];
                if (frame->type == type && (!tx || streq(frame->tx, tx)))
                        return frame;
        }
        return NULL;
}

/* What a new file starts with. */
typedef struct Carry {
        StrBuf bytes;
        uint64_t index;
        Sha256 last;
} Carry;

static void carry_deinit(Carry *carry) {
        strbuf_deinit(&carry->bytes);
}

static int carry_add(Carry *carry, const JournalFrame *frame) {
        if (!frame)
                return 0;

        JournalFrame copy = *frame;
        copy.index = carry->index++;
        copy.durable = 0; /* the file is not flushed yet */
        return journal_frame_encode(&copy, &carry->last, &carry->bytes, &carry->last);
}

/* The last committed generation: its COMMIT and, where it is there, its DONE. */
static int carry_add_committed(Carry *carry, const Journal *journal) {
        const JournalFrame *commit = journal_find_last(journal, JOURNAL_COMMIT, NULL);
        if (!commit)
                return 0;

        int r = carry_add(carry, commit);
        return r < 0 ? r : carry_add(carry, journal_find_last(journal, JOURNAL_DONE, commit->tx));
}

static JournalFrame journal_new_frame(
                const Journal *journal, JournalType type, const char *tx, const StrBuf *payload) {
        JournalFrame frame = {
                .type = type,
                .index = journal->next_index,
                .durable = journal->durable,
                .payload = strbuf_text(payload),
                .payload_length = payload->length,
        };
        memcpy(frame.tx, tx, sizeof(frame.tx));
        return frame;
}

/* Makes `.journal.new` with the carried frames, flushes it, puts it in place, flushes the directory. */
static int journal_install(Journal *journal, const Carry *carry, size_t size, Error *reterr) {
        const Seam *seam = journal->seam;
        int dir = journal->state_fd;

        if (carry->bytes.failed)
                return error_set(reterr, -ENOMEM, "cannot make a new journal");

        /* A file of that name is what a dead process left of the same attempt. */
        (void) seam->ops->unlink_at(seam, dir, JOURNAL_TEMPORARY, 0);

        cleanup_seam_fd SeamFd file = SEAM_FD_EMPTY;
        int r = seam_open(
                        seam, dir, JOURNAL_TEMPORARY, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600,
                        &file);
        if (r >= 0)
                r = seam->ops->fallocate(seam, file.fd, 0, (off_t) size);
        if (r >= 0)
                r = seam_write(&file, strbuf_text(&carry->bytes), carry->bytes.length, 0);
        if (r >= 0)
                r = seam_fsync(&file);
        if (r >= 0)
                r = seam->ops->rename_at(seam, dir, JOURNAL_TEMPORARY, dir, ENGINE_JOURNAL);
        if (r < 0) {
                (void) seam->ops->unlink_at(seam, dir, JOURNAL_TEMPORARY, 0);
                return error_set(reterr, r, "cannot make a new journal");
        }
        r = seam->ops->fsync(seam, dir);
        if (r < 0)
                return error_set(reterr, r, "cannot flush '/%s'", ENGINE_STATE_DIR);

        seam_fd_close(&journal->file);
        journal->file = file;
        file = SEAM_FD_EMPTY;
        journal->size = size;
        journal->end = carry->bytes.length;
        journal->next_index = carry->index;
        journal->durable = carry->index;
        journal->last = carry->last;
        return 0;
}

/* The first journal lies in a directory that is new itself, whoever made it: the entry that leads to it has to be on disk
 * before the journal is relied on, and the flush of a directory says nothing of the one above. */
static int journal_flush_parent(const Journal *journal, Error *reterr) {
        cleanup_seam_fd SeamFd parent = SEAM_FD_EMPTY;
        int r = seam_open(
                        journal->seam, journal->state_fd, "..", O_RDONLY | O_DIRECTORY, 0, &parent);
        if (r >= 0)
                r = seam_fsync(&parent);
        return r < 0 ? error_set(reterr, r, "cannot flush the directory above '/%s'",
                                 ENGINE_STATE_DIR)
                     : 0;
}

static size_t journal_size_for(size_t need) {
        size_t size = JOURNAL_FILE_SIZE;
        while (size < need)
                size *= 2;
        return size;
}

int journal_reserve(
                Journal *journal, size_t need, JournalCheckpoint checkpoint, void *userdata,
                Error *reterr) {
        if (journal->file.fd >= 0 && journal->size - journal->end >= need)
                return 0;

        int r = journal->scan.n_frames > 0 ? checkpoint(userdata, reterr) : 0;
        if (r < 0)
                return r;

        CLEANUP(carry_deinit) Carry carry = { 0 };
        r = carry_add_committed(&carry, journal);
        if (r < 0)
                return error_set(reterr, r, "cannot make a new journal");

        size_t size = journal_size_for(carry.bytes.length + need);
        if (size > JOURNAL_FILE_MAX)
                return error_set(reterr, -EFBIG, "cannot make a journal of %zu bytes", size);
        bool is_first = journal->file.fd < 0;
        r = journal_install(journal, &carry, size, reterr);
        return r >= 0 && is_first ? journal_flush_parent(journal, reterr) : r;
}

static void journal_follow(Journal *journal, size_t length, const Sha256 *hash) {
        journal->end += length;
        journal->next_index++;
        journal->last = *hash;
}

int journal_append(
                Journal *journal, JournalType type, const char *tx, const StrBuf *payload,
                Sha256 *ret_hash, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf frame = { 0 };
        Sha256 hash;
        JournalFrame new = journal_new_frame(journal, type, tx, payload);
        int r = payload->failed ? -ENOMEM
                                : journal_frame_encode(&new, &journal->last, &frame, &hash);
        if (r >= 0 && frame.failed)
                r = -ENOMEM;
        if (r >= 0 && journal->size - journal->end < frame.length)
                r = -ENOSPC; /* journal_reserve() was not asked for enough */
        if (r >= 0)
                r = seam_write(&journal->file, frame.data, frame.length, (off_t) journal->end);
        if (r < 0)
                return error_set(
                                reterr, r, "cannot write %s to the journal",
                                journal_type_name(type));

        journal_follow(journal, frame.length, &hash);
        *ret_hash = hash;
        return 0;
}

int journal_flush(Journal *journal, Error *reterr) {
        int r = seam_fdatasync(&journal->file);
        if (r < 0)
                return error_set(reterr, r, "cannot flush the journal");

        journal->durable = journal->next_index;
        return 0;
}

int journal_rewrite(
                Journal *journal, const char *tx, const JournalRecord *records, size_t n,
                Sha256 *ret_hash, Error *reterr) {
        CLEANUP(carry_deinit) Carry carry = { 0 };
        int r = carry_add_committed(&carry, journal);
        for (size_t i = 0; i < n && r >= 0; i++) {
                JournalFrame frame = journal_new_frame(
                                journal, records[i].type, tx, records[i].payload);
                r = records[i].payload->failed ? -ENOMEM : carry_add(&carry, &frame);
        }
        if (r < 0)
                return error_set(reterr, r, "cannot make a new journal");

        *ret_hash = carry.last;
        return journal_install(
                        journal, &carry,
                        journal_size_for(carry.bytes.length + JOURNAL_FILE_SIZE / 2), reterr);
}

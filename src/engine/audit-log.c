/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "engine/paths.h"
#include "engine/tx-id.h"
#include "system/atomic-file.h"

#define AUDIT_HEAD_MAX   512U
#define AUDIT_TAIL_LINES 8U
/* More is left for the next file. A tear is at most one write: `open`, `torn`, these, and a record. */
#define AUDIT_PRUNES_MAX 2U

void audit_log_close(AuditLog *log) {
        seam_fd_close(&log->file);
        seam_fd_close(&log->dir);
}

/* --- the head --------------------------------------------------------------------------------------------------- */

/* The head that the state directory keeps; a missing or strange one counts as none. */
static AuditHead audit_read_head(const AuditPlace *place) {
        AuditHead head = { 0 };
        cleanup_free char *bytes = NULL;
        size_t n;
        if (seam_read_file_at(
                            place->seam, place->state_fd, ENGINE_AUDIT_HEAD, AUDIT_HEAD_MAX, &bytes,
                            &n) < 0)
                return head;

        char *hash = strchr(bytes, ' ');
        if (!hash)
                return head;
        *hash++ = '\0';
        hash[strcspn(hash, "\n")] = '\0';

        AuditHead read;
        if (num_parse_u64(bytes, &read.seq) < 0 || sha256_from_hex(hash, &read.hash) < 0)
                return head;
        return read;
}

static void audit_write_head(const AuditLog *log) {
        char hex[SHA256_HEX_SIZE], text[AUDIT_HEAD_MAX];
        sha256_to_hex(&log->head.hash, hex);
        int n = snprintf(text, sizeof(text), "%" PRIu64 " %s\n", log->head.seq, hex);
        /* Derived: an older head is a prefix of the log and says nothing wrong. */
        (void) !atomic_file_replace(
                        log->place.seam, log->place.state_fd, ENGINE_AUDIT_HEAD, text, (size_t) n,
                        0600);
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

/* What the last record asks of the next one. */
static void audit_note_last(AuditLog *log, const AuditLine *line) {
        const char *tx = json_string_value(json_object_get(line->object, "tx"));
        const char *boot = json_string_value(json_object_get(line->object, "boot"));
        const char *state = json_string_value(
                        json_object_get(json_object_get(line->object, "degraded"), "state"));

        log->is_closed = line->event == AUDIT_ROTATE;
        log->is_late = json_object_get(line->object, "late") || (state && streq(state, "begin"));
        if (line->event != AUDIT_INTENT || !tx || !boot)
                return;
        (void) snprintf(log->open_tx, sizeof(log->open_tx), "%s", tx);
        (void) snprintf(log->open_boot, sizeof(log->open_boot), "%s", boot);
}

/* The line that the kept head names was written by us and is as it was: it has to be looked into only where it asks
 * something of the next one. Inside a text no quote stands without a backslash. */
static bool audit_is_kept(const AuditLog *log, const char *bytes, size_t n) {
        static const char *const asking[] = {
                "\"ev\":\"intent\"",
                "\"ev\":\"rotate\"",
                "\"ev\":\"degraded\"",
                "\"late\":1",
        };
        if (log->kept.seq == 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(asking); i++)
                if (memmem(bytes, n, asking[i], strlen(asking[i])))
                        return false;
        Sha256 hash = sha256_of(bytes, n);
        return sha256_equal(&hash, &log->kept.hash);
}

static bool audit_take_line(AuditLog *log, const char *bytes, size_t n) {
        if (audit_is_kept(log, bytes, n)) {
                log->head = log->kept;
                return true;
        }

        AuditLine line;
        if (audit_line_decode(bytes, n, &line, NULL) < 0)
                return false;
        log->head = (AuditHead){ .seq = line.seq, .hash = line.hash };
        audit_note_last(log, &line);
        json_decref(line.object);
        return true;
}

typedef struct AuditTailWalk {
        AuditLog *log;
        size_t end; /* of the last record, with its newline */
        bool found, lacks_newline;
        size_t n;
} AuditTailWalk;

static bool audit_take_tail(void *userdata, const char *bytes, size_t n, size_t offset) {
        AuditTailWalk *walk = userdata;
        if (!audit_take_line(walk->log, bytes, n))
                return true;
        walk->found = true;
        walk->lacks_newline = offset + n == walk->n;
        walk->end = offset + n + !walk->lacks_newline;
        return false;
}

/* What stands behind the last record is a tear, or several: a torn record may be torn itself. */
static void audit_note_tear(AuditLog *log, const char *bytes, size_t n, size_t offset) {
        if (n == 0)
                return;
        log->has_torn = true;
        log->torn_is_ended = bytes[n - 1] == '\n';
        log->torn_offset = offset;
        log->torn_length = n;
        log->torn_hash = sha256_of(bytes, n);
}

/* Finds the last line that is a record, and the tear behind it. */
static int audit_read_tail(AuditLog *log, Error *reterr) {
        struct stat st;
        int r = seam_fstat(&log->file, &st);
        if (r < 0)
                return error_set(reterr, r, "cannot look at the audit log");
        log->end = st.st_size;

        char tail[AUDIT_TAIL_LINES * AUDIT_LINE_MAX];
        size_t want = (size_t) st.st_size < sizeof(tail) ? (size_t) st.st_size : sizeof(tail);
        off_t start = st.st_size - (off_t) want;
        ssize_t n = seam_read(&log->file, tail, want, start);
        if (n < 0)
                return error_set(reterr, (int) n, "cannot read the audit log");

        AuditTailWalk walk = { .log = log, .n = (size_t) n };
        (void) audit_files_walk_back(tail, (size_t) n, audit_take_tail, &walk);
        log->lacks_newline = walk.lacks_newline;
        log->begins_file = !walk.found;
        audit_note_tear(log, tail + walk.end, (size_t) n - walk.end, (size_t) start + walk.end);
        return 0;
}

/* The file has no record yet: the one before it, if there is one, says what the chain goes on from. */
static int audit_continue(AuditLog *log, const AuditFiles *files) {
        for (size_t i = files->n; i > 0; i--) {
                if (files->first[i - 1] >= log->file_first)
                        continue;
                int r = audit_files_read_last(&log->dir, files->first[i - 1], &log->head);
                if (r == -ENODATA)
                        continue;
                if (r < 0)
                        return r;

                AuditBeginning beginning;
                r = audit_files_read_first(&log->dir, files->first[i - 1], &beginning);
                if (r >= 0)
                        memcpy(log->log_id, beginning.log_id, sizeof(log->log_id));
                return r == -ENODATA ? 0 : r;
        }
        return 0;
}

/* Opens the newest file, or makes the first. */
static int audit_open_newest(AuditLog *log, const AuditFiles *files, Error *reterr) {
        log->file_first = files->n > 0 ? files->first[files->n - 1] : log->kept.seq + 1;
        int r = audit_files_open(&log->dir, log->file_first, log->place.gid, &log->file, reterr);
        if (r >= 0)
                r = audit_read_tail(log, reterr);
        if (r < 0)
                return r;

        /* Whoever made the file may have died before the flush. */
        if (log->end == 0)
                r = audit_files_flush(&log->dir, files->n <= 1, reterr);
        if (r < 0 || !log->begins_file)
                return r;
        r = audit_continue(log, files);
        return r < 0 ? error_set(reterr, r, "cannot read the audit log") : 0;
}

int audit_log_open(AuditLog *ret, const AuditPlace *place, Error *reterr) {
        CLEANUP(audit_log_close)
        AuditLog log = { .place = *place, .file = SEAM_FD_EMPTY, .dir = SEAM_FD_EMPTY };
        if (log.place.limits.file_bytes == 0)
                log.place.limits.file_bytes = AUDIT_FILE_BYTES;
        if (log.place.limits.files == 0)
                log.place.limits.files = AUDIT_FILES_KEPT;
        if (log.place.limits.files < 2)
                log.place.limits.files = 2;

        int r = audit_files_open_dir(place->seam, place->root_fd, &log.dir, reterr);
        if (r < 0)
                return r;
        CLEANUP(audit_files_deinit) AuditFiles files = { 0 };
        r = audit_files_list(&log.dir, &files);
        if (r < 0)
                return error_set(reterr, r, "cannot list '/%s'", ENGINE_LOG_DIR);
        log.kept = audit_read_head(place);
        r = audit_open_newest(&log, &files, reterr);
        if (r < 0)
                return r;

        if (log.kept.seq > log.head.seq ||
            (log.kept.seq == log.head.seq && !sha256_equal(&log.kept.hash, &log.head.hash)))
                log.head = log.kept;
        if (log.begins_file && log.log_id[0] == '\0')
                tx_id_new(log.log_id);
        if (log.head.seq == 0)
                log.head.hash = audit_genesis(log.log_id);

        *ret = log;
        log.file = log.dir = SEAM_FD_EMPTY;
        return 0;
}

/* --- appending -------------------------------------------------------------------------------------------------- */

/* A record of the log's own, made at the time and place of the one that it stands before. */
static AuditRecord audit_own_record(const AuditRecord *record, AuditEvent event) {
        return (AuditRecord){
                .event = event,
                .time_us = record->time_us,
                .time_synced = record->time_synced,
                .boottime_ns = record->boottime_ns,
                .instance = record->instance,
                .via = record->via,
        };
}

/* What must stand before the record itself: who we are, and what was torn. */
static int audit_encode_preface(AuditLog *log, const AuditRecord *record, StrBuf *out) {
        if (log->lacks_newline || (log->has_torn && !log->torn_is_ended))
                strbuf_add_char(out, '\n');

        int r = 0;
        if (log->begins_file) {
                AuditRecord open = audit_own_record(record, AUDIT_OPEN);
                open.log_id = log->log_id;
                r = audit_record_encode(&open, &log->head, out, &log->head);
        }
        if (r >= 0 && log->has_torn) {
                AuditRecord torn = audit_own_record(record, AUDIT_TORN);
                torn.torn_offset = log->torn_offset;
                torn.torn_length = log->torn_length;
                torn.torn_hash = log->torn_hash;
                r = audit_record_encode(&torn, &log->head, out, &log->head);
        }
        return r;
}

/* Appends what `text` holds, and flushes it. */
static int audit_write(AuditLog *log, const StrBuf *text) {
        int r = text->failed ? -ENOMEM : seam_write(&log->file, text->data, text->length, log->end);
        if (r >= 0)
                r = seam_fdatasync(&log->file);
        if (r < 0)
                return r;
        log->end += (off_t) text->length;
        log->lacks_newline = log->has_torn = log->begins_file = false;
        log->open_tx[0] = '\0';
        return 0;
}

/* The last record of a file. */
static int audit_end_file(AuditLog *log, const AuditRecord *record) {
        AuditBeginning beginning;
        int r = audit_files_read_first(&log->dir, log->file_first, &beginning);
        if (r < 0 && r != -ENODATA)
                return r;

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        bool knows = r >= 0;
        r = audit_encode_preface(log, record, &text);
        if (r < 0)
                return r;
        AuditRecord rotate = audit_own_record(record, AUDIT_ROTATE);
        rotate.file_first = knows ? beginning.seq : log->file_first;
        rotate.file_records = log->head.seq + 2 - rotate.file_first;
        r = audit_record_encode(&rotate, &log->head, &text, &log->head);
        return r < 0 ? r : audit_write(log, &text);
}

/* The next file, empty. */
static int audit_begin_file(AuditLog *log, Error *reterr) {
        AuditBeginning beginning = { 0 };
        int r = audit_files_read_first(&log->dir, log->file_first, &beginning);
        if (r < 0 && r != -ENODATA)
                return error_set(reterr, r, "cannot read the audit log");

        cleanup_seam_fd SeamFd file = SEAM_FD_EMPTY;
        r = audit_files_open(&log->dir, log->head.seq + 1, log->place.gid, &file, reterr);
        if (r >= 0)
                r = audit_files_flush(&log->dir, false, reterr);
        if (r < 0)
                return r;

        memcpy(log->log_id, beginning.log_id, sizeof(log->log_id));
        if (log->log_id[0] == '\0')
                tx_id_new(log->log_id);
        seam_fd_close(&log->file);
        log->file = file;
        file = SEAM_FD_EMPTY;
        log->file_first = log->head.seq + 1;
        log->end = 0;
        log->begins_file = true;
        log->is_closed = false;
        return 0;
}

static int audit_rotate(AuditLog *log, const AuditRecord *record, Error *reterr) {
        AuditHead before = log->head;
        int r = log->is_closed ? 0 : audit_end_file(log, record);
        if (r < 0) {
                log->head = before;
                return error_set(reterr, r, "cannot write the audit log");
        }
        log->is_closed = true;
        return audit_begin_file(log, reterr);
}

/* --- pruning ---------------------------------------------------------------------------------------------------- */

typedef struct AuditPruning {
        uint64_t first[AUDIT_PRUNES_MAX]; /* the files that go, the oldest first */
        size_t n;
} AuditPruning;

/* One record for each file, so that the rest can be checked wherever a crash ends the removing. What cannot be read,
 * or does not lead to the next file, is kept: nobody's edit is removed with it, and pruning never keeps a record from
 * being written. */
static int audit_prune_begin(
                AuditLog *log, const AuditRecord *record, StrBuf *out, AuditPruning *ret) {
        CLEANUP(audit_files_deinit) AuditFiles files = { 0 };
        if (audit_files_list(&log->dir, &files) < 0)
                return 0;

        size_t most = log->place.limits.files;
        for (size_t i = 0; files.n - i > most && i < AUDIT_PRUNES_MAX; i++) {
                AuditHead last;
                AuditBeginning next;
                if (audit_files_read_last(&log->dir, files.first[i], &last) < 0 ||
                    audit_files_read_first(&log->dir, files.first[i + 1], &next) < 0 ||
                    next.seq != last.seq + 1 || !sha256_equal(&next.prev, &last.hash))
                        return 0;
                AuditRecord prune = audit_own_record(record, AUDIT_PRUNE);
                prune.prune_through = last.seq;
                prune.prune_hash = last.hash;
                int r = audit_record_encode(&prune, &log->head, out, &log->head);
                if (r < 0)
                        return r;
                ret->first[ret->n++] = files.first[i];
        }
        return 0;
}

/* What fails here is done when the next file begins. */
static void audit_prune_end(const AuditLog *log, const AuditPruning *pruning) {
        for (size_t i = 0; i < pruning->n; i++) {
                char name[AUDIT_FILE_NAME_SIZE];
                audit_files_name(pruning->first[i], name);
                if (log->dir.seam->ops->unlink_at(log->dir.seam, log->dir.fd, name, 0) < 0)
                        return;
        }
}

/* --- a record --------------------------------------------------------------------------------------------------- */

static bool audit_is_full(const AuditLog *log) {
        return log->is_closed ||
               (!log->begins_file && (size_t) log->end >= log->place.limits.file_bytes);
}

int audit_log_append(AuditLog *log, const AuditRecord *record, Error *reterr) {
        int r = audit_is_full(log) ? audit_rotate(log, record, reterr) : 0;
        if (r < 0)
                return r;

        AuditHead before = log->head;
        AuditPruning pruning = { 0 };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        bool begins = log->begins_file;
        r = audit_encode_preface(log, record, &text);
        if (r >= 0 && begins)
                r = audit_prune_begin(log, record, &text, &pruning);
        if (r >= 0)
                r = audit_record_encode(record, &log->head, &text, &log->head);
        if (r >= 0)
                r = audit_write(log, &text);
        if (r < 0) {
                log->head = before;
                return error_set(reterr, r, "cannot write the audit log");
        }

        audit_write_head(log);
        audit_prune_end(log, &pruning);
        return 0;
}

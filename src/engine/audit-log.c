/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/audit-log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "engine/paths.h"
#include "engine/tx-id.h"
#include "system/atomic-file.h"

#define AUDIT_PREFIX     "audit-"
#define AUDIT_SUFFIX     ".ndjson"
#define AUDIT_FIRST_FILE AUDIT_PREFIX "1" AUDIT_SUFFIX
#define AUDIT_HEAD_MAX   512U
#define AUDIT_TAIL_LINES 5U

void audit_log_close(AuditLog *log) {
        seam_fd_close(&log->file);
}

typedef struct NewestFile {
        uint64_t first; /* sequence number in the name, 0 for none */
        char name[64];
} NewestFile;

static int audit_visit_newest(void *userdata, const char *name) {
        NewestFile *newest = userdata;
        const char *rest = startswith(name, AUDIT_PREFIX);
        if (!rest || !endswith(rest, AUDIT_SUFFIX) || strlen(name) >= sizeof(newest->name))
                return 0;

        char digits[32];
        size_t n = strlen(rest) - strlen(AUDIT_SUFFIX);
        if (n >= sizeof(digits))
                return 0;
        memcpy(digits, rest, n);
        digits[n] = '\0';

        uint64_t first;
        if (num_parse_u64(digits, &first) >= 0 && first > newest->first) {
                newest->first = first;
                (void) snprintf(newest->name, sizeof(newest->name), "%s", name);
        }
        return 0;
}

/* The head that the state directory keeps; a missing or strange one counts as none. */
static AuditHead audit_read_head(const Seam *seam, int state_fd) {
        AuditHead head = { 0 };
        cleanup_free char *bytes = NULL;
        size_t n;
        if (seam_read_file_at(seam, state_fd, ENGINE_AUDIT_HEAD, AUDIT_HEAD_MAX, &bytes, &n) < 0)
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
                        log->seam, log->state_fd, ENGINE_AUDIT_HEAD, text, (size_t) n, 0600);
}

static void audit_note_open_intent(AuditLog *log, const AuditLine *line) {
        const char *tx = json_string_value(json_object_get(line->object, "tx"));
        const char *boot = json_string_value(json_object_get(line->object, "boot"));
        if (line->event != AUDIT_INTENT || !tx || !boot)
                return;
        (void) snprintf(log->open_tx, sizeof(log->open_tx), "%s", tx);
        (void) snprintf(log->open_boot, sizeof(log->open_boot), "%s", boot);
}

/* The line that the kept head names was written by us and is as it was: only an intent has to be looked into. */
static bool audit_is_kept(const AuditLog *log, const char *bytes, size_t n) {
        static const char intent[] = "\"ev\":\"intent\"";
        if (log->kept.seq == 0 || memmem(bytes, n, intent, sizeof(intent) - 1))
                return false;
        Sha256 hash = sha256_of(bytes, n);
        return sha256_equal(&hash, &log->kept.hash);
}

static int audit_take_line(AuditLog *log, const char *bytes, size_t n) {
        if (audit_is_kept(log, bytes, n)) {
                log->head = log->kept;
                return 0;
        }

        AuditLine line;
        int r = audit_line_decode(bytes, n, &line, NULL);
        if (r < 0)
                return r;

        log->head = (AuditHead){ .seq = line.seq, .hash = line.hash };
        audit_note_open_intent(log, &line);
        json_decref(line.object);
        return 0;
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

        /* A tear is at most one write: a torn record, or `open` and a record, each below AUDIT_LINE_MAX. */
        char tail[AUDIT_TAIL_LINES * AUDIT_LINE_MAX];
        size_t want = (size_t) st.st_size < sizeof(tail) ? (size_t) st.st_size : sizeof(tail);
        off_t start = st.st_size - (off_t) want;
        ssize_t n = seam_read(&log->file, tail, want, start);
        if (n < 0)
                return error_set(reterr, (int) n, "cannot read the audit log");

        size_t whole = (size_t) n;
        while (whole > 0 && tail[whole - 1] != '\n')
                whole--;
        /* A record whose newline alone is missing is whole. */
        if (whole < (size_t) n && audit_take_line(log, tail + whole, (size_t) n - whole) >= 0) {
                log->lacks_newline = true;
                return 0;
        }
        while (whole > 0) {
                size_t end = whole - 1, begin = end;
                while (begin > 0 && tail[begin - 1] != '\n')
                        begin--;
                if (audit_take_line(log, tail + begin, end - begin) >= 0)
                        break;
                whole = begin;
        }

        audit_note_tear(log, tail + whole, (size_t) n - whole, (size_t) start + whole);
        return 0;
}

static int audit_open_file(
                AuditLog *log, const SeamFd *dir, const char *name, gid_t gid, Error *reterr) {
        int r = seam_open(
                        log->seam, dir->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0640, &log->file);
        if (r < 0)
                return error_set(reterr, r, "cannot open '/%s/%s'", ENGINE_LOG_DIR, name);

        struct stat st;
        r = seam_fstat(&log->file, &st);
        if (r >= 0 && !S_ISREG(st.st_mode))
                r = -EINVAL;
        if (r >= 0 && (st.st_mode & 07777) != 0640)
                r = log->seam->ops->fchmod(log->seam, log->file.fd, 0640);
        if (r < 0)
                return error_set(reterr, r, "cannot use '/%s/%s'", ENGINE_LOG_DIR, name);

        /* Where adm does not exist or may not be given, root alone reads the log. */
        if (gid != (gid_t) -1 && st.st_gid != gid)
                (void) log->seam->ops->fchown(log->seam, log->file.fd, (uid_t) -1, gid);
        return 0;
}

int audit_log_open(
                AuditLog *ret, const Seam *seam, int root_fd, int state_fd, gid_t gid,
                Error *reterr) {
        CLEANUP(audit_log_close)
        AuditLog log = { .seam = seam, .state_fd = state_fd, .file = SEAM_FD_EMPTY };

        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open_dir(seam, root_fd, ENGINE_LOG_DIR, ENGINE_LOG_MODE, &dir);
        if (r < 0)
                return error_set(reterr, r, "cannot open '/%s'", ENGINE_LOG_DIR);

        NewestFile newest = { .name = AUDIT_FIRST_FILE };
        r = seam->ops->list(seam, dir.fd, audit_visit_newest, &newest);
        if (r < 0)
                return error_set(reterr, r, "cannot list '/%s'", ENGINE_LOG_DIR);

        log.kept = audit_read_head(seam, state_fd);
        r = audit_open_file(&log, &dir, newest.name, gid, reterr);
        if (r >= 0)
                r = audit_read_tail(&log, reterr);
        if (r < 0)
                return r;

        if (log.kept.seq > log.head.seq ||
            (log.kept.seq == log.head.seq && !sha256_equal(&log.kept.hash, &log.head.hash)))
                log.head = log.kept;
        if (log.head.seq == 0) {
                tx_id_new(log.log_id);
                log.head.hash = audit_genesis(log.log_id);
        }

        *ret = log;
        log.file = SEAM_FD_EMPTY;
        return 0;
}

/* Takes note of one line. False: it is older than the transaction. */
static bool audit_follow(
                const char *bytes, size_t n, const char *tx, uint64_t from, AuditTrail *trail) {
        AuditLine line;
        if (audit_line_decode(bytes, n, &line, NULL) < 0)
                return true;

        const char *of = json_string_value(json_object_get(line.object, "tx"));
        if (of && streq(of, tx) && line.event == AUDIT_INTENT)
                trail->has_intent = true;
        if (of && streq(of, tx) && audit_event_is_outcome(line.event)) {
                trail->has_outcome = true;
                trail->outcome = (AuditHead){ .seq = line.seq, .hash = line.hash };
        }
        json_decref(line.object);
        return line.seq > from && !trail->has_intent;
}

int audit_log_find(
                const AuditLog *log, const char *tx, uint64_t from, AuditTrail *ret,
                Error *reterr) {
        size_t size = log->end > 0 ? (size_t) log->end : 0;
        size_t want = size < AUDIT_TRAIL_MAX ? size : AUDIT_TRAIL_MAX;
        cleanup_free char *bytes = malloc(want + 1);
        if (!bytes)
                return error_set(reterr, -ENOMEM, "cannot read the audit log");
        ssize_t n = seam_read(&log->file, bytes, want, (off_t) (size - want));
        if (n < 0)
                return error_set(reterr, (int) n, "cannot read the audit log");

        AuditTrail trail = { 0 };
        bool goes_on = true;
        size_t end = (size_t) n;
        while (goes_on && end > 0) {
                end -= bytes[end - 1] == '\n';
                size_t begin = end;
                while (begin > 0 && bytes[begin - 1] != '\n')
                        begin--;
                goes_on = audit_follow(bytes + begin, end - begin, tx, from, &trail);
                end = begin;
        }
        if (goes_on && want < size)
                trail.has_intent = true;

        int r = trail.has_outcome ? seam_fdatasync(&log->file) : 0;
        if (r < 0)
                return error_set(reterr, r, "cannot flush the audit log");
        *ret = trail;
        return 0;
}

/* What must stand before the record itself: who we are, or what was torn. */
static int audit_encode_preface(AuditLog *log, const AuditRecord *record, StrBuf *out) {
        AuditRecord preface = {
                .time_us = record->time_us,
                .time_synced = record->time_synced,
                .boottime_ns = record->boottime_ns,
                .instance = record->instance,
                .via = record->via,
        };

        if (log->lacks_newline || (log->has_torn && !log->torn_is_ended))
                strbuf_add_char(out, '\n');

        int r = 0;
        if (log->log_id[0] != '\0') {
                preface.event = AUDIT_OPEN;
                preface.log_id = log->log_id;
                r = audit_record_encode(&preface, &log->head, out, &log->head);
        }
        if (r >= 0 && log->has_torn) {
                preface.event = AUDIT_TORN;
                preface.log_id = NULL;
                preface.torn_offset = log->torn_offset;
                preface.torn_length = log->torn_length;
                preface.torn_hash = log->torn_hash;
                r = audit_record_encode(&preface, &log->head, out, &log->head);
        }
        return r;
}

int audit_log_append(AuditLog *log, const AuditRecord *record, Error *reterr) {
        AuditHead before = log->head;

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        int r = audit_encode_preface(log, record, &text);
        if (r >= 0)
                r = audit_record_encode(record, &log->head, &text, &log->head);
        if (r >= 0 && text.failed)
                r = -ENOMEM;
        if (r >= 0)
                r = seam_write(&log->file, text.data, text.length, log->end);
        if (r >= 0)
                r = seam_fdatasync(&log->file);
        if (r < 0) {
                log->head = before;
                return error_set(reterr, r, "cannot write the audit log");
        }

        log->end += (off_t) text.length;
        log->lacks_newline = log->has_torn = false;
        log->log_id[0] = '\0';
        log->open_tx[0] = '\0';
        audit_write_head(log);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The audit log's lines. A line that is taken has a place in a chain: a number, the hash of the one before, its own hash over
 * exactly these bytes. The chain's own reader finds the same there. All lines together are judged as one file, with the
 * first record as anchor: whatever they hold, a verdict names a number exactly when something is broken.
 */

#include "fuzz.h"
#include "record/audit-chain.h"
#include "record/audit-line.h"

static void read_line(const char *line, size_t n) {
        Error error = { 0 };
        AuditLine record = { 0 };
        int r = audit_line_decode(line, n, &record, &error);
        FUZZ_ASSERT(r == 0 || r == -EBADMSG);
        if (r < 0) {
                FUZZ_ASSERT(error_is_set(&error));
                return;
        }
        FUZZ_ASSERT(record.seq > 0);
        FUZZ_ASSERT(json_is_object(record.object));
        Sha256 hash = sha256_of(line, n);
        FUZZ_ASSERT(sha256_equal(&hash, &record.hash));
        AuditChainLine link;
        if (audit_chain_line_read(line, n, &link) == 0) {
                FUZZ_ASSERT(link.seq == record.seq);
                FUZZ_ASSERT(sha256_equal(&link.prev, &record.prev));
                FUZZ_ASSERT(sha256_equal(&link.hash, &record.hash));
        }
        json_decref(record.object);
}

static AuditVerdict judge(const char *text, size_t n, const AuditAnchor *anchor) {
        AuditChain chain;
        AuditVerdict verdict;
        audit_chain_init(&chain, anchor, anchor ? 1 : 0);
        audit_chain_begin_file(&chain, "audit-1.ndjson", 1);
        for (const char *end = n > 0 ? text + n : text; text < end;) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                const char *stop = newline ? newline : end;
                audit_chain_add_line(&chain, text, (size_t) (stop - text), newline != NULL);
                text = stop + 1;
        }
        audit_chain_end(&chain, &verdict);
        FUZZ_ASSERT((verdict.kind == AUDIT_BREAK_NONE) == (verdict.seq == 0));
        FUZZ_ASSERT((verdict.kind == AUDIT_BREAK_NONE) == (verdict.why == NULL));
        FUZZ_ASSERT((verdict.first == 0) == (verdict.n_records == 0));
        return verdict;
}

/* A head that is the log's own never makes a whole log broken, and one behind its end always does. */
static void read_log(const char *text, size_t n) {
        AuditVerdict verdict = judge(text, n, NULL);
        if (verdict.kind != AUDIT_BREAK_NONE || verdict.is_newer)
                return;
        AuditAnchor anchor = { verdict.head.seq, verdict.head.hash, "head" };
        if (anchor.seq > 0)
                FUZZ_ASSERT(judge(text, n, &anchor).kind == AUDIT_BREAK_NONE);
        anchor.seq++;
        FUZZ_ASSERT(judge(text, n, &anchor).kind == AUDIT_BREAK_CUT);
}

/* --- a log that is written, and then damaged -------------------------------------------------------------------- */

#define LOG_ID      "9d7b6c1e-0000-4000-8000-00000000000a"
#define BOOT_ID     "0f0f0f0f-1111-4222-8333-444444444444"
#define LOG_RECORDS 6U

typedef struct Log {
        StrBuf text;
        AuditHead heads[LOG_RECORDS + 1]; /* after so many records */
        size_t ends[LOG_RECORDS + 1];     /* and where they end */
        size_t n;
} Log;

static void log_deinit(Log *log) {
        strbuf_deinit(&log->text);
}

static uint8_t feed_byte(const uint8_t **at, size_t *left) {
        if (*left == 0)
                return 0;
        *left -= 1;
        return *(*at)++;
}

/* Any bytes, as somebody else chose them: two of length come first. NUL ends a text; NULL for one without bytes. */
static char *feed_text(const uint8_t **at, size_t *left, size_t max) {
        size_t n = (size_t) feed_byte(at, left) << 8;
        n = (n | feed_byte(at, left)) % max;
        n = n < *left ? n : *left;
        char *text = strndup((const char *) *at, n);
        FUZZ_ASSERT(text);
        *at += n;
        *left -= n;
        return text;
}

static void log_add(Log *log, const AuditRecord *record) {
        FUZZ_ASSERT(log->n < LOG_RECORDS);
        const AuditHead *head = &log->heads[log->n];
        FUZZ_ASSERT(audit_record_encode(record, head, &log->text, &log->heads[log->n + 1]) == 0);
        log->n++;
        log->ends[log->n] = log->text.length;
        size_t start = log->ends[log->n - 1];
        FUZZ_ASSERT(log->text.length - start <= AUDIT_LINE_MAX);

        Error error = { 0 };
        AuditLine line;
        int r = audit_line_decode(
                        log->text.data + start, log->text.length - start - 1, &line, &error);
        if (r < 0)
                fprintf(stderr, "what was written is not read: %s\n", error.text);
        FUZZ_ASSERT(r == 0);
        FUZZ_ASSERT(line.seq == log->n && line.event == record->event);
        FUZZ_ASSERT(sha256_equal(&line.hash, &log->heads[log->n].hash));
        FUZZ_ASSERT(sha256_equal(&line.prev, &head->hash) || log->n == 1);
        json_decref(line.object);
}

static void log_add_next(Log *log, const uint8_t **at, size_t *left) {
        static const AuditEvent events[] = { AUDIT_INTENT,  AUDIT_OUTCOME, AUDIT_DENIED,
                                             AUDIT_RECOVER, AUDIT_BOOT,    AUDIT_CONFIRM,
                                             AUDIT_RELEASE, AUDIT_DEGRADED };
        AuditEvent event = events[feed_byte(at, left) % ELEMENTSOF(events)];
        uint8_t flags = feed_byte(at, left);
        cleanup_free char *value = feed_text(at, left, 600);
        cleanup_free char *reason = feed_text(at, left, 5000);
        cleanup_free char *evidence = feed_text(at, left, 5000);
        cleanup_free char *unit = feed_text(at, left, sizeof((AuditCaller){ 0 }.unit));

        AuditKey keys[16];
        size_t n_keys = flags & 0x0f;
        for (size_t i = 0; i < n_keys; i++)
                keys[i] = (AuditKey){ "net.core.somaxconn", value, reason, value, "set", flags };
        AuditRecord record = {
                .event = event,
                .via = "socket",
                .verb = "enable",
                .tx = BOOT_ID,
                .instance = { .boot_id = BOOT_ID, .netns_inode = 1 },
                .time_us = (int64_t) flags << 44,
                .has_caller = flags & 0x10,
                .caller = { .auid = AUDIT_UNSET, .session = flags },
                .reason = flags & 0x20 ? reason : NULL,
                .cause = event == AUDIT_OUTCOME && (flags & 0x40) ? "gate" : NULL,
                .evidence = evidence,
                .keys = keys,
                .n_keys = n_keys,
                .outcome = audit_event_is_outcome(event) ? "applied" : NULL,
                .late = audit_event_tells_state(event) && (flags & 0x80),
                .degraded_lost = flags,
        };
        (void) snprintf(record.caller.unit, sizeof(record.caller.unit), "%s", unit);
        (void) snprintf(record.caller.comm, sizeof(record.caller.comm), "%s", value);
        log_add(log, &record);
}

static void log_write(Log *log, const uint8_t *at, size_t left) {
        log_add(log, &(AuditRecord){ .event = AUDIT_OPEN,
                                     .instance = { .boot_id = BOOT_ID },
                                     .via = "boot",
                                     .log_id = LOG_ID });
        while (left > 0 && log->n < LOG_RECORDS)
                log_add_next(log, &at, &left);
}

static bool is_whole(const StrBuf *text, const AuditHead *head) {
        AuditAnchor anchor = { head->seq, head->hash, "head" };
        AuditVerdict verdict = judge(text->data, text->length, head->seq > 0 ? &anchor : NULL);
        return verdict.kind == AUDIT_BREAK_NONE && !verdict.is_newer;
}

/* One byte is another one. What has a successor needs no anchor. */
static void damage_byte(Log *log, size_t where, uint8_t change) {
        char *byte = &log->text.data[where % log->text.length];
        if (change == 0)
                return;
        *byte = (char) (*byte ^ change);
        FUZZ_ASSERT(!is_whole(&log->text, &log->heads[log->n]));
        if (where % log->text.length < log->ends[log->n - 1])
                FUZZ_ASSERT(!is_whole(&log->text, &(AuditHead){ 0 }));
        *byte = (char) (*byte ^ change);
}

static void add_lines(const Log *log, size_t from, size_t to, StrBuf *out) {
        strbuf_add_bytes(out, log->text.data + log->ends[from], log->ends[to] - log->ends[from]);
}

/* A record is gone, stands twice, or stands before the one that it follows. */
static void damage_order(const Log *log, size_t which, size_t other) {
        CLEANUP(strbuf_deinit) StrBuf gone = { 0 }, twice = { 0 }, moved = { 0 };
        add_lines(log, 0, which, &gone);
        add_lines(log, which + 1, log->n, &gone);
        add_lines(log, 0, other, &twice);
        add_lines(log, which, which + 1, &twice);
        add_lines(log, other, log->n, &twice);
        add_lines(log, 0, which, &moved);
        if (which + 1 < log->n) {
                add_lines(log, which + 1, which + 2, &moved);
                add_lines(log, which, which + 1, &moved);
                add_lines(log, which + 2, log->n, &moved);
                FUZZ_ASSERT(!is_whole(&moved, &(AuditHead){ 0 }));
        }
        FUZZ_ASSERT(!is_whole(&gone, &log->heads[log->n]));
        FUZZ_ASSERT(!is_whole(&twice, &(AuditHead){ 0 }));
        FUZZ_ASSERT(!gone.failed && !twice.failed && !moved.failed);
}

/* As a crash leaves it: whole, up to the record that was whole before. */
static void cut_off(const Log *log, size_t where) {
        size_t n = 0;
        while (n < log->n && log->ends[n + 1] <= where)
                n++;
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        strbuf_add_bytes(&text, log->text.data, where);
        FUZZ_ASSERT(!text.failed && is_whole(&text, &log->heads[n]));
        if (where + 1 < log->text.length)
                FUZZ_ASSERT(!is_whole(&text, &log->heads[log->n]));
}

static void write_and_damage(const uint8_t *bytes, size_t n) {
        CLEANUP(log_deinit) Log log = { 0 };
        log_write(&log, bytes + 4, n - 4);
        FUZZ_ASSERT(is_whole(&log.text, &(AuditHead){ 0 }));
        FUZZ_ASSERT(is_whole(&log.text, &log.heads[log.n]));

        size_t where = (size_t) bytes[0] << 8 | bytes[1];
        damage_byte(&log, where, bytes[2]);
        damage_order(&log, bytes[1] % log.n, bytes[3] % log.n);
        cut_off(&log, where % log.text.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
        const char *text = (const char *) bytes;
        size_t start = 0;
        for (size_t i = 0; i <= n; i++) {
                if (i < n && text[i] != '\n')
                        continue;
                read_line(text + start, i - start);
                start = i + 1;
        }
        read_log(text, n);
        if (n > 4)
                write_and_damage(bytes, n);
        return 0;
}

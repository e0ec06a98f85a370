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
        for (const char *end = text + n; text < end;) {
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
        return 0;
}

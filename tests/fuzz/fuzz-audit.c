/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The audit log's lines. A line that is taken has a place in a chain: a number, the hash of the one before, its own hash over
 * exactly these bytes.
 */

#include "fuzz.h"
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
        json_decref(record.object);
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
        return 0;
}

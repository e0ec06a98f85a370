/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One audit record with everything in it, for the tests of writing and reading.
 */

#include "fixture.h"

#include "record/audit-format.h"

#define TEST_LOG "9d7b6c1e-0000-4000-8000-00000000000a"

static const char *const test_profiles[] = { "hygiene@1111", "web@2222" };

static const AuditKey test_keys[] = {
        { "net.core.somaxconn", "128", "4096", "4096", "set", 0 },
        { "net.ipv4.ip_local_port_range", "32768\t60999", "1024\t65000", NULL, "undone", EINVAL },
        { "net.ipv4.tcp_fin_timeout", NULL, NULL, NULL, NULL, 0 },
};

static inline AuditRecord test_record(void) {
        return (AuditRecord){
                .event = AUDIT_OUTCOME,
                .tx = TEST_TX,
                .time_us = 1700000000000001,
                .time_synced = true,
                .boottime_ns = 123456789,
                .instance = TEST_INSTANCE,
                .has_caller = true,
                .caller = { .uid = 0,
                            .gid = 0,
                            .pid = 4242,
                            .auid = 1000,
                            .session = AUDIT_UNSET,
                            .start = 987654,
                            .comm = "twprofile",
                            .unit = "session-3.scope",
                            .pidfd_verified = true },
                .via = "socket",
                .verb = "enable",
                .reason = "CHG-17 \"für\" web\\1",
                .profiles = test_profiles,
                .n_profiles = ELEMENTSOF(test_profiles),
                .keys = test_keys,
                .n_keys = ELEMENTSOF(test_keys),
                .generation_from = 3,
                .generation_to = 4,
                .outcome = "applied",
                .exit_code = 0,
                .mirrored = true,
                .has_frame = true,
        };
}

static inline AuditRecord test_open(void) {
        return (AuditRecord){
                .event = AUDIT_OPEN, .instance = TEST_INSTANCE, .via = "boot", .log_id = TEST_LOG
        };
}

/* The line without its newline; the caller frees. */
static inline char *test_encode(const AuditRecord *record, AuditHead *head) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(audit_record_encode(record, head, &out, head), 0);
        assert_true(out.length <= AUDIT_LINE_MAX);
        assert_int_equal(out.data[out.length - 1], '\n');
        char *line = strndup(out.data, out.length - 1);
        assert_non_null(line);
        assert_null(strchr(line, '\n'));
        return line;
}

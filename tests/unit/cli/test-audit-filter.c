/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-filter.h"

#include "cli/verbs.h"
#include "test.h"

/* Oldest first, one letter for each record. */
static const char *const records[] = {
        "{\"ev\":\"intent\",\"t\":\"2026-11-20T10:00:00.000001Z\",\"tx\":\"1\",\"verb\":\"enable\",\"prof\":[\"web@11\"],"
        "\"keys\":[{\"k\":\"net.a\"}],\"who\":{\"uid\":0,\"auid\":1000}}",
        "{\"ev\":\"outcome\",\"t\":\"2026-11-20T10:00:01.000000Z\",\"tx\":\"1\",\"verb\":\"enable\",\"prof\":[\"web@11\"],"
        "\"keys\":[{\"k\":\"net.a\"}],\"who\":{\"uid\":0,\"auid\":1000}}",
        "{\"ev\":\"outcome\",\"t\":\"2026-11-20T11:00:00.000000Z\",\"tx\":\"2\",\"verb\":\"disable\",\"prof\":[],"
        "\"keys\":{\"n\":99},\"who\":{\"uid\":0,\"auid\":\"unset\"}}",
        "{\"ev\":\"outcome\",\"t\":\"2026-11-20T12:00:00.000000Z\",\"tx\":\"3\",\"verb\":\"enable\",\"prof\":[\"webs@11\"],"
        "\"keys\":[{\"k\":\"net.b\"}]}",
        "{\"ev\":\"denied\",\"t\":\"2026-11-21T12:00:00.000000Z\",\"who\":{\"uid\":1000,\"auid\":1000}}",
};

static int use_utc(void **state) {
        (void) state;
        return setenv("TZ", "UTC", 1);
}

static void test_audit_filter_takes_table(void **state) {
        (void) state;
        static const struct {
                Options options;
                const char *want;
        } rows[] = {
                { {}, "abcde" },
                { { .since = "2026-11-20 10:00" }, "abcde" },
                { { .since = "2026-11-20 10:00:01" }, "bcde" },
                { { .until = "2026-11-20 10:00:01" }, "ab" },
                { { .since = "2026-11-20 11:00", .until = "2026-11-21" }, "cd" },
                { { .verb = "enable" }, "abd" },
                { { .verb = "enabl" }, "" },
                { { .tx = "2" }, "c" },
                { { .key = "net.a" }, "abc" },
                { { .key = "net.b" }, "cd" },
                { { .profile = "web" }, "abc" },
                { { .profile = "webs" }, "d" },
                { { .user = "0" }, "abc" },
                { { .user = "1000" }, "abe" },
                { { .user = "1000", .verb = "enable", .until = "2026-11-20 10:00:00Z" }, "" },
        };
        TEST_EACH(row, rows) {
                Context context;
                AuditFilter filter;
                assert_int_equal(context_init(&context), 0);
                context.options = row->options;
                assert_int_equal(audit_filter_init(&filter, &context), 0);
                assert_int_equal(filter.is_set, test_row_current > 0);
                char got[ELEMENTSOF(records) + 1] = "";
                for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                        json_t *record = json_loads(records[i], 0, NULL);
                        assert_non_null(record);
                        if (audit_filter_takes(&filter, record))
                                got[strlen(got)] = (char) ('a' + (int) i);
                        json_decref(record);
                }
                assert_string_equal(got, row->want);
                context_deinit(&context);
        }
}

static void test_audit_filter_init_refuses(void **state) {
        (void) state;
        static const Options rows[] = {
                { .since = "soon" },
                { .until = "99999-01-01" },
                { .user = "no such user" },
                { .user = "-1" },
        };
        TEST_EACH(row, rows) {
                Context context;
                AuditFilter filter;
                assert_int_equal(context_init(&context), 0);
                context.command = &cmd_history;
                context.options = *row;
                assert_int_equal(audit_filter_init(&filter, &context), EXIT_USAGE);
                context_deinit(&context);
        }
}

TEST_MAIN(cmocka_unit_test_setup(test_audit_filter_takes_table, use_utc),
          cmocka_unit_test(test_audit_filter_init_refuses))

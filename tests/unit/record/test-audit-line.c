/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-line.h"

#include "audit-fixture.h"

static void test_every_event_is_read_back(void **state) {
        (void) state;
        for (AuditEvent event = AUDIT_OPEN; event < AUDIT_EVENTS; event++) {
                AuditRecord record = test_record();
                record.event = event;
                record.log_id = TEST_LOG;
                record.torn_offset = 100;
                record.torn_length = 7;
                record.torn_hash = sha256_of("{\"torn\"", 7);
                record.file_first = record.file_records = record.prune_through = 5;
                AuditHead before = { .seq = 8, .hash = sha256_of("x", 1) }, head = before;
                cleanup_free char *text = test_encode(&record, &head);

                AuditLine line = {};
                Error error = {};
                assert_int_equal(audit_line_decode(text, strlen(text), &line, &error), 0);
                json_auto_t *object = line.object;
                assert_int_equal(line.event, event);
                assert_int_equal(line.seq, 9);
                assert_memory_equal(&line.prev, &before.hash, sizeof(before.hash));
                assert_memory_equal(&line.hash, &head.hash, sizeof(head.hash));
                assert_string_equal(
                                json_string_value(json_object_get(object, "ev")),
                                audit_event_name(event));
                assert_int_equal(json_object_get(object, "log") != NULL, event == AUDIT_OPEN);
                assert_int_equal(json_object_get(object, "torn") != NULL, event == AUDIT_TORN);
                assert_int_equal(json_object_get(object, "file") != NULL, event == AUDIT_ROTATE);
                assert_int_equal(json_object_get(object, "prune") != NULL, event == AUDIT_PRUNE);
                assert_int_equal(
                                json_object_get(object, "degraded") != NULL,
                                event == AUDIT_DEGRADED);
                assert_int_equal(
                                json_object_get(object, "gen") != NULL,
                                audit_event_tells_state(event));
        }
}

static void refused(const char *text, const char *says) {
        AuditLine line = {};
        Error error = {};
        int r = audit_line_decode(text, strlen(text), &line, &error);
        if (r != -EBADMSG)
                fail_msg("%d for %s", r, text);
        assert_null(line.object);
        test_error_says(&error, says);
}

static AuditRecord terms_row(size_t i) {
        AuditRecord record = test_record();
        switch (i) {
        case 0:
                record.cause = "gate";
                record.evidence = "TcpExt.ListenDrops rose by 12/s";
                return record;
        case 1:
                record.event = AUDIT_INTENT;
                record.has_window = true;
                record.window_s = 60;
                return record;
        case 2:
                record.event = AUDIT_CONFIRM;
                record.same_session = true;
                return record;
        case 3:
                record.late = true;
                return record;
        case 4:
                record.event = AUDIT_DENIED;
                record.count = 17;
                return record;
        case 5:
                record.event = AUDIT_ROTATE;
                record.file_first = 4;
                record.file_records = 5;
                return record;
        case 6:
                record.event = AUDIT_PRUNE;
                record.prune_through = 3;
                record.prune_hash = (Sha256){ { 0xCD } };
                return record;
        default:
                record.event = AUDIT_DEGRADED;
                record.degraded_ends = i == 8;
                record.degraded_lost = 2;
                return record;
        }
}

/* As docs/audit.md has them; and none of them is taken in a record of another kind. */
static void test_terms(void **state) {
        (void) state;
        static const struct {
                const char *member, *gone_says;
        } rows[] = {
                { "\"cause\":\"gate\",", "'evidence' without 'cause'" },
                { ",\"window\":{\"s\":60}", NULL },
                { "\"same\":1,", NULL },
                { "\"late\":1,", "'exit' is missing" },
                { "\"count\":17,", NULL },
                { "\"file\":{\"first\":4,\"n\":5},", "'file' is 'rotate's alone" },
                { "\"prune\":{\"sha256\":"
                  "\"cd00000000000000000000000000000000000000000000000000000000000000\",\"through\":3},",
                  "'prune' is 'prune's alone" },
                { "\"degraded\":{\"lost\":2,\"state\":\"begin\"},", "'degraded' is 'degraded's" },
                { "\"degraded\":{\"lost\":2,\"state\":\"end\"},", "'degraded' is 'degraded's" },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                AuditRecord record = terms_row(i), other = test_open();
                AuditHead head = { .seq = 8 };
                cleanup_free char *text = test_encode(&record, &head);
                AuditLine line;
                Error error = {};
                assert_int_equal(audit_line_decode(text, strlen(text), &line, &error), 0);
                json_decref(line.object);

                cleanup_free char *without = test_replace(text, rows[i].member, "");
                if (rows[i].gone_says)
                        refused(without, rows[i].gone_says);
                else {
                        assert_int_equal(
                                        audit_line_decode(without, strlen(without), &line, &error),
                                        0);
                        json_decref(line.object);
                }

                cleanup_free char *strange = test_encode(&other, &head);
                cleanup_free char *inside = NULL;
                const char *member = rows[i].member;
                bool last = member[0] == ',';
                assert_true(asprintf(&inside, "{%s%s%s", member + last, last ? "," : "",
                                     strange + 1) > 0);
                refused(inside, i == 3 ? "'late' and 'open' do not" : "alone, not 'open's");
        }
}

/* The least a record can be, and callers of every kind. */
static void test_optional_members(void **state) {
        (void) state;
        for (int i = 0; i < 4; i++) {
                AuditRecord record = test_record();
                record.tx = record.verb = record.reason = record.outcome = NULL;
                record.n_keys = record.n_profiles = 0;
                record.has_frame = false;
                record.has_caller = i > 0;
                record.caller.auid = i == 1 ? AUDIT_UNSET : 0;
                record.caller.pidfd_verified = i == 2;
                record.caller.start = (uint64_t) INT64_MAX;
                AuditHead head = { .seq = 8 };
                cleanup_free char *text = test_encode(&record, &head);
                AuditLine line;
                assert_int_equal(audit_line_decode(text, strlen(text), &line, NULL), 0);
                assert_int_equal(json_object_get(line.object, "who") != NULL, i > 0);
                json_decref(line.object);
        }
}

static void test_decode_refuses(void **state) {
        (void) state;
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "\"v\":1", "\"v\":2,\"new\":1",
                  "written by a newer version of this program (format 2" },
                { "\"v\":1", "\"v\":1,\"new\":1", "unknown member 'new'" },
                { "\"v\":1", "\"v\":1,\"v\":1", "given twice" },
                { "\"v\":1,", "", "no format version" },
                { "{", "\t{", "a control character" },
                { "{", "{\n", "a control character" },
                { "\\\\1\"}", "\\\\1\"} x", "not valid JSON" },
                { "\"seq\":42", "\"seq\":0", "counted from 1" },
                { "\"seq\":42", "\"seq\":-1", "'seq' is not an integer from 0" },
                { "\"prev\":\"ab", "\"prev\":\"AB", "'prev' is not a SHA-256" },
                { "\"ev\":\"outcome\"", "\"ev\":\"outcom\"", "unknown event" },
                { "\"ev\":\"outcome\"", "\"ev\":\"open\"", "'log' is" },
                { "\"ev\":\"outcome\"", "\"ev\":\"open\",\"log\":\"x\"",
                  "'gen' and 'open' do not" },
                { "\"ev\":\"outcome\"", "\"ev\":\"torn\"", "'torn' is" },
                { "\"ev\":\"outcome\"", "\"ev\":\"outcome\",\"log\":\"x\"", "'log' is" },
                { "\"gen\":{\"from\":3,\"to\":4},", "", "'gen' and 'outcome' do not" },
                { "\"gen\":{\"from\":3,", "\"gen\":{", "member 'gen': no member 'from'" },
                { "\"prof\":[\"hygiene@1111\",\"web@2222\"],", "", "no member 'prof'" },
                { "\"hygiene@1111\"", "17", "member 'prof': profile 0 is not a text" },
                { "\"hygiene@1111\"", "\"\\u001b\"", "member 'prof': profile 0 is not a text" },
                { "[\"hygiene@1111\",\"web@2222\"]", "{\"n\":1}",
                  "member 'prof': no member 'sha256'" },
                { "[\"hygiene@1111\",\"web@2222\"]", "7", "member 'prof': not a JSON object" },
                { "\"keys\":[{", "\"keys\":[{\"x\":1,",
                  "member 'keys': key 0: unknown member 'x'" },
                { "\"e\":22", "\"e\":\"22\"", "member 'keys': key 1: member 'e' is not" },
                { "\"o\":\"set\"", "\"o\":\"Set!\"", "key 0: member 'o' is not a word" },
                { "2023-11-14T", "2023-11-14 ", "member 't': not a time" },
                { ".000001Z", ".000001+02:00", "member 't': not a time" },
                { "\"tq\":1", "\"tq\":true", "'tq' is not 0 or 1" },
                { "\"tq\":1", "\"tq\":2", "'tq' is not 0 or 1" },
                { "\"mirror\":1", "\"mirror\":-1", "'mirror' is not 0 or 1" },
                { "\"mirror\":1", "\"mirror\":1,\"cut\":0", "member 'cut': is not 1" },
                { "\"ino\":\"4026531840\"", "\"ino\":\"0x10\"",
                  "member 'ns': member 'ino' is not" },
                { "\"auid\":1000", "\"auid\":-1", "member 'who': member 'auid': neither" },
                { "\"ses\":\"unset\"", "\"ses\":\"none\"", "member 'who': member 'ses': neither" },
                { "\"src\":\"pidfd\"", "\"src\":\"guess\"",
                  "member 'src': neither 'pidfd' nor 'pid'" },
                { "\"exit\":0", "\"exit\":\"0\"", "member 'res': member 'exit' is not" },
                { "\"txh\":\"00", "\"txh\":\"0", "'txh' is not" },
                { "\"tx\":\"0", "\"tx\":\"", "'tx' is not a UUID" },
                { "für", "f\xFCr", "not valid JSON" },
                { "für", "f\\u0007r", "'why' is not a text" },
                { "\"mirror\":1", "\"mirror\":1,\"late\":0", "member 'late': is not 1" },
                { "\"mirror\":1", "\"mirror\":1,\"cause\":\"user\"", "member 'cause': neither" },
                { "\"mirror\":1", "\"mirror\":1,\"window\":{}", "member 'window': no member 's'" },
                { "\"mirror\":1", "\"mirror\":1,\"count\":0", "member 'count': counted from 1" },
                { "\"mirror\":1", "\"mirror\":1,\"file\":{\"first\":0,\"n\":1}",
                  "member 'file': member 'first': counted from 1" },
                { "\"mirror\":1", "\"mirror\":1,\"prune\":{\"through\":1}",
                  "member 'prune': no member 'sha256'" },
                { "\"mirror\":1", "\"mirror\":1,\"degraded\":{\"lost\":1,\"state\":\"on\"}",
                  "member 'degraded': member 'state': neither" },
                { "\"exit\":0,", "", "'exit' is missing, or in a late record" },
                { "\"mirror\":1", "\"late\":1,\"mirror\":1",
                  "'exit' is missing, or in a late record" },
                { "\"bt\":", "\"bt\":0.5,\"x\":", "'bt' is not an integer" },
        };
        AuditRecord record = test_record();
        AuditHead head = { .seq = 41, .hash = { { 0xAB } } };
        cleanup_free char *text = test_encode(&record, &head);
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(text, row->from, row->to);
                refused(bad, row->says);
        }
}

static void test_decode_refuses_other_lines(void **state) {
        (void) state;
        char longest[AUDIT_LINE_MAX + 1];
        memset(longest, ' ', sizeof(longest));
        longest[AUDIT_LINE_MAX] = '\0';
        const struct {
                const char *text, *says;
        } rows[] = {
                { "", "not valid JSON" },
                { "[]", "not a JSON object" },
                { "{}", "no format version" },
                { "{\"v\":1}", "no member 'seq'" },
                { longest, "4096 bytes are more than the 4095 allowed" },
                { "{\"a\":[[[[[[[[[]]]]]]]]]}", "more than 8 levels" },
        };
        TEST_EACH(row, rows)
                refused(row->text, row->says);
}

/* Whatever is changed in a line, its hash changes; and nothing makes the reader stumble. */
static void test_every_byte_changed(void **state) {
        (void) state;
        static const unsigned char masks[] = { 0x01, 0x10, 0x80 };
        AuditRecord record = test_record();
        AuditHead head = { .seq = 41 };
        cleanup_free char *text = test_encode(&record, &head);
        size_t n = strlen(text);
        for (size_t i = 0; i < n * ELEMENTSOF(masks); i++) {
                char *byte = &text[i / ELEMENTSOF(masks)], old = *byte;
                *byte = (char) (old ^ masks[i % ELEMENTSOF(masks)]);
                AuditLine line = {};
                int r = audit_line_decode(text, n, &line, NULL);
                assert_true(r == 0 || r == -EBADMSG);
                if (r == 0)
                        assert_false(sha256_equal(&line.hash, &head.hash));
                json_decref(line.object);
                *byte = old;
        }
}

TEST_MAIN(cmocka_unit_test(test_every_event_is_read_back), cmocka_unit_test(test_terms),
          cmocka_unit_test(test_optional_members), cmocka_unit_test(test_decode_refuses),
          cmocka_unit_test(test_decode_refuses_other_lines),
          cmocka_unit_test(test_every_byte_changed))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-chain-line.h"

#include "audit-fixture.h"
#include "record/audit-line.h"

/* The quick reader and the decoder agree on everything both give. */
static void test_audit_chain_line_read_what_the_encoder_writes(void **state) {
        (void) state;
        for (AuditEvent event = AUDIT_OPEN; event <= AUDIT_TORN; event++) {
                AuditRecord record = test_record();
                record.event = event;
                record.log_id = TEST_LOG;
                record.torn_offset = 100;
                record.torn_length = 7;
                record.torn_hash = sha256_of("{\"torn\"", 7);
                AuditHead head = { .seq = 8, .hash = sha256_of("x", 1) };
                cleanup_free char *text = test_encode(&record, &head);

                AuditLine decoded = {};
                AuditChainLine line = {};
                assert_int_equal(audit_line_decode(text, strlen(text), &decoded, NULL), 0);
                json_auto_t *object = decoded.object;
                assert_non_null(object);
                assert_int_equal(audit_chain_line_read(text, strlen(text), &line), 0);
                assert_int_equal(line.seq, decoded.seq);
                assert_true(sha256_equal(&line.prev, &decoded.prev));
                assert_true(sha256_equal(&line.hash, &decoded.hash));
                assert_true(audit_chain_text_is(line.event, audit_event_name(event)));
                assert_int_equal(audit_chain_text_is(line.log, TEST_LOG), event == AUDIT_OPEN);
                assert_memory_equal(text + line.prev_at - 8, "\"prev\":\"", 8);
                assert_int_equal(line.torn.has, event == AUDIT_TORN);
                if (line.torn.has) {
                        assert_int_equal(line.torn.number, 100);
                        assert_int_equal(line.torn.length, 7);
                        assert_true(sha256_equal(&line.torn.hash, &record.torn_hash));
                }
        }
}

#define HASH "ab00000000000000000000000000000000000000000000000000000000000000"
#define LINE(before, seq, behind) \
        "{" before "\"ev\":\"boot\",\"prev\":\"" HASH "\"," behind "\"seq\":" seq ",\"v\":1}"

static void test_audit_chain_line_read_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int want;
        } rows[] = {
                { LINE("", "7", ""), 0 },
                { LINE("\"a\":[{\"x\":\"}]\\\"\"},-1],", "7", "\"s\":\"\\\\\","), 0 },
                { LINE("", "9223372036854775807", ""), 0 },
                { LINE("", "7", "\"prune\":{\"sha256\":\"" HASH "\",\"through\":6},"), 0 },
                { LINE("", "7", "\"prune\":{\"sha256\":\"" HASH "\",\"through\":06},"), 1 },
                { LINE("", "7", "\"prune\":{\"sha256\":\"AB\",\"through\":6},"), 1 },
                { LINE("", "7", "\"prune\":{\"hash\":\"\"},"), 1 },
                { LINE("", "7", "\"prune\":6,"), 1 },
                { LINE("", "9223372036854775808", ""), 1 },
                { LINE("", "99999999999999999999", ""), 1 },
                { LINE("", "0", ""), 1 },
                { LINE("", "07", ""), 1 },
                { LINE("", "-7", ""), 1 },
                { LINE("", "\"7\"", ""), 1 },
                { LINE("", "7.0", ""), 1 },
                { LINE("", "", ""), 1 },
                { LINE("", "[[[[[[[[[[]]]]]]]]]]", ""), 1 },
                { LINE("", "{\"x", ""), 1 },
                { LINE("", "[1 ]", ""), 1 },
                { LINE("", "7", "\"pp\":1,"), 1 },   /* not in order */
                { LINE("", "7", "\"prev\":1,"), 1 }, /* twice */
                { LINE(" ", "7", ""), 1 },
                { LINE("\"a\":\"\t\",", "7", ""), 1 },
                { LINE("", "7", "") " ", 1 },
                { LINE("", "7", "") "}", 1 },
                { "", 1 },
                { "{}", 1 },
                { "{", 1 },
                { "{\"", 1 },
                { "{\"a\\", 1 },
                { "{\"a\"", 1 },
                { "{\"a\":", 1 },
                { "{\"a\":1", 1 },
                { "{\"a\":1,}", 1 },
                { "[]", 1 },
                { "{\"seq\":1,\"v\":1}", 1 },
                { "{\"ev\":\"boot\",\"prev\":\"" HASH "\",\"seq\":1}", 1 },
                { "{\"ev\":\"boot\",\"prev\":\"" HASH "\",\"seq\":1,\"v\":0}", 1 },
                { "{\"ev\":\"boot\",\"prev\":\"" HASH "\",\"v\":1}", 1 },
                { "{\"ev\":\"boot\",\"prev\":7,\"seq\":1,\"v\":1}", 1 },
                { "{\"ev\":7,\"prev\":\"" HASH "\",\"seq\":1,\"v\":1}", 1 },
                { "{\"ev\":\"boot\",\"prev\":\"" HASH "\",\"seq\":1,\"v\":2}",
                  AUDIT_CHAIN_LINE_E_NEWER },
                { "{\"seq\":\"new\",\"v\":2}", AUDIT_CHAIN_LINE_E_NEWER },
        };
        TEST_EACH(row, rows) {
                AuditChainLine line = { .seq = 12345 };
                assert_int_equal(
                                audit_chain_line_read(row->text, strlen(row->text), &line),
                                row->want);
                assert_true(row->want == 0 || line.seq == 12345);
        }
}

static void test_audit_chain_line_read_no_longer_than_a_record(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add(&text, "{\"a\":\"");
        strbuf_add_repeat(&text, 'x', AUDIT_LINE_MAX - 7 - strlen(LINE("", "7", "")));
        strbuf_add(&text, "\",");
        strbuf_add(&text, &LINE("", "7", "")[1]);
        assert_int_equal(text.length, AUDIT_LINE_MAX);
        AuditChainLine line;
        assert_int_equal(
                        audit_chain_line_read(text.data, text.length, &line),
                        AUDIT_CHAIN_LINE_E_NONE);
        memmove(text.data + 6, text.data + 7, text.length - 7);
        assert_int_equal(audit_chain_line_read(text.data, text.length - 1, &line), 0);
}

TEST_MAIN(cmocka_unit_test(test_audit_chain_line_read_what_the_encoder_writes),
          cmocka_unit_test(test_audit_chain_line_read_table),
          cmocka_unit_test(test_audit_chain_line_read_no_longer_than_a_record))

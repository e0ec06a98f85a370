/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-format.h"

#include <nettle/sha2.h>

#include "audit-fixture.h"
#include "record/audit-line.h"

/* Without our own hash functions, so that they cannot agree with each other by mistake. */
static void hash_hex(const char *text, size_t n, char ret[65]) {
        struct sha256_ctx context;
        uint8_t digest[32];
        sha256_init(&context);
        sha256_update(&context, n, (const uint8_t *) text);
        sha256_digest(&context, sizeof(digest), digest);
        for (size_t i = 0; i < sizeof(digest); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static json_t *decode(const char *line) {
        AuditLine got = {};
        Error error = {};
        if (audit_line_decode(line, strlen(line), &got, &error) < 0)
                fail_msg("%s: %s", error.text, line);
        return got.object;
}

static const char *text_of(json_t *object, const char *name) {
        return json_string_value(json_object_get(object, name));
}

static void test_encoding_is_as_documented(void **state) {
        (void) state;
        AuditRecord record = test_record();
        AuditHead head = { .seq = 41, .hash = { { 0xAB } } };
        cleanup_free char *line = test_encode(&record, &head);
        assert_string_equal(
                        line,
                        "{\"boot\":\"" TEST_BOOT "\",\"bt\":123456789,\"ev\":\"outcome\","
                        "\"gen\":{\"from\":3,\"to\":4},"
                        "\"keys\":[{\"a\":\"4096\",\"b\":\"128\",\"k\":\"net.core.somaxconn\",\"o\":\"set\",\"w\":\"4096\"},"
                        "{\"b\":\"32768\\t60999\",\"e\":22,\"k\":\"net.ipv4.ip_local_port_range\",\"o\":\"undone\","
                        "\"w\":\"1024\\t65000\"},{\"k\":\"net.ipv4.tcp_fin_timeout\"}],\"mirror\":1,"
                        "\"ns\":{\"cookie\":\"18446744073709551615\",\"ino\":\"4026531840\"},"
                        "\"prev\":\"ab00000000000000000000000000000000000000000000000000000000000000\","
                        "\"prof\":[\"hygiene@1111\",\"web@2222\"],\"res\":{\"exit\":0,\"outcome\":\"applied\"},"
                        "\"seq\":42,\"t\":\"2023-11-14T22:13:20.000001Z\",\"tq\":1,\"tx\":\"" TEST_TX
                        "\","
                        "\"txh\":\"0000000000000000000000000000000000000000000000000000000000000000\","
                        "\"v\":1,\"verb\":\"enable\",\"via\":\"socket\","
                        "\"who\":{\"auid\":1000,\"comm\":\"twprofile\",\"gid\":0,\"pid\":4242,\"ses\":\"unset\","
                        "\"src\":\"pidfd\",\"start\":987654,\"uid\":0,\"unit\":\"session-3.scope\"},"
                        "\"why\":\"CHG-17 \\\"für\\\" web\\\\1\"}");
        assert_int_equal(head.seq, 42);
}

static void test_chain_by_an_independent_hash(void **state) {
        (void) state;
        AuditRecord records[] = { test_open(), test_record(), test_record(), test_open() };
        records[1].event = AUDIT_INTENT;
        char expected[65];
        hash_hex("twprofile-audit-1:" TEST_LOG, strlen("twprofile-audit-1:" TEST_LOG), expected);

        AuditHead head = { .hash = { { 0x77 } } }; /* does not count before the first record */
        for (size_t i = 0; i < ELEMENTSOF(records); i++) {
                cleanup_free char *line = test_encode(&records[i], &head);
                json_auto_t *object = decode(line);
                assert_string_equal(text_of(object, "prev"), expected);
                assert_int_equal(json_integer_value(json_object_get(object, "seq")), i + 1);

                hash_hex(line, strlen(line), expected);
                char hex[SHA256_HEX_SIZE];
                sha256_to_hex(&head.hash, hex);
                assert_string_equal(hex, expected);
                assert_int_equal(head.seq, i + 1);
        }
}

static void test_lines_are_appended(void **state) {
        (void) state;
        AuditRecord open = test_open(), record = test_record();
        AuditHead head = {};
        CLEANUP(strbuf_deinit) StrBuf out = {};
        strbuf_add(&out, "before\n");
        assert_int_equal(audit_record_encode(&open, &head, &out, &head), 0);
        size_t second = out.length;
        assert_int_equal(audit_record_encode(&record, &head, &out, &head), 0);
        assert_non_null(startswith(out.data, "before\n{"));
        assert_memory_equal(out.data + second - 2, "}\n{", 3);
}

static void test_time(void **state) {
        (void) state;
        static const struct {
                int64_t us;
                const char *text;
        } rows[] = {
                { 0, "1970-01-01T00:00:00.000000Z" },
                { -1, "1970-01-01T00:00:00.000000Z" },
                { INT64_MIN, "1970-01-01T00:00:00.000000Z" },
                { 951782399999999, "2000-02-28T23:59:59.999999Z" },
                { 951782400000000, "2000-02-29T00:00:00.000000Z" },
                { 951868800000000, "2000-03-01T00:00:00.000000Z" },
                { 1709164800000000, "2024-02-29T00:00:00.000000Z" },
                { 1735689599000000, "2024-12-31T23:59:59.000000Z" },
                { 4107542399000000, "2100-02-28T23:59:59.000000Z" },
                { 4107542400000000, "2100-03-01T00:00:00.000000Z" },
                { 253402300799999999, "9999-12-31T23:59:59.999999Z" },
                { INT64_MAX, "9999-12-31T23:59:59.999999Z" },
        };
        TEST_EACH(row, rows) {
                AuditRecord record = test_open();
                record.time_us = row->us;
                AuditHead head = {};
                cleanup_free char *line = test_encode(&record, &head);
                json_auto_t *object = decode(line);
                assert_string_equal(text_of(object, "t"), row->text);
        }
}

/* Whoever calls chooses these bytes; they reach neither the line's structure nor the terminal. */
static void test_hostile_text_is_replaced(void **state) {
        (void) state;
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "a\nb", "a\xEF\xBF\xBD"
                          "b" },
                { "\x1B[31m", "\xEF\xBF\xBD[31m" },
                { "\xFF\xC3", "\xEF\xBF\xBD\xEF\xBF\xBD" },
                { "x\xE2\x80\xAEy", "x\xEF\xBF\xBDy" }, /* right-to-left override */
                { "\xC2\x85", "\xEF\xBF\xBD" },         /* NEL */
                { "\"},{\\", "\"},{\\" },
                { "\xD7\xA9 \xE4\xB8\xAD\t\xF0\x9F\x99\x82",
                  "\xD7\xA9 \xE4\xB8\xAD\t\xF0\x9F\x99\x82" },
        };
        TEST_EACH(row, rows) {
                AuditRecord record = test_record();
                AuditKey key = { "net.core.somaxconn", row->in, "1", row->in, "set", 0 };
                record.keys = &key;
                record.n_keys = 1;
                record.reason = row->in;
                (void) snprintf(record.caller.comm, sizeof(record.caller.comm), "%s", row->in);
                (void) snprintf(record.caller.unit, sizeof(record.caller.unit), "%s", row->in);
                AuditHead head = { .seq = 1 };
                cleanup_free char *line = test_encode(&record, &head);
                json_auto_t *object = decode(line);
                assert_string_equal(text_of(object, "why"), row->out);
                assert_string_equal(text_of(json_object_get(object, "who"), "comm"), row->out);
                assert_string_equal(text_of(json_object_get(object, "who"), "unit"), row->out);
                json_t *first = json_array_get(json_object_get(object, "keys"), 0);
                assert_string_equal(text_of(first, "b"), row->out);
                assert_string_equal(text_of(first, "a"), row->out);
        }
}

static void check_digest(json_t *object, const char *name, size_t n, const char *text) {
        char expected[65];
        hash_hex(text, strlen(text), expected);
        json_t *digest = json_object_get(object, name);
        assert_int_equal(json_integer_value(json_object_get(digest, "n")), n);
        assert_string_equal(text_of(digest, "sha256"), expected);
}

static void test_512_keys_become_a_digest(void **state) {
        (void) state;
        AuditKey keys[512];
        CLEANUP(strbuf_deinit) StrBuf array = {};
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                keys[i] = (AuditKey){ .key = "net.core.somaxconn",
                                      .before = "128",
                                      .wanted = "4096" };
                strbuf_add(&array, i ? "," : "[");
                strbuf_add(&array, "{\"b\":\"128\",\"k\":\"net.core.somaxconn\",\"w\":\"4096\"}");
        }
        strbuf_add(&array, "]");

        AuditRecord record = test_record();
        record.keys = keys;
        record.n_keys = ELEMENTSOF(keys);
        AuditHead head = { .seq = 1 };
        cleanup_free char *line = test_encode(&record, &head);
        json_auto_t *object = decode(line);
        assert_int_equal(json_integer_value(json_object_get(object, "cut")), 1);
        check_digest(object, "keys", 512, strbuf_text(&array));
        assert_int_equal(json_array_size(json_object_get(object, "prof")), 2);
        assert_string_equal(text_of(object, "why"), record.reason);
}

static void test_many_profiles_become_a_digest(void **state) {
        (void) state;
        const char *names[200];
        CLEANUP(strbuf_deinit) StrBuf array = {};
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                names[i] = "a-profile-with-a-name@0123456789";
                strbuf_addf(&array, "%s\"%s\"", i ? "," : "[", names[i]);
        }
        strbuf_add(&array, "]");

        AuditRecord record = test_record();
        record.profiles = names;
        record.n_profiles = ELEMENTSOF(names);
        AuditHead head = { .seq = 1 };
        cleanup_free char *line = test_encode(&record, &head);
        json_auto_t *object = decode(line);
        check_digest(object, "prof", 200, strbuf_text(&array));
        assert_true(json_is_object(json_object_get(object, "keys"))); /* went first */
}

/* At every length around the limit: the line fits, is used up to the last bytes, and ends between characters. */
static void test_reason_is_cut_between_characters(void **state) {
        (void) state;
        static const char *const units[] = { "x", "ü", "中", "\xF0\x9F\x99\x82", "\"", "a\"ü中" };
        TEST_EACH(unit, units) {
                for (size_t n = 2500; n < 4200; n += 89) {
                        CLEANUP(strbuf_deinit) StrBuf reason = {};
                        while (reason.length < n)
                                strbuf_add(&reason, *unit);
                        AuditRecord record = test_record();
                        record.n_keys = 0;
                        record.n_profiles = 0;
                        record.reason = strbuf_text(&reason);
                        AuditHead head = { .seq = 1 };
                        cleanup_free char *line = test_encode(&record, &head);
                        json_auto_t *object = decode(line);
                        const char *why = text_of(object, "why");
                        assert_non_null(startswith(record.reason, why));
                        bool cut = json_object_get(object, "cut") != NULL;
                        assert_int_equal(cut, !streq(record.reason, why));
                        if (cut) /* a character takes at most 4 bytes; 8 more for a mark that stood there */
                                assert_in_range(strlen(line), AUDIT_LINE_MAX - 1 - 4 - 9,
                                                AUDIT_LINE_MAX - 1);
                }
        }
}

static void test_everything_too_long_at_once(void **state) {
        (void) state;
        char reason[9000], profile[5000];
        memset(reason, 'r', sizeof(reason));
        memset(profile, 'p', sizeof(profile));
        reason[sizeof(reason) - 1] = profile[sizeof(profile) - 1] = '\0';
        const char *names[] = { profile };
        AuditRecord record = test_record();
        record.reason = reason;
        record.profiles = names;
        record.n_profiles = 1;
        AuditHead head = { .seq = 1 };
        cleanup_free char *line = test_encode(&record, &head);
        json_auto_t *object = decode(line);
        assert_true(json_is_object(json_object_get(object, "keys")));
        assert_true(json_is_object(json_object_get(object, "prof")));
        assert_true(strlen(text_of(object, "why")) > 2000);
}

/* What the gate saw is cut after the reason. */
static void test_evidence_is_cut_last(void **state) {
        (void) state;
        for (size_t n = 100; n < 5000; n += 700) {
                char reason[1025], evidence[5000];
                memset(reason, 'r', sizeof(reason));
                memset(evidence, 'e', sizeof(evidence));
                reason[sizeof(reason) - 1] = evidence[n - 1] = '\0';
                AuditRecord record = test_record();
                record.reason = reason;
                record.cause = "gate";
                record.evidence = evidence;
                record.n_keys = 0;
                AuditHead head = { .seq = 1 };
                cleanup_free char *line = test_encode(&record, &head);
                json_auto_t *object = decode(line);
                size_t why = strlen(text_of(object, "why"));
                size_t saw = strlen(text_of(object, "evidence"));
                assert_true(saw == n - 1 || why == 0);
                assert_int_equal(
                                json_object_get(object, "cut") != NULL,
                                saw < n - 1 || why < sizeof(reason) - 1);
        }
}

static void test_what_cannot_be_cut(void **state) {
        (void) state;
        char verb[5000];
        memset(verb, 'v', sizeof(verb));
        verb[sizeof(verb) - 1] = '\0';
        for (int with_reason = 0; with_reason < 2; with_reason++) {
                AuditRecord record = test_record();
                record.verb = verb;
                record.reason = with_reason ? "why" : NULL;
                AuditHead head = { .seq = 1 }, next = head;
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(audit_record_encode(&record, &head, &out, &next), -EMSGSIZE);
                assert_int_equal(out.length, 0);
                assert_int_equal(next.seq, 1);
        }
}

static int encode_record(const void *record, StrBuf *out) {
        AuditHead head = { .seq = 1 }, next = head;
        int r = audit_record_encode(record, &head, out, &next);
        assert_int_equal(next.seq, r == 0 ? 2 : 1);
        return r;
}

static void test_out_of_memory(void **state) {
        (void) state;
        AuditKey many[8];
        for (size_t i = 0; i < ELEMENTSOF(many); i++)
                many[i] = test_keys[i % ELEMENTSOF(test_keys)];

        for (int shape = 0; shape < 6; shape++) {
                AuditRecord record = test_record();
                char reason[5000];
                memset(reason, 'r', sizeof(reason));
                reason[sizeof(reason) - 1] = '\0';
                if (shape == 1) {
                        record.keys = many;
                        record.n_keys = ELEMENTSOF(many);
                        record.reason = reason;
                } else if (shape == 2) {
                        record.event = AUDIT_TORN;
                } else if (shape > 2) {
                        record.event = shape == 3   ? AUDIT_ROTATE
                                       : shape == 4 ? AUDIT_PRUNE
                                                    : AUDIT_DEGRADED;
                        record.cause = record.evidence = "gate";
                        record.has_window = record.late = record.same_session = true;
                        record.count = 1;
                }
                assert_true(test_write_without_memory(encode_record, &record) > 20);
        }

        AuditRecord record = test_record();
        AuditHead head = { .seq = 1 };
        StrBuf failed = { .failed = true };
        assert_int_equal(audit_record_encode(&record, &head, &failed, &head), -ENOMEM);
        assert_int_equal(head.seq, 1);
}

TEST_MAIN(cmocka_unit_test(test_encoding_is_as_documented),
          cmocka_unit_test(test_chain_by_an_independent_hash),
          cmocka_unit_test(test_lines_are_appended), cmocka_unit_test(test_time),
          cmocka_unit_test(test_hostile_text_is_replaced),
          cmocka_unit_test(test_512_keys_become_a_digest),
          cmocka_unit_test(test_many_profiles_become_a_digest),
          cmocka_unit_test(test_reason_is_cut_between_characters),
          cmocka_unit_test(test_everything_too_long_at_once),
          cmocka_unit_test(test_evidence_is_cut_last), cmocka_unit_test(test_what_cannot_be_cut),
          cmocka_unit_test(test_out_of_memory))

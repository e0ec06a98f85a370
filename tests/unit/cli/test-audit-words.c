/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-words.h"

#include "test.h"

static void check_who(const char *text, const char *want) {
        json_t *record = json_loads(text, 0, NULL);
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_non_null(record);
        audit_words_add_who(record, &out);
        assert_string_equal(strbuf_text(&out), want);
        json_decref(record);
}

static void test_who(void **state UNUSED) {
        check_who("{\"who\":{\"uid\":0,\"auid\":\"unset\"}}", "root");
        check_who("{\"who\":{\"uid\":0,\"auid\":0}}", "root");
        check_who("{\"who\":{\"uid\":0,\"auid\":4000000001}}", "uid 4000000001 as root");
        check_who("{\"via\":\"boot\"}", "boot");
        check_who("{}", "?");
}

static void check_profiles(const char *text, const char *want) {
        json_t *record = json_loads(text, 0, NULL);
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_non_null(record);
        audit_words_add_profiles(record, &out);
        assert_string_equal(strbuf_text(&out), want);
        json_decref(record);
}

static void test_profiles(void **state UNUSED) {
        check_profiles("{\"prof\":[\"base@00\",\"web@11\"]}", "base, web");
        check_profiles("{\"prof\":[]}", "");
        check_profiles("{}", "");
        check_profiles("{\"prof\":{\"n\":70,\"sha256\":\"x\"}}", "(70 profiles)");
}

static void test_outcome(void **state UNUSED) {
        json_t *record = json_loads("{\"res\":{\"outcome\":\"applied\"}}", 0, NULL);
        json_t *bare = json_object();
        assert_string_equal(audit_words_outcome(record, AUDIT_OUTCOME), "applied");
        assert_string_equal(audit_words_outcome(bare, AUDIT_PRUNE), "prune");
        json_decref(record);
        json_decref(bare);
}

static void test_told(void **state UNUSED) {
        static const AuditEvent kept[] = { AUDIT_OPEN, AUDIT_INTENT, AUDIT_ROTATE };
        for (AuditEvent event = 0; event < AUDIT_EVENTS; event++) {
                bool is_kept = false;
                for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                        is_kept |= kept[i] == event;
                assert_int_equal(audit_words_is_told(event), !is_kept);
        }
}

TEST_MAIN(cmocka_unit_test(test_who), cmocka_unit_test(test_profiles),
          cmocka_unit_test(test_outcome), cmocka_unit_test(test_told))

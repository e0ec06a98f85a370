/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/strict-json.h"

#include "fixture.h"

static const char *text;
static Sha256 hash;
static uint64_t number;
static int64_t integer;
static bool truth;
static json_t *value;

/* One member `m` of each kind, right and wrong. */
static void test_read_kinds(void **state) {
        (void) state;
        static const struct {
                StrictKind kind;
                bool good;
                const char *json;
                void *ret;
        } rows[] = {
                { STRICT_TEXT, true, "\"a\\tb ü\"", &text },
                { STRICT_TEXT, true, "\"\"", &text },
                { STRICT_TEXT, true, "\"12345678\"", &text },
                { STRICT_TEXT, false, "\"123456789\"", &text },
                { STRICT_TEXT, false, "\"a\\nb\"", &text },
                { STRICT_TEXT, false, "\"\\u007f\"", &text },
                { STRICT_TEXT, false, "\"\\u0085\"", &text },
                { STRICT_TEXT, false, "\"\\u202e\"", &text },
                { STRICT_TEXT, false, "7", &text },
                { STRICT_BYTES, true, "\"a\\nb\"", &text },
                { STRICT_BYTES, false, "\"123456789\"", &text },
                { STRICT_BYTES, false, "null", &text },
                { STRICT_WORD, true, "\"a-b9\"", &text },
                { STRICT_WORD, false, "\"\"", &text },
                { STRICT_WORD, false, "\"9a\"", &text },
                { STRICT_WORD, false, "\"-a\"", &text },
                { STRICT_WORD, false, "\"a_b\"", &text },
                { STRICT_WORD, false, "\"aaaaaaaaa\"", &text },
                { STRICT_UUID, true, "\"" TEST_TX "\"", &text },
                { STRICT_UUID, false, "\"" TEST_TX "0\"", &text },
                { STRICT_UUID, false, "\"0f2c5a1e\"", &text },
                { STRICT_UUID, false, "\"0f2c5a1e-7b1d-4c8e-9a54-3f0b6d2e8c1g\"", &text },
                { STRICT_UUID, false, "\"0f2c5a1e07b1d-4c8e-9a54-3f0b6d2e8c11\"", &text },
                { STRICT_UUID, false, "\"\"", &text },
                { STRICT_SHA256, true,
                  "\""
                  "7587669ca42e19e8a9aa89df1c2d901970d2966ddddfc30b86120f3c933a9f5e"
                  "\"",
                  &hash },
                { STRICT_SHA256, false, "\"75\"", &hash },
                { STRICT_SHA256, false, "75", &hash },
                { STRICT_NUMBER, true, "0", &number },
                { STRICT_NUMBER, true, "9223372036854775807", &number },
                { STRICT_NUMBER, false, "-1", &number },
                { STRICT_NUMBER, false, "1.0", &number },
                { STRICT_NUMBER, false, "\"1\"", &number },
                { STRICT_INTEGER, true, "-9223372036854775808", &integer },
                { STRICT_INTEGER, false, "true", &integer },
                { STRICT_U64, true, "\"18446744073709551615\"", &number },
                { STRICT_U64, false, "\"18446744073709551616\"", &number },
                { STRICT_U64, false, "\"01\"", &number },
                { STRICT_U64, false, "1", &number },
                { STRICT_BOOL, true, "true", &truth },
                { STRICT_BOOL, false, "1", &truth },
                { STRICT_FLAG, true, "1", &truth },
                { STRICT_FLAG, true, "0", &truth },
                { STRICT_FLAG, false, "2", &truth },
                { STRICT_FLAG, false, "-1", &truth },
                { STRICT_FLAG, false, "false", &truth },
                { STRICT_OBJECT, true, "{}", &value },
                { STRICT_OBJECT, false, "[]", &value },
                { STRICT_ARRAY, true, "[1,2,3,4,5,6,7,8]", &value },
                { STRICT_ARRAY, false, "[1,2,3,4,5,6,7,8,9]", &value },
                { STRICT_ARRAY, false, "{}", &value },
                { STRICT_ANY, true, "null", &value },
        };
        TEST_EACH(row, rows) {
                char document[256];
                int n = snprintf(document, sizeof(document), "{\"m\":%s}", row->json);
                json_auto_t *object = NULL;
                assert_int_equal(strict_json_parse(document, (size_t) n, 256, &object, NULL), 0);

                /* with a place for the result, and checked only */
                for (int i = 0; i < 2; i++) {
                        StrictField field = { .name = "m",
                                              .kind = row->kind,
                                              .max = 8,
                                              .ret = i == 0 ? row->ret : NULL };
                        Error error = {};
                        assert_int_equal(
                                        strict_json_read(object, &field, 1, &error),
                                        row->good ? 0 : -EBADMSG);
                        if (!row->good)
                                test_error_says(&error, "member 'm' is not ");
                }
        }
}

static void test_read_gives_the_values(void **state) {
        (void) state;
        static const char document[] =
                        "{\"a\":\"x\",\"b\":7,\"c\":-7,\"d\":\"18446744073709551615\","
                        "\"e\":true,\"f\":1,\"g\":[1],"
                        "\"h\":\"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\"}";
        bool flag = false, has_a = false, has_z = true;
        uint64_t large = 0;
        const StrictField fields[] = {
                { .name = "a", .kind = STRICT_WORD, .max = 1, .ret = &text, .ret_present = &has_a },
                { .name = "b", .kind = STRICT_NUMBER, .ret = &number },
                { .name = "c", .kind = STRICT_INTEGER, .ret = &integer },
                { .name = "d", .kind = STRICT_U64, .ret = &large },
                { .name = "e", .kind = STRICT_BOOL, .ret = &truth },
                { .name = "f", .kind = STRICT_FLAG, .ret = &flag },
                { .name = "g", .kind = STRICT_ARRAY, .max = 1, .ret = &value },
                { .name = "h", .kind = STRICT_SHA256, .ret = &hash },
                { .name = "z", .kind = STRICT_BOOL, .optional = true, .ret_present = &has_z },
        };
        json_auto_t *object = NULL;
        assert_int_equal(strict_json_parse(document, strlen(document), 512, &object, NULL), 0);
        assert_int_equal(strict_json_read(object, fields, ELEMENTSOF(fields), NULL), 0);
        assert_string_equal(text, "x");
        assert_int_equal(number, 7);
        assert_int_equal(integer, -7);
        assert_true(large == UINT64_MAX);
        assert_true(truth && flag && has_a && !has_z);
        assert_int_equal(json_array_size(value), 1);
        assert_int_equal(hash.bytes[0], 1);
        assert_int_equal(hash.bytes[31], 32);
}

static int check_even(json_t *member, Error *reterr) {
        if (json_integer_value(member) % 2 == 0)
                return 0;
        return error_set(reterr, -EBADMSG, "odd");
}

static void test_read_members(void **state) {
        (void) state;
        static const StrictField fields[] = {
                { .name = "must", .kind = STRICT_NUMBER, .check = check_even },
                { .name = "may", .kind = STRICT_NUMBER, .optional = true },
        };
        static const struct {
                const char *document, *says; /* NULL: taken */
        } rows[] = {
                { "{\"must\":2}", NULL },
                { "{\"may\":1,\"must\":2}", NULL },
                { "{\"must\":3}", "member 'must': odd" },
                { "{\"may\":1}", "no member 'must'" },
                { "{\"must\":2,\"other\":1}", "unknown member 'other'" },
                { "{\"must\":2,\"\\u001b[2J\":1}", "unknown member: " },
                { "{\"must\":2,\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg\":1}",
                  "unknown member: " },
        };
        TEST_EACH(row, rows) {
                json_auto_t *object = NULL;
                Error error = {};
                assert_int_equal(
                                strict_json_parse(
                                                row->document, strlen(row->document), 512, &object,
                                                NULL),
                                0);
                int r = strict_json_read(object, fields, ELEMENTSOF(fields), &error);
                assert_int_equal(r, row->says ? -EBADMSG : 0);
                if (row->says)
                        test_error_says(&error, row->says);
        }
        json_auto_t *array = json_array();
        assert_int_equal(strict_json_read(array, fields, ELEMENTSOF(fields), NULL), -EBADMSG);
}

static void test_parse(void **state) {
        (void) state;
        static const struct {
                const char *document, *says; /* NULL: taken */
        } rows[] = {
                { "{}", NULL },
                { " {\"a\":[[[[[[[]]]]]]]}\n", NULL },
                { "{\"a\":[[[[[[[[]]]]]]]]}", "more than 8 levels" },
                { "{\"a\":\"[[[[[[[[[[[[\\\"[[[\"}", NULL },
                { "]]]]{}", "not valid JSON" },
                { "{\"a\":1,\"a\":1}", "a member is given twice at byte " },
                { "{\"a\":{\"b\":1,\"b\":2}}", "a member is given twice" },
                { "{\"a\":1e999}", "not valid JSON" },
                { "{\"a\":\"\\ud800\"}", "not valid JSON" },
                { "{\"a\":\"\\", "not valid JSON" },
                { "{'a':1}", "not valid JSON" },
                { "{\"a\":1}{", "not valid JSON" },
                { "{\"a\":1,}", "not valid JSON" },
                { "7", "not valid JSON" },
                { "[1]", "not a JSON object" },
                { "{\"0123456789012345678901234567890123456789\":1}",
                  "46 bytes are more than the 40 allowed" },
        };
        TEST_EACH(row, rows) {
                json_auto_t *object = NULL;
                Error error = {};
                int r = strict_json_parse(
                                row->document, strlen(row->document), 40, &object, &error);
                assert_int_equal(r, row->says ? -EBADMSG : 0);
                assert_int_equal(object != NULL, row->says == NULL);
                if (row->says)
                        test_error_says(&error, row->says);
        }
}

static void test_parse_out_of_memory(void **state) {
        (void) state;
        static const char document[] = "{\"a\":{\"b\":1}}";
        /* The first allocations: jansson calls their end no error at all, or one of syntax. */
        for (unsigned n_allowed = 0; n_allowed < 6; n_allowed++) {
                json_t *object = NULL;
                test_jansson_allow(n_allowed);
                int r = strict_json_parse(document, sizeof(document) - 1, 99, &object, NULL);
                test_jansson_allow_all();
                assert_int_equal(r, -ENOMEM);
                assert_null(object);
        }
}

static void test_version(void **state) {
        (void) state;
        static const struct {
                const char *document;
                int r;
        } rows[] = {
                { "{\"v\":1}", 0 },        { "{\"v\":3}", 0 },         { "{\"v\":4}", -EBADMSG },
                { "{\"v\":0}", -EBADMSG }, { "{\"v\":-1}", -EBADMSG }, { "{\"v\":true}", -EBADMSG },
                { "{}", -EBADMSG },
        };
        TEST_EACH(row, rows) {
                json_auto_t *object = NULL;
                assert_int_equal(
                                strict_json_parse(
                                                row->document, strlen(row->document), 99, &object,
                                                NULL),
                                0);
                assert_int_equal(strict_json_check_version(object, 3, NULL), row->r);
        }
}

static void test_values(void **state) {
        (void) state;
        json_auto_t *object = json_pack(
                        "{s:o, s:o, s:o, s:o}", "z", strict_json_u64(UINT64_MAX), "y",
                        strict_json_number(INT64_MAX), "x", strict_json_text("\x01\xE4\xB8"), "a",
                        strict_json_sha256(&(Sha256){ { 0x12 } }));
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(strict_json_render(object, &out), 0);
        assert_string_equal(
                        strbuf_text(&out),
                        "{\"a\":\"1200000000000000000000000000000000000000000000000000000000000000\","
                        "\"x\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\",\"y\":9223372036854775807,"
                        "\"z\":\"18446744073709551615\"}");
}

static void test_set_if(void **state UNUSED) {
        json_auto_t *object = json_object();
        assert_int_equal(strict_json_set_if(object, "a", true, json_integer(1)), 0);
        assert_int_equal(strict_json_set_if(object, "b", false, json_integer(2)), 0);
        assert_int_equal(strict_json_set_if(object, "c", false, NULL), 0);
        assert_int_equal(strict_json_set_if(object, "d", true, NULL), -ENOMEM);
        assert_int_equal(strict_json_set_if(NULL, "e", true, json_integer(5)), -ENOMEM);
        assert_int_equal(strict_json_set_if(NULL, "f", false, NULL), -ENOMEM);
        assert_int_equal(json_object_size(object), 1);
        assert_int_equal(json_integer_value(json_object_get(object, "a")), 1);
}

TEST_MAIN(cmocka_unit_test(test_set_if), cmocka_unit_test(test_read_kinds),
          cmocka_unit_test(test_read_gives_the_values), cmocka_unit_test(test_read_members),
          cmocka_unit_test(test_parse), cmocka_unit_test(test_parse_out_of_memory),
          cmocka_unit_test(test_version), cmocka_unit_test(test_values))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/generation-format.h"

#include "fixture.h"

static char *encode(const Generation *generation) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(generation_encode(generation, &out), 0);
        return test_text_of(&out);
}

static void refused(const char *text, const char *says) {
        Error error = {};
        Generation *got = NULL;
        int r = generation_decode(text, strlen(text), &got, &error);
        if (r != -EBADMSG)
                fail_msg("%d for %s", r, text);
        assert_null(got);
        test_error_says(&error, says);
}

static void test_round_trip(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        cleanup_free char *text = encode(generation);

        CLEANUP(generation_freep) Generation *got = NULL;
        Error error = {};
        assert_int_equal(generation_decode(text, strlen(text), &got, &error), 0);
        test_generations_equal(generation, got);

        cleanup_free char *again = encode(got);
        assert_string_equal(text, again);
}

static void test_encoding_is_as_documented(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        generation->n_keys = 1;
        cleanup_free char *text = encode(generation);
        assert_string_equal(
                        text,
                        "{\"created_us\":1700000000000001,"
                        "\"fragment\":\"7587669ca42e19e8a9aa89df1c2d901970d2966ddddfc30b86120f3c933a9f5e\","
                        "\"keys\":[{\"key\":\"net.core.somaxconn\",\"origin\":\"128\",\"pending\":false,"
                        "\"profile\":\"web\",\"value\":\"4096\"}],\"number\":7,\"parent\":5,"
                        "\"profiles\":[{\"digest\":\"4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2\","
                        "\"files\":[{\"name\":\"web\",\"path\":\"/etc/twprofile/profiles/web.yaml\","
                        "\"text\":\"version: 1\\n\"},{\"name\":\"base\","
                        "\"path\":\"/usr/share/twprofile/profiles/base.yaml\","
                        "\"text\":\"version: 1\\nname: base\\n# quote \\\" and \\\\ and ü\\t\\n\"}],"
                        "\"name\":\"web\"}],\"tx\":\"" TEST_TX "\",\"v\":1}");
}

static void test_round_trip_of_nothing_enabled(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = generation_new();
        assert_non_null(generation);
        generation->number = 1;
        cleanup_free char *text = encode(generation);
        assert_string_equal(
                        text,
                        "{\"created_us\":0,\"keys\":[],\"number\":1,\"parent\":0,\"profiles\":[],\"v\":1}");

        CLEANUP(generation_freep) Generation *got = NULL;
        assert_int_equal(generation_decode(text, strlen(text), &got, NULL), 0);
        test_generations_equal(generation, got);
}

static void test_a_megabyte_of_text(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *small = test_generation(/* extra= */ 0);
        size_t other = small->profiles[0].files[0].length + small->profiles[0].files[1].length;

        /* exactly the limit, and one more */
        for (size_t more = 0; more < 2; more++) {
                CLEANUP(generation_freep) Generation *generation = test_generation(
                                GENERATION_MAX_BYTES - other + more);
                cleanup_free char *text = encode(generation);
                if (more > 0) {
                        refused(text, "more than 1048576 bytes of text");
                        continue;
                }
                CLEANUP(generation_freep) Generation *got = NULL;
                assert_int_equal(generation_decode(text, strlen(text), &got, NULL), 0);
                test_generations_equal(generation, got);
        }
}

static void test_encode_refuses_what_no_reader_lets_in(void **state) {
        (void) state;
        static const struct {
                const char *bytes;
                size_t length;
        } rows[] = { { "a\xFF", 2 }, { "a\0b", 3 }, { "\xED\xA0\x80", 3 } };
        TEST_EACH(row, rows) {
                CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
                GenerationFile file = { "web", "/x", row->bytes, row->length };
                GenerationProfile profile = { .name = "web", .files = &file, .n_files = 1 };
                generation->profiles = &profile;
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(generation_encode(generation, &out), -EINVAL);
                assert_int_equal(out.length, 0);
        }
}

/* A path is shown only; a strange one must not make the state unreadable. */
static void test_path_is_cleaned(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        GenerationFile file = { "web", "/etc/\xFF\n\xE2\x80\xAE/web.yaml", "x", 1 };
        GenerationProfile profile = { .name = "web", .files = &file, .n_files = 1 };
        generation->profiles = &profile;
        cleanup_free char *text = encode(generation);

        CLEANUP(generation_freep) Generation *got = NULL;
        assert_int_equal(generation_decode(text, strlen(text), &got, NULL), 0);
        assert_string_equal(
                        got->profiles[0].files[0].path,
                        "/etc/\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD/web.yaml");
}

static void test_decode_refuses(void **state) {
        (void) state;
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "\"v\":1", "\"v\":2",
                  "written by a newer version of this program (format 2, known up to 1)" },
                { "\"v\":1", "\"v\":0", "no format version" },
                { "\"v\":1", "\"v\":\"1\"", "no format version" },
                { ",\"v\":1", "", "no format version" },
                { "\"v\":1", "\"v\":1,\"extra\":1", "unknown member 'extra'" },
                { "\"v\":1", "\"v\":1,\"\\u001b[31m\":1", "unknown member:" },
                { "\"v\":1", "\"v\":1,\"v\":1", "given twice" },
                { "\"number\":7", "\"number\":0", "start at 1" },
                { "\"number\":7", "\"number\":-7", "'number' is not an integer from 0" },
                { "\"number\":7", "\"number\":7.0", "'number' is not an integer from 0" },
                { "\"number\":7", "\"number\":99999999999999999999", "not valid JSON" },
                { "\"number\":7", "\"number\":null", "'number' is not" },
                { "\"parent\":5", "\"parent\":7", "parent 7 is not older" },
                { "\"parent\":5,", "", "no member 'parent'" },
                { "\"created_us\":1", "\"created_us\":1e3,\"x\":1",
                  "'created_us' is not an integer" },
                { TEST_TX, "0F2C5A1E-7b1d-4c8e-9a54-3f0b6d2e8c11", "'tx' is not a UUID" },
                { TEST_TX, "../../etc/passwd", "'tx' is not a UUID" },
                { "\"fragment\":\"75", "\"fragment\":\"G2", "'fragment' is not a SHA-256" },
                { "\"fragment\":\"75", "\"fragment\":\"", "'fragment' is not a SHA-256" },
                { "\"digest\":\"4", "\"digest\":\"48", "profile 0: member 'digest' is not" },
                { "\"name\":\"web\",\"path", "\"name\":\"web2\",\"path",
                  "first file is not the profile" },
                { "\"name\":\"base\"", "\"name\":\"../base\"",
                  "file 1: not the name of a profile" },
                { "\"name\":\"base\"", "\"nome\":\"base\"", "file 1: no member 'name'" },
                { "\"text\":\"version", "\"text\":\"\\u0000version", "not valid JSON" },
                { "\"text\":\"version", "\"text\":\"\xC0\x80version", "not valid JSON" },
                { "\"path\":\"/etc", "\"path\":\"\\n/etc", "'path' is not a text without control" },
                { "\"profile\":\"web\"", "\"profile\":\"gone\"", "of a profile that is not there" },
                { "\"profile\":\"web\"", "\"profile\":7", "'profile' is not a text" },
                { "\"pending\":false", "\"pending\":0", "'pending' is not true or false" },
                { "net.core.somaxconn", "net.core.somaxcom", "key 'net.core.somaxcom' is not in" },
                { "net.core.somaxconn", "net core", "not the name of a key" },
                { "net.core.somaxconn", "net.ipv4.tcp_fin_timeout", "keys are not sorted" },
                { "net.core.somaxconn", "net.ipv4.ip_local_port_range", "not of its type" },
                { "\"value\":\"4096\"", "\"value\":\"many\"",
                  "value of 'net.core.somaxconn' is not" },
                { "\"origin\":\"128\"", "\"origin\":\"few\"",
                  "value of 'net.core.somaxconn' is not" },
                { "\"keys\":[{", "\"keys\":[7,{", "key 0: not a JSON object" },
                { "\"keys\":[{", "\"keys\":{\"a\":[{", "not valid JSON" },
                { "\"files\":[", "\"files\":[[[[[[[[[[", "more than 8 levels" },
        };
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        cleanup_free char *text = encode(generation);
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(text, row->from, row->to);
                refused(bad, row->says);
        }
}

static void test_decode_refuses_other_documents(void **state) {
        (void) state;
        static const struct {
                const char *text, *says;
        } rows[] = {
                { "", "not valid JSON" },
                { "[]", "not a JSON object" },
                { "{}", "no format version" },
                { "{\"v\":1}", "no member 'number'" },
                { "{\"v\":1} x", "not valid JSON" },
                { "{\"created_us\":0,\"keys\":[],\"number\":1,\"parent\":0,\"profiles\":[],\"v\":1}\n{",
                  "not valid" },
                { "{\"created_us\":0,\"fragment\":\"7587669ca42e19e8a9aa89df1c2d901970d2966ddddfc30b86120f3c933a9f5e\","
                  "\"keys\":[],\"number\":1,\"parent\":0,\"profiles\":[],\"v\":1}",
                  "but no profile" },
                { "{\"created_us\":0,\"keys\":[{}],\"number\":1,\"parent\":0,\"profiles\":[],\"v\":1}",
                  "but no profile" },
        };
        TEST_EACH(row, rows)
                refused(row->text, row->says);
}

/* Two profiles in the wrong order, and one twice. */
static void test_decode_refuses_unsorted_profiles(void **state) {
        (void) state;
        static const char *const names[] = { "web", "wea" };
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        TEST_EACH(name, names) {
                GenerationFile file = { *name, "/x", "x", 1 };
                GenerationProfile profiles[] = { generation->profiles[0],
                                                 { .name = *name, .files = &file, .n_files = 1 } };
                Generation two = *generation;
                two.profiles = profiles;
                two.n_profiles = 2;
                cleanup_free char *text = encode(&two);
                refused(text, "profiles are not sorted");
        }
}

/* No byte of the text can do harm; what is still accepted is a generation that encodes again. */
static void test_decode_every_byte_changed(void **state) {
        (void) state;
        static const unsigned char masks[] = { 0x01, 0x04, 0x10, 0x80 };
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        cleanup_free char *text = encode(generation);
        size_t n = strlen(text), accepted = 0;

        for (size_t i = 0; i < n * ELEMENTSOF(masks); i++) {
                char *byte = &text[i / ELEMENTSOF(masks)], old = *byte;
                *byte = (char) (old ^ masks[i % ELEMENTSOF(masks)]);
                CLEANUP(generation_freep) Generation *got = NULL;
                int r = generation_decode(text, n, &got, NULL);
                assert_true(r == 0 || r == -EBADMSG);
                if (r == 0) {
                        accepted++;
                        cleanup_free char *again = encode(got);
                        assert_non_null(again);
                }
                *byte = old;
                assert_true(r < 0 || got != NULL);
        }
        assert_true(accepted > 0 && accepted < n * ELEMENTSOF(masks) / 2);
}

static int encode_anew(const void *generation, StrBuf *out) {
        return generation_encode(generation, out);
}

/* The encoder only: jansson 2.14's reader ends the program itself when it cannot put a character back. */
static void test_encode_out_of_memory(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        assert_true(test_write_without_memory(encode_anew, generation) > 50);
}

TEST_MAIN(cmocka_unit_test(test_round_trip), cmocka_unit_test(test_encoding_is_as_documented),
          cmocka_unit_test(test_round_trip_of_nothing_enabled),
          cmocka_unit_test(test_a_megabyte_of_text),
          cmocka_unit_test(test_encode_refuses_what_no_reader_lets_in),
          cmocka_unit_test(test_path_is_cleaned), cmocka_unit_test(test_decode_refuses),
          cmocka_unit_test(test_decode_refuses_other_documents),
          cmocka_unit_test(test_decode_refuses_unsorted_profiles),
          cmocka_unit_test(test_decode_every_byte_changed),
          cmocka_unit_test(test_encode_out_of_memory))

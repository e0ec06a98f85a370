/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/journal-payload.h"

#include "base/failing-memory.h"
#include "fixture.h"

static JournalFrame frame_of(JournalType type, const char *payload) {
        return (JournalFrame){
                .type = type, .tx = TEST_TX, .payload = payload, .payload_length = strlen(payload)
        };
}

static const JournalKey keys[] = {
        { "net.ipv4.ip_local_port_range", "32768\t60999", "1024\t65000" },
        { "net.ipv4.ip_local_reserved_ports", "", "8080" },
};

static const JournalPrepared prepared_sample = {
        .instance = TEST_INSTANCE,
        .verb = "enable",
        .from = 3,
        .to = 4,
        .audit_seq = 17,
        .keys = keys,
        .n_keys = ELEMENTSOF(keys),
};

static const char prepared_text[] =
                "{\"audit_seq\":17,\"from\":3,\"instance\":{\"boot\":\"" TEST_BOOT "\","
                "\"netns_cookie\":\"18446744073709551615\",\"netns_inode\":\"4026531840\"},"
                "\"keys\":[{\"b\":\"32768\\t60999\",\"k\":\"net.ipv4.ip_local_port_range\",\"w\":\"1024\\t65000\"},"
                "{\"b\":\"\",\"k\":\"net.ipv4.ip_local_reserved_ports\",\"w\":\"8080\"}],\"to\":4,\"verb\":\"enable\"}";

static void test_prepared_round_trip(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_prepared_encode(&prepared_sample, &out), 0);
        assert_string_equal(strbuf_text(&out), prepared_text);

        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalFrame frame = frame_of(JOURNAL_PREPARED, strbuf_text(&out));
        JournalPrepared got;
        assert_int_equal(journal_prepared_decode(&frame, arena, &got, NULL), 0);
        strbuf_deinit(&out); /* nothing borrows from the frame */
        assert_true(instance_equal(&got.instance, &prepared_sample.instance));
        assert_string_equal(got.verb, "enable");
        assert_int_equal(got.from, 3);
        assert_int_equal(got.to, 4);
        assert_int_equal(got.audit_seq, 17);
        assert_int_equal(got.n_keys, ELEMENTSOF(keys));
        for (size_t i = 0; i < got.n_keys; i++) {
                assert_string_equal(got.keys[i].key, keys[i].key);
                assert_string_equal(got.keys[i].before, keys[i].before);
                assert_string_equal(got.keys[i].want, keys[i].want);
        }
}

static void test_prepared_with_512_keys(void **state) {
        (void) state;
        JournalKey many[512];
        char names[512][40];
        for (size_t i = 0; i < ELEMENTSOF(many); i++) {
                (void) snprintf(names[i], sizeof(names[i]), "net.ipv4.conf.eth%zu.rp_filter", i);
                many[i] = (JournalKey){ names[i], "0", "1" };
        }
        JournalPrepared prepared = prepared_sample;
        prepared.keys = many;
        prepared.n_keys = ELEMENTSOF(many);

        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_prepared_encode(&prepared, &out), 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalFrame frame = frame_of(JOURNAL_PREPARED, strbuf_text(&out));
        JournalPrepared got;
        assert_int_equal(journal_prepared_decode(&frame, arena, &got, NULL), 0);
        assert_int_equal(got.n_keys, 512);
        for (size_t i = 0; i < got.n_keys; i++)
                assert_string_equal(got.keys[i].key, names[i]);
}

static void test_prepared_refuses(void **state) {
        (void) state;
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "{", "[", "frame prepared: not valid JSON" },
                { "\"from\":3", "\"from\":-3", "member 'from' is not" },
                { "\"to\":4", "\"to\":4.5", "member 'to' is not" },
                { "\"to\":4", "\"to\":4,\"then\":5", "unknown member 'then'" },
                { "\"to\":4", "\"to\":4,\"to\":5", "given twice" },
                { "\"verb\":\"enable\"", "\"verb\":\"Enable\"", "member 'verb' is not a word" },
                { "\"verb\":\"enable\"", "\"verb\":\"\"", "member 'verb' is not a word" },
                { TEST_BOOT, "x", "frame prepared: instance: member 'boot' is not a UUID" },
                { "18446744073709551615", "18446744073709551616",
                  "'netns_cookie' is not a decimal" },
                { "\"4026531840\"", "4026531840", "'netns_inode' is not a decimal" },
                { "\"keys\":[", "\"keys\":[[],", "key 0: not a JSON object" },
                { "\"k\":\"net.ipv4.ip_local_port_range\",", "", "key 0: no member 'k'" },
                { "\"w\":\"8080\"", "\"w\":\"80\\n80\"", "key 1: member 'w' is not a text" },
                { "\"w\":\"8080\"", "\"w\":\"80\\u202e80\"", "key 1: member 'w' is not a text" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                cleanup_free char *text = test_replace(prepared_text, row->from, row->to);
                JournalFrame frame = frame_of(JOURNAL_PREPARED, text);
                JournalPrepared got;
                Error error = {};
                assert_int_equal(journal_prepared_decode(&frame, arena, &got, &error), -EBADMSG);
                test_error_says(&error, row->says);
        }
}

static void test_prepared_refuses_too_many_keys(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf list = {};
        strbuf_add(&list, "\"keys\":[0");
        for (size_t i = 0; i < JOURNAL_MAX_KEYS; i++)
                strbuf_add(&list, ",0");
        strbuf_add(&list, ",");
        cleanup_free char *text = test_replace(prepared_text, "\"keys\":[", strbuf_text(&list));
        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalFrame frame = frame_of(JOURNAL_PREPARED, text);
        JournalPrepared got;
        Error error = {};
        assert_int_equal(journal_prepared_decode(&frame, arena, &got, &error), -EBADMSG);
        test_error_says(&error, "'keys' is not an array, or too long");
}

static void test_commit_round_trip(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 5000);
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_commit_encode(&(JournalCommit){ generation }, &out), 0);

        JournalFrame frame = frame_of(JOURNAL_COMMIT, strbuf_text(&out));
        CLEANUP(generation_freep) Generation *got = NULL;
        assert_int_equal(journal_commit_decode(&frame, &got, NULL), 0);
        test_generations_equal(generation, got);

        /* the same bytes as the generation's own file */
        CLEANUP(strbuf_deinit) StrBuf file = {};
        assert_int_equal(generation_encode(generation, &file), 0);
        assert_string_equal(strbuf_text(&file), strbuf_text(&out));
}

static void test_commit_refuses(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        generation->tx = TEST_TX_OTHER;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_commit_encode(&(JournalCommit){ generation }, &out), 0);

        Error error = {};
        Generation *got = NULL;
        JournalFrame frame = frame_of(JOURNAL_COMMIT, strbuf_text(&out));
        assert_int_equal(journal_commit_decode(&frame, &got, &error), -EBADMSG);
        test_error_says(&error, "generation 7 is of another transaction");

        frame = frame_of(JOURNAL_COMMIT, "{}");
        assert_int_equal(journal_commit_decode(&frame, &got, &error), -EBADMSG);
        test_error_says(&error, "frame commit: no format version");
        assert_null(got);
}

static void test_revert_round_trip(void **state) {
        (void) state;
        static const struct {
                JournalRevert revert;
                const char *text;
        } rows[] = {
                { { "write-failed", "net.core.somaxconn", EINVAL },
                  "{\"cause\":\"write-failed\",\"error\":22,\"key\":\"net.core.somaxconn\"}" },
                { { "died", NULL, 0 }, "{\"cause\":\"died\",\"error\":0}" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(journal_revert_encode(&row->revert, &out), 0);
                assert_string_equal(strbuf_text(&out), row->text);
                JournalFrame frame = frame_of(JOURNAL_REVERT, row->text);
                JournalRevert got;
                assert_int_equal(journal_revert_decode(&frame, arena, &got, NULL), 0);
                assert_string_equal(got.cause, row->revert.cause);
                assert_true(streq_null(got.key, row->revert.key));
                assert_int_equal(got.error, row->revert.error);
        }
}

static const JournalDone done_sample = { "reverted-with-conflicts", 4, 18, { { 0xAB, 0x01 } } };
#define DONE_HASH "ab01000000000000000000000000000000000000000000000000000000000000"
static const char done_text[] = "{\"audit_hash\":\"" DONE_HASH
                                "\",\"audit_seq\":18,\"generation\":4,"
                                "\"outcome\":\"reverted-with-conflicts\"}";

static void test_done_round_trip(void **state) {
        (void) state;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_done_encode(&done_sample, &out), 0);
        assert_string_equal(strbuf_text(&out), done_text);

        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalFrame frame = frame_of(JOURNAL_DONE, done_text);
        JournalDone got;
        assert_int_equal(journal_done_decode(&frame, arena, &got, NULL), 0);
        assert_string_equal(got.outcome, done_sample.outcome);
        assert_int_equal(got.generation, 4);
        assert_int_equal(got.audit_seq, 18);
        assert_memory_equal(&got.audit_hash, &done_sample.audit_hash, sizeof(got.audit_hash));
}

static void test_revert_and_done_refuse(void **state) {
        (void) state;
        static const struct {
                JournalType type;
                const char *text, *says;
        } rows[] = {
                { JOURNAL_REVERT, "", "frame revert: not valid JSON" },
                { JOURNAL_REVERT, "{}", "no member 'cause'" },
                { JOURNAL_REVERT, "{\"cause\":\"died\",\"error\":4096}", "'error' is no errno" },
                { JOURNAL_REVERT, "{\"cause\":\"died\",\"error\":-1}", "'error' is not" },
                { JOURNAL_REVERT, "{\"cause\":\"died\",\"error\":0,\"key\":null}", "'key' is not" },
                { JOURNAL_DONE, "{", "frame done: not valid JSON" },
                { JOURNAL_DONE, "{\"outcome\":\"applied\"}", "no member 'generation'" },
                { JOURNAL_DONE, "{\"outcome\":\"9\"}", "'outcome' is not a word" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                JournalFrame frame = frame_of(row->type, row->text);
                JournalRevert revert;
                JournalDone done;
                Error error = {};
                int r = row->type == JOURNAL_REVERT
                                        ? journal_revert_decode(&frame, arena, &revert, &error)
                                        : journal_done_decode(&frame, arena, &done, &error);
                assert_int_equal(r, -EBADMSG);
                test_error_says(&error, row->says);
        }
}

/* --- a change with a window ------------------------------------------------------------------------------ */

static const JournalProfile profiles[] = { { .name = "web" }, { .name = "db" } };

static JournalPrepared prepared_with_a_window(void) {
        JournalPrepared prepared = prepared_sample;
        prepared.has_window = true;
        prepared.window_s = 60;
        prepared.profiles = profiles;
        prepared.n_profiles = ELEMENTSOF(profiles);
        prepared.gate = "{\"rates\":[]}";
        return prepared;
}

static void test_prepared_with_a_window(void **state) {
        (void) state;
        JournalPrepared prepared = prepared_with_a_window();
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_prepared_encode(&prepared, &out), 0);

        CLEANUP(arena_freep) Arena *arena = arena_new();
        JournalFrame frame = frame_of(JOURNAL_PREPARED, strbuf_text(&out));
        JournalPrepared got;
        assert_int_equal(journal_prepared_decode(&frame, arena, &got, NULL), 0);
        assert_true(got.has_window);
        assert_int_equal(got.window_s, 60);
        assert_int_equal(got.n_profiles, 2);
        assert_string_equal(got.profiles[1].name, "db");
        assert_string_equal(got.gate, prepared.gate);

        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "\"s\":60", "\"s\":-1", "member 's'" },
                { "\"name\":\"db\"", "\"name\":7", "profile 1: member 'name'" },
                { "\"window\":{", "\"window\":{\"x\":1,", "unknown member 'x'" },
                { "\"gate\":\"", "\"gate\":7,\"y\":\"", "member 'gate'" },
        };
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(strbuf_text(&out), row->from, row->to);
                frame = frame_of(JOURNAL_PREPARED, bad);
                Error error = {};
                assert_int_equal(journal_prepared_decode(&frame, arena, &got, &error), -EBADMSG);
                test_error_says(&error, row->says);
        }
}

static JournalApplied applied_sample(const Generation *generation) {
        return (JournalApplied){
                .token = "0f2c5a1e-00112233445566778899aabbccddeeff",
                .deadline_ms = 60000,
                .request = sha256_of("request", 7),
                .auid = 1000,
                .session = -1,
                .has_fragment = true,
                .fragment = sha256_of("fragment", 8),
                .keys = keys,
                .n_keys = ELEMENTSOF(keys),
                .generation = generation,
        };
}

static void test_applied_round_trip(void **state) {
        (void) state;
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        for (int with = 0; with < 2; with++) {
                JournalApplied applied = applied_sample(generation);
                applied.has_fragment = with;
                CLEANUP(strbuf_deinit) StrBuf out = {};
                assert_int_equal(journal_applied_encode(&applied, &out), 0);

                JournalFrame frame = frame_of(JOURNAL_APPLIED, strbuf_text(&out));
                JournalApplied got;
                CLEANUP(generation_freep) Generation *whole = NULL;
                assert_int_equal(journal_applied_decode(&frame, arena, &got, &whole, NULL), 0);
                assert_string_equal(got.token, applied.token);
                assert_int_equal(got.deadline_ms, 60000);
                assert_true(sha256_equal(&got.request, &applied.request));
                assert_int_equal(got.auid, 1000);
                assert_int_equal(got.session, -1);
                assert_int_equal(got.has_fragment, with);
                assert_int_equal(got.n_keys, 2);
                assert_ptr_equal(got.generation, whole);
                assert_true(generation_same_content(whole, generation));
        }
}

static void test_applied_refuses(void **state) {
        (void) state;
        static const struct {
                const char *from, *to, *says;
        } rows[] = {
                { "\"auid\":1000", "\"auid\":\"x\"", "member 'by'" },
                { "\"deadline_ms\":60000", "\"deadline_ms\":-1", "below zero" },
                { "\"deadline_ms\":60000", "\"deadline_ms\":0.5", "'deadline_ms'" },
                { "\"tx\":\"" TEST_TX "\"", "\"tx\":\"" TEST_TX_OTHER "\"", "another transaction" },
                { "\"number\":7", "\"number\":0", "start at 1" },
                { "\"token\":\"", "\"token\":\"0123456789012345678901234567890123456789",
                  "'token'" },
                { "\"k\":\"net.ipv4.ip_local_port_range\"", "\"k\":1", "key 0" },
        };
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        JournalApplied applied = applied_sample(generation);
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(journal_applied_encode(&applied, &out), 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                cleanup_free char *bad = test_replace(strbuf_text(&out), row->from, row->to);
                JournalFrame frame = frame_of(JOURNAL_APPLIED, bad);
                JournalApplied got;
                Generation *whole = NULL;
                Error error = {};
                assert_int_equal(
                                journal_applied_decode(&frame, arena, &got, &whole, &error),
                                -EBADMSG);
                test_error_says(&error, row->says);
                assert_null(whole);
        }
}

static void test_instance_equal(void **state) {
        (void) state;
        Instance a = TEST_INSTANCE, b = a;
        assert_true(instance_equal(&a, &b));
        b.netns_cookie--;
        assert_false(instance_equal(&a, &b));
        b = a;
        b.netns_inode++;
        assert_false(instance_equal(&a, &b));
        b = a;
        b.boot_id[0] = 'd';
        assert_false(instance_equal(&a, &b));
}

static const JournalRevert revert_sample = { "gate", "net.core.somaxconn", EINVAL, "900/s now" };

static int encode_nth(size_t which, StrBuf *out) {
        JournalPrepared prepared = prepared_with_a_window();
        CLEANUP(generation_freep) Generation *generation = NULL;
        JournalApplied applied;
        switch (which) {
        case 0:
                return journal_prepared_encode(&prepared_sample, out);
        case 1:
                return journal_prepared_encode(&prepared, out);
        case 2:
                return journal_revert_encode(&revert_sample, out);
        case 3:
                return journal_done_encode(&done_sample, out);
        default:
                generation = test_generation(/* extra= */ 0);
                applied = applied_sample(generation);
                return journal_applied_encode(&applied, out);
        }
}

static int encode_which(const void *which, StrBuf *out) {
        return encode_nth(*(const size_t *) which, out);
}

static void test_encode_out_of_memory(void **state) {
        (void) state;
        for (size_t which = 0; which < 5; which++) {
                assert_true(test_write_without_memory(encode_which, &which) > 5);
                StrBuf failed = { .failed = true };
                assert_int_equal(encode_nth(which, &failed), -ENOMEM);
        }
}

/* What the frames of all types say, as text. */
typedef struct Frames {
        StrBuf prepared, revert, done, applied;
} Frames;

static void *encode_frames(void *data) {
        Frames *frames = data;
        *frames = (Frames){};
        assert_int_equal(encode_nth(1, &frames->prepared), 0);
        assert_int_equal(encode_nth(2, &frames->revert), 0);
        assert_int_equal(encode_nth(3, &frames->done), 0);
        assert_int_equal(encode_nth(4, &frames->applied), 0);
        return frames;
}

/* 0, or the first that is neither 0 nor -ENOMEM. */
static int decode_frames(const Frames *frames) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(generation_freep) Generation *generation = NULL;
        JournalFrame prepared = frame_of(JOURNAL_PREPARED, strbuf_text(&frames->prepared));
        JournalFrame revert = frame_of(JOURNAL_REVERT, strbuf_text(&frames->revert));
        JournalFrame done = frame_of(JOURNAL_DONE, strbuf_text(&frames->done));
        JournalFrame applied = frame_of(JOURNAL_APPLIED, strbuf_text(&frames->applied));
        if (!arena)
                return 0;
        const int answers[] = {
                journal_prepared_decode(&prepared, arena, &(JournalPrepared){}, NULL),
                journal_revert_decode(&revert, arena, &(JournalRevert){}, NULL),
                journal_done_decode(&done, arena, &(JournalDone){}, NULL),
                journal_applied_decode(&applied, arena, &(JournalApplied){}, &generation, NULL),
        };
        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                if (answers[i] != 0 && answers[i] != -ENOMEM)
                        return answers[i];
        return 0;
}

static void decode_without_memory(void *world, void *data UNUSED) {
        int r = decode_frames(world);
        failing_memory_disarm();
        assert_int_equal(r, 0);
}

static void forget_frames(void *world, void *data UNUSED) {
        Frames *frames = world;
        strbuf_deinit(&frames->prepared);
        strbuf_deinit(&frames->revert);
        strbuf_deinit(&frames->done);
        strbuf_deinit(&frames->applied);
}

/* Memory that runs out is never taken for a damaged journal. */
static void test_decode_out_of_memory(void **state UNUSED) {
        Frames frames;
        assert_true(failing_memory_everywhere(&(FailingMemoryTest){ encode_frames,
                                                                    decode_without_memory,
                                                                    forget_frames, &frames }) > 10);
}

TEST_MAIN(cmocka_unit_test(test_prepared_round_trip), cmocka_unit_test(test_prepared_with_512_keys),
          cmocka_unit_test(test_prepared_refuses),
          cmocka_unit_test(test_prepared_refuses_too_many_keys),
          cmocka_unit_test(test_commit_round_trip), cmocka_unit_test(test_commit_refuses),
          cmocka_unit_test(test_revert_round_trip), cmocka_unit_test(test_done_round_trip),
          cmocka_unit_test(test_revert_and_done_refuse),
          cmocka_unit_test(test_prepared_with_a_window), cmocka_unit_test(test_applied_round_trip),
          cmocka_unit_test(test_applied_refuses), cmocka_unit_test(test_instance_equal),
          cmocka_unit_test(test_encode_out_of_memory), cmocka_unit_test(test_decode_out_of_memory))

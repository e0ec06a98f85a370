/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/outcome.h"

#include "cli/command.h"
#include "test.h"

static int decode(const char *text, Arena *arena, DiagList *findings, Outcome *ret) {
        json_t *result = json_loads(text, 0, NULL);
        assert_non_null(result);
        Error error = {};
        int r = outcome_decode(result, arena, findings, ret, &error);
        json_decref(result);
        return r;
}

#define HEAD                                                                               \
        "\"transaction\":\"t\",\"generation_before\":1,\"generation\":2,\"changed\":true," \
        "\"outcome\":\"applied\",\"exit_code\":0,\"fragment\":\"# x\\n\""

static void test_outcome_decode_and_encode(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        Outcome outcome;
        assert_int_equal(
                        decode("{" HEAD
                               ",\"changes\":[{\"key\":\"net.core.somaxconn\",\"profile\":\"p\",\"origin\":null,"
                               "\"before\":\"1\",\"wanted\":\"2\",\"after\":\"2\",\"outcome\":\"set\"}],\"findings\":[]}",
                               arena, findings, &outcome),
                        0);
        assert_int_equal(outcome.generation, 2);
        assert_true(outcome.changed);
        assert_int_equal(outcome.n_changes, 1);
        assert_null(outcome.changes[0].origin);
        json_t *encoded = outcome_to_json(&outcome);
        json_t *change = json_array_get(json_object_get(encoded, "changes"), 0);
        assert_int_equal(json_object_size(change), 8);
        assert_true(json_is_null(json_object_get(change, "note")));
        assert_string_equal(json_string_value(json_object_get(encoded, "fragment")), "# x\n");
        json_decref(encoded);
}

static void test_outcome_decode_refuses_other_shapes(void **state) {
        (void) state;
        static const char *const texts[] = {
                "{}",
                "[]",
                "{" HEAD "}",
                "{" HEAD ",\"changes\":{}}",
                "{" HEAD ",\"changes\":[1]}",
                "{" HEAD ",\"changes\":[{}]}",
                "{" HEAD ",\"changes\":[{\"key\":1,\"outcome\":\"set\"}]}",
                "{" HEAD ",\"changes\":[{\"key\":\"k\"}]}",
                "{\"generation_before\":-1,\"generation\":2,\"changed\":true,\"outcome\":\"x\",\"exit_code\":0,\"changes\":[]}",
                "{\"generation_before\":1,\"generation\":2,\"changed\":true,\"outcome\":\"x\",\"exit_code\":99,\"changes\":[]}",
                "{\"generation_before\":1,\"generation\":2,\"changed\":true,\"exit_code\":0,\"changes\":[]}",
                "{\"generation_before\":1,\"generation\":2,\"changed\":1,\"outcome\":\"x\",\"exit_code\":0,\"changes\":[]}",
                "{" HEAD ",\"changes\":[],\"findings\":{}}",
        };
        TEST_EACH(text, texts) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
                Outcome outcome;
                assert_int_equal(decode(*text, arena, findings, &outcome), -EBADMSG);
        }
}

static void render(
                bool done, const char *outcome, const Change *changes, size_t n,
                const char *fragment, Context *context) {
        assert_int_equal(context_init(context), 0);
        context->out.width = 80;
        Outcome o = { .generation_before = 1,
                      .generation = 2,
                      .outcome = outcome,
                      .changes = changes,
                      .n_changes = n,
                      .fragment = fragment };
        assert_int_equal(
                        done ? outcome_render_done(&o, context)
                             : outcome_render_planned(&o, context),
                        0);
}

static const Change three_changes[] = {
        { .key = "net.a",
          .profile = "p",
          .before = "1\t2",
          .origin = "1\t2",
          .wanted = "3\t4",
          .after = "3\t4",
          .outcome = "set" },
        { .key = "net.b",
          .profile = "p",
          .before = "1",
          .wanted = "1",
          .after = "1",
          .outcome = "kept" },
        { .key = "net.c",
          .before = "5",
          .origin = "6",
          .wanted = "6",
          .after = "5",
          .outcome = "left" },
};

static void test_outcome_render_done(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        render(/* done= */ true, "applied", three_changes, ELEMENTSOF(three_changes), "x",
               &context);
        assert_string_equal(
                        strbuf_text(&context.text),
                        "Done: generation 1 → 2\n"
                        "\n"
                        "KEY   BEFORE AFTER ORIGIN    WHY\n"
                        "net.a 1 2    3 4   as before p\n"
                        "net.c 5      5     6         left alone: changed by somebody else\n"
                        "\n"
                        "Already as wanted: net.b\n"
                        "\n"
                        "Written to /etc/sysctl.d/60-twprofile.conf: live now and at every boot.\n"
                        "One step back: twprofile rollback\n");
}

static void test_outcome_render_folds_what_stays(void **state) {
        (void) state;
        static const Change changes[] = {
                { .key = "net.a",
                  .origin = "2",
                  .before = "2",
                  .wanted = "2",
                  .after = "2",
                  .outcome = "restored" },
                { .key = "net.b",
                  .origin = "4",
                  .before = "3",
                  .wanted = "4",
                  .after = "4",
                  .outcome = "restored" },
                { .key = "net.c",
                  .profile = "p",
                  .before = "5",
                  .wanted = "5",
                  .after = "5",
                  .outcome = "set" },
                { .key = "net.d",
                  .origin = "6",
                  .before = "6",
                  .wanted = "6",
                  .after = "6",
                  .outcome = "stuck" },
        };
        CLEANUP(context_deinit) Context context;
        render(/* done= */ true, "applied", changes, ELEMENTSOF(changes), NULL, &context);
        assert_string_equal(
                        strbuf_text(&context.text),
                        "Done: generation 1 → 2\n"
                        "\n"
                        "KEY   BEFORE AFTER ORIGIN    WHY\n"
                        "net.b 3      4     as after  back to origin\n"
                        "net.d 6      6     as before could not be taken back\n"
                        "\n"
                        "Already as wanted: net.c\n"
                        "\n"
                        "No longer ours, at the origin already: net.a\n"
                        "\n"
                        "Nothing of ours is left: /etc/sysctl.d/60-twprofile.conf is gone.\n"
                        "One step back: twprofile rollback\n");
}

static void test_outcome_render_of_an_image_speaks_of_its_next_boot(void **state) {
        (void) state;
        static const Change changes[] = {
                { .key = "net.a", .profile = "p", .wanted = "2", .outcome = "pending" },
                { .key = "net.b", .wanted = "4", .outcome = "restored" },
        };
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 80;
        context.options.root = "/image/";
        context.command = command_find("rollback");
        Outcome o = { .generation_before = 1,
                      .generation = 2,
                      .outcome = "applied",
                      .changes = changes,
                      .n_changes = ELEMENTSOF(changes),
                      .fragment = "x" };
        assert_int_equal(outcome_render_done(&o, &context), 0);
        assert_string_equal(
                        strbuf_text(&context.text),
                        "Done: generation 1 → 2\n"
                        "\n"
                        "KEY   WANTED WHY\n"
                        "net.a 2      at the next boot: p\n"
                        "net.b -      no longer set at boot\n"
                        "\n"
                        "Written to /image/etc/sysctl.d/60-twprofile.conf: for the next boot of that image.\n"
                        "Take this back: twprofile rollback --to=1 --root=/image/\n");
}

static void test_outcome_render_says_when_nothing_happens(void **state) {
        (void) state;
        static const struct {
                bool done;
                const char *outcome, *want;
        } rows[] = {
                { true, "unchanged", "Nothing was changed: generation 2 is in force as it is.\n" },
                { false, "unchanged",
                  "Nothing would change: generation 2 is in force as it is.\n" },
                { true, "recovered", "Nothing to settle: generation 2 is in force.\n" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(context_deinit) Context context;
                render(row->done, row->outcome, NULL, 0, NULL, &context);
                assert_string_equal(strbuf_text(&context.text), row->want);
        }
}

static void test_outcome_render_planned_escapes_the_fragment(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        render(/* done= */ false, "planned", three_changes, 1, "a = 1\t2\n\nb\033[2J\n", &context);
        assert_non_null(strstr(strbuf_text(&context.text), "    a = 1\t2\n\n    b"));
        assert_null(strchr(strbuf_text(&context.text), '\033'));
}

TEST_MAIN(cmocka_unit_test(test_outcome_decode_and_encode),
          cmocka_unit_test(test_outcome_decode_refuses_other_shapes),
          cmocka_unit_test(test_outcome_render_done),
          cmocka_unit_test(test_outcome_render_folds_what_stays),
          cmocka_unit_test(test_outcome_render_of_an_image_speaks_of_its_next_boot),
          cmocka_unit_test(test_outcome_render_says_when_nothing_happens),
          cmocka_unit_test(test_outcome_render_planned_escapes_the_fragment))

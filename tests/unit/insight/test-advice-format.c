/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/advice-format.h"

#include "insight/snapshot-format.h"
#include "situation.h"

/* What is judged again from its own JSON gives the same findings. */
static void test_again(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        situation_earlier(&s);
        SnapshotTuple tuple = situation_tuple("10.0.0.2", 80, (SnapshotUse){ .n_time_wait = 960 });
        situation_outgoing(&s, &tuple, 1);
        Advice advice = situation_judge(&s);
        AdviceInput input = situation_input(&s);
        json_auto_t *object = advice_to_json(&input, &advice);
        assert_non_null(object);
        CLEANUP(strbuf_deinit) StrBuf text = {};
        assert_int_equal(strict_json_render(object, &text), 0);

        AdviceInput read = {};
        Error error = {};
        assert_int_equal(
                        advice_decode_samples(
                                        strbuf_text(&text), text.length, s.arena, &read, &error),
                        0);
        assert_non_null(read.before);
        Advice again = {};
        assert_int_equal(advise(&read, s.arena, &again), 0);
        json_auto_t *object_again = advice_to_json(&read, &again);
        assert_true(json_equal(object, object_again));

        const json_t *finding = json_array_get(json_object_get(object, "findings"), 0);
        assert_string_equal(json_string_value(json_object_get(finding, "rule")), "PORT-1");
        assert_string_equal(json_string_value(json_object_get(finding, "severity")), "critical");
        const json_t *remedy = json_array_get(json_object_get(finding, "remedies"), 0);
        assert_string_equal(
                        json_string_value(json_object_get(remedy, "remedy")), "reuse-connections");
        situation_deinit(&s);
}

static int decode(Situation *s, json_t *object, AdviceInput *ret) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        assert_int_equal(strict_json_render(object, &text), 0);
        Error error = {};
        return advice_decode_samples(strbuf_text(&text), text.length, s->arena, ret, &error);
}

static void test_decode(void **state UNUSED) {
        Situation s;
        situation_init(&s);
        json_auto_t *snapshot = snapshot_to_json(&s.now);
        AdviceInput input = {};
        assert_int_equal(decode(&s, snapshot, &input), 0); /* a sample of observe */
        assert_null(input.before);
        assert_non_null(input.now);

        static const char *const broken[] = {
                "{}",
                "[]",
                "{\"samples\": {}}",
                "{\"samples\": {\"before\": null, \"now\": null}}",
                "{\"samples\": {\"before\": null, \"now\": {}}}",
                "{\"samples\": []}",
                "{\"result\": {\"samples\": 7}}",
        };
        for (size_t i = 0; i < ELEMENTSOF(broken); i++) {
                Error error = {};
                assert_int_equal(
                                advice_decode_samples(
                                                broken[i], strlen(broken[i]), s.arena, &input,
                                                &error),
                                -EBADMSG);
        }
        json_auto_t *wrong = json_pack("{s:{s:{}, s:O}}", "samples", "before", "now", snapshot);
        assert_int_equal(decode(&s, wrong, &input), -EBADMSG);
        situation_deinit(&s);
}

TEST_MAIN(cmocka_unit_test(test_again), cmocka_unit_test(test_decode))

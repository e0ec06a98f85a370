/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-code.h"
#include "model/rules.h"
#include "test.h"

static void test_explain_code_find_table(void **state) {
        (void) state;
        static const struct {
                const char *in, *want;
        } rows[] = {
                { "TW451", "TW451" },
                { "tw451", "TW451" },
                { "time-wait-below-rfc", "TW451" },
                { "Time-Wait-Below-Rfc", "TW451" },
                { "TW999", NULL },
                { "TW45", NULL },
                { "TW4511", NULL },
                { "451", NULL },
                { "", NULL },
        };
        TEST_EACH(row, rows) {
                const DiagRow *found = explain_code_find(row->in);
                assert_true(row->want ? found && streq(found->code, row->want) : !found);
        }
        assert_string_equal(explain_code_find_nearest("tim-wait-below-rfc"), "time-wait-below-rfc");
        assert_null(explain_code_find_nearest("frobnicate"));
}

/* Every row gives a page that stays inside the width but for words that are longer, and a JSON object. */
static void test_explain_code_every_row(void **state) {
        (void) state;
        for (size_t i = 0; i < diag_row_count(); i++) {
                const DiagRow *row = diag_row((DiagId) i);
                CLEANUP(strbuf_deinit) StrBuf out = {};
                explain_code_render(row, 80, &out);
                assert_false(out.failed);
                assert_non_null(strstr(strbuf_text(&out), row->code));
                assert_non_null(strstr(strbuf_text(&out), "\nCure:         "));
                bool offers = strstr(strbuf_text(&out), "To accept it") != NULL;
                assert_int_equal(offers, row->severity == DIAG_SEVERITY_ACCEPTANCE);
                json_t *json = explain_code_to_json(row);
                assert_non_null(json);
                assert_string_equal(json_string_value(json_object_get(json, "code")), row->code);
                json_decref(json);
        }
}

static void test_explain_code_of_rules(void **state) {
        (void) state;
        assert_true(rules_count() >= 6);
        for (size_t i = 0; i < rules_count(); i++) {
                const Rule *rule = rules_get(i);
                const DiagRow *row = diag_row(rule->id);
                assert_true(row->n_sources > 0);
                CLEANUP(strbuf_deinit) StrBuf out = {};
                explain_code_render(row, 80, &out);
                assert_non_null(strstr(strbuf_text(&out), "\nAbout:        "));
                assert_non_null(strstr(strbuf_text(&out), "\nSources:      "));
                json_t *json = explain_code_to_json(row);
                assert_true(json_is_true(json_object_get(json, "is_rule")));
                const json_t *keys = json_object_get(json, "keys");
                assert_true(!rule->key ||
                            streq(json_string_value(json_array_get(keys, 0)), rule->key));
                json_decref(json);
        }
}

TEST_MAIN(cmocka_unit_test(test_explain_code_find_table),
          cmocka_unit_test(test_explain_code_every_row),
          cmocka_unit_test(test_explain_code_of_rules))

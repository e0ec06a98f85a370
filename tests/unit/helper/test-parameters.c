/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/parameters.h"

#include "model/plan.h"
#include "test.h"

static const Parameter rows_of_all[] = {
        PARAMETER(profiles, PARAMETER_NAMES, /* is_required= */ true),
        PARAMETER(only, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(adopt, PARAMETER_ADOPT, /* is_required= */ false),
        PARAMETER(to, PARAMETER_TARGET, /* is_required= */ false),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ false),
        PARAMETER(confirm_within_s, PARAMETER_WINDOW, /* is_required= */ false),
        PARAMETER(token, PARAMETER_TOKEN, /* is_required= */ false),
        PARAMETER(choice, PARAMETER_CHOICE, /* is_required= */ false),
        PARAMETER(profile, PARAMETER_NAME, /* is_required= */ false),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};

/* Decodes the text of an object and gives what parameters_decode() gives; *ret_bad is copied. */
static int decode(const char *text, Parameters *ret, char ret_bad[static 64]) {
        json_error_t why;
        json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &why);
        if (!object)
                print_error("  %s: %s\n", text, why.text);
        assert_non_null(object);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const char *bad = NULL;
        int r = parameters_decode(object, rows_of_all, ELEMENTSOF(rows_of_all), arena, ret, &bad);
        (void) snprintf(ret_bad, 64, "%s", bad ? bad : "");
        json_decref(object);
        return r;
}

static void test_decode_refuses(void **state) {
        (void) state;
        static const struct {
                const char *text, *bad;
        } rows[] = {
                { "{}", "profiles" },
                { "{\"profiles\":[\"web\"]}", "netns" },
                { "{\"profiles\":null,\"netns\":1}", "profiles" },
                { "{\"profiles\":[],\"netns\":1}", "profiles" },
                { "{\"profiles\":\"web\",\"netns\":1}", "profiles" },
                { "{\"profiles\":[1],\"netns\":1}", "profiles" },
                { "{\"profiles\":[\"\"],\"netns\":1}", "profiles" },
                { "{\"profiles\":[\"../web\"],\"netns\":1}", "profiles" },
                { "{\"profiles\":[\"/etc/shadow\"],\"netns\":1}", "profiles" },
                { "{\"profiles\":[\"web.yaml\"],\"netns\":1}", "profiles" },
                { "{\"profiles\":[\"web\",\"WEB\"],\"netns\":1}", "profiles" },
                { "{\"profiles\":[\"web\"],\"netns\":-1}", "netns" },
                { "{\"profiles\":[\"web\"],\"netns\":1.0}", "netns" },
                { "{\"profiles\":[\"web\"],\"netns\":\"1\"}", "netns" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"only\":1}", "only" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"only\":\"true\"}", "only" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"adopt\":\"drift\"}", "adopt" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"adopt\":[\"all\"]}", "adopt" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"adopt\":[\"drift\",\"drift\"]}", "adopt" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"adopt\":[7]}", "adopt" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"to\":3}", "to" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"to\":\"0\"}", "to" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"to\":\"03\"}", "to" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"to\":\"parent\"}", "to" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"reason\":7}", "reason" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"reason\":\"a\\nb\"}", "reason" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"reason\":\"a\\u001bb\"}", "reason" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"reason\":\"a\\u0085b\"}", "reason" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"reason\":\"a\\u202eb\"}", "reason" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"confirm_within_s\":4}",
                  "confirm_within_s" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"confirm_within_s\":86401}",
                  "confirm_within_s" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"confirm_within_s\":-60}",
                  "confirm_within_s" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"confirm_within_s\":4294967356}",
                  "confirm_within_s" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"confirm_within_s\":\"60\"}",
                  "confirm_within_s" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"token\":\"\"}", "token" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"token\":\"1F0C\"}", "token" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"token\":\"a b\"}", "token" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"token\":7}", "token" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"choice\":\"both\"}", "choice" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"choice\":true}", "choice" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"profile\":\"a/b\"}", "profile" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"profile\":[\"web\"]}", "profile" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"force\":true}", "force" },
                { "{\"profiles\":[\"web\"],\"netns\":1,\"only\":null,\"x\":null}", "x" },
        };
        TEST_EACH(row, rows) {
                Parameters parameters = { 0 };
                char bad[64];
                assert_int_equal(decode(row->text, &parameters, bad), PARAMETERS_E_INVALID);
                assert_string_equal(bad, row->bad);
                /* nothing half decoded gets out */
                assert_int_equal(parameters.netns, 0);
                assert_null(parameters.profiles.names);
        }
}

static void test_decode_takes(void **state) {
        (void) state;
        json_t *object = json_loads(
                        "{\"profiles\":[\"web\",\"a-1\"],\"netns\":4026531840,\"only\":true,"
                        "\"adopt\":[\"drift\",\"owner\"],\"to\":\"origin\",\"reason\":\"f\\u00fcr B-12\"}",
                        0, NULL);
        assert_non_null(object);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Parameters p;
        const char *bad = NULL;
        assert_int_equal(
                        parameters_decode(
                                        object, rows_of_all, ELEMENTSOF(rows_of_all), arena, &p,
                                        &bad),
                        0);
        assert_int_equal(p.profiles.n_names, 2);
        assert_string_equal(p.profiles.names[1], "a-1");
        assert_int_equal(p.netns, 4026531840);
        assert_true(p.only);
        assert_int_equal(p.adopt, PLAN_ADOPT_DRIFT | PLAN_ADOPT_OWNER);
        assert_string_equal(p.to, "origin");
        assert_string_equal(p.reason, "für B-12");
        json_decref(object);
}

static void test_decode_absent_and_null(void **state) {
        (void) state;
        static const char *const rows[] = {
                "{\"profiles\":[\"web\"],\"netns\":0}",
                "{\"profiles\":[\"web\"],\"netns\":0,\"only\":null,\"adopt\":null,\"to\":null,\"reason\":null}",
                "{\"profiles\":[\"web\"],\"netns\":0,\"only\":false,\"adopt\":[],\"reason\":\"\"}",
        };
        TEST_EACH(row, rows) {
                Parameters parameters;
                char bad[64];
                assert_int_equal(decode(*row, &parameters, bad), 0);
                assert_false(parameters.only);
                assert_int_equal(parameters.adopt, 0);
                assert_null(parameters.to);
                assert_null(parameters.reason);
        }
}

static void test_decode_reason_limit(void **state) {
        (void) state;
        char text[2048], bad[64];
        Parameters parameters;
        (void) snprintf(text, sizeof(text), "{\"profiles\":[\"a\"],\"netns\":1,\"reason\":\"%*s\"}",
                        1024, "x");
        assert_int_equal(decode(text, &parameters, bad), 0);
        (void) snprintf(text, sizeof(text), "{\"profiles\":[\"a\"],\"netns\":1,\"reason\":\"%*s\"}",
                        1025, "x");
        assert_int_equal(decode(text, &parameters, bad), PARAMETERS_E_INVALID);
        assert_string_equal(bad, "reason");
}

static void test_decode_takes_a_window(void **state) {
        (void) state;
        json_t *object = json_loads(
                        "{\"profiles\":[\"web\"],\"netns\":1,\"confirm_within_s\":86400,\"choice\":\"keep\","
                        "\"token\":\"1f0c2a9b-00ff\",\"profile\":\"web\"}",
                        0, NULL);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Parameters p;
        const char *bad = NULL;
        assert_int_equal(
                        parameters_decode(
                                        object, rows_of_all, ELEMENTSOF(rows_of_all), arena, &p,
                                        &bad),
                        0);
        assert_int_equal(p.confirm_within_s, 86400);
        assert_string_equal(p.token, "1f0c2a9b-00ff");
        assert_string_equal(p.choice, "keep");
        assert_int_equal(p.profile.n_names, 1);
        assert_string_equal(p.profile.names[0], "web");
        json_decref(object);
}

static void test_decode_required_reason(void **state) {
        (void) state;
        static const Parameter rows[] = {
                PARAMETER(reason, PARAMETER_REASON, /* is_required= */ true),
        };
        static const struct {
                const char *text;
                int want;
        } cases[] = {
                { "{}", PARAMETERS_E_INVALID },
                { "{\"reason\":\"\"}", PARAMETERS_E_INVALID },
                { "{\"reason\":\"B-12\"}", 0 },
        };
        TEST_EACH(row, cases) {
                json_t *object = json_loads(row->text, 0, NULL);
                CLEANUP(arena_freep) Arena *arena = arena_new();
                Parameters p;
                const char *bad = NULL;
                assert_int_equal(parameters_decode(object, rows, 1, arena, &p, &bad), row->want);
                json_decref(object);
        }
}

static void test_decode_without_rows(void **state) {
        (void) state;
        Parameters parameters;
        const char *bad = NULL;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_int_equal(parameters_decode(NULL, NULL, 0, arena, &parameters, &bad), 0);
        json_t *object = json_loads("{\"a\":1}", 0, NULL);
        assert_int_equal(
                        parameters_decode(object, NULL, 0, arena, &parameters, &bad),
                        PARAMETERS_E_INVALID);
        assert_string_equal(bad, "a");
        json_decref(object);
}

TEST_MAIN(cmocka_unit_test(test_decode_refuses), cmocka_unit_test(test_decode_takes),
          cmocka_unit_test(test_decode_absent_and_null), cmocka_unit_test(test_decode_reason_limit),
          cmocka_unit_test(test_decode_takes_a_window),
          cmocka_unit_test(test_decode_required_reason), cmocka_unit_test(test_decode_without_rows))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan-steps.h"

#include "fixture.h"

#define RETRIES   "net.ipv4.tcp_retries2"
#define BUCKETS   "net.ipv4.tcp_max_tw_buckets"
#define TRACKED   "net.netfilter.nf_conntrack_tcp_timeout_time_wait"
#define TRACK_MAX "net.netfilter.nf_conntrack_max"
#define RANGE     "net.ipv4.ip_local_port_range"

/* ---- one key: every action and every refusal of a key ---------------------------------------------------- */

typedef struct Owned {
        const char *value;
        const char *origin; /* NULL: not known */
        bool pending;
} Owned;

static Generation *make_generation(const char *key, const Owned *owned, uint64_t number) {
        Generation *generation = generation_new();
        assert_non_null(generation);
        Arena *arena = generation->arena;
        GenerationKey *row = arena_alloc(arena, sizeof(*row));
        *row = (GenerationKey){
                .spec = catalogue_find(key),
                .value = fixture_value(key, owned->value, arena),
                .profile = "a",
                .pending = owned->pending,
                .origin_known = owned->origin,
        };
        if (owned->origin)
                row->origin = fixture_value(key, owned->origin, arena);
        GenerationProfile *profile = arena_alloc(arena, sizeof(*profile));
        *profile = (GenerationProfile){ .name = "a" };
        generation->number = number;
        generation->parent = number - 1;
        generation->keys = row;
        generation->n_keys = 1;
        generation->profiles = profile;
        generation->n_profiles = 1;

        cleanup_free char *text = NULL;
        size_t length = 0;
        assert_int_equal(generation_render_fragment(generation, &text, &length), 0);
        generation->has_fragment = true;
        generation->fragment = sha256_of(text, length);
        return generation;
}

typedef struct KeyCase {
        PlanVerb verb;
        unsigned adopt;
        const char *key;
        const char *wanted; /* NULL: it leaves */
        const char *live;
        Owned owned; /* value NULL: not owned before */
        DiagId id;   /* the one finding, or NONE */
        PlanAction action;
        const char *target;
        const char *origin; /* NULL: not known */
} KeyCase;

#define NONE ((DiagId) -1)

static int plan_key_case(const KeyCase *row, DiagList *list, Plan **ret) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(generation_freep) Generation *current =
                        row->owned.value ? make_generation(row->key, &row->owned, 4) : NULL;
        CLEANUP(generation_freep) Generation *target =
                        row->wanted && row->verb == PLAN_ROLLBACK
                                        ? make_generation(row->key,
                                                          &(Owned){ .value = row->wanted }, 2)
                                        : NULL;
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        char text[256];
        (void) snprintf(text, sizeof(text), "sysctl:\n  %s: %s\n", row->key,
                        row->wanted ? row->wanted : "");
        FixtureProfile profile = { "a", text };
        FixtureLibrary library = { &profile, 1 };
        if (row->wanted && row->verb != PLAN_ROLLBACK)
                fixture_bundles_load(&bundles, &library, "a");

        FixtureKernel kernel = { .keys = { { row->key, row->live } } };
        LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
        PlanInput input = {
                .verb = row->verb,
                .adopt = row->adopt,
                .current = current,
                .next_number = 5,
                .target = target,
                .bundles = fixture_bundles_items(&bundles),
                .n_bundles = bundles.n,
                .live = &live,
        };
        if (current)
                input.fragment = (PlanFragment){ .exists = true, .digest = current->fragment };
        return plan_build(&input, list, ret, NULL);
}

static void assert_key_case(const KeyCase *row, const DiagList *list, const Plan *plan) {
        assert_int_equal(plan->n_steps, 1);
        const PlanStep *step = &plan->steps[0];
        assert_string_equal(plan_action_name(step->action), plan_action_name(row->action));
        assert_string_equal(step->spec->key, row->key);
        assert_int_equal(step->owned_before, row->owned.value != NULL);
        assert_int_equal(step->owned_after, row->wanted != NULL);
        fixture_assert_value(step->spec, &step->target, row->target);
        assert_int_equal(step->origin_known, row->origin != NULL);
        if (row->origin)
                fixture_assert_value(step->spec, &step->origin, row->origin);
        assert_int_equal(step->has_previous, row->owned.value != NULL);
        if (row->owned.value)
                fixture_assert_value(step->spec, &step->previous, row->owned.value);
        if (step->has_live)
                fixture_assert_value(step->spec, &step->live, row->live);
        assert_int_equal(
                        plan_step_writes(step),
                        row->action == PLAN_SET || row->action == PLAN_RESTORE);
        assert_int_equal(plan_count_writes(plan), plan_step_writes(step));

        /* What is remembered says the same as the step. */
        const Generation *next = plan->next;
        assert_int_equal(next->n_keys, row->wanted ? 1 : 0);
        if (row->wanted) {
                assert_string_equal(step->profile, "a");
                assert_string_equal(next->keys[0].profile, "a");
                assert_true(sysctl_value_equal(&next->keys[0].value, &step->target));
                assert_int_equal(next->keys[0].pending, row->action == PLAN_PENDING);
                assert_int_equal(next->keys[0].origin_known, step->origin_known);
                if (row->origin)
                        assert_true(sysctl_value_equal(&next->keys[0].origin, &step->origin));
        } else {
                assert_null(step->profile);
        }
        if (row->id != NONE)
                assert_string_equal(diag_list_get(list, 0)->key, row->key);
}

static void check_key_case(const KeyCase *row) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(plan_freep) Plan *plan = NULL;
        int r = plan_key_case(row, list, &plan);
        size_t findings = row->id == NONE ? 0 : 1;
        if (diag_list_count(list) != findings)
                fixture_print(list);
        assert_int_equal(diag_list_count(list), findings);
        if (findings)
                assert_int_equal(diag_list_get(list, 0)->id, row->id);

        bool refused = findings && diag_list_count_errors(list) > 0;
        assert_int_equal(r, refused ? PLAN_E_REFUSED : 0);
        if (refused)
                assert_null(plan);
        else
                assert_key_case(row, list, plan);
}

#define ADOPT PLAN_ADOPT_DRIFT

/* One case a line is how these tables are read. */
/* clang-format off */
static const KeyCase enabled[] = {
        /* taken now: the origin is what lives */
        { PLAN_ENABLE, 0, RETRIES, "9", "15", {}, NONE, PLAN_SET, "9", "15" },
        { PLAN_ENABLE, 0, RETRIES, "9", "9", {}, NONE, PLAN_KEEP, "9", "9" },
        { PLAN_ENABLE, 0, RANGE, "[20000, 60999]", "20000\t60999", {}, NONE, PLAN_KEEP, "20000\t60999", "20000\t60999" },
        /* owned: the origin is carried */
        { PLAN_ENABLE, 0, RETRIES, "9", "9", { "9", "15", false }, NONE, PLAN_KEEP, "9", "15" },
        { PLAN_ENABLE, 0, RETRIES, "10", "9", { "9", "15", false }, NONE, PLAN_SET, "10", "15" },
        { PLAN_ENABLE, 0, RETRIES, "10", "10", { "9", "15", false }, NONE, PLAN_KEEP, "10", "15" },
        { PLAN_ENABLE, 0, RETRIES, "10", "9", { "9", NULL, false }, NONE, PLAN_SET, "10", NULL },
        /* drift, also when the kernel is back at the origin */
        { PLAN_ENABLE, 0, RETRIES, "9", "12", { "9", "15", false }, DIAG_DRIFT, 0, NULL, NULL },
        { PLAN_ENABLE, 0, RETRIES, "9", "15", { "9", "15", false }, DIAG_DRIFT, 0, NULL, NULL },
        { PLAN_ENABLE, 0, RETRIES, "10", "12", { "9", "15", false }, DIAG_DRIFT, 0, NULL, NULL },
        { PLAN_ENABLE, PLAN_ADOPT_FRAGMENT, RETRIES, "10", "12", { "9", "15", false }, DIAG_DRIFT, 0, NULL, NULL },
        { PLAN_ENABLE, ADOPT, RETRIES, "10", "12", { "9", "15", false }, NONE, PLAN_SET, "10", "15" },
        { PLAN_ENABLE, ADOPT, RETRIES, "9", "12", { "9", NULL, false }, NONE, PLAN_SET, "9", NULL },
        /* pending: no kernel value yet, so no origin and no drift */
        { PLAN_ENABLE, 0, TRACKED, "60", FIXTURE_ABSENT, {}, DIAG_KEY_PENDING, PLAN_PENDING, "60", NULL },
        { PLAN_ENABLE, 0, TRACKED, "60", FIXTURE_ABSENT, { "60", NULL, true }, DIAG_KEY_PENDING, PLAN_PENDING, "60", NULL },
        { PLAN_ENABLE, 0, TRACKED, "60", FIXTURE_ABSENT, { "60", "120", false }, DIAG_KEY_PENDING, PLAN_PENDING, "60", "120" },
        { PLAN_ENABLE, 0, TRACKED, "60", "120", { "60", NULL, true }, NONE, PLAN_SET, "60", "120" },
        { PLAN_ENABLE, 0, TRACKED, "60", "60", { "60", NULL, true }, NONE, PLAN_KEEP, "60", NULL },
        { PLAN_ENABLE, 0, TRACKED, "70", "60", { "60", NULL, true }, NONE, PLAN_SET, "70", NULL },
        /* below --root */
        { PLAN_ENABLE, 0, RETRIES, "9", FIXTURE_ASSUMED, {}, NONE, PLAN_SET, "9", NULL },
        { PLAN_ENABLE, 0, RETRIES, "9", FIXTURE_ASSUMED, { "9", NULL, false }, NONE, PLAN_KEEP, "9", NULL },
        { PLAN_ENABLE, 0, RETRIES, "10", FIXTURE_ASSUMED, { "9", NULL, false }, NONE, PLAN_SET, "10", NULL },
        /* refused by the effective set */
        { PLAN_ENABLE, 0, "net.ipv4.tcp_tw_reuse_delay", "1000", FIXTURE_ABSENT, {}, DIAG_KEY_ABSENT, 0, NULL, NULL },
        { PLAN_ENABLE, 0, RETRIES, "9", FIXTURE_DENIED, {}, DIAG_KEY_UNREADABLE, 0, NULL, NULL },
        /* by a rule */
        { PLAN_ENABLE, 0, "net.ipv4.tcp_tw_timeout", "30", "60", {}, DIAG_TIME_WAIT_BELOW_RFC, 0, NULL, NULL },
};

static const KeyCase kept[] = {
        { PLAN_DISABLE, 0, RETRIES, "9", "9", { "9", "15", false }, NONE, PLAN_KEEP, "9", "15" },
        { PLAN_DISABLE, 0, RETRIES, "10", "9", { "9", "15", false }, NONE, PLAN_SET, "10", "15" },
        /* drift does not stop a disable: kept, and still ours */
        { PLAN_DISABLE, 0, RETRIES, "9", "12", { "9", "15", false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "9", "15" },
        { PLAN_DISABLE, 0, RETRIES, "10", "12", { "9", "15", false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "10", "15" },
        { PLAN_DISABLE, ADOPT, RETRIES, "9", "12", { "9", "15", false }, NONE, PLAN_SET, "9", "15" },
        { PLAN_ROLLBACK, 0, RETRIES, "9", "9", { "9", "15", false }, NONE, PLAN_KEEP, "9", "15" },
        { PLAN_ROLLBACK, 0, RETRIES, "10", "9", { "9", "15", false }, NONE, PLAN_SET, "10", "15" },
        { PLAN_ROLLBACK, 0, RETRIES, "10", "12", { "9", "15", false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "10", "15" },
        { PLAN_ROLLBACK, ADOPT, RETRIES, "10", "12", { "9", "15", false }, NONE, PLAN_SET, "10", "15" },
        /* a key that comes back by rollback is taken anew */
        { PLAN_ROLLBACK, 0, RETRIES, "10", "12", {}, NONE, PLAN_SET, "10", "12" },
        /* pending is judged again */
        { PLAN_ROLLBACK, 0, TRACKED, "60", "120", {}, NONE, PLAN_SET, "60", "120" },
        { PLAN_ROLLBACK, 0, TRACKED, "60", FIXTURE_ABSENT, {}, DIAG_KEY_PENDING, PLAN_PENDING, "60", NULL },
        { PLAN_ROLLBACK, 0, RETRIES, "9", FIXTURE_ABSENT, {}, DIAG_KEY_PENDING, PLAN_PENDING, "9", NULL },
        { PLAN_ROLLBACK, 0, RETRIES, "9", FIXTURE_DENIED, {}, DIAG_KEY_UNREADABLE, 0, NULL, NULL },
        { PLAN_ROLLBACK, 0, RETRIES, "9", "many", {}, DIAG_KEY_UNREADABLE, 0, NULL, NULL },
};

static const KeyCase leaving[] = {
        { 0, 0, RETRIES, NULL, "9", { "9", "12", false }, NONE, PLAN_RESTORE, "12", "12" },
        { 0, 0, RETRIES, NULL, "12", { "9", "12", false }, NONE, PLAN_RESTORED, "12", "12" },
        { 0, 0, RETRIES, NULL, "9", { "9", "9", false }, NONE, PLAN_RESTORED, "9", "9" },
        { 0, 0, RETRIES, NULL, "20", { "9", "12", false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "12", "12" },
        /* adopting does not force an origin */
        { 0, ADOPT, RETRIES, NULL, "20", { "9", "12", false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "12", "12" },
        { 0, 0, RETRIES, NULL, "many", { "9", "12", false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "12", "12" },
        /* origin not known: the default where it is a constant (15), else the value stays */
        { 0, 0, RETRIES, NULL, "9", { "9", NULL, false }, NONE, PLAN_RESTORE, "15", NULL },
        { 0, 0, RETRIES, NULL, "15", { "9", NULL, false }, NONE, PLAN_RESTORED, "15", NULL },
        { 0, 0, RETRIES, NULL, "20", { "9", NULL, false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "15", NULL },
        { 0, 0, BUCKETS, NULL, "65536", { "65536", NULL, false }, DIAG_ORIGIN_UNKNOWN_KEPT, PLAN_LEAVE, "65536", NULL },
        { 0, 0, BUCKETS, NULL, "8192", { "65536", NULL, false }, DIAG_FOREIGN_VALUE_KEPT, PLAN_LEAVE, "8192", NULL },
        /* gone */
        { 0, 0, RETRIES, NULL, FIXTURE_ABSENT, { "9", "12", false }, NONE, PLAN_GONE, "12", "12" },
        { 0, 0, TRACK_MAX, NULL, FIXTURE_ABSENT, { "65536", NULL, true }, NONE, PLAN_GONE, "65536", NULL },
        /* was pending and came: untouched by us, or set when the module came */
        { 0, 0, TRACK_MAX, NULL, "262144", { "65536", NULL, true }, NONE, PLAN_RESTORED, "262144", "262144" },
        { 0, 0, TRACKED, NULL, "60", { "60", NULL, true }, NONE, PLAN_RESTORE, "120", NULL },
        { 0, 0, TRACK_MAX, NULL, "65536", { "65536", NULL, true }, DIAG_ORIGIN_UNKNOWN_KEPT, PLAN_LEAVE, "65536", NULL },
        /* below --root */
        { 0, 0, BUCKETS, NULL, FIXTURE_ASSUMED, { "65536", NULL, false }, NONE, PLAN_RESTORED, "65536", NULL },
        { 0, 0, RETRIES, NULL, FIXTURE_DENIED, { "9", "12", false }, DIAG_KEY_UNREADABLE, 0, NULL, NULL },
};
/* clang-format on */

static void test_enable_key(void **state UNUSED) {
        TEST_EACH(row, enabled)
                check_key_case(row);
}

static void test_keep_key_when_others_leave(void **state UNUSED) {
        TEST_EACH(row, kept)
                check_key_case(row);
}

static void test_leaving_key(void **state UNUSED) {
        static const PlanVerb verbs[] = { PLAN_ENABLE, PLAN_DISABLE, PLAN_ROLLBACK };
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                TEST_EACH(row, leaving) {
                        KeyCase one = *row;
                        one.verb = verbs[i];
                        check_key_case(&one);
                }
}

static void test_messages_of_drift(void **state UNUSED) {
        static const struct {
                PlanVerb verb;
                DiagId id;
                int exit_code;
                const char *message;
        } rows[] = {
                { PLAN_ENABLE, DIAG_DRIFT, 4,
                  "'" RANGE "' is 1024 65000 here, though profile 'a' set it to 20000 60999: "
                  "somebody else changed it" },
                { PLAN_DISABLE, DIAG_FOREIGN_VALUE_KEPT, 7,
                  "'" RANGE "' is left at 1024 65000: somebody else changed it from the "
                  "20000 60999 that was set" },
        };
        TEST_EACH(row, rows) {
                KeyCase one = { row->verb,     0,
                                RANGE,         "[20000, 60999]",
                                "1024\t65000", { "20000 60999", "32768 60999", false },
                                row->id,       0,
                                NULL,          NULL };
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(plan_freep) Plan *plan = NULL;
                (void) plan_key_case(&one, list, &plan);
                const Diag *d = diag_list_get(list, 0);
                assert_string_equal(d->message, row->message);
                assert_non_null(strstr(d->help, "--adopt=drift"));
                assert_string_equal(d->profile, "a");
                assert_int_equal(diag_list_exit_code(list), row->exit_code);
        }
}

TEST_MAIN(cmocka_unit_test(test_enable_key), cmocka_unit_test(test_keep_key_when_others_leave),
          cmocka_unit_test(test_leaving_key), cmocka_unit_test(test_messages_of_drift))

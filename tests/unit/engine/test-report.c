/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/report.h"

#include "model/catalogue.h"
#include "seam/engine-world.h"
#include "test.h"

typedef struct Fixture {
        EngineResult result;
        Session session;
        const SysctlSpec *spec;
        SysctlValue old, new;
} Fixture;

static void fixture_init(Fixture *f) {
        *f = (Fixture){ .spec = catalogue_find("net.core.somaxconn") };
        f->result.arena = arena_new();
        f->session = (Session){ .result = &f->result, .arena = f->result.arena };
        assert_int_equal(sysctl_value_from_kernel(f->spec, "4000", 4, f->result.arena, &f->old), 0);
        assert_int_equal(sysctl_value_from_kernel(f->spec, "8192", 4, f->result.arena, &f->new), 0);
}

static void fixture_deinit(Fixture *f) {
        f->result.arena = arena_free(f->result.arena);
}

static PlanStep step_of(const Fixture *f, PlanAction action) {
        return (PlanStep){
                .action = action,
                .spec = f->spec,
                .has_live = true,
                .live = f->old,
                .target = f->new,
                .profile = "alpha",
        };
}

/* The word for each action before anything is done, and for a key that was not reached. */
static void test_report_words_of_actions(void **state UNUSED) {
        static const struct {
                PlanAction action;
                const char *planned, *unreached;
        } rows[] = {
                { PLAN_SET, "planned", "untouched" }, { PLAN_RESTORE, "planned", "untouched" },
                { PLAN_KEEP, "kept", "kept" },        { PLAN_RESTORED, "restored", "restored" },
                { PLAN_LEAVE, "left", "left" },       { PLAN_PENDING, "pending", "pending" },
                { PLAN_GONE, "gone", "gone" },
        };
        TEST_EACH(row, rows) {
                Fixture f;
                fixture_init(&f);
                PlanStep step = step_of(&f, row->action);
                Plan plan = { .steps = &step, .n_steps = 1 };
                Apply nothing = { 0 };
                assert_int_equal(report_changes(&f.session, &plan, NULL), 0);
                assert_string_equal(f.result.changes[0].outcome, row->planned);
                assert_int_equal(report_changes(&f.session, &plan, &nothing), 0);
                assert_string_equal(f.result.changes[0].outcome, row->unreached);
                fixture_deinit(&f);
        }
}

static void test_report_words_of_states(void **state UNUSED) {
        static const struct {
                PlanAction action;
                ApplyState state;
                const char *want;
        } rows[] = {
                { PLAN_SET, APPLY_WRITTEN, "set" },
                { PLAN_RESTORE, APPLY_WRITTEN, "restored" },
                { PLAN_SET, APPLY_UNDONE, "undone" },
                { PLAN_SET, APPLY_FOREIGN, "left" },
                { PLAN_SET, APPLY_STUCK, "stuck" },
                { PLAN_SET, APPLY_VANISHED, "gone" },
                { PLAN_SET, APPLY_WAITING, "untouched" },
        };
        TEST_EACH(row, rows) {
                Fixture f;
                fixture_init(&f);
                PlanStep step = step_of(&f, row->action);
                Plan plan = { .steps = &step, .n_steps = 1 };
                ApplyItem item = {
                        .spec = f.spec, .state = row->state, .has_after = true, .after = f.new
                };
                Apply apply = { .items = &item, .n_items = 1 };
                assert_int_equal(report_changes(&f.session, &plan, &apply), 0);
                assert_string_equal(f.result.changes[0].outcome, row->want);
                assert_string_equal(f.result.changes[0].after, "8192");
                assert_string_equal(f.result.changes[0].before, "4000");
                assert_string_equal(f.result.changes[0].profile, "alpha");
                fixture_deinit(&f);
        }
}

static void test_report_audit_keys(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        PlanStep step = step_of(&f, PLAN_SET);
        Plan plan = { .steps = &step, .n_steps = 1 };
        assert_int_equal(report_changes(&f.session, &plan, NULL), 0);
        const AuditKey *keys;
        size_t n;
        assert_int_equal(report_audit_keys(&f.session, /* outcome= */ false, &keys, &n), 0);
        assert_int_equal(n, 1);
        assert_string_equal(keys[0].wanted, "8192");
        assert_null(keys[0].after);
        assert_null(keys[0].outcome);
        assert_int_equal(report_audit_keys(&f.session, /* outcome= */ true, &keys, &n), 0);
        assert_string_equal(keys[0].outcome, "planned");
        fixture_deinit(&f);
}

static void test_report_audit_profiles(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        const char *const *profiles;
        size_t n = 77;
        assert_int_equal(report_audit_profiles(&f.session, NULL, &profiles, &n), 0);
        assert_int_equal(n, 0);

        GenerationProfile profile = { .name = "alpha", .digest = sha256_of("abc", 3) };
        Generation generation = { .profiles = &profile, .n_profiles = 1 };
        assert_int_equal(report_audit_profiles(&f.session, &generation, &profiles, &n), 0);
        assert_int_equal(n, 1);
        assert_string_equal(
                        profiles[0], "alpha@ba7816bf8f01cfea414140de5dae2223"
                                     "b00361a396177a9cb410ff61f20015ad");
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_report_words_of_actions),
          cmocka_unit_test(test_report_words_of_states), cmocka_unit_test(test_report_audit_keys),
          cmocka_unit_test(test_report_audit_profiles))

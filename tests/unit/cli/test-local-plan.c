/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/local-plan.h"

#include "cli-root.h"

static int plan(const char *root, LocalPlanKind kind, const char *name, unsigned adopt,
                Context *context, LocalPlan *ret) {
        static const char *args[1];
        args[0] = name;
        assert_int_equal(context_init(context), 0);
        context->options.root = root;
        context->options.adopt = adopt;
        context->args = args;
        context->n_args = name ? 1 : 0;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, context, &context->error), 0);
        int r = local_plan_build(context, &host, kind, ret, &context->error);
        /* what is looked at afterwards is in the plan itself */
        return r;
}

static void test_local_plan_build_table(void **state) {
        (void) state;
        static const struct {
                LocalPlanKind kind;
                const char *name;
                unsigned adopt;
                int want;
                size_t n_profiles;
        } rows[] = {
                { LOCAL_PLAN_ENABLE, "spare", PLAN_ADOPT_DRIFT, 0, 2 },
                { LOCAL_PLAN_ENABLE_ONLY, "spare", PLAN_ADOPT_DRIFT, 0, 1 },
                { LOCAL_PLAN_DISABLE, "web", 0, 0, 0 },
                { LOCAL_PLAN_REREAD, NULL, PLAN_ADOPT_DRIFT, 0, 1 },
                { LOCAL_PLAN_REREAD, NULL, 0, LOCAL_PLAN_E_REFUSED, 0 }, /* drift */
                { LOCAL_PLAN_ENABLE, "nowhere", 0, LOCAL_PLAN_E_REFUSED, 0 },
                { LOCAL_PLAN_ENABLE, "broken", 0, LOCAL_PLAN_E_REFUSED, 0 },
        };
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        TEST_EACH(row, rows) {
                CLEANUP(context_deinit) Context context;
                LocalPlan local;
                assert_int_equal(
                                plan(root, row->kind, row->name, row->adopt, &context, &local),
                                row->want);
                if (row->want == 0) {
                        assert_int_equal(local.plan->next->n_profiles, row->n_profiles);
                        assert_int_equal(local.plan->from, 3);
                        assert_int_equal(local.plan->next->number, 4);
                } else
                        assert_true(diag_list_count_errors(context.findings) > 0);
                local_plan_deinit(&context, &local);
        }
        root_remove(root);
}

/* A place in a finding points into the text after the plan and its bundles are gone. */
static void test_local_plan_deinit_keeps_the_texts(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        LocalPlan local;
        assert_int_equal(
                        plan(root, LOCAL_PLAN_REREAD, NULL, PLAN_ADOPT_DRIFT, &context, &local), 0);
        local_plan_deinit(&context, &local);
        root_remove(root);
        size_t n_placed = 0;
        for (size_t i = 0; i < diag_list_count(context.findings); i++) {
                const Diag *diag = diag_list_get(context.findings, i);
                if (!span_is_set(&diag->span))
                        continue;
                n_placed++;
                assert_true(endswith(source_name(diag->span.source), ".yaml"));
        }
        assert_true(n_placed > 0);
}

static void test_local_plan_load_profile_names_the_nearest(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        static const struct {
                const char *name, *help;
        } rows[] = {
                { "wbe", "did you mean 'web'?" },
                { "../web", "twprofile list shows all" },
                { "unlike-anything", "twprofile list shows all" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                context.options.root = root;
                CLEANUP(host_close) Host host = HOST_EMPTY;
                assert_int_equal(host_open_files(&host, &context, &context.error), 0);
                Bundle *bundle = NULL;
                assert_int_equal(
                                local_plan_load_profile(
                                                &context, &host, row->name, &bundle,
                                                &context.error),
                                LOCAL_PLAN_E_REFUSED);
                assert_null(bundle);
                const Diag *diag = diag_list_get(context.findings, 0);
                assert_int_equal(diag->id, DIAG_UNKNOWN_PROFILE);
                assert_string_equal(diag->help, row->help);
        }
        root_remove(root);
}

TEST_MAIN(cmocka_unit_test(test_local_plan_build_table),
          cmocka_unit_test(test_local_plan_deinit_keeps_the_texts),
          cmocka_unit_test(test_local_plan_load_profile_names_the_nearest))

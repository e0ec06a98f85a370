/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/owners.h"

#include "world.h"

#define SOMAXCONN "net.core.somaxconn"
#define RANGE     "net.ipv4.ip_local_port_range"

static const FixtureProfile profiles[] = {
        { "web", "sysctl:\n  " SOMAXCONN ": 4096\n  " RANGE ": [20000, 60999]\n" },
};
static const FixtureKernel kernel = {
        .keys = { { SOMAXCONN, "777" }, { RANGE, "32768\t60999" } },
};

typedef struct Case {
        Owner owner;
        const char *key;
        PlanVerb verb;
        unsigned adopt;
        int result;
        DiagId says;
        bool silent; /* no finding at all */
        const char *adopted;
} Case;

static void check(World *world, const Case *row) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(plan_freep) Plan *plan = NULL;
        assert_int_equal(
                        world_plan(world, (PlanInput){ .verb = PLAN_ENABLE }, "web", list, &plan),
                        0);
        plan->verb = row->verb;
        size_t before = diag_list_count(list);
        Owner owner = row->owner;
        owner.spec = catalogue_find(row->key);
        Owners owners = { .rows = &owner, .n_rows = 1 };
        Error error = { 0 };
        assert_int_equal(owners_check(plan, row->adopt, &owners, list, &error), row->result);
        assert_int_equal(diag_list_count(list) - before, row->silent ? 0 : 1);
        if (!row->silent)
                assert_int_equal(fixture_count(list, row->says), 1);

        const GenerationKey *key = generation_find_key(plan->next, owner.spec);
        if (!key)
                return;
        if (row->adopted) {
                assert_string_equal(key->adopted, row->adopted);
                assert_false(plan->is_noop);
        } else
                assert_null(key->adopted);
}

#define LATER \
        { .kind = OWNER_LATER_FILE, .path = "/etc/sysctl.d/99-x.conf", .line = 3, .value = "128" }
#define TUNED                                                                                      \
        {                                                                                          \
                .kind = OWNER_TUNED, .path = "/etc/tuned/x/tuned.conf", .line = 4, .value = "128", \
                .name = "x"                                                                        \
        }

static const Case rows[] = {
        { LATER, SOMAXCONN, PLAN_ENABLE, 0, PLAN_E_REFUSED, DIAG_OTHER_OWNER, false, NULL },
        { LATER, SOMAXCONN, PLAN_ENABLE, PLAN_ADOPT_DRIFT, PLAN_E_REFUSED, DIAG_OTHER_OWNER, false,
          NULL },
        { LATER, SOMAXCONN, PLAN_ENABLE, PLAN_ADOPT_OWNER, 0, DIAG_OWNER_ADOPTED, false,
          "/etc/sysctl.d/99-x.conf:3: 128" },
        { LATER, SOMAXCONN, PLAN_ROLLBACK, 0, 0, DIAG_BOOT_WINNER_DIFFERS, false, NULL },
        { LATER, SOMAXCONN, PLAN_DISABLE, 0, 0, DIAG_BOOT_WINNER_DIFFERS, false, NULL },
        /* a key that no profile owns is nobody's business */
        { LATER, "net.ipv4.tcp_fin_timeout", PLAN_ENABLE, 0, 0, DIAG_OTHER_OWNER, true, NULL },
        /* by type, not as bytes */
        { { .kind = OWNER_LATER_FILE, .path = "/x", .line = 1, .value = "0x1000" },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          0,
          DIAG_OWNER_AGREES,
          false,
          NULL },
        { { .kind = OWNER_LATER_FILE, .path = "/x", .line = 1, .value = "20000   60999" },
          RANGE,
          PLAN_ENABLE,
          0,
          0,
          DIAG_OWNER_AGREES,
          false,
          NULL },
        { { .kind = OWNER_LATER_FILE, .path = "/x", .line = 1, .value = "lots", .glob = true },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          PLAN_E_REFUSED,
          DIAG_OTHER_OWNER,
          false,
          NULL },
        { { .kind = OWNER_PROCPS_FILE, .path = "/etc/sysctl.conf", .line = 1, .value = "1" },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          0,
          DIAG_PROCPS_ORDER_DIFFERS,
          false,
          NULL },
        { { .kind = OWNER_PROCPS_FILE, .path = "/etc/sysctl.conf", .line = 1, .value = "4096" },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          0,
          DIAG_PROCPS_ORDER_DIFFERS,
          true,
          NULL },
        { TUNED, SOMAXCONN, PLAN_ENABLE, 0, PLAN_E_REFUSED, DIAG_OTHER_OWNER, false, NULL },
        { TUNED, SOMAXCONN, PLAN_ENABLE, PLAN_ADOPT_OWNER, 0, DIAG_OWNER_ADOPTED, false,
          "the TuneD profile 'x' (/etc/tuned/x/tuned.conf:4): 128" },
        { { .kind = OWNER_TUNED, .path = "/x", .line = 1, .name = "x" },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          PLAN_E_REFUSED,
          DIAG_OTHER_OWNER,
          false,
          NULL },
        { { .kind = OWNER_TUNED_REAPPLIED, .path = "/x", .line = 1, .value = "1", .name = "x" },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          0,
          DIAG_TUNED_VERIFY_DIFFERS,
          false,
          NULL },
        { { .kind = OWNER_BPFTUNE, .path = "bpftune" },
          SOMAXCONN,
          PLAN_ENABLE,
          0,
          0,
          DIAG_BPFTUNE_RUNS,
          false,
          NULL },
};

static void test_owners_table(void **state UNUSED) {
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        TEST_EACH(row, rows)
                check(&world, row);
}

/* What was adopted once is not asked again while the key stays, and makes no new generation by itself. */
static void test_adoption_is_carried(void **state UNUSED) {
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        const SysctlSpec *spec = catalogue_find(SOMAXCONN);
        Owner owner = {
                .kind = OWNER_LATER_FILE, .spec = spec, .path = "/x", .line = 1, .value = "5"
        };
        Owners owners = { .rows = &owner, .n_rows = 1 };
        Error error = { 0 };

        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(plan_freep) Plan *first = NULL, *second = NULL;
        assert_int_equal(
                        world_plan(&world, (PlanInput){ .verb = PLAN_ENABLE }, "web", list, &first),
                        0);
        assert_int_equal(owners_check(first, PLAN_ADOPT_OWNER, &owners, list, &error), 0);
        world_commit(&world, first);

        assert_int_equal(
                        world_plan(&world, (PlanInput){ .verb = PLAN_ENABLE }, "web", list,
                                   &second),
                        0);
        assert_true(second->is_noop);
        assert_int_equal(owners_check(second, 0, &owners, list, &error), 0);
        assert_true(second->is_noop);
        assert_string_equal(generation_find_key(second->next, spec)->adopted, "/x:1: 5");
}

static void test_flaws(void **state UNUSED) {
        static const OwnersFlaw flaws[] = { { "/etc/sysctl.d/a.conf", 0, EACCES },
                                            { "/etc/sysctl.d/b.conf", 7, 0 } };
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        owners_report_flaws(&(Owners){ .flaws = flaws, .n_flaws = 2 }, list);
        assert_int_equal(fixture_count(list, DIAG_SYSCTL_FILES_DOUBTFUL), 2);
        assert_non_null(strstr(diag_list_get(list, 1)->message, "b.conf:7"));
        assert_int_equal(diag_list_exit_code(list), 0);
}

TEST_MAIN(cmocka_unit_test(test_owners_table), cmocka_unit_test(test_adoption_is_carried),
          cmocka_unit_test(test_flaws))

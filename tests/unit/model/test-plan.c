/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/plan.h"

#include "failing-alloc.h"
#include "world.h"

#define SOMAXCONN "net.core.somaxconn"
#define BUCKETS   "net.ipv4.tcp_max_tw_buckets"
#define FIN       "net.ipv4.tcp_fin_timeout"
#define RANGE     "net.ipv4.ip_local_port_range"
#define RESERVED  "net.ipv4.ip_local_reserved_ports"
#define RETRIES   "net.ipv4.tcp_retries2"
#define REUSE     "net.ipv4.tcp_tw_reuse"
#define STAMPS    "net.ipv4.tcp_timestamps"
#define TRACKED   "net.netfilter.nf_conntrack_tcp_timeout_time_wait"

/* Priorities differ wherever two could disagree, so that any set of these can be enabled together. */
static const FixtureProfile profiles[] = {
        { "base", "priority: 20\nsysctl:\n  " STAMPS ": 1\n  " SOMAXCONN
                  ": {at-least: 4096}\n  " FIN ": {at-most: 60}\n" },
        { "client", "include: [base]\npriority: 40\nsysctl:\n  " REUSE ": 1\n  " RANGE
                    ": [20000, 60999]\n  " RESERVED ": [\"30000-30010\"]\n" },
        { "exact", "priority: 60\nsysctl:\n  " SOMAXCONN ": 1024\n  " RETRIES ": 9\n" },
        { "load", "priority: 50\nsysctl:\n  " RANGE ": [10000, 65535]\n  " FIN
                  ": {at-most: 10}\n  " BUCKETS ": 262144\n" },
        { "server",
          "include: [base]\npriority: 30\nsysctl:\n  " SOMAXCONN ": {at-least: 16384}\n  " BUCKETS
          ": {at-least: 65536}\n  " RETRIES ": {value: 12, when: present}\n" },
};

/* No value here is a default, so that coming back cannot be guessed. */
static const FixtureKernel kernel = {
        .keys = {
                { SOMAXCONN, "777" },
                { BUCKETS, "9999" },
                { FIN, "45" },
                { RANGE, "33000\t60001" },
                { RESERVED, "8080,9148" },
                { RETRIES, "11" },
                { REUSE, "0" },
                { STAMPS, "2" },
        },
};

static void assert_kernel(World *world, const FixtureKernel *want) {
        for (size_t i = 0; want->keys[i].key; i++)
                assert_string_equal(
                                fixture_kernel_get(&world->kernel, want->keys[i].key),
                                want->keys[i].text);
}

/* ---- what a plan is made of ------------------------------------------------------------------------------ */

static void test_first_enable(void **state UNUSED) {
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(plan_freep) Plan *plan = NULL;
        assert_int_equal(
                        world_plan(&world, (PlanInput){ .verb = PLAN_ENABLE }, "client", list,
                                   &plan),
                        0);

        assert_int_equal(plan->verb, PLAN_ENABLE);
        assert_int_equal(plan->from, 0);
        assert_false(plan->is_noop);
        const Generation *next = plan->next;
        assert_int_equal(next->number, 1);
        assert_int_equal(next->parent, 0);
        assert_int_equal(next->n_profiles, 1);
        assert_string_equal(next->profiles[0].name, "client");
        assert_int_equal(next->profiles[0].n_files, 2);
        assert_string_equal(next->profiles[0].files[0].name, "client");
        assert_string_equal(next->profiles[0].files[1].name, "base");
        assert_string_equal(
                        next->profiles[0].files[1].path, "/usr/share/twprofile/profiles/base.yaml");
        const GenerationFile *file = &next->profiles[0].files[1];
        assert_non_null(memmem(file->bytes, file->length, STAMPS, strlen(STAMPS)));

        /* The fragment is that of the generation, and its digest is the one recorded. */
        cleanup_free char *text = NULL;
        size_t length = 0;
        assert_int_equal(generation_render_fragment(next, &text, &length), 0);
        assert_int_equal(plan->fragment_length, length);
        assert_memory_equal(plan->fragment, text, length);
        assert_true(next->has_fragment);
        Sha256 digest = sha256_of(text, length);
        assert_true(sha256_equal(&next->fragment, &digest));

        /* FIN is 45, which at-most 60 takes, so nobody owns it. */
        assert_int_equal(next->n_keys, 5);
        assert_null(generation_find_key(next, catalogue_find(FIN)));
        assert_int_equal(fixture_count(list, DIAG_BOUND_SATISFIED), 1);
        assert_int_equal(diag_list_exit_code(list), 0);
}

static void assert_steps(const Plan *plan, const char *const *want) {
        char got[64];
        for (size_t i = 0; i < plan->n_steps; i++) {
                (void) snprintf(got, sizeof(got), "%s %s", plan_action_name(plan->steps[i].action),
                                plan->steps[i].spec->key);
                assert_non_null(want[i]);
                assert_string_equal(got, want[i]);
        }
        assert_null(want[plan->n_steps]);
}

static void test_order_of_steps(void **state UNUSED) {
        static const FixtureProfile both[] = {
                { "new", "sysctl:\n  " BUCKETS ": 65536\n  " RANGE ": [20000, 60999]\n  " STAMPS
                         ": 1\n  net.ipv4.tcp_rfc1337: 0\n  net.ipv4.tcp_syncookies: 1\n" },
                { "old", "sysctl:\n  " SOMAXCONN ": 4096\n  " REUSE ": 1\n  " RETRIES ": 9\n  " FIN
                         ": 30\n" },
        };
        FixtureKernel start = kernel;
        start.keys[8] = (FixtureKey){ "net.ipv4.tcp_rfc1337", "0" };
        start.keys[9] = (FixtureKey){ "net.ipv4.tcp_syncookies", "1" };
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(both), &start);
        world_enable(&world, "old");

        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(plan_freep) Plan *plan = NULL;
        assert_int_equal(
                        world_plan(&world, (PlanInput){ .verb = PLAN_ENABLE }, "new", list, &plan),
                        0);
        static const char *const want[] = { "restore " REUSE,
                                            "restore " FIN,
                                            "restore " RETRIES,
                                            "restore " SOMAXCONN,
                                            "set " BUCKETS,
                                            "set " STAMPS,
                                            "set " RANGE,
                                            "keep net.ipv4.tcp_rfc1337",
                                            "keep net.ipv4.tcp_syncookies",
                                            NULL };
        assert_steps(plan, want);
        assert_int_equal(plan_count_writes(plan), 7);
}

static void test_enable_twice_is_a_noop(void **state UNUSED) {
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        world_enable(&world, "client server");
        assert_int_equal(world.n, 1);
        for (int i = 0; i < 2; i++) {
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(plan_freep) Plan *plan = NULL;
                PlanInput input = { .verb = i ? PLAN_DISABLE : PLAN_ENABLE };
                assert_int_equal(world_plan(&world, input, "client server", list, &plan), 0);
                assert_true(plan->is_noop);
                assert_int_equal(plan_count_writes(plan), 0);
                assert_int_equal(plan->next->number, 2);
                assert_true(generation_same_content(plan->next, world_current(&world)));
        }
}

static void test_is_noop(void **state UNUSED) {
        static const struct {
                const char *names; /* enabled next; "exact" is enabled */
                const char *live;  /* of RETRIES, which was set to 9 */
                unsigned adopt;
                bool edit;
                bool noop;
        } rows[] = {
                { "exact", "9", 0, false, true },
                { "exact", "9", PLAN_ADOPT_DRIFT | PLAN_ADOPT_FRAGMENT, false, true },
                { "exact", "10", PLAN_ADOPT_DRIFT, false, false },
                { "exact", "9", PLAN_ADOPT_FRAGMENT, true, false },
                { "exact", FIXTURE_ABSENT, 0, false, false }, /* pending now */
                { "", "9", 0, false, false },
                { "base exact", "9", 0, false, false },
        };
        TEST_EACH(row, rows) {
                CLEANUP(world_deinit) World world;
                world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
                world_enable(&world, "exact");
                fixture_kernel_set(&world.kernel, RETRIES, row->live);
                world.fragment.digest.bytes[0] ^= row->edit;

                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(plan_freep) Plan *plan = NULL;
                PlanInput input = { .verb = PLAN_ENABLE, .adopt = row->adopt };
                assert_int_equal(world_plan(&world, input, row->names, list, &plan), 0);
                assert_int_equal(plan->is_noop, row->noop);
        }
}

/* Nothing enabled, nothing asked. */
static void test_nothing_to_nothing(void **state UNUSED) {
        static const PlanVerb verbs[] = { PLAN_ENABLE, PLAN_DISABLE, PLAN_ROLLBACK };
        TEST_EACH(verb, verbs) {
                CLEANUP(world_deinit) World world;
                world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(plan_freep) Plan *plan = NULL;
                assert_int_equal(
                                world_plan(&world, (PlanInput){ .verb = *verb }, "", list, &plan),
                                0);
                assert_true(plan->is_noop);
                assert_int_equal(plan->n_steps, 0);
                assert_null(plan->fragment);
                assert_false(plan->next->has_fragment);
        }
}

/* ---- the fragment ---------------------------------------------------------------------------------------- */

typedef enum Disk {
        AS_COMMITTED,
        EDITED,
        REMOVED,
        AS_WANTED,
} Disk;

static void test_fragment_on_disk(void **state UNUSED) {
        static const struct {
                bool enabled; /* "exact" before; then client joins or everything leaves */
                PlanVerb verb;
                const char *names;
                Disk disk;
                const char *refused; /* a part of the message, NULL: fine */
        } rows[] = {
                { false, PLAN_ENABLE, "client", AS_COMMITTED, NULL },
                { false, PLAN_ENABLE, "client", EDITED, "though no profile is enabled" },
                { false, PLAN_ENABLE, "client", AS_WANTED, NULL },
                { true, PLAN_ENABLE, "client exact", AS_COMMITTED, NULL },
                { true, PLAN_ENABLE, "client exact", EDITED, "somebody edited it" },
                { true, PLAN_ENABLE, "client exact", REMOVED, "was removed" },
                { true, PLAN_ENABLE, "client exact", AS_WANTED, NULL },
                { true, PLAN_ENABLE, "exact", EDITED, "somebody edited it" },
                { true, PLAN_DISABLE, "", AS_COMMITTED, NULL },
                { true, PLAN_DISABLE, "", EDITED, "somebody edited it" },
                { true, PLAN_DISABLE, "", REMOVED, "was removed" },
                { true, PLAN_ROLLBACK, "", AS_COMMITTED, NULL },
                { true, PLAN_ROLLBACK, "", EDITED, "somebody edited it" },
                { true, PLAN_ROLLBACK, "", REMOVED, "was removed" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(world_deinit) World world;
                world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
                if (row->enabled)
                        world_enable(&world, "exact");
                PlanInput input = { .verb = row->verb };

                if (row->disk == AS_WANTED) {
                        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                        CLEANUP(plan_freep) Plan *plan = NULL;
                        assert_int_equal(world_plan(&world, input, row->names, list, &plan), 0);
                        world.fragment = (PlanFragment){ true, plan->next->fragment };
                } else if (row->disk == EDITED) {
                        world.fragment.exists = true;
                        world.fragment.digest.bytes[7] ^= 1;
                } else if (row->disk == REMOVED) {
                        world.fragment = (PlanFragment){};
                }

                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(plan_freep) Plan *plan = NULL;
                int r = world_plan(&world, input, row->names, list, &plan);
                assert_int_equal(r, row->refused ? PLAN_E_REFUSED : 0);
                assert_int_equal(fixture_count(list, DIAG_FRAGMENT_EDITED), row->refused != NULL);
                if (!row->refused)
                        continue;

                const Diag *d = fixture_get(list, DIAG_FRAGMENT_EDITED);
                assert_non_null(strstr(d->message, "/etc/sysctl.d/60-twprofile.conf"));
                assert_non_null(strstr(d->message, row->refused));
                assert_non_null(strstr(d->help, "--adopt=fragment"));
                assert_int_equal(diag_list_exit_code(list), 4);

                CLEANUP(diag_list_freep) DiagList *adopted = diag_list_new();
                input.adopt = PLAN_ADOPT_FRAGMENT;
                assert_int_equal(world_plan(&world, input, row->names, adopted, &plan), 0);
                assert_false(plan->is_noop);
                assert_int_equal(fixture_count(adopted, DIAG_FRAGMENT_EDITED), 0);
        }
}

/* ---- refusals of the whole ------------------------------------------------------------------------------- */

static void test_refused_profiles(void **state UNUSED) {
        static const FixtureProfile conflicting[] = {
                { "a", "sysctl:\n  " RETRIES ": 9\n" },
                { "b", "sysctl:\n  " RETRIES ": 10\n" },
                { "c", "when: {kernel: \"<5.0\"}\nsysctl:\n  " STAMPS ": 1\n" },
        };
        static const struct {
                const char *names;
                DiagId id;
                int exit_code;
        } rows[] = {
                { "a b", DIAG_MERGE_CONFLICT, 3 },
                { "c", DIAG_PROFILE_CONDITION, 4 },
                { "a b c", DIAG_PROFILE_CONDITION, 3 },
        };
        TEST_EACH(row, rows) {
                CLEANUP(world_deinit) World world;
                world_init(&world, FIXTURE_LIBRARY(conflicting), &kernel);
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                Plan *plan = NULL;
                assert_int_equal(
                                world_plan(&world, (PlanInput){ .verb = PLAN_ENABLE }, row->names,
                                           list, &plan),
                                PLAN_E_REFUSED);
                assert_null(plan);
                assert_int_equal(fixture_count(list, row->id), 1);
                assert_int_equal(diag_list_exit_code(list), row->exit_code);
        }
}

/* 20 profiles of 60 KiB are within every limit of one profile, and too much together. */
static int fetch_long(
                void *userdata UNUSED, const char *name, DiagList *diags UNUSED, Source **ret,
                Error *reterr UNUSED) {
        static char text[60 * 1024];
        int n = snprintf(
                        text, sizeof(text),
                        "version: 1\nname: %s\nsummary: a test\nsysctl:\n  " STAMPS ": 1\n#", name);
        memset(text + n, 'x', sizeof(text) - (size_t) n - 1);
        text[sizeof(text) - 1] = '\n';
        *ret = source_new(name, text, sizeof(text));
        return *ret ? 0 : -ENOMEM;
}

static void test_too_large(void **state UNUSED) {
        Bundle *bundles[20] = {};
        CLEANUP(arena_freep) Arena *arena = arena_new();
        FixtureKernel start = kernel;
        LiveSnapshot live = fixture_kernel_snapshot(&start, arena);
        for (size_t i = 0; i < ELEMENTSOF(bundles); i++) {
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                char name[8];
                (void) snprintf(name, sizeof(name), "p%02zu", i);
                assert_int_equal(bundle_load(name, fetch_long, NULL, list, &bundles[i], NULL), 0);
        }
        for (size_t n = 17; n <= 18; n++) {
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(plan_freep) Plan *plan = NULL;
                PlanInput input = { .verb = PLAN_ENABLE,
                                    .next_number = 1,
                                    .bundles = (const Bundle *const *) bundles,
                                    .n_bundles = n,
                                    .live = &live };
                bool fits = n * 60 * 1024 <= GENERATION_MAX_BYTES;
                assert_int_equal(fits, n == 17);
                assert_int_equal(plan_build(&input, list, &plan, NULL), fits ? 0 : PLAN_E_REFUSED);
                assert_int_equal(fixture_count(list, DIAG_GENERATION_TOO_LARGE), fits ? 0 : 1);
                assert_int_equal(diag_list_exit_code(list), fits ? 0 : 3);
        }
        for (size_t i = 0; i < ELEMENTSOF(bundles); i++)
                bundles[i] = bundle_free(bundles[i]);
}

/* ---- histories ------------------------------------------------------------------------------------------- */

static void test_n_rollbacks_walk_n_steps_back(void **state UNUSED) {
        static const char *const steps[] = { "exact", "client exact", "client exact server",
                                             "server", "load server" };
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        FixtureKernel seen[ELEMENTSOF(steps) + 1];
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                seen[i] = world.kernel;
                assert_int_equal(world_enable(&world, steps[i]), 0);
        }
        assert_int_equal(world.n, ELEMENTSOF(steps));

        for (size_t i = ELEMENTSOF(steps); i-- > 0;) {
                assert_int_equal(world_rollback(&world), 0);
                char names[128];
                world_names(&world, names, sizeof(names));
                assert_string_equal(names, i > 0 ? steps[i - 1] : "");
                assert_kernel(&world, &seen[i]);
                assert_int_equal(world_last(&world)->parent, i > 1 ? i - 1 : 0);
        }
        assert_kernel(&world, &kernel);
        assert_false(world.fragment.exists);
        assert_int_equal(world.n, 2 * ELEMENTSOF(steps));
}

static void test_rollback_to_origin(void **state UNUSED) {
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        world_enable(&world, "client");
        world_enable(&world, "client load");
        world_disable(&world, "load");
        world_enable(&world, "exact load server");
        world_disable(&world, "server");
        assert_int_equal(world_rollback_to(&world, 0), 0);
        assert_kernel(&world, &kernel);
        assert_int_equal(world_last(&world)->n_profiles, 0);
        assert_int_equal(world_last(&world)->n_keys, 0);
        assert_int_equal(world_last(&world)->parent, 0);

        /* Once more: nothing to do. */
        size_t n = world.n;
        assert_int_equal(world_rollback_to(&world, 0), 0);
        assert_int_equal(world.n, n);
}

/* A generation that adopted a value says what its parent says. The way back must not end there. */
static void test_rollback_passes_equal_content(void **state UNUSED) {
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        world_enable(&world, "exact");
        fixture_kernel_set(&world.kernel, RETRIES, "20");
        world_do(&world, (PlanInput){ .verb = PLAN_ENABLE, .adopt = PLAN_ADOPT_DRIFT }, "exact");
        assert_int_equal(world.n, 2);
        assert_true(generation_same_content(world_get(&world, 1), world_get(&world, 2)));

        assert_int_equal(world_rollback(&world), 0);
        assert_int_equal(world.n, 3);
        assert_int_equal(world_rollback(&world), 0);
        assert_kernel(&world, &kernel);
}

static const SysctlValue *find_origin(const World *world, const SysctlSpec *spec) {
        const GenerationKey *key = generation_find_key(world_last(world), spec);
        assert(key && key->origin_known);
        return &key->origin;
}

/* The origin is carried while the key is owned, and read anew when it is taken again. */
static void test_origin_is_carried_and_renewed(void **state UNUSED) {
        const SysctlSpec *spec = catalogue_find(RETRIES);
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
        world_enable(&world, "exact");
        world_enable(&world, "exact server");
        world_enable(&world, "server");
        assert_string_equal(fixture_kernel_get(&world.kernel, RETRIES), "12");
        fixture_assert_value(spec, find_origin(&world, spec), "11");

        world_disable(&world, "");
        assert_kernel(&world, &kernel);
        fixture_kernel_set(&world.kernel, RETRIES, "25");
        world_rollback(&world);
        assert_string_equal(fixture_kernel_get(&world.kernel, RETRIES), "12");
        fixture_assert_value(spec, find_origin(&world, spec), "25");
        world_rollback_to(&world, 0);
        assert_string_equal(fixture_kernel_get(&world.kernel, RETRIES), "25");
}

/* In the fragment from the start, live when the module is there, back to what the module brought. */
static void test_pending_key_comes(void **state UNUSED) {
        static const FixtureProfile tracking[] = {
                { "track", "sysctl:\n  " TRACKED ": 60\n  " STAMPS ": 1\n" },
        };
        FixtureKernel start = kernel;
        start.keys[8] = (FixtureKey){ TRACKED, FIXTURE_ABSENT };
        CLEANUP(world_deinit) World world;
        world_init(&world, FIXTURE_LIBRARY(tracking), &start);
        assert_int_equal(world_enable(&world, "track"), 7);
        assert_true(world.fragment.exists);
        assert_non_null(strstr(world.fragment_text, TRACKED " = 60"));
        assert_int_equal(world_last(&world)->n_keys, 2);

        fixture_kernel_set(&world.kernel, TRACKED, "130");
        assert_int_equal(world_enable(&world, "track"), 0);
        assert_int_equal(world.n, 2);
        assert_string_equal(fixture_kernel_get(&world.kernel, TRACKED), "60");
        assert_int_equal(world_rollback_to(&world, 0), 0);
        assert_string_equal(fixture_kernel_get(&world.kernel, TRACKED), "130");
}

/* ---- any history ----------------------------------------------------------------------------------------- */

static uint32_t random_next(uint32_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state;
}

static void subset_names(uint32_t bits, char *ret, size_t n) {
        *ret = '\0';
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                size_t length = strlen(ret);
                if (bits & (1U << i))
                        (void) snprintf(ret + length, n - length, "%s%s", length ? " " : "",
                                        profiles[i].name);
        }
}

static uint32_t enabled_bits(const World *world) {
        uint32_t bits = 0;
        const Generation *current = world_current(world);
        for (size_t i = 0; current && i < ELEMENTSOF(profiles); i++)
                if (generation_find_profile(current, profiles[i].name))
                        bits |= 1U << i;
        return bits;
}

/* Owned keys hold what is wanted and know where they came from; all others are as they were. */
static void assert_consistent(World *world) {
        const Generation *current = world_current(world);
        for (size_t i = 0; kernel.keys[i].key; i++) {
                const SysctlSpec *spec = catalogue_find(kernel.keys[i].key);
                const GenerationKey *key = current ? generation_find_key(current, spec) : NULL;
                const char *live = fixture_kernel_get(&world->kernel, spec->key);
                if (!key) {
                        assert_string_equal(live, kernel.keys[i].text);
                        continue;
                }
                fixture_assert_value(spec, &key->value, live);
                assert_true(key->origin_known);
                fixture_assert_value(spec, &key->origin, kernel.keys[i].text);
        }
        assert_int_equal(world->fragment.exists, current && current->n_profiles > 0);
}

static void random_step(World *world, uint32_t *state) {
        char names[128];
        uint32_t bits = random_next(state) >> 8 & ((1U << ELEMENTSOF(profiles)) - 1);
        switch (random_next(state) >> 5 & 7) {
        case 0:
        case 1:
        case 2:
                subset_names(enabled_bits(world) | bits, names, sizeof(names));
                assert_int_equal(world_enable(world, names), 0);
                break;
        case 3:
                subset_names(bits, names, sizeof(names));
                assert_int_equal(world_enable(world, names), 0);
                break;
        case 4:
        case 5:
                subset_names(enabled_bits(world) & ~bits, names, sizeof(names));
                assert_int_equal(world_disable(world, names), 0);
                break;
        case 6:
                if (world->n > 0)
                        assert_int_equal(world_rollback(world), 0);
                break;
        default:
                assert_int_equal(
                                world_rollback_to(
                                                world,
                                                random_next(state) % (uint32_t) (world->n + 1)),
                                0);
                break;
        }
}

static void test_any_history_returns_to_the_origin(void **state UNUSED) {
        for (uint32_t seed = 1; seed <= 60; seed++) {
                uint32_t random = seed * 2654435761U;
                CLEANUP(world_deinit) World world;
                world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
                for (int i = 0; i < 40; i++) {
                        random_step(&world, &random);
                        assert_consistent(&world);
                }
                assert_int_equal(world_rollback_to(&world, 0), 0);
                assert_kernel(&world, &kernel);
                assert_false(world.fragment.exists);
        }
}

/* Also step by step, from wherever it has come to. */
static void test_any_history_walks_back_to_the_origin(void **state UNUSED) {
        for (uint32_t seed = 1; seed <= 30; seed++) {
                uint32_t random = seed * 40503U + 17;
                CLEANUP(world_deinit) World world;
                world_init(&world, FIXTURE_LIBRARY(profiles), &kernel);
                for (int i = 0; i < 20; i++)
                        random_step(&world, &random);
                size_t steps = 0;
                while (world.n > 0 &&
                       (world_last(&world)->parent != 0 || world_last(&world)->n_keys > 0)) {
                        assert_int_equal(world_rollback(&world), 0);
                        assert_consistent(&world);
                        assert_true(++steps <= 21);
                }
                assert_kernel(&world, &kernel);
        }
}

/* ---- no memory ------------------------------------------------------------------------------------------- */

/* Allocations are few, because arenas take them in blocks: the padding moves the place where one is full. */
static void make_padded_profile(size_t padding, char *text, size_t n) {
        int length = snprintf(
                        text, n,
                        "sysctl:\n  " SOMAXCONN ": {at-most: 500}\n  " STAMPS ": 1\n  " REUSE
                        ": 1\n  " RANGE ": [20000, 60999]\n  " RESERVED ": [\"30000-30010\"]\n"
                        "  " FIN ": 20\n  " RETRIES ": {at-least: 12}\n  " BUCKETS
                        ": {at-least: 9000}\n# ");
        assert_in_range(length + (int) padding + 2, 1, n);
        memset(text + length, 'x', padding);
        (void) snprintf(text + length + padding, 2, "\n");
}

static int load_and_plan(PlanInput input, FixtureLibrary *library, DiagList *list) {
        CLEANUP(bundle_freep) Bundle *bundle = NULL;
        CLEANUP(plan_freep) Plan *plan = NULL;
        Error error = {};
        int r = bundle_load("padded", fixture_fetch, library, list, &bundle, &error);
        if (r != 0)
                return r;
        input.bundles = (const Bundle *const *) &bundle;
        input.n_bundles = 1;
        r = plan_build(&input, list, &plan, &error);
        assert_int_equal(plan != NULL, r == 0);
        return r;
}

/* How many allocations it takes; each of them is the last one that works, once. */
static size_t run_out_of_memory(const PlanInput *input, FixtureLibrary *library) {
        for (size_t at = 0;; at++) {
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                failing_alloc_arm(at);
                int r = load_and_plan(*input, library, list);
                size_t count = failing_alloc_disarm();
                if (count <= at) {
                        assert_int_equal(r, 0);
                        return count;
                }
                /* A finding that found no room is counted by its list. */
                assert_true(r == -ENOMEM || !diag_list_is_complete(list));
        }
}

static void test_out_of_memory(void **state UNUSED) {
        if (!FAILING_ALLOC_WORKS) {
                print_message("sanitizers have their own allocator\n");
                skip();
        }
        static char text[12000];
        static const PlanVerb verbs[] = { PLAN_ENABLE, PLAN_ROLLBACK };
        for (size_t padding = 0; padding < 9000; padding += 300) {
                make_padded_profile(padding, text, sizeof(text));
                const FixtureProfile own[] = {
                        profiles[2], { "padded", text }, profiles[4], profiles[0]
                };
                FixtureLibrary library = FIXTURE_LIBRARY(own);
                CLEANUP(world_deinit) World world;
                world_init(&world, library, &kernel);
                world_enable(&world, "exact padded");
                world_enable(&world, "exact");
                LiveSnapshot live = fixture_kernel_snapshot(&world.kernel, world.arena);
                for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                        PlanInput input = { .verb = verbs[i],
                                            .current = world_current(&world),
                                            .next_number = 3,
                                            .target = world_get(&world, 1),
                                            .live = &live,
                                            .fragment = world.fragment };
                        assert_true(run_out_of_memory(&input, &library) > 10);
                }
        }
}

static void test_action_names(void **state UNUSED) {
        static const char *const names[] = { "set",   "keep",    "restore", "restored",
                                             "leave", "pending", "gone" };
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_string_equal(plan_action_name((PlanAction) i), names[i]);
}

static void test_free_nothing(void **state UNUSED) {
        assert_null(plan_free(NULL));
}

TEST_MAIN(cmocka_unit_test(test_first_enable), cmocka_unit_test(test_order_of_steps),
          cmocka_unit_test(test_enable_twice_is_a_noop), cmocka_unit_test(test_is_noop),
          cmocka_unit_test(test_nothing_to_nothing), cmocka_unit_test(test_fragment_on_disk),
          cmocka_unit_test(test_refused_profiles), cmocka_unit_test(test_too_large),
          cmocka_unit_test(test_n_rollbacks_walk_n_steps_back),
          cmocka_unit_test(test_rollback_to_origin),
          cmocka_unit_test(test_rollback_passes_equal_content),
          cmocka_unit_test(test_origin_is_carried_and_renewed),
          cmocka_unit_test(test_pending_key_comes),
          cmocka_unit_test(test_any_history_returns_to_the_origin),
          cmocka_unit_test(test_any_history_walks_back_to_the_origin),
          cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_action_names),
          cmocka_unit_test(test_free_nothing))

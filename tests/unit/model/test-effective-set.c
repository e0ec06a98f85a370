/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/effective-set.h"

#include "fixture.h"

#define RETRIES   "net.ipv4.tcp_retries2"
#define BUCKETS   "net.ipv4.tcp_max_tw_buckets"
#define TRACKED   "net.netfilter.nf_conntrack_tcp_timeout_time_wait"
#define TRACK_MAX "net.netfilter.nf_conntrack_max"
#define DELAY     "net.ipv4.tcp_tw_reuse_delay"
#define ORPHANS   "net.ipv4.tcp_max_orphans"

/* What a generation recorded about the one key of a row; `value` NULL: not owned. */
typedef struct Owned {
        const char *value;
        const char *origin; /* NULL: not known */
        bool pending;
} Owned;

static const Generation *make_current(
                const SysctlSpec *spec, const Owned *owned, Arena *arena, Generation *generation) {
        if (!owned->value)
                return NULL;
        GenerationKey *key = arena_alloc(arena, sizeof(*key));
        *key = (GenerationKey){
                .spec = spec,
                .value = fixture_value(spec->key, owned->value, arena),
                .profile = "a",
                .pending = owned->pending,
                .origin_known = owned->origin,
        };
        if (owned->origin)
                key->origin = fixture_value(spec->key, owned->origin, arena);
        *generation = (Generation){ .number = 1, .keys = key, .n_keys = 1 };
        return generation;
}

/* One profile that sets one key; NONE stands for "not owned, no finding worth naming". */
#define NONE ((DiagId) -1)

static int build_one(
                const Bundle *bundle, const Generation *current, const LiveSnapshot *live,
                Arena *arena, DiagList *list, EffectiveSet *ret) {
        const Bundle *const bundles[] = { bundle };
        EffectiveInput input = {
                .bundles = bundles, .n_bundles = 1, .current = current, .live = live
        };
        return effective_set_build(&input, arena, list, ret, NULL);
}

/* One case a line is how this table is read. */
/* clang-format off */
static const struct {
        const char *key, *text; /* of the setting */
        const char *live;
        Owned owned;
        const char *want; /* NULL: not in the set */
        bool pending;
        DiagId id;
} one_key[] = {
        /* exact */
        { RETRIES, "9", "15", {}, "9", false, NONE },
        { RETRIES, "9", "9", {}, "9", false, NONE },
        /* bounds against the live value of a key that is taken now */
        { RETRIES, "{at-least: 9}", "15", {}, NULL, false, DIAG_BOUND_SATISFIED },
        { RETRIES, "{at-least: 9}", "9", {}, NULL, false, DIAG_BOUND_SATISFIED },
        { RETRIES, "{at-least: 16}", "15", {}, "16", false, NONE },
        { RETRIES, "{at-most: 15}", "15", {}, NULL, false, DIAG_BOUND_SATISFIED },
        { RETRIES, "{at-most: 10}", "15", {}, "10", false, NONE },
        /* bounds against the origin of a key that is ours, whatever lives now */
        { RETRIES, "{at-least: 9}", "9", { "9", "8", false }, "9", false, NONE },
        { RETRIES, "{at-least: 9}", "9", { "9", "15", false }, NULL, false, DIAG_BOUND_SATISFIED },
        { RETRIES, "{at-least: 9}", "30", { "9", "8", false }, "9", false, NONE },
        /* origin not known: the constant default, which is what leaving would restore */
        { RETRIES, "{at-least: 9}", "9", { "9", NULL, false }, NULL, false, DIAG_BOUND_SATISFIED },
        { RETRIES, "{at-least: 20}", "20", { "20", NULL, false }, "20", false, NONE },
        /* neither origin nor default: it stays ours, moved only as far as the bound asks */
        { BUCKETS, "{at-least: 8192}", "16384", { "16384", NULL, false }, "16384", false, NONE },
        { BUCKETS, "{at-least: 32768}", "16384", { "16384", NULL, false }, "32768", false, NONE },
        { BUCKETS, "{at-most: 8192}", "16384", { "16384", NULL, false }, "8192", false, NONE },
        /* a module's key waits */
        { TRACKED, "60", FIXTURE_ABSENT, {}, "60", true, NONE },
        { TRACKED, "{value: 60, when: present}", FIXTURE_ABSENT, {}, NULL, false, DIAG_KEY_SKIPPED },
        { TRACKED, "{at-least: 60}", FIXTURE_ABSENT, {}, NULL, false, DIAG_BOUND_SATISFIED },
        { TRACKED, "{at-most: 60}", FIXTURE_ABSENT, {}, "60", true, NONE },
        { TRACK_MAX, "{at-least: 65536}", FIXTURE_ABSENT, {}, "65536", true, NONE },
        { TRACK_MAX, "{at-most: 65536}", FIXTURE_ABSENT, {}, "65536", true, NONE },
        /* it came, still with the kernel's own value, which is the base then */
        { TRACKED, "{at-most: 60}", "120", { "60", NULL, true }, "60", false, NONE },
        { TRACKED, "{at-most: 60}", "50", { "60", NULL, true }, NULL, false, DIAG_BOUND_SATISFIED },
        { TRACKED, "{at-most: 60}", "60", { "60", NULL, true }, "60", false, NONE },
        /* conditions of a setting */
        { RETRIES, "{value: 9, when: {kernel: \">=6.13\"}}", "15", {}, NULL, false, DIAG_KEY_SKIPPED },
        { RETRIES, "{value: 9, when: {kernel: \"<6.13\"}}", "15", {}, "9", false, NONE },
        { DELAY, "{value: 1000, when: present}", FIXTURE_ABSENT, {}, NULL, false, DIAG_KEY_SKIPPED },
        { DELAY, "{value: 1000, when: present}", "500", {}, "1000", false, NONE },
        /* below --root it will be there: against the default, else the bound itself */
        { DELAY, "{value: 900, when: present}", FIXTURE_ASSUMED, {}, "900", false, NONE },
        { RETRIES, "{at-least: 9}", FIXTURE_ASSUMED, {}, NULL, false, DIAG_BOUND_SATISFIED },
        { RETRIES, "{at-least: 20}", FIXTURE_ASSUMED, {}, "20", false, NONE },
        { BUCKETS, "{at-least: 65536}", FIXTURE_ASSUMED, {}, "65536", false, NONE },
        /* gone, but ours: it waits instead of blocking every other change */
        { DELAY, "1000", FIXTURE_ABSENT, { "1000", "500", false }, "1000", true, NONE },
};
/* clang-format on */

static void test_one_key_table(void **state UNUSED) {
        TEST_EACH(row, one_key) {
                char text[256];
                (void) snprintf(text, sizeof(text), "sysctl:\n  %s: %s\n", row->key, row->text);
                FixtureProfile profile = { "a", text };
                FixtureLibrary library = { &profile, 1 };
                CLEANUP(arena_freep) Arena *arena = arena_new();
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "a");
                FixtureKernel kernel = { .keys = { { row->key, row->live } } };
                LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
                const SysctlSpec *spec = catalogue_find(row->key);
                Generation generation;
                const Generation *current = make_current(spec, &row->owned, arena, &generation);

                EffectiveSet set = {};
                assert_int_equal(build_one(bundle, current, &live, arena, list, &set), 0);
                assert_int_equal(set.n_keys, row->want ? 1 : 0);
                assert_int_equal(diag_list_count(list), row->id == NONE ? 0 : 1);
                if (row->id != NONE) {
                        assert_int_equal(diag_list_get(list, 0)->id, row->id);
                        assert_string_equal(diag_list_get(list, 0)->key, row->key);
                        assert_string_equal(diag_list_get(list, 0)->profile, "a");
                }
                if (!row->want)
                        continue;
                fixture_assert_value(spec, &set.keys[0].value, row->want);
                assert_int_equal(set.keys[0].pending, row->pending);
                assert_ptr_equal(set.keys[0].bundle, bundle);
                assert_ptr_equal(effective_set_find(&set, row->key), &set.keys[0]);
                assert_null(effective_set_find(&set, "net.core.somaxconn"));
        }
}

#define HEAD(lines) lines "sysctl:\n  net.core.somaxconn: 4096\n"

static const struct {
        FixtureProfile profiles[2]; /* [0] is the root */
        FixtureKernel kernel;
        DiagId id;
        const char *message;
        const char *note; /* a part of one, or NULL */
} refusals[] = {
        { { { "a", "sysctl:\n  " DELAY ": 1000\n" } },
          {},
          DIAG_KEY_ABSENT,
          "this kernel has no '" DELAY "'",
          "Linux has it from 6.14 on, and this one is 6.12" },
        { { { "a", "sysctl:\n  net.ipv4.tcp_tw_timeout: 60\n" } },
          {},
          DIAG_KEY_ABSENT,
          "this kernel has no 'net.ipv4.tcp_tw_timeout'",
          "only kernels of '" },
        { { { "a", "sysctl:\n  net.ipv4.tcp_rfc1337: 0\n" } },
          {},
          DIAG_KEY_ABSENT,
          "this kernel has no 'net.ipv4.tcp_rfc1337'",
          NULL },
        { { { "a", "sysctl:\n  " ORPHANS ": 65536\n" } },
          { .child_netns = true },
          DIAG_KEY_ABSENT,
          "'" ORPHANS "' is host-wide",
          "the host's own network namespace" },
        { { { "a", "sysctl:\n  " TRACK_MAX ": 65536\n" } },
          { .child_netns = true },
          DIAG_KEY_ABSENT,
          "'" TRACK_MAX "' is host-wide",
          "the host's own network namespace" },
        /* per namespace since 4.6 only, so host-wide here */
        { { { "a", "sysctl:\n  net.ipv4.tcp_fin_timeout: 30\n" } },
          { .child_netns = true, .version = { 4, 4, 0 } },
          DIAG_KEY_ABSENT,
          "'net.ipv4.tcp_fin_timeout' is host-wide",
          NULL },
        { { { "a", "sysctl:\n  " RETRIES ": 9\n" } },
          { .keys = { { RETRIES, FIXTURE_DENIED } } },
          DIAG_KEY_UNREADABLE,
          "cannot read '" RETRIES "': Permission denied",
          NULL },
        { { { "a", "sysctl:\n  " RETRIES ": 9\n" } },
          { .keys = { { RETRIES, "many" } } },
          DIAG_KEY_UNREADABLE,
          "'" RETRIES "' holds 'many' here, which is no value of type int",
          NULL },
        { { { "a", HEAD("when: {kernel: \">=6.13\"}\n") } },
          { .keys = { { "net.core.somaxconn", "4096" } } },
          DIAG_PROFILE_CONDITION,
          "profile 'a' asks for kernel",
          NULL },
        { { { "a", HEAD("include: [b]\n") }, { "b", HEAD("when: {kernel: \"<6.0\"}\n") } },
          { .keys = { { "net.core.somaxconn", "4096" } } },
          DIAG_PROFILE_CONDITION,
          "profile 'b' asks for kernel",
          "profile 'a' includes 'b'" },
};

static void test_refusals(void **state UNUSED) {
        TEST_EACH(row, refusals) {
                FixtureLibrary library = { row->profiles, row->profiles[1].name ? 2 : 1 };
                CLEANUP(arena_freep) Arena *arena = arena_new();
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "a");
                FixtureKernel kernel = row->kernel;
                LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
                EffectiveSet set = {};
                assert_int_equal(
                                build_one(bundle, NULL, &live, arena, list, &set),
                                EFFECTIVE_E_REFUSED);
                assert_int_equal(diag_list_count(list), 1);
                assert_int_equal(diag_list_exit_code(list), 4);
                const Diag *d = diag_list_get(list, 0);
                assert_int_equal(d->id, row->id);
                assert_non_null(strstr(d->message, row->message));
                assert_string_equal(d->profile, "a");
                assert_true(span_is_set(&d->span));
                if (row->note) {
                        assert_int_equal(d->n_notes, 1);
                        assert_non_null(strstr(d->notes[0], row->note));
                }
        }
}

/* What is enabled already was judged then; with one byte changed it is judged again. */
static void test_condition_of_what_is_enabled(void **state UNUSED) {
        static const FixtureProfile profiles[] = {
                { "a", HEAD("when: {kernel: \">=6.13\"}\n") },
        };
        FixtureLibrary library = FIXTURE_LIBRARY(profiles);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(bundle_freep) Bundle *bundle = fixture_bundle(&library, "a");
        FixtureKernel kernel = { .keys = { { "net.core.somaxconn", "128" } } };
        LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
        GenerationProfile profile = { .name = "a", .digest = bundle->digest };
        Generation current = { .number = 1, .profiles = &profile, .n_profiles = 1 };

        for (int changed = 0; changed < 2; changed++) {
                profile.digest.bytes[0] ^= (uint8_t) changed;
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                EffectiveSet set = {};
                assert_int_equal(
                                build_one(bundle, &current, &live, arena, list, &set),
                                changed ? EFFECTIVE_E_REFUSED : 0);
                assert_int_equal(fixture_count(list, DIAG_PROFILE_CONDITION), changed);
        }
}

static const FixtureProfile many[] = {
        { "a", "sysctl:\n  " RETRIES ": {at-least: 9}\n  net.core.somaxconn: 8192\n" },
        { "b", "priority: 60\nsysctl:\n  " RETRIES ": 20\n  net.ipv4.tcp_rfc1337: 0\n" },
        { "c", "priority: 40\nsysctl:\n  net.core.somaxconn: 1024\n" },
        { "d", "sysctl:\n  net.core.somaxconn: 1024\n" },
        { "e", "priority: 60\nsysctl:\n  " RETRIES ": {value: 30, when: {kernel: \">=7.0\"}}\n" },
};

static const FixtureKernel many_kernel = {
        .keys = { { RETRIES, "15" },
                  { "net.core.somaxconn", "128" },
                  { "net.ipv4.tcp_rfc1337", "0" } },
};

static void test_several_profiles(void **state UNUSED) {
        FixtureLibrary library = FIXTURE_LIBRARY(many);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        fixture_bundles_load(&bundles, &library, "a b c e");
        FixtureKernel kernel = many_kernel;
        LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
        EffectiveSet set = {};
        assert_int_equal(fixture_build(&bundles, &live, arena, list, &set), 0);

        static const struct {
                const char *key, *value, *by;
        } want[] = {
                { "net.core.somaxconn", "8192", "a" },
                { "net.ipv4.tcp_retries2", "20", "b" },
                { "net.ipv4.tcp_rfc1337", "0", "b" },
        };
        assert_int_equal(set.n_keys, ELEMENTSOF(want));
        for (size_t i = 0; i < ELEMENTSOF(want); i++) {
                assert_string_equal(set.keys[i].spec->key, want[i].key);
                fixture_assert_value(set.keys[i].spec, &set.keys[i].value, want[i].value);
                assert_string_equal(bundle_root(set.keys[i].bundle)->name, want[i].by);
        }
        assert_int_equal(diag_list_count(list), 2);
        assert_int_equal(fixture_count(list, DIAG_OVERRIDDEN), 1); /* c */
        assert_int_equal(
                        fixture_count(list, DIAG_KEY_SKIPPED),
                        1); /* e, or it would conflict with b */
}

static void test_conflict_refuses(void **state UNUSED) {
        FixtureLibrary library = FIXTURE_LIBRARY(many);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        fixture_bundles_load(&bundles, &library, "a d");
        FixtureKernel kernel = many_kernel;
        LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
        EffectiveSet set = {};
        assert_int_equal(fixture_build(&bundles, &live, arena, list, &set), EFFECTIVE_E_REFUSED);
        assert_int_equal(fixture_count(list, DIAG_MERGE_CONFLICT), 1);
        assert_int_equal(diag_list_exit_code(list), 3);
}

static void test_collect_specs(void **state UNUSED) {
        FixtureLibrary library = FIXTURE_LIBRARY(many);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(fixture_bundles_deinit) FixtureBundles bundles = {};
        fixture_bundles_load(&bundles, &library, "a b c d e");
        const SysctlSpec **specs = NULL;
        size_t n = 0;
        assert_int_equal(
                        effective_collect_specs(
                                        fixture_bundles_items(&bundles), bundles.n, arena, &specs,
                                        &n),
                        0);
        static const char *const want[] = { "net.core.somaxconn", RETRIES, "net.ipv4.tcp_rfc1337" };
        assert_int_equal(n, ELEMENTSOF(want));
        for (size_t i = 0; i < ELEMENTSOF(want); i++)
                assert_string_equal(specs[i]->key, want[i]);

        assert_int_equal(effective_collect_specs(NULL, 0, arena, &specs, &n), 0);
        assert_int_equal(n, 0);
}

static void test_find_origin(void **state UNUSED) {
        static const struct {
                Owned owned;
                const char *live;
                const char *origin; /* NULL: not known */
        } rows[] = {
                { {}, "15", "15" },
                { {}, FIXTURE_ABSENT, NULL },
                { {}, FIXTURE_DENIED, NULL },
                { { "9", "12", false }, "9", "12" },
                { { "9", "12", true }, FIXTURE_ABSENT, "12" },
                { { "9", NULL, false }, "9", NULL },
                { { "9", NULL, false }, "15", NULL },
                { { "9", NULL, true }, "15", "15" },
                { { "9", NULL, true }, "9", NULL },
                { { "9", NULL, true }, FIXTURE_ABSENT, NULL },
        };
        const SysctlSpec *spec = catalogue_find(RETRIES);
        TEST_EACH(row, rows) {
                CLEANUP(arena_freep) Arena *arena = arena_new();
                Generation generation;
                const Generation *current = make_current(spec, &row->owned, arena, &generation);
                FixtureKernel kernel = { .keys = { { RETRIES, row->live } } };
                LiveKey live = fixture_kernel_read(&kernel, spec, arena);
                SysctlValue origin = {};
                bool known = effective_find_origin(current ? current->keys : NULL, &live, &origin);
                assert_int_equal(known, row->origin != NULL);
                if (known)
                        fixture_assert_value(spec, &origin, row->origin);
        }
        SysctlValue origin;
        assert_false(effective_find_origin(NULL, NULL, &origin));
}

TEST_MAIN(cmocka_unit_test(test_one_key_table), cmocka_unit_test(test_refusals),
          cmocka_unit_test(test_condition_of_what_is_enabled),
          cmocka_unit_test(test_several_profiles), cmocka_unit_test(test_conflict_refuses),
          cmocka_unit_test(test_collect_specs), cmocka_unit_test(test_find_origin))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-sets.h"

#include "cli-root.h"

static int build(
                const char *root, const char *profile, uint32_t ports, Context *context,
                LabSets *ret) {
        static const char *args[1];
        args[0] = profile;
        assert_int_equal(context_init(context), 0);
        context->options.root = root;
        context->args = args;
        context->n_args = profile ? 1 : 0;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, context, &context->error), 0);
        return lab_sets_build(context, &host, ports, ret, &context->error);
}

static const char *text_of(const LabSets *sets, size_t set, const char *key) {
        for (size_t i = 0; i < sets->n_settings; i++)
                if (streq(sets->settings[set][i].spec->key, key))
                        return sets->settings[set][i].text;
        return "(none)";
}

static void test_sets_differ_in_the_profile_alone(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        LabSets sets;
        assert_int_equal(build(root, "spare", 0, &context, &sets), 0);
        assert_int_equal(sets.n_sets, 2);
        assert_string_equal(text_of(&sets, 1, "net.ipv4.tcp_tw_reuse"), "1");
        assert_string_equal(text_of(&sets, 1, "net.ipv4.tcp_fin_timeout"), "20");
        assert_string_equal(text_of(&sets, 0, "net.ipv4.tcp_mem"), "(none)");
        size_t n_different = 0;
        for (size_t i = 0; i < sets.n_settings; i++) {
                assert_ptr_equal(sets.settings[0][i].spec, sets.settings[1][i].spec);
                n_different += !streq(sets.settings[0][i].text, sets.settings[1][i].text);
                assert_true(i == 0 || sets.settings[0][i - 1].spec->write_order <=
                                                      sets.settings[0][i].spec->write_order);
        }
        assert_in_range(n_different, 1, 2);
        assert_int_equal(sets.n_changes, 2);
        root_remove(root);
}

static void test_sets_without_profile_and_with_fewer_ports(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        LabSets sets;
        assert_int_equal(build(root, NULL, 7, &context, &sets), 0);
        assert_int_equal(sets.n_sets, 1);
        assert_int_equal(sets.n_changes, 0);
        uint32_t low = 0, high = 0;
        const char *range = text_of(&sets, 0, "net.ipv4.ip_local_port_range");
        assert_int_equal(lab_range_parse(range, &low, &high), 0);
        assert_int_equal(high - low + 1, 7);
        root_remove(root);
}

static void test_sets_of_a_broken_profile_are_refused(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        static const char *const names[] = { "broken", "nowhere" };
        TEST_EACH(name, names) {
                CLEANUP(context_deinit) Context context;
                LabSets sets;
                assert_int_equal(build(root, *name, 0, &context, &sets), LAB_SETS_E_REFUSED);
                assert_true(diag_list_count_errors(context.findings) > 0);
        }
        root_remove(root);
}

static void test_narrow_table(void **state) {
        (void) state;
        static const struct {
                const char *range;
                uint32_t ports;
                const char *want;
        } rows[] = {
                { "32768\t60999", 200, "32768\t32967" }, { "32768\t60999", 0, "32768\t60999" },
                { "1000 1009", 10, "1000 1009" },        { "1000 1009", 9, "1000\t1008" },
                { "1000 1009", 500, "1000 1009" },       { "1000", 5, "1000" },
                { "1000 99999", 5, "1000 99999" },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows)
                assert_string_equal(lab_sets_narrow(row->range, row->ports, arena), row->want);
}

static void test_with_replaces_or_adds(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const SysctlSpec *reuse = catalogue_find("net.ipv4.tcp_tw_reuse");
        const SysctlSpec *buckets = catalogue_find("net.ipv4.tcp_max_tw_buckets");
        const LabSetting one[] = { { reuse, "0" } };
        size_t n = 0;
        const LabSetting *more = lab_sets_with(one, 1, buckets, "100", arena, &n);
        assert_int_equal(n, 2);
        assert_ptr_equal(more[1].spec, buckets);
        more = lab_sets_with(one, 1, reuse, "1", arena, &n);
        assert_int_equal(n, 1);
        assert_string_equal(more[0].text, "1");
        assert_string_equal(one[0].text, "0");
}

TEST_MAIN(cmocka_unit_test(test_sets_differ_in_the_profile_alone),
          cmocka_unit_test(test_sets_without_profile_and_with_fewer_ports),
          cmocka_unit_test(test_sets_of_a_broken_profile_are_refused),
          cmocka_unit_test(test_narrow_table), cmocka_unit_test(test_with_replaces_or_adds))

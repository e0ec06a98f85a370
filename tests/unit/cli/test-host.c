/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree is that of the golden tests, copied: its modes must be right and its owner ours. */
#include "cli/host.h"

#include "cli-root.h"

static void test_host_open_reads_the_status(void **state) {
        (void) state;
        static const struct {
                const char *boot_id;
                unsigned long inode;
                HostStatus want;
                uint64_t generation;
        } rows[] = {
                { CLI_ROOT_BOOT, CLI_ROOT_NETNS, HOST_STATUS_CURRENT, 3 },
                { "99999999-2222-4333-8444-555555555555", CLI_ROOT_NETNS, HOST_STATUS_OTHER_BOOT,
                  3 },
                { CLI_ROOT_BOOT, 1, HOST_STATUS_OTHER_NETNS, 0 },
        };
        TEST_EACH(row, rows) {
                char root[64];
                cli_root_new(root, row->boot_id, row->inode);
                CLEANUP(context_deinit) Context context;
                assert_int_equal(context_init(&context), 0);
                context.options.root = root;
                CLEANUP(host_close) Host host = HOST_EMPTY;
                assert_int_equal(host_open(&host, &context, &context.error), 0);
                assert_int_equal(host.status_state, row->want);
                assert_int_equal(host.kernel.major, 6);
                assert_true(host.initial_netns);
                const Generation *g = host_generation(&host);
                assert_int_equal(g ? g->number : 0, row->generation);
                root_remove(root);
        }
}

static void test_host_open_without_and_with_a_broken_status(void **state) {
        (void) state;
        char root[64], path[128];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        root_write(root, "run/twprofile/status.json", "{");
        Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, &context, &context.error), -EIO);
        assert_non_null(strstr(context.error.text, "status.json"));
        (void) snprintf(path, sizeof(path), "%s/run/twprofile/status.json", root);
        assert_int_equal(unlink(path), 0);
        error_reset(&context.error);
        assert_int_equal(host_open(&host, &context, &context.error), 0);
        assert_int_equal(host.status_state, HOST_STATUS_NONE);
        assert_null(host_generation(&host));
        host_close(&host);
        root_remove(root);
}

static void test_host_read_live_below_a_root_reads_nothing_by_itself(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        assert_int_equal(unsetenv("TWPROFILE_ROOT_LIVE"), 0);
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, &context, &context.error), 0);
        assert_true(host.files_only);
        const SysctlSpec *specs[] = { catalogue_find("net.ipv4.tcp_timestamps"),
                                      catalogue_find("net.ipv4.tcp_tw_timeout") };
        LiveSnapshot live;
        assert_int_equal(host_read_live(&host, specs, 2, context.arena, &live, &context.error), 0);
        assert_int_equal(live.keys[0].state, LIVE_ASSUMED);
        assert_int_equal(live.keys[1].state, LIVE_ABSENT);
        assert_int_equal(setenv("TWPROFILE_ROOT_LIVE", "1", 1), 0);
        root_remove(root);
}

static void test_host_profile_is_changed(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, &context, &context.error), 0);
        const GenerationProfile *web = generation_find_profile(host_generation(&host), "web");
        assert_non_null(web);
        bool changed = true;
        assert_int_equal(host_profile_is_changed(&host, web, &changed, &context.error), 0);
        assert_false(changed);
        root_write(root, "usr/share/twprofile/profiles/base.yaml", "not a profile any more\n");
        assert_int_equal(host_profile_is_changed(&host, web, &changed, &context.error), 0);
        assert_true(changed);
        root_remove(root);
}

static void test_host_read_fragment(void **state) {
        (void) state;
        char root[64], path[128];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, &context, &context.error), 0);
        PlanFragment fragment;
        assert_int_equal(host_read_fragment(&host, &fragment, &context.error), 0);
        assert_true(fragment.exists);
        assert_true(sha256_equal(&fragment.digest, &host_generation(&host)->fragment));
        (void) snprintf(path, sizeof(path), "%s/etc/sysctl.d/60-twprofile.conf", root);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(host_read_fragment(&host, &fragment, &context.error), 0);
        assert_false(fragment.exists);
        root_remove(root);
}

static void test_host_has_news_of_another_view_only(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, &context, &context.error), 0);
        assert_false(host_has_news(&host));

        char path[128], new_path[160];
        (void) snprintf(path, sizeof(path), "%s/run/twprofile/status.json", root);
        (void) snprintf(new_path, sizeof(new_path), "%s.new", path);
        root_write(root, "run/twprofile/status.json.new", "{}");
        assert_int_equal(rename(new_path, path), 0);
        assert_true(host_has_news(&host));
        assert_int_equal(unlink(path), 0);
        assert_true(host_has_news(&host));
        host.files_only = true;
        assert_false(host_has_news(&host));
        root_remove(root);
}

TEST_MAIN(cmocka_unit_test(test_host_open_reads_the_status),
          cmocka_unit_test(test_host_open_without_and_with_a_broken_status),
          cmocka_unit_test(test_host_read_live_below_a_root_reads_nothing_by_itself),
          cmocka_unit_test(test_host_profile_is_changed), cmocka_unit_test(test_host_read_fragment),
          cmocka_unit_test(test_host_has_news_of_another_view_only))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/advise-plan.h"

#include "cli-root.h"

static void check(const char *root, const char *profile, const char *const want[3]) {
        Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        context.out.width = 200;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(advise_plan_add(&context, profile, &out), 0);
        for (size_t i = 0; i < 3 && want[i]; i++)
                if (!strstr(strbuf_text(&out), want[i]))
                        fail_msg("'%s' is not in:\n%s", want[i], strbuf_text(&out));
        /* what a plan finds is no finding of advice */
        assert_int_equal(diag_list_count(context.findings), 0);
        assert_int_equal(context.text.length, 0);
        context_deinit(&context);
}

/* On the tree of the golden files somebody has changed what a profile had set. */
static void test_refused(void **state UNUSED) {
        static const struct {
                const char *profile;
                const char *want[3];
        } rows[] = {
                { "base",
                  { "The profile base would help, but cannot be planned here:",
                    "somebody else changed it." } },
                { "nowhere", { "cannot be planned here: there is no profile 'nowhere'." } },
                { "broken", { "The profile broken would help, but cannot be planned here:" } },
        };
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        TEST_EACH(row, rows)
                check(root, row->profile, row->want);
        root_remove(root);
}

/* Nothing is enabled, and a profile shows what it would change. */
static void test_planned(void **state UNUSED) {
        static const char *const files[] = { "run/twprofile/status.json",
                                             "etc/sysctl.d/60-twprofile.conf" };
        char root[64], path[128];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", root, files[i]);
                assert_int_equal(unlink(path), 0);
        }
        check(root, "web",
              (const char *const[3]){
                              "The profile web would help. 'twprofile enable web' would change:",
                              "KEY", "net.ipv4.tcp_keepalive_time" });
        root_remove(root);
}

static void test_mention(void **state UNUSED) {
        Context context;
        assert_int_equal(context_init(&context), 0);
        context.out.width = 200;
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(advise_plan_mention(&context, "hygiene", &out), 0);
        assert_string_equal(
                        strbuf_text(&out), "\nThe profile hygiene would help: on that host, "
                                           "'twprofile plan hygiene' shows what it would "
                                           "change.\n");
        context_deinit(&context);
}

TEST_MAIN(cmocka_unit_test(test_refused), cmocka_unit_test(test_planned),
          cmocka_unit_test(test_mention))

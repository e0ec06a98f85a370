/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/capabilities.h"

#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static const CapabilityState clean = {
        .permitted = CAPABILITY_NONE,
        .inheritable = CAPABILITY_NONE,
        .effective = CAPABILITY_NONE,
        .ambient = CAPABILITY_NONE,
        .bounding = CAPABILITY_NONE,
        .no_new_privs = true,
};

static void test_judge_clean(void **state) {
        (void) state;
        assert_int_equal(capabilities_judge(&clean, false, NULL), 0);
        CapabilityState bounded = clean;
        bounded.bounding = 12;
        assert_int_equal(capabilities_judge(&bounded, true, NULL), 0);
}

static void test_judge_names_what_is_left(void **state) {
        (void) state;
        static const struct {
                size_t offset;
                const char *text;
        } rows[] = {
                { offsetof(CapabilityState, permitted), "cap_net_admin in its permitted set" },
                { offsetof(CapabilityState, inheritable), "cap_net_admin in its inheritable set" },
                { offsetof(CapabilityState, effective), "cap_net_admin in its effective set" },
                { offsetof(CapabilityState, ambient), "AmbientCapabilities= (empty)" },
                { offsetof(CapabilityState, bounding), "CapabilityBoundingSet= (empty)" },
        };
        TEST_EACH(row, rows) {
                CapabilityState bad = clean;
                *(int *) (void *) ((char *) &bad + row->offset) = 12; /* CAP_NET_ADMIN */
                Error error = {};
                assert_int_equal(capabilities_judge(&bad, false, &error), -EPERM);
                assert_non_null(strstr(error.text, row->text));
                assert_non_null(strstr(error.text, "packaging mistake"));
        }

        CapabilityState gains = clean;
        gains.no_new_privs = false;
        Error error = {};
        assert_int_equal(capabilities_judge(&gains, false, &error), -EPERM);
        assert_non_null(strstr(error.text, "NoNewPrivileges=yes"));
}

/* Nothing is left, but for what a user namespace of its own keeps. */
static bool is_empty(int held) {
        return held == CAPABILITY_NONE || (capabilities_kept() & (UINT64_C(1) << held)) != 0;
}

/* Runs in a child, because there is no way back. The number of the first thing that is wrong, or 0. */
static int drop_and_look(void) {
        CapabilityState before, after;
        if (capabilities_read(&before, NULL) < 0)
                return 1;
        if (capabilities_drop(NULL) < 0)
                return 2;
        if (capabilities_read(&after, NULL) < 0)
                return 3;
        if (!is_empty(after.permitted) || !is_empty(after.effective) ||
            after.inheritable != CAPABILITY_NONE || after.ambient != CAPABILITY_NONE ||
            !after.no_new_privs)
                return 4;
        if (before.is_setpcap && !is_empty(after.bounding))
                return 5;
        if (before.is_setpcap && capabilities_kept() == 0 && capabilities_check_unit(NULL) < 0)
                return 6;
        /* a second time there is nothing to do, and nothing that fails */
        if (capabilities_drop(NULL) < 0)
                return 7;
        /* what needed a capability is refused now, also for uid 0 */
        return setgid(getgid() + 1) < 0 ? 0 : 8;
}

static void test_drop_leaves_nothing(void **state) {
        (void) state;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(drop_and_look());
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_check_unit_refuses_a_privileged_process(void **state) {
        (void) state;
        CapabilityState now;
        assert_int_equal(capabilities_read(&now, NULL), 0);
        Error error = {};
        bool is_clean = capabilities_judge(&now, false, NULL) >= 0;
        assert_int_equal(capabilities_check_unit(&error), is_clean ? 0 : -EPERM);
        assert_int_equal(error_is_set(&error), !is_clean);
}

TEST_MAIN(cmocka_unit_test(test_judge_clean), cmocka_unit_test(test_judge_names_what_is_left),
          cmocka_unit_test(test_drop_leaves_nothing),
          cmocka_unit_test(test_check_unit_refuses_a_privileged_process))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/private-namespaces.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define NOBODY     65534U
#define REFUSED    77
#define NOT_ENOUGH 1

static uint64_t netns(void) {
        struct stat st;
        return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}

/* In a process of its own: root in namespaces that are not ours, round them a user namespace for whoever is not root. */
static int enter_as(uid_t uid) {
        pid_t pid = fork();
        if (pid == 0) {
                uint64_t before = netns();
                bool user_namespace = true;
                Error error = {};
                /* who changes his uid no longer owns his /proc/self, unless he says that he may be dumped */
                if (uid != geteuid() &&
                    (setresuid(uid, uid, uid) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0))
                        _exit(REFUSED);
                if (private_namespaces_enter(&user_namespace, &error) < 0)
                        _exit(error_is_set(&error) ? REFUSED : NOT_ENOUGH);
                bool good = geteuid() == 0 && netns() != 0 && netns() != before;
                _exit(good && (uid == 0 || user_namespace) ? 0 : NOT_ENOUGH);
        }
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
                return NOT_ENOUGH;
        return WEXITSTATUS(status);
}

static void check_as(uid_t uid) {
        int code = enter_as(uid);
        if (code == REFUSED) {
                print_message("this host allows uid %u no private namespaces\n", (unsigned) uid);
                skip();
        }
        assert_int_equal(code, 0);
}

static void test_private_namespaces_as_we_are(void **state UNUSED) {
        uint64_t before = netns();
        check_as(geteuid());
        assert_int_equal(netns(), before);
}

static void test_private_namespaces_as_nobody(void **state UNUSED) {
        check_as(NOBODY);
}

TEST_MAIN(cmocka_unit_test(test_private_namespaces_as_we_are),
          cmocka_unit_test(test_private_namespaces_as_nobody))

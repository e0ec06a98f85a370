/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hygiene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Runs in a child. The number of the first thing that is wrong, or 0. */
static int enter_and_look(void) {
        if (setenv("SERVICE_RESULT", "signal", 1) < 0 || setenv("EXIT_CODE", "killed", 1) < 0 ||
            setenv("EXIT_STATUS", "a text that is longer than every word of systemd", 1) < 0)
                return 1;
        int high = fcntl(STDERR_FILENO, F_DUPFD, 100);
        (void) close(STDIN_FILENO);
        sigset_t blocked;
        (void) sigfillset(&blocked);
        (void) sigprocmask(SIG_BLOCK, &blocked, NULL);

        Aftermath aftermath;
        if (high < 100 || hygiene_enter(&aftermath, NULL) < 0)
                return 2;
        if (!streq(aftermath.service_result, "signal") || !streq(aftermath.exit_code, "killed") ||
            !streq(aftermath.exit_status, ""))
                return 3;
        if (fcntl(high, F_GETFD) >= 0)
                return 4;
        struct stat st;
        if (fstat(STDIN_FILENO, &st) < 0 || !S_ISCHR(st.st_mode))
                return 5;
        if (getenv("PATH") || getenv("SERVICE_RESULT"))
                return 6;
        if (umask(0) != 0077 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
                return 7;

        sigset_t now;
        (void) sigprocmask(SIG_SETMASK, NULL, &now);
        if (sigismember(&now, SIGTERM) != 0)
                return 8;
        /* none of these ends us any more */
        (void) raise(SIGPIPE);
        (void) raise(SIGINT);
        (void) raise(SIGHUP);
        (void) raise(SIGQUIT);
        (void) raise(SIGTSTP);
        return 0;
}

static void test_enter(void **state) {
        (void) state;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(enter_and_look());
        int status;
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_aftermath_table(void **state) {
        (void) state;
        static const struct {
                Aftermath aftermath;
                bool is_clean, is_set;
        } rows[] = {
                { { "success", "exited", "0" }, true, true },
                /* systemctl stop: a success for systemd, but perhaps half way through a change */
                { { "success", "killed", "TERM" }, false, true },
                { { "signal", "killed", "KILL" }, false, true },
                { { "timeout", "killed", "TERM" }, false, true },
                { { "exit-code", "exited", "2" }, false, true },
                { { "", "", "" }, false, false },
        };
        TEST_EACH(row, rows) {
                assert_int_equal(aftermath_is_clean(&row->aftermath), row->is_clean);
                assert_int_equal(aftermath_is_set(&row->aftermath), row->is_set);
        }
}

TEST_MAIN(cmocka_unit_test(test_enter), cmocka_unit_test(test_aftermath_table))

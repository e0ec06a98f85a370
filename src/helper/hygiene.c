/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hygiene.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static void environment_copy(const char *name, char *ret, size_t size) {
        const char *value = getenv(name);
        size_t n = value ? strlen(value) : 0;
        /* a longer one is none of the words that systemd uses */
        if (n >= size)
                n = 0;
        if (n > 0)
                memcpy(ret, value, n);
        ret[n] = '\0';
}

static int standard_fds_open(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                if (errno != EBADF)
                        return -errno;
                /* the lowest free number is this one: all below are open by now */
                int opened = open(
                                "/dev/null",
                                O_RDWR | O_NOCTTY); /* NOLINT(android-cloexec-open): standard fd */
                if (opened < 0)
                        return -errno;
                assert(opened == fd);
        }
        return 0;
}

static void signals_ignore(void) {
        static const int signals[] = { SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGTSTP };
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                void (*before)(int) = signal(signals[i], SIG_IGN);
                assert(before != SIG_ERR);
        }
        /* whoever started us may have blocked what must end us */
        sigset_t none;
        (void) sigemptyset(&none);
        int r = sigprocmask(SIG_SETMASK, &none, NULL);
        assert(r == 0);
}

int hygiene_enter(Aftermath *ret, Error *reterr) {
        int r = standard_fds_open();
        if (r < 0)
                return error_set(reterr, r, "cannot open '/dev/null'");
        if (close_range(STDERR_FILENO + 1, UINT_MAX, 0) < 0)
                return error_set(reterr, -errno, "cannot close inherited descriptors");

        Aftermath aftermath;
        environment_copy(
                        "SERVICE_RESULT", aftermath.service_result,
                        sizeof(aftermath.service_result));
        environment_copy("EXIT_CODE", aftermath.exit_code, sizeof(aftermath.exit_code));
        environment_copy("EXIT_STATUS", aftermath.exit_status, sizeof(aftermath.exit_status));
        if (clearenv() != 0)
                return error_set(reterr, -ENOMEM, "cannot clear the environment");

        (void) umask(0077);
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set(reterr, -errno, "cannot forbid core dumps");
        signals_ignore();
        *ret = aftermath;
        return 0;
}

bool aftermath_is_set(const Aftermath *aftermath) {
        return aftermath->service_result[0] != '\0';
}

bool aftermath_is_clean(const Aftermath *aftermath) {
        return streq(aftermath->service_result, "success") &&
               streq(aftermath->exit_code, "exited") && streq(aftermath->exit_status, "0");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/guard-state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/posix-lock.h"
#include "system/seam-io.h"

#define ARMED_PATH      "run/twprofile/armed"
#define LOCKS_PATH      "proc/locks"
#define LOCKS_MAX_BYTES ((size_t) 4 * 1024 * 1024)
#define ID_LENGTH       36U

static GuardState ask(int fd, const char *tx) {
        char id[ID_LENGTH + 1] = "";
        pid_t holder = 0;
        if (pread(fd, id, ID_LENGTH, 0) != ID_LENGTH || !streq(id, tx))
                return GUARD_STATE_ABSENT;
        int r = posix_lock_find_holder(fd, &holder);
        return r < 0 ? GUARD_STATE_UNKNOWN : r > 0 ? GUARD_STATE_ALIVE : GUARD_STATE_ABSENT;
}

/* That somebody holds the lock has to do: for which change cannot be read, but a guard holds only one. */
static GuardState ask_locks(int root_fd) {
        struct stat st;
        cleanup_free char *locks = NULL;
        size_t n = 0;
        if (fstatat(root_fd, ARMED_PATH, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            seam_read_file_at(seam_real(), root_fd, LOCKS_PATH, LOCKS_MAX_BYTES, &locks, &n) < 0)
                return GUARD_STATE_UNKNOWN;
        return posix_lock_is_listed(locks, st.st_dev, st.st_ino) ? GUARD_STATE_ALIVE
                                                                 : GUARD_STATE_ABSENT;
}

GuardState guard_state_read(int root_fd, const char *tx) {
        cleanup_close int fd = openat(
                        root_fd, ARMED_PATH,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
                return ask(fd, tx);
        if (errno == EACCES)
                return ask_locks(root_fd);
        return errno == ENOENT ? GUARD_STATE_ABSENT : GUARD_STATE_UNKNOWN;
}

const char *guard_state_name(GuardState state) {
        static const char *const names[] = {
                [GUARD_STATE_UNKNOWN] = "unknown",
                [GUARD_STATE_ALIVE] = "alive",
                [GUARD_STATE_ABSENT] = "absent",
        };
        return names[state];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/audit-group.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

#define GROUP_FILE_MAX ((size_t) 1024 * 1024)

/* A link in the tree is followed inside the tree, never out of it. */
static int open_in_root(int root_fd, const char *path) {
        struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
        long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        /* Container managers filter what is newer than they are. */
        if (fd < 0 && (errno == ENOSYS || errno == EPERM))
                fd = openat(root_fd, path,
                            O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
        return fd < 0 ? -errno : (int) fd;
}

static int read_up_to(int fd, char *buffer, size_t size, size_t *ret_n) {
        size_t n = 0;
        while (n < size) {
                ssize_t got = read(fd, buffer + n, size - n);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t) got;
        }
        *ret_n = n;
        return 0;
}

int audit_group_find(int root_fd, gid_t *ret) {
        cleanup_close int fd = open_in_root(root_fd, "etc/group");
        if (fd < 0)
                return fd;
        cleanup_free char *text = malloc(GROUP_FILE_MAX);
        if (!text)
                return -ENOMEM;
        size_t n = 0;
        int r = read_up_to(fd, text, GROUP_FILE_MAX, &n);
        if (r < 0)
                return r;
        return audit_group_parse(text, n, AUDIT_GROUP_NAME, ret) ? 0 : -ENOENT;
}

/* The gid of one line "name:password:gid:members". */
static bool line_parse(const char *line, size_t n, const char *name, gid_t *ret) {
        size_t n_name = strlen(name);
        if (n <= n_name || memcmp(line, name, n_name) != 0 || line[n_name] != ':')
                return false;
        const char *password = line + n_name + 1, *end = line + n;
        const char *gid = memchr(password, ':', (size_t) (end - password));
        if (!gid)
                return false;
        gid++;
        const char *members = memchr(gid, ':', (size_t) (end - gid));
        size_t n_gid = (size_t) ((members ? members : end) - gid);

        char digits[12];
        if (n_gid >= sizeof(digits))
                return false;
        memcpy(digits, gid, n_gid);
        digits[n_gid] = '\0';
        uint64_t value;
        /* 0xffffffff means "leave alone" to chown() */
        if (num_parse_u64(digits, &value) < 0 || value >= UINT32_MAX)
                return false;
        *ret = (gid_t) value;
        return true;
}

bool audit_group_parse(const char *text, size_t n, const char *name, gid_t *ret) {
        const char *end = text + n;
        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                const char *line_end = newline ? newline : end;
                if (line_parse(text, (size_t) (line_end - text), name, ret))
                        return true;
                text = line_end + 1;
        }
        return false;
}

bool audit_group_is_joined(gid_t gid) {
        if (getegid() == gid)
                return true;
        int n = getgroups(0, NULL);
        if (n <= 0)
                return false;
        cleanup_free gid_t *groups = calloc((size_t) n, sizeof(*groups));
        if (!groups)
                return false;
        n = getgroups(n, groups);
        for (int i = 0; i < n; i++)
                if (groups[i] == gid)
                        return true;
        return false;
}

int audit_group_join(gid_t gid) {
        return setgroups(1, &gid) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

/* Enough for `stat` and for a `cgroup` of a dozen v1 hierarchies with long paths. */
#define PROC_TEXT_MAX 16384U

int process_open(pid_t pid) {
        char path[32];
        (void) snprintf(path, sizeof(path), "/proc/%lld", (long long) pid);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Reads a small file of the process with a NUL behind it. The number of bytes or <0. One read is enough: the
 * kernel makes the whole text of these files at once (single_open() and simple_read_from_buffer()) and gives as
 * much as the buffer holds. */
static ssize_t process_read(int proc_fd, const char *name, char *buffer, size_t size) {
        cleanup_close int fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;

        ssize_t n;
        do
                n = read(fd, buffer, size - 1);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        buffer[n] = '\0';
        return n;
}

int process_read_start(int proc_fd, uint64_t *ret) {
        char text[PROC_TEXT_MAX];
        ssize_t n = process_read(proc_fd, "stat", text, sizeof(text));
        if (n < 0)
                return (int) n;
        return process_parse_start(text, ret) ? 0 : -EBADMSG;
}

void process_read_facts(int proc_fd, AuditCaller *ret) {
        if (process_read_start(proc_fd, &ret->start) < 0)
                ret->start = 0;

        char text[PROC_TEXT_MAX];
        ret->auid = process_read(proc_fd, "loginuid", text, sizeof(text)) < 0
                                    ? AUDIT_UNSET
                                    : process_parse_audit_id(text);
        ret->session = process_read(proc_fd, "sessionid", text, sizeof(text)) < 0
                                       ? AUDIT_UNSET
                                       : process_parse_audit_id(text);

        ret->comm[0] = '\0';
        ssize_t n = process_read(proc_fd, "comm", text, sizeof(text));
        if (n > 0)
                process_copy_name(text, (size_t) n, ret->comm, sizeof(ret->comm));

        ret->unit[0] = '\0';
        if (process_read(proc_fd, "cgroup", text, sizeof(text)) > 0)
                process_parse_unit(text, ret->unit, sizeof(ret->unit));
}

/* --- the texts ------------------------------------------------------------------------------------------ */

bool process_parse_start(const char *stat, uint64_t *ret) {
        const char *p = strrchr(stat, ')');
        if (!p)
                return false;

        /* behind the name comes field 3 */
        for (int field = 2; field < 22; field++) {
                p = strchr(p, ' ');
                if (!p)
                        return false;
                p++;
        }
        char digits[24];
        size_t n = strcspn(p, " \n");
        if (n >= sizeof(digits))
                return false;
        memcpy(digits, p, n);
        digits[n] = '\0';
        return num_parse_u64(digits, ret) == 0;
}

int64_t process_parse_audit_id(const char *text) {
        char digits[16];
        size_t n = strcspn(text, "\n");
        if (n >= sizeof(digits))
                return AUDIT_UNSET;
        memcpy(digits, text, n);
        digits[n] = '\0';
        uint64_t value;
        if (num_parse_u64(digits, &value) < 0 || value >= UINT32_MAX)
                return AUDIT_UNSET;
        return (int64_t) value;
}

/* The path of the hierarchy whose controllers are `controllers` ("" is the unified one). */
static const char *cgroup_find(const char *cgroup, const char *controllers, size_t *ret_n) {
        size_t n_controllers = strlen(controllers);
        for (const char *line = cgroup; *line;) {
                size_t n = strcspn(line, "\n");
                const char *colon = memchr(line, ':', n);
                if (colon && n - (size_t) (colon + 1 - line) > n_controllers &&
                    memcmp(colon + 1, controllers, n_controllers) == 0 &&
                    colon[1 + n_controllers] == ':') {
                        const char *path = colon + 2 + n_controllers;
                        *ret_n = n - (size_t) (path - line);
                        return path;
                }
                line += n + (line[n] == '\n' ? 1 : 0);
        }
        return NULL;
}

void process_parse_unit(const char *cgroup, char *ret, size_t size) {
        static const char *const hierarchies[] = { "name=systemd", "" };
        ret[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(hierarchies) && ret[0] == '\0'; i++) {
                size_t n = 0;
                const char *path = cgroup_find(cgroup, hierarchies[i], &n);
                const char *slash = path ? memrchr(path, '/', n) : NULL;
                /* "/../x": outside of our cgroup namespace, so no unit of this system */
                if (slash && memcmp(path, "/..", n < 3 ? n : 3) != 0)
                        process_copy_name(slash + 1, n - (size_t) (slash + 1 - path), ret, size);
        }
}

void process_copy_name(const char *text, size_t n, char *ret, size_t size) {
        if (n > 0 && text[n - 1] == '\n')
                n--;
        if (n > size - 1)
                n = size - 1;
        for (size_t i = 0; i < n; i++) {
                ret[i] = '?';
                if (text[i] >= ' ' && text[i] <= '~')
                        ret[i] = text[i];
        }
        ret[n] = '\0';
}

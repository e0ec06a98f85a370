/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/sysctl-live.h"

#include <fcntl.h>
#include <stdio.h>

void live_file_close(LiveFile *file) {
        seam_fd_close(&file->fd);
}

int live_file_open(
                const Seam *seam, int root_fd, const SysctlSpec *spec, int flags, LiveFile *ret) {
        char path[256];
        int n = snprintf(path, sizeof(path), "proc/sys/%s", spec->path);
        if (n < 0 || (size_t) n >= sizeof(path))
                return -ENAMETOOLONG;

        LiveFile file = { .spec = spec };
        int r = seam_open(seam, root_fd, path, flags, 0, &file.fd);
        if (r < 0)
                return r;

        *ret = file;
        return 0;
}

int live_file_read(const LiveFile *file, Arena *arena, SysctlValue *ret, const char **ret_text) {
        char buffer[SYSCTL_VALUE_TEXT_MAX];

        /* One read: the kernel formats the whole value into it, a second one would only say "end". */
        ssize_t n = file->fd.seam->ops->pread(
                        file->fd.seam, file->fd.fd, buffer, sizeof(buffer), 0);
        if (n < 0)
                return (int) n;

        size_t length = (size_t) n;
        while (length > 0 && (buffer[length - 1] == '\n' || buffer[length - 1] == '\0'))
                length--;

        const char *text = arena_copy_n(arena, buffer, length);
        if (!text)
                return -ENOMEM;
        *ret_text = text;

        int r = sysctl_value_from_kernel(file->spec, text, length, arena, ret);
        return r == -EINVAL ? -EBADMSG : r;
}

int live_file_write(const LiveFile *file, const SysctlValue *value, Arena *arena) {
        const char *text = sysctl_value_to_kernel(file->spec, value, arena);
        if (!text)
                return -ENOMEM;

        const char *line = arena_format(arena, "%s\n", text);
        if (!line)
                return -ENOMEM;
        return seam_write_once(&file->fd, line, strlen(line));
}

static int live_read_key(
                const Seam *seam, int root_fd, const SysctlSpec *spec, Arena *arena, LiveKey *ret) {
        CLEANUP(live_file_close) LiveFile file = { .fd = SEAM_FD_EMPTY };
        *ret = (LiveKey){ .spec = spec };

        int r = live_file_open(seam, root_fd, spec, O_RDONLY, &file);
        if (r == -ENOENT) {
                ret->state = LIVE_ABSENT;
                return 0;
        }
        if (r >= 0)
                r = live_file_read(&file, arena, &ret->value, &ret->text);
        if (r == -ENOMEM)
                return r;

        if (r == -EBADMSG)
                ret->state = LIVE_STRANGE;
        else if (r < 0) {
                ret->state = LIVE_UNREADABLE;
                ret->error = -r;
        } else
                ret->state = LIVE_PRESENT;
        return 0;
}

int sysctl_live_read(
                const SeamFd *root, const SysctlSpec *const *specs, size_t n_specs, Arena *arena,
                LiveSnapshot *ret, Error *reterr) {
        LiveKey *keys = arena_alloc_array(arena, n_specs, sizeof(LiveKey));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot read live values");

        for (size_t i = 0; i < n_specs; i++) {
                int r = live_read_key(root->seam, root->fd, specs[i], arena, &keys[i]);
                if (r < 0)
                        return error_set(reterr, r, "cannot read '%s'", specs[i]->key);
        }

        ret->keys = keys;
        ret->n_keys = n_specs;
        return 0;
}

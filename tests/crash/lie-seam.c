/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lie-seam.h"

#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/num.h"

static const SeamOps *truth(void) {
        return seam_real()->ops;
}

static bool lie_applies(LieSeam *lie, const char *operation, const char *path) {
        if (!streq(lie->operation, operation) || !strstr(path, lie->path))
                return false;
        return ++lie->seen == lie->nth || lie->nth == 0;
}

/* The path of an open file, as the kernel knows it. */
static void path_of(int fd, char ret[static LIE_SEAM_TEXT_MAX]) {
        char link[64];
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, ret, LIE_SEAM_TEXT_MAX - 1);
        ret[n > 0 ? n : 0] = '\0';
}

static ssize_t lie_pwrite(const Seam *seam, int fd, const void *bytes, size_t n, off_t offset) {
        LieSeam *lie = seam->userdata;
        char path[LIE_SEAM_TEXT_MAX];
        path_of(fd, path);
        if (lie_applies(lie, "again", path)) {
                ssize_t r = truth()->pwrite(seam, fd, bytes, n, offset);
                return r < 0 ? r : truth()->pwrite(seam, fd, bytes, n, offset + (off_t) n);
        }
        if (streq(lie->operation, "says") && strstr(path, lie->path))
                lie->n_bytes = 0;
        if (!lie_applies(lie, "pwrite", path))
                return truth()->pwrite(seam, fd, bytes, n, offset);

        lie->n_bytes = n < sizeof(lie->bytes) ? n : 0;
        memcpy(lie->bytes, bytes, lie->n_bytes);
        return (ssize_t) n;
}

static ssize_t lie_pread(const Seam *seam, int fd, void *buffer, size_t n, off_t offset) {
        const LieSeam *lie = seam->userdata;
        char path[LIE_SEAM_TEXT_MAX];
        path_of(fd, path);
        if (!lie->echo || lie->n_bytes == 0 || !strstr(path, lie->path))
                return truth()->pread(seam, fd, buffer, n, offset);

        size_t from = (size_t) offset < lie->n_bytes ? (size_t) offset : lie->n_bytes;
        size_t length = lie->n_bytes - from < n ? lie->n_bytes - from : n;
        memcpy(buffer, lie->bytes + from, length);
        return (ssize_t) length;
}

static int lie_rename_at(
                const Seam *seam, int from_fd, const char *from, int to_fd, const char *to) {
        if (lie_applies(seam->userdata, "rename", to))
                return 0;
        return truth()->rename_at(seam, from_fd, from, to_fd, to);
}

static int lie_unlink_at(const Seam *seam, int dir_fd, const char *path, int flags) {
        if (lie_applies(seam->userdata, "unlink", path))
                return 0;
        return truth()->unlink_at(seam, dir_fd, path, flags);
}

void lie_seam_init(LieSeam *ret) {
        *ret = (LieSeam){ .ops = *truth() };
        ret->ops.pwrite = lie_pwrite;
        ret->ops.pread = lie_pread;
        ret->ops.rename_at = lie_rename_at;
        ret->ops.unlink_at = lie_unlink_at;
        ret->seam = (Seam){ .ops = &ret->ops, .userdata = ret };
}

static int lie_plan_text(LieSeam *lie, const char *text) {
        int n = text ? snprintf(lie->bytes, sizeof(lie->bytes), "%s\n", text) : -1;
        if (n < 0 || (size_t) n >= sizeof(lie->bytes))
                return -EINVAL;
        lie->n_bytes = (size_t) n;
        lie->echo = true;
        return 0;
}

int lie_seam_plan(LieSeam *lie, const char *text) {
        static const char *const operations[] = { "pwrite", "again", "rename", "unlink", "says" };
        char copy[LIE_SEAM_TEXT_MAX];
        int n = snprintf(copy, sizeof(copy), "%s", text);
        if (n < 0 || (size_t) n >= sizeof(copy))
                return -EINVAL;

        char *rest = copy;
        const char *operation = strsep(&rest, ":"), *path = strsep(&rest, ":"), *word;
        bool is_known = false;
        for (size_t i = 0; i < ELEMENTSOF(operations); i++)
                is_known |= streq(operation, operations[i]);
        if (!is_known || !path || *path == '\0')
                return -EINVAL;
        (void) snprintf(lie->operation, sizeof(lie->operation), "%s", operation);
        (void) snprintf(lie->path, sizeof(lie->path), "%s", path);

        if (streq(operation, "says"))
                return lie_plan_text(lie, rest);
        while ((word = strsep(&rest, ":"))) {
                if (streq(word, "echo"))
                        lie->echo = true;
                else if (num_parse_u64(word, &lie->nth) < 0 || lie->nth == 0)
                        return -EINVAL;
        }
        return 0;
}

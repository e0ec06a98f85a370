/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/sysctl-dirs.h"

#include <fcntl.h>

static const char *const sysctl_directories[] = {
        "etc/sysctl.d",
        "run/sysctl.d",
        "usr/local/lib/sysctl.d",
        "usr/lib/sysctl.d",
};

typedef struct Collect {
        const char *directory;
        const char *after;
        Arena *arena;
        SysctlFile *files;
        size_t n;
        size_t capacity;
} Collect;

static int collect_grow(Collect *collect) {
        if (collect->n < collect->capacity)
                return 0;

        size_t capacity = collect->capacity ? collect->capacity * 2 : 32;
        SysctlFile *files = arena_alloc_array(collect->arena, capacity, sizeof(SysctlFile));
        if (!files)
                return -ENOMEM;
        if (collect->n > 0)
                memcpy(files, collect->files, collect->n * sizeof(SysctlFile));
        collect->files = files;
        collect->capacity = capacity;
        return 0;
}

static int collect_visit(void *userdata, const char *name) {
        Collect *collect = userdata;
        if (name[0] == '.' || !endswith(name, ".conf"))
                return 0;
        if (collect->after && strcmp(name, collect->after) <= 0)
                return 0;

        /* Directories come from the highest: what is there already replaces this one. */
        for (size_t i = 0; i < collect->n; i++)
                if (streq(collect->files[i].name, name))
                        return 0;

        int r = collect_grow(collect);
        if (r < 0)
                return r;
        SysctlFile *file = &collect->files[collect->n++];
        *file = (SysctlFile){
                .name = arena_copy(collect->arena, name),
                .path = arena_format(collect->arena, "/%s/%s", collect->directory, name),
        };
        return file->name && file->path ? 0 : -ENOMEM;
}

static int sysctl_file_compare(const void *a, const void *b) {
        return strcmp(((const SysctlFile *) a)->name, ((const SysctlFile *) b)->name);
}

static int sysctl_file_read(const Seam *seam, int root_fd, SysctlFile *file, Arena *arena) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        struct stat st;

        int r = seam_open(seam, root_fd, file->path + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd);
        if (r >= 0)
                r = seam_fstat(&fd, &st);
        if (r >= 0 && S_ISREG(st.st_mode))
                r = seam_read_file(&fd, SYSCTL_FILE_MAX, &bytes, &n);
        else if (r >= 0 && !S_ISCHR(st.st_mode)) /* /dev/null is a mask: an empty file */
                r = -EINVAL;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                file->error = -r;
                return 0;
        }

        /* The parser's result borrows from the text. */
        char *copy = arena_copy_n(arena, bytes ? bytes : "", n);
        return copy ? sysctl_conf_parse(copy, n, arena, &file->conf) : -ENOMEM;
}

int sysctl_dirs_read(
                const Seam *seam, int root_fd, const char *after, Arena *arena, SysctlFiles *ret,
                Error *reterr) {
        Collect collect = { .after = after, .arena = arena };

        for (size_t i = 0; i < ELEMENTSOF(sysctl_directories); i++) {
                cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
                collect.directory = sysctl_directories[i];
                int r = seam_open(
                                seam, root_fd, collect.directory, O_RDONLY | O_DIRECTORY, 0, &dir);
                if (r == -ENOENT)
                        continue;
                if (r >= 0)
                        r = seam->ops->list(seam, dir.fd, collect_visit, &collect);
                if (r < 0)
                        return error_set(reterr, r, "cannot list '/%s'", collect.directory);
        }

        if (collect.n > 1)
                qsort(collect.files, collect.n, sizeof(SysctlFile), sysctl_file_compare);
        for (size_t i = 0; i < collect.n; i++) {
                int r = sysctl_file_read(seam, root_fd, &collect.files[i], arena);
                if (r < 0)
                        return error_set(reterr, r, "cannot read '%s'", collect.files[i].path);
        }

        *ret = (SysctlFiles){ .files = collect.files, .n_files = collect.n };
        return 0;
}

const SysctlAssignment *sysctl_files_find_last(
                const SysctlFiles *files, const char *path, const SysctlFile **ret_file) {
        for (size_t i = files->n_files; i > 0; i--) {
                const SysctlFile *file = &files->files[i - 1];
                for (size_t k = file->conf.n_items; k > 0; k--) {
                        const SysctlAssignment *item = &file->conf.items[k - 1];
                        if (item->glob || item->exclusion || !streq(item->path, path))
                                continue;
                        *ret_file = file;
                        return item;
                }
        }
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/sysctl-dirs.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>

#define LINKS_MAX 40U

/* From the highest. The last is one with the one before it where /usr is merged; then all its names are taken. */
static const char *const sysctl_directories[] = {
        "etc/sysctl.d",     "run/sysctl.d", "usr/local/lib/sysctl.d",
        "usr/lib/sysctl.d", "lib/sysctl.d",
};

typedef struct Candidate {
        SysctlFile file;
        size_t rank; /* of its directory */
} Candidate;

typedef struct Collect {
        const char *directory;
        size_t rank;
        Arena *arena;
        Candidate *candidates;
        size_t n, capacity;
} Collect;

static int collect_grow(Collect *collect) {
        if (collect->n < collect->capacity)
                return 0;

        size_t capacity = collect->capacity ? collect->capacity * 2 : 32;
        Candidate *candidates = arena_alloc_array(collect->arena, capacity, sizeof(Candidate));
        if (!candidates)
                return -ENOMEM;
        if (collect->n > 0)
                memcpy(candidates, collect->candidates, collect->n * sizeof(Candidate));
        collect->candidates = candidates;
        collect->capacity = capacity;
        return 0;
}

static int collect_add(Collect *collect, const char *name) {
        int r = collect_grow(collect);
        if (r < 0)
                return r;

        Candidate *candidate = &collect->candidates[collect->n++];
        *candidate = (Candidate){
                .file = {
                        .name = arena_copy(collect->arena, name),
                        .path = arena_format(collect->arena, "/%s/%s", collect->directory, name),
                        .text = "",
                        .is_hidden = name[0] == '.',
                },
                .rank = collect->rank,
        };
        return candidate->file.name && candidate->file.path ? 0 : -ENOMEM;
}

static int collect_visit(void *userdata, const char *name) {
        return endswith(name, ".conf") ? collect_add(userdata, name) : 0;
}

static int collect_directory(const Seam *seam, int root_fd, Collect *collect, SysctlDirs *dirs) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(seam, root_fd, collect->directory, O_RDONLY | O_DIRECTORY, 0, &dir);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r >= 0)
                r = seam->ops->list(seam, dir.fd, collect_visit, collect);
        if (r >= 0 || r == -ENOMEM)
                return r;

        /* Both tools go on with the next directory. */
        if (!dirs->denied) {
                dirs->denied = arena_format(collect->arena, "/%s", collect->directory);
                dirs->denied_error = -r;
        }
        return dirs->denied ? 0 : -ENOMEM;
}

static int candidate_compare(const void *a, const void *b) {
        const Candidate *x = a, *y = b;
        int order = strcmp(x->file.name, y->file.name);
        return order != 0 ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

/* One step: the link `name` of `dir` gives way to what it points to. 1 for a mask; an image may have no such device. */
static int follow_link(const Seam *seam, int root_fd, SeamFd *dir, char name[static NAME_MAX + 1]) {
        char target[PATH_MAX];
        int r = seam->ops->readlink_at(seam, dir->fd, name, target, sizeof(target));
        if (r < 0)
                return r;
        if ((size_t) r >= sizeof(target))
                return -ENAMETOOLONG;
        target[r] = '\0';
        if (streq(target, "/dev/null"))
                return 1;

        bool is_absolute = target[0] == '/';
        const char *path = target + (is_absolute ? strspn(target, "/") : 0);
        char *slash = strrchr(target, '/');
        const char *last = slash ? slash + 1 : target;
        if (slash)
                *slash = '\0';
        if (strlen(last) > NAME_MAX)
                return -ENAMETOOLONG;

        cleanup_seam_fd SeamFd old = *dir;
        *dir = SEAM_FD_EMPTY;
        r = seam_open(seam, is_absolute ? root_fd : old.fd, path < last && path[0] ? path : ".",
                      O_PATH | O_DIRECTORY, 0, dir);
        if (r >= 0)
                (void) memcpy(name, last[0] ? last : ".", strlen(last[0] ? last : ".") + 1);
        return r;
}

/* Follows the links of the last part itself. `path` is one of ours, "etc/sysctl.d/NAME". 0; 1 for a mask; <0. */
static int open_following(const Seam *seam, int root_fd, const char *path, SeamFd *ret) {
        static const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
        int r = seam_open(seam, root_fd, path, flags, 0, ret);
        if (r != -ELOOP)
                return r;

        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        char parent[PATH_MAX], name[NAME_MAX + 1];
        const char *slash = strrchr(path, '/');
        if (!slash || (size_t) (slash - path) >= sizeof(parent) || strlen(slash + 1) > NAME_MAX)
                return -ENAMETOOLONG;
        (void) memcpy(parent, path, (size_t) (slash - path));
        parent[slash - path] = '\0';
        (void) memcpy(name, slash + 1, strlen(slash + 1) + 1);

        r = seam_open(seam, root_fd, parent, O_PATH | O_DIRECTORY, 0, &dir);
        for (unsigned i = 0; r >= 0 && i < LINKS_MAX; i++) {
                r = follow_link(seam, root_fd, &dir, name);
                if (r != 0)
                        return r;
                r = seam_open(seam, dir.fd, name, flags, 0, ret);
                if (r != -ELOOP)
                        return r;
                r = 0;
        }
        return r < 0 ? r : -ELOOP;
}

static bool is_null_device(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int sysctl_file_read(
                const Seam *seam, int root_fd, Arena *arena, size_t *budget, SysctlFile *file) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        struct stat st;

        int r = open_following(seam, root_fd, file->path + 1, &fd);
        bool is_mask = r > 0;
        if (r == 0)
                r = seam_fstat(&fd, &st);
        if (r >= 0 && !is_mask && S_ISREG(st.st_mode))
                r = seam_read_file(
                                &fd, *budget < SYSCTL_FILE_MAX ? *budget : SYSCTL_FILE_MAX, &bytes,
                                &n);
        else if (r >= 0 && !is_mask && !is_null_device(&st))
                r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                file->error = -r;
                return 0;
        }

        *budget -= n;
        char *copy = arena_copy_n(arena, bytes ? bytes : "", n);
        file->text = copy;
        file->length = n;
        return copy ? 0 : -ENOMEM;
}

static int read_files(
                const Seam *seam, int root_fd, const char *own_text, Collect *collect,
                SysctlDirs *dirs) {
        SysctlFile *files = arena_alloc_array(collect->arena, collect->n + 1, sizeof(SysctlFile));
        size_t budget = SYSCTL_FILES_MAX;
        if (!files)
                return -ENOMEM;

        for (size_t i = 0; i < collect->n; i++) {
                SysctlFile *file = &files[dirs->n_files];
                *file = collect->candidates[i].file;
                if (dirs->n_files > 0 && streq(file->name, files[dirs->n_files - 1].name))
                        continue;

                bool is_own = own_text && collect->candidates[i].rank == 0 &&
                              streq(file->name, SYSCTL_OWN_FRAGMENT);
                if (is_own) {
                        file->text = arena_copy(collect->arena, own_text);
                        file->length = strlen(own_text);
                }
                int r = is_own ? (file->text ? 0 : -ENOMEM)
                               : sysctl_file_read(seam, root_fd, collect->arena, &budget, file);
                if (r < 0)
                        return r;
                dirs->n_files++;
        }
        dirs->files = files;
        return 0;
}

/* What is on disk gives way to the text that will be. */
static int collect_own(Collect *collect, const char *own_text) {
        size_t n = 0;
        for (size_t i = 0; i < collect->n; i++)
                if (collect->candidates[i].rank != 0 ||
                    !streq(collect->candidates[i].file.name, SYSCTL_OWN_FRAGMENT))
                        collect->candidates[n++] = collect->candidates[i];
        collect->n = n;
        collect->rank = 0;
        collect->directory = sysctl_directories[0];
        return own_text[0] == '\0' ? 0 : collect_add(collect, SYSCTL_OWN_FRAGMENT);
}

int sysctl_dirs_read(
                const Seam *seam, int root_fd, const char *own_text, Arena *arena, SysctlDirs *ret,
                Error *reterr) {
        Collect collect = { .arena = arena };
        SysctlDirs dirs = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(sysctl_directories); i++) {
                collect.directory = sysctl_directories[i];
                collect.rank = i;
                int r = collect_directory(seam, root_fd, &collect, &dirs);
                if (r < 0)
                        return error_set(reterr, r, "cannot list '/%s'", collect.directory);
        }

        int r = own_text ? collect_own(&collect, own_text) : 0;
        if (r >= 0 && collect.n > 1)
                qsort(collect.candidates, collect.n, sizeof(Candidate), candidate_compare);
        if (r >= 0)
                r = read_files(seam, root_fd, own_text, &collect, &dirs);
        if (r < 0)
                return error_set(reterr, r, "cannot read the files of sysctl.d");
        *ret = dirs;
        return 0;
}

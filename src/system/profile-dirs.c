/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/profile-dirs.h"

#include <fcntl.h>
#include <stdio.h>

#include "model/yaml-tree.h"

#define PROFILE_PATH_MAX 256U

static const struct {
        const char *path;
        const char *word;
} profile_directories[] = {
        { "etc/twprofile/profiles", "etc" },
        { "run/twprofile/profiles", "run" },
        { "usr/share/twprofile/profiles", "vendor" },
};

typedef enum FileSafety {
        FILE_SAFE,
        FILE_WRONG_OWNER,
        FILE_WRITABLE_BY_OTHERS,
        FILE_NOT_REGULAR,
        FILE_HAS_LINKS,
} FileSafety;

static const char *const file_safety_texts[] = {
        [FILE_WRONG_OWNER] = "does not belong to root",
        [FILE_WRITABLE_BY_OTHERS] = "can be written by others than root",
        [FILE_NOT_REGULAR] = "is not a regular file",
        [FILE_HAS_LINKS] = "has more than one name (hard link)",
};

static FileSafety profile_judge(const ProfileDirs *dirs, const struct stat *st) {
        if (dirs->trusting)
                return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? FILE_SAFE : FILE_NOT_REGULAR;
        if (st->st_uid != 0 && st->st_uid != dirs->owner)
                return FILE_WRONG_OWNER;
        if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
                return FILE_WRITABLE_BY_OTHERS;
        if (S_ISDIR(st->st_mode))
                return FILE_SAFE;
        if (!S_ISREG(st->st_mode))
                return FILE_NOT_REGULAR;
        return st->st_nlink == 1 ? FILE_SAFE : FILE_HAS_LINKS;
}

static int profile_refuse(DiagList *diags, const char *path, size_t length, const char *what) {
        Diag *d = diag_add(
                        diags, DIAG_PROFILE_FILE_UNSAFE, (Span){ 0 }, "'/%.*s' %s", (int) length,
                        path, what);
        diag_set_help(diags, d,
                      "run: ls -ld /%.*s; then chown root:root and chmod go-w what is wrong",
                      (int) length, path);
        return BUNDLE_E_INVALID;
}

/* Opens directory after directory without following a link. 0, -ENOENT, BUNDLE_E_INVALID, <0. */
static int profile_open_directory(
                const ProfileDirs *dirs, const char *path, DiagList *diags, SeamFd *ret,
                Error *reterr) {
        cleanup_seam_fd SeamFd at = SEAM_FD_EMPTY;

        /* Most of the directories are not there on most machines: one call says so. What is there is judged part
         * by part all the same. */
        int exists = seam_open(
                        dirs->seam, dirs->root_fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, &at);
        if (exists == -ENOENT)
                return exists;
        seam_fd_close(&at);

        for (const char *p = path; *p;) {
                size_t n = strcspn(p, "/"), end = (size_t) (p - path) + n;
                char part[PROFILE_PATH_MAX];
                (void) snprintf(part, sizeof(part), "%.*s", (int) n, p);

                cleanup_seam_fd SeamFd next = SEAM_FD_EMPTY;
                int r = seam_open(
                                dirs->seam, at.fd >= 0 ? at.fd : dirs->root_fd, part,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &next);
                if (r == -ENOENT)
                        return r;
                if (r == -ELOOP || r == -ENOTDIR)
                        return profile_refuse(
                                        diags, path, end,
                                        "is a link or not a directory; no link is followed");
                if (r < 0)
                        return error_set(reterr, r, "cannot open '/%.*s'", (int) end, path);

                struct stat st;
                r = seam_fstat(&next, &st);
                if (r < 0)
                        return error_set(reterr, r, "cannot look at '/%.*s'", (int) end, path);
                FileSafety safety = profile_judge(dirs, &st);
                if (safety != FILE_SAFE)
                        return profile_refuse(diags, path, end, file_safety_texts[safety]);

                seam_fd_close(&at);
                at = next;
                next = SEAM_FD_EMPTY;
                p += n;
                p += strspn(p, "/");
        }

        *ret = at;
        at = SEAM_FD_EMPTY;
        return 0;
}

static bool profile_is_masked(const ProfileDirs *dirs, int dir_fd, const char *file) {
        char target[32];
        int n = dirs->seam->ops->readlink_at(dirs->seam, dir_fd, file, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        return streq(target, "/dev/null");
}

/* A file that is being fetched. */
typedef struct ProfileFile {
        const ProfileDirs *dirs;
        DiagList *diags;
        SeamFd directory;
        const char *name;            /* in the directory */
        char path[PROFILE_PATH_MAX]; /* below the root */
        size_t path_length;
} ProfileFile;

static void profile_file_close(ProfileFile *file) {
        seam_fd_close(&file->directory);
}

static int profile_refuse_link(const ProfileFile *file) {
        if (!profile_is_masked(file->dirs, file->directory.fd, file->name))
                return profile_refuse(
                                file->diags, file->path, file->path_length,
                                "is a link; no link is followed");

        Diag *d = diag_add(
                        file->diags, DIAG_PROFILE_MASKED, (Span){ 0 }, "profile '/%s' is masked",
                        file->path);
        diag_set_help(file->diags, d, "remove the link '/%s' to unmask it", file->path);
        return BUNDLE_E_INVALID;
}

/* 0; -ENOENT; BUNDLE_E_INVALID; <0. */
static int profile_open_file(const ProfileFile *file, SeamFd *ret, Error *reterr) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(
                        file->dirs->seam, file->directory.fd, file->name,
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, &fd);
        if (r == -ENOENT)
                return r;
        if (r == -ELOOP)
                return profile_refuse_link(file);
        if (r < 0) {
                (void) diag_add(file->diags, DIAG_PROFILE_FILE_UNREADABLE, (Span){ 0 },
                                "cannot open '/%s': %s", file->path, strerror(-r));
                return BUNDLE_E_INVALID;
        }

        struct stat st;
        r = seam_fstat(&fd, &st);
        if (r < 0)
                return error_set(reterr, r, "cannot look at '/%s'", file->path);
        FileSafety safety = profile_judge(file->dirs, &st);
        if (safety != FILE_SAFE)
                return profile_refuse(
                                file->diags, file->path, file->path_length,
                                file_safety_texts[safety]);

        *ret = fd;
        fd = SEAM_FD_EMPTY;
        return 0;
}

static int profile_read(const ProfileFile *file, Source **ret, Error *reterr) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = profile_open_file(file, &fd, reterr);
        if (r != 0)
                return r;

        cleanup_free char *bytes = NULL;
        size_t n;
        r = seam_read_file(&fd, YAML_MAX_BYTES, &bytes, &n);
        if (r == -EFBIG) {
                (void) diag_add(file->diags, DIAG_YAML_TOO_LARGE, (Span){ 0 },
                                "'/%s' is larger than %zu KiB", file->path, YAML_MAX_BYTES / 1024);
                return BUNDLE_E_INVALID;
        }
        if (r < 0)
                return error_set(reterr, r, "cannot read '/%s'", file->path);

        char shown[PROFILE_PATH_MAX + 1];
        (void) snprintf(shown, sizeof(shown), "/%s", file->path);
        *ret = source_new(shown, bytes, n);
        return *ret ? 0 : error_set(reterr, -ENOMEM, "cannot read '/%s'", file->path);
}

static int profile_fetch_from(
                const char *directory, ProfileFile *file, Source **ret, Error *reterr) {
        int r = profile_open_directory(
                        file->dirs, directory, file->diags, &file->directory, reterr);
        if (r != 0)
                return r;

        int n = snprintf(file->path, sizeof(file->path), "%s/%s", directory, file->name);
        assert(n > 0 && (size_t) n < sizeof(file->path));
        file->path_length = (size_t) n;
        return profile_read(file, ret, reterr);
}

int profile_dirs_fetch(
                void *userdata, const char *name, DiagList *diags, Source **ret, Error *reterr) {
        const ProfileDirs *dirs = userdata;
        if (!profile_name_is_valid(name))
                return BUNDLE_E_NOT_FOUND;

        char name_in_directory[PROFILE_NAME_MAX + sizeof(".yaml")];
        (void) snprintf(name_in_directory, sizeof(name_in_directory), "%s.yaml", name);

        for (size_t i = 0; i < ELEMENTSOF(profile_directories); i++) {
                CLEANUP(profile_file_close)
                ProfileFile file = { .dirs = dirs,
                                     .diags = diags,
                                     .directory = SEAM_FD_EMPTY,
                                     .name = name_in_directory };
                int r = profile_fetch_from(profile_directories[i].path, &file, ret, reterr);
                if (r != -ENOENT)
                        return r;
        }
        return BUNDLE_E_NOT_FOUND;
}

typedef struct ListVisit {
        const ProfileDirs *dirs;
        Arena *arena;
        size_t directory;
        int dir_fd;
        ProfileEntry *entries;
        size_t n;
        size_t capacity;
} ListVisit;

static bool profile_stem(const char *file, char ret[static PROFILE_NAME_MAX + 1]) {
        if (!endswith(file, ".yaml"))
                return false;
        size_t n = strlen(file) - strlen(".yaml");
        if (n > PROFILE_NAME_MAX)
                return false;
        memcpy(ret, file, n);
        ret[n] = '\0';
        return profile_name_is_valid(ret);
}

static int profile_list_visit(void *userdata, const char *file) {
        ListVisit *visit = userdata;
        char name[PROFILE_NAME_MAX + 1];
        if (!profile_stem(file, name))
                return 0;

        /* Directories are walked from the highest: a name that is known already is overridden by it. */
        for (size_t i = 0; i < visit->n; i++)
                if (streq(visit->entries[i].name, name)) {
                        if (!visit->entries[i].overrides)
                                visit->entries[i].overrides =
                                                profile_directories[visit->directory].word;
                        return 0;
                }

        if (visit->n == visit->capacity) {
                size_t capacity = visit->capacity ? visit->capacity * 2 : 32;
                ProfileEntry *grown = arena_alloc_array(
                                visit->arena, capacity, sizeof(ProfileEntry));
                if (!grown)
                        return -ENOMEM;
                if (visit->n > 0)
                        memcpy(grown, visit->entries, visit->n * sizeof(ProfileEntry));
                visit->entries = grown;
                visit->capacity = capacity;
        }

        ProfileEntry *entry = &visit->entries[visit->n++];
        *entry = (ProfileEntry){
                .name = arena_copy(visit->arena, name),
                .path = arena_format(
                                visit->arena, "/%s/%s", profile_directories[visit->directory].path,
                                file),
                .directory = profile_directories[visit->directory].word,
                .masked = profile_is_masked(visit->dirs, visit->dir_fd, file),
        };
        return entry->name && entry->path ? 0 : -ENOMEM;
}

static int profile_entry_compare(const void *a, const void *b) {
        return strcmp(((const ProfileEntry *) a)->name, ((const ProfileEntry *) b)->name);
}

int profile_dirs_list(
                const ProfileDirs *dirs, Arena *arena, ProfileEntry **ret, size_t *ret_n,
                Error *reterr) {
        ListVisit visit = { .dirs = dirs, .arena = arena };

        for (size_t i = 0; i < ELEMENTSOF(profile_directories); i++) {
                cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
                int r = seam_open(
                                dirs->seam, dirs->root_fd, profile_directories[i].path,
                                O_RDONLY | O_DIRECTORY, 0, &fd);
                if (r == -ENOENT)
                        continue;
                if (r >= 0) {
                        visit.directory = i;
                        visit.dir_fd = fd.fd;
                        r = dirs->seam->ops->list(dirs->seam, fd.fd, profile_list_visit, &visit);
                }
                if (r < 0)
                        return error_set(
                                        reterr, r, "cannot list '/%s'",
                                        profile_directories[i].path);
        }

        if (visit.n > 1)
                qsort(visit.entries, visit.n, sizeof(ProfileEntry), profile_entry_compare);
        *ret = visit.entries;
        *ret_n = visit.n;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/private-tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"

#define COPY_MAX_DEPTH 6U
#define LINK_MAX       4096U

static void closedirp(DIR **dir) {
        if (*dir)
                (void) closedir(*dir); /* read only */
}

/* Opens "name" below a directory for listing. */
static int open_dir_at(int dir_fd, const char *name, DIR **ret) {
        cleanup_close int fd = openat(
                        dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret = fdopendir(fd);
        if (!*ret)
                return -errno;
        (void) TAKE_FD(fd); /* now the stream's */
        return 0;
}

/* The next name; NULL at the end, with errno 0, or after a failure. */
static const char *next_name(DIR *dir) {
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(dir);
                if (!entry)
                        return NULL;
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        return entry->d_name;
        }
}

/* --- copying -------------------------------------------------------------------------------------------- */

static int copy_bytes(int from, int to) {
        char buffer[16384];
        for (;;) {
                ssize_t n = read(from, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n == 0 ? 0 : -errno;
                for (ssize_t done = 0; done < n;) {
                        ssize_t w = write(to, buffer + done, (size_t) (n - done));
                        if (w < 0 && errno != EINTR)
                                return -errno;
                        done += w > 0 ? w : 0;
                }
        }
}

static int copy_file(int from_dir, const char *from_name, int to_dir, const char *to_name) {
        cleanup_close int from = openat(
                        from_dir, from_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (from < 0)
                return -errno;
        (void) unlinkat(to_dir, to_name, 0); /* usually it is not there */
        cleanup_close int to = openat(
                        to_dir, to_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (to < 0)
                return -errno;
        return copy_bytes(from, to);
}

static int copy_link(int from_dir, const char *name, int to_dir) {
        char target[LINK_MAX];
        ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

/* One step of a walk through a tree that is copied. */
typedef struct CopyLevel {
        DIR *from;
        int to; /* owned */
} CopyLevel;

typedef struct CopyWalk {
        CopyLevel levels[COPY_MAX_DEPTH];
        size_t depth;
} CopyWalk;

static void copy_walk_pop(CopyWalk *walk) {
        CopyLevel *level = &walk->levels[--walk->depth];
        closedirp(&level->from);
        level->to = fd_close(level->to);
}

static void copy_walk_deinit(CopyWalk *walk) {
        while (walk->depth > 0)
                copy_walk_pop(walk);
}

static int copy_walk_push(CopyWalk *walk, int from_dir, int to_dir, const char *name) {
        if (walk->depth == COPY_MAX_DEPTH)
                return -ELOOP;
        if (mkdirat(to_dir, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        cleanup_close int to = openat(
                        to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (to < 0)
                return -errno;
        DIR *from = NULL;
        int r = open_dir_at(from_dir, name, &from);
        if (r < 0)
                return r;
        walk->levels[walk->depth++] = (CopyLevel){ .from = from, .to = TAKE_FD(to) };
        return 0;
}

static int copy_entry(CopyWalk *walk, int from_dir, int to_dir, const char *name) {
        struct stat st;
        if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return copy_walk_push(walk, from_dir, to_dir, name);
        if (S_ISLNK(st.st_mode))
                return copy_link(from_dir, name, to_dir);
        if (!S_ISREG(st.st_mode))
                return 0;
        int r = copy_file(from_dir, name, to_dir, name);
        return r == -EACCES ? 0 : r; /* what we may not read, we do without */
}

/* A file, a link or a whole directory. */
static int copy_tree(int from_dir, int to_dir, const char *name) {
        CLEANUP(copy_walk_deinit) CopyWalk walk = {};
        int r = copy_entry(&walk, from_dir, to_dir, name);
        while (r >= 0 && walk.depth > 0) {
                const CopyLevel *level = &walk.levels[walk.depth - 1];
                const char *next = next_name(level->from);
                if (next)
                        r = copy_entry(&walk, dirfd(level->from), level->to, next);
                else if (errno != 0)
                        r = -errno;
                else
                        copy_walk_pop(&walk);
        }
        return r;
}

/* --- links ---------------------------------------------------------------------------------------------- */

static bool is_special(const char *name, const TreeEntry *entries, size_t n_entries) {
        for (size_t i = 0; i < n_entries; i++)
                if (streq(entries[i].name, name))
                        return true;
        return false;
}

/* A link of the original is copied as it is, so that a relative one means the same; anything else becomes a link to
 * where the original stays. */
static int link_entry(int from_dir, const char *home, int to_dir, const char *name) {
        struct stat st;
        if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode))
                return copy_link(from_dir, name, to_dir);
        CLEANUP(strbuf_deinit) StrBuf target = {};
        strbuf_addf(&target, "%s/%s", home, name);
        if (target.failed)
                return -ENOMEM;
        return symlinkat(strbuf_text(&target), to_dir, name) < 0 ? -errno : 0;
}

static int link_entries(const char *home, int to_dir, const TreeEntry *entries, size_t n_entries) {
        CLEANUP(closedirp) DIR *dir = NULL;
        int r = open_dir_at(AT_FDCWD, home, &dir);
        if (r < 0 || !dir)
                return r < 0 ? r : -EIO;
        const char *name = NULL;
        while ((name = next_name(dir))) {
                if (is_special(name, entries, n_entries))
                        continue;
                r = link_entry(dirfd(dir), home, to_dir, name);
                if (r < 0)
                        return r;
        }
        return -errno;
}

static int make_specials(const char *home, int to_dir, const TreeEntry *entries, size_t n_entries) {
        cleanup_close int from_dir = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (from_dir < 0)
                return -errno;
        for (size_t i = 0; i < n_entries; i++) {
                if (entries[i].kind == TREE_ENTRY_ABSENT)
                        continue;
                int r = copy_tree(from_dir, to_dir, entries[i].name);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

/* --- mounts --------------------------------------------------------------------------------------------- */

/* What is written through a link would reach the host, so the originals are read-only. */
static int make_read_only(const char *path) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
        if (mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)) == 0)
                return 0;
        if (errno != ENOSYS)
                return -errno;
        /* before Linux 5.12: the one mount; what is mounted below it stays as it is */
        return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 ? -errno : 0;
}

static int make_parents(const char *path) {
        char copy[256];
        int n = snprintf(copy, sizeof(copy), "%s", path);
        if (n < 0 || (size_t) n >= sizeof(copy))
                return -ENAMETOOLONG;
        for (char *p = copy + 1; *p; p++) {
                if (*p != '/')
                        continue;
                *p = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        return mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int private_tree_make(const char *path, const TreeEntry *entries, size_t n_entries, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf home = {};
        strbuf_addf(&home, TREE_HOME "%s", path);
        if (home.failed)
                return error_set(reterr, -ENOMEM, "cannot make '%s' private", path);
        int r = make_parents(strbuf_text(&home));
        if (r < 0)
                return error_set(reterr, r, "cannot make '%s'", strbuf_text(&home));
        /* with what is mounted below it: a user namespace may not look under a mount */
        if (mount(path, strbuf_text(&home), NULL, MS_BIND | MS_REC, NULL) < 0)
                return error_set(
                                reterr, -errno, "cannot keep '%s' at '%s'", path,
                                strbuf_text(&home));
        r = make_read_only(strbuf_text(&home));
        if (r < 0)
                return error_set(reterr, r, "cannot make '%s' read-only", strbuf_text(&home));
        if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
                return error_set(reterr, -errno, "cannot make '%s' private", path);
        cleanup_close int to_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = to_dir < 0 ? -errno : make_specials(strbuf_text(&home), to_dir, entries, n_entries);
        if (r >= 0)
                r = link_entries(strbuf_text(&home), to_dir, entries, n_entries);
        if (r < 0)
                return error_set(reterr, r, "cannot fill the private '%s'", path);
        return 0;
}

int private_tree_copy_profiles(const char *from, const char *to, size_t *ret_n, Error *reterr) {
        CLEANUP(closedirp) DIR *dir = opendir(from);
        if (!dir)
                return error_set(reterr, -errno, "cannot open the profiles of '%s'", from);
        int r = make_parents(to);
        if (r < 0)
                return error_set(reterr, r, "cannot make '%s'", to);
        cleanup_close int to_dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (to_dir < 0)
                return error_set(reterr, -errno, "cannot open '%s'", to);
        size_t n = 0;
        const char *name = NULL;
        while ((name = next_name(dir))) {
                if (!endswith(name, ".yaml") || name[0] == '.')
                        continue;
                r = copy_file(dirfd(dir), name, to_dir, name);
                if (r < 0 && r != -ELOOP) /* links are not followed and not copied */
                        return error_set(reterr, r, "cannot copy the profile '%s/%s'", from, name);
                n += r == 0 ? 1 : 0;
        }
        if (errno != 0)
                return error_set(reterr, -errno, "cannot list the profiles of '%s'", from);
        if (ret_n)
                *ret_n = n;
        return 0;
}

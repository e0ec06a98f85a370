/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/atomic-file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

/* What a file is made with; no umask that lets its owner write takes anything from it. */
#define ATOMIC_FILE_MODE 0600U

/* Another number for each file; asked of the kernel once. It keeps us from the leftovers of a dead process, which
 * O_EXCL would refuse to overwrite; nothing has to be secret. */
static uint32_t atomic_file_number(void) {
        static uint32_t number;
        if (number == 0)
                (void) !getrandom(&number, sizeof(number), GRND_NONBLOCK);
        return ++number;
}

static int atomic_file_name(AtomicFile *file, const char *name) {
        int stem = (int) strcspn(name, ".");
        int n = snprintf(file->name, sizeof(file->name), "%s", name);
        int m = snprintf(
                        file->temporary, sizeof(file->temporary), ".%.*s.%08x", stem, name,
                        atomic_file_number());
        bool fits = n > 0 && (size_t) n < sizeof(file->name) && m > 0 &&
                    (size_t) m < sizeof(file->temporary);
        return fits ? 0 : -ENAMETOOLONG;
}

static int atomic_file_fill(const AtomicFile *file, const AtomicContent *content) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(
                        file->seam, file->dir_fd, file->temporary,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, ATOMIC_FILE_MODE, &fd);
        if (r >= 0 && content->mode != ATOMIC_FILE_MODE)
                r = file->seam->ops->fchmod(file->seam, fd.fd, content->mode);
        if (r >= 0)
                r = seam_write(&fd, content->bytes, content->length, 0);
        if (r >= 0 && content->flush)
                r = seam_fsync(&fd);
        return r;
}

int atomic_file_begin(
                const Seam *seam, int dir_fd, const char *name, const AtomicContent *content,
                AtomicFile *ret) {
        AtomicFile file = { .seam = seam, .dir_fd = dir_fd };
        int r = atomic_file_name(&file, name);
        if (r < 0)
                return r;

        r = atomic_file_fill(&file, content);
        if (r < 0) {
                atomic_file_abandon(&file);
                return r;
        }

        *ret = file;
        return 0;
}

static int atomic_file_flush_dir(const AtomicFile *file) {
        SeamFd dir = { .seam = file->seam, .fd = file->dir_fd }; /* borrowed: not closed here */
        return seam_fsync(&dir);
}

int atomic_file_commit(AtomicFile *file, bool flush) {
        int r = file->seam->ops->rename_at(
                        file->seam, file->dir_fd, file->temporary, file->dir_fd, file->name);
        if (r < 0)
                return r;

        file->temporary[0] = '\0';
        return flush ? atomic_file_flush_dir(file) : 0;
}

int atomic_file_remove(AtomicFile *file) {
        int r = file->seam->ops->unlink_at(file->seam, file->dir_fd, file->name, 0);
        if (r < 0 && r != -ENOENT)
                return r;

        atomic_file_abandon(file);
        return atomic_file_flush_dir(file);
}

void atomic_file_abandon(AtomicFile *file) {
        if (file->temporary[0] != '\0')
                (void) file->seam->ops->unlink_at(file->seam, file->dir_fd, file->temporary, 0);
        file->temporary[0] = '\0';
}

int atomic_file_replace(
                const Seam *seam, int dir_fd, const char *name, const void *bytes, size_t n,
                mode_t mode) {
        CLEANUP(atomic_file_abandon) AtomicFile file = { 0 };
        AtomicContent content = { .bytes = bytes, .length = n, .mode = mode };
        int r = atomic_file_begin(seam, dir_fd, name, &content, &file);
        return r < 0 ? r : atomic_file_commit(&file, /* flush= */ false);
}

typedef struct AtomicFileSweep {
        const Seam *seam;
        int dir_fd;
        const char *stem;
} AtomicFileSweep;

static int atomic_file_visit_sweep(void *userdata, const char *name) {
        const AtomicFileSweep *sweep = userdata;
        if (name[0] == '.' && startswith(name + 1, sweep->stem))
                (void) sweep->seam->ops->unlink_at(sweep->seam, sweep->dir_fd, name, 0);
        return 0;
}

void atomic_file_sweep(const Seam *seam, int dir_fd, const char *stem) {
        AtomicFileSweep sweep = { .seam = seam, .dir_fd = dir_fd, .stem = stem };
        (void) seam->ops->list(seam, dir_fd, atomic_file_visit_sweep, &sweep);
}

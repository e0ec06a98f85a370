/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/live-set.h"

#include <fcntl.h>

/* The oldest kernel we promise to work on: what mainline had then exists wherever we run. */
static const KernelVersion live_set_floor = { 5, 10, 0 };

void live_set_close(LiveSet *set) {
        for (size_t i = 0; i < set->snapshot.n_keys && set->files; i++)
                live_file_close(&set->files[i]);
        *set = (LiveSet){ 0 };
}

LiveFile *live_set_find(LiveSet *set, const SysctlSpec *spec) {
        const LiveKey *key = live_find(&set->snapshot, spec);
        if (!key || !set->files)
                return NULL;
        LiveFile *file = &set->files[key - set->snapshot.keys];
        return file->fd.fd >= 0 ? file : NULL;
}

static int live_set_open_file(
                const Seam *seam, int root_fd, const SysctlSpec *spec, LiveFile *ret) {
        int r = live_file_open(seam, root_fd, spec, O_RDWR, ret);
        if (r == -EACCES || r == -EPERM || r == -EROFS)
                r = live_file_open(seam, root_fd, spec, O_RDONLY, ret);
        return r;
}

static int live_set_read_key(
                const Seam *seam, int root_fd, LiveFile *file, LiveKey *key, Arena *arena) {
        int r = live_set_open_file(seam, root_fd, key->spec, file);
        if (r == -ENOENT) {
                key->state = LIVE_ABSENT;
                return 0;
        }
        if (r >= 0)
                r = live_file_read(file, arena, &key->value, &key->text);
        if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
                return r;

        key->state = r == -EBADMSG ? LIVE_STRANGE : r < 0 ? LIVE_UNREADABLE : LIVE_PRESENT;
        key->error = key->state == LIVE_UNREADABLE ? -r : 0;
        return 0;
}

static int live_set_alloc(
                const SysctlSpec *const *specs, size_t n, Arena *arena, LiveSet *ret,
                LiveKey **ret_keys) {
        LiveKey *keys = arena_alloc_array(arena, n + 1, sizeof(LiveKey));
        LiveFile *files = arena_alloc_array(arena, n + 1, sizeof(LiveFile));
        if (!keys || !files)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                keys[i] = (LiveKey){ .spec = specs[i] };
                files[i] = (LiveFile){ .fd = SEAM_FD_EMPTY, .spec = specs[i] };
        }
        *ret = (LiveSet){
                .files = files,
                .snapshot = { .keys = keys, .n_keys = n },
                .arena = arena,
        };
        *ret_keys = keys;
        return 0;
}

int live_set_open(
                const SeamFd *root, const SysctlSpec *const *specs, size_t n, Arena *arena,
                LiveSet *ret, Error *reterr) {
        CLEANUP(live_set_close) LiveSet set = { 0 };
        LiveKey *keys;
        int r = live_set_alloc(specs, n, arena, &set, &keys);
        if (r < 0)
                return error_set(reterr, r, "cannot read live values");

        for (size_t i = 0; i < n; i++) {
                r = live_set_read_key(root->seam, root->fd, &set.files[i], &keys[i], arena);
                if (r < 0)
                        return error_set(reterr, r, "cannot read '%s'", specs[i]->key);
        }

        *ret = set;
        set = (LiveSet){ 0 };
        return 0;
}

int live_set_assume(
                const SysctlSpec *const *specs, size_t n, Arena *arena, LiveSet *ret,
                Error *reterr) {
        LiveKey *keys;
        int r = live_set_alloc(specs, n, arena, ret, &keys);
        if (r < 0)
                return error_set(reterr, r, "cannot assume live values");

        for (size_t i = 0; i < n; i++) {
                bool everywhere = !specs[i]->vendor && !specs[i]->module &&
                                  kernel_version_compare(&specs[i]->since, &live_set_floor) <= 0;
                keys[i].state = everywhere ? LIVE_ASSUMED : LIVE_ABSENT;
        }
        return 0;
}

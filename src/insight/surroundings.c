/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/surroundings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "record/status-format.h"
#include "system/instance.h"
#include "system/seam-io.h"
#include "system/wanted-bundles.h"

#define KEYS_PATH          "proc/sys/net/ipv4"
#define KEYS_PREFIX        "tcp_tw_"
#define KEY_NAME_MAX       64U
#define KEY_TEXT_MAX       ((size_t) 256)
#define STATUS_PATH        "run/twprofile/status.json"
#define STATUS_MAX_BYTES   ((size_t) 4 * 1024 * 1024)
#define TRACKED_PATH       "proc/self/net/nf_conntrack"
#define TRACKED_PIECE      ((size_t) 64 * 1024)
#define TRACKED_LINE_WORDS 6U /* family, its number, protocol, its number, seconds left, state */

/* --- keys that the catalogue does not have --------------------------------------------------------------- */

typedef struct Names {
        Arena *arena;
        SnapshotStrange *keys;
        size_t n_keys;
} Names;

static bool is_strange(const char *name) {
        char key[sizeof("net.ipv4.") + KEY_NAME_MAX];
        if (!startswith(name, KEYS_PREFIX) || strlen(name) >= KEY_NAME_MAX)
                return false;
        (void) snprintf(key, sizeof(key), "net.ipv4.%s", name); /* fits: see the length */
        return !catalogue_find(key);
}

static int take_name(void *userdata, const char *name) {
        Names *names = userdata;
        if (!is_strange(name) || names->n_keys == SURROUNDINGS_STRANGE_MAX)
                return 0;
        const char *copy = arena_copy(names->arena, name);
        if (!copy)
                return -ENOMEM;
        names->keys[names->n_keys++] = (SnapshotStrange){ .name = copy };
        return 0;
}

static int compare_names(const void *a, const void *b) {
        const SnapshotStrange *x = a, *y = b;
        return strcmp(x->name, y->name);
}

/* One line, without its end. */
static int read_text(const SeamFd *dir, const char *name, Arena *arena, const char **ret) {
        cleanup_free char *text = NULL;
        size_t n;
        int r = seam_read_file_at(dir->seam, dir->fd, name, KEY_TEXT_MAX, &text, &n);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        *ret = arena_copy_n(arena, text, strcspn(text, "\n"));
        return *ret ? 0 : -ENOMEM;
}

static int collect_strange(const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(seam, root_fd, KEYS_PATH, O_RDONLY | O_DIRECTORY, 0, &dir);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        Names names = {
                .arena = arena,
                .keys = arena_alloc_array(arena, SURROUNDINGS_STRANGE_MAX, sizeof(SnapshotStrange)),
        };
        if (!names.keys)
                return -ENOMEM;
        r = seam->ops->list(seam, dir.fd, take_name, &names);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        qsort(names.keys, names.n_keys, sizeof(*names.keys), compare_names);
        for (size_t i = 0; i < names.n_keys; i++) {
                r = read_text(&dir, names.keys[i].name, arena, &names.keys[i].text);
                if (r < 0)
                        return r;
        }
        snapshot->strange = names.keys;
        snapshot->n_strange = names.n_keys;
        snapshot->knows_strange = true;
        return 0;
}

/* --- what twprofile made live ---------------------------------------------------------------------------- */

static int take_enabled_key(const GenerationKey *key, Arena *arena, SnapshotEnabledKey *ret) {
        *ret = (SnapshotEnabledKey){
                .spec = key->spec,
                .profile = arena_copy(arena, key->profile),
                .value = sysctl_value_to_kernel(key->spec, &key->value, arena),
        };
        if (key->origin_known)
                ret->origin = sysctl_value_to_kernel(key->spec, &key->origin, arena);
        return ret->profile && ret->value && (ret->origin || !key->origin_known) ? 0 : -ENOMEM;
}

static bool has_key(const SnapshotEnabled *enabled, const SysctlSpec *spec) {
        for (size_t i = 0; i < enabled->n_keys; i++)
                if (enabled->keys[i].spec == spec)
                        return true;
        return false;
}

/* What a profile sets beside the generation's keys was left out there by its `when`. */
static int take_left_out(
                const Bundle *bundle, Arena *arena, SnapshotEnabledKey *keys,
                SnapshotEnabled *ret) {
        for (size_t i = 0; i < bundle->n_settings; i++) {
                const SysctlSpec *spec = bundle->settings[i].setting->spec;
                if (has_key(ret, spec))
                        continue;
                SnapshotEnabledKey *key = &keys[ret->n_keys++];
                *key = (SnapshotEnabledKey){
                        .spec = spec,
                        .profile = arena_copy(arena, bundle_root(bundle)->name),
                };
                if (!key->profile)
                        return -ENOMEM;
        }
        return 0;
}

static int compare_keys(const void *a, const void *b) {
        const SnapshotEnabledKey *x = a, *y = b;
        return strcmp(x->spec->key, y->spec->key);
}

static int take_keys(
                const Generation *generation, const WantedBundles *stored, Arena *arena,
                SnapshotEnabled *ret) {
        size_t n = generation->n_keys;
        for (size_t i = 0; i < stored->n_bundles; i++)
                n += stored->bundles[i]->n_settings;
        SnapshotEnabledKey *keys = arena_alloc_array(arena, n, sizeof(SnapshotEnabledKey));
        if (!keys)
                return -ENOMEM;
        ret->keys = keys;
        int r = 0;
        for (; r == 0 && ret->n_keys < generation->n_keys; ret->n_keys++)
                r = take_enabled_key(&generation->keys[ret->n_keys], arena, &keys[ret->n_keys]);
        for (size_t i = 0; r == 0 && i < stored->n_bundles; i++)
                r = take_left_out(stored->bundles[i], arena, keys, ret);
        qsort(keys, ret->n_keys, sizeof(*keys), compare_keys);
        return r;
}

/* A stored profile that this program does not understand any more only hides what it left out. */
static int take_generation(const Generation *generation, Arena *arena, SnapshotEnabled *ret) {
        CLEANUP(wanted_bundles_deinit) WantedBundles stored = { 0 };
        CLEANUP(diag_list_freep) DiagList *ignored = diag_list_new();
        const WantedRequest request = { .current = generation, .verb = WANTED_ENABLE };
        Error error = { 0 };
        int r = ignored ? wanted_bundles_load(&request, ignored, &stored, &error) : -ENOMEM;
        return r == -ENOMEM ? r : take_keys(generation, &stored, arena, ret);
}

/* A view of another boot says nothing of what is live. */
static int collect_enabled(const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot) {
        cleanup_free char *bytes = NULL;
        size_t n;
        int r = seam_read_file_at(seam, root_fd, STATUS_PATH, STATUS_MAX_BYTES, &bytes, &n);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        CLEANUP(status_deinit) Status status = { 0 };
        Error error = { 0 };
        Instance here = { 0 };
        r = status_decode(bytes, n, arena, &status, &error);
        if (r == 0)
                r = instance_read(seam, root_fd, &here, &error);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!streq(status.instance.boot_id, here.boot_id))
                return 0;
        SnapshotEnabled enabled = { .known = true, .netns = status.instance.netns_inode };
        r = status.generation ? take_generation(status.generation, arena, &enabled) : 0;
        if (r == 0)
                snapshot->enabled = enabled;
        return r;
}

/* --- tracked connections --------------------------------------------------------------------------------- */

/* "ipv4 2 tcp 6 117 TIME_WAIT src=…", blanks between the words as printf() pads them. */
static void count_line(const char *line, size_t n, Snapshot *snapshot) {
        const char *at = line, *end = line + n;
        for (unsigned i = 0; i < TRACKED_LINE_WORDS; i++) {
                while (at < end && *at == ' ')
                        at++;
                const char *blank = memchr(at, ' ', (size_t) (end - at));
                size_t length = (size_t) ((blank ? blank : end) - at);
                if (i == 2 && (length != 3 || memcmp(at, "tcp", 3) != 0))
                        return;
                if (i == 5) {
                        static const char name[] = "TIME_WAIT";
                        snapshot->n_tracked_tcp++;
                        if (length == strlen(name) && memcmp(at, name, length) == 0)
                                snapshot->n_tracked_time_wait++;
                }
                at += length;
        }
}

size_t surroundings_count_tracked(const char *bytes, size_t n, Snapshot *snapshot) {
        const char *at = bytes, *end = bytes + n;
        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t) (end - at));
                if (!newline)
                        break;
                count_line(at, (size_t) (newline - at), snapshot);
                at = newline + 1;
        }
        return (size_t) (at - bytes);
}

static bool wants_tracked(const Snapshot *snapshot) {
        int64_t count = snapshot_number(snapshot, "net.netfilter.nf_conntrack_count", 0);
        int64_t max = snapshot_number(snapshot, "net.netfilter.nf_conntrack_max", 0);
        return count > 0 && max > 0 &&
               (uint64_t) count >= (uint64_t) max / 100 * SURROUNDINGS_TRACKED_SHARE;
}

static int collect_tracked(const Seam *seam, int root_fd, Snapshot *snapshot) {
        cleanup_seam_fd SeamFd file = SEAM_FD_EMPTY;
        if (!wants_tracked(snapshot) ||
            seam_open(seam, root_fd, TRACKED_PATH, O_RDONLY, 0, &file) < 0)
                return 0;
        cleanup_free char *piece = malloc(TRACKED_PIECE);
        if (!piece)
                return -ENOMEM;
        Snapshot counted = { 0 };
        size_t kept = 0;
        off_t offset = 0;
        ssize_t n;
        while ((n = seam_read(&file, piece + kept, TRACKED_PIECE - kept, offset)) > 0) {
                offset += n;
                kept += (size_t) n;
                size_t used = surroundings_count_tracked(piece, kept, &counted);
                if (used == 0 && kept == TRACKED_PIECE)
                        return 0; /* no line is that long */
                kept -= used;
                memmove(piece, piece + used, kept);
        }
        if (n < 0)
                return 0;
        snapshot->knows_tracked = true;
        snapshot->n_tracked_tcp = counted.n_tracked_tcp;
        snapshot->n_tracked_time_wait = counted.n_tracked_time_wait;
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- */

static uint64_t now_us(clockid_t clock) {
        struct timespec now = { 0 };
        (void) clock_gettime(clock, &now); /* cannot fail for the clocks of this file */
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

int collect_surroundings(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot, Error *reterr) {
        uint64_t wall_us = now_us(CLOCK_MONOTONIC), cpu_us = now_us(CLOCK_PROCESS_CPUTIME_ID);
        int r = collect_strange(seam, root_fd, arena, snapshot);
        if (r == 0)
                r = collect_enabled(seam, root_fd, arena, snapshot);
        if (r == 0)
                r = collect_tracked(seam, root_fd, snapshot);
        if (r < 0)
                return error_set(reterr, r, "cannot look at the settings around the sockets");
        snapshot->cost.wall_us += now_us(CLOCK_MONOTONIC) - wall_us;
        snapshot->cost.cpu_us += now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/writers.h"

#include <fcntl.h>
#include <stdio.h>

#include "system/tuned.h"

#define COMM_MAX 64U

typedef struct Finder {
        const WritersRequest *request;
        Arena *arena;
        const WinnerFiles *files;
        TunedState tuned;
        bool has_tuned; /* it runs here, or starts at boot */
        bool has_bpftune;
        Owner *rows;
        size_t n_rows;
} Finder;

/* --- programs ------------------------------------------------------------------------------------------- */

typedef struct ProgramSearch {
        const Seam *seam;
        const SeamFd *proc;
        const char *name;
        bool found;
} ProgramSearch;

static int look_at_process(void *userdata, const char *name) {
        ProgramSearch *search = userdata;
        if (search->found || name[0] < '1' || name[0] > '9')
                return 0;
        char path[COMM_MAX], comm[COMM_MAX];
        int n = snprintf(path, sizeof(path), "%s/comm", name);
        if (n < 0 || (size_t) n >= sizeof(path))
                return 0;
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        if (seam_open(search->seam, search->proc->fd, path, O_RDONLY, 0, &fd) < 0)
                return 0; /* it has ended, or is hidden from us */
        ssize_t length = seam_read(&fd, comm, sizeof(comm) - 1, 0);
        if (length <= 0)
                return 0;
        comm[length] = '\0';
        comm[strcspn(comm, "\n")] = '\0';
        search->found = streq(comm, search->name);
        return 0;
}

bool writers_program_runs(const Seam *seam, int root_fd, const char *name) {
        cleanup_seam_fd SeamFd proc = SEAM_FD_EMPTY;
        if (seam_open(seam, root_fd, "proc", O_RDONLY | O_DIRECTORY, 0, &proc) < 0)
                return false;
        ProgramSearch search = { .seam = seam, .proc = &proc, .name = name };
        (void) seam->ops->list(seam, proc.fd, look_at_process, &search); /* doubt counts as no */
        return search.found;
}

static bool is_installed(const WritersRequest *request, const char *path) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        return seam_open(request->seam, request->root_fd, path, O_PATH, 0, &fd) >= 0;
}

static bool runs(const WritersRequest *request, const char *name) {
        return !request->files_only && writers_program_runs(request->seam, request->root_fd, name);
}

/* --- owners --------------------------------------------------------------------------------------------- */

/* Files before ours lose to our line; where ours is missing or masked, whoever wins is another one. */
static bool is_ours(const Winner *winner) {
        const char *name = winner->path ? strrchr(winner->path, '/') : NULL;
        return name && streq(name + 1, SYSCTL_OWN_FRAGMENT);
}

static void add_file(Finder *finder, OwnerKind kind, const SysctlSpec *spec, const Winner *winner) {
        finder->rows[finder->n_rows++] = (Owner){
                .kind = kind,
                .spec = spec,
                .path = winner->path,
                .line = winner->line,
                .value = winner->value,
                .glob = winner->glob,
        };
}

static void add_files(Finder *finder, const SysctlSpec *spec) {
        Winner systemd, procps;
        winner_find(finder->files, WINNER_SYSTEMD, spec->path, &systemd);
        winner_find(finder->files, WINNER_PROCPS, spec->path, &procps);
        bool by_other = systemd.path && !is_ours(&systemd);
        if (by_other)
                add_file(finder, OWNER_LATER_FILE, spec, &systemd);
        if (!procps.path || is_ours(&procps))
                return;
        if (!by_other || !streq(procps.path, systemd.path) || procps.line != systemd.line)
                add_file(finder, OWNER_PROCPS_FILE, spec, &procps);
}

static void add_tuned(Finder *finder, const SysctlSpec *spec) {
        const TunedSetting *setting = tuned_find(&finder->tuned, spec->path);
        if (!setting || !finder->has_tuned)
                return;
        finder->rows[finder->n_rows++] = (Owner){
                .kind = finder->tuned.reapplies ? OWNER_TUNED_REAPPLIED : OWNER_TUNED,
                .spec = spec,
                .path = setting->path,
                .line = setting->line,
                .value = setting->value,
                .name = setting->profile,
        };
}

static int read_tuned(Finder *finder, Error *reterr) {
        const WritersRequest *request = finder->request;
        int r = tuned_read(request->seam, request->root_fd, finder->arena, &finder->tuned, reterr);
        if (r < 0 || !finder->tuned.profile)
                return r;
        /* Looking through all processes is for where it matters. */
        bool concerns_us = finder->tuned.missing;
        for (size_t i = 0; i < request->n_specs; i++)
                concerns_us |= tuned_find(&finder->tuned, request->specs[i]->path) != NULL;
        finder->has_tuned = concerns_us && (finder->tuned.starts_at_boot || runs(request, "tuned"));
        return 0;
}

static int add_flaws(Finder *finder, Owners *ret) {
        size_t n_files = winner_count_flaws(finder->files);
        OwnersFlaw *flaws = arena_alloc_array(finder->arena, n_files + 1, sizeof(OwnersFlaw));
        if (!flaws)
                return -ENOMEM;
        size_t n = 0;
        for (size_t i = 0; i < n_files; i++) {
                const WinnerFlaw *flaw = winner_get_flaw(finder->files, i);
                /* Credentials are closed to all but their service, on every host: nothing to be warned of. */
                bool closed = flaw->error == EACCES && startswith(flaw->path, "/run/credentials/");
                if (!closed)
                        flaws[n++] = (OwnersFlaw){ flaw->path, flaw->line, flaw->error };
        }
        if (finder->has_tuned && finder->tuned.missing)
                flaws[n++] = (OwnersFlaw){ finder->tuned.missing, 0, finder->tuned.missing_error };
        ret->flaws = flaws;
        ret->n_flaws = n;
        return 0;
}

int writers_find(
                const WritersRequest *request, Arena *arena, Owners *ret,
                const WinnerFiles **ret_files, Error *reterr) {
        Finder finder = {
                .request = request,
                .arena = arena,
                .rows = arena_alloc_array(arena, request->n_specs * 4 + 1, sizeof(Owner)),
        };
        if (!finder.rows)
                return error_set(reterr, -ENOMEM, "cannot tell who else sets the keys");
        int r = winner_files_read(
                        request->seam, request->root_fd, request->fragment, arena, &finder.files,
                        reterr);
        if (r >= 0)
                r = read_tuned(&finder, reterr);
        if (r < 0)
                return r;
        finder.has_bpftune = is_installed(request, "usr/sbin/bpftune") && runs(request, "bpftune");

        for (size_t i = 0; i < request->n_specs; i++) {
                add_files(&finder, request->specs[i]);
                add_tuned(&finder, request->specs[i]);
                if (finder.has_bpftune)
                        finder.rows[finder.n_rows++] = (Owner){ .kind = OWNER_BPFTUNE,
                                                                .spec = request->specs[i],
                                                                .path = "bpftune" };
        }
        *ret = (Owners){ .rows = finder.rows, .n_rows = finder.n_rows };
        if (add_flaws(&finder, ret) < 0)
                return error_set(reterr, -ENOMEM, "cannot tell who else sets the keys");
        if (ret_files)
                *ret_files = finder.files;
        return 0;
}

int writers_find_for_plan(
                const WritersRequest *where, const Plan *plan, Arena *arena, Owners *ret,
                Error *reterr) {
        const Generation *next = plan->next;
        *ret = (Owners){ 0 };
        if (next->n_keys == 0)
                return 0; /* nothing of ours that somebody could set */
        const SysctlSpec **specs = arena_alloc_array(
                        arena, next->n_keys, sizeof(const SysctlSpec *));
        if (!specs)
                return error_set(reterr, -ENOMEM, "cannot tell who else sets the keys");
        for (size_t i = 0; i < next->n_keys; i++)
                specs[i] = next->keys[i].spec;

        WritersRequest request = *where;
        request.fragment = plan->fragment ? plan->fragment : "";
        request.specs = specs;
        request.n_specs = next->n_keys;
        return writers_find(&request, arena, ret, /* ret_files= */ NULL, reterr);
}

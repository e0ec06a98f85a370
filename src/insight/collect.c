/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/collect.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "insight/proc-stat.h"
#include "insight/sockstat.h"
#include "insight/socket-tally.h"
#include "system/instance.h"
#include "system/net-counters.h"
#include "system/seam-io.h"
#include "system/sysctl-live.h"

#define SOCKSTAT_MAX_BYTES ((size_t) 16 * 1024)

static int64_t clock_us(clockid_t clock) {
        struct timespec now = { 0 };
        (void) clock_gettime(clock, &now); /* cannot fail for the clocks of this file */
        return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- what it costs -------------------------------------------------------------------------------------- */

typedef struct Meter {
        int64_t wall_us, cpu_us;
} Meter;

static Meter meter_start(void) {
        return (Meter){ clock_us(CLOCK_MONOTONIC), clock_us(CLOCK_PROCESS_CPUTIME_ID) };
}

static void meter_stop(const Meter *meter, SnapshotCost *cost) {
        cost->wall_us += (uint64_t) (clock_us(CLOCK_MONOTONIC) - meter->wall_us);
        cost->cpu_us += (uint64_t) (clock_us(CLOCK_PROCESS_CPUTIME_ID) - meter->cpu_us);
}

/* --- counts --------------------------------------------------------------------------------------------- */

static int read_settings(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot, Error *reterr) {
        size_t n = snapshot_setting_count();
        const SysctlSpec **specs = arena_alloc_array(arena, n, sizeof(SysctlSpec *));
        if (!specs)
                return error_set(reterr, -ENOMEM, "cannot read the settings");
        for (size_t i = 0; i < n; i++)
                specs[i] = snapshot_setting(i);
        const SeamFd root = { .seam = seam, .fd = root_fd };
        int r = sysctl_live_read(&root, specs, n, arena, &snapshot->settings, reterr);
        if (r < 0)
                return r;
        r = instance_read_kernel(seam, root_fd, &snapshot->settings.kernel, reterr);
        if (r < 0)
                return r;
        snapshot->settings.initial_netns = instance_is_initial_netns(seam, root_fd);
        snapshot_set_pool(snapshot);
        return 0;
}

static void take_counter(void *userdata, const NetCounter *found) {
        Snapshot *snapshot = userdata;
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                const char *name = snapshot_counter(id)->name;
                if (strncmp(name, found->group, found->group_length) != 0 ||
                    name[found->group_length] != '.')
                        continue;
                const char *field = name + found->group_length + 1;
                if (strncmp(field, found->field, found->field_length) != 0 ||
                    field[found->field_length] != '\0')
                        continue;
                snapshot->known[id] = true;
                snapshot->counters[id] = found->value;
                return;
        }
}

static void take_net_counters(const char *text, Snapshot *snapshot) {
        net_counters_each(text, take_counter, snapshot);
}

static void take_sockstat(const char *text, Snapshot *snapshot) {
        sockstat_parse(text, &snapshot->sockstat);
}

/* Files that are not there leave what they tell unknown. */
static int read_counters(const Seam *seam, int root_fd, Snapshot *snapshot, Error *reterr) {
        static const struct {
                const char *path;
                size_t max;
                void (*take)(const char *text, Snapshot *snapshot);
        } files[] = {
                { "proc/self/net/netstat", NET_COUNTERS_MAX_BYTES, take_net_counters },
                { "proc/self/net/snmp", NET_COUNTERS_MAX_BYTES, take_net_counters },
                { "proc/self/net/sockstat", SOCKSTAT_MAX_BYTES, take_sockstat },
                { "proc/self/net/sockstat6", SOCKSTAT_MAX_BYTES, take_sockstat },
                { "proc/self/net/softnet_stat", PROC_STAT_MAX_BYTES, softnet_stat_parse },
                { "proc/self/net/stat/nf_conntrack", PROC_STAT_MAX_BYTES, conntrack_stat_parse },
        };
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                cleanup_free char *text = NULL;
                size_t n;
                int r = seam_read_file_at(seam, root_fd, files[i].path, files[i].max, &text, &n);
                if (r == -ENOENT || r == -EACCES)
                        continue;
                if (r < 0)
                        return error_set(reterr, r, "cannot read '/%s'", files[i].path);
                files[i].take(text, snapshot);
        }
        return 0;
}

int collect_counts(const Seam *seam, int root_fd, Arena *arena, Snapshot *ret, Error *reterr) {
        const Meter meter = meter_start();
        long page_size = sysconf(_SC_PAGESIZE), n_pages = sysconf(_SC_PHYS_PAGES);
        Snapshot snapshot = {
                .time_us = clock_us(CLOCK_REALTIME),
                .monotonic_us = meter.wall_us,
                .page_size = page_size > 0 ? (uint64_t) page_size : 0,
                .memory = page_size > 0 && n_pages > 0 ? (uint64_t) page_size * (uint64_t) n_pages
                                                       : 0,
        };
        Instance instance = { 0 };
        int r = instance_read(seam, root_fd, &instance, reterr);
        if (r < 0)
                return r;
        snapshot.netns = instance.netns_inode;
        r = read_settings(seam, root_fd, arena, &snapshot, reterr);
        if (r == 0)
                r = read_counters(seam, root_fd, &snapshot, reterr);
        if (r < 0)
                return r;
        meter_stop(&meter, &snapshot.cost);
        *ret = snapshot;
        return 0;
}

/* --- sockets -------------------------------------------------------------------------------------------- */

typedef struct Listing {
        SocketTally *tally;
        uint64_t n_sockets;
} Listing;

static int add_sockets(void *userdata, const TcpSocket *sockets, size_t n) {
        Listing *listing = userdata;
        listing->n_sockets += n;
        socket_tally_add(listing->tally, sockets, n);
        return 0;
}

int collect_sockets(SocketDiag *diag, Arena *arena, Snapshot *snapshot, Error *reterr) {
        const Meter meter = meter_start();
        snapshot->has_sockets = false;
        int r = diag->socket ? 0 : socket_diag_open(diag, reterr);
        if (r < 0)
                return r;
        uint64_t seed = 0;
        (void) !getrandom(&seed, sizeof(seed), GRND_NONBLOCK); /* guessable: only slower */
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(snapshot, seed);
        if (!tally)
                return error_set(reterr, -ENOMEM, "cannot count sockets");

        Listing listing = { .tally = tally };
        const SocketDiagRequest request = { .states = SOCKET_DIAG_STATES };
        r = socket_diag_dump(diag, &request, add_sockets, &listing, reterr);
        if (r < 0)
                return r;
        r = socket_tally_finish(tally, arena, &snapshot->sockets);
        if (r < 0)
                return error_set(reterr, r, "cannot count sockets");
        snapshot->has_sockets = true;
        snapshot->cost.n_sockets = listing.n_sockets;
        meter_stop(&meter, &snapshot->cost);
        return 0;
}

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

static int read_live(const SeamFd *root, bool all, Arena *arena, LiveSnapshot *ret, Error *reterr) {
        const SysctlSpec **specs = arena_alloc_array(
                        arena, snapshot_setting_count(), sizeof(SysctlSpec *));
        if (!specs)
                return error_set(reterr, -ENOMEM, "cannot read the settings");
        size_t n = 0;
        for (size_t i = 0; i < snapshot_setting_count(); i++)
                if (all || snapshot_setting_is_for_counting(i))
                        specs[n++] = snapshot_setting(i);
        return sysctl_live_read(root, specs, n, arena, ret, reterr);
}

static int read_settings(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot, Error *reterr) {
        const SeamFd root = { .seam = seam, .fd = root_fd };
        int r = read_live(&root, false, arena, &snapshot->settings, reterr);
        if (r < 0)
                return r;
        r = instance_read_kernel(seam, root_fd, &snapshot->settings.kernel, reterr);
        if (r < 0)
                return r;
        snapshot->settings.initial_netns = instance_is_initial_netns(seam, root_fd);
        snapshot_set_pool(snapshot);
        return 0;
}

/* The name is as long as both words and the dot. */
static bool is_named(const char *name, const NetCounter *found) {
        const char *dot = name + found->group_length;
        return *dot == '.' && memcmp(name, found->group, found->group_length) == 0 &&
               memcmp(dot + 1, found->field, found->field_length) == 0;
}

static void take_counter(void *userdata, const NetCounter *found) {
        Snapshot *snapshot = userdata;
        const size_t length = found->group_length + 1 + found->field_length;
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                const char *name = snapshot_counter(id)->name;
                if (strlen(name) != length || !is_named(name, found))
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

int collect_settings(
                const Seam *seam, int root_fd, Arena *arena, Snapshot *snapshot, Error *reterr) {
        const Meter meter = meter_start();
        LiveSnapshot settings = {};
        int r = read_live(&(SeamFd){ seam, root_fd }, true, arena, &settings, reterr);
        if (r < 0)
                return r;
        settings.kernel = snapshot->settings.kernel;
        settings.initial_netns = snapshot->settings.initial_netns;
        snapshot->settings = settings;
        meter_stop(&meter, &snapshot->cost);
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

/* Only a request whose listening socket is gone is not among these numbers; its timer ends it (net/ipv4/
 * inet_connection_sock.c, reqsk_timer_handler()). */
static bool has_none(const SnapshotSockstat *sockstat) {
        return sockstat->known && sockstat->in_use[SNAPSHOT_IPV4] == 0 &&
               sockstat->in_use[SNAPSHOT_IPV6] == 0 && sockstat->time_wait == 0;
}

static int list_sockets(SocketDiag *diag, Listing *listing, Error *reterr) {
        static const SocketDiagRequest request = { .states = SOCKET_DIAG_STATES };
        int r = diag->socket ? 0 : socket_diag_open(diag, reterr);
        return r < 0 ? r : socket_diag_dump(diag, &request, add_sockets, listing, reterr);
}

int collect_sockets(SocketDiag *diag, Arena *arena, Snapshot *snapshot, Error *reterr) {
        const Meter meter = meter_start();
        snapshot->has_sockets = false;
        uint64_t seed = 0;
        (void) !getrandom(&seed, sizeof(seed), GRND_NONBLOCK); /* guessable: only slower */
        CLEANUP(socket_tally_freep) SocketTally *tally = socket_tally_new(snapshot, seed);
        if (!tally)
                return error_set(reterr, -ENOMEM, "cannot count sockets");

        Listing listing = { .tally = tally };
        /* the kernel would look through its whole table for what is not there */
        int r = has_none(&snapshot->sockstat) ? 0 : list_sockets(diag, &listing, reterr);
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

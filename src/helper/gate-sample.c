/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/gate-sample.h"

#include <fcntl.h>
#include <sys/random.h>
#include <time.h>

#include "system/net-counters.h"
#include "system/sysctl-live.h"

enum {
        KEY_RANGE,
        KEY_RESERVED,
        KEY_TIMESTAMPS,
        KEY_REUSE,
        N_KEYS,
};

/* Sorted, as sysctl_live_read() wants them. */
static const char *const keys[N_KEYS] = {
        [KEY_RANGE] = "net.ipv4.ip_local_port_range",
        [KEY_RESERVED] = "net.ipv4.ip_local_reserved_ports",
        [KEY_TIMESTAMPS] = "net.ipv4.tcp_timestamps",
        [KEY_REUSE] = "net.ipv4.tcp_tw_reuse",
};

void gate_sampler_close(GateSampler *sampler) {
        sampler->use = port_use_free(sampler->use);
        socket_diag_close(&sampler->diag);
}

int64_t gate_now_ms(void) {
        struct timespec now = { 0 };
        (void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the pool ------------------------------------------------------------------------------------------- */

static const SysctlValue *value_of(const LiveSnapshot *live, size_t key) {
        const LiveKey *found = live_find(live, catalogue_find(keys[key]));
        return found && found->state == LIVE_PRESENT ? &found->value : NULL;
}

/* Without timestamps nothing is used again (net/ipv4/tcp_ipv4.c, tcp_twsk_unique()). Reuse on loopback only is from
 * Linux 4.19. */
static PortReuse reuse_of(const LiveSnapshot *live) {
        const SysctlValue *reuse = value_of(live, KEY_REUSE);
        const SysctlValue *timestamps = value_of(live, KEY_TIMESTAMPS);
        if (!reuse || !timestamps || timestamps->ints[0] == 0 || reuse->ints[0] == 0)
                return PORT_REUSE_NONE;
        return reuse->ints[0] == 1 ? PORT_REUSE_ALL : PORT_REUSE_LOOPBACK;
}

/* Anew for each count: the very change that is judged may have set them. */
static int read_pool(GateSampler *sampler, Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return error_set(reterr, -ENOMEM, "cannot read the port range");
        const SysctlSpec *specs[N_KEYS];
        for (size_t i = 0; i < N_KEYS; i++)
                specs[i] = catalogue_find(keys[i]);

        const SeamFd root = { .seam = sampler->seam, .fd = sampler->root_fd };
        LiveSnapshot live;
        int r = sysctl_live_read(&root, specs, N_KEYS, arena, &live, reterr);
        if (r < 0)
                return r;
        /* a list of reserved ports that cannot be read whole would make the pool look larger */
        const SysctlValue *range = value_of(&live, KEY_RANGE);
        const SysctlValue *reserved = value_of(&live, KEY_RESERVED);
        r = range && reserved ? port_pool_set(&sampler->pool, range, reserved) : -EINVAL;
        if (r < 0)
                return error_set(reterr, r, "cannot understand '%s'", keys[KEY_RANGE]);
        sampler->pool.reuse = reuse_of(&live);
        return 0;
}

/* --- sockets -------------------------------------------------------------------------------------------- */

static int open_ports(GateSampler *sampler, Error *reterr) {
        if (!sampler->use) {
                uint64_t seed = 0;
                (void) !getrandom(&seed, sizeof(seed), GRND_NONBLOCK); /* guessable: only slower */
                sampler->use = port_use_new(&sampler->pool, seed);
                if (!sampler->use)
                        return error_set(reterr, -ENOMEM, "cannot count ports");
        }
        return sampler->diag.socket ? 0 : socket_diag_open(&sampler->diag, reterr);
}

static int add_sockets(void *userdata, const TcpSocket *sockets, size_t n) {
        for (size_t i = 0; i < n; i++)
                port_use_add(userdata, &sockets[i]);
        return 0;
}

static int count_ports(GateSampler *sampler, Error *reterr) {
        int r = open_ports(sampler, reterr);
        if (r >= 0)
                r = read_pool(sampler, reterr);
        if (r < 0)
                return r;
        port_use_reset(sampler->use);
        const SocketDiagRequest request = {
                .states = UINT32_MAX &
                          ~(TCP_STATE_BIT(TCP_STATE_LISTEN) | TCP_STATE_BIT(TCP_STATE_CLOSE)),
                .port_first = sampler->pool.first,
                .port_last = sampler->pool.last,
        };
        return socket_diag_dump(&sampler->diag, &request, add_sockets, sampler->use, reterr);
}

/* What it costs, not how long it takes: on a busy machine it is looked at as often as on an idle one. */
static int64_t cpu_now_us(void) {
        struct timespec now = { 0 };
        (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void take_ports(GateSampler *sampler, GateSample *sample) {
        if (sample->time_ms < sampler->next_ports_ms)
                return;
        int64_t begin = cpu_now_us();
        error_reset(&sampler->ports_error);
        sample->known[GATE_PORTS] = count_ports(sampler, &sampler->ports_error) >= 0;
        if (sample->known[GATE_PORTS])
                sample->value[GATE_PORTS] = port_use_level(sampler->use);
        sampler->next_ports_ms = gate_now_ms() +
                                 (cpu_now_us() - begin) * (GATE_PORTS_SHARE - 1) / 1000;
}

int gate_sampler_take(GateSampler *sampler, GateSample *ret, Error *reterr) {
        GateSample sample = { .time_ms = gate_now_ms() };
        int r = net_counters_read(sampler->seam, sampler->root_fd, &sample, reterr);
        if (r < 0)
                return r;
        take_ports(sampler, &sample);
        *ret = sample;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-process.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>

#define REGION_SIZE  ((size_t) 256 * 1024 * 1024)
#define REGION_ALIGN 16U
#define EPOCH_S      INT64_C(1767225600) /* 2026-01-01 */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

/* Seen by the libraries too, whose allocations are the process's as well: the tree is built with hidden symbols. */
#define REPLACES __attribute__((visibility("default")))

static struct {
        char *start;
        size_t used, most;
        bool active;
} region;

static struct {
        uint64_t n, at;
        bool for_ever;
} alloc;

static jmp_buf death;
static int64_t clock_ms;
static uint64_t *random_counter;

/* --- allocation ------------------------------------------------------------------------------------------------- */

static bool in_region(const void *p) {
        return region.start && (const char *) p >= region.start &&
               (const char *) p < region.start + REGION_SIZE;
}

/* Its size stands before each piece. */
static void *region_take(size_t n) {
        alloc.n++;
        if (alloc.at > 0 && (alloc.n == alloc.at || (alloc.for_ever && alloc.n > alloc.at))) {
                errno = ENOMEM;
                return NULL;
        }
        size_t need = (n + 2 * REGION_ALIGN - 1) / REGION_ALIGN * REGION_ALIGN;
        if (need < n || region.used + need > REGION_SIZE)
                return NULL;
        char *p = region.start + region.used + REGION_ALIGN;
        region.used += need;
        memcpy(p - sizeof(size_t), &n, sizeof(n));
        return p;
}

REPLACES void *malloc(size_t n) {
        return region.active ? region_take(n) : __libc_malloc(n);
}

REPLACES void *calloc(size_t n, size_t size) {
        size_t total;
        if (!region.active)
                return __libc_calloc(n, size);
        if (__builtin_mul_overflow(n, size, &total))
                return NULL;
        void *p = region_take(total);
        if (p)
                memset(p, 0, total);
        return p;
}

REPLACES void *realloc(void *p, size_t n) {
        if (p && !in_region(p))
                return __libc_realloc(p, n);
        if (!region.active && !p)
                return __libc_realloc(NULL, n);
        void *q = region_take(n);
        if (!q || !p)
                return q;
        size_t old;
        memcpy(&old, (char *) p - sizeof(size_t), sizeof(old));
        memcpy(q, p, old < n ? old : n);
        return q;
}

REPLACES void free(void *p) {
        if (p && !in_region(p))
                __libc_free(p);
}

void sim_process_fail_alloc(uint64_t at, bool for_ever) {
        alloc.at = at;
        alloc.for_ever = for_ever;
        if (at > 0)
                alloc.n = 0;
}

uint64_t sim_process_count_alloc(void) {
        return alloc.n;
}

/* A library that gives up (jansson's parser does without memory) ends the process: the same as a kill. */
REPLACES void abort(void) {
        if (region.active)
                longjmp(death, 1);
        (void) fputs("abort\n", stderr);
        _Exit(134);
}

/* libyaml and jansson assert where memory runs out; an assertion of ours that fails is a fault of ours. */
static bool is_ours(const char *file) {
        static const char *const layers[] = { "/src/base/",   "/src/diag/",   "/src/model/",
                                              "/src/record/", "/src/system/", "/src/engine/" };
        for (size_t i = 0; i < ELEMENTSOF(layers); i++)
                if (strstr(file, layers[i]))
                        return true;
        return false;
}

REPLACES void __assert_fail(
                const char *what, const char *file, unsigned line, const char *function) {
        if (region.active && alloc.at > 0 && !is_ours(file))
                longjmp(death, 1);
        (void) fprintf(stderr, "%s:%u: %s: %s\n", file, line, function, what);
        _Exit(134);
}

static void region_empty(void) {
        if (region.used > region.most)
                region.most = region.used;
        region.used = 0;
        region.active = false;
}

/* --- time and chance -------------------------------------------------------------------------------------------- */

void sim_process_set_clock(int64_t now_ms) {
        clock_ms = now_ms;
}

void sim_process_set_random(uint64_t *counter) {
        random_counter = counter;
}

REPLACES int clock_gettime(clockid_t id, struct timespec *ret) {
        *ret = (struct timespec){ .tv_sec = clock_ms / 1000, .tv_nsec = clock_ms % 1000 * 1000000 };
        if (id == CLOCK_REALTIME)
                ret->tv_sec += EPOCH_S;
        return 0;
}

REPLACES int nanosleep(const struct timespec *how_long, struct timespec *left UNUSED) {
        clock_ms += how_long->tv_sec * 1000 + how_long->tv_nsec / 1000000 + 1;
        return 0;
}

REPLACES int adjtimex(struct timex *ret) {
        ret->status = 0;
        return 0;
}

REPLACES ssize_t getrandom(void *buffer, size_t n, unsigned flags UNUSED) {
        uint64_t x = random_counter ? ++*random_counter : 1;
        for (size_t i = 0; i < n; i++) {
                /* splitmix64: different for each call, the same in each run */
                uint64_t z = (x += UINT64_C(0x9e3779b97f4a7c15));
                z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
                z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
                ((uint8_t *) buffer)[i] = (uint8_t) (z ^ (z >> 31));
        }
        return (ssize_t) n;
}

/* --- life ------------------------------------------------------------------------------------------------------- */

bool sim_process_run(SimBody body, void *userdata) {
        if (!region.start) {
                void *p = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
                if (p == MAP_FAILED)
                        abort();
                region.start = p;
        }

        if (setjmp(death) != 0) {
                region_empty();
                return false;
        }
        region.active = true;
        alloc.n = 0;
        body(userdata);
        region_empty();
        return true;
}

void sim_process_kill(void) {
        longjmp(death, 1);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory that runs out once at every place that asks for it, for the one test program that includes this.
 *
 *         static bool settle(World *w) { … prepare (not armed yet) …; failing_memory_arm(); act; failing_memory_disarm(); … }
 *         n = failing_memory_everywhere(try, data);
 *
 * A place is a chain of callers in the program itself, as far as it tells who has to cope: two ways to one allocation are two places, the hundredth turn of
 * a loop is none, nor is the second allocation of one call of a library. So a
 * few hundred runs see every path of an error, where counting allocations would take thousands. An allocation in an
 * arena is a place as well: this header brings an arena of its own, each piece a block of its own, in the stead of
 * src/base/arena.c.
 *
 * Each run is a child process: jansson 2.14 aborts where it meets the end of memory inside a token. A child that ends
 * so has died as by SIGKILL, nothing more; what is left behind is the caller's to judge, in `after`.
 *
 * Sanitizers have an allocator of their own; there only the arena fails.
 */

#include <execinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "test.h"

#define FAILING_MEMORY_DEPTH  11 /* callers in the program, three of them this header's */
#define FAILING_MEMORY_FRAMES 32 /* those of libraries between them included */
#define FAILING_MEMORY_PLACES 8192U

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAILING_MEMORY_HAS_MALLOC 0
#endif
#endif
#if !defined(FAILING_MEMORY_HAS_MALLOC)
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define FAILING_MEMORY_HAS_MALLOC 0
#else
#define FAILING_MEMORY_HAS_MALLOC 1
#endif
#endif

/* The linker's: where the program's own code lies. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming) */
extern const char __executable_start[], etext[];

/* Shared with the children: each tells here where it failed. */
typedef struct FailingMemory {
        bool armed, has_failed;
        size_t n_places;
        uint64_t places[FAILING_MEMORY_PLACES];
} FailingMemory;

static FailingMemory *failing_memory;

static bool failing_memory_is_known(uint64_t place) {
        for (size_t i = 0; i < failing_memory->n_places; i++)
                if (failing_memory->places[i] == place)
                        return true;
        return false;
}

/* Whether this allocation is the one that fails: the first of a place where none has failed before. */
static bool failing_memory_refuses(void) {
        if (!failing_memory || !failing_memory->armed || failing_memory->has_failed)
                return false;
        failing_memory->armed = false; /* not in what backtrace() itself asks for */
        void *callers[FAILING_MEMORY_FRAMES];
        int n = backtrace(callers, FAILING_MEMORY_FRAMES);
        uint64_t place = UINT64_C(14695981039346656037); /* FNV-1a over the addresses */
        for (int i = 0, n_own = 0; i < n && n_own < FAILING_MEMORY_DEPTH; i++) {
                uintptr_t caller = (uintptr_t) callers[i];
                if (caller < (uintptr_t) __executable_start || caller >= (uintptr_t) etext)
                        continue;
                place = (place ^ (uint64_t) caller) * UINT64_C(1099511628211);
                n_own++;
        }
        failing_memory->armed = true;
        if (failing_memory_is_known(place))
                return false;
        if (failing_memory->n_places == FAILING_MEMORY_PLACES)
                abort();
        failing_memory->places[failing_memory->n_places++] = place;
        failing_memory->has_failed = true;
        return true;
}

static inline void failing_memory_arm(void) {
        failing_memory->armed = true;
}

static inline void failing_memory_disarm(void) {
        failing_memory->armed = false;
}

/* --- running -------------------------------------------------------------------------------------------------- */

typedef struct FailingMemoryTest {
        void *(*before)(void *data);          /* gives the world; nothing fails yet */
        void (*act)(void *world, void *data); /* in a child, and with memory that fails once */
        void (*after)(void *world,
                      void *data); /* asserts what holds whatever failed, and ends the world */
        void *data;
} FailingMemoryTest;

static bool failing_memory_run(const FailingMemoryTest *test) {
        void *world = test->before(test->data);
        failing_memory->has_failed = false;
        (void) fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) prctl(PR_SET_DUMPABLE, 0);
                failing_memory_arm();
                test->act(world, test->data);
                failing_memory_disarm();
                /* by exit() gcov's counts are kept; a sanitizer would look for leaks there, which a death leaves */
                if (FAILING_MEMORY_HAS_MALLOC)
                        exit(0);
                _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        failing_memory_disarm();
        assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                    (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
        bool has_failed = failing_memory->has_failed;
        test->after(world, test->data);
        return has_failed;
}

/* The number of places that no test of this program has met before; each has failed once. */
static size_t failing_memory_everywhere(const FailingMemoryTest *test) {
        failing_memory = mmap(
                        NULL, sizeof(FailingMemory), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(failing_memory != MAP_FAILED);
        void *warm[1];
        (void) backtrace(warm, 1); /* loads what it needs */
        while (failing_memory_run(test))
                ;
        size_t n = failing_memory->n_places;
        assert_int_equal(munmap(failing_memory, sizeof(FailingMemory)), 0);
        failing_memory = NULL;
        print_message("%zu places\n", n);
        return n;
}

/* --- the arena ------------------------------------------------------------------------------------------------ */

typedef struct FailingBlock FailingBlock;
struct FailingBlock {
        FailingBlock *next;
        _Alignas(max_align_t) unsigned char bytes[];
};

struct Arena {
        FailingBlock *blocks;
};

Arena *arena_new(void) {
        return calloc(1, sizeof(Arena));
}

Arena *arena_free(Arena *arena) {
        for (FailingBlock *block = arena ? arena->blocks : NULL; block;) {
                FailingBlock *next = block->next;
                free(block);
                block = next;
        }
        free(arena);
        return NULL;
}

void *arena_alloc(Arena *arena, size_t n) {
        /* with an allocator of ours it is calloc() that refuses */
        if (!FAILING_MEMORY_HAS_MALLOC && failing_memory_refuses())
                return NULL;
        FailingBlock *block = n <= SIZE_MAX / 2 ? calloc(1, sizeof(FailingBlock) + n) : NULL;
        if (!block)
                return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
        return block->bytes;
}

void *arena_alloc_array(Arena *arena, size_t count, size_t size) {
        if (size > 0 && count > SIZE_MAX / size)
                return NULL;
        return arena_alloc(arena, count * size);
}

char *arena_copy_n(Arena *arena, const char *bytes, size_t n) {
        char *copy = n < SIZE_MAX ? arena_alloc(arena, n + 1) : NULL;
        if (copy && n > 0)
                memcpy(copy, bytes, n);
        return copy;
}

char *arena_copy(Arena *arena, const char *text) {
        return arena_copy_n(arena, text, strlen(text));
}

char *arena_format(Arena *arena, const char *format, ...) {
        va_list ap;
        va_start(ap, format);
        int n = vsnprintf(NULL, 0, format, ap);
        va_end(ap);
        char *text = n >= 0 ? arena_alloc(arena, (size_t) n + 1) : NULL;
        if (!text)
                return NULL;
        va_start(ap, format);
        (void) vsnprintf(text, (size_t) n + 1, format, ap);
        va_end(ap);
        return text;
}

/* --- malloc --------------------------------------------------------------------------------------------------- */

#if FAILING_MEMORY_HAS_MALLOC
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming): glibc's names */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

/* Seen by the libraries, too, in spite of hidden visibility. */
#define FAILING_MEMORY_EXPORT __attribute__((visibility("default")))

static bool failing_memory_has_none(void) {
        if (!failing_memory_refuses())
                return false;
        errno = ENOMEM;
        return true;
}

FAILING_MEMORY_EXPORT void *malloc(size_t size) {
        return failing_memory_has_none() ? NULL : __libc_malloc(size);
}

FAILING_MEMORY_EXPORT void *calloc(size_t nmemb, size_t size) {
        return failing_memory_has_none() ? NULL : __libc_calloc(nmemb, size);
}

FAILING_MEMORY_EXPORT void *realloc(void *ptr, size_t size) {
        return failing_memory_has_none() ? NULL : __libc_realloc(ptr, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming) */
#endif

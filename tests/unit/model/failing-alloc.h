/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory that runs out on request, for the one test program that includes this: from the allocation with
 * number `failing_alloc_at` (counted from 0 since the last failing_alloc_arm()) on, nothing is left.
 *
 * Replaces the C library's functions, which glibc allows; sanitizers replace them themselves, so there is
 * nothing to test with them and FAILING_ALLOC_WORKS is 0.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
                __has_feature(thread_sanitizer)
#define FAILING_ALLOC_WORKS 0
#endif
#endif
#if !defined(FAILING_ALLOC_WORKS)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define FAILING_ALLOC_WORKS 0
#else
#define FAILING_ALLOC_WORKS 1
#endif
#endif

static bool failing_alloc_armed;
static size_t failing_alloc_at, failing_alloc_count;

static inline void failing_alloc_arm(size_t at) {
        failing_alloc_at = at;
        failing_alloc_count = 0;
        failing_alloc_armed = true;
}

/* How many allocations there were since it was armed. */
static inline size_t failing_alloc_disarm(void) {
        failing_alloc_armed = false;
        return failing_alloc_count;
}

#if FAILING_ALLOC_WORKS
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming): glibc's names */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static bool failing_alloc_refuses(void) {
        if (!failing_alloc_armed || failing_alloc_count++ < failing_alloc_at)
                return false;
        errno = ENOMEM;
        return true;
}

/* Seen by the libraries, too, in spite of hidden visibility. */
#define FAILING_ALLOC_EXPORT __attribute__((visibility("default")))

FAILING_ALLOC_EXPORT void *malloc(size_t size) {
        return failing_alloc_refuses() ? NULL : __libc_malloc(size);
}

FAILING_ALLOC_EXPORT void *calloc(size_t nmemb, size_t size) {
        return failing_alloc_refuses() ? NULL : __libc_calloc(nmemb, size);
}

FAILING_ALLOC_EXPORT void *realloc(void *ptr, size_t size) {
        return failing_alloc_refuses() ? NULL : __libc_realloc(ptr, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,readability-identifier-naming) */
#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Small language helpers that every file may use: counting array members, ownership transfer, and
 * cleanup attributes. Nothing here allocates or fails.
 *
 * Ownership: `CLEANUP(x_freep) X *x = …;` frees at the end of the scope whatever x holds then;
 * `TAKE_PTR(x)` hands the value out and leaves NULL behind, `TAKE_FD(fd)` leaves -EBADF.
 */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTSOF(array)          (sizeof(array) / sizeof((array)[0]))

#define CLEANUP(function)          __attribute__((cleanup(function)))
#define NODISCARD                  __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))
#define UNUSED                     __attribute__((unused))

#define TAKE_PTR(p)                                 \
        ({                                          \
                typeof(p) *take_ptr_ = &(p);        \
                typeof(p) take_value_ = *take_ptr_; \
                *take_ptr_ = NULL;                  \
                take_value_;                        \
        })

/* Defines `void function##p(type **p)`, the form that CLEANUP() wants, for `type *function(type *)`. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type in a declaration takes no brackets */
#define DEFINE_CLEANUP_PTR(type, function)         \
        static inline void function##p(type **p) { \
                if (*p)                            \
                        (void) function(*p);       \
        }
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void free_charp(char **p) {
        free(*p);
}

static inline void free_voidp(void *p) {
        free(*(void **) p);
}

#define cleanup_free CLEANUP(free_voidp)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* True also when both are NULL. */
static inline bool streq_null(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

/* The rest of `s` behind `prefix`, or NULL when `s` does not start with it. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);
        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

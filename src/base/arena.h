/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Memory that is freed all at once. A tree, a profile or a plan owns one arena; nothing inside is
 * freed singly, and every pointer into it lives as long as the arena.
 *
 * Allocations are zeroed and aligned for any type. NULL means out of memory.
 */

#include "base/macro.h"

typedef struct Arena Arena;

Arena *arena_new(void);
Arena *arena_free(Arena *arena);
DEFINE_CLEANUP_PTR(Arena, arena_free)

void *arena_alloc(Arena *arena, size_t n);
/* As arena_alloc(), for `count` members; NULL also when the product overflows. */
void *arena_alloc_array(Arena *arena, size_t count, size_t size);
char *arena_copy(Arena *arena, const char *text);
/* Copies n bytes and adds a NUL. */
char *arena_copy_n(Arena *arena, const char *bytes, size_t n);
char *arena_format(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

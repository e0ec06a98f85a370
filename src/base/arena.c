/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#define ARENA_BLOCK_SIZE 8192U
#define ARENA_ALIGN      _Alignof(max_align_t)

typedef struct ArenaBlock ArenaBlock;
struct ArenaBlock {
        ArenaBlock *next;
        size_t used;
        size_t size;
        _Alignas(max_align_t) unsigned char bytes[];
};

struct Arena {
        ArenaBlock *blocks; /* the newest first */
};

Arena *arena_new(void) {
        return calloc(1, sizeof(Arena));
}

Arena *arena_free(Arena *arena) {
        if (!arena)
                return NULL;

        for (ArenaBlock *block = arena->blocks; block;) {
                ArenaBlock *next = block->next;
                free(block);
                block = next;
        }
        free(arena);
        return NULL;
}

static ArenaBlock *arena_grow(Arena *arena, size_t n) {
        size_t size = n > ARENA_BLOCK_SIZE ? n : ARENA_BLOCK_SIZE;
        if (size > SIZE_MAX - sizeof(ArenaBlock))
                return NULL;

        ArenaBlock *block = calloc(1, sizeof(ArenaBlock) + size);
        if (!block)
                return NULL;

        block->size = size;
        block->next = arena->blocks;
        arena->blocks = block;
        return block;
}

void *arena_alloc(Arena *arena, size_t n) {
        if (n > SIZE_MAX - ARENA_ALIGN)
                return NULL;
        n = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;

        ArenaBlock *block = arena->blocks;
        if (!block || block->size - block->used < n)
                block = arena_grow(arena, n);
        if (!block)
                return NULL;

        void *p = block->bytes + block->used;
        block->used += n;
        return p;
}

void *arena_alloc_array(Arena *arena, size_t count, size_t size) {
        if (size > 0 && count > SIZE_MAX / size)
                return NULL;
        return arena_alloc(arena, count * size);
}

char *arena_copy_n(Arena *arena, const char *bytes, size_t n) {
        if (n == SIZE_MAX)
                return NULL;

        char *copy = arena_alloc(arena, n + 1);
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
        if (n < 0)
                return NULL;

        char *text = arena_alloc(arena, (size_t) n + 1);
        if (!text)
                return NULL;

        va_start(ap, format);
        (void) vsnprintf(text, (size_t) n + 1, format, ap);
        va_end(ap);
        return text;
}

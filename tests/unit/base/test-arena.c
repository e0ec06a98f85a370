/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/arena.h"

#include "test.h"

static void test_arena_is_zeroed_and_aligned(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_non_null(arena);
        for (size_t n = 0; n < 100; n++) {
                unsigned char *p = arena_alloc(arena, n);
                assert_non_null(p);
                assert_int_equal((uintptr_t) p % _Alignof(max_align_t), 0);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(p[i], 0);
                memset(p, 0xff, n);
        }
}

static void test_arena_keeps_what_it_gave(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        char *texts[2000];
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                texts[i] = arena_format(arena, "text %zu", i);
                assert_non_null(texts[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char want[32];
                (void) snprintf(want, sizeof(want), "text %zu", i);
                assert_string_equal(texts[i], want);
        }
}

static void test_arena_larger_than_a_block(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        char *small = arena_copy(arena, "before");
        char *large = arena_alloc(arena, 100000);
        assert_non_null(large);
        memset(large, 'x', 100000);
        char *after = arena_copy(arena, "after");
        assert_string_equal(small, "before");
        assert_string_equal(after, "after");
        assert_int_equal(large[99999], 'x');
}

static void test_arena_refuses_what_overflows(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_null(arena_alloc(arena, SIZE_MAX));
        assert_null(arena_alloc(arena, SIZE_MAX - 20));
        assert_null(arena_alloc_array(arena, SIZE_MAX / 8 + 2, 8));
        assert_null(arena_copy_n(arena, "x", SIZE_MAX));
        assert_non_null(arena_alloc_array(arena, 0, 8));
        assert_non_null(arena_alloc_array(arena, 8, 0));
}

static void test_arena_copies(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_string_equal(arena_copy(arena, ""), "");
        assert_string_equal(arena_copy_n(arena, "abcdef", 3), "abc");
        assert_string_equal(arena_copy_n(arena, NULL, 0), "");
        char *with_nul = arena_copy_n(arena, "a\0b", 3);
        assert_memory_equal(with_nul, "a\0b", 4);
}

static void test_arena_free_takes_null(void **state UNUSED) {
        assert_null(arena_free(NULL));
        assert_null(arena_free(arena_new()));
}

TEST_MAIN(cmocka_unit_test(test_arena_is_zeroed_and_aligned),
          cmocka_unit_test(test_arena_keeps_what_it_gave),
          cmocka_unit_test(test_arena_larger_than_a_block),
          cmocka_unit_test(test_arena_refuses_what_overflows), cmocka_unit_test(test_arena_copies),
          cmocka_unit_test(test_arena_free_takes_null))

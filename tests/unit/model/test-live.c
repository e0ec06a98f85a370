/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/live.h"

#include "fixture.h"

static void test_find_in_snapshot(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        FixtureKernel kernel = { .keys = { { "net.core.somaxconn", "4096" } } };
        LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);

        for (size_t i = 0; i < catalogue_count(); i++) {
                const LiveKey *found = live_find(&live, catalogue_get(i));
                assert_non_null(found);
                assert_ptr_equal(found->spec, catalogue_get(i));
        }
        const LiveKey *found = live_find(&live, catalogue_find("net.core.somaxconn"));
        assert_int_equal(found->state, LIVE_PRESENT);
        assert_int_equal(found->value.ints[0], 4096);
}

static void test_find_what_was_not_asked_for(void **state UNUSED) {
        LiveSnapshot nothing = {};
        assert_null(live_find(&nothing, catalogue_get(0)));

        LiveKey one = { .spec = catalogue_get(1), .state = LIVE_ABSENT };
        LiveSnapshot live = { .keys = &one, .n_keys = 1 };
        assert_null(live_find(&live, catalogue_get(0)));
        assert_ptr_equal(live_find(&live, catalogue_get(1)), &one);
        assert_null(live_find(&live, catalogue_get(2)));
}

TEST_MAIN(cmocka_unit_test(test_find_in_snapshot),
          cmocka_unit_test(test_find_what_was_not_asked_for))

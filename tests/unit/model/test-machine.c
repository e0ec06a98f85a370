/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/machine.h"

#include "fixture.h"

static void test_listeners_within(void **state UNUSED) {
        static const uint16_t ports[] = { 22, 8080, 8081, 65535 };
        static const struct {
                int64_t low, high;
                size_t n;
                uint16_t first;
        } rows[] = {
                { 1, 21, 0, 0 },          { 22, 22, 1, 22 },   { 23, 8080, 1, 8080 },
                { 8080, 65535, 3, 8080 }, { 1, 65535, 4, 22 }, { 8082, 65534, 0, 0 },
                { 70000, 80000, 0, 0 },   { 65535, 1, 0, 0 },
        };
        MachineFacts machine = { .knows_listeners = true, .listeners = ports, .n_listeners = 4 };
        TEST_EACH(row, rows) {
                uint16_t first = 0;
                assert_int_equal(
                                machine_listeners_within(&machine, row->low, row->high, &first),
                                row->n);
                assert_int_equal(first, row->first);
        }
        uint16_t first = 7;
        assert_int_equal(machine_listeners_within(&(MachineFacts){}, 1, 65535, &first), 0);
        assert_int_equal(first, 7);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_listeners_within),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

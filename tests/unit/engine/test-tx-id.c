/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/tx-id.h"

#include "test.h"

static void test_tx_id_is_a_random_uuid(void **state UNUSED) {
        static const char form[] = "xxxxxxxx-xxxx-4xxx-Yxxx-xxxxxxxxxxxx";
        char last[TX_ID_SIZE] = "";
        for (unsigned round = 0; round < 100; round++) {
                char id[TX_ID_SIZE];
                tx_id_new(id);
                assert_int_equal(strlen(id), sizeof(form) - 1);
                for (size_t i = 0; id[i]; i++) {
                        const char *allowed = form[i] == 'x'   ? "0123456789abcdef"
                                              : form[i] == 'Y' ? "89ab"
                                              : form[i] == '4' ? "4"
                                                               : "-";
                        assert_non_null(strchr(allowed, id[i]));
                }
                assert_string_not_equal(id, last);
                memcpy(last, id, sizeof(last));
        }
}

TEST_MAIN(cmocka_unit_test(test_tx_id_is_a_random_uuid))

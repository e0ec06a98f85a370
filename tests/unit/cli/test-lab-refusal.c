/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-refusal.h"

#include "diag/diag.h"
#include "test.h"

static void test_lab_refuse_tells_host_from_failure(void **state) {
        (void) state;
        Context context;
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(error_set(&context.error, -ETIMEDOUT, "too late"), -ETIMEDOUT);
        assert_int_equal(lab_refuse(&context, -ETIMEDOUT), -ETIMEDOUT);
        assert_int_equal(diag_list_count(context.findings), 0);
        assert_int_equal(lab_refuse(&context, -EPERM), EXIT_REFUSED);
        assert_true(context_has_finding(&context, DIAG_NOT_SUPPORTED_HERE));
        context_deinit(&context);
}

TEST_MAIN(cmocka_unit_test(test_lab_refuse_tells_host_from_failure))

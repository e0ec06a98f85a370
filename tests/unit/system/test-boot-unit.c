/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/boot-unit.h"

#include "seam/scratch.h"
#include "test.h"

static void test_boot_unit(void **state UNUSED) {
        CLEANUP(scratch_deinit) Scratch scratch;
        scratch_init(&scratch);
        assert_int_equal(boot_unit_find(seam_real(), scratch.fd, false), BOOT_UNIT_NO_SYSTEMD);
        scratch_write(&scratch, "run/systemd/system/x", "");
        assert_int_equal(boot_unit_find(seam_real(), scratch.fd, true), BOOT_UNIT_NO_SYSTEMD);
        assert_int_equal(boot_unit_find(seam_real(), scratch.fd, false), BOOT_UNIT_DISABLED);
        scratch_link(&scratch, "etc/systemd/system/sysinit.target.wants/" BOOT_UNIT,
                     "/usr/lib/systemd/system/" BOOT_UNIT);
        assert_int_equal(boot_unit_find(seam_real(), scratch.fd, false), BOOT_UNIT_ENABLED);
        scratch_link(&scratch, "etc/systemd/system/" BOOT_UNIT, "/dev/null");
        assert_int_equal(boot_unit_find(seam_real(), scratch.fd, false), BOOT_UNIT_MASKED);
        assert_string_equal(boot_unit_state_name(BOOT_UNIT_MASKED), "masked");
        scratch_link(&scratch, "run/systemd/system/" BOOT_UNIT, "/dev/nullify");
        scratch_remove(&scratch, "etc/systemd/system/" BOOT_UNIT);
        assert_int_equal(boot_unit_find(seam_real(), scratch.fd, false), BOOT_UNIT_ENABLED);
}

TEST_MAIN(cmocka_unit_test(test_boot_unit))

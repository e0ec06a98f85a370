/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/instance.h"

#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

#define BOOT_ID_FILE "proc/sys/kernel/random/boot_id"
#define RELEASE_FILE "proc/sys/kernel/osrelease"
#define BOOT_ID      "b007b007-0000-4000-8000-000000000001"

static void fill(Scratch *scratch) {
        scratch_init(scratch);
        scratch_write(scratch, BOOT_ID_FILE, BOOT_ID "\n");
        scratch_write(scratch, RELEASE_FILE, "6.1.0-37-amd64\n");
        scratch_link(scratch, "proc/self/ns/net", "net:[4026531840]");
}

static void test_instance_read(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch);
        Instance instance = { .netns_cookie = 7 };
        Error error = { 0 };
        assert_int_equal(instance_read(seam_real(), scratch.fd, &instance, &error), 0);
        assert_string_equal(instance.boot_id, BOOT_ID);
        assert_int_equal(instance.netns_inode, 4026531840);
        assert_int_equal(instance.netns_cookie, 7);
        scratch_deinit(&scratch);
}

static void test_instance_read_refuses_nonsense(void **state UNUSED) {
        static const struct {
                const char *boot_id, *link;
                int r;
        } rows[] = {
                { "", "net:[1]", -EBADMSG },
                { "short", "net:[1]", -EBADMSG },
                { BOOT_ID, "net", -EBADMSG },
                { BOOT_ID, "net:]1[", -EBADMSG },
                { BOOT_ID, "net:[x]", -EINVAL },
                { BOOT_ID, "net:[99999999999999999999999]", -ERANGE },
                { NULL, "net:[1]", -ENOENT },
                { BOOT_ID, NULL, -ENOENT },
        };
        TEST_EACH(row, rows) {
                Scratch scratch;
                fill(&scratch);
                scratch_remove(&scratch, BOOT_ID_FILE);
                scratch_remove(&scratch, "proc/self/ns/net");
                if (row->boot_id)
                        scratch_write(&scratch, BOOT_ID_FILE, row->boot_id);
                if (row->link)
                        scratch_link(&scratch, "proc/self/ns/net", row->link);
                Instance instance = { 0 };
                Error error = { 0 };
                assert_int_equal(instance_read(seam_real(), scratch.fd, &instance, &error), row->r);
                assert_true(error_is_set(&error));
                assert_string_equal(instance.boot_id, "");
                scratch_deinit(&scratch);
        }
}

static void test_instance_read_kernel(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch);
        KernelVersion version = { 0 };
        Error error = { 0 };
        assert_int_equal(instance_read_kernel(seam_real(), scratch.fd, &version, &error), 0);
        assert_int_equal(version.major, 6);
        assert_int_equal(version.minor, 1);

        scratch_write(&scratch, RELEASE_FILE, "plan9\n");
        assert_true(instance_read_kernel(seam_real(), scratch.fd, &version, &error) < 0);
        assert_non_null(strstr(error.text, "plan9"));
        scratch_remove(&scratch, RELEASE_FILE);
        assert_int_equal(instance_read_kernel(seam_real(), scratch.fd, &version, &error), -ENOENT);
        scratch_deinit(&scratch);
}

static void test_instance_read_error_is_reported(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch);
        SeamFault fault;
        seam_fault_init(&fault, seam_real());
        fault.at = 2; /* open, pread */
        fault.kind = SEAM_FAULT_ERROR;
        fault.error = EIO;
        KernelVersion version;
        Error error = { 0 };
        assert_int_equal(instance_read_kernel(&fault.seam, scratch.fd, &version, &error), -EIO);
        scratch_deinit(&scratch);
}

static void test_instance_initial_namespace(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch);
        assert_false(instance_is_initial_netns(seam_real(), scratch.fd));
        scratch_write(&scratch, "proc/sys/net/ipv4/tcp_mem", "1\t2\t3\n");
        assert_true(instance_is_initial_netns(seam_real(), scratch.fd));
        scratch_deinit(&scratch);
}

static void test_instance_kernel_of_an_image(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch);
        KernelVersion version = { .major = 9 };
        Error error = { 0 };
        assert_int_equal(instance_find_image_kernel(seam_real(), scratch.fd, &version, &error), 0);
        assert_int_equal(version.major, 9); /* no modules: nothing is said */

        scratch_mkdir(&scratch, "usr/lib/modules/6.1.0-37-amd64");
        scratch_mkdir(&scratch, "usr/lib/modules/6.12.3");
        scratch_mkdir(&scratch, "usr/lib/modules/extramodules");
        scratch_mkdir(&scratch, "lib/modules/5.10.0");
        assert_int_equal(instance_find_image_kernel(seam_real(), scratch.fd, &version, &error), 0);
        assert_int_equal(version.major, 6);
        assert_int_equal(version.minor, 12);

        scratch_remove(&scratch, "lib/modules");
        scratch_write(&scratch, "lib/modules", "");
        assert_int_equal(
                        instance_find_image_kernel(seam_real(), scratch.fd, &version, &error),
                        -ENOTDIR);
        scratch_deinit(&scratch);
}

TEST_MAIN(cmocka_unit_test(test_instance_read),
          cmocka_unit_test(test_instance_read_refuses_nonsense),
          cmocka_unit_test(test_instance_read_kernel),
          cmocka_unit_test(test_instance_read_error_is_reported),
          cmocka_unit_test(test_instance_initial_namespace),
          cmocka_unit_test(test_instance_kernel_of_an_image))

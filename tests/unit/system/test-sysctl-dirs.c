/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/sysctl-dirs.h"

#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
        Arena *arena;
        SysctlFiles files;
        Error error;
} Fixture;

static void fixture_init(Fixture *f) {
        *f = (Fixture){ .arena = arena_new() };
        scratch_init(&f->scratch);
        seam_fault_init(&f->fault, seam_real());
}

static void fixture_deinit(Fixture *f) {
        f->arena = arena_free(f->arena);
        scratch_deinit(&f->scratch);
}

static int read_all(Fixture *f, const char *after) {
        return sysctl_dirs_read(
                        &f->fault.seam, f->scratch.fd, after, f->arena, &f->files, &f->error);
}

static const char *value_of(Fixture *f, const char *path) {
        const SysctlFile *file;
        const SysctlAssignment *item = sysctl_files_find_last(&f->files, path, &file);
        return item ? item->value : NULL;
}

static void test_sysctl_dirs_order_of_systemd(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(read_all(&f, NULL), 0);
        assert_int_equal(f.files.n_files, 0);

        scratch_write(&f.scratch, "usr/lib/sysctl.d/50-a.conf", "net.core.somaxconn = 1\n");
        scratch_write(&f.scratch, "usr/local/lib/sysctl.d/40-b.conf", "net.core.somaxconn = 2\n");
        scratch_write(&f.scratch, "run/sysctl.d/70-c.conf", "kernel.x = 7\n");
        scratch_write(&f.scratch, "etc/sysctl.d/10-d.conf", "net.core.somaxconn = 4\n");
        scratch_write(&f.scratch, "etc/sysctl.d/.99-hidden.conf", "net.core.somaxconn = 5\n");
        scratch_write(&f.scratch, "etc/sysctl.d/99-other", "net.core.somaxconn = 6\n");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_int_equal(f.files.n_files, 4);
        assert_string_equal(f.files.files[0].path, "/etc/sysctl.d/10-d.conf");
        assert_string_equal(f.files.files[3].path, "/run/sysctl.d/70-c.conf");
        assert_string_equal(
                        value_of(&f, "net/core/somaxconn"),
                        "1"); /* 50-a, not the higher directory */

        scratch_write(&f.scratch, "etc/sysctl.d/50-a.conf", "net/core/somaxconn=8\n");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_int_equal(f.files.n_files, 4);
        assert_string_equal(
                        value_of(&f, "net/core/somaxconn"), "8"); /* same name: /etc replaces it */
        assert_int_equal(read_all(&f, "50-a.conf"), 0);
        assert_int_equal(f.files.n_files, 1);
        assert_null(value_of(&f, "net/core/somaxconn"));
        fixture_deinit(&f);
}

static void test_sysctl_dirs_masks_links_and_strangers(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "usr/lib/sysctl.d/50-a.conf", "net.core.somaxconn = 1\n");
        scratch_link(&f.scratch, "etc/sysctl.d/50-a.conf", "/dev/null");
        scratch_write(&f.scratch, "etc/sysctl.conf", "net.core.somaxconn = 2\n");
        scratch_link(&f.scratch, "etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
        scratch_mkdir(&f.scratch, "etc/sysctl.d/60-dir.conf");
        scratch_link(&f.scratch, "etc/sysctl.d/70-gone.conf", "nowhere");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_int_equal(f.files.n_files, 4);
        assert_int_equal(f.files.files[0].conf.n_items, 0); /* masked */
        assert_int_equal(f.files.files[0].error, 0);
        assert_int_equal(f.files.files[1].error, EINVAL);
        assert_int_equal(f.files.files[2].error, ENOENT);
        assert_string_equal(value_of(&f, "net/core/somaxconn"), "2"); /* links are followed */
        fixture_deinit(&f);
}

static void test_sysctl_dirs_explicit_beats_glob_and_exclusion(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/sysctl.d/50-a.conf",
                      "net.core.somaxconn = 1\nnet.core.somaxconn = 2\n");
        scratch_write(&f.scratch, "etc/sysctl.d/60-b.conf",
                      "net.core.* = 3\n-net.core.somaxconn\n");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_string_equal(value_of(&f, "net/core/somaxconn"), "2");
        assert_null(value_of(&f, "net/core/optmem_max"));
        fixture_deinit(&f);
}

static void test_sysctl_dirs_many_files_and_a_giant(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        for (unsigned i = 0; i < 70; i++) {
                char path[64], text[64];
                (void) snprintf(path, sizeof(path), "etc/sysctl.d/%02u-x.conf", i);
                (void) snprintf(text, sizeof(text), "kernel.x = %u\n", i);
                scratch_write(&f.scratch, path, text);
        }
        cleanup_free char *giant = calloc(1, SYSCTL_FILE_MAX + 1);
        memset(giant, '#', SYSCTL_FILE_MAX + 1);
        scratch_write_bytes(&f.scratch, "etc/sysctl.d/99-x.conf", giant, SYSCTL_FILE_MAX + 1);
        assert_int_equal(read_all(&f, NULL), 0);
        assert_int_equal(f.files.n_files, 71);
        assert_string_equal(value_of(&f, "kernel/x"), "69");
        assert_int_equal(f.files.files[70].error, EFBIG);
        fixture_deinit(&f);
}

static void test_sysctl_dirs_unreadable_directory(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_mkdir(&f.scratch, "etc/sysctl.d");
        f.fault.at = 2; /* list */
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EIO;
        assert_int_equal(read_all(&f, NULL), -EIO);
        assert_string_equal(f.error.text, "cannot list '/etc/sysctl.d': Input/output error");
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_sysctl_dirs_order_of_systemd),
          cmocka_unit_test(test_sysctl_dirs_masks_links_and_strangers),
          cmocka_unit_test(test_sysctl_dirs_explicit_beats_glob_and_exclusion),
          cmocka_unit_test(test_sysctl_dirs_many_files_and_a_giant),
          cmocka_unit_test(test_sysctl_dirs_unreadable_directory))

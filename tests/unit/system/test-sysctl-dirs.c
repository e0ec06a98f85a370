/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/sysctl-dirs.h"

#include "base/strbuf.h"
#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
        Arena *arena;
        SysctlDirs dirs;
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

static int read_all(Fixture *f, const char *own_text) {
        return sysctl_dirs_read(
                        &f->fault.seam, f->scratch.fd, own_text, f->arena, &f->dirs, &f->error);
}

/* "PATH=TEXT" of each file, "!" and the error for one that could not be read. */
static void assert_files(Fixture *f, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        for (size_t i = 0; i < f->dirs.n_files; i++) {
                const SysctlFile *file = &f->dirs.files[i];
                strbuf_addf(&text, "%s%s=%s", i > 0 ? " " : "", file->path, file->text);
                if (file->error != 0)
                        strbuf_addf(&text, "!%d", file->error);
                assert_int_equal(file->is_hidden, file->name[0] == '.');
        }
        assert_string_equal(strbuf_text(&text), want);
}

static void test_sysctl_dirs_order(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(read_all(&f, NULL), 0);
        assert_files(&f, "");

        scratch_write(&f.scratch, "lib/sysctl.d/50-a.conf", "0");
        scratch_write(&f.scratch, "lib/sysctl.d/95-split.conf", "9");
        scratch_write(&f.scratch, "usr/lib/sysctl.d/50-a.conf", "1");
        scratch_write(&f.scratch, "usr/local/lib/sysctl.d/40-b.conf", "2");
        scratch_write(&f.scratch, "run/sysctl.d/70-c.conf", "3");
        scratch_write(&f.scratch, "etc/sysctl.d/10-d.conf", "4");
        scratch_write(&f.scratch, "etc/sysctl.d/.99-hidden.conf", "5");
        scratch_write(&f.scratch, "etc/sysctl.d/99-other", "6");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_files(&f, "/etc/sysctl.d/.99-hidden.conf=5 /etc/sysctl.d/10-d.conf=4 "
                         "/usr/local/lib/sysctl.d/40-b.conf=2 /usr/lib/sysctl.d/50-a.conf=1 "
                         "/run/sysctl.d/70-c.conf=3 /lib/sysctl.d/95-split.conf=9");

        /* same name: the higher directory replaces it */
        scratch_write(&f.scratch, "etc/sysctl.d/50-a.conf", "8");
        scratch_remove(&f.scratch, "lib");
        scratch_remove(&f.scratch, "etc/sysctl.d/.99-hidden.conf");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_files(&f, "/etc/sysctl.d/10-d.conf=4 /usr/local/lib/sysctl.d/40-b.conf=2 "
                         "/etc/sysctl.d/50-a.conf=8 /run/sysctl.d/70-c.conf=3");
        fixture_deinit(&f);
}

static void test_sysctl_dirs_own_text(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(read_all(&f, "new"), 0);
        assert_files(&f, "/etc/sysctl.d/60-twprofile.conf=new");

        scratch_write(&f.scratch, "etc/sysctl.d/60-twprofile.conf", "disk");
        scratch_write(&f.scratch, "usr/lib/sysctl.d/60-twprofile.conf", "vendor");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_files(&f, "/etc/sysctl.d/60-twprofile.conf=disk");
        assert_int_equal(read_all(&f, "new"), 0);
        assert_files(&f, "/etc/sysctl.d/60-twprofile.conf=new");
        assert_int_equal(read_all(&f, ""), 0);
        assert_files(&f, "/usr/lib/sysctl.d/60-twprofile.conf=vendor");
        fixture_deinit(&f);
}

static void test_sysctl_dirs_masks_links_and_strangers(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "usr/lib/sysctl.d/50-a.conf", "1");
        scratch_link(&f.scratch, "etc/sysctl.d/50-a.conf", "/dev/null");
        scratch_write(&f.scratch, "etc/sysctl.conf", "2");
        scratch_link(&f.scratch, "etc/sysctl.d/51-below.conf", "../sysctl.conf");
        scratch_link(&f.scratch, "etc/sysctl.d/52-root.conf", "/etc/sysctl.d/53-again.conf");
        scratch_link(&f.scratch, "etc/sysctl.d/53-again.conf", "/etc//sysctl.conf");
        scratch_mkdir(&f.scratch, "etc/sysctl.d/60-dir.conf");
        scratch_link(&f.scratch, "etc/sysctl.d/61-dir.conf", "60-dir.conf/");
        scratch_link(&f.scratch, "etc/sysctl.d/62-root.conf", "/");
        scratch_link(&f.scratch, "etc/sysctl.d/70-gone.conf", "nowhere");
        scratch_link(&f.scratch, "etc/sysctl.d/71-gone.conf", "/no/such");
        scratch_link(&f.scratch, "etc/sysctl.d/80-loop.conf", "80-loop.conf");
        assert_int_equal(mkfifoat(f.scratch.fd, "etc/sysctl.d/90-fifo.conf", 0600), 0);
        assert_int_equal(read_all(&f, NULL), 0);
        assert_files(&f, "/etc/sysctl.d/50-a.conf= /etc/sysctl.d/51-below.conf=2 "
                         "/etc/sysctl.d/52-root.conf=2 /etc/sysctl.d/53-again.conf=2 "
                         "/etc/sysctl.d/60-dir.conf=!21 /etc/sysctl.d/61-dir.conf=!21 "
                         "/etc/sysctl.d/62-root.conf=!21 /etc/sysctl.d/70-gone.conf=!2 "
                         "/etc/sysctl.d/71-gone.conf=!2 /etc/sysctl.d/80-loop.conf=!40 "
                         "/etc/sysctl.d/90-fifo.conf=!22");
        fixture_deinit(&f);
}

static void test_sysctl_dirs_many_files_and_giants(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char path[64];
        for (unsigned i = 0; i < 70; i++) {
                (void) snprintf(path, sizeof(path), "etc/sysctl.d/%02u-x.conf", i);
                scratch_write(&f.scratch, path, "x");
        }
        cleanup_free char *giant = calloc(1, SYSCTL_FILE_MAX + 1);
        memset(giant, '#', SYSCTL_FILE_MAX + 1);
        scratch_write_bytes(&f.scratch, "etc/sysctl.d/99-x.conf", giant, SYSCTL_FILE_MAX + 1);
        assert_int_equal(read_all(&f, NULL), 0);
        assert_int_equal(f.dirs.n_files, 71);
        assert_string_equal(f.dirs.files[69].path, "/etc/sysctl.d/69-x.conf");
        assert_int_equal(f.dirs.files[70].error, EFBIG);

        /* together they may not be endless either */
        for (unsigned i = 0; i < 5; i++) {
                (void) snprintf(path, sizeof(path), "run/sysctl.d/%02u-y.conf", i);
                scratch_write_bytes(&f.scratch, path, giant, SYSCTL_FILE_MAX);
        }
        assert_int_equal(read_all(&f, NULL), 0);
        size_t n_refused = 0;
        for (size_t i = 0; i < f.dirs.n_files; i++)
                n_refused += f.dirs.files[i].error == EFBIG;
        assert_true(n_refused > 1);
        fixture_deinit(&f);
}

static void test_sysctl_dirs_unreadable_directory(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_mkdir(&f.scratch, "etc/sysctl.d");
        scratch_write(&f.scratch, "run/sysctl.d/1.conf", "x");
        f.fault.at = 2; /* list */
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EIO;
        assert_int_equal(read_all(&f, NULL), 0);
        assert_files(&f, "/run/sysctl.d/1.conf=x");
        assert_string_equal(f.dirs.denied, "/etc/sysctl.d");
        assert_int_equal(f.dirs.denied_error, EIO);

        scratch_remove(&f.scratch, "etc/sysctl.d");
        scratch_write(&f.scratch, "etc/sysctl.d", "a file");
        assert_int_equal(read_all(&f, NULL), 0);
        assert_null(f.dirs.denied);
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_sysctl_dirs_order), cmocka_unit_test(test_sysctl_dirs_own_text),
          cmocka_unit_test(test_sysctl_dirs_masks_links_and_strangers),
          cmocka_unit_test(test_sysctl_dirs_many_files_and_giants),
          cmocka_unit_test(test_sysctl_dirs_unreadable_directory))

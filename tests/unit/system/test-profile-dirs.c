/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/profile-dirs.h"

#include <sys/stat.h>
#include <unistd.h>

#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "seam/seam-sysctl.h"
#include "test.h"

#define ETC    "etc/twprofile/profiles/"
#define RUN    "run/twprofile/profiles/"
#define VENDOR "usr/share/twprofile/profiles/"

/* The scratch owner is shown as root by the seam, so that the ordinary rules hold for any user who runs the test. */
typedef struct Fixture {
        Scratch scratch;
        SeamSysctl as_root;
        SeamFault fault;
        ProfileDirs dirs;
        DiagList *diags;
        Error error;
} Fixture;

static void fixture_init(Fixture *f) {
        *f = (Fixture){ .diags = diag_list_new() };
        scratch_init(&f->scratch);
        seam_sysctl_init(&f->as_root, seam_real());
        seam_fault_init(&f->fault, &f->as_root.seam);
        f->dirs = (ProfileDirs){ .seam = &f->fault.seam, .root_fd = f->scratch.fd };
}

static void fixture_deinit(Fixture *f) {
        f->diags = diag_list_free(f->diags);
        seam_sysctl_deinit(&f->as_root);
        scratch_deinit(&f->scratch);
}

static int fetch(Fixture *f, const char *name, char ret_text[static 64]) {
        CLEANUP(source_freep) Source *source = NULL;
        ret_text[0] = '\0';
        int r = profile_dirs_fetch(&f->dirs, name, f->diags, &source, &f->error);
        if (r == 0)
                (void) snprintf(ret_text, 64, "%s", source_bytes(source));
        return r;
}

static bool last_finding_is(Fixture *f, DiagId id, const char *part) {
        size_t n = diag_list_count(f->diags);
        const Diag *d = n > 0 ? diag_list_get(f->diags, n - 1) : NULL;
        return d && d->id == id && strstr(d->message, part);
}

static void test_profile_dirs_higher_directory_wins(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char text[64];
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_NOT_FOUND);
        scratch_write(&f.scratch, VENDOR "web.yaml", "vendor");
        assert_int_equal(fetch(&f, "web", text), 0);
        assert_string_equal(text, "vendor");
        scratch_write(&f.scratch, RUN "web.yaml", "run");
        assert_int_equal(fetch(&f, "web", text), 0);
        assert_string_equal(text, "run");
        scratch_write(&f.scratch, ETC "web.yaml", "etc");
        assert_int_equal(fetch(&f, "web", text), 0);
        assert_string_equal(text, "etc");
        assert_int_equal(diag_list_count(f.diags), 0);
        fixture_deinit(&f);
}

static void test_profile_dirs_names_are_checked(void **state UNUSED) {
        static const char *const names[] = {
                "", "../web", "a/b", "Web", "web.yaml", "-web", ".web", "we b", "w\n",
        };
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, ETC "web.yaml", "etc");
        TEST_EACH(name, names) {
                char text[64];
                uint64_t n_calls = f.fault.n_calls;
                assert_int_equal(fetch(&f, *name, text), BUNDLE_E_NOT_FOUND);
                assert_int_equal(f.fault.n_calls, n_calls);
        }
        fixture_deinit(&f);
}

static void test_profile_dirs_mask(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char text[64];
        scratch_write(&f.scratch, VENDOR "web.yaml", "vendor");
        scratch_link(&f.scratch, ETC "web.yaml", "/dev/null");
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_PROFILE_MASKED, "/" ETC "web.yaml"));
        fixture_deinit(&f);
}

/* --- who may write it ------------------------------------------------------------------------------------------ */

static void test_profile_dirs_links_are_refused(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char text[64];
        scratch_write(&f.scratch, "home/web.yaml", "home");
        scratch_link(&f.scratch, ETC "web.yaml", "../../../home/web.yaml");
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_PROFILE_FILE_UNSAFE, "is a link"));

        scratch_remove(&f.scratch, "etc/twprofile");
        scratch_write(&f.scratch, "home/profiles/web.yaml", "home");
        scratch_link(&f.scratch, "etc/twprofile", "../home");
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_PROFILE_FILE_UNSAFE, "'/etc/twprofile'"));
        fixture_deinit(&f);
}

static void test_profile_dirs_writable_by_others(void **state UNUSED) {
        static const struct {
                const char *path;
                mode_t mode;
        } rows[] = {
                { ETC "web.yaml", 0664 },  { ETC "web.yaml", 0646 },
                { "etc/twprofile", 0777 }, { "etc/twprofile/profiles", 0775 },
                { "etc", 01777 },
        };
        TEST_EACH(row, rows) {
                Fixture f;
                fixture_init(&f);
                char text[64];
                scratch_write(&f.scratch, ETC "web.yaml", "etc");
                assert_int_equal(fetch(&f, "web", text), 0);
                scratch_chmod(&f.scratch, row->path, row->mode);
                assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
                assert_true(last_finding_is(
                                &f, DIAG_PROFILE_FILE_UNSAFE, "can be written by others"));
                f.dirs.trusting = true; /* list and show read it all the same */
                assert_int_equal(fetch(&f, "web", text), 0);
                fixture_deinit(&f);
        }
}

static void test_profile_dirs_hard_link_and_kinds(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char text[64];
        scratch_write(&f.scratch, ETC "web.yaml", "etc");
        assert_int_equal(linkat(f.scratch.fd, ETC "web.yaml", f.scratch.fd, "other", 0), 0);
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_PROFILE_FILE_UNSAFE, "more than one name"));

        scratch_remove(&f.scratch, ETC "web.yaml");
        assert_int_equal(mkfifoat(f.scratch.fd, ETC "web.yaml", 0644), 0);
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_PROFILE_FILE_UNSAFE, "not a regular file"));
        f.dirs.trusting = true;
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        fixture_deinit(&f);
}

static int fstat_foreign(const Seam *seam, int fd, struct stat *ret) {
        int r = seam_real()->ops->fstat(seam_real(), fd, ret);
        ret->st_uid = *(const uid_t *) seam->userdata;
        return r;
}

static void test_profile_dirs_wrong_owner(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char text[64];
        scratch_write(&f.scratch, ETC "web.yaml", "etc");
        uid_t owner = 4711;
        SeamOps ops = *seam_real()->ops;
        ops.fstat = fstat_foreign;
        Seam seam = { .ops = &ops, .userdata = &owner };
        f.dirs.seam = &seam;

        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_PROFILE_FILE_UNSAFE, "does not belong to root"));
        f.dirs.owner = 4711; /* the caller of --root */
        assert_int_equal(fetch(&f, "web", text), 0);
        fixture_deinit(&f);
}

static void test_profile_dirs_too_large(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        char text[64];
        size_t n = (size_t) 65 * 1024;
        cleanup_free char *large = calloc(1, n);
        memset(large, '#', n);
        scratch_write_bytes(&f.scratch, ETC "web.yaml", large, n);
        assert_int_equal(fetch(&f, "web", text), BUNDLE_E_INVALID);
        assert_true(last_finding_is(&f, DIAG_YAML_TOO_LARGE, "larger than 64 KiB"));
        fixture_deinit(&f);
}

static void test_profile_dirs_failing_calls(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, VENDOR "web.yaml", "vendor");
        char text[64];
        assert_int_equal(fetch(&f, "web", text), 0);
        uint64_t n_calls = f.fault.n_calls;
        unsigned n_failed = 0;
        for (uint64_t at = 1; at <= n_calls; at++) {
                seam_fault_reset(&f.fault);
                f.fault.at = at;
                f.fault.kind = SEAM_FAULT_ERROR;
                f.fault.error = EIO;
                int r = fetch(&f, "web", text);
                assert_true(r == 0 || r == -EIO || r == BUNDLE_E_INVALID);
                n_failed += r != 0;
        }
        assert_in_range(n_failed, 5, n_calls);
        fixture_deinit(&f);
}

/* --- listing ---------------------------------------------------------------------------------------------------- */

static void test_profile_dirs_list(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        ProfileEntry *entries;
        size_t n = 77;
        assert_int_equal(profile_dirs_list(&f.dirs, arena, &entries, &n, &f.error), 0);
        assert_int_equal(n, 0);

        scratch_write(&f.scratch, VENDOR "web.yaml", "");
        scratch_write(&f.scratch, VENDOR "proxy.yaml", "");
        scratch_write(&f.scratch, VENDOR "README", "");
        scratch_write(&f.scratch, VENDOR "Bad.yaml", "");
        scratch_write(&f.scratch, RUN "web.yaml", "");
        scratch_write(&f.scratch, ETC "web.yaml", "");
        scratch_link(&f.scratch, ETC "proxy.yaml", "/dev/null");
        scratch_write(&f.scratch, ETC "own.yaml", "");
        assert_int_equal(profile_dirs_list(&f.dirs, arena, &entries, &n, &f.error), 0);
        assert_int_equal(n, 3);
        assert_string_equal(entries[0].name, "own");
        assert_string_equal(entries[0].directory, "etc");
        assert_null(entries[0].overrides);
        assert_string_equal(entries[1].name, "proxy");
        assert_true(entries[1].masked);
        assert_string_equal(entries[1].overrides, "vendor");
        assert_string_equal(entries[2].name, "web");
        assert_string_equal(entries[2].path, "/" ETC "web.yaml");
        assert_string_equal(entries[2].overrides, "run");
        assert_false(entries[2].masked);
        fixture_deinit(&f);
}

static void test_profile_dirs_list_many_and_failing(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        for (unsigned i = 0; i < 100; i++) {
                char path[64];
                (void) snprintf(path, sizeof(path), VENDOR "p%02u.yaml", i);
                scratch_write(&f.scratch, path, "");
        }
        ProfileEntry *entries;
        size_t n;
        assert_int_equal(profile_dirs_list(&f.dirs, arena, &entries, &n, &f.error), 0);
        assert_int_equal(n, 100);
        assert_string_equal(entries[99].name, "p99");

        seam_fault_reset(&f.fault);
        f.fault.at = 1;
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EACCES;
        assert_int_equal(profile_dirs_list(&f.dirs, arena, &entries, &n, &f.error), -EACCES);
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_profile_dirs_higher_directory_wins),
          cmocka_unit_test(test_profile_dirs_names_are_checked),
          cmocka_unit_test(test_profile_dirs_mask),
          cmocka_unit_test(test_profile_dirs_links_are_refused),
          cmocka_unit_test(test_profile_dirs_writable_by_others),
          cmocka_unit_test(test_profile_dirs_hard_link_and_kinds),
          cmocka_unit_test(test_profile_dirs_wrong_owner),
          cmocka_unit_test(test_profile_dirs_too_large),
          cmocka_unit_test(test_profile_dirs_failing_calls),
          cmocka_unit_test(test_profile_dirs_list),
          cmocka_unit_test(test_profile_dirs_list_many_and_failing))

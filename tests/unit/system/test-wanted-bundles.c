/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/wanted-bundles.h"

#include "seam/scratch.h"
#include "seam/seam-sysctl.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamSysctl as_root;
        ProfileDirs dirs;
        DiagList *findings;
        WantedBundles wanted;
        Error error;
} Fixture;

static void write_profile(Fixture *f, const char *name, const char *value) {
        char path[96], text[256];
        (void) snprintf(path, sizeof(path), "etc/twprofile/profiles/%s.yaml", name);
        (void) snprintf(text, sizeof(text),
                        "version: 1\nname: %s\nsummary: for a test\nsysctl:\n"
                        "  net.core.somaxconn: %s\n",
                        name, value);
        scratch_write(&f->scratch, path, text);
}

static void fixture_init(Fixture *f) {
        *f = (Fixture){ .findings = diag_list_new() };
        scratch_init(&f->scratch);
        seam_sysctl_init(&f->as_root, seam_real());
        f->dirs = (ProfileDirs){ .seam = &f->as_root.seam, .root_fd = f->scratch.fd };
        write_profile(f, "web", "4096");
        write_profile(f, "proxy", "8192");
        write_profile(f, "zebra", "1024");
}

static void fixture_deinit(Fixture *f) {
        wanted_bundles_deinit(&f->wanted);
        f->findings = diag_list_free(f->findings);
        seam_sysctl_deinit(&f->as_root);
        scratch_deinit(&f->scratch);
}

/* A current generation with "web" as it was once: another value than on disk now. */
static const char stored_text[] =
                "version: 1\nname: web\nsummary: as it was\nsysctl:\n  net.core.somaxconn: 2048\n";
static const GenerationFile stored_file = { .name = "web",
                                            .path = "/old/web.yaml",
                                            .bytes = stored_text,
                                            .length = sizeof(stored_text) - 1 };
static const GenerationProfile stored_profile = { .name = "web",
                                                  .files = &stored_file,
                                                  .n_files = 1 };
static const Generation current = { .number = 1, .profiles = &stored_profile, .n_profiles = 1 };

static int load(Fixture *f, WantedVerb verb, const Generation *now, const char *a, const char *b) {
        const char *names[] = { a, b };
        WantedRequest request = {
                .dirs = &f->dirs,
                .current = now,
                .verb = verb,
                .names = names,
                .n_names = b   ? 2
                           : a ? 1
                               : 0,
        };
        wanted_bundles_deinit(&f->wanted);
        return wanted_bundles_load(&request, f->findings, &f->wanted, &f->error);
}

static const char *name_of(const Fixture *f, size_t i) {
        return i < f->wanted.n_bundles ? bundle_root(f->wanted.bundles[i])->name : "(none)";
}

static const char *summary_of(const Fixture *f, size_t i) {
        return i < f->wanted.n_bundles ? bundle_root(f->wanted.bundles[i])->summary : "(none)";
}

static void test_wanted_bundles_enable_adds(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(load(&f, WANTED_ENABLE, NULL, "web", NULL), 0);
        assert_int_equal(f.wanted.n_bundles, 1);
        assert_string_equal(summary_of(&f, 0), "for a test");

        /* the unnamed comes from the stored bytes, the named from disk; sorted by name */
        assert_int_equal(load(&f, WANTED_ENABLE, &current, "zebra", "proxy"), 0);
        assert_int_equal(f.wanted.n_bundles, 3);
        assert_string_equal(name_of(&f, 0), "proxy");
        assert_string_equal(name_of(&f, 1), "web");
        assert_string_equal(summary_of(&f, 1), "as it was");
        assert_string_equal(name_of(&f, 2), "zebra");

        assert_int_equal(
                        load(&f, WANTED_ENABLE, &current, "web", "web"), 0); /* named twice: once */
        assert_int_equal(f.wanted.n_bundles, 1);
        assert_string_equal(summary_of(&f, 0), "for a test");
        fixture_deinit(&f);
}

static void test_wanted_bundles_only_and_disable(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        assert_int_equal(load(&f, WANTED_ONLY, &current, "proxy", NULL), 0);
        assert_int_equal(f.wanted.n_bundles, 1);
        assert_string_equal(name_of(&f, 0), "proxy");

        assert_int_equal(load(&f, WANTED_DISABLE, &current, "web", NULL), 0);
        assert_int_equal(f.wanted.n_bundles, 0);
        assert_int_equal(diag_list_count(f.findings), 0);

        /* on disk but not enabled: a note, and nothing changes */
        assert_int_equal(load(&f, WANTED_DISABLE, &current, "proxy", NULL), 0);
        assert_int_equal(f.wanted.n_bundles, 1);
        assert_int_equal(diag_list_count(f.findings), 1);
        assert_int_equal(diag_list_get(f.findings, 0)->id, DIAG_NOT_ENABLED);
        assert_int_equal(diag_list_exit_code(f.findings), 0);
        fixture_deinit(&f);
}

static void test_wanted_bundles_unknown_names(void **state UNUSED) {
        static const WantedVerb verbs[] = { WANTED_ENABLE, WANTED_ONLY, WANTED_DISABLE };
        TEST_EACH(verb, verbs) {
                Fixture f;
                fixture_init(&f);
                assert_int_equal(load(&f, *verb, &current, "wbe", "proxy"), WANTED_E_REFUSED);
                assert_int_equal(f.wanted.n_bundles, 0);
                assert_int_equal(diag_list_get(f.findings, 0)->id, DIAG_UNKNOWN_PROFILE);
                assert_int_equal(diag_list_exit_code(f.findings), 5);
                fixture_deinit(&f);
        }
}

static void test_wanted_bundles_invalid_profile(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        write_profile(&f, "web", "lots");
        assert_int_equal(load(&f, WANTED_ENABLE, NULL, "web", NULL), WANTED_E_REFUSED);
        assert_int_equal(diag_list_exit_code(f.findings), 3);
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_wanted_bundles_enable_adds),
          cmocka_unit_test(test_wanted_bundles_only_and_disable),
          cmocka_unit_test(test_wanted_bundles_unknown_names),
          cmocka_unit_test(test_wanted_bundles_invalid_profile))

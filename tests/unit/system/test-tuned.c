/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/tuned.h"

#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
        Arena *arena;
        TunedState state;
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

static void read_it(Fixture *f) {
        assert_int_equal(
                        tuned_read(&f->fault.seam, f->scratch.fd, f->arena, &f->state, &f->error),
                        0);
}

static void assert_setting(Fixture *f, const char *path, const char *value, const char *place) {
        const TunedSetting *setting = tuned_find(&f->state, path);
        assert_non_null(setting);
        if (value)
                assert_string_equal(setting->value, value);
        else
                assert_null(setting->value);
        char got[256];
        (void) snprintf(got, sizeof(got), "%s:%u", setting->path, setting->line);
        assert_string_equal(got, place);
}

static void test_tuned_absent(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        read_it(&f);
        assert_null(f.state.profile);
        assert_int_equal(f.state.n_settings, 0);

        scratch_write(&f.scratch, "etc/tuned/active_profile", "\n");
        read_it(&f);
        assert_null(f.state.profile);
}

/* The included one first, then the including one; /etc before /usr; the files of TuneD 2.20 and newer. */
static void test_tuned_includes(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/tuned/active_profile", "mine\n");
        scratch_write(&f.scratch, "etc/tuned/mine/tuned.conf",
                      "[main]\ninclude=base, -none\n\n[variables]\nbig = 4096\nodd = ${f:exec:x}\n\n"
                      "[sysctl]\nnet.core.somaxconn = ${big} # more\n"
                      "net.ipv4.tcp_rmem=\"4096 131072 16777216\"\nnet.ipv4.tcp_fin_timeout = >30\n"
                      "net.core.rmem_max=${odd}\n;net.ipv4.tcp_ecn=1\n");
        scratch_write(&f.scratch, "usr/lib/tuned/base/tuned.conf",
                      "[sysctl]\nnet.core.somaxconn=9\n");
        scratch_write(&f.scratch, "usr/lib/tuned/profiles/base/tuned.conf",
                      "[sysctl]\nnet.core.somaxconn=1\nnet.ipv4.tcp_ecn=2\n[disk]\nnet.x.y=1\n");
        read_it(&f);
        assert_string_equal(f.state.profile, "mine");
        assert_true(f.state.reapplies);
        assert_null(f.state.missing);
        assert_setting(&f, "net/core/somaxconn", "4096", "/etc/tuned/mine/tuned.conf:9");
        assert_setting(&f, "net/ipv4/tcp_rmem", "4096 131072 16777216",
                       "/etc/tuned/mine/tuned.conf:10");
        assert_setting(&f, "net/ipv4/tcp_fin_timeout", NULL, "/etc/tuned/mine/tuned.conf:11");
        assert_setting(&f, "net/core/rmem_max", NULL, "/etc/tuned/mine/tuned.conf:12");
        assert_setting(&f, "net/ipv4/tcp_ecn", "2", "/usr/lib/tuned/profiles/base/tuned.conf:3");
        assert_null(tuned_find(&f.state, "net/x/y"));
}

static void test_tuned_replace_and_drop(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/tuned/active_profile", "a b c");
        scratch_write(&f.scratch, "etc/tuned/a/tuned.conf",
                      "[sysctl]\nnet.core.somaxconn=1\nnet.core.rmem_max=2\n[more]\ntype=sysctl\n"
                      "net.core.wmem_max=3\n[off]\ntype=sysctl\nenabled=0\nnet.core.optmem_max=4\n");
        scratch_write(&f.scratch, "etc/tuned/b/tuned.conf", "[more]\nreplace=1\ntype=sysctl\n");
        scratch_write(&f.scratch, "etc/tuned/c/tuned.conf", "[sysctl]\ndrop=net.core.rmem_max\n");
        read_it(&f);
        assert_non_null(tuned_find(&f.state, "net/core/somaxconn"));
        assert_null(tuned_find(&f.state, "net/core/rmem_max"));
        assert_null(tuned_find(&f.state, "net/core/wmem_max"));
        assert_null(tuned_find(&f.state, "net/core/optmem_max"));
}

static void test_tuned_main(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/tuned/active_profile", "gone");
        scratch_write(&f.scratch, "etc/tuned/tuned-main.conf", "# x\nreapply_sysctl = 0\n");
        scratch_write(&f.scratch, "etc/systemd/system/multi-user.target.wants/tuned.service", "");
        read_it(&f);
        assert_false(f.state.reapplies);
        assert_false(f.state.starts_at_boot); /* no link */
        assert_int_equal(f.state.missing_error, ENOENT);
}

/* A profile that includes itself, names that leave the folder. */
static void test_tuned_hostile(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/tuned/active_profile", "loop ../../x ..");
        scratch_write(&f.scratch, "etc/tuned/loop/tuned.conf",
                      "[main]\ninclude=loop\n[\n=\n[sysctl\n[sysctl]\n= 3\nnet.a\n${\nnet.a.b=${\n");
        read_it(&f);
        assert_setting(&f, "net/a/b", NULL, "/etc/tuned/loop/tuned.conf:10");
        assert_int_equal(f.state.missing_error, ENOENT);
}

TEST_MAIN(cmocka_unit_test(test_tuned_absent), cmocka_unit_test(test_tuned_includes),
          cmocka_unit_test(test_tuned_replace_and_drop), cmocka_unit_test(test_tuned_main),
          cmocka_unit_test(test_tuned_hostile))

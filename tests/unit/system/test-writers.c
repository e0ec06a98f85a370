/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/writers.h"

#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
        Arena *arena;
        Owners owners;
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

static void find(Fixture *f, const char *fragment, bool files_only) {
        const SysctlSpec *specs[] = { catalogue_find("net.core.somaxconn") };
        const WritersRequest request = {
                .seam = &f->fault.seam,
                .root_fd = f->scratch.fd,
                .files_only = files_only,
                .fragment = fragment,
                .specs = specs,
                .n_specs = 1,
        };
        assert_int_equal(writers_find(&request, f->arena, &f->owners, NULL, &f->error), 0);
}

static void assert_kinds(Fixture *f, const char *want) {
        static const char letters[] = { [OWNER_LATER_FILE] = 'l',
                                        [OWNER_PROCPS_FILE] = 'p',
                                        [OWNER_TUNED] = 't',
                                        [OWNER_TUNED_REAPPLIED] = 'r',
                                        [OWNER_BPFTUNE] = 'b' };
        char got[16] = "";
        for (size_t i = 0; i < f->owners.n_rows && i < sizeof(got) - 1; i++)
                got[i] = letters[f->owners.rows[i].kind];
        assert_string_equal(got, want);
}

static void test_writers_of_files(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        static const char ours[] = "net.core.somaxconn = 4096\n";
        find(&f, ours, false);
        assert_kinds(&f, "");
        scratch_write(&f.scratch, "etc/sysctl.d/10-early.conf", "net.core.somaxconn=1\n");
        find(&f, ours, false);
        assert_kinds(&f, "");
        find(&f, "", false); /* without ours the earlier one decides, for both tools */
        assert_kinds(&f, "l");
        scratch_write(&f.scratch, "etc/sysctl.conf", "net.core.somaxconn=2\n");
        find(&f, ours, false);
        assert_kinds(&f, "p");
        scratch_write(&f.scratch, "etc/sysctl.d/99-late.conf", "\nnet.core.somaxconn=3\n");
        find(&f, ours, false);
        assert_kinds(&f, "lp");
        assert_string_equal(f.owners.rows[0].path, "/etc/sysctl.d/99-late.conf");
        assert_int_equal(f.owners.rows[0].line, 2);
}

static void test_writers_of_programs(void **state UNUSED) {
        CLEANUP(fixture_deinit) Fixture f;
        fixture_init(&f);
        static const char ours[] = "net.core.somaxconn = 4096\n";
        scratch_write(&f.scratch, "etc/tuned/active_profile", "x\n");
        scratch_write(&f.scratch, "etc/tuned/x/tuned.conf", "[sysctl]\nnet.core.somaxconn=1\n");
        scratch_write(&f.scratch, "usr/sbin/bpftune", "");
        scratch_write(&f.scratch, "proc/7/comm", "sshd\n");
        scratch_write(&f.scratch, "proc/cpuinfo", "");
        find(&f, ours, false);
        assert_kinds(&f, "");
        scratch_write(&f.scratch, "proc/12/comm", "tuned\n");
        find(&f, ours, false);
        assert_kinds(&f, "r");
        find(&f, ours, true); /* of an image nothing runs */
        assert_kinds(&f, "");
        scratch_write(&f.scratch, "etc/tuned/tuned-main.conf", "reapply_sysctl=0\n");
        scratch_write(&f.scratch, "proc/13/comm", "bpftune\n");
        find(&f, ours, false);
        assert_kinds(&f, "tb");
        assert_true(writers_program_runs(&f.fault.seam, f.scratch.fd, "sshd"));
        assert_false(writers_program_runs(&f.fault.seam, f.scratch.fd, "ssh"));
}

TEST_MAIN(cmocka_unit_test(test_writers_of_files), cmocka_unit_test(test_writers_of_programs))

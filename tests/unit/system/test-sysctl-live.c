/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/sysctl-live.h"

#include <fcntl.h>

#include "model/catalogue.h"
#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "seam/seam-sysctl.h"
#include "test.h"

typedef struct Fixture {
        Scratch scratch;
        SeamSysctl kernel;
        SeamFault fault;
        Arena *arena;
} Fixture;

static void fixture_init(Fixture *f) {
        *f = (Fixture){ .arena = arena_new() };
        scratch_init(&f->scratch);
        seam_sysctl_init(&f->kernel, seam_real());
        seam_fault_init(&f->fault, &f->kernel.seam);
        scratch_write(&f->scratch, "proc/sys/net/core/somaxconn", "4096\n");
        scratch_write(&f->scratch, "proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
}

static void fixture_deinit(Fixture *f) {
        seam_sysctl_deinit(&f->kernel);
        f->arena = arena_free(f->arena);
        scratch_deinit(&f->scratch);
}

static void test_sysctl_live_file_there_and_back(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        const SysctlSpec *spec = catalogue_find("net.ipv4.ip_local_port_range");
        assert_non_null(spec);
        CLEANUP(live_file_close) LiveFile file = { .fd = SEAM_FD_EMPTY };
        assert_int_equal(live_file_open(&f.fault.seam, f.scratch.fd, spec, O_RDWR, &file), 0);

        SysctlValue before, value, after;
        const char *text;
        assert_int_equal(live_file_read(&file, f.arena, &before, &text), 0);
        assert_string_equal(text, "32768\t60999");
        assert_int_equal(sysctl_value_from_kernel(spec, "20000 61000", 11, f.arena, &value), 0);
        assert_int_equal(live_file_write(&file, &value, f.arena), 0);
        assert_int_equal(live_file_read(&file, f.arena, &after, &text), 0);
        assert_string_equal(text, "20000\t61000");
        assert_true(sysctl_value_equal(&value, &after));
        assert_int_equal(f.fault.n_kind[SEAM_CALL_PWRITE], 1); /* one write, whole */
        fixture_deinit(&f);
}

static void test_sysctl_live_file_strange_text(void **state UNUSED) {
        static const char *const texts[] = { "many\n", "1 2\n", "\n", "" };
        TEST_EACH(text, texts) {
                Fixture f;
                fixture_init(&f);
                scratch_write(&f.scratch, "proc/sys/net/core/somaxconn", *text);
                const SysctlSpec *spec = catalogue_find("net.core.somaxconn");
                CLEANUP(live_file_close) LiveFile file = { .fd = SEAM_FD_EMPTY };
                assert_int_equal(
                                live_file_open(&f.fault.seam, f.scratch.fd, spec, O_RDONLY, &file),
                                0);
                SysctlValue value;
                const char *read = NULL;
                assert_int_equal(live_file_read(&file, f.arena, &value, &read), -EBADMSG);
                assert_non_null(read);
                fixture_deinit(&f);
        }
}

static void test_sysctl_live_snapshot_states(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "proc/sys/net/ipv4/tcp_fin_timeout", "soon\n");
        scratch_write(&f.scratch, "proc/sys/net/ipv4/tcp_syncookies", "1\n");
        const SysctlSpec *specs[] = {
                catalogue_find("net.core.somaxconn"),
                catalogue_find("net.ipv4.tcp_fin_timeout"),
                catalogue_find("net.ipv4.tcp_keepalive_time"),
                catalogue_find("net.ipv4.tcp_syncookies"),
        };
        f.fault.at = 9; /* open, read, close of two; open of the third says ENOENT; open, read: this one */
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EIO;

        LiveSnapshot snapshot = { 0 };
        Error error = { 0 };
        assert_int_equal(
                        sysctl_live_read(
                                        &(SeamFd){ &f.fault.seam, f.scratch.fd }, specs,
                                        ELEMENTSOF(specs), f.arena, &snapshot, &error),
                        0);
        assert_int_equal(snapshot.n_keys, 4);
        assert_int_equal(snapshot.keys[0].state, LIVE_PRESENT);
        assert_string_equal(snapshot.keys[0].text, "4096");
        assert_int_equal(snapshot.keys[1].state, LIVE_STRANGE);
        assert_string_equal(snapshot.keys[1].text, "soon");
        assert_int_equal(snapshot.keys[2].state, LIVE_ABSENT);
        assert_int_equal(snapshot.keys[3].state, LIVE_UNREADABLE);
        assert_int_equal(snapshot.keys[3].error, EIO);
        fixture_deinit(&f);
}

static void test_sysctl_live_no_memory_is_an_error(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        const SysctlSpec *specs[] = { catalogue_find("net.core.somaxconn") };
        f.fault.at = 2;
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = ENOMEM;
        LiveSnapshot snapshot = { 0 };
        Error error = { 0 };
        assert_int_equal(
                        sysctl_live_read(
                                        &(SeamFd){ &f.fault.seam, f.scratch.fd }, specs, 1, f.arena,
                                        &snapshot, &error),
                        -ENOMEM);
        assert_int_equal(snapshot.n_keys, 0);
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_sysctl_live_file_there_and_back),
          cmocka_unit_test(test_sysctl_live_file_strange_text),
          cmocka_unit_test(test_sysctl_live_snapshot_states),
          cmocka_unit_test(test_sysctl_live_no_memory_is_an_error))

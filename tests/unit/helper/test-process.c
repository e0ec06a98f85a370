/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

#define FIELDS_3_TO_21 "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "

static void test_parse_start_table(void **state) {
        (void) state;
        static const struct {
                const char *stat;
                bool want;
                uint64_t start;
        } rows[] = {
                { "12 (sh) " FIELDS_3_TO_21 "4711 0 0\n", true, 4711 },
                { "12 (sh) " FIELDS_3_TO_21 "0 0\n", true, 0 },
                /* a name that looks like the rest of the line */
                { "12 (a) S 1 2) (b) " FIELDS_3_TO_21 "99 0\n", true, 99 },
                { "12 (\n) " FIELDS_3_TO_21 "5\n", true, 5 },
                { "", false, 0 },
                { "12 sh S 1", false, 0 },
                { "12 (sh) S 1 2 3", false, 0 },
                { "12 (sh) " FIELDS_3_TO_21 "-1 0\n", false, 0 },
                { "12 (sh) " FIELDS_3_TO_21 "99999999999999999999999999 0\n", false, 0 },
        };
        TEST_EACH(row, rows) {
                uint64_t start = 0;
                assert_int_equal(process_parse_start(row->stat, &start), row->want);
                assert_int_equal(start, row->start);
        }
}

static void test_parse_audit_id_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int64_t want;
        } rows[] = {
                { "1000", 1000 },
                { "0\n", 0 },
                { "4294967294", 4294967294 },
                { "4294967295", AUDIT_UNSET },
                { "", AUDIT_UNSET },
                { "-1", AUDIT_UNSET },
                { "12x", AUDIT_UNSET },
                { "99999999999999999999", AUDIT_UNSET },
        };
        TEST_EACH(row, rows)
                assert_int_equal(process_parse_audit_id(row->text), row->want);
}

static void test_parse_unit_table(void **state) {
        (void) state;
        static const struct {
                const char *cgroup, *want;
        } rows[] = {
                { "0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope" },
                { "0::/system.slice/ssh.service", "ssh.service" },
                { "0::/\n", "" },
                { "", "" },
                { "garbage\n", "" },
                { "0::/../..\n", "" },
                { "0::/../session-3.scope\n", "" },
                /* the hierarchy of systemd comes first, also when the unified one stands above it */
                { "0::/\n1:name=systemd:/system.slice/cron.service\n", "cron.service" },
                { "0::/a.service\n1:name=systemd:/b.service\n", "b.service" },
                { "0::/a.service\n1:name=systemd:/\n", "a.service" },
                { "4:cpu,cpuacct:/x.service\n", "" },
                { "0::/a\tb\x80.service\n", "a?b?.service" },
        };
        TEST_EACH(row, rows) {
                char unit[256];
                process_parse_unit(row->cgroup, unit, sizeof(unit));
                assert_string_equal(unit, row->want);
        }
        char tiny[5];
        process_parse_unit("0::/session-3.scope\n", tiny, sizeof(tiny));
        assert_string_equal(tiny, "sess");
}

static void test_facts_of_a_child(void **state) {
        (void) state;
        int gate[2];
        assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) prctl(PR_SET_NAME, "a) \033[31mb");
                (void) close(gate[1]);
                char byte;
                _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
        }
        (void) close(gate[0]);

        cleanup_close int fd = process_open(pid);
        assert_true(fd >= 0);
        AuditCaller facts = { 0 };
        for (int i = 0; i < 1000 && !streq(facts.comm, "a) ?[31mb"); i++) {
                process_read_facts(fd, &facts);
                (void) usleep(1000);
        }
        assert_string_equal(facts.comm, "a) ?[31mb");
        cleanup_close int self = process_open(getpid());
        uint64_t own;
        assert_int_equal(process_read_start(self, &own), 0);
        assert_true(facts.start >= own && own > 0);

        /* once it is gone, its descriptor knows nothing, whoever has the number now */
        (void) close(gate[1]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        uint64_t start;
        assert_true(process_read_start(fd, &start) < 0);
        process_read_facts(fd, &facts);
        assert_int_equal(facts.start, 0);
        assert_int_equal(facts.auid, AUDIT_UNSET);
        assert_string_equal(facts.comm, "");
        assert_string_equal(facts.unit, "");
        assert_int_equal(process_open(pid), -ENOENT);
}

TEST_MAIN(cmocka_unit_test(test_parse_start_table), cmocka_unit_test(test_parse_audit_id_table),
          cmocka_unit_test(test_parse_unit_table), cmocka_unit_test(test_facts_of_a_child))

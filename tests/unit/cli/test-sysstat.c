/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sysstat's own files are read in tests/suites/59-report. */
#include "cli/sysstat.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/output-file.h"
#include "test.h"

#define NOON INT64_C(1795262400000000) /* 2026-11-21 */
#define DAY  (INT64_C(86400) * 1000000)

static char folder[] = "/tmp/test-sysstat-XXXXXX";

static void make(const char *path) {
        Error error = {};
        assert_int_equal(output_file_write(path, "text", 4, OUTPUT_FILE_SHARED, &error), 0);
}

static int set_up(void **state UNUSED) {
        if (!mkdtemp(folder) || chdir(folder) < 0 || setenv("TZ", "UTC", 1) < 0 ||
            mkdir("var", 0755) < 0 || mkdir("var/log", 0755) < 0 ||
            mkdir("var/log/sysstat", 0755) < 0 || mkdir("var/log/sa", 0755) < 0)
                return -1;
        make("var/log/sysstat/sa21");
        make("var/log/sysstat/sa20261122");
        make("var/log/sa/sa23");
        make("var/log/sysstat/sar24");
        return mkdir("var/log/sysstat/sa25", 0755);
}

static int tear_down(void **state UNUSED) {
        static const char *const names[] = {
                "var/log/sysstat/sa21",
                "var/log/sysstat/sa20261122",
                "var/log/sa/sa23",
                "var/log/sysstat/sar24",
                "json",
                "binary",
        };
        static const char *const folders[] = { "var/log/sysstat/sa25", "var/log/sysstat",
                                               "var/log/sa", "var/log", "var" };
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unlink(names[i]); /* those that are there */
        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                if (rmdir(folders[i]) < 0)
                        return -1;
        return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void test_find(void **state UNUSED) {
        static const struct {
                int64_t time_us;
                const char *want;
        } rows[] = {
                { NOON, "var/log/sysstat/sa21" },
                { NOON + DAY, "var/log/sysstat/sa20261122" },
                { NOON + 2 * DAY, "var/log/sa/sa23" },
                { NOON + 3 * DAY, NULL },
                { NOON + 4 * DAY, NULL }, /* a folder */
                { INT64_MAX, NULL },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        cleanup_close int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_non_null(arena);
        assert_true(fd >= 0);
        TEST_EACH(row, rows) {
                const char *found = NULL;
                assert_int_equal(sysstat_find(fd, row->time_us, arena, &found), 0);
                if (row->want)
                        assert_string_equal(found ? found : "nothing", row->want);
                else
                        assert_null(found);
        }
}

static int read_text(const char *text, Arena *arena, ReportArchive *ret) {
        Error error = {};
        assert_int_equal(
                        output_file_write("json", text, strlen(text), OUTPUT_FILE_SHARED, &error),
                        0);
        int r = sysstat_read("json", arena, ret, &error);
        assert_int_equal(r < 0, error_is_set(&error));
        return r;
}

static void test_read(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        ReportArchive archive = {};
        Error error = {};
        assert_non_null(arena);
        assert_int_equal(
                        read_text(" \n{\"sysstat\":{\"hosts\":[{\"statistics\":[]}]}}", arena,
                                  &archive),
                        0);
        assert_string_equal(archive.file, "json");
        assert_int_equal(read_text("{}", arena, &archive), -EBADMSG);
        assert_int_equal(sysstat_read("absent", arena, &archive, &error), -ENOENT);
        /* no file of sysstat: sadf says so, or is not there */
        error_reset(&error);
        int r = read_text("text", arena, &archive);
        assert_true(r == -EIO || r == -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_find, test_report_row),
                cmocka_unit_test(test_read),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}

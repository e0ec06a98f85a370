/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-archive-format.h"

#include "report-test.h"

#define STAMP(time)   "{\"date\":\"2026-11-21\",\"time\":\"" time "\",\"utc\":1,\"interval\":600}"
#define SAMPLE(at, n) "{\"timestamp\":" at ",\"network\":{\"net-sock\":{\"tcp-tw\":" n "}}}"
#define FILE_OF(statistics, restarts) \
        "{\"sysstat\":{\"hosts\":[{\"statistics\":[" statistics "],\"restarts\":[" restarts "]}]}}"

static int decode(const char *text, Arena *arena, ReportArchive *ret) {
        Error error = {};
        int r = report_archive_decode(text, strlen(text), arena, ret, &error);
        assert_int_equal(r < 0, error_is_set(&error));
        return r;
}

static void test_samples(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        ReportArchive archive = {};
        assert_non_null(arena);
        assert_int_equal(
                        decode(FILE_OF(SAMPLE(STAMP("12:00:00"), "5") "," SAMPLE(STAMP("12:10:01"), "25087") ",{\"timestamp\":{}}," SAMPLE(
                                                       STAMP("12:05:00"),
                                                       "9") "," SAMPLE(STAMP("12:20:01"), "1"),
                                       "{\"boot\":" STAMP("12:15:00") "},{\"boot\":{}}"),
                               arena, &archive),
                        0);
        assert_int_equal(archive.n_points, 3); /* one has no column, one comes late */
        assert_int_equal(archive.points[0].time_us, INT64_C(1795262400000000));
        assert_int_equal(archive.points[1].time_us, INT64_C(1795263001000000));
        assert_int_equal(archive.points[1].time_wait, 25087);
        assert_false(archive.points[0].is_after_restart);
        assert_false(archive.points[1].is_after_restart);
        assert_true(archive.points[2].is_after_restart);
}

static void test_refused(void **state UNUSED) {
        static const char *const texts[] = {
                "",
                "[]",
                "{}",
                "{\"sysstat\":{\"hosts\":[]}}",
                "{\"sysstat\":{\"hosts\":{\"statistics\":[]}}}",
                FILE_OF(SAMPLE(STAMP("12:00:00"), "-1"), ""),
                FILE_OF(SAMPLE(STAMP("12:00:00"), "\"5\""), ""),
                FILE_OF(SAMPLE(STAMP("12:00:00"), "5.5"), ""),
                FILE_OF(SAMPLE(STAMP("25:00:00"), "5"), ""),
                FILE_OF(SAMPLE("{}", "5"), ""),
                FILE_OF(SAMPLE("{\"date\":\"2026-11-21\",\"time\":\"12:00:00\"}", "5"), ""),
                FILE_OF(SAMPLE("{\"date\":\"99999-11-21\",\"time\":\"12:00:00\",\"utc\":1}", "5"),
                        ""),
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_non_null(arena);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                ReportArchive archive = {};
                assert_int_equal(decode(texts[i], arena, &archive), -EBADMSG);
                assert_null(archive.points);
        }
}

static void test_nothing(void **state UNUSED) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        ReportArchive archive = {};
        assert_non_null(arena);
        assert_int_equal(decode(FILE_OF("", ""), arena, &archive), 0);
        assert_int_equal(archive.n_points, 0);
}

TEST_MAIN(cmocka_unit_test(test_samples), cmocka_unit_test(test_refused),
          cmocka_unit_test(test_nothing))

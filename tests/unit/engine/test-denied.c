/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/denied.h"

#include "audit-check.h"

#define COUNT_FILE "run/twprofile/denied"

static int deny(World *w) {
        const AuditCaller caller = { .uid = 1000, .pid = 77, .auid = 1000, .comm = "flood" };
        return engine_record_denied(&w->engine, &caller, "socket", "other-namespace", NULL);
}

static void deny_often(World *w, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                assert_int_equal(deny(w), 0);
}

static void test_a_burst_is_counted(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        deny_often(&w, 200);
        assert_int_equal(check_count(&w, "\"ev\":\"denied\""), DENIED_BURST);
        assert_int_equal(check_count(&w, "\"count\":"), 0);

        w.now_ms += DENIED_WINDOW_MS - 1;
        deny_often(&w, 1);
        assert_int_equal(check_count(&w, "\"ev\":\"denied\""), DENIED_BURST);
        w.now_ms += 1;
        deny_often(&w, 1);
        assert_int_equal(check_count(&w, "\"ev\":\"denied\""), DENIED_BURST + 1);
        assert_int_equal(check_count(&w, "\"count\":192,"), 1);
        deny_often(&w, 1);
        assert_int_equal(check_count(&w, "\"ev\":\"denied\""), DENIED_BURST + 2);
        check_whole(&w);

        struct stat st;
        assert_int_equal(fstatat(w.scratch.fd, COUNT_FILE, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        world_deinit(&w);
}

static void test_a_strange_count_begins_anew(void **state UNUSED) {
        static const char *const texts[] = {
                "", "1 2", "x 10 0\n", "1000000 10 99999999999999999999\n", "99999999999 10 0\n",
        };
        TEST_EACH(text, texts) {
                World w;
                world_init(&w);
                assert_int_equal(world_enable(&w, "alpha"), 0);
                scratch_write(&w.scratch, COUNT_FILE, *text);
                deny_often(&w, 1);
                assert_int_equal(check_count(&w, "\"ev\":\"denied\""), 1);
                check_whole(&w);
                world_deinit(&w);
        }
}

/* What cannot be counted is not written: else the limit would be none. */
static void test_without_a_count_there_is_no_record(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        scratch_remove(&w.scratch, COUNT_FILE);
        scratch_mkdir(&w.scratch, COUNT_FILE "/in-the-way");
        assert_true(deny(&w) < 0);
        assert_int_equal(check_count(&w, "\"ev\":\"denied\""), 0);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_a_burst_is_counted),
          cmocka_unit_test(test_a_strange_count_begins_anew),
          cmocka_unit_test(test_without_a_count_there_is_no_record))

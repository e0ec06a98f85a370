/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/guard-target.h"

#include "record/status-format.h"
#include "scratch-run.h"

#define TX   "0b0e4c9e-0000-4000-8000-000000000001"
#define BOOT "11111111-2222-4333-8444-555555555555"

static const Instance here = { .boot_id = BOOT, .netns_inode = 4026531840 };

static void write_pending(const ScratchRun *scratch, mode_t mode, const char *gate) {
        Pending pending = { .tx = TX, .deadline_ms = 60000, .instance = here, .gate = gate };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        assert_int_equal(pending_encode(&pending, &text), 0);
        scratch_run_write(scratch, "pending", mode, strbuf_text(&text));
}

static void write_status(const ScratchRun *scratch, const char *boot_id, int64_t deadline_ms) {
        Status status = { .instance = here,
                          .undecided_tx = TX,
                          .undecided_deadline_ms = deadline_ms };
        (void) snprintf(status.instance.boot_id, sizeof(status.instance.boot_id), "%s", boot_id);
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        assert_int_equal(status_encode(&status, &text), 0);
        scratch_run_write(scratch, "status.json", 0644, strbuf_text(&text));
}

static int read_target(const ScratchRun *scratch, GuardTarget *ret, Error *error) {
        *ret = (GuardTarget){ 0 };
        return guard_target_read(seam_real(), scratch->root_fd, &here, ret, error);
}

static void test_read_pending(void **state) {
        (void) state;
        ScratchRun scratch;
        scratch_run_open(&scratch);
        GuardTarget target;
        assert_int_equal(read_target(&scratch, &target, NULL), 0);
        assert_true(guard_target_is_empty(&target));

        write_pending(&scratch, 0600, "{\"v\":1}");
        assert_int_equal(read_target(&scratch, &target, NULL), 0);
        assert_string_equal(target.tx, TX);
        assert_int_equal(target.deadline_ms, 60000);
        assert_string_equal(target.gate, "{\"v\":1}");
        guard_target_deinit(&target);
        assert_true(guard_target_is_empty(&target));
        scratch_run_close(&scratch);
}

static void test_read_hostile_pending(void **state) {
        (void) state;
        static const struct {
                mode_t mode;
                const char *text; /* NULL: a good one */
        } rows[] = {
                { 0620, NULL }, { 0602, NULL },      { 0600, "" },
                { 0600, "{}" }, { 0600, "{\"v\":" }, { 0600, "{\"v\":99}" },
        };
        TEST_EACH(row, rows) {
                ScratchRun scratch;
                scratch_run_open(&scratch);
                if (row->text)
                        scratch_run_write(&scratch, "pending", row->mode, row->text);
                else
                        write_pending(&scratch, row->mode, NULL);
                /* not even the second source counts then */
                write_status(&scratch, BOOT, 70000);
                GuardTarget target;
                Error error = {};
                assert_int_equal(read_target(&scratch, &target, &error), -EBADMSG);
                assert_non_null(strstr(error.text, "/run/twprofile/pending"));
                assert_true(guard_target_is_empty(&target));
                scratch_run_close(&scratch);
        }
        ScratchRun scratch;
        GuardTarget target;
        scratch_run_open(&scratch);
        assert_int_equal(symlinkat("status.json", scratch.run_fd, "pending"), 0);
        assert_int_equal(read_target(&scratch, &target, NULL), -EBADMSG);
        assert_int_equal(unlinkat(scratch.run_fd, "pending", 0), 0);
        assert_int_equal(mkfifoat(scratch.run_fd, "pending", 0600), 0);
        assert_int_equal(read_target(&scratch, &target, NULL), -EBADMSG);
        scratch_run_close(&scratch);
}

/* Somebody removed the file; the change is not decided by that. */
static void test_read_status_instead(void **state) {
        (void) state;
        static const struct {
                const char *boot_id;
                int64_t deadline_ms;
                bool found;
        } rows[] = {
                { BOOT, 70000, true },
                { BOOT, 0, false }, /* --runtime: nobody has to watch */
                { "99999999-2222-4333-8444-555555555555", 70000, false },
        };
        TEST_EACH(row, rows) {
                ScratchRun scratch;
                scratch_run_open(&scratch);
                write_status(&scratch, row->boot_id, row->deadline_ms);
                GuardTarget target;
                assert_int_equal(read_target(&scratch, &target, NULL), 0);
                assert_int_equal(!guard_target_is_empty(&target), row->found);
                if (row->found)
                        assert_int_equal(target.deadline_ms, row->deadline_ms);
                scratch_run_close(&scratch);
        }
        ScratchRun scratch;
        GuardTarget target;
        scratch_run_open(&scratch);
        scratch_run_write(&scratch, "status.json", 0644, "{\"v\":");
        assert_int_equal(read_target(&scratch, &target, NULL), 0);
        assert_true(guard_target_is_empty(&target));
        scratch_run_close(&scratch);
}

TEST_MAIN(cmocka_unit_test(test_read_pending), cmocka_unit_test(test_read_hostile_pending),
          cmocka_unit_test(test_read_status_instead))

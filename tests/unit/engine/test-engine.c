/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine.h"

#include "seam/engine-world.h"
#include "model/failing-alloc.h"
#include "test.h"

/* --- every call of the seam fails once, or from then on ------------------------------------------------------- */

typedef int (*Request)(World *world);

static int request_enable(World *w) {
        return world_enable(w, "alpha delta");
}

static int request_disable(World *w) {
        return world_disable(w, "alpha");
}

static int prepare_two(World *w) {
        int r = world_enable(w, "alpha");
        return r != 0 ? r : world_enable(w, "delta");
}

static int request_rollback(World *w) {
        return world_rollback(w, "1");
}

typedef struct Sweep {
        const char *name;
        int (*prepare)(World *world); /* or NULL */
        Request request;
} Sweep;

static const Sweep sweeps[] = {
        { "first enable", NULL, request_enable },
        { "disable", request_enable, request_disable },
        { "rollback", prepare_two, request_rollback },
};

typedef struct Views {
        char *old, *new;
        uint64_t n_calls;
} Views;

static void sweep_start(const Sweep *sweep, World *w) {
        world_init(w);
        if (sweep->prepare)
                assert_int_equal(sweep->prepare(w), 0);
        seam_fault_reset(&w->fault);
}

static Views sweep_measure(const Sweep *sweep) {
        World w;
        sweep_start(sweep, &w);
        Views views = { .old = world_view(&w) };
        assert_int_equal(sweep->request(&w), 0);
        views.n_calls = w.fault.n_calls;
        views.new = world_view(&w);
        assert_string_not_equal(views.old, views.new);
        world_deinit(&w);
        return views;
}

/* What the exit code claimed must be so at once, and stay so after recovery; 8 and "no answer" claim nothing. */
static bool sweep_claim_holds(World *w, int code, const Views *views) {
        if (code == 0 || code == 7)
                return world_view_is(w, views->new);
        if (code == 2 || code == 4 || code == 6)
                return world_view_is(w, views->old);
        return code == 8 || code < 0;
}

static void sweep_complain(
                const Sweep *sweep, const char *call, World *w, int code, const char *what) {
        cleanup_free char *view = world_view(w);
        print_error("%s, %s: exit %d (%s): %s\n", sweep->name, call, code, world_outcome(w), what);
        for (size_t i = 0; i < diag_list_count(w->result.findings); i++)
                print_error("    %s\n", diag_list_get(w->result.findings, i)->message);
        print_error("%s\n", view);
}

/* One after the other where a sweep names no errno. */
static const int sweep_errors[] = { EIO, ENOSPC, EROFS, EACCES };

static bool sweep_check(
                const Sweep *sweep, const Views *views, uint64_t at, int error, bool for_ever,
                SeamFaultKind kind) {
        World w;
        sweep_start(sweep, &w);
        w.fault.at = at;
        w.fault.kind = kind;
        w.fault.error = error ? error : sweep_errors[at % ELEMENTSOF(sweep_errors)];
        w.fault.for_ever = for_ever;
        int code = sweep->request(&w);
        char call[512];
        (void) snprintf(call, sizeof(call), "call %llu, errno %d, %s", (unsigned long long) at,
                        error, w.fault.last_fault);
        seam_fault_reset(&w.fault);
        bool fine = sweep_claim_holds(&w, code, views);
        if (!fine)
                sweep_complain(sweep, call, &w, code, "the exit code is not true");

        int recovered = world_recover(&w);
        bool settled = recovered == 0 || recovered == 7;
        bool decided = world_view_is(&w, views->old) || world_view_is(&w, views->new);
        if (!settled || !decided || !sweep_claim_holds(&w, code, views)) {
                sweep_complain(sweep, call, &w, recovered, "recovery does not settle it");
                fine = false;
        }
        int again = sweep->request(&w);
        if (again != 0 || !world_view_is(&w, views->new)) {
                sweep_complain(sweep, call, &w, again, "the same request does not work later");
                fine = false;
        }
        world_deinit(&w);
        return fine;
}

static void sweep_all(int error, bool for_ever, SeamFaultKind kind) {
        size_t n_bad = 0;
        for (size_t i = 0; i < ELEMENTSOF(sweeps); i++) {
                const Sweep *sweep = &sweeps[i];
                Views views = sweep_measure(sweep);
                for (uint64_t at = 1; at <= views.n_calls; at++)
                        n_bad += !sweep_check(sweep, &views, at, error, for_ever, kind);
                print_message("%s: %llu calls\n", sweep->name, (unsigned long long) views.n_calls);
                free(views.old);
                free(views.new);
        }
        assert_int_equal(n_bad, 0);
}

static void test_engine_one_failing_call(void **state UNUSED) {
        sweep_all(0, /* for_ever= */ false, SEAM_FAULT_ERROR);
}

static void test_engine_all_calls_fail_from_one_on(void **state UNUSED) {
        sweep_all(0, /* for_ever= */ true, SEAM_FAULT_ERROR);
}

static void test_engine_a_call_that_worked_says_it_failed(void **state UNUSED) {
        sweep_all(EIO, /* for_ever= */ false, SEAM_FAULT_ERROR_AFTER);
}

static void test_engine_interrupted_and_short_calls(void **state UNUSED) {
        sweep_all(EINTR, /* for_ever= */ false, SEAM_FAULT_ERROR);
        sweep_all(0, /* for_ever= */ false, SEAM_FAULT_SHORT);
}

/* --- memory runs out ------------------------------------------------------------------------------------------- */

/* From every n-th allocation on there is none: no answer, or a true one, and the next entry settles it. */
static void test_engine_without_memory(void **state UNUSED) {
        if (!FAILING_ALLOC_WORKS) {
                print_message("skipped: a sanitizer has its own allocator\n");
                skip();
        }
        const Sweep *sweep = &sweeps[0];
        Views views = sweep_measure(sweep);
        size_t n_bad = 0, n_denied = 0;
        bool hit = true;
        for (size_t at = 0; hit; at += 1 + at / 40) {
                World w;
                sweep_start(sweep, &w);
                failing_alloc_arm(at);
                int code = sweep->request(&w);
                hit = failing_alloc_disarm() > at;
                char told[32];
                (void) snprintf(told, sizeof(told), "%s", world_outcome(&w));
                n_denied += code < 0;
                print_message("%zu: %d %s %s\n", at, code, world_outcome(&w), w.error.text);

                assert_int_equal(world_recover(&w), 0);
                bool decided = world_view_is(&w, views.old) || world_view_is(&w, views.new);
                if (!decided || !sweep_claim_holds(&w, code, &views)) {
                        n_bad++;
                        print_error("allocation %zu: exit %d, %s\n", at, code, told);
                }
                assert_int_equal(sweep->request(&w), 0);
                world_deinit(&w);
        }
        free(views.old);
        free(views.new);
        assert_true(n_denied > 10);
        assert_int_equal(n_bad, 0);
}

/* --- the other entries -------------------------------------------------------------------------------------------- */

static void test_engine_read_state(void **state UNUSED) {
        World w;
        world_init(&w);
        cleanup_free char *empty = NULL, *text = NULL;
        size_t n;
        assert_int_equal(engine_read_state(&w.engine, &empty, &n, &w.error), 0);
        assert_int_equal(n, strlen(empty));
        assert_null(strstr(empty, "somaxconn"));
        assert_false(scratch_has(&w.scratch, WORLD_STATE));

        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(engine_read_state(&w.engine, &text, &n, &w.error), 0);
        assert_non_null(strstr(text, "net.core.somaxconn"));

        scratch_remove(&w.scratch, WORLD_JOURNAL);
        scratch_write(&w.scratch, WORLD_STATE "/generations/1.json", "{}");
        char *none = NULL;
        assert_int_equal(engine_read_state(&w.engine, &none, &n, &w.error), -EBADMSG);
        assert_null(none);
        world_deinit(&w);
}

static void test_engine_read_state_tells_of_windows(void **state UNUSED) {
        World w;
        world_init(&w);
        size_t n;
        cleanup_free char *open = NULL, *back = NULL, *other = NULL, *bad = NULL;
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        assert_int_equal(engine_read_state(&w.engine, &open, &n, &w.error), 0);
        assert_non_null(strstr(open, "\"undecided\":{\"deadline_ms\":1060000"));
        assert_non_null(strstr(open, w.result.tx));
        assert_null(strstr(open, w.token));

        w.now_ms += 60000;
        assert_int_equal(world_revert(&w, "deadline"), 6);
        assert_int_equal(engine_read_state(&w.engine, &back, &n, &w.error), 0);
        assert_non_null(strstr(back, "\"cause\":\"deadline\""));
        assert_null(strstr(back, "deadline_ms"));

        /* of another boot it is over, whatever the journal still says */
        assert_int_equal(world_release(&w, "alpha"), 0);
        assert_int_equal(world_try(&w, "alpha", 0), 0);
        world_reboot(&w);
        assert_int_equal(engine_prepare(&w.engine, &w.error), 0);
        assert_int_equal(engine_read_state(&w.engine, &other, &n, &w.error), 0);
        assert_null(strstr(other, "undecided"));

        scratch_remove(&w.scratch, WORLD_STATE "/quarantine");
        scratch_write(&w.scratch, WORLD_STATE "/quarantine", "in the way");
        assert_int_not_equal(engine_read_state(&w.engine, &bad, &n, &w.error), 0);
        assert_null(bad);
        world_deinit(&w);
}

static void test_engine_record_denied(void **state UNUSED) {
        World w;
        world_init(&w);
        AuditCaller caller = { .uid = 1000, .gid = 1000, .pid = 77, .auid = 1000, .session = 3 };
        assert_int_equal(
                        engine_record_denied(&w.engine, &caller, "socket", "not-allowed", &w.error),
                        0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"ev\":\"denied\""));
        assert_non_null(strstr(audit, "not-allowed"));
        assert_non_null(strstr(audit, "1000"));
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));

        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = EROFS;
        w.fault.at = 1;
        w.fault.for_ever = true;
        assert_int_equal(
                        engine_record_denied(&w.engine, &caller, "socket", "not-allowed", &w.error),
                        -EROFS);
        world_deinit(&w);
}

static void test_engine_prepare_needs_the_machine(void **state UNUSED) {
        static const char *const missing[] = { WORLD_BOOT_ID, "proc/self/ns/net",
                                               "proc/sys/kernel/osrelease" };
        TEST_EACH(path, missing) {
                World w;
                world_init(&w);
                scratch_remove(&w.scratch, *path);
                Engine engine = { .seam = w.engine.seam, .root_fd = w.engine.root_fd };
                assert_int_equal(engine_prepare(&engine, &w.error), -ENOENT);
                world_deinit(&w);
        }
}

static void test_engine_prepare_an_image(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_remove(&w.scratch, "proc");
        Engine engine = { .seam = w.engine.seam, .root_fd = w.engine.root_fd, .files_only = true };
        assert_int_equal(engine_prepare(&engine, &w.error), 0);
        assert_true(engine.kernel.major >= 4); /* ours: the image brings none */
        assert_true(engine.initial_netns);

        scratch_mkdir(&w.scratch, "usr/lib/modules/5.10.0-8-amd64");
        engine.kernel = (KernelVersion){ 0 };
        assert_int_equal(engine_prepare(&engine, &w.error), 0);
        assert_int_equal(engine.kernel.major, 5);
        assert_int_equal(engine.kernel.minor, 10);
        world_deinit(&w);
}

static void test_engine_recover_with_nothing_to_do(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_outcome(&w), "unchanged");
        assert_false(w.result.changed);
        assert_true(scratch_has(&w.scratch, WORLD_STATUS));
        world_deinit(&w);
}

static void test_engine_status_that_cannot_be_written_is_told(void **state UNUSED) {
        World w;
        world_init(&w);
        scratch_write(&w.scratch, "run", "a file where the directory should be");
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_true(world_has_finding(&w, DIAG_STATUS_UNWRITABLE));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_engine_one_failing_call),
          cmocka_unit_test(test_engine_all_calls_fail_from_one_on),
          cmocka_unit_test(test_engine_a_call_that_worked_says_it_failed),
          cmocka_unit_test(test_engine_interrupted_and_short_calls),
          cmocka_unit_test(test_engine_without_memory), cmocka_unit_test(test_engine_read_state),
          cmocka_unit_test(test_engine_read_state_tells_of_windows),
          cmocka_unit_test(test_engine_record_denied),
          cmocka_unit_test(test_engine_prepare_needs_the_machine),
          cmocka_unit_test(test_engine_prepare_an_image),
          cmocka_unit_test(test_engine_recover_with_nothing_to_do),
          cmocka_unit_test(test_engine_status_that_cannot_be_written_is_told))

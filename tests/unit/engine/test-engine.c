/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine.h"

#include "seam/engine-world.h"
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

TEST_MAIN(cmocka_unit_test(test_engine_one_failing_call),
          cmocka_unit_test(test_engine_all_calls_fail_from_one_on),
          cmocka_unit_test(test_engine_a_call_that_worked_says_it_failed),
          cmocka_unit_test(test_engine_interrupted_and_short_calls))

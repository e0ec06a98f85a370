/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/gate-baseline.h"

#include <sys/socket.h>

#include "base/fd.h"
#include "gate-world.h"
#include "record/gate-format.h"

static struct {
        GateWorld world;
        unsigned n_told;
        size_t last_done, total;
        char step[32], text[64], log[256];
} fake;

/* Counts while it is told: so many overflows in each interval. */
static void tell(void *userdata, const char *step, size_t done, size_t total, const char *text) {
        const unsigned *per_interval = userdata;
        fake.n_told++;
        fake.last_done = done;
        fake.total = total;
        (void) snprintf(fake.step, sizeof(fake.step), "%s", step);
        if (done == 0)
                (void) snprintf(fake.text, sizeof(fake.text), "%s", text);
        gate_world_count(&fake.world, *per_interval * fake.n_told, 0);
}

static void keep_log(const char *line) {
        (void) snprintf(fake.log, sizeof(fake.log), "%s", line);
}

static void begin(Engine *engine, unsigned *per_interval) {
        memset(&fake, 0, sizeof(fake));
        gate_world_open(&fake.world);
        *engine = (Engine){ .seam = seam_real(),
                            .root_fd = fake.world.root_fd,
                            .progress = per_interval ? tell : NULL,
                            .progress_userdata = per_interval };
}

static void test_sample(void **state UNUSED) {
        unsigned per_interval = 3;
        Engine engine;
        begin(&engine, &per_interval);
        GateBaselineTask task = {
                .engine = &engine, .caller_fd = FD_EMPTY, .interval_ms = 10, .log = keep_log
        };
        cleanup_free char *text = NULL;
        assert_int_equal(gate_baseline_sample(&task, &text, NULL), 0);
        GateBaseline baseline;
        assert_int_equal(gate_baseline_decode(text, strlen(text), &baseline, NULL), 0);
        assert_int_equal(baseline.n_intervals, GATE_BASELINE_INTERVALS);
        assert_true(baseline.span_ms >= 100);
        assert_true(baseline.known[GATE_LISTEN_OVERFLOWS]);
        assert_true(baseline.peak[GATE_LISTEN_OVERFLOWS] > 0);
        assert_true(baseline.mean[GATE_LISTEN_OVERFLOWS] <= baseline.peak[GATE_LISTEN_OVERFLOWS]);
        assert_false(baseline.known[GATE_PAWS_ESTAB]);
        assert_int_equal(fake.n_told, GATE_BASELINE_INTERVALS);
        assert_int_equal(fake.last_done, GATE_BASELINE_INTERVALS - 1);
        assert_int_equal(fake.total, GATE_BASELINE_INTERVALS);
        assert_string_equal(fake.step, "baseline");
        assert_string_equal(fake.text, "counters before the change, 1 s left");
        gate_world_close(&fake.world);
}

/* The span is what the issue asks for: five seconds at least. */
static void test_sample_is_long_enough(void **state UNUSED) {
        assert_true(GATE_BASELINE_INTERVALS * GATE_INTERVAL_MS >= 5000);
}

static void test_sample_ends_with_the_caller(void **state UNUSED) {
        Engine engine;
        begin(&engine, NULL);
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        GateBaselineTask task = { .engine = &engine, .caller_fd = pair[0], .interval_ms = 10 };
        char *text = NULL;
        /* who only says no more still waits for the answer */
        assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
        assert_int_equal(gate_baseline_sample(&task, &text, NULL), 0);
        free(text);

        text = NULL;
        task.interval_ms = 60000;
        (void) close(pair[1]);
        Error error = { 0 };
        assert_int_equal(gate_baseline_sample(&task, &text, &error), -ECANCELED);
        assert_non_null(strstr(error.text, "hung up"));
        assert_null(text);
        (void) close(pair[0]);
        gate_world_close(&fake.world);
}

static void test_sample_of_nothing(void **state UNUSED) {
        Engine engine;
        begin(&engine, NULL);
        for (size_t i = 0; i < ELEMENTSOF(gate_world_files); i++)
                assert_int_equal(unlinkat(fake.world.root_fd, gate_world_files[i], 0), 0);
        GateBaselineTask task = {
                .engine = &engine, .caller_fd = FD_EMPTY, .interval_ms = 1, .log = keep_log
        };
        char *text = NULL;
        Error error = { 0 };
        assert_int_equal(gate_baseline_sample(&task, &text, &error), -ENODATA);
        assert_null(text);
        assert_non_null(strstr(fake.log, "does not see local ports"));

        assert_int_equal(mkdirat(fake.world.root_fd, "proc/self/net/netstat", 0755), 0);
        assert_true(gate_baseline_sample(&task, &text, &error) < 0);
        assert_int_equal(unlinkat(fake.world.root_fd, "proc/self/net/netstat", AT_REMOVEDIR), 0);
        gate_world_close(&fake.world);
}

TEST_MAIN(cmocka_unit_test(test_sample), cmocka_unit_test(test_sample_is_long_enough),
          cmocka_unit_test(test_sample_ends_with_the_caller),
          cmocka_unit_test(test_sample_of_nothing))

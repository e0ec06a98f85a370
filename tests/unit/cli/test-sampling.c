/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sampling.h"

#include "test.h"

static void test_load(void **state UNUSED) {
        static const struct {
                const char *path;
                int want;
                DiagId id;
        } rows[] = {
                { "tests/golden/cli/root/srv/sample.json", 0, 0 },
                { "tests/golden/cli/root/srv/none.json", EXIT_NOT_FOUND, DIAG_SAMPLE_UNREADABLE },
                { "tests/golden/cli/root/srv", EXIT_NOT_FOUND, DIAG_SAMPLE_UNREADABLE },
                { "tests/golden/cli/root/srv/beside.yaml", EXIT_INVALID, DIAG_SAMPLE_INVALID },
        };
        TEST_EACH(row, rows) {
                Context context;
                Snapshot snapshot = {};
                assert_int_equal(context_init(&context), 0);
                int r = sampling_load(&context, row->path, &snapshot);
                assert_int_equal(r, row->want);
                assert_int_equal(r != 0, row->id != 0 && context_has_finding(&context, row->id));
                assert_int_equal(snapshot.has_sockets, r == 0);
                context_deinit(&context);
        }
}

/* Whoever runs the tests may look at the sockets of the namespace that they are in. */
static void test_looks(void **state UNUSED) {
        Context context;
        assert_int_equal(context_init(&context), 0);
        {
                CLEANUP(sampling_close) Sampling sampling = SAMPLING_EMPTY;
                Snapshot snapshot = {};
                assert_int_equal(sampling_open(&sampling, &context), 0);
                assert_int_equal(sampling_look_at_counts(&sampling, &snapshot), 0);
                assert_true(snapshot.monotonic_us > 0);
                assert_int_equal(sampling_look_around(&sampling, &snapshot), 0);
                assert_int_equal(sampling_look_at_sockets(&sampling, &snapshot), 0);
                assert_int_equal(
                                snapshot.has_sockets,
                                !context_has_finding(&context, DIAG_SOCKETS_NOT_LISTED));
        }
        context_deinit(&context);
}

/* One snapshot is a later sample without an earlier one. */
static void test_load_input(void **state UNUSED) {
        Context context;
        AdviceInput input = {};
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(
                        sampling_load_input(
                                        &context, "tests/golden/cli/root/srv/sample.json", &input),
                        0);
        assert_null(input.before);
        assert_true(input.now && input.now->has_sockets);
        sampling_wait(&context, 0); /* no terminal, no time */
        context_deinit(&context);
}

TEST_MAIN(cmocka_unit_test(test_load), cmocka_unit_test(test_load_input),
          cmocka_unit_test(test_looks))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/window.h"

#include <time.h>

#include "test.h"

#define TX    "0b0e4c9e-0000-4000-8000-000000000001"
#define OTHER "0b0e4c9e-0000-4000-8000-000000000002"

static void test_judge_table(void **state) {
        (void) state;
        static const Quarantine expired = { .name = "web", .cause = "deadline", .tx = TX };
        static const Quarantine gated = { .name = "web", .cause = "gate", .tx = TX };
        static const Quarantine others = { .name = "web", .cause = "deadline", .tx = OTHER };
        static const Generation committed = { .number = 1, .tx = TX };
        static const Generation later = { .number = 2, .tx = OTHER };
        static const struct {
                Status status;
                WindowState want;
        } rows[] = {
                { { .undecided_tx = TX }, WINDOW_OPEN },
                { { .last_tx = TX, .last_outcome = "reverted" }, WINDOW_TAKEN_BACK },
                { { .last_tx = TX,
                    .last_outcome = "reverted",
                    .quarantined = &expired,
                    .n_quarantined = 1 },
                  WINDOW_EXPIRED },
                { { .quarantined = &gated, .n_quarantined = 1 }, WINDOW_GATED },
                { { .last_tx = TX, .last_outcome = "applied", .generation = &committed },
                  WINDOW_CONFIRMED },
                /* the view of another change: what became of ours stands in the history */
                { { .undecided_tx = OTHER, .generation = &later }, WINDOW_UNKNOWN },
                { { .quarantined = &others, .n_quarantined = 1 }, WINDOW_UNKNOWN },
                { {}, WINDOW_UNKNOWN },
        };
        TEST_EACH(row, rows)
                assert_int_equal(window_judge(&row->status, TX), row->want);
}

static void test_evidence(void **state) {
        (void) state;
        static const Quarantine rows[] = {
                { .name = "web", .cause = "deadline", .tx = OTHER },
                { .name = "db", .cause = "gate", .tx = TX, .evidence = "97.5/s" },
        };
        const Status status = { .quarantined = rows, .n_quarantined = 2 };
        assert_string_equal(window_evidence(&status, TX), "97.5/s");
        assert_null(window_evidence(&status, OTHER));
        assert_null(window_evidence(&(Status){}, TX));
}

static int64_t boottime_ms(void) {
        struct timespec now;
        assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_seconds_left(void **state) {
        (void) state;
        assert_int_equal(window_seconds_left(1), 0);
        uint64_t left = window_seconds_left(boottime_ms() + 100000);
        assert_true(left >= 99 && left <= 100);
}

static void test_render_table(void **state) {
        (void) state;
        static const Change changes[] = { {
                        .key = "net.core.somaxconn",
                        .before = "8192",
                        .wanted = "4096",
                        .after = "4096",
                        .outcome = "restored",
        } };
        const struct {
                Outcome outcome;
                const char *texts[4];
        } rows[] = {
                { { .outcome = "pending",
                    .changed = true,
                    .generation = 4,
                    .generation_before = 3,
                    .token = "0b0e4c9e-12",
                    .deadline_ms = boottime_ms() + 100000 },
                  { "Live, and not confirmed: generation 3 → 4\n",
                    "twprofile confirm 0b0e4c9e-12\n", "confirmed in 1 min",
                    "new login session" } },
                { { .outcome = "pending", .token = "0b0e4c9e-12" },
                  { "Live already", "a reboot takes all of it back", "0b0e4c9e-12", "rollback" } },
                { { .outcome = "pending", .transaction = TX },
                  { "Nothing to settle: change " TX, "a reboot", "rollback", "" } },
                { { .outcome = "reverted", .generation = 3, .changes = changes, .n_changes = 1 },
                  { "Taken back: generation 3 is in force", "net.core.somaxconn", "taken back",
                    "" } },
                { { .outcome = "reverted" }, { "nothing is enabled, as before", "", "", "" } },
                { { .outcome = "released" }, { "Released", "", "", "" } },
        };
        TEST_EACH(row, rows) {
                Context context;
                assert_int_equal(context_init(&context), 0);
                context.out.width = 80;
                assert_true(window_is_told(&row->outcome));
                assert_int_equal(window_render(&row->outcome, &context), 0);
                for (size_t i = 0; i < ELEMENTSOF(row->texts); i++)
                        if (!strstr(strbuf_text(&context.text), row->texts[i]))
                                fail_msg("no '%s' in:\n%s", row->texts[i],
                                         strbuf_text(&context.text));
                context_deinit(&context);
        }
        assert_false(window_is_told(&(Outcome){ .outcome = "applied" }));
}

/* Whatever is no terminal is not kept waiting. */
static void test_linger_only_on_a_terminal(void **state) {
        (void) state;
        Context context;
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(window_linger(&context, EXIT_OK), EXIT_OK);
        context.awaiting_tx = TX;
        context.awaiting_deadline_ms = boottime_ms() + 100000;
        assert_int_equal(window_linger(&context, EXIT_OK), EXIT_OK);
        context.out.is_terminal = context.err.is_terminal = true;
        context.options.quiet = true;
        assert_int_equal(window_linger(&context, EXIT_OK), EXIT_OK);
        context.options.quiet = false;
        context.awaiting_deadline_ms = 0;
        assert_int_equal(window_linger(&context, EXIT_OK), EXIT_OK);
        context_deinit(&context);
}

TEST_MAIN(cmocka_unit_test(test_judge_table), cmocka_unit_test(test_evidence),
          cmocka_unit_test(test_seconds_left), cmocka_unit_test(test_render_table),
          cmocka_unit_test(test_linger_only_on_a_terminal))

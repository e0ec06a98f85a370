/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/recovery.h"

#include <fcntl.h>

#include "engine/journal.h"
#include "failing-world.h"

static int enable_alpha(World *w) {
        return world_enable(w, "alpha");
}

static int enable_alpha_delta(World *w) {
        return world_enable(w, "alpha delta");
}

static int disable_alpha(World *w) {
        return world_disable(w, "alpha");
}

/* --- where to die ---------------------------------------------------------------------------------------------- */

/* The frame type that a journal write carries (header: record/journal-format.h), 0 for any other call. */
static unsigned frame_type(const SeamCall *call) {
        if (call->kind != SEAM_CALL_PWRITE || !endswith(call->path, "/journal") || call->n < 16)
                return 0;
        return ((const unsigned char *) call->bytes)[12];
}

static bool before_prepared(void *userdata UNUSED, const SeamCall *call) {
        return frame_type(call) == JOURNAL_PREPARED;
}

static bool before_last_write(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_PWRITE && call->n == 5 &&
               memcmp(call->bytes, "1200\n", 5) == 0;
}

static bool before_commit(void *userdata UNUSED, const SeamCall *call) {
        return frame_type(call) == JOURNAL_COMMIT;
}

static bool before_fragment(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && endswith(call->to, "/60-twprofile.conf");
}

static bool before_done(void *userdata UNUSED, const SeamCall *call) {
        return frame_type(call) == JOURNAL_DONE;
}

/* --- the table of recovery.h, row by row ------------------------------------------------------------------------ */

typedef struct Row {
        SeamFaultMatch death;
        bool reboot;
        bool committed;
        const char *outcome; /* of the transaction, in the audit log; NULL: nothing to settle */
        DiagId finding;
} Row;

static const Row rows[] = {
        { before_prepared, false, false, NULL, 0 },
        { before_last_write, false, false, "reverted", DIAG_RECOVERED },
        { before_last_write, true, false, "dropped-by-reboot", DIAG_DROPPED_BY_REBOOT },
        { before_commit, false, false, "reverted", DIAG_RECOVERED },
        { before_commit, true, false, "dropped-by-reboot", DIAG_DROPPED_BY_REBOOT },
        { before_fragment, false, true, "redone", DIAG_REDONE },
        { before_fragment, true, true, "redone", DIAG_REDONE },
        { before_done, false, true, "applied", DIAG_REDONE }, /* its outcome was told already */
        { before_done, true, true, "applied", DIAG_REDONE },
};

static char *committed_view(void) {
        World w;
        world_init(&w);
        assert_int_equal(enable_alpha(&w), 0);
        char *view = world_view(&w);
        world_deinit(&w);
        return view;
}

static bool audit_ends_with(World *w, const char *outcome) {
        cleanup_free char *audit = scratch_read(&w->scratch, WORLD_AUDIT, NULL);
        if (!audit)
                return false;
        char want[96];
        (void) snprintf(want, sizeof(want), "\"outcome\":\"%s\"", outcome);
        char *last = audit, *newline;
        while ((newline = strchr(last, '\n')) && newline[1] != '\0')
                last = newline + 1;
        return strstr(last, want) != NULL;
}

static void test_recovery_table(void **state UNUSED) {
        cleanup_free char *new = committed_view();
        TEST_EACH(row, rows) {
                World w;
                world_init(&w);
                cleanup_free char *old = world_view(&w);
                assert_true(world_die_when(&w, enable_alpha, row->death));
                if (row->reboot)
                        world_reboot(&w);

                assert_int_equal(world_recover(&w), 0);
                assert_string_equal(world_outcome(&w), row->outcome ? "recovered" : "unchanged");
                assert_true(world_view_is(&w, row->committed ? new : old));
                assert_int_equal(w.result.generation, row->committed ? 1 : 0);
                if (row->outcome) {
                        assert_true(audit_ends_with(&w, row->outcome));
                        assert_true(world_has_finding(&w, row->finding));
                }
                assert_int_equal(scratch_count(&w.scratch, "etc/sysctl.d", ".60"), 0);

                assert_int_equal(world_recover(&w), 0); /* settled for good */
                assert_string_equal(world_outcome(&w), "unchanged");
                world_deinit(&w);
        }
}

/* Any entry recovers first: here the next enable does, and then its own work. */
static void test_recovery_before_the_next_request(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_commit));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");

        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_max_syn_backlog"), "8192");
        assert_true(world_has_finding(&w, DIAG_RECOVERED));
        world_deinit(&w);
}

/* A death before every single call, here and after a reboot: old or new, and never a mix. */
static void test_recovery_after_death_at_any_call(void **state UNUSED) {
        static const bool reboots[] = { false, true };
        unsigned points = 0;
        TEST_EACH(reboot, reboots) {
                World fresh;
                world_init(&fresh);
                assert_int_equal(enable_alpha_delta(&fresh), 0);
                cleanup_free char *old = world_view(&fresh);
                assert_int_equal(disable_alpha(&fresh), 0);
                cleanup_free char *new = world_view(&fresh);
                world_deinit(&fresh);

                bool died = true;
                for (uint64_t at = 1; died; at++) {
                        World w;
                        world_init(&w);
                        assert_int_equal(enable_alpha_delta(&w), 0);
                        died = world_die_at(&w, disable_alpha, at);
                        if (*reboot)
                                world_reboot(&w);
                        int r = *reboot ? world_boot(&w) : world_recover(&w);
                        assert_int_equal(r, 0);
                        bool is_new = world_view_is(&w, new);
                        assert_true(is_new || world_view_is(&w, old));
                        assert_int_equal(w.result.generation, is_new ? 2 : 1);
                        assert_true(died || is_new);
                        world_deinit(&w);
                        points++;
                }
        }
        print_message("%u deaths\n", points);
}

/* --- what else can be there -------------------------------------------------------------------------------------- */

static void test_recovery_keeps_a_foreign_value(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_commit));
        world_set_live(&w, "net/core/somaxconn", "5555");
        assert_int_equal(world_recover(&w), 7);
        assert_true(world_has_finding(&w, DIAG_FOREIGN_VALUE_KEPT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "5555");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_true(audit_ends_with(&w, "reverted-with-conflicts"));
        world_deinit(&w);
}

static void test_recovery_when_the_kernel_is_stuck(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_commit));
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EINVAL };
        assert_int_equal(world_recover(&w), 8);
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");
        assert_int_equal(world_enable(&w, "beta"), 8); /* nothing else before it is settled */
        assert_string_equal(world_live(&w, "net/ipv4/tcp_max_syn_backlog"), "2000");

        w.troubles[0] = (WorldTrouble){ 0 };
        assert_int_equal(world_recover(&w), 0);
        assert_true(audit_ends_with(&w, "reverted"));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_int_equal(world_enable(&w, "beta"), 0);
        world_deinit(&w);
}

/* Or a reboot ends it: the kernel's values are its own again. */
static void test_recovery_of_a_stuck_kernel_by_reboot(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_commit));
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EINVAL };
        assert_int_equal(world_recover(&w), 8);
        world_reboot(&w);
        assert_int_equal(world_boot(&w), 0);
        assert_true(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

static void test_recovery_in_another_namespace_touches_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_true(world_die_when(&w, enable_alpha, before_commit));
        cleanup_free char *mixed = world_view(&w);
        world_set_netns(&w, "net:[4026532999]");

        assert_int_equal(world_enable(&w, "beta"), 4);
        assert_true(world_has_finding(&w, DIAG_OTHER_NAMESPACE));
        assert_true(world_view_is(&w, mixed));

        world_set_netns(&w, "net:[4026531840]");
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

static void test_recovery_makes_a_lost_generation_file_again(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        cleanup_free char *first = scratch_read(
                        &w.scratch, WORLD_STATE "/generations/1.json", NULL);
        scratch_remove(&w.scratch, WORLD_STATE "/generations");
        scratch_write(&w.scratch, WORLD_STATE "/generations/2.json", "{}");

        assert_int_equal(world_recover(&w), 0);
        cleanup_free char *again = scratch_read(
                        &w.scratch, WORLD_STATE "/generations/1.json", NULL);
        assert_non_null(again);
        assert_string_equal(first, again);
        assert_int_equal(world_rollback(&w, "1"), 0);
        assert_string_equal(world_live(&w, "net/ipv4/tcp_max_syn_backlog"), "2000");
        world_deinit(&w);
}

/* A power cut keeps the flushed intent and loses PREPARED, which was not flushed. */
static void test_recovery_closes_an_intent_without_frames(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        size_t n;
        cleanup_free char *journal = scratch_read(&w.scratch, WORLD_JOURNAL, &n);
        assert_true(world_die_when(&w, enable_alpha, before_commit));
        scratch_write_bytes(&w.scratch, WORLD_JOURNAL, journal, n);
        world_reboot(&w);

        assert_int_equal(world_boot(&w), 0);
        assert_true(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "dropped-by-reboot"));
        assert_int_equal(world_boot(&w), 0); /* once */
        assert_false(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        world_deinit(&w);
}

static bool before_applied(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_RENAME_AT && strstr(call->path, "pending");
}

static int try_alpha(World *w) {
        return world_try(w, "alpha", 60);
}

/* The intent does not say that there was a window: it is told, and nothing is quarantined. */
static void test_recovery_closes_a_windows_intent_without_frames(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "beta"), 0);
        size_t n;
        cleanup_free char *journal = scratch_read(&w.scratch, WORLD_JOURNAL, &n);
        assert_true(world_die_when(&w, try_alpha, before_applied));
        scratch_write_bytes(&w.scratch, WORLD_JOURNAL, journal, n);
        world_reboot(&w);

        assert_int_equal(world_boot(&w), 0);
        assert_true(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        assert_false(world_has_finding(&w, DIAG_QUARANTINED));
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "dropped-by-reboot"));
        assert_int_equal(world_boot(&w), 0); /* once */
        assert_false(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        world_deinit(&w);
}

static void flip(World *w, const char *path, size_t at) {
        size_t n;
        cleanup_free char *bytes = scratch_read(&w->scratch, path, &n);
        assert_true(at < n);
        bytes[at] = (char) ~bytes[at];
        scratch_write_bytes(&w->scratch, path, bytes, n);
}

/* The journal as it is, and every entry that must leave it alone. */
static void check_untouched(World *w, bool changes_refuse) {
        size_t n, now_n;
        cleanup_free char *damaged = scratch_read(&w->scratch, WORLD_JOURNAL, &n);
        cleanup_free char *view = world_view(w);

        if (changes_refuse) {
                assert_int_equal(world_disable(w, "alpha"), 8);
                assert_true(world_has_finding(w, DIAG_JOURNAL_CORRUPT));
                assert_string_equal(world_outcome(w), "unknown");
        }
        assert_int_equal(world_boot(w), 8);
        assert_int_equal(world_recover(w), 8);
        assert_true(world_has_finding(w, DIAG_JOURNAL_CORRUPT));
        assert_true(world_view_is(w, view));
        cleanup_free char *now = scratch_read(&w->scratch, WORLD_JOURNAL, &now_n);
        assert_int_equal(n, now_n);
        assert_memory_equal(now, damaged, n);
}

static void test_recovery_of_a_damaged_journal_touches_nothing(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        size_t n;
        cleanup_free char *bytes = scratch_read(&w.scratch, WORLD_JOURNAL, &n);
        const char *commit = memmem(bytes, n, "\"number\":2", 10);
        assert_non_null(commit);
        flip(&w, WORLD_JOURNAL, (size_t) (commit - bytes)); /* the last COMMIT, flushed */
        check_untouched(&w, /* changes_refuse= */ true);
        world_deinit(&w);
}

/* What only history holds is looked at by those that look at all of it; a change goes on from the last COMMIT. */
static void test_recovery_of_damaged_history(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        assert_int_equal(world_enable(&w, "beta"), 0);
        flip(&w, WORLD_JOURNAL, 200); /* inside the first frame, flushed long ago */
        check_untouched(&w, /* changes_refuse= */ false);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        assert_int_equal(world_recover(&w), 8);
        world_deinit(&w);
}

static void test_recovery_ignores_a_torn_tail(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *view = world_view(&w);

        /* the last frame, DONE, was never flushed: its header is where the journal's used part ends, less its size */
        size_t n;
        cleanup_free char *bytes = scratch_read(&w.scratch, WORLD_JOURNAL, &n);
        size_t end = n;
        while (end > 0 && bytes[end - 1] == '\0')
                end--;
        flip(&w, WORLD_JOURNAL, end - 3);

        assert_int_equal(world_recover(&w), 0);
        assert_true(world_has_finding(&w, DIAG_REDONE));
        assert_true(world_view_is(&w, view));
        assert_int_equal(world_enable(&w, "beta"), 0);
        assert_int_equal(world_rollback(&w, "origin"), 0);
        world_deinit(&w);
}

/* --- recovery that fails itself ------------------------------------------------------------------------------ */

static int start_two(World *w, SeamFaultMatch death, bool reboot) {
        world_init(w);
        int r = enable_alpha_delta(w);
        if (!world_die_when(w, disable_alpha, death))
                return -1;
        if (reboot)
                world_reboot(w);
        return r;
}

/* The at-th call of a recovery fails; the next recovery settles it. */
static bool recovers_after_a_fault(SeamFaultMatch death, bool reboot, uint64_t at, bool committed) {
        World w;
        assert_int_equal(start_two(&w, death, reboot), 0);
        seam_fault_reset(&w.fault);
        w.fault.at = at;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = at % 2 ? EIO : ENOSPC;
        (void) (reboot ? world_boot(&w) : world_recover(&w));
        bool hit = w.fault.n_faults > 0;

        seam_fault_reset(&w.fault);
        int code = reboot ? world_boot(&w) : world_recover(&w);
        assert_int_equal(code, 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), committed ? "4000" : "8192");
        assert_string_equal(world_live(&w, "net/ipv4/ip_local_port_range"), "20000\t60999");
        assert_int_equal(w.result.generation, committed ? 2 : 1);
        assert_int_equal(world_rollback(&w, "origin"), 0);
        assert_false(scratch_has(&w.scratch, WORLD_FRAGMENT));
        world_deinit(&w);
        return hit;
}

static void test_recovery_with_one_failing_call(void **state UNUSED) {
        static const struct {
                SeamFaultMatch death;
                bool reboot, committed;
        } cases[] = {
                { before_commit, false, false },
                { before_commit, true, false },
                { before_fragment, false, true },
                { before_fragment, true, true },
        };
        unsigned n = 0;
        TEST_EACH(row, cases)
                for (uint64_t at = 1;
                     recovers_after_a_fault(row->death, row->reboot, at, row->committed); at++)
                        n++;
        print_message("%u faults\n", n);
        assert_in_range(n, 100, 2000);
}

/* --- journals that this program did not write ------------------------------------------------------------------- */

#define FORGED_TX "0f0f0f0f-1111-4222-8333-444444444444"
#define INSTANCE \
        "\"instance\":{\"boot\":\"%s\",\"netns_cookie\":\"0\",\"netns_inode\":\"4026531840\"}"

/* Adds a frame to the journal; `payload` has a %s for the boot id, or none. */
static void forge(World *w, JournalType type, const char *payload) {
        char text[4096];
        cleanup_free char *boot = scratch_read(&w->scratch, WORLD_BOOT_ID, NULL);
        boot[strcspn(boot, "\n")] = '\0';
        const char *at = strstr(payload, "%s");
        (void) snprintf(text, sizeof(text), "%.*s%s%s",
                        at ? (int) (at - payload) : (int) strlen(payload), payload, at ? boot : "",
                        at ? at + 2 : "");

        scratch_mkdir(&w->scratch, WORLD_STATE);
        int fd = openat(w->scratch.fd, WORLD_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(strbuf_deinit) StrBuf bytes = { 0 };
        CLEANUP(journal_deinit) Journal journal = { .file = SEAM_FD_EMPTY };
        Sha256 hash;
        Error error = { 0 };
        strbuf_add(&bytes, text);
        assert_int_equal(journal_open(&journal, seam_real(), fd, arena, &error), 0);
        assert_int_equal(journal_reserve(&journal, 8192, NULL, NULL, &error), 0);
        assert_int_equal(journal_append(&journal, type, FORGED_TX, &bytes, &hash, &error), 0);
        (void) close(fd);
}

static const char forged_prepared[] = "{\"audit_seq\":9,\"from\":0," INSTANCE
                                      ",\"keys\":[{\"b\":\"4000\",\"k\":\"net.core.somaxconn\","
                                      "\"w\":\"8192\"}],\"to\":1,\"verb\":\"enable\"}";
static const char forged_window[] = "{\"audit_seq\":9,\"from\":0," INSTANCE
                                    ",\"keys\":[],\"to\":1,\"verb\":\"enable\","
                                    "\"window\":{\"profiles\":[],\"s\":60}}";
static const char forged_unknown[] = "{\"audit_seq\":9,\"from\":0," INSTANCE
                                     ",\"keys\":[{\"b\":\"1\",\"k\":\"net.made.up\","
                                     "\"w\":\"2\"}],\"to\":1,\"verb\":\"enable\"}";
static const char forged_commit[] =
                "{\"created_us\":1,\"keys\":[],\"number\":1,\"parent\":0,\"profiles\":[],\"tx\":\"" FORGED_TX
                "\",\"v\":1}";

typedef struct Forgery {
        struct {
                JournalType type;
                const char *payload;
        } frames[3];
        bool reboot;
        int code;
        DiagId finding;
} Forgery;

static const Forgery forgeries[] = {
        { { { JOURNAL_PREPARED, "{}" } }, false, 8, DIAG_JOURNAL_CORRUPT },
        { { { JOURNAL_PREPARED, forged_prepared }, { JOURNAL_APPLIED, "{}" } },
          false,
          8,
          DIAG_JOURNAL_CORRUPT },
        /* without its PREPARED nothing is known to be live */
        { { { JOURNAL_APPLIED, "{}" } }, false, 0, DIAG_DROPPED_BY_REBOOT },
        { { { JOURNAL_COMMIT, forged_commit } }, false, 0, DIAG_REDONE },
        { { { JOURNAL_PREPARED, forged_unknown } }, false, -ENOKEY, 0 },
        { { { JOURNAL_PREPARED, forged_unknown }, { JOURNAL_COMMIT, forged_commit } },
          true,
          -ENOKEY,
          0 },
        {
                        { { JOURNAL_PREPARED, forged_window }, { JOURNAL_REVERT, "{}" } },
                        false,
                        8,
                        DIAG_GENERATION_CORRUPT,
        },
        { { { JOURNAL_PREPARED, forged_prepared }, { JOURNAL_REVERT, "{}" } },
          false,
          0,
          DIAG_RECOVERED },
        { { { JOURNAL_PREPARED, "{}" } }, true, 8, DIAG_JOURNAL_CORRUPT },
};

static void test_recovery_of_forged_journals(void **state UNUSED) {
        TEST_EACH(row, forgeries) {
                World w;
                world_init(&w);
                cleanup_free char *view = world_view(&w);
                for (size_t i = 0; i < ELEMENTSOF(row->frames) && row->frames[i].payload; i++)
                        forge(&w, row->frames[i].type, row->frames[i].payload);
                if (row->reboot)
                        world_reboot(&w);
                int code = row->reboot ? world_boot(&w) : world_recover(&w);
                if (code != row->code)
                        fail_msg("%d instead of %d: %s", code, row->code, w.error.text);
                assert_true(row->code < 0 || world_has_finding(&w, row->finding));
                if (row->code != 0)
                        assert_true(world_view_is(&w, view));
                world_deinit(&w);
        }
}

/* What a --root run finds of another machine's change: files are set right, no value is touched. */
static void test_recovery_of_files_only(void **state UNUSED) {
        static const SeamFaultMatch deaths[] = { before_commit, before_fragment };
        TEST_EACH(death, deaths) {
                World w;
                world_init(&w);
                assert_int_equal(enable_alpha_delta(&w), 0);
                assert_true(world_die_when(&w, disable_alpha, *death));
                bool reboot = *death == before_fragment;
                if (reboot)
                        world_reboot(&w);
                cleanup_free char *live = strdup(world_live(&w, "net/core/somaxconn"));
                w.engine.files_only = true;
                assert_int_equal(world_recover(&w), 0);
                assert_true(world_has_finding(&w, reboot ? DIAG_REDONE : DIAG_DROPPED_BY_REBOOT));
                assert_string_equal(world_live(&w, "net/core/somaxconn"), live);
                world_deinit(&w);
        }
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.engine.files_only = true;
        assert_int_equal(world_recover(&w), 0);
        assert_true(world_has_finding(&w, DIAG_DROPPED_BY_REBOOT));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        world_deinit(&w);
}

static bool before_fragment_goes(void *userdata UNUSED, const SeamCall *call) {
        return call->kind == SEAM_CALL_UNLINK_AT && endswith(call->path, "/60-twprofile.conf");
}

/* Nothing is enabled any more, and the power went before the fragment was gone. */
static void test_recovery_of_the_last_profile_that_left(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(enable_alpha(&w), 0);
        assert_true(world_die_when(&w, disable_alpha, before_fragment_goes));
        world_reboot(&w);
        world_set_live(&w, "net/ipv4/tcp_keepalive_time", "999");
        assert_int_equal(world_boot(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "999");
        assert_false(world_has_finding(&w, DIAG_FOREIGN_VALUE_KEPT));
        world_deinit(&w);
}

static int revert_at_deadline(World *w) {
        return world_revert(w, "deadline");
}

/* The guard died, and the log that held the intent is gone: the record is of the recovery alone. */
static void test_recovery_of_a_guard_without_its_log(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        assert_true(world_die_when(&w, revert_at_deadline, before_done));
        scratch_remove(&w.scratch, WORLD_AUDIT);
        scratch_remove(&w.scratch, WORLD_STATE "/audit-head");
        assert_int_equal(world_recover(&w), 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        assert_non_null(strstr(audit, "\"ev\":\"recover\""));
        assert_null(strstr(audit, "\"cause\""));
        world_deinit(&w);
}

static void test_recovery_expires_into_a_stuck_kernel(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_try(&w, "alpha", 60), 0);
        w.now_ms += 60000;
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EIO };
        assert_int_equal(world_recover(&w), 8);
        assert_string_equal(world_outcome(&w), "unknown");
        w.troubles[0] = (WorldTrouble){ 0 };
        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

/* --- and has no memory -------------------------------------------------------------------------------------------- */

static void undo_two(World *w) {
        (void) enable_alpha_delta(w);
        assert_true(world_die_when(w, disable_alpha, before_commit));
}

static void redo_two(World *w) {
        (void) enable_alpha_delta(w);
        assert_true(world_die_when(w, disable_alpha, before_fragment));
}

static void redo_two_after_reboot(World *w) {
        redo_two(w);
        world_reboot(w);
}

static int enable_beta(World *w) {
        return world_enable(w, "beta");
}

static void window_of_alpha(World *w) {
        assert_int_equal(world_try(w, "alpha", 60), 0);
}

static void window_without_its_file(World *w) {
        window_of_alpha(w);
        scratch_remove(&w->scratch, WORLD_PENDING);
}

static void window_that_expired(World *w) {
        window_of_alpha(w);
        w->now_ms += 60000;
}

static void window_before_reboot(World *w) {
        window_of_alpha(w);
        world_reboot(w);
}

static void guard_that_died(World *w) {
        window_that_expired(w);
        assert_true(world_die_when(w, revert_at_deadline, before_done));
}

static int boot_or_recover(World *w) {
        return w->boots > 1 ? world_boot(w) : world_recover(w);
}

static void is_settled(World *w, const char *somaxconn) {
        assert_int_equal(boot_or_recover(w), 0);
        assert_string_equal(world_live(w, "net/core/somaxconn"), somaxconn);
        assert_int_equal(world_recover(w), 0);
        assert_string_equal(world_outcome(w), "unchanged");
}

static void is_back(World *w) {
        is_settled(w, "4000");
}

static void is_still_there(World *w) {
        is_settled(w, "8192");
}

static void awaits(World *w) {
        assert_int_equal(world_recover(w), 0);
        assert_string_equal(world_live(w, "net/core/somaxconn"), "8192");
        assert_true(scratch_has(&w->scratch, WORLD_PENDING));
        assert_int_equal(world_rollback(w, NULL), 0);
        assert_string_equal(world_live(w, "net/core/somaxconn"), "4000");
}

static void damaged(World *w) {
        assert_int_equal(enable_alpha(w), 0);
        assert_int_equal(enable_beta(w), 0);
        flip(w, WORLD_JOURNAL, 200);
}

static int choose(World *w) {
        EngineRequest request = {
                .verb = ENGINE_RECOVER, .choice = "keep", .reason = "disk", .via = "socket"
        };
        return world_run(w, &request);
}

static void is_chosen(World *w) {
        if (world_recover(w) != 0)
                assert_int_equal(choose(w), 0);
        assert_int_equal(world_recover(w), 0);
}

/* Memory runs out anywhere in a recovery: the next one settles it. */
static void test_recovery_without_memory(void **state UNUSED) {
        static const FailingWorld cases[] = {
                { undo_two, world_recover, is_still_there },
                { redo_two_after_reboot, world_boot, is_back },
                { window_without_its_file, enable_beta, awaits },
                { window_that_expired, world_recover, is_back },
                { window_before_reboot, world_boot, is_back },
                { guard_that_died, world_recover, is_back },
                { damaged, choose, is_chosen },
        };
        TEST_EACH(row, cases)
                assert_in_range(failing_world_everywhere(row), 10, 2000);
}

static void test_recovery_key_that_left_and_will_not_go(void **state UNUSED) {
        World w;
        assert_int_equal(start_two(&w, before_fragment, /* reboot= */ true), 0);
        w.troubles[0] = (WorldTrouble){ .path = "net/core/somaxconn",
                                        .value = "4000",
                                        .error = EINVAL };
        assert_int_equal(world_boot(&w), 8);
        assert_true(world_has_finding(&w, DIAG_STATE_UNKNOWN));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "8192");
        assert_string_equal(world_live(&w, "net/ipv4/tcp_keepalive_time"), "7100");

        w.troubles[0] = (WorldTrouble){ 0 };
        assert_int_equal(world_recover(&w), 0);
        assert_true(world_has_finding(&w, DIAG_REDONE));
        assert_string_equal(world_live(&w, "net/core/somaxconn"), "4000");
        world_deinit(&w);
}

/* The journal has no room for DONE: it goes to a new file with what is committed. */
static bool writes_done(void *userdata UNUSED, const SeamCall *call) {
        return frame_type(call) == JOURNAL_DONE;
}

static void test_recovery_without_room_for_done(void **state UNUSED) {
        World w;
        assert_int_equal(start_two(&w, before_commit, /* reboot= */ false), 0);
        seam_fault_reset(&w.fault);
        w.fault.matches = writes_done;
        w.fault.at = 1;
        w.fault.kind = SEAM_FAULT_ERROR;
        w.fault.error = ENOSPC;
        assert_int_equal(world_recover(&w), 0);
        assert_int_equal(w.fault.n_faults, 1);
        seam_fault_reset(&w.fault);
        w.fault.matches = NULL;

        assert_int_equal(world_recover(&w), 0);
        assert_string_equal(world_outcome(&w), "unchanged");
        assert_int_equal(w.result.generation, 1);
        assert_int_equal(world_disable(&w, "alpha"), 0);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_recovery_table),
          cmocka_unit_test(test_recovery_before_the_next_request),
          cmocka_unit_test(test_recovery_after_death_at_any_call),
          cmocka_unit_test(test_recovery_keeps_a_foreign_value),
          cmocka_unit_test(test_recovery_when_the_kernel_is_stuck),
          cmocka_unit_test(test_recovery_of_a_stuck_kernel_by_reboot),
          cmocka_unit_test(test_recovery_in_another_namespace_touches_nothing),
          cmocka_unit_test(test_recovery_makes_a_lost_generation_file_again),
          cmocka_unit_test(test_recovery_closes_an_intent_without_frames),
          cmocka_unit_test(test_recovery_closes_a_windows_intent_without_frames),
          cmocka_unit_test(test_recovery_of_a_damaged_journal_touches_nothing),
          cmocka_unit_test(test_recovery_of_damaged_history),
          cmocka_unit_test(test_recovery_ignores_a_torn_tail),
          cmocka_unit_test(test_recovery_with_one_failing_call),
          cmocka_unit_test(test_recovery_of_forged_journals),
          cmocka_unit_test(test_recovery_of_files_only),
          cmocka_unit_test(test_recovery_of_the_last_profile_that_left),
          cmocka_unit_test(test_recovery_of_a_guard_without_its_log),
          cmocka_unit_test(test_recovery_expires_into_a_stuck_kernel),
          cmocka_unit_test(test_recovery_without_memory),
          cmocka_unit_test(test_recovery_key_that_left_and_will_not_go),
          cmocka_unit_test(test_recovery_without_room_for_done))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/guard.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "record/pending-format.h"
#include "scratch-run.h"

#define TX "0b0e4c9e-0000-4000-8000-000000000001"

static ScratchRun scratch;

/* --- the engine's double: answers with one exit code after the other ---------------------------------------- */

static struct {
        int n_runs, n_told;
        EngineVerb verb;
        char token[64], cause[16], evidence[64];
        const int *exit_codes; /* one for each run; the last one stays */
        size_t n_exit_codes;
        bool keeps_pending;
        int64_t now_ms, step_ms;
        int64_t deadline_ms; /* what a refusal writes anew into pending; 0: nothing */
} fake;

static void write_pending(int64_t deadline_ms, const char *gate);

static void text_keep(char *ret, size_t size, const char *text) {
        (void) snprintf(ret, size, "%s", text ? text : "");
}

int engine_prepare(Engine *engine UNUSED, Error *reterr UNUSED) {
        return 0;
}

int engine_run(Engine *engine, const EngineRequest *request, EngineResult *ret, Error *reterr) {
        assert_true(engine->lock_wait_ms > 0 && engine->lock_wait_ms < 30000);
        size_t i = (size_t) fake.n_runs++;
        int code = fake.exit_codes[i < fake.n_exit_codes ? i : fake.n_exit_codes - 1];
        fake.verb = request->verb;
        text_keep(fake.token, sizeof(fake.token), request->token);
        text_keep(fake.cause, sizeof(fake.cause), request->cause);
        text_keep(fake.evidence, sizeof(fake.evidence), request->evidence);
        if (code < 0)
                return error_set(reterr, code, "cannot go on");
        if (code == 4 && fake.deadline_ms > 0)
                write_pending(fake.deadline_ms, NULL);
        if (!fake.keeps_pending && code != 4)
                (void) unlinkat(scratch.run_fd, "pending", 0);
        *ret = (EngineResult){ .findings = diag_list_new(), .exit_code = code };
        return 0;
}

void engine_result_deinit(EngineResult *result) {
        result->findings = diag_list_free(result->findings);
}

int engine_record_denied(
                Engine *engine UNUSED, const AuditCaller *caller UNUSED, const char *via UNUSED,
                const char *why UNUSED, Error *reterr UNUSED) {
        return 0;
}

int engine_read_state(
                Engine *engine UNUSED, char **ret UNUSED, size_t *ret_length UNUSED,
                Error *reterr UNUSED) {
        return -ENOSYS;
}

/* Time goes on whenever it is looked at, so no test waits. */
static int64_t tell_time(void *userdata UNUSED) {
        return fake.now_ms += fake.step_ms;
}

static char last_log[1024];
static int n_followed;
static void keep_log(const char *line) {
        n_followed += strstr(line, "awaits confirmation") != NULL;
        text_keep(last_log, sizeof(last_log), line);
}

static void count_told(const DiagList *findings) {
        fake.n_told += findings ? 1 : 0;
}

/* --- one guard ---------------------------------------------------------------------------------------------- */

static void write_pending(int64_t deadline_ms, const char *gate) {
        Pending pending = { .tx = TX,
                            .deadline_ms = deadline_ms,
                            .instance = { .boot_id = "11111111-2222-4333-8444-555555555555" },
                            .gate = gate };
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        assert_int_equal(pending_encode(&pending, &text), 0);
        scratch_run_write(&scratch, "pending", 0600, strbuf_text(&text));
}

static void begin(const int *exit_codes, size_t n) {
        memset(&fake, 0, sizeof(fake));
        fake.exit_codes = exit_codes;
        fake.n_exit_codes = n;
        last_log[0] = '\0';
        n_followed = 0;
        scratch_run_open(&scratch);
}

static int run(GuardGate gate, const Notify *notify, Error *error) {
        static const Notify silent;
        Engine engine = { .seam = seam_real(), .root_fd = scratch.root_fd, .clock = tell_time };
        Guard guard = { .engine = &engine,
                        .notify = notify ? notify : &silent,
                        .gate = gate,
                        .log = keep_log,
                        .tell = count_told };
        int r = guard_run(&guard, error);
        sigset_t set;
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
        return r;
}

static const int taken_back[] = { 6 };

static void test_run_with_nothing_to_watch(void **state) {
        (void) state;
        begin(taken_back, 1);
        Notify notify = { .watchdog_ms = 30000 };
        int n = snprintf(
                        notify.socket, sizeof(notify.socket), "@twprofile-test-guard-%d",
                        (int) getpid());
        cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        memcpy(address.sun_path + 1, notify.socket + 1, (size_t) n - 1);
        assert_int_equal(
                        bind(fd, (const struct sockaddr *) &address,
                             (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) n)),
                        0);
        assert_int_equal(run(NULL, &notify, NULL), 0);
        assert_int_equal(fake.n_runs, 0);
        /* an end without it would be a failure of the unit */
        char text[32] = "";
        assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
        assert_string_equal(text, "READY=1");
        scratch_run_close(&scratch);
}

static void test_run_takes_back_at_the_deadline(void **state) {
        (void) state;
        begin(taken_back, 1);
        fake.now_ms = 60000;
        write_pending(60000, NULL);
        assert_int_equal(run(NULL, NULL, NULL), 0);
        assert_int_equal(fake.n_runs, 1);
        assert_int_equal(fake.n_told, 1);
        assert_int_equal(fake.verb, ENGINE_REVERT);
        assert_string_equal(fake.token, TX);
        assert_string_equal(fake.cause, "deadline");
        assert_string_equal(fake.evidence, "");
        assert_true(scratch_run_has(&scratch, "armed"));
        scratch_run_close(&scratch);
}

/* Busy, failed, out of memory: until the answer is final. */
static void test_run_tries_again(void **state) {
        (void) state;
        static const int codes[] = { 4, 4, -ENOMEM, 2, 7 };
        begin(codes, ELEMENTSOF(codes));
        fake.step_ms = 20000;
        write_pending(1000, NULL);
        assert_int_equal(run(NULL, NULL, NULL), 0);
        assert_int_equal(fake.n_runs, ELEMENTSOF(codes));
        scratch_run_close(&scratch);
}

/* The journal knows better than the file: the engine refuses and writes it anew. */
static void test_run_follows_the_deadline_of_the_journal(void **state) {
        (void) state;
        static const int codes[] = { 4, 6 };
        begin(codes, ELEMENTSOF(codes));
        fake.step_ms = 1000;
        fake.deadline_ms = 4000; /* some looks at the clock later */
        write_pending(1000, NULL);
        assert_int_equal(run(NULL, NULL, NULL), 0);
        assert_int_equal(fake.n_runs, 2);
        assert_int_equal(n_followed, 2);
        scratch_run_close(&scratch);
}

/* The kernel refuses, and the file is gone: only this process knows that it is not done. */
static void test_run_gives_up_loudly(void **state) {
        (void) state;
        static const int stuck[] = { 8 };
        begin(stuck, 1);
        fake.step_ms = 20000;
        write_pending(1000, NULL);
        Error error = {};
        assert_int_equal(run(NULL, NULL, &error), -EIO);
        assert_int_equal(fake.n_runs, 12);
        assert_non_null(strstr(error.text, TX));
        scratch_run_close(&scratch);
}

static void test_run_asks_the_journal_about_a_strange_file(void **state) {
        (void) state;
        static const int settled[] = { 0 };
        begin(settled, 1);
        scratch_run_write(&scratch, "pending", 0600, "{\"v\":1}");
        assert_int_equal(run(NULL, NULL, NULL), 0);
        assert_int_equal(fake.n_runs, 1);
        assert_int_equal(fake.verb, ENGINE_RECOVER);
        assert_non_null(strstr(last_log, "asking the journal"));
        assert_false(scratch_run_has(&scratch, "pending"));
        scratch_run_close(&scratch);
}

static bool is_worse(
                void *userdata UNUSED, const char *tx, const char *baseline, StrBuf *evidence) {
        assert_string_equal(tx, TX);
        assert_string_equal(baseline, "{\"v\":1}");
        strbuf_add(evidence, "12 overflows");
        return true;
}

static void test_run_gate_ends_the_window(void **state) {
        (void) state;
        static const int codes[] = { 4, 6 };
        begin(codes, ELEMENTSOF(codes));
        fake.step_ms = 20000;
        write_pending(INT64_C(1) << 50, "{\"v\":1}");
        assert_int_equal(run(is_worse, NULL, NULL), 0);
        /* also at the second try */
        assert_int_equal(fake.n_runs, 2);
        assert_string_equal(fake.cause, "gate");
        assert_string_equal(fake.evidence, "12 overflows");
        scratch_run_close(&scratch);
}

/* SIGTERM ends it well at any time; what it watched is left to the next one. */
static void test_run_sigterm(void **state) {
        (void) state;
        begin(taken_back, 1);
        write_pending(INT64_C(1) << 50, NULL);
        sigset_t set;
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        assert_int_equal(raise(SIGTERM), 0);
        assert_int_equal(run(NULL, NULL, NULL), 0);
        assert_int_equal(fake.n_runs, 0);
        assert_true(scratch_run_has(&scratch, "pending"));
        scratch_run_close(&scratch);
}

static void test_run_without_a_directory(void **state) {
        (void) state;
        begin(taken_back, 1);
        assert_int_equal(unlinkat(scratch.root_fd, "run/twprofile", AT_REMOVEDIR), 0);
        assert_int_equal(run(NULL, NULL, NULL), -ENOENT);
        assert_int_equal(mkdirat(scratch.root_fd, "run/twprofile", 0755), 0);
        scratch_run_close(&scratch);
}

TEST_MAIN(cmocka_unit_test(test_run_with_nothing_to_watch),
          cmocka_unit_test(test_run_takes_back_at_the_deadline),
          cmocka_unit_test(test_run_follows_the_deadline_of_the_journal),
          cmocka_unit_test(test_run_tries_again), cmocka_unit_test(test_run_gives_up_loudly),
          cmocka_unit_test(test_run_asks_the_journal_about_a_strange_file),
          cmocka_unit_test(test_run_gate_ends_the_window), cmocka_unit_test(test_run_sigterm),
          cmocka_unit_test(test_run_without_a_directory))

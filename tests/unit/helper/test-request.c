/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/request.h"

#include "test.h"
#include "varlink/message.h"

/* --- the engine's double: keeps what it was asked ----------------------------------------------------------- */

static struct {
        int n_runs, answer;
        EngineRequest request;
        char gate[32];
} fake;

int engine_prepare(Engine *engine UNUSED, Error *reterr UNUSED) {
        return 0;
}

int engine_run(Engine *engine UNUSED, const EngineRequest *request, EngineResult *ret,
               Error *reterr) {
        fake.n_runs++;
        fake.request = *request;
        (void) snprintf(fake.gate, sizeof(fake.gate), "%s", request->gate ? request->gate : "");
        if (fake.answer < 0)
                return error_set(reterr, fake.answer, "cannot go on");
        *ret = (EngineResult){ .findings = diag_list_new(),
                               .tx = "",
                               .outcome = "pending",
                               .token = "1f0c2a9b-00",
                               .deadline_ms = 4711 };
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

static char baseline[] = "{\"v\":1}";

static int sample(void *userdata, char **ret, Error *reterr) {
        if (userdata == &fake)
                return error_set(reterr, -ENOMEM, "out of memory");
        if (!userdata)
                return error_set(reterr, -EIO, "cannot sample");
        *ret = strdup(userdata);
        return 0;
}

/* The answer's text, which the caller frees; *ret_r is what request_answer() gave. */
static char *ask(Service *service, const Parameters *p, int *ret_r) {
        static const Caller caller;
        service->caller = &caller;
        service->via = "socket";
        fake.n_runs = 0;
        json_t *answer = NULL;
        *ret_r = request_answer(service, ENGINE_ENABLE, p, &answer, NULL);
        char *text = answer ? json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
        json_decref(answer);
        return text;
}

/* --- tests -------------------------------------------------------------------------------------------------- */

static void test_answer_hands_over(void **state) {
        (void) state;
        static const char *const names[] = { "web" };
        const Parameters p = { .profile = { names, 1 },
                               .only = true,
                               .confirm_within_s = 60,
                               .token = "1f0c2a9b-00",
                               .same_session = true,
                               .choice = "base",
                               .to = "3",
                               .reason = "B-12",
                               .adopt = 5 };
        Service service = { 0 };
        int r;
        char *text = ask(&service, &p, &r);
        assert_int_equal(r, 0);
        const EngineRequest *request = &fake.request;
        assert_int_equal(request->n_profiles, 1);
        assert_string_equal(request->profiles[0], "web");
        assert_true(request->only && request->same_session && !request->runtime);
        assert_int_equal(request->confirm_within_s, 60);
        assert_string_equal(request->token, "1f0c2a9b-00");
        assert_string_equal(request->choice, "base");
        assert_string_equal(request->to, "3");
        assert_string_equal(request->reason, "B-12");
        assert_int_equal(request->adopt, 5);
        assert_string_equal(request->via, "socket");
        assert_non_null(strstr(text, "\"deadline_ms\":4711"));
        assert_non_null(strstr(text, "\"token\":\"1f0c2a9b-00\""));
        free(text);
}

static void test_answer_refuses_contradictions(void **state) {
        (void) state;
        static const struct {
                Parameters p;
                const char *bad;
        } rows[] = {
                { { .runtime = true, .confirm_within_s = 60 }, "\"parameter\":\"runtime\"" },
                { { .gate = true }, "\"parameter\":\"gate\"" },
                { { .gate = true, .runtime = true }, "\"parameter\":\"gate\"" },
        };
        TEST_EACH(row, rows) {
                Service service = { .sample_gate = sample };
                int r;
                char *text = ask(&service, &row->p, &r);
                assert_int_equal(r, 0);
                assert_non_null(strstr(text, "InvalidParameter"));
                assert_non_null(strstr(text, row->bad));
                assert_int_equal(fake.n_runs, 0);
                free(text);
        }
}

static int arm(void *userdata UNUSED, const char *tx UNUSED, Error *reterr UNUSED) {
        return 0;
}

static void test_answer_gate(void **state) {
        (void) state;
        const struct {
                void *userdata;
                bool dry_run, files_only, no_guard;
                int want_r, n_runs;
                const char *gate, *says;
        } rows[] = {
                { baseline, false, false, false, 0, 1, baseline, "pending" },
                /* nothing will be watched, so nothing is sampled */
                { NULL, true, false, false, 0, 1, "", "pending" },
                { NULL, false, true, false, 0, 1, "", "pending" },
                { NULL, false, false, true, 0, 1, "", "pending" },
                /* no change without the gate that was asked for */
                { NULL, false, false, false, 0, 0, "", "cannot sample" },
                { &fake, false, false, false, -ENOMEM, 0, "", "" },
        };
        TEST_EACH(row, rows) {
                Engine engine = { .files_only = row->files_only,
                                  .arm = row->no_guard ? NULL : arm };
                Service service = { .engine = &engine,
                                    .sample_gate = sample,
                                    .gate_userdata = row->userdata };
                Parameters p = { .confirm_within_s = 60, .gate = true, .dry_run = row->dry_run };
                int r;
                char *text = ask(&service, &p, &r);
                assert_int_equal(r, row->want_r);
                assert_int_equal(fake.n_runs, row->n_runs);
                assert_non_null(strstr(text, row->says));
                if (fake.n_runs > 0)
                        assert_string_equal(fake.gate, row->gate);
                free(text);
        }
        /* refused rather than left out */
        Engine engine = { .arm = arm };
        Service without = { .engine = &engine };
        int r;
        char *text = ask(&without, &(Parameters){ .confirm_within_s = 60, .gate = true }, &r);
        assert_int_equal(r, 0);
        assert_int_equal(fake.n_runs, 0);
        assert_non_null(strstr(text, "not-supported-here"));
        free(text);
}

static void test_answer_when_the_engine_breaks(void **state) {
        (void) state;
        Service service = { 0 };
        fake.answer = -ENOMEM;
        int r;
        char *text = ask(&service, &(Parameters){ 0 }, &r);
        fake.answer = 0;
        assert_int_equal(r, -ENOMEM);
        assert_string_equal(text, "");
        free(text);
}

TEST_MAIN(cmocka_unit_test(test_answer_hands_over),
          cmocka_unit_test(test_answer_refuses_contradictions), cmocka_unit_test(test_answer_gate),
          cmocka_unit_test(test_answer_when_the_engine_breaks))

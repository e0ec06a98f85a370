/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/service.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "model/plan.h"
#include "test.h"

#define OWN_NETNS 4026531840

/* --- the engine's double: remembers what it was asked, answers what the test wants ------------------------ */

static struct {
        int n_runs, n_denied;
        EngineVerb verb;
        char profiles[256]; /* joined by "," */
        bool only, dry_run;
        unsigned adopt;
        char to[32], reason[64], via[32], denied[64];
        bool has_caller, is_sigterm_blocked, raises_sigterm;
        bool runtime, same_session;
        uint32_t confirm_within_s;
        char token[64], gate[64], choice[16];

        int answer;    /* of engine_run() */
        int exit_code; /* of the result */
        DiagId finding;
        size_t n_progress;
} fake;

static void text_keep(char *ret, size_t size, const char *text) {
        (void) snprintf(ret, size, "%s", text ? text : "(null)");
}

int engine_prepare(Engine *engine, Error *reterr) {
        (void) engine;
        (void) reterr;
        return 0;
}

int engine_run(Engine *engine, const EngineRequest *request, EngineResult *ret, Error *reterr) {
        fake.n_runs++;
        fake.verb = request->verb;
        fake.profiles[0] = '\0';
        for (size_t i = 0; i < request->n_profiles; i++) {
                size_t n = strlen(fake.profiles);
                (void) snprintf(fake.profiles + n, sizeof(fake.profiles) - n, "%s%s",
                                i > 0 ? "," : "", request->profiles[i]);
        }
        fake.only = request->only;
        fake.dry_run = request->dry_run;
        fake.adopt = request->adopt;
        text_keep(fake.to, sizeof(fake.to), request->to);
        text_keep(fake.reason, sizeof(fake.reason), request->reason);
        text_keep(fake.via, sizeof(fake.via), request->via);
        fake.runtime = request->runtime;
        fake.same_session = request->same_session;
        fake.confirm_within_s = request->confirm_within_s;
        text_keep(fake.token, sizeof(fake.token), request->token);
        text_keep(fake.gate, sizeof(fake.gate), request->gate);
        text_keep(fake.choice, sizeof(fake.choice), request->choice);
        fake.has_caller = request->caller && request->caller->pid == getpid();
        sigset_t mask;
        (void) sigprocmask(SIG_SETMASK, NULL, &mask);
        fake.is_sigterm_blocked = sigismember(&mask, SIGTERM) == 1;
        if (fake.raises_sigterm)
                (void) raise(SIGTERM);

        for (size_t i = 0; i < fake.n_progress && engine->progress; i++)
                engine->progress(
                                engine->progress_userdata, "apply", i + 1, fake.n_progress,
                                "a key");
        if (fake.answer < 0)
                return error_set(reterr, fake.answer, "cannot go on");

        *ret = (EngineResult){ .findings = diag_list_new(),
                               .tx = "",
                               .outcome = "applied",
                               .exit_code = fake.exit_code };
        if (fake.exit_code != 0)
                (void) diag_add(ret->findings, fake.finding, (Span){ 0 }, "the cause");
        return 0;
}

void engine_result_deinit(EngineResult *result) {
        result->findings = diag_list_free(result->findings);
}

int engine_record_denied(
                Engine *engine, const AuditCaller *caller, const char *via, const char *why,
                Error *reterr) {
        (void) engine;
        (void) via;
        (void) reterr;
        fake.n_denied += caller ? 1 : 0;
        text_keep(fake.denied, sizeof(fake.denied), why);
        return 0;
}

int engine_read_state(Engine *engine, char **ret, size_t *ret_length, Error *reterr) {
        (void) engine;
        (void) reterr;
        *ret = strdup("{\"version\":1}");
        *ret_length = strlen(*ret);
        return 0;
}

/* --- one service over a socket pair; the test speaks first, the service then reads all of it --------------- */

typedef struct Bed {
        Engine engine;
        Caller caller;
        Service service;
        VarlinkConnection *client;
} Bed;

static char last_log[512];
static void keep_log(const char *line) {
        text_keep(last_log, sizeof(last_log), line);
}

static Bed *bed_open(void) {
        memset(&fake, 0, sizeof(fake));
        last_log[0] = '\0';
        Bed *bed = calloc(1, sizeof(*bed));
        assert_non_null(bed);
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        bed->client = varlink_connection_new(fds[1]);
        assert_int_equal(caller_identify(fds[0], &bed->caller, NULL), 0);
        bed->engine.instance.netns_inode = OWN_NETNS;
        bed->service = (Service){
                .engine = &bed->engine,
                .connection = varlink_connection_new(fds[0]),
                .caller = &bed->caller,
                .via = "socket",
                .log = keep_log,
        };
        return bed;
}

static void bed_close(Bed *bed) {
        bed->service.connection = varlink_connection_free(bed->service.connection);
        bed->client = varlink_connection_free(bed->client);
        caller_deinit(&bed->caller);
        free(bed);
}

/* Sends the texts, each as a message, ends the sending side, lets the service run to its end. */
static int bed_run(Bed *bed, const char *const *texts, size_t n) {
        int fd = varlink_connection_fd(bed->client);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(
                                send(fd, texts[i], strlen(texts[i]) + 1, MSG_NOSIGNAL),
                                (ssize_t) strlen(texts[i]) + 1);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        return service_run(&bed->service, NULL);
}

/* The next answer as sorted JSON, "" when there is none; the caller frees it. */
static char *bed_next(Bed *bed) {
        json_t *message = NULL;
        int r = varlink_connection_read(bed->client, 0, &message, NULL);
        if (r <= 0)
                return strdup("");
        char *text = json_dumps(message, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(message);
        return text;
}

/* One call, one answer. */
static char *ask(const char *text) {
        Bed *bed = bed_open();
        assert_int_equal(bed_run(bed, &text, 1), 0);
        char *answer = bed_next(bed);
        char *more = bed_next(bed);
        assert_string_equal(more, "");
        free(more);
        bed_close(bed);
        return answer;
}

#define CALL(method, parameters) "{\"method\":\"" method "\",\"parameters\":" parameters "}"
#define NETNS                    "\"netns\":4026531840"

/* --- tests ------------------------------------------------------------------------------------------------ */

static void test_run_refuses_table(void **state) {
        (void) state;
        static const struct {
                const char *call, *want;
        } rows[] = {
                { CALL("org.twprofile.Format", "{}"),
                  "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":"
                  "\"org.twprofile.Format\"}}" },
                { CALL("org.twprofile.enable", "{}"),
                  "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":"
                  "\"org.twprofile.enable\"}}" },
                { CALL("Enable", "{}"),
                  "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"Enable\"}}" },
                { CALL("org.twprofil.Enable", "{}"),
                  "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":"
                  "\"org.twprofil\"}}" },
                { CALL("org.twprofile.Enable", "{\"profiles\":[\"web\"]}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"netns\"}}" },
                { CALL("org.twprofile.Enable", "{\"profiles\":[\"a/b\"]," NETNS "}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
                  "\"profiles\"}}" },
                { CALL("org.twprofile.Disable", "{\"profiles\":[\"web\"],\"only\":true," NETNS "}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"only\"}}" },
                { CALL("org.twprofile.Enable",
                       "{\"profiles\":[\"web\"],\"runtime\":true,\"confirm_within_s\":60," NETNS
                       "}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
                  "\"runtime\"}}" },
                { CALL("org.twprofile.Enable", "{\"profiles\":[\"web\"],\"gate\":true," NETNS "}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"gate\"}}" },
                { CALL("org.twprofile.Release", "{\"profile\":\"web\"," NETNS "}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
                  "\"reason\"}}" },
                { CALL("org.twprofile.Confirm", "{" NETNS "}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
                  "\"token\"}}" },
                { CALL("org.varlink.service.GetInfo", "{\"x\":1}"),
                  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"x\"}}" },
                { CALL("org.varlink.service.GetInterfaceDescription", "{\"interface\":\"a.b\"}"),
                  "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"a.b\"}}" },
                { "{\"method\":\"org.twprofile.ReadState\",\"upgrade\":true}",
                  "{\"error\":\"org.varlink.service.MethodNotImplemented\",\"parameters\":{\"method\":"
                  "\"org.twprofile.ReadState\"}}" },
        };
        TEST_EACH(row, rows) {
                char *answer = ask(row->call);
                assert_string_equal(answer, row->want);
                assert_int_equal(fake.n_runs, 0);
                free(answer);
        }
}

static void test_run_hands_requests_over(void **state) {
        (void) state;
        char *answer = ask(CALL(
                        "org.twprofile.Enable",
                        "{\"profiles\":[\"web\",\"proxy\"],\"only\":true,\"dry_run\":true,\"adopt\":[\"drift\"],"
                        "\"reason\":\"B-12\"," NETNS "}"));
        assert_non_null(strstr(answer, "{\"parameters\":{\"result\":{"));
        assert_int_equal(fake.n_runs, 1);
        assert_int_equal(fake.verb, ENGINE_ENABLE);
        assert_string_equal(fake.profiles, "web,proxy");
        assert_true(fake.only && fake.dry_run && fake.has_caller && fake.is_sigterm_blocked);
        assert_int_equal(fake.adopt, PLAN_ADOPT_DRIFT);
        assert_string_equal(fake.reason, "B-12");
        assert_string_equal(fake.to, "(null)");
        assert_string_equal(fake.via, "socket");
        free(answer);

        free(ask(CALL("org.twprofile.Rollback", "{\"to\":\"3\"," NETNS "}")));
        assert_int_equal(fake.verb, ENGINE_ROLLBACK);
        assert_string_equal(fake.to, "3");
        free(ask(CALL("org.twprofile.Disable", "{\"profiles\":[\"web\"]," NETNS "}")));
        assert_int_equal(fake.verb, ENGINE_DISABLE);
        free(ask(CALL("org.twprofile.Recover", "{" NETNS "}")));
        assert_int_equal(fake.verb, ENGINE_RECOVER);

        sigset_t mask;
        (void) sigprocmask(SIG_SETMASK, NULL, &mask);
        assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

static void test_run_hands_windows_over(void **state) {
        (void) state;
        free(ask(CALL("org.twprofile.Enable",
                      "{\"profiles\":[\"web\"],\"confirm_within_s\":60," NETNS "}")));
        assert_int_equal(fake.confirm_within_s, 60);
        assert_string_equal(fake.gate, "(null)");
        free(ask(CALL("org.twprofile.Enable",
                      "{\"profiles\":[\"web\"],\"runtime\":true," NETNS "}")));
        assert_true(fake.runtime);
        free(ask(CALL("org.twprofile.Confirm",
                      "{\"token\":\"1f0c2a9b-00\",\"same_session\":true," NETNS "}")));
        assert_int_equal(fake.verb, ENGINE_CONFIRM);
        assert_string_equal(fake.token, "1f0c2a9b-00");
        assert_true(fake.same_session);
        free(ask(CALL("org.twprofile.Release",
                      "{\"profile\":\"web\",\"reason\":\"B-12\"," NETNS "}")));
        assert_int_equal(fake.verb, ENGINE_RELEASE);
        assert_string_equal(fake.profiles, "web");
        free(ask(CALL("org.twprofile.Recover", "{\"choice\":\"base\"," NETNS "}")));
        assert_string_equal(fake.choice, "base");
}

static void test_run_maps_refusals(void **state) {
        (void) state;
        Bed *bed = bed_open();
        fake.exit_code = 4;
        fake.finding = DIAG_DRIFT;
        const char *call = CALL("org.twprofile.Enable", "{\"profiles\":[\"web\"]," NETNS "}");
        assert_int_equal(bed_run(bed, &call, 1), 0);
        char *answer = bed_next(bed);
        assert_non_null(strstr(answer, "\"error\":\"org.twprofile.Refused\""));
        assert_non_null(strstr(answer, "\"code\":\"drift\""));
        free(answer);
        bed_close(bed);
}

static void test_run_other_namespace(void **state) {
        (void) state;
        char *answer = ask(CALL("org.twprofile.Enable", "{\"profiles\":[\"web\"],\"netns\":4711}"));
        assert_non_null(strstr(answer, "\"error\":\"org.twprofile.Refused\""));
        assert_non_null(strstr(answer, "\"code\":\"other-namespace\""));
        assert_non_null(strstr(answer, "namespace 4711, this helper is in 4026531840"));
        assert_non_null(strstr(answer, "--netns"));
        assert_int_equal(fake.n_runs, 0);
        assert_int_equal(fake.n_denied, 1);
        assert_string_equal(fake.denied, "other-namespace");
        free(answer);

        /* files have no namespace */
        Bed *bed = bed_open();
        bed->engine.files_only = true;
        const char *call = CALL("org.twprofile.Enable", "{\"profiles\":[\"web\"],\"netns\":0}");
        assert_int_equal(bed_run(bed, &call, 1), 0);
        assert_int_equal(fake.n_runs, 1);
        bed_close(bed);
}

static void test_run_caller_is_gone(void **state) {
        (void) state;
        static const struct {
                CallerState state;
                const char *denied, *text;
        } rows[] = {
                { CALLER_GONE, "caller-gone", "has ended" },
                { CALLER_INVISIBLE, "caller-invisible", "another process namespace" },
        };
        TEST_EACH(row, rows) {
                Bed *bed = bed_open();
                caller_deinit(&bed->caller);
                bed->caller.state = row->state;
                const char *calls[] = {
                        CALL("org.twprofile.Recover", "{" NETNS "}"),
                        CALL("org.twprofile.ReadState", "{" NETNS "}"),
                };
                assert_int_equal(bed_run(bed, calls, 2), 0);
                char *answer = bed_next(bed);
                assert_non_null(strstr(answer, "\"code\":\"not-permitted\""));
                assert_non_null(strstr(answer, row->text));
                assert_int_equal(fake.n_runs, 0);
                assert_string_equal(fake.denied, row->denied);
                free(answer);
                /* what everybody may read needs nobody to be accountable */
                answer = bed_next(bed);
                assert_string_equal(answer, "{\"parameters\":{\"state\":{\"version\":1}}}");
                free(answer);
                bed_close(bed);
        }
}

static void test_run_oneway(void **state) {
        (void) state;
        Bed *bed = bed_open();
        const char *calls[] = {
                "{\"method\":\"org.twprofile.Recover\",\"parameters\":{" NETNS "},\"oneway\":true}",
                "{\"method\":\"org.varlink.service.GetInfo\",\"oneway\":true}",
        };
        assert_int_equal(bed_run(bed, calls, 2), 0);
        char *answer = bed_next(bed);
        assert_string_equal(answer, "");
        assert_int_equal(fake.n_runs, 0);
        assert_string_equal(fake.denied, "oneway");
        free(answer);
        bed_close(bed);
}

static void test_run_progress_only_with_more(void **state) {
        (void) state;
        static const struct {
                const char *call;
                size_t n_answers;
        } rows[] = {
                { "{\"method\":\"org.twprofile.Recover\",\"parameters\":{" NETNS "},\"more\":true}",
                  4 },
                { "{\"method\":\"org.twprofile.Recover\",\"parameters\":{" NETNS "}}", 1 },
        };
        TEST_EACH(row, rows) {
                Bed *bed = bed_open();
                fake.n_progress = 3;
                assert_int_equal(bed_run(bed, &row->call, 1), 0);
                for (size_t i = 1; i <= row->n_answers; i++) {
                        char *answer = bed_next(bed);
                        bool is_last = i == row->n_answers;
                        assert_int_equal(strstr(answer, "\"continues\":true") == NULL, is_last);
                        assert_non_null(strstr(answer, is_last ? "\"result\":" : "\"progress\":"));
                        free(answer);
                }
                bed_close(bed);
        }
}

static void test_run_unfit(void **state) {
        (void) state;
        Bed *bed = bed_open();
        bed->service.unfit = "a capability is left";
        const char *calls[] = {
                CALL("org.twprofile.Enable", "{\"profiles\":[\"web\"],\"netns\":4711}"),
                CALL("org.twprofile.ReadState", "{" NETNS "}"),
                CALL("org.varlink.service.GetInfo", "{}"),
        };
        assert_int_equal(bed_run(bed, calls, 3), 0);
        for (int i = 0; i < 2; i++) {
                char *answer = bed_next(bed);
                assert_non_null(strstr(answer, "\"code\":\"not-supported-here\""));
                assert_non_null(strstr(answer, "a capability is left"));
                free(answer);
        }
        char *answer = bed_next(bed);
        assert_non_null(strstr(answer, "\"org.twprofile\""));
        assert_int_equal(fake.n_runs, 0);
        assert_int_equal(fake.n_denied, 0);
        free(answer);
        bed_close(bed);
}

/* In a child, because the signal stays pending. 0 when the call was answered, the next one not served. */
static int serve_under_sigterm(void) {
        Bed *bed = bed_open();
        fake.raises_sigterm = true;
        const char *calls[] = {
                CALL("org.twprofile.Recover", "{" NETNS "}"),
                CALL("org.twprofile.Recover", "{" NETNS "}"),
        };
        int r = bed_run(bed, calls, 2);
        char *answer = bed_next(bed), *second = bed_next(bed);
        return r == 0 && fake.n_runs == 1 && strstr(answer, "\"result\":") && streq(second, "") ? 0
                                                                                                : 1;
}

static void test_run_sigterm_waits_for_the_answer(void **state) {
        (void) state;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(serve_under_sigterm());
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* The engine cannot say what it did: no answer, so that recovery can give one. */
static void test_run_engine_breaks(void **state) {
        (void) state;
        Bed *bed = bed_open();
        fake.answer = -ENOMEM;
        const char *call = CALL("org.twprofile.Recover", "{" NETNS "}");
        assert_int_equal(bed_run(bed, &call, 1), -ENOMEM);
        char *answer = bed_next(bed);
        assert_string_equal(answer, "");
        free(answer);
        bed_close(bed);
}

static void test_run_drops_what_is_no_protocol(void **state) {
        (void) state;
        static const struct {
                const char *text, *log;
        } rows[] = {
                { "{\"method\":7}", "not a Varlink call" },
                { "{\"method\":\"org.varlink.service.GetInfo\",\"extra\":1}",
                  "not a Varlink call" },
                { "GET / HTTP/1.1\r\n\r\n", "not valid JSON" },
        };
        TEST_EACH(row, rows) {
                Bed *bed = bed_open();
                const char *calls[] = { row->text, CALL("org.varlink.service.GetInfo", "{}") };
                assert_int_equal(bed_run(bed, calls, 2), 0);
                char *answer = bed_next(bed);
                assert_string_equal(answer, "");
                assert_non_null(strstr(last_log, row->log));
                assert_int_equal(fake.n_runs, 0);
                free(answer);
                bed_close(bed);
        }
}

/* A caller that leaves before the answer: what was done stands, the end is a normal one. */
static void test_run_caller_leaves(void **state) {
        (void) state;
        Bed *bed = bed_open();
        const char *call = CALL("org.twprofile.Recover", "{" NETNS "}");
        int fd = varlink_connection_fd(bed->client);
        assert_int_equal(send(fd, call, strlen(call) + 1, 0), (ssize_t) strlen(call) + 1);
        bed->client = varlink_connection_free(bed->client);
        assert_int_equal(service_run(&bed->service, NULL), 0);
        assert_int_equal(fake.n_runs, 1);
        assert_non_null(strstr(last_log, "cannot answer"));
        bed_close(bed);
}

/* The texts that are served are the files of the source, and the table of methods says the same as they do. */
static void test_run_describes_itself(void **state) {
        (void) state;
        char *answer = ask(
                        CALL("org.varlink.service.GetInterfaceDescription",
                             "{\"interface\":\"org.twprofile\"}"));
        assert_non_null(strstr(answer, "interface org.twprofile\\n"));
        static const char *const methods[] = { "Enable",  "Confirm", "Disable",  "Rollback",
                                               "Release", "Recover", "ReadState" };
        size_t n_described = 0;
        for (const char *p = answer; (p = strstr(p, "\\nmethod ")); p++)
                n_described++;
        assert_int_equal(n_described, ELEMENTSOF(methods));
        TEST_EACH(method, methods) {
                char text[64], call[128];
                (void) snprintf(text, sizeof(text), "\\nmethod %s(", *method);
                assert_non_null(strstr(answer, text));
                (void) snprintf(call, sizeof(call), CALL("org.twprofile.%s", "{}"), *method);
                char *reply = ask(call);
                assert_non_null(strstr(reply, "InvalidParameter"));
                free(reply);
        }
        free(answer);

        answer = ask(CALL("org.varlink.service.GetInfo", "{}"));
        assert_non_null(strstr(
                        answer, "\"interfaces\":[\"org.varlink.service\",\"org.twprofile\"]"));
        free(answer);
}

TEST_MAIN(cmocka_unit_test(test_run_refuses_table), cmocka_unit_test(test_run_hands_requests_over),
          cmocka_unit_test(test_run_hands_windows_over), cmocka_unit_test(test_run_maps_refusals),
          cmocka_unit_test(test_run_other_namespace), cmocka_unit_test(test_run_caller_is_gone),
          cmocka_unit_test(test_run_oneway), cmocka_unit_test(test_run_progress_only_with_more),
          cmocka_unit_test(test_run_unfit), cmocka_unit_test(test_run_sigterm_waits_for_the_answer),
          cmocka_unit_test(test_run_engine_breaks),
          cmocka_unit_test(test_run_drops_what_is_no_protocol),
          cmocka_unit_test(test_run_caller_leaves), cmocka_unit_test(test_run_describes_itself))

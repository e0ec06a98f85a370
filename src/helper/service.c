/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/service.h"

#include <signal.h>

#include "config.h"
#include "base/strbuf.h"
#include "helper/answer.h"
#include "helper/parameters.h"
#include "helper/request.h"
#include "varlink/interface.h"

typedef struct Method Method;

/* Gives the answer as a new reference. <0 leaves the caller without one. */
typedef int (*MethodHandler)(
                Service *service, const Method *method, const Parameters *parameters, json_t **ret,
                Error *reterr);

struct Method {
        const char *interface;
        const char *name;
        MethodHandler handler;
        bool is_ours; /* takes netns; refused from another namespace and by a process that is unfit */
        bool changes;    /* needs a living, known caller; never oneway */
        EngineVerb verb; /* for handle_request() */
        const Parameter *rows;
        size_t n_rows;
};

static int handle_get_info(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr);
static int handle_get_description(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr);
static int handle_request(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr);
static int handle_read_state(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr);

static const Parameter description_rows[] = {
        PARAMETER(interface, PARAMETER_INTERFACE, /* is_required= */ true),
};
static const Parameter enable_rows[] = {
        PARAMETER(profiles, PARAMETER_NAMES, /* is_required= */ true),
        PARAMETER(only, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(confirm_within_s, PARAMETER_WINDOW, /* is_required= */ false),
        PARAMETER(runtime, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(gate, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(dry_run, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(adopt, PARAMETER_ADOPT, /* is_required= */ false),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ false),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};
static const Parameter confirm_rows[] = {
        PARAMETER(token, PARAMETER_TOKEN, /* is_required= */ true),
        PARAMETER(same_session, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(adopt, PARAMETER_ADOPT, /* is_required= */ false),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ false),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};
static const Parameter release_rows[] = {
        PARAMETER(profile, PARAMETER_NAME, /* is_required= */ true),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ true),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};
static const Parameter disable_rows[] = {
        PARAMETER(profiles, PARAMETER_NAMES, /* is_required= */ true),
        PARAMETER(dry_run, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(adopt, PARAMETER_ADOPT, /* is_required= */ false),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ false),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};
static const Parameter rollback_rows[] = {
        PARAMETER(to, PARAMETER_TARGET, /* is_required= */ false),
        PARAMETER(dry_run, PARAMETER_BOOL, /* is_required= */ false),
        PARAMETER(adopt, PARAMETER_ADOPT, /* is_required= */ false),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ false),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};
static const Parameter recover_rows[] = {
        PARAMETER(choice, PARAMETER_CHOICE, /* is_required= */ false),
        PARAMETER(reason, PARAMETER_REASON, /* is_required= */ false),
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};
static const Parameter state_rows[] = {
        PARAMETER(netns, PARAMETER_INODE, /* is_required= */ true),
};

#define SERVICE_INTERFACE "org.varlink.service"
#define OUR_INTERFACE     "org.twprofile"

/*
 * Everything that can be asked. Who may connect at all is decided by the mode of the socket (root, or the group
 * of a drop-in), so each of them has to be safe in the hands of anyone in that group:
 *
 * GetInfo, GetInterfaceDescription
 *         constant texts of the program.
 * Enable  takes names of installed profiles, never a path, text or value. A name has no slash, so it leads only
 *         into the profile directories, whose files have to be root's and are checked on the open descriptor.
 *         What a profile may set is the closed list of the catalogue, within its ranges and rules; what it may
 *         risk is accepted in the profile, by whoever could write that file. So a caller can choose among states
 *         that root has prepared, and nothing else. `adopt` takes over only keys that those profiles name.
 *         With a window it lasts only once it is confirmed.
 * Confirm needs the token that the helper gave to whoever made the change: 128 random bits. What it commits was
 *         checked by Enable, stands in the journal, and is compared with the live values.
 * Release lets a profile of root's be enabled again that was taken back by itself; it changes no value.
 * Disable takes names that are enabled; restores values that this host had before.
 * Rollback
 *         goes to a state that was committed here before. Its bytes are the stored ones, checked again. Or it
 *         takes the change back that awaits confirmation: to values that this host had before.
 * Recover settles what a dead process left, which every other call does first anyway: it can only lead to the
 *         old or the new state of a change that somebody was allowed to make. `choice` has an effect only where
 *         the journal is damaged, and leads to the newest state that was committed here.
 * ReadState
 *         is what /run/twprofile/status.json shows to everybody: no reasons, no callers, no tokens.
 *
 * What a caller can do is take time: the engine takes one change at a time and waits for its lock at most 20 s,
 * the unit ends every process after 60 s, the socket has 32 places.
 */
static const Method methods[] = {
        { SERVICE_INTERFACE, "GetInfo", handle_get_info, .rows = NULL },
        { SERVICE_INTERFACE, "GetInterfaceDescription", handle_get_description,
          .rows = description_rows, .n_rows = ELEMENTSOF(description_rows) },
        { OUR_INTERFACE, "Enable", handle_request, .is_ours = true, .changes = true,
          .verb = ENGINE_ENABLE, .rows = enable_rows, .n_rows = ELEMENTSOF(enable_rows) },
        { OUR_INTERFACE, "Confirm", handle_request, .is_ours = true, .changes = true,
          .verb = ENGINE_CONFIRM, .rows = confirm_rows, .n_rows = ELEMENTSOF(confirm_rows) },
        { OUR_INTERFACE, "Release", handle_request, .is_ours = true, .changes = true,
          .verb = ENGINE_RELEASE, .rows = release_rows, .n_rows = ELEMENTSOF(release_rows) },
        { OUR_INTERFACE, "Disable", handle_request, .is_ours = true, .changes = true,
          .verb = ENGINE_DISABLE, .rows = disable_rows, .n_rows = ELEMENTSOF(disable_rows) },
        { OUR_INTERFACE, "Rollback", handle_request, .is_ours = true, .changes = true,
          .verb = ENGINE_ROLLBACK, .rows = rollback_rows, .n_rows = ELEMENTSOF(rollback_rows) },
        { OUR_INTERFACE, "Recover", handle_request, .is_ours = true, .changes = true,
          .verb = ENGINE_RECOVER, .rows = recover_rows, .n_rows = ELEMENTSOF(recover_rows) },
        { OUR_INTERFACE, "ReadState", handle_read_state, .is_ours = true, .rows = state_rows,
          .n_rows = ELEMENTSOF(state_rows) },
};

static const struct {
        const char *name, *description;
} interfaces[] = {
        { SERVICE_INTERFACE, varlink_interface_service },
        { OUR_INTERFACE, varlink_interface_twprofile },
};

/* --- handlers ------------------------------------------------------------------------------------------- */

static int answer_or_nomem(json_t *answer, json_t **ret, Error *reterr) {
        if (!answer)
                return error_set(reterr, -ENOMEM, "cannot build the answer");
        *ret = answer;
        return 0;
}

static int handle_get_info(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr) {
        (void) service;
        (void) method;
        (void) p;
        json_t *names = json_array();
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                if (json_array_append_new(names, json_string(interfaces[i].name)) < 0) {
                        json_decref(names);
                        return error_set(reterr, -ENOMEM, "cannot build the answer");
                }
        json_t *info = json_pack(
                        "{s:s, s:s, s:s, s:s, s:o}", "vendor", "twprofile", "product",
                        "twprofile helper", "version", PROJECT_VERSION, "url",
                        "man:twprofile-helper(8)", "interfaces", names);
        return answer_or_nomem(info ? varlink_reply_new(info, false) : NULL, ret, reterr);
}

static int handle_get_description(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr) {
        (void) service;
        (void) method;
        const char *name = p->interface ? p->interface : "";
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++) {
                if (!streq(name, interfaces[i].name))
                        continue;
                json_t *text = json_pack("{s:s}", "description", interfaces[i].description);
                return answer_or_nomem(text ? varlink_reply_new(text, false) : NULL, ret, reterr);
        }
        return answer_or_nomem(answer_interface_not_found(name), ret, reterr);
}

static int handle_request(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr) {
        int r = request_answer(service, method->verb, p, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot finish %s", method->name) : 0;
}

static int handle_read_state(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr) {
        (void) method;
        (void) p;
        cleanup_free char *text = NULL;
        size_t n;
        int r = engine_read_state(service->engine, &text, &n, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot read the state");
        json_t *state = json_loadb(text, n, JSON_REJECT_DUPLICATES, /* error= */ NULL);
        if (!state)
                return error_set(reterr, -EBADMSG, "cannot understand the state");
        json_t *parameters = json_pack("{s:o}", "state", state);
        return answer_or_nomem(
                        parameters ? varlink_reply_new(parameters, false) : NULL, ret, reterr);
}

/* --- judging a call ------------------------------------------------------------------------------------- */

/* The row of "interface.Method"; *ret_known says whether the interface at least is ours. */
static const Method *method_find(const char *full_name, bool *ret_known) {
        *ret_known = false;
        const char *dot = strrchr(full_name, '.');
        if (!dot)
                return NULL;
        size_t n = (size_t) (dot - full_name);
        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                if (strlen(methods[i].interface) != n ||
                    strncmp(methods[i].interface, full_name, n) != 0)
                        continue;
                *ret_known = true;
                if (streq(dot + 1, methods[i].name))
                        return &methods[i];
        }
        return NULL;
}

static json_t *answer_unknown(const char *full_name, bool is_known_interface) {
        const char *dot = strrchr(full_name, '.');
        if (is_known_interface || !dot)
                return answer_method_not_found(full_name);
        cleanup_free char *interface = strndup(full_name, (size_t) (dot - full_name));
        return interface ? answer_interface_not_found(interface) : NULL;
}

/* Counts a denied call in the audit log. That this fails is no reason to serve it, only to say so. */
static void record_denied(Service *service, const char *why) {
        Error error = {};
        int r = engine_record_denied(
                        service->engine, &service->caller->audit, service->via, why, &error);
        if (r < 0) {
                CLEANUP(strbuf_deinit) StrBuf line = { 0 };
                strbuf_addf(&line, "cannot record a denied call (%s): %s", why, error.text);
                service->log(strbuf_text(&line));
        }
}

static const char *refuse_namespace(
                const Service *service, const Parameters *p, DiagList *findings) {
        uint64_t own = service->engine->instance.netns_inode;
        Diag *diag = diag_add(
                        findings, DIAG_OTHER_NAMESPACE, (Span){ 0 },
                        "the caller is in network namespace %llu, this helper is in %llu",
                        (unsigned long long) p->netns, (unsigned long long) own);
        diag_set_help(findings, diag,
                      "run the command in the namespace it is meant for, or name that one with --netns");
        return "other-namespace";
}

static const char *refuse_caller(const Service *service, DiagList *findings) {
        bool is_invisible = service->caller->state == CALLER_INVISIBLE;
        Diag *diag = is_invisible ? diag_add(findings, DIAG_NOT_PERMITTED, (Span){ 0 },
                                             "the caller lives in another process namespace, so the change "
                                             "could not be accounted for")
                                  : diag_add(findings, DIAG_NOT_PERMITTED, (Span){ 0 },
                                             "the process that connected (pid %lld) has ended, so the change "
                                             "could not be accounted for",
                                             (long long) service->caller->audit.pid);
        diag_set_help(findings, diag,
                      is_invisible ? "run the command on the host itself"
                                   : "keep the process that opens the connection until the answer is there");
        return is_invisible ? "caller-invisible" : "caller-gone";
}

/* Adds why the call is refused and gives the word for the audit log, NULL when it may be served. An unfit
 * process records nothing: it must not write. */
static const char *refuse(
                const Service *service, const Method *method, const Parameters *p,
                DiagList *findings) {
        bool is_other_namespace = !service->engine->files_only &&
                                  p->netns != service->engine->instance.netns_inode;
        if (is_other_namespace)
                return refuse_namespace(service, p, findings);
        if (method->changes && !caller_is_alive(service->caller))
                return refuse_caller(service, findings);
        return NULL;
}

static json_t *answer_unfit(const Service *service) {
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        if (!findings)
                return NULL;
        Diag *diag = diag_add(findings, DIAG_NOT_SUPPORTED_HERE, (Span){ 0 }, "%s", service->unfit);
        diag_set_help(findings, diag, "the message stands in the journal of the helper's unit too");
        return answer_refused(findings);
}

/* --- one call ------------------------------------------------------------------------------------------- */

static int serve_ours(
                Service *service, const Method *method, const Parameters *p, json_t **ret,
                Error *reterr) {
        if (service->unfit)
                return answer_or_nomem(answer_unfit(service), ret, reterr);

        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        if (!findings)
                return error_set(reterr, -ENOMEM, "cannot judge the call");
        const char *denied = refuse(service, method, p, findings);
        if (denied) {
                record_denied(service, denied);
                return answer_or_nomem(answer_refused(findings), ret, reterr);
        }

        return method->handler(service, method, p, ret, reterr);
}

/* Gives the answer; NULL when there is none to give (a change that was sent oneway). */
static int serve_call(Service *service, const VarlinkCall *call, json_t **ret, Error *reterr) {
        bool is_known_interface;
        const Method *method = method_find(call->method, &is_known_interface);
        if (!method)
                return answer_or_nomem(
                                answer_unknown(call->method, is_known_interface), ret, reterr);
        if (call->upgrade)
                return answer_or_nomem(answer_method_not_implemented(call->method), ret, reterr);
        if (call->oneway && method->changes) {
                /* Nobody would learn what became of it. The protocol allows no reply, not even this one. */
                if (!service->unfit)
                        record_denied(service, "oneway");
                *ret = NULL;
                return 0;
        }

        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return error_set(reterr, -ENOMEM, "cannot read the parameters");
        Parameters parameters = { 0 };
        const char *bad = NULL;
        int r = parameters_decode(
                        call->parameters, method->rows, method->n_rows, arena, &parameters, &bad);
        if (r < 0)
                return error_set(reterr, r, "cannot read the parameters");
        if (r == PARAMETERS_E_INVALID)
                return answer_or_nomem(answer_invalid_parameter(bad), ret, reterr);

        if (method->is_ours)
                return serve_ours(service, method, &parameters, ret, reterr);
        return method->handler(service, method, &parameters, ret, reterr);
}

/* --- the connection ------------------------------------------------------------------------------------- */

static void send_progress(
                void *userdata, const char *step, size_t done, size_t total, const char *text) {
        Service *service = userdata;
        json_t *message = answer_progress(step, done, total, text);
        /* Progress may be lost: the engine holds its lock now, and nobody waits for a reader then. */
        if (message)
                (void) varlink_connection_queue(service->connection, message);
        json_decref(message);
}

static void log_dropped(const Service *service, const char *what, const char *why) {
        CLEANUP(strbuf_deinit) StrBuf line = { 0 };
        strbuf_addf(&line, "%s, connection of uid %lld (pid %lld) closed: %s", what,
                    (long long) service->caller->audit.uid, (long long) service->caller->audit.pid,
                    why);
        service->log(strbuf_text(&line));
}

/* SIGTERM asks for an end between two calls, not inside one: while a call is served and answered it waits. */
static void sigterm_hold(void) {
        sigset_t set;
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        int r = sigprocmask(SIG_BLOCK, &set, NULL);
        assert(r == 0);
}

/* Whether it came meanwhile. Then it stays held, and the process ends by itself and well: recovery has nothing to
 * do, and does not answer a second time. */
static bool sigterm_release(void) {
        sigset_t set;
        int r = sigpending(&set);
        assert(r == 0);
        if (sigismember(&set, SIGTERM) == 1)
                return true;
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        r = sigprocmask(SIG_UNBLOCK, &set, NULL);
        assert(r == 0);
        return false;
}

/* 1 to go on, 0 to end, <0. */
static int serve_message(Service *service, json_t *message, Error *reterr) {
        VarlinkCall call;
        if (varlink_call_decode(message, &call) < 0) {
                log_dropped(service, "not a Varlink call", "the protocol was broken");
                return 0;
        }

        service->engine->progress = call.more && !call.oneway ? send_progress : NULL;
        service->engine->progress_userdata = service;
        json_t *answer = NULL;
        int r = serve_call(service, &call, &answer, reterr);
        service->engine->progress = NULL;
        if (r < 0)
                return r;
        if (call.oneway || !answer) {
                json_decref(answer);
                return 1;
        }

        /* What was done stands, whether the caller hears of it or not. */
        Error error = {};
        r = varlink_connection_write(service->connection, answer, SERVICE_WRITE_MS, &error);
        json_decref(answer);
        if (r < 0)
                log_dropped(service, "cannot answer", error.text);
        return r < 0 ? 0 : 1;
}

int service_run(Service *service, Error *reterr) {
        for (;;) {
                json_t *message = NULL;
                Error error = {};
                int r = varlink_connection_read(
                                service->connection, SERVICE_IDLE_MS, &message, &error);
                if (r < 0 && r != -ETIMEDOUT)
                        log_dropped(service, "bad input", error.text);
                if (r <= 0)
                        return 0;

                sigterm_hold();
                r = serve_message(service, message, reterr);
                bool is_asked_to_end = sigterm_release();
                json_decref(message);
                if (r <= 0)
                        return r;
                if (is_asked_to_end)
                        return 0;
        }
}

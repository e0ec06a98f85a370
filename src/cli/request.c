/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"

#include "cli/outcome.h"
#include "cli/transport.h"
#include "diag/utf8.h"

#define REASON_MAX 1024U

/* --- options -------------------------------------------------------------------------------------------- */

static bool reason_is_clean(const char *reason) {
        size_t n = strlen(reason);
        for (size_t i = 0; i < n;) {
                uint32_t c = 0;
                size_t taken = utf8_decode(reason + i, n - i, &c);
                if (taken == 0 || utf8_is_hidden(c))
                        return false;
                i += taken;
        }
        return true;
}

int request_check_options(Context *context) {
        const Options *options = &context->options;
        if (options->reason && strlen(options->reason) > REASON_MAX)
                return context_fail_usage(context, "--reason is longer than %u bytes", REASON_MAX);
        if (options->reason && !reason_is_clean(options->reason))
                return context_fail_usage(
                                context,
                                "--reason holds control characters, or is not UTF-8: use one plain line");
        if (options->adopt != 0 && !options->reason)
                return context_fail_usage(
                                context,
                                "--adopt needs --reason=TEXT, which goes into the audit log");
        return 0;
}

static const struct {
        unsigned bit;
        const char *name;
} adopt_names[] = {
        { PLAN_ADOPT_OWNER, "owner" },
        { PLAN_ADOPT_FRAGMENT, "fragment" },
        { PLAN_ADOPT_DRIFT, "drift" },
};

/* -1 when out of memory. */
static int add_adopt(json_t *parameters, unsigned adopt) {
        json_t *names = json_array();
        for (size_t i = 0; i < ELEMENTSOF(adopt_names); i++)
                if ((adopt & adopt_names[i].bit) != 0 &&
                    json_array_append_new(names, json_string(adopt_names[i].name)) < 0) {
                        json_decref(names);
                        return -1;
                }
        return json_object_set_new(parameters, "adopt", names);
}

static int add_options(const Context *context, json_t *parameters) {
        const Options *options = &context->options;
        json_int_t netns = (json_int_t) transport_netns_inode();
        int r = json_object_set_new(parameters, "netns", json_integer(netns));
        if (r == 0 && options->dry_run)
                r = json_object_set_new(parameters, "dry_run", json_true());
        if (r == 0 && options->reason)
                r = json_object_set_new(parameters, "reason", json_string(options->reason));
        if (r == 0 && options->adopt != 0)
                r = add_adopt(parameters, options->adopt);
        return r;
}

json_t *request_args_to_json(const Context *context) {
        json_t *array = json_array();
        for (size_t i = 0; array && i < context->n_args; i++)
                if (json_array_append_new(array, json_string(context->args[i])) < 0) {
                        json_decref(array);
                        return NULL; /* also for a word that is not UTF-8: the caller checks names before */
                }
        return array;
}

/* --- errors --------------------------------------------------------------------------------------------- */

/* The errors of the interface: the row for an answer without a finding that refuses. */
static const struct {
        const char *name;
        DiagId fallback;
        const char *message; /* the parameter that says it */
} error_rows[] = {
        { "org.twprofile.Invalid", DIAG_FOREIGN, NULL },
        { "org.twprofile.Refused", DIAG_NOT_SUPPORTED_HERE, "message" },
        { "org.twprofile.NotFound", DIAG_UNKNOWN_PROFILE, "what" },
        { "org.twprofile.Busy", DIAG_BUSY, NULL },
        { "org.twprofile.Failed", DIAG_APPLY_FAILED, "message" },
};

static const struct {
        const char *state;
        int exit_code;
} failed_states[] = {
        { "old", EXIT_FAILED },
        { "undone", EXIT_UNDONE },
        { "unknown", EXIT_ATTENTION },
};

static const char *text_of(json_t *parameters, const char *name) {
        return name ? json_string_value(json_object_get(parameters, name)) : NULL;
}

static DiagId row_of_code(const char *code, DiagId fallback) {
        const DiagRow *row = code ? diag_row_find(code) : NULL;
        return row ? diag_row_id(row) : fallback;
}

/* "Failed" tells the state beside its findings, and the state decides. */
static int exit_code_of_failure(json_t *parameters, int otherwise) {
        const char *state = text_of(parameters, "state");
        for (size_t i = 0; state && i < ELEMENTSOF(failed_states); i++)
                if (streq(failed_states[i].state, state))
                        return failed_states[i].exit_code;
        return otherwise;
}

/* The helper died behind the commit point and recovery completed the change: done, and the note `redone` says how. */
static bool is_completed(const char *name, json_t *parameters) {
        const char *state = text_of(parameters, "state");
        return streq(name, "org.twprofile.Failed") && state && streq(state, "new");
}

int request_decode_error(Context *context, const char *name, json_t *parameters) {
        json_t *findings = json_object_get(parameters, "findings");
        if (findings && diag_json_decode(findings, context->findings) == -ENOMEM)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(error_rows); i++) {
                if (!streq(error_rows[i].name, name))
                        continue;
                if (is_completed(name, parameters)) {
                        context->changed = true;
                        return EXIT_OK;
                }
                if (diag_list_count_errors(context->findings) == 0) {
                        DiagId id = row_of_code(
                                        text_of(parameters, "code"), error_rows[i].fallback);
                        const char *message = text_of(parameters, error_rows[i].message);
                        (void) context_fail(
                                        context, id, text_of(parameters, "hint"), "%s",
                                        message ? message : diag_row(id)->title);
                }
                int code = diag_list_exit_code(context->findings);
                if (streq(name, "org.twprofile.Failed"))
                        return exit_code_of_failure(parameters, code);
                return code != EXIT_OK ? code : EXIT_FAILED;
        }
        return context_fail(
                        context, DIAG_PROTOCOL, "are program and helper of one version?",
                        "the helper answered with '%s'", name);
}

/* --- the result ----------------------------------------------------------------------------------------- */

static int show(Context *context, const Outcome *outcome) {
        context->changed = outcome->changed;
        if (streq(outcome->outcome, "pending")) {
                context->awaiting_tx = outcome->transaction;
                context->awaiting_deadline_ms = outcome->deadline_ms;
        }
        if (context_is_json(context)) {
                int r = context_take_result(context, outcome_to_json(outcome));
                if (r < 0)
                        return r;
        } else {
                int r = context->options.dry_run ? outcome_render_planned(outcome, context)
                                                 : outcome_render_done(outcome, context);
                if (r < 0)
                        return r;
        }
        return outcome->exit_code;
}

/* A failure may carry what was tried, key by key: shown, and the exit code stays the error's. */
static int take_partial_result(Context *context, json_t *parameters, int exit_code) {
        json_t *result = json_object_get(parameters, "result");
        Outcome outcome;
        if (exit_code < 0 || !result || json_is_null(result))
                return exit_code;
        CLEANUP(diag_list_freep) DiagList *again =
                        diag_list_new(); /* the same findings stand beside it */
        if (!again ||
            outcome_decode(result, context->arena, again, &outcome, &context->error) < 0) {
                error_reset(&context->error);
                return exit_code;
        }
        int r = show(context, &outcome);
        return r < 0 ? r : exit_code;
}

static int decode_reply(Context *context, json_t *message) {
        VarlinkReply reply;
        int r = varlink_reply_decode(message, &reply);
        if (r < 0)
                return error_set(&context->error, r, "the helper's answer is no reply");
        if (reply.error)
                return take_partial_result(
                                context, reply.parameters,
                                request_decode_error(context, reply.error, reply.parameters));
        json_t *result = json_object_get(reply.parameters, "result");
        Outcome outcome;
        r = outcome_decode(result, context->arena, context->findings, &outcome, &context->error);
        return r < 0 ? r : show(context, &outcome);
}

int request_run(Context *context, const char *method, json_t *parameters) {
        if (!parameters || add_options(context, parameters) < 0) {
                json_decref(parameters);
                return error_set(&context->error, -ENOMEM, "cannot make the request");
        }
        json_t *message = NULL;
        int r = transport_call(context, method, parameters, &message);
        if (r != 0)
                return r;
        r = decode_reply(context, message);
        json_decref(message);
        return r;
}

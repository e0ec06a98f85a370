/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/answer.h"

#include "diag/json.h"
#include "helper/result-json.h"
#include "varlink/message.h"

/* --- findings ------------------------------------------------------------------------------------------- */

static bool diag_is_error(const Diag *diag) {
        DiagSeverity severity = diag_row(diag->id)->severity;
        return severity == DIAG_SEVERITY_REFUSE || severity == DIAG_SEVERITY_ACCEPTANCE;
}

/* The first error that leads to `exit_code`, else the first error, else NULL. */
static const Diag *find_cause(const DiagList *findings, int exit_code) {
        const Diag *first = NULL;
        for (size_t i = 0; i < diag_list_count(findings); i++) {
                const Diag *diag = diag_list_get(findings, i);
                if (!diag_is_error(diag))
                        continue;
                if (diag_row(diag->id)->exit_code == exit_code)
                        return diag;
                if (!first)
                        first = diag;
        }
        return first;
}

/* Name and message of the cause; a list without one says so instead of nothing. */
static json_t *cause_name(const Diag *cause) {
        return json_string(diag_row(cause ? cause->id : DIAG_IO_FAILED)->name);
}

static json_t *cause_message(const Diag *cause) {
        return result_json_text(cause ? cause->message : "no reason was given");
}

static json_t *cause_hint(const Diag *cause) {
        return result_json_text(cause ? cause->help : NULL);
}

/* Out of memory while the parameters were built must not become an answer without parameters. */
static json_t *error_with(const char *error, json_t *parameters) {
        return parameters ? varlink_error_new(error, parameters) : NULL;
}

static json_t *reply_with(json_t *parameters, bool continues) {
        return parameters ? varlink_reply_new(parameters, continues) : NULL;
}

/* --- errors of our interface ---------------------------------------------------------------------------- */

static json_t *answer_invalid(const DiagList *findings) {
        return error_with(
                        "org.twprofile.Invalid",
                        json_pack("{s:o}", "findings", diag_json_encode(findings)));
}

static json_t *answer_not_found(const DiagList *findings) {
        const Diag *cause = find_cause(findings, 5);
        return error_with(
                        "org.twprofile.NotFound",
                        json_pack("{s:o, s:o}", "what",
                                  cause && cause->profile ? result_json_text(cause->profile)
                                                          : cause_message(cause),
                                  "findings", diag_json_encode(findings)));
}

static bool is_busy(const Diag *cause) {
        return cause && (cause->id == DIAG_BUSY || cause->id == DIAG_OTHER_UNDECIDED ||
                         cause->id == DIAG_CHANGE_UNDECIDED);
}

static json_t *answer_busy(const EngineResult *result) {
        return error_with(
                        "org.twprofile.Busy",
                        json_pack("{s:o, s:o, s:o}", "transaction",
                                  result_json_text(result->tx ? result->tx : ""), "deadline_ms",
                                  result_json_deadline(result->deadline_ms), "findings",
                                  diag_json_encode(result->findings)));
}

json_t *answer_refused(const DiagList *findings) {
        const Diag *cause = find_cause(findings, 4);
        return error_with(
                        "org.twprofile.Refused",
                        json_pack("{s:o, s:o, s:o, s:o}", "code", cause_name(cause), "message",
                                  cause_message(cause), "hint", cause_hint(cause), "findings",
                                  diag_json_encode(findings)));
}

static const char *state_of_exit_code(int exit_code) {
        return exit_code == 2 ? "old" : exit_code == 6 ? "undone" : "unknown";
}

static json_t *answer_failed(const EngineResult *result) {
        const Diag *cause = find_cause(result->findings, result->exit_code);
        return error_with(
                        "org.twprofile.Failed",
                        json_pack("{s:o, s:o, s:s, s:o, s:o}", "code", cause_name(cause), "message",
                                  cause_message(cause), "state",
                                  state_of_exit_code(result->exit_code), "findings",
                                  diag_json_encode(result->findings), "result",
                                  result_json_encode(result)));
}

json_t *answer_result(const EngineResult *result) {
        const Diag *cause = find_cause(result->findings, 4);
        switch (result->exit_code) {
        case 0:
        case 7:
                return reply_with(
                                json_pack("{s:o}", "result", result_json_encode(result)),
                                /* continues= */ false);
        case 3:
                return answer_invalid(result->findings);
        case 4:
                if (is_busy(cause))
                        return answer_busy(result);
                return answer_refused(result->findings);
        case 5:
                return answer_not_found(result->findings);
        default:
                return answer_failed(result);
        }
}

/* --- after a death -------------------------------------------------------------------------------------- */

static const struct {
        const char *state, *text;
} lost_states[] = {
        { "settled", "nothing was left to settle: it had not begun, or it was complete" },
        { "undone", "the change was taken back, the old state stands" },
        { "new", "the change had been decided and was completed" },
        { "unknown", "recovery could not settle what it left" },
};

static size_t lost_state(const EngineResult *result) {
        if (!result || (result->exit_code != 0 && result->exit_code != 7))
                return 3;
        if (result->generation != result->generation_before)
                return 2;
        return result->tx && result->tx[0] != '\0' ? 1 : 0;
}

json_t *answer_lost(const EngineResult *result, const char *why) {
        size_t state = lost_state(result);
        json_t *message = json_sprintf(
                        "the helper ended before it could answer (%s): %s", why,
                        lost_states[state].text);
        json_t *findings = result ? diag_json_encode(result->findings) : json_array();
        return error_with(
                        "org.twprofile.Failed",
                        json_pack("{s:s, s:o, s:s, s:o, s:o}", "code",
                                  diag_row(state == 3 ? DIAG_STATE_UNKNOWN : DIAG_HELPER_LOST)
                                                  ->name,
                                  "message", message, "state", lost_states[state].state, "findings",
                                  findings, "result",
                                  result ? result_json_encode(result) : json_null()));
}

/* --- the rest ------------------------------------------------------------------------------------------- */

json_t *answer_progress(const char *step, size_t done, size_t total, const char *text) {
        return reply_with(
                        json_pack("{s:{s:o, s:I, s:I, s:o}}", "progress", "step",
                                  result_json_text(step), "done", (json_int_t) done, "total",
                                  (json_int_t) total, "text", result_json_text(text ? text : "")),
                        /* continues= */ true);
}

static json_t *service_error(const char *error, const char *member, const char *value) {
        return error_with(error, json_pack("{s:o}", member, result_json_text(value)));
}

json_t *answer_interface_not_found(const char *interface) {
        return service_error("org.varlink.service.InterfaceNotFound", "interface", interface);
}

json_t *answer_method_not_found(const char *method) {
        return service_error("org.varlink.service.MethodNotFound", "method", method);
}

json_t *answer_method_not_implemented(const char *method) {
        return service_error("org.varlink.service.MethodNotImplemented", "method", method);
}

json_t *answer_invalid_parameter(const char *parameter) {
        return service_error("org.varlink.service.InvalidParameter", "parameter", parameter);
}

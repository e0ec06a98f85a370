/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/context.h"

#include <stdarg.h>
#include <stdio.h>

int context_init(Context *context) {
        *context = (Context){ .program = "twprofile",
                              .options = { .limit = OPTIONS_DEFAULT_LIMIT,
                                           .top = OPTIONS_DEFAULT_TOP } };
        context->arena = arena_new();
        context->findings = diag_list_new();
        return context->arena && context->findings ? 0 : -ENOMEM;
}

void context_deinit(Context *context) {
        if (context->result)
                json_decref(context->result);
        context->result = NULL;
        strbuf_deinit(&context->text);
        context->findings = diag_list_free(context->findings);
        if (context->arena)
                context->arena = arena_free(context->arena);
}

int context_begin_again(Context *context) {
        DiagList *findings = diag_list_new();
        if (!findings)
                return -ENOMEM;
        (void) diag_list_free(context->findings);
        context->findings = findings;
        strbuf_reset(&context->text);
        if (context->result)
                json_decref(context->result);
        context->result = NULL;
        context->bounds_are_told = false;
        error_reset(&context->error);
        return 0;
}

bool context_has_finding(const Context *context, DiagId id) {
        for (size_t i = 0; i < diag_list_count(context->findings); i++)
                if (diag_list_get(context->findings, i)->id == id)
                        return true;
        return false;
}

int context_fail(Context *context, DiagId id, const char *help, const char *format, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;
        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap); /* cut when too long */
        va_end(ap);
        Diag *diag = diag_add(context->findings, id, (Span){}, "%s", text);
        if (help)
                diag_set_help(context->findings, diag, "%s", help);
        return diag_row(id)->exit_code;
}

int context_fail_usage(Context *context, const char *format, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;
        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        (void) diag_add(context->findings, DIAG_USAGE, (Span){}, "%s", text);
        return EXIT_USAGE;
}

DiagId context_row_of_errno(int r) {
        switch (-r) {
        case ENOMEM:
                return DIAG_OUT_OF_MEMORY;
        case EACCES:
        case EPERM:
                return DIAG_NOT_PERMITTED;
        case EBADMSG:
                return DIAG_PROTOCOL;
        default:
                return DIAG_IO_FAILED;
        }
}

int context_take_result(Context *context, json_t *result) {
        if (context->result)
                json_decref(context->result);
        context->result = result;
        return result ? 0 : -ENOMEM;
}

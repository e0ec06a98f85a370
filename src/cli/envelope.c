/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/envelope.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "diag/text.h"

/* The finding that led to the exit code: the first of a row with that code. */
static const Diag *deciding_finding(const DiagList *findings, int exit_code) {
        for (size_t i = 0; i < diag_list_count(findings); i++) {
                const Diag *diag = diag_list_get(findings, i);
                if (diag_row(diag->id)->exit_code == exit_code)
                        return diag;
        }
        return NULL;
}

static json_t *build_error(const Context *context, int exit_code) {
        if (exit_code == EXIT_OK || exit_code == EXIT_DIFFERS)
                return json_null();
        const Diag *diag = deciding_finding(context->findings, exit_code);
        if (!diag) {
                const ExitCodeRow *row = exit_code_find(exit_code);
                const DiagRow *internal = diag_row(DIAG_INTERNAL);
                return json_pack(
                                "{s:s, s:s, s:s, s:n}", "code", internal->code, "name",
                                internal->name, "message", row ? row->meaning : internal->title,
                                "hint");
        }
        const DiagRow *row = diag_row(diag->id);
        /* the array's encoder replaces what is not UTF-8; borrow its texts */
        json_t *findings = diag_json_encode(context->findings);
        json_t *message = NULL, *hint = NULL, *entry = NULL;
        size_t i = 0;
        json_array_foreach(findings, i, entry) if (diag_list_get(context->findings, i) == diag) {
                message = json_incref(json_object_get(entry, "message"));
                hint = json_incref(json_object_get(entry, "help"));
        }
        json_decref(findings);
        return json_pack(
                        "{s:s, s:s, s:o?, s:o?}", "code", row->code, "name", row->name, "message",
                        message, "hint", hint);
}

json_t *envelope_build(const Context *context, int exit_code) {
        json_t *findings = diag_json_encode(context->findings);
        json_t *error = build_error(context, exit_code);
        if (!findings || !error) {
                json_decref(findings);
                json_decref(error);
                return NULL;
        }
        return json_pack(
                        "{s:i, s:s?, s:b, s:i, s:b, s:O?, s:o, s:o}", "schema_version",
                        ENVELOPE_SCHEMA_VERSION, "command",
                        context->command ? context->command->name : NULL, "ok",
                        exit_code == EXIT_OK || exit_code == EXIT_DIFFERS, "exit_code", exit_code,
                        "changed", context->changed, "result", context->result, "findings",
                        findings, "error", error);
}

static int flush_stdout(int exit_code) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return exit_code;
        (void) fprintf(stderr, "twprofile: cannot write to standard output: %s\n", strerror(errno));
        return exit_code == EXIT_OK ? EXIT_FAILED : exit_code;
}

static int print_json(const Context *context, int exit_code) {
        JsonMode mode = context->options.json;
        bool pretty = mode == JSON_MODE_PRETTY ||
                      (mode == JSON_MODE_AUTO && context->out.is_terminal);
        json_t *document = envelope_build(context, exit_code);
        if (!document)
                return envelope_print_out_of_memory(true);
        int r = json_dumpf(document, stdout, pretty ? JSON_INDENT(2) : JSON_COMPACT);
        json_decref(document);
        if (r < 0)
                return flush_stdout(EXIT_FAILED);
        (void) fputc('\n', stdout); /* flush_stdout() looks at the stream */
        return flush_stdout(exit_code);
}

/* Wrong usage is one line, not a diagnostic with its code: the reader is looking at what was typed. */
static void add_usage_errors(const Context *context, StrBuf *out) {
        for (size_t i = 0; i < diag_list_count(context->findings); i++) {
                const Diag *diag = diag_list_get(context->findings, i);
                strbuf_add(out, context->program);
                if (context->command)
                        strbuf_addf(out, " %s", context->command->name);
                strbuf_add(out, ": ");
                diag_text_add_escaped(out, diag->message, strlen(diag->message));
                strbuf_add_char(out, '\n');
        }
}

/* A note that a plan shows as well only repeats itself at every run. These do not: what was left out of the
 * profile, and what else has happened in this very run. */
static bool is_news(const Diag *diag) {
        if (diag_row(diag->id)->severity != DIAG_SEVERITY_NOTE)
                return true;
        static const DiagId news[] = { DIAG_KEY_SKIPPED, DIAG_NOT_ENABLED, DIAG_RECOVERED,
                                       DIAG_REDONE, DIAG_FOREIGN };
        for (size_t i = 0; i < ELEMENTSOF(news); i++)
                if (diag->id == news[i])
                        return true;
        return false;
}

static bool is_no_bound(const Diag *diag) {
        return diag->id != DIAG_BOUND_SATISFIED;
}

static void add_pointer_to_notes(const Context *context, size_t n, int exit_code, StrBuf *out) {
        strbuf_addf(out, n == 1 ? "%zu note: " : "%zu notes: ", n);
        if (exit_code != EXIT_OK && exit_code != EXIT_PARTLY) {
                strbuf_addf(out, "--dry-run shows %s\n", n == 1 ? "it" : "them");
                return;
        }
        strbuf_addf(out, "%s plan", context->program);
        if (context->options.root) {
                strbuf_add(out, " --root=");
                diag_text_add_escaped(out, context->options.root, strlen(context->options.root));
        }
        strbuf_addf(out, " shows %s\n", n == 1 ? "it" : "them");
}

void envelope_render_findings(const Context *context, int exit_code, StrBuf *out) {
        bool brief = context->command && (context->command->flags & COMMAND_BRIEF_NOTES) != 0 &&
                     !context->options.dry_run;
        bool (*shows)(const Diag *diag) = brief                      ? is_news
                                          : context->bounds_are_told ? is_no_bound
                                                                     : NULL;
        diag_text_render(
                        context->findings,
                        &(DiagTextOptions){ .colour = context->err.colour,
                                            .limit = 50,
                                            .shows = shows },
                        out);
        size_t n_hidden = 0;
        for (size_t i = 0; brief && i < diag_list_count(context->findings); i++) {
                const Diag *diag = diag_list_get(context->findings, i);
                bool is_told = context->bounds_are_told && !is_no_bound(diag);
                n_hidden += is_news(diag) || is_told ? 0 : 1;
        }
        if (n_hidden > 0)
                add_pointer_to_notes(context, n_hidden, exit_code, out);
}

static bool outputs_are_one(void) {
        struct stat out, err;
        return fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
               out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

static bool starts_with_long_finding(const char *text) {
        size_t first = strcspn(text, "\n");
        return text[first] == '\n' && text[first + 1] == ' ';
}

static int print_text(const Context *context, int exit_code) {
        size_t n = context->options.quiet ? 0 : context->text.length;
        if (n > 0)
                (void) fwrite(context->text.data, 1, n,
                              stdout); /* flush_stdout() looks at the stream */
        exit_code = flush_stdout(exit_code);

        CLEANUP(strbuf_deinit) StrBuf err = {};
        if (exit_code == EXIT_USAGE)
                add_usage_errors(context, &err);
        else if (!context->options.quiet || diag_list_count_errors(context->findings) > 0)
                envelope_render_findings(context, exit_code, &err);
        if (n > 0 && starts_with_long_finding(strbuf_text(&err)) && outputs_are_one())
                (void) fputc('\n', stderr);
        (void) fputs(strbuf_text(&err), stderr); /* nobody is left to tell */
        return exit_code;
}

int envelope_print(const Context *context, int exit_code) {
        return context_is_json(context) ? print_json(context, exit_code)
                                        : print_text(context, exit_code);
}

int envelope_print_out_of_memory(bool json) {
        const DiagRow *row = diag_row(DIAG_OUT_OF_MEMORY);
        if (!json) {
                (void) fputs("twprofile: out of memory\n", stderr);
                return EXIT_FAILED;
        }
        (void) printf("{\"schema_version\":%d,\"command\":null,\"ok\":false,\"exit_code\":%d,\"changed\":false,"
                      "\"result\":null,\"findings\":[],\"error\":{\"code\":\"%s\",\"name\":\"%s\","
                      "\"message\":\"out of memory\",\"hint\":null}}\n",
                      ENVELOPE_SCHEMA_VERSION, EXIT_FAILED, row->code, row->name);
        return flush_stdout(EXIT_FAILED);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-field.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "cli/lab-field-files.h"
#include "cli/lab-field-text.h"
#include "cli/lab-refusal.h"
#include "config.h"

#define FOLDER   PROJECT_DATADIR "/field"
#define MS_PER_S 1000U

/* On a terminal only; the line is taken away at the end. */
static int show_progress(void *userdata, size_t n_done, size_t n_jobs, uint32_t elapsed_ms) {
        Context *context = userdata;
        if (context->err.is_terminal && !context->options.quiet)
                (void) fprintf(stderr, "\r[%zu/%zu] %.1f s; TIME_WAIT takes 60 s to pass \033[K",
                               n_done, n_jobs, elapsed_ms / 1e3); /* a lost line is no harm */
        return 0;
}

static void hide_progress(const Context *context) {
        if (context->err.is_terminal && !context->options.quiet)
                (void) fputs("\r\033[K", stderr); /* as above */
}

static int order_all(
                Context *context, const FieldFiles *files, FieldReport *report, FieldJobs *jobs) {
        uint64_t seconds = context->options.lab_seconds;
        for (size_t i = 0; i < report->n_cases; i++) {
                FieldCase *one = &report->cases[i];
                const FieldFile *file = lab_field_files_of(files, one);
                for (size_t k = 0; k < one->claim->n_trials; k++) {
                        const FieldOrder order = {
                                .trial = &one->claim->trials[k],
                                .line = one->line,
                                .file = file->settings,
                                .n_file = file->n_settings,
                                .churn_ms = (uint32_t) (seconds ? seconds : LAB_FIELD_SECONDS) *
                                            MS_PER_S,
                        };
                        int r = field_jobs_add(jobs, &order, &one->jobs[k], &context->error);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static void warn(Context *context, const FieldCase *one) {
        if (one->outcome != FIELD_CONTRADICTED)
                return;
        Diag *diag = diag_add(
                        context->findings, DIAG_FIELD_VERDICT_CONTRADICTED, (Span){},
                        "%s: this kernel did not do what the verdict '%s' says", one->claim->name,
                        one->claim->verdict);
        if (one->claim->key)
                diag_set_key(context->findings, diag, one->claim->key);
}

static void judge_all(Context *context, FieldReport *report) {
        for (size_t i = 0; i < report->n_cases; i++) {
                FieldCase *one = &report->cases[i];
                field_case_judge(one);
                warn(context, one);
                for (size_t k = 0; k < one->claim->n_trials; k++)
                        report->user_namespace = report->user_namespace ||
                                                 (one->jobs[k] &&
                                                  field_job_had_user_namespace(one->jobs[k]));
        }
}

static int play(Context *context, const FieldFiles *files, FieldReport *report) {
        CLEANUP(field_jobs_freep) FieldJobs *jobs = field_jobs_new(context->arena);
        if (!jobs)
                return error_set(&context->error, -ENOMEM, "cannot prepare the experiments");
        int r = order_all(context, files, report, jobs);
        if (r < 0)
                return r;
        uint64_t since_ns = lab_now_ns();
        r = field_jobs_run(jobs, show_progress, context, &context->error);
        hide_progress(context);
        if (r < 0)
                return lab_refuse(context, r);
        report->took_ms = (uint32_t) ((lab_now_ns() - since_ns) / 1000000);
        judge_all(context, report);
        r = context_is_json(context) ? context_take_result(context, field_report_to_json(report))
                                     : lab_field_text_render(report, context);
        return r < 0 ? r : context_finish(context);
}

int lab_field_run(Context *context) {
        FieldFiles files;
        int r = lab_field_files_read(context, FOLDER, &files);
        if (r != 0)
                return r;
        struct utsname kernel;
        if (uname(&kernel) < 0)
                return error_set(&context->error, -errno, "cannot ask for the kernel's version");
        FieldReport report = {
                .kernel = kernel.release,
                .n_files = files.n_items,
                .strays = files.strays,
                .n_strays = files.n_strays,
        };
        const char **paths = arena_alloc_array(
                        context->arena, files.n_items + 1, sizeof(const char *));
        if (!paths)
                return error_set(&context->error, -ENOMEM, "cannot prepare the experiments");
        for (size_t i = 0; i < files.n_items; i++)
                paths[i] = files.items[i].path;
        report.files = paths;
        r = lab_field_files_match(context, &files, &report.cases, &report.n_cases);
        return r < 0 ? r : play(context, &files, &report);
}

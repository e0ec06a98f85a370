/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/input.h"
#include "cli/output-file.h"
#include "cli/report-host.h"
#include "cli/sampling.h"
#include "cli/sysstat.h"
#include "cli/verbs.h"
#include "config.h"

#define DEFAULT_WINDOW_S 10U
#define WINDOW_LOOKS     60U                     /* at most so many points of a window */
#define SAME_BOOT_US     (INT64_C(60) * 1000000) /* clocks are set now and then, not by more */

typedef struct Making {
        Context *context;
        const Host *host;
        Report report;
        Snapshot *samples; /* oldest first */
        size_t n_samples;
        ReportPoint *points;
        SnapshotRates rates;
        ReportLab lab;
        ReportArchive archive;
        AdviceInput input;
        Advice advice; /* borrows the input */
} Making;

static void add_point(Making *making, const Snapshot *sample) {
        const SnapshotSockstat *sockstat = &sample->sockstat;
        making->points[making->report.n_points++] = (ReportPoint){
                .time_us = sample->time_us,
                .known = sockstat->known,
                .time_wait = sockstat->time_wait,
        };
}

/* For so many points; there are no more samples than those. */
static int make_room(Making *making, size_t n) {
        Context *context = making->context;
        making->samples = arena_alloc_array(context->arena, n + 1, sizeof(Snapshot));
        making->points = arena_alloc_array(context->arena, n + 1, sizeof(ReportPoint));
        return making->samples && making->points
                               ? 0
                               : error_set(&context->error, -ENOMEM, "cannot keep the samples");
}

/* --- looking --------------------------------------------------------------------------------------------- */

static void show_progress(const Context *context, uint32_t left_s) {
        if (context->err.is_terminal && !context->options.quiet)
                (void) fprintf(stderr, left_s > 0 ? "\rlooking: %" PRIu32 " s \033[K" : "\r\033[K",
                               left_s); /* a lost line is no harm */
}

/* Every socket at both ends of the window, the cheap counts in between. */
static int look_whole(Sampling *sampling, Snapshot *ret) {
        int r = sampling_look_at_counts(sampling, ret);
        if (r == 0)
                r = sampling_look_around(sampling, ret);
        return r < 0 ? r : sampling_look_at_sockets(sampling, ret);
}

static int look(Making *making) {
        Context *context = making->context;
        CLEANUP(sampling_close) Sampling sampling = SAMPLING_EMPTY;
        uint32_t window_s = context->options.interval_s ? context->options.interval_s
                                                        : DEFAULT_WINDOW_S;
        uint32_t step_s = (window_s + WINDOW_LOOKS - 1) / WINDOW_LOOKS;
        int r = sampling_open(&sampling, context);
        if (r == 0)
                r = make_room(making, WINDOW_LOOKS + 1);
        if (r == 0)
                r = look_whole(&sampling, &making->samples[0]);
        if (r < 0)
                return r;
        add_point(making, &making->samples[0]);
        for (uint32_t gone_s = 0; gone_s < window_s && r == 0;) {
                Snapshot counts = {};
                uint32_t wait_s = window_s - gone_s < step_s ? window_s - gone_s : step_s;
                show_progress(context, window_s - gone_s);
                sampling_sleep(wait_s);
                gone_s += wait_s;
                bool is_last = gone_s == window_s;
                r = is_last ? look_whole(&sampling, &counts)
                            : sampling_look_at_counts(&sampling, &counts);
                if (r == 0)
                        add_point(making, &counts);
                making->samples[1] = counts; /* the last one stays */
        }
        show_progress(context, 0);
        making->n_samples = 2;
        return r;
}

/* --- what was recorded ----------------------------------------------------------------------------------- */

static int compare_samples(const void *a, const void *b) {
        const Snapshot *one = a, *other = b;
        return (one->time_us > other->time_us) - (one->time_us < other->time_us);
}

/* What is of another namespace than the latest says nothing beside it. */
static void leave_out_others(Making *making) {
        size_t n = 0, n_all = making->n_samples;
        uint64_t netns = making->samples[n_all - 1].netns;
        for (size_t i = 0; i < n_all; i++)
                if (making->samples[i].netns == netns)
                        making->samples[n++] = making->samples[i];
        making->n_samples = n;
        if (n < n_all)
                (void) context_fail(
                                making->context, DIAG_SAMPLES_APART, NULL,
                                "%zu of %zu recordings are of another network namespace than the latest",
                                n_all - n, n_all);
}

/* What advise --json printed has two samples. */
static int add_recording(Making *making, const char *path) {
        AdviceInput input;
        int r = sampling_load_input(making->context, path, &input);
        if (r != 0)
                return r;
        if (input.before)
                making->samples[making->n_samples++] = *input.before;
        making->samples[making->n_samples++] = *input.now;
        return 0;
}

static int load(Making *making) {
        Context *context = making->context;
        const char *named[] = { context->options.from, context->options.from_later };
        size_t n_named = named[1] ? 2 : 1, n = n_named + context->n_args;
        int r = make_room(making, 2 * n);
        for (size_t i = 0; i < n && r == 0; i++)
                r = add_recording(making, i < n_named ? named[i] : context->args[i - n_named]);
        if (r != 0)
                return r;
        qsort(making->samples, n, sizeof(Snapshot), compare_samples);
        leave_out_others(making);
        for (size_t i = 0; i < making->n_samples; i++)
                add_point(making, &making->samples[i]);
        making->report.is_recorded = true;
        return 0;
}

static int load_lab(Making *making) {
        Context *context = making->context;
        const char *path = context->options.report_lab;
        if (!path)
                return 0;
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = input_read(path, 0, REPORT_LAB_MAX_BYTES, &bytes);
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot read '%s'", path);
        if (r < 0)
                return context_fail(
                                context, DIAG_LAB_UNREADABLE, NULL, "cannot read '%s': %s", path,
                                strerror(-r));
        Error error = {};
        r = report_lab_decode(
                        strbuf_text(&bytes), bytes.length, context->arena, &making->lab, &error);
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot read '%s'", path);
        if (r < 0)
                return context_fail(
                                context, DIAG_LAB_INVALID,
                                "make one with 'twprofile lab --json PROFILE > FILE'",
                                "cannot understand '%s': %s", path, error.text);
        making->report.lab = &making->lab;
        return 0;
}

/* --- this host ------------------------------------------------------------------------------------------- */

/* Whether what this host knows belongs to the samples: they were taken here, or in this boot and namespace, or --root says
 * so. */
static bool knows_host(const Making *making) {
        const Snapshot *sample = making->report.sample;
        if (!making->report.is_recorded || making->host->files_only)
                return true;
        struct timespec real, monotonic;
        if (clock_gettime(CLOCK_REALTIME, &real) < 0 ||
            clock_gettime(CLOCK_MONOTONIC, &monotonic) < 0)
                return false;
        int64_t now_us = (int64_t) real.tv_sec * 1000000,
                up_us = (int64_t) monotonic.tv_sec * 1000000;
        int64_t booted_us = now_us - up_us, other_us = 0, apart_us = 0;
        if (__builtin_sub_overflow(sample->time_us, sample->monotonic_us, &other_us) ||
            __builtin_sub_overflow(booted_us, other_us, &apart_us))
                return false;
        return apart_us < SAME_BOOT_US && apart_us > -SAME_BOOT_US &&
               sample->netns == making->host->instance.netns_inode;
}

static int fail_archive(Making *making, const char *path, int r, const Error *error) {
        Context *context = making->context;
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot read '%s'", path);
        if (context->options.report_archive)
                return context_fail(
                                context, DIAG_ARCHIVE_UNREADABLE, NULL,
                                "cannot take samples from '%s': %s", path, error->text);
        making->report.archive_missing = arena_format(
                        context->arena, "There is %s, but %s.", path, error->text);
        return making->report.archive_missing ? 0 : -ENOMEM;
}

static int add_archive(Making *making, bool is_here) {
        Context *context = making->context;
        const char *path = context->options.report_archive;
        if (!path && is_here) {
                const char *found = NULL;
                int r = sysstat_find(
                                making->host->root_fd, making->report.sample->time_us,
                                context->arena, &found);
                const char *root = context->options.root ? context->options.root : "";
                path = found ? arena_format(context->arena, "%s/%s", root, found) : NULL;
                if (r < 0 || (found && !path))
                        return error_set(&context->error, -ENOMEM, "cannot look for an archive");
        }
        if (!path)
                return 0;
        Error error = {};
        int r = sysstat_read(path, context->arena, &making->archive, &error);
        if (r < 0)
                return fail_archive(making, path, r, &error);
        making->report.archive = &making->archive;
        return 0;
}

/* The time that the curves show: changes are told of it. */
static int add_changes(Making *making) {
        const Report *report = &making->report;
        const ReportArchive *archive = report->archive;
        int64_t first_us = report->points[0].time_us;
        int64_t last_us = report->points[report->n_points - 1].time_us;
        if (archive && archive->n_points > 0) {
                int64_t begin_us = archive->points[0].time_us;
                int64_t end_us = archive->points[archive->n_points - 1].time_us;
                first_us = begin_us < first_us ? begin_us : first_us;
                last_us = end_us > last_us ? end_us : last_us;
        }
        return report_host_add_changes(
                        making->context, making->host, first_us, last_us, &making->report);
}

static int add_host(Making *making) {
        Context *context = making->context;
        bool is_here = knows_host(making);
        if (!is_here) {
                making->report.owners_missing = making->report.changes_missing =
                                "The recordings are not of this boot of this host, so its files and its audit log say nothing about them. "
                                "With --root=DIR the report reads those below DIR.";
        }
        int r = add_archive(making, is_here);
        if (r == 0)
                r = report_host_add_settings(context, making->host, is_here, &making->report);
        return r == 0 && is_here ? add_changes(making) : r;
}

/* -------------------------------------------------------------------------------------------------------- */

static int32_t utc_offset(int64_t time_us) {
        time_t seconds = (time_t) (time_us / 1000000);
        struct tm tm;
        return localtime_r(&seconds, &tm) ? (int32_t) tm.tm_gmtoff : 0;
}

static const char *host_name(const Making *making) {
        char name[HOST_NAME_MAX + 1];
        if (making->report.is_recorded || gethostname(name, sizeof(name)) < 0)
                return NULL;
        name[sizeof(name) - 1] = '\0';
        return arena_copy(making->context->arena, name);
}

/* The latest two samples: what is the matter now. */
static int judge(Making *making) {
        Context *context = making->context;
        size_t n = making->n_samples;
        making->input = (AdviceInput){
                .before = n > 1 ? &making->samples[n - 2] : NULL,
                .now = &making->samples[n - 1],
        };
        int r = advise(&making->input, context->arena, &making->advice);
        if (r < 0)
                return error_set(&context->error, r, "cannot judge the samples");
        making->report.advice = &making->advice;
        return 0;
}

static int collect(Making *making) {
        Context *context = making->context;
        Report *report = &making->report;
        int r = context->options.from ? load(making) : look(making);
        if (r != 0)
                return r;
        const Snapshot *first = &making->samples[0];
        report->sample = &making->samples[making->n_samples - 1];
        report->points = making->points;
        if (making->n_samples > 1 && rates_between(first, report->sample, &making->rates))
                report->rates = &making->rates;
        report->version = PROJECT_VERSION;
        report->host = host_name(making);
        report->utc_offset_s = utc_offset(report->sample->time_us);
        r = judge(making);
        if (r == 0)
                r = load_lab(making);
        return r != 0 ? r : add_host(making);
}

static json_t *to_json(const Making *making, const StrBuf *html) {
        const char *path = making->context->options.report_out;
        const Report *report = &making->report;
        return json_pack(
                        "{s:s?, s:I, s:I, s:I, s:I, s:I, s:s?}", "file", path, "bytes",
                        (json_int_t) html->length, "samples", (json_int_t) report->n_points,
                        "findings", (json_int_t) making->advice.n_findings, "settings",
                        (json_int_t) report->n_settings, "changes", (json_int_t) report->n_changes,
                        "html", path ? NULL : strbuf_text(html));
}

static int deliver(Making *making, const StrBuf *html) {
        Context *context = making->context;
        const char *path = context->options.report_out;
        bool is_stdout = !path || streq(path, "-");
        if (!is_stdout) {
                /* the audit log is for root and the group adm */
                mode_t mode = making->report.n_changes > 0 ? OUTPUT_FILE_PRIVATE
                                                           : OUTPUT_FILE_SHARED;
                int r = output_file_write(
                                path, strbuf_text(html), html->length, mode, &context->error);
                if (r < 0) {
                        Error error = context->error;
                        error_reset(&context->error);
                        return context_fail(
                                        context, DIAG_REPORT_NOT_WRITTEN, NULL, "%s", error.text);
                }
        }
        if (context_is_json(context))
                return context_take_result(context, to_json(making, html));
        if (is_stdout)
                strbuf_add_bytes(&context->text, strbuf_text(html), html->length);
        else
                strbuf_addf(&context->text, "Wrote %s.\n", path);
        return 0;
}

static int report_on(Context *context, const Host *host) {
        Making making = { .context = context, .host = host };
        int r = collect(&making);
        if (r != 0)
                return r;
        CLEANUP(strbuf_deinit) StrBuf html = {};
        report_render(&making.report, &html);
        if (html.failed)
                return error_set(&context->error, -ENOMEM, "cannot write the report");
        r = deliver(&making, &html);
        return r != 0 ? r : context_finish(context);
}

static int check_usage(Context *context) {
        const Options *options = &context->options;
        bool to_stdout = !options->report_out && !context_is_json(context);
        if (context->n_args > 0 && !options->from)
                return context_fail_usage(
                                context, "recordings follow --from: twprofile report --from %s",
                                context->args[0]);
        if (options->from && options->interval_s > 0)
                return context_fail_usage(context, "--from shows what was recorded: no --interval");
        if (options->root && !options->from)
                return context_fail_usage(
                                context,
                                "--root goes with --from: nothing can be sampled below a directory");
        if (options->report_out && streq(options->report_out, "-") && context_is_json(context))
                return context_fail_usage(
                                context, "--json has the report in its result: no --out=-");
        if (to_stdout && context->out.is_terminal)
                return context_fail_usage(
                                context,
                                "a report is HTML: use --out=report.html, or a pipe, or --out=- all the same");
        return 0;
}

static int report_run(Context *context) {
        int r = check_usage(context);
        if (r != 0)
                return r;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        r = host_open(&host, context, &context->error);
        return r < 0 ? r : report_on(context, &host);
}

const Command cmd_report = {
        .name = "report",
        .args = "[FILE…]",
        .help = "Write sockets, settings, changes and lab as HTML",
        .more = "One file that needs nothing else: no script, no network, light and dark, fit for\n"
                "paper. It shows the sockets by state and destination, TIME_WAIT over the window\n"
                "of --interval (default 10 s), the settings and who sets them, what twprofile\n"
                "changed, and the day of sysstat's archive where there is one, with the changes\n"
                "marked. --from FILE… shows what observe --json recorded instead, on this host or\n"
                "on another one. Changes are told to root and the group adm; a file that tells\n"
                "them is for its owner alone.\n",
        .group = COMMAND_GROUP_WATCH,
        .max_args = ARGS_ANY,
        .options = OPT_ROOT | OPT_REPORT | OPT_INTERVAL | OPT_FROM,
        .run = report_run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report.h"

#include <inttypes.h>

#include "insight/report-advice.h"
#include "insight/report-lab.h"
#include "insight/report-settings.h"
#include "insight/report-sockets.h"
#include "insight/report-style.h"
#include "insight/report-window.h"

/* --- what is in sight at once ---------------------------------------------------------------------------- */

static void begin_tile(Html *html, const char *term) {
        html_rawf(html, "<div><dt>%s</dt><dd class=\"v\">", term);
}

static void end_tile(Html *html) {
        html_raw(html, "</dd></div>\n");
}

static void add_time_waits(Html *html, const Snapshot *sample) {
        if (!sample->has_sockets && !sample->sockstat.known)
                return;
        begin_tile(html, "TIME_WAIT");
        html_number(html,
                    sample->has_sockets
                                    ? snapshot_state_total(&sample->sockets, TCP_STATE_TIME_WAIT)
                                    : sample->sockstat.time_wait);
        end_tile(html);
}

static void add_established(Html *html, const Snapshot *sample) {
        if (!sample->has_sockets)
                return;
        begin_tile(html, "ESTABLISHED");
        html_number(html, snapshot_state_total(&sample->sockets, TCP_STATE_ESTABLISHED));
        end_tile(html);
}

static void add_busiest(Html *html, const Snapshot *sample) {
        if (!sample->has_sockets || !sample->has_pool)
                return;
        uint64_t level = 0;
        for (size_t i = 0; i < sample->sockets.n_tuples; i++) {
                uint64_t one = snapshot_use_level(sample, &sample->sockets.tuples[i].use);
                level = one > level ? one : level;
        }
        begin_tile(html, "Ports to the busiest destination");
        html_thousandths(html, level * 100);
        html_raw(html, "&nbsp;%");
        end_tile(html);
}

static void add_rate(Html *html, const Report *report, SnapshotCounterId id, const char *term) {
        if (!report->rates || !report->rates->known[id])
                return;
        begin_tile(html, term);
        html_thousandths(html, report->rates->per_second[id]);
        html_raw(html, "<small> per s</small>");
        end_tile(html);
}

static void add_tiles(Html *html, const Report *report) {
        html_raw(html, "<dl class=\"tiles\">\n");
        add_time_waits(html, report->sample);
        add_established(html, report->sample);
        add_busiest(html, report->sample);
        add_rate(html, report, COUNTER_ACTIVE_OPENS, "Connections opened");
        add_rate(html, report, COUNTER_PASSIVE_OPENS, "Connections accepted");
        html_raw(html, "</dl>\n");
}

/* --- head and foot --------------------------------------------------------------------------------------- */

static void add_head(Html *html, const Report *report) {
        html_raw(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\""
                       " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"color-scheme\" content=\"light dark\">\n"
                       "<meta name=\"generator\" content=\"twprofile ");
        html_text(html, report->version);
        html_raw(html, "\">\n<title>TCP sockets and TIME_WAIT");
        if (report->host) {
                html_raw(html, " of ");
                html_text(html, report->host);
        }
        html_raw(html, "</title>\n<style>\n");
        html_raw(html, report_style());
        html_raw(html, "</style>\n</head>\n");
}

static void add_header(Html *html, const Report *report) {
        const Snapshot *sample = report->sample;
        const KernelVersion *kernel = &sample->settings.kernel;
        html_raw(html, "<header>\n<h1>TCP sockets and TIME_WAIT");
        if (report->host) {
                html_raw(html, " of ");
                html_text(html, report->host);
        }
        html_raw(html, "</h1>\n<p class=\"meta\">");
        html_raw(html, report->is_recorded ? "Recorded " : "Seen ");
        html_time(html, sample->time_us);
        html_raw(html, " ");
        html_zone(html);
        html_rawf(html, ", Linux %" PRIu32 ".%" PRIu32 ".%" PRIu32, kernel->major, kernel->minor,
                  kernel->patch);
        html_raw(html, sample->settings.initial_netns ? ", the host's own network namespace"
                                                      : ", a network namespace beside the host's");
        html_raw(html, "</p>\n");
        add_tiles(html, report);
        html_raw(html, "</header>\n");
}

static void add_footer(Html *html, const Report *report) {
        const SnapshotCost *cost = &report->sample->cost;
        html_raw(html, "<footer>\n<p>Made by twprofile ");
        html_text(html, report->version);
        html_raw(html, ". ");
        if (report->sample->has_sockets) {
                html_raw(html, "Listing ");
                html_number(html, cost->n_sockets);
                html_raw(html, " sockets took ");
                html_thousandths(html, cost->wall_us);
                html_raw(html, "&nbsp;ms, of them ");
                html_thousandths(html, cost->cpu_us);
                html_raw(html, "&nbsp;ms of a processor. ");
        }
        html_raw(html, "This file is whole: it loads nothing and runs nothing.</p>\n</footer>\n");
}

/* --- sections -------------------------------------------------------------------------------------------- */

typedef struct Part {
        const char *id, *title; /* as in the section: for the links above */
        bool (*is_there)(const Report *report);
        void (*add)(Html *html, const Report *report);
} Part;

static bool has_advice(const Report *report) {
        return report->advice != NULL;
}

static bool has_lab(const Report *report) {
        return report->lab != NULL;
}

static bool has_archive(const Report *report) {
        return report->archive || report->archive_missing;
}

static const Part parts[] = {
        { "advice", "Advice", has_advice, report_add_advice },
        { "sockets", "Sockets", NULL, report_add_sockets },
        { "window", "Sampled window", NULL, report_add_window },
        { "day", "Day", has_archive, report_add_archive },
        { "changes", "Changes", NULL, report_add_changes },
        { "settings", "Settings", NULL, report_add_settings },
        { "lab", "Lab", has_lab, report_add_lab },
};

static bool is_there(const Part *part, const Report *report) {
        return !part->is_there || part->is_there(report);
}

static void add_links(Html *html, const Report *report) {
        html_raw(html, "<nav aria-label=\"Sections\"><ul>\n");
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (is_there(&parts[i], report))
                        html_rawf(html, "<li><a href=\"#%s\">%s</a></li>\n", parts[i].id,
                                  parts[i].title);
        html_raw(html, "</ul></nav>\n");
}

void report_render(const Report *report, StrBuf *out) {
        Html html = { .out = out, .utc_offset_s = report->utc_offset_s };
        assert(report->n_points > 0);
        add_head(&html, report);
        html_raw(&html, "<body>\n");
        add_header(&html, report);
        add_links(&html, report);
        html_raw(&html, "<main>\n");
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (is_there(&parts[i], report))
                        parts[i].add(&html, report);
        html_raw(&html, "</main>\n");
        add_footer(&html, report);
        html_raw(&html, "</body>\n</html>\n");
}

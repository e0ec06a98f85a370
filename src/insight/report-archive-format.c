/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-archive-format.h"

#include <jansson.h>
#include <time.h>

#include "record/strict-json.h"

#define US_PER_S INT64_C(1000000)

static const char *text_of(json_t *object, const char *name) {
        const char *text = json_string_value(json_object_get(object, name));
        return text ? text : "";
}

/* {"date": "2026-11-20", "time": "12:10:01", "utc": 1, …}. sadf writes UTC unless it is told otherwise, and says so. */
static int time_of(json_t *stamp, int64_t *ret_us, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_addf(&text, "%s %s", text_of(stamp, "date"), text_of(stamp, "time"));
        if (text.failed)
                return error_set(reterr, -ENOMEM, "cannot read a time");
        struct tm tm = {};
        const char *end = strptime(strbuf_text(&text), "%Y-%m-%d %H:%M:%S", &tm);
        if (!end || *end != '\0' || tm.tm_year < 70 || tm.tm_year > 8000)
                return error_set(reterr, -EBADMSG, "a sample without a time");
        if (json_integer_value(json_object_get(stamp, "utc")) != 1)
                return error_set(reterr, -EBADMSG, "times are not in UTC");
        *ret_us = timegm(&tm) * US_PER_S;
        return 0;
}

typedef struct Reader {
        ReportArchivePoint *points;
        size_t n;
        json_t *restarts;
} Reader;

/* Whether the kernel was started in between: "restarts": [{"boot": {date, time, utc}}]. */
static bool is_restarted(const Reader *reader, int64_t after_us, int64_t until_us) {
        for (size_t i = 0; i < json_array_size(reader->restarts); i++) {
                int64_t us = 0;
                Error ignored = {}; /* a restart without a time interrupts no line */
                json_t *boot = json_object_get(json_array_get(reader->restarts, i), "boot");
                if (time_of(boot, &us, &ignored) == 0 && us > after_us && us <= until_us)
                        return true;
        }
        return false;
}

/* A sample without the column is passed over: the kernel had none, or it was not asked for. */
static int read_sample(Reader *reader, json_t *sample, Error *reterr) {
        json_t *sock = json_object_get(json_object_get(sample, "network"), "net-sock");
        json_t *count = json_object_get(sock, "tcp-tw");
        if (!count)
                return 0;
        ReportArchivePoint point = {};
        if (!json_is_integer(count) || json_integer_value(count) < 0)
                return error_set(reterr, -EBADMSG, "a sample's tcp-tw is no count");
        point.time_wait = (uint64_t) json_integer_value(count);
        int r = time_of(json_object_get(sample, "timestamp"), &point.time_us, reterr);
        if (r < 0)
                return r;
        if (reader->n > 0) {
                int64_t before_us = reader->points[reader->n - 1].time_us;
                if (point.time_us < before_us)
                        return 0; /* the clock was set back: nobody knows where it belongs */
                point.is_after_restart = is_restarted(reader, before_us, point.time_us);
        }
        reader->points[reader->n++] = point;
        return 0;
}

static json_t *host_of(json_t *document) {
        json_t *hosts = json_object_get(json_object_get(document, "sysstat"), "hosts");
        return json_array_get(hosts, 0);
}

int report_archive_decode(
                const char *bytes, size_t n, Arena *arena, ReportArchive *ret, Error *reterr) {
        json_auto_t *document = NULL;
        int r = strict_json_parse(bytes, n, REPORT_ARCHIVE_MAX_BYTES, &document, reterr);
        if (r < 0)
                return r;
        json_t *host = host_of(document), *samples = json_object_get(host, "statistics");
        size_t n_samples = json_array_size(samples);
        if (!json_is_array(samples))
                return error_set(reterr, -EBADMSG, "no statistics of a host");
        if (n_samples > REPORT_ARCHIVE_MAX_POINTS)
                return error_set(
                                reterr, -EBADMSG, "more than %u samples",
                                REPORT_ARCHIVE_MAX_POINTS);
        Reader reader = {
                .points = arena_alloc_array(arena, n_samples + 1, sizeof(ReportArchivePoint)),
                .restarts = json_object_get(host, "restarts"),
        };
        if (!reader.points)
                return error_set(reterr, -ENOMEM, "cannot keep the samples");
        for (size_t i = 0; i < n_samples; i++) {
                r = read_sample(&reader, json_array_get(samples, i), reterr);
                if (r < 0)
                        return r;
        }
        *ret = (ReportArchive){ .points = reader.points, .n_points = reader.n };
        return 0;
}

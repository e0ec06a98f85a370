/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-lab-format.h"

#include "record/strict-json.h"

#define MOST_PER_SECOND 1e12
#define MOST_US         1e12

typedef struct Reader {
        Arena *arena;
        Error *reterr;
} Reader;

static int fail(const Reader *reader, const char *name) {
        return error_set(
                        reader->reterr, -EBADMSG, "member '%s' is missing or not of its kind",
                        name);
}

/* --- members --------------------------------------------------------------------------------------------- */

static int read_text(const Reader *reader, json_t *object, const char *name, const char **ret) {
        json_t *value = json_object_get(object, name);
        if (!json_is_string(value) || json_string_length(value) > REPORT_LAB_MAX_TEXT)
                return fail(reader, name);
        *ret = arena_copy(reader->arena, json_string_value(value));
        return *ret ? 0 : error_set(reader->reterr, -ENOMEM, "cannot keep the lab's texts");
}

static int read_count(const Reader *reader, json_t *object, const char *name, uint64_t *ret) {
        json_t *value = json_object_get(object, name);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return fail(reader, name);
        *ret = (uint64_t) json_integer_value(value);
        return 0;
}

/* A number times 1000, as long as it is one that a lab can have measured. */
static int read_thousandths(
                const Reader *reader, json_t *object, const char *name, double most,
                uint64_t *ret) {
        json_t *value = json_object_get(object, name);
        double number = json_number_value(value);
        if (!json_is_number(value) || !(number >= 0 && number <= most))
                return fail(reader, name);
        *ret = (uint64_t) (number * 1000);
        return 0;
}

static int read_array(
                const Reader *reader, json_t *object, const char *name, size_t most, json_t **ret) {
        json_t *value = json_object_get(object, name);
        if (!json_is_array(value) || json_array_size(value) > most)
                return fail(reader, name);
        *ret = value;
        return 0;
}

static int keep(const Reader *reader, size_t n, size_t size, void **ret) {
        *ret = arena_alloc_array(reader->arena, n + 1, size);
        return *ret ? 0 : error_set(reader->reterr, -ENOMEM, "cannot keep the lab's results");
}

/* --- a run ----------------------------------------------------------------------------------------------- */

static int read_failures(const Reader *reader, json_t *object, ReportLabRun *run) {
        json_t *array = NULL;
        uint64_t most = 0;
        int r = read_array(reader, object, "failures", LAB_ERRORS_MAX, &array);
        for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
                json_t *failure = json_array_get(array, i);
                const char *error = NULL;
                uint64_t count = 0;
                r = read_text(reader, failure, "error", &error);
                if (r == 0)
                        r = read_count(reader, failure, "count", &count);
                if (r == 0 && count > UINT32_MAX)
                        r = fail(reader, "count");
                run->failures += count;
                if (r == 0 && count > most) {
                        most = count;
                        run->failure = error;
                }
        }
        return r;
}

static int read_points(const Reader *reader, json_t *object, ReportLabRun *run) {
        json_t *array = NULL;
        void *points = NULL;
        int r = read_array(reader, object, "curve", REPORT_LAB_MAX_POINTS, &array);
        size_t n = json_array_size(array);
        if (r == 0)
                r = keep(reader, n, sizeof(ReportLabPoint), &points);
        ReportLabPoint *to = points;
        for (size_t i = 0; r == 0 && i < n; i++) {
                json_t *point = json_array_get(array, i);
                uint64_t ms = 0, client = 0, server = 0;
                r = read_count(reader, point, "ms", &ms);
                if (r == 0)
                        r = read_count(reader, point, "client", &client);
                if (r == 0)
                        r = read_count(reader, point, "server", &server);
                if (r == 0 && (ms > INT32_MAX || (i > 0 && ms < to[i - 1].ms)))
                        r = fail(reader, "ms");
                if (r == 0)
                        to[i] = (ReportLabPoint){ (uint32_t) ms, client + server };
        }
        run->points = to;
        run->n_points = n;
        return r;
}

static int read_peak(const Reader *reader, json_t *object, ReportLabRun *run) {
        json_t *peak = json_object_get(object, "time_wait_peak");
        uint64_t client = 0, server = 0;
        int r = read_count(reader, peak, "client", &client);
        if (r == 0)
                r = read_count(reader, peak, "server", &server);
        run->peak = client > server ? client : server;
        return r;
}

/* Both sides'. A kernel may lack a counter: it counts as none. */
static uint64_t counter_of(json_t *object, LabCounterId id) {
        json_t *counters = json_object_get(object, "counters");
        const char *name = lab_counter_name(id);
        json_int_t client = json_integer_value(
                        json_object_get(json_object_get(counters, "client"), name));
        json_int_t server = json_integer_value(
                        json_object_get(json_object_get(counters, "server"), name));
        return (client > 0 ? (uint64_t) client : 0) + (server > 0 ? (uint64_t) server : 0);
}

static int read_connect(const Reader *reader, json_t *object, ReportLabRun *run) {
        json_t *connect = json_object_get(object, "connect_us");
        if (json_is_null(connect))
                return 0;
        run->has_connect = true;
        int r = read_thousandths(reader, connect, "mean", MOST_US, &run->connect_mean_ns);
        return r < 0 ? r : read_thousandths(reader, connect, "p99", MOST_US, &run->connect_p99_ns);
}

static int read_run(const Reader *reader, json_t *object, ReportLabRun *run) {
        int r = read_text(reader, object, "settings", &run->settings);
        if (r == 0)
                r = read_count(reader, object, "connections", &run->connections);
        if (r == 0)
                r = read_thousandths(
                                reader, object, "connections_per_second", MOST_PER_SECOND,
                                &run->per_second);
        if (r == 0)
                r = read_failures(reader, object, run);
        if (r == 0)
                r = read_peak(reader, object, run);
        if (r == 0)
                r = read_connect(reader, object, run);
        if (r == 0)
                r = read_points(reader, object, run);
        run->resets = counter_of(object, LAB_OUT_RSTS);
        run->reused = counter_of(object, LAB_TW_RECYCLED);
        return r;
}

/* --- scenarios ------------------------------------------------------------------------------------------- */

static int read_step(const Reader *reader, json_t *object, ReportLabStep *step) {
        json_t *runs = NULL;
        int r = read_text(reader, object, "name", &step->name);
        if (r == 0)
                r = read_array(reader, object, "runs", LAB_SETS_MAX, &runs);
        for (size_t i = 0; r == 0 && i < json_array_size(runs); i++) {
                r = read_run(reader, json_array_get(runs, i), &step->runs[i]);
                step->n_runs++;
        }
        return r;
}

static int read_scenario(const Reader *reader, json_t *object, ReportLabScenario *scenario) {
        json_t *array = NULL;
        void *steps = NULL;
        int r = read_text(reader, object, "name", &scenario->name);
        if (r == 0)
                r = read_text(reader, object, "title", &scenario->title);
        if (r == 0)
                r = read_text(reader, object, "shows", &scenario->shows);
        if (r == 0)
                r = read_array(reader, object, "steps", REPORT_LAB_MAX_STEPS, &array);
        size_t n = json_array_size(array);
        if (r == 0)
                r = keep(reader, n, sizeof(ReportLabStep), &steps);
        ReportLabStep *to = steps;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_step(reader, json_array_get(array, i), &to[i]);
        scenario->steps = to;
        scenario->n_steps = n;
        return r;
}

static int read_scenarios(const Reader *reader, json_t *object, ReportLab *lab) {
        json_t *array = NULL;
        void *scenarios = NULL;
        int r = read_array(reader, object, "scenarios", REPORT_LAB_MAX_SCENARIOS, &array);
        size_t n = json_array_size(array);
        if (r == 0)
                r = keep(reader, n, sizeof(ReportLabScenario), &scenarios);
        ReportLabScenario *to = scenarios;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_scenario(reader, json_array_get(array, i), &to[i]);
        lab->scenarios = to;
        lab->n_scenarios = n;
        return r;
}

static int read_change(const Reader *reader, json_t *object, ReportLabChange *change) {
        int r = read_text(reader, object, "key", &change->key);
        if (r == 0 && !json_is_null(json_object_get(object, "present")))
                r = read_text(reader, object, "present", &change->present);
        if (r == 0)
                r = read_text(reader, object, "wanted", &change->wanted);
        if (r == 0)
                r = read_text(reader, object, "lab", &change->state);
        return r;
}

static int read_changes(const Reader *reader, json_t *object, ReportLab *lab) {
        json_t *array = NULL;
        void *changes = NULL;
        int r = read_array(reader, object, "changes", REPORT_LAB_MAX_TEXT, &array);
        size_t n = json_array_size(array);
        if (r == 0)
                r = keep(reader, n, sizeof(ReportLabChange), &changes);
        ReportLabChange *to = changes;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = read_change(reader, json_array_get(array, i), &to[i]);
        lab->changes = to;
        lab->n_changes = n;
        return r;
}

int report_lab_decode(const char *bytes, size_t n, Arena *arena, ReportLab *ret, Error *reterr) {
        json_auto_t *document = NULL;
        const StrictLimits limits = { .bytes = REPORT_LAB_MAX_BYTES,
                                      .depth = REPORT_LAB_MAX_DEPTH };
        int r = strict_json_parse_within(bytes, n, &limits, &document, reterr);
        if (r < 0)
                return r;
        json_t *result = json_object_get(document, "result");
        result = result ? result : document;
        const Reader reader = { arena, reterr };
        ReportLab lab = {};
        r = read_text(&reader, result, "kernel", &lab.kernel);
        if (r == 0)
                r = read_changes(&reader, result, &lab);
        if (r == 0)
                r = read_scenarios(&reader, result, &lab);
        if (r == 0)
                *ret = lab;
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-jobs.h"

#include "base/strbuf.h"
#include "insight/field-flood.h"
#include "insight/lab-run.h"

#define JOBS_MAX     96U
#define RESERVED_KEY "net.ipv4.ip_local_reserved_ports"
#define PORTS        65536U

struct FieldJob {
        FieldKind kind;
        bool alone, is_done;
        const LabLoad *load; /* of the table */
        uint64_t max_connections;
        uint32_t duration_ms;
        const uint32_t *wanted;
        LabSetting settings[FIELD_SETTINGS_MAX];
        size_t n_settings;
        const LabSetting *late;
        size_t n_late;
        LabStage *stage;
};

struct FieldJobs {
        Arena *arena;
        FieldJob *items[JOBS_MAX];
        size_t n_items, n_done;
        const char *thin; /* made when it is asked for */
        FieldWatch watch;
        void *userdata;
        uint64_t since_ns;
};

FieldJobs *field_jobs_new(Arena *arena) {
        FieldJobs *jobs = calloc(1, sizeof(*jobs));
        if (jobs)
                jobs->arena = arena;
        return jobs;
}

FieldJobs *field_jobs_free(FieldJobs *jobs) {
        for (size_t i = 0; jobs && i < jobs->n_items; i++)
                jobs->items[i]->stage = lab_stage_free(jobs->items[i]->stage);
        free(jobs);
        return NULL;
}

/* --- settings ------------------------------------------------------------------------------------------- */

/* "0-127,129-383,…": one write takes a page at most (proc_do_large_bitmap() in kernel/sysctl.c), this is 3 KiB. */
static const char *thin_ports(FieldJobs *jobs) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (unsigned port = FIELD_THIN / 2, low = 0; low < PORTS; port += FIELD_THIN) {
                unsigned high = port < PORTS ? port - 1 : PORTS - 1;
                strbuf_addf(&text, "%s%u-%u", low > 0 ? "," : "", low, high);
                low = port + 1;
        }
        if (!jobs->thin && !text.failed)
                jobs->thin = arena_copy(jobs->arena, strbuf_text(&text));
        return jobs->thin;
}

/* The later one wins. */
static int set(FieldJob *job, const LabSetting *setting, Error *reterr) {
        assert(setting->spec);
        for (size_t i = 0; i < job->n_settings; i++)
                if (job->settings[i].spec == setting->spec) {
                        job->settings[i] = *setting;
                        return 0;
                }
        if (job->n_settings == FIELD_SETTINGS_MAX)
                return error_set(
                                reterr, -E2BIG, "cannot try more than %u settings at once",
                                FIELD_SETTINGS_MAX);
        job->settings[job->n_settings++] = *setting;
        return 0;
}

static int set_all(FieldJobs *jobs, const FieldOrder *order, FieldJob *job, Error *reterr) {
        const FieldTrial *trial = order->trial;
        int r = 0;
        if (trial->thin) {
                const LabSetting thin = { catalogue_find(RESERVED_KEY), thin_ports(jobs) };
                r = thin.text ? set(job, &thin, reterr)
                              : error_set(reterr, -ENOMEM, "cannot thin the ports");
        }
        for (size_t i = 0; r == 0 && i < FIELD_PRESETS_MAX && trial->presets[i].key; i++) {
                const LabSetting preset = { catalogue_find(trial->presets[i].key),
                                            trial->presets[i].text };
                r = set(job, &preset, reterr);
        }
        if (r == 0 && trial->with == FIELD_WITH_LINE && order->line)
                r = set(job, order->line, reterr);
        for (size_t i = 0; r == 0 && trial->with == FIELD_WITH_FILE && i < order->n_file; i++)
                r = set(job, &order->file[i], reterr);
        return r;
}

/* --- jobs ----------------------------------------------------------------------------------------------- */

static uint64_t beyond(const LabSetting *line) {
        char *end = NULL;
        unsigned long long value = line ? strtoull(line->text, &end, 10) : 0;
        return FIELD_BEYOND + (value > UINT32_MAX ? UINT32_MAX : value);
}

static void take_load(const FieldOrder *order, FieldJob *job) {
        const LabLoad *load = order->trial->load;
        job->load = load;
        job->duration_ms = load->duration_ms != 0 ? load->duration_ms : order->churn_ms;
        job->max_connections = order->trial->beyond ? beyond(order->line) : load->max_connections;
}

static bool is_same_setting(const LabSetting *a, const LabSetting *b) {
        return a->spec == b->spec && streq(a->text, b->text);
}

static bool is_same(const FieldJob *a, const FieldJob *b) {
        if (a->kind != b->kind || a->n_settings != b->n_settings || a->wanted != b->wanted ||
            a->n_late != b->n_late || a->load != b->load ||
            a->max_connections != b->max_connections || a->duration_ms != b->duration_ms)
                return false;
        for (size_t i = 0; i < a->n_settings; i++)
                if (!is_same_setting(&a->settings[i], &b->settings[i]))
                        return false;
        for (size_t i = 0; i < a->n_late; i++)
                if (!is_same_setting(&a->late[i], &b->late[i]))
                        return false;
        return true;
}

static int make(FieldJobs *jobs, const FieldOrder *order, FieldJob *ret, Error *reterr) {
        const FieldTrial *trial = order->trial;
        ret->kind = trial->kind;
        ret->alone = trial->alone;
        ret->wanted = trial->wanted;
        if (trial->kind == FIELD_CHURN)
                take_load(order, ret);
        if (trial->with == FIELD_WITH_LATE && order->n_file > FIELD_SETTINGS_MAX)
                return error_set(
                                reterr, -E2BIG, "cannot try more than %u settings at once",
                                FIELD_SETTINGS_MAX);
        if (trial->with == FIELD_WITH_LATE) {
                ret->late = order->file;
                ret->n_late = order->n_file;
        }
        return set_all(jobs, order, ret, reterr);
}

int field_jobs_add(FieldJobs *jobs, const FieldOrder *order, const FieldJob **ret, Error *reterr) {
        *ret = NULL;
        if (order->trial->kind == FIELD_RECORDED)
                return 0;
        FieldJob *job = arena_alloc(jobs->arena, sizeof(*job));
        if (!job)
                return error_set(reterr, -ENOMEM, "cannot prepare the experiments");
        int r = make(jobs, order, job, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < jobs->n_items; i++)
                if (is_same(jobs->items[i], job)) {
                        *ret = jobs->items[i];
                        return 0;
                }
        if (jobs->n_items == JOBS_MAX)
                return error_set(reterr, -E2BIG, "cannot make more than %u experiments", JOBS_MAX);
        jobs->items[jobs->n_items++] = job;
        *ret = job;
        return 0;
}

/* --- running -------------------------------------------------------------------------------------------- */

static int start(FieldJob *job, Error *reterr) {
        switch (job->kind) {
        case FIELD_CHURN: {
                LabLoad load = *job->load;
                load.max_connections = job->max_connections;
                load.duration_ms = job->duration_ms;
                LabRunRequest request = { &load, job->settings, job->n_settings };
                return lab_run_start(&request, &job->stage, reterr);
        }
        case FIELD_LIFE: {
                FieldLifeRequest request = { job->settings, job->n_settings, /* limit_ms= */ 0 };
                return field_life_start(&request, &job->stage, reterr);
        }
        case FIELD_FLOOD: {
                FieldFloodRequest request = { job->settings, job->n_settings };
                return field_flood_start(&request, &job->stage, reterr);
        }
        case FIELD_SCENE: {
                FieldSceneRequest request = {
                        .settings = job->settings,
                        .n_settings = job->n_settings,
                        .late = job->late,
                        .n_late = job->n_late,
                };
                memcpy(request.wanted, job->wanted, sizeof(request.wanted));
                return field_scene_start(&request, &job->stage, reterr);
        }
        case FIELD_RECORDED:
                break;
        }
        assert(false); /* such a job is never added */
        return -EINVAL;
}

static int watch_one(void *userdata, uint32_t elapsed_ms) {
        (void) elapsed_ms; /* of the one; all of them are what is waited for */
        const FieldJobs *jobs = userdata;
        uint32_t since_ms = (uint32_t) ((lab_now_ns() - jobs->since_ns) / 1000000);
        return jobs->watch ? jobs->watch(jobs->userdata, jobs->n_done, jobs->n_items, since_ms) : 0;
}

static int finish(FieldJobs *jobs, FieldJob *job, Error *reterr) {
        int r = lab_stage_wait(job->stage, watch_one, jobs, reterr);
        job->is_done = r == 0;
        jobs->n_done += r == 0;
        return r;
}

int field_jobs_run(FieldJobs *jobs, FieldWatch watch, void *userdata, Error *reterr) {
        int r = 0;
        jobs->watch = watch;
        jobs->userdata = userdata;
        jobs->since_ns = lab_now_ns();
        for (size_t i = 0; r == 0 && i < jobs->n_items; i++)
                if (!jobs->items[i]->alone)
                        r = start(jobs->items[i], reterr);
        for (size_t i = 0; r == 0 && i < jobs->n_items; i++)
                if (jobs->items[i]->alone) {
                        r = start(jobs->items[i], reterr);
                        if (r == 0)
                                r = finish(jobs, jobs->items[i], reterr);
                }
        for (size_t i = 0; r == 0 && i < jobs->n_items; i++)
                if (!jobs->items[i]->alone)
                        r = finish(jobs, jobs->items[i], reterr);
        return r;
}

/* --- results -------------------------------------------------------------------------------------------- */

FieldResult field_job_result(const FieldJob *job) {
        return (FieldResult){ job->kind, job->is_done ? lab_stage_result(job->stage) : NULL };
}

size_t field_job_setting_count(const FieldJob *job) {
        return job->n_settings;
}

static const LabSettingState *states_of(const FieldResult *result) {
        switch (result->kind) {
        case FIELD_CHURN:
                return ((const LabRunResult *) result->data)->states;
        case FIELD_LIFE:
                return ((const FieldLife *) result->data)->states;
        case FIELD_FLOOD:
                return ((const FieldFlood *) result->data)->states;
        case FIELD_SCENE:
                return ((const FieldScene *) result->data)->states;
        case FIELD_RECORDED:
                break;
        }
        assert(false); /* such a job is never added */
        return NULL;
}

const LabSetting *field_job_setting(const FieldJob *job, size_t i, LabSettingState *ret_state) {
        assert(i < job->n_settings && job->is_done);
        const FieldResult result = field_job_result(job);
        *ret_state = states_of(&result)[i];
        return &job->settings[i];
}

bool field_job_had_user_namespace(const FieldJob *job) {
        assert(job->is_done);
        const void *data = lab_stage_result(job->stage);
        switch (job->kind) {
        case FIELD_CHURN:
                return ((const LabRunResult *) data)->user_namespace;
        case FIELD_LIFE:
                return ((const FieldLife *) data)->user_namespace;
        case FIELD_FLOOD:
                return ((const FieldFlood *) data)->user_namespace;
        case FIELD_SCENE:
                return ((const FieldScene *) data)->user_namespace;
        case FIELD_RECORDED:
                break;
        }
        return false;
}

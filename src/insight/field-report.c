/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/field-report.h"

#include <math.h>

/* --- judging -------------------------------------------------------------------------------------------- */

/* The last one of "1024 65000". NAN when there is none. */
static double last_number(const char *text) {
        double value = NAN;
        while (*text != '\0') {
                char *end = NULL;
                double number = strtod(text, &end);
                if (end == text)
                        return NAN;
                value = number;
                text = end + strspn(end, " \t");
        }
        return value;
}

/* What became of the line in the trials that have it. */
static LabSettingState line_state(const FieldCase *one) {
        for (size_t i = 0; one->line && i < one->claim->n_trials; i++) {
                if (one->claim->trials[i].with != FIELD_WITH_LINE || !one->jobs[i])
                        continue;
                for (size_t k = 0; k < field_job_setting_count(one->jobs[i]); k++) {
                        LabSettingState state;
                        if (field_job_setting(one->jobs[i], k, &state)->spec == one->line->spec)
                                return state;
                }
        }
        return LAB_SETTING_WRITTEN;
}

void field_case_judge(FieldCase *one) {
        const FieldClaim *claim = one->claim;
        one->measured = (FieldMeasured){
                .claim = claim,
                .value = one->line ? last_number(one->line->text) : NAN,
        };
        LabSettingState state = line_state(one);
        for (size_t i = 0; i < claim->n_trials; i++)
                if (one->jobs[i] &&
                    (state == LAB_SETTING_WRITTEN || claim->trials[i].with != FIELD_WITH_LINE))
                        one->measured.results[i] = field_job_result(one->jobs[i]);
        if (state == LAB_SETTING_WRITTEN)
                one->outcome = claim->judge(&one->measured);
        else
                one->outcome = state == LAB_SETTING_ABSENT ? FIELD_ABSENT : FIELD_REFUSED;
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

/* Appends, taking the reference over; -1 also for NULL. */
static int append(json_t *array, json_t *value) {
        return json_array_append_new(array, value);
}

static json_t *finish(json_t *array, int r) {
        if (r == 0)
                return array;
        json_decref(array);
        return NULL;
}

static json_t *places_to_json(const FieldCase *one) {
        json_t *array = json_array();
        int r = array ? 0 : -1;
        for (size_t i = 0; r == 0 && i < one->n_places; i++)
                r = append(array,
                           json_pack("{s:s, s:o?}", "file", one->places[i].file, "line",
                                     one->places[i].line > 0 ? json_integer(one->places[i].line)
                                                             : json_null()));
        return finish(array, r);
}

static json_t *settings_to_json(const FieldJob *job) {
        json_t *array = json_array();
        int r = array ? 0 : -1;
        for (size_t i = 0; r == 0 && job && i < field_job_setting_count(job); i++) {
                LabSettingState state;
                const LabSetting *setting = field_job_setting(job, i, &state);
                r = append(array, json_pack("{s:s, s:s, s:s}", "key", setting->spec->key, "value",
                                            setting->text, "lab", lab_setting_state_name(state)));
        }
        return finish(array, r);
}

static json_t *number_to_json(double value) {
        if (isnan(value))
                return json_null();
        return field_metric_is_whole(value) ? json_integer((json_int_t) value) : json_real(value);
}

static json_t *measures_to_json(const FieldCase *one, size_t trial) {
        json_t *object = json_object();
        for (size_t i = 0; object && i < one->claim->n_metrics; i++) {
                FieldMetricId id = one->claim->metrics[i];
                if (json_object_set_new(
                                    object, field_metric_key(id),
                                    number_to_json(field_measured_get(&one->measured, trial, id))) <
                    0) {
                        json_decref(object);
                        return NULL;
                }
        }
        return object;
}

static json_t *trials_to_json(const FieldCase *one) {
        json_t *array = json_array();
        int r = array ? 0 : -1;
        for (size_t i = 0; r == 0 && i < one->claim->n_trials; i++)
                r = append(array,
                           json_pack("{s:s, s:b, s:o?, s:o?}", "label", one->claim->trials[i].label,
                                     "recorded", one->claim->trials[i].kind == FIELD_RECORDED,
                                     "settings", settings_to_json(one->jobs[i]), "measured",
                                     measures_to_json(one, i)));
        return finish(array, r);
}

static json_t *case_to_json(const FieldCase *one) {
        const FieldClaim *claim = one->claim;
        return json_pack(
                        "{s:s, s:s?, s:s?, s:o?, s:s, s:s, s:s, s:s, s:s, s:o?}", "claim",
                        claim->name, "key", claim->key, "value", one->line ? one->line->text : NULL,
                        "places", places_to_json(one), "says", claim->says, "verdict",
                        claim->verdict, "tried", claim->tried, "fact", claim->fact, "outcome",
                        field_outcome_name(one->outcome), "trials", trials_to_json(one));
}

static json_t *cases_to_json(const FieldReport *report) {
        json_t *array = json_array();
        int r = array ? 0 : -1;
        for (size_t i = 0; r == 0 && i < report->n_cases; i++)
                r = append(array, case_to_json(&report->cases[i]));
        return finish(array, r);
}

static json_t *strays_to_json(const FieldReport *report) {
        json_t *array = json_array();
        int r = array ? 0 : -1;
        for (size_t i = 0; r == 0 && i < report->n_strays; i++)
                r = append(array, json_pack("{s:s, s:i, s:s}", "file", report->strays[i].place.file,
                                            "line", (int) report->strays[i].place.line, "text",
                                            report->strays[i].text));
        return finish(array, r);
}

json_t *field_report_to_json(const FieldReport *report) {
        json_t *files = json_array();
        int r = files ? 0 : -1;
        for (size_t i = 0; r == 0 && i < report->n_files; i++)
                r = append(files, json_string(report->files[i]));
        return json_pack(
                        "{s:s, s:b, s:I, s:o?, s:o?, s:o?}", "kernel", report->kernel,
                        "user_namespace", report->user_namespace, "ms",
                        (json_int_t) report->took_ms, "files", finish(files, r), "claims",
                        cases_to_json(report), "uncovered", strays_to_json(report));
}

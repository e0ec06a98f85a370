/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/gate-format.h"

#include "record/strict-json.h"

#define SPAN_MAX_MS   (INT64_C(24) * 60 * 60 * 1000)
#define INTERVALS_MAX 1000000U

static json_t *counters_to_json(const GateBaseline *baseline) {
        json_auto_t *counters = json_object();
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                if (!baseline->known[id])
                        continue;
                json_t *counter = json_pack(
                                "{s:I, s:I}", "mean", (json_int_t) baseline->mean[id], "peak",
                                (json_int_t) baseline->peak[id]);
                if (json_object_set_new(counters, gate_counter(id)->name, counter) < 0)
                        return NULL;
        }
        return TAKE_PTR(counters);
}

int gate_baseline_encode(const GateBaseline *baseline, StrBuf *out) {
        json_auto_t *object = json_pack(
                        "{s:i, s:I, s:I, s:o}", "v", GATE_FORMAT_VERSION, "span_ms",
                        (json_int_t) baseline->span_ms, "intervals",
                        (json_int_t) baseline->n_intervals, "counters", counters_to_json(baseline));
        return object ? strict_json_render(object, out) : -ENOMEM;
}

static int counter_read(json_t *object, GateId id, GateBaseline *baseline, Error *reterr) {
        uint64_t mean = 0, peak = 0;
        const StrictField fields[] = {
                { .name = "mean", .kind = STRICT_NUMBER, .ret = &mean },
                { .name = "peak", .kind = STRICT_NUMBER, .ret = &peak },
        };
        if (!json_is_object(object))
                return error_set(
                                reterr, -EBADMSG, "counter '%s' is no object",
                                gate_counter(id)->name);
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "counter '%s'", gate_counter(id)->name);
        baseline->known[id] = true;
        baseline->mean[id] = (int64_t) mean;
        baseline->peak[id] = (int64_t) peak;
        return 0;
}

static int counters_read(json_t *object, GateBaseline *baseline, Error *reterr) {
        const char *name;
        json_t *counter;
        json_object_foreach(object, name, counter) {
                GateId id = gate_counter_find(name);
                if (id == GATE_COUNTERS)
                        return error_set(reterr, -EBADMSG, "there is an unknown counter");
                int r = counter_read(counter, id, baseline, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int gate_baseline_decode(const char *bytes, size_t n, GateBaseline *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, GATE_FORMAT_MAX_BYTES, &object, reterr);
        if (r >= 0)
                r = strict_json_check_version(object, GATE_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        uint64_t version = 0, span = 0, intervals = 0;
        json_t *counters = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER, .ret = &version },
                { .name = "span_ms", .kind = STRICT_NUMBER, .ret = &span },
                { .name = "intervals", .kind = STRICT_NUMBER, .ret = &intervals },
                { .name = "counters", .kind = STRICT_OBJECT, .ret = &counters },
        };
        r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;
        if (span > (uint64_t) SPAN_MAX_MS || intervals > INTERVALS_MAX)
                return error_set(reterr, -EBADMSG, "the baseline is too long");

        GateBaseline baseline = { .span_ms = (int64_t) span, .n_intervals = (unsigned) intervals };
        r = counters_read(counters, &baseline, reterr);
        if (r < 0)
                return r;
        *ret = baseline;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/observe-text.h"
#include "cli/observe-watch.h"
#include "cli/sampling.h"
#include "cli/verbs.h"
#include "insight/snapshot-format.h"

/* With an interval the counters are read before it and behind it, the sockets behind it only. */
static int look(Context *context, Snapshot *ret, SnapshotRates *ret_rates) {
        CLEANUP(sampling_close) Sampling sampling = SAMPLING_EMPTY;
        int r = sampling_open(&sampling, context);
        if (r < 0)
                return r;
        Snapshot earlier;
        uint32_t interval_s = context->options.interval_s;
        if (interval_s > 0) {
                r = sampling_look_at_counts(&sampling, &earlier);
                if (r < 0)
                        return r;
                sampling_wait(context, interval_s);
        }
        r = sampling_look_at_counts(&sampling, ret);
        if (r == 0 &&
            context_is_json(context)) /* nobody sees them in the text; advice needs them */
                r = sampling_look_around(&sampling, ret);
        if (r < 0)
                return r;
        *ret_rates = (SnapshotRates){};
        if (interval_s > 0)
                (void) rates_between(&earlier, ret, ret_rates); /* without them there are none */
        return sampling_look_at_sockets(&sampling, ret);
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static json_t *rates_to_json(const SnapshotRates *rates) {
        if (rates->interval_us <= 0)
                return json_null();
        json_auto_t *object = json_object();
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                if (!rates->known[id])
                        continue;
                json_t *rate = json_real((double) rates->per_second[id] / 1000);
                if (json_object_set_new(object, snapshot_counter(id)->name, rate) < 0)
                        return NULL;
        }
        return json_pack(
                        "{s:I, s:o}", "interval_us", (json_int_t) rates->interval_us, "per_second",
                        TAKE_PTR(object));
}

static json_t *to_json(const Snapshot *snapshot, const SnapshotRates *rates) {
        json_auto_t *object = snapshot_to_json(snapshot);
        if (json_object_set_new(object, "rates", rates_to_json(rates)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

/* -------------------------------------------------------------------------------------------------------- */

static int check_options(Context *context) {
        const Options *options = &context->options;
        if (options->from_later)
                return context_fail_usage(context, "--from=FILE twice is for advise");
        if (options->from && (options->watch || options->interval_s > 0))
                return context_fail_usage(
                                context,
                                "--from shows what was recorded: no --watch, no --interval");
        if (options->watch && context_is_json(context))
                return context_fail_usage(
                                context,
                                "--watch has no end and --json is one document: use --interval=1s");
        if (!options->watch && options->count > 0)
                return context_fail_usage(context, "--count goes with --watch");
        return 0;
}

static int observe_run(Context *context) {
        int r = check_options(context);
        if (r != 0 || context->options.watch)
                return r;
        Snapshot snapshot;
        SnapshotRates rates = {};
        r = context->options.from ? sampling_load(context, context->options.from, &snapshot)
                                  : look(context, &snapshot, &rates);
        if (r != 0)
                return r;
        r = context_is_json(context) ? context_take_result(context, to_json(&snapshot, &rates))
                                     : observe_render(context, &snapshot,
                                                      rates.interval_us > 0 ? &rates : NULL);
        return r < 0 ? r : context_finish(context);
}

static int observe_linger(const Context *context, int exit_code) {
        bool watches = context->options.watch && !context->options.help && exit_code == EXIT_OK;
        return watches ? observe_watch(context) : exit_code;
}

const Command cmd_observe = {
        .name = "observe",
        .args = "",
        .help = "Show TCP sockets, TIME_WAITs and use of the ports",
        .more = "Needs no privilege. Every socket of this network namespace is counted: by state,\n"
                "by destination for outgoing connections, by port for accepted ones. USE% is how\n"
                "much of the local port range the connections to one destination take, TIME_WAITs\n"
                "included: at 50 the search for a free port becomes slow, at 100 connect() fails.\n"
                "PER_S is how many TIME_WAITs began in the last 10 seconds. --interval shows how\n"
                "fast the kernel's counters move. --watch lists every socket again only when that\n"
                "takes less than a hundredth of one processor.\n",
        .group = COMMAND_GROUP_WATCH,
        .options = OPT_INTERVAL | OPT_FROM | OPT_WATCH | OPT_COUNT | OPT_TOP,
        .run = observe_run,
        .linger = observe_linger,
};

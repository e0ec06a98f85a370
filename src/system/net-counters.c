/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/net-counters.h"

#include "base/num.h"
#include "system/seam-io.h"

#define NUMBER_SIZE sizeof("18446744073709551615")

/* --- words ---------------------------------------------------------------------------------------------- */

typedef struct Word {
        const char *text;
        size_t length;
} Word;

/* The next word of the line at *at; false at its end. */
static bool word_next(const char **at, Word *ret) {
        const char *start = *at + strspn(*at, " \t");
        size_t length = strcspn(start, " \t\n");
        *at = start + length;
        *ret = (Word){ start, length };
        return length > 0;
}

static bool word_to_number(const Word *word, uint64_t *ret) {
        char digits[NUMBER_SIZE];
        if (word->length >= sizeof(digits))
                return false;
        memcpy(digits, word->text, word->length);
        digits[word->length] = '\0';
        return num_parse_u64(digits, ret) == 0;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static void visit_pair(
                const char *names, const char *values, NetCounterVisit visit, void *userdata) {
        Word group, same, name, value;
        if (!word_next(&names, &group) || !word_next(&values, &same) ||
            group.length != same.length || memcmp(group.text, same.text, group.length) != 0 ||
            group.text[group.length - 1] != ':')
                return;
        while (word_next(&names, &name) && word_next(&values, &value)) {
                NetCounter counter = {
                        .group = group.text,
                        .group_length = group.length - 1,
                        .field = name.text,
                        .field_length = name.length,
                };
                if (word_to_number(&value, &counter.value))
                        visit(userdata, &counter);
        }
}

static const char *line_next(const char *at) {
        const char *end = strchr(at, '\n');
        return end ? end + 1 : at + strlen(at);
}

void net_counters_each(const char *text, NetCounterVisit visit, void *userdata) {
        while (*text) {
                const char *values = line_next(text);
                visit_pair(text, values, visit, userdata);
                text = line_next(values);
        }
}

static bool is_word(const char *bytes, size_t n, const char *text) {
        return strlen(text) == n && memcmp(bytes, text, n) == 0;
}

bool net_counter_is(const NetCounter *counter, const char *group, const char *field) {
        return is_word(counter->group, counter->group_length, group) &&
               is_word(counter->field, counter->field_length, field);
}

/* --- the health gate's ---------------------------------------------------------------------------------- */

typedef struct Taken {
        GateSample *sample;
        bool has_whole[GATE_COUNTERS];
} Taken;

/* One field may be a counter, the whole of another one, or both. */
static void take_counter(void *userdata, const NetCounter *found) {
        Taken *taken = userdata;
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                const GateCounter *counter = gate_counter(id);
                if (!counter->group)
                        continue;
                if (net_counter_is(found, counter->group, counter->field)) {
                        taken->sample->known[id] = true;
                        taken->sample->value[id] = found->value;
                }
                if (counter->whole && net_counter_is(found, counter->group, counter->whole)) {
                        taken->has_whole[id] = true;
                        taken->sample->whole[id] = found->value;
                }
        }
}

void net_counters_parse(const char *text, GateSample *ret) {
        Taken taken = { .sample = ret };
        bool was_known[GATE_COUNTERS];
        memcpy(was_known, ret->known, sizeof(was_known));
        net_counters_each(text, take_counter, &taken);
        /* a share without its whole is none */
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                if (gate_counter(id)->whole && !was_known[id])
                        ret->known[id] = ret->known[id] && taken.has_whole[id];
}

/* --- files ---------------------------------------------------------------------------------------------- */

int net_counters_read(const Seam *seam, int root_fd, GateSample *ret, Error *reterr) {
        static const char *const files[] = { "proc/self/net/netstat", "proc/self/net/snmp" };
        GateSample sample = *ret;
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                if (gate_counter(id)->group)
                        sample.known[id] = false;

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                cleanup_free char *text = NULL;
                size_t n;
                int r = seam_read_file_at(
                                seam, root_fd, files[i], NET_COUNTERS_MAX_BYTES, &text, &n);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return error_set(reterr, r, "cannot read '/%s'", files[i]);
                net_counters_parse(text, &sample);
        }
        *ret = sample;
        return 0;
}

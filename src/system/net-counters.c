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

static bool word_is(const Word *word, const char *text) {
        return strlen(text) == word->length && memcmp(word->text, text, word->length) == 0;
}

/* "Tcp:" is the group Tcp. */
static bool word_is_group(const Word *word, const char *group) {
        return word->length == strlen(group) + 1 && word->text[word->length - 1] == ':' &&
               memcmp(word->text, group, word->length - 1) == 0;
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

/* One field may be a counter, the whole of another one, or both. */
static void take_value(
                const Word *group, const Word *name, const Word *value, bool has_whole[],
                GateSample *sample) {
        for (GateId id = 0; id < GATE_COUNTERS; id++) {
                const GateCounter *counter = gate_counter(id);
                if (!counter->group || !word_is_group(group, counter->group))
                        continue;
                if (word_is(name, counter->field))
                        sample->known[id] = word_to_number(value, &sample->value[id]);
                if (counter->whole && word_is(name, counter->whole))
                        has_whole[id] = word_to_number(value, &sample->whole[id]);
        }
}

static void take_pair(const char *names, const char *values, bool has_whole[], GateSample *sample) {
        Word group, same, name, value;
        if (!word_next(&names, &group) || !word_next(&values, &same) ||
            group.length != same.length || memcmp(group.text, same.text, group.length) != 0)
                return;
        while (word_next(&names, &name) && word_next(&values, &value))
                take_value(&group, &name, &value, has_whole, sample);
}

static const char *line_next(const char *at) {
        const char *end = strchr(at, '\n');
        return end ? end + 1 : at + strlen(at);
}

void net_counters_parse(const char *text, GateSample *ret) {
        bool has_whole[GATE_COUNTERS] = { 0 }, was_known[GATE_COUNTERS];
        memcpy(was_known, ret->known, sizeof(was_known));
        while (*text) {
                const char *values = line_next(text);
                take_pair(text, values, has_whole, ret);
                text = line_next(values);
        }
        /* a share without its whole is none */
        for (GateId id = 0; id < GATE_COUNTERS; id++)
                if (gate_counter(id)->whole && !was_known[id])
                        ret->known[id] = ret->known[id] && has_whole[id];
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

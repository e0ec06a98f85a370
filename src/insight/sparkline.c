/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/sparkline.h"

static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

static void push(Sparkline *line, uint64_t value, bool known) {
        line->values[line->next] = value;
        line->known[line->next] = known;
        line->next = (line->next + 1) % SPARKLINE_VALUES;
        if (line->n < SPARKLINE_VALUES)
                line->n++;
}

void sparkline_push(Sparkline *line, uint64_t value) {
        push(line, value, true);
}

void sparkline_push_gap(Sparkline *line) {
        push(line, 0, false);
}

/* The index of the value that was pushed `back` pushes ago; 0 the last. */
static size_t index_of(const Sparkline *line, size_t back) {
        return (line->next + SPARKLINE_VALUES - 1 - back) % SPARKLINE_VALUES;
}

static size_t shown(const Sparkline *line, size_t n) {
        return n < line->n ? n : line->n;
}

uint64_t sparkline_peak(const Sparkline *line, size_t n) {
        uint64_t peak = 0;
        for (size_t back = 0; back < shown(line, n); back++) {
                size_t i = index_of(line, back);
                if (line->known[i] && line->values[i] > peak)
                        peak = line->values[i];
        }
        return peak;
}

/* A value above 0 is seen to be above 0. */
static const char *block_of(uint64_t value, uint64_t peak) {
        enum { HIGHEST = ELEMENTSOF(blocks) - 1 };
        if (value == 0)
                return blocks[0];
        size_t height = (size_t) ((unsigned __int128) value * HIGHEST / peak);
        return blocks[height > 0 ? height : 1];
}

void sparkline_render(const Sparkline *line, size_t width, StrBuf *out) {
        size_t n = shown(line, width);
        uint64_t peak = sparkline_peak(line, n);
        strbuf_add_repeat(out, ' ', width - n);
        for (size_t back = n; back-- > 0;) {
                size_t i = index_of(line, back);
                strbuf_add(out, line->known[i] ? block_of(line->values[i], peak) : " ");
        }
}

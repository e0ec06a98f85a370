/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sparkline.h"

static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

static uint64_t largest(const uint64_t *values, size_t first, size_t end) {
        uint64_t top = 0;
        for (size_t i = first; i < end; i++)
                if (values[i] > top)
                        top = values[i];
        return top;
}

/* The lowest height is 0 alone, so that a little is seen to be more than nothing. */
static const char *height_of(uint64_t value, uint64_t top) {
        size_t steps = ELEMENTSOF(heights) - 1;
        if (value == 0 || top == 0)
                return heights[0];
        if (value >= top)
                return heights[steps];
        return heights[1 + (size_t) ((double) value / (double) top * (double) (steps - 1))];
}

void sparkline_add(const uint64_t *values, size_t n, size_t width, uint64_t top, StrBuf *out) {
        if (top == 0)
                top = largest(values, 0, n);
        size_t points = n < width ? n : width;
        for (size_t i = 0; i < points; i++)
                strbuf_add(out,
                           height_of(largest(values, i * n / points, (i + 1) * n / points), top));
}

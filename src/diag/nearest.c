/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/nearest.h"

static size_t min3(size_t a, size_t b, size_t c) {
        size_t min = a < b ? a : b;
        return min < c ? min : c;
}

/* Optimal string alignment by three rows: a swap of neighbours is the commonest slip and costs one. */
size_t nearest_distance(const char *a, const char *b) {
        size_t n = strlen(a), m = strlen(b);
        if (n > NEAREST_MAX_LENGTH || m > NEAREST_MAX_LENGTH)
                return SIZE_MAX;

        size_t rows[3][NEAREST_MAX_LENGTH + 1];
        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;

        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i - 1) % 3],
                       *two_above = rows[(i + 1) % 3];
                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t exchange = above[j - 1] + (a[i - 1] != b[j - 1]);
                        row[j] = min3(exchange, above[j] + 1, row[j - 1] + 1);
                        bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                                       a[i - 2] == b[j - 1];
                        if (swapped && two_above[j - 2] + 1 < row[j])
                                row[j] = two_above[j - 2] + 1;
                }
        }
        return rows[n % 3][m];
}

void nearest_consider(const char *word, const char *candidate, const char **best) {
        size_t n = strlen(word), m = strlen(candidate);
        size_t distance = nearest_distance(word, candidate);
        if (distance > (n > m ? n : m) / 3)
                return;
        if (!*best || distance < nearest_distance(word, *best))
                *best = candidate;
}

const char *nearest_find(const char *word, const char *const *words, size_t n_words) {
        const char *best = NULL;
        for (size_t i = 0; i < n_words; i++)
                nearest_consider(word, words[i], &best);
        return best;
}

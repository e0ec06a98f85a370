/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/proc-stat.h"

#define COLUMNS_MAX 32U
#define WANTED_MAX  4U

/* Which column goes into which counter. */
typedef struct Wanted {
        SnapshotCounterId id;
        size_t column;
} Wanted;

/* --- words ---------------------------------------------------------------------------------------------- */

/* The next word of the line at *at; 0 at its end. */
static size_t word_next(const char **at, const char **ret) {
        *ret = *at + strspn(*at, " \t");
        size_t n = strcspn(*ret, " \t\n");
        *at = *ret + n;
        return n;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}

static bool hex_number(const char *word, size_t n, uint64_t *ret) {
        uint64_t value = 0;
        if (n == 0 || n > 16)
                return false;
        for (size_t i = 0; i < n; i++) {
                int digit = hex_digit(word[i]);
                if (digit < 0)
                        return false;
                value = value << 4 | (uint64_t) digit;
        }
        *ret = value;
        return true;
}

/* Behind the line's end. */
static const char *line_next(const char *at) {
        const char *end = strchr(at, '\n');
        return end ? end + 1 : at + strlen(at);
}

/* --- lines ---------------------------------------------------------------------------------------------- */

/* Adds one processor's; false when a wanted column is not there, or no number. */
static bool add_line(const char *line, const Wanted *wanted, size_t n_wanted, uint64_t *sums) {
        uint64_t columns[COLUMNS_MAX];
        size_t n = 0;
        const char *word;
        for (size_t length; n < COLUMNS_MAX && (length = word_next(&line, &word)) > 0; n++)
                if (!hex_number(word, length, &columns[n]))
                        return false;
        for (size_t i = 0; i < n_wanted; i++)
                if (wanted[i].column >= n ||
                    __builtin_add_overflow(sums[i], columns[wanted[i].column], &sums[i]))
                        return false;
        return true;
}

static void add_lines(const char *text, const Wanted *wanted, size_t n_wanted, Snapshot *snapshot) {
        uint64_t sums[WANTED_MAX] = { 0 };
        assert(n_wanted <= WANTED_MAX);
        if (!*text)
                return;
        for (; *text; text = line_next(text))
                if (!add_line(text, wanted, n_wanted, sums))
                        return;
        for (size_t i = 0; i < n_wanted; i++) {
                snapshot->known[wanted[i].id] = true;
                snapshot->counters[wanted[i].id] = sums[i];
        }
}

void softnet_stat_parse(const char *text, Snapshot *snapshot) {
        static const Wanted wanted[] = {
                { COUNTER_BACKLOG_DROPPED, 1 },
                { COUNTER_BUDGET_SPENT, 2 },
        };
        add_lines(text, wanted, ELEMENTSOF(wanted), snapshot);
}

void conntrack_stat_parse(const char *text, Snapshot *snapshot) {
        static const struct {
                SnapshotCounterId id;
                const char *name;
        } names[] = {
                { COUNTER_TRACKING_INSERT_FAILED, "insert_failed" },
                { COUNTER_TRACKING_DROPPED, "drop" },
                { COUNTER_TRACKING_EARLY_DROPPED, "early_drop" },
        };
        Wanted wanted[ELEMENTSOF(names)];
        size_t n_wanted = 0;
        const char *lines = line_next(text), *word;
        size_t column = 0;
        for (size_t n; n_wanted < ELEMENTSOF(wanted) && (n = word_next(&text, &word)) > 0; column++)
                for (size_t i = 0; i < ELEMENTSOF(names); i++)
                        if (strlen(names[i].name) == n && memcmp(names[i].name, word, n) == 0 &&
                            n_wanted < ELEMENTSOF(wanted))
                                wanted[n_wanted++] = (Wanted){ names[i].id, column };
        add_lines(lines, wanted, n_wanted, snapshot);
}

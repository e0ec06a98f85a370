/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/sockstat.h"

#include "base/num.h"

/* The number behind a word of the line, up to its end; false when it has none. */
static bool number_behind(const char *line, size_t n, const char *word, uint64_t *ret) {
        char digits[sizeof("18446744073709551615")];
        size_t length = strlen(word);
        for (const char *at = line; (size_t) (at - line) + length + 2 < n; at++) {
                if (*at != ' ' || memcmp(at + 1, word, length) != 0 || at[length + 1] != ' ')
                        continue;
                const char *number = at + length + 2;
                size_t n_digits = strspn(number, "0123456789");
                if (n_digits == 0 || n_digits >= sizeof(digits))
                        return false;
                memcpy(digits, number, n_digits);
                digits[n_digits] = '\0';
                return num_parse_u64(digits, ret) == 0;
        }
        return false;
}

static void parse_line(const char *line, size_t n, SnapshotSockstat *ret) {
        if (startswith(line, "TCP6:")) {
                (void) number_behind(line, n, "inuse", &ret->in_use[SNAPSHOT_IPV6]);
                return;
        }
        if (!startswith(line, "TCP:"))
                return;
        ret->known = number_behind(line, n, "inuse", &ret->in_use[SNAPSHOT_IPV4]) &&
                     number_behind(line, n, "orphan", &ret->orphans) &&
                     number_behind(line, n, "tw", &ret->time_wait) &&
                     number_behind(line, n, "alloc", &ret->allocated) &&
                     number_behind(line, n, "mem", &ret->memory_pages);
}

void sockstat_parse(const char *text, SnapshotSockstat *ret) {
        while (*text) {
                size_t n = strcspn(text, "\n");
                parse_line(text, n, ret);
                text += n + (text[n] == '\n' ? 1 : 0);
        }
}

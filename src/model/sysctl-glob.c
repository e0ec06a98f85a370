/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/sysctl-glob.h"

#include <fnmatch.h>

#define BRACKET_MAX 64U

/* The length of the bracket expression at `p`, or 0 when it is not closed inside this part: then '[' is a character
 * like any other. */
static size_t bracket_length(const char *p) {
        const char *q = p + 1;
        if (*q == '!' || *q == '^')
                q++;
        for (bool first = true; *q && *q != '/'; first = false) {
                if (*q == ']' && !first)
                        return (size_t) (q + 1 - p);
                if (*q == '\\') {
                        q++;
                } else if (*q == '[' && q[1] && strchr(":.=", q[1])) {
                        const char close[] = { q[1], ']', '\0' };
                        const char *end = strstr(q + 2, close);
                        if (end)
                                q = end + 1;
                }
                if (*q)
                        q++;
        }
        return 0;
}

static bool bracket_has(const char *bracket, size_t n, char c) {
        char copy[BRACKET_MAX];
        const char text[] = { c, '\0' };
        if (n >= sizeof(copy))
                return false;
        memcpy(copy, bracket, n);
        copy[n] = '\0';
        return fnmatch(copy, text, 0) == 0;
}

/* How much of the pattern matches this one character; 0: it does not. */
static size_t match_one(const char *pattern, char c) {
        if (*pattern == '?')
                return 1;
        if (*pattern == '[') {
                size_t n = bracket_length(pattern);
                if (n > 0)
                        return bracket_has(pattern, n, c) ? n : 0;
        }
        if (*pattern == '\\' && pattern[1])
                return pattern[1] == c ? 2 : 0;
        return *pattern && *pattern == c ? 1 : 0;
}

static bool ends(const char *p) {
        return *p == '\0' || *p == '/';
}

/* One part; moves both to its end. After the last `*` everything else is tried in turn, for an earlier one never again:
 * what it could take less, the later one can take as well. */
static bool match_part(const char **pattern, const char **path) {
        const char *p = *pattern, *s = *path;
        const char *star = NULL, *retry = NULL;

        if (*s == '.' && *p != '.' && !(p[0] == '\\' && p[1] == '.'))
                return false;
        while (!ends(s)) {
                if (*p == '*') {
                        star = ++p;
                        retry = s;
                        continue;
                }
                size_t n = ends(p) ? 0 : match_one(p, *s);
                if (n > 0) {
                        p += n;
                        s++;
                } else if (star) {
                        p = star;
                        s = ++retry;
                } else {
                        return false;
                }
        }
        while (*p == '*')
                p++;
        *pattern = p;
        *path = s;
        return ends(p);
}

bool sysctl_glob_match(const char *pattern, const char *path) {
        for (;;) {
                if (!match_part(&pattern, &path) || *pattern != *path)
                        return false;
                if (*pattern == '\0')
                        return true;
                pattern++;
                path++;
        }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/procps-conf.h"

#include "model/sysctl-glob.h"

#define BLANKS " \t\n\v\f\r"

static bool is_blank(char c) {
        return c != '\0' && strchr(BLANKS, c);
}

static char *strip_start(char *text) {
        return text + strspn(text, BLANKS);
}

/* The first character stays, whatever it is. */
static void strip_end(char *text) {
        size_t n = strlen(text);
        while (n > 1 && is_blank(text[n - 1]))
                n--;
        text[n] = '\0';
}

static void swap_separators(char *key) {
        char *p = strpbrk(key, "/.");
        if (!p || *p == '/')
                return;
        for (; p; p = strpbrk(p + 1, "/."))
                *p = (char) (*p == '.' ? '/' : '.');
}

/* Where the kernel finds what is written so: "//" and "/./" are nothing, ".." goes back. NULL: nowhere, because a file's
 * name does not end in a slash, or because it is outside. */
static char *resolve(const char *literal, Arena *arena, bool *ret_outside) {
        char *path = arena_alloc(arena, strlen(literal) + 1);
        if (!path)
                return NULL;

        size_t n = 0;
        while (*literal) {
                size_t part = strcspn(literal, "/");
                if (part == 2 && strncmp(literal, "..", 2) == 0) {
                        *ret_outside |= n == 0;
                        while (n > 0 && path[--n] != '/')
                                ;
                } else if (part > 0 && !(part == 1 && *literal == '.')) {
                        if (n > 0)
                                path[n++] = '/';
                        memcpy(path + n, literal, part);
                        n += part;
                }
                literal += part;
                literal += strspn(literal, "/");
        }
        path[n] = '\0';
        return path;
}

static int fill_item(
                char *key, const char *value, uint32_t number, Arena *arena,
                SysctlAssignment *ret) {
        const char *literal = key + (key[0] == '-');
        bool outside = false;

        swap_separators(key + (key[0] == '-'));
        char *path = resolve(literal, arena, &outside);
        const char *dotted = path ? sysctl_conf_key_of_path(path, arena) : NULL;
        if (!dotted)
                return -ENOMEM;
        /* glob(3) drops a slash at the end and gives files all the same. */
        bool is_glob = sysctl_glob_is_pattern(literal);
        if (outside || (endswith(literal, "/") && !is_glob) || endswith(literal, "/.") ||
            endswith(literal, "/.."))
                path[0] = '\0';

        *ret = (SysctlAssignment){
                .key = dotted,
                .path = path,
                .literal = literal,
                .value = value,
                .glob = is_glob,
                .exclusion = !value,
                .line = number,
        };
        return 0;
}

/* `line` is ours to cut. 1: an item; 0: nothing; <0. */
static int parse_line(
                char *line, uint32_t number, Arena *arena, SysctlAssignment *ret, bool *ret_bad) {
        char *key = strip_start(line);
        if (key[0] == '\0' || key[1] == '\0' || key[0] == '#' || key[0] == ';')
                return 0;

        char *value = strchr(key, '=');
        if (!value && key[0] != '-') {
                strip_end(key);
                *ret_bad = !is_blank(key[0]);
                return 0;
        }
        if (value) {
                *value++ = '\0';
                value = strip_start(value);
                strip_end(value);
        }

        bool dash = key[0] == '-';
        key += dash;
        strip_end(key);
        int r = fill_item(key, value, number, arena, ret);
        ret->dash = r >= 0 && dash && value;
        return r < 0 ? r : 1;
}

int procps_conf_parse(const char *bytes, size_t n, Arena *arena, SysctlConf *ret) {
        SysctlConf conf = { 0 };
        size_t n_lines = 1;
        for (size_t i = 0; i < n; i++)
                n_lines += bytes[i] == '\n';

        char *text = arena_copy_n(arena, bytes, n);
        SysctlAssignment *items = arena_alloc_array(arena, n_lines, sizeof(SysctlAssignment));
        if (!text || !items)
                return -ENOMEM;

        uint32_t number = 0;
        for (char *line = text, *end = text + n; line < end;) {
                char *stop = memchr(line, '\n', (size_t) (end - line));
                stop = stop ? stop : end;
                *stop = '\0';
                number++;

                bool bad = memchr(line, '\0', (size_t) (stop - line));
                int r = parse_line(line, number, arena, &items[conf.n_items], &bad);
                if (r < 0)
                        return r;
                conf.n_items += (size_t) r;
                if (bad && conf.bad_line == 0)
                        conf.bad_line = number;
                line = stop + 1;
        }

        conf.items = items;
        *ret = conf;
        return 0;
}

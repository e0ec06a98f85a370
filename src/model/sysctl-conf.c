/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/sysctl-conf.h"

#include <inttypes.h>

#include "model/sysctl-glob.h"

/* What systemd-sysctl strips from both ends of a line, a key and a value. */
#define BLANKS     " \t\n\r"
#define HEAD_WIDTH 79U

typedef struct Slice {
        const char *start;
        size_t n;
} Slice;

static bool is_blank(char c) {
        return c != '\0' && strchr(BLANKS, c);
}

static Slice strip(Slice slice) {
        while (slice.n > 0 && is_blank(slice.start[0])) {
                slice.start++;
                slice.n--;
        }
        while (slice.n > 0 && is_blank(slice.start[slice.n - 1]))
                slice.n--;
        return slice;
}

/* Walks a file by lines as systemd-sysctl does. Numbers count '\n', as editors do. */
typedef struct LineReader {
        const char *next, *end;
        uint32_t line;      /* of `text` */
        uint32_t next_line; /* of `next` */
        Slice text;
        bool is_strange; /* ended by NUL or by a CR of its own, or too long */
} LineReader;

static bool next_line(LineReader *reader) {
        if (reader->next == reader->end)
                return false;

        size_t left = (size_t) (reader->end - reader->next);
        size_t n = 0;
        while (n < left && reader->next[n] != '\n' && reader->next[n] != '\r' &&
               reader->next[n] != '\0')
                n++;

        reader->text = (Slice){ reader->next, n };
        reader->line = reader->next_line;
        reader->next += n;
        reader->is_strange = n >= SYSCTL_CONF_LINE_MAX;
        if (reader->is_strange)
                reader->next = reader->end;
        if (reader->next == reader->end)
                return true;

        char end = *reader->next++;
        if (end == '\r' && reader->next < reader->end && *reader->next == '\n')
                end = *reader->next++;
        if (end == '\n')
                reader->next_line++;
        /* A CR that ends the file is stripped by both tools. */
        reader->is_strange = end == '\0' || (end == '\r' && reader->next < reader->end);
        return true;
}

/* Copies a key as a path: the first separator decides whether dots and slashes change places; repeated
 * slashes, slashes at the ends and "." parts go. */
static char *copy_path(Slice key, Arena *arena) {
        char *path = arena_alloc(arena, key.n + 1);
        if (!path)
                return NULL;

        size_t first = 0;
        while (first < key.n && key.start[first] != '.' && key.start[first] != '/')
                first++;
        bool swap = first < key.n && key.start[first] == '.';

        size_t n = 0, part = 0; /* `part` is where the part that is being copied starts */
        for (size_t i = 0; i <= key.n; i++) {
                char c = (char) (i < key.n ? key.start[i] : '\0');
                if (swap && (c == '.' || c == '/'))
                        c = (char) (c == '.' ? '/' : '.');
                if (c != '/' && i < key.n) {
                        path[n++] = c;
                        continue;
                }
                if (n - part == 1 && path[part] == '.')
                        n = part;
                if (n > part && i < key.n)
                        path[n++] = '/';
                part = n;
        }
        if (n > 0 && path[n - 1] == '/')
                n--;
        path[n] = '\0';
        return path;
}

/* The other way round, always to dots: a dot inside a part becomes a slash. */
static char *copy_key(const char *path, Arena *arena) {
        char *key = arena_copy(arena, path);
        for (char *p = key; p && *p; p++)
                if (*p == '/')
                        *p = '.';
                else if (*p == '.')
                        *p = '/';
        return key;
}

/* What a line is. Key and value are still as written. */
typedef struct Line {
        Slice key, value;
        bool is_item, is_bad;
        bool dash, has_value;
} Line;

static Line classify_line(Slice text) {
        Line line = { 0 };

        text = strip(text);
        if (text.n == 0 || text.start[0] == '#' || text.start[0] == ';')
                return line;

        const char *equals = memchr(text.start, '=', text.n);
        line.dash = text.start[0] == '-';
        line.has_value = equals;

        const char *end = text.start + text.n;
        const char *key_end = equals ? equals : end;
        const char *key = text.start + (line.dash ? 1 : 0);
        line.key = strip((Slice){ key, (size_t) (key_end - key) });
        if (equals)
                line.value = strip((Slice){ equals + 1, (size_t) (end - equals - 1) });

        /* A key of separators only is no key either; what is left of it is the folder /proc/sys. */
        size_t n_separators = 0;
        while (n_separators < line.key.n && strchr("./", line.key.start[n_separators]))
                n_separators++;
        line.is_item = n_separators < line.key.n && (equals || line.dash);
        line.is_bad = !line.is_item;
        return line;
}

static int fill_item(const Line *line, uint32_t number, Arena *arena, SysctlAssignment *ret) {
        SysctlAssignment item = {
                .dash = line->dash && line->has_value,
                .exclusion = !line->has_value,
                .line = number,
        };

        char *path = copy_path(line->key, arena);
        if (!path)
                return -ENOMEM;
        item.path = item.literal = path;
        item.key = copy_key(path, arena);
        if (line->has_value)
                item.value = arena_copy_n(arena, line->value.start, line->value.n);
        if (!item.key || (line->has_value && !item.value))
                return -ENOMEM;
        item.glob = sysctl_glob_is_pattern(path);

        *ret = item;
        return 0;
}

static size_t count_items(const char *bytes, size_t n) {
        LineReader reader = { .next = bytes, .end = bytes + n };
        size_t n_items = 0;
        while (next_line(&reader))
                n_items += classify_line(reader.text).is_item;
        return n_items;
}

int sysctl_conf_parse(const char *bytes, size_t n, Arena *arena, SysctlConf *ret) {
        SysctlConf conf = { 0 };
        SysctlAssignment *items = arena_alloc_array(
                        arena, count_items(bytes, n), sizeof(SysctlAssignment));
        if (!items)
                return -ENOMEM;

        LineReader reader = { .next = bytes, .end = bytes + n, .next_line = 1 };
        while (next_line(&reader)) {
                bool is_too_long = reader.text.n >= SYSCTL_CONF_LINE_MAX;
                Line line = classify_line(reader.text);
                if ((line.is_bad || reader.is_strange) && conf.bad_line == 0)
                        conf.bad_line = reader.line;
                if (!line.is_item || is_too_long)
                        continue;

                int r = fill_item(&line, reader.line, arena, &items[conf.n_items]);
                if (r < 0)
                        return r;
                conf.n_items++;
        }

        conf.items = items;
        *ret = conf;
        return 0;
}

const char *sysctl_conf_key_of_path(const char *path, Arena *arena) {
        return strchr(path, '.') ? arena_copy(arena, path) : copy_key(path, arena);
}

const char *sysctl_conf_path_of_key(const char *key, Arena *arena) {
        return copy_path((Slice){ key, strlen(key) }, arena);
}

static bool is_printable(const char *text, bool allow_tab) {
        for (; *text; text++) {
                bool is_control = (unsigned char) *text < ' ' || *text == '\177';
                if (is_control && !(allow_tab && *text == '\t'))
                        return false;
        }
        return true;
}

/* A path that both tools read back as the same key and nothing else. */
static bool is_plain_path(const char *path) {
        if (path[0] == '\0' || strchr("-#;/.", path[0]) || strpbrk(path, "*?[]= \t") ||
            strstr(path, "//") || endswith(path, "/"))
                return false;
        return is_printable(path, /* allow_tab= */ false);
}

static bool is_plain_value(const char *value) {
        size_t n = strlen(value);
        if (n > 0 && (is_blank(value[0]) || is_blank(value[n - 1])))
                return false;
        return is_printable(value, /* allow_tab= */ true);
}

static void render_profiles(const FragmentHead *head, StrBuf *out) {
        static const char title[] = "# profiles  ", more[] = "\n#           ";
        size_t column = strlen(title);

        strbuf_add(out, title);
        for (size_t i = 0; i < head->n_profiles; i++) {
                assert(is_printable(head->profiles[i], /* allow_tab= */ false));
                size_t n = 1 + strlen(head->profiles[i]);
                if (column + n > HEAD_WIDTH && i > 0) {
                        strbuf_add(out, more);
                        column = strlen(more) - 1;
                }
                strbuf_addf(out, " %s", head->profiles[i]);
                column += n;
        }
        strbuf_add(out, head->n_profiles == 0 ? " none\n" : "\n");
}

static void render_head(const FragmentHead *head, StrBuf *out) {
        strbuf_add(out, "# Kernel settings of the enabled twprofile profiles. Do not edit:\n"
                        "# twprofile writes this file whole, and refuses to when it was changed.\n"
                        "#\n");
        strbuf_addf(out, "# generation %" PRIu64 "\n", head->generation);
        render_profiles(head, out);
        strbuf_add(out, "# undo       twprofile rollback\n"
                        "# look       twprofile status, twprofile history\n");
}

static bool same_comment(const FragmentLine *line, const FragmentLine *before) {
        return before && line->comment && before->comment && streq(line->comment, before->comment);
}

static void render_line(const FragmentLine *line, const FragmentLine *before, StrBuf *out) {
        assert(is_plain_path(line->path));
        assert(is_plain_value(line->value));

        if (line->comment) {
                assert(is_printable(line->comment, /* allow_tab= */ false));
                if (!same_comment(line, before))
                        strbuf_addf(out, "# %s\n", line->comment);
        }

        /* The spelling of sysctl_conf_key_of_path(), without memory of its own. */
        bool has_dot = strchr(line->path, '.');
        for (const char *p = line->path; *p; p++)
                strbuf_add_char(out, (char) (!has_dot && *p == '/' ? '.' : *p));
        strbuf_addf(out, line->value[0] != '\0' ? " = %s\n" : " =%s\n", line->value);
}

void sysctl_conf_render(
                const FragmentHead *head, const FragmentLine *lines, size_t n_lines, StrBuf *out) {
        render_head(head, out);
        if (n_lines > 0)
                strbuf_add_char(out, '\n');
        for (size_t i = 0; i < n_lines; i++)
                render_line(&lines[i], i > 0 ? &lines[i - 1] : NULL, out);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/tuned.h"

#include <strings.h>

#include "base/strbuf.h"
#include "system/sysctl-dirs.h"

#define TUNED_DEPTH_MAX    16U /* of includes */
#define TUNED_PROFILES_MAX 64U
#define TUNED_LINES_MAX    8192U
#define TUNED_NAME_MAX     128U
#define TUNED_VALUE_MAX    4096U

typedef struct Item {
        const char *section;
        TunedSetting setting;
        bool dropped;
} Item;

typedef struct Reader {
        const Seam *seam;
        int root_fd;
        Arena *arena;
        size_t budget;
        Item *items; /* of all sections; the last of one name counts */
        size_t n_items, capacity;
        const char *seen[TUNED_PROFILES_MAX]; /* paths that were read */
        size_t n_seen;
        TunedState *state;
} Reader;

/* One profile while it is read. */
typedef struct Part {
        const char *name;
        const char *path;
        Item *items;
        size_t n_items;
} Part;

/* --- text ----------------------------------------------------------------------------------------------- */

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

static const char *copy_trimmed(Arena *arena, const char *from, const char *end) {
        while (from < end && is_blank(*from))
                from++;
        while (end > from && is_blank(end[-1]))
                end--;
        return arena_copy_n(arena, from, (size_t) (end - from));
}

/* Python's inline_comment_prefixes=('#'): a '#' behind a blank. */
static const char *find_end(const char *line, const char *end) {
        for (const char *p = line; p < end; p++)
                if (*p == '#' && (p == line || is_blank(p[-1])))
                        return p;
        return end;
}

static const char *unquote(Arena *arena, const char *value) {
        size_t n = strlen(value);
        bool quoted = n >= 2 && value[0] == '"' && value[n - 1] == '"';
        return quoted ? arena_copy_n(arena, value + 1, n - 2) : value;
}

/* 0 or -ENOMEM. A line that is none of section, comment and assignment is left out. */
static int add_line(
                Reader *reader, Part *part, const char *line, const char *end, const char **section,
                uint32_t number) {
        Arena *arena = reader->arena;
        if (line == end || *line == '#' || *line == ';')
                return 0;
        if (*line == '[') {
                const char *close = memchr(line, ']', (size_t) (end - line));
                *section = close ? arena_copy_n(arena, line + 1, (size_t) (close - line - 1)) : "";
                return *section ? 0 : -ENOMEM;
        }
        end = find_end(line, end);
        const char *equals = memchr(line, '=', (size_t) (end - line));
        if (!equals || part->n_items == TUNED_LINES_MAX)
                return 0;
        const char *key = copy_trimmed(arena, line, equals);
        const char *value = key ? copy_trimmed(arena, equals + 1, end) : NULL;
        value = value ? unquote(arena, value) : NULL;
        if (!value)
                return -ENOMEM;
        part->items[part->n_items++] = (Item){
                .section = *section,
                .setting = { .key = key,
                             .value = value,
                             .profile = part->name,
                             .path = part->path,
                             .line = number },
        };
        return 0;
}

static int parse(Reader *reader, const SysctlFile *file, Part *part) {
        size_t lines = 1;
        for (size_t i = 0; i < file->length; i++)
                lines += file->text[i] == '\n';
        part->items = arena_alloc_array(reader->arena, lines, sizeof(Item));
        if (!part->items)
                return -ENOMEM;

        const char *section = "", *end = file->text + file->length;
        uint32_t number = 1;
        for (const char *line = file->text; line < end; number++) {
                const char *next = memchr(line, '\n', (size_t) (end - line));
                int r = add_line(reader, part, line, next ? next : end, &section, number);
                if (r < 0)
                        return r;
                line = next ? next + 1 : end;
        }
        return 0;
}

static const char *find_option(const Part *part, const char *section, const char *key) {
        const char *found = NULL;
        for (size_t i = 0; i < part->n_items; i++)
                if (streq(part->items[i].section, section) &&
                    streq(part->items[i].setting.key, key))
                        found = part->items[i].setting.value;
        return found;
}

static bool is_true(const char *value) {
        return value && (streq(value, "1") || strcasecmp(value, "true") == 0 ||
                         strcasecmp(value, "yes") == 0 || strcasecmp(value, "on") == 0);
}

static bool is_false(const char *value) {
        return value && (streq(value, "0") || strcasecmp(value, "false") == 0 ||
                         strcasecmp(value, "no") == 0 || strcasecmp(value, "off") == 0);
}

/* --- profiles ------------------------------------------------------------------------------------------- */

static void read_text(Reader *reader, const char *path, SysctlFile *ret, int *r) {
        *ret = (SysctlFile){ .path = path, .text = "" };
        *r = path ? sysctl_file_read(
                                    reader->seam, reader->root_fd, reader->arena, &reader->budget,
                                    ret)
                  : -ENOMEM;
}

/* 0 with ret->error 0 when a file was found; else the reason stays in ret->error. */
static int find_profile(Reader *reader, const char *name, SysctlFile *ret) {
        static const char *const places[] = {
                "/etc/tuned/profiles",
                "/etc/tuned",
                "/usr/lib/tuned/profiles",
                "/usr/lib/tuned",
        };
        const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        *ret = (SysctlFile){ .path = name, .text = "", .error = ENOENT };
        if (!*base || streq(base, ".") || streq(base, "..") || strlen(base) > TUNED_NAME_MAX)
                return 0;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                int r;
                read_text(reader, arena_format(reader->arena, "%s/%s/tuned.conf", places[i], base),
                          ret, &r);
                if (r < 0)
                        return r;
                /* A profile that includes one of its own name means the next place. */
                bool seen = false;
                for (size_t k = 0; k < reader->n_seen; k++)
                        seen |= streq(reader->seen[k], ret->path);
                if (!seen && ret->error != ENOENT && ret->error != ENOTDIR)
                        return 0;
        }
        ret->error = ENOENT;
        return 0;
}

static void drop_listed(Reader *reader, const char *section, const char *list) {
        for (const char *p = list; p && *p;) {
                size_t n = strcspn(p, " ,;");
                for (size_t i = 0; i < reader->n_items; i++) {
                        Item *item = &reader->items[i];
                        if (streq(item->section, section) && n == strlen(item->setting.key) &&
                            strncmp(item->setting.key, p, n) == 0)
                                item->dropped = true;
                }
                p += n + strspn(p + n, " ,;");
        }
}

/* merger.py: options of a section replace those of the same section before; `replace` forgets these, `drop` some. */
static int merge(Reader *reader, const Part *part) {
        for (size_t i = 0; i < part->n_items; i++) {
                const Item *item = &part->items[i];
                if (streq(item->setting.key, "replace") && is_true(item->setting.value))
                        for (size_t k = 0; k < reader->n_items; k++)
                                if (streq(reader->items[k].section, item->section))
                                        reader->items[k].dropped = true;
                if (streq(item->setting.key, "drop"))
                        drop_listed(reader, item->section, item->setting.value);
        }
        if (reader->capacity - reader->n_items < part->n_items) {
                size_t capacity = (reader->n_items + part->n_items) * 2;
                Item *items = arena_alloc_array(reader->arena, capacity, sizeof(Item));
                if (!items)
                        return -ENOMEM;
                if (reader->n_items > 0)
                        memcpy(items, reader->items, reader->n_items * sizeof(Item));
                reader->items = items;
                reader->capacity = capacity;
        }
        if (part->n_items > 0)
                memcpy(&reader->items[reader->n_items], part->items, part->n_items * sizeof(Item));
        reader->n_items += part->n_items;
        return 0;
}

/* Profiles that wait for what they include; a stack instead of recursion. */
typedef struct Stack {
        Part parts[TUNED_DEPTH_MAX];
        const char *rest[TUNED_DEPTH_MAX]; /* names still to be read before the part is merged */
        size_t n;
} Stack;

static void miss(Reader *reader, const char *what, int error) {
        if (reader->state->missing)
                return;
        reader->state->missing = what;
        reader->state->missing_error = error;
}

static int open_profile(Reader *reader, Stack *stack, const char *name) {
        bool optional = name[0] == '-';
        SysctlFile file;
        int r = find_profile(reader, name + (optional ? 1 : 0), &file);
        if (r < 0)
                return r;
        if (file.error == ENOENT && optional)
                return 0;
        if (file.error != 0 || stack->n == TUNED_DEPTH_MAX ||
            reader->n_seen == TUNED_PROFILES_MAX) {
                miss(reader, file.path, file.error != 0 ? file.error : ELOOP);
                return 0;
        }
        reader->seen[reader->n_seen++] = file.path;

        Part *part = &stack->parts[stack->n];
        *part = (Part){ .name = name, .path = file.path };
        r = parse(reader, &file, part);
        if (r < 0)
                return r;
        const char *include = find_option(part, "main", "include");
        if (include && strchr(include, '$')) {
                miss(reader, file.path, EOPNOTSUPP);
                include = NULL;
        }
        stack->rest[stack->n++] = include ? include : "";
        return 0;
}

/* Depth first: what is included is merged before the part that includes it. */
static int load(Reader *reader, const char *names) {
        Stack *stack = arena_alloc(reader->arena, sizeof(Stack));
        if (!stack)
                return -ENOMEM;
        stack->n = 1; /* [0] is nobody's: the names of active_profile */
        stack->parts[0] = (Part){ 0 };
        stack->rest[0] = names;
        while (stack->n > 0) {
                const char **rest = &stack->rest[stack->n - 1];
                *rest += strspn(*rest, " \t\n,;");
                size_t n = strcspn(*rest, " \t\n,;");
                int r;
                if (n == 0) {
                        r = merge(reader, &stack->parts[stack->n - 1]);
                        stack->n--;
                } else {
                        const char *name = arena_copy_n(reader->arena, *rest, n);
                        *rest += n;
                        r = name ? open_profile(reader, stack, name) : -ENOMEM;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- values --------------------------------------------------------------------------------------------- */

static const char *section_option(const Reader *reader, const char *section, const char *key) {
        const char *found = NULL;
        for (size_t i = 0; i < reader->n_items; i++) {
                const Item *item = &reader->items[i];
                if (!item->dropped && streq(item->section, section) &&
                    streq(item->setting.key, key))
                        found = item->setting.value;
        }
        return found;
}

static bool is_sysctl_section(const Reader *reader, const char *section) {
        const char *type = section_option(reader, section, "type");
        return streq(type ? type : section, "sysctl") &&
               !is_false(section_option(reader, section, "enabled"));
}

/* *ret is NULL when the value is not known. 0 or -ENOMEM. */
static int expand(const Reader *reader, const char *value, const char **ret) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        *ret = NULL;
        if (value[0] == '<' || value[0] == '>')
                return 0;
        for (const char *p = value; *p;) {
                if (startswith(p, "${")) {
                        const char *end = strchr(p, '}');
                        const char *name = end ? arena_copy_n(reader->arena, p + 2,
                                                              (size_t) (end - p - 2))
                                               : NULL;
                        if (end && !name)
                                return -ENOMEM;
                        const char *known = name ? section_option(reader, "variables", name) : NULL;
                        if (!known || strchr(known, '$'))
                                return 0;
                        strbuf_add(&out, known);
                        p = end + 1;
                } else
                        strbuf_add_char(&out, *p++);
                if (out.length > TUNED_VALUE_MAX)
                        return 0;
        }
        *ret = arena_copy(reader->arena, strbuf_text(&out));
        return out.failed || !*ret ? -ENOMEM : 0;
}

/* The plugin's own options beside its keys (tuned/plugins/base.py, instance.py). */
static bool is_plugin_option(const char *key) {
        return !strchr(key, '.') && !strchr(key, '/');
}

static int collect(Reader *reader, TunedState *state) {
        TunedSetting *settings = arena_alloc_array(
                        reader->arena, reader->n_items + 1, sizeof(TunedSetting));
        if (!settings)
                return -ENOMEM;
        for (size_t i = 0; i < reader->n_items; i++) {
                const Item *item = &reader->items[i];
                if (item->dropped || is_plugin_option(item->setting.key) ||
                    !is_sysctl_section(reader, item->section))
                        continue;
                TunedSetting *setting = &settings[state->n_settings++];
                *setting = item->setting;
                char *path = arena_copy(reader->arena, item->setting.key);
                for (char *p = path; p && *p; p++)
                        if (*p == '.')
                                *p = '/';
                setting->key = path;
                if (!path || expand(reader, item->setting.value, &setting->value) < 0)
                        return -ENOMEM;
        }
        state->settings = settings;
        return 0;
}

static int read_main(Reader *reader, TunedState *state) {
        SysctlFile file;
        Part part = { .name = "", .path = "/etc/tuned/tuned-main.conf" };
        int r;
        read_text(reader, part.path, &file, &r);
        if (r >= 0)
                r = parse(reader, &file, &part);
        if (r < 0)
                return r;
        state->reapplies = !is_false(find_option(&part, "", "reapply_sysctl"));
        char link[8];
        state->starts_at_boot =
                        reader->seam->ops->readlink_at(
                                        reader->seam, reader->root_fd,
                                        "etc/systemd/system/multi-user.target.wants/tuned.service",
                                        link, sizeof(link)) >= 0;
        return 0;
}

static int read_profiles(Reader *reader, TunedState *state) {
        SysctlFile active, post;
        int r;
        read_text(reader, "/etc/tuned/active_profile", &active, &r);
        if (r < 0)
                return r;
        if (strspn(active.text, " \t\n") == active.length) {
                if (active.error != 0 && active.error != ENOENT && active.error != ENOTDIR)
                        miss(reader, active.path, active.error);
                return 0;
        }
        read_text(reader, "/etc/tuned/post_loaded_profile", &post, &r);
        const char *names = r < 0 ? NULL
                                  : arena_format(reader->arena, "%s %s", active.text, post.text);
        if (!names)
                return -ENOMEM;
        state->profile = arena_copy_n(reader->arena, active.text, strcspn(active.text, "\n"));
        r = state->profile ? load(reader, names) : -ENOMEM;
        if (r >= 0)
                r = read_main(reader, state);
        return r < 0 ? r : collect(reader, state);
}

int tuned_read(const Seam *seam, int root_fd, Arena *arena, TunedState *ret, Error *reterr) {
        *ret = (TunedState){ .reapplies = true };
        Reader reader = {
                .seam = seam,
                .root_fd = root_fd,
                .arena = arena,
                .budget = SYSCTL_FILE_MAX,
                .state = ret,
        };
        int r = read_profiles(&reader, ret);
        return r < 0 ? error_set(reterr, r, "cannot read the profile of TuneD") : 0;
}

const TunedSetting *tuned_find(const TunedState *state, const char *path) {
        for (size_t i = state->n_settings; i > 0; i--)
                if (streq(state->settings[i - 1].key, path))
                        return &state->settings[i - 1];
        return NULL;
}

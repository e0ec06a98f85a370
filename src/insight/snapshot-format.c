/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/snapshot-format.h"

#include <stdio.h>

#include "insight/sockets-format.h"

#define KERNEL_TEXT_MAX  64U
#define PROFILE_NAME_MAX 255U
#define STRANGE_NAME_MAX 64U

/* --- encoding ------------------------------------------------------------------------------------------- */

static json_t *settings_to_json(const Snapshot *snapshot) {
        json_auto_t *object = json_object();
        for (size_t i = 0; i < snapshot->settings.n_keys; i++) {
                const LiveKey *live = &snapshot->settings.keys[i];
                json_t *text = live->text ? strict_json_text(live->text) : json_null();
                if (json_object_set_new(object, live->spec->key, text) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *counters_to_json(const Snapshot *snapshot) {
        json_auto_t *object = json_object();
        for (SnapshotCounterId id = 0; id < SNAPSHOT_COUNTERS; id++) {
                if (!snapshot->known[id])
                        continue;
                json_t *value = strict_json_u64(snapshot->counters[id]);
                if (json_object_set_new(object, snapshot_counter(id)->name, value) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *sockstat_to_json(const SnapshotSockstat *sockstat) {
        if (!sockstat->known)
                return json_null();
        return json_pack(
                        "{s:o, s:o, s:o, s:o, s:o, s:o}", "in_use_ipv4",
                        strict_json_number(sockstat->in_use[SNAPSHOT_IPV4]), "in_use_ipv6",
                        strict_json_number(sockstat->in_use[SNAPSHOT_IPV6]), "time_wait",
                        strict_json_number(sockstat->time_wait), "orphans",
                        strict_json_number(sockstat->orphans), "allocated",
                        strict_json_number(sockstat->allocated), "memory_pages",
                        strict_json_number(sockstat->memory_pages));
}

static json_t *pool_to_json(const Snapshot *snapshot) {
        static const char *const reuse_names[] = {
                [PORT_REUSE_NONE] = "none",
                [PORT_REUSE_ALL] = "all",
                [PORT_REUSE_LOOPBACK] = "loopback",
        };
        if (!snapshot->has_pool)
                return json_null();
        return json_pack(
                        "{s:i, s:i, s:I, s:s}", "first", (int) snapshot->pool.first, "last",
                        (int) snapshot->pool.last, "ports", (json_int_t) snapshot->pool.size,
                        "reuse", reuse_names[snapshot->pool.reuse]);
}

static json_t *cost_to_json(const SnapshotCost *cost) {
        return json_pack(
                        "{s:o, s:o, s:o}", "sockets", strict_json_number(cost->n_sockets),
                        "wall_us", strict_json_number(cost->wall_us), "cpu_us",
                        strict_json_number(cost->cpu_us));
}

static json_t *strange_to_json(const Snapshot *snapshot) {
        json_auto_t *object = json_object();
        for (size_t i = 0; i < snapshot->n_strange; i++) {
                const char *text = snapshot->strange[i].text;
                json_t *value = text ? strict_json_text(text) : json_null();
                if (json_object_set_new(object, snapshot->strange[i].name, value) < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *enabled_to_json(const SnapshotEnabled *enabled) {
        json_auto_t *keys = json_object();
        for (size_t i = 0; i < enabled->n_keys; i++) {
                const SnapshotEnabledKey *key = &enabled->keys[i];
                json_t *row = json_pack("{s:s}", "profile", key->profile);
                if (strict_json_set_if(
                                    row, "value", key->value,
                                    key->value ? json_string(key->value) : NULL) < 0 ||
                    strict_json_set_if(
                                    row, "origin", key->origin,
                                    key->origin ? json_string(key->origin) : NULL) < 0) {
                        json_decref(row);
                        return NULL;
                }
                if (json_object_set_new(keys, key->spec->key, row) < 0)
                        return NULL;
        }
        return json_pack(
                        "{s:o, s:o}", "netns", strict_json_number(enabled->netns), "keys",
                        TAKE_PTR(keys));
}

static json_t *tracked_to_json(const Snapshot *snapshot) {
        return json_pack(
                        "{s:o, s:o}", "tcp", strict_json_number(snapshot->n_tracked_tcp),
                        "time_wait", strict_json_number(snapshot->n_tracked_time_wait));
}

/* Members that older recordings do not have, and that this one has only when they were asked for. */
static int add_surroundings(json_t *object, const Snapshot *snapshot) {
        bool enabled = snapshot->enabled.known;
        int r = strict_json_set_if(
                        object, "strange", snapshot->knows_strange,
                        snapshot->knows_strange ? strange_to_json(snapshot) : NULL);
        if (r == 0)
                r = strict_json_set_if(
                                object, "enabled", enabled,
                                enabled ? enabled_to_json(&snapshot->enabled) : NULL);
        if (r == 0)
                r = strict_json_set_if(
                                object, "tracked", snapshot->knows_tracked,
                                snapshot->knows_tracked ? tracked_to_json(snapshot) : NULL);
        return r;
}

json_t *snapshot_to_json(const Snapshot *snapshot) {
        char kernel[KERNEL_TEXT_MAX];
        const KernelVersion *version = &snapshot->settings.kernel;
        (void) snprintf(kernel, sizeof(kernel), "%u.%u.%u", version->major, version->minor,
                        version->patch); /* three numbers fit */
        json_t *sockets = snapshot->has_sockets ? sockets_to_json(snapshot) : json_null();
        json_auto_t *object = json_pack(
                        "{s:i, s:I, s:I, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                        "v", SNAPSHOT_FORMAT_VERSION, "time_us", (json_int_t) snapshot->time_us,
                        "monotonic_us", (json_int_t) snapshot->monotonic_us, "netns",
                        strict_json_number(snapshot->netns), "initial_netns",
                        snapshot->settings.initial_netns ? 1 : 0, "kernel", kernel, "page_size",
                        strict_json_number(snapshot->page_size), "memory",
                        strict_json_number(snapshot->memory), "settings",
                        settings_to_json(snapshot), "pool", pool_to_json(snapshot), "sockstat",
                        sockstat_to_json(&snapshot->sockstat), "counters",
                        counters_to_json(snapshot), "sockets", sockets, "cost",
                        cost_to_json(&snapshot->cost));
        return add_surroundings(object, snapshot) < 0 ? NULL : TAKE_PTR(object);
}

/* --- decoding ------------------------------------------------------------------------------------------- */

static int setting_from_json(json_t *value, Arena *arena, LiveKey *live, Error *reterr) {
        live->state = LIVE_ABSENT;
        if (!value || json_is_null(value))
                return 0;
        if (!json_is_string(value) || json_string_length(value) >= SYSCTL_VALUE_TEXT_MAX)
                return error_set(reterr, -EBADMSG, "the value of '%s' is no text", live->spec->key);
        live->text = arena_copy(arena, json_string_value(value));
        if (!live->text)
                return error_set(reterr, -ENOMEM, "cannot keep settings");
        int r = sysctl_value_from_kernel(
                        live->spec, live->text, strlen(live->text), arena, &live->value);
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot keep settings");
        live->state = r < 0 ? LIVE_STRANGE : LIVE_PRESENT;
        return 0;
}

static int settings_from_json(json_t *object, Arena *arena, Snapshot *snapshot, Error *reterr) {
        size_t n = snapshot_setting_count();
        LiveKey *keys = arena_alloc_array(arena, n, sizeof(LiveKey));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot keep settings");
        for (size_t i = 0; i < n; i++) {
                keys[i].spec = snapshot_setting(i);
                int r = setting_from_json(
                                json_object_get(object, keys[i].spec->key), arena, &keys[i],
                                reterr);
                if (r < 0)
                        return r;
        }
        snapshot->settings.keys = keys;
        snapshot->settings.n_keys = n;
        return 0;
}

static int counters_from_json(json_t *object, Snapshot *snapshot, Error *reterr) {
        const char *name;
        json_t *value;
        json_object_foreach(object, name, value) {
                SnapshotCounterId id = snapshot_counter_find(name);
                if (id == SNAPSHOT_COUNTERS)
                        continue;
                json_auto_t *wrapped = json_pack("{s:O}", "counter", value);
                const StrictField field = { .name = "counter",
                                            .kind = STRICT_U64,
                                            .ret = &snapshot->counters[id] };
                int r = wrapped ? strict_json_read(wrapped, &field, 1, reterr)
                                : error_set(reterr, -ENOMEM, "cannot read counters");
                if (r < 0)
                        return error_prefix(reterr, r, "%s", snapshot_counter(id)->name);
                snapshot->known[id] = true;
        }
        return 0;
}

static int sockstat_from_json(json_t *object, SnapshotSockstat *ret, Error *reterr) {
        if (json_is_null(object))
                return 0;
        const StrictField fields[] = {
                { .name = "in_use_ipv4",
                  .kind = STRICT_NUMBER,
                  .ret = &ret->in_use[SNAPSHOT_IPV4] },
                { .name = "in_use_ipv6",
                  .kind = STRICT_NUMBER,
                  .ret = &ret->in_use[SNAPSHOT_IPV6] },
                { .name = "time_wait", .kind = STRICT_NUMBER, .ret = &ret->time_wait },
                { .name = "orphans", .kind = STRICT_NUMBER, .ret = &ret->orphans },
                { .name = "allocated", .kind = STRICT_NUMBER, .ret = &ret->allocated },
                { .name = "memory_pages", .kind = STRICT_NUMBER, .ret = &ret->memory_pages },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'sockstat'");
        ret->known = true;
        return 0;
}

static int cost_from_json(json_t *object, SnapshotCost *ret, Error *reterr) {
        const StrictField fields[] = {
                { .name = "sockets", .kind = STRICT_NUMBER, .ret = &ret->n_sockets },
                { .name = "wall_us", .kind = STRICT_NUMBER, .ret = &ret->wall_us },
                { .name = "cpu_us", .kind = STRICT_NUMBER, .ret = &ret->cpu_us },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        return r < 0 ? error_prefix(reterr, r, "member 'cost'") : 0;
}

/* Names and values were read by whoever recorded them, and will be printed. */
static int strange_key_from_json(
                const char *name, json_t *value, Arena *arena, SnapshotStrange *ret,
                Error *reterr) {
        const char *text = json_string_value(value);
        size_t n_name = strlen(name), n_text = json_string_length(value);
        if (n_name > STRANGE_NAME_MAX || !strict_json_is_text(name, n_name) ||
            (text && (n_text >= SYSCTL_VALUE_TEXT_MAX || !strict_json_is_text(text, n_text))) ||
            (!text && !json_is_null(value)))
                return error_set(reterr, -EBADMSG, "a member of 'strange' is no text");
        ret->name = arena_copy(arena, name);
        ret->text = text ? arena_copy(arena, text) : NULL;
        if (!ret->name || (text && !ret->text))
                return error_set(reterr, -ENOMEM, "cannot keep settings");
        return 0;
}

static int strange_from_json(json_t *object, Arena *arena, Snapshot *snapshot, Error *reterr) {
        SnapshotStrange *keys = arena_alloc_array(
                        arena, json_object_size(object), sizeof(SnapshotStrange));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot keep settings");
        const char *name;
        json_t *value;
        size_t n = 0;
        json_object_foreach(object, name, value) {
                int r = strange_key_from_json(name, value, arena, &keys[n++], reterr);
                if (r < 0)
                        return r;
        }
        snapshot->strange = keys;
        snapshot->n_strange = n;
        snapshot->knows_strange = true;
        return 0;
}

static int enabled_key_from_json(
                json_t *object, Arena *arena, SnapshotEnabledKey *ret, Error *reterr) {
        const StrictField fields[] = {
                { .name = "profile",
                  .kind = STRICT_TEXT,
                  .max = PROFILE_NAME_MAX,
                  .ret = &ret->profile },
                { .name = "value",
                  .kind = STRICT_TEXT,
                  .max = SYSCTL_VALUE_TEXT_MAX,
                  .optional = true,
                  .ret = &ret->value },
                { .name = "origin",
                  .kind = STRICT_TEXT,
                  .max = SYSCTL_VALUE_TEXT_MAX,
                  .optional = true,
                  .ret = &ret->origin },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "a key of 'enabled'");
        bool has_value = ret->value, has_origin = ret->origin;
        ret->profile = arena_copy(arena, ret->profile);
        ret->value = has_value ? arena_copy(arena, ret->value) : NULL;
        ret->origin = has_origin ? arena_copy(arena, ret->origin) : NULL;
        bool is_kept = ret->profile && (ret->value || !has_value) && (ret->origin || !has_origin);
        return is_kept ? 0 : error_set(reterr, -ENOMEM, "cannot keep settings");
}

/* Keys that this program does not know are passed over, as those of 'settings'. */
static int enabled_from_json(json_t *object, Arena *arena, SnapshotEnabled *ret, Error *reterr) {
        json_t *rows = NULL;
        const StrictField fields[] = {
                { .name = "netns", .kind = STRICT_NUMBER, .ret = &ret->netns },
                { .name = "keys", .kind = STRICT_OBJECT, .ret = &rows },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'enabled'");
        SnapshotEnabledKey *keys = arena_alloc_array(
                        arena, json_object_size(rows), sizeof(SnapshotEnabledKey));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot keep settings");
        const char *name;
        json_t *row;
        json_object_foreach(rows, name, row) {
                SnapshotEnabledKey *key = &keys[ret->n_keys];
                key->spec = catalogue_find(name);
                if (!key->spec)
                        continue;
                r = enabled_key_from_json(row, arena, key, reterr);
                if (r < 0)
                        return r;
                ret->n_keys++;
        }
        ret->keys = keys;
        ret->known = true;
        return 0;
}

static int tracked_from_json(json_t *object, Snapshot *snapshot, Error *reterr) {
        const StrictField fields[] = {
                { .name = "tcp", .kind = STRICT_NUMBER, .ret = &snapshot->n_tracked_tcp },
                { .name = "time_wait",
                  .kind = STRICT_NUMBER,
                  .ret = &snapshot->n_tracked_time_wait },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'tracked'");
        snapshot->knows_tracked = true;
        return 0;
}

/* The members that are objects. Those of the second line may be missing. */
typedef struct Parts {
        json_t *settings, *sockstat, *counters, *sockets, *cost;
        json_t *strange, *enabled, *tracked;
} Parts;

static int surroundings_from_json(
                const Parts *parts, Arena *arena, Snapshot *snapshot, Error *reterr) {
        int r = 0;
        if (parts->strange)
                r = strange_from_json(parts->strange, arena, snapshot, reterr);
        if (r == 0 && parts->enabled)
                r = enabled_from_json(parts->enabled, arena, &snapshot->enabled, reterr);
        if (r == 0 && parts->tracked)
                r = tracked_from_json(parts->tracked, snapshot, reterr);
        return r;
}

static int parts_from_json(const Parts *parts, Arena *arena, Snapshot *snapshot, Error *reterr) {
        int r = settings_from_json(parts->settings, arena, snapshot, reterr);
        if (r < 0)
                return r;
        snapshot_set_pool(snapshot);
        r = counters_from_json(parts->counters, snapshot, reterr);
        if (r == 0)
                r = sockstat_from_json(parts->sockstat, &snapshot->sockstat, reterr);
        if (r == 0)
                r = cost_from_json(parts->cost, &snapshot->cost, reterr);
        if (r == 0)
                r = surroundings_from_json(parts, arena, snapshot, reterr);
        if (r < 0 || json_is_null(parts->sockets))
                return r;
        r = sockets_from_json(parts->sockets, arena, &snapshot->sockets, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'sockets'");
        snapshot->has_sockets = true;
        return 0;
}

int snapshot_from_json(json_t *object, Arena *arena, Snapshot *ret, Error *reterr) {
        int r = strict_json_check_version(object, SNAPSHOT_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;
        Snapshot snapshot = { 0 };
        Parts parts = { 0 };
        const char *kernel = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER },
                { .name = "time_us", .kind = STRICT_INTEGER, .ret = &snapshot.time_us },
                { .name = "monotonic_us", .kind = STRICT_INTEGER, .ret = &snapshot.monotonic_us },
                { .name = "netns", .kind = STRICT_NUMBER, .ret = &snapshot.netns },
                { .name = "initial_netns",
                  .kind = STRICT_BOOL,
                  .ret = &snapshot.settings.initial_netns },
                { .name = "kernel", .kind = STRICT_TEXT, .max = KERNEL_TEXT_MAX, .ret = &kernel },
                { .name = "page_size", .kind = STRICT_NUMBER, .ret = &snapshot.page_size },
                { .name = "memory", .kind = STRICT_NUMBER, .ret = &snapshot.memory },
                { .name = "settings", .kind = STRICT_OBJECT, .ret = &parts.settings },
                { .name = "pool", .kind = STRICT_ANY, .optional = true },
                { .name = "sockstat", .kind = STRICT_ANY, .ret = &parts.sockstat },
                { .name = "counters", .kind = STRICT_OBJECT, .ret = &parts.counters },
                { .name = "sockets", .kind = STRICT_ANY, .ret = &parts.sockets },
                { .name = "cost", .kind = STRICT_OBJECT, .ret = &parts.cost },
                { .name = "rates", .kind = STRICT_ANY, .optional = true },
                { .name = "strange",
                  .kind = STRICT_OBJECT,
                  .optional = true,
                  .ret = &parts.strange },
                { .name = "enabled",
                  .kind = STRICT_OBJECT,
                  .optional = true,
                  .ret = &parts.enabled },
                { .name = "tracked",
                  .kind = STRICT_OBJECT,
                  .optional = true,
                  .ret = &parts.tracked },
        };
        r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;
        if (kernel_version_parse(kernel, &snapshot.settings.kernel) < 0)
                return error_set(reterr, -EBADMSG, "member 'kernel' is no version");
        r = parts_from_json(&parts, arena, &snapshot, reterr);
        if (r == 0)
                *ret = snapshot;
        return r;
}

int snapshot_decode(const char *bytes, size_t n, Arena *arena, Snapshot *ret, Error *reterr) {
        json_auto_t *document = NULL;
        int r = strict_json_parse(bytes, n, SNAPSHOT_FORMAT_MAX_BYTES, &document, reterr);
        if (r < 0)
                return r;
        json_t *result = json_object_get(document, "result");
        return snapshot_from_json(result ? result : document, arena, ret, reterr);
}

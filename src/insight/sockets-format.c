/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/sockets-format.h"

#include <arpa/inet.h>

static_assert(TCP_ADDRESS_TEXT_MAX == INET6_ADDRSTRLEN, "the longest address fits");

/* Three of them still add up in 32 bits. */
#define COUNT_MAX ((uint64_t) INT32_MAX / 2)

static const char *const family_names[SNAPSHOT_FAMILIES] = {
        [SNAPSHOT_IPV4] = "ipv4",
        [SNAPSHOT_IPV6] = "ipv6",
};

static const char *const side_names[SNAPSHOT_SIDES] = {
        [SNAPSHOT_OUTGOING] = "outgoing",
        [SNAPSHOT_INCOMING] = "incoming",
        [SNAPSHOT_STRAY] = "stray",
};

const char *snapshot_side_name(SnapshotSide side) {
        assert((size_t) side < SNAPSHOT_SIDES);
        return side_names[side];
}

static SnapshotSide side_find(const char *name) {
        for (SnapshotSide side = 0; side < SNAPSHOT_SIDES; side++)
                if (streq(side_names[side], name))
                        return side;
        return SNAPSHOT_SIDES;
}

/* --- addresses ------------------------------------------------------------------------------------------ */

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

void tcp_address_to_text(const TcpAddress *address, char ret[TCP_ADDRESS_TEXT_MAX]) {
        bool is_mapped = memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
        const char *text = is_mapped ? inet_ntop(AF_INET, address->bytes + sizeof(mapped_prefix),
                                                 ret, TCP_ADDRESS_TEXT_MAX)
                                     : inet_ntop(AF_INET6, address->bytes, ret,
                                                 TCP_ADDRESS_TEXT_MAX);
        assert(text); /* the buffer is large enough */
}

int tcp_address_from_text(const char *text, TcpAddress *ret) {
        TcpAddress address = { 0 };
        memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
        if (inet_pton(AF_INET, text, address.bytes + sizeof(mapped_prefix)) != 1 &&
            inet_pton(AF_INET6, text, address.bytes) != 1)
                return -EINVAL;
        *ret = address;
        return 0;
}

/* --- numbers -------------------------------------------------------------------------------------------- */

typedef struct CountRow {
        const char *name;
        size_t offset; /* of a uint32_t */
} CountRow;

#define USE_ROW(field, name) \
        { name, offsetof(SnapshotUse, field) }
static const CountRow use_rows[] = {
        USE_ROW(n_time_wait, "time_wait"),
        USE_ROW(n_fin_wait2, "orphans_fin_wait2"),
        USE_ROW(n_other, "other"),
        USE_ROW(n_recent, "time_wait_recent"),
        USE_ROW(n_reusable, "time_wait_reusable"),
};

#define LISTENER_ROW(field, name) \
        { name, offsetof(SnapshotListener, field) }
static const CountRow listener_rows[] = {
        LISTENER_ROW(n_sockets, "sockets"),
        LISTENER_ROW(queue, "queue"),
        LISTENER_ROW(queue_limit, "queue_limit"),
        LISTENER_ROW(uid, "uid"),
};

#define WHOLE_ROW(field) \
        { #field, offsetof(SnapshotSockets, field) }
static const CountRow whole_rows[] = {
        { "buckets", offsetof(SnapshotSockets, n_buckets) },
        { "pool_ports_taken", offsetof(SnapshotSockets, n_pool_ports_taken) },
        { "all_tuples", offsetof(SnapshotSockets, n_all_tuples) },
        { "all_listeners", offsetof(SnapshotSockets, n_all_listeners) },
        WHOLE_ROW(tuples_error),
        WHOLE_ROW(holders_error),
};

static uint32_t *field_of(const CountRow *row, void *object) {
        return (uint32_t *) (void *) ((char *) object + row->offset);
}

static int add_counts(json_t *object, const CountRow *rows, size_t n_rows, const void *counts) {
        for (size_t i = 0; i < n_rows; i++) {
                uint32_t value;
                memcpy(&value, (const char *) counts + rows[i].offset, sizeof(value));
                if (json_object_set_new(object, rows[i].name, json_integer(value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int take_count(
                uint64_t number, uint64_t max, const char *name, uint32_t *ret, Error *reterr) {
        if (number > max)
                return error_set(reterr, -EBADMSG, "member '%s' is too large", name);
        *ret = (uint32_t) number;
        return 0;
}

/* What else an object has beside its rows. */
typedef struct Others {
        const StrictField *fields;
        size_t n;
} Others;

#define OTHERS(fields) (&(Others){ (fields), ELEMENTSOF(fields) })

/* The rows, and what else the object has (NULL: nothing). At most 16 of both. */
static int read_counts(
                json_t *object, const CountRow *rows, size_t n_rows, const Others *others,
                void *counts, Error *reterr) {
        enum { MOST = 16 };
        uint64_t numbers[MOST];
        StrictField fields[MOST] = { 0 };
        size_t n_others = others ? others->n : 0;
        assert(n_rows + n_others <= MOST);
        for (size_t i = 0; i < n_rows; i++)
                fields[i] = (StrictField){ .name = rows[i].name,
                                           .kind = STRICT_NUMBER,
                                           .ret = &numbers[i] };
        for (size_t i = 0; i < n_others; i++)
                fields[n_rows + i] = others->fields[i];
        int r = strict_json_read(object, fields, n_rows + n_others, reterr);
        for (size_t i = 0; r == 0 && i < n_rows; i++) {
                /* user ids go up to the last number but one */
                uint64_t max = streq(rows[i].name, "uid") ? UINT32_MAX : COUNT_MAX;
                r = take_count(numbers[i], max, rows[i].name, field_of(&rows[i], counts), reterr);
        }
        return r;
}

/* --- encoding ------------------------------------------------------------------------------------------- */

static json_t *use_to_json(const SnapshotUse *use) {
        json_auto_t *object = json_object();
        if (!object || add_counts(object, use_rows, ELEMENTSOF(use_rows), use) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *states_to_json(const SnapshotSockets *sockets) {
        json_auto_t *object = json_object();
        for (SnapshotFamily family = 0; family < SNAPSHOT_FAMILIES; family++) {
                json_t *states = json_object();
                if (json_object_set_new(object, family_names[family], states) < 0)
                        return NULL;
                for (TcpState s = TCP_STATE_ESTABLISHED; s < TCP_STATE_NEW_SYN_RECV; s++)
                        if (json_object_set_new(
                                            states, tcp_state_name(s),
                                            json_integer(sockets->states[family][s])) < 0)
                                return NULL;
        }
        return TAKE_PTR(object);
}

static json_t *sides_to_json(const SnapshotSockets *sockets) {
        json_auto_t *object = json_object();
        for (SnapshotSide side = 0; side < SNAPSHOT_SIDES; side++)
                if (json_object_set_new(
                                    object, side_names[side], use_to_json(&sockets->sides[side])) <
                    0)
                        return NULL;
        return TAKE_PTR(object);
}

static json_t *tuple_to_json(const Snapshot *snapshot, const SnapshotTuple *tuple) {
        char local[TCP_ADDRESS_TEXT_MAX], remote[TCP_ADDRESS_TEXT_MAX];
        tcp_address_to_text(&tuple->local, local);
        tcp_address_to_text(&tuple->remote, remote);
        json_auto_t *object = json_pack(
                        "{s:s, s:s, s:i}", "local", local, "remote", remote, "port",
                        (int) tuple->remote_port);
        if (!object || add_counts(object, use_rows, ELEMENTSOF(use_rows), &tuple->use) < 0)
                return NULL;
        json_t *level = snapshot->has_pool ? json_integer(snapshot_use_level(snapshot, &tuple->use))
                                           : json_null();
        return json_object_set_new(object, "use_per_mille", level) < 0 ? NULL : TAKE_PTR(object);
}

static json_t *listener_to_json(const SnapshotListener *listener) {
        json_auto_t *object = json_pack("{s:i}", "port", (int) listener->port);
        if (!object || add_counts(object, listener_rows, ELEMENTSOF(listener_rows), listener) < 0 ||
            add_counts(object, use_rows, ELEMENTSOF(use_rows), &listener->use) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *holder_to_json(const SnapshotHolder *holder) {
        return json_pack(
                        "{s:I, s:s, s:i, s:I}", "uid", (json_int_t) holder->uid, "side",
                        side_names[holder->side], "port", (int) holder->port, "close_wait",
                        (json_int_t) holder->n_close_wait);
}

static int add_lists(json_t *object, const Snapshot *snapshot) {
        const SnapshotSockets *sockets = &snapshot->sockets;
        json_t *tuples = json_array(), *listeners = json_array(), *holders = json_array();
        /* a list that is NULL makes its member fail, and a member that failed is owned by nobody */
        int r = json_object_set_new(object, "tuples", tuples) |
                json_object_set_new(object, "listeners", listeners) |
                json_object_set_new(object, "holders", holders);
        for (size_t i = 0; r == 0 && i < sockets->n_tuples; i++)
                r = json_array_append_new(tuples, tuple_to_json(snapshot, &sockets->tuples[i]));
        for (size_t i = 0; r == 0 && i < sockets->n_listeners; i++)
                r = json_array_append_new(listeners, listener_to_json(&sockets->listeners[i]));
        for (size_t i = 0; r == 0 && i < sockets->n_holders; i++)
                r = json_array_append_new(holders, holder_to_json(&sockets->holders[i]));
        return r == 0 ? 0 : -ENOMEM;
}

json_t *sockets_to_json(const Snapshot *snapshot) {
        const SnapshotSockets *sockets = &snapshot->sockets;
        json_auto_t *object = json_pack(
                        "{s:o, s:o}", "states", states_to_json(sockets), "sides",
                        sides_to_json(sockets));
        if (!object || add_counts(object, whole_rows, ELEMENTSOF(whole_rows), sockets) < 0 ||
            add_lists(object, snapshot) < 0)
                return NULL;
        return TAKE_PTR(object);
}

/* --- decoding ------------------------------------------------------------------------------------------- */

static int states_from_json(json_t *object, SnapshotSockets *ret, Error *reterr) {
        for (SnapshotFamily family = 0; family < SNAPSHOT_FAMILIES; family++) {
                json_t *states = json_object_get(object, family_names[family]), *value;
                if (!json_is_object(states))
                        return error_set(
                                        reterr, -EBADMSG, "no states of '%s'",
                                        family_names[family]);
                const char *name;
                json_object_foreach(states, name, value) {
                        TcpState state = tcp_state_find(name);
                        if (state == TCP_STATES || !json_is_integer(value) ||
                            json_integer_value(value) < 0 ||
                            (uint64_t) json_integer_value(value) > COUNT_MAX)
                                return error_set(reterr, -EBADMSG, "a state is not understood");
                        ret->states[family][state] = (uint32_t) json_integer_value(value);
                }
        }
        return 0;
}

static int sides_from_json(json_t *object, SnapshotSockets *ret, Error *reterr) {
        for (SnapshotSide side = 0; side < SNAPSHOT_SIDES; side++) {
                int r = read_counts(
                                json_object_get(object, side_names[side]), use_rows,
                                ELEMENTSOF(use_rows), NULL, &ret->sides[side], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "member '%s'", side_names[side]);
        }
        return 0;
}

static int read_port(uint64_t number, uint16_t *ret, Error *reterr) {
        if (number > UINT16_MAX)
                return error_set(reterr, -EBADMSG, "a port is too large");
        *ret = (uint16_t) number;
        return 0;
}

static int tuple_from_json(json_t *object, void *ret, Error *reterr) {
        SnapshotTuple *tuple = ret;
        const char *local = NULL, *remote = NULL;
        uint64_t port = 0;
        const StrictField others[] = {
                { .name = "local",
                  .kind = STRICT_TEXT,
                  .max = TCP_ADDRESS_TEXT_MAX,
                  .ret = &local },
                { .name = "remote",
                  .kind = STRICT_TEXT,
                  .max = TCP_ADDRESS_TEXT_MAX,
                  .ret = &remote },
                { .name = "port", .kind = STRICT_NUMBER, .ret = &port },
                { .name = "use_per_mille", .kind = STRICT_ANY, .optional = true },
        };
        int r = read_counts(
                        object, use_rows, ELEMENTSOF(use_rows), OTHERS(others), &tuple->use,
                        reterr);
        if (r < 0)
                return r;
        if (tcp_address_from_text(local, &tuple->local) < 0 ||
            tcp_address_from_text(remote, &tuple->remote) < 0)
                return error_set(reterr, -EBADMSG, "an address is not understood");
        return read_port(port, &tuple->remote_port, reterr);
}

static int listener_from_json(json_t *object, void *ret, Error *reterr) {
        SnapshotListener *listener = ret;
        uint64_t port = 0;
        uint64_t numbers[ELEMENTSOF(use_rows)];
        StrictField others[ELEMENTSOF(use_rows) + 1];
        for (size_t i = 0; i < ELEMENTSOF(use_rows); i++)
                others[i] = (StrictField){ .name = use_rows[i].name,
                                           .kind = STRICT_NUMBER,
                                           .ret = &numbers[i] };
        others[ELEMENTSOF(use_rows)] = (StrictField){ .name = "port",
                                                      .kind = STRICT_NUMBER,
                                                      .ret = &port };
        int r = read_counts(
                        object, listener_rows, ELEMENTSOF(listener_rows), OTHERS(others), listener,
                        reterr);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(use_rows); i++)
                r = take_count(numbers[i], COUNT_MAX, use_rows[i].name,
                               field_of(&use_rows[i], &listener->use), reterr);
        return r < 0 ? r : read_port(port, &listener->port, reterr);
}

static int holder_from_json(json_t *object, void *ret, Error *reterr) {
        SnapshotHolder *holder = ret;
        uint64_t uid = 0, port = 0, n = 0;
        const char *side = NULL;
        const StrictField fields[] = {
                { .name = "uid", .kind = STRICT_NUMBER, .ret = &uid },
                { .name = "side", .kind = STRICT_WORD, .max = 16, .ret = &side },
                { .name = "port", .kind = STRICT_NUMBER, .ret = &port },
                { .name = "close_wait", .kind = STRICT_NUMBER, .ret = &n },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r == 0)
                r = take_count(uid, UINT32_MAX, "uid", &holder->uid, reterr);
        if (r == 0)
                r = take_count(n, COUNT_MAX, "close_wait", &holder->n_close_wait, reterr);
        if (r < 0)
                return r;
        holder->side = side_find(side);
        if (holder->side == SNAPSHOT_SIDES)
                return error_set(reterr, -EBADMSG, "member 'side' is not understood");
        return read_port(port, &holder->port, reterr);
}

/* The rows of an array; NULL when one is wrong or memory ran out, with *ret_r set. */
static void *rows_from_json(
                json_t *array, size_t size, int (*read)(json_t *, void *, Error *), Arena *arena,
                int *ret_r, Error *reterr) {
        size_t n = json_array_size(array);
        char *rows = arena_alloc_array(arena, n + 1, size);
        if (!rows) {
                *ret_r = error_set(reterr, -ENOMEM, "cannot keep sockets");
                return NULL;
        }
        for (size_t i = 0; i < n; i++) {
                *ret_r = read(json_array_get(array, i), rows + i * size, reterr);
                if (*ret_r < 0)
                        return NULL;
        }
        return rows;
}

static int lists_from_json(
                json_t *tuples, json_t *listeners, json_t *holders, Arena *arena,
                SnapshotSockets *ret, Error *reterr) {
        int r = 0;
        ret->tuples = rows_from_json(
                        tuples, sizeof(SnapshotTuple), tuple_from_json, arena, &r, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'tuples'");
        ret->listeners = rows_from_json(
                        listeners, sizeof(SnapshotListener), listener_from_json, arena, &r, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'listeners'");
        ret->holders = rows_from_json(
                        holders, sizeof(SnapshotHolder), holder_from_json, arena, &r, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "member 'holders'");
        ret->n_tuples = json_array_size(tuples);
        ret->n_listeners = json_array_size(listeners);
        ret->n_holders = json_array_size(holders);
        return 0;
}

int sockets_from_json(json_t *object, Arena *arena, SnapshotSockets *ret, Error *reterr) {
        json_t *states = NULL, *sides = NULL, *tuples = NULL, *listeners = NULL, *holders = NULL;
        const StrictField others[] = {
                { .name = "states", .kind = STRICT_OBJECT, .ret = &states },
                { .name = "sides", .kind = STRICT_OBJECT, .ret = &sides },
                { .name = "tuples", .kind = STRICT_ARRAY, .max = SNAPSHOT_TUPLES, .ret = &tuples },
                { .name = "listeners",
                  .kind = STRICT_ARRAY,
                  .max = SNAPSHOT_LISTENERS,
                  .ret = &listeners },
                { .name = "holders",
                  .kind = STRICT_ARRAY,
                  .max = SNAPSHOT_HOLDERS,
                  .ret = &holders },
        };
        SnapshotSockets sockets = { 0 };
        int r = read_counts(
                        object, whole_rows, ELEMENTSOF(whole_rows), OTHERS(others), &sockets,
                        reterr);
        if (r == 0)
                r = states_from_json(states, &sockets, reterr);
        if (r == 0)
                r = sides_from_json(sides, &sockets, reterr);
        if (r == 0)
                r = lists_from_json(tuples, listeners, holders, arena, &sockets, reterr);
        if (r == 0)
                *ret = sockets;
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-disk.h"

/* glibc's own names for its allocator: the tests put another one before them for the process that is killed. */
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

void *sim_realloc(void *p, size_t n) {
        void *q = __libc_realloc(p, n);
        SIM_MUST(q);
        return q;
}

void sim_free(void *p) {
        __libc_free(p);
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

void sim_text_free(SimText *text) {
        sim_free(text->bytes);
        *text = (SimText){ 0 };
}

SimText sim_text_copy(const SimText *text) {
        SimText copy = *text;
        copy.bytes = text->length > 0 ? sim_realloc(NULL, text->length) : NULL;
        if (text->length > 0)
                memcpy(copy.bytes, text->bytes, text->length);
        return copy;
}

void sim_text_write(SimText *text, const void *bytes, size_t n, size_t offset) {
        if (offset + n > text->length) {
                text->bytes = sim_realloc(text->bytes, offset + n);
                if (offset > text->length)
                        memset(text->bytes + text->length, 0, offset - text->length);
                text->length = offset + n;
        }
        if (n > 0)
                memcpy(text->bytes + offset, bytes, n);
        if (text->size < text->length)
                text->size = text->length;
}

static void text_resize(SimText *text, size_t size) {
        text->size = size;
        if (text->length > size)
                text->length = size;
}

/* --- names ------------------------------------------------------------------------------------------------------ */

SimEntry sim_entry_make(const char *name, int node) {
        SimEntry entry = { .node = node };
        SIM_MUST(strlen(name) < sizeof(entry.name));
        (void) snprintf(entry.name, sizeof(entry.name), "%s", name);
        return entry;
}

SimEntry *sim_names_find(const SimNames *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (streq(names->entries[i].name, name))
                        return &names->entries[i];
        return NULL;
}

static void names_add(SimNames *names, const SimEntry *entry) {
        SimEntry *old = sim_names_find(names, entry->name);
        if (!old) {
                names->entries = sim_realloc(names->entries, (names->n + 1) * sizeof(SimEntry));
                old = &names->entries[names->n++];
        }
        *old = *entry;
}

static void names_delete(SimNames *names, const char *name) {
        SimEntry *entry = sim_names_find(names, name);
        if (entry)
                *entry = names->entries[--names->n];
}

static void names_free(SimNames *names) {
        sim_free(names->entries);
        *names = (SimNames){ 0 };
}

static SimNames names_copy(const SimNames *names) {
        SimNames copy = { 0 };
        for (size_t i = 0; i < names->n; i++)
                names_add(&copy, &names->entries[i]);
        return copy;
}

/* --- nodes ------------------------------------------------------------------------------------------------------ */

static void node_forget_ops(SimNode *node) {
        for (size_t i = 0; i < node->n_ops; i++)
                sim_text_free(&node->ops[i].text);
        sim_free(node->ops);
        node->ops = NULL;
        node->n_ops = 0;
}

static void node_free(SimNode *node) {
        node_forget_ops(node);
        sim_text_free(&node->now);
        sim_text_free(&node->durable);
        names_free(&node->names);
        names_free(&node->durable_names);
        *node = (SimNode){ 0 };
}

static void op_apply(const SimOp *op, SimText *text, SimNames *names) {
        switch (op->kind) {
        case SIM_OP_WRITE:
                sim_text_write(text, op->text.bytes, op->text.length, op->offset);
                break;
        case SIM_OP_RESIZE:
                text_resize(text, op->offset);
                break;
        case SIM_OP_ADD:
                names_add(names, &op->entry);
                break;
        case SIM_OP_DELETE:
                names_delete(names, op->entry.name);
                break;
        case SIM_OP_EXCHANGE:
        default:
                names_delete(names, op->from);
                names_add(names, &op->entry);
                break;
        }
}

static void node_remember(SimNode *node, const SimOp *op) {
        node->ops = sim_realloc(node->ops, (node->n_ops + 1) * sizeof(SimOp));
        node->ops[node->n_ops++] = *op;
}

void sim_node_do(SimNode *node, SimOp op) {
        op_apply(&op, &node->now, &node->names);
        if (node->is_volatile)
                sim_text_free(&op.text);
        else
                node_remember(node, &op);
}

void sim_node_flush(SimNode *node) {
        for (size_t i = 0; i < node->n_ops; i++)
                op_apply(&node->ops[i], &node->durable, &node->durable_names);
        node_forget_ops(node);
}

static SimNode node_copy(const SimNode *node) {
        SimNode copy = *node;
        copy.now = sim_text_copy(&node->now);
        copy.durable = sim_text_copy(&node->durable);
        copy.names = names_copy(&node->names);
        copy.durable_names = names_copy(&node->durable_names);
        copy.ops = NULL;
        copy.n_ops = 0;
        for (size_t i = 0; i < node->n_ops; i++) {
                SimOp op = node->ops[i];
                op.text = sim_text_copy(&op.text);
                node_remember(&copy, &op);
        }
        return copy;
}

/* --- the machine ------------------------------------------------------------------------------------------------ */

static void mark_names(const SimNames *names, bool *used) {
        for (size_t i = 0; i < names->n; i++)
                used[names->entries[i].node] = true;
}

/* Frees what no name and no descriptor leads to any more. */
static void disk_collect(SimDisk *disk) {
        bool used[SIM_NODES] = { true };
        for (size_t i = 0; i < SIM_FDS; i++)
                if (disk->fds[i].node >= 0)
                        used[disk->fds[i].node] = true;
        for (size_t i = 0; i < SIM_NODES; i++) {
                const SimNode *node = &disk->nodes[i];
                mark_names(&node->names, used);
                mark_names(&node->durable_names, used);
                for (size_t k = 0; k < node->n_ops; k++)
                        used[node->ops[k].entry.node] = true;
        }
        for (size_t i = 1; i < SIM_NODES; i++)
                if (!used[i] && disk->nodes[i].kind != SIM_FREE)
                        node_free(&disk->nodes[i]);
}

static int disk_take_node(SimDisk *disk) {
        for (int i = 1; i < (int) SIM_NODES; i++)
                if (disk->nodes[i].kind == SIM_FREE)
                        return i;
        return -1;
}

int sim_node_new(SimDisk *disk, SimKind kind, mode_t mode, bool is_volatile) {
        int i = disk_take_node(disk);
        if (i < 0) {
                disk_collect(disk);
                i = disk_take_node(disk);
        }
        SIM_MUST(i > 0);
        disk->nodes[i] = (SimNode){ .kind = kind, .mode = mode, .is_volatile = is_volatile };
        return i;
}

static void disk_forget_seen(SimDisk *disk) {
        for (size_t i = 0; i < SIM_NODES; i++) {
                sim_free(disk->seen[i]);
                disk->seen[i] = NULL;
        }
}

void sim_disk_close_all(SimDisk *disk) {
        for (size_t i = 0; i < SIM_FDS; i++)
                disk->fds[i] = (SimFd){ .node = -1 };
        disk->n_calls = disk->n_changes = disk->at = disk->touch_at = 0;
        disk->written = -1;
        disk->lying = false;
        if (disk->plant != SIM_PLANT_BLIND_RESTORE)
                disk_forget_seen(disk);
}

SimDisk *sim_disk_new(void) {
        SimDisk *disk = sim_realloc(NULL, sizeof(SimDisk));
        *disk = (SimDisk){ .nodes = sim_realloc(NULL, SIM_NODES * sizeof(SimNode)) };
        memset(disk->nodes, 0, SIM_NODES * sizeof(SimNode));
        disk->nodes[0] = (SimNode){ .kind = SIM_DIR, .mode = S_IFDIR | 0755 };
        sim_disk_close_all(disk);
        return disk;
}

SimDisk *sim_disk_copy(const SimDisk *disk) {
        SimDisk *copy = sim_realloc(NULL, sizeof(SimDisk));
        *copy = *disk;
        copy->nodes = sim_realloc(NULL, SIM_NODES * sizeof(SimNode));
        for (size_t i = 0; i < SIM_NODES; i++)
                copy->nodes[i] = node_copy(&disk->nodes[i]);
        for (size_t i = 0; i < SIM_NODES; i++) {
                size_t n = disk->seen[i] ? strlen(disk->seen[i]) + 1 : 0;
                copy->seen[i] = n > 0 ? memcpy(sim_realloc(NULL, n), disk->seen[i], n) : NULL;
        }
        return copy;
}

SimDisk *sim_disk_free(SimDisk *disk) {
        if (!disk)
                return NULL;
        disk_forget_seen(disk);
        for (size_t i = 0; i < SIM_NODES; i++)
                node_free(&disk->nodes[i]);
        sim_free(disk->nodes);
        sim_free(disk);
        return NULL;
}

/* --- paths ------------------------------------------------------------------------------------------------------ */

static int parent_of(const SimDisk *disk, int node) {
        for (int i = 0; i < (int) SIM_NODES; i++)
                for (size_t k = 0; k < disk->nodes[i].names.n; k++)
                        if (disk->nodes[i].names.entries[k].node == node)
                                return i;
        return 0;
}

/* The directory of the last part, and that part. */
static int walk(const SimDisk *disk, int node, const char *path, char last[static SIM_NAME_SIZE]) {
        for (;;) {
                path += strspn(path, "/");
                size_t n = strcspn(path, "/");
                SIM_MUST(n < SIM_NAME_SIZE);
                memcpy(last, path, n);
                last[n] = '\0';
                path += n;
                if (path[strspn(path, "/")] == '\0')
                        return node;

                const SimEntry *entry = sim_names_find(&disk->nodes[node].names, last);
                if (!entry)
                        return -ENOENT;
                node = entry->node;
                if (disk->nodes[node].kind != SIM_DIR)
                        return -ENOTDIR;
        }
}

int sim_find(const SimDisk *disk, int from, const char *path, int *ret_dir,
             char last[static SIM_NAME_SIZE]) {
        int dir = walk(disk, from, path, last);
        *ret_dir = dir;
        if (dir < 0)
                return dir;
        if (last[0] == '\0' || streq(last, "."))
                return dir;
        if (streq(last, ".."))
                return parent_of(disk, dir);
        const SimEntry *entry = sim_names_find(&disk->nodes[dir].names, last);
        return entry ? entry->node : -ENOENT;
}

/* Makes the directories on the way, durable. */
static int make_parent(SimDisk *disk, const char *path, char last[static SIM_NAME_SIZE]) {
        int dir = 0;
        for (const char *rest = path;;) {
                size_t n = strcspn(rest, "/");
                SIM_MUST(n < SIM_NAME_SIZE);
                memcpy(last, rest, n);
                last[n] = '\0';
                if (rest[n] == '\0')
                        return dir;
                rest += n + 1;

                const SimEntry *entry = sim_names_find(&disk->nodes[dir].names, last);
                int node = entry ? entry->node : -1;
                if (node < 0) {
                        bool is_volatile = disk->nodes[dir].is_volatile || streq(last, "run") ||
                                           streq(last, "proc");
                        node = sim_node_new(disk, SIM_DIR, S_IFDIR | 0755, is_volatile);
                        sim_node_do(&disk->nodes[dir],
                                    (SimOp){ .kind = SIM_OP_ADD,
                                             .entry = sim_entry_make(last, node) });
                        sim_node_flush(&disk->nodes[dir]);
                }
                dir = node;
        }
}

void sim_disk_put_dir(SimDisk *disk, const char *path) {
        char last[SIM_NAME_SIZE], inside[256];
        (void) snprintf(inside, sizeof(inside), "%s/.", path);
        (void) make_parent(disk, inside, last);
}

/* What is there from the start. */
static void node_settle(SimNode *node) {
        node_forget_ops(node);
        sim_text_free(&node->durable);
        node->durable = sim_text_copy(&node->now);
}

static int put(SimDisk *disk, const char *path, SimKind kind, const char *text) {
        char last[SIM_NAME_SIZE];
        int dir = make_parent(disk, path, last);
        SimNode *parent = &disk->nodes[dir];
        const SimEntry *entry = sim_names_find(&parent->names, last);
        int node = entry ? entry->node
                         : sim_node_new(disk, kind, S_IFREG | 0644, parent->is_volatile);
        if (!entry)
                sim_node_do(parent,
                            (SimOp){ .kind = SIM_OP_ADD, .entry = sim_entry_make(last, node) });
        sim_node_flush(parent);
        sim_text_free(&disk->nodes[node].now);
        sim_text_write(&disk->nodes[node].now, text, strlen(text), 0);
        node_settle(&disk->nodes[node]);
        return node;
}

void sim_disk_put(SimDisk *disk, const char *path, const char *text) {
        (void) put(disk, path, SIM_FILE, text);
}

void sim_disk_put_sysctl(SimDisk *disk, const char *path, const char *value) {
        (void) put(disk, path, SIM_SYSCTL, value);
}

void sim_disk_set_sysctl(SimDisk *disk, const char *path, const char *value) {
        char last[SIM_NAME_SIZE];
        int dir;
        int node = sim_find(disk, 0, path, &dir, last);
        SIM_MUST(node >= 0 && disk->nodes[node].kind == SIM_SYSCTL);
        sim_text_free(&disk->nodes[node].now);
        sim_text_write(&disk->nodes[node].now, value, strlen(value), 0);
}

const char *sim_disk_get(const SimDisk *disk, const char *path) {
        char last[SIM_NAME_SIZE];
        int dir;
        int node = sim_find(disk, 0, path, &dir, last);
        if (node < 0)
                return NULL;
        SimText *text = &disk->nodes[node].now;
        text->bytes = sim_realloc(text->bytes, text->length + 1);
        text->bytes[text->length] = '\0';
        return text->bytes;
}

void sim_disk_doom(SimDisk *disk, int fd) {
        int node = fd == SIM_FD_BASE ? 0 : disk->fds[fd - SIM_FD_BASE].node;
        if (node >= 0)
                node_forget_ops(&disk->nodes[node]);
}

/* --- the power cut ---------------------------------------------------------------------------------------------- */

static size_t node_cuts(const SimNode *node) {
        return node->kind == SIM_FREE || node->is_volatile ? 1 : node->n_ops + 1;
}

size_t sim_disk_cuts(const SimDisk *disk, size_t most) {
        size_t n = 1;
        for (size_t i = 0; i < SIM_NODES; i++) {
                n *= node_cuts(&disk->nodes[i]);
                if (n > most)
                        return most;
        }
        return n;
}

/* The first `keep` of what was not flushed reached the disk. */
static void node_cut(SimNode *node, size_t keep) {
        for (size_t i = 0; i < keep; i++)
                op_apply(&node->ops[i], &node->durable, &node->durable_names);
        node_forget_ops(node);
        sim_text_free(&node->now);
        node->now = sim_text_copy(&node->durable);
        names_free(&node->names);
        node->names = names_copy(&node->durable_names);
}

void sim_disk_cut(SimDisk *disk, size_t i) {
        sim_disk_close_all(disk);
        for (size_t k = 0; k < SIM_NODES; k++) {
                SimNode *node = &disk->nodes[k];
                if (node->kind == SIM_FREE || node->is_volatile)
                        continue;
                size_t ways = node_cuts(node);
                node_cut(node, i % ways);
                i /= ways;
        }
        /* /run starts empty */
        char last[SIM_NAME_SIZE];
        int dir;
        int run = sim_find(disk, 0, "run", &dir, last);
        if (run >= 0)
                names_free(&disk->nodes[run].names);
        disk_forget_seen(disk);
        disk_collect(disk);
        disk->boots++;
}

/* --- digest ----------------------------------------------------------------------------------------------------- */

static void digest_text(Sha256Stream *stream, const SimText *text) {
        sha256_add(stream, &text->size, sizeof(text->size));
        sha256_add(stream, &text->length, sizeof(text->length));
        if (text->length > 0)
                sha256_add(stream, text->bytes, text->length);
}

/* What names a temporary file is made new each time: its stem is enough. */
static void digest_name(Sha256Stream *stream, const char *name) {
        const char *dot = name[0] == '.' ? strrchr(name, '.') : NULL;
        size_t n = dot && dot > name ? (size_t) (dot - name) : strlen(name);
        sha256_add(stream, name, n);
        sha256_add(stream, "/", 1);
}

static int entry_compare(const void *a, const void *b) {
        return strcmp(((const SimEntry *) a)->name, ((const SimEntry *) b)->name);
}

/* A node that is reached again, by its durable name too, is known by its number. */
typedef struct Digest {
        Sha256Stream stream;
        const SimDisk *disk;
        unsigned known[SIM_NODES]; /* 0: not reached yet */
        unsigned n_known;
} Digest;

static void digest_node(Digest *digest, int index, unsigned depth);

static void digest_names(Digest *digest, const SimNames *names, unsigned depth) {
        SimNames sorted = names_copy(names);
        if (sorted.n > 1)
                qsort(sorted.entries, sorted.n, sizeof(SimEntry), entry_compare);
        for (size_t i = 0; i < sorted.n; i++) {
                digest_name(&digest->stream, sorted.entries[i].name);
                digest_node(digest, sorted.entries[i].node, depth + 1);
        }
        sha256_add(&digest->stream, &sorted.n, sizeof(sorted.n));
        names_free(&sorted);
}

static void digest_op(Digest *digest, const SimOp *op, unsigned depth) {
        const size_t numbers[] = { op->kind, op->offset };
        sha256_add(&digest->stream, numbers, sizeof(numbers));
        digest_text(&digest->stream, &op->text);
        digest_name(&digest->stream, op->entry.name);
        digest_name(&digest->stream, op->from);
        if (op->kind == SIM_OP_ADD || op->kind == SIM_OP_EXCHANGE)
                digest_node(digest, op->entry.node, depth + 1);
}

static void digest_node(Digest *digest, int index, unsigned depth) {
        SIM_MUST(depth < 16);
        const SimNode *node = &digest->disk->nodes[index];
        const unsigned numbers[] = { node->kind, digest->known[index] };
        sha256_add(&digest->stream, numbers, sizeof(numbers));
        if (digest->known[index] > 0)
                return;
        digest->known[index] = ++digest->n_known;

        digest_text(&digest->stream, &node->now);
        digest_names(digest, &node->names, depth);
        if (node->is_volatile)
                return;
        digest_text(&digest->stream, &node->durable);
        digest_names(digest, &node->durable_names, depth);
        for (size_t i = 0; i < node->n_ops; i++)
                digest_op(digest, &node->ops[i], depth);
}

Sha256 sim_disk_digest(const SimDisk *disk) {
        Digest digest = { .disk = disk };
        sha256_init_stream(&digest.stream);
        digest_node(&digest, 0, 0);
        sha256_add(&digest.stream, &disk->boots, sizeof(disk->boots));
        sha256_add(&digest.stream, &disk->now_ms, sizeof(disk->now_ms));
        return sha256_end(&digest.stream);
}

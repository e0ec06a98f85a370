/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/file.h>

#include "sim-disk.h"

#define SIM_NETNS "proc/self/ns/net"

static char *sim_text_dup(const char *text, size_t n) {
        char *copy = sim_realloc(NULL, n + 1);
        memcpy(copy, text, n);
        copy[n] = '\0';
        return copy;
}

static SimDisk *disk_of(const Seam *seam) {
        return seam->userdata;
}

static SimDisk *enter(const Seam *seam) {
        SimDisk *disk = disk_of(seam);
        if (++disk->n_calls == disk->touch_at)
                disk->touch(disk->userdata);
        return disk;
}

/* Before anything changes: the place to die. */
static SimDisk *enter_change(const Seam *seam) {
        SimDisk *disk = enter(seam);
        if (++disk->n_changes == disk->at)
                disk->die(disk->userdata);
        return disk;
}

static void skip_touch(SimDisk *disk) {
        if (disk->touch_at == disk->n_calls + 1)
                disk->touch_at = 0;
}

static int node_of(const SimDisk *disk, int fd) {
        if (fd == SIM_FD_BASE)
                return 0; /* the root, which nobody opened */
        SIM_MUST(fd > SIM_FD_BASE && fd < SIM_FD_BASE + (int) SIM_FDS);
        int node = disk->fds[fd - SIM_FD_BASE].node;
        SIM_MUST(node >= 0);
        return node;
}

static int fd_new(SimDisk *disk, int node) {
        for (int i = 1; i < (int) SIM_FDS; i++) {
                if (disk->fds[i].node >= 0)
                        continue;
                disk->fds[i] = (SimFd){ .node = node };
                return SIM_FD_BASE + i;
        }
        return -EMFILE;
}

static int sim_create(const Seam *seam, int dir, const char *name, mode_t mode) {
        SimDisk *disk = enter_change(seam);
        SimNode *parent = &disk->nodes[dir];
        int node = sim_node_new(disk, SIM_FILE, S_IFREG | mode, parent->is_volatile);
        sim_node_do(parent, (SimOp){ .kind = SIM_OP_ADD, .entry = sim_entry_make(name, node) });
        return node;
}

static int sim_open_at(const Seam *seam, int dir_fd, const char *path, int flags, mode_t mode) {
        SimDisk *disk = enter(seam);
        char last[SIM_NAME_SIZE];
        int dir = -1;
        int node = sim_find(disk, node_of(disk, dir_fd), path, &dir, last);
        if (node == -ENOENT && dir >= 0 && (flags & O_CREAT))
                node = sim_create(seam, dir, last, mode);
        else if (node >= 0 && (flags & O_CREAT) && (flags & O_EXCL))
                return -EEXIST;
        if (node < 0)
                return node;
        if ((flags & O_DIRECTORY) && disk->nodes[node].kind != SIM_DIR)
                return -ENOTDIR;
        return fd_new(disk, node);
}

/* What the planted fault makes of a value that is read. */
static const char *sim_lie(SimDisk *disk, int node, const char *text) {
        if (!disk->lying)
                return text;
        if (!disk->seen[node] && disk->plant == SIM_PLANT_BLIND_WRITE)
                disk->seen[node] = sim_text_dup(text, strlen(text));
        return disk->seen[node] ? disk->seen[node] : text;
}

static ssize_t sim_pread(const Seam *seam, int fd, void *buffer, size_t n, off_t offset) {
        SimDisk *disk = disk_of(seam);
        int index = node_of(disk, fd);
        const SimNode *node = &disk->nodes[index];
        if (disk->written == index)
                skip_touch(disk);
        disk->written = -1;
        (void) enter(seam);
        if (node->kind == SIM_DIR)
                return -EISDIR;

        SimText text = node->now;
        char line[128];
        if (node->kind == SIM_SYSCTL) {
                char value[128];
                (void) snprintf(value, sizeof(value), "%.*s", (int) text.length, text.bytes);
                int length = snprintf(line, sizeof(line), "%s\n", sim_lie(disk, index, value));
                text = (SimText){ .size = (size_t) length,
                                  .length = (size_t) length,
                                  .bytes = line };
        }
        if ((size_t) offset >= text.size)
                return 0;
        size_t left = text.size - (size_t) offset;
        n = n < left ? n : left;
        memset(buffer, 0, n);
        if ((size_t) offset < text.length) {
                size_t held = text.length - (size_t) offset;
                memcpy(buffer, text.bytes + offset, n < held ? n : held);
        }
        return (ssize_t) n;
}

static ssize_t sim_write_sysctl(SimDisk *disk, int index, const char *bytes, size_t n) {
        SimNode *node = &disk->nodes[index];
        size_t length = n > 0 && bytes[n - 1] == '\n' ? n - 1 : n;
        disk->written = index;
        if (disk->plant != SIM_PLANT_NONE) {
                sim_free(disk->seen[index]);
                disk->seen[index] = sim_text_dup(bytes, length);
        }
        if (disk->plant == SIM_PLANT_NO_REDO && disk->lying)
                return (ssize_t) n;
        sim_text_free(&node->now);
        sim_text_write(&node->now, bytes, length, 0);
        return (ssize_t) n;
}

static ssize_t sim_pwrite(const Seam *seam, int fd, const void *bytes, size_t n, off_t offset) {
        SimDisk *disk = disk_of(seam);
        int index = node_of(disk, fd);
        SimNode *node = &disk->nodes[index];
        /* Between the engine's look at a key, its write and its look at what came of it nobody can come here: that race is
         * the kernel's, and stated. */
        if (node->kind == SIM_SYSCTL)
                skip_touch(disk);
        (void) enter_change(seam);
        if (node->kind == SIM_SYSCTL)
                return offset != 0 || n == 0 ? (ssize_t) n
                                             : sim_write_sysctl(disk, index, bytes, n);

        SimText text = { .size = n, .length = n, .bytes = (char *) bytes };
        sim_node_do(node, (SimOp){ .kind = SIM_OP_WRITE,
                                   .offset = (size_t) offset,
                                   .text = sim_text_copy(&text) });
        return (ssize_t) n;
}

/* A frame's type stands at byte 12 of its header (record/journal-format.h); COMMIT is 3. */
static bool is_commit(const SimNode *node) {
        const SimOp *op = node->n_ops > 0 ? &node->ops[node->n_ops - 1] : NULL;
        return op && op->kind == SIM_OP_WRITE && op->text.length > 16 && op->text.bytes[12] == 3;
}

static bool is_named(const SimDisk *disk, int index, const char *dir, const char *prefix) {
        char last[SIM_NAME_SIZE];
        int parent = -1;
        int node = sim_find(disk, 0, dir, &parent, last);
        for (size_t i = 0; node >= 0 && i < disk->nodes[node].names.n; i++) {
                const SimEntry *entry = &disk->nodes[node].names.entries[i];
                if (entry->node == index && startswith(entry->name, prefix))
                        return true;
        }
        return false;
}

static bool is_planted(const SimDisk *disk, int index) {
        switch (disk->plant) {
        case SIM_PLANT_COMMIT_UNFLUSHED:
                return is_named(disk, index, "var/lib/twprofile", "journal") &&
                       is_commit(&disk->nodes[index]);
        case SIM_PLANT_FRAGMENT_UNFLUSHED:
                return is_named(disk, index, "etc/sysctl.d", ".60-");
        case SIM_PLANT_ACT_UNFLUSHED:
                return disk->lying && is_named(disk, index, "var/lib/twprofile", "journal");
        case SIM_PLANT_NONE:
        case SIM_PLANT_BLIND_WRITE:
        case SIM_PLANT_BLIND_RESTORE:
        case SIM_PLANT_OLD_BOOT_ID:
        case SIM_PLANT_NO_REDO:
        default:
                return false;
        }
}

static int sim_fsync(const Seam *seam, int fd) {
        SimDisk *disk = enter_change(seam);
        int index = node_of(disk, fd);
        if (!is_planted(disk, index))
                sim_node_flush(&disk->nodes[index]);
        return 0;
}

static int sim_fallocate(const Seam *seam, int fd, off_t offset, off_t length) {
        SimDisk *disk = enter_change(seam);
        SimNode *node = &disk->nodes[node_of(disk, fd)];
        size_t size = (size_t) (offset + length);
        if (size > node->now.size)
                sim_node_do(node, (SimOp){ .kind = SIM_OP_RESIZE, .offset = size });
        return 0;
}

static int sim_ftruncate(const Seam *seam, int fd, off_t length) {
        SimDisk *disk = enter_change(seam);
        sim_node_do(&disk->nodes[node_of(disk, fd)],
                    (SimOp){ .kind = SIM_OP_RESIZE, .offset = (size_t) length });
        return 0;
}

static int sim_fstat(const Seam *seam, int fd, struct stat *ret) {
        SimDisk *disk = enter(seam);
        int index = node_of(disk, fd);
        const SimNode *node = &disk->nodes[index];
        *ret = (struct stat){
                .st_ino = (ino_t) index + 1,
                .st_dev = 1,
                .st_nlink = 1,
                .st_mode = node->mode,
                .st_size = node->kind == SIM_SYSCTL ? 0 : (off_t) node->now.size,
        };
        return 0;
}

static int sim_fchmod(const Seam *seam, int fd, mode_t mode) {
        SimDisk *disk = enter_change(seam);
        SimNode *node = &disk->nodes[node_of(disk, fd)];
        node->mode = (node->mode & (mode_t) S_IFMT) | mode;
        return 0;
}

static int sim_fchown(const Seam *seam, int fd UNUSED, uid_t uid UNUSED, gid_t gid UNUSED) {
        (void) enter(seam);
        return 0;
}

static int sim_mkdir_at(const Seam *seam, int dir_fd, const char *path, mode_t mode) {
        SimDisk *disk = enter_change(seam);
        char last[SIM_NAME_SIZE];
        int dir = -1;
        int node = sim_find(disk, node_of(disk, dir_fd), path, &dir, last);
        if (node >= 0)
                return -EEXIST;
        if (dir < 0)
                return node;
        SimNode *parent = &disk->nodes[dir];
        node = sim_node_new(disk, SIM_DIR, S_IFDIR | mode, parent->is_volatile);
        sim_node_do(parent, (SimOp){ .kind = SIM_OP_ADD, .entry = sim_entry_make(last, node) });
        return 0;
}

static int sim_rename_at(
                const Seam *seam, int from_fd, const char *from, int to_fd, const char *to) {
        SimDisk *disk = enter_change(seam);
        char last[SIM_NAME_SIZE], name[SIM_NAME_SIZE];
        int dir = -1, to_dir = -1;
        int node = sim_find(disk, node_of(disk, from_fd), from, &dir, last);
        if (node < 0)
                return node;
        (void) sim_find(disk, node_of(disk, to_fd), to, &to_dir, name);
        SIM_MUST(dir == to_dir); /* the engine renames inside a directory only */
        SimOp op = { .kind = SIM_OP_EXCHANGE, .entry = sim_entry_make(name, node) };
        (void) snprintf(op.from, sizeof(op.from), "%s", last);
        sim_node_do(&disk->nodes[dir], op);
        return 0;
}

static int sim_unlink_at(const Seam *seam, int dir_fd, const char *path, int flags UNUSED) {
        SimDisk *disk = enter_change(seam);
        char last[SIM_NAME_SIZE];
        int dir = -1;
        int node = sim_find(disk, node_of(disk, dir_fd), path, &dir, last);
        if (node < 0)
                return node;
        sim_node_do(&disk->nodes[dir],
                    (SimOp){ .kind = SIM_OP_DELETE, .entry = sim_entry_make(last, node) });
        return 0;
}

static int sim_readlink_at(
                const Seam *seam, int dir_fd UNUSED, const char *path, char *buffer, size_t n) {
        (void) enter(seam);
        static const char link[] = "net:[4026531840]";
        if (!streq(path, SIM_NETNS))
                return -EINVAL;
        size_t length = sizeof(link) - 1 < n ? sizeof(link) - 1 : n;
        memcpy(buffer, link, length);
        return (int) length;
}

static int sim_flock(const Seam *seam, int fd, int operation) {
        SimDisk *disk = enter(seam);
        int node = node_of(disk, fd);
        bool wanted = (operation & LOCK_EX) != 0;
        for (int i = 0; i < (int) SIM_FDS; i++)
                if (wanted && disk->fds[i].node == node && disk->fds[i].locked &&
                    i != fd - SIM_FD_BASE)
                        return -EWOULDBLOCK;
        disk->fds[fd - SIM_FD_BASE].locked = wanted;
        return 0;
}

static int sim_list(const Seam *seam, int dir_fd, SeamDirVisit visit, void *userdata) {
        SimDisk *disk = enter(seam);
        const SimNode *dir = &disk->nodes[node_of(disk, dir_fd)];
        /* as they are now: the visitor may remove them */
        size_t n = dir->names.n;
        SimEntry *entries = sim_realloc(NULL, (n + 1) * sizeof(SimEntry));
        memcpy(entries, dir->names.entries, n * sizeof(SimEntry));
        int r = 0;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = visit(userdata, entries[i].name);
        sim_free(entries);
        return r < 0 ? r : 0;
}

static int sim_close(const Seam *seam, int fd) {
        SimDisk *disk = enter(seam);
        (void) node_of(disk, fd);
        disk->fds[fd - SIM_FD_BASE] = (SimFd){ .node = -1 };
        return 0;
}

static const SeamOps sim_ops = {
        .open_at = sim_open_at,
        .pread = sim_pread,
        .pwrite = sim_pwrite,
        .fsync = sim_fsync,
        .fdatasync = sim_fsync,
        .fallocate = sim_fallocate,
        .ftruncate = sim_ftruncate,
        .fstat = sim_fstat,
        .fchmod = sim_fchmod,
        .fchown = sim_fchown,
        .mkdir_at = sim_mkdir_at,
        .rename_at = sim_rename_at,
        .unlink_at = sim_unlink_at,
        .readlink_at = sim_readlink_at,
        .flock = sim_flock,
        .list = sim_list,
        .close = sim_close,
};

const Seam *sim_disk_seam(SimDisk *disk) {
        disk->seam = (Seam){ .ops = &sim_ops, .userdata = disk };
        return &disk->seam;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A machine in memory behind the seam: a disk with a volatile and a durable half, a kernel of a few sysctls, /run.
 *
 *         SimDisk *disk = sim_disk_new();
 *         engine.seam = sim_disk_seam(disk);
 *         …
 *         disk->at = 17;                       before the 17th call that changes something
 *         disk->die(disk->userdata);           is made, this is called; it must not return
 *
 * What a power cut leaves is any combination of: for each file whose content was not flushed, a prefix of its writes since;
 * for each directory, a prefix of its changes since (sim_disk_cuts(), sim_disk_cut()). Nothing orders one file's bytes
 * against another's, nor against a directory's: only fsync() and fdatasync() do. A file's flush does not flush the
 * directory that names it.
 *
 * Below proc/sys a write at offset 0 replaces the value and is gone with the power; below run everything is. The rest of proc
 * is read-only. Directories of the disk may be named "" (the root), no links but the one of the network namespace.
 *
 * Everything is by value and index, so that a state can be copied, compared and kept.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/sha256.h"
#include "system/seam.h"

#define SIM_NODES     160U
#define SIM_NAME_SIZE 80U
#define SIM_FDS       96U
#define SIM_FD_BASE   20

typedef struct SimText {
        size_t size;   /* of the file */
        size_t length; /* bytes held; all zero behind them */
        char *bytes;
} SimText;

typedef struct SimEntry {
        char name[SIM_NAME_SIZE];
        int node;
} SimEntry;

typedef struct SimNames {
        SimEntry *entries;
        size_t n;
} SimNames;

typedef enum SimOpKind {
        SIM_OP_WRITE,    /* file: bytes at offset */
        SIM_OP_RESIZE,   /* file: offset is the size */
        SIM_OP_ADD,      /* directory */
        SIM_OP_DELETE,   /* directory */
        SIM_OP_EXCHANGE, /* directory: a rename in it, both halves at once */
} SimOpKind;

typedef struct SimOp {
        SimOpKind kind;
        size_t offset;
        SimText text;
        SimEntry entry;           /* ADD, DELETE, EXCHANGE: the new name */
        char from[SIM_NAME_SIZE]; /* EXCHANGE: the name that goes */
} SimOp;

typedef enum SimKind {
        SIM_FREE,
        SIM_FILE,
        SIM_DIR,
        SIM_SYSCTL,
} SimKind;

typedef struct SimNode {
        SimKind kind;
        bool is_volatile; /* lies in /run or /proc: nothing of it outlives the power */
        mode_t mode;
        SimText now, durable;
        SimNames names, durable_names; /* of a directory */
        SimOp *ops;                    /* since the last flush */
        size_t n_ops;
} SimNode;

typedef struct SimFd {
        int node; /* -1: not open */
        bool locked;
} SimFd;

typedef enum SimPlant {
        SIM_PLANT_NONE,
        SIM_PLANT_COMMIT_UNFLUSHED,   /* the flush of a COMMIT frame does nothing */
        SIM_PLANT_FRAGMENT_UNFLUSHED, /* the flush of the fragment's temporary file does nothing */
        SIM_PLANT_ACT_UNFLUSHED,      /* recovery's flush of the journal does nothing */
        SIM_PLANT_BLIND_WRITE, /* a value is read once; what somebody else writes then is not seen */
        SIM_PLANT_BLIND_RESTORE, /* what is read when taking back is what was written, whatever stands there */
        SIM_PLANT_OLD_BOOT_ID, /* a confirmation believes that no reboot came between */
        SIM_PLANT_NO_REDO,     /* what is written to a key after a boot does not arrive */
} SimPlant;

typedef struct SimDisk {
        Seam seam;
        SimNode *nodes; /* [0] is the root */
        SimFd fds[SIM_FDS];
        unsigned boots;
        int64_t now_ms; /* CLOCK_BOOTTIME and, with a constant added, CLOCK_REALTIME */
        uint64_t randoms;

        uint64_t n_calls;   /* all */
        uint64_t n_changes; /* those that change something */
        uint64_t at;        /* die before this change; 0: never */
        uint64_t touch_at;  /* before this call of any kind somebody else writes; 0: never */
        int written;        /* the key of the last call, when it was a write; else -1 */
        void (*die)(void *userdata);
        void (*touch)(void *userdata);
        void *userdata;

        SimPlant plant;
        bool lying;            /* in this request the fault shows */
        char *seen[SIM_NODES]; /* what stands in a key by the engine's own doing, as a fault remembers it */
} SimDisk;

SimDisk *sim_disk_new(void);
SimDisk *sim_disk_copy(const SimDisk *disk);
SimDisk *sim_disk_free(SimDisk *disk);
const Seam *sim_disk_seam(SimDisk *disk);

/* Makes parents as needed; what is there before the test begins is durable. */
void sim_disk_put(SimDisk *disk, const char *path, const char *text);
void sim_disk_put_dir(SimDisk *disk, const char *path);
void sim_disk_put_sysctl(SimDisk *disk, const char *path, const char *value);
/* NULL when there is no such file. Borrows, without a newline for a sysctl. */
const char *sim_disk_get(const SimDisk *disk, const char *path);
void sim_disk_set_sysctl(SimDisk *disk, const char *path, const char *value);

/* The process is gone: descriptors and locks. */
void sim_disk_close_all(SimDisk *disk);

/* The flush of that descriptor failed: what was to be flushed is gone with the power, whatever later flushes say (the kernel
 * marks the pages clean: Rebello et al., USENIX ATC 2020). */
void sim_disk_doom(SimDisk *disk, int fd);

/* In how many ways the power cut can come out, at most `most`, and the state it leaves in way `i`. */
size_t sim_disk_cuts(const SimDisk *disk, size_t most);
void sim_disk_cut(SimDisk *disk, size_t i);

/* The same for two states that nothing can tell apart, random parts of temporary names aside. */
Sha256 sim_disk_digest(const SimDisk *disk);

/* --- for sim-seam.c ------------------------------------------------------------------------------------------------ */

/* The test itself is wrong, or too small: no outcome of what is tested. */
#define SIM_MUST(condition)                                                             \
        do {                                                                            \
                if (!(condition)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                        \
                }                                                                       \
        } while (0)

/* What the machine holds must not be lost with the process that is being killed: never from its heap. */
void *sim_realloc(void *p, size_t n);
void sim_free(void *p);

SimText sim_text_copy(const SimText *text);
void sim_text_free(SimText *text);
void sim_text_write(SimText *text, const void *bytes, size_t n, size_t offset);

SimEntry *sim_names_find(const SimNames *names, const char *name);
SimEntry sim_entry_make(const char *name, int node);
int sim_node_new(SimDisk *disk, SimKind kind, mode_t mode, bool is_volatile);
/* Does it now, and remembers it for the power cut; takes the text over. */
void sim_node_do(SimNode *node, SimOp op);
void sim_node_flush(SimNode *node);
/* The node of a path, or -ENOENT, -ENOTDIR; its directory and last part in any case but a missing parent. */
int sim_find(const SimDisk *disk, int from, const char *path, int *ret_dir,
             char last[static SIM_NAME_SIZE]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor-apply PROFILE VALUES DIR: the least an apply can cost, to measure twprofile-helper against.
 *
 * Reads PROFILE by libyaml's events and does with the sysctls what the helper does: open and read each, write the
 * value back and read it (rehearsal), read, write the new value of VALUES, read back. In DIR it writes, in the
 * same order, as many bytes and with the same flushes what the helper writes: fragment, journal, audit log and the
 * files derived from them. It judges nothing, encodes nothing, knows nothing of types, answers nobody.
 *
 * VALUES has a line "PATH OLD NEW" for each key and a line "@FILE BYTES" for each file (see the table).
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#define MAX_KEYS  512
#define BYTES_MAX (256 * 1024)

typedef struct Key {
        char path[128], old[64], new[64];
        int fd;
} Key;

typedef enum Kind {
        PREPARED,
        COMMIT,
        DONE,
        INTENT,
        OUTCOME,
        FRAGMENT,
        GENERATION,
        STATUS,
        HEAD,
        N_KINDS
} Kind;

static const char *const kinds[N_KINDS] = { "@prepared",   "@commit",  "@done",
                                            "@intent",     "@outcome", "@fragment",
                                            "@generation", "@status",  "@head" };
static size_t sizes[N_KINDS];
static Key keys[MAX_KEYS];
static size_t n_keys;
static char bytes[BYTES_MAX];

static void need(int ok, const char *what) {
        if (ok)
                return;
        perror(what);
        exit(1);
}

static void read_profile(const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        static char text[65536];
        ssize_t n = read(fd, text, sizeof(text));
        need(n > 0, path);
        (void) close(fd);

        yaml_parser_t parser;
        need(yaml_parser_initialize(&parser), "libyaml");
        yaml_parser_set_input_string(&parser, (const unsigned char *) text, (size_t) n);
        for (yaml_event_type_t type = YAML_NO_EVENT; type != YAML_STREAM_END_EVENT;) {
                yaml_event_t event;
                need(yaml_parser_parse(&parser, &event), path);
                type = event.type;
                yaml_event_delete(&event);
        }
        yaml_parser_delete(&parser);
}

static void set_size(const char *name, const char *number) {
        for (size_t i = 0; i < N_KINDS; i++)
                if (strcmp(kinds[i], name) == 0)
                        sizes[i] = strtoul(number, NULL, 10);
}

static void read_values(const char *path) {
        static char text[65536];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, text, sizeof(text) - 1);
        need(n > 0, path);
        (void) close(fd);

        char *rest = text;
        for (char *line; (line = strsep(&rest, "\n"));) {
                char *first = strsep(&line, " "), *second = strsep(&line, " ");
                if (!second)
                        continue;
                if (first[0] == '@') {
                        set_size(first, second);
                        continue;
                }
                Key *key = &keys[n_keys++];
                (void) snprintf(key->path, sizeof(key->path), "%s", first);
                (void) snprintf(key->old, sizeof(key->old), "%s\n", second);
                (void) snprintf(key->new, sizeof(key->new), "%s\n", line);
        }
}

static void sysctl_read(const Key *key) {
        char value[4096];
        need(pread(key->fd, value, sizeof(value), 0) > 0, key->path);
}

static void sysctl_write(const Key *key, const char *value) {
        size_t n = strlen(value);
        need(pwrite(key->fd, value, n, 0) == (ssize_t) n, key->path);
        sysctl_read(key);
}

static void put(int fd, Kind kind, off_t offset) {
        need(pwrite(fd, bytes, sizes[kind], offset) == (ssize_t) sizes[kind], kinds[kind]);
}

static void append(int fd, Kind kind) {
        need(write(fd, bytes, sizes[kind]) == (ssize_t) sizes[kind], kinds[kind]);
}

static void replace(int dir, const char *name, Kind kind, int flush) {
        int fd = openat(dir, ".temporary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        need(fd >= 0, name);
        put(fd, kind, 0);
        need(!flush || fsync(fd) == 0, name);
        (void) close(fd);
        need(renameat(dir, ".temporary", dir, name) == 0, name);
        need(!flush || fsync(dir) == 0, name);
}

int main(int argc, char *argv[]) {
        if (argc != 4)
                return 64;
        int dir = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        need(dir >= 0, argv[3]);
        int journal = openat(dir, "journal", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        int audit = openat(dir, "audit", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        need(journal >= 0 && audit >= 0, argv[3]);
        read_profile(argv[1]);
        read_values(argv[2]);

        for (size_t i = 0; i < n_keys; i++) {
                keys[i].fd = open(keys[i].path, O_RDWR | O_CLOEXEC);
                need(keys[i].fd >= 0, keys[i].path);
                sysctl_read(&keys[i]);
        }
        for (size_t i = 0; i < n_keys; i++)
                sysctl_write(&keys[i], keys[i].old);

        put(journal, PREPARED, 0);
        append(audit, INTENT);
        need(fdatasync(audit) == 0, "audit");
        replace(dir, "head", HEAD, /* flush= */ 0);
        for (size_t i = 0; i < n_keys; i++) {
                sysctl_read(&keys[i]);
                sysctl_write(&keys[i], keys[i].new);
        }
        put(journal, COMMIT, (off_t) sizes[PREPARED]);
        need(fdatasync(journal) == 0, "journal");
        replace(dir, "fragment", FRAGMENT, /* flush= */ 1);
        replace(dir, "generation", GENERATION, /* flush= */ 0);
        append(audit, OUTCOME);
        need(fdatasync(audit) == 0, "audit");
        replace(dir, "head", HEAD, /* flush= */ 0);
        put(journal, DONE, (off_t) (sizes[PREPARED] + sizes[COMMIT]));
        replace(dir, "status", STATUS, /* flush= */ 0);
        return 0;
}

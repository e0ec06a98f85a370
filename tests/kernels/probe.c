/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probe: asks a kernel about sysctls and prints one line of JSON for each.
 *
 *   probe PLAN          in the network namespace it is started in; the caller made a private one
 *   probe --load FILE   loads a kernel module
 *   /init               as PID 1 of a virtual machine: mounts what it needs, loads /modules/N-NAME.ko in the order of
 *                       N, reads /plan, prints to the second serial port, starts /after when there is one, powers off
 *
 * PLAN has one line for each key, columns parted by tabs:
 *   KEY PATH WRITE CANDIDATES PUT...
 * PATH is below /proc/sys. WRITE is 1 where the file may be written, 0 where it is only looked at. CANDIDATES are two
 * values, parted by '|', for keys that hold no numbers; "-" lets the probe take a number beside the one it read. A PUT is a text to be written; "OTHER=TEXT>PUT" writes TEXT to the file OTHER below /proc/sys first.
 *
 * The line of a key:
 *   key, mode     the file's mode, null when there is no file
 *   value         as read first
 *   writes        for each PUT: put, errno (0 or a name), value read back; the first value is restored each time
 *   changed       what stood in the file when the child namespace was made; null: nothing else could be written
 *   child         in a new network namespace: mode and value as above; where the file may be written, errno of
 *                 writing something else and "after", the value read then
 *   parent        value after the child wrote: the same as changed where the value is per namespace
 *
 *   probe --once PLAN   writes something else to every file once, with no capability at all, and restores it
 *
 * gives for each key once (its name), mode, value, errno of the write and "after", the value read back then.
 *
 * Exit code 0; 1 with a text when it cannot work. Nothing is judged here: tests/kernels/judge.py does that.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
        TEXT_MAX = 8192,
        NUMBERS_MAX = 8,
};

typedef struct Look {
        int mode; /* -1: no file */
        char value[TEXT_MAX];
} Look;

static FILE *out;

/* ---- files below /proc/sys ---- */

static void path_of(const char *name, char ret[static TEXT_MAX]) {
        (void) snprintf(ret, TEXT_MAX, "/proc/sys/%s", name);
}

/* 0, or an errno. */
static int put(const char *name, const char *text) {
        char path[TEXT_MAX], line[TEXT_MAX + 1];

        path_of(name, path);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return errno;
        int n = snprintf(line, sizeof(line), "%s\n", text);
        ssize_t done = write(fd, line, (size_t) n);
        int error = done < 0 ? errno : 0;
        (void) close(fd);
        return error;
}

/* Reads the value without its line end; "" when it cannot be read. */
static void get(const char *name, char ret[static TEXT_MAX]) {
        char path[TEXT_MAX];

        ret[0] = '\0';
        path_of(name, path);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        ssize_t n = read(fd, ret, TEXT_MAX - 1);
        (void) close(fd);
        while (n > 0 && ret[n - 1] == '\n')
                n--;
        ret[n > 0 ? n : 0] = '\0';
}

static void look(const char *name, Look *ret) {
        char path[TEXT_MAX];
        struct stat st;

        path_of(name, path);
        ret->mode = stat(path, &st) == 0 ? (int) (st.st_mode & 07777) : -1;
        get(name, ret->value);
}

/* ---- JSON ---- */

static void say_text(const char *text) {
        (void) fputc('"', out);
        for (const unsigned char *c = (const unsigned char *) text; *c; c++)
                if (*c == '"' || *c == '\\')
                        (void) fprintf(out, "\\%c", *c);
                else if (*c < 0x20 || *c > 0x7e)
                        (void) fprintf(out, "\\u%04x", *c);
                else
                        (void) fputc(*c, out);
        (void) fputc('"', out);
}

static void say_field(const char *name, const char *text) {
        (void) fprintf(out, ",\"%s\":", name);
        if (text)
                say_text(text);
        else
                (void) fputs("null", out);
}

static const char *error_name(int error) {
        const char *name = error == 0 ? "0" : strerrorname_np(error);
        return name ? name : "?";
}

static void say_look(const Look *seen) {
        char mode[8];

        (void) snprintf(mode, sizeof(mode), "%04o", (unsigned) seen->mode & 07777U);
        say_field("mode", seen->mode < 0 ? NULL : mode);
        say_field("value", seen->mode < 0 ? NULL : seen->value);
}

/* ---- another value than the one that stands there ---- */

/* Every number of `text` moved by `by`; false when there is a word that is no number. */
static bool move_numbers(const char *text, long long by, char ret[static TEXT_MAX]) {
        size_t used = 0;
        char *end;

        ret[0] = '\0';
        for (const char *p = text; *p; p = end) {
                while (*p == ' ' || *p == '\t')
                        p++;
                errno = 0;
                long long number = strtoll(p, &end, 10);
                if (end == p || errno != 0)
                        return false;
                used += (size_t) snprintf(
                                ret + used, TEXT_MAX - used, "%s%lld", used > 0 ? "\t" : "",
                                number + by);
                if (used > TEXT_MAX - 32)
                        return false;
        }
        return used > 0;
}

/* Writes `text`; 0 when the file then shows something else than `before`, EAGAIN when it does not, or the errno. */
static int change_to(const char *name, const char *before, const char *text) {
        char after[TEXT_MAX];

        int error = put(name, text);
        get(name, after);
        if (error != 0)
                return error;
        return strcmp(before, after) != 0 ? 0 : EAGAIN;
}

/* Writes something that differs from what is read; the errno of the last try, 0 when the file shows another value. */
static int change(const char *name, const char *candidates) {
        char before[TEXT_MAX], text[TEXT_MAX];

        get(name, before);
        if (strcmp(candidates, "-") == 0) {
                if (!move_numbers(before, -1, text))
                        return EINVAL;
                if (change_to(name, before, text) == 0)
                        return 0;
                return move_numbers(before, 1, text) ? change_to(name, before, text) : EINVAL;
        }
        const char *second = strchr(candidates, '|');
        size_t n = second ? (size_t) (second - candidates) : strlen(candidates);
        (void) snprintf(text, sizeof(text), "%.*s", (int) n, candidates);
        int error = change_to(name, before, text);
        return error != 0 && second ? change_to(name, before, second + 1) : error;
}

/* ---- one key ---- */

static void try_write(const char *name, const char *first, char *text) {
        char other_before[TEXT_MAX], value[TEXT_MAX];
        char *other = NULL, *equal = strchr(text, '='), *more = strchr(text, '>');

        if (equal && more && equal < more) {
                *equal = *more = '\0';
                other = text;
                get(other, other_before);
                (void) put(other, equal + 1);
                text = more + 1;
        }
        int error = put(name, text);
        get(name, value);
        (void) fputs("{\"put\":", out);
        say_text(text);
        say_field("errno", error_name(error));
        say_field("value", value);
        (void) fputc('}', out);
        (void) put(name, first);
        if (other)
                (void) put(other, other_before);
}

/* The child's half of a line, printed by a process in a namespace of its own; its memory is not ours. */
static void ask_child(const char *name, const char *candidate, bool may_write) {
        Look seen;

        if (unshare(CLONE_NEWNET) < 0) {
                (void) fprintf(out, ",\"child\":\"%s\"", error_name(errno));
                return;
        }
        look(name, &seen);
        (void) fputs(",\"child\":{\"namespace\":true", out);
        say_look(&seen);
        if (seen.mode >= 0 && may_write) {
                say_field("errno", error_name(change(name, candidate)));
                get(name, seen.value);
                say_field("after", seen.value);
        }
        (void) fputc('}', out);
}

static void ask_new_namespace(const char *name, const char *candidate, bool may_write) {
        (void) fflush(out);
        pid_t pid = fork();
        if (pid == 0) {
                ask_child(name, candidate, may_write);
                (void) fflush(out);
                _exit(0);
        }
        if (pid > 0)
                (void) waitpid(pid, NULL, 0);
}

static void ask(char *line) {
        Look seen;
        char now[TEXT_MAX];
        const char *key = strsep(&line, "\t"), *name = strsep(&line, "\t"),
                   *writable = strsep(&line, "\t"), *candidate = strsep(&line, "\t");

        if (!key || !name || !writable || !candidate)
                return;
        bool may_write = writable[0] == '1';
        look(name, &seen);
        (void) fputs("{\"key\":", out);
        say_text(key);
        say_look(&seen);
        (void) fputs(",\"writes\":[", out);
        bool first = true;
        for (char *text = strsep(&line, "\t"); text && may_write && seen.mode >= 0;
             text = strsep(&line, "\t")) {
                if (!first)
                        (void) fputc(',', out);
                try_write(name, seen.value, text);
                first = false;
        }
        (void) fputc(']', out);

        bool changed = may_write && seen.mode >= 0 && change(name, candidate) == 0;
        get(name, now);
        say_field("changed", changed ? now : NULL);
        ask_new_namespace(name, candidate, may_write);
        get(name, now);
        say_field("parent", now);
        (void) fputs("}\n", out);
        if (may_write && seen.mode >= 0)
                (void) put(name, seen.value);
        (void) fflush(out);
}

/* One write as the helper would do it. */
static void ask_once(char *line) {
        Look seen, after;
        const char *key = strsep(&line, "\t"), *name = strsep(&line, "\t"),
                   *writable = strsep(&line, "\t"), *candidate = strsep(&line, "\t");

        if (!key || !name || !writable || !candidate || writable[0] != '1')
                return;
        look(name, &seen);
        (void) fputs("{\"once\":", out);
        say_text(key);
        say_look(&seen);
        if (seen.mode >= 0) {
                say_field("errno", error_name(change(name, candidate)));
                look(name, &after);
                say_field("after", after.value);
                (void) put(name, seen.value);
        }
        (void) fputs("}\n", out);
        (void) fflush(out);
}

/* The capability sets of this process for good; 0, or an errno. */
static int drop_capabilities(void) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[2] = { 0 }, now[2];

        /* in the helper's unit there are none, and its filter does not even allow to say so */
        if (syscall(SYS_capget, &head, now) == 0 && now[0].permitted == 0 && now[1].permitted == 0)
                return 0;
        for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
                (void) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return errno;
        return syscall(SYS_capset, &head, none) < 0 ? errno : 0;
}

static int ask_all(const char *plan, void (*ask_one)(char *line)) {
        FILE *file = fopen(plan, "re");
        char *line = NULL;
        size_t size = 0;

        if (!file) {
                (void) fprintf(stderr, "probe: cannot open '%s': %s\n", plan, strerror(errno));
                return 1;
        }
        for (ssize_t n; (n = getline(&line, &size, file)) > 0;) {
                if (line[n - 1] == '\n')
                        line[n - 1] = '\0';
                ask_one(line);
        }
        (void) fputs("{\"end\":true}\n", out);
        (void) fflush(out);
        free(line);
        (void) fclose(file);
        return 0;
}

/* ---- as PID 1 of a virtual machine ---- */

/* 0, or an errno. */
static int load_module(const char *path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno;
        int error = syscall(SYS_finit_module, fd, "", 0) < 0 ? errno : 0;
        (void) close(fd);
        return error;
}

static void load_modules(void) {
        struct dirent **names = NULL;
        int n = scandir("/modules", &names, NULL, versionsort);

        for (int i = 0; i < n; i++) {
                char path[TEXT_MAX];

                if (names[i]->d_name[0] == '.')
                        continue;
                (void) snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
                int error = load_module(path);
                if (error != 0)
                        (void) fprintf(out, "{\"module\":\"%s\",\"errno\":\"%s\"}\n",
                                       names[i]->d_name, error_name(error));
                free(names[i]);
        }
        free(names);
}

/* The same keys by a process without capabilities. */
static void ask_without_capabilities(void) {
        (void) fflush(out);
        pid_t pid = fork();
        if (pid == 0) {
                int error = drop_capabilities();
                _exit(error != 0 ? 1 : ask_all("/plan", ask_once));
        }
        if (pid > 0)
                (void) waitpid(pid, NULL, 0);
}

static void run_after(void) {
        if (access("/after", X_OK) < 0)
                return;
        pid_t pid = fork();
        if (pid == 0) {
                (void) dup2(fileno(out), STDOUT_FILENO);
                (void) dup2(fileno(out), STDERR_FILENO);
                (void) execl("/after", "/after", NULL);
                _exit(127);
        }
        int status = -1;
        if (pid > 0)
                (void) waitpid(pid, &status, 0);
        (void) fprintf(out, "{\"after\":%d}\n", WIFEXITED(status) ? WEXITSTATUS(status) : 255);
}

static void be_init(void) {
        (void) mkdir("/proc", 0755);
        (void) mkdir("/sys", 0755);
        (void) mkdir("/dev", 0755);
        (void) mount("proc", "/proc", "proc", 0, NULL);
        (void) mount("sysfs", "/sys", "sysfs", 0, NULL);
        (void) mount("dev", "/dev", "devtmpfs", 0, NULL);
        out = fopen("/dev/ttyS1", "we");
        if (out) {
                load_modules();
                (void) ask_all("/plan", ask);
                ask_without_capabilities();
                run_after();
                (void) fflush(out);
                (void) fsync(fileno(out));
        }
        sync();
        (void) reboot(RB_POWER_OFF);
}

int main(int argc, char *argv[]) {
        out = stdout;
        if (getpid() == 1) {
                be_init();
                return 1;
        }
        if (argc == 3 && strcmp(argv[1], "--once") == 0) {
                int error = drop_capabilities();
                if (error == 0)
                        return ask_all(argv[2], ask_once);
                (void) fprintf(stderr, "probe: cannot drop capabilities: %s\n", strerror(error));
                return 1;
        }
        if (argc == 3 && strcmp(argv[1], "--load") == 0)
                return load_module(argv[2]) == 0 ? 0 : 1;
        if (argc != 2) {
                (void) fprintf(stderr, "usage: probe [--once|--load] FILE\n");
                return 64;
        }
        return ask_all(argv[1], ask);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stopwatch PLAN ROUNDS: starts programs in turn and prints what each start took.
 *
 * The plan names contestants, one directive per line; words are separated by single spaces:
 *
 *   contestant NAME     begins one
 *   netns               it gets a network namespace of its own, kept for all its runs
 *   run PROGRAM ARG...  what is started, the path being absolute
 *   send TEXT           standard input is a socket; TEXT and a NUL are sent, an answer up to NUL is awaited;
 *                       @NETNS@ stands for the inode of the network namespace
 *   connect PATH        nothing is started: TEXT goes to the Unix socket PATH; timed is the way to the answer
 *   whole               timed is the way to the end of the connection
 *   settle MS           so long nothing is started afterwards, because something still runs behind the answer
 *   expect TEXT         stands in every answer, otherwise the stopwatch stops
 *
 * Several run or send lines take turns by round, so that each run has something to change. In each round every
 * contestant runs once; the first of a round is the second of the one before. Output, one line each:
 *
 *   ROUND NAME WALL_NS CPU_NS RSS_KIB
 *
 * from before posix_spawn() until wait4() has returned; CPU (user and system) and peak RSS are the child's. The
 * parent is small and single, because a child counts its parent's pages in its peak until it executes.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONTESTANTS 8
#define MAX_TURNS       4
#define MAX_ARGS        16
#define ANSWER_MAX      (256 * 1024)

typedef struct Contestant {
        const char *name;
        char *runs[MAX_TURNS][MAX_ARGS + 1];
        char *sends[MAX_TURNS];
        const char *expects;
        const char *connects;
        unsigned n_runs, n_sends;
        unsigned settle_ms;
        bool is_whole;
        int netns;
} Contestant;

typedef struct Result {
        long long wall_ns, cpu_ns;
        long rss_kib;
} Result;

static Contestant contestants[MAX_CONTESTANTS];
static unsigned n_contestants;
static char answer[ANSWER_MAX];
static char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL };

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...) {
        va_list args;
        va_start(args, format);
        (void) fputs("stopwatch: ", stderr);
        (void) vfprintf(stderr, format, args);
        (void) fputc('\n', stderr);
        va_end(args);
        exit(2);
}

/* --- the plan ------------------------------------------------------------------------------------------- */

static unsigned turn_of(unsigned n) {
        if (n >= MAX_TURNS)
                die("too many lines of one kind");
        return n;
}

static void plan_add_run(Contestant *c, char *text) {
        char **args = c->runs[turn_of(c->n_runs++)], *rest = text;
        for (unsigned i = 0; (args[i] = strsep(&rest, " ")); i++)
                if (i == MAX_ARGS)
                        die("too many arguments");
}

/* Replaces @NETNS@ by the namespace of the contestant, which is the current one. */
static char *plan_expand(const char *text) {
        static const char mark[] = "@NETNS@";
        const char *p = strstr(text, mark);
        struct stat st;
        char *copy;
        if (stat("/proc/self/ns/net", &st) < 0)
                die("no network namespace: %s", strerror(errno));
        int n = p ? asprintf(&copy, "%.*s%lu%s", (int) (p - text), text, (unsigned long) st.st_ino,
                             p + strlen(mark))
                  : asprintf(&copy, "%s", text);
        if (n < 0)
                die("out of memory");
        return copy;
}

static int plan_new_netns(void) {
        if (unshare(CLONE_NEWNET) < 0)
                die("cannot make a network namespace: %s", strerror(errno));
        int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                die("cannot open the network namespace: %s", strerror(errno));
        return fd;
}

static void plan_add_line(char *line) {
        char *rest = line;
        const char *word = strsep(&rest, " ");
        if (strcmp(word, "contestant") == 0) {
                if (n_contestants == MAX_CONTESTANTS)
                        die("too many contestants");
                contestants[n_contestants++] = (Contestant){ .name = rest, .netns = -1 };
                return;
        }

        Contestant *c = n_contestants > 0 ? &contestants[n_contestants - 1] : NULL;
        if (!c)
                die("the plan does not begin with a contestant");
        if (strcmp(word, "netns") == 0)
                c->netns = plan_new_netns();
        else if (strcmp(word, "whole") == 0)
                c->is_whole = true;
        else if (!rest)
                die("'%s' without text", word);
        else if (strcmp(word, "run") == 0)
                plan_add_run(c, rest);
        else if (strcmp(word, "send") == 0)
                c->sends[turn_of(c->n_sends++)] = plan_expand(rest);
        else if (strcmp(word, "expect") == 0)
                c->expects = rest;
        else if (strcmp(word, "connect") == 0)
                c->connects = rest;
        else if (strcmp(word, "settle") == 0)
                c->settle_ms = (unsigned) strtoul(rest, NULL, 10);
        else
                die("unknown directive '%s'", word);
}

static void plan_load(const char *path) {
        FILE *file = fopen(path, "re");
        if (!file)
                die("cannot open '%s': %s", path, strerror(errno));
        for (;;) {
                char *line = NULL; /* kept: the contestants point into it */
                size_t size = 0;
                ssize_t n = getline(&line, &size, file);
                if (n < 0)
                        break;
                if (n > 0 && line[n - 1] == '\n')
                        line[n - 1] = '\0';
                if (line[0] != '\0' && line[0] != '#')
                        plan_add_line(line);
        }
        (void) fclose(file);
}

/* --- one run -------------------------------------------------------------------------------------------- */

static long long now_ns(void) {
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long timeval_ns(struct timeval t) {
        return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

/* Reads up to the NUL of a message, or to the end of the connection. */
static void socket_read(int fd, bool to_the_end) {
        size_t n = 0;
        for (;;) {
                ssize_t got = read(fd, answer + n, sizeof(answer) - 1 - n);
                if (got < 0 && errno != EINTR && errno != ECONNRESET)
                        die("cannot read the answer: %s", strerror(errno));
                if (got <= 0)
                        break;
                n += (size_t) got;
                if (n == sizeof(answer) - 1)
                        die("the answer is too long");
                if (!to_the_end && answer[n - 1] == '\0')
                        break;
        }
        answer[n] = '\0';
}

static void socket_ask(int fd, const char *text, bool to_the_end) {
        size_t n = strlen(text) + 1;
        if (write(fd, text, n) != (ssize_t) n)
                die("cannot send the request: %s", strerror(errno));
        if (to_the_end)
                (void) shutdown(fd, SHUT_WR);
        socket_read(fd, to_the_end);
}

/* Until the other side has closed, whatever it still says. */
static void socket_drain(int fd) {
        char rest[4096];
        (void) shutdown(fd, SHUT_WR);
        while (read(fd, rest, sizeof(rest)) > 0)
                ;
}

static pid_t start(char *const args[], int stdin_fd) {
        static int null_fd = -1;
        if (null_fd < 0)
                null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        posix_spawn_file_actions_t actions;
        pid_t pid;
        if (posix_spawn_file_actions_init(&actions) != 0 ||
            posix_spawn_file_actions_adddup2(&actions, stdin_fd < 0 ? null_fd : stdin_fd, 0) != 0 ||
            posix_spawn_file_actions_adddup2(&actions, null_fd, 1) != 0)
                die("out of memory");
        int r = posix_spawn(&pid, args[0], &actions, NULL, args, environment);
        if (r != 0)
                die("cannot start '%s': %s", args[0], strerror(r));
        (void) posix_spawn_file_actions_destroy(&actions);
        return pid;
}

static void result_judge(const Contestant *c, int status) {
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                die("%s: ended with status 0x%x; the answer was: %s", c->name, (unsigned) status,
                    answer);
        if (c->expects && !strstr(answer, c->expects))
                die("%s: '%s' does not stand in the answer: %.2000s", c->name, c->expects, answer);
}

static Result run_program(const Contestant *c, unsigned round) {
        char *const *args = c->runs[round % c->n_runs];
        const char *text = c->n_sends > 0 ? c->sends[round % c->n_sends] : NULL;
        int fds[2] = { -1, -1 };
        struct rusage usage;
        int status;

        answer[0] = '\0';
        long long begin = now_ns();
        if (text && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                die("cannot make a socket: %s", strerror(errno));
        pid_t pid = start(args, fds[1]);
        if (text) {
                (void) close(fds[1]);
                socket_ask(fds[0], text, /* to_the_end= */ false);
                (void) close(fds[0]);
        }
        if (wait4(pid, &status, 0, &usage) != pid)
                die("cannot wait: %s", strerror(errno));
        long long end = now_ns();

        result_judge(c, status);
        return (Result){
                .wall_ns = end - begin,
                .cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime),
                .rss_kib = usage.ru_maxrss,
        };
}

static Result run_connection(const Contestant *c, unsigned round) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", c->connects);

        long long begin = now_ns();
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                die("%s: cannot connect: %s", c->name, strerror(errno));
        socket_ask(fd, c->sends[round % c->n_sends], c->is_whole);
        long long end = now_ns();
        /* not timed: what still runs for this answer would slow down the next contestant */
        socket_drain(fd);
        (void) close(fd);

        result_judge(c, 0);
        return (Result){ .wall_ns = end - begin };
}

static void run_one(const Contestant *c, unsigned round) {
        if (c->netns >= 0 && setns(c->netns, CLONE_NEWNET) < 0)
                die("cannot enter the namespace of %s: %s", c->name, strerror(errno));
        Result result = c->connects ? run_connection(c, round) : run_program(c, round);
        (void) printf("%u %s %lld %lld %ld\n", round, c->name, result.wall_ns, result.cpu_ns,
                      result.rss_kib);
        if (c->settle_ms > 0)
                (void) usleep(c->settle_ms * 1000);
}

int main(int argc, char *argv[]) {
        if (argc != 3)
                die("usage: stopwatch PLAN ROUNDS");
        unsigned long rounds = strtoul(argv[2], NULL, 10);
        plan_load(argv[1]);
        for (unsigned i = 0; i < n_contestants; i++)
                if (contestants[i].n_runs == 0 && !contestants[i].connects)
                        die("%s has nothing to run", contestants[i].name);

        for (unsigned round = 0; round < rounds; round++)
                for (unsigned i = 0; i < n_contestants; i++)
                        run_one(&contestants[(round + i) % n_contestants], round);
        return fflush(stdout) == 0 ? 0 : 1;
}

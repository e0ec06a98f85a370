/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/transport.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "diag/text.h"

#define INTERFACE           "org.twprofile."
#define EXIT_CANNOT_EXECUTE 127

/* One way to the helper, open. */
typedef struct Transport {
        TransportKind kind;
        VarlinkConnection *connection;
        pid_t child; /* 0 for none */
} Transport;

bool transport_systemd_runs(void) {
        return access("/run/systemd/system", F_OK) == 0;
}

uint64_t transport_netns_inode(void) {
        struct stat st;
        return stat("/proc/self/ns/net", &st) < 0 ? 0 : (uint64_t) st.st_ino;
}

/* --- a child of ours ------------------------------------------------------------------------------------ */

/* Where the helper stands seen from a program that is not installed: in one folder, or in the build tree. An
 * installed program finds nothing at these places. */
static const char *const helper_beside[] = { "twprofile-helper", "../helper/twprofile-helper" };

const char *transport_helper_path(const Context *context) {
        const char *given = secure_getenv("TWPROFILE_HELPER");
        if (given && *given)
                return given;
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        for (size_t i = 0; n > 0 && i < ELEMENTSOF(helper_beside); i++) {
                self[n] = '\0';
                char *slash = strrchr(self, '/');
                const char *path = slash ? arena_format(context->arena, "%.*s/%s",
                                                        (int) (slash - self), self,
                                                        helper_beside[i])
                                         : NULL;
                if (path && access(path, X_OK) == 0)
                        return path;
        }
        return PROJECT_HELPER_PATH;
}

/* In the child; does not return. Its standard input is the socket, its standard output goes to our standard
 * error, because ours belongs to the result. Nothing of our environment reaches it. */
static void execute_helper(const char *path, int socket_fd, char *const *argv) {
        char *environment[] = { NULL };
        int fd = socket_fd >= 0 ? socket_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO &&
            dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO)
                (void) execve(path, argv, environment); /* returns only when it failed */
        _exit(EXIT_CANNOT_EXECUTE);
}

static int start_helper(
                const char *path, const char *verb, const char *root, int socket_fd, pid_t *ret,
                Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf option = {};
        strbuf_addf(&option, "--root=%s", root ? root : "");
        if (option.failed)
                return error_set(reterr, -ENOMEM, "cannot start '%s'", path);
        /* in the sandbox its keeper starts a guard; that one came is seen by the helper itself */
        bool has_guard = streq(verb, "serve") && secure_getenv("TWPROFILE_SANDBOX");
        char *last = root ? option.data : has_guard ? (char *) "--guard" : NULL;
        char *argv[] = { (char *) "twprofile-helper", (char *) verb, last, NULL };
        pid_t pid = fork();
        if (pid < 0)
                return error_set(reterr, -errno, "cannot start '%s'", path);
        if (pid == 0)
                execute_helper(path, socket_fd, argv);
        *ret = pid;
        return 0;
}

/* The exit status, or -1 when it was killed or is not ours. */
static int wait_for_child(pid_t pid) {
        int status = 0;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int open_child(Context *context, TransportKind kind, Transport *ret) {
        const char *path = transport_helper_path(context);
        if (access(path, X_OK) < 0)
                return context_fail(
                                context, DIAG_IO_FAILED, "is the package installed whole?",
                                "cannot run the helper '%s': %s", path, strerror(errno));
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return error_set(&context->error, -errno, "cannot make a socket pair");
        cleanup_close int ours = fds[0], theirs = fds[1];
        const char *root = kind == TRANSPORT_KIND_ROOT ? context->options.root : NULL;
        int r = start_helper(path, "serve", root, theirs, &ret->child, &context->error);
        if (r < 0)
                return r;
        ret->kind = kind;
        ret->connection = varlink_connection_new(TAKE_FD(ours));
        return ret->connection ? 0
                               : error_set(&context->error, -ENOMEM, "cannot talk to the helper");
}

static void close_transport(Transport *transport) {
        if (transport->connection)
                transport->connection = varlink_connection_free(transport->connection);
        if (transport->child > 0)
                (void) wait_for_child(transport->child); /* it ends at the end of the stream */
        transport->child = 0;
}

/* --- the socket ----------------------------------------------------------------------------------------- */

/* A descriptor, or a negative errno. */
static int connect_socket(void) {
        cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = TRANSPORT_SOCKET };
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int open_socket(Context *context, Transport *ret) {
        int fd = connect_socket();
        if (fd == -ENOENT)
                return context_fail(
                                context, DIAG_SOCKET_NOT_ENABLED,
                                "run: systemctl enable --now twprofile.socket twprofile-guard.path",
                                "the helper's socket '%s' is not there", TRANSPORT_SOCKET);
        if (fd == -EACCES || fd == -EPERM)
                return context_fail(
                                context, DIAG_NOT_PERMITTED,
                                "use sudo, or a group that twprofile.socket is open to",
                                "only root may change profiles on this host");
        if (fd < 0)
                return fd;
        ret->kind = TRANSPORT_KIND_SOCKET;
        ret->connection = varlink_connection_new(fd);
        return ret->connection ? 0
                               : error_set(&context->error, -ENOMEM, "cannot talk to the helper");
}

static int open_transport(Context *context, Transport *ret) {
        if (context->options.root)
                return open_child(context, TRANSPORT_KIND_ROOT, ret);
        if (transport_systemd_runs())
                return open_socket(context, ret);
        if (geteuid() != 0)
                return context_fail(
                                context, DIAG_NOT_PERMITTED,
                                "use sudo; to try things out: twprofile sandbox",
                                "only root may change profiles on this host");
        return open_child(context, TRANSPORT_KIND_DIRECT, ret);
}

/* --- one call ------------------------------------------------------------------------------------------- */

static void show_progress(const Context *context, json_t *progress) {
        const char *step = NULL, *text = NULL;
        json_int_t done = 0, total = 0;
        if (!context->err.is_terminal || context->options.quiet || context_is_json(context))
                return;
        if (json_unpack(progress, "{s:s, s:I, s:I, s?:s}", "step", &step, "done", &done, "total",
                        &total, "text", &text) < 0)
                return; /* decoration: an unknown form is not shown */
        CLEANUP(strbuf_deinit) StrBuf line = {};
        strbuf_addf(&line, "\r\033[K[%lld/%lld] %s", (long long) done, (long long) total, step);
        /* the one step that takes its time has something to say; the others name the transaction */
        if (text && streq(step, "baseline")) {
                strbuf_add(&line, ": ");
                diag_text_add_escaped(&line, text, strlen(text));
        }
        (void) fputs(strbuf_text(&line), stderr); /* decoration */
}

static void clear_progress(const Context *context) {
        if (context->err.is_terminal && !context->options.quiet && !context_is_json(context))
                (void) fputs("\r\033[K", stderr); /* decoration */
}

/* Waits until something is told. 0; -ECONNRESET when the call was never read (the kernel tells the difference
 * by unread bytes at the other end); -ENODATA when the stream ended; -ETIMEDOUT. */
static int wait_for_first_byte(int fd) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        int r = 0;
        do
                r = poll(&pollfd, 1, TRANSPORT_ANSWER_MS);
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                return r == 0 ? -ETIMEDOUT : -errno;
        char byte = 0;
        ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        return n == 0 ? -ENODATA : 0;
}

/* Reads up to the last reply. 0 and *ret; -ENODATA when the stream ended before it, also inside a message. */
static int read_answer(Context *context, Transport *transport, json_t **ret) {
        for (;;) {
                json_t *message = NULL;
                int r = varlink_connection_read(
                                transport->connection, TRANSPORT_ANSWER_MS, &message,
                                &context->error);
                if (r <= 0)
                        return r == 0 || r == -ECONNRESET ? -ENODATA : r;
                VarlinkReply reply;
                r = varlink_reply_decode(message, &reply);
                if (r == 0 && !reply.continues) {
                        *ret = message;
                        return 0;
                }
                if (r == 0)
                        show_progress(context, json_object_get(reply.parameters, "progress"));
                json_decref(message);
                if (r < 0)
                        return error_set(
                                        &context->error, -EBADMSG,
                                        "the helper's answer is no reply");
        }
}

static int call_once(Context *context, Transport *transport, json_t *call, json_t **ret) {
        int r = varlink_connection_write(
                        transport->connection, call, TRANSPORT_ANSWER_MS, &context->error);
        if (r < 0)
                return r;
        r = wait_for_first_byte(varlink_connection_fd(transport->connection));
        if (r < 0)
                return r;
        r = read_answer(context, transport, ret);
        clear_progress(context);
        return r;
}

/* The helper ended without an answer, or said nothing for too long. */
static int helper_lost(Context *context, Transport *transport, int r) {
        error_reset(&context->error);
        const char *what = r == -ETIMEDOUT ? "gave no answer in time" : "ended without an answer";
        if (transport->child > 0) {
                if (r == -ETIMEDOUT)
                        (void) kill(transport->child,
                                    SIGKILL); /* our own child, not yet waited for */
                close_transport(transport);
        }
        if (transport->kind == TRANSPORT_KIND_SOCKET)
                return context_fail(
                                context, DIAG_HELPER_LOST,
                                "see: journalctl -u 'twprofile@*'; then: twprofile status",
                                "the helper %s", what);
        pid_t pid = 0;
        int status = -1;
        if (transport->kind == TRANSPORT_KIND_DIRECT &&
            start_helper(transport_helper_path(context), "recover", NULL, FD_EMPTY, &pid,
                         &context->error) == 0)
                status = wait_for_child(pid);
        error_reset(&context->error);
        if (transport->kind == TRANSPORT_KIND_DIRECT && status != 0)
                return context_fail(
                                context, DIAG_HELPER_LOST, "run: twprofile recover",
                                "the helper %s, and the recovery after it failed", what);
        return context_fail(
                        context, DIAG_HELPER_LOST, "look at it: twprofile status",
                        "the helper %s; what it had begun is settled", what);
}

static bool means_full(int r) {
        return r == -ECONNREFUSED || r == -EAGAIN || r == -EPIPE || r == -ECONNRESET;
}

static int64_t now_ms(void) {
        struct timespec now = {};
        (void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(int64_t ms) {
        struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };
        (void) nanosleep(&time, NULL); /* an earlier end only means an earlier try */
}

/* 0, > 0 exit code, -EAGAIN when the socket was full, < 0. */
static int try_call(Context *context, json_t *call, json_t **ret) {
        CLEANUP(close_transport) Transport transport = {};
        int r = open_transport(context, &transport);
        if (r == 0)
                r = call_once(context, &transport, call, ret);
        if (r >= 0)
                return r;
        bool is_child = transport.child > 0;
        if (!is_child && means_full(r))
                return -EAGAIN;
        if (r == -ENODATA || r == -ETIMEDOUT || (is_child && means_full(r)))
                return helper_lost(context, &transport, r);
        if (!error_is_set(&context->error))
                return error_set(&context->error, r, "cannot reach the helper");
        return r;
}

static int call_until_taken(Context *context, json_t *call, json_t **ret) {
        int64_t end = now_ms() + TRANSPORT_RETRY_MS;
        for (int64_t pause = 20;; pause = pause < 1000 ? pause * 2 : 1000) {
                int r = try_call(context, call, ret);
                if (r != -EAGAIN)
                        return r;
                error_reset(&context->error);
                if (now_ms() + pause > end)
                        return context_fail(
                                        context, DIAG_BUSY, "try again",
                                        "the helper's socket took no call for %d s",
                                        TRANSPORT_RETRY_MS / 1000);
                sleep_ms(pause);
        }
}

int transport_call(Context *context, const char *method, json_t *parameters, json_t **ret) {
        CLEANUP(strbuf_deinit) StrBuf name = {};
        strbuf_addf(&name, INTERFACE "%s", method);
        /* recovery has no progress to tell */
        json_t *call = varlink_call_new(strbuf_text(&name), parameters, !streq(method, "Recover"));
        if (!call)
                return error_set(&context->error, -ENOMEM, "cannot call the helper");
        int r = call_until_taken(context, call, ret);
        json_decref(call);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * twprofile-helper: the privileged program. Started by systemd (twprofile@.service, twprofile-boot.service,
 * twprofile-guard.service) or,
 * where systemd does not run, by the command line; never by hand.
 *
 * Every verb begins alike: hygiene, then everything that needs a capability (joining the group of the audit log),
 * then the capabilities go, and only then is anything read that others can write.
 */

#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "base/strbuf.h"
#include "diag/text.h"
#include "helper/answer.h"
#include "helper/armed.h"
#include "helper/audit-group.h"
#include "helper/capabilities.h"
#include "helper/gate-baseline.h"
#include "helper/gate-watch.h"
#include "helper/guard.h"
#include "helper/hygiene.h"
#include "helper/journald.h"
#include "helper/service.h"

/* The exit codes of the command line, as far as this program has them (DESIGN part 6). */
enum {
        EXIT_DONE = 0,
        EXIT_FAILED = 2,
        EXIT_USAGE = 64,
};

typedef struct Invocation {
        const char *root;         /* --root=DIR, or NULL */
        char boot_id[TX_ID_SIZE]; /* --boot-id=, as a uuid; "" to read it from /proc */
        bool has_guard; /* --guard: whoever started us starts one when a change awaits confirmation */
        Aftermath aftermath;
        Notify notify;
} Invocation;

typedef struct Verb {
        const char *name;
        const char *help;
        bool takes_root;
        int (*run)(const Invocation *invocation);
} Verb;

/* --- output ---------------------------------------------------------------------------------------------- */

/* One line on standard error: the journal of the unit, or the terminal. Text from callers is in it. */
static void log_line(const char *line) {
        CLEANUP(strbuf_deinit) StrBuf out = { 0 };
        strbuf_add(&out, "twprofile-helper: ");
        diag_text_add_escaped(&out, line, strlen(line));
        strbuf_add_char(&out, '\n');
        (void) fputs(strbuf_text(&out), stderr);
}

static int fail(const char *what) {
        log_line(what);
        return EXIT_FAILED;
}

static void log_findings(const DiagList *findings) {
        for (size_t i = 0; i < diag_list_count(findings); i++) {
                const Diag *diag = diag_list_get(findings, i);
                const DiagRow *row = diag_row(diag->id);
                CLEANUP(strbuf_deinit) StrBuf line = { 0 };
                strbuf_addf(&line, "%s[%s] %s: %s", diag_severity_word(row->severity), row->code,
                            row->name, diag->message);
                if (diag->help)
                        strbuf_addf(&line, " (%s)", diag->help);
                log_line(strbuf_text(&line));
        }
}

/* --- what every verb needs ------------------------------------------------------------------------------- */

typedef struct Context {
        int root_fd;
        ArmedWait armed_wait;
        Journald journald;
        Engine engine;
} Context;

static void context_deinit(Context *context) {
        journald_deinit(&context->journald);
        context->root_fd = fd_close(context->root_fd);
}

/* How this process was started, as the kernel tells it. */
typedef enum Start {
        START_UNIT,   /* by systemd: the sandbox is there, or something is wrong */
        START_DIRECT, /* by root, without systemd */
        START_ROOT,   /* --root: with the rights of whoever called, for files below a directory */
} Start;

/* The capabilities go before anything is read that others may write; see capabilities.h.
 *
 * With --root the rule is kept where it costs nothing: everything below the directory is then reached as its
 * owner. A directory of somebody else (an image that an ordinary user unpacked, worked on by root) could not be
 * written without the rights that the caller came with; the child keeps those, as any tool that root runs there
 * would. */
static int rights_reduce(Start start, int root_fd, Error *reterr) {
        if (start == START_UNIT)
                return capabilities_check_unit(reterr);
        if (start == START_ROOT) {
                struct stat st;
                if (fstat(root_fd, &st) < 0)
                        return error_set(reterr, -errno, "cannot look at the directory of --root");
                if (st.st_uid != geteuid())
                        return 0;
        }
        return capabilities_drop(reterr);
}

/* SO_NETNS_COOKIE of a socket made here; 0 before Linux 5.14. That of standard input would be the cookie of
 * systemd's namespace. */
static uint64_t netns_cookie_read(void) {
#ifdef SO_NETNS_COOKIE
        cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        uint64_t cookie = 0;
        socklen_t size = sizeof(cookie);
        if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) >= 0)
                return cookie;
#endif
        return 0;
}

static gid_t audit_gid_get(int root_fd) {
        gid_t gid;
        if (audit_group_find(root_fd, &gid) < 0)
                return (gid_t) -1;
        /* Not being in it and not allowed to join: the files stay with root's group. */
        if (!audit_group_is_joined(gid) && audit_group_join(gid) < 0)
                return (gid_t) -1;
        return gid;
}

static int context_open(Context *ret, Start start, const Invocation *invocation, Error *reterr) {
        const char *path = invocation->root ? invocation->root : "/";
        ret->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (ret->root_fd < 0)
                return error_set(reterr, -errno, "cannot open directory '%s'", path);
        if (start != START_ROOT && geteuid() != 0)
                return error_set(
                                reterr, -EPERM, "this program has to run as root, not as uid %u",
                                (unsigned) geteuid());

        gid_t audit_gid = audit_gid_get(ret->root_fd);
        int r = rights_reduce(start, ret->root_fd, reterr);
        if (r < 0)
                return r;

        ret->engine = (Engine){
                .seam = seam_real(),
                .root_fd = ret->root_fd,
                .files_only = start == START_ROOT,
                .instance.netns_cookie = netns_cookie_read(),
                .audit_gid = audit_gid,
        };
        /* what is done to the files of an image is not this host's history */
        if (start != START_ROOT) {
                ret->engine.mirror = journald_mirror;
                ret->engine.mirror_userdata = &ret->journald;
        }
        /* A path unit starts the guard, or whoever said --guard does; that it came is seen each time. */
        if (start == START_UNIT || (start == START_DIRECT && invocation->has_guard)) {
                ret->armed_wait = (ArmedWait){ .root_fd = ret->root_fd };
                ret->engine.arm = armed_wait;
                ret->engine.arm_userdata = &ret->armed_wait;
        }
        memcpy(ret->engine.instance.boot_id, invocation->boot_id, sizeof(invocation->boot_id));
        return engine_prepare(&ret->engine, reterr);
}

/* --- serve ----------------------------------------------------------------------------------------------- */

/* A connection that systemd accepted has the name of its listening socket; a socket pair has none. */
static int start_of_socket(int fd, Start *ret, Error *reterr) {
        struct sockaddr_un address = { 0 };
        socklen_t size = sizeof(address);
        int type;
        socklen_t type_size = sizeof(type);
        if (getsockname(fd, (struct sockaddr *) &address, &size) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0)
                return error_set(
                                reterr, -errno,
                                "standard input is no connection; this program is started by systemd or by "
                                "twprofile, not by hand");
        if (address.sun_family != AF_UNIX || type != SOCK_STREAM)
                return error_set(reterr, -EPROTOTYPE, "standard input is no Unix stream socket");

        *ret = size > offsetof(struct sockaddr_un, sun_path) ? START_UNIT : START_DIRECT;
        return 0;
}

static const char *via_of_start(Start start) {
        static const char *const names[] = {
                [START_UNIT] = "socket",
                [START_DIRECT] = "direct",
                [START_ROOT] = "root-dir",
        };
        return names[start];
}

static int run_serve(const Invocation *invocation) {
        Error error = {};
        Start start = START_DIRECT;
        if (start_of_socket(STDIN_FILENO, &start, &error) < 0)
                return fail(error.text);
        if (invocation->root)
                start = START_ROOT;

        /* A process that must not act still answers, with the reason. */
        CLEANUP(context_deinit) Context context = { .root_fd = FD_EMPTY };
        bool is_fit = context_open(&context, start, invocation, &error) >= 0;
        if (!is_fit)
                log_line(error.text);

        CLEANUP(caller_deinit) Caller caller = { .pidfd = FD_EMPTY };
        Error caller_error = {};
        if (caller_identify(STDIN_FILENO, &caller, &caller_error) < 0)
                return fail(caller_error.text);
        CLEANUP(varlink_connection_freep)
        VarlinkConnection *connection = varlink_connection_new(STDIN_FILENO);
        if (!connection)
                return fail("out of memory");

        GateBaselineTask gate = {
                .engine = &context.engine,
                .caller_fd = STDIN_FILENO,
                .log = log_line,
        };
        Service service = {
                .engine = &context.engine,
                .connection = connection,
                .caller = &caller,
                .via = via_of_start(start),
                .unfit = is_fit ? NULL : error.text,
                .sample_gate = gate_baseline_sample,
                .gate_userdata = &gate,
                .log = log_line,
        };
        Error service_error = {};
        if (service_run(&service, &service_error) < 0)
                return fail(service_error.text);
        return EXIT_DONE;
}

/* --- recover and boot ------------------------------------------------------------------------------------ */

static int run_engine(
                const Invocation *invocation, Context *context, EngineVerb verb, const char *via,
                EngineResult *ret, Error *reterr) {
        /* No caller of its own: the unit, or a command line whose helper died. */
        int r = context_open(context, START_DIRECT, invocation, reterr);
        if (r < 0)
                return r;
        EngineRequest request = { .verb = verb, .via = via };
        return engine_run(&context->engine, &request, ret, reterr);
}

/* Answers the caller whose helper died, if there is one and it still listens. The end of our sending side is
 * told at once: a second line of ExecStopPost= must not answer again. */
static void answer_waiting_caller(const Invocation *invocation, const EngineResult *result) {
        int type;
        socklen_t size = sizeof(type);
        bool is_socket = getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) >= 0;
        if (!is_socket || !aftermath_is_set(&invocation->aftermath))
                return;

        CLEANUP(strbuf_deinit) StrBuf why = { 0 };
        strbuf_addf(&why, "%s: %s, %s", invocation->aftermath.service_result,
                    invocation->aftermath.exit_code, invocation->aftermath.exit_status);
        json_t *answer = answer_lost(result, strbuf_text(&why));
        CLEANUP(varlink_connection_freep)
        VarlinkConnection *connection = varlink_connection_new(STDIN_FILENO);
        /* A caller that is gone, or was answered already, is no fault of ours. */
        Error ignored = {};
        if (answer && connection &&
            varlink_connection_write(connection, answer, SERVICE_WRITE_MS, &ignored) >= 0)
                (void) shutdown(varlink_connection_fd(connection), SHUT_WR);
        json_decref(answer);
}

static int run_recover(const Invocation *invocation) {
        /* the usual case, at the end of every instance: nothing is opened, nothing is read */
        if (aftermath_is_clean(&invocation->aftermath))
                return EXIT_DONE;

        CLEANUP(context_deinit) Context context = { .root_fd = FD_EMPTY };
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        Error error = {};
        int r = run_engine(invocation, &context, ENGINE_RECOVER, "recover", &result, &error);
        answer_waiting_caller(invocation, r < 0 ? NULL : &result);
        if (r < 0)
                return fail(error.text);
        log_findings(result.findings);
        return result.exit_code;
}

static int run_boot(const Invocation *invocation) {
        CLEANUP(context_deinit) Context context = { .root_fd = FD_EMPTY };
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        Error error = {};
        if (run_engine(invocation, &context, ENGINE_BOOT, "boot", &result, &error) < 0)
                return fail(error.text);
        log_findings(result.findings);
        return result.exit_code;
}

/* --- guard ----------------------------------------------------------------------------------------------- */

static int run_guard(const Invocation *invocation) {
        CLEANUP(context_deinit) Context context = { .root_fd = FD_EMPTY };
        Error error = {};
        if (context_open(&context, START_DIRECT, invocation, &error) < 0)
                return fail(error.text);

        CLEANUP(gate_watcher_close)
        GateWatcher gate = {
                .sampler = { .seam = context.engine.seam, .root_fd = context.root_fd },
                .log = log_line,
        };
        Guard guard = {
                .engine = &context.engine,
                .notify = &invocation->notify,
                .gate = gate_watcher_ask,
                .gate_userdata = &gate,
                .log = log_line,
                .tell = log_findings,
        };
        return guard_run(&guard, &error) < 0 ? fail(error.text) : EXIT_DONE;
}

/* --- command line ---------------------------------------------------------------------------------------- */

static const Verb verbs[] = {
        { "serve", "answer the calls of the connection on standard input", true, run_serve },
        { "recover", "settle what a dead process left behind (ExecStopPost=)", false, run_recover },
        { "boot", "recover, then make live what is enabled", false, run_boot },
        { "guard", "hold the deadline of the change that awaits confirmation", false, run_guard },
};

/* systemd's %b: 32 hexadecimal digits, the boot as PID 1 sees it. */
static bool parse_boot_id(const char *text, char ret[static TX_ID_SIZE]) {
        if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
                return false;
        (void) snprintf(ret, TX_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8, text + 12,
                        text + 16, text + 20);
        return true;
}

static bool parse_option(const Verb *verb, const char *text, Invocation *invocation) {
        const char *boot_id = startswith(text, "--boot-id=");
        if (boot_id)
                return parse_boot_id(boot_id, invocation->boot_id);

        if (streq(text, "--guard") && verb->run == run_serve) {
                invocation->has_guard = true;
                return true;
        }
        const char *root = verb->takes_root ? startswith(text, "--root=") : NULL;
        if (!root || root[0] == '\0' || invocation->root)
                return false;
        invocation->root = root;
        return true;
}

static int usage(const char *what, const char *argument) {
        CLEANUP(strbuf_deinit) StrBuf line = { 0 };
        strbuf_add(&line, what);
        if (argument)
                strbuf_addf(&line, " '%s'", argument);
        strbuf_add(&line, "; see 'twprofile-helper --help'");
        log_line(strbuf_text(&line));
        return EXIT_USAGE;
}

static int help(void) {
        (void) printf("twprofile-helper VERB [--root=DIR]\n\n"
                      "The privileged half of twprofile. systemd and twprofile start it; people do not.\n\n");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                (void) printf("  %-8s  %s\n", verbs[i].name, verbs[i].help);
        (void) printf("\n"
                      "  --root=DIR  only with serve: work on the files below DIR, with the caller's own rights\n"
                      "  --boot-id=ID  the boot as systemd knows it (%%b); inside its sandbox /proc may tell\n"
                      "              that of a container's host\n"
                      "  --guard     only with serve: a guard is started when a change awaits confirmation\n"
                      "  --help      show this text\n"
                      "  --version   show the version\n");
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* One process, one request: memory is taken in one piece and never given back before the end, and the seed of
 * jansson's tables comes from a call instead of from a file that jansson opens. */
static void libraries_tune(void) {
        enum { PIECE = 1024 * 1024, KEPT = 64 * PIECE };
        (void) mallopt(M_TOP_PAD, PIECE);
        (void) mallopt(M_MMAP_THRESHOLD, 4 * PIECE);
        (void) mallopt(M_TRIM_THRESHOLD, KEPT);

        size_t seed = 0;
        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t) sizeof(seed))
                json_object_seed(seed);
}

int main(int argc, char *argv[]) {
        /* execve() allows an empty argv, and then argv[1] is the environment */
        if (argc < 1)
                return EXIT_USAGE;
        Invocation invocation = { 0 };
        Error error = {};
        notify_take(&invocation.notify);
        if (hygiene_enter(&invocation.aftermath, &error) < 0)
                return fail(error.text);

        libraries_tune();
        const char *name = argc > 1 ? argv[1] : NULL;
        if (name && argc == 2 && streq(name, "--help"))
                return help();
        if (name && argc == 2 && streq(name, "--version")) {
                (void) printf("twprofile-helper %s\n", PROJECT_VERSION);
                return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
        }

        const Verb *verb = NULL;
        for (size_t i = 0; i < ELEMENTSOF(verbs) && name; i++)
                if (streq(name, verbs[i].name))
                        verb = &verbs[i];
        if (!verb)
                return usage(name ? "unknown verb" : "a verb is missing", name);
        for (int i = 2; i < argc; i++)
                if (!parse_option(verb, argv[i], &invocation))
                        return usage("unexpected argument", argv[i]);
        return verb->run(&invocation);
}

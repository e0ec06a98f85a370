/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * crash-killer: one request to the engine on the running kernel, ended by SIGKILL at a call of the seam.
 *
 *         crash-killer [OPTION…] enable|disable|rollback|confirm|revert|recover|boot [PROFILE…]
 *
 *         --kill=N[:after]     SIGKILL before (after) the seam's call number N, counted from 1
 *         --kill=answer        SIGKILL behind the answer
 *         --foreign=N:SYSCTL:VALUE
 *                              before the seam's call number N somebody else writes /proc/sys/SYSCTL
 *         --trace              each call on standard error, before it is made: number, operation, path
 *         --lie=PLAN           see lie-seam.h
 *         --late=SECONDS       CLOCK_BOOTTIME stands so much later
 *         --early=SECONDS      CLOCK_BOOTTIME stands so much earlier
 *         --audit-bytes=BYTES  size at which a file of the audit log ends
 *         --audit-files=N      so many of them are kept
 *         --only, --to=TARGET, --confirm-within=SECONDS, --runtime, --token=TOKEN, --same-session,
 *         --cause=deadline|gate
 *                              of the request
 *
 * A deadline is held by nobody: the guard counts as armed. `revert` and `boot` are made as the guard and the boot unit
 * make them, without a caller.
 *
 * Everything happens below "/", so the caller has made a network and mount namespace of its own: in the first
 * network namespace of the machine it refuses to work.
 *
 * Prints "answered OUTCOME EXIT-CODE CALLS TOKEN" ("-" for no token) once the engine has answered; findings go to
 * standard error. Exits with the engine's exit code, 70 for a failure without an answer, 64 for bad usage.
 */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lie-seam.h"

#include "base/num.h"
#include "engine/engine.h"
#include "record/pending-format.h"
#include "seam/seam-fault.h"

enum {
        EXIT_USAGE = 64,
        EXIT_BROKEN = 70,
};

typedef struct Killer {
        SeamFault counted;
        LieSeam lie;
        uint64_t kill_at; /* 0: never */
        bool kill_after, kill_answered, trace;
        uint64_t foreign_at; /* 0: never */
        const char *foreign_path, *foreign_value;
        uint64_t late_s, early_s;
        uint64_t audit_bytes, audit_files; /* 0: as the program has it */
        EngineRequest request;
} Killer;

/* --- the seam's hooks ------------------------------------------------------------------------------------- */

/* Not through the seam: it is another program's. */
static void write_foreign(const Killer *killer) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "/proc/sys/%s", killer->foreign_path);
        cleanup_close int fd = n > 0 && (size_t) n < sizeof(path) ? open(path, O_WRONLY | O_CLOEXEC)
                                                                  : -1;
        size_t length = strlen(killer->foreign_value);
        if (fd < 0 || write(fd, killer->foreign_value, length) != (ssize_t) length) {
                (void) fprintf(stderr, "crash-killer: cannot write '%s'\n", killer->foreign_path);
                _exit(EXIT_BROKEN);
        }
}

static void before_call(void *userdata, const SeamCall *call) {
        const Killer *killer = userdata;
        if (call->number == killer->foreign_at)
                write_foreign(killer);
        if (killer->trace)
                (void) fprintf(stderr, "%llu %s %s\n", (unsigned long long) call->number,
                               seam_call_name(call->kind), call->to ? call->to : call->path);
        if (call->number == killer->kill_at && !killer->kill_after)
                (void) raise(SIGKILL);
}

static void after_call(void *userdata, const SeamCall *call) {
        const Killer *killer = userdata;
        if (call->number == killer->kill_at && killer->kill_after)
                (void) raise(SIGKILL);
}

/* --- the command line --------------------------------------------------------------------------------------- */

static int parse_kill(const char *text, Killer *killer) {
        if (streq(text, "answer")) {
                killer->kill_answered = true;
                return 0;
        }
        const char *colon = strchr(text, ':');
        cleanup_free char *digits = strndup(text, colon ? (size_t) (colon - text) : strlen(text));
        if (!digits || num_parse_u64(digits, &killer->kill_at) < 0 || killer->kill_at == 0 ||
            (colon && !streq(colon, ":after")))
                return -EINVAL;
        killer->kill_after = colon != NULL;
        return 0;
}

static int parse_foreign(char *text, Killer *killer) {
        const char *number = strsep(&text, ":");
        killer->foreign_path = strsep(&text, ":");
        killer->foreign_value = text;
        return text && num_parse_u64(number, &killer->foreign_at) >= 0 ? 0 : -EINVAL;
}

static int parse_verb(const char *name, EngineVerb *ret) {
        static const char *const names[] = {
                [ENGINE_ENABLE] = "enable",     [ENGINE_DISABLE] = "disable",
                [ENGINE_ROLLBACK] = "rollback", [ENGINE_RECOVER] = "recover",
                [ENGINE_BOOT] = "boot",         [ENGINE_CONFIRM] = "confirm",
                [ENGINE_REVERT] = "revert",
        };
        for (size_t i = 0; name && i < ELEMENTSOF(names); i++)
                if (names[i] && streq(name, names[i])) {
                        *ret = (EngineVerb) i;
                        return 0;
                }
        return -EINVAL;
}

static int parse_window(const char *text, EngineRequest *request) {
        uint64_t seconds;
        if (num_parse_u64(text, &seconds) < 0 || seconds == 0 || seconds > PENDING_WINDOW_MAX_S)
                return -EINVAL;
        request->confirm_within_s = (uint32_t) seconds;
        return 0;
}

static int parse_flag(const char *argument, Killer *killer) {
        EngineRequest *request = &killer->request;
        if (streq(argument, "--trace"))
                killer->trace = true;
        else if (streq(argument, "--only"))
                request->only = true;
        else if (streq(argument, "--runtime"))
                request->runtime = true;
        else if (streq(argument, "--same-session"))
                request->same_session = true;
        else
                return -EINVAL;
        return 0;
}

static int parse_option(char *argument, Killer *killer) {
        EngineRequest *request = &killer->request;
        const char *value;
        if ((value = startswith(argument, "--kill=")))
                return parse_kill(value, killer);
        if (startswith(argument, "--foreign="))
                return parse_foreign(argument + strlen("--foreign="), killer);
        if ((value = startswith(argument, "--lie=")))
                return lie_seam_plan(&killer->lie, value);
        if ((value = startswith(argument, "--late=")))
                return num_parse_u64(value, &killer->late_s);
        if ((value = startswith(argument, "--early=")))
                return num_parse_u64(value, &killer->early_s);
        if ((value = startswith(argument, "--audit-bytes=")))
                return num_parse_u64(value, &killer->audit_bytes);
        if ((value = startswith(argument, "--audit-files=")))
                return num_parse_u64(value, &killer->audit_files);
        if ((value = startswith(argument, "--confirm-within=")))
                return parse_window(value, request);
        if ((value = startswith(argument, "--to=")))
                request->to = value;
        else if ((value = startswith(argument, "--token=")))
                request->token = value;
        else if ((value = startswith(argument, "--cause=")))
                request->cause = value;
        else
                return parse_flag(argument, killer);
        return 0;
}

static int parse(int argc, char *argv[], Killer *killer) {
        int i = 1;
        for (; i < argc && argv[i][0] == '-'; i++)
                if (parse_option(argv[i], killer) < 0)
                        return -EINVAL;
        if (parse_verb(i < argc ? argv[i++] : NULL, &killer->request.verb) < 0)
                return -EINVAL;

        EngineRequest *request = &killer->request;
        request->profiles = (const char *const *) argv + i;
        request->n_profiles = (size_t) (argc - i);
        if (request->verb != ENGINE_REVERT && request->verb != ENGINE_BOOT)
                return 0;
        request->caller = NULL;
        request->reason = NULL;
        request->via = request->verb == ENGINE_BOOT ? "boot" : "guard";
        return 0;
}

/* --- the request -------------------------------------------------------------------------------------------- */

static void print_findings(const DiagList *findings) {
        for (size_t i = 0; i < diag_list_count(findings); i++) {
                const Diag *diag = diag_list_get(findings, i);
                (void) fprintf(stderr, "%s: %s\n", diag_row(diag->id)->name, diag->message);
        }
}

static int64_t shifted_clock(void *userdata) {
        const Killer *killer = userdata;
        struct timespec now;
        if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
                return 0;
        return (now.tv_sec + (int64_t) killer->late_s - (int64_t) killer->early_s) * 1000 +
               now.tv_nsec / 1000000;
}

static int arm(void *userdata UNUSED, const char *tx UNUSED, Error *reterr UNUSED) {
        return 0;
}

static int run(Killer *killer, int root_fd, EngineResult *ret, Error *reterr) {
        Engine engine = {
                .seam = &killer->counted.seam,
                .root_fd = root_fd,
                .audit_gid = (gid_t) -1,
                .audit_limits = { .file_bytes = (size_t) killer->audit_bytes,
                                  .files = (size_t) killer->audit_files },
                .arm = arm,
                .clock = shifted_clock,
                .clock_userdata = killer,
        };
        int r = engine_prepare(&engine, reterr);
        if (r < 0)
                return r;
        if (engine.initial_netns)
                return error_set(reterr, -EPERM, "this is the machine's own network namespace");
        return engine_run(&engine, &killer->request, ret, reterr);
}

static int answer(Killer *killer) {
        cleanup_close int root_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return EXIT_BROKEN;

        Error error = {};
        CLEANUP(engine_result_deinit) EngineResult result = {};
        if (run(killer, root_fd, &result, &error) < 0) {
                (void) fprintf(stderr, "crash-killer: %s\n", error.text);
                return EXIT_BROKEN;
        }
        print_findings(result.findings);
        (void) printf("answered %s %d %llu %s\n", result.outcome, result.exit_code,
                      (unsigned long long) killer->counted.n_calls,
                      result.token ? result.token : "-");
        if (fflush(stdout) != 0)
                return EXIT_BROKEN;
        if (killer->kill_answered)
                (void) raise(SIGKILL);
        return result.exit_code;
}

int main(int argc, char *argv[]) {
        static Killer killer;
        const AuditCaller caller = {
                .pid = getpid(), .auid = AUDIT_UNSET, .session = AUDIT_UNSET, .comm = "crash-killer"
        };
        killer.request = (EngineRequest){ .caller = &caller,
                                          .via = "direct",
                                          .reason = "crash test" };
        lie_seam_init(&killer.lie);
        seam_fault_init(&killer.counted, &killer.lie.seam);
        killer.counted.before = before_call;
        killer.counted.after = after_call;
        killer.counted.userdata = &killer;

        if (parse(argc, argv, &killer) < 0) {
                (void) fputs("crash-killer: bad usage; see tests/crash/killer.c\n", stderr);
                return EXIT_USAGE;
        }
        (void) umask(0077); /* as the helper has it */
        return answer(&killer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * crash-killer: one request to the engine on the running kernel, ended by SIGKILL at a call of the seam.
 *
 *         crash-killer [OPTION…] enable|disable|rollback|recover|boot [PROFILE…]
 *
 *         --kill=N[:after]     SIGKILL before (after) the seam's call number N, counted from 1
 *         --trace              each call on standard error, before it is made: number, operation, path
 *         --lie=PLAN           see lie-seam.h
 *         --only, --to=TARGET  of the request
 *
 * Everything happens below "/", so the caller has made a network and mount namespace of its own: in the first
 * network namespace of the machine it refuses to work.
 *
 * Prints "answered OUTCOME EXIT-CODE CALLS" once the engine has answered; findings go to standard error. Exits
 * with the engine's exit code, 70 for a failure without an answer, 64 for bad usage.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lie-seam.h"

#include "base/num.h"
#include "engine/engine.h"
#include "seam/seam-fault.h"

enum {
        EXIT_USAGE = 64,
        EXIT_BROKEN = 70,
};

typedef struct Killer {
        SeamFault counted;
        LieSeam lie;
        uint64_t kill_at; /* 0: never */
        bool kill_after, trace;
        EngineRequest request;
} Killer;

/* --- the seam's hooks ------------------------------------------------------------------------------------- */

static void before_call(void *userdata, const SeamCall *call) {
        const Killer *killer = userdata;
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
        const char *colon = strchr(text, ':');
        cleanup_free char *digits = strndup(text, colon ? (size_t) (colon - text) : strlen(text));
        if (!digits || num_parse_u64(digits, &killer->kill_at) < 0 || killer->kill_at == 0 ||
            (colon && !streq(colon, ":after")))
                return -EINVAL;
        killer->kill_after = colon != NULL;
        return 0;
}

static int parse_verb(const char *name, EngineVerb *ret) {
        static const char *const names[] = {
                [ENGINE_ENABLE] = "enable",     [ENGINE_DISABLE] = "disable",
                [ENGINE_ROLLBACK] = "rollback", [ENGINE_RECOVER] = "recover",
                [ENGINE_BOOT] = "boot",
        };
        for (size_t i = 0; name && i < ELEMENTSOF(names); i++)
                if (streq(name, names[i])) {
                        *ret = (EngineVerb) i;
                        return 0;
                }
        return -EINVAL;
}

static int parse_option(const char *argument, Killer *killer) {
        const char *value;
        if ((value = startswith(argument, "--kill=")))
                return parse_kill(value, killer);
        if ((value = startswith(argument, "--lie=")))
                return lie_seam_plan(&killer->lie, value);
        if ((value = startswith(argument, "--to=")))
                killer->request.to = value;
        else if (streq(argument, "--trace"))
                killer->trace = true;
        else if (streq(argument, "--only"))
                killer->request.only = true;
        else
                return -EINVAL;
        return 0;
}

static int parse(int argc, char *argv[], Killer *killer) {
        int i = 1;
        for (; i < argc && argv[i][0] == '-'; i++)
                if (parse_option(argv[i], killer) < 0)
                        return -EINVAL;
        if (parse_verb(i < argc ? argv[i++] : NULL, &killer->request.verb) < 0)
                return -EINVAL;

        killer->request.profiles = (const char *const *) argv + i;
        killer->request.n_profiles = (size_t) (argc - i);
        return 0;
}

/* --- the request -------------------------------------------------------------------------------------------- */

static void print_findings(const DiagList *findings) {
        for (size_t i = 0; i < diag_list_count(findings); i++) {
                const Diag *diag = diag_list_get(findings, i);
                (void) fprintf(stderr, "%s: %s\n", diag_row(diag->id)->name, diag->message);
        }
}

static int run(Killer *killer, int root_fd, EngineResult *ret, Error *reterr) {
        Engine engine = { .seam = &killer->counted.seam,
                          .root_fd = root_fd,
                          .audit_gid = (gid_t) -1 };
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
        (void) printf("answered %s %d %llu\n", result.outcome, result.exit_code,
                      (unsigned long long) killer->counted.n_calls);
        return fflush(stdout) == 0 ? result.exit_code : EXIT_BROKEN;
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

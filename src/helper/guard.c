/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/paths.h"
#include "helper/armed.h"
#include "helper/guard-target.h"

/* Below WatchdogSec= of the unit with everything else that is done between two pings. */
#define GUARD_LOCK_WAIT_MS 5000
#define GUARD_TICK_MS      1000
#define GUARD_GATE_MS      500
#define GUARD_IDLE_MS      10000
#define GUARD_PAUSE_MIN_MS 100
#define GUARD_PAUSE_MAX_MS 10000
/* Tries at a change that the kernel does not take back and that nothing but us remembers. */
#define GUARD_MAX_TRIES 12U

enum {
        GUARD_FD_TIMER,
        GUARD_FD_EVENTS,
        GUARD_FD_SIGNAL,
        GUARD_N_FDS,
};

typedef struct Watch {
        Guard *guard;
        int run_fd;
        int fds[GUARD_N_FDS];
        Armed armed;
        GuardTarget target;
        bool is_ready;      /* READY=1 is out */
        bool is_complained; /* about the lock, or about what cannot be read */
        unsigned n_tries;   /* at taking the target back */
        bool is_settled;    /* the last try had a final answer */
        int64_t next_try_ms, next_gate_ms;
        const char *cause; /* of taking it back: "deadline" or "gate" */
        StrBuf evidence;   /* of the gate */
} Watch;

static void watch_deinit(Watch *watch) {
        guard_target_deinit(&watch->target);
        strbuf_deinit(&watch->evidence);
        armed_close(&watch->armed);
        for (size_t i = 0; i < GUARD_N_FDS; i++)
                watch->fds[i] = fd_close(watch->fds[i]);
        watch->run_fd = fd_close(watch->run_fd);
}

static int64_t guard_now_ms(const Guard *guard) {
        const Engine *engine = guard->engine;
        if (engine->clock)
                return engine->clock(engine->clock_userdata);
        struct timespec now = { 0 };
        (void) clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail for this clock */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void guard_log(const Guard *guard, const char *format, ...) PRINTF_LIKE(2, 3);
static void guard_log(const Guard *guard, const char *format, ...) {
        char line[ERROR_TEXT_MAX + 64];
        va_list arguments;
        va_start(arguments, format);
        (void) vsnprintf(line, sizeof(line), format, arguments); /* cut where it is too long */
        va_end(arguments);
        guard->log(line);
}

/* --- opening -------------------------------------------------------------------------------------------------- */

static int open_events(int run_fd) {
        char path[64];
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", run_fd); /* fits */
        cleanup_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (inotify_add_watch(
                            fd, path,
                            IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                                            IN_MOVE_SELF) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* Held from here on: an end comes between two steps, never inside one. */
static int open_sigterm(void) {
        sigset_t set;
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        int r = sigprocmask(SIG_BLOCK, &set, NULL);
        assert(r == 0);
        int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

static int watch_open(Watch *watch, Error *reterr) {
        watch->run_fd = openat(
                        watch->guard->engine->root_fd, ENGINE_RUN_DIR,
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (watch->run_fd < 0)
                return error_set(reterr, -errno, "cannot open '/%s'", ENGINE_RUN_DIR);

        int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        watch->fds[GUARD_FD_TIMER] = timer < 0 ? -errno : timer;
        watch->fds[GUARD_FD_EVENTS] = open_events(watch->run_fd);
        watch->fds[GUARD_FD_SIGNAL] = open_sigterm();
        for (size_t i = 0; i < GUARD_N_FDS; i++)
                if (watch->fds[i] < 0)
                        return error_set(
                                        reterr, watch->fds[i], "cannot watch '/%s'",
                                        ENGINE_RUN_DIR);
        return armed_open(watch->run_fd, &watch->armed, reterr);
}

/* --- what is watched ------------------------------------------------------------------------------------------ */

/* READY=1 stands behind the lock, so that who looks from outside sees the same as the helper. */
static void watch_tell_ready(Watch *watch) {
        if (!watch->is_ready)
                watch->is_ready = notify_send(watch->guard->notify, "READY=1") >= 0;
}

/* A deadline that cannot be held by the lock is held all the same; the helper sees that nobody is armed. */
static void watch_announce(Watch *watch) {
        Error error = {};
        int r = armed_announce(&watch->armed, watch->target.tx, &error);
        if (r < 0 && !watch->is_complained)
                guard_log(watch->guard, "%s; watching without it", error.text);
        watch->is_complained = r < 0;
        watch_tell_ready(watch);
}

static void watch_set_timer(const Watch *watch) {
        int64_t ms = watch->target.deadline_ms > 0 ? watch->target.deadline_ms : 1;
        struct itimerspec at = {
                .it_value = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 },
        };
        int r = timerfd_settime(watch->fds[GUARD_FD_TIMER], TFD_TIMER_ABSTIME, &at, NULL);
        assert(r == 0);
}

static void watch_follow(Watch *watch, GuardTarget *target) {
        guard_target_deinit(&watch->target);
        watch->target = *target;
        *target = (GuardTarget){ 0 };
        watch->n_tries = 0;
        watch->is_settled = false;
        watch->next_try_ms = 0;
        watch->next_gate_ms = 0;
        watch->cause = "deadline";
        strbuf_reset(&watch->evidence);
        watch_set_timer(watch);
        watch_announce(watch);
        guard_log(watch->guard, "transaction %s awaits confirmation for %lld s", watch->target.tx,
                  (long long) (watch->target.deadline_ms - guard_now_ms(watch->guard) + 999) /
                                  1000);
}

/* What the file says cannot be known: it is written anew from the journal, if a change is open. */
static void watch_repair(Watch *watch, const char *why) {
        Guard *guard = watch->guard;
        guard_log(guard, "%s; asking the journal", why);
        if (unlinkat(watch->run_fd, ENGINE_PENDING, 0) < 0 && errno != ENOENT)
                guard_log(guard, "cannot remove '/%s/%s': %s", ENGINE_RUN_DIR, ENGINE_PENDING,
                          strerror(errno));

        EngineRequest request = { .verb = ENGINE_RECOVER, .via = "guard" };
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        Error error = {};
        if (engine_run(guard->engine, &request, &result, &error) < 0)
                guard_log(guard, "%s", error.text);
        else
                guard->tell(result.findings);
}

/* Another deadline of the same change: the engine has written the file anew, from the journal. The gate's word stands. */
static bool watch_is_followed(const Watch *watch, const GuardTarget *now) {
        return streq(now->tx, watch->target.tx) &&
               (now->deadline_ms == watch->target.deadline_ms || streq(watch->cause, "gate"));
}

/* Looks what is to be watched now. 0 or <0; an empty target afterwards means that there is nothing more to do. */
static int watch_look(Watch *watch, Error *reterr) {
        const Engine *engine = watch->guard->engine;
        CLEANUP(guard_target_deinit) GuardTarget now = { 0 };
        Error error = {};
        int r = guard_target_read(engine->seam, engine->root_fd, &engine->instance, &now, &error);
        if (r == -EBADMSG) {
                watch_repair(watch, error.text);
                error_reset(&error);
                r = guard_target_read(
                                engine->seam, engine->root_fd, &engine->instance, &now, &error);
        }
        /* what we know already stays true while it cannot be read again */
        if (r < 0 && !guard_target_is_empty(&watch->target))
                return 0;
        if (r < 0) {
                if (reterr)
                        *reterr = error;
                return r;
        }

        if (guard_target_is_empty(&now)) {
                if (watch->n_tries == 0 || watch->is_settled)
                        guard_target_deinit(&watch->target);
                return 0;
        }
        if (!watch_is_followed(watch, &now))
                watch_follow(watch, &now);
        else if (!watch->armed.is_locked)
                watch_announce(watch);
        return 0;
}

/* --- taking it back ------------------------------------------------------------------------------------------- */

/* 2 failed, 4 busy, 8 stuck: the next try may do better. */
static bool is_final(int exit_code) {
        return exit_code != 2 && exit_code != 4 && exit_code != 8;
}

static void watch_revert(Watch *watch) {
        Guard *guard = watch->guard;
        EngineRequest request = {
                .verb = ENGINE_REVERT,
                .token = watch->target.tx,
                .cause = watch->cause,
                .evidence = watch->evidence.length > 0 ? strbuf_text(&watch->evidence) : NULL,
                .via = "guard",
        };
        CLEANUP(engine_result_deinit) EngineResult result = { 0 };
        Error error = {};
        int r = engine_run(guard->engine, &request, &result, &error);
        if (r < 0)
                guard_log(guard, "cannot take transaction %s back: %s", watch->target.tx,
                          error.text);
        else
                guard->tell(result.findings);

        int64_t pause = (int64_t) GUARD_PAUSE_MIN_MS << (watch->n_tries < 10 ? watch->n_tries : 10);
        if (pause > GUARD_PAUSE_MAX_MS)
                pause = GUARD_PAUSE_MAX_MS;
        watch->is_settled = r >= 0 && is_final(result.exit_code);
        watch->n_tries++;
        watch->next_try_ms = guard_now_ms(guard) + pause;
}

static bool watch_is_due(const Watch *watch) {
        int64_t now = guard_now_ms(watch->guard);
        return now >= watch->target.deadline_ms && now >= watch->next_try_ms;
}

static bool watch_has_gate(const Watch *watch) {
        return watch->guard->gate && watch->target.gate && watch->n_tries == 0;
}

/* A change that made things worse is due at once. */
static void watch_ask_gate(Watch *watch) {
        Guard *guard = watch->guard;
        int64_t now = guard_now_ms(guard);
        if (now < watch->next_gate_ms)
                return;
        watch->next_gate_ms = now + GUARD_GATE_MS;
        if (guard->gate(guard->gate_userdata, watch->target.tx, watch->target.gate,
                        &watch->evidence)) {
                watch->target.deadline_ms = now;
                watch->cause = "gate";
        } else
                strbuf_reset(&watch->evidence);
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

static int watch_timeout_ms(const Watch *watch) {
        int64_t timeout = GUARD_IDLE_MS;
        int64_t watchdog = watch->guard->notify->watchdog_ms;
        if (watchdog > 0 && timeout > watchdog / 3)
                timeout = watchdog / 3;
        bool ticks = !watch->armed.is_locked || !watch->is_ready;
        if (ticks && timeout > GUARD_TICK_MS)
                timeout = GUARD_TICK_MS;
        if (watch_has_gate(watch)) {
                int64_t left = watch->next_gate_ms - guard_now_ms(watch->guard);
                timeout = left < 0 ? 0 : left < timeout ? left : timeout;
        }
        if (watch->n_tries > 0) {
                int64_t left = watch->next_try_ms - guard_now_ms(watch->guard);
                timeout = left < 0 ? 0 : left < timeout ? left : timeout;
        }
        return (int) timeout;
}

/* Reads the events away. Whether the directory itself has gone. */
static bool drain_events(int fd) {
        union {
                char bytes[4096];
                struct inotify_event event; /* for its alignment */
        } buffer;
        bool is_gone = false;
        ssize_t n;
        while ((n = read(fd, buffer.bytes, sizeof(buffer.bytes))) > 0)
                for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t) n;) {
                        struct inotify_event event;
                        memcpy(&event, buffer.bytes + at, sizeof(event));
                        is_gone |= (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
                        at += sizeof(event) + event.len;
                }
        return is_gone;
}

enum {
        GUARD_E_TERM = 1, /* asked to end */
};

static int watch_wait(Watch *watch, Error *reterr) {
        if (watch->guard->notify->watchdog_ms > 0)
                (void) !notify_send(
                                watch->guard->notify,
                                "WATCHDOG=1"); /* the next one may get through */

        struct pollfd polls[GUARD_N_FDS];
        for (size_t i = 0; i < GUARD_N_FDS; i++)
                polls[i] = (struct pollfd){ .fd = watch->fds[i], .events = POLLIN };
        if (poll(polls, GUARD_N_FDS, watch_timeout_ms(watch)) < 0 && errno != EINTR)
                return error_set(reterr, -errno, "cannot wait");

        uint64_t expirations;
        (void) !read(watch->fds[GUARD_FD_TIMER], &expirations,
                     sizeof(expirations)); /* the clock decides */
        if (drain_events(watch->fds[GUARD_FD_EVENTS]))
                return error_set(reterr, -ESTALE, "cannot watch '/%s'", ENGINE_RUN_DIR);
        struct signalfd_siginfo signal;
        return read(watch->fds[GUARD_FD_SIGNAL], &signal, sizeof(signal)) ==
                                               (ssize_t) sizeof(signal)
                               ? GUARD_E_TERM
                               : 0;
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static int watch_run(Watch *watch, Error *reterr) {
        for (;;) {
                int r = watch_look(watch, reterr);
                if (r < 0)
                        return r;
                if (guard_target_is_empty(&watch->target)) {
                        /* without it the unit would have failed with "protocol" */
                        watch_tell_ready(watch);
                        return 0;
                }

                if (watch_has_gate(watch))
                        watch_ask_gate(watch);
                if (watch_is_due(watch)) {
                        watch_revert(watch);
                        if (watch->is_settled)
                                continue;
                        if (watch->n_tries >= GUARD_MAX_TRIES)
                                return error_set(
                                                reterr, -EIO, "cannot take transaction %s back",
                                                watch->target.tx);
                }

                r = watch_wait(watch, reterr);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

int guard_run(Guard *guard, Error *reterr) {
        guard->engine->lock_wait_ms = GUARD_LOCK_WAIT_MS;
        CLEANUP(watch_deinit)
        Watch watch = {
                .guard = guard,
                .run_fd = FD_EMPTY,
                .fds = { FD_EMPTY, FD_EMPTY, FD_EMPTY },
                .armed = ARMED_EMPTY,
        };
        int r = watch_open(&watch, reterr);
        return r < 0 ? r : watch_run(&watch, reterr);
}

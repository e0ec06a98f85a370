/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/window.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/clock-text.h"
#include "cli/duration.h"
#include "cli/host.h"
#include "diag/text.h"

/* The guard needs some milliseconds; it may have to wait for the lock. */
#define OVERDUE_MS 30000

static int64_t clock_ms(clockid_t clock) {
        struct timespec now = {};
        (void) clock_gettime(clock, &now); /* cannot fail for these clocks */
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t ms_left(int64_t deadline_ms) {
        return deadline_ms - clock_ms(CLOCK_BOOTTIME);
}

uint64_t window_seconds_left(int64_t deadline_ms) {
        int64_t left = ms_left(deadline_ms);
        return left > 0 ? (uint64_t) (left + 999) / 1000 : 0;
}

/* --- as text -------------------------------------------------------------------------------------------- */

bool window_is_told(const Outcome *outcome) {
        return streq(outcome->outcome, "pending") || streq(outcome->outcome, "reverted") ||
               streq(outcome->outcome, "released");
}

static void add_deadline(int64_t deadline_ms, StrBuf *out) {
        if (deadline_ms <= 0) {
                strbuf_add(out, "\nNothing of it lasts: a reboot takes all of it back.\n");
                return;
        }
        strbuf_add(out, "\nNothing of it lasts. Unless it is confirmed in ");
        duration_add(window_seconds_left(deadline_ms), out);
        strbuf_add(out, ", until ");
        clock_text_add((clock_ms(CLOCK_REALTIME) + ms_left(deadline_ms)) * 1000, out);
        strbuf_add(out, ",\nall of it is taken back by itself; a reboot takes it back too.\n");
}

static int render_pending(const Outcome *outcome, Context *context) {
        StrBuf *out = &context->text;
        strbuf_addf(out, "%s: generation %" PRIu64 " → %" PRIu64 "\n",
                    outcome->changed ? "Live, and not confirmed"
                                     : "Live already, and not confirmed",
                    outcome->generation_before, outcome->generation);
        int r = outcome_add_table(outcome, /* done= */ true, context);
        if (r < 0)
                return r;

        add_deadline(outcome->deadline_ms, out);
        strbuf_add(out,
                   "TIME_WAIT settings act on new connections only: open a new login session, test\n"
                   "there, and then\n\n");
        strbuf_addf(out, "    twprofile confirm %s\n\n", outcome->token ? outcome->token : "TOKEN");
        strbuf_add(out, "Take it back now: twprofile rollback\n");
        return 0;
}

/* Recovery found it and left it alone. */
static void render_found(const Outcome *outcome, StrBuf *out) {
        strbuf_addf(out, "Nothing to settle: change %s awaits confirmation.\n",
                    outcome->transaction);
        add_deadline(outcome->deadline_ms, out);
        strbuf_add(out, "Take it back now: twprofile rollback\n");
}

/* These values go back to what they were before the change; "origin" would be another word for it only the first time. */
static int render_reverted(const Outcome *outcome, Context *context) {
        Change *changes = arena_alloc_array(context->arena, outcome->n_changes + 1, sizeof(Change));
        if (!changes)
                return -ENOMEM;
        for (size_t i = 0; i < outcome->n_changes; i++) {
                changes[i] = outcome->changes[i];
                if (streq(changes[i].outcome, "restored"))
                        changes[i].outcome = "undone";
        }
        Outcome told = *outcome;
        told.changes = changes;
        if (outcome->generation > 0)
                strbuf_addf(&context->text, "Taken back: generation %" PRIu64 " is in force.\n",
                            outcome->generation);
        else
                strbuf_add(&context->text, "Taken back: nothing is enabled, as before.\n");
        return outcome_add_table(&told, /* done= */ true, context);
}

int window_render(const Outcome *outcome, Context *context) {
        if (streq(outcome->outcome, "released")) {
                strbuf_add(&context->text, "Released: it can be enabled again.\n");
                return 0;
        }
        if (streq(outcome->outcome, "reverted"))
                return render_reverted(outcome, context);
        if (outcome->n_changes > 0 || outcome->token)
                return render_pending(outcome, context);
        render_found(outcome, &context->text);
        return 0;
}

/* --- what became of it ---------------------------------------------------------------------------------- */

WindowState window_judge(const Status *status, const char *tx) {
        if (streq_null(status->undecided_tx, tx))
                return WINDOW_OPEN;
        for (size_t i = 0; i < status->n_quarantined; i++)
                if (streq_null(status->quarantined[i].tx, tx))
                        return streq(status->quarantined[i].cause, "gate") ? WINDOW_GATED
                                                                           : WINDOW_EXPIRED;
        if (status->generation && streq_null(status->generation->tx, tx))
                return WINDOW_CONFIRMED;
        if (streq_null(status->last_tx, tx) && streq_null(status->last_outcome, "reverted"))
                return WINDOW_TAKEN_BACK;
        return WINDOW_UNKNOWN;
}

const char *window_evidence(const Status *status, const char *tx) {
        for (size_t i = 0; i < status->n_quarantined; i++)
                if (streq_null(status->quarantined[i].tx, tx))
                        return status->quarantined[i].evidence;
        return NULL;
}

static const struct {
        const char *text;
        bool by_itself;
} ends[] = {
        [WINDOW_CONFIRMED] = { "Confirmed: it stays, now and at every boot.\n", false },
        [WINDOW_TAKEN_BACK] = { "Taken back by twprofile rollback.\n", false },
        [WINDOW_EXPIRED] = { "Not confirmed in time: all of it was taken back.\n", true },
        [WINDOW_GATED] = { "The health gate took it back; twprofile history tells why.\n", true },
        [WINDOW_UNKNOWN] = { "It was decided; twprofile history tells how.\n", false },
};

/* A view that cannot be read just now is looked at again. */
static WindowState look(const Context *context, StrBuf *evidence) {
        Context own;
        if (context_init(&own) < 0)
                return WINDOW_OPEN;
        own.options = context->options;
        WindowState state = WINDOW_OPEN;
        Host host = HOST_EMPTY;
        if (host_open(&host, &own, &own.error) == 0 && host.status_state == HOST_STATUS_CURRENT)
                state = window_judge(&host.status, context->awaiting_tx);
        const char *seen = state == WINDOW_GATED
                                           ? window_evidence(&host.status, context->awaiting_tx)
                                           : NULL;
        if (seen)
                diag_text_add_escaped(evidence, seen, strlen(seen));
        host_close(&host);
        context_deinit(&own);
        return state;
}

/* --- the countdown -------------------------------------------------------------------------------------- */

static volatile sig_atomic_t is_interrupted;

static void note_interrupt(int signal_number) {
        (void) signal_number;
        is_interrupted = 1;
}

static int watch_view(void) {
        cleanup_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd < 0 || inotify_add_watch(fd, "/run/twprofile", IN_MOVED_TO | IN_ONLYDIR) < 0)
                return FD_EMPTY; /* a look each second will do */
        return TAKE_FD(fd);
}

static void show(int64_t deadline_ms) {
        CLEANUP(strbuf_deinit) StrBuf line = {};
        strbuf_add(&line, "\r\033[K");
        duration_add(window_seconds_left(deadline_ms), &line);
        strbuf_add(&line, " left to confirm (Ctrl-C ends only this display)");
        (void) fputs(strbuf_text(&line), stderr); /* decoration */
        (void) fflush(stderr);
}

static void wait_a_second(int fd, int64_t deadline_ms) {
        int64_t left = ms_left(deadline_ms);
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };
        char events[4096];
        (void) poll(&pollfd, 1, left > 0 ? (int) ((left - 1) % 1000) + 1 : 250);
        while (fd >= 0 && read(fd, events, sizeof(events)) > 0)
                ; /* that something happened is all there is to know */
}

static int tell_end(WindowState state, const StrBuf *evidence, int exit_code) {
        (void) fputs("\r\033[K", stderr); /* decoration, as all of it */
        if (evidence->length > 0)
                (void) fprintf(stderr, "%s.\n", strbuf_text(evidence));
        if (state != WINDOW_OPEN) {
                (void) fputs(ends[state].text, stderr);
                return ends[state].by_itself ? EXIT_UNDONE : exit_code;
        }
        (void) fputs("It still awaits confirmation: twprofile status\n", stderr);
        return exit_code;
}

int window_linger(const Context *context, int exit_code) {
        bool is_seen = context->out.is_terminal && context->err.is_terminal &&
                       !context->options.quiet && !context_is_json(context);
        if (!context->awaiting_tx || context->awaiting_deadline_ms <= 0 || !is_seen)
                return exit_code;

        struct sigaction interrupt = { .sa_handler = note_interrupt }, before;
        is_interrupted = 0;
        if (sigaction(SIGINT, &interrupt, &before) < 0)
                return exit_code;
        cleanup_close int fd = watch_view();
        int64_t deadline_ms = context->awaiting_deadline_ms;
        CLEANUP(strbuf_deinit) StrBuf evidence = {};
        WindowState state = look(context, &evidence);
        while (state == WINDOW_OPEN && !is_interrupted && ms_left(deadline_ms) > -OVERDUE_MS) {
                show(deadline_ms);
                wait_a_second(fd, deadline_ms);
                state = look(context, &evidence);
        }
        (void) sigaction(SIGINT, &before, NULL); /* what was there before is taken again */
        return tell_end(state, &evidence, exit_code);
}

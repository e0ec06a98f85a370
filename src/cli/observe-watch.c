/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/observe-watch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/clock-text.h"
#include "cli/observe-text.h"
#include "insight/collect.h"
#include "insight/watch.h"

#define LINES_BETWEEN_HEADS 20U
#define LABEL_WIDTH         20
#define VALUE_WIDTH         10
#define LEAST_SPARKLINE     10U

typedef struct View {
        const Context *context;
        int root_fd;
        SocketDiag diag;
        Watch watch;
        Arena *arena, *list_arena; /* of `now`, of `listed` */
        Snapshot now, listed;
        bool has_now, has_listed;
        int64_t listed_us; /* CLOCK_MONOTONIC */
        Error list_error;  /* why the list is missing */
        uint64_t n_looks;
        size_t n_drawn; /* lines of the picture that stands */
} View;

/* --- signals -------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t ending_signal;

static void note_signal(int number) {
        ending_signal = number;
}

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP };

/* Blocked but while waiting, so that none is missed between a look at the flag and the wait. */
static int catch_signals(sigset_t *ret_before) {
        struct sigaction action = { .sa_handler = note_signal };
        sigset_t set;
        (void) sigemptyset(&set); /* these two fail for no valid signal */
        for (size_t i = 0; i < ELEMENTSOF(ending_signals); i++) {
                (void) sigaddset(&set, ending_signals[i]);
                if (sigaction(ending_signals[i], &action, NULL) < 0)
                        return -errno;
        }
        return sigprocmask(SIG_BLOCK, &set, ret_before) < 0 ? -errno : 0;
}

/* --- looking -------------------------------------------------------------------------------------------- */

static int64_t clock_us(clockid_t clock) {
        struct timespec now = { 0 };
        (void) clock_gettime(clock, &now); /* cannot fail for these clocks */
        return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Into an arena of its own, which outlives the next looks. */
static int look_at_sockets(View *view) {
        Arena *arena = arena_new();
        if (!arena)
                return -ENOMEM;
        int64_t begin = clock_us(CLOCK_PROCESS_CPUTIME_ID);
        Snapshot listed = view->now;
        error_reset(&view->list_error);
        int r = collect_sockets(&view->diag, arena, &listed, &view->list_error);
        int64_t now_us = clock_us(CLOCK_MONOTONIC);
        uint64_t cpu_us = (uint64_t) (clock_us(CLOCK_PROCESS_CPUTIME_ID) - begin);
        if (view->list_arena)
                (void) arena_free(view->list_arena);
        view->list_arena = arena;
        view->has_listed = r == 0;
        view->listed = listed;
        view->listed_us = now_us;
        watch_add_list(&view->watch, r == 0 ? &view->listed : NULL, cpu_us, now_us);
        return r == -ENOMEM ? r : 0;
}

static int look(View *view, Error *reterr) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        if (!arena)
                return error_set(reterr, -ENOMEM, "cannot look at sockets");
        Snapshot now;
        int r = collect_counts(seam_real(), view->root_fd, arena, &now, reterr);
        if (r < 0)
                return r;
        SnapshotRates rates;
        bool has_rates = view->has_now && rates_between(&view->now, &now, &rates);
        if (view->arena)
                (void) arena_free(view->arena);
        view->arena = TAKE_PTR(arena);
        view->now = now;
        view->has_now = true;
        if (watch_wants_list(&view->watch, now.monotonic_us) && look_at_sockets(view) < 0)
                return error_set(reterr, -ENOMEM, "cannot list sockets");
        watch_add(&view->watch, &view->now, has_rates ? &rates : NULL);
        view->n_looks++;
        return 0;
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static void add_value(const Watch *watch, WatchRowId id, int width, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        if (!watch->known[id])
                strbuf_add_char(&text, '-');
        else if (watch_row(id)->is_whole)
                strbuf_addf(&text, "%" PRIu64, watch->value[id] / 1000);
        else
                observe_add_thousandths(watch->value[id], &text);
        strbuf_addf(out, "%*s", width, strbuf_text(&text));
}

static void add_line(const View *view, StrBuf *out) {
        if ((view->n_looks - 1) % LINES_BETWEEN_HEADS == 0) {
                strbuf_addf(out, "%-8s", "time");
                for (WatchRowId id = 0; id < WATCH_ROWS; id++)
                        strbuf_addf(out, "%*s", VALUE_WIDTH, watch_row(id)->column);
                strbuf_add_char(out, '\n');
        }
        time_t seconds = (time_t) (view->now.time_us / 1000000);
        struct tm tm = { 0 };
        char text[sizeof("00:00:00")] = "?";
        if (localtime_r(&seconds, &tm))
                (void) strftime(text, sizeof(text), "%H:%M:%S", &tm); /* it fits */
        strbuf_addf(out, "%-8s", text);
        for (WatchRowId id = 0; id < WATCH_ROWS; id++)
                add_value(&view->watch, id, VALUE_WIDTH, out);
        strbuf_add_char(out, '\n');
}

/* --- a picture ------------------------------------------------------------------------------------------ */

static size_t terminal_rows(void) {
        struct winsize size = { 0 };
        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

static void add_rows(const Watch *watch, size_t width, StrBuf *out) {
        size_t taken = LABEL_WIDTH + VALUE_WIDTH + 2;
        size_t columns = width > taken + LEAST_SPARKLINE ? width - taken : LEAST_SPARKLINE;
        for (WatchRowId id = 0; id < WATCH_ROWS; id++) {
                strbuf_addf(out, "%-*s", LABEL_WIDTH, watch_row(id)->label);
                add_value(watch, id, VALUE_WIDTH, out);
                strbuf_add(out, "  ");
                sparkline_render(
                                &watch->past[id],
                                columns < SPARKLINE_VALUES ? columns : SPARKLINE_VALUES, out);
                strbuf_add_char(out, '\n');
        }
}

static int add_list(const View *view, size_t n_lines, StrBuf *out, Error *reterr) {
        if (!view->has_listed) {
                strbuf_addf(out, "\n%s\n", view->list_error.text);
                return 0;
        }
        int64_t age_s = (view->now.monotonic_us - view->listed_us) / 1000000;
        int64_t next_s = (view->watch.next_list_us - view->now.monotonic_us) / 1000000;
        strbuf_addf(out,
                    "\n%" PRIu64 " sockets listed %" PRId64 " s ago in %" PRIu64
                    " ms, again in %" PRId64 " s\n",
                    view->listed.cost.n_sockets, age_s > 0 ? age_s : 0,
                    view->listed.cost.wall_us / 1000, next_s > 0 ? next_s : 0);
        uint64_t top = view->context->options.top;
        if (top == 0 || top > n_lines)
                top = n_lines;
        return top > 0 ? observe_add_tuples(view->context, &view->listed, top, out, reterr) : 0;
}

static int add_picture(View *view, StrBuf *out, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf picture = {};
        strbuf_addf(&picture, "Network namespace %" PRIu64 ", ", view->now.netns);
        clock_text_add(view->now.time_us, &picture);
        strbuf_add(&picture, "; Ctrl-C ends\n\n");
        add_rows(&view->watch, terminal_inspect(STDOUT_FILENO).width, &picture);
        /* what stands above, two lines for the list's head, and what may follow it */
        enum { OTHERS = WATCH_ROWS + 9 };
        size_t rows = terminal_rows();
        int r = add_list(view, rows > OTHERS ? rows - OTHERS : 0, &picture, reterr);
        if (r < 0)
                return r;
        if (view->n_drawn > 0)
                strbuf_addf(out, "\033[%zuA\033[J", view->n_drawn);
        strbuf_add(out, strbuf_text(&picture));
        view->n_drawn = 0;
        for (size_t i = 0; i < picture.length; i++)
                view->n_drawn += picture.data[i] == '\n' ? 1 : 0;
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- */

static int show(View *view, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        int r = 0;
        if (view->context->out.is_terminal)
                r = add_picture(view, &out, reterr);
        else
                add_line(view, &out);
        if (r < 0)
                return r;
        if (out.failed)
                return error_set(reterr, -ENOMEM, "cannot show sockets");
        if (fputs(strbuf_text(&out), stdout) == EOF || fflush(stdout) == EOF)
                return error_set(reterr, -errno, "cannot write to standard output");
        return 0;
}

static void wait_until(int64_t due_us, const sigset_t *mask) {
        int64_t left = due_us - clock_us(CLOCK_MONOTONIC);
        if (left <= 0)
                left = 0;
        const struct timespec timeout = { .tv_sec = left / 1000000,
                                          .tv_nsec = left % 1000000 * 1000 };
        (void) ppoll(NULL, 0, &timeout, mask); /* its end is what counts, not its reason */
}

static int loop(View *view, const sigset_t *mask, Error *reterr) {
        const Options *options = &view->context->options;
        int64_t interval_us = (options->interval_s > 0 ? (int64_t) options->interval_s : 1) *
                              1000000;
        for (int64_t due_us = clock_us(CLOCK_MONOTONIC); ending_signal == 0;) {
                int r = look(view, reterr);
                if (r == 0)
                        r = show(view, reterr);
                if (r < 0 || (options->count > 0 && view->n_looks >= options->count))
                        return r;
                /* what could not be done in time is left out */
                due_us += interval_us;
                int64_t now_us = clock_us(CLOCK_MONOTONIC);
                if (due_us < now_us)
                        due_us = now_us;
                wait_until(due_us, mask);
        }
        return 0;
}

/* Lines are not broken at the edge, so that the picture has as many as were written; and no cursor blinks in it. */
static void prepare_terminal(bool begin) {
        (void) fputs(begin ? "\033[?7l\033[?25l" : "\033[?7h\033[?25h", stdout); /* decoration */
        (void) fflush(stdout);
}

/* As if it had not been caught: who sent it sees what it did. */
static void die_of(int number, const sigset_t *mask) {
        (void) signal(number, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        (void) raise(number);
}

static int run(View *view, Error *reterr) {
        sigset_t before;
        ending_signal = 0;
        int r = catch_signals(&before);
        if (r < 0)
                return error_set(reterr, r, "cannot wait for signals");
        bool draws = view->context->out.is_terminal;
        if (draws)
                prepare_terminal(true);
        r = loop(view, &before, reterr);
        if (draws)
                prepare_terminal(false);
        if (r == 0 && ending_signal != 0 && ending_signal != SIGINT)
                die_of(ending_signal, &before);
        return r;
}

int observe_watch(const Context *context) {
        cleanup_close int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        View *view = calloc(1, sizeof(*view));
        if (root_fd < 0 || !view) {
                free(view);
                (void) fputs("twprofile observe: out of memory\n", stderr);
                return EXIT_FAILED;
        }
        view->context = context;
        view->root_fd = root_fd;
        Error error = {};
        int r = run(view, &error);
        if (r < 0)
                (void) fprintf(stderr, "twprofile observe: %s\n", error.text);
        socket_diag_close(&view->diag);
        if (view->arena)
                (void) arena_free(view->arena);
        if (view->list_arena)
                (void) arena_free(view->list_arena);
        free(view);
        return r < 0 ? EXIT_FAILED : EXIT_OK;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sampling.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/input.h"
#include "insight/advice-format.h"
#include "insight/surroundings.h"

int sampling_open(Sampling *ret, Context *context) {
        *ret = SAMPLING_EMPTY;
        ret->context = context;
        ret->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (ret->root_fd < 0)
                return error_set(&context->error, -errno, "cannot open the root directory");
        return 0;
}

void sampling_close(Sampling *sampling) {
        sampling->root_fd = fd_close(sampling->root_fd);
        socket_diag_close(&sampling->diag);
}

int sampling_look_at_counts(const Sampling *sampling, Snapshot *ret) {
        Context *context = sampling->context;
        return collect_counts(seam_real(), sampling->root_fd, context->arena, ret, &context->error);
}

int sampling_look_around(const Sampling *sampling, Snapshot *snapshot) {
        Context *context = sampling->context;
        int r = collect_settings(
                        seam_real(), sampling->root_fd, context->arena, snapshot, &context->error);
        return r < 0 ? r
                     : collect_surroundings(
                                       seam_real(), sampling->root_fd, context->arena, snapshot,
                                       &context->error);
}

int sampling_look_at_sockets(Sampling *sampling, Snapshot *snapshot) {
        Context *context = sampling->context;
        Error error = {};
        int r = collect_sockets(&sampling->diag, context->arena, snapshot, &error);
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot list the TCP sockets");
        if (r < 0 && !context_has_finding(context, DIAG_SOCKETS_NOT_LISTED))
                (void) context_fail(
                                context, DIAG_SOCKETS_NOT_LISTED,
                                "counters and sums are shown; use by destination is unknown", "%s",
                                error.text);
        return 0;
}

void sampling_sleep(uint32_t seconds) {
        struct timespec left = { .tv_sec = seconds };
        while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
                ;
}

void sampling_wait(const Context *context, uint32_t seconds) {
        if (!context->err.is_terminal || context->options.quiet) {
                sampling_sleep(seconds);
                return;
        }
        for (; seconds > 0; seconds--) {
                /* a lost line is no harm */
                (void) fprintf(stderr, "\rlooking again in %u s \033[K", seconds);
                sampling_sleep(1);
        }
        (void) fputs("\r\033[K", stderr); /* as above */
}

int sampling_load_input(Context *context, const char *path, AdviceInput *ret) {
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = input_read(path, 0, ADVICE_FORMAT_MAX_BYTES, &bytes);
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot read '%s'", path);
        if (r < 0)
                return context_fail(
                                context, DIAG_SAMPLE_UNREADABLE, NULL, "cannot read '%s': %s", path,
                                strerror(-r));
        Error error = {};
        r = advice_decode_samples(strbuf_text(&bytes), bytes.length, context->arena, ret, &error);
        if (r == -ENOMEM)
                return error_set(&context->error, r, "cannot read '%s'", path);
        if (r < 0)
                return context_fail(
                                context, DIAG_SAMPLE_INVALID,
                                "record one with 'twprofile observe --json > FILE'",
                                "cannot understand '%s': %s", path, error.text);
        return 0;
}

int sampling_load(Context *context, const char *path, Snapshot *ret) {
        AdviceInput input;
        int r = sampling_load_input(context, path, &input);
        if (r == 0)
                *ret = *input.now;
        return r;
}

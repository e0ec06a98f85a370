/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/num.h"

bool terminal_wants_colour(bool is_terminal, const char *no_color, const char *term) {
        if (!is_terminal || (no_color && *no_color))
                return false;
        return term && *term && !streq(term, "dumb");
}

static size_t width_of(int fd, bool is_terminal) {
        struct winsize size = {};
        if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
                return size.ws_col;
        uint64_t columns = 0;
        const char *text = getenv("COLUMNS");
        if (text && num_parse_u64(text, &columns) == 0 && columns >= 40 && columns <= 1000)
                return (size_t) columns;
        return TERMINAL_DEFAULT_WIDTH;
}

Terminal terminal_inspect(int fd) {
        bool is_terminal = isatty(fd) == 1;
        return (Terminal){
                .is_terminal = is_terminal,
                .colour = terminal_wants_colour(is_terminal, getenv("NO_COLOR"), getenv("TERM")),
                .width = width_of(fd, is_terminal),
        };
}

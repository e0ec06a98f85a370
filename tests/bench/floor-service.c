/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The empty program behind a socket: with "serve" it reads one request up to its NUL from standard input and
 * answers with an empty object; with anything else, as after a run, it does nothing.
 */

#include <string.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        char request[65536];
        size_t n = 0;
        if (argc < 2 || strcmp(argv[1], "serve") != 0)
                return 0;

        while (n < sizeof(request) && (n == 0 || request[n - 1] != '\0')) {
                ssize_t got = read(STDIN_FILENO, request + n, sizeof(request) - n);
                if (got <= 0)
                        return 1;
                n += (size_t) got;
        }
        return write(STDIN_FILENO, "{}", 3) == 3 ? 0 : 1;
}

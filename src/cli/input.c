/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

int input_read(const char *path, int flags, size_t limit, StrBuf *out) {
        cleanup_close int file = FD_EMPTY;
        if (!input_is_stdin(path)) {
                file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
                if (file < 0)
                        return -errno;
        }
        int fd = file >= 0 ? file : STDIN_FILENO;

        char buffer[16384];
        while (out->length <= limit) {
                ssize_t n = read(fd, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                strbuf_add_bytes(out, buffer, (size_t) n);
        }
        return out->failed ? -ENOMEM : 0;
}

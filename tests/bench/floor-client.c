/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* floor-client SOCKET: sends an empty request and waits for the answer. */

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        if (argc != 2)
                return 64;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);

        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
            write(fd, "{}", 3) != 3)
                return 1;

        char answer[4096];
        ssize_t n, total = 0; /* of "{}" and a NUL */
        while (total < 3 && (n = read(fd, answer, sizeof(answer))) > 0)
                total += n;
        return total == 3 ? 0 : 1;
}

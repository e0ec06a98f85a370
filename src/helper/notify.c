/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

static_assert(sizeof(((Notify *) 0)->socket) == sizeof(((struct sockaddr_un *) 0)->sun_path),
              "a socket's path fits");

static void take_socket(Notify *notify) {
        const char *path = getenv("NOTIFY_SOCKET");
        size_t n = path ? strlen(path) : 0;
        /* "@" begins a name without a file */
        if (n < 2 || n >= sizeof(notify->socket) || (path[0] != '/' && path[0] != '@'))
                return;
        memcpy(notify->socket, path, n + 1);
}

static void take_watchdog(Notify *notify) {
        const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
        uint64_t value = 0, whose = (uint64_t) getpid();
        /* a child inherits the variables, but is not the one that is watched */
        if (pid && (num_parse_u64(pid, &whose) < 0 || whose != (uint64_t) getpid()))
                return;
        if (usec && num_parse_u64(usec, &value) == 0)
                notify->watchdog_ms = (int64_t) (value / 1000);
}

void notify_take(Notify *ret) {
        *ret = (Notify){ 0 };
        take_socket(ret);
        take_watchdog(ret);
}

int notify_send(const Notify *notify, const char *state) {
        size_t n = strlen(notify->socket);
        if (n == 0)
                return 0;

        struct sockaddr_un address = { .sun_family = AF_UNIX };
        memcpy(address.sun_path, notify->socket, n);
        if (address.sun_path[0] == '@')
                address.sun_path[0] = '\0';
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n);

        cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        ssize_t sent = sendto(
                        fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *) &address,
                        size);
        return sent < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/machine-facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "system/socket-diag.h"

#define MACHINE_MEMINFO "proc/meminfo"
#define MACHINE_EHASH   "proc/sys/net/ipv4/tcp_ehash_entries"
#define MACHINE_PORTS   65536U
/* Longer than any line of these files; tcp6 has lines of about 170. */
#define MACHINE_LINE_MAX 512U
#define MACHINE_BUFFER   8192U

static const char *const machine_tables[] = { "proc/self/net/tcp", "proc/self/net/tcp6" };

typedef struct Listeners {
        uint8_t seen[MACHINE_PORTS / 8];
        size_t n;
} Listeners;

static void listeners_add(Listeners *listeners, unsigned port) {
        uint8_t bit = (uint8_t) (1U << (port % 8));
        if (listeners->seen[port / 8] & bit)
                return;
        listeners->seen[port / 8] |= bit;
        listeners->n++;
}

/* Four hexadecimal digits. */
static int machine_parse_port(const char *text, unsigned *ret) {
        static const char digits[] = "0123456789ABCDEF";
        unsigned port = 0;
        if (strlen(text) != 4)
                return -EBADMSG;
        for (; *text != '\0'; text++) {
                const char *digit = strchr(digits, *text);
                if (!digit)
                        return -EBADMSG;
                port = port * 16 + (unsigned) (digit - digits);
        }
        *ret = port;
        return 0;
}

/* "  NUMBER: ADDRESS:PORT ADDRESS:PORT STATE …". 1 for a listener, 0 for another socket, <0. */
static int machine_parse_socket(char *line, unsigned *ret_port) {
        char *save = NULL;
        const char *number = strtok_r(line, " ", &save);
        const char *local = strtok_r(NULL, " ", &save);
        const char *remote = strtok_r(NULL, " ", &save);
        const char *state = strtok_r(NULL, " ", &save);
        const char *colon = local ? strrchr(local, ':') : NULL;
        if (!number || !endswith(number, ":") || !colon || !remote || !state || strlen(state) != 2)
                return -EBADMSG;
        int r = machine_parse_port(colon + 1, ret_port);
        return r < 0 ? r : streq(state, "0A");
}

/* The whole lines at the start of `text`. > 0 when there is nothing more to read, 0, or <0. */
static int machine_take_lines(char *text, bool *was_head, Listeners *listeners, size_t *ret_used) {
        char *line = text;
        for (char *newline = strchr(line, '\n'); newline; newline = strchr(line, '\n')) {
                *newline = '\0';
                unsigned port = 0;
                int r = *was_head ? machine_parse_socket(line, &port) : 1;
                if (r <= 0)
                        return r < 0 ? r : 1;
                if (*was_head)
                        listeners_add(listeners, port);
                *was_head = true;
                line = newline + 1;
        }
        *ret_used = (size_t) (line - text);
        return 0;
}

static int machine_read_table(const SeamFd *root, const char *path, Listeners *listeners) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(root->seam, root->fd, path, O_RDONLY, 0, &fd);
        if (r < 0)
                return r;
        char buffer[MACHINE_BUFFER + 1];
        size_t kept = 0;
        off_t offset = 0;
        bool was_head = false;
        for (;;) {
                ssize_t n = seam_read(&fd, buffer + kept, MACHINE_BUFFER - kept, offset);
                if (n < 0)
                        return (int) n;
                if (n == 0)
                        return kept > 0 || !was_head ? -EBADMSG : 0;
                offset += n;
                buffer[kept + (size_t) n] = '\0';
                if (strlen(buffer) != kept + (size_t) n)
                        return -EBADMSG;
                size_t used = 0;
                r = machine_take_lines(buffer, &was_head, listeners, &used);
                if (r != 0)
                        return r < 0 ? r : 0;
                kept += (size_t) n - used;
                if (kept > MACHINE_LINE_MAX)
                        return -EBADMSG;
                memmove(buffer, buffer + used, kept);
        }
}

static int machine_keep_ports(const Listeners *listeners, Arena *arena, MachineFacts *facts) {
        uint16_t *ports = arena_alloc_array(arena, listeners->n + 1, sizeof(*ports));
        if (!ports)
                return -ENOMEM;
        for (size_t port = 0; facts->n_listeners < listeners->n; port++)
                if (listeners->seen[port / 8] & (1U << (port % 8)))
                        ports[facts->n_listeners++] = (uint16_t) port;
        facts->listeners = ports;
        facts->knows_listeners = true;
        return 0;
}

/* Without IPv6 in the kernel there is no tcp6. */
static int machine_read_tables(const SeamFd *root, Listeners *listeners) {
        int r = machine_read_table(root, machine_tables[0], listeners);
        if (r < 0)
                return r;
        r = machine_read_table(root, machine_tables[1], listeners);
        return r == -ENOENT ? 0 : r;
}

/* Whether the sockets of this process's namespace are those of the root: a root of a test has files of its own. */
static bool machine_is_own_root(const SeamFd *root) {
        struct stat given, own;
        return fstat(root->fd, &given) == 0 && stat("/", &own) == 0 && given.st_dev == own.st_dev &&
               given.st_ino == own.st_ino;
}

static int machine_visit_sockets(void *userdata, const TcpSocket *sockets, size_t n) {
        for (size_t i = 0; i < n; i++)
                listeners_add(userdata, sockets[i].local_port);
        return 0;
}

static int machine_ask_kernel(Listeners *listeners) {
        static const SocketDiagRequest request = { .states = TCP_STATE_BIT(TCP_STATE_LISTEN) };
        CLEANUP(socket_diag_close) SocketDiag diag = SOCKET_DIAG_EMPTY;
        Error error = { 0 };
        int r = socket_diag_open(&diag, &error);
        return r < 0 ? r
                     : socket_diag_dump(&diag, &request, machine_visit_sockets, listeners, &error);
}

static int machine_read_listeners(const SeamFd *root, Arena *arena, MachineFacts *facts) {
        Listeners listeners = {};
        int r = machine_is_own_root(root) ? machine_ask_kernel(&listeners) : -ENOENT;
        if (r < 0)
                r = machine_read_tables(root, &listeners);
        return r < 0 ? 0 : machine_keep_ports(&listeners, arena, facts);
}

/* The first bytes of a small file as text; "" when it cannot be read. */
static void machine_read_text(const SeamFd *root, const char *path, char *ret, size_t size) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        ret[0] = '\0';
        if (seam_open(root->seam, root->fd, path, O_RDONLY, 0, &fd) < 0)
                return;
        ssize_t n = seam_read(&fd, ret, size - 1, 0);
        ret[n > 0 ? n : 0] = '\0';
}

/* "MemTotal:       24669444 kB" */
static uint64_t machine_read_memory(const SeamFd *root) {
        char text[MACHINE_LINE_MAX];
        uint64_t kib = 0, bytes = 0;
        machine_read_text(root, MACHINE_MEMINFO, text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        if (!startswith(text, "MemTotal:") || !endswith(text, " kB"))
                return 0;
        char *digits = text + strlen("MemTotal:");
        digits += strspn(digits, " ");
        digits[strcspn(digits, " ")] = '\0';
        if (num_parse_u64(digits, &kib) < 0 || __builtin_mul_overflow(kib, UINT64_C(1024), &bytes))
                return 0;
        return bytes;
}

static uint64_t machine_read_ehash(const SeamFd *root) {
        char text[32];
        uint64_t entries = 0;
        machine_read_text(root, MACHINE_EHASH, text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        return num_parse_u64(text[0] == '-' ? text + 1 : text, &entries) < 0 ? 0 : entries;
}

static uint64_t machine_page_size(void) {
        long bytes = sysconf(_SC_PAGESIZE);
        return bytes > 0 ? (uint64_t) bytes : 0;
}

int machine_facts_read(const SeamFd *root, bool with_listeners, Arena *arena, MachineFacts *ret) {
        MachineFacts facts = {
                .memory = machine_read_memory(root),
                .ehash_entries = machine_read_ehash(root),
                .page_size = machine_page_size(),
        };
        int r = with_listeners ? machine_read_listeners(root, arena, &facts) : 0;
        if (r == 0)
                *ret = facts;
        return r;
}

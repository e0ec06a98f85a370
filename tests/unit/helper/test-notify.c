/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/notify.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "test.h"

static void set(const char *name, const char *value) {
        int r = value ? setenv(name, value, 1) : unsetenv(name);
        assert_int_equal(r, 0);
}

static void test_take_table(void **state) {
        (void) state;
        char own[32];
        (void) snprintf(own, sizeof(own), "%d", (int) getpid());
        const struct {
                const char *socket, *usec, *pid, *want_socket;
                int64_t want_ms;
        } rows[] = {
                { NULL, NULL, NULL, "", 0 },
                { "/run/systemd/notify", "30000000", own, "/run/systemd/notify", 30000 },
                { "@abstract", "1500", NULL, "@abstract", 1 },
                { "relative", "many", own, "", 0 },
                { "/", "30000000", "1", "", 0 },
                { "", "30000000", "x", "", 0 },
                { "/12345678901234567890123456789012345678901234567890123456789012345678901234567890"
                  "1234567890123456789012345678901234567890",
                  "-1", own, "", 0 },
        };
        TEST_EACH(row, rows) {
                set("NOTIFY_SOCKET", row->socket);
                set("WATCHDOG_USEC", row->usec);
                set("WATCHDOG_PID", row->pid);
                Notify notify;
                notify_take(&notify);
                assert_string_equal(notify.socket, row->want_socket);
                assert_int_equal(notify.watchdog_ms, row->want_ms);
        }
}

/* Abstract, so that no file is left. */
static void test_send(void **state) {
        (void) state;
        Notify notify = { 0 };
        assert_int_equal(notify_send(&notify, "READY=1"), 0);

        int n = snprintf(
                        notify.socket, sizeof(notify.socket), "@twprofile-test-notify-%d",
                        (int) getpid());
        assert_true(notify_send(&notify, "READY=1") < 0);

        cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        memcpy(address.sun_path + 1, notify.socket + 1, (size_t) n - 1);
        assert_int_equal(
                        bind(fd, (const struct sockaddr *) &address,
                             (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) n)),
                        0);
        assert_int_equal(notify_send(&notify, "READY=1"), 0);
        char text[32] = "";
        assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
        assert_string_equal(text, "READY=1");
}

TEST_MAIN(cmocka_unit_test(test_take_table), cmocka_unit_test(test_send))

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/strbuf.h"

#define PATH_MAX_BYTES 256U
#define TEXT_MAX_BYTES 65536U
#define PORTS          65536U

static const char *const state_names[] = {
        [LAB_SETTING_WRITTEN] = "written",
        [LAB_SETTING_HOST_WIDE] = "host-wide",
        [LAB_SETTING_ABSENT] = "absent",
        [LAB_SETTING_REFUSED] = "refused",
};

const char *lab_setting_state_name(LabSettingState state) {
        assert((size_t) state < ELEMENTSOF(state_names));
        return state_names[state];
}

bool lab_setting_is_general(const SysctlSpec *spec) {
        static const char *const keys[] = { "net.core.somaxconn", "net.ipv4.ip_autobind_reuse",
                                            "net.ipv4.ip_local_port_range",
                                            "net.ipv4.ip_local_reserved_ports" };
        if (!spec->settable || spec->scope != SYSCTL_SCOPE_NETNS)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(spec->key, keys[i]))
                        return true;
        return startswith(spec->key, "net.ipv4.tcp_") != NULL;
}

static int open_key(const char *path, int flags) {
        char whole[PATH_MAX_BYTES];
        int n = snprintf(whole, sizeof(whole), "/proc/sys/%s", path);
        if (n < 0 || (size_t) n >= sizeof(whole))
                return -ENAMETOOLONG;
        int fd = open(whole, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* One write at offset 0, with its newline: an empty value would change nothing otherwise. */
LabSettingState lab_setting_write(const LabSetting *setting) {
        /* one that was removed counts as absent, whose it ever was */
        if (setting->spec->scope == SYSCTL_SCOPE_HOST && setting->spec->until.major == 0)
                return LAB_SETTING_HOST_WIDE;
        cleanup_close int fd = open_key(setting->spec->path, O_WRONLY);
        if (fd == -ENOENT)
                return LAB_SETTING_ABSENT;
        CLEANUP(strbuf_deinit) StrBuf line = {};
        strbuf_addf(&line, "%s\n", setting->text);
        if (fd < 0 || line.failed || write(fd, line.data, line.length) != (ssize_t) line.length)
                return LAB_SETTING_REFUSED;
        return LAB_SETTING_WRITTEN;
}

int lab_net_write_settings(
                const LabNet *net, const LabSetting *settings, size_t n,
                LabSettingState *ret_states, Error *reterr) {
        const LabSide *const sides[] = { &net->server, &net->client };
        for (size_t s = 0; s < ELEMENTSOF(sides); s++) {
                int r = lab_net_enter(sides[s], reterr);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < n; i++)
                        ret_states[i] = lab_setting_write(&settings[i]);
        }
        return 0;
}

/* --- ports ---------------------------------------------------------------------------------------------- */

static int parse_port(const char **at, uint32_t *ret) {
        char *end = NULL;
        errno = 0;
        unsigned long value = strtoul(*at, &end, 10);
        if (end == *at || errno != 0 || value >= PORTS)
                return -EBADMSG;
        *ret = (uint32_t) value;
        *at = end;
        return 0;
}

/* "22,8000-8010": how many of them are between the bounds. */
static int count_reserved(const char *text, uint32_t low, uint32_t high, uint32_t *ret) {
        *ret = 0;
        while (*text != '\0' && *text != '\n') {
                uint32_t first = 0;
                int r = parse_port(&text, &first);
                uint32_t last = first;
                if (r == 0 && *text == '-') {
                        text++;
                        r = parse_port(&text, &last);
                }
                if (r < 0 || (*text != ',' && *text != '\n' && *text != '\0'))
                        return -EBADMSG;
                text += *text == ',';
                first = first < low ? low : first;
                last = last > high ? high : last;
                *ret += first <= last ? last - first + 1 : 0;
        }
        return 0;
}

int lab_range_parse(const char *range, uint32_t *ret_low, uint32_t *ret_high) {
        int r = parse_port(&range, ret_low);
        if (r == 0)
                r = parse_port(&range, ret_high);
        return r < 0 || *ret_low > *ret_high ? -EBADMSG : 0;
}

int lab_ports_parse(const char *range, const char *reserved, uint32_t *ret) {
        uint32_t low = 0, high = 0, taken = 0;
        int r = lab_range_parse(range, &low, &high);
        if (r == 0)
                r = count_reserved(reserved, low, high, &taken);
        if (r < 0)
                return r;
        *ret = high - low + 1 - taken;
        return 0;
}

static int read_key(const char *path, char *text, size_t size) {
        cleanup_close int fd = open_key(path, O_RDONLY);
        if (fd < 0)
                return fd;
        ssize_t n = pread(fd, text, size - 1, 0);
        if (n < 0)
                return -errno;
        text[n] = '\0';
        return 0;
}

int lab_ports_count(uint32_t *ret) {
        cleanup_free char *reserved = calloc(1, TEXT_MAX_BYTES);
        char range[64];
        if (!reserved)
                return -ENOMEM;
        int r = read_key("net/ipv4/ip_local_port_range", range, sizeof(range));
        if (r == 0)
                r = read_key("net/ipv4/ip_local_reserved_ports", reserved, TEXT_MAX_BYTES);
        return r < 0 ? r : lab_ports_parse(range, reserved, ret);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define SOCKSTAT_MAX_BYTES 1024U
#define GROUP_MAX          16U

/* clang-format off */
static const struct {
        const char *group, *field, *name;
} rows[] = {
        [LAB_ACTIVE_OPENS] = { "Tcp:", "ActiveOpens", "Tcp.ActiveOpens" },
        [LAB_PASSIVE_OPENS] = { "Tcp:", "PassiveOpens", "Tcp.PassiveOpens" },
        [LAB_OUT_RSTS] = { "Tcp:", "OutRsts", "Tcp.OutRsts" },
        [LAB_RETRANS_SEGS] = { "Tcp:", "RetransSegs", "Tcp.RetransSegs" },
        [LAB_TW] = { "TcpExt:", "TW", "TcpExt.TW" },
        [LAB_TW_RECYCLED] = { "TcpExt:", "TWRecycled", "TcpExt.TWRecycled" },
        [LAB_TW_OVERFLOW] = { "TcpExt:", "TCPTimeWaitOverflow", "TcpExt.TCPTimeWaitOverflow" },
        [LAB_PAWS_TIME_WAIT] = { "TcpExt:", "PAWSTimewait", "TcpExt.PAWSTimewait" },
        [LAB_ACK_SKIPPED_TIME_WAIT] = { "TcpExt:", "TCPACKSkippedTimeWait", "TcpExt.TCPACKSkippedTimeWait" },
        [LAB_LISTEN_OVERFLOWS] = { "TcpExt:", "ListenOverflows", "TcpExt.ListenOverflows" },
        [LAB_LISTEN_DROPS] = { "TcpExt:", "ListenDrops", "TcpExt.ListenDrops" },
        [LAB_SYN_COOKIES] = { "TcpExt:", "SyncookiesSent", "TcpExt.SyncookiesSent" },
        [LAB_ABORT_ON_DATA] = { "TcpExt:", "TCPAbortOnData", "TcpExt.TCPAbortOnData" },
};
/* clang-format on */

const char *lab_counter_name(LabCounterId id) {
        assert((size_t) id < ELEMENTSOF(rows));
        return rows[id].name;
}

static void take(const char *group, const char *field, size_t n, uint64_t value, LabCounters *ret) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(rows[i].group, group) && strlen(rows[i].field) == n &&
                    memcmp(rows[i].field, field, n) == 0) {
                        ret->known[i] = true;
                        ret->value[i] = value;
                }
}

/* Both lines without their first word; they end at '\n' or at the end. */
static void parse_pair(const char *group, const char *names, const char *values, LabCounters *ret) {
        for (;;) {
                names += strspn(names, " ");
                values += strspn(values, " ");
                size_t n_name = strcspn(names, " \n"), n_value = strcspn(values, " \n");
                if (n_name == 0 || n_value == 0)
                        return;
                char *end = NULL;
                errno = 0;
                uint64_t value = strtoull(values, &end, 10);
                if (end == values + n_value && errno == 0 && *values != '-')
                        take(group, names, n_name, value, ret);
                names += n_name;
                values += n_value;
        }
}

void lab_counters_parse(const char *text, LabCounters *ret) {
        while (*text) {
                size_t n = strcspn(text, " \n"), line = strcspn(text, "\n");
                const char *next = text + line + (text[line] == '\n');
                char group[GROUP_MAX];
                if (n == 0 || n >= sizeof(group) || strncmp(text, next, n) != 0) {
                        text = next;
                        continue;
                }
                memcpy(group, text, n);
                group[n] = '\0';
                parse_pair(group, text + n, next + n, ret);
                line = strcspn(next, "\n");
                text = next + line + (next[line] == '\n');
        }
}

/* At least one byte stays free for the NUL. */
static int read_whole(int fd, char *buffer, size_t size) {
        size_t n = 0;
        while (n < size - 1) {
                ssize_t k = pread(fd, buffer + n, size - 1 - n, (off_t) n);
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t) k;
        }
        buffer[n] = '\0';
        return n < size - 1 ? 0 : -EFBIG;
}

int lab_counters_read(const LabSide *side, LabCounters *ret, Error *reterr) {
        cleanup_free char *text = malloc(LAB_COUNTERS_MAX_BYTES);
        if (!text)
                return error_set(reterr, -ENOMEM, "cannot read the lab's counters");
        *ret = (LabCounters){};
        const int fds[] = { side->snmp_fd, side->netstat_fd };
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                int r = read_whole(fds[i], text, LAB_COUNTERS_MAX_BYTES);
                if (r < 0)
                        return error_set(reterr, r, "cannot read the lab's counters");
                lab_counters_parse(text, ret);
        }
        return 0;
}

int lab_time_wait_parse(const char *text, uint32_t *ret) {
        const char *line = strstr(text, "TCP:");
        const char *tw = line ? strstr(line, " tw ") : NULL;
        if (!tw || tw > line + strcspn(line, "\n"))
                return -EBADMSG;
        char *end = NULL;
        errno = 0;
        unsigned long value = strtoul(tw + strlen(" tw "), &end, 10);
        if (end == tw + strlen(" tw ") || errno != 0 || value > UINT32_MAX)
                return -EBADMSG;
        *ret = (uint32_t) value;
        return 0;
}

int lab_time_wait_read(const LabSide *side, uint32_t *ret) {
        char text[SOCKSTAT_MAX_BYTES];
        int r = read_whole(side->sockstat_fd, text, sizeof(text));
        return r < 0 ? r : lab_time_wait_parse(text, ret);
}

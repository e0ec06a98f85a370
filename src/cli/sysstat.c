/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/sysstat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/input.h"
#include "cli/program.h"

#define SADF "/usr/bin/sadf"

/* Debian's and SUSE's folder, Red Hat's; named by the day of the month, or by the date where more than 28 days are kept
 * (sadc(8), HISTORY in sysstat(5)). */
static const char *const forms[] = {
        "var/log/sysstat/sa%d",
        "var/log/sysstat/sa%Y%m%d",
        "var/log/sa/sa%d",
        "var/log/sa/sa%Y%m%d",
};

int sysstat_find(int root_fd, int64_t time_us, Arena *arena, const char **ret) {
        time_t seconds = (time_t) (time_us / 1000000);
        struct tm tm;
        *ret = NULL;
        if (!localtime_r(&seconds, &tm))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                char path[64];
                struct stat st;
                if (strftime(path, sizeof(path), forms[i], &tm) == 0 ||
                    fstatat(root_fd, path, &st, 0) < 0 || !S_ISREG(st.st_mode))
                        continue;
                *ret = arena_copy(arena, path);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

static int decode(const StrBuf *text, Arena *arena, ReportArchive *ret, Error *reterr) {
        return report_archive_decode(strbuf_text(text), text->length, arena, ret, reterr);
}

static int fail(Error *reterr, int r) {
        switch (r) {
        case -ENOENT:
                return error_set(reterr, r, SADF " is needed to read it, of the package sysstat");
        case -EIO:
                return error_set(reterr, r, SADF " does not read it");
        default:
                return error_set(reterr, r, "cannot read it by " SADF);
        }
}

static int read_by_sadf(const char *path, Arena *arena, ReportArchive *ret, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        /* what looks like an option is none with a directory before it */
        const char *file = path[0] == '-' ? arena_format(arena, "./%s", path) : path;
        if (!file)
                return error_set(reterr, -ENOMEM, "cannot read it");
        const char *const argv[] = { SADF, "-j", file, "--", "-n", "SOCK", NULL };
        int r = program_read(argv, REPORT_ARCHIVE_MAX_BYTES, SYSSTAT_TIMEOUT_MS, &text);
        return r < 0 ? fail(reterr, r) : decode(&text, arena, ret, reterr);
}

/* JSON begins with a brace; the magic of a sysstat file is 0xd596 (sa.h, SYSSTAT_MAGIC). */
int sysstat_read(const char *path, Arena *arena, ReportArchive *ret, Error *reterr) {
        CLEANUP(strbuf_deinit) StrBuf bytes = {};
        int r = input_read(path, 0, REPORT_ARCHIVE_MAX_BYTES, &bytes);
        if (r < 0)
                return error_set(reterr, r, "cannot open it");
        const char *text = strbuf_text(&bytes);
        size_t blank = strspn(text, " \t\r\n");
        r = text[blank] == '{' ? decode(&bytes, arena, ret, reterr)
                               : read_by_sadf(path, arena, ret, reterr);
        if (r == 0)
                ret->file = path;
        return r;
}

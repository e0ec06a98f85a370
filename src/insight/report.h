/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What `twprofile report` tells, and the HTML of it: one file that needs nothing else, no script, no network. Pure: the
 * verb collects, this renders. All texts may be anybody's; everything is escaped (insight/report-html.h).
 *
 *         Report report = { … };
 *         report_render(&report, &out);
 *
 * A part that is not there has a pointer of NULL or a count of 0, and the reason why where it was asked for.
 */

#include "base/strbuf.h"
#include "insight/advice.h"
#include "insight/report-archive-format.h"
#include "insight/report-lab-format.h"
#include "insight/rates.h"

/* One look at the counts, cheap enough to be taken often. */
typedef struct ReportPoint {
        int64_t time_us; /* CLOCK_REALTIME */
        bool known;
        uint64_t time_wait; /* buckets */
} ReportPoint;

typedef struct ReportKeyChange {
        const char *key;
        const char *before, *after; /* NULL: not known */
} ReportKeyChange;

/* A change by twprofile, from its audit log. */
typedef struct ReportChange {
        uint64_t number;             /* of the record */
        int64_t time_us;             /* CLOCK_REALTIME */
        const char *who;             /* NULL: not known */
        const char *verb;            /* NULL: none */
        const char *profiles;        /* that are enabled from then on; "" for none */
        const char *outcome;         /* NULL: not known */
        const char *reason;          /* NULL: none was given */
        const ReportKeyChange *keys; /* those that changed */
        size_t n_keys;
} ReportChange;

typedef enum ReportOwner {
        REPORT_OWNER_NOBODY, /* the kernel's default stands */
        REPORT_OWNER_COMPUTED, /* no file sets it; the kernel computes its default, so it may be that */
        REPORT_OWNER_READ_ONLY, /* nobody can set it */
        REPORT_OWNER_PROFILE,   /* of twprofile */
        REPORT_OWNER_DRIFT,     /* a profile wants another value */
        REPORT_OWNER_FILE,      /* what a file sets at boot is live */
        REPORT_OWNER_ELSE,      /* none of these: by hand, or by a program */
        REPORT_OWNER_UNKNOWN,   /* it was not recorded, or cannot be told */
} ReportOwner;

typedef struct ReportSetting {
        const char *key;
        const char *live; /* NULL: not in this kernel, or unreadable */
        ReportOwner owner;
        const char *profile; /* that asks for it; NULL: none does */
        const char *wanted;  /* by it */
        bool is_adopted;     /* it wins over other owners, also at boot */
        const char *set_by;  /* REPORT_OWNER_FILE: by which line */
        const char *boot; /* what systemd-sysctl leaves at boot; NULL: nothing sets it, or not known */
        const char *boot_by;            /* "/etc/sysctl.d/99-local.conf:3" */
        const char *procps, *procps_by; /* the same for `sysctl --system` */
        const char *const *others;      /* TuneD, bpftune: descriptions */
        size_t n_others;
} ReportSetting;

typedef struct Report {
        const char *version; /* of twprofile */
        const char *host;    /* NULL: not known */
        int32_t utc_offset_s;
        bool is_recorded;           /* the samples were given, not taken */
        const Snapshot *sample;     /* the latest: never NULL */
        const SnapshotRates *rates; /* over the window; NULL: one sample alone */
        const ReportPoint *points;  /* of the window, oldest first, at least one */
        size_t n_points;
        const Advice *advice; /* NULL: none was asked for */
        const ReportSetting *settings;
        size_t n_settings;
        const char *owners_missing;  /* why it is not known who sets what; NULL: it is */
        const ReportChange *changes; /* oldest first */
        size_t n_changes;
        const char *changes_missing; /* why they are not known; NULL: they are */
        const ReportLab *lab;        /* NULL: not asked for */
        const ReportArchive *archive;
        const char *archive_missing; /* why there is none; NULL: it is there, or not looked for */
} Report;

void report_render(const Report *report, StrBuf *out);

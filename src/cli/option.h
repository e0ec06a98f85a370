/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The options of all verbs: one table, one walker, one struct. A verb names the bits of the options that it
 * takes; help, completion, manual page and the messages about unknown ones come from the rows.
 *
 * Values borrow from argv. Abbreviated long options are refused, so that a new option never changes what an
 * old script means.
 */

#include "base/strbuf.h"

typedef enum JsonMode {
        JSON_MODE_OFF,
        JSON_MODE_PRETTY,
        JSON_MODE_SHORT,
        JSON_MODE_AUTO, /* --json alone: pretty on a terminal, else short */
} JsonMode;

typedef struct Options {
        bool help;
        bool version;
        bool quiet;
        bool no_pager; /* accepted, means nothing: there is no pager */
        JsonMode json;
        const char *root;
        bool dry_run;
        bool only;
        const char *reason;
        unsigned adopt; /* of PlanAdopt */
        const char *to;
        bool check;
        bool disable;
        uint64_t limit;
        bool verbose;
        const char *profiles;
        uint32_t confirm_within_s; /* 0: no window with a deadline */
        uint32_t interval_s;       /* 0: not given */
        bool runtime;
        bool gate;
        bool same_session;
        bool watch;
        bool lab_long;
        bool lab_field;
        const char *choice;  /* "base" or "keep" */
        const char *against; /* "journald" or a file */
        const char *diff;    /* "A..B" */
        /* files; the second is of the second --from */
        const char *from, *from_later;
        uint64_t count; /* 0: without end */
        uint64_t top;
        /* of OPT_FILTER */
        const char *since, *until, *key, *profile, *verb, *tx, *user;
        /* of OPT_LAB; 0 and NULL: not given */
        const char *lab_scenarios;
        uint64_t lab_seconds, lab_ports;
        /* of OPT_REPORT: files */
        const char *report_out, *report_lab, *report_archive;
} Options;

#define OPTIONS_DEFAULT_LIMIT  20U
#define OPTIONS_DEFAULT_TOP    10U
#define OPTIONS_INTERVAL_MAX_S 3600U

/* In the order of the table. */
enum {
        OPT_HELP = 1U << 0,
        OPT_VERSION = 1U << 1,
        OPT_JSON = 1U << 2,
        OPT_QUIET = 1U << 3,
        OPT_NO_PAGER = 1U << 4,
        OPT_ROOT = 1U << 5,
        OPT_DRY_RUN = 1U << 6,
        OPT_ONLY = 1U << 7,
        OPT_REASON = 1U << 8,
        OPT_ADOPT = 1U << 9,
        OPT_TO = 1U << 10,
        OPT_CHECK = 1U << 11,
        OPT_DISABLE = 1U << 12,
        OPT_LIMIT = 1U << 13,
        OPT_VERBOSE = 1U << 14,
        OPT_PROFILES = 1U << 15,
        OPT_CONFIRM_WITHIN = 1U << 16,
        OPT_RUNTIME = 1U << 17,
        OPT_GATE = 1U << 18,
        OPT_SAME_SESSION = 1U << 19,
        OPT_CHOICE = 1U << 20,
        OPT_AGAINST = 1U << 21,
        OPT_DIFF = 1U << 22,
        OPT_FILTER = 1U << 23, /* several rows: which records of the audit log */
        OPT_LAB = 1U << 24,    /* several rows: what the lab plays */
        OPT_INTERVAL = 1U << 25,
        OPT_FROM = 1U << 26,
        OPT_WATCH = 1U << 27,
        OPT_COUNT = 1U << 28,
        OPT_TOP = 1U << 29,
        OPT_REPORT = 1U << 30, /* several rows: what goes into a report, and where to */
        /* what every verb takes */
        OPT_COMMON = OPT_HELP | OPT_VERSION | OPT_JSON | OPT_QUIET | OPT_NO_PAGER,
        /* what every verb that changes something takes */
        OPT_CHANGE = OPT_ROOT | OPT_DRY_RUN | OPT_REASON | OPT_ADOPT,
};

typedef enum OptionKind {
        OPTION_FLAG,
        OPTION_TEXT,
        OPTION_NUMBER,
        OPTION_JSON,
        OPTION_ADOPT,
        OPTION_WINDOW,
        OPTION_INTERVAL,
        OPTION_CHOICE,
        OPTION_SAMPLE, /* may be given twice: two fields, one behind the other */
} OptionKind;

typedef struct OptionRow {
        unsigned bit;
        char letter; /* short form, or 0 */
        const char *name;
        const char *argument; /* as in help, NULL for none; in brackets when it may be left away */
        OptionKind kind;
        size_t offset; /* of the field in Options */
        const char *help;
} OptionRow;

size_t option_count(void);
const OptionRow *option_get(size_t i);
/* The row of one bit, the first where it has several. */
const OptionRow *option_get_bit(unsigned bit);

/* Whether the option of a row that shares its bit was given; true for all others. */
bool option_is_given(const OptionRow *row, const Options *options);

enum {
        OPTION_E_USAGE = 1, /* `problem` says what is wrong and what is right, one line */
};

/* Reads argv[*at], which starts with '-' and is more than that, and its argument if it has one; *at is moved
 * to the last word that was taken. Adds the bit to *seen. */
NODISCARD int option_parse(
                char *const *argv, size_t argc, size_t *at, Options *options, unsigned *seen,
                StrBuf *problem);

/* Whether some word asks for JSON: known before anything can go wrong. Stops at "--". */
JsonMode option_scan_json(char *const *argv, size_t argc);

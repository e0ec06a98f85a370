/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/option.h"

#include "base/num.h"
#include "cli/duration.h"
#include "diag/nearest.h"
#include "model/plan.h"
#include "record/pending-format.h"

#define FIELD(name) offsetof(Options, name)

/* clang-format off: one row, one line */
static const OptionRow option_rows[] = {
        { OPT_HELP, 'h', "help", NULL, OPTION_FLAG, FIELD(help), "show help, also of a verb" },
        { OPT_VERSION, 0, "version", NULL, OPTION_FLAG, FIELD(version), "show the version" },
        { OPT_JSON, 'j', "json", "[pretty|short|off]", OPTION_JSON, FIELD(json),
          "print one JSON document" },
        { OPT_QUIET, 'q', "quiet", NULL, OPTION_FLAG, FIELD(quiet), "no text but errors" },
        { OPT_NO_PAGER, 0, "no-pager", NULL, OPTION_FLAG, FIELD(no_pager),
          "accepted; there is no pager" },
        { OPT_ROOT, 0, "root", "DIR", OPTION_TEXT, FIELD(root),
          "work on the files below DIR, no live values" },
        { OPT_DRY_RUN, 'n', "dry-run", NULL, OPTION_FLAG, FIELD(dry_run),
          "ask for the plan only; change nothing" },
        { OPT_ONLY, 0, "only", NULL, OPTION_FLAG, FIELD(only), "these profiles and no others" },
        { OPT_REASON, 'm', "reason", "TEXT", OPTION_TEXT, FIELD(reason), "why, for the audit log" },
        { OPT_ADOPT, 0, "adopt", "owner|fragment|drift", OPTION_ADOPT, FIELD(adopt),
          "take over what others changed (with --reason)" },
        { OPT_TO, 0, "to", "origin|N", OPTION_TEXT, FIELD(to),
          "back to generation N, or to nothing of ours" },
        { OPT_CHECK, 0, "check", NULL, OPTION_FLAG, FIELD(check), "exit 1 when something differs" },
        { OPT_DISABLE, 0, "disable", NULL, OPTION_FLAG, FIELD(disable),
          "plan to disable the profiles" },
        { OPT_LIMIT, 0, "limit", "N", OPTION_NUMBER, FIELD(limit),
          "show the newest N, 0 for all (default 20)" },
        { OPT_VERBOSE, 'v', "verbose", NULL, OPTION_FLAG, FIELD(verbose),
          "show every key with before and after" },
        { OPT_PROFILES, 0, "profiles", "DIR", OPTION_TEXT, FIELD(profiles),
          "copy the profiles of DIR into the sandbox" },
        { OPT_CONFIRM_WITHIN, 0, "confirm-within", "5s…24h", OPTION_WINDOW, FIELD(confirm_within_s),
          "take it back unless confirmed in that time" },
        { OPT_RUNTIME, 0, "runtime", NULL, OPTION_FLAG, FIELD(runtime),
          "live only: until confirmed, or until a reboot" },
        { OPT_GATE, 0, "gate", NULL, OPTION_FLAG, FIELD(gate),
          "take it back at once when counters get worse" },
        { OPT_SAME_SESSION, 0, "same-session", NULL, OPTION_FLAG, FIELD(same_session),
          "confirm from the session that made the change" },
        { OPT_CHOICE, 0, "choice", "base|keep", OPTION_CHOICE, FIELD(choice),
          "decide what a damaged journal cannot" },
        { OPT_AGAINST, 0, "against", "journald|FILE", OPTION_TEXT, FIELD(against),
          "compare with what was written down elsewhere" },
        { OPT_DIFF, 0, "diff", "A..B", OPTION_TEXT, FIELD(diff),
          "what generation B asks for that A does not" },
        { OPT_FILTER, 0, "since", "TIME", OPTION_TEXT, FIELD(since), "records from then on" },
        { OPT_FILTER, 0, "until", "TIME", OPTION_TEXT, FIELD(until), "records up to then" },
        { OPT_FILTER, 0, "key", "KEY", OPTION_TEXT, FIELD(key), "records with that key" },
        { OPT_FILTER, 0, "profile", "NAME", OPTION_TEXT, FIELD(profile),
          "records from which or to which it is enabled" },
        { OPT_FILTER, 0, "verb", "VERB", OPTION_TEXT, FIELD(verb), "records of that verb" },
        { OPT_FILTER, 0, "tx", "ID", OPTION_TEXT, FIELD(tx), "records of that transaction" },
        { OPT_FILTER, 0, "user", "NAME|UID", OPTION_TEXT, FIELD(user),
          "records of who logged in so, or called so" },
        { OPT_LAB, 0, "scenario", "NAME[,NAME…]", OPTION_TEXT, FIELD(lab_scenarios),
          "play these only" },
        { OPT_LAB, 0, "seconds", "N", OPTION_NUMBER, FIELD(lab_seconds),
          "how long each run takes (default 3)" },
        { OPT_LAB, 0, "ports", "N", OPTION_NUMBER, FIELD(lab_ports),
          "use only the first N ports of the range" },
        { OPT_LAB, 0, "long", NULL, OPTION_FLAG, FIELD(lab_long),
          "minutes where a ceiling shows only then" },
        { OPT_LAB, 0, "field", NULL, OPTION_FLAG, FIELD(lab_field),
          "try what circulates in the field, claim by claim" },
        { OPT_INTERVAL, 0, "interval", "1s…1h", OPTION_INTERVAL, FIELD(interval_s),
          "look twice, so long apart, for rates" },
        { OPT_FROM, 0, "from", "FILE", OPTION_SAMPLE, FIELD(from),
          "what --json printed before, instead of this host" },
        { OPT_WATCH, 'w', "watch", NULL, OPTION_FLAG, FIELD(watch),
          "look again and again, until Ctrl-C" },
        { OPT_COUNT, 0, "count", "N", OPTION_NUMBER, FIELD(count), "with --watch: N times" },
        { OPT_TOP, 0, "top", "N", OPTION_NUMBER, FIELD(top),
          "show the N largest, 0 for all (default 10)" },
        { OPT_REPORT, 'o', "out", "FILE", OPTION_TEXT, FIELD(report_out), "write to FILE" },
        { OPT_REPORT, 0, "lab", "FILE", OPTION_TEXT, FIELD(report_lab),
          "with what lab --json printed" },
        { OPT_REPORT, 0, "archive", "FILE", OPTION_TEXT, FIELD(report_archive),
          "with this archive of sysstat" },
};
/* clang-format on */

static const struct {
        const char *name;
        unsigned bit;
} adopt_names[] = {
        { "owner", PLAN_ADOPT_OWNER },
        { "fragment", PLAN_ADOPT_FRAGMENT },
        { "drift", PLAN_ADOPT_DRIFT },
};

static const struct {
        const char *name;
        JsonMode mode;
} json_forms[] = {
        { "pretty", JSON_MODE_PRETTY },
        { "short", JSON_MODE_SHORT },
        { "off", JSON_MODE_OFF },
};

size_t option_count(void) {
        return ELEMENTSOF(option_rows);
}

const OptionRow *option_get(size_t i) {
        assert(i < ELEMENTSOF(option_rows));
        return &option_rows[i];
}

const OptionRow *option_get_bit(unsigned bit) {
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++)
                if (option_rows[i].bit == bit)
                        return &option_rows[i];
        assert(false); /* the bits are constants */
        return NULL;
}

bool option_is_given(const OptionRow *row, const Options *options) {
        const void *field = (const char *) options + row->offset;
        if ((row->bit & (OPT_FILTER | OPT_LAB | OPT_REPORT)) == 0)
                return true;
        if (row->kind == OPTION_TEXT)
                return *(const char *const *) field;
        return row->kind == OPTION_NUMBER ? *(const uint64_t *) field != 0 : *(const bool *) field;
}

static const OptionRow *row_of_letter(char letter) {
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++)
                if (letter != '\0' && option_rows[i].letter == letter)
                        return &option_rows[i];
        return NULL;
}

static const OptionRow *row_of_name(const char *name, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++)
                if (strlen(option_rows[i].name) == n && strncmp(option_rows[i].name, name, n) == 0)
                        return &option_rows[i];
        return NULL;
}

static bool argument_is_optional(const OptionRow *row) {
        return row->argument && row->argument[0] == '[';
}

static int unknown(const char *word, size_t n, StrBuf *problem) {
        CLEANUP(strbuf_deinit) StrBuf name = {};
        strbuf_add_bytes(&name, word, n);
        const char *best = NULL;
        for (size_t i = 0; i < ELEMENTSOF(option_rows); i++)
                nearest_consider(strbuf_text(&name), option_rows[i].name, &best);
        strbuf_addf(problem, "unknown option '--%s'", strbuf_text(&name));
        if (best)
                strbuf_addf(problem, "; did you mean '--%s'?", best);
        return OPTION_E_USAGE;
}

static int store_adopt(const char *value, unsigned *field, StrBuf *problem) {
        for (const char *word = value;;) {
                size_t n = strcspn(word, ",");
                unsigned bit = 0;
                for (size_t i = 0; i < ELEMENTSOF(adopt_names); i++)
                        if (strlen(adopt_names[i].name) == n &&
                            strncmp(word, adopt_names[i].name, n) == 0)
                                bit = adopt_names[i].bit;
                if (bit == 0) {
                        strbuf_addf(problem,
                                    "cannot adopt '%.*s': use --adopt=owner, fragment or drift",
                                    (int) n, word);
                        return OPTION_E_USAGE;
                }
                *field |= bit;
                if (word[n] == '\0')
                        return 0;
                word += n + 1;
        }
}

static int store_json(const char *value, JsonMode *field, StrBuf *problem) {
        if (!value) {
                *field = JSON_MODE_AUTO;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(json_forms); i++)
                if (streq(json_forms[i].name, value)) {
                        *field = json_forms[i].mode;
                        return 0;
                }
        strbuf_addf(problem, "no JSON form '%s': use --json=pretty, short or off", value);
        return OPTION_E_USAGE;
}

static int store_seconds(
                const OptionRow *row, const char *value, uint64_t min_s, uint64_t max_s,
                uint32_t *field, StrBuf *problem) {
        uint64_t seconds = 0;
        if (duration_parse(value, &seconds) == 0 && seconds >= min_s && seconds <= max_s) {
                *field = (uint32_t) seconds;
                return 0;
        }
        strbuf_addf(problem, "'%s' is no time for %s: use --%s=90s, 2min or 1h, from ", value,
                    row->kind == OPTION_WINDOW ? "a confirmation" : "an interval", row->name);
        duration_add(min_s, problem);
        strbuf_add(problem, " to ");
        duration_add(max_s, problem);
        return OPTION_E_USAGE;
}

static int store_choice(const char *value, const char **field, StrBuf *problem) {
        if (!streq(value, "base") && !streq(value, "keep")) {
                strbuf_addf(problem, "no choice '%s': use --choice=base or keep", value);
                return OPTION_E_USAGE;
        }
        *field = value;
        return 0;
}

static int store_sample(
                const OptionRow *row, const char *value, const char **fields, StrBuf *problem) {
        if (*value == '\0')
                strbuf_addf(problem, "--%s needs %s, not nothing", row->name, row->argument);
        else if (fields[1])
                strbuf_addf(problem, "--%s can be given twice at most", row->name);
        else {
                fields[fields[0] ? 1 : 0] = value;
                return 0;
        }
        return OPTION_E_USAGE;
}

static_assert(FIELD(from_later) == FIELD(from) + sizeof(const char *), "OPTION_SAMPLE has two");

static int store(const OptionRow *row, const char *value, Options *options, StrBuf *problem) {
        void *field = (char *) options + row->offset;
        assert(value || row->kind == OPTION_FLAG || row->kind == OPTION_JSON);
        switch (row->kind) {
        case OPTION_FLAG:
                *(bool *) field = true;
                return 0;
        case OPTION_TEXT:
                if (*value == '\0') {
                        strbuf_addf(problem, "--%s needs %s, not nothing", row->name,
                                    row->argument);
                        return OPTION_E_USAGE;
                }
                *(const char **) field = value;
                return 0;
        case OPTION_SAMPLE:
                return store_sample(row, value, field, problem);
        case OPTION_NUMBER:
                if (num_parse_u64(value, field) == 0)
                        return 0;
                strbuf_addf(problem, "'%s' is no number: use --%s=N", value, row->name);
                return OPTION_E_USAGE;
        case OPTION_JSON:
                return store_json(value, field, problem);
        case OPTION_ADOPT:
                return store_adopt(value, field, problem);
        case OPTION_WINDOW:
                return store_seconds(
                                row, value, PENDING_WINDOW_MIN_S, PENDING_WINDOW_MAX_S, field,
                                problem);
        case OPTION_INTERVAL:
                return store_seconds(row, value, 1, OPTIONS_INTERVAL_MAX_S, field, problem);
        case OPTION_CHOICE:
                return store_choice(value, field, problem);
        }
        assert(false); /* the switch has all kinds */
        return -EINVAL;
}

static int missing_argument(const OptionRow *row, StrBuf *problem) {
        strbuf_addf(problem, "--%s needs an argument: --%s=%s", row->name, row->name,
                    row->argument);
        return OPTION_E_USAGE;
}

static int parse_long(
                char *const *argv, size_t argc, size_t *at, Options *options, unsigned *seen,
                StrBuf *problem) {
        const char *word = argv[*at] + 2;
        size_t n = strcspn(word, "=");
        const char *value = word[n] == '=' ? word + n + 1 : NULL;
        const OptionRow *row = row_of_name(word, n);
        if (!row)
                return unknown(word, n, problem);
        if (value && !row->argument) {
                strbuf_addf(problem, "--%s takes no argument", row->name);
                return OPTION_E_USAGE;
        }
        if (!value && row->argument && !argument_is_optional(row)) {
                if (*at + 1 >= argc)
                        return missing_argument(row, problem);
                value = argv[++*at];
        }
        *seen |= row->bit;
        return store(row, value, options, problem);
}

/* -qn, -m TEXT, -mTEXT */
static int parse_short(
                char *const *argv, size_t argc, size_t *at, Options *options, unsigned *seen,
                StrBuf *problem) {
        for (const char *p = argv[*at] + 1; *p; p++) {
                const OptionRow *row = row_of_letter(*p);
                if (!row) {
                        strbuf_addf(problem, "unknown option '-%c'", *p);
                        return OPTION_E_USAGE;
                }
                *seen |= row->bit;
                const char *value = NULL;
                if (row->argument && !argument_is_optional(row)) {
                        if (p[1] == '\0' && *at + 1 >= argc)
                                return missing_argument(row, problem);
                        value = p[1] ? p + 1 : argv[++*at];
                }
                int r = store(row, value, options, problem);
                if (r != 0 || value)
                        return r;
        }
        return 0;
}

int option_parse(
                char *const *argv, size_t argc, size_t *at, Options *options, unsigned *seen,
                StrBuf *problem) {
        if (argv[*at][1] == '-')
                return parse_long(argv, argc, at, options, seen, problem);
        return parse_short(argv, argc, at, options, seen, problem);
}

JsonMode option_scan_json(char *const *argv, size_t argc) {
        JsonMode mode = JSON_MODE_OFF;
        for (size_t i = 1; i < argc && !streq(argv[i], "--"); i++) {
                if (streq(argv[i], "-j"))
                        mode = JSON_MODE_AUTO;
                const char *rest = startswith(argv[i], "--json");
                if (!rest || (*rest != '\0' && *rest != '='))
                        continue;
                mode = JSON_MODE_AUTO; /* also for a form that does not exist: the error is json_forms then */
                for (size_t k = 0; *rest && k < ELEMENTSOF(json_forms); k++)
                        if (streq(rest + 1, json_forms[k].name))
                                mode = json_forms[k].mode;
        }
        return mode;
}

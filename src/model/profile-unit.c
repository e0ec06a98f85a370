/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-unit.h"

#include <inttypes.h>

#include "base/num.h"

typedef enum UnitKind {
        UNIT_DURATION,
        UNIT_SIZE,
} UnitKind;

typedef struct Unit {
        const char *suffix;
        UnitKind kind;
        int64_t factor; /* of microseconds or bytes */
} Unit;

static const Unit units[] = {
        { "us", UNIT_DURATION, 1 },
        { "ms", UNIT_DURATION, 1000 },
        { "s", UNIT_DURATION, INT64_C(1000) * 1000 },
        { "min", UNIT_DURATION, INT64_C(60) * 1000 * 1000 },
        { "h", UNIT_DURATION, INT64_C(60) * 60 * 1000 * 1000 },
        { "d", UNIT_DURATION, INT64_C(24) * 60 * 60 * 1000 * 1000 },
        { "B", UNIT_SIZE, 1 },
        { "KiB", UNIT_SIZE, INT64_C(1) << 10 },
        { "MiB", UNIT_SIZE, INT64_C(1) << 20 },
        { "GiB", UNIT_SIZE, INT64_C(1) << 30 },
};

/* What people write instead. "m" could be minutes or milli, "K" 1000 or 1024: not guessed, but suggested. */
static const struct {
        const char *written, *meant;
} aliases[] = {
        { "usec", "us" },     { "usecs", "us" }, { "msec", "ms" },  { "msecs", "ms" },
        { "sec", "s" },       { "secs", "s" },   { "second", "s" }, { "seconds", "s" },
        { "S", "s" },         { "m", "min" },    { "mins", "min" }, { "minute", "min" },
        { "minutes", "min" }, { "hour", "h" },   { "hours", "h" },  { "hr", "h" },
        { "day", "d" },       { "days", "d" },   { "k", "KiB" },    { "K", "KiB" },
        { "kB", "KiB" },      { "KB", "KiB" },   { "kib", "KiB" },  { "M", "MiB" },
        { "MB", "MiB" },      { "mib", "MiB" },  { "G", "GiB" },    { "GB", "GiB" },
        { "gib", "GiB" },
};

static size_t number_length(const char *text) {
        size_t sign = text[0] == '-';
        return sign + strspn(text + sign, "0123456789");
}

static size_t letters_length(const char *text) {
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

bool unit_is_written(const char *text) {
        size_t n = number_length(text);
        const char *suffix = text + n + strspn(text + n, " ");
        size_t letters = letters_length(suffix);
        return n > 0 && text[n - 1] != '-' && letters > 0 && suffix[letters] == '\0';
}

static const Unit *unit_find(const char *suffix) {
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (streq(units[i].suffix, suffix))
                        return &units[i];
        return NULL;
}

/* The name of the kernel's unit in a sentence. */
static const char *spec_counts_in(const SysctlSpec *spec) {
        switch (spec->unit) {
        case SYSCTL_UNIT_MICROSECONDS:
                return "microseconds";
        case SYSCTL_UNIT_MILLISECONDS:
                return "milliseconds";
        case SYSCTL_UNIT_SECONDS:
                return "seconds";
        case SYSCTL_UNIT_BYTES:
                return "bytes";
        case SYSCTL_UNIT_PAGES:
                return "pages of memory";
        case SYSCTL_UNIT_COUNT:
        case SYSCTL_UNIT_NONE:
                break;
        }
        return NULL;
}

/* The kernel's unit in microseconds or bytes; 0 where the key takes no such unit. */
static int64_t spec_factor(const SysctlSpec *spec, UnitKind kind) {
        if (kind == UNIT_DURATION && spec->unit == SYSCTL_UNIT_MICROSECONDS)
                return 1;
        if (kind == UNIT_DURATION && spec->unit == SYSCTL_UNIT_MILLISECONDS)
                return 1000;
        if (kind == UNIT_DURATION && spec->unit == SYSCTL_UNIT_SECONDS)
                return INT64_C(1000) * 1000;
        return kind == UNIT_SIZE && spec->unit == SYSCTL_UNIT_BYTES ? 1 : 0;
}

static void add_unknown_unit(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                const char *number, const char *suffix) {
        Diag *diag = diag_add(
                        check->diags, DIAG_BAD_UNIT, node->span, "'%s' is not a unit", suffix);
        diag_set_key(check->diags, diag, spec->key);
        for (size_t i = 0; i < ELEMENTSOF(aliases); i++)
                if (streq(aliases[i].written, suffix)) {
                        const Unit *unit = unit_find(aliases[i].meant);
                        if (unit && spec_factor(spec, unit->kind) > 0)
                                diag_set_help(check->diags, diag, "did you mean %s%s?", number,
                                              unit->suffix);
                }
        if (diag->help)
                return;
        if (spec_factor(spec, UNIT_DURATION) > 0)
                diag_set_help(check->diags, diag,
                              "use us, ms, s, min, h or d, or the bare number of %s",
                              spec_counts_in(spec));
        else if (spec_factor(spec, UNIT_SIZE) > 0)
                diag_set_help(check->diags, diag,
                              "use B, KiB, MiB or GiB, or the bare number of bytes");
        else
                diag_set_help(check->diags, diag, "write the number alone");
}

static void add_wrong_kind(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                const Unit *unit) {
        const char *counts_in = spec_counts_in(spec);
        Diag *diag = diag_add(
                        check->diags, DIAG_BAD_UNIT, node->span, "'%s' takes no %s", spec->key,
                        unit->kind == UNIT_DURATION ? "duration" : "size");
        diag_set_key(check->diags, diag, spec->key);
        if (spec->unit == SYSCTL_UNIT_PAGES)
                diag_add_note(check->diags, diag,
                              "the kernel counts it in pages, and the size of a page differs between machines");
        diag_set_help(check->diags, diag, "write the number%s%s alone", counts_in ? " of " : "",
                      counts_in ? counts_in : "");
}

static void add_overflow(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node) {
        Diag *diag = diag_add(
                        check->diags, DIAG_OUT_OF_RANGE, node->span,
                        "value %s is out of range for '%s'", node->text, spec->key);
        diag_set_key(check->diags, diag, spec->key);
        diag_add_label(check->diags, diag, node->span, "highest allowed value is %" PRId64 " %s",
                       spec->sane_max, sysctl_unit_name(spec->unit));
        diag_set_help(check->diags, diag, "choose a smaller value");
}

static bool convert(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node, int64_t number,
                const Unit *unit, int64_t *ret) {
        int64_t factor = spec_factor(spec, unit->kind), product;
        if (factor == 0) {
                add_wrong_kind(check, spec, node, unit);
                return false;
        }
        if (__builtin_mul_overflow(number, unit->factor, &product)) {
                add_overflow(check, spec, node);
                return false;
        }
        if (product % factor != 0) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_UNIT, node->span,
                                "%s is not a whole number of %s", node->text, spec_counts_in(spec));
                diag_set_key(check->diags, diag, spec->key);
                diag_add_note(check->diags, diag, "the kernel counts '%s' in %s", spec->key,
                              spec_counts_in(spec));
                diag_set_help(check->diags, diag, "choose %" PRId64 "%s or %" PRId64 "%s",
                              product / factor, sysctl_unit_name(spec->unit), product / factor + 1,
                              sysctl_unit_name(spec->unit));
                return false;
        }
        *ret = product / factor;
        return true;
}

bool unit_read(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node, int64_t *ret) {
        size_t n = number_length(node->text);
        size_t blanks = strspn(node->text + n, " ");
        const char *suffix = node->text + n + blanks;
        const char *text = arena_copy_n(check->arena, node->text, n);
        if (!text) {
                check->no_memory = true;
                return false;
        }

        int64_t number;
        int r = num_parse_i64(text, &number);
        if (r == -ERANGE) {
                add_overflow(check, spec, node);
                return false;
        }
        if (r < 0) {
                check_add_bad_number(check, node, text);
                return false;
        }
        const Unit *unit = unit_find(suffix);
        if (!unit) {
                add_unknown_unit(check, spec, node, text, suffix);
                return false;
        }
        if (blanks > 0 && spec_factor(spec, unit->kind) > 0) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BAD_UNIT, node->span,
                                "a unit follows its number without a blank");
                diag_set_key(check->diags, diag, spec->key);
                diag_set_help(check->diags, diag, "write %s%s", text, suffix);
                return false;
        }
        return convert(check, spec, node, number, unit, ret);
}

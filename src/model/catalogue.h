/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What twprofile knows about each sysctl: the closed list of keys that can be set at all, with type,
 * ranges, versions, scope and meaning. The rows come from schema/sysctls.yaml through src/gen/catalogue.py;
 * adding a key touches no C.
 *
 * Everything is constant and borrowed for ever. Nothing here fails.
 */

#include "base/macro.h"

typedef enum SysctlType {
        SYSCTL_TYPE_BOOL,    /* 0 or 1 */
        SYSCTL_TYPE_ENUM,    /* one of SysctlSpec.choices */
        SYSCTL_TYPE_INT,     /* one integer */
        SYSCTL_TYPE_BITMASK, /* one integer, bits */
        SYSCTL_TYPE_RANGE,   /* two integers, low and high */
        SYSCTL_TYPE_VECTOR,  /* n_values integers, ascending when the row says so */
        SYSCTL_TYPE_PORTS,   /* a set of ports, may be empty */
        SYSCTL_TYPE_STRING,  /* one word */
        SYSCTL_TYPE_STRINGS, /* words with single blanks between */
} SysctlType;

typedef enum SysctlUnit {
        SYSCTL_UNIT_NONE,
        SYSCTL_UNIT_MICROSECONDS,
        SYSCTL_UNIT_MILLISECONDS,
        SYSCTL_UNIT_SECONDS,
        SYSCTL_UNIT_BYTES,
        SYSCTL_UNIT_PAGES,
        SYSCTL_UNIT_COUNT, /* packets, sockets, probes: no suffix allowed */
} SysctlUnit;

typedef enum SysctlScope {
        SYSCTL_SCOPE_NETNS, /* one value per network namespace */
        SYSCTL_SCOPE_HOST,  /* one value, absent or read-only in a child network namespace */
} SysctlScope;

/* What a new network namespace begins with. */
typedef enum SysctlNew {
        SYSCTL_NEW_DEFAULT,   /* the kernel's default */
        SYSCTL_NEW_COMPUTED,  /* from the size of its tables */
        SYSCTL_NEW_COPIED,    /* from the first namespace, when it is made */
        SYSCTL_NEW_ABSENT,    /* it has no such file */
        SYSCTL_NEW_READ_ONLY, /* scope host: the host's value can be read */
        SYSCTL_NEW_SAME,      /* scope host: the same file, outside of /proc/sys/net */
} SysctlNew;

/* What the kernel does to a number before it shows it again. */
typedef enum SysctlRounding {
        SYSCTL_ROUNDING_NONE,
        SYSCTL_ROUNDING_JIFFIES_MS,   /* milliseconds up to whole timer ticks */
        SYSCTL_ROUNDING_POINTER_PAGE, /* up to as many pointers as fill whole pages */
} SysctlRounding;

typedef enum SysctlRisk {
        SYSCTL_RISK_SAFE,
        SYSCTL_RISK_CAUTION,
        SYSCTL_RISK_DANGEROUS,
} SysctlRisk;

typedef struct SysctlChoice {
        int64_t value;
        const char *meaning;
} SysctlChoice;

typedef struct KernelVersion {
        uint32_t major, minor, patch;
} KernelVersion;

/* What an older kernel had otherwise, for documents. */
typedef struct SysctlOlder {
        KernelVersion before; /* the first that has it as the row says */
        const char *field;    /* "kernel", "default" or "new_namespace" */
        const char *was;      /* as text */
} SysctlOlder;

/* A judgement on values, for documents: the safety rules judge by themselves. */
typedef struct SysctlJudgement {
        const char *when;
        const char *level;  /* "safe", "caution", "dangerous", "refuse" */
        const char *reason; /* NULL for safe values at most */
} SysctlJudgement;

typedef struct SysctlSpec {
        const char *key;  /* dotted, the only spelling profiles may use */
        const char *path; /* below /proc/sys, with slashes */
        const char *group;
        SysctlType type;
        SysctlUnit unit;
        size_t n_values;                /* RANGE 2, VECTOR 3, else 1 */
        bool ascending;                 /* the values of a RANGE or VECTOR must not fall */
        int64_t kernel_min, kernel_max; /* what the kernel takes */
        int64_t sane_min, sane_max;     /* what we take; inside the kernel's range */
        SysctlRounding rounding;
        const SysctlChoice *choices; /* ENUM and BITMASK */
        size_t n_choices;
        const char *zero_means; /* 0 means something else than "less than 1", so no bounds; or NULL */
        const char *default_text; /* in the kernel's spelling when it is a constant, else NULL */
        const char *default_note; /* when it is not a constant, or differed between versions; may be NULL */
        KernelVersion since,
                        until; /* mainline: first with it, first without it; 0.0.0 = always, never */
        const KernelVersion *backported; /* stable releases before `since` that have it too */
        size_t n_backported;
        const char *vendor; /* NULL for mainline */
        SysctlScope scope;
        KernelVersion scope_since; /* from when the value is per namespace; 0.0.0 = always */
        SysctlNew new_namespace;
        const SysctlOlder *older;
        size_t n_older;
        const char *module; /* kernel module that registers it, or NULL when built in */
        bool settable;      /* false: read-only, removed, or not writable by the helper's unit */
        const char *not_settable_because; /* set when settable is false */
        bool rehearsable;                 /* writing the value that was just read changes nothing */
        int write_order;                  /* lower first; default 50. Undo runs in reverse */
        SysctlRisk risk;
        const char *risk_reason;
        const char *does;                /* what it does, one or two sentences */
        const char *myth;                /* what people wrongly believe, or NULL */
        const char *replacement;         /* what to use instead of a removed key, or NULL */
        const char *const *interactions; /* other keys, options and counters it works with */
        size_t n_interactions;
        const SysctlJudgement *judgements;
        size_t n_judgements;
        const char *const *sources;
        size_t n_sources;
} SysctlSpec;

size_t catalogue_count(void);
/* Sorted by key. */
const SysctlSpec *catalogue_get(size_t i);
/* NULL when unknown. Only the dotted spelling. */
const SysctlSpec *catalogue_find(const char *key);
/* As catalogue_find() for a path below /proc/sys with slashes. */
const SysctlSpec *catalogue_find_path(const char *path);
/* The known key that looks most like `key`, or NULL when none is near. */
const SysctlSpec *catalogue_find_nearest(const char *key);

/* <0, 0, >0 */
int kernel_version_compare(const KernelVersion *a, const KernelVersion *b);
/* Reads "6.18.44-rc1-vendor" or "5.10"; -EINVAL when it does not start with two numbers. An -rc of X.Y counts
 * as X.Y (it has the sysctls of X.Y). */
NODISCARD int kernel_version_parse(const char *text, KernelVersion *ret);

const char *sysctl_type_name(SysctlType type);
const char *sysctl_unit_name(
                SysctlUnit unit); /* "" for NONE, "s", "ms", "us", "bytes", "pages", "" for COUNT */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/catalogue.h"

#include "diag/nearest.h"
#include "model/catalogue-table.h"

/* Longer than any sysctl; whatever is longer resembles none and is not measured. */
#define CATALOGUE_WRITTEN_MAX 192U

size_t catalogue_count(void) {
        return catalogue_table_size;
}

const SysctlSpec *catalogue_get(size_t i) {
        assert(i < catalogue_table_size);
        return &catalogue_table[i];
}

static int compare_key(const void *key, const void *row) {
        return strcmp(key, ((const SysctlSpec *) row)->key);
}

static int compare_path(const void *path, const void *row) {
        return strcmp(path, ((const SysctlSpec *) row)->path);
}

const SysctlSpec *catalogue_find(const char *key) {
        return bsearch(key, catalogue_table, catalogue_table_size, sizeof(SysctlSpec), compare_key);
}

/* The same order serves both spellings: '.' and '/' are neighbours in ASCII and no other character of a
 * key lies between them (the generator admits letters, digits, '_' and '-' only). */
const SysctlSpec *catalogue_find_path(const char *path) {
        return bsearch(path, catalogue_table, catalogue_table_size, sizeof(SysctlSpec),
                       compare_path);
}

/* The part behind the last separator: where people mistype, and what they remember. */
static const char *last_part(const char *key) {
        const char *dot = strrchr(key, '.');
        return dot ? dot + 1 : key;
}

/* How far `spec` is from what was written, or SIZE_MAX when it is not near. The folders count as far less
 * than the name: net.core.tcp_tw_reuse and a bare tcp_tw_reuse are near, while all keys of net.ipv4 would
 * look alike if the common folder were measured with the name. */
static size_t nearness(const SysctlSpec *spec, const char *key) {
        const char *written = last_part(key), *known = last_part(spec->key);
        size_t slips = nearest_distance(written, known);
        if (slips > strlen(known) / 3)
                return SIZE_MAX;

        size_t folder_written = (size_t) (written - key),
               folder_known = (size_t) (known - spec->key);
        bool same_folder = folder_written == folder_known &&
                           memcmp(key, spec->key, folder_known) == 0;
        return 2 * slips + (same_folder ? 0 : 1);
}

const SysctlSpec *catalogue_find_nearest(const char *key) {
        char dotted[CATALOGUE_WRITTEN_MAX];
        size_t n = strlen(key);
        if (n >= sizeof(dotted))
                return NULL;
        for (size_t i = 0; i <= n; i++)
                dotted[i] = (char) (key[i] == '/' ? '.' : key[i]);

        const SysctlSpec *nearest = NULL;
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < catalogue_table_size; i++) {
                size_t distance = nearness(&catalogue_table[i], dotted);
                if (distance < least) {
                        least = distance;
                        nearest = &catalogue_table[i];
                }
        }
        return nearest;
}

static int compare_u32(uint32_t a, uint32_t b) {
        return (a > b) - (a < b);
}

int kernel_version_compare(const KernelVersion *a, const KernelVersion *b) {
        int r = compare_u32(a->major, b->major);
        if (r == 0)
                r = compare_u32(a->minor, b->minor);
        return r != 0 ? r : compare_u32(a->patch, b->patch);
}

/* Reads digits at *p and moves behind them; false when there is none or the number is too big. */
static bool take_number(const char **p, uint32_t *ret) {
        const char *s = *p;
        if (*s < '0' || *s > '9')
                return false;

        uint32_t value = 0;
        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(value, 10U, &value) ||
                    __builtin_add_overflow(value, (uint32_t) (*s - '0'), &value))
                        return false;

        *p = s;
        *ret = value;
        return true;
}

int kernel_version_parse(const char *text, KernelVersion *ret) {
        KernelVersion version = { 0 };

        if (!take_number(&text, &version.major) || *text++ != '.' ||
            !take_number(&text, &version.minor))
                return -EINVAL;
        if (*text == '.' && text[1] >= '0' && text[1] <= '9') {
                text++;
                if (!take_number(&text, &version.patch))
                        return -EINVAL;
        }

        *ret = version;
        return 0;
}

const char *sysctl_type_name(SysctlType type) {
        static const char *const names[] = {
                [SYSCTL_TYPE_BOOL] = "bool",       [SYSCTL_TYPE_ENUM] = "enum",
                [SYSCTL_TYPE_INT] = "int",         [SYSCTL_TYPE_BITMASK] = "bitmask",
                [SYSCTL_TYPE_RANGE] = "range",     [SYSCTL_TYPE_VECTOR] = "vector",
                [SYSCTL_TYPE_PORTS] = "ports",     [SYSCTL_TYPE_STRING] = "string",
                [SYSCTL_TYPE_STRINGS] = "strings",
        };
        assert((size_t) type < ELEMENTSOF(names));
        return names[type];
}

const char *sysctl_unit_name(SysctlUnit unit) {
        static const char *const names[] = {
                [SYSCTL_UNIT_NONE] = "",           [SYSCTL_UNIT_MICROSECONDS] = "us",
                [SYSCTL_UNIT_MILLISECONDS] = "ms", [SYSCTL_UNIT_SECONDS] = "s",
                [SYSCTL_UNIT_BYTES] = "bytes",     [SYSCTL_UNIT_PAGES] = "pages",
                [SYSCTL_UNIT_COUNT] = "",
        };
        assert((size_t) unit < ELEMENTSOF(names));
        return names[unit];
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/sysctl-value.h"

#include <inttypes.h>

#include "base/strbuf.h"

/* What is still to be read: [next, end). */
typedef struct Reader {
        const char *next, *end;
        bool as_written; /* read as the kernel reads, not as it prints */
} Reader;

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n';
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static void skip_blanks(Reader *reader) {
        while (reader->next < reader->end && is_blank(*reader->next))
                reader->next++;
}

static bool take_char(Reader *reader, char c) {
        if (reader->next == reader->end || *reader->next != c)
                return false;
        reader->next++;
        return true;
}

static int digit_of(char c, int base) {
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : base;
        return digit < base ? digit : -1;
}

/* The kernel's reader guesses the base as C does; its printer knows decimals only. */
static int take_base(Reader *reader) {
        if (!reader->as_written || reader->end - reader->next < 2 || reader->next[0] != '0')
                return 10;

        bool is_hex = reader->next[1] == 'x' || reader->next[1] == 'X';
        if (!is_hex)
                return 8;
        reader->next += 2;
        return 16;
}

static int take_integer(Reader *reader, int64_t *ret) {
        bool negative = take_char(reader, '-');
        int base = take_base(reader);

        const char *first = reader->next;
        int64_t value = 0;
        for (; reader->next < reader->end; reader->next++) {
                int digit = digit_of(*reader->next, base);
                if (digit < 0)
                        break;
                if (__builtin_mul_overflow(value, base, &value) ||
                    __builtin_add_overflow(value, negative ? -digit : digit, &value))
                        return -EINVAL;
        }
        if (reader->next == first)
                return -EINVAL;
        if (base == 10 && *first == '0' && reader->next - first > 1)
                return -EINVAL;

        *ret = value;
        return 0;
}

static int parse_integers(const SysctlSpec *spec, Reader *reader, SysctlValue *value) {
        assert(spec->n_values >= 1 && spec->n_values <= SYSCTL_VALUE_MAX_INTS);

        for (size_t i = 0; i < spec->n_values; i++) {
                const char *before = reader->next;
                skip_blanks(reader);
                if (i > 0 && reader->next == before)
                        return -EINVAL;
                int r = take_integer(reader, &value->ints[i]);
                if (r < 0)
                        return r;
        }
        const char *behind = reader->next;
        skip_blanks(reader);
        value->n_ints = spec->n_values;
        bool is_rest_ignored = reader->as_written && reader->next > behind;
        return reader->next == reader->end || is_rest_ignored ? 0 : -EINVAL;
}

static int take_port(Reader *reader, uint16_t *ret) {
        int64_t port;
        if (take_integer(reader, &port) < 0 || port < 0 || port > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t) port;
        return 0;
}

static int take_port_range(Reader *reader, PortRange *ret) {
        PortRange range;
        if (take_port(reader, &range.first) < 0)
                return -EINVAL;
        range.last = range.first;
        if (take_char(reader, '-') && take_port(reader, &range.last) < 0)
                return -EINVAL;
        if (range.last < range.first)
                return -EINVAL;
        *ret = range;
        return 0;
}

static int parse_ports(Reader *reader, Arena *arena, SysctlValue *value) {
        skip_blanks(reader);
        if (reader->next == reader->end)
                return sysctl_ports_build(/* ranges= */ NULL, 0, arena, value);

        size_t n_max = 1;
        for (const char *p = reader->next; p < reader->end; p++)
                n_max += *p == ',';
        PortRange *ranges = arena_alloc_array(arena, n_max, sizeof(PortRange));
        if (!ranges)
                return -ENOMEM;

        size_t n = 0;
        do {
                int r = take_port_range(reader, &ranges[n++]);
                if (r < 0)
                        return r;
        } while (take_char(reader, ',') && !(reader->as_written && reader->next == reader->end));
        skip_blanks(reader);
        if (reader->next != reader->end)
                return -EINVAL;

        return sysctl_ports_build(ranges, n, arena, value);
}

static bool is_control(char c) {
        return (unsigned char) c < ' ' || c == '\177';
}

/* Folds blanks to one space, drops them at the ends. */
static int parse_words(const SysctlSpec *spec, Reader *reader, Arena *arena, SysctlValue *value) {
        char *text = arena_alloc(arena, (size_t) (reader->end - reader->next) + 1);
        if (!text)
                return -ENOMEM;

        size_t n = 0, n_words = 0;
        for (skip_blanks(reader); reader->next < reader->end; skip_blanks(reader)) {
                if (n_words++ > 0)
                        text[n++] = ' ';
                for (; reader->next < reader->end && !is_blank(*reader->next); reader->next++) {
                        if (is_control(*reader->next))
                                return -EINVAL;
                        text[n++] = *reader->next;
                }
        }
        if (spec->type == SYSCTL_TYPE_STRING && n_words != 1)
                return -EINVAL;

        value->text = text;
        return 0;
}

static int read_value(const SysctlSpec *spec, Reader reader, Arena *arena, SysctlValue *ret) {
        SysctlValue value = { .type = spec->type };
        int r = -EINVAL;
        if (reader.end - reader.next >= (ptrdiff_t) SYSCTL_VALUE_TEXT_MAX)
                return r;

        switch (spec->type) {
        case SYSCTL_TYPE_BOOL:
        case SYSCTL_TYPE_ENUM:
        case SYSCTL_TYPE_INT:
        case SYSCTL_TYPE_BITMASK:
        case SYSCTL_TYPE_RANGE:
        case SYSCTL_TYPE_VECTOR:
                r = parse_integers(spec, &reader, &value);
                break;
        case SYSCTL_TYPE_PORTS:
                r = parse_ports(&reader, arena, &value);
                break;
        case SYSCTL_TYPE_STRING:
        case SYSCTL_TYPE_STRINGS:
                r = parse_words(spec, &reader, arena, &value);
                break;
        }
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}

int sysctl_value_from_kernel(
                const SysctlSpec *spec, const char *text, size_t n, Arena *arena,
                SysctlValue *ret) {
        return read_value(spec, (Reader){ .next = text, .end = text + n }, arena, ret);
}

int sysctl_value_from_written(
                const SysctlSpec *spec, const char *text, size_t n, Arena *arena,
                SysctlValue *ret) {
        Reader reader = { .next = text, .end = text + n, .as_written = true };
        return read_value(spec, reader, arena, ret);
}

static void render_integers(const SysctlValue *value, StrBuf *out) {
        for (size_t i = 0; i < value->n_ints; i++)
                strbuf_addf(out, "%s%" PRId64, i > 0 ? "\t" : "", value->ints[i]);
}

static void render_ports(const SysctlValue *value, StrBuf *out) {
        for (size_t i = 0; i < value->n_ports; i++) {
                const PortRange *range = &value->ports[i];
                strbuf_addf(out, "%s%u", i > 0 ? "," : "", (unsigned) range->first);
                if (range->last > range->first)
                        strbuf_addf(out, "-%u", (unsigned) range->last);
        }
}

const char *sysctl_value_to_kernel(const SysctlSpec *spec, const SysctlValue *value, Arena *arena) {
        assert(spec->type == value->type);

        if (value->text)
                return arena_copy(arena, value->text);

        CLEANUP(strbuf_deinit) StrBuf out = { 0 };
        if (value->type == SYSCTL_TYPE_PORTS)
                render_ports(value, &out);
        else
                render_integers(value, &out);
        return out.failed ? NULL : arena_copy_n(arena, strbuf_text(&out), out.length);
}

bool sysctl_value_equal(const SysctlValue *a, const SysctlValue *b) {
        if (a->type != b->type || a->n_ints != b->n_ints || a->n_ports != b->n_ports)
                return false;
        for (size_t i = 0; i < a->n_ints; i++)
                if (a->ints[i] != b->ints[i])
                        return false;
        /* Sorted and merged, so that equal sets are equal lists. */
        for (size_t i = 0; i < a->n_ports; i++)
                if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
                        return false;
        return streq_null(a->text, b->text);
}

static int64_t divide_up(int64_t a, int64_t b) {
        return a / b + (a % b > 0);
}

/* Milliseconds up to ticks, then ticks up to milliseconds. */
static bool is_rounded_to_ticks(int64_t wanted, int64_t live) {
        static const int64_t frequencies[] = { 100, 250, 300, 1000 };
        int64_t most;
        if (wanted < 0 || __builtin_mul_overflow(wanted, 1000, &most))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(frequencies); i++) {
                int64_t ticks = divide_up(wanted * frequencies[i], 1000);
                if (live == divide_up(ticks * 1000, frequencies[i]))
                        return true;
        }
        return false;
}

static bool is_rounded_to_pages(int64_t wanted, int64_t live) {
        static const int64_t pointers_of_a_page[] = { 512, 1024, 2048, 4096, 8192, 16384 };
        if (wanted < 0 || wanted > INT64_MAX - 16384)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(pointers_of_a_page); i++)
                if (live == divide_up(wanted, pointers_of_a_page[i]) * pointers_of_a_page[i])
                        return true;
        return false;
}

bool sysctl_value_holds(
                const SysctlSpec *spec, const SysctlValue *wanted, const SysctlValue *live) {
        if (sysctl_value_equal(wanted, live))
                return true;
        if (wanted->n_ints != 1 || live->n_ints != 1 || wanted->type != live->type)
                return false;
        switch (spec->rounding) {
        case SYSCTL_ROUNDING_NONE:
                break;
        case SYSCTL_ROUNDING_JIFFIES_MS:
                return is_rounded_to_ticks(wanted->ints[0], live->ints[0]);
        case SYSCTL_ROUNDING_POINTER_PAGE:
                return is_rounded_to_pages(wanted->ints[0], live->ints[0]);
        }
        return false;
}

int sysctl_value_compare(const SysctlValue *a, const SysctlValue *b) {
        assert(a->n_ints == 1 && b->n_ints == 1);
        return (a->ints[0] > b->ints[0]) - (a->ints[0] < b->ints[0]);
}

bool sysctl_spec_is_ordered(const SysctlSpec *spec) {
        return spec->type == SYSCTL_TYPE_INT && !spec->zero_means;
}

int sysctl_value_copy(const SysctlValue *value, Arena *arena, SysctlValue *ret) {
        SysctlValue copy = *value;

        if (value->n_ports > 0) {
                PortRange *ports = arena_alloc_array(arena, value->n_ports, sizeof(PortRange));
                if (!ports)
                        return -ENOMEM;
                memcpy(ports, value->ports, value->n_ports * sizeof(PortRange));
                copy.ports = ports;
        }
        if (value->text) {
                copy.text = arena_copy(arena, value->text);
                if (!copy.text)
                        return -ENOMEM;
        }

        *ret = copy;
        return 0;
}

static bool is_choice(const SysctlSpec *spec, int64_t number) {
        for (size_t i = 0; i < spec->n_choices; i++)
                if (spec->choices[i].value == number)
                        return true;
        return false;
}

/* Every bit that is set must be one of the choices. */
static bool is_choice_mask(const SysctlSpec *spec, int64_t number) {
        for (size_t i = 0; i < spec->n_choices; i++)
                number &= ~spec->choices[i].value;
        return number == 0;
}

static SysctlFault check_number(const SysctlSpec *spec, int64_t number) {
        if (spec->type == SYSCTL_TYPE_ENUM && !is_choice(spec, number))
                return SYSCTL_FAULT_NOT_A_CHOICE;
        if (number < spec->kernel_min)
                return SYSCTL_FAULT_BELOW_KERNEL;
        if (number > spec->kernel_max)
                return SYSCTL_FAULT_ABOVE_KERNEL;
        if (number < spec->sane_min)
                return SYSCTL_FAULT_BELOW_SANE;
        if (spec->type == SYSCTL_TYPE_BITMASK && !is_choice_mask(spec, number))
                return SYSCTL_FAULT_NOT_A_CHOICE;
        return number > spec->sane_max ? SYSCTL_FAULT_ABOVE_SANE : SYSCTL_FAULT_NONE;
}

static SysctlFault check_integers(const SysctlSpec *spec, const SysctlValue *value, size_t *index) {
        if (value->n_ints != spec->n_values)
                return SYSCTL_FAULT_COUNT;

        for (*index = 0; *index < value->n_ints; ++*index) {
                SysctlFault fault = check_number(spec, value->ints[*index]);
                if (fault != SYSCTL_FAULT_NONE)
                        return fault;
        }
        for (*index = 1; spec->ascending && *index < value->n_ints; ++*index)
                if (value->ints[*index] < value->ints[*index - 1])
                        return SYSCTL_FAULT_NOT_ASCENDING;
        return SYSCTL_FAULT_NONE;
}

static size_t count_digits(unsigned number) {
        size_t n = 1;
        for (; number >= 10; number /= 10)
                n++;
        return n;
}

/* Of the rendered list, newline included. */
static size_t ports_text_length(const SysctlValue *value) {
        size_t n = 1;
        for (size_t i = 0; i < value->n_ports; i++) {
                const PortRange *range = &value->ports[i];
                n += count_digits(range->first) + (i > 0 ? 1 : 0);
                if (range->last > range->first)
                        n += 1 + count_digits(range->last);
        }
        return n;
}

static SysctlFault check_ports(const SysctlSpec *spec, const SysctlValue *value, size_t *index) {
        for (*index = 0; *index < value->n_ports; ++*index) {
                SysctlFault fault = check_number(spec, value->ports[*index].first);
                if (fault == SYSCTL_FAULT_NONE)
                        fault = check_number(spec, value->ports[*index].last);
                if (fault != SYSCTL_FAULT_NONE)
                        return fault;
        }
        *index = 0;
        return ports_text_length(value) < SYSCTL_VALUE_TEXT_MAX ? SYSCTL_FAULT_NONE
                                                                : SYSCTL_FAULT_TOO_LONG;
}

/* A word that is none, or two, would be read back as something else. */
static SysctlFault check_words(const SysctlSpec *spec, const SysctlValue *value) {
        bool is_word = value->text && value->text[0] != '\0' && !strpbrk(value->text, " \t\n");
        return spec->type == SYSCTL_TYPE_STRING && !is_word ? SYSCTL_FAULT_COUNT
                                                            : SYSCTL_FAULT_NONE;
}

SysctlFault sysctl_value_check(
                const SysctlSpec *spec, const SysctlValue *value, size_t *ret_index) {
        assert(spec->type == value->type);

        size_t index = 0;
        SysctlFault fault;
        if (spec->type == SYSCTL_TYPE_PORTS)
                fault = check_ports(spec, value, &index);
        else if (spec->type == SYSCTL_TYPE_STRING || spec->type == SYSCTL_TYPE_STRINGS)
                fault = check_words(spec, value);
        else
                fault = check_integers(spec, value, &index);

        if (fault != SYSCTL_FAULT_NONE && ret_index)
                *ret_index = index;
        return fault;
}

static int compare_ranges(const void *a, const void *b) {
        const PortRange *x = a, *y = b;
        return (x->first > y->first) - (x->first < y->first);
}

int sysctl_ports_build(const PortRange *ranges, size_t n, Arena *arena, SysctlValue *ret) {
        SysctlValue value = { .type = SYSCTL_TYPE_PORTS };

        if (n > 0) {
                PortRange *ports = arena_alloc_array(arena, n, sizeof(PortRange));
                if (!ports)
                        return -ENOMEM;
                memcpy(ports, ranges, n * sizeof(PortRange));
                qsort(ports, n, sizeof(PortRange), compare_ranges);

                size_t last = 0;
                for (size_t i = 0; i < n; i++) {
                        assert(ports[i].first <= ports[i].last);
                        if ((uint32_t) ports[i].first > (uint32_t) ports[last].last + 1)
                                ports[++last] = ports[i];
                        else if (ports[i].last > ports[last].last)
                                ports[last].last = ports[i].last;
                }
                value.ports = ports;
                value.n_ports = last + 1;
        }

        *ret = value;
        return 0;
}

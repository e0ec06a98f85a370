/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-value.h"

#include <inttypes.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "model/profile-unit.h"

#define WORD_MAX 64U

/* What the key takes, in a sentence. */
static const char *spec_wants(const SysctlSpec *spec) {
        switch (spec->type) {
        case SYSCTL_TYPE_BOOL:
                return "0 or 1";
        case SYSCTL_TYPE_ENUM:
        case SYSCTL_TYPE_INT:
        case SYSCTL_TYPE_BITMASK:
                return "one integer";
        case SYSCTL_TYPE_RANGE:
                return "a sequence of 2 integers";
        case SYSCTL_TYPE_VECTOR:
                return spec->n_values == 2 ? "a sequence of 2 integers"
                                           : "a sequence of 3 integers";
        case SYSCTL_TYPE_PORTS:
                return "a sequence of ports";
        case SYSCTL_TYPE_STRING:
                return "one word";
        case SYSCTL_TYPE_STRINGS:
                break;
        }
        return "a sequence of words";
}

static bool spec_wants_sequence(const SysctlSpec *spec) {
        return spec->type == SYSCTL_TYPE_RANGE || spec->type == SYSCTL_TYPE_VECTOR ||
               spec->type == SYSCTL_TYPE_PORTS || spec->type == SYSCTL_TYPE_STRINGS;
}

static Diag *add_for_key(
                ProfileCheck *check, DiagId id, Span span, const SysctlSpec *spec,
                const char *message) {
        Diag *diag = diag_add(check->diags, id, span, "%s", message);
        diag_set_key(check->diags, diag, spec->key);
        return diag;
}

/* "20000 60999", as sysctl.conf has it → "[20000, 60999]"; NULL when the text is something else. */
static const char *numbers_as_sequence(ProfileCheck *check, const char *text) {
        if (text[0] == '\0' || strspn(text, "0123456789, \t") != strlen(text))
                return NULL;

        CLEANUP(strbuf_deinit) StrBuf out = { 0 };
        for (const char *p = text; *p != '\0';) {
                size_t digits = strspn(p, "0123456789");
                if (digits > 0) {
                        strbuf_add(&out, out.length > 0 ? ", " : "[");
                        strbuf_add_bytes(&out, p, digits);
                }
                p += digits > 0 ? digits : 1;
        }
        strbuf_add(&out, "]");
        return arena_copy(check->arena, strbuf_text(&out));
}

static void add_wrong_type(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node) {
        const char *subject = arena_format(check->arena, "'%s'", spec->key);
        Diag *diag = check_add_wrong_type(
                        check, node, subject ? subject : "the key", spec_wants(spec));
        diag_set_key(check->diags, diag, spec->key);

        int64_t number;
        const char *sequence = NULL;
        if (node->kind == YAML_KIND_SCALAR && spec_wants_sequence(spec))
                sequence = numbers_as_sequence(check, node->text);
        if (sequence)
                diag_set_help(check->diags, diag, "write %s", sequence);
        else if (spec->type == SYSCTL_TYPE_PORTS)
                diag_set_help(check->diags, diag,
                              "write for instance [8080, \"30000-30010\"], or [] for no port");
        else if (node->kind == YAML_KIND_SCALAR && num_parse_i64(node->text, &number) == 0)
                diag_set_help(check->diags, diag, "remove the quotes: %" PRId64, number);
        else
                diag_set_help(check->diags, diag, "write %s", spec_wants(spec));
}

/* ---- integers ---- */

static bool read_number(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node, int64_t *ret) {
        if (node->kind == YAML_KIND_SCALAR && unit_is_written(node->text))
                return unit_read(check, spec, node, ret);
        if (node->kind != YAML_KIND_SCALAR || !node->plain || node_is_null(node)) {
                add_wrong_type(check, spec, node);
                return false;
        }
        const char *subject = arena_format(check->arena, "'%s'", spec->key);
        if (!subject) {
                check->no_memory = true;
                return false;
        }
        return check_read_integer(check, node, subject, ret);
}

static bool read_numbers(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *value) {
        if (node->n_children != spec->n_values) {
                Diag *diag = diag_add(
                                check->diags, DIAG_WRONG_COUNT, node->span,
                                "'%s' has %zu values, not %zu", spec->key, spec->n_values,
                                node->n_children);
                diag_set_key(check->diags, diag, spec->key);
                diag_set_help(check->diags, diag, "give exactly %zu numbers, the smallest first",
                              spec->n_values);
                return false;
        }
        /* Inside the sequence a wrong item is not told to become a sequence. */
        SysctlSpec item = *spec;
        item.type = SYSCTL_TYPE_INT;
        bool good = true;
        for (const YamlNode *child = node->first; child; child = child->next)
                good = read_number(check, &item, child, &value->ints[value->n_ints++]) && good;
        return good;
}

/* ---- ports ---- */

static bool add_bad_ports(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                const char *message, const char *help) {
        Diag *diag = add_for_key(check, DIAG_BAD_PORTS, node->span, spec, message);
        diag_set_help(check->diags, diag, "%s", help);
        return false;
}

/* A port of at most five digits from `text` to `end`. */
static bool read_port(const char *text, const char *end, uint16_t *ret) {
        char digits[6] = "";
        size_t n = (size_t) (end - text);
        uint64_t number;
        if (n == 0 || n >= sizeof(digits))
                return false;
        memcpy(digits, text, n);
        if (num_parse_u64(digits, &number) < 0 || number < 1 || number > UINT16_MAX)
                return false;
        *ret = (uint16_t) number;
        return true;
}

static bool read_port_range(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node, PortRange *ret) {
        if (node->kind != YAML_KIND_SCALAR || node_is_null(node))
                return add_bad_ports(
                                check, spec, node, "an item is a port or a range of ports",
                                "write for instance 8080 or \"30000-30010\"");
        const char *text = node->text, *end = text + strlen(text), *dash = strchr(text, '-');
        if (!node->plain && !dash)
                return add_bad_ports(
                                check, spec, node, "a single port is a number, not a text",
                                "remove the quotes");

        if (!read_port(text, dash ? dash : end, &ret->first) ||
            !read_port(dash ? dash + 1 : text, end, &ret->last))
                return add_bad_ports(
                                check, spec, node, "not a port from 1 to 65535 or a range of them",
                                "write for instance 8080 or \"30000-30010\"");
        if (ret->first > ret->last)
                return add_bad_ports(
                                check, spec, node, "the range of ports falls",
                                "write the smaller port first");
        return true;
}

static bool read_ports(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *value) {
        PortRange *ranges = check_alloc(check, node->n_children, sizeof(PortRange));
        if (!ranges)
                return false;

        bool good = true;
        size_t n = 0;
        for (const YamlNode *child = node->first; child; child = child->next)
                good = read_port_range(check, spec, child, &ranges[n++]) && good;
        if (good && sysctl_ports_build(ranges, n, check->arena, value) < 0) {
                check->no_memory = true;
                return false;
        }
        return good;
}

/* ---- words ---- */

static bool word_is_good(const char *text) {
        size_t n = strlen(text);
        return n > 0 && n <= WORD_MAX &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") ==
                               n;
}

static bool read_word(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                const char **ret) {
        const char *subject = arena_format(check->arena, "'%s'", spec->key);
        if (!subject) {
                check->no_memory = true;
                return false;
        }
        if (!check_read_line(check, node, subject, ret))
                return false;
        if (!word_is_good(*ret)) {
                Diag *diag = add_for_key(
                                check, DIAG_BAD_WORD, node->span, spec,
                                "the name may hold letters, digits and . _ + - only");
                diag_set_help(check->diags, diag, "write one name, without blanks");
                return false;
        }
        return true;
}

static bool read_words(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *value) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        bool good = true;
        for (const YamlNode *child = node->first; child; child = child->next) {
                const char *word;
                if (!read_word(check, spec, child, &word)) {
                        good = false;
                        continue;
                }
                if (text.length > 0)
                        strbuf_add_char(&text, ' ');
                strbuf_add(&text, word);
        }
        value->text = arena_copy(check->arena, strbuf_text(&text));
        if (!value->text || text.failed)
                check->no_memory = true;
        return good && !check->no_memory;
}

/* ---- what the catalogue says about the value ---- */

/* " s", " bytes", or "" */
static const char *spec_unit_text(ProfileCheck *check, const SysctlSpec *spec) {
        const char *unit = sysctl_unit_name(spec->unit);
        const char *text = unit[0] != '\0' ? arena_format(check->arena, " %s", unit) : "";
        return text ? text : "";
}

static void add_out_of_range(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlFault fault) {
        bool kernel = fault == SYSCTL_FAULT_BELOW_KERNEL || fault == SYSCTL_FAULT_ABOVE_KERNEL;
        bool below = fault == SYSCTL_FAULT_BELOW_KERNEL || fault == SYSCTL_FAULT_BELOW_SANE;
        const char *unit = spec_unit_text(check, spec);

        Diag *diag = diag_add(
                        check->diags, DIAG_OUT_OF_RANGE, node->span,
                        "value %s is out of range for '%s'", node->text, spec->key);
        diag_set_key(check->diags, diag, spec->key);
        if (kernel) {
                diag_add_label(check->diags, diag, node->span, "the kernel takes %s %" PRId64 "%s",
                               below ? "no less than" : "no more than",
                               below ? spec->kernel_min : spec->kernel_max, unit);
                diag_add_note(check->diags, diag,
                              "what lies outside is refused by the kernel, or stored as something else");
        } else {
                diag_add_label(check->diags, diag, node->span, "%s allowed value is %" PRId64 "%s",
                               below ? "lowest" : "highest",
                               below ? spec->sane_min : spec->sane_max, unit);
                diag_add_note(check->diags, diag,
                              "the kernel would take it; the limit is in the sysctl catalogue, entry '%s'",
                              spec->key);
                if (spec->risk_reason)
                        diag_add_note(check->diags, diag, "%s", spec->risk_reason);
                check_add_sources(check, diag, spec);
        }
        diag_set_help(check->diags, diag, "choose a value from %" PRId64 " to %" PRId64 "%s",
                      spec->sane_min, spec->sane_max, unit);
}

static void add_not_a_choice(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node) {
        Diag *diag = diag_add(
                        check->diags, DIAG_NOT_A_CHOICE, node->span,
                        "value %s is none that '%s' has", node->text, spec->key);
        diag_set_key(check->diags, diag, spec->key);

        CLEANUP(strbuf_deinit) StrBuf values = { 0 };
        for (size_t i = 0; i < spec->n_choices; i++) {
                strbuf_addf(&values, "%s%" PRId64, i > 0 ? ", " : "", spec->choices[i].value);
                if (spec->n_choices <= DIAG_MAX_NOTES)
                        diag_add_note(check->diags, diag, "%" PRId64 ": %s", spec->choices[i].value,
                                      spec->choices[i].meaning);
        }
        diag_set_help(check->diags, diag, "choose %s %s",
                      spec->type == SYSCTL_TYPE_BITMASK ? "a sum of" : "one of",
                      strbuf_text(&values));
}

static void add_not_ascending(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                const YamlNode *item) {
        Diag *diag = diag_add(
                        check->diags, DIAG_NOT_ASCENDING, item->span,
                        "the values of '%s' do not ascend", spec->key);
        diag_set_key(check->diags, diag, spec->key);
        diag_add_label(check->diags, diag, item->span, "smaller than the one before");
        diag_set_help(check->diags, diag, "give %zu numbers, the smallest first", node->n_children);
}

/* The node of the value's number `index`. */
static const YamlNode *node_item(const YamlNode *node, size_t index) {
        if (node->kind != YAML_KIND_SEQUENCE)
                return node;
        const YamlNode *item = node->first;
        for (; item && item->next && index > 0; index--)
                item = item->next;
        return item ? item : node;
}

static bool check_value(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                const SysctlValue *value) {
        size_t index = 0;
        SysctlFault fault = sysctl_value_check(spec, value, &index);
        /* Ports were sorted and merged, so an index says nothing about the items; each was checked alone. */
        const YamlNode *item = spec->type == SYSCTL_TYPE_PORTS ? node : node_item(node, index);
        switch (fault) {
        case SYSCTL_FAULT_NONE:
                return true;
        case SYSCTL_FAULT_BELOW_KERNEL:
        case SYSCTL_FAULT_ABOVE_KERNEL:
        case SYSCTL_FAULT_BELOW_SANE:
        case SYSCTL_FAULT_ABOVE_SANE:
                if (spec->type == SYSCTL_TYPE_PORTS)
                        return add_bad_ports(
                                        check, spec, node, "a port is out of range for the key",
                                        "write ports from 1 to 65535");
                add_out_of_range(check, spec, item, fault);
                return false;
        case SYSCTL_FAULT_NOT_A_CHOICE:
                add_not_a_choice(check, spec, item);
                return false;
        case SYSCTL_FAULT_NOT_ASCENDING:
                add_not_ascending(check, spec, node, item);
                return false;
        case SYSCTL_FAULT_TOO_LONG:
                return add_bad_ports(
                                check, spec, node,
                                "the kernel does not take so long a list of ports in one write",
                                "join neighbouring ports to ranges");
        case SYSCTL_FAULT_COUNT:
                break;
        }
        add_wrong_type(check, spec, node);
        return false;
}

static bool read_typed(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *value) {
        switch (spec->type) {
        case SYSCTL_TYPE_BOOL:
        case SYSCTL_TYPE_ENUM:
        case SYSCTL_TYPE_INT:
        case SYSCTL_TYPE_BITMASK:
                value->n_ints = 1;
                return read_number(check, spec, node, &value->ints[0]);
        case SYSCTL_TYPE_RANGE:
        case SYSCTL_TYPE_VECTOR:
                return read_numbers(check, spec, node, value);
        case SYSCTL_TYPE_PORTS:
                return read_ports(check, spec, node, value);
        case SYSCTL_TYPE_STRING:
                return read_word(check, spec, node, &value->text);
        case SYSCTL_TYPE_STRINGS:
                break;
        }
        return read_words(check, spec, node, value);
}

bool value_read(ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *ret) {
        if (spec_wants_sequence(spec) != (node->kind == YAML_KIND_SEQUENCE)) {
                add_wrong_type(check, spec, node);
                return false;
        }
        SysctlValue value = { .type = spec->type };
        if (!read_typed(check, spec, node, &value) || !check_value(check, spec, node, &value))
                return false;
        *ret = value;
        return true;
}

bool value_read_bound(
                ProfileCheck *check, const SysctlSpec *spec, const YamlNode *node,
                SysctlValue *ret) {
        if (!sysctl_spec_is_ordered(spec)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_BOUND_NOT_ORDERED, node->key_span,
                                "'%s' makes no sense for '%s'", node->key, spec->key);
                diag_set_key(check->diags, diag, spec->key);
                if (spec->zero_means)
                        diag_add_note(check->diags, diag,
                                      "0 is not less than 1 there; it means: %s", spec->zero_means);
                else
                        diag_add_note(check->diags, diag,
                                      "the key takes %s, which is not a quantity",
                                      spec_wants(spec));
                diag_set_help(check->diags, diag, "give the exact value, as 'value'");
                return false;
        }
        return value_read(check, spec, node, ret);
}

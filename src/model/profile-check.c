/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile-check.h"

#include <inttypes.h>
#include <strings.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "diag/nearest.h"

void *check_alloc(ProfileCheck *check, size_t n, size_t size) {
        void *p = arena_alloc_array(check->arena, n > 0 ? n : 1, size);
        if (!p)
                check->no_memory = true;
        return p;
}

void check_add_sources(ProfileCheck *check, Diag *diag, const SysctlSpec *spec) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (size_t i = 0; i < spec->n_sources; i++)
                strbuf_addf(&text, "%s%s", i > 0 ? "; " : "", spec->sources[i]);
        if (text.length > 0 && !text.failed)
                diag_add_note(check->diags, diag, "source: %s", strbuf_text(&text));
}

bool node_is_null(const YamlNode *node) {
        return node->kind == YAML_KIND_SCALAR && node->plain &&
               (node->text[0] == '\0' || streq(node->text, "~") || streq(node->text, "null") ||
                streq(node->text, "Null") || streq(node->text, "NULL"));
}

/* ---- fields ---- */

static const ProfileField *fields_find(const ProfileFields *fields, const char *name) {
        for (size_t i = 0; i < fields->n_rows; i++)
                if (streq(fields->rows[i].name, name))
                        return &fields->rows[i];
        return NULL;
}

static void add_unknown_field(
                ProfileCheck *check, const ProfileFields *fields, const YamlNode *node) {
        const char *nearest = NULL;
        for (size_t i = 0; i < fields->n_rows; i++)
                nearest_consider(node->key, fields->rows[i].name, &nearest);

        Diag *diag = diag_add(
                        check->diags, DIAG_UNKNOWN_FIELD, node->key_span,
                        "'%s' is not a field of %s", node->key, fields->what);
        if (catalogue_find(node->key))
                diag_set_help(check->diags, diag, "indent it below 'sysctl:'");
        else if (nearest)
                diag_set_help(check->diags, diag, "did you mean '%s'?", nearest);
        else
                diag_set_help(check->diags, diag, "remove it, or write it as a comment behind '#'");
}

static bool add_missing_fields(
                ProfileCheck *check, const ProfileFields *fields, const YamlNode *node) {
        bool complete = true;
        for (size_t i = 0; i < fields->n_rows; i++) {
                const ProfileField *row = &fields->rows[i];
                if (!row->required || yaml_node_find(node, row->name))
                        continue;

                /* What is missing has no place; the start of what it is missing from has. */
                Diag *diag = diag_add(
                                check->diags, DIAG_MISSING_FIELD,
                                node->first ? node->first->key_span : node->span,
                                "%s needs the field '%s'", fields->what, row->name);
                diag_add_note(check->diags, diag, "%s", row->description);
                diag_set_help(check->diags, diag, "add it, for instance '%s'", row->example);
                complete = false;
        }
        return complete;
}

bool check_fields(
                ProfileCheck *check, const ProfileFields *fields, const YamlNode *node,
                void *target) {
        if (node->kind != YAML_KIND_MAPPING) {
                Diag *diag = check_add_wrong_type(check, node, fields->what, "a mapping");
                diag_set_help(check->diags, diag, "write it as fields, for instance '%s'",
                              fields->rows[0].example);
                return false;
        }

        bool known = true;
        for (const YamlNode *child = node->first; child; child = child->next) {
                const ProfileField *row = fields_find(fields, child->key);
                if (row)
                        row->read(check, child, target);
                else
                        add_unknown_field(check, fields, child);
                known = known && row;
        }
        return add_missing_fields(check, fields, node) && known;
}

/* ---- types ---- */

Diag *check_add_wrong_type(
                ProfileCheck *check, const YamlNode *node, const char *subject,
                const char *wanted) {
        if (node_is_null(node))
                return diag_add(check->diags, DIAG_WRONG_TYPE, node->span,
                                "%s has no value, but takes %s", subject, wanted);
        const char *given = node->kind != YAML_KIND_SCALAR ? yaml_kind_name(node->kind)
                            : node->plain                  ? "plain word"
                                                           : "text";
        return diag_add(check->diags, DIAG_WRONG_TYPE, node->span, "%s takes %s, not a %s", subject,
                        wanted, given);
}

/* ---- texts ---- */

/* Words and numbers that another YAML reader would not hand over as text: numbers of any spelling, dates, and
 * the booleans of YAML 1.1. */
static bool text_is_ambiguous(const char *text) {
        static const char *const words[] = {
                "true", "false", "yes",  "no",    "on",   "off",   "True", "False",
                "Yes",  "No",    "On",   "Off",   "TRUE", "FALSE", "YES",  "NO",
                "ON",   "OFF",   ".inf", "-.inf", ".nan", "+.inf",
        };
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(text, words[i]))
                        return true;

        size_t sign = text[0] == '-' || text[0] == '+';
        if (text[sign] == '.' ? text[sign + 1] < '0' || text[sign + 1] > '9'
                              : text[sign] < '0' || text[sign] > '9')
                return false;
        bool is_hex = text[sign] == '0' && (text[sign + 1] == 'x' || text[sign + 1] == 'o');
        return strspn(text + sign, is_hex ? "0123456789abcdefABCDEFxo_" : "0123456789_.:eE+-") ==
               strlen(text + sign);
}

bool check_read_text(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char **ret) {
        if (node->kind != YAML_KIND_SCALAR || node_is_null(node)) {
                Diag *diag = check_add_wrong_type(check, node, subject, "a text");
                diag_set_help(check->diags, diag, "write the text behind the colon");
                return false;
        }
        if (node->plain && text_is_ambiguous(node->text)) {
                Diag *diag = diag_add(
                                check->diags, DIAG_WRONG_TYPE, node->span,
                                "%s takes a text, and YAML readers do not take '%s' for one",
                                subject, node->text);
                diag_set_help(check->diags, diag, "put quotes round it");
                return false;
        }
        *ret = node->text;
        return true;
}

bool check_read_line(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char **ret) {
        const char *text;
        if (!check_read_text(check, node, subject, &text))
                return false;
        if (node->has_newline || strchr(text, '\t')) {
                Diag *diag = diag_add(
                                check->diags, DIAG_NOT_ONE_LINE, node->span,
                                "%s has to be one line", subject);
                diag_set_help(check->diags, diag,
                              "write it on one line, or start the block with '>-'");
                return false;
        }
        *ret = text;
        return true;
}

/* ---- numbers ---- */

static bool word_is_one_of(const char *text, const char *const *words, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcasecmp(text, words[i]) == 0)
                        return true;
        return false;
}

static void set_number_help(ProfileCheck *check, Diag *diag, const char *text) {
        static const char *const yes[] = { "true", "yes", "on", "y", "enabled" };
        static const char *const no[] = { "false", "no", "off", "n", "disabled" };
        size_t digits = strspn(text, "0123456789");
        char *end = NULL;

        if (word_is_one_of(text, yes, ELEMENTSOF(yes)))
                diag_set_help(check->diags, diag, "write 1");
        else if (word_is_one_of(text, no, ELEMENTSOF(no)))
                diag_set_help(check->diags, diag, "write 0");
        else if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') &&
                 strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2) &&
                 strlen(text) > 2 && strlen(text) <= 17)
                diag_set_help(check->diags, diag, "write %llu", strtoull(text, &end, 16));
        else if (text[0] == '0' && digits > 1 && text[digits] == '\0')
                diag_set_help(check->diags, diag,
                              "leave out the leading zero: the kernel takes such a number for octal");
        else if (text[0] == '+')
                diag_set_help(check->diags, diag, "leave out the '+'");
        else if (digits > 0 && strspn(text, "0123456789.eE+-") == strlen(text))
                diag_set_help(check->diags, diag,
                              "write the whole number in full, without point or exponent");
        else if (digits > 0 && strspn(text, "0123456789_,' ") == strlen(text))
                diag_set_help(check->diags, diag, "write the digits without anything between them");
        else
                diag_set_help(check->diags, diag, "write a plain decimal integer");
}

void check_add_bad_number(ProfileCheck *check, const YamlNode *node, const char *text) {
        Diag *diag = diag_add(
                        check->diags, DIAG_BAD_NUMBER, node->span,
                        "'%s' is not a plain decimal integer", text);
        set_number_help(check, diag, text);
}

bool check_read_integer(
                ProfileCheck *check, const YamlNode *node, const char *subject, int64_t *ret) {
        if (node->kind != YAML_KIND_SCALAR || !node->plain || node_is_null(node)) {
                Diag *diag = check_add_wrong_type(check, node, subject, "one integer");
                int64_t number;
                if (node->kind == YAML_KIND_SCALAR && num_parse_i64(node->text, &number) == 0)
                        diag_set_help(check->diags, diag, "remove the quotes: %" PRId64, number);
                else
                        diag_set_help(check->diags, diag, "write one plain decimal integer");
                return false;
        }
        int r = num_parse_i64(node->text, ret);
        if (r == 0)
                return true;
        if (r == -ERANGE) {
                Diag *diag = diag_add(
                                check->diags, DIAG_OUT_OF_RANGE, node->span,
                                "value %s is out of range for %s", node->text, subject);
                diag_add_label(check->diags, diag, node->span,
                               "no integer of the kernel is that long");
                diag_set_help(check->diags, diag, "choose a smaller number");
                return false;
        }
        check_add_bad_number(check, node, node->text);
        return false;
}

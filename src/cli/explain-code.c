/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-code.h"

#include <strings.h>

#include "cli/labelled.h"
#include "cli/prose.h"
#include "diag/nearest.h"
#include "model/rules.h"

static bool is_code(const char *word) {
        return strlen(word) == 5 && (word[0] == 'T' || word[0] == 't') &&
               (word[1] == 'W' || word[1] == 'w') && strspn(word + 2, "0123456789") == 3;
}

/* Rules of advice are named in small letters, and shown as "PORT-1". */
static const DiagRow *find_by_name(const char *word) {
        for (size_t i = 0; i < diag_row_count(); i++)
                if (strcasecmp(diag_row((DiagId) i)->name, word) == 0)
                        return diag_row((DiagId) i);
        return NULL;
}

const DiagRow *explain_code_find(const char *word) {
        if (!is_code(word))
                return find_by_name(word);
        const char code[] = { 'T', 'W', word[2], word[3], word[4], '\0' };
        return diag_row_find(code);
}

const char *explain_code_find_nearest(const char *word) {
        const char *best = NULL;
        for (size_t i = 0; i < diag_row_count(); i++)
                nearest_consider(word, diag_row((DiagId) i)->name, &best);
        return best;
}

static const Rule *rule_of(const DiagRow *row) {
        for (size_t i = 0; i < rules_count(); i++)
                if (diag_row(rules_get(i)->id) == row)
                        return rules_get(i);
        return NULL;
}

static const char *const severity_texts[] = {
        [DIAG_SEVERITY_REFUSE] = "error: what was asked for is not done",
        [DIAG_SEVERITY_ACCEPTANCE] = "error until the profile accepts it",
        [DIAG_SEVERITY_PARTIAL] = "warning: done, but for a part",
        [DIAG_SEVERITY_WARNING] = "warning: nothing is refused",
        [DIAG_SEVERITY_NOTE] = "note: nothing is wrong",
        [DIAG_SEVERITY_CRITICAL] = "critical: connections fail or data is lost",
        [DIAG_SEVERITY_NOTICE] = "notice: a setting that is inefficient, misleading or useless",
        [DIAG_SEVERITY_INFO] = "info: nothing to do",
};

/* Which keys a rule is about, and when it is judged. */
static void add_rule(const Rule *rule, size_t width, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add(&text, rule->key ? rule->key : "any key that is set");
        const char *before = ", with ";
        for (size_t i = 0; i < ELEMENTSOF(rule->also); i++)
                if (rule->also[i]) {
                        strbuf_addf(&text, "%s%s", before, rule->also[i]);
                        before = ", ";
                }
        strbuf_add(&text, rule->of_the_value ? "; judged wherever a profile is read"
                                             : "; judged on the host, with its other values");
        labelled_add(out, "About", strbuf_text(&text), width);
        out->failed |= text.failed;
}

static void add_acceptance(const DiagRow *row, StrBuf *out) {
        if (row->severity != DIAG_SEVERITY_ACCEPTANCE)
                return;
        strbuf_addf(out,
                    "\nTo accept it, the profile says why:\n\n"
                    "    accept:\n"
                    "      - rule: %s\n"
                    "        reason: \"why it is right for this host\"\n",
                    row->name);
}

void explain_code_render(const DiagRow *row, size_t width, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf title = {};
        strbuf_addf(&title, "%s %s: %s", row->code, row->name, row->title);
        prose_add(out, strbuf_text(&title), 0, width);
        strbuf_add_char(out, '\n');
        prose_add(out, row->explanation, 4, width);
        strbuf_add_char(out, '\n');
        labelled_add(out, "Cure", row->cure, width);
        labelled_add(out, "Example", row->example, width);
        labelled_add(out, "Severity", severity_texts[row->severity], width);
        strbuf_addf(out, "Exit code:    %d\n", row->exit_code);
        const Rule *rule = rule_of(row);
        if (rule)
                add_rule(rule, width, out);
        labelled_add_list(out, "Sources", row->sources, row->n_sources, width);
        add_acceptance(row, out);
        out->failed |= title.failed;
}

static json_t *keys_to_json(const Rule *rule) {
        json_t *keys = json_array();
        if (rule && rule->key)
                (void) json_array_append_new(keys, json_string(rule->key));
        for (size_t i = 0; rule && i < ELEMENTSOF(rule->also); i++)
                if (rule->also[i])
                        (void) json_array_append_new(keys, json_string(rule->also[i]));
        return keys;
}

json_t *explain_code_to_json(const DiagRow *row) {
        json_t *sources = json_array();
        for (size_t i = 0; i < row->n_sources; i++)
                (void) json_array_append_new(sources, json_string(row->sources[i]));
        const Rule *rule = rule_of(row);
        return json_pack(
                        "{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "kind",
                        "diagnostic", "code", row->code, "name", row->name, "severity",
                        diag_severity_name(row->severity), "exit_code", row->exit_code, "title",
                        row->title, "explanation", row->explanation, "cure", row->cure, "example",
                        row->example, "can_be_accepted", row->severity == DIAG_SEVERITY_ACCEPTANCE,
                        "is_rule", rule != NULL, "keys", keys_to_json(rule), "sources", sources);
}

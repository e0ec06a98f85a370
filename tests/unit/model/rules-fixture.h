/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One question to one safety rule, as a row: what would be set (the first key is the one the rule is asked about),
 * what is live, the kernel and the machine; and whether the rule must find something. Every rule of a table must
 * have rows of both answers.
 */

#include "fixture.h"
#include "model/rule.h"

#define RULES_FIXTURE_MAX_SET 3U

typedef struct RulesRow {
        DiagId id;
        bool hit;
        FixtureKey set[RULES_FIXTURE_MAX_SET];
        FixtureKernel live;   /* version 0.0.0 stands for 6.12.0 */
        MachineFacts machine; /* all zero: not known */
        const char *says;     /* a part of the message, or NULL */
        bool no_live;         /* nothing is known of the host: what `validate` has */
} RulesRow;

static inline bool rules_fixture_is_about(const Rule *rule, const char *key) {
        return !rule->key || streq(rule->key, key) || (rule->or_key && streq(rule->or_key, key));
}

static inline const Rule *rules_fixture_find(const RuleTable *table, DiagId id) {
        size_t i = 0;
        while (i < table->n_rules && table->rules[i].id != id)
                i++;
        assert_true(i < table->n_rules);
        return &table->rules[i];
}

static inline int rules_fixture_compare(const void *a, const void *b) {
        const EffectiveKey *left = a, *right = b;
        return strcmp(left->spec->key, right->spec->key);
}

static inline EffectiveSet rules_fixture_set(
                const RulesRow *row, Arena *arena, EffectiveKey *keys) {
        EffectiveSet set = { .keys = keys };
        for (size_t i = 0; i < RULES_FIXTURE_MAX_SET && row->set[i].key; i++)
                keys[set.n_keys++] = (EffectiveKey){
                        .spec = catalogue_find(row->set[i].key),
                        .value = fixture_value(row->set[i].key, row->set[i].text, arena),
                };
        qsort(keys, set.n_keys, sizeof(*keys), rules_fixture_compare);
        return set;
}

/* A live value that the rule does not name in `also` would never be read for it. */
static inline void rules_fixture_check_also(const Rule *rule, const RulesRow *row) {
        for (size_t i = 0; i < FIXTURE_MAX_KEYS && row->live.keys[i].key; i++) {
                bool named = rule->key && rules_fixture_is_about(rule, row->live.keys[i].key);
                for (size_t k = 0; k < RULE_ALSO_MAX && rule->also[k]; k++)
                        named = named || streq(rule->also[k], row->live.keys[i].key);
                assert_true(named);
        }
}

static inline void rules_fixture_ask(const RuleTable *table, const RulesRow *row) {
        const Rule *rule = rules_fixture_find(table, row->id);
        assert_true(rules_fixture_is_about(rule, row->set[0].key));
        rules_fixture_check_also(rule, row);

        CLEANUP(arena_freep) Arena *arena = arena_new();
        EffectiveKey keys[RULES_FIXTURE_MAX_SET];
        EffectiveSet set = rules_fixture_set(row, arena, keys);
        FixtureKernel kernel = row->live;
        LiveSnapshot live = fixture_kernel_snapshot(&kernel, arena);
        RuleFacts facts = {
                .set = &set,
                .live = row->no_live ? NULL : &live,
                .machine = row->no_live ? NULL : &row->machine,
        };
        RuleHit hit = {};
        const EffectiveKey *key = effective_set_find(&set, row->set[0].key);
        assert_non_null(key);
        assert_int_equal(rule->applies(&facts, key, &hit), row->hit);
        if (row->hit) {
                assert_true(hit.message.length > 0 && hit.help.length > 0);
                assert_true(hit.other != key);
                if (row->says && !strstr(strbuf_text(&hit.message), row->says))
                        fail_msg("'%s' does not say '%s'", strbuf_text(&hit.message), row->says);
        }
        strbuf_deinit(&hit.message);
        strbuf_deinit(&hit.help);
}

static inline void rules_fixture_count(
                const RuleTable *table, const RulesRow *rows, size_t n_rows) {
        for (size_t i = 0; i < table->n_rules; i++) {
                size_t n_hit = 0, n_clean = 0;
                for (size_t k = 0; k < n_rows; k++) {
                        n_hit += rows[k].id == table->rules[i].id && rows[k].hit;
                        n_clean += rows[k].id == table->rules[i].id && !rows[k].hit;
                }
                assert_true(n_hit > 0 && n_clean > 0);
        }
}

/* All rows, and that every rule of the table has some. */
#define RULES_FIXTURE_RUN(table, rows)                                  \
        do {                                                            \
                TEST_EACH(row, rows)                                    \
                        rules_fixture_ask((table), row);                \
                rules_fixture_count((table), (rows), ELEMENTSOF(rows)); \
        } while (0)

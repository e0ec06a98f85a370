/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/yaml-tree.h"

#include "base/strbuf.h"
#include "test.h"

typedef struct Parsed {
        Source *source;
        Arena *arena;
        DiagList *diags;
        YamlNode *root; /* NULL when refused */
} Parsed;

static void parsed_deinit(Parsed *parsed) {
        (void) diag_list_free(parsed->diags);
        (void) arena_free(parsed->arena);
        (void) source_free(parsed->source);
}

static Parsed parse_bytes(const char *text, size_t n) {
        Parsed parsed = { .source = source_new("x.yaml", text, n),
                          .arena = arena_new(),
                          .diags = diag_list_new() };
        Error error = { 0 };
        int r = yaml_tree_parse(parsed.source, parsed.arena, parsed.diags, &parsed.root, &error);
        assert_true(r == 0 || r == YAML_E_INVALID);
        assert_int_equal(r == 0, parsed.root != NULL);
        assert_int_equal(r == 0, diag_list_count_errors(parsed.diags) == 0);
        return parsed;
}

static Parsed parse(const char *text) {
        return parse_bytes(text, strlen(text));
}

static void assert_span(
                const Span *span, uint32_t line, uint32_t column, uint32_t end_line,
                uint32_t end_column) {
        assert_int_equal(span->line, line);
        assert_int_equal(span->column, column);
        assert_int_equal(span->end_line, end_line);
        assert_int_equal(span->end_column, end_column);
}

static void test_tree_of_all_kinds(void **state UNUSED) {
        CLEANUP(parsed_deinit)
        Parsed parsed = parse("a: 1\n'b': [x, \"y\"]\nc:\n  d: |\n    one\n    two\ne:\n");
        const YamlNode *root = parsed.root;
        assert_int_equal(root->kind, YAML_KIND_MAPPING);
        assert_int_equal(root->n_children, 4);
        assert_span(&root->span, 1, 1, 7, 3);

        const YamlNode *a = yaml_node_find(root, "a");
        assert_string_equal(a->text, "1");
        assert_true(a->plain);
        assert_span(&a->key_span, 1, 1, 1, 2);
        assert_span(&a->span, 1, 4, 1, 5);

        const YamlNode *b = yaml_node_find(root, "b");
        assert_int_equal(b->kind, YAML_KIND_SEQUENCE);
        assert_int_equal(b->n_children, 2);
        assert_span(&b->key_span, 2, 1, 2, 4);
        assert_span(&b->span, 2, 6, 2, 14);
        assert_null(b->first->key);
        assert_true(b->first->plain);
        assert_false(b->first->next->plain);
        assert_string_equal(b->first->next->text, "y");
        assert_null(b->first->next->next);

        const YamlNode *d = yaml_node_find(yaml_node_find(root, "c"), "d");
        assert_string_equal(d->text, "one\ntwo\n");
        assert_true(d->has_newline);
        assert_false(d->plain);
        assert_span(&d->span, 4, 6, 6, 8); /* clamped to the end of its last line */

        const YamlNode *e = yaml_node_find(root, "e");
        assert_string_equal(e->text, "");
        assert_true(e->plain);
        assert_null(yaml_node_find(root, "f"));
        assert_null(yaml_node_find(a, "a"));
}

static void test_kind_names(void **state UNUSED) {
        assert_string_equal(yaml_kind_name(YAML_KIND_SCALAR), "scalar");
        assert_string_equal(yaml_kind_name(YAML_KIND_SEQUENCE), "sequence");
        assert_string_equal(yaml_kind_name(YAML_KIND_MAPPING), "mapping");
}

static void test_columns_count_characters(void **state UNUSED) {
        CLEANUP(parsed_deinit) Parsed parsed = parse("\"é中\": ü x\r\nb: 2\r\n");
        assert_span(&parsed.root->first->span, 1, 7, 1, 10);
        assert_span(&parsed.root->first->next->key_span, 2, 1, 2, 2);
}

static void test_refusals_table(void **state UNUSED) {
        static const struct {
                const char *text;
                const char *want;
                uint32_t line, column;
                size_t n; /* how many findings */
        } rows[] = {
                { "a: &x 1", "yaml-anchor", 1, 4, 1 },
                { "&x a: 1", "yaml-anchor", 1, 1, 1 },
                { "a: &x [1]", "yaml-anchor", 1, 4, 1 },
                { "a: &x {b: 1}", "yaml-anchor", 1, 4, 1 },
                { "a: *x", "yaml-alias", 1, 4, 1 },
                { "*x : 1", "yaml-alias", 1, 1, 1 },
                { "[*x]", "yaml-alias", 1, 2, 1 },
                { "a: !!str 1", "yaml-tag", 1, 4, 1 },
                { "a: ! 1", "yaml-tag", 1, 4, 1 },
                { "a: !x [1]", "yaml-tag", 1, 4, 1 },
                { "a: !<tag:x> {b: 1}", "yaml-tag", 1, 4, 1 },
                { "a: &x !!str 1", "yaml-anchor", 1, 4, 2 },
                { "a: 1\n---\nb: 2", "yaml-second-document", 2, 1, 1 },
                { "a: 1\n---\n", "yaml-second-document", 2, 1, 1 },
                { "a: 1\n...\n---\n", "yaml-second-document", 3, 1, 1 },
                { "a: 1\na: 2", "yaml-duplicate-key", 2, 1, 1 },
                { "a: 1\n'a': 2\n\"\\x61\": 3", "yaml-duplicate-key", 2, 1, 2 },
                { "b: {a: 1, c: 2, a: 3}", "yaml-duplicate-key", 1, 17, 1 },
                { "a: \"\\0\"", "yaml-control-character", 1, 4, 1 },
                { "a: \"x\\n\"", "yaml-control-character", 1, 4, 1 },
                { "a: \"x\n\n  y\"", "yaml-control-character", 1, 4, 1 },
                { "a: x\ty", "yaml-control-character", 1, 4, 1 },
                { "a: \"\\L\"", "yaml-control-character", 1, 4, 1 },
                { "a: \"\\u202e\"", "yaml-control-character", 1, 4, 1 },
                { "\"a\\tb\": 1", "yaml-control-character", 1, 1, 1 },
                { "? |\n  a\n: 1", "yaml-control-character", 1, 3, 1 },
                { "? [a]\n: 1", "yaml-key-not-scalar", 1, 3, 1 },
                { "{a: 1}: 2", "yaml-key-not-scalar", 1, 1, 1 },
                { "", "yaml-empty", 1, 1, 1 },
                { "# x\n\n", "yaml-empty", 1, 1, 1 },
                { "a: [1", "yaml-syntax", 1, 6, 1 },
                { "a: b: c", "yaml-syntax", 1, 5, 1 },
                { "a: \"b", "yaml-syntax", 1, 6, 1 },
                { "a\nb: 1", "yaml-syntax", 2, 2, 1 },
                { "a: 1\n]", "yaml-syntax", 2, 1, 1 },
                { "a: |x", "yaml-syntax", 1, 5, 1 },
                { "%YAML 3.0\n---\na: 1", "yaml-syntax", 1, 1, 1 },
                { "%TAG ! tag:x,2000:\n---\na: 1", "yaml-tag", 1, 1, 1 },
                { "[[[[[[[[[1]]]]]]]]]", "yaml-too-deep", 1, 9, 1 },
                { "a: \"\\ud800\"", "yaml-syntax", 1, 7, 1 },
        };
        TEST_EACH(row, rows) {
                CLEANUP(parsed_deinit) Parsed parsed = parse(row->text);
                assert_int_equal(diag_list_count(parsed.diags), row->n);
                diag_list_sort(parsed.diags);
                const Diag *diag = diag_list_get(parsed.diags, 0);
                assert_string_equal(diag_row(diag->id)->name, row->want);
                assert_int_equal(diag->span.line, row->line);
                assert_int_equal(diag->span.column, row->column);
                assert_non_null(diag->help);
        }
}

static void test_good_oddities(void **state UNUSED) {
        static const char *const rows[] = {
                "---\na: 1\n", "a: 1\n...\n", "%YAML 1.1\n---\na: 1\n", "[[[[[[[[1]]]]]]]]",
                "word",        "<<: 1",       "a: >-\n  one\n  two\n",  "a: |\n  x\ty\n",
                "{a: , b: }",  "? a\n: 1",
        };
        TEST_EACH(row, rows) {
                CLEANUP(parsed_deinit) Parsed parsed = parse(*row);
                assert_non_null(parsed.root);
        }
}

static void test_raw_bytes_are_checked_first(void **state UNUSED) {
        CLEANUP(parsed_deinit) Parsed parsed = parse_bytes("a: \0", 4);
        assert_int_equal(diag_list_count(parsed.diags), 1);
        assert_int_equal(diag_list_get(parsed.diags, 0)->id, DIAG_YAML_CONTROL_CHARACTER);
}

static void test_limits_hold_exactly(void **state UNUSED) {
        /* one sequence and its items; then one more */
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        strbuf_add(&text, "[a");
        for (size_t i = 2; i < YAML_MAX_NODES; i++)
                strbuf_add(&text, ",a");
        CLEANUP(parsed_deinit) Parsed good = parse_bytes(text.data, text.length);
        assert_null(good.root); /* the bracket is missing */
        assert_int_equal(diag_list_get(good.diags, 0)->id, DIAG_YAML_SYNTAX);
        strbuf_add(&text, "]");
        CLEANUP(parsed_deinit) Parsed full = parse_bytes(text.data, text.length);
        assert_non_null(full.root);
        assert_int_equal(full.root->n_children, YAML_MAX_NODES - 1);
        text.data[text.length - 1] = ',';
        strbuf_add(&text, "a]");
        CLEANUP(parsed_deinit) Parsed over = parse_bytes(text.data, text.length);
        assert_int_equal(diag_list_get(over.diags, 0)->id, DIAG_YAML_TOO_MANY_NODES);

        strbuf_reset(&text);
        strbuf_add(&text, "a: 1 #");
        strbuf_add_repeat(&text, 'x', YAML_MAX_BYTES - text.length);
        CLEANUP(parsed_deinit) Parsed fits = parse_bytes(text.data, text.length);
        assert_non_null(fits.root);
        strbuf_add(&text, "x");
        CLEANUP(parsed_deinit) Parsed large = parse_bytes(text.data, text.length);
        assert_int_equal(diag_list_get(large.diags, 0)->id, DIAG_YAML_TOO_LARGE);
}

static void test_findings_are_bounded(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        for (size_t i = 0; i < 4000; i++)
                strbuf_add(&text, "a: &b 1\n");
        CLEANUP(parsed_deinit) Parsed anchors = parse_bytes(text.data, text.length);
        assert_int_equal(diag_list_count(anchors.diags), 32);

        strbuf_reset(&text);
        for (size_t i = 0; i < 4000; i++)
                strbuf_add(&text, "a: 1\n");
        CLEANUP(parsed_deinit) Parsed twice = parse_bytes(text.data, text.length);
        assert_int_equal(diag_list_count(twice.diags), 32);
}

static void test_duplicate_labels_name_both_places(void **state UNUSED) {
        CLEANUP(parsed_deinit) Parsed parsed = parse("a: 1\nb: 1\na: 2\n");
        const Diag *diag = diag_list_get(parsed.diags, 0);
        assert_int_equal(diag->n_labels, 2);
        assert_span(&diag->labels[0].span, 3, 1, 3, 2);
        assert_span(&diag->labels[1].span, 1, 1, 1, 2);
}

TEST_MAIN(cmocka_unit_test(test_tree_of_all_kinds), cmocka_unit_test(test_kind_names),
          cmocka_unit_test(test_columns_count_characters), cmocka_unit_test(test_refusals_table),
          cmocka_unit_test(test_good_oddities), cmocka_unit_test(test_raw_bytes_are_checked_first),
          cmocka_unit_test(test_limits_hold_exactly), cmocka_unit_test(test_findings_are_bounded),
          cmocka_unit_test(test_duplicate_labels_name_both_places))

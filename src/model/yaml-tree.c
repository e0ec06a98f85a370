/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/yaml-tree.h"

#include <yaml.h>

#include "diag/utf8.h"
#include "model/yaml-text.h"

/* A hostile file must not cost more in messages than in bytes: after so many the reader gives up. */
#define YAML_MAX_REFUSALS 32U

/* A container that is still open. */
typedef struct Frame {
        YamlNode *node;
        YamlNode *last;  /* child */
        const char *key; /* of the value that comes next, inside a mapping */
        Span key_span;
} Frame;

typedef struct Builder {
        const Source *source;
        Arena *arena;
        DiagList *diags;
        YamlNode *root;
        Frame frames[YAML_MAX_DEPTH];
        size_t depth;
        size_t n_nodes;
        size_t n_refused;
        uint32_t end_line, end_column; /* of the last scalar or flow container */
        bool stop;                     /* there is no sense in reading on */
        bool no_memory;
} Builder;

static uint32_t number_of_mark(size_t n) {
        return n < UINT32_MAX ? (uint32_t) n + 1 : UINT32_MAX;
}

static Span builder_span(const Builder *b, const yaml_mark_t *start, const yaml_mark_t *end) {
        return (Span){ .source = b->source,
                       .line = number_of_mark(start->line),
                       .column = number_of_mark(start->column),
                       .end_line = number_of_mark(end->line),
                       .end_column = number_of_mark(end->column) };
}

static Span event_span(const Builder *b, const yaml_event_t *event) {
        return builder_span(b, &event->start_mark, &event->end_mark);
}

/* The first `width` characters of an event: its anchor or tag. */
static Span event_start_span(const Builder *b, const yaml_event_t *event, size_t width) {
        Span span = builder_span(b, &event->start_mark, &event->start_mark);
        span.end_column = number_of_mark(event->start_mark.column + width);
        return span;
}

static void builder_finish_refusal(Builder *b, Diag *diag, const char *help) {
        diag_set_help(b->diags, diag, "%s", help);
        if (++b->n_refused == YAML_MAX_REFUSALS)
                b->stop = true;
}

static void builder_refuse(Builder *b, DiagId id, Span span, const char *text, const char *help) {
        builder_finish_refusal(b, diag_add(b->diags, id, span, "%s", text), help);
}

static void builder_refuse_fatal(
                Builder *b, DiagId id, Span span, const char *text, const char *help) {
        builder_refuse(b, id, span, text, help);
        b->stop = true;
}

static const char *builder_copy(Builder *b, const yaml_char_t *text, size_t n) {
        const char *copy = arena_copy_n(b->arena, (const char *) text, n);
        if (!copy)
                b->no_memory = true;
        return copy;
}

/* ---- properties ---- */

static void check_properties(
                Builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                const yaml_char_t *tag) {
        if (anchor)
                builder_refuse(b, DIAG_YAML_ANCHOR,
                               event_start_span(b, event, strlen((const char *) anchor) + 1),
                               "an anchor is not allowed",
                               "remove it; use 'include' to share settings between profiles");
        if (tag)
                builder_refuse(b, DIAG_YAML_TAG, event_start_span(b, event, 1),
                               "an explicit tag is not allowed",
                               "remove it; the type follows from the field or the key");
}

/* ---- scalars ---- */

/* The end of a block scalar is column 0 of the line behind it: take the end of its last line instead. */
static void span_clamp(Span *span) {
        if (span->end_column != 1 || span->end_line <= span->line)
                return;

        const char *line;
        size_t length;
        span->end_line--;
        if (source_get_line(span->source, span->end_line, &line, &length))
                span->end_column = (uint32_t) utf8_count(line, length) + 1;
}

/* False when the text holds what must not be in a value. Line breaks and tabs are for block scalars only, and
 * never for keys. */
static bool check_characters(
                Builder *b, const char *text, size_t n, bool is_block, const Span *span,
                bool *ret_newline) {
        *ret_newline = false;
        for (size_t i = 0; i < n;) {
                if (text[i] >= ' ' && text[i] < 0x7F) { /* nearly all of them */
                        i++;
                        continue;
                }
                uint32_t character;
                size_t step = utf8_decode(text + i, n - i, &character);
                if (step == 0) /* cannot be: libyaml encodes it itself */
                        return false;
                i += step;
                *ret_newline = *ret_newline || character == '\n';
                if (!utf8_is_hidden(character) ||
                    (is_block && (character == '\n' || character == '\t')))
                        continue;

                CharacterName name = yaml_character_name(character);
                Diag *diag = diag_add(
                                b->diags, DIAG_YAML_CONTROL_CHARACTER, *span,
                                "the value holds the control character %s", name.text);
                builder_finish_refusal(
                                b, diag, "remove the character; long texts are written as a block");
                return false;
        }
        return true;
}

/* ---- building ---- */

static YamlNode *builder_add_node(Builder *b, YamlKind kind, Span span) {
        if (b->n_nodes == YAML_MAX_NODES) {
                builder_refuse_fatal(
                                b, DIAG_YAML_TOO_MANY_NODES, span,
                                "the text has more than 8192 values",
                                "split the profile and include the parts");
                return NULL;
        }
        YamlNode *node = arena_alloc(b->arena, sizeof(YamlNode));
        if (!node) {
                b->no_memory = true;
                return NULL;
        }
        *node = (YamlNode){ .kind = kind, .span = span };
        b->n_nodes++;

        if (b->depth == 0) {
                b->root = node;
                return node;
        }
        Frame *frame = &b->frames[b->depth - 1];
        if (frame->node->kind == YAML_KIND_MAPPING) {
                node->key = TAKE_PTR(frame->key);
                node->key_span = frame->key_span;
        }
        if (frame->last)
                frame->last->next = node;
        else
                frame->node->first = node;
        frame->last = node;
        frame->node->n_children++;
        return node;
}

/* Whether the next node is a key. */
static bool builder_wants_key(const Builder *b) {
        return b->depth > 0 && b->frames[b->depth - 1].node->kind == YAML_KIND_MAPPING &&
               !b->frames[b->depth - 1].key;
}

static void builder_set_key(Builder *b, const char *key, Span span) {
        b->frames[b->depth - 1].key = key;
        b->frames[b->depth - 1].key_span = span;
}

static void on_scalar(Builder *b, const yaml_event_t *event) {
        Span span = event_span(b, event);
        span_clamp(&span);
        b->end_line = span.end_line;
        b->end_column = span.end_column;
        check_properties(b, event, event->data.scalar.anchor, event->data.scalar.tag);

        const char *text = (const char *) event->data.scalar.value;
        size_t n = event->data.scalar.length;
        yaml_scalar_style_t style = event->data.scalar.style;
        bool is_key = builder_wants_key(b), has_newline;
        bool is_block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
        if (!check_characters(b, text, n, is_block && !is_key, &span, &has_newline))
                text = "", n = 0; /* reported; an empty text keeps keys and values in step */

        const char *copy = builder_copy(b, (const yaml_char_t *) text, n);
        if (!copy)
                return;
        if (is_key) {
                builder_set_key(b, copy, span);
                return;
        }
        YamlNode *node = builder_add_node(b, YAML_KIND_SCALAR, span);
        if (!node)
                return;
        node->text = copy;
        node->plain = style == YAML_PLAIN_SCALAR_STYLE;
        node->has_newline = has_newline;
}

static void on_alias(Builder *b, const yaml_event_t *event) {
        Span span = event_span(b, event);
        builder_refuse(b, DIAG_YAML_ALIAS, span, "an alias is not allowed",
                       "write the value out; use 'include' to share settings");
        if (builder_wants_key(b))
                builder_set_key(b, "*", span);
        else {
                YamlNode *node = builder_add_node(b, YAML_KIND_SCALAR, span);
                if (node)
                        node->text = "";
        }
}

static void on_container_start(
                Builder *b, const yaml_event_t *event, YamlKind kind, const yaml_char_t *anchor,
                const yaml_char_t *tag) {
        check_properties(b, event, anchor, tag);
        Span span = event_span(b, event);
        if (builder_wants_key(b)) {
                builder_refuse_fatal(
                                b, DIAG_YAML_KEY_NOT_SCALAR, span,
                                "a sequence or mapping cannot be a key",
                                "write the key as a word, and put the value behind the colon");
                return;
        }
        if (b->depth == YAML_MAX_DEPTH) {
                builder_refuse_fatal(
                                b, DIAG_YAML_TOO_DEEP, span,
                                "the text is nested deeper than 8 levels",
                                "check the indentation and the brackets");
                return;
        }
        YamlNode *node = builder_add_node(b, kind, span);
        if (node)
                b->frames[b->depth++] = (Frame){ .node = node };
}

static int child_compare(const void *a, const void *b) {
        const YamlNode *x = *(const YamlNode *const *) a, *y = *(const YamlNode *const *) b;
        int r = strcmp(x->key, y->key);
        if (r == 0)
                r = (x->key_span.line > y->key_span.line) - (x->key_span.line < y->key_span.line);
        return r != 0 ? r
                      : (x->key_span.column > y->key_span.column) -
                                               (x->key_span.column < y->key_span.column);
}

/* Sorted rather than compared each with each: thousands of keys cost no more than reading them. */
static void check_duplicates(Builder *b, const YamlNode *mapping) {
        if (!mapping->first || !mapping->first->next)
                return;

        const YamlNode **children = arena_alloc_array(
                        b->arena, mapping->n_children, sizeof(YamlNode *));
        if (!children) {
                b->no_memory = true;
                return;
        }
        size_t n = 0;
        for (const YamlNode *child = mapping->first; child; child = child->next)
                children[n++] = child;
        qsort(children, n, sizeof(YamlNode *), child_compare);

        const YamlNode *first = children[0];
        for (size_t i = 1; i < n && !b->stop; i++) {
                if (!streq(children[i]->key, first->key)) {
                        first = children[i];
                        continue;
                }
                Span span = children[i]->key_span;
                Diag *diag = diag_add(
                                b->diags, DIAG_YAML_DUPLICATE_KEY, span, "duplicate key '%s'",
                                first->key);
                builder_finish_refusal(b, diag, "keep one of the two lines");
                diag_add_label(b->diags, diag, span, "given again here");
                diag_add_label(b->diags, diag, first->key_span, "first given here");
        }
}

static void on_container_end(Builder *b, const yaml_event_t *event, bool is_flow) {
        assert(b->depth > 0); /* ends come after starts, and a start that failed ended the loop */
        YamlNode *node = b->frames[--b->depth].node;
        assert(node);
        if (is_flow) {
                b->end_line = number_of_mark(event->end_mark.line);
                b->end_column = number_of_mark(event->end_mark.column);
        }
        /* A block container ends where its last value does; libyaml says: before the next token. */
        node->span.end_line = b->end_line;
        node->span.end_column = b->end_column;
        if (node->kind == YAML_KIND_MAPPING)
                check_duplicates(b, node);
}

/* A flow container's end has its bracket, a block container's has no character. */
static bool event_has_width(const yaml_event_t *event) {
        return event->end_mark.index > event->start_mark.index;
}

static void on_document_start(Builder *b, const yaml_event_t *event) {
        if (b->root) {
                builder_refuse_fatal(
                                b, DIAG_YAML_SECOND_DOCUMENT, event_start_span(b, event, 3),
                                "a second document is not allowed",
                                "put the second profile into a file of its own");
                return;
        }
        if (event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
                builder_refuse(b, DIAG_YAML_TAG, event_start_span(b, event, 4),
                               "a tag directive is not allowed", "remove the line");
}

static void builder_handle(Builder *b, const yaml_event_t *event) {
        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                on_document_start(b, event);
                break;
        case YAML_SCALAR_EVENT:
                on_scalar(b, event);
                break;
        case YAML_ALIAS_EVENT:
                on_alias(b, event);
                break;
        case YAML_SEQUENCE_START_EVENT:
                on_container_start(
                                b, event, YAML_KIND_SEQUENCE, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag);
                break;
        case YAML_MAPPING_START_EVENT:
                on_container_start(
                                b, event, YAML_KIND_MAPPING, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag);
                break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                on_container_end(b, event, event_has_width(event));
                break;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
        case YAML_DOCUMENT_END_EVENT:
                break;
        }
}

/* ---- errors of the parser ---- */

static const char *syntax_help(const char *problem) {
        static const struct {
                const char *part, *help;
        } rows[] = {
                { "cannot start any token",
                  "indent with spaces, not tabs, and put quotes round values that start with a special character, such as \">=5.10\"" },
                { "comment or line break",
                  "put quotes round values that start with '>' or '|', such as \">=5.10\"" },
                { "mapping values are not allowed",
                  "check the indentation, and put quotes round values that hold ': '" },
                { "could not find expected ':'", "put a colon and a blank behind the key" },
                { "unexpected end of stream", "close the quote" },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strstr(problem, rows[i].part))
                        return rows[i].help;
        return "check the indentation, the quotes and the brackets";
}

static void refuse_syntax(Builder *b, const yaml_parser_t *parser) {
        const char *problem = parser->problem ? parser->problem : "unknown problem";
        Span span = builder_span(b, &parser->problem_mark, &parser->problem_mark);
        span.end_column = span.column + 1;
        const char *line;
        size_t length;
        /* Without a last line break libyaml points to a line that is not there. */
        if (!source_get_line(b->source, span.line, &line, &length))
                span = source_span_at_offset(b->source, source_length(b->source));
        Diag *diag = diag_add(b->diags, DIAG_YAML_SYNTAX, span, "not YAML: %s", problem);
        if (parser->context && (parser->context_mark.line != parser->problem_mark.line ||
                                parser->context_mark.column != parser->problem_mark.column)) {
                Span context = builder_span(b, &parser->context_mark, &parser->context_mark);
                context.end_column = context.column + 1;
                diag_add_label(b->diags, diag, context, "%s", parser->context);
        }
        builder_finish_refusal(b, diag, syntax_help(problem));
        b->stop = true;
}

/* ---- the loop ---- */

static void builder_run(Builder *b, yaml_parser_t *parser) {
        bool at_end = false;
        while (!at_end && !b->stop && !b->no_memory) {
                yaml_event_t event;
                if (!yaml_parser_parse(parser, &event)) {
                        if (parser->error == YAML_MEMORY_ERROR)
                                b->no_memory = true;
                        else
                                refuse_syntax(b, parser);
                        return;
                }
                at_end = event.type == YAML_STREAM_END_EVENT;
                builder_handle(b, &event);
                yaml_event_delete(&event);
        }
}

static void parser_deletep(yaml_parser_t *parser) {
        yaml_parser_delete(parser);
}

int yaml_tree_parse(
                const Source *source, Arena *arena, DiagList *diags, YamlNode **ret,
                Error *reterr) {
        if (!yaml_text_check(source, YAML_MAX_BYTES, diags))
                return YAML_E_INVALID;

        CLEANUP(parser_deletep) yaml_parser_t parser = { 0 };
        if (!yaml_parser_initialize(&parser))
                return error_set(reterr, -ENOMEM, "cannot read YAML");
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(
                        &parser, (const unsigned char *) source_bytes(source),
                        source_length(source));

        Builder b = { .source = source, .arena = arena, .diags = diags };
        builder_run(&b, &parser);
        if (b.no_memory || !diag_list_is_complete(diags))
                return error_set(reterr, -ENOMEM, "cannot read YAML");
        if (!b.root && !b.stop) {
                Span start = source_span_at_offset(source, 0);
                builder_refuse_fatal(
                                &b, DIAG_YAML_EMPTY, start, "the text holds no document",
                                "write at least 'version', 'name', 'summary' and 'sysctl'");
        }
        if (b.n_refused > 0)
                return YAML_E_INVALID;
        *ret = b.root;
        return 0;
}

const YamlNode *yaml_node_find(const YamlNode *mapping, const char *key) {
        if (mapping->kind != YAML_KIND_MAPPING)
                return NULL;
        for (const YamlNode *child = mapping->first; child; child = child->next)
                if (streq(child->key, key))
                        return child;
        return NULL;
}

const char *yaml_kind_name(YamlKind kind) {
        switch (kind) {
        case YAML_KIND_SCALAR:
                return "scalar";
        case YAML_KIND_SEQUENCE:
                return "sequence";
        case YAML_KIND_MAPPING:
                break;
        }
        return "mapping";
}

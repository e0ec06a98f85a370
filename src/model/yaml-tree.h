/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A YAML document as a tree with places, read strictly from libyaml's events. This is the only file that
 * knows libyaml.
 *
 * Refused, each as a diagnostic with its place: anchors, aliases, explicit tags, a second document, duplicate
 * keys, depth over 8, more than 64 KiB, more than 8192 nodes, invalid UTF-8, control characters inside
 * scalars (a literal newline is allowed in block scalars only where the schema asks for long text: the tree
 * keeps the text and a flag), keys that are not scalars. All scalars are strings: type rules belong to the
 * caller, who also learns whether a scalar was plain or quoted.
 *
 * The tree lives in the arena it was given and borrows the Source.
 */

#include "base/arena.h"
#include "base/error.h"
#include "diag/diag.h"

#define YAML_MAX_BYTES ((size_t) 64 * 1024)
#define YAML_MAX_DEPTH 8U
#define YAML_MAX_NODES 8192U

typedef enum YamlKind {
        YAML_KIND_SCALAR,
        YAML_KIND_SEQUENCE,
        YAML_KIND_MAPPING,
} YamlKind;

typedef struct YamlNode YamlNode;
struct YamlNode {
        YamlKind kind;
        Span span;
        const char *key; /* inside a mapping, else NULL */
        Span key_span;
        const char *text; /* SCALAR: never holds NUL */
        bool plain;       /* SCALAR: neither quoted nor a block */
        bool has_newline; /* SCALAR */
        YamlNode *first;  /* children in the order of the text */
        YamlNode *next;   /* sibling */
        size_t n_children;
};

enum {
        YAML_E_INVALID = 1, /* the reasons are in the list */
};

/* 0 and *ret; YAML_E_INVALID; <0 for out of memory. An empty document is invalid. */
NODISCARD int yaml_tree_parse(
                const Source *source, Arena *arena, DiagList *diags, YamlNode **ret, Error *reterr);

/* The child of a mapping, or NULL. */
const YamlNode *yaml_node_find(const YamlNode *mapping, const char *key);
const char *yaml_kind_name(YamlKind kind); /* "scalar", "sequence", "mapping" */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the chain needs of one line of the audit log: its number, the hash it names, its own hash, and what the few
 * records say that speak of other lines. Read without building a tree, so that 100 000 lines take a fraction of a
 * second; who wants the contents takes record/audit-line.h.
 *
 * Taken is one object whose members are sorted by name, none twice, without blanks and control characters, as
 * the encoder writes them. The contents of other members are not judged: their hash is.
 *
 * Slices borrow from the line.
 */

#include "base/sha256.h"

typedef struct AuditChainText {
        const char *bytes; /* as in the line: escapes stay; NULL when the member is not there */
        size_t n;
} AuditChainText;

/* A hash that a record holds of something else; absent: has is false. */
typedef struct AuditChainRef {
        bool has;
        uint64_t number; /* torn: offset; prune: the last number that is gone */
        uint64_t length; /* torn */
        Sha256 hash;
} AuditChainRef;

typedef struct AuditChainLine {
        uint64_t seq;
        Sha256 prev;
        Sha256 hash; /* of this line */
        AuditChainText text;
        size_t prev_at; /* where in the text the digits of `prev` begin */
        AuditChainText event;
        AuditChainText log;
        AuditChainRef torn, prune;
} AuditChainLine;

enum {
        AUDIT_CHAIN_LINE_E_NONE = 1, /* no record */
        AUDIT_CHAIN_LINE_E_NEWER,    /* a record of a newer format */
};

/* `bytes` is the line without its newline. 0 or an AUDIT_CHAIN_LINE_E_. */
NODISCARD int audit_chain_line_read(const char *bytes, size_t n, AuditChainLine *ret);

bool audit_chain_text_is(AuditChainText text, const char *word);

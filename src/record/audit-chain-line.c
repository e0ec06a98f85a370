/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-chain-line.h"

#include "record/audit-format.h"
#include "record/strict-json.h"

#define HASH_DIGITS (SHA256_HEX_SIZE - 1)

typedef struct Cursor {
        const char *p, *end;
} Cursor;

bool audit_chain_text_is(AuditChainText text, const char *word) {
        return text.bytes && text.n == strlen(word) && memcmp(text.bytes, word, text.n) == 0;
}

static bool take_char(Cursor *c, char wanted) {
        if (c->p == c->end || *c->p != wanted)
                return false;
        c->p++;
        return true;
}

static bool take_string(Cursor *c, AuditChainText *ret) {
        if (!take_char(c, '"'))
                return false;
        for (const char *start = c->p; c->p < c->end; c->p++) {
                if ((unsigned char) *c->p < 0x20)
                        return false;
                if (*c->p == '"') {
                        *ret = (AuditChainText){ start, (size_t) (c->p - start) };
                        c->p++;
                        return true;
                }
                if (*c->p == '\\' && ++c->p == c->end)
                        return false;
        }
        return false;
}

static bool is_plain(char c) {
        return (c >= '0' && c <= '9') || c == '-' || c == ',' || c == ':';
}

/* An array or an object, as a whole; its grammar is the decoder's matter. */
static bool skip_container(Cursor *c) {
        size_t depth = 0;
        AuditChainText ignored;
        while (c->p < c->end) {
                if (*c->p == '"') {
                        if (!take_string(c, &ignored))
                                return false;
                        continue;
                }
                char now = *c->p++;
                if (now == '{' || now == '[')
                        depth++;
                else if (now == '}' || now == ']')
                        depth--;
                else if (!is_plain(now))
                        return false;
                if (depth == 0)
                        return true;
                if (depth > STRICT_MAX_DEPTH)
                        return false;
        }
        return false;
}

static bool skip_value(Cursor *c, AuditChainText *ret) {
        const char *start = c->p;
        if (c->p == c->end)
                return false;
        if (*c->p == '"') {
                AuditChainText ignored;
                if (!take_string(c, &ignored))
                        return false;
        } else if (*c->p == '{' || *c->p == '[') {
                if (!skip_container(c))
                        return false;
        } else {
                (void) take_char(c, '-');
                const char *digits = c->p;
                while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
                        c->p++;
                if (c->p == digits)
                        return false;
        }
        *ret = (AuditChainText){ start, (size_t) (c->p - start) };
        return true;
}

/* --- values --------------------------------------------------------------------------------------------- */

/* From 0 to INT64_MAX, in its one spelling. */
static bool read_number(AuditChainText value, uint64_t *ret) {
        uint64_t number = 0;
        if (value.n == 0 || value.n > 19 || (value.n > 1 && value.bytes[0] == '0'))
                return false;
        for (size_t i = 0; i < value.n; i++) {
                if (value.bytes[i] < '0' || value.bytes[i] > '9')
                        return false;
                number = number * 10 + (uint64_t) (value.bytes[i] - '0');
        }
        if (number > INT64_MAX)
                return false;
        *ret = number;
        return true;
}

static bool read_text(AuditChainText value, AuditChainText *ret) {
        if (value.bytes[0] != '"')
                return false;
        *ret = (AuditChainText){ value.bytes + 1, value.n - 2 };
        return true;
}

static bool read_hash(AuditChainText value, Sha256 *ret) {
        AuditChainText text;
        if (!read_text(value, &text) || text.n != HASH_DIGITS)
                return false;
        char hex[SHA256_HEX_SIZE];
        memcpy(hex, text.bytes, HASH_DIGITS);
        hex[HASH_DIGITS] = '\0';
        return sha256_from_hex(hex, ret) == 0;
}

/* --- objects -------------------------------------------------------------------------------------------- */

/* Takes note of one member; false refuses the object. */
typedef bool (*Member)(AuditChainText name, AuditChainText value, void *userdata);

static bool comes_before(AuditChainText a, AuditChainText b) {
        size_t n = a.n < b.n ? a.n : b.n;
        int order = memcmp(a.bytes, b.bytes, n);
        return order < 0 || (order == 0 && a.n < b.n);
}

static bool walk_object(AuditChainText text, Member member, void *userdata) {
        Cursor c = { text.bytes, text.bytes + text.n };
        AuditChainText last = { .bytes = NULL };
        if (!take_char(&c, '{'))
                return false;
        do {
                AuditChainText name, value;
                if (!take_string(&c, &name) || !take_char(&c, ':') || !skip_value(&c, &value))
                        return false;
                if (last.bytes && !comes_before(last, name))
                        return false;
                if (!member(name, value, userdata))
                        return false;
                last = name;
        } while (take_char(&c, ','));
        return take_char(&c, '}') && c.p == c.end;
}

static bool torn_member(AuditChainText name, AuditChainText value, void *userdata) {
        AuditChainRef *ref = userdata;
        if (audit_chain_text_is(name, "offset"))
                return read_number(value, &ref->number);
        if (audit_chain_text_is(name, "length"))
                return read_number(value, &ref->length);
        ref->has = audit_chain_text_is(name, "sha256") && read_hash(value, &ref->hash);
        return ref->has;
}

static bool prune_member(AuditChainText name, AuditChainText value, void *userdata) {
        AuditChainRef *ref = userdata;
        if (audit_chain_text_is(name, "through"))
                return read_number(value, &ref->number);
        ref->has = audit_chain_text_is(name, "sha256") && read_hash(value, &ref->hash);
        return ref->has;
}

typedef struct Reading {
        AuditChainLine line;
        uint64_t version;
        bool has_prev;
} Reading;

static bool line_member(AuditChainText name, AuditChainText value, void *userdata) {
        Reading *reading = userdata;
        AuditChainLine *line = &reading->line;
        if (audit_chain_text_is(name, "ev"))
                return read_text(value, &line->event);
        if (audit_chain_text_is(name, "log"))
                return read_text(value, &line->log);
        if (audit_chain_text_is(name, "prev")) {
                line->prev_at = (size_t) (value.bytes + 1 - line->text.bytes);
                reading->has_prev = read_hash(value, &line->prev);
                return reading->has_prev;
        }
        if (audit_chain_text_is(name, "prune"))
                return walk_object(value, prune_member, &line->prune);
        if (audit_chain_text_is(name, "seq"))
                return read_number(value, &line->seq) && line->seq > 0;
        if (audit_chain_text_is(name, "torn"))
                return walk_object(value, torn_member, &line->torn);
        if (audit_chain_text_is(name, "v"))
                return read_number(value, &reading->version) && reading->version > 0;
        return true;
}

/* What a newer format does differently is not known, but it has its version. */
static bool version_member(AuditChainText name, AuditChainText value, void *userdata) {
        uint64_t *version = userdata;
        return !audit_chain_text_is(name, "v") || read_number(value, version);
}

int audit_chain_line_read(const char *bytes, size_t n, AuditChainLine *ret) {
        AuditChainText text = { bytes, n };
        if (n == 0 || n >= AUDIT_LINE_MAX)
                return AUDIT_CHAIN_LINE_E_NONE;
        Reading reading = { .line.text = text };
        bool is_read = walk_object(text, line_member, &reading);
        uint64_t version = reading.version;
        if (!is_read && !walk_object(text, version_member, &version))
                return AUDIT_CHAIN_LINE_E_NONE;
        if (version > AUDIT_FORMAT_VERSION)
                return AUDIT_CHAIN_LINE_E_NEWER;
        if (!is_read || version == 0 || !reading.line.event.bytes || !reading.has_prev ||
            reading.line.seq == 0)
                return AUDIT_CHAIN_LINE_E_NONE;
        *ret = reading.line;
        ret->hash = sha256_of(bytes, n);
        return 0;
}

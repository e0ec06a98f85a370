/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-chain.h"

static const char *const break_names[] = {
        [AUDIT_BREAK_NONE] = "whole",      [AUDIT_BREAK_EDITED] = "edited",
        [AUDIT_BREAK_REMOVED] = "removed", [AUDIT_BREAK_REORDERED] = "reordered",
        [AUDIT_BREAK_CUT] = "cut",         [AUDIT_BREAK_OTHER] = "other",
};

const char *audit_break_name(AuditBreak kind) {
        assert((size_t) kind < ELEMENTSOF(break_names));
        return break_names[kind];
}

int audit_anchor_compare(const void *a, const void *b) {
        const AuditAnchor *left = a, *right = b;
        return left->seq < right->seq ? -1 : left->seq > right->seq;
}

void audit_chain_init(AuditChain *chain, const AuditAnchor *anchors, size_t n_anchors) {
        *chain = (AuditChain){ .anchors = anchors, .n_anchors = n_anchors };
}

static bool is_broken(const AuditChain *chain) {
        return chain->verdict.kind != AUDIT_BREAK_NONE;
}

/* The first one stays. */
static void break_at(AuditChain *chain, AuditBreak kind, uint64_t seq, const char *why) {
        if (is_broken(chain))
                return;
        chain->verdict.kind = kind;
        chain->verdict.seq = seq;
        chain->verdict.why = why;
        chain->verdict.file = chain->file;
        chain->verdict.line = chain->line;
        chain->is_settled = true;
}

/* What came later says better what it was. */
static void settle(AuditChain *chain, AuditBreak kind, uint64_t seq, const char *why) {
        chain->verdict.kind = kind;
        chain->verdict.seq = seq;
        chain->verdict.why = why;
        chain->is_settled = true;
}

/* --- tears ---------------------------------------------------------------------------------------------- */

static void tear_add(AuditChain *chain, const char *bytes, size_t n, bool has_newline) {
        AuditTear *tear = &chain->tear;
        if (!tear->is_there) {
                *tear = (AuditTear){ .is_there = true, .offset = chain->offset };
                sha256_init_stream(&tear->stream);
        } else {
                sha256_add(&tear->stream, "\n", 1);
                tear->length++;
        }
        sha256_add(&tear->stream, bytes, n);
        tear->length += n;
        tear->is_ended = has_newline;
}

/* Whoever found the tear ended it, unless the crash left its newline too: then that is one of its bytes. */
static bool tear_is(const AuditTear *tear, const AuditChainRef *torn) {
        Sha256Stream stream = tear->stream;
        if (torn->number != tear->offset)
                return false;
        if (torn->length == tear->length + 1 && tear->is_ended)
                sha256_add(&stream, "\n", 1);
        else if (torn->length != tear->length)
                return false;
        Sha256 hash = sha256_end(&stream);
        return sha256_equal(&hash, &torn->hash);
}

/* A record that follows the last one; between them may stand a tear. */
static void judge_tear(AuditChain *chain, const AuditChainLine *line) {
        AuditTear *tear = &chain->tear;
        if (line->torn.has && !tear->is_there) {
                break_at(chain, AUDIT_BREAK_EDITED, line->seq,
                         "the torn bytes that it speaks of are not there");
        } else if (line->torn.has) {
                if (!tear_is(tear, &line->torn))
                        break_at(chain, AUDIT_BREAK_EDITED, line->seq,
                                 "the torn bytes before it are not those that it speaks of");
                chain->verdict.n_tears++;
                tear->is_there = false;
        } else if (tear->is_there && !tear->has_open && audit_chain_text_is(line->event, "open")) {
                tear->has_open = true; /* the first record of a log comes before what was torn */
        } else if (tear->is_there) {
                break_at(chain, AUDIT_BREAK_REORDERED, line->seq,
                         "a line before it is no record, and no torn record accounts for it");
                tear->is_there = false;
        }
}

/* --- the chain ------------------------------------------------------------------------------------------ */

static bool is_first_of_log(const AuditChainLine *line) {
        if (line->seq != 1 || !line->log.bytes || !audit_chain_text_is(line->event, "open"))
                return false;
        char id[128];
        if (line->log.n >= sizeof(id))
                return false;
        memcpy(id, line->log.bytes, line->log.n);
        id[line->log.n] = '\0';
        Sha256 genesis = audit_genesis(id);
        return sha256_equal(&genesis, &line->prev);
}

/* Whether the line names the last good record as its predecessor. */
static bool names_good(const AuditChain *chain, const AuditChainLine *line) {
        return chain->good.seq > 0 && sha256_equal(&line->prev, &chain->good.hash);
}

static bool follows(const AuditChain *chain, const AuditChainLine *line) {
        if (chain->good.seq == 0)
                return is_first_of_log(line);
        return line->seq == chain->good.seq + 1 && names_good(chain, line);
}

/* The oldest record there is may have a number above 1: whether that is right is known at the end. */
static bool begins_log(AuditChain *chain, const AuditChainLine *line) {
        if (chain->good.seq > 0 || is_broken(chain) || line->seq == 1 ||
            chain->file_first != line->seq || chain->verdict.n_files != 1)
                return false;
        chain->start = (AuditStart){ .before = line->seq - 1, .hash = line->prev };
        return true;
}

/* The right number behind the last good record, and another `prev`: one of the two was changed. */
static void judge_neighbours(AuditChain *chain, const AuditChainLine *line) {
        AuditCulprit *culprit = &chain->culprit;
        break_at(chain, AUDIT_BREAK_EDITED, chain->good.seq,
                 "it is not the record that the next one was written after");
        culprit->hash = line->hash;
        culprit->prev_at = line->prev_at;
        culprit->n = line->text.n;
        memcpy(culprit->bytes, line->text.bytes, line->text.n);
}

/* A first record that does not follow: what it looks like before what comes behind it is known. */
static void judge_stranger(AuditChain *chain, const AuditChainLine *line) {
        uint64_t wanted = chain->good.seq + 1;
        chain->culprit.seq = line->seq;
        if (chain->good.seq > 0 && line->seq != wanted && names_good(chain, line)) {
                break_at(chain, AUDIT_BREAK_EDITED, wanted, "its number was changed");
                return;
        }
        if (line->seq > wanted && chain->tear.is_there) {
                break_at(chain, AUDIT_BREAK_EDITED, wanted,
                         "its line is no record, and no torn record accounts for it");
        } else if (line->seq > wanted) {
                break_at(chain, AUDIT_BREAK_REMOVED, wanted, "it is missing");
        } else if (line->seq < wanted) {
                break_at(chain, AUDIT_BREAK_REORDERED, line->seq,
                         "it stands a second time, behind higher numbers");
        } else if (chain->good.seq == 0) {
                break_at(chain, AUDIT_BREAK_EDITED, 1, "it does not begin a log");
        } else if (chain->anchored == chain->good.seq) {
                break_at(chain, AUDIT_BREAK_EDITED, line->seq,
                         "it does not name the record before it");
                return;
        } else {
                judge_neighbours(chain, line);
        }
        chain->is_settled = false;
        chain->tear.is_there = false;
}

/* Two neighbours disagree, and the record behind them bears witness: it names the second one as it stands there, so
 * the first was changed; or it names the second one as it was while its `prev` still fitted. */
static bool hear_witness(AuditChain *chain, const AuditChainLine *line) {
        AuditCulprit *culprit = &chain->culprit;
        if (culprit->n == 0 || line->seq != culprit->seq + 1)
                return false;
        if (!sha256_equal(&line->prev, &culprit->hash)) {
                char hex[SHA256_HEX_SIZE];
                sha256_to_hex(&chain->good.hash, hex);
                memcpy(culprit->bytes + culprit->prev_at, hex, SHA256_HEX_SIZE - 1);
                Sha256 hash = sha256_of(culprit->bytes, culprit->n);
                if (!sha256_equal(&line->prev, &hash))
                        return false;
                settle(chain, AUDIT_BREAK_EDITED, culprit->seq, "its member 'prev' was changed");
        }
        chain->is_settled = true;
        return true;
}

/* After a break: a later record may tell more of what it was. */
static void look_back(AuditChain *chain, const AuditChainLine *line) {
        uint64_t wanted = chain->good.seq + 1;
        if (chain->is_settled || hear_witness(chain, line))
                return;
        chain->culprit.n = 0; /* only the next record is a witness */
        if (follows(chain, line))
                settle(chain, AUDIT_BREAK_REORDERED,
                       chain->culprit.seq < wanted ? chain->culprit.seq : wanted,
                       chain->culprit.seq > wanted ? "higher numbers stand before it"
                                                   : "a record was put in there");
        else if (chain->verdict.kind == AUDIT_BREAK_REMOVED && line->seq >= wanted &&
                 line->seq < chain->culprit.seq)
                settle(chain, AUDIT_BREAK_REORDERED, chain->verdict.seq,
                       "records with higher numbers stand before it");
}

/* --- anchors -------------------------------------------------------------------------------------------- */

static void note_other(AuditChain *chain, const AuditAnchor *anchor) {
        if (chain->other.kind != AUDIT_BREAK_NONE)
                return;
        chain->other = (AuditVerdict){
                .kind = AUDIT_BREAK_OTHER,
                .seq = anchor->seq,
                .why = "it is another record than the one that was written down",
                .source = anchor->source,
        };
}

/* All anchors up to the number; those of it must have the hash, those below belong to no record of this log. */
static void compare_anchors(AuditChain *chain, uint64_t seq, const Sha256 *hash) {
        for (; chain->next_anchor < chain->n_anchors; chain->next_anchor++) {
                const AuditAnchor *anchor = &chain->anchors[chain->next_anchor];
                if (anchor->seq > seq)
                        return;
                if (anchor->seq < seq)
                        continue;
                chain->verdict.n_anchors++;
                if (sha256_equal(&anchor->hash, hash))
                        chain->anchored = seq;
                else
                        note_other(chain, anchor);
        }
}

/* --- lines ---------------------------------------------------------------------------------------------- */

void audit_chain_begin_file(AuditChain *chain, const char *file, uint64_t first) {
        if (chain->tear.is_there) {
                break_at(chain, AUDIT_BREAK_EDITED, chain->good.seq + 1,
                         "its line is no record, and no torn record accounts for it");
                chain->tear.is_there = false;
        }
        chain->file = file;
        chain->file_first = first;
        chain->file_has_record = false;
        chain->line = 0;
        chain->offset = 0;
        chain->verdict.n_files++;
}

static void note_prune(AuditChain *chain, const AuditChainLine *line) {
        if (line->prune.has && line->prune.number == chain->start.before &&
            sha256_equal(&line->prune.hash, &chain->start.hash))
                chain->start.is_pruned = true;
}

static void take_record(AuditChain *chain, const AuditChainLine *line) {
        if (chain->start.before > 0 && chain->good.seq == 0)
                compare_anchors(chain, chain->start.before, &chain->start.hash);
        chain->good = (AuditHead){ .seq = line->seq, .hash = line->hash };
        compare_anchors(chain, line->seq, &line->hash);
}

static void add_record(AuditChain *chain, const AuditChainLine *line) {
        bool is_first_of_file = !chain->file_has_record;
        chain->file_has_record = true;
        chain->verdict.n_records++;
        chain->verdict.head = (AuditHead){ .seq = line->seq, .hash = line->hash };
        if (chain->verdict.first == 0)
                chain->verdict.first = line->seq;
        note_prune(chain, line);
        if (is_broken(chain)) {
                look_back(chain, line);
                return;
        }
        if (!follows(chain, line) && !begins_log(chain, line)) {
                judge_stranger(chain, line);
                return;
        }
        if (is_first_of_file && line->seq != chain->file_first)
                break_at(chain, AUDIT_BREAK_REORDERED, line->seq,
                         "the file does not begin with the record that its name says");
        judge_tear(chain, line);
        take_record(chain, line);
}

static void note_newer(AuditChain *chain) {
        chain->verdict.is_newer = true;
        if (is_broken(chain))
                return;
        chain->verdict.file = chain->file;
        chain->verdict.line = chain->line;
}

void audit_chain_add_line(AuditChain *chain, const char *bytes, size_t n, bool has_newline) {
        AuditChainLine line;
        if (chain->verdict.is_newer)
                return;
        chain->line++;
        int r = audit_chain_line_read(bytes, n, &line);
        if (r == AUDIT_CHAIN_LINE_E_NEWER)
                note_newer(chain);
        else if (r != 0 && !is_broken(chain))
                tear_add(chain, bytes, n, has_newline);
        else if (r == 0)
                add_record(chain, &line);
        chain->offset += n + (has_newline ? 1 : 0);
}

/* What is before everything else that was found. */
static void judge_start(AuditChain *chain) {
        if (chain->start.before == 0 || chain->start.is_pruned || chain->verdict.is_newer)
                return;
        settle(chain, AUDIT_BREAK_REMOVED, 1,
               "the log begins later, and no record of it says that older ones were pruned");
        chain->verdict.file = NULL;
        chain->verdict.line = 0;
}

static void judge_anchors(AuditChain *chain) {
        AuditVerdict *v = &chain->verdict;
        if (chain->other.kind != AUDIT_BREAK_NONE &&
            (v->kind == AUDIT_BREAK_NONE || chain->other.seq < v->seq)) {
                v->kind = chain->other.kind;
                v->seq = chain->other.seq;
                v->why = chain->other.why;
                v->source = chain->other.source;
                v->file = NULL;
                v->line = 0;
        }
        if (v->kind != AUDIT_BREAK_NONE || v->is_newer || chain->next_anchor == chain->n_anchors)
                return;
        v->kind = AUDIT_BREAK_CUT;
        v->seq = chain->good.seq + 1;
        v->why = "the log ends before it";
        v->source = chain->anchors[chain->n_anchors - 1].source;
        v->n_anchors += chain->n_anchors - chain->next_anchor;
}

void audit_chain_end(AuditChain *chain, AuditVerdict *ret) {
        judge_start(chain);
        judge_anchors(chain);
        chain->verdict.has_open_tear = chain->tear.is_there;
        *ret = chain->verdict;
}

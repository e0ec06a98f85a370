/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>

#include "cli/audit-anchors.h"
#include "cli/audit-files.h"
#include "cli/audit-journald.h"
#include "cli/host.h"
#include "cli/verbs.h"

#define COPY_MAX_BYTES ((size_t) 256 * 1024 * 1024)

typedef struct AuditCheck {
        Context *context;
        Host host;
        AuditAnchors anchors;
        AuditKept kept;
        size_t n_kept, n_against; /* anchors of each */
        AuditChain chain;
        AuditVerdict verdict;
} AuditCheck;

static void check_deinit(AuditCheck *check) {
        audit_anchors_deinit(&check->anchors);
        host_close(&check->host);
}

/* --- anchors -------------------------------------------------------------------------------------------- */

static int read_copy(AuditCheck *check, const char *path) {
        Context *context = check->context;
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        Error error = {};
        int r = seam_open(check->host.seam, AT_FDCWD, path, O_RDONLY, 0, &fd);
        if (r >= 0)
                r = seam_read_file(&fd, COPY_MAX_BYTES, &bytes, &n);
        if (r >= 0)
                r = audit_anchors_add_text(&check->anchors, bytes, n, path, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return context_fail(
                                context, DIAG_AUDIT_UNREADABLE, NULL,
                                "cannot compare with '%s': %s", path,
                                error_is_set(&error) ? error.text : strerror(-r));
        return 0;
}

static int read_journal(AuditCheck *check) {
        Context *context = check->context;
        Error error = {};
        size_t n = 0;
        int r = audit_journald_add(&check->anchors, context->options.root, &n, &error);
        return r < 0 ? context_fail(context, DIAG_AUDIT_UNREADABLE, NULL,
                                    "cannot compare with journald: %s",
                                    error_is_set(&error) ? error.text : strerror(-r))
                     : 0;
}

static int read_kept(AuditCheck *check) {
        Context *context = check->context;
        int r = audit_anchors_add_kept(
                        &check->anchors, check->host.seam, check->host.root_fd, &check->kept);
        check->n_kept = check->anchors.n_items;
        if (r < 0)
                return error_set(&context->error, r, "cannot read the kept head of the audit log");
        if (check->kept == AUDIT_KEPT_READ)
                return 0;
        const char *why = check->kept == AUDIT_KEPT_NONE     ? "there is none"
                          : check->kept == AUDIT_KEPT_DENIED ? "only root may read it"
                                                             : "it is not a number and a hash";
        (void) diag_add(context->findings, DIAG_AUDIT_UNANCHORED, (Span){},
                        "not checked against the kept head: %s", why);
        return 0;
}

/* Before the log is read: what is written meanwhile is in the log and not among them. */
static int read_anchors(AuditCheck *check) {
        const char *against = check->context->options.against;
        int r = read_kept(check);
        if (r == 0 && against)
                r = streq(against, "journald") ? read_journal(check) : read_copy(check, against);
        if (r != 0)
                return r;
        check->n_against = check->anchors.n_items - check->n_kept;
        audit_anchors_sort(&check->anchors);
        return 0;
}

/* --- the log -------------------------------------------------------------------------------------------- */

static int visit(void *userdata, const AuditFileLine *line, Error *reterr UNUSED) {
        AuditChain *chain = userdata;
        if (line->number == 0)
                audit_chain_begin_file(chain, line->file, line->first);
        else
                audit_chain_add_line(chain, line->bytes, line->n, line->has_newline);
        return 0;
}

static int read_log(AuditCheck *check) {
        Context *context = check->context;
        audit_chain_init(&check->chain, check->anchors.items, check->anchors.n_items);
        int r = audit_files_walk(
                        check->host.seam, check->host.root_fd, context->arena, visit, &check->chain,
                        &context->error);
        if (r == -EACCES || r == -EPERM) {
                error_reset(&context->error);
                return context_fail(
                                context, DIAG_AUDIT_UNREADABLE, "use sudo, or be in group adm",
                                "only root and the group adm may read the audit log");
        }
        if (r < 0)
                return r;
        audit_chain_end(&check->chain, &check->verdict);
        return 0;
}

/* --- findings ------------------------------------------------------------------------------------------- */

static const char *const break_words[] = {
        [AUDIT_BREAK_EDITED] = "was edited",
        [AUDIT_BREAK_REMOVED] = "was removed",
        [AUDIT_BREAK_REORDERED] = "is not at its place",
        [AUDIT_BREAK_CUT] = "was cut off",
        [AUDIT_BREAK_OTHER] = "was rewritten",
};

static void report_break(const AuditCheck *check) {
        const AuditVerdict *v = &check->verdict;
        DiagList *findings = check->context->findings;
        bool by_anchor = v->kind == AUDIT_BREAK_CUT || v->kind == AUDIT_BREAK_OTHER;
        Diag *d = diag_add(
                        findings, by_anchor ? DIAG_AUDIT_CUT : DIAG_AUDIT_BROKEN, (Span){},
                        "record %" PRIu64 " of the audit log %s: %s", v->seq, break_words[v->kind],
                        v->why);
        if (v->source)
                diag_add_note(findings, d, "told by %s", v->source);
        if (v->file)
                diag_add_note(findings, d, "noticed in /" AUDIT_FILES_DIR "/%s, line %zu", v->file,
                              v->line);
}

static void report_tears(const AuditCheck *check) {
        const AuditVerdict *v = &check->verdict;
        DiagList *findings = check->context->findings;
        if (v->n_tears > 0)
                (void) diag_add(findings, DIAG_AUDIT_TORN, (Span){},
                                "%zu %s torn by a crash, and recorded since", v->n_tears,
                                v->n_tears == 1 ? "line was" : "lines were");
        if (v->has_open_tear)
                (void) diag_add(findings, DIAG_AUDIT_TORN, (Span){},
                                "the end of the log is torn; the next record will account for it");
}

/* A comparison that was asked for and compared nothing proves nothing. */
static int check_compared(const AuditCheck *check) {
        const AuditVerdict *v = &check->verdict;
        const char *against = check->context->options.against;
        bool any = false;
        for (size_t i = 0; i < check->anchors.n_items; i++)
                any |= check->n_against > 0 && check->anchors.items[i].seq + 1 >= v->first &&
                       !streq(check->anchors.items[i].source, "the kept head");
        if (!against || any || v->kind != AUDIT_BREAK_NONE)
                return 0;
        return context_fail(
                        check->context, DIAG_AUDIT_UNREADABLE, NULL,
                        "cannot compare with %s: it has %s", against,
                        check->n_against == 0 ? "no record of an audit log"
                                              : "only records that are older than the log");
}

static void report(AuditCheck *check) {
        const AuditVerdict *v = &check->verdict;
        report_tears(check);
        if (v->kind != AUDIT_BREAK_NONE)
                report_break(check);
        else if (v->is_newer)
                (void) context_fail(
                                check->context, DIAG_AUDIT_UNREADABLE,
                                "use the version that wrote it, or a later one",
                                "line %zu of %s is of a newer format than this program knows",
                                v->line, v->file);
        else
                (void) check_compared(check);
}

/* --- what is said --------------------------------------------------------------------------------------- */

static const char *state_name(const AuditVerdict *v) {
        return v->kind != AUDIT_BREAK_NONE ? "broken"
               : v->is_newer               ? "newer"
               : v->first == 0             ? "empty"
                                           : "whole";
}

static json_t *break_to_json(const AuditVerdict *v) {
        if (v->kind == AUDIT_BREAK_NONE)
                return json_null();
        return json_pack(
                        "{s:s, s:I, s:s, s:s?, s:s?, s:o}", "kind", audit_break_name(v->kind),
                        "seq", (json_int_t) v->seq, "why", v->why, "source", v->source, "file",
                        v->file, "line",
                        v->file ? json_integer((json_int_t) v->line) : json_null());
}

static json_t *to_json(const AuditCheck *check) {
        const AuditVerdict *v = &check->verdict;
        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(&v->head.hash, hex);
        return json_pack(
                        "{s:s, s:o, s:I, s:I, s:s?, s:I, s:I, s:I, s:b, s:s, s:{s:s?, s:I}}",
                        "state", state_name(v), "broken", break_to_json(v), "first",
                        (json_int_t) v->first, "last", (json_int_t) v->head.seq, "head",
                        v->first > 0 ? hex : NULL, "records", (json_int_t) v->n_records, "files",
                        (json_int_t) v->n_files, "tears", (json_int_t) v->n_tears, "torn_end",
                        v->has_open_tear, "kept_head", audit_kept_name(check->kept), "against",
                        "source", check->context->options.against, "records",
                        (json_int_t) check->n_against);
}

static void render(const AuditCheck *check) {
        const AuditVerdict *v = &check->verdict;
        StrBuf *out = &check->context->text;
        const char *against = check->context->options.against;
        if (v->kind != AUDIT_BREAK_NONE || v->is_newer)
                return;
        if (v->first == 0) {
                strbuf_add(out, "There is no audit log yet.\n");
                return;
        }
        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(&v->head.hash, hex);
        strbuf_addf(out, "The audit log is whole: records %" PRIu64 " to %" PRIu64 " in %zu %s.\n",
                    v->first, v->head.seq, v->n_files, v->n_files == 1 ? "file" : "files");
        if (check->kept == AUDIT_KEPT_READ)
                strbuf_add(out, "It agrees with the head that the state directory keeps.\n");
        if (against)
                strbuf_addf(out, "It agrees with the %zu records of %s.\n", check->n_against,
                            against);
        strbuf_addf(out, "Head: %" PRIu64 " %s\n", v->head.seq, hex);
}

/* -------------------------------------------------------------------------------------------------------- */

static int audit_verify_run(Context *context) {
        CLEANUP(check_deinit) AuditCheck check = { .context = context, .host = HOST_EMPTY };
        int r = host_open_files(&check.host, context, &context->error);
        if (r == 0)
                r = read_anchors(&check);
        if (r == 0)
                r = read_log(&check);
        if (r != 0)
                return r;
        report(&check);
        int code = context_finish(context);
        if (context_is_json(context))
                r = context_take_result(context, to_json(&check));
        else if (code == EXIT_OK)
                render(&check);
        return r < 0 ? r : code;
}

const Command cmd_audit_verify = {
        .name = "audit verify",
        .args = "",
        .help = "Find what was changed in the audit log",
        .more = "Every record names the hash of the one before. The first that was edited,\n"
                "removed, moved or put in is named by its number. The log is compared with the\n"
                "head that the state directory keeps (root's alone) and, with --against, with\n"
                "what journald has or with a FILE: lines of NUMBER HASH, or an export. Exits 0\n"
                "when the log is whole, 8 when it is not, 2 when that cannot be told.\n",
        .group = COMMAND_GROUP_WATCH,
        .options = OPT_ROOT | OPT_AGAINST,
        .run = audit_verify_run,
};

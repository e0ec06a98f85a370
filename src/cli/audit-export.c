/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-files.h"
#include "cli/audit-filter.h"
#include "cli/host.h"
#include "cli/verbs.h"
#include "record/audit-line.h"

typedef struct Export {
        Context *context;
        AuditFilter filter;
        json_t *records, *broken; /* with --json */
} Export;

static void export_deinit(Export *export) {
        json_decref(export->records);
        json_decref(export->broken);
}

static int add_broken(Export *export, const AuditFileLine *line, const Error *error) {
        json_t *place = json_pack(
                        "{s:s, s:I, s:s}", "file", line->file, "line", (json_int_t) line->number,
                        "message", error_is_set(error) ? error->text : "not a record");
        return json_array_append_new(export->broken, place) < 0 ? -ENOMEM : 0;
}

/* What is wanted goes out byte for byte, also what is no record: the copy can be verified as the log can. */
static int visit(void *userdata, const AuditFileLine *line, Error *reterr) {
        Export *export = userdata;
        StrBuf *text = &export->context->text;
        bool is_json = context_is_json(export->context);
        if (line->number == 0)
                return 0;
        AuditLine record = {};
        Error error = {};
        int r = is_json || export->filter.is_set
                                ? audit_line_decode(line->bytes, line->n, &record, &error)
                                : 0;
        if (r == -ENOMEM)
                return error_set(reterr, r, "cannot read the audit log");
        json_auto_t *object = record.object;
        if (r < 0)
                return is_json ? add_broken(export, line, &error) : 0;
        if (object && !audit_filter_takes(&export->filter, object))
                return 0;
        if (is_json)
                return json_array_append(export->records, object) < 0 ? -ENOMEM : 0;
        strbuf_add_bytes(text, line->bytes, line->n);
        if (line->has_newline || export->filter.is_set)
                strbuf_add_char(text, '\n');
        return 0;
}

static int export_log(Export *export) {
        Context *context = export->context;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open_files(&host, context, &context->error);
        if (r < 0)
                return r;
        r = audit_files_walk(
                        host.seam, host.root_fd, context->arena, visit, export, &context->error);
        if (r == -EACCES || r == -EPERM) {
                error_reset(&context->error);
                return context_fail(
                                context, DIAG_AUDIT_UNREADABLE, "use sudo, or be in group adm",
                                "only root and the group adm may read the audit log");
        }
        if (r < 0 || !context_is_json(context))
                return r;
        return context_take_result(
                        context, json_pack("{s:O, s:O}", "records", export->records, "broken",
                                           export->broken));
}

static int audit_export_run(Context *context) {
        CLEANUP(export_deinit)
        Export export = { .context = context, .records = json_array(), .broken = json_array() };
        if (!export.records || !export.broken)
                return -ENOMEM;
        int r = audit_filter_init(&export.filter, context);
        return r != 0 ? r : export_log(&export);
}

const Command cmd_audit_export = {
        .name = "audit export",
        .args = "",
        .help = "Print the audit log as it is, or a part of it",
        .more = "One record a line, oldest first, byte for byte as in the files: kept elsewhere,\n"
                "it is what audit verify --against=FILE compares with. With filters, or with\n"
                "--json, lines that are no records are left out, or told apart.\n",
        .group = COMMAND_GROUP_WATCH,
        .options = OPT_ROOT | OPT_FILTER,
        .run = audit_export_run,
};

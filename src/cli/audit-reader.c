/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-reader.h"

void audit_entries_deinit(AuditEntries *entries) {
        for (size_t i = 0; i < entries->n_items; i++)
                json_decref(entries->items[i].record.object);
        free(entries->items);
        *entries = (AuditEntries){};
}

static int add_entry(AuditEntries *entries, AuditEntry entry) {
        if (entries->n_items == entries->capacity) {
                size_t capacity = entries->capacity > 0 ? entries->capacity * 2 : 64;
                AuditEntry *items = realloc(entries->items, capacity * sizeof(AuditEntry));
                if (!items)
                        return -ENOMEM;
                entries->items = items;
                entries->capacity = capacity;
        }
        entries->items[entries->n_items++] = entry;
        return 0;
}

typedef struct Loading {
        Arena *arena;
        AuditEntries *entries;
} Loading;

static int load_line(const AuditFileLine *line, Arena *arena, AuditEntries *entries) {
        AuditEntry entry = { .file = line->file, .line = line->number };
        Error error = {};
        int r = audit_line_decode(line->bytes, line->n, &entry.record, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                entry.record = (AuditLine){};
                entry.why = arena_copy(arena, error_is_set(&error) ? error.text : "not a record");
                if (!entry.why)
                        return -ENOMEM;
        }
        r = add_entry(entries, entry);
        if (r < 0)
                json_decref(entry.record.object);
        return r;
}

static int visit(void *userdata, const AuditFileLine *line, Error *reterr) {
        Loading *loading = userdata;
        int r = line->number > 0 ? load_line(line, loading->arena, loading->entries) : 0;
        return r < 0 ? error_set(reterr, r, "cannot read the audit log") : 0;
}

int audit_reader_load(
                const Seam *seam, int root_fd, Arena *arena, AuditEntries *ret, Error *reterr) {
        Loading loading = { .arena = arena, .entries = ret };
        return audit_files_walk(seam, root_fd, arena, visit, &loading, reterr);
}

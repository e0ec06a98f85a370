/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Judges a world's whole audit log with the verifier's own chain, which knows nothing of the writer.
 */

#include "engine/audit-log-files.h"
#include "record/audit-chain.h"
#include "seam/engine-world.h"
#include "test.h"

#define CHECK_DIR  "var/log/twprofile"
#define CHECK_HEAD WORLD_STATE "/audit-head"

static inline char *check_read_file(World *w, uint64_t first, size_t *ret_n) {
        char name[AUDIT_FILE_NAME_SIZE], path[128];
        audit_files_name(first, name);
        (void) snprintf(path, sizeof(path), CHECK_DIR "/%s", name);
        return scratch_read(&w->scratch, path, ret_n);
}

static inline AuditFiles check_list(World *w) {
        AuditFiles files = { 0 };
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        assert_int_equal(audit_files_open_dir(seam_real(), w->scratch.fd, &dir, NULL), 0);
        assert_int_equal(audit_files_list(&dir, &files), 0);
        return files;
}

/* All files one behind the other; freed by the caller. */
static inline char *check_read_log(World *w) {
        CLEANUP(audit_files_deinit) AuditFiles files = check_list(w);
        CLEANUP(strbuf_deinit) StrBuf all = { 0 };
        for (size_t i = 0; i < files.n; i++) {
                size_t n;
                cleanup_free char *bytes = check_read_file(w, files.first[i], &n);
                strbuf_add_bytes(&all, bytes, n);
        }
        char *text = strdup(strbuf_text(&all));
        assert_non_null(text);
        return text;
}

static inline size_t check_count(World *w, const char *what) {
        cleanup_free char *all = check_read_log(w);
        size_t n = 0;
        for (const char *p = all; (p = strstr(p, what)); p++)
                n++;
        return n;
}

static inline AuditVerdict check_chain(World *w) {
        CLEANUP(audit_files_deinit) AuditFiles files = check_list(w);
        AuditChain chain;
        audit_chain_init(&chain, NULL, 0);
        for (size_t i = 0; i < files.n; i++) {
                size_t n;
                cleanup_free char *bytes = check_read_file(w, files.first[i], &n);
                audit_chain_begin_file(&chain, "audit", files.first[i]);
                for (size_t at = 0; at < n;) {
                        const char *end = memchr(bytes + at, '\n', n - at);
                        size_t length = end ? (size_t) (end - bytes) - at : n - at;
                        audit_chain_add_line(&chain, bytes + at, length, end != NULL);
                        at += length + (end != NULL);
                }
        }
        AuditVerdict verdict;
        audit_chain_end(&chain, &verdict);
        return verdict;
}

static inline void check_whole(World *w) {
        AuditVerdict verdict = check_chain(w);
        if (verdict.kind == AUDIT_BREAK_NONE)
                return;
        cleanup_free char *all = check_read_log(w);
        fail_msg("%s at %llu: %s\n%s", audit_break_name(verdict.kind),
                 (unsigned long long) verdict.seq, verdict.why, all);
}

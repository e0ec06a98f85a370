/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-anchors.h"

#include "base/num.h"

#define KEPT_HEAD     "var/lib/twprofile/audit-head"
#define KEPT_HEAD_MAX 512U
#define PAIR_MAX      (20 + 1 + SHA256_HEX_SIZE)

static const char *const kept_names[] = {
        [AUDIT_KEPT_READ] = "compared",
        [AUDIT_KEPT_NONE] = "absent",
        [AUDIT_KEPT_DENIED] = "not-permitted",
        [AUDIT_KEPT_STRANGE] = "unreadable",
};

const char *audit_kept_name(AuditKept kept) {
        assert((size_t) kept < ELEMENTSOF(kept_names));
        return kept_names[kept];
}

void audit_anchors_deinit(AuditAnchors *anchors) {
        free(anchors->items);
        *anchors = (AuditAnchors){};
}

int audit_anchors_add(AuditAnchors *anchors, uint64_t seq, const Sha256 *hash, const char *source) {
        if (anchors->n_items == anchors->capacity) {
                size_t capacity = anchors->capacity > 0 ? anchors->capacity * 2 : 64;
                AuditAnchor *items = realloc(anchors->items, capacity * sizeof(AuditAnchor));
                if (!items)
                        return -ENOMEM;
                anchors->items = items;
                anchors->capacity = capacity;
        }
        anchors->items[anchors->n_items++] = (AuditAnchor){ seq, *hash, source };
        return 0;
}

void audit_anchors_sort(AuditAnchors *anchors) {
        if (anchors->n_items > 0)
                qsort(anchors->items, anchors->n_items, sizeof(AuditAnchor), audit_anchor_compare);
}

/* "57 <64 digits>" */
static bool read_pair(const char *bytes, size_t n, AuditHead *ret) {
        char text[PAIR_MAX];
        if (n >= sizeof(text) || memchr(bytes, '\0', n))
                return false;
        memcpy(text, bytes, n);
        text[n] = '\0';
        char *hash = strchr(text, ' ');
        if (!hash)
                return false;
        *hash++ = '\0';
        return num_parse_u64(text, &ret->seq) == 0 && ret->seq > 0 &&
               sha256_from_hex(hash, &ret->hash) == 0;
}

int audit_anchors_add_kept(AuditAnchors *anchors, const Seam *seam, int root_fd, AuditKept *ret) {
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        int r = seam_read_file_at(seam, root_fd, KEPT_HEAD, KEPT_HEAD_MAX, &bytes, &n);
        if (r == -EACCES || r == -EPERM || r == -ENOENT) {
                *ret = r == -ENOENT ? AUDIT_KEPT_NONE : AUDIT_KEPT_DENIED;
                return 0;
        }
        if (r < 0)
                return r;
        if (n > 0 && bytes[n - 1] == '\n')
                n--;
        AuditHead head;
        *ret = n == 0 ? AUDIT_KEPT_NONE : AUDIT_KEPT_STRANGE;
        if (!read_pair(bytes, n, &head))
                return 0;
        *ret = AUDIT_KEPT_READ;
        return audit_anchors_add(anchors, head.seq, &head.hash, "the kept head");
}

/* 0, -EBADMSG or -ENOMEM. */
static int add_line(AuditAnchors *anchors, const char *bytes, size_t n, const char *source) {
        AuditHead head;
        if (n == 0)
                return 0;
        if (read_pair(bytes, n, &head))
                return audit_anchors_add(anchors, head.seq, &head.hash, source);
        AuditChainLine line;
        if (audit_chain_line_read(bytes, n, &line) == 0)
                return audit_anchors_add(anchors, line.seq, &line.hash, source);
        return bytes[0] == '{' ? 0 : -EBADMSG;
}

int audit_anchors_add_text(
                AuditAnchors *anchors, const char *bytes, size_t n, const char *source,
                Error *reterr) {
        size_t number = 0;
        for (const char *end = bytes + n; bytes < end;) {
                const char *newline = memchr(bytes, '\n', (size_t) (end - bytes));
                const char *stop = newline ? newline : end;
                number++;
                int r = add_line(anchors, bytes, (size_t) (stop - bytes), source);
                if (r < 0)
                        return error_set(
                                        reterr, r, "line %zu is neither 'NUMBER HASH' nor a record",
                                        number);
                bytes = stop + 1;
        }
        return 0;
}

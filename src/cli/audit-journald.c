/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/audit-journald.h"

#include <dlfcn.h>
#include <systemd/sd-journal.h>

#include "base/num.h"

#define JOURNALD_LIBRARY "libsystemd.so.0"
#define NUMBER_MAX       24U

typedef struct Library {
        void *handle;
        typeof(sd_journal_open) *open;
        typeof(sd_journal_open_directory) *open_directory;
        typeof(sd_journal_close) *close;
        typeof(sd_journal_add_match) *add_match;
        typeof(sd_journal_seek_head) *seek_head;
        typeof(sd_journal_next) *next;
        typeof(sd_journal_get_data) *get_data;
} Library;

typedef struct Reading {
        Library library;
        sd_journal *journal;
} Reading;

/* ISO C knows no way from an object pointer to a function pointer; POSIX demands that this works. */
static bool load_symbol(const Library *library, const char *name, void *ret_function) {
        void *symbol = dlsym(library->handle, name);
        memcpy(ret_function, &symbol, sizeof(symbol));
        return symbol != NULL;
}

static bool load_library(Library *library) {
        library->handle = dlopen(JOURNALD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
        return library->handle && load_symbol(library, "sd_journal_open", &library->open) &&
               load_symbol(library, "sd_journal_open_directory", &library->open_directory) &&
               load_symbol(library, "sd_journal_close", &library->close) &&
               load_symbol(library, "sd_journal_add_match", &library->add_match) &&
               load_symbol(library, "sd_journal_seek_head", &library->seek_head) &&
               load_symbol(library, "sd_journal_next", &library->next) &&
               load_symbol(library, "sd_journal_get_data", &library->get_data);
}

static void reading_deinit(Reading *reading) {
        if (reading->journal)
                reading->library.close(reading->journal);
        if (reading->library.handle)
                (void) dlclose(reading->library.handle);
}

/* The value of a field of this entry, cut to the buffer; false when there is none. */
static bool read_field(Reading *reading, const char *field, char *ret, size_t size) {
        const void *data = NULL;
        size_t n = 0, name = strlen(field) + 1; /* with the '=' */
        if (reading->library.get_data(reading->journal, field, &data, &n) < 0 || n < name)
                return false;
        n = n - name < size - 1 ? n - name : size - 1;
        memcpy(ret, (const char *) data + name, n);
        ret[n] = '\0';
        return true;
}

/* Entries that are no anchors are passed over: what root sends by hand is root's. */
static int add_entry(Reading *reading, AuditAnchors *anchors, size_t *n) {
        char seq[NUMBER_MAX], hex[SHA256_HEX_SIZE + 1], via[16];
        AuditHead head;
        if (read_field(reading, "TWPROFILE_VIA", via, sizeof(via)) && streq(via, "root-dir"))
                return 0;
        if (!read_field(reading, "TWPROFILE_AUDIT_SEQ", seq, sizeof(seq)) ||
            !read_field(reading, "TWPROFILE_AUDIT_HEAD", hex, sizeof(hex)) ||
            num_parse_u64(seq, &head.seq) < 0 || head.seq == 0 ||
            sha256_from_hex(hex, &head.hash) < 0)
                return 0;
        *n += 1;
        return audit_anchors_add(anchors, head.seq, &head.hash, "journald");
}

static int open_journal(Reading *reading, const char *root) {
        const Library *library = &reading->library;
        int r = root ? library->open_directory(&reading->journal, root, SD_JOURNAL_OS_ROOT)
                     : library->open(&reading->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = library->add_match(reading->journal, "SYSLOG_IDENTIFIER=twprofile", 0);
        if (r >= 0)
                r = library->add_match(reading->journal, "_UID=0", 0);
        if (r >= 0)
                r = library->seek_head(reading->journal);
        return r;
}

int audit_journald_add(AuditAnchors *anchors, const char *root, size_t *ret_n, Error *reterr) {
        CLEANUP(reading_deinit) Reading reading = {};
        size_t n = 0;
        if (!load_library(&reading.library))
                return error_set(reterr, -EOPNOTSUPP, "cannot load " JOURNALD_LIBRARY);
        int r = open_journal(&reading, root);
        if (r < 0)
                return error_set(reterr, r, "cannot open the journal");
        while ((r = reading.library.next(reading.journal)) > 0) {
                r = add_entry(&reading, anchors, &n);
                if (r < 0)
                        return error_set(reterr, r, "cannot keep what the journal has");
        }
        if (r < 0)
                return error_set(reterr, r, "cannot read the journal");
        *ret_n = n;
        return 0;
}

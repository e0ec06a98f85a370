/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The checker's verdict on profiles, for the golden tests and for the comparison with the schema:
 *
 *         profile-verdict [--verdict|--json|--colour] FILE…
 *
 * A FILE.yaml is checked like an installed profile of that name. A FILE.json holds findings as the helper sends
 * them. Prints the rendered findings; with --verdict one line "good FILE" or "bad FILE NAME…" for each file.
 * Exit 0, or 2 when a file cannot be read.
 */

#include <stdio.h>

#include "diag/json.h"
#include "diag/text.h"
#include "model/profile.h"

/* One byte more than the reader takes, so that it sees that there is too much. */
#define READ_MAX ((size_t) 16 * 1024 * 1024)

typedef struct Verdict {
        DiagList *diags;
        bool good;
} Verdict;

static void close_filep(FILE **file) {
        if (*file)
                (void) fclose(*file);
}

static Source *read_source(const char *path) {
        CLEANUP(close_filep) FILE *file = fopen(path, "rbe");
        cleanup_free char *bytes = malloc(READ_MAX);
        if (!file || !bytes)
                return NULL;

        size_t n = fread(bytes, 1, READ_MAX, file);
        if (ferror(file))
                return NULL;
        const char *slash = strrchr(path, '/');
        return source_new(slash ? slash + 1 : path, bytes, n);
}

static char *stem_of(const char *path) {
        const char *slash = strrchr(path, '/');
        char *stem = strdup(slash ? slash + 1 : path);
        if (stem && endswith(stem, ".yaml"))
                stem[strlen(stem) - strlen(".yaml")] = '\0';
        return stem;
}

static int decode_findings(const char *path, DiagList *diags) {
        json_t *array = json_load_file(path, 0, NULL);
        int r = array ? diag_json_decode(array, diags) : -EINVAL;
        json_decref(array);
        if (r < 0)
                fprintf(stderr, "no findings in '%s'\n", path);
        return r;
}

static int check_profile(const char *path, Verdict *ret) {
        Source *source = read_source(path);
        cleanup_free char *stem = stem_of(path);
        if (!source || !stem) {
                fprintf(stderr, "cannot read '%s'\n", path);
                (void) source_free(source);
                return -1;
        }

        Error error = { 0 };
        Profile *profile = NULL;
        int r = profile_parse(source, stem, ret->diags, &profile, &error);
        if (r < 0)
                fprintf(stderr, "%s\n", error.text);
        ret->good = r == 0;
        (void) profile_free(profile);
        return r < 0 ? -1 : 0;
}

static void print_verdict(const char *path, const Verdict *verdict) {
        printf("%s %s", verdict->good ? "good" : "bad", path);
        for (size_t i = 0; i < diag_list_count(verdict->diags); i++)
                printf(" %s", diag_row(diag_list_get(verdict->diags, i)->id)->name);
        printf("\n");
}

static void print_json(const DiagList *diags) {
        json_t *array = diag_json_encode(diags);
        (void) json_dumpf(array, stdout, JSON_INDENT(2));
        json_decref(array);
        printf("\n");
}

static void print_text(const DiagList *diags, bool colour) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        diag_text_render(diags, &(DiagTextOptions){ .colour = colour, .limit = 10 }, &text);
        (void) fputs(strbuf_text(&text), stdout);
}

int main(int argc, char **argv) {
        const char *mode = argc > 1 && startswith(argv[1], "--") ? argv[1] : "";
        int first = mode[0] != '\0' ? 2 : 1;

        int exit_code = 0;
        for (int i = first; i < argc; i++) {
                Verdict verdict = { .good = false };
                verdict.diags = diag_list_new();
                if (!verdict.diags)
                        return 2;
                if ((endswith(argv[i], ".json") ? decode_findings(argv[i], verdict.diags)
                                                : check_profile(argv[i], &verdict)) < 0)
                        exit_code = 2;
                else if (streq(mode, "--verdict"))
                        print_verdict(argv[i], &verdict);
                else if (streq(mode, "--json"))
                        print_json(verdict.diags);
                else
                        print_text(verdict.diags, streq(mode, "--colour"));
                (void) diag_list_free(verdict.diags);
        }
        return exit_code;
}

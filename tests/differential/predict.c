/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * predict [ROOT]: what our evaluator says of keys. Standard input has a path below /proc/sys on each line; standard output
 * gets one JSON object: for each key and tool the effect ("none", "set", "unknown"), the value, the file, the line and the
 * place of a refused write; and the flaws.
 */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "diag/json.h"
#include "system/winner.h"

/* Keys of the trees that the catalogue need not have. Each interface has its own of some. */
static const SysctlSpec strange_specs[] = {
        { .path = "net/ipv4/conf/", .type = SYSCTL_TYPE_INT, .n_values = 1 },
        { .path = "net/ipv4/tcp_rmem", .type = SYSCTL_TYPE_VECTOR, .n_values = 3 },
};

static SysctlSpec spec_of(const char *path) {
        const SysctlSpec *known = catalogue_find_path(path);
        if (known)
                return *known;
        for (size_t i = 0; i < ELEMENTSOF(strange_specs); i++)
                if (startswith(path, strange_specs[i].path)) {
                        SysctlSpec spec = strange_specs[i];
                        spec.path = path;
                        spec.kernel_min = spec.sane_min = spec.n_values > 1 ? 1 : INT32_MIN;
                        spec.kernel_max = spec.sane_max = INT32_MAX;
                        return spec;
                }
        (void) fprintf(stderr, "'%s' is neither in the catalogue nor known here\n", path);
        exit(2);
}

/* New reference. */
static json_t *predict(const WinnerFiles *files, WinnerTool tool, const char *path, Arena *arena) {
        static const char *const effects[] = { "none", "set", "unknown" };
        SysctlSpec spec = spec_of(path);
        WinnerPrediction prediction;
        const char *value = NULL;

        if (winner_predict(files, tool, &spec, arena, &prediction) < 0)
                return NULL;
        if (prediction.effect == WINNER_EFFECT_SET)
                value = sysctl_value_to_kernel(&spec, &prediction.value, arena);
        return json_pack(
                        "{s:s, s:s?, s:s?, s:i, s:s?, s:i}", "effect", effects[prediction.effect],
                        "value", value, "file", prediction.by.path, "line",
                        (int) prediction.by.line, "refused", prediction.refused.path,
                        "refused_line", (int) prediction.refused.line);
}

static json_t *predict_all(const WinnerFiles *files, Arena *arena) {
        cleanup_free char *line = NULL;
        size_t capacity = 0;
        json_t *keys = json_object(), *flaws = json_array();

        while (getline(&line, &capacity, stdin) > 0) {
                line[strcspn(line, "\n")] = '\0';
                json_t *key = json_pack(
                                "{s:o, s:o}", "systemd",
                                predict(files, WINNER_SYSTEMD, line, arena), "procps",
                                predict(files, WINNER_PROCPS, line, arena));
                if (json_object_set_new(keys, line, key) < 0)
                        return NULL;
        }
        for (size_t i = 0; i < winner_count_flaws(files); i++) {
                const WinnerFlaw *flaw = winner_get_flaw(files, i);
                json_t *path = diag_json_text(flaw->path);
                (void) json_array_append_new(
                                flaws, json_pack("{s:o, s:i, s:i}", "file", path, "line",
                                                 (int) flaw->line, "error", flaw->error));
        }
        return json_pack("{s:o, s:o}", "keys", keys, "flaws", flaws);
}

int main(int argc, char *argv[]) {
        cleanup_close int root_fd = open(
                        argc > 1 ? argv[1] : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const WinnerFiles *files;
        Error error = { 0 };

        if (root_fd < 0 || !arena)
                return 2;
        int r = winner_files_read(
                        seam_real(), root_fd, /* as_fragment= */ NULL, arena, &files, &error);
        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error.text);
                return 2;
        }
        json_t *out = predict_all(files, arena);
        if (!out || json_dumpf(out, stdout, JSON_COMPACT) < 0 || puts("") == EOF)
                return 2;
        json_decref(out);
        return 0;
}

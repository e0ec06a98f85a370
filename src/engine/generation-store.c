/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/generation-store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/num.h"
#include "engine/paths.h"
#include "record/generation-format.h"
#include "system/atomic-file.h"

#define GENERATION_NAME_MAX 40U
/* Text, and every byte of it may be escaped in JSON. */
#define GENERATION_FILE_MAX (6 * GENERATION_MAX_BYTES)

static void generation_name(uint64_t number, char ret[static GENERATION_NAME_MAX]) {
        (void) snprintf(ret, GENERATION_NAME_MAX, "%" PRIu64 ".json", number);
}

/* The number in "12.json", 0 for any other name. */
static uint64_t generation_number_of(const char *name) {
        char copy[GENERATION_NAME_MAX];
        uint64_t number;

        if (strlen(name) >= sizeof(copy) || !endswith(name, ".json"))
                return 0;
        (void) snprintf(copy, sizeof(copy), "%.*s", (int) (strlen(name) - strlen(".json")), name);
        return num_parse_u64(copy, &number) < 0 ? 0 : number;
}

static int generations_open(const Seam *seam, int state_fd, SeamFd *ret, Error *reterr) {
        int r = seam_open_dir(seam, state_fd, ENGINE_GENERATIONS, ENGINE_STATE_MODE, ret);
        return r < 0 ? error_set(reterr, r, "cannot open '/%s/%s'", ENGINE_STATE_DIR,
                                 ENGINE_GENERATIONS)
                     : 0;
}

int generation_store_load(
                const Seam *seam, int state_fd, uint64_t number, Generation **ret, Error *reterr) {
        char path[sizeof(ENGINE_GENERATIONS) + GENERATION_NAME_MAX], name[GENERATION_NAME_MAX];
        generation_name(number, name);
        (void) snprintf(path, sizeof(path), "%s/%s", ENGINE_GENERATIONS, name);

        cleanup_free char *bytes = NULL;
        size_t n;
        int r = seam_read_file_at(seam, state_fd, path, GENERATION_FILE_MAX, &bytes, &n);
        if (r < 0)
                return error_set(reterr, r, "cannot read generation %" PRIu64, number);

        CLEANUP(generation_freep) Generation *generation = NULL;
        r = generation_decode(bytes, n, &generation, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot read generation %" PRIu64, number);
        if (generation->number != number)
                return error_set(
                                reterr, -EBADMSG,
                                "cannot read generation %" PRIu64 ", the file says %" PRIu64,
                                number, generation->number);

        *ret = TAKE_PTR(generation);
        return 0;
}

int generation_store_mark(
                const Seam *seam, int state_fd, const Generation *generation, Error *reterr) {
        if (!generation || generation->n_profiles == 0) {
                int r = seam->ops->unlink_at(seam, state_fd, ENGINE_ENABLED, 0);
                return r < 0 && r != -ENOENT ? error_set(reterr, r, "cannot remove the marker '%s'",
                                                         ENGINE_ENABLED)
                                             : 0;
        }

        char text[32];
        int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", generation->number);
        int r = atomic_file_replace(seam, state_fd, ENGINE_ENABLED, text, (size_t) n, 0600);
        return r < 0 ? error_set(reterr, r, "cannot write the marker '%s'", ENGINE_ENABLED) : 0;
}

int generation_store_save(
                const Seam *seam, int state_fd, const Generation *generation, Error *reterr) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = generations_open(seam, state_fd, &dir, reterr);
        if (r < 0)
                return r;

        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        r = generation_encode(generation, &text);
        if (r < 0 || text.failed)
                return error_set(
                                reterr, -ENOMEM, "cannot write generation %" PRIu64,
                                generation->number);

        char name[GENERATION_NAME_MAX];
        generation_name(generation->number, name);
        r = atomic_file_replace(seam, dir.fd, name, text.data, text.length, 0600);
        if (r < 0)
                return error_set(reterr, r, "cannot write generation %" PRIu64, generation->number);

        if (generation->number > GENERATION_STORE_MAX) {
                generation_name(generation->number - GENERATION_STORE_MAX, name);
                (void) seam->ops->unlink_at(seam, dir.fd, name, 0);
        }
        return generation_store_mark(seam, state_fd, generation, reterr);
}

static int generation_visit_highest(void *userdata, const char *name) {
        uint64_t *highest = userdata, number = generation_number_of(name);
        if (number > *highest)
                *highest = number;
        return 0;
}

int generation_store_find_highest(const Seam *seam, int state_fd, uint64_t *ret, Error *reterr) {
        *ret = 0;

        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = seam_open(seam, state_fd, ENGINE_GENERATIONS, O_RDONLY | O_DIRECTORY, 0, &dir);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = seam->ops->list(seam, dir.fd, generation_visit_highest, ret);
        return r < 0 ? error_set(reterr, r, "cannot list the generations") : 0;
}

bool generation_store_has(const Seam *seam, int state_fd, uint64_t number) {
        char path[sizeof(ENGINE_GENERATIONS) + GENERATION_NAME_MAX], name[GENERATION_NAME_MAX];
        generation_name(number, name);
        (void) snprintf(path, sizeof(path), "%s/%s", ENGINE_GENERATIONS, name);

        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        return seam_open(seam, state_fd, path, O_RDONLY | O_NOFOLLOW, 0, &fd) >= 0;
}

bool generation_store_is_marked(const Seam *seam, int state_fd) {
        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        return seam_open(seam, state_fd, ENGINE_ENABLED, O_RDONLY | O_NOFOLLOW, 0, &fd) >= 0;
}

typedef struct CheckpointVisit {
        const Seam *seam;
        int dir_fd;
} CheckpointVisit;

static int generation_visit_flush(void *userdata, const char *name) {
        const CheckpointVisit *visit = userdata;
        if (generation_number_of(name) == 0)
                return 0;

        cleanup_seam_fd SeamFd fd = SEAM_FD_EMPTY;
        int r = seam_open(visit->seam, visit->dir_fd, name, O_RDONLY | O_NOFOLLOW, 0, &fd);
        return r < 0 ? r : seam_fsync(&fd);
}

int generation_store_checkpoint(const Seam *seam, int state_fd, Error *reterr) {
        cleanup_seam_fd SeamFd dir = SEAM_FD_EMPTY;
        int r = generations_open(seam, state_fd, &dir, reterr);
        if (r < 0)
                return r;

        CheckpointVisit visit = { .seam = seam, .dir_fd = dir.fd };
        r = seam->ops->list(seam, dir.fd, generation_visit_flush, &visit);
        if (r >= 0)
                r = seam_fsync(&dir);
        return r < 0 ? error_set(reterr, r, "cannot flush the generations") : 0;
}

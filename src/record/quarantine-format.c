/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/quarantine-format.h"

#define NAME_MAX_BYTES 255U
#define WORD_MAX       64U
#define EVIDENCE_MAX   1024U

json_t *quarantine_to_json(const Quarantine *quarantine) {
        json_auto_t *object = json_pack(
                        "{s:i, s:s, s:o, s:s, s:s, s:I}", "v", QUARANTINE_FORMAT_VERSION, "name",
                        quarantine->name, "digest", strict_json_sha256(&quarantine->digest),
                        "cause", quarantine->cause, "tx", quarantine->tx, "time_us",
                        (json_int_t) quarantine->time_us);
        const char *evidence = quarantine->evidence;
        if (strict_json_set_if(
                            object, "evidence", evidence,
                            evidence ? strict_json_text(evidence) : NULL) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int quarantine_encode(const Quarantine *quarantine, StrBuf *out) {
        json_auto_t *object = quarantine_to_json(quarantine);
        return object ? strict_json_render(object, out) : -ENOMEM;
}

int quarantine_from_json(json_t *object, Arena *arena, Quarantine *ret, Error *reterr) {
        int r = strict_json_check_version(object, QUARANTINE_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        Quarantine quarantine = {};
        uint64_t version = 0;
        const char *name = NULL, *cause = NULL, *tx = NULL, *evidence = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER, .ret = &version },
                { .name = "name", .kind = STRICT_TEXT, .max = NAME_MAX_BYTES, .ret = &name },
                { .name = "digest", .kind = STRICT_SHA256, .ret = &quarantine.digest },
                { .name = "cause", .kind = STRICT_WORD, .max = WORD_MAX, .ret = &cause },
                { .name = "tx", .kind = STRICT_UUID, .ret = &tx },
                { .name = "time_us", .kind = STRICT_INTEGER, .ret = &quarantine.time_us },
                { .name = "evidence",
                  .kind = STRICT_TEXT,
                  .max = EVIDENCE_MAX,
                  .optional = true,
                  .ret = &evidence },
        };
        r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        quarantine.name = arena_copy(arena, name);
        quarantine.cause = arena_copy(arena, cause);
        quarantine.tx = arena_copy(arena, tx);
        quarantine.evidence = evidence ? arena_copy(arena, evidence) : NULL;
        if (!quarantine.name || !quarantine.cause || !quarantine.tx ||
            (evidence && !quarantine.evidence))
                return error_set(reterr, -ENOMEM, "cannot keep a quarantine");
        *ret = quarantine;
        return 0;
}

int quarantine_decode(const char *bytes, size_t n, Arena *arena, Quarantine *ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, QUARANTINE_MAX_BYTES, &object, reterr);
        return r < 0 ? r : quarantine_from_json(object, arena, ret, reterr);
}

/* --- judging ------------------------------------------------------------------------------------------------ */

static const Quarantine *quarantine_find(
                const Quarantine *rows, size_t n_rows, const Sha256 *digest) {
        for (size_t i = 0; i < n_rows; i++)
                if (sha256_equal(&rows[i].digest, digest))
                        return &rows[i];
        return NULL;
}

static void quarantine_refuse(
                const GenerationProfile *profile, const Quarantine *row, DiagList *findings) {
        char hex[SHA256_HEX_SIZE];
        sha256_to_hex(&profile->digest, hex);

        Diag *d = diag_add(
                        findings, DIAG_PROFILE_QUARANTINED, (Span){ 0 },
                        "'%s' is quarantined: it was taken back by itself (%s)", profile->name,
                        row->cause);
        diag_set_profile(findings, d, profile->name);
        diag_add_note(findings, d, "digest %s, transaction %s", hex, row->tx);
        diag_set_help(findings, d, "edit the profile, or run 'twprofile release %s --reason=...'",
                      profile->name);
}

bool quarantine_judge(
                const Quarantine *rows, size_t n_rows, const Generation *current,
                const Generation *next, DiagList *findings) {
        bool refused = false;
        for (size_t i = 0; i < next->n_profiles; i++) {
                const GenerationProfile *profile = &next->profiles[i];
                const Quarantine *row = quarantine_find(rows, n_rows, &profile->digest);
                const GenerationProfile *now =
                                current ? generation_find_profile(current, profile->name) : NULL;
                if (!row || (now && sha256_equal(&now->digest, &profile->digest)))
                        continue;
                quarantine_refuse(profile, row, findings);
                refused = true;
        }
        return refused;
}

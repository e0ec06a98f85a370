/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/generation-format.h"

#include <inttypes.h>

#include "diag/utf8.h"
#include "model/bundle.h"

#define GENERATION_MAX_JSON ((size_t) 4 * 1024 * 1024)
#define MAX_PROFILES        1024U
#define MAX_KEYS            4096U
#define PATH_TEXT_MAX       8192U
#define ADOPTED_TEXT_MAX    1024U

/* --- writing -------------------------------------------------------------------------------------------- */

static bool texts_are_good(const Generation *generation) {
        for (size_t i = 0; i < generation->n_profiles; i++) {
                const GenerationProfile *profile = &generation->profiles[i];
                for (size_t j = 0; j < profile->n_files; j++) {
                        const GenerationFile *file = &profile->files[j];
                        if (!utf8_is_valid(file->bytes, file->length) ||
                            memchr(file->bytes, '\0', file->length))
                                return false;
                }
        }
        return true;
}

static json_t *files_to_json(const GenerationProfile *profile) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < profile->n_files; i++) {
                const GenerationFile *file = &profile->files[i];
                json_t *object = json_pack(
                                "{s:s, s:o, s:o}", "name", file->name, "path",
                                strict_json_text(file->path), "text",
                                json_stringn_nocheck(file->bytes, file->length));
                if (json_array_append_new(array, object) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

static json_t *profiles_to_json(const Generation *generation) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < generation->n_profiles; i++) {
                const GenerationProfile *profile = &generation->profiles[i];
                json_t *object = json_pack(
                                "{s:s, s:o, s:o}", "name", profile->name, "digest",
                                strict_json_sha256(&profile->digest), "files",
                                files_to_json(profile));
                if (json_array_append_new(array, object) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

static json_t *key_to_json(const GenerationKey *key, Arena *scratch) {
        const char *value = sysctl_value_to_kernel(key->spec, &key->value, scratch);
        const char *origin = key->origin_known ? sysctl_value_to_kernel(
                                                                 key->spec, &key->origin, scratch)
                                               : NULL;
        if (!value || (key->origin_known && !origin))
                return NULL;

        json_auto_t *object = json_pack(
                        "{s:s, s:s, s:s, s:b}", "key", key->spec->key, "value", value, "profile",
                        key->profile, "pending", key->pending ? 1 : 0);
        if (strict_json_set_if(object, "origin", origin, origin ? json_string(origin) : NULL) < 0 ||
            strict_json_set_if(
                            object, "adopted", key->adopted,
                            key->adopted ? strict_json_text(key->adopted) : NULL) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static json_t *keys_to_json(const Generation *generation) {
        CLEANUP(arena_freep) Arena *scratch = arena_new();
        json_auto_t *array = json_array();
        if (!scratch)
                return NULL;

        for (size_t i = 0; i < generation->n_keys; i++)
                if (json_array_append_new(array, key_to_json(&generation->keys[i], scratch)) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

int generation_to_json(const Generation *generation, json_t **ret) {
        if (!texts_are_good(generation))
                return -EINVAL;

        json_auto_t *object = json_pack(
                        "{s:i, s:o, s:o, s:I, s:o, s:o}", "v", GENERATION_FORMAT_VERSION, "number",
                        strict_json_number(generation->number), "parent",
                        strict_json_number(generation->parent), "created_us",
                        (json_int_t) generation->created_us, "profiles",
                        profiles_to_json(generation), "keys", keys_to_json(generation));
        if (strict_json_set_if(
                            object, "tx", generation->tx,
                            generation->tx ? json_string(generation->tx) : NULL) < 0 ||
            strict_json_set_if(
                            object, "fragment", generation->has_fragment,
                            strict_json_sha256(&generation->fragment)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(object);
        return 0;
}

int generation_encode(const Generation *generation, StrBuf *out) {
        if (generation->encoded) {
                strbuf_add_bytes(out, generation->encoded, generation->encoded_length);
                return out->failed ? -ENOMEM : 0;
        }

        json_auto_t *object = NULL;
        int r = generation_to_json(generation, &object);
        if (r < 0)
                return r;
        return strict_json_render(object, out);
}

static int generation_keep_text(Generation *generation, const char *text, size_t n) {
        const char *copy = arena_copy_n(generation->arena, text, n);
        if (!copy)
                return -ENOMEM;
        generation->encoded = copy;
        generation->encoded_length = n;
        return 0;
}

int generation_keep_encoded(Generation *generation) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        int r = generation_encode(generation, &text);
        if (r < 0 || text.failed)
                return r < 0 ? r : -ENOMEM;
        return generation_keep_text(generation, strbuf_text(&text), text.length);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int out_of_memory(Error *reterr) {
        return error_set(reterr, -ENOMEM, "cannot keep a generation");
}

static int name_check(const char *name, Error *reterr) {
        if (!profile_name_is_valid(name))
                return error_set(reterr, -EBADMSG, "not the name of a profile");
        return 0;
}

static int file_from_json(json_t *object, Arena *arena, GenerationFile *ret, Error *reterr) {
        const char *name = NULL, *path = NULL, *text = NULL;
        const StrictField fields[] = {
                { .name = "name", .kind = STRICT_TEXT, .max = PROFILE_NAME_MAX, .ret = &name },
                { .name = "path", .kind = STRICT_TEXT, .max = PATH_TEXT_MAX, .ret = &path },
                { .name = "text", .kind = STRICT_BYTES, .max = GENERATION_MAX_BYTES, .ret = &text },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        r = name_check(name, reterr);
        if (r < 0)
                return r;

        size_t length = strlen(text);
        GenerationFile file = {
                .name = arena_copy(arena, name),
                .path = arena_copy(arena, path),
                .bytes = arena_copy_n(arena, text, length),
                .length = length,
        };
        if (!file.name || !file.path || !file.bytes)
                return out_of_memory(reterr);

        *ret = file;
        return 0;
}

/* `*text_left` is how much profile text may still come. */
static int profile_from_json(
                json_t *object, Arena *arena, size_t *text_left, GenerationProfile *ret,
                Error *reterr) {
        GenerationProfile profile = {};
        const char *name = NULL;
        json_t *array = NULL;
        const StrictField fields[] = {
                { .name = "name", .kind = STRICT_TEXT, .max = PROFILE_NAME_MAX, .ret = &name },
                { .name = "digest", .kind = STRICT_SHA256, .ret = &profile.digest },
                { .name = "files",
                  .kind = STRICT_ARRAY,
                  .max = BUNDLE_MAX_PROFILES,
                  .ret = &array },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        size_t n_files = json_array_size(array);
        GenerationFile *files = arena_alloc_array(arena, n_files, sizeof(*files));
        profile.name = arena_copy(arena, name);
        if (!files || !profile.name)
                return out_of_memory(reterr);

        for (size_t i = 0; i < n_files; i++) {
                r = file_from_json(json_array_get(array, i), arena, &files[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "file %zu", i);
                if (files[i].length > *text_left)
                        return error_set(
                                        reterr, -EBADMSG, "more than %zu bytes of text",
                                        GENERATION_MAX_BYTES);
                *text_left -= files[i].length;
        }
        if (n_files == 0 || !streq(files[0].name, name))
                return error_set(reterr, -EBADMSG, "the first file is not the profile itself");

        profile.files = files;
        profile.n_files = n_files;
        *ret = profile;
        return 0;
}

static int profiles_from_json(json_t *array, Generation *generation, Error *reterr) {
        size_t n = json_array_size(array), text_left = GENERATION_MAX_BYTES;
        GenerationProfile *profiles = arena_alloc_array(generation->arena, n, sizeof(*profiles));
        if (!profiles)
                return out_of_memory(reterr);

        for (size_t i = 0; i < n; i++) {
                int r = profile_from_json(
                                json_array_get(array, i), generation->arena, &text_left,
                                &profiles[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "profile %zu", i);
                if (i > 0 && strcmp(profiles[i - 1].name, profiles[i].name) >= 0)
                        return error_set(reterr, -EBADMSG, "profiles are not sorted");
        }

        generation->profiles = profiles;
        generation->n_profiles = n;
        return 0;
}

static int value_from_text(
                const SysctlSpec *spec, const char *text, Arena *arena, SysctlValue *ret,
                Error *reterr) {
        int r = sysctl_value_from_kernel(spec, text, strlen(text), arena, ret);
        if (r == -ENOMEM)
                return out_of_memory(reterr);
        if (r < 0)
                return error_set(reterr, -EBADMSG, "a value of '%s' is not of its type", spec->key);
        return 0;
}

/* The whole point of a key that is not known any more is its name, so the message gives it when it is plain. */
static int unknown_key(const char *key, Error *reterr) {
        for (const char *p = key; *p; p++)
                if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7F || *p == '\'')
                        return error_set(reterr, -EBADMSG, "not the name of a key");
        return error_set(reterr, -EBADMSG, "key '%s' is not in this program's catalogue", key);
}

static int key_from_json(
                json_t *object, const Generation *generation, GenerationKey *ret, Error *reterr) {
        GenerationKey key = {};
        const char *name = NULL, *value = NULL, *profile = NULL, *origin = NULL;
        const char *adopted = NULL;
        const StrictField fields[] = {
                { .name = "key", .kind = STRICT_TEXT, .max = 255, .ret = &name },
                { .name = "value",
                  .kind = STRICT_TEXT,
                  .max = SYSCTL_VALUE_TEXT_MAX,
                  .ret = &value },
                { .name = "profile",
                  .kind = STRICT_TEXT,
                  .max = PROFILE_NAME_MAX,
                  .ret = &profile },
                { .name = "pending", .kind = STRICT_BOOL, .ret = &key.pending },
                { .name = "origin",
                  .kind = STRICT_TEXT,
                  .max = SYSCTL_VALUE_TEXT_MAX,
                  .optional = true,
                  .ret = &origin,
                  .ret_present = &key.origin_known },
                { .name = "adopted",
                  .kind = STRICT_TEXT,
                  .max = ADOPTED_TEXT_MAX,
                  .optional = true,
                  .ret = &adopted },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        key.spec = catalogue_find(name);
        if (!key.spec)
                return unknown_key(name, reterr);

        const GenerationProfile *owner = generation_find_profile(generation, profile);
        if (!owner)
                return error_set(
                                reterr, -EBADMSG, "key '%s' is of a profile that is not there",
                                key.spec->key);
        key.profile = owner->name;
        key.adopted = adopted ? arena_copy(generation->arena, adopted) : NULL;
        if (adopted && !key.adopted)
                return out_of_memory(reterr);

        r = value_from_text(key.spec, value, generation->arena, &key.value, reterr);
        if (r < 0)
                return r;
        if (key.origin_known) {
                r = value_from_text(key.spec, origin, generation->arena, &key.origin, reterr);
                if (r < 0)
                        return r;
        }

        *ret = key;
        return 0;
}

static int keys_from_json(json_t *array, Generation *generation, Error *reterr) {
        size_t n = json_array_size(array);
        GenerationKey *keys = arena_alloc_array(generation->arena, n, sizeof(*keys));
        if (!keys)
                return out_of_memory(reterr);

        for (size_t i = 0; i < n; i++) {
                int r = key_from_json(json_array_get(array, i), generation, &keys[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "key %zu", i);
                if (i > 0 && strcmp(keys[i - 1].spec->key, keys[i].spec->key) >= 0)
                        return error_set(reterr, -EBADMSG, "keys are not sorted");
        }

        generation->keys = keys;
        generation->n_keys = n;
        return 0;
}

static int members_from_json(json_t *object, Generation *generation, Error *reterr) {
        uint64_t version = 0;
        const char *tx = NULL;
        json_t *profiles = NULL, *keys = NULL;
        const StrictField fields[] = {
                { .name = "v", .kind = STRICT_NUMBER, .ret = &version },
                { .name = "number", .kind = STRICT_NUMBER, .ret = &generation->number },
                { .name = "parent", .kind = STRICT_NUMBER, .ret = &generation->parent },
                { .name = "tx", .kind = STRICT_UUID, .optional = true, .ret = &tx },
                { .name = "created_us", .kind = STRICT_INTEGER, .ret = &generation->created_us },
                { .name = "fragment",
                  .kind = STRICT_SHA256,
                  .optional = true,
                  .ret = &generation->fragment,
                  .ret_present = &generation->has_fragment },
                { .name = "profiles", .kind = STRICT_ARRAY, .max = MAX_PROFILES, .ret = &profiles },
                { .name = "keys", .kind = STRICT_ARRAY, .max = MAX_KEYS, .ret = &keys },
        };
        int r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
        if (r < 0)
                return r;

        if (generation->number == 0)
                return error_set(reterr, -EBADMSG, "numbers of generations start at 1");
        if (generation->parent >= generation->number)
                return error_set(
                                reterr, -EBADMSG, "its parent %" PRIu64 " is not older",
                                generation->parent);
        generation->tx = tx ? arena_copy(generation->arena, tx) : NULL;
        if (tx && !generation->tx)
                return out_of_memory(reterr);

        r = profiles_from_json(profiles, generation, reterr);
        if (r < 0)
                return r;
        if (generation->n_profiles == 0 && (generation->has_fragment || json_array_size(keys) > 0))
                return error_set(reterr, -EBADMSG, "keys or a fragment, but no profile");
        return keys_from_json(keys, generation, reterr);
}

int generation_from_json(json_t *object, Generation **ret, Error *reterr) {
        int r = strict_json_check_version(object, GENERATION_FORMAT_VERSION, reterr);
        if (r < 0)
                return r;

        CLEANUP(generation_freep) Generation *generation = generation_new();
        if (!generation)
                return out_of_memory(reterr);

        r = members_from_json(object, generation, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "generation %" PRIu64, generation->number);

        *ret = TAKE_PTR(generation);
        return 0;
}

int generation_decode(const char *bytes, size_t n, Generation **ret, Error *reterr) {
        json_auto_t *object = NULL;
        int r = strict_json_parse(bytes, n, GENERATION_MAX_JSON, &object, reterr);
        if (r < 0)
                return r;

        CLEANUP(generation_freep) Generation *generation = NULL;
        r = generation_from_json(object, &generation, reterr);
        if (r < 0)
                return r;
        assert(generation); /* gcc 12 does not see it with -O3 */
        if (generation_keep_text(generation, bytes, n) < 0)
                return out_of_memory(reterr);

        *ret = TAKE_PTR(generation);
        return 0;
}

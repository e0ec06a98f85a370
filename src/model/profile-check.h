/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the readers of a profile's parts share: where to put findings and memory, the walker of field tables,
 * and the readers of plain texts and numbers. Internal to the checker (profile*.c).
 *
 * Readers return false after they have added what is wrong; the checker goes on with the next part, so that
 * all findings come at once. Running out of memory is remembered in the context and ends the whole at the end.
 */

#include "base/arena.h"
#include "model/profile.h"
#include "model/yaml-tree.h"

typedef struct ProfileCheck {
        Arena *arena;
        DiagList *diags;
        Profile *profile;
        const char *expected_name; /* or NULL */
        bool no_memory;
} ProfileCheck;

typedef struct ProfileField {
        const char *name;
        bool required;
        void (*read)(ProfileCheck *check, const YamlNode *node, void *target);
        const char *example;
        const char *description;
} ProfileField;

/* A row of profile-fields.def. */
#define PROFILE_FIELD_ROW(name, presence, reader, example, description) \
        { name, PROFILE_##presence, read_##reader, example, description },
#define PROFILE_REQUIRED true
#define PROFILE_OPTIONAL false

typedef struct ProfileFields {
        const char *what; /* "a profile", "a condition": for messages */
        const ProfileField *rows;
        size_t n_rows;
} ProfileFields;

/* Hands each child of the mapping to its row; unknown and missing fields are added. False when `node` is no
 * mapping or a field is unknown or missing. */
bool check_fields(
                ProfileCheck *check, const ProfileFields *fields, const YamlNode *node,
                void *target);

/* Adds wrong-type: "'priority' takes one integer, not a sequence". The caller adds the help. */
Diag *check_add_wrong_type(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char *wanted);

/* One line of text that no other YAML reader takes for something else. `subject` names it in messages. */
bool check_read_line(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char **ret);
/* Any text, also of many lines. */
bool check_read_text(
                ProfileCheck *check, const YamlNode *node, const char *subject, const char **ret);
/* A plain decimal integer. */
bool check_read_integer(
                ProfileCheck *check, const YamlNode *node, const char *subject, int64_t *ret);

/* Adds bad-number for a scalar's text, with the hint that fits its spelling. */
void check_add_bad_number(ProfileCheck *check, const YamlNode *node, const char *text);

/* Adds a note with what the catalogue's row of the key is from. */
void check_add_sources(ProfileCheck *check, Diag *diag, const SysctlSpec *spec);

/* No value at all: nothing behind the colon, `~` or `null`, unquoted. */
bool node_is_null(const YamlNode *node);

/* Room for n members, or NULL and remembered. n may be 0. */
void *check_alloc(ProfileCheck *check, size_t n, size_t size);

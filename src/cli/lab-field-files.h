/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lists of settings that `lab --field` tries: which files, what their lines set, and which claims are about them.
 */

#include "cli/context.h"
#include "insight/field-report.h"

typedef struct FieldFile {
        const char *path;
        const char *name; /* base name */
        LabSetting *settings; /* lines whose keys are known, the last of each key, in the file's order */
        uint32_t *lines;      /* of them */
        size_t n_settings;
} FieldFile;

typedef struct FieldFiles {
        FieldFile *items;
        size_t n_items;
        FieldStray *strays;
        size_t n_strays;
} FieldFiles;

/* The files that the context's arguments name: paths, with a slash or ending in .conf, and letters, which are files of
 * `folder` ("a" is a-….conf); all of that folder without any. 0; >0: an exit code, the reasons are findings; <0 with
 * context->error set. */
NODISCARD int lab_field_files_read(Context *context, const char *folder, FieldFiles *ret);

/* The claims that are about them, one for each value that is set; those that say the same of the same are one case. In the
 * order of the claims. 0 or <0. */
NODISCARD int lab_field_files_match(
                Context *context, const FieldFiles *files, FieldCase **ret, size_t *ret_n);
/* The file in which a case was found first. */
const FieldFile *lab_field_files_of(const FieldFiles *files, const FieldCase *one);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A Generation as JSON: the content of generations/<number>.json, of the journal's COMMIT frame, and (without
 * nothing left out) of what --root writes. Version 1; a reader takes its own version and all older ones.
 *
 * Values are stored in the kernel's spelling and read back by type through the catalogue. A key that this
 * program's catalogue does not know any more makes the file unreadable with a message that names it.
 */

#include "base/error.h"
#include "base/strbuf.h"
#include "model/generation.h"
#include "record/strict-json.h"

#define GENERATION_FORMAT_VERSION 1

/* 0, -ENOMEM, or -EINVAL when a profile's text is not UTF-8 or holds a NUL, which the reader never lets in. */
NODISCARD int generation_encode(const Generation *generation, StrBuf *out);
/* Encodes once and keeps the text: journal, file and public view hold the same bytes, and encoding again would cost
 * as much as all system calls of a change. Nothing may change in the generation afterwards. As generation_encode(). */
NODISCARD int generation_keep_encoded(Generation *generation);
/* 0; -EBADMSG with a sentence; -ENOMEM. `bytes` is hostile. What was decoded keeps its text as well. */
NODISCARD int generation_decode(const char *bytes, size_t n, Generation **ret, Error *reterr);

/* The same on jansson objects, for formats that embed a generation. *ret is a new reference. */
NODISCARD int generation_to_json(const Generation *generation, json_t **ret);
NODISCARD int generation_from_json(json_t *object, Generation **ret, Error *reterr);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * JSON as our records use it: written in one way only, read without trust.
 *
 *         json_auto_t *object = NULL;
 *         r = strict_json_parse(bytes, n, MAX, &object, reterr);
 *         const StrictField fields[] = {
 *                 { .name = "from", .kind = STRICT_NUMBER, .ret = &from },
 *                 { .name = "key", .kind = STRICT_TEXT, .max = 255, .optional = true, .ret = &key },
 *         };
 *         r = strict_json_read(object, fields, ELEMENTSOF(fields), reterr);
 *
 * Refused: more bytes than the caller allows, depth over STRICT_MAX_DEPTH, two members of one name, members
 * that the table does not know, missing ones, another type, a value out of its range, anything behind the
 * document. Messages never repeat bytes of the input other than plain member names.
 *
 * What a field gives out borrows from the json_t. A result is written only when its member is there; after a
 * failure some results may have been written.
 *
 * Encoding sorts members and leaves out blanks, so equal values are equal bytes.
 */

#include <jansson.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/strbuf.h"

#define STRICT_MAX_DEPTH 8U

typedef enum StrictKind {
        STRICT_TEXT,  /* const char **: no control character but the tab; at most `max` bytes */
        STRICT_BYTES, /* const char **: any UTF-8 without NUL; at most `max` bytes */
        STRICT_WORD, /* const char **: a-z, 0-9 and '-', starts with a letter; at most `max` bytes */
        STRICT_UUID,    /* const char **: in its canonical spelling, lower case */
        STRICT_SHA256,  /* Sha256 *: 64 lower-case hexadecimal digits */
        STRICT_NUMBER,  /* uint64_t *: a JSON integer from 0 to INT64_MAX */
        STRICT_INTEGER, /* int64_t *: any JSON integer */
        STRICT_U64,  /* uint64_t *: decimal digits in a string, because JSON integers end at 2^63 */
        STRICT_BOOL, /* bool * */
        STRICT_FLAG, /* bool *: the integer 0 or 1 */
        STRICT_OBJECT, /* json_t ** */
        STRICT_ARRAY,  /* json_t **: at most `max` members */
        STRICT_ANY,    /* json_t **: judged by the caller */
} StrictKind;

/* Judges a member further, a nested object by strict_json_read() again. 0, -EBADMSG, -ENOMEM. */
typedef int (*StrictCheck)(json_t *value, Error *reterr);

typedef struct StrictField {
        const char *name;
        StrictKind kind;
        bool optional;
        size_t max;
        void *ret;         /* NULL: checked only */
        bool *ret_present; /* may be NULL */
        StrictCheck check; /* may be NULL */
} StrictField;

/* One JSON object of at most `max` bytes. 0; -EBADMSG with a sentence; -ENOMEM. */
NODISCARD int strict_json_parse(
                const char *bytes, size_t n, size_t max, json_t **ret, Error *reterr);

typedef struct StrictLimits {
        size_t bytes, depth;
} StrictLimits;

/* The same for a document that is deeper than records are. */
NODISCARD int strict_json_parse_within(
                const char *bytes, size_t n, const StrictLimits *limits, json_t **ret,
                Error *reterr);
/* 0; -EBADMSG with a sentence that names the member; what a check returns. */
NODISCARD int strict_json_read(
                json_t *object, const StrictField *fields, size_t n_fields, Error *reterr);

/* The member `v` of an object: from 1 to `newest`, else -EBADMSG; a higher one is named as newer. */
NODISCARD int strict_json_check_version(json_t *object, int64_t newest, Error *reterr);

/* Appends. 0 or -ENOMEM. */
NODISCARD int strict_json_render(const json_t *value, StrBuf *out);

/* A new string in which every byte or character that STRICT_TEXT would refuse stands as U+FFFD; NULL when out
 * of memory. For text that somebody else chose: command names, cgroups, paths. */
json_t *strict_json_text(const char *text);
/* Adds a member that is not always there, and takes the value. json_pack() has a '*' for such members, and leaves them out
 * when memory is out as well: what is written then is another record. 0 or -ENOMEM, also when the object is NULL. */
NODISCARD int strict_json_set_if(json_t *object, const char *name, bool wanted, json_t *value);
/* A decimal string. */
json_t *strict_json_u64(uint64_t value);
/* An integer; the program itself made the number, it is below 2^63. */
json_t *strict_json_number(uint64_t value);
json_t *strict_json_sha256(const Sha256 *hash);

/* What STRICT_TEXT takes. */
bool strict_json_is_text(const char *text, size_t n);
bool strict_json_is_uuid(const char *text);

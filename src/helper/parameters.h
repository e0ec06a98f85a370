/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parameters of a call, strictly: every member is one that the method names, of its type, and within its
 * rules; nothing is converted, nothing is ignored. Each method has a table of rows, one function walks them.
 *
 *         static const Parameter rows[] = { PARAMETER(profiles, PARAMETER_NAMES, required), … };
 *         r = parameters_decode(call.parameters, rows, ELEMENTSOF(rows), arena, &parameters, &bad);
 *
 * A table rather than json_unpack_ex(): the protocol wants the *name* of the parameter that is wrong, and the
 * library's message has it only for some mistakes.
 *
 * The rules are those of the engine's request: names of profiles are names (never paths), a reason is one line
 * of visible text, a generation is a number. The strings borrow from the message.
 */

#include <jansson.h>

#include "base/arena.h"

#define PARAMETERS_MAX_NAMES  1024U
#define PARAMETERS_MAX_REASON 1024U /* bytes */
#define PARAMETERS_MAX_TOKEN  64U

typedef enum ParameterKind {
        PARAMETER_BOOL,  /* bool */
        PARAMETER_INODE, /* uint64_t: an integer from 0 */
        PARAMETER_NAMES, /* ParameterNames: one or more valid profile names */
        PARAMETER_NAME, /* ParameterNames: one valid profile name, or a digest, which looks like one */
        PARAMETER_WINDOW, /* uint32_t: seconds within the bounds of a confirmation window */
        PARAMETER_ADOPT,  /* unsigned of PlanAdopt: an array of words, each at most once */
        PARAMETER_REASON, /* const char *: UTF-8, one line, nothing hidden; "" counts as absent */
        PARAMETER_TARGET, /* const char *: "origin" or a generation's number from 1 */
        PARAMETER_CHOICE, /* const char *: "base" or "keep" */
        PARAMETER_TOKEN,  /* const char *: lower-case hexadecimal digits and dashes */
        PARAMETER_INTERFACE, /* const char *: any text without hidden characters */
} ParameterKind;

typedef struct ParameterNames {
        const char *const *names; /* in the arena */
        size_t n_names;
} ParameterNames;

/* What all methods together can be given; what is absent is zero. */
typedef struct Parameters {
        ParameterNames profiles;
        bool only;
        bool dry_run;
        bool runtime;
        uint32_t confirm_within_s;
        bool gate;
        const char *token;
        bool same_session;
        ParameterNames profile;
        const char *choice;
        unsigned adopt;
        const char *to;
        const char *reason;
        uint64_t netns;
        const char *interface;
} Parameters;

typedef struct Parameter {
        const char *name;
        ParameterKind kind;
        bool is_required; /* else it may be absent or null */
        size_t offset;    /* in Parameters */
} Parameter;

#define PARAMETER(field, kind, is_required) \
        { #field, kind, is_required, offsetof(Parameters, field) }

enum {
        PARAMETERS_E_INVALID =
                        1, /* *ret_bad names the parameter; it lives as long as message and rows */
};

/* `object` may be NULL: no parameters. 0, PARAMETERS_E_INVALID or -ENOMEM. */
NODISCARD int parameters_decode(
                json_t *object, const Parameter *rows, size_t n_rows, Arena *arena, Parameters *ret,
                const char **ret_bad);

/* Valid UTF-8 without control, direction or separator characters. */
bool parameters_text_is_visible(const char *text, size_t n);

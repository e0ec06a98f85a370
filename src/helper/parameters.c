/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/parameters.h"

#include "base/num.h"
#include "diag/utf8.h"
#include "model/plan.h"
#include "model/profile.h"
#include "record/pending-format.h"

bool parameters_text_is_visible(const char *text, size_t n) {
        for (size_t i = 0; i < n;) {
                uint32_t character;
                size_t step = utf8_decode(text + i, n - i, &character);
                if (step == 0 || utf8_is_hidden(character))
                        return false;
                i += step;
        }
        return true;
}

/* --- one function for each kind: 0, PARAMETERS_E_INVALID or -ENOMEM ------------------------------------- */

static int decode_bool(json_t *value, bool *ret) {
        if (!json_is_boolean(value))
                return PARAMETERS_E_INVALID;
        *ret = json_is_true(value);
        return 0;
}

static int decode_inode(json_t *value, uint64_t *ret) {
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return PARAMETERS_E_INVALID;
        *ret = (uint64_t) json_integer_value(value);
        return 0;
}

static int decode_names(json_t *value, Arena *arena, ParameterNames *ret) {
        size_t n = json_array_size(value);
        if (!json_is_array(value) || n == 0 || n > PARAMETERS_MAX_NAMES)
                return PARAMETERS_E_INVALID;
        const char **names = arena_alloc_array(arena, n, sizeof(*names));
        if (!names)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                names[i] = json_string_value(json_array_get(value, i));
                if (!names[i] || !profile_name_is_valid(names[i]))
                        return PARAMETERS_E_INVALID;
        }
        *ret = (ParameterNames){ names, n };
        return 0;
}

static int decode_name(json_t *value, Arena *arena, ParameterNames *ret) {
        const char *name = json_string_value(value);
        const char **names = arena_alloc_array(arena, 1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        if (!name || !profile_name_is_valid(name))
                return PARAMETERS_E_INVALID;
        names[0] = name;
        *ret = (ParameterNames){ names, 1 };
        return 0;
}

static int decode_window(json_t *value, uint32_t *ret) {
        json_int_t seconds = json_integer_value(value);
        if (!json_is_integer(value) || seconds < PENDING_WINDOW_MIN_S ||
            seconds > PENDING_WINDOW_MAX_S)
                return PARAMETERS_E_INVALID;
        *ret = (uint32_t) seconds;
        return 0;
}

static int decode_adopt(json_t *value, unsigned *ret) {
        static const struct {
                const char *word;
                unsigned flag;
        } words[] = {
                { "owner", PLAN_ADOPT_OWNER },
                { "fragment", PLAN_ADOPT_FRAGMENT },
                { "drift", PLAN_ADOPT_DRIFT },
        };
        if (!json_is_array(value))
                return PARAMETERS_E_INVALID;

        unsigned adopt = 0;
        for (size_t i = 0; i < json_array_size(value); i++) {
                const char *word = json_string_value(json_array_get(value, i));
                unsigned flag = 0;
                for (size_t j = 0; j < ELEMENTSOF(words) && word; j++)
                        if (streq(word, words[j].word))
                                flag = words[j].flag;
                if (flag == 0 || (adopt & flag) != 0)
                        return PARAMETERS_E_INVALID;
                adopt |= flag;
        }
        *ret = adopt;
        return 0;
}

static int decode_text(json_t *value, size_t limit, const char **ret) {
        if (!json_is_string(value) || json_string_length(value) > limit ||
            !parameters_text_is_visible(json_string_value(value), json_string_length(value)))
                return PARAMETERS_E_INVALID;
        *ret = json_string_length(value) > 0 ? json_string_value(value) : NULL;
        return 0;
}

static int decode_reason(const Parameter *row, json_t *value, const char **ret) {
        int r = decode_text(value, PARAMETERS_MAX_REASON, ret);
        return r == 0 && row->is_required && !*ret ? PARAMETERS_E_INVALID : r;
}

static int decode_target(json_t *value, const char **ret) {
        const char *text = json_string_value(value);
        uint64_t number;
        if (!text || (!streq(text, "origin") && (num_parse_u64(text, &number) < 0 || number == 0)))
                return PARAMETERS_E_INVALID;
        *ret = text;
        return 0;
}

static int decode_choice(json_t *value, const char **ret) {
        const char *text = json_string_value(value);
        if (!text || (!streq(text, "base") && !streq(text, "keep")))
                return PARAMETERS_E_INVALID;
        *ret = text;
        return 0;
}

static int decode_token(json_t *value, const char **ret) {
        const char *text = json_string_value(value);
        size_t n = json_string_length(value);
        if (!text || n == 0 || n > PARAMETERS_MAX_TOKEN || strspn(text, "0123456789abcdef-") != n)
                return PARAMETERS_E_INVALID;
        *ret = text;
        return 0;
}

static int parameter_decode(const Parameter *row, json_t *value, Arena *arena, Parameters *ret) {
        void *field = (char *) ret + row->offset;
        switch (row->kind) {
        case PARAMETER_BOOL:
                return decode_bool(value, field);
        case PARAMETER_INODE:
                return decode_inode(value, field);
        case PARAMETER_NAMES:
                return decode_names(value, arena, field);
        case PARAMETER_NAME:
                return decode_name(value, arena, field);
        case PARAMETER_WINDOW:
                return decode_window(value, field);
        case PARAMETER_ADOPT:
                return decode_adopt(value, field);
        case PARAMETER_REASON:
                return decode_reason(row, value, field);
        case PARAMETER_INTERFACE:
                return decode_text(value, PARAMETERS_MAX_REASON, field);
        case PARAMETER_TARGET:
                return decode_target(value, field);
        case PARAMETER_CHOICE:
                return decode_choice(value, field);
        case PARAMETER_TOKEN:
                return decode_token(value, field);
        }
        assert(false);
        return PARAMETERS_E_INVALID;
}

/* --- the walk ------------------------------------------------------------------------------------------- */

/* A member that no row names, or NULL. */
static const char *find_stranger(json_t *object, const Parameter *rows, size_t n_rows) {
        const char *name;
        json_t *value;
        json_object_foreach(object, name, value) {
                size_t i = 0;
                while (i < n_rows && !streq(rows[i].name, name))
                        i++;
                if (i == n_rows)
                        return name;
        }
        return NULL;
}

int parameters_decode(
                json_t *object, const Parameter *rows, size_t n_rows, Arena *arena, Parameters *ret,
                const char **ret_bad) {
        const char *stranger = find_stranger(object, rows, n_rows);
        if (stranger) {
                *ret_bad = stranger;
                return PARAMETERS_E_INVALID;
        }

        Parameters parameters = { 0 };
        for (size_t i = 0; i < n_rows; i++) {
                json_t *value = json_object_get(object, rows[i].name);
                bool is_absent = !value || json_is_null(value);
                if (is_absent && !rows[i].is_required)
                        continue;
                int r = is_absent ? PARAMETERS_E_INVALID
                                  : parameter_decode(&rows[i], value, arena, &parameters);
                if (r == PARAMETERS_E_INVALID)
                        *ret_bad = rows[i].name;
                if (r != 0)
                        return r;
        }
        *ret = parameters;
        return 0;
}

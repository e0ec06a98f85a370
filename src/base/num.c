/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/num.h"

int num_parse_u64(const char *text, uint64_t *ret) {
        if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
                return -EINVAL;

        uint64_t value = 0;
        bool overflow = false;
        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9')
                        return -EINVAL;
                overflow = overflow || __builtin_mul_overflow(value, 10U, &value) ||
                           __builtin_add_overflow(value, (uint64_t) (*p - '0'), &value);
        }
        if (overflow)
                return -ERANGE;

        *ret = value;
        return 0;
}

int num_parse_i64(const char *text, int64_t *ret) {
        bool negative = text[0] == '-';

        uint64_t magnitude;
        int r = num_parse_u64(text + (negative ? 1 : 0), &magnitude);
        if (r < 0)
                return r;
        if (negative && magnitude == 0)
                return -EINVAL;
        if (magnitude > (uint64_t) INT64_MAX + (negative ? 1U : 0U))
                return -ERANGE;

        *ret = negative ? (int64_t) (0U - magnitude) : (int64_t) magnitude;
        return 0;
}

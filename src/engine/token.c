/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/token.h"

#include <stdio.h>
#include <sys/random.h>

#define TOKEN_PREFIX 8

void token_new(const char *tx, char ret[static TOKEN_SIZE]) {
        uint8_t bytes[16];
        /* Up to 256 bytes getrandom() gives all it is asked for; it waits only before the pool is seeded. */
        ssize_t n = getrandom(bytes, sizeof(bytes), 0);
        assert(n == (ssize_t) sizeof(bytes));

        size_t at = (size_t) snprintf(ret, TOKEN_SIZE, "%.*s-", TOKEN_PREFIX, tx);
        for (size_t i = 0; i < sizeof(bytes); i++)
                at += (size_t) snprintf(ret + at, TOKEN_SIZE - at, "%02x", bytes[i]);
}

bool token_equal(const char *a, const char *b) {
        size_t n = strlen(a), n_b = strlen(b);
        volatile unsigned differs = n != n_b;
        for (size_t i = 0; i < n; i++)
                differs |= (unsigned) (uint8_t) a[i] ^ (unsigned) (uint8_t) b[i < n_b ? i : n_b];
        return differs == 0;
}

bool token_is_of(const char *token, const char *tx) {
        return strlen(token) > TOKEN_PREFIX && strncmp(token, tx, TOKEN_PREFIX) == 0;
}

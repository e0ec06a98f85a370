/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * SHA-256 (FIPS 180-4) by nettle, which starts in 0.04 ms and reads no configuration. This is the only
 * file that knows the library.
 */

#include <nettle/sha2.h>

#include "base/macro.h"

#define SHA256_SIZE     32U
#define SHA256_HEX_SIZE 65U /* with the NUL */

typedef struct Sha256 {
        uint8_t bytes[SHA256_SIZE];
} Sha256;

typedef struct Sha256Stream {
        struct sha256_ctx context;
} Sha256Stream;

void sha256_init_stream(Sha256Stream *stream);
void sha256_add(Sha256Stream *stream, const void *bytes, size_t n);
/* Adds the length first, so that two neighbouring fields cannot trade bytes. */
void sha256_add_field(Sha256Stream *stream, const void *bytes, size_t n);
Sha256 sha256_end(Sha256Stream *stream);

Sha256 sha256_of(const void *bytes, size_t n);
void sha256_to_hex(const Sha256 *hash, char ret[static SHA256_HEX_SIZE]);
/* 0, or -EINVAL unless `hex` is exactly 64 lower-case hexadecimal digits. */
NODISCARD int sha256_from_hex(const char *hex, Sha256 *ret);
bool sha256_equal(const Sha256 *a, const Sha256 *b);

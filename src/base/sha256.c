/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

void sha256_init_stream(Sha256Stream *stream) {
        sha256_init(&stream->context);
}

void sha256_add(Sha256Stream *stream, const void *bytes, size_t n) {
        if (n > 0)
                sha256_update(&stream->context, n, bytes);
}

void sha256_add_field(Sha256Stream *stream, const void *bytes, size_t n) {
        uint8_t length[8];
        for (size_t i = 0; i < sizeof(length); i++)
                length[i] = (uint8_t) ((uint64_t) n >> (8 * i));
        sha256_add(stream, length, sizeof(length));
        sha256_add(stream, bytes, n);
}

Sha256 sha256_end(Sha256Stream *stream) {
        Sha256 hash;
        sha256_digest(&stream->context, sizeof(hash.bytes), hash.bytes);
        return hash;
}

Sha256 sha256_of(const void *bytes, size_t n) {
        Sha256Stream stream;
        sha256_init_stream(&stream);
        sha256_add(&stream, bytes, n);
        return sha256_end(&stream);
}

void sha256_to_hex(const Sha256 *hash, char ret[static SHA256_HEX_SIZE]) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < SHA256_SIZE; i++) {
                ret[2 * i] = digits[hash->bytes[i] >> 4];
                ret[2 * i + 1] = digits[hash->bytes[i] & 15];
        }
        ret[SHA256_HEX_SIZE - 1] = '\0';
}

static int sha256_nibble(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -EINVAL;
}

int sha256_from_hex(const char *hex, Sha256 *ret) {
        if (strlen(hex) != SHA256_HEX_SIZE - 1)
                return -EINVAL;

        Sha256 hash;
        for (size_t i = 0; i < SHA256_SIZE; i++) {
                int high = sha256_nibble(hex[2 * i]), low = sha256_nibble(hex[2 * i + 1]);
                if (high < 0 || low < 0)
                        return -EINVAL;
                hash.bytes[i] = (uint8_t) (high << 4 | low);
        }

        *ret = hash;
        return 0;
}

bool sha256_equal(const Sha256 *a, const Sha256 *b) {
        return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

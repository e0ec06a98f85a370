/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/tx-id.h"

#include <stdio.h>
#include <sys/random.h>

void tx_id_new(char ret[static TX_ID_SIZE]) {
        uint8_t b[16];
        /* Up to 256 bytes getrandom() gives all it is asked for; it waits only before the pool is seeded. */
        ssize_t n = getrandom(b, sizeof(b), 0);
        assert(n == (ssize_t) sizeof(b));

        b[6] = (uint8_t) ((b[6] & 0x0fU) | 0x40U);
        b[8] = (uint8_t) ((b[8] & 0x3fU) | 0x80U);
        (void) snprintf(ret, TX_ID_SIZE,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}

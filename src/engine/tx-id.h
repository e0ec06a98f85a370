/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Random identifiers (UUID version 4, RFC 9562) for transactions and logs. */

#include "record/journal-format.h"

void tx_id_new(char ret[static TX_ID_SIZE]);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/machine.h"

size_t machine_listeners_within(
                const MachineFacts *machine, int64_t low, int64_t high, uint16_t *ret_first) {
        size_t n = 0;
        for (size_t i = 0; i < machine->n_listeners; i++) {
                if (machine->listeners[i] < low || machine->listeners[i] > high)
                        continue;
                if (n++ == 0)
                        *ret_first = machine->listeners[i];
        }
        return n;
}

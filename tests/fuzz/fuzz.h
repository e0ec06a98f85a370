/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One reader of hostile bytes for each fuzz-NAME.c. libFuzzer calls LLVMFuzzerTestOneInput() with what it makes up; without
 * libFuzzer, replay.c calls it with each file of the corpus. What a target demands beyond "does not crash" it says by
 * FUZZ_ASSERT, which stays in whatever the build.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define FUZZ_ASSERT(condition)                                                                  \
        do {                                                                                    \
                if (!(condition)) {                                                             \
                        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                \
                }                                                                               \
        } while (0)

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rows of schema/sysctls.yaml as src/gen/catalogue.py compiles them, sorted by key. Only catalogue.c
 * reads them; everybody else asks catalogue.h.
 */

#include "model/catalogue.h"

extern const SysctlSpec catalogue_table[];
extern const size_t catalogue_table_size;

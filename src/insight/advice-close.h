/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about a close that does not come to its end: a peer that does not follow (FIN-1 to FIN-4), a program that does not
 * close (CW-1), closed connections without a process (ORPH-1), connections that a program aborts (RST-1).
 */

#include "insight/advice.h"

extern const AdviceRules advice_close_rules;

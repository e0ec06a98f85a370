/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The rules about what closed connections leave behind: the limit of TIME_WAIT buckets (TWB-1 to TWB-5), FIN_WAIT2 and the
 * other states of a close that the peer does not finish (FIN-1 to FIN-4), connections that a program does not close (CW-1),
 * orphans (ORPH-1), aborts (RST-1).
 */

#include "insight/advice.h"

extern const AdviceRules advice_bucket_rules;

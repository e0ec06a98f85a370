/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The remedies against a lack of local ports, with the numbers of the case: each is left out where it cannot help or must not
 * be recommended (a key that does not exist, timestamps off, ports held by bind(), a range that is wide already).
 */

#include "insight/advice-tuple.h"

/* 1 to 6 of the order. */
void advice_remedies_for_ports(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f);
/* tcp_tw_reuse and what it needs. */
void advice_remedies_for_reuse(AdviceRun *run, const AdviceTuple *t, AdviceFinding *f);
/* Whether tcp_tw_reuse would give ports back at all. */
bool advice_reuse_would_help(const AdviceTuple *t);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the rules of several subjects ask and write alike (insight/advice.h).
 */

#include "insight/advice.h"

/* A finding of the rule's own severity that is not about a tuple. */
AdviceFinding *advice_find_plain(AdviceRun *run, const char *subject);

/* The value of a key of one integer. false when the kernel does not have it, or it is not understood: the rule is about
 * nothing then. */
bool advice_setting(const AdviceRun *run, const char *key, int64_t *ret);

/* TIME_WAITs and orphans of FIN_WAIT2 in the kernel's small form: what tcp_max_tw_buckets limits. false: not known. */
bool advice_buckets(const AdviceRun *run, uint64_t *ret);

/* Whether a counter grew between the samples, by how much per second (thousandths), and 0 when that is not known. */
uint64_t advice_rate_or_0(const AdviceRun *run, SnapshotCounterId id);

/* Thousandths: 0 when `whole` is. */
uint64_t advice_share(uint64_t part, uint64_t whole);

/* "96%", "0.5%" */
const char *advice_percent(AdviceRun *run, uint64_t part, uint64_t whole);
/* "5.9 MiB" */
const char *advice_bytes(AdviceRun *run, uint64_t bytes);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether what was measured is what the verdict on a claim says. Directions and counts, no speeds: what a busy machine
 * changes decides nothing, but for keep-alive, whose ratio is large. Trial 0 is without the setting, trial 1 with it, unless the row
 * says otherwise. Pure.
 */

#include "insight/field-claim.h"

#define FIELD_NEAR 0.1 /* lives differ by the kernel's timer wheel, and by who was running */

/* TIME_WAIT lasts a minute. */
FieldOutcome field_judge_length(const FieldMeasured *measured);
/* The line's value is how long TIME_WAIT lasts. */
FieldOutcome field_judge_own_length(const FieldMeasured *measured);
/* More requests per second, fewer TIME_WAITs. */
FieldOutcome field_judge_keep_alive(const FieldMeasured *measured);
/* What failed without fails no more. */
FieldOutcome field_judge_reuse_client(const FieldMeasured *measured);
/* As many TIME_WAITs at the server with as without. */
FieldOutcome field_judge_reuse_server(const FieldMeasured *measured);
/* TIME_WAIT lasts as long, FIN_WAIT2 as long as the value says. */
FieldOutcome field_judge_fin_timeout(const FieldMeasured *measured);
/* Nothing that the trials measure has moved, but for the first probe of keep-alive. */
FieldOutcome field_judge_unmoved(const FieldMeasured *measured);
/* CLOSE_WAIT stays, with whatever settings. */
FieldOutcome field_judge_close_wait(const FieldMeasured *measured);
/* Resets with, none without. */
FieldOutcome field_judge_buckets(const FieldMeasured *measured);
/* All requests are kept with cookies, whatever the value; without cookies the limit counts. */
FieldOutcome field_judge_syn_backlog(const FieldMeasured *measured);
/* Refused after exactly the ports there are, in both trials; of which there are more. */
FieldOutcome field_judge_ports(const FieldMeasured *measured);
/* Trials 2 and 3: as many sockets as the article had in each state; then no more TIME_WAIT than the limit, for resets. */
FieldOutcome field_judge_table(const FieldMeasured *measured);
/* A key that no supported kernel has. */
FieldOutcome field_judge_removed(const FieldMeasured *measured);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The verbs, one constant per file; the table stands in verbs.c and is reached through command.h.
 */

#include "cli/command.h"

extern const Command cmd_audit_export;
extern const Command cmd_audit_verify;
extern const Command cmd_confirm;
extern const Command cmd_disable;
extern const Command cmd_enable;
extern const Command cmd_explain;
extern const Command cmd_history;
extern const Command cmd_lab;
extern const Command cmd_list;
extern const Command cmd_advise;
extern const Command cmd_observe;
extern const Command cmd_plan;
extern const Command cmd_recover;
extern const Command cmd_release;
extern const Command cmd_report;
extern const Command cmd_rollback;
extern const Command cmd_sandbox;
extern const Command cmd_show;
extern const Command cmd_status;
extern const Command cmd_validate;
extern const Command cmd_verify;

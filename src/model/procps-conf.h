/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A file of sysctl.d as "sysctl --system" of procps reads it, where that differs from systemd-sysctl's reading
 * (model/sysctl-conf.h). Source: src/sysctl.c of procps 4.0; measured with 4.0.2, docs/winner.md has the table.
 *
 * Lines end at '\n' only and are cut at a NUL; blanks are those of isspace(3) in the C locale; a key of one character
 * without '=' is no line at all; a second dash is part of the dash; the path is used as it is written, so that "//" does
 * not hide a key from a pattern and a slash at the end makes it no file.
 */

#include "model/sysctl-conf.h"

/* As sysctl_conf_parse(): lines that the tool does not understand are marked. 0 or -ENOMEM. */
NODISCARD int procps_conf_parse(const char *bytes, size_t n, Arena *arena, SysctlConf *ret);

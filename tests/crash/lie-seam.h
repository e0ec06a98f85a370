/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The real seam with one lie in it: a write, rename or unlink of a chosen file is not made and still told to have
 * succeeded; a write is made twice; or a file reads as something else. With it the crash suite proves that its judge
 * sees what goes wrong.
 *
 *         LieSeam lie;
 *         lie_seam_init(&lie);
 *         r = lie_seam_plan(&lie, "pwrite:net/core/somaxconn:2:echo");
 *
 * A plan is OPERATION:PATH[:NTH][:echo]. OPERATION is pwrite, rename, unlink, or again (a pwrite made once
 * more behind itself, as an appender without care would). PATH is a part of the file's path; of a rename it is the
 * new name. NTH picks one of the calls that match, without it all are meant. With `echo` the file reads afterwards as it
 * was not written, so that the engine cannot find out. Or it is says:PATH:TEXT: until the file is written it reads as
 * TEXT and a newline, for an engine that does not look.
 */

#include "system/seam.h"

#define LIE_SEAM_TEXT_MAX 256

typedef struct LieSeam {
        Seam seam;
        SeamOps ops;
        char operation[16]; /* "" for none */
        char path[LIE_SEAM_TEXT_MAX];
        uint64_t nth; /* 0: all */
        uint64_t seen;
        bool echo;
        char bytes[LIE_SEAM_TEXT_MAX]; /* what `echo` gives */
        size_t n_bytes;
} LieSeam;

/* Tells the truth until something is planned. The object stays where it is. */
void lie_seam_init(LieSeam *ret);
/* 0 or -EINVAL. */
int lie_seam_plan(LieSeam *lie, const char *text);

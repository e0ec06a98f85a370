/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A seam for tests that counts every call of another one, and makes trouble at a chosen call.
 *
 *         SeamFault fault;
 *         seam_fault_init(&fault, seam_real());
 *         fault.at = 17;                        the 17th call,
 *         fault.kind = SEAM_FAULT_ERROR;        instead of being made,
 *         fault.error = ENOSPC;                 says ENOSPC
 *         engine.seam = &fault.seam;
 *
 * Calls are numbered from 1, in n_calls; fault.at == 0 only counts. `matches` narrows the numbering to the calls it
 * likes ("the second fsync of the journal"). `before` and `after` are hooks around every call, numbered or not:
 * a crash test kills its process there, a race test writes a value. They get the call's number and what it is about.
 *
 * close() always closes, whatever it then says: a test that injects errors must not run out of descriptors.
 * The object must not move after init, is owned by the caller, and owns nothing. Not for threads.
 */

#include "system/seam.h"

typedef enum SeamCallKind {
        SEAM_CALL_OPEN_AT,
        SEAM_CALL_PREAD,
        SEAM_CALL_PWRITE,
        SEAM_CALL_FSYNC,
        SEAM_CALL_FDATASYNC,
        SEAM_CALL_FALLOCATE,
        SEAM_CALL_FTRUNCATE,
        SEAM_CALL_FSTAT,
        SEAM_CALL_FCHMOD,
        SEAM_CALL_FCHOWN,
        SEAM_CALL_MKDIR_AT,
        SEAM_CALL_RENAME_AT,
        SEAM_CALL_UNLINK_AT,
        SEAM_CALL_READLINK_AT,
        SEAM_CALL_FLOCK,
        SEAM_CALL_LIST,
        SEAM_CALL_CLOSE,
        SEAM_CALL_KINDS,
} SeamCallKind;

#define SEAM_FAULT_FDS      128
#define SEAM_FAULT_PATH_MAX 160U

typedef struct SeamCall {
        uint64_t number; /* 0 when `matches` does not count it */
        SeamCallKind kind;
        const char *path; /* of the file concerned, below the first directory fd; "" when not known */
        const char *to;   /* rename: the new path, else NULL */
        int flags;        /* open: O_*; flock: LOCK_*; unlink: AT_* */
        int fd;           /* the descriptor concerned; of an *_at call its directory */
        const void *bytes; /* pwrite, else NULL */
        size_t n;          /* pread, pwrite */
        off_t offset;      /* pread, pwrite, fallocate, ftruncate (the length) */
        ssize_t result;    /* in `after` only */
} SeamCall;

typedef enum SeamFaultKind {
        SEAM_FAULT_NONE,
        SEAM_FAULT_ERROR,       /* the call is not made and says -error */
        SEAM_FAULT_ERROR_AFTER, /* the call is made and says -error all the same */
        SEAM_FAULT_SHORT, /* pread and pwrite: half of the bytes, at least one; other calls are as ever */
} SeamFaultKind;

typedef bool (*SeamFaultMatch)(void *userdata, const SeamCall *call);
typedef void (*SeamFaultHook)(void *userdata, const SeamCall *call);

typedef struct SeamFault {
        Seam seam; /* what the code under test is given */
        const Seam *inner;

        uint64_t at;   /* number of the faulty call; 0 for none */
        bool for_ever; /* and of all that follow */
        SeamFaultKind kind;
        int error; /* positive errno */

        SeamFaultMatch matches; /* NULL: every call */
        SeamFaultHook before, after;
        void *userdata; /* of the three */

        uint64_t n_calls;                                /* numbered so far */
        uint64_t n_faults;                               /* made so far */
        uint64_t n_kind[SEAM_CALL_KINDS];                /* of all calls */
        char last_fault[SEAM_FAULT_PATH_MAX + 32];       /* "pwrite var/lib/twprofile/journal" */
        char paths[SEAM_FAULT_FDS][SEAM_FAULT_PATH_MAX]; /* of the open descriptors */
} SeamFault;

void seam_fault_init(SeamFault *fault, const Seam *inner);
/* Starts counting again, and takes a planned fault out; hooks stay. */
void seam_fault_reset(SeamFault *fault);

/* "open", "pwrite", …: one word for a message. */
const char *seam_call_name(SeamCallKind kind);

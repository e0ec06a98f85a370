/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The lab's namespaces with a process in them that plays something there, and everything gone again.
 *
 *         const LabPlay play = { .body = body, .userdata = &request, .result_size = sizeof(Result), .limit_ms = 5000 };
 *         CLEANUP(lab_stage_freep) LabStage *stage = NULL;
 *         r = lab_stage_start(&play, &stage, &error);
 *         r = lab_stage_wait(stage, watch, userdata, &error);
 *         const Result *result = lab_stage_result(stage);
 *
 * The child sets up the namespaces and calls the body, which may start more processes. Each asks the kernel to be killed
 * with its parent (prctl(2), PR_SET_PDEATHSIG), so that nothing stays when the caller is killed, with SIGKILL too. What
 * does not end LAB_STAGE_GRACE_MS after its time is ended. Several stages may go on at once. The caller should be single-threaded
 * and have no output buffered: children are forked.
 */

#include <sys/types.h>

#include "base/error.h"
#include "insight/lab-net.h"

#define LAB_STAGE_GRACE_MS 20000U
#define LAB_STAGE_WATCH_MS 100U

typedef struct LabStage LabStage;

/* In a process of the stage. 0 or <0. */
typedef int (*LabBody)(LabStage *stage, void *userdata, Error *reterr);

typedef struct LabPlay {
        LabBody body;
        void *userdata; /* borrowed: the child has it as it is when the stage is started */
        size_t result_size;
        uint32_t limit_ms;
} LabPlay;

/* Called about each LAB_STAGE_WATCH_MS while a stage goes on, with the time since it was started. <0 ends it. */
typedef int (*LabWatch)(void *userdata, uint32_t elapsed_ms);

/* 0 or <0. */
NODISCARD int lab_stage_start(const LabPlay *play, LabStage **ret, Error *reterr);
/* Until it has ended. 0 or <0: what kept it from being played. Once. `watch` may be NULL. */
NODISCARD int lab_stage_wait(LabStage *stage, LabWatch watch, void *userdata, Error *reterr);
/* In memory shared with the processes of the stage, zeros at first; as long as the stage. */
void *lab_stage_result(const LabStage *stage);
/* Ends what has not ended. */
LabStage *lab_stage_free(LabStage *stage);
DEFINE_CLEANUP_PTR(LabStage, lab_stage_free)

/* --- inside --------------------------------------------------------------------------------------------- */

LabNet *lab_stage_net(LabStage *stage);

/* A process that runs `body` and ends; what it fails with is the stage's failure. Its id, or <0. */
pid_t lab_stage_fork(LabStage *stage, LabBody body, void *userdata);
/* Waits for one that ends by itself; it is nobody's to end afterwards. Its exit code or <0. */
int lab_process_join(pid_t *process);
/* Ends one that was not joined. */
void lab_process_end(const pid_t *process);

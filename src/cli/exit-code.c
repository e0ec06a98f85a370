/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exit-code.h"

static const ExitCodeRow exit_code_rows[] = {
        { EXIT_OK, "done", "done, nothing to do, or applied and awaiting confirmation" },
        { EXIT_DIFFERS, "differs", "differences or findings (--check of plan, status and advise)" },
        { EXIT_FAILED, "failed", "failed; the old state stands" },
        { EXIT_INVALID, "invalid", "invalid, judged from profile and catalogue alone" },
        { EXIT_REFUSED, "refused", "refused, judged from this host" },
        { EXIT_NOT_FOUND, "not-found", "no such profile, file or generation" },
        { EXIT_UNDONE, "undone", "applied, then taken back by itself" },
        { EXIT_PARTLY, "partly", "done in part: a value was left to its new owner, or is pending" },
        { EXIT_ATTENTION, "attention",
          "state mixed or unknown, or audit broken: twprofile recover" },
        { EXIT_USAGE, "usage", "wrong usage" },
};

size_t exit_code_count(void) {
        return ELEMENTSOF(exit_code_rows);
}

const ExitCodeRow *exit_code_get(size_t i) {
        assert(i < ELEMENTSOF(exit_code_rows));
        return &exit_code_rows[i];
}

const ExitCodeRow *exit_code_find(int code) {
        for (size_t i = 0; i < ELEMENTSOF(exit_code_rows); i++)
                if ((int) exit_code_rows[i].code == code)
                        return &exit_code_rows[i];
        return NULL;
}

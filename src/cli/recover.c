/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/request.h"
#include "cli/verbs.h"

static int recover_run(Context *context) {
        int r = request_check_options(context);
        return r != 0 ? r : request_run(context, "Recover", json_object());
}

const Command cmd_recover = {
        .name = "recover",
        .args = "",
        .help = "Settle what an interrupted change left behind",
        .more = "Every change and every boot does this first by itself. By hand it is needed\n"
                "after an exit code 8.\n",
        .group = COMMAND_GROUP_CHANGE,
        .options = OPT_ROOT | OPT_REASON,
        .run = recover_run,
};

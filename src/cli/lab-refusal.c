/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-refusal.h"

int lab_refuse(Context *context, int r) {
        static const char help[] =
                        "as root: sudo twprofile lab; or allow user namespaces "
                        "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone)";
        bool is_host = r == -EPERM || r == -EACCES || r == -ENOSPC || r == -EUSERS || r == -EROFS ||
                       r == -EOPNOTSUPP;
        if (!is_host)
                return r;
        return context_fail(context, DIAG_NOT_SUPPORTED_HERE, help, "%s", context->error.text);
}

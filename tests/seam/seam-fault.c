/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seam/seam-fault.h"

#include <fcntl.h>
#include <stdio.h>

static SeamFault *fault_of(const Seam *seam) {
        return seam->userdata;
}

/* --- paths of descriptors ------------------------------------------------------------------------------------ */

static const char *fault_path(const SeamFault *fault, int fd) {
        return fd >= 0 && fd < SEAM_FAULT_FDS ? fault->paths[fd] : "";
}

/* `path` below `dir_fd`, in `ret`. */
static const char *fault_join(
                const SeamFault *fault, int dir_fd, const char *path,
                char ret[static SEAM_FAULT_PATH_MAX]) {
        const char *dir = fault_path(fault, dir_fd);
        (void) snprintf(ret, SEAM_FAULT_PATH_MAX, "%s%s%s", dir, dir[0] ? "/" : "", path);
        return ret;
}

static void fault_remember(SeamFault *fault, int fd, const char *path) {
        if (fd >= 0 && fd < SEAM_FAULT_FDS)
                (void) snprintf(fault->paths[fd], SEAM_FAULT_PATH_MAX, "%s", path);
}

/* An open file goes by its new name after a rename. */
static void fault_rename(SeamFault *fault, const char *from, const char *to) {
        for (int fd = 0; fd < SEAM_FAULT_FDS; fd++)
                if (streq(fault->paths[fd], from))
                        fault_remember(fault, fd, to);
}

/* --- around each call ---------------------------------------------------------------------------------------- */

/* Numbers the call, runs the hook, and says what shall become of it. */
static SeamFaultKind fault_enter(SeamFault *fault, SeamCall *call) {
        fault->n_kind[call->kind]++;
        if (!fault->matches || fault->matches(fault->userdata, call))
                call->number = ++fault->n_calls;
        if (fault->before)
                fault->before(fault->userdata, call);

        bool hit = call->number != 0 && fault->at != 0 &&
                   (call->number == fault->at || (fault->for_ever && call->number > fault->at));
        if (!hit || fault->kind == SEAM_FAULT_NONE)
                return SEAM_FAULT_NONE;
        fault->n_faults++;
        (void) snprintf(fault->last_fault, sizeof(fault->last_fault), "%s %s",
                        seam_call_name(call->kind), call->path);
        return fault->kind;
}

static ssize_t fault_leave(SeamFault *fault, SeamCall *call, SeamFaultKind what, ssize_t result) {
        if (what == SEAM_FAULT_ERROR_AFTER)
                result = -fault->error;
        call->result = result;
        if (fault->after)
                fault->after(fault->userdata, call);
        return result;
}

/* The body of a call: `made` is the inner call, not evaluated when an error comes instead. */
#define FAULT_CALL(fault, call, made)                                                             \
        ({                                                                                        \
                SeamFaultKind what_ = fault_enter((fault), (call));                               \
                ssize_t result_ = what_ == SEAM_FAULT_ERROR ? -(fault)->error : (ssize_t) (made); \
                fault_leave((fault), (call), what_, result_);                                     \
        })

static size_t fault_shorten(SeamFaultKind what, size_t n) {
        return what == SEAM_FAULT_SHORT && n > 1 ? n / 2 : n;
}

/* --- the calls ----------------------------------------------------------------------------------------------- */

static int fault_open_at(const Seam *seam, int dir_fd, const char *path, int flags, mode_t mode) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        char whole[SEAM_FAULT_PATH_MAX];
        SeamCall call = {
                .kind = SEAM_CALL_OPEN_AT,
                .fd = dir_fd,
                .path = fault_join(fault, dir_fd, path, whole),
                .flags = flags,
        };

        SeamFaultKind what = fault_enter(fault, &call);
        int fd = what == SEAM_FAULT_ERROR ? -fault->error
                                          : inner->ops->open_at(inner, dir_fd, path, flags, mode);
        if (what == SEAM_FAULT_ERROR_AFTER && fd >= 0)
                (void) inner->ops->close(inner, fd);
        else
                fault_remember(fault, fd, whole);
        return (int) fault_leave(fault, &call, what, fd);
}

static ssize_t fault_pread(const Seam *seam, int fd, void *buffer, size_t n, off_t offset) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        SeamCall call = {
                .kind = SEAM_CALL_PREAD,
                .fd = fd,
                .path = fault_path(fault, fd),
                .n = n,
                .offset = offset,
        };
        return FAULT_CALL(
                        fault, &call,
                        inner->ops->pread(inner, fd, buffer, fault_shorten(what_, n), offset));
}

static ssize_t fault_pwrite(const Seam *seam, int fd, const void *bytes, size_t n, off_t offset) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        SeamCall call = {
                .kind = SEAM_CALL_PWRITE,
                .fd = fd,
                .path = fault_path(fault, fd),
                .bytes = bytes,
                .n = n,
                .offset = offset,
        };
        return FAULT_CALL(
                        fault, &call,
                        inner->ops->pwrite(inner, fd, bytes, fault_shorten(what_, n), offset));
}

/* What most calls on an open file know of themselves. */
static SeamCall fault_fd_call(const SeamFault *fault, SeamCallKind kind, int fd, off_t offset) {
        return (SeamCall){
                .kind = kind,
                .fd = fd,
                .path = fault_path(fault, fd),
                .offset = offset,
        };
}

static int fault_fsync(const Seam *seam, int fd) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FSYNC, fd, 0);
        return (int) FAULT_CALL(fault, &call, fault->inner->ops->fsync(fault->inner, fd));
}

static int fault_fdatasync(const Seam *seam, int fd) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FDATASYNC, fd, 0);
        return (int) FAULT_CALL(fault, &call, fault->inner->ops->fdatasync(fault->inner, fd));
}

static int fault_fallocate(const Seam *seam, int fd, off_t offset, off_t length) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FALLOCATE, fd, offset);
        return (int) FAULT_CALL(fault, &call, inner->ops->fallocate(inner, fd, offset, length));
}

static int fault_ftruncate(const Seam *seam, int fd, off_t length) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FTRUNCATE, fd, length);
        return (int) FAULT_CALL(
                        fault, &call, fault->inner->ops->ftruncate(fault->inner, fd, length));
}

static int fault_fstat(const Seam *seam, int fd, struct stat *ret) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FSTAT, fd, 0);
        return (int) FAULT_CALL(fault, &call, fault->inner->ops->fstat(fault->inner, fd, ret));
}

static int fault_fchmod(const Seam *seam, int fd, mode_t mode) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FCHMOD, fd, 0);
        return (int) FAULT_CALL(fault, &call, fault->inner->ops->fchmod(fault->inner, fd, mode));
}

static int fault_fchown(const Seam *seam, int fd, uid_t uid, gid_t gid) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FCHOWN, fd, 0);
        return (int) FAULT_CALL(
                        fault, &call, fault->inner->ops->fchown(fault->inner, fd, uid, gid));
}

static int fault_mkdir_at(const Seam *seam, int dir_fd, const char *path, mode_t mode) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        char whole[SEAM_FAULT_PATH_MAX];
        SeamCall call = {
                .kind = SEAM_CALL_MKDIR_AT,
                .fd = dir_fd,
                .path = fault_join(fault, dir_fd, path, whole),
        };
        return (int) FAULT_CALL(fault, &call, inner->ops->mkdir_at(inner, dir_fd, path, mode));
}

static int fault_rename_at(
                const Seam *seam, int from_fd, const char *from, int to_fd, const char *to) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        char whole[SEAM_FAULT_PATH_MAX], whole_to[SEAM_FAULT_PATH_MAX];
        SeamCall call = {
                .kind = SEAM_CALL_RENAME_AT,
                .fd = from_fd,
                .path = fault_join(fault, from_fd, from, whole),
                .to = fault_join(fault, to_fd, to, whole_to),
        };
        int r = (int) FAULT_CALL(
                        fault, &call, inner->ops->rename_at(inner, from_fd, from, to_fd, to));
        if (r >= 0)
                fault_rename(fault, whole, whole_to);
        return r;
}

static int fault_unlink_at(const Seam *seam, int dir_fd, const char *path, int flags) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        char whole[SEAM_FAULT_PATH_MAX];
        SeamCall call = {
                .kind = SEAM_CALL_UNLINK_AT,
                .fd = dir_fd,
                .path = fault_join(fault, dir_fd, path, whole),
                .flags = flags,
        };
        return (int) FAULT_CALL(fault, &call, inner->ops->unlink_at(inner, dir_fd, path, flags));
}

static int fault_readlink_at(
                const Seam *seam, int dir_fd, const char *path, char *buffer, size_t n) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        char whole[SEAM_FAULT_PATH_MAX];
        SeamCall call = {
                .kind = SEAM_CALL_READLINK_AT,
                .fd = dir_fd,
                .path = fault_join(fault, dir_fd, path, whole),
        };
        return (int) FAULT_CALL(
                        fault, &call, inner->ops->readlink_at(inner, dir_fd, path, buffer, n));
}

static int fault_flock(const Seam *seam, int fd, int operation) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_FLOCK, fd, 0);
        call.flags = operation;
        return (int) FAULT_CALL(
                        fault, &call, fault->inner->ops->flock(fault->inner, fd, operation));
}

static int fault_list(const Seam *seam, int dir_fd, SeamDirVisit visit, void *userdata) {
        SeamFault *fault = fault_of(seam);
        const Seam *inner = fault->inner;
        SeamCall call = fault_fd_call(fault, SEAM_CALL_LIST, dir_fd, 0);
        return (int) FAULT_CALL(fault, &call, inner->ops->list(inner, dir_fd, visit, userdata));
}

static int fault_close(const Seam *seam, int fd) {
        SeamFault *fault = fault_of(seam);
        SeamCall call = fault_fd_call(fault, SEAM_CALL_CLOSE, fd, 0);

        SeamFaultKind what = fault_enter(fault, &call);
        int r = fault->inner->ops->close(fault->inner, fd);
        if (what == SEAM_FAULT_ERROR)
                r = -fault->error;
        r = (int) fault_leave(fault, &call, what, r);
        fault_remember(fault, fd, "");
        return r;
}

/* --- the object ---------------------------------------------------------------------------------------------- */

void seam_fault_init(SeamFault *fault, const Seam *inner) {
        static const SeamOps ops = {
                .open_at = fault_open_at,
                .pread = fault_pread,
                .pwrite = fault_pwrite,
                .fsync = fault_fsync,
                .fdatasync = fault_fdatasync,
                .fallocate = fault_fallocate,
                .ftruncate = fault_ftruncate,
                .fstat = fault_fstat,
                .fchmod = fault_fchmod,
                .fchown = fault_fchown,
                .mkdir_at = fault_mkdir_at,
                .rename_at = fault_rename_at,
                .unlink_at = fault_unlink_at,
                .readlink_at = fault_readlink_at,
                .flock = fault_flock,
                .list = fault_list,
                .close = fault_close,
        };
        *fault = (SeamFault){ .inner = inner };
        fault->seam = (Seam){ .ops = &ops, .userdata = fault };
}

void seam_fault_reset(SeamFault *fault) {
        fault->at = 0;
        fault->for_ever = false;
        fault->kind = SEAM_FAULT_NONE;
        fault->n_calls = 0;
        fault->n_faults = 0;
        fault->last_fault[0] = '\0';
        memset(fault->n_kind, 0, sizeof(fault->n_kind));
}

const char *seam_call_name(SeamCallKind kind) {
        static const char *const names[SEAM_CALL_KINDS] = {
                [SEAM_CALL_OPEN_AT] = "open",        [SEAM_CALL_PREAD] = "pread",
                [SEAM_CALL_PWRITE] = "pwrite",       [SEAM_CALL_FSYNC] = "fsync",
                [SEAM_CALL_FDATASYNC] = "fdatasync", [SEAM_CALL_FALLOCATE] = "fallocate",
                [SEAM_CALL_FTRUNCATE] = "ftruncate", [SEAM_CALL_FSTAT] = "fstat",
                [SEAM_CALL_FCHMOD] = "fchmod",       [SEAM_CALL_FCHOWN] = "fchown",
                [SEAM_CALL_MKDIR_AT] = "mkdir",      [SEAM_CALL_RENAME_AT] = "rename",
                [SEAM_CALL_UNLINK_AT] = "unlink",    [SEAM_CALL_READLINK_AT] = "readlink",
                [SEAM_CALL_FLOCK] = "flock",         [SEAM_CALL_LIST] = "list",
                [SEAM_CALL_CLOSE] = "close",
        };
        return names[kind];
}

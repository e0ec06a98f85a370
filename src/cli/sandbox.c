/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/guard-keeper.h"
#include "cli/private-tree.h"
#include "cli/transport.h"
#include "cli/verbs.h"
#include "config.h"
#include "system/private-namespaces.h"

#define SEARCHED_PROFILES  "/usr/share/twprofile/profiles"
#define INSTALLED_PROFILES PROJECT_DATADIR "/profiles"
#define PRIVATE_PROFILES   "/run/twprofile/profiles"

/* A step that failed: refused on this host, with what would help. */
static int refuse(Context *context, const char *help, const char *what, int error) {
        return context_fail(
                        context, DIAG_NOT_SUPPORTED_HERE, help, "%s: %s", what, strerror(error));
}

/* --- namespaces ----------------------------------------------------------------------------------------- */

static int enter_namespaces(Context *context, bool *ret_user_namespace) {
        static const char help[] =
                        "as root: sudo twprofile sandbox; or allow user namespaces "
                        "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone)";
        Error error = {};
        if (private_namespaces_enter(ret_user_namespace, &error) == 0)
                return 0;
        return context_fail(context, DIAG_NOT_SUPPORTED_HERE, help, "%s", error.text);
}

/* In a chroot "/" is no mount, and what holds it is out of sight: leave for the namespace's real root (chroot to a
 * directory below us; we are then outside of it, and ".." leads up), and come back to the same directory. */
static int make_real_root_private(void) {
        cleanup_close int home = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        cleanup_close int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (home < 0 || cwd < 0 || chdir("/") < 0 || chroot("/proc") < 0)
                return -errno;
        struct stat here, up;
        for (;;) {
                if (stat(".", &here) < 0 || stat("..", &up) < 0)
                        return -errno;
                if (here.st_dev == up.st_dev && here.st_ino == up.st_ino)
                        break;
                if (chdir("..") < 0)
                        return -errno;
        }
        int r = mount(NULL, ".", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
        if (fchdir(home) < 0 || chroot(".") < 0 || fchdir(cwd) < 0)
                return -errno;
        return r;
}

static int make_mounts_private(void) {
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
                return 0;
        return errno == EINVAL ? make_real_root_private() : -errno;
}

/* --- what is inside ------------------------------------------------------------------------------------- */

/* A bare root may have no /proc; a container has /proc/sys read-only. Ours is our own network namespace's. */
static int open_sysctls(Context *context) {
        if (access("/proc/sys/net", F_OK) < 0 &&
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return refuse(context, "mount /proc first", "there is no /proc here", errno);
        struct statvfs st;
        if (statvfs("/proc/sys/net", &st) < 0)
                return refuse(context, NULL, "there is no /proc/sys/net here", errno);
        if ((st.f_flag & ST_RDONLY) == 0)
                return 0;
        if (mount("/proc/sys/net", "/proc/sys/net", NULL, MS_BIND, NULL) < 0 ||
            mount(NULL, "/proc/sys/net", NULL,
                  MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return refuse(context, "run it as root of the container, or outside",
                              "/proc/sys/net is read-only here", errno);
        return 0;
}

static int raise_loopback(void) {
        cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* /run hides systemd, so that changes go to a helper of our own; the rest is what twprofile writes. */
static int make_trees(Error *reterr) {
        static const TreeEntry etc[] = {
                { "sysctl.d", TREE_ENTRY_COPY },
                { "sysctl.conf", TREE_ENTRY_COPY },
                { "twprofile", TREE_ENTRY_COPY },
        };
        static const TreeEntry var[] = { { "twprofile", TREE_ENTRY_ABSENT } };
        if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
                return error_set(reterr, -errno, "cannot make '/run' private");
        int r = private_tree_make("/etc", etc, ELEMENTSOF(etc), reterr);
        if (r == 0)
                r = private_tree_make("/var/lib", var, ELEMENTSOF(var), reterr);
        if (r == 0)
                r = private_tree_make("/var/log", var, ELEMENTSOF(var), reterr);
        if (r < 0)
                return r;
        static const char *const directories[] = { "/etc/sysctl.d", "/etc/twprofile",
                                                   "/run/twprofile", "/run/sysctl.d", "/run/lock" };
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdir(directories[i], 0755) < 0 && errno != EEXIST)
                        return error_set(reterr, -errno, "cannot make '%s'", directories[i]);
        return 0;
}

/* Copies where the shipped profiles cannot be used as they are: in a user namespace they belong to nobody it knows,
 * and below another prefix nobody looks for them. */
static int provide_profiles(const char *given, bool user_namespace, Error *reterr) {
        bool elsewhere = !streq(INSTALLED_PROFILES, SEARCHED_PROFILES);
        if ((user_namespace || elsewhere) && access(INSTALLED_PROFILES, R_OK) == 0) {
                int r = private_tree_copy_profiles(
                                INSTALLED_PROFILES, PRIVATE_PROFILES, NULL, reterr);
                if (r < 0)
                        return r;
        }
        if (!given)
                return 0;
        size_t n = 0;
        int r = private_tree_copy_profiles(given, PRIVATE_PROFILES, &n, reterr);
        if (r < 0)
                return r;
        return n > 0 ? 0 : error_set(reterr, -ENOENT, "cannot find a profile in '%s'", given);
}

/* --- the command ---------------------------------------------------------------------------------------- */

static void add_notice(const Context *context, bool user_namespace) {
        if (context->options.quiet)
                return;
        (void) fprintf(stderr,
                       "twprofile: a private copy of this machine's network settings, /etc, /run and /var.\n"
                       "Nothing here reaches the host%s. Try: twprofile list; twprofile enable hygiene.\n"
                       "\"exit\" ends it and forgets everything.\n",
                       user_namespace ? ", and root here is you" : ""); /* only a greeting */
}

static int run_command(Context *context, bool user_namespace) {
        const char *shell = getenv("SHELL");
        const char *fallback[] = { shell && *shell == '/' ? shell : "/bin/sh", NULL };
        const char *const *words = context->n_args > 0 ? context->args : fallback;
        if (context->n_args == 0)
                add_notice(context, user_namespace);
        if (setenv("TWPROFILE_SANDBOX", "1", 1) < 0)
                return -ENOMEM;
        const char *helper = transport_helper_path(context);
        int r = helper ? guard_keeper_start("/run/twprofile", helper, &context->error) : -ENOMEM;
        if (r < 0)
                return r;
        (void) fflush(NULL);                            /* nothing is pending but the greeting */
        (void) execvp(words[0], (char *const *) words); /* returns only when it failed */
        if (errno == ENOENT)
                return context_fail(
                                context, DIAG_UNKNOWN_PROFILE, NULL, "there is no command '%s'",
                                words[0]);
        return context_fail(
                        context, DIAG_IO_FAILED, NULL, "cannot run '%s': %s", words[0],
                        strerror(errno));
}

static int sandbox_run(Context *context) {
        bool user_namespace = false;
        int r = enter_namespaces(context, &user_namespace);
        if (r != 0)
                return r;
        r = make_mounts_private();
        if (r < 0)
                return refuse(context, NULL, "cannot keep mounts to ourselves", -r);
        r = open_sysctls(context);
        if (r != 0)
                return r;
        const char *profiles = context->options.profiles;
        r = make_trees(&context->error);
        if (r == 0)
                r = provide_profiles(profiles, user_namespace, &context->error);
        if (r < 0)
                return r;
        r = raise_loopback();
        if (r < 0)
                return refuse(context, NULL, "cannot raise the loopback interface", -r);
        return run_command(context, user_namespace);
}

const Command cmd_sandbox = {
        .name = "sandbox",
        .args = "[COMMAND…]",
        .help = "Try everything in a private copy of the settings",
        .more = "COMMAND (else a shell) runs with a network namespace of its own, so with its own\n"
                "sysctl values, and with private /etc, /run, /var/lib and /var/log: links to the\n"
                "host's entries, read-only, and real directories where twprofile writes. It needs\n"
                "no systemd and no privilege where user namespaces are allowed. The exit code is\n"
                "COMMAND's. --profiles=DIR adds the profiles of a source tree.\n",
        .group = COMMAND_GROUP_TRY,
        .max_args = ARGS_ANY,
        .flags = COMMAND_ARGS_ARE_COMMAND,
        .options = OPT_PROFILES,
        .run = sandbox_run,
};

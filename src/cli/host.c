/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "model/rules.h"
#include "system/machine-facts.h"

#define STATUS_PATH        "run/twprofile/status.json"
#define STATUS_MAX_BYTES   ((size_t) 8 * 1024 * 1024)
#define FRAGMENT_PATH      "etc/sysctl.d/60-twprofile.conf"
#define FRAGMENT_MAX_BYTES ((size_t) 1024 * 1024)
/* From the new fragment to the new view are two flushes. */
#define NEWS_WAIT_MS  1000
#define NEWS_PAUSE_MS 25

int host_open_files(Host *ret, const Context *context, Error *reterr) {
        const char *root = context->options.root ? context->options.root : "/";
        int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(reterr, -errno, "cannot open the root directory '%s'", root);
        *ret = (Host){
                .seam = seam_real(),
                .root_fd = fd,
                .files_only = context->options.root && !secure_getenv("TWPROFILE_ROOT_LIVE"),
                .initial_netns = true,
        };
        ret->dirs = (ProfileDirs){
                .seam = ret->seam,
                .root_fd = fd,
                .owner = context->options.root ? geteuid() : 0,
        };
        return 0;
}

static HostMark find_mark(int root_fd) {
        struct stat st;
        if (fstatat(root_fd, STATUS_PATH, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return (HostMark){ 0 };
        return (HostMark){
                .inode = (uint64_t) st.st_ino,
                .changed_ns = (int64_t) st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
        };
}

bool host_has_news(const Host *host) {
        bool is_ours = host->status_state == HOST_STATUS_CURRENT ||
                       host->status_state == HOST_STATUS_NONE;
        for (int waited = 0; is_ours && !host->files_only && waited <= NEWS_WAIT_MS;
             waited += NEWS_PAUSE_MS) {
                HostMark mark = find_mark(host->root_fd);
                if (mark.inode != host->mark.inode || mark.changed_ns != host->mark.changed_ns)
                        return true;
                (void) nanosleep(&(struct timespec){ .tv_nsec = NEWS_PAUSE_MS * 1000000L }, NULL);
        }
        return false;
}

bool host_awaits_confirmation(const Host *host) {
        return host->status_state == HOST_STATUS_CURRENT && host->status.undecided_tx;
}

static int load_status(Host *host, Arena *arena, Error *reterr) {
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        host->mark = find_mark(host->root_fd); /* before it is read: what comes after is news */
        int r = seam_read_file_at(
                        host->seam, host->root_fd, STATUS_PATH, STATUS_MAX_BYTES, &bytes, &n);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(reterr, r, "cannot read '/" STATUS_PATH "'");
        r = status_decode(bytes, n, arena, &host->status, reterr);
        if (r < 0) {
                (void) !error_prefix(reterr, r, "cannot understand '/" STATUS_PATH "'");
                return r == -EBADMSG ? -EIO : r; /* a file of ours, not a message */
        }
        host->status_state = HOST_STATUS_CURRENT;
        if (host->files_only)
                return 0;
        if (!streq(host->status.instance.boot_id, host->instance.boot_id))
                host->status_state = HOST_STATUS_OTHER_BOOT;
        else if (host->status.instance.netns_inode != host->instance.netns_inode)
                host->status_state = HOST_STATUS_OTHER_NETNS;
        return 0;
}

/* As the helper does it: the kernel that the image brings, else the one that runs here. */
static int find_image_kernel(Host *host, Error *reterr) {
        int r = instance_find_image_kernel(host->seam, host->root_fd, &host->kernel, reterr);
        if (r < 0 || host->kernel.major != 0)
                return r;
        struct utsname name;
        if (uname(&name) < 0 || kernel_version_parse(name.release, &host->kernel) < 0)
                return error_set(reterr, -EBADMSG, "cannot tell which kernel the image will boot");
        return 0;
}

/* The boot as the service manager knows it, for units: inside a sandbox /proc has lost the id that a container manager put
 * over the kernel's. 32 hexadecimal digits, as %b gives them; anything else counts as not given. */
static void take_boot_id(Instance *instance) {
        const char *id = secure_getenv("TWPROFILE_BOOT_ID");
        if (!id || strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32)
                return;
        (void) snprintf(instance->boot_id, sizeof(instance->boot_id), "%.8s-%.4s-%.4s-%.4s-%.12s",
                        id, id + 8, id + 12, id + 16, id + 20);
}

int host_open(Host *ret, Context *context, Error *reterr) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        int r = host_open_files(&host, context, reterr);
        if (r < 0)
                return r;
        if (host.files_only) {
                r = find_image_kernel(&host, reterr);
                if (r < 0)
                        return r;
        } else {
                take_boot_id(&host.instance);
                r = instance_read(host.seam, host.root_fd, &host.instance, reterr);
                if (r < 0)
                        return r;
                r = instance_read_kernel(host.seam, host.root_fd, &host.kernel, reterr);
                if (r < 0)
                        return r;
                host.initial_netns = instance_is_initial_netns(host.seam, host.root_fd);
        }
        r = load_status(&host, context->arena, reterr);
        if (r < 0)
                return r;
        *ret = host;
        host = HOST_EMPTY;
        return 0;
}

void host_close(Host *host) {
        if (host->status_state != HOST_STATUS_NONE)
                status_deinit(&host->status);
        host->status_state = HOST_STATUS_NONE;
        host->root_fd = fd_close(host->root_fd);
}

const Generation *host_generation(const Host *host) {
        switch (host->status_state) {
        case HOST_STATUS_CURRENT:
        case HOST_STATUS_OTHER_BOOT:
                return host->status.generation;
        case HOST_STATUS_NONE:
        case HOST_STATUS_OTHER_NETNS:
                return NULL;
        }
        return NULL;
}

/* As the helper takes it for --root: what every kernel from our floor on has built in will be there. */
static int assume_live(
                const SysctlSpec *const *specs, size_t n_specs, Arena *arena, LiveSnapshot *ret,
                Error *reterr) {
        static const KernelVersion floor = { 5, 10, 0 };
        LiveKey *keys = arena_alloc_array(arena, n_specs > 0 ? n_specs : 1, sizeof(LiveKey));
        if (!keys)
                return error_set(reterr, -ENOMEM, "cannot assume live values");
        for (size_t i = 0; i < n_specs; i++) {
                const SysctlSpec *spec = specs[i];
                bool everywhere = !spec->vendor && !spec->module &&
                                  kernel_version_compare(&spec->since, &floor) <= 0;
                keys[i] = (LiveKey){ .spec = spec,
                                     .state = everywhere ? LIVE_ASSUMED : LIVE_ABSENT };
        }
        *ret = (LiveSnapshot){ .keys = keys, .n_keys = n_specs };
        return 0;
}

int host_read_live(
                const Host *host, const SysctlSpec *const *specs, size_t n_specs, Arena *arena,
                LiveSnapshot *ret, Error *reterr) {
        LiveSnapshot live = {};
        int r = host->files_only ? assume_live(specs, n_specs, arena, &live, reterr)
                                 : sysctl_live_read(
                                                   &(SeamFd){ host->seam, host->root_fd }, specs,
                                                   n_specs, arena, &live, reterr);
        if (r < 0)
                return r;
        live.kernel = host->kernel;
        live.initial_netns = host->initial_netns;
        *ret = live;
        return 0;
}

int host_read_machine(
                const Host *host, const LiveSnapshot *live, Arena *arena, MachineFacts *ret,
                Error *reterr) {
        if (host->files_only) {
                *ret = (MachineFacts){};
                return 0;
        }
        int r = machine_facts_read(
                        &(SeamFd){ host->seam, host->root_fd }, rules_ask_listeners(live), arena,
                        ret);
        return r < 0 ? error_set(reterr, r, "cannot read what runs on this host") : 0;
}

int host_read_fragment(const Host *host, PlanFragment *ret, Error *reterr) {
        cleanup_free char *bytes = NULL;
        size_t n = 0;
        int r = seam_read_file_at(
                        host->seam, host->root_fd, FRAGMENT_PATH, FRAGMENT_MAX_BYTES, &bytes, &n);
        if (r == -ENOENT) {
                *ret = (PlanFragment){};
                return 0;
        }
        if (r < 0)
                return error_set(reterr, r, "cannot read '/" FRAGMENT_PATH "'");
        *ret = (PlanFragment){ .exists = true, .digest = sha256_of(bytes, n) };
        return 0;
}

/* The digest of the profile with its includes, as it is on disk. 0; > 0 when it cannot be loaded; <0. */
static int read_digest(const Host *host, const char *name, Sha256 *ret, Error *reterr) {
        CLEANUP(diag_list_freep) DiagList *diags = diag_list_new();
        if (!diags)
                return error_set(reterr, -ENOMEM, "cannot read profile '%s'", name);
        CLEANUP(bundle_freep) Bundle *bundle = NULL;
        ProfileDirs dirs = host->dirs;
        int r = bundle_load(name, profile_dirs_fetch, &dirs, diags, &bundle, reterr);
        if (r == 0)
                *ret = bundle->digest;
        return r;
}

int host_profile_is_changed(
                const Host *host, const GenerationProfile *profile, bool *ret, Error *reterr) {
        Sha256 digest;
        int r = read_digest(host, profile->name, &digest, reterr);
        if (r < 0)
                return r;
        *ret = r > 0 || !sha256_equal(&digest, &profile->digest);
        return 0;
}

int host_profile_is_quarantined(const Host *host, const char *name, bool *ret, Error *reterr) {
        const Status *status = &host->status;
        *ret = false;
        if (host->status_state != HOST_STATUS_CURRENT || status->n_quarantined == 0)
                return 0;
        Sha256 digest;
        int r = read_digest(host, name, &digest, reterr);
        for (size_t i = 0; r == 0 && i < status->n_quarantined; i++)
                *ret |= sha256_equal(&status->quarantined[i].digest, &digest);
        return r < 0 ? r : 0;
}

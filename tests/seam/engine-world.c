/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seam/engine-world.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORLD_PROFILES "etc/twprofile/profiles"
#define WORLD_NAMES    16U
#define WORLD_PATH_MAX 160U

static const struct {
        const char *path;
        const char *value;
} world_keys[] = {
        { "net/core/netdev_max_backlog", "1111" },
        { "net/core/somaxconn", "4000" },
        { "net/ipv4/ip_local_port_range", "32000\t60000" },
        { "net/ipv4/ip_local_reserved_ports", "" },
        { "net/ipv4/ip_unprivileged_port_start", "1000" },
        { "net/ipv4/tcp_fin_timeout", "61" },
        { "net/ipv4/tcp_keepalive_intvl", "74" },
        { "net/ipv4/tcp_keepalive_probes", "8" },
        { "net/ipv4/tcp_keepalive_time", "7100" },
        { "net/ipv4/tcp_max_syn_backlog", "2000" },
        { "net/ipv4/tcp_mem", "10000\t20000\t30000" },
        { "net/ipv4/tcp_retries2", "14" },
        { "net/ipv4/tcp_syn_retries", "5" },
        { "net/ipv4/tcp_synack_retries", "4" },
        { "net/ipv4/tcp_timestamps", "1" },
        { "net/ipv4/tcp_tw_reuse", "2" },
};

/* --- the kernel ------------------------------------------------------------------------------------------------ */

static bool world_meets(WorldTrouble *trouble, const char *path, const char *text) {
        bool meant = (!trouble->path || streq(trouble->path, path)) &&
                     (!trouble->value || streq(trouble->value, text));
        if (!meant || (trouble->error == 0 && !trouble->instead))
                return false;

        trouble->n_seen++;
        return trouble->n_seen >= trouble->from &&
               (trouble->to == 0 || trouble->n_seen <= trouble->to);
}

/* net/ipv4: the range's low end and ip_unprivileged_port_start bound each other (EINVAL). */
static int world_check_pair(World *world, const char *path, const char *text) {
        if (!world->pairs_bound)
                return 0;
        bool range = streq(path, "net/ipv4/ip_local_port_range");
        if (!range && !streq(path, "net/ipv4/ip_unprivileged_port_start"))
                return 0;

        const char *other = world_live(
                        world, range ? "net/ipv4/ip_unprivileged_port_start"
                                     : "net/ipv4/ip_local_port_range");
        long low = strtol(range ? text : other, NULL, 10);
        long start = strtol(range ? other : text, NULL, 10);
        return start > low ? -EINVAL : 0;
}

static int world_takes(void *userdata, const char *path, char *text) {
        World *world = userdata;
        for (size_t i = 0; i < WORLD_TROUBLES; i++) {
                WorldTrouble *trouble = &world->troubles[i];
                if (!world_meets(trouble, path, text))
                        continue;
                if (trouble->error)
                        return -trouble->error;
                (void) snprintf(text, SEAM_SYSCTL_TEXT_MAX, "%s", trouble->instead);
        }
        return world_check_pair(world, path, text);
}

static void world_file(const char *path, char ret[static WORLD_PATH_MAX]) {
        (void) snprintf(ret, WORLD_PATH_MAX, "proc/sys/%s", path);
}

void world_set_live(World *world, const char *path, const char *value) {
        char file[WORLD_PATH_MAX], line[SEAM_SYSCTL_TEXT_MAX];
        world_file(path, file);
        (void) snprintf(line, sizeof(line), "%s\n", value);
        scratch_write(&world->scratch, file, line);
}

const char *world_live(World *world, const char *path) {
        char file[WORLD_PATH_MAX];
        world_file(path, file);
        cleanup_free char *text = scratch_read(&world->scratch, file, NULL);
        (void) snprintf(world->live, sizeof(world->live), "%s", text ? text : "(absent)");
        world->live[strcspn(world->live, "\n")] = '\0';
        return world->live;
}

static void world_start_kernel(World *world) {
        char boot_id[64];
        (void) snprintf(boot_id, sizeof(boot_id), "b007b007-0000-4000-8000-%012u\n",
                        ++world->boots);
        scratch_write(&world->scratch, WORLD_BOOT_ID, boot_id);
        for (size_t i = 0; i < ELEMENTSOF(world_keys); i++)
                world_set_live(world, world_keys[i].path, world_keys[i].value);
}

static void world_prepare(World *world) {
        world->engine.kernel = (KernelVersion){ 0 };
        world->engine.instance = (Instance){ 0 };
        if (engine_prepare(&world->engine, &world->error) < 0) {
                (void) fprintf(stderr, "world: %s\n", world->error.text);
                abort();
        }
}

void world_set_netns(World *world, const char *inode) {
        scratch_link(&world->scratch, "proc/self/ns/net", inode);
        world_prepare(world);
}

/* --- profiles ---------------------------------------------------------------------------------------------------- */

void world_profile(World *world, const char *name, const char *sysctl) {
        char path[128], text[2048];
        (void) snprintf(path, sizeof(path), WORLD_PROFILES "/%s.yaml", name);
        (void) snprintf(text, sizeof(text),
                        "version: 1\nname: %s\nsummary: made for a test\nsysctl:\n%s", name,
                        sysctl);
        scratch_write(&world->scratch, path, text);
}

static void world_make_profiles(World *world) {
        world_profile(world, "alpha",
                      "  net.core.somaxconn: 8192\n  net.ipv4.tcp_keepalive_time: 1200\n");
        world_profile(world, "beta",
                      "  net.ipv4.tcp_keepalive_intvl: 30\n  net.ipv4.tcp_max_syn_backlog: 8192\n");
        world_profile(world, "gamma",
                      "  net.ipv4.tcp_syn_retries: 4\n  net.core.somaxconn: {at-least: 2048}\n");
        world_profile(world, "delta", "  net.ipv4.ip_local_port_range: [20000, 60999]\n");
        world_profile(world, "epsilon",
                      "  net.ipv4.tcp_keepalive_probes: 5\n  net.ipv4.tcp_synack_retries: 3\n");
        world_profile(world, "pending",
                      "  net.ipv4.tcp_retries2: 9\n  net.netfilter.nf_conntrack_max: 262144\n");
}

/* --- the clock and the guard --------------------------------------------------------------------------------------- */

static int64_t world_now(void *userdata) {
        return ((const World *) userdata)->now_ms;
}

static int world_arm(void *userdata, const char *tx UNUSED, Error *reterr) {
        World *world = userdata;
        world->n_armed++;
        if (world->arm_error)
                return error_set(reterr, -world->arm_error, "the guard of the test");
        return 0;
}

/* --- the machine ------------------------------------------------------------------------------------------------- */

void world_init(World *world) {
        *world = (World){ 0 };
        scratch_init(&world->scratch);
        seam_sysctl_init(&world->kernel, seam_real());
        world->kernel.takes = world_takes;
        world->kernel.userdata = world;
        seam_fault_init(&world->fault, &world->kernel.seam);

        scratch_write(&world->scratch, "proc/sys/kernel/osrelease", "6.18.44\n");
        world_start_kernel(world);
        world_make_profiles(world);
        scratch_mkdir(&world->scratch, "etc/sysctl.d");
        scratch_mkdir(&world->scratch, "var/log");

        world->engine = (Engine){
                .seam = &world->fault.seam,
                .root_fd = world->scratch.fd,
                .audit_gid = (gid_t) -1,
                .arm = world_arm,
                .arm_userdata = world,
                .clock = world_now,
                .clock_userdata = world,
        };
        world->now_ms = 1000000;
        world->caller = (AuditCaller){ .pid = 100, .auid = 1000, .session = 1, .comm = "test" };
        world_set_netns(world, "net:[4026531840]");
        seam_fault_reset(&world->fault);
}

void world_deinit(World *world) {
        engine_result_deinit(&world->result);
        seam_sysctl_deinit(&world->kernel);
        scratch_deinit(&world->scratch);
}

/* One line of a sysctl.d file, as systemd-sysctl would write it. */
static void world_apply_line(World *world, const char *line) {
        const char *equals = strchr(line, '=');
        if (!equals || line[0] == '#' || line[0] == ';')
                return;

        char path[128];
        int n = (int) strcspn(line, " =");
        (void) snprintf(path, sizeof(path), "%.*s", n, line);
        for (char *p = path; *p; p++)
                *p = *p == '.' ? '/' : *p;
        char file[WORLD_PATH_MAX];
        world_file(path, file);
        if (scratch_has(&world->scratch, file))
                world_set_live(world, path, equals + 1 + strspn(equals + 1, " "));
}

static int world_is_conf(const struct dirent *entry) {
        return endswith(entry->d_name, ".conf");
}

static void world_apply_files(World *world) {
        char dir[96];
        (void) snprintf(dir, sizeof(dir), "%s/etc/sysctl.d", world->scratch.path);
        struct dirent **names = NULL;
        int n = scandir(dir, &names, world_is_conf, alphasort);
        for (int i = 0; i < n; i++) {
                char path[512];
                (void) snprintf(path, sizeof(path), "etc/sysctl.d/%s", names[i]->d_name);
                cleanup_free char *text = scratch_read(&world->scratch, path, NULL);
                char *rest = text;
                for (char *line; text && (line = strsep(&rest, "\n"));)
                        world_apply_line(world, line);
                free(names[i]);
        }
        free(names);
}

void world_reboot(World *world) {
        scratch_remove(&world->scratch, "run");
        world_start_kernel(world);
        world_apply_files(world);
        world_prepare(world);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

int world_run(World *world, const EngineRequest *request) {
        engine_result_deinit(&world->result);
        world->result = (EngineResult){ 0 };
        error_reset(&world->error);
        int r = engine_run(&world->engine, request, &world->result, &world->error);
        return r < 0 ? r : world->result.exit_code;
}

static int world_run_names(World *world, EngineRequest request, const char *names) {
        char copy[256];
        (void) snprintf(copy, sizeof(copy), "%s", names);
        const char *list[WORLD_NAMES];

        char *rest = copy;
        for (char *name; (name = strsep(&rest, " "));)
                if (name[0] != '\0' && request.n_profiles < WORLD_NAMES)
                        list[request.n_profiles++] = name;
        request.profiles = list;
        return world_run(world, &request);
}

int world_enable(World *world, const char *names) {
        return world_run_names(
                        world, (EngineRequest){ .verb = ENGINE_ENABLE, .via = "direct" }, names);
}

int world_only(World *world, const char *names) {
        EngineRequest request = { .verb = ENGINE_ENABLE, .only = true, .via = "direct" };
        return world_run_names(world, request, names);
}

int world_disable(World *world, const char *names) {
        return world_run_names(
                        world, (EngineRequest){ .verb = ENGINE_DISABLE, .via = "direct" }, names);
}

int world_rollback(World *world, const char *to) {
        EngineRequest request = { .verb = ENGINE_ROLLBACK, .to = to, .via = "direct" };
        return world_run(world, &request);
}

int world_recover(World *world) {
        return world_run(world, &(EngineRequest){ .verb = ENGINE_RECOVER, .via = "recover" });
}

int world_boot(World *world) {
        return world_run(world, &(EngineRequest){ .verb = ENGINE_BOOT, .via = "boot" });
}

int world_try(World *world, const char *names, uint32_t seconds) {
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .confirm_within_s = seconds,
                .runtime = seconds == 0,
                .caller = &world->caller,
                .via = "socket",
        };
        int r = world_run_names(world, request, names);
        (void) snprintf(world->token, sizeof(world->token), "%s",
                        world->result.token ? world->result.token : "");
        return r;
}

int world_confirm(World *world) {
        AuditCaller caller = world->caller;
        caller.session = 2;
        EngineRequest request = {
                .verb = ENGINE_CONFIRM,
                .token = world->token,
                .caller = &caller,
                .via = "socket",
        };
        return world_run(world, &request);
}

int world_revert(World *world, const char *cause) {
        EngineRequest request = {
                .verb = ENGINE_REVERT,
                .cause = cause,
                .evidence = streq(cause, "gate") ? "ListenOverflows 0/s before, 412/s now" : NULL,
                .via = "guard",
        };
        return world_run(world, &request);
}

int world_release(World *world, const char *name) {
        EngineRequest request = { .verb = ENGINE_RELEASE,
                                  .reason = "looked into",
                                  .via = "socket" };
        return world_run_names(world, request, name);
}

/* --- dying ------------------------------------------------------------------------------------------------------- */

#define WORLD_DEATH 99

typedef struct Death {
        uint64_t at;
        SeamFaultMatch matches;
} Death;

static void world_die(void *userdata, const SeamCall *call) {
        const Death *death = userdata;
        if (death->matches ? death->matches(NULL, call) : call->number == death->at)
                _exit(WORLD_DEATH); /* no cleanup, no buffer, no undo */
}

static bool world_die_by(World *world, WorldRequest request, Death death) {
        pid_t pid = fork();
        if (pid < 0)
                abort();
        if (pid == 0) {
                seam_fault_reset(&world->fault);
                world->fault.before = world_die;
                world->fault.userdata = &death;
                (void) request(world);
                _exit(0);
        }

        int status = 0;
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
                abort();
        return WEXITSTATUS(status) == WORLD_DEATH;
}

bool world_die_at(World *world, WorldRequest request, uint64_t at) {
        return world_die_by(world, request, (Death){ .at = at });
}

bool world_die_when(World *world, WorldRequest request, SeamFaultMatch matches) {
        return world_die_by(world, request, (Death){ .matches = matches });
}

/* --- looking ----------------------------------------------------------------------------------------------------- */

char *world_view(World *world) {
        size_t size = 64U * 1024;
        char *view = calloc(1, size);
        if (!view)
                abort();

        size_t n = 0;
        for (size_t i = 0; i < ELEMENTSOF(world_keys); i++)
                n += (size_t) snprintf(
                                view + n, size - n, "%s = %s\n", world_keys[i].path,
                                world_live(world, world_keys[i].path));
        cleanup_free char *fragment = scratch_read(&world->scratch, WORLD_FRAGMENT, NULL);
        (void) snprintf(view + n, size - n, "--- fragment\n%s", fragment ? fragment : "(none)\n");
        return view;
}

bool world_view_is(World *world, const char *view) {
        cleanup_free char *now = world_view(world);
        return streq(now, view);
}

const Diag *world_finding(const World *world, DiagId id) {
        for (size_t i = 0; i < diag_list_count(world->result.findings); i++)
                if (diag_list_get(world->result.findings, i)->id == id)
                        return diag_list_get(world->result.findings, i);
        return NULL;
}

bool world_has_finding(const World *world, DiagId id) {
        return world_finding(world, id);
}

const char *world_outcome(const World *world) {
        return world->result.outcome ? world->result.outcome : "(none)";
}

const EngineChange *world_change(const World *world, const char *key) {
        for (size_t i = 0; i < world->result.n_changes; i++)
                if (streq(world->result.changes[i].key, key))
                        return &world->result.changes[i];
        return NULL;
}

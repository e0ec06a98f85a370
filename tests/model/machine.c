/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine.h"

#include <stdarg.h>

#include "engine/engine.h"
#include "sim-process.h"

#define WINDOW_S     10U
#define FRAGMENT     "etc/sysctl.d/60-twprofile.conf"
#define BOOT_ID_FILE "proc/sys/kernel/random/boot_id"
#define FOREIGN      "5555"

static const char *const key_paths[STATE_KEYS] = { "proc/sys/net/core/somaxconn",
                                                   "proc/sys/net/ipv4/tcp_keepalive_time" };
static const char *const key_names[STATE_KEYS] = { "net.core.somaxconn",
                                                   "net.ipv4.tcp_keepalive_time" };
static const char *const kernel_values[STATE_KEYS] = { "4000", "7100" };
static const char *const config_values[_CONFIG_MAX][STATE_KEYS] = {
        [CONFIG_BASE] = { NULL, NULL },
        [CONFIG_ONE] = { "8192", "1200" },
        [CONFIG_TWO] = { "16384", "600" },
};
static const char *const config_profiles[_CONFIG_MAX] = { NULL, "one", "two" };

static const struct {
        const char *name;
        EngineVerb verb;
        Config to; /* where it leads when it is a change that says so */
} steps[_STEP_MAX] = {
        [STEP_ENABLE] = { "enable", ENGINE_ENABLE, CONFIG_ONE },
        [STEP_REPLACE] = { "enable another", ENGINE_ENABLE, CONFIG_TWO },
        [STEP_DISABLE] = { "disable", ENGINE_DISABLE, CONFIG_BASE },
        [STEP_ROLLBACK] = { "rollback", ENGINE_ROLLBACK, _CONFIG_MAX },
        [STEP_ORIGIN] = { "rollback to the origin", ENGINE_ROLLBACK, CONFIG_BASE },
        [STEP_WINDOW] = { "enable with a window", ENGINE_ENABLE, CONFIG_ONE },
        [STEP_CONFIRM] = { "confirm", ENGINE_CONFIRM, _CONFIG_MAX },
        [STEP_DEADLINE] = { "guard", ENGINE_REVERT, _CONFIG_MAX },
        [STEP_RELEASE] = { "release", ENGINE_RELEASE, _CONFIG_MAX },
        [STEP_TOUCH] = { "foreign write", ENGINE_RECOVER, _CONFIG_MAX },
        [STEP_RECOVER] = { "recovery", ENGINE_RECOVER, _CONFIG_MAX },
        [STEP_BOOT] = { "boot", ENGINE_BOOT, _CONFIG_MAX },
};

unsigned state_situation(const State *state, Step step) {
        return step == STEP_ROLLBACK && state->window ? SITUATION_TAKE_BACK : (unsigned) step;
}

const char *situation_name(unsigned situation) {
        switch (situation) {
        case SITUATION_REST:
                return "at rest";
        case SITUATION_TAKE_BACK:
                return "rollback in a window";
        default:
                return steps[situation].name;
        }
}

/* --- states ----------------------------------------------------------------------------------------------------- */

PRINTF_LIKE(2, 3) static void say(State *state, const char *format, ...);
static void say(State *state, const char *format, ...) {
        size_t n = strlen(state->history);
        va_list ap;
        va_start(ap, format);
        (void) vsnprintf(state->history + n, sizeof(state->history) - n, format, ap);
        va_end(ap);
}

PRINTF_LIKE(2, 3) static void blame(State *state, const char *format, ...);
static void blame(State *state, const char *format, ...) {
        if (state->fault[0] != '\0')
                return;
        va_list ap;
        va_start(ap, format);
        (void) vsnprintf(state->fault, sizeof(state->fault), format, ap);
        va_end(ap);
}

static const char *const plant_names[] = {
        [SIM_PLANT_NONE] = "none",
        [SIM_PLANT_COMMIT_UNFLUSHED] = "commit-unflushed",
        [SIM_PLANT_FRAGMENT_UNFLUSHED] = "fragment-unflushed",
        [SIM_PLANT_ACT_UNFLUSHED] = "act-unflushed",
        [SIM_PLANT_BLIND_WRITE] = "blind-write",
        [SIM_PLANT_BLIND_RESTORE] = "blind-restore",
        [SIM_PLANT_OLD_BOOT_ID] = "old-boot-id",
        [SIM_PLANT_NO_REDO] = "no-redo",
};

bool plant_parse(const char *name, SimPlant *ret) {
        for (size_t i = 0; i < ELEMENTSOF(plant_names); i++)
                if (streq(name, plant_names[i])) {
                        *ret = (SimPlant) i;
                        return true;
                }
        return false;
}

static void start_kernel(State *state) {
        char boot_id[64];
        (void) snprintf(boot_id, sizeof(boot_id), "b007b007-0000-4000-8000-%012u\n",
                        state->disk->boots + 1);
        sim_disk_put(state->disk, BOOT_ID_FILE, boot_id);
        for (size_t i = 0; i < STATE_KEYS; i++)
                sim_disk_put_sysctl(state->disk, key_paths[i], kernel_values[i]);
}

State *state_new(unsigned actions, unsigned crashes, SimPlant plant) {
        State *state = sim_realloc(NULL, sizeof(State));
        *state = (State){
                .disk = sim_disk_new(),
                .actions_left = actions,
                .crashes_left = crashes,
                .touches_left = 1,
                .may = 1U << CONFIG_BASE,
        };
        memcpy(state->base, kernel_values, sizeof(state->base));

        SimDisk *disk = state->disk;
        disk->plant = plant;
        disk->now_ms = 1000000;
        sim_disk_put(disk, "proc/sys/kernel/osrelease", "6.18.44\n");
        sim_disk_put(disk, "proc/sys/net/ipv4/tcp_mem", "10000\t20000\t30000\n");
        start_kernel(state);
        for (Config c = CONFIG_ONE; c < _CONFIG_MAX; c++) {
                char path[64], text[256];
                (void) snprintf(path, sizeof(path), "etc/twprofile/profiles/%s.yaml",
                                config_profiles[c]);
                (void) snprintf(text, sizeof(text),
                                "version: 1\nname: %s\nsummary: made for a test\nsysctl:\n  %s: %s\n  %s: %s\n",
                                config_profiles[c], key_names[0], config_values[c][0], key_names[1],
                                config_values[c][1]);
                sim_disk_put(disk, path, text);
        }
        sim_disk_put_dir(disk, "etc/sysctl.d");
        sim_disk_put_dir(disk, "var/log");
        sim_disk_put_dir(disk, "var/lib");
        sim_disk_put_dir(disk, "run");
        return state;
}

State *state_copy(const State *state) {
        State *copy = sim_realloc(NULL, sizeof(State));
        *copy = *state;
        copy->disk = sim_disk_copy(state->disk);
        return copy;
}

void state_free(State *state) {
        state->disk = sim_disk_free(state->disk);
        sim_free(state);
}

Sha256 state_digest(const State *state) {
        Sha256Stream stream;
        sha256_init_stream(&stream);
        Sha256 disk = sim_disk_digest(state->disk);
        sha256_add(&stream, disk.bytes, sizeof(disk.bytes));
        const unsigned numbers[] = {
                state->phase,        state->actions_left, state->crashes_left,
                state->touches_left, state->may,          state->window,
                state->window_boot,  state->window_to,    state->base_may_be_kernels
        };
        sha256_add(&stream, numbers, sizeof(numbers));
        sha256_add(&stream, state->token, strlen(state->token));
        for (size_t i = 0; i < STATE_KEYS; i++) {
                const unsigned flags = state->foreign[i] | (unsigned) state->base_is_open[i] << 1;
                sha256_add(&stream, &flags, sizeof(flags));
                sha256_add(&stream, state->base[i], strlen(state->base[i]));
                if (state->disk->seen[0])
                        sha256_add(&stream, state->disk->seen[0], strlen(state->disk->seen[0]));
        }
        return sha256_end(&stream);
}

/* --- the world around the engine ---------------------------------------------------------------------------------- */

static bool live_is(const State *state, size_t key, const char *value) {
        return streq(sim_disk_get(state->disk, key_paths[key]), value);
}

/* Which of ours the fragment asks for; _CONFIG_MAX for something else. */
static Config fragment_config(const State *state) {
        const char *text = sim_disk_get(state->disk, FRAGMENT);
        if (!text)
                return CONFIG_BASE;
        for (Config c = CONFIG_ONE; c < _CONFIG_MAX; c++) {
                bool all = true;
                for (size_t i = 0; i < STATE_KEYS; i++) {
                        char line[96];
                        (void) snprintf(line, sizeof(line), "\n%s = %s\n", key_names[i],
                                        config_values[c][i]);
                        all = all && strstr(text, line);
                }
                if (all)
                        return c;
        }
        return _CONFIG_MAX;
}

bool state_has_fragment(const State *state) {
        return fragment_config(state) != CONFIG_BASE;
}

/* What systemd-sysctl does with the fragment, whatever stands in it. */
static void apply_fragment(State *state) {
        const char *text = sim_disk_get(state->disk, FRAGMENT);
        for (size_t i = 0; text && i < STATE_KEYS; i++) {
                char start[64], value[32];
                (void) snprintf(start, sizeof(start), "\n%s = ", key_names[i]);
                const char *at = strstr(text, start);
                if (!at)
                        continue;
                at += strlen(start);
                (void) snprintf(value, sizeof(value), "%.*s", (int) strcspn(at, "\n"), at);
                sim_disk_set_sysctl(state->disk, key_paths[i], value);
        }
}

void state_cut(State *state, size_t i) {
        sim_disk_cut(state->disk, i);
        start_kernel(state);
        apply_fragment(state);
        state->phase = PHASE_BOOT;
        for (size_t k = 0; k < STATE_KEYS; k++) {
                state->foreign[k] = false;
                /* what is carried over reboots is the origin that was recorded; what is not ours is the kernel's */
                if (state->may == 1U << CONFIG_BASE)
                        state->base[k] = kernel_values[k];
        }
        /* with nothing of ours on the disk it is the kernel's too, and what was cut taking ours away puts the origin back */
        state->base_may_be_kernels = (state->may & 1U << CONFIG_BASE) != 0;
        say(state, " | power cut %zu", i);
}

/* --- a request ---------------------------------------------------------------------------------------------------- */

typedef struct Call {
        State *state;
        Step step;
        const Seam *seam;
        int r, exit_code;
        char outcome[32], token[64];
        bool says_status_lags; /* a finding says that the public status could not be written */
} Call;

static int armed(void *userdata UNUSED, const char *tx UNUSED, Error *reterr UNUSED) {
        return 0;
}

static size_t wanted_names(const State *state, Step step, const char **ret) {
        if (step == STEP_ENABLE || step == STEP_WINDOW || step == STEP_REPLACE) {
                ret[0] = config_profiles[steps[step].to];
                return 1;
        }
        if (step == STEP_RELEASE) {
                ret[0] = config_profiles[CONFIG_ONE];
                return 1;
        }
        if (step != STEP_DISABLE)
                return 0;
        Config now = fragment_config(state);
        ret[0] = now < _CONFIG_MAX && config_profiles[now] ? config_profiles[now] : "one";
        return 1;
}

/* Runs as the process that may be killed. */
static void body(void *userdata) {
        Call *call = userdata;
        State *state = call->state;
        const AuditCaller caller = {
                .uid = 0, .pid = 100, .auid = 1000, .session = call->step == STEP_CONFIRM ? 2 : 1
        };
        Engine engine = {
                .seam = call->seam,
                .root_fd = SIM_FD_BASE,
                .audit_gid = (gid_t) -1,
                .arm = armed,
        };
        if (state->disk->lying && state->disk->plant == SIM_PLANT_OLD_BOOT_ID)
                (void) snprintf(engine.instance.boot_id, sizeof(engine.instance.boot_id),
                                "b007b007-0000-4000-8000-%012u", state->window_boot + 1);

        const char *names[1];
        EngineRequest request = {
                .verb = steps[call->step].verb,
                .profiles = names,
                .n_profiles = wanted_names(state, call->step, names),
                .only = call->step == STEP_REPLACE || call->step == STEP_WINDOW,
                .confirm_within_s = call->step == STEP_WINDOW ? WINDOW_S : 0,
                .to = call->step == STEP_ORIGIN ? "origin" : NULL,
                .token = call->step == STEP_CONFIRM ? state->token : NULL,
                .cause = call->step == STEP_DEADLINE ? "deadline" : NULL,
                /* a confirmation that would also take a drift over: nothing but the boot keeps it from an old change */
                .adopt = call->step == STEP_CONFIRM && state->phase == PHASE_BOOT ? PLAN_ADOPT_DRIFT
                                                                                  : 0,
                .reason = call->step == STEP_CONFIRM || call->step == STEP_RELEASE ? "tested"
                                                                                   : NULL,
                .caller = &caller,
                .via = "socket",
        };
        Error error = { 0 };
        call->r = engine_prepare(&engine, &error);
        EngineResult result = { 0 };
        if (call->r >= 0)
                call->r = engine_run(&engine, &request, &result, &error);
        if (call->r < 0)
                return;
        call->exit_code = result.exit_code;
        (void) snprintf(call->outcome, sizeof(call->outcome), "%s", result.outcome);
        for (size_t i = 0; i < diag_list_count(result.findings); i++)
                if (diag_list_get(result.findings, i)->id == DIAG_STATUS_UNWRITABLE)
                        call->says_status_lags = true;
        (void) snprintf(call->token, sizeof(call->token), "%s", result.token ? result.token : "");
        engine_result_deinit(&result);
}

static void die(void *userdata UNUSED) {
        sim_process_kill();
}

static void touch(void *userdata) {
        State *state = userdata;
        sim_disk_set_sysctl(state->disk, key_paths[0], FOREIGN);
        state->touched = true;
}

/* Whether a planted fault shows in this step. */
static bool lies(const State *state, Step step) {
        switch (state->disk->plant) {
        case SIM_PLANT_ACT_UNFLUSHED:
                return state->phase != PHASE_READY;
        case SIM_PLANT_BLIND_WRITE:
                return state->phase == PHASE_READY && (step == STEP_ENABLE || step == STEP_REPLACE);
        case SIM_PLANT_BLIND_RESTORE:
                return state->phase == PHASE_DEAD || step == STEP_DISABLE ||
                       step == STEP_ROLLBACK || step == STEP_ORIGIN || step == STEP_DEADLINE;
        case SIM_PLANT_OLD_BOOT_ID:
                return step == STEP_CONFIRM;
        case SIM_PLANT_NO_REDO:
                return state->phase == PHASE_BOOT;
        case SIM_PLANT_NONE:
        case SIM_PLANT_COMMIT_UNFLUSHED:
        case SIM_PLANT_FRAGMENT_UNFLUSHED:
        default:
                return false;
        }
}

/* What may have become of a request that was not answered, or whose answer says that nobody knows. */
static void expect_either(State *state, Step step) {
        switch (step) {
        case STEP_ENABLE:
        case STEP_REPLACE:
        case STEP_DISABLE:
        case STEP_ORIGIN:
                state->may |= 1U << steps[step].to;
                break;
        case STEP_ROLLBACK:
                if (!state->window)
                        state->may = (1U << _CONFIG_MAX) - 1; /* one of those that were */
                break;
        case STEP_WINDOW:
                state->window = true;
                state->window_to = CONFIG_ONE;
                state->window_boot = state->disk->boots;
                break;
        case STEP_CONFIRM:
                state->may |= 1U << state->window_to;
                break;
        case STEP_DEADLINE:
        case STEP_RELEASE:
        case STEP_TOUCH:
        case STEP_RECOVER:
        case STEP_BOOT:
        case _STEP_MAX:
        default:
                break;
        }
}

/* What the answer promises. */
static void take_answer(State *state, const Call *call) {
        Step step = call->step;
        bool done = streq(call->outcome, "applied") || streq(call->outcome, "partly") ||
                    streq(call->outcome, "unchanged");
        if (streq(call->outcome, "unknown")) {
                expect_either(state, step);
                return;
        }
        if (step == STEP_WINDOW && streq(call->outcome, "pending")) {
                expect_either(state, step);
                (void) snprintf(state->token, sizeof(state->token), "%s", call->token);
                return;
        }
        if (step == STEP_CONFIRM && done) {
                if (state->window_boot != state->disk->boots)
                        blame(state, "a change was confirmed after the reboot that took it back");
                state->may = 1U << state->window_to;
                state->window = false;
        } else if (step == STEP_ROLLBACK && !state->window && done)
                expect_either(state, step);
        else if (steps[step].to < _CONFIG_MAX && done && step != STEP_WINDOW)
                state->may = 1U << steps[step].to;
        /* a guard that is refused (the lock cannot be had) or fails comes again */
        if (step == STEP_DEADLINE && !streq(call->outcome, "refused"))
                state->window = false;
}

static void touch_at_rest(State *state) {
        touch(state);
        state->actions_left--;
        state->touches_left--;
        if (fragment_config(state) == CONFIG_BASE && !state->window)
                state->base[0] = FOREIGN;
        else
                state->foreign[0] = true;
        state->n_calls = state->n_changes = 0;
}

static bool is_key_call(void *userdata UNUSED, const SeamCall *call) {
        return startswith(call->path, "proc/sys/net/");
}

/* The kernel gives a sysctl whole or not at all: what may come short is files, and what is written. */
static bool may_be_short(void *userdata, const SeamCall *call) {
        return call->kind != SEAM_CALL_PREAD || !is_key_call(userdata, call);
}

/* And a canonical value it takes whole or not at all (proc_dointvec() and its relatives): a key that takes halves for ever,
 * of its own old value too, is no kernel that could be recovered on. */
static bool may_be_short_for_ever(void *userdata, const SeamCall *call) {
        return !is_key_call(userdata, call);
}

/* A flush that is told to have failed has lost what it was to flush. */
static void doom(void *userdata, const SeamCall *call) {
        bool flushes = call->kind == SEAM_CALL_FSYNC || call->kind == SEAM_CALL_FDATASYNC;
        if (flushes && call->result < 0 && call->result != -EINTR)
                sim_disk_doom(userdata, call->fd);
}

static const Seam *plan_fault(SeamFault *seam, const Seam *inner, const RunOptions *how) {
        seam_fault_init(seam, inner);
        if (how->fault->of_memory) {
                sim_process_fail_alloc(how->fault_at, how->for_ever);
                return inner;
        }
        seam->at = how->fault_at;
        seam->for_ever = how->for_ever;
        seam->kind = how->fault->kind;
        seam->error = how->fault->error;
        if (how->fault->of_keys)
                seam->matches = is_key_call;
        else if (how->fault->kind == SEAM_FAULT_SHORT)
                seam->matches = how->for_ever ? may_be_short_for_ever : may_be_short;
        seam->after = doom;
        seam->userdata = (void *) ((const SimDisk *) inner->userdata);
        return &seam->seam;
}

void state_run(State *state, Step step, RunOptions how) {
        SimDisk *disk = state->disk;
        say(state, " | %s", steps[step].name);
        state->touched = false;
        state->was_foreign = state->foreign[0];
        state->fault[0] = '\0';
        if (step == STEP_TOUCH) {
                touch_at_rest(state);
                return;
        }
        if (step == STEP_DEADLINE)
                disk->now_ms += (WINDOW_S + 1) * 1000;

        sim_disk_close_all(disk);
        disk->lying = lies(state, step);
        disk->at = how.die_at;
        disk->touch_at = how.touch_at;
        disk->die = die;
        disk->touch = touch;
        disk->userdata = state;
        sim_process_set_clock(disk->now_ms);
        sim_process_set_random(&disk->randoms);
        static SeamFault seam;
        Call call = { .state = state, .step = step, .seam = sim_disk_seam(disk) };
        if (how.fault)
                call.seam = plan_fault(&seam, call.seam, &how);
        bool ended = sim_process_run(body, &call);
        state->n_changes = disk->n_changes;
        state->n_calls = !how.fault             ? disk->n_calls
                         : how.fault->of_memory ? sim_process_count_alloc()
                                                : seam.n_calls;
        if (how.fault && how.fault->of_keys && how.fault->error == ENOENT)
                state->key_was_gone = true;
        state->exit_code = ended && call.r >= 0 ? call.exit_code : -1;
        sim_process_fail_alloc(0, false);
        sim_disk_close_all(disk);

        if (state->phase == PHASE_READY && step != STEP_RECOVER && step != STEP_DEADLINE)
                state->actions_left--;
        if (how.fault && how.fault_at > 0)
                say(state, " (%s at call %llu%s)", how.fault->name,
                    (unsigned long long) how.fault_at, how.for_ever ? " and for ever" : "");
        if (how.touch_at > 0 && state->touched) {
                say(state, " (foreign write at call %llu)", (unsigned long long) how.touch_at);
                state->base_is_open[0] = true;
                state->foreign[0] = true;
        }
        if (!ended) {
                say(state, " (killed before change %llu)", (unsigned long long) how.die_at);
                expect_either(state, step);
                state->phase = PHASE_DEAD;
                return;
        }
        if (call.r < 0 && how.fault) {
                /* out of memory: it may give up, and recovery answers instead */
                say(state, " -> gave up, %d", call.r);
                expect_either(state, step);
                state->phase = PHASE_DEAD;
                return;
        }
        if (call.r < 0)
                blame(state, "the engine gave up: %d", call.r);
        state->status_lags = call.says_status_lags;
        take_answer(state, &call);
        say(state, " -> %s, %d", call.outcome, call.exit_code);
        if (state->phase == PHASE_BOOT && step != STEP_BOOT)
                state->token[0] = '\0'; /* the boot unit is still to come, and one try is enough */
        else
                state->phase = streq(call.outcome, "unknown") ? PHASE_DEAD : PHASE_READY;
}

bool state_allows(const State *state, Step step) {
        if (state->phase == PHASE_DEAD)
                return step == STEP_RECOVER;
        if (state->phase == PHASE_BOOT)
                return step == STEP_BOOT || (step == STEP_CONFIRM && state->token[0] != '\0');
        if (step == STEP_BOOT || step == STEP_RECOVER)
                return false;
        if (step == STEP_CONFIRM)
                return state->window && state->token[0] != '\0' && state->actions_left > 0;
        if (step == STEP_DEADLINE)
                return state->window; /* time passes by itself */
        if (step == STEP_TOUCH)
                return state->touches_left > 0 && state->actions_left > 0;
        return state->actions_left > 0;
}

/* --- the oracle --------------------------------------------------------------------------------------------------- */

static bool live_is_config(const State *state, Config config) {
        for (size_t i = 0; i < STATE_KEYS; i++) {
                bool is_foreign = live_is(state, i, FOREIGN);
                if (config == CONFIG_BASE && state->foreign[i]) {
                        /* what somebody wrote over ours is not ours to take back */
                        if (!is_foreign)
                                return false;
                        continue;
                }
                const char *value = config_values[config][i] ? config_values[config][i]
                                                             : state->base[i];
                bool may_be_foreign = state->foreign[i] ||
                                      (config == CONFIG_BASE && state->base_is_open[i]);
                bool may_be_kernels = config == CONFIG_BASE && state->base_may_be_kernels;
                if (!live_is(state, i, value) && !(may_be_foreign && is_foreign) &&
                    !(may_be_kernels && live_is(state, i, kernel_values[i])))
                        return false;
        }
        return true;
}

/* Each key by itself: what it may hold when the engine could not see it. */
static bool live_is_any(const State *state) {
        for (size_t i = 0; i < STATE_KEYS; i++) {
                bool may_be_foreign = state->foreign[i] || state->base_is_open[i];
                bool any = live_is(state, i, state->base[i]) ||
                           (may_be_foreign && live_is(state, i, FOREIGN));
                for (Config c = CONFIG_ONE; c < _CONFIG_MAX; c++)
                        any = any || live_is(state, i, config_values[c][i]);
                if (!any)
                        return false;
        }
        return true;
}

/* A value that somebody wrote may be replaced only by an engine that saw it, and then it is what it puts back. */
static void judge_foreign(State *state, Config config) {
        bool is_there = live_is(state, 0, FOREIGN);
        if (!state->foreign[0] || (is_there && config != CONFIG_BASE))
                return;
        if (!is_there && state->was_foreign)
                blame(state, "a value that somebody else had set is gone");
        state->foreign[0] = false;
        state->base_is_open[0] = false;
        state->base[0] = FOREIGN;
}

/* Behind a boot it shows which of the two it is. */
static void settle_base(State *state, Config config) {
        for (size_t i = 0; i < STATE_KEYS && state->base_may_be_kernels; i++)
                if (config == CONFIG_BASE && live_is(state, i, kernel_values[i]))
                        state->base[i] = kernel_values[i];
        state->base_may_be_kernels = false;
}

/* What twprofile itself says it has enabled, to whoever asks. */
static bool status_says(const State *state, Config config) {
        const char *text = sim_disk_get(state->disk, "run/twprofile/status.json");
        if (!text)
                return config == CONFIG_BASE;
        for (Config c = CONFIG_ONE; c < _CONFIG_MAX; c++) {
                char word[64];
                (void) snprintf(word, sizeof(word), "\"profile\":\"%s\"", config_profiles[c]);
                if ((strstr(text, word) != NULL) != (c == config))
                        return false;
        }
        return true;
}

void state_judge(State *state) {
        Config config = fragment_config(state);
        if (config == _CONFIG_MAX || (state->may & 1U << config) == 0) {
                blame(state, "the fragment says %s, which nobody committed",
                      config < _CONFIG_MAX && config_profiles[config] ? config_profiles[config]
                                                                      : "something else");
                return;
        }
        state->may = 1U << config;

        bool awaits = state->window && state->window_boot == state->disk->boots &&
                      live_is_config(state, state->window_to);
        bool right = live_is_config(state, config) || (state->key_was_gone && live_is_any(state));
        if (!awaits && !right)
                blame(state, "live values are neither old nor new: %s, %s (committed: %s)",
                      sim_disk_get(state->disk, key_paths[0]),
                      sim_disk_get(state->disk, key_paths[1]),
                      config_profiles[config] ? config_profiles[config] : "nothing");
        if (!state->status_lags && !status_says(state, config))
                blame(state, "the public status does not say what is committed (%s)",
                      config_profiles[config] ? config_profiles[config] : "nothing");
        if (state->window && !awaits)
                state->window = false;
        judge_foreign(state, awaits ? state->window_to : config);
        settle_base(state, config);
}

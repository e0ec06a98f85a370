/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What enabling a profile would be answered on a made-up host, for the examples of the safety rules:
 *
 *         rules-verdict [--names] FILE.yaml…
 *         rules-verdict --rules
 *
 * The name of the profile is the file's up to the first dot. The host is a kernel with every mainline key of its
 * version at its default (where that is no constant, the value is not known), and what comment lines say:
 *
 *         # kernel: 5.10.0                              6.12.0 without
 *         # live: net.ipv4.tcp_timestamps = 0           also for vendors' keys, which are absent without
 *         # absent: net.netfilter.nf_conntrack_max
 *         # listen: 8080 9090                           nobody listens without
 *         # memory: 4294967296                          bytes; 8 GiB without
 *         # ehash: 65536                                65536 without
 *         # page: 16384                                 4096 without
 *         # namespace: child                            the host's own without
 *
 * Only the keys that the callers of the model read are known. Prints the rendered findings; with --names a line
 * "FILE VERDICT NAME…" for each; with --rules the names of all rules. Exit 0, or 2 when a file says something else.
 */

#include <stdio.h>

#include "base/num.h"
#include "diag/text.h"
#include "model/plan.h"
#include "model/rules.h"

#define FILE_MAX_BYTES ((size_t) 64 * 1024)
#define LISTENERS_MAX  64U
#define GIVEN_MAX      32U

typedef struct Given {
        const SysctlSpec *spec;
        char text[256];
        bool absent;
} Given;

typedef struct World {
        KernelVersion kernel;
        bool child;
        Given given[GIVEN_MAX];
        size_t n_given;
        uint16_t listeners[LISTENERS_MAX];
        MachineFacts machine;
} World;

typedef struct Example {
        const char *path;
        char name[65];
        char *bytes;
        size_t length;
} Example;

static void example_deinit(Example *example) {
        free(example->bytes);
}

static void close_filep(FILE **file) {
        if (*file)
                (void) fclose(*file);
}

static int example_read(const char *path, Example *ret) {
        CLEANUP(close_filep) FILE *file = fopen(path, "rbe");
        CLEANUP(example_deinit) Example example = { .path = path };
        example.bytes = malloc(FILE_MAX_BYTES);
        if (!file || !example.bytes)
                return -1;
        example.length = fread(example.bytes, 1, FILE_MAX_BYTES - 1, file);
        if (ferror(file))
                return -1;
        example.bytes[example.length] = '\0';
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        size_t n = strcspn(base, ".");
        if (n >= sizeof(example.name))
                return -1;
        memcpy(example.name, base, n);
        *ret = example;
        ret->bytes = TAKE_PTR(example.bytes);
        return 0;
}

/* ---- the host -------------------------------------------------------------------------------------------- */

static int take_key(World *world, const char *text, bool absent) {
        if (world->n_given == GIVEN_MAX)
                return -1;
        Given *given = &world->given[world->n_given];
        size_t n = strcspn(text, " =");
        cleanup_free char *key = strndup(text, n);
        given->spec = key ? catalogue_find(key) : NULL;
        given->absent = absent;
        const char *equals = strchr(text, '=');
        if (!given->spec || (!absent && !equals))
                return -1;
        if (equals)
                (void) snprintf(given->text, sizeof(given->text), "%s",
                                equals + 1 + strspn(equals + 1, " "));
        world->n_given++;
        return 0;
}

static int take_listeners(World *world, char *text) {
        char *save = NULL;
        size_t n = 0;
        for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                uint64_t port = 0;
                if (n == LISTENERS_MAX || num_parse_u64(word, &port) < 0 || port == 0 ||
                    port > 65535 || (n > 0 && world->listeners[n - 1] >= port))
                        return -1;
                world->listeners[n++] = (uint16_t) port;
        }
        world->machine.n_listeners = n;
        return 0;
}

static int take_fact(World *world, const char *name, char *value) {
        if (streq(name, "kernel"))
                return kernel_version_parse(value, &world->kernel);
        if (streq(name, "live"))
                return take_key(world, value, /* absent= */ false);
        if (streq(name, "absent"))
                return take_key(world, value, /* absent= */ true);
        if (streq(name, "listen"))
                return take_listeners(world, value);
        if (streq(name, "memory"))
                return num_parse_u64(value, &world->machine.memory);
        if (streq(name, "ehash"))
                return num_parse_u64(value, &world->machine.ehash_entries);
        if (streq(name, "page"))
                return num_parse_u64(value, &world->machine.page_size);
        if (streq(name, "namespace")) {
                world->child = streq(value, "child");
                return world->child ? 0 : -1;
        }
        return 0; /* a comment */
}

/* The comments of the file. */
static int world_read(const Example *example, World *ret) {
        *ret = (World){ .kernel = { 6, 12, 0 } };
        ret->machine = (MachineFacts){ .knows_listeners = true,
                                       .memory = UINT64_C(8) << 30,
                                       .ehash_entries = 65536,
                                       .page_size = 4096 };
        cleanup_free char *copy = strdup(example->bytes);
        char *save = NULL;
        for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line;
             line = strtok_r(NULL, "\n", &save)) {
                char *colon = strstr(line, ": ");
                if (!startswith(line, "# ") || !colon)
                        continue;
                *colon = '\0';
                if (take_fact(ret, line + 2, colon + 2) < 0) {
                        fprintf(stderr, "%s: cannot understand '%s: %s'\n", example->path, line,
                                colon + 2);
                        return -1;
                }
        }
        return copy ? 0 : -1;
}

static const Given *world_find(const World *world, const SysctlSpec *spec) {
        for (size_t i = 0; i < world->n_given; i++)
                if (world->given[i].spec == spec)
                        return &world->given[i];
        return NULL;
}

static bool world_has(const World *world, const SysctlSpec *spec) {
        bool host_wide = spec->scope == SYSCTL_SCOPE_HOST ||
                         kernel_version_compare(&world->kernel, &spec->scope_since) < 0;
        bool until = spec->until.major != 0 &&
                     kernel_version_compare(&world->kernel, &spec->until) >= 0;
        return !spec->vendor && !until &&
               kernel_version_compare(&world->kernel, &spec->since) >= 0 &&
               !(world->child && host_wide);
}

static LiveKey world_read_key(const World *world, const SysctlSpec *spec, Arena *arena) {
        LiveKey key = { .spec = spec, .state = LIVE_ABSENT };
        const Given *given = world_find(world, spec);
        if (given ? given->absent : !world_has(world, spec))
                return key;
        const char *text = given ? given->text : spec->default_text;
        if (!text) {
                key.state = LIVE_ASSUMED;
                return key;
        }
        key.text = text;
        key.state = sysctl_value_from_kernel(spec, text, strlen(text), arena, &key.value) < 0
                                    ? LIVE_STRANGE
                                    : LIVE_PRESENT;
        return key;
}

static int world_snapshot(
                const World *world, const Bundle *bundle, Arena *arena, LiveSnapshot *ret) {
        const SysctlSpec **wanted = NULL, **specs = NULL;
        size_t n_wanted = 0, n = 0;
        if (effective_collect_specs(&bundle, 1, arena, &wanted, &n_wanted) < 0 ||
            rules_collect_also(wanted, n_wanted, arena, &specs, &n) < 0)
                return -1;
        LiveKey *keys = arena_alloc_array(arena, n + 1, sizeof(*keys));
        for (size_t i = 0; keys && i < n; i++)
                keys[i] = world_read_key(world, specs[i], arena);
        *ret = (LiveSnapshot){
                .keys = keys, .n_keys = n, .kernel = world->kernel, .initial_netns = !world->child
        };
        return keys ? 0 : -1;
}

/* ---- the verdict ----------------------------------------------------------------------------------------- */

static int fetch(
                void *userdata, const char *name, DiagList *diags UNUSED, Source **ret,
                Error *reterr UNUSED) {
        const Example *example = userdata;
        if (!streq(name, example->name))
                return BUNDLE_E_NOT_FOUND;
        const char *slash = strrchr(example->path, '/');
        *ret = source_new(slash ? slash + 1 : example->path, example->bytes, example->length);
        return *ret ? 0 : -ENOMEM;
}

/* 0, 1 when it is refused, <0. */
static int judge(const Example *example, DiagList *findings, Bundle **ret_bundle, Arena *arena) {
        World world;
        if (world_read(example, &world) < 0)
                return -1;
        world.machine.listeners = world.listeners;
        Error error = {};
        int r = bundle_load(example->name, fetch, (void *) example, findings, ret_bundle, &error);
        if (r != 0)
                return r;
        LiveSnapshot live = {};
        if (world_snapshot(&world, *ret_bundle, arena, &live) < 0)
                return -1;
        const Bundle *bundle = *ret_bundle;
        PlanInput input = {
                .verb = PLAN_ENABLE,
                .next_number = 1,
                .bundles = &bundle,
                .n_bundles = 1,
                .live = &live,
                .machine = &world.machine,
        };
        CLEANUP(plan_freep) Plan *plan = NULL;
        r = plan_build(&input, findings, &plan, &error);
        if (r < 0)
                fprintf(stderr, "%s\n", error.text);
        return r;
}

static void print_names(const Example *example, bool refused, const DiagList *findings) {
        printf("%s %s", example->path, refused ? "refused" : "taken");
        for (size_t i = 0; i < diag_list_count(findings); i++)
                printf(" %s", diag_row(diag_list_get(findings, i)->id)->name);
        printf("\n");
}

static int run(const char *path, bool names) {
        CLEANUP(example_deinit) Example example = {};
        if (example_read(path, &example) < 0) {
                fprintf(stderr, "cannot read '%s'\n", path);
                return -1;
        }
        CLEANUP(diag_list_freep) DiagList *findings = diag_list_new();
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(bundle_freep) Bundle *bundle = NULL;
        int r = findings && arena ? judge(&example, findings, &bundle, arena) : -1;
        if (r < 0)
                return -1;
        diag_list_sort(findings);
        if (names) {
                print_names(&example, r > 0, findings);
                return 0;
        }
        CLEANUP(strbuf_deinit) StrBuf text = {};
        diag_text_render(findings, &(DiagTextOptions){}, &text);
        (void) fputs(strbuf_text(&text), stdout);
        return text.failed ? -1 : 0;
}

int main(int argc, char **argv) {
        if (argc == 2 && streq(argv[1], "--rules")) {
                for (size_t i = 0; i < rules_count(); i++)
                        printf("%s\n", diag_row(rules_get(i)->id)->name);
                return 0;
        }
        bool names = argc > 1 && streq(argv[1], "--names");
        for (int i = names ? 2 : 1; i < argc; i++)
                if (run(argv[i], names) < 0)
                        return 2;
        return 0;
}

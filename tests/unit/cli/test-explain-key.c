/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree is that of the golden tests, copied. */
#include "cli/explain-key.h"

#include "cli-root.h"

static void test_explain_key_find_table(void **state) {
        (void) state;
        static const struct {
                const char *in, *dotted;
                bool found;
        } rows[] = {
                { "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_tw_reuse", true },
                { "net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse", true },
                { "/proc/sys/net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse", true },
                { "net/ipv4/conf/eth0.100/arp_ignore", "net.ipv4.conf.eth0/100.arp_ignore", false },
                { "net.ipv4/tcp_tw_reuse", "net.ipv4/tcp_tw_reuse", false },
                { "tcp_tw_reuse", "tcp_tw_reuse", false },
                { "/", ".", false },
                { "", "", false },
        };
        CLEANUP(arena_freep) Arena *arena = arena_new();
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = NULL;
                const char *dotted = NULL;
                assert_int_equal(explain_key_find(row->in, arena, &spec, &dotted), 0);
                assert_string_equal(dotted, row->dotted);
                assert_int_equal(spec != NULL, row->found);
        }
}

static const ExplainUse *find_use(const ExplainKey *key, const char *profile) {
        for (size_t i = 0; i < key->n_uses; i++)
                if (streq(key->uses[i].profile, profile))
                        return &key->uses[i];
        fail_msg("no use of '%s'", profile);
        return &key->uses[0]; /* not reached */
}

static void test_explain_key_look_finds_value_and_profiles(void **state) {
        (void) state;
        char root[64];
        cli_root_new(root, CLI_ROOT_BOOT, CLI_ROOT_NETNS);
        CLEANUP(context_deinit) Context context;
        assert_int_equal(context_init(&context), 0);
        context.options.root = root;
        CLEANUP(host_close) Host host = HOST_EMPTY;
        assert_int_equal(host_open(&host, &context, &context.error), 0);
        ExplainKey key;
        const SysctlSpec *spec = catalogue_find("net.ipv4.tcp_fin_timeout");
        assert_int_equal(explain_key_look(&context, &host, spec, &key), 0);
        assert_int_equal(key.live->state, LIVE_PRESENT);
        assert_string_equal(key.live->text, "60");
        assert_int_equal(key.n_uses, 3); /* the broken one sets nothing */
        const ExplainUse *web = find_use(&key, "web"), *spare = find_use(&key, "spare");
        assert_true(web->enabled);
        assert_string_equal(web->from, "base");
        assert_string_equal(web->merge, "at-most");
        assert_false(spare->enabled);
        assert_null(spare->from);
        assert_string_equal(spare->value, "20");

        json_t *json = explain_key_to_json(&key, context.arena);
        const json_t *here = json_object_get(json, "here");
        assert_string_equal(json_string_value(json_object_get(here, "state")), "present");
        assert_int_equal(json_array_size(json_object_get(json, "profiles")), 3);
        json_decref(json);

        host.files_only = true;
        assert_int_equal(explain_key_look(&context, &host, spec, &key), 0);
        assert_null(key.live);
        host.files_only = false;
        root_remove(root);
}

static void test_explain_key_every_row_as_json(void **state) {
        (void) state;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        for (size_t i = 0; i < catalogue_count(); i++) {
                const SysctlSpec *spec = catalogue_get(i);
                const ExplainKey key = { .spec = spec };
                json_t *json = explain_key_to_json(&key, arena);
                assert_non_null(json);
                const json_t *value = json_object_get(json, "value");
                assert_int_equal(
                                json_is_array(json_object_get(value, "range")),
                                explain_key_has_range(spec));
                const json_t *kernels = json_object_get(json, "kernels");
                assert_int_equal(
                                json_is_string(json_object_get(kernels, "since")),
                                spec->since.major > 0);
                assert_int_equal(json_array_size(json_object_get(kernels, "older")), spec->n_older);
                json_decref(json);
        }
}

TEST_MAIN(cmocka_unit_test(test_explain_key_find_table),
          cmocka_unit_test(test_explain_key_look_finds_value_and_profiles),
          cmocka_unit_test(test_explain_key_every_row_as_json))

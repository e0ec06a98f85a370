/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/surroundings.h"

#include "record/fixture.h"
#include "record/status-format.h"

#include "seam/scratch.h"
#include "test.h"

#define NETNS 4026531840

static void fill(Scratch *scratch, const char *boot_id) {
        scratch_init(scratch);
        scratch_write(scratch, "proc/sys/kernel/random/boot_id", boot_id);
        scratch_link(scratch, "proc/self/ns/net", "net:[4026531999]");
        scratch_write(scratch, "proc/sys/net/ipv4/tcp_tw_reuse", "1\n");
        scratch_write(scratch, "proc/sys/net/ipv4/tcp_tw_zombie", "7\n");
        scratch_write(scratch, "proc/sys/net/ipv4/tcp_tw_count", "first\nsecond\n");
        scratch_write(scratch, "proc/sys/net/ipv4/tcp_twice", "1\n");
        scratch_mkdir(scratch, "proc/sys/net/ipv4/tcp_tw_folder");
}

static void write_status(const Scratch *scratch, const Generation *generation) {
        const Status status = { .instance = TEST_INSTANCE,
                                .generation = generation,
                                .highest_generation = 7 };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        assert_int_equal(status_encode(&status, &out), 0);
        scratch_write(scratch, "run/twprofile/status.json", strbuf_text(&out));
}

static Snapshot look(const Scratch *scratch, Arena *arena) {
        Snapshot got = { .netns = 4026531999 };
        Error error = { 0 };
        int r = collect_surroundings(seam_real(), scratch->fd, arena, &got, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(r, 0);
        return got;
}

static void test_strange_keys(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch, TEST_BOOT "\n");
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot got = look(&scratch, arena);
        assert_true(got.knows_strange);
        assert_int_equal(got.n_strange, 3);
        assert_string_equal(got.strange[0].name, "tcp_tw_count");
        assert_string_equal(got.strange[0].text, "first");
        assert_string_equal(got.strange[1].name, "tcp_tw_folder");
        assert_null(got.strange[1].text);
        assert_string_equal(got.strange[2].name, "tcp_tw_zombie");
        assert_string_equal(got.strange[2].text, "7");
        assert_false(got.enabled.known);
        assert_false(got.knows_tracked);

        scratch_remove(&scratch, "proc/sys/net/ipv4");
        got = look(&scratch, arena);
        assert_false(got.knows_strange);
        scratch_deinit(&scratch);
}

static void test_too_many_strange_keys(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch, TEST_BOOT "\n");
        for (unsigned i = 0; i < 2 * SURROUNDINGS_STRANGE_MAX; i++) {
                char path[64];
                (void) snprintf(path, sizeof(path), "proc/sys/net/ipv4/tcp_tw_more%u", i);
                scratch_write(&scratch, path, "0\n");
        }
        CLEANUP(arena_freep) Arena *arena = arena_new();
        Snapshot got = look(&scratch, arena);
        assert_int_equal(got.n_strange, SURROUNDINGS_STRANGE_MAX);
        scratch_deinit(&scratch);
}

static void test_enabled(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch, TEST_BOOT "\n");
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        write_status(&scratch, generation);
        Snapshot got = look(&scratch, arena);
        assert_true(got.enabled.known);
        assert_int_equal(got.enabled.netns, NETNS);
        assert_int_equal(got.enabled.n_keys, ELEMENTSOF(test_rows));
        assert_string_equal(got.enabled.keys[0].spec->key, "net.core.somaxconn");
        assert_string_equal(got.enabled.keys[0].value, "4096");
        assert_string_equal(got.enabled.keys[0].origin, "128");
        assert_string_equal(got.enabled.keys[0].profile, "web");
        assert_null(got.enabled.keys[3].origin);

        write_status(&scratch, NULL);
        got = look(&scratch, arena);
        assert_true(got.enabled.known);
        assert_int_equal(got.enabled.n_keys, 0);

        scratch_write(&scratch, "run/twprofile/status.json", "{\"v\":1}");
        got = look(&scratch, arena);
        assert_false(got.enabled.known);
        scratch_deinit(&scratch);
}

static void test_enabled_in_another_boot(void **state UNUSED) {
        Scratch scratch;
        fill(&scratch, "b007b007-0000-4000-8000-000000000001\n");
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(generation_freep) Generation *generation = test_generation(/* extra= */ 0);
        write_status(&scratch, generation);
        assert_false(look(&scratch, arena).enabled.known);
        scratch_deinit(&scratch);
}

/* --- tracked connections -------------------------------------------------------------------------------- */

#define WAITING \
        "ipv4     2 tcp      6 117 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [ASSURED] use=1\n"
#define OPEN     "ipv6     10 tcp      6 431999 ESTABLISHED src=::1 dst=::1 sport=1 dport=2 use=1\n"
#define DATAGRAM "ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 use=1\n"

static void test_count_tracked(void **state UNUSED) {
        static const struct {
                const char *text;
                size_t n_left;
                uint64_t n_tcp, n_time_wait;
        } rows[] = {
                { "", 0, 0, 0 },
                { WAITING OPEN DATAGRAM WAITING, 0, 3, 2 },
                { WAITING "ipv4     2 tcp      6 1", 23, 1, 1 },
                { "\n\n \n", 0, 0, 0 },
                { "ipv4 2 tcp\n", 0, 1, 0 }, /* cut short: it is of TCP, its state is not known */
                { "a b tcp c d TIME_WAITS x\n", 0, 1, 0 },
                { "a b tcpx c d TIME_WAIT x\n", 0, 0, 0 },
        };
        TEST_EACH(row, rows) {
                Snapshot got = { 0 };
                size_t n = strlen(row->text);
                assert_int_equal(surroundings_count_tracked(row->text, n, &got), n - row->n_left);
                assert_int_equal(got.n_tracked_tcp, row->n_tcp);
                assert_int_equal(got.n_tracked_time_wait, row->n_time_wait);
        }
}

/* A snapshot whose table is that full. */
static Snapshot make_tracking(Arena *arena, const char *count, const char *max) {
        size_t n = snapshot_setting_count();
        LiveKey *keys = arena_alloc_array(arena, n, sizeof(LiveKey));
        assert_non_null(keys);
        for (size_t i = 0; keys && i < n; i++) {
                keys[i] = (LiveKey){ .spec = snapshot_setting(i), .state = LIVE_ABSENT };
                const char *text = streq(keys[i].spec->key, "net.netfilter.nf_conntrack_count")
                                                   ? count
                                   : streq(keys[i].spec->key, "net.netfilter.nf_conntrack_max")
                                                   ? max
                                                   : NULL;
                if (!text)
                        continue;
                test_value(keys[i].spec, text, arena, &keys[i].value);
                keys[i].state = LIVE_PRESENT;
        }
        return (Snapshot){ .settings = { .keys = keys, .n_keys = n } };
}

/* More lines than one piece holds, so that one is cut in the middle. */
static void test_tracked(void **state UNUSED) {
        enum { PAIRS = 1000 };
        Scratch scratch;
        fill(&scratch, TEST_BOOT "\n");
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(strbuf_deinit) StrBuf text = {};
        for (unsigned i = 0; i < PAIRS; i++)
                strbuf_add(&text, WAITING OPEN);
        scratch_write(&scratch, "proc/self/net/nf_conntrack", strbuf_text(&text));

        Error error = { 0 };
        Snapshot got = make_tracking(arena, "500", "1000");
        assert_int_equal(collect_surroundings(seam_real(), scratch.fd, arena, &got, &error), 0);
        assert_true(got.knows_tracked);
        assert_int_equal(got.n_tracked_tcp, 2 * PAIRS);
        assert_int_equal(got.n_tracked_time_wait, PAIRS);

        got = make_tracking(arena, "499", "1000"); /* not full enough to look */
        assert_int_equal(collect_surroundings(seam_real(), scratch.fd, arena, &got, &error), 0);
        assert_false(got.knows_tracked);

        scratch_remove(&scratch, "proc/self/net/nf_conntrack");
        got = make_tracking(arena, "1000", "1000");
        assert_int_equal(collect_surroundings(seam_real(), scratch.fd, arena, &got, &error), 0);
        assert_false(got.knows_tracked);
        scratch_deinit(&scratch);
}

TEST_MAIN(cmocka_unit_test(test_strange_keys), cmocka_unit_test(test_too_many_strange_keys),
          cmocka_unit_test(test_enabled), cmocka_unit_test(test_enabled_in_another_boot),
          cmocka_unit_test(test_count_tracked), cmocka_unit_test(test_tracked))

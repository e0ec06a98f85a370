/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/machine-facts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "loopback.h"
#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

#define TCP     "proc/self/net/tcp"
#define TCP6    "proc/self/net/tcp6"
#define MEMINFO "proc/meminfo"
#define EHASH   "proc/sys/net/ipv4/tcp_ehash_entries"

#define HEAD                                                                                  \
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  " \
        "timeout inode                                                     \n"
#define REST            " 00000000:00000000 00:00000000 00000000     0        0 18 1 0 100 0 0 10 0\n"
#define LISTEN(port)    "   0: 0100007F:" port " 00000000:0000 0A" REST
#define CONNECTED(port) "   1: 0100007F:" port " 0100007F:1F90 01" REST
#define LISTEN6(port)                                  \
        "   0: 00000000000000000000000000000000:" port \
        " 00000000000000000000000000000000:0000 0A" REST

static MachineFacts read_facts(const Seam *seam, const Scratch *scratch, Arena *arena) {
        MachineFacts facts = {};
        assert_int_equal(
                        machine_facts_read(&(SeamFd){ seam, scratch->fd }, true, arena, &facts), 0);
        return facts;
}

static void test_listeners_table(void **state UNUSED) {
        static const struct {
                const char *tcp, *tcp6; /* NULL: no such file */
                bool known;
                const char *ports;
        } rows[] = {
                { HEAD, HEAD, true, "" },
                { HEAD, NULL, true, "" },
                { NULL, HEAD, false, "" },
                { HEAD LISTEN("1F90") LISTEN("0016"), HEAD LISTEN6("0016") LISTEN6("FFFF"), true,
                  "22 8080 65535 " },
                /* the kernel lists listeners first: the rest is not read */
                { HEAD LISTEN("0050") CONNECTED("9C40") LISTEN("0051"), NULL, true, "80 " },
                { HEAD CONNECTED("9C40"), HEAD LISTEN6("0050"), true, "80 " },
                { "", NULL, false, "" },
                { "no newline", NULL, false, "" },
                { HEAD "nonsense\n", NULL, false, "" },
                { HEAD "   0: 0100007F:50 00000000:0000 0A" REST, NULL, false, "" },
                { HEAD "   0: 0100007F:00g0 00000000:0000 0A" REST, NULL, false, "" },
                { HEAD "   0: 0100007F:0050 00000000:0000 A" REST, NULL, false, "" },
                { HEAD "   0  0100007F:0050 00000000:0000 0A" REST, NULL, false, "" },
                { HEAD "   0: 0100007F:0050\n", NULL, false, "" },
                { HEAD "   0: 0100007F 00000000:0000 0A" REST, NULL, false, "" },
                { HEAD "   0: 0100007F:0050 00000000:0000 0A" /* no newline */, NULL, false, "" },
                { HEAD LISTEN("0050"), HEAD "nonsense\n", false, "" },
        };
        TEST_EACH(row, rows) {
                Scratch scratch;
                scratch_init(&scratch);
                if (row->tcp)
                        scratch_write(&scratch, TCP, row->tcp);
                if (row->tcp6)
                        scratch_write(&scratch, TCP6, row->tcp6);
                CLEANUP(arena_freep) Arena *arena = arena_new();
                MachineFacts facts = read_facts(seam_real(), &scratch, arena);
                assert_int_equal(facts.knows_listeners, row->known);
                CLEANUP(strbuf_deinit) StrBuf ports = {};
                for (size_t i = 0; i < facts.n_listeners; i++)
                        strbuf_addf(&ports, "%u ", facts.listeners[i]);
                assert_string_equal(strbuf_text(&ports), row->ports);
                scratch_deinit(&scratch);
        }
}

/* More lines than one read takes. */
static void test_many_listeners(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add(&text, HEAD);
        for (unsigned port = 1; port <= 3000; port++) {
                strbuf_addf(&text, "%4u: 00000000:%04X", port, port);
                strbuf_add(&text, " 00000000:0000 0A" REST);
        }
        scratch_write(&scratch, TCP, strbuf_text(&text));
        CLEANUP(arena_freep) Arena *arena = arena_new();
        MachineFacts facts = read_facts(seam_real(), &scratch, arena);
        assert_true(facts.knows_listeners);
        assert_int_equal(facts.n_listeners, 3000);
        assert_int_equal(facts.listeners[2999], 3000);
        scratch_deinit(&scratch);
}

static void test_line_without_end(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add(&text, HEAD);
        strbuf_add_repeat(&text, 'x', 20000);
        scratch_write(&scratch, TCP, strbuf_text(&text));
        CLEANUP(arena_freep) Arena *arena = arena_new();
        assert_false(read_facts(seam_real(), &scratch, arena).knows_listeners);
        scratch_write_bytes(&scratch, TCP, HEAD "\0\n", sizeof(HEAD) + 1);
        assert_false(read_facts(seam_real(), &scratch, arena).knows_listeners);
        scratch_deinit(&scratch);
}

static void test_numbers_table(void **state UNUSED) {
        static const struct {
                const char *meminfo, *ehash;
                uint64_t memory, entries;
        } rows[] = {
                { "MemTotal:       24669444 kB\nMemFree: 1 kB\n", "131072\n",
                  UINT64_C(24669444) * 1024, 131072 },
                { "MemFree:        24669444 kB\n", "-65536\n", 0, 65536 }, /* the host's table */
                { "MemTotal: 99999999999999999999 kB\n", "many\n", 0, 0 },
                { "MemTotal: 18446744073709551615 kB\n", "", 0, 0 },
                { NULL, NULL, 0, 0 },
        };
        TEST_EACH(row, rows) {
                Scratch scratch;
                scratch_init(&scratch);
                if (row->meminfo)
                        scratch_write(&scratch, MEMINFO, row->meminfo);
                if (row->ehash)
                        scratch_write(&scratch, EHASH, row->ehash);
                CLEANUP(arena_freep) Arena *arena = arena_new();
                MachineFacts facts = read_facts(seam_real(), &scratch, arena);
                assert_int_equal(facts.memory, row->memory);
                assert_int_equal(facts.ehash_entries, row->entries);
                scratch_deinit(&scratch);
        }
}

/* A read that fails makes a fact unknown, and never a wrong one. */
static void test_every_fault(void **state UNUSED) {
        Scratch scratch;
        scratch_init(&scratch);
        scratch_write(&scratch, TCP, HEAD LISTEN("1F90") LISTEN("1F91"));
        scratch_write(&scratch, TCP6, HEAD LISTEN6("1F92"));
        scratch_write(&scratch, MEMINFO, "MemTotal: 1024 kB\n");
        scratch_write(&scratch, EHASH, "4096\n");
        SeamFault fault;
        seam_fault_init(&fault, seam_real());
        CLEANUP(arena_freep) Arena *arena = arena_new();
        MachineFacts whole = read_facts(&fault.seam, &scratch, arena);
        assert_int_equal(whole.n_listeners, 3);
        uint64_t n_calls = fault.n_calls;
        assert_true(n_calls > 8);
        for (uint64_t at = 1; at <= n_calls; at++) {
                seam_fault_init(&fault, seam_real());
                fault.at = at;
                fault.kind = SEAM_FAULT_ERROR;
                fault.error = EIO;
                MachineFacts facts = read_facts(&fault.seam, &scratch, arena);
                assert_true(facts.memory == 0 || facts.memory == whole.memory);
                assert_true(facts.ehash_entries == 0 || facts.ehash_entries == whole.ehash_entries);
                assert_int_equal(facts.n_listeners, facts.knows_listeners ? 3 : 0);
        }
        scratch_deinit(&scratch);
}

static bool knows_port(const MachineFacts *facts, uint16_t port) {
        bool found = false;
        for (size_t i = 0; i < facts->n_listeners; i++)
                found = found || facts->listeners[i] == port;
        return facts->knows_listeners && found;
}

/* This machine's own: what the kernel prints is understood. */
static void test_here(void **state UNUSED) {
        int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(root >= 0);
        uint16_t port4, port6 = 0;
        int socket4 = loopback_listen(AF_INET, &port4);
        int socket6 = access("/proc/net/tcp6", F_OK) == 0 ? loopback_listen(AF_INET6, &port6)
                                                          : FD_EMPTY;
        CLEANUP(arena_freep) Arena *arena = arena_new();
        MachineFacts facts = {};
        assert_int_equal(
                        machine_facts_read(&(SeamFd){ seam_real(), root }, true, arena, &facts), 0);
        assert_true(knows_port(&facts, port4));
        assert_true(socket6 < 0 || knows_port(&facts, port6));
        (void) fd_close(socket4);
        (void) fd_close(socket6);

        MachineFacts later = {};
        assert_int_equal(
                        machine_facts_read(&(SeamFd){ seam_real(), root }, true, arena, &later), 0);
        assert_false(knows_port(&later, port4));

        assert_int_equal(
                        machine_facts_read(&(SeamFd){ seam_real(), root }, false, arena, &later),
                        0);
        assert_false(later.knows_listeners);
        assert_true(facts.memory > 0);
        assert_true(facts.page_size >= 4096 && (facts.page_size & (facts.page_size - 1)) == 0);
        (void) fd_close(root);
}

TEST_MAIN(cmocka_unit_test(test_listeners_table), cmocka_unit_test(test_many_listeners),
          cmocka_unit_test(test_line_without_end), cmocka_unit_test(test_numbers_table),
          cmocka_unit_test(test_every_fault), cmocka_unit_test(test_here))

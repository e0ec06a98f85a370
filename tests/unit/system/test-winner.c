/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "system/winner.h"

#include "base/strbuf.h"
#include "seam/scratch.h"
#include "seam/seam-fault.h"
#include "test.h"

#define FIN     "net/ipv4/tcp_fin_timeout"
#define BUCKETS "net/ipv4/tcp_max_tw_buckets"

typedef struct Fixture {
        Scratch scratch;
        SeamFault fault;
        Arena *arena;
        const WinnerFiles *files;
        Error error;
} Fixture;

static void fixture_init(Fixture *f) {
        *f = (Fixture){ .arena = arena_new() };
        scratch_init(&f->scratch);
        seam_fault_init(&f->fault, seam_real());
}

static void fixture_deinit(Fixture *f) {
        f->arena = arena_free(f->arena);
        scratch_deinit(&f->scratch);
}

static void read_all(Fixture *f, const char *as_fragment) {
        assert_int_equal(
                        winner_files_read(
                                        &f->fault.seam, f->scratch.fd, as_fragment, f->arena,
                                        &f->files, &f->error),
                        0);
}

static void add_winner(StrBuf *text, const Winner *winner) {
        if (!winner->path) {
                strbuf_add(text, "nobody");
                return;
        }
        const char *name = strrchr(winner->path, '/');
        strbuf_addf(text, "%s:%u=%s%s%s", name ? name + 1 : winner->path, winner->line,
                    winner->value, winner->glob ? "*" : "", winner->ignored ? "-" : "");
}

/* "systemd's | procps's", each "FILE:LINE=VALUE" with * for a pattern and - for a dash, or "nobody". */
static void assert_winner(Fixture *f, const char *path, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        for (WinnerTool tool = 0; tool < WINNER_TOOLS; tool++) {
                Winner winner;
                winner_find(f->files, tool, path, &winner);
                strbuf_add(&text, tool > 0 ? " | " : "");
                add_winner(&text, &winner);
        }
        assert_string_equal(strbuf_text(&text), want);
}

/* As above for what is left: "VALUE by FILE:…" or "?", then "refused FILE:…". */
static void assert_prediction(Fixture *f, const char *path, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        const SysctlSpec *spec = catalogue_find_path(path);
        assert_non_null(spec);
        for (WinnerTool tool = 0; tool < WINNER_TOOLS; tool++) {
                WinnerPrediction p;
                assert_int_equal(winner_predict(f->files, tool, spec, f->arena, &p), 0);
                strbuf_add(&text, tool > 0 ? " | " : "");
                if (p.effect == WINNER_EFFECT_SET)
                        strbuf_addf(&text, "%s by ",
                                    sysctl_value_to_kernel(spec, &p.value, f->arena));
                else if (p.effect == WINNER_EFFECT_UNKNOWN)
                        strbuf_add(&text, "? by ");
                add_winner(&text, &p.by);
                if (p.refused.path) {
                        strbuf_add(&text, " refused ");
                        add_winner(&text, &p.refused);
                }
        }
        assert_string_equal(strbuf_text(&text), want);
}

/* "PATH:LINE:ERROR " of each. */
static void assert_flaws(Fixture *f, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        for (size_t i = 0; i < winner_count_flaws(f->files); i++) {
                const WinnerFlaw *flaw = winner_get_flaw(f->files, i);
                strbuf_addf(&text, "%s:%u:%d ", flaw->path, flaw->line, flaw->error);
        }
        assert_string_equal(strbuf_text(&text), want);
}

static void test_winner_order_of_files(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        read_all(&f, NULL);
        assert_winner(&f, FIN, "nobody | nobody");

        scratch_write(&f.scratch, "etc/sysctl.d/60-a.conf", "x=1\n" FIN "=60\n");
        scratch_write(&f.scratch, "usr/lib/sysctl.d/70-b.conf", "-" FIN "=70\n");
        scratch_write(&f.scratch, "etc/sysctl.d/.80-c.conf", FIN "=80\n");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "70-b.conf:1=70- | 70-b.conf:1=70-");
        assert_winner(&f, "x", "60-a.conf:1=1 | 60-a.conf:1=1");
        scratch_write(&f.scratch, "etc/sysctl.d/.conf", BUCKETS "=80\n");
        read_all(&f, NULL);
        assert_winner(&f, BUCKETS, "nobody | .conf:1=80");

        scratch_write(&f.scratch, "etc/sysctl.conf", FIN "=99\n");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "70-b.conf:1=70- | sysctl.conf:1=99");
        scratch_link(&f.scratch, "etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "99-sysctl.conf:1=99 | sysctl.conf:1=99");
        assert_flaws(&f, "");
        fixture_deinit(&f);
}

static void test_winner_own_fragment(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/sysctl.d/60-twprofile.conf", FIN "=1\n");
        scratch_write(&f.scratch, "etc/sysctl.d/50-b.conf", FIN "=2\n");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "60-twprofile.conf:1=1 | 60-twprofile.conf:1=1");
        read_all(&f, "#\n" FIN "=3\n");
        assert_winner(&f, FIN, "60-twprofile.conf:2=3 | 60-twprofile.conf:2=3");
        read_all(&f, "");
        assert_winner(&f, FIN, "50-b.conf:1=2 | 50-b.conf:1=2");
        fixture_deinit(&f);
}

static void test_winner_credential(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/sysctl.d/99-z.conf", FIN "=1\n");
        scratch_write(&f.scratch, "run/credentials/systemd-sysctl.service/sysctl.extra",
                      FIN "=2\n");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "credential sysctl.extra:1=2 | 99-z.conf:1=1");

        /* what the service manager would find first */
        scratch_write(&f.scratch, "etc/credstore/sysctl.extra", FIN "=3\n");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "credential sysctl.extra:1=3 | 99-z.conf:1=1");
        scratch_mkdir(&f.scratch, "run/credentials/@system/sysctl.extra");
        read_all(&f, NULL);
        assert_winner(&f, FIN, "credential sysctl.extra:1=3 | 99-z.conf:1=1");
        assert_flaws(&f, "/run/credentials/@system/sysctl.extra:0:21 ");
        fixture_deinit(&f);
}

static void test_winner_lines_as_systemd_folds_them(void **state UNUSED) {
        static const struct {
                const char *text, *fin, *buckets;
        } rows[] = {
                { FIN "=1\n" FIN "=2\n", "a.conf:2=2 | a.conf:2=2", "nobody | nobody" },
                { FIN "=1\n-" FIN "\n", "nobody | a.conf:1=1", "nobody | nobody" },
                { "-" FIN "\n" FIN "=1\n", "a.conf:2=1 | a.conf:2=1", "nobody | nobody" },
                { FIN "=1\nnet/ipv4/*=2\n", "a.conf:1=1 | a.conf:1=1",
                  "a.conf:2=2* | a.conf:2=2*" },
                { "-" FIN "\nnet/ipv4/*=2\n", "nobody | nobody", "a.conf:2=2* | a.conf:2=2*" },
                { "net/ipv4/*=2\n-net/ipv4/*\n", "nobody | a.conf:1=2*", "nobody | a.conf:1=2*" },
                { "-net/*/*\nnet/ipv4/*=2\n", "a.conf:2=2* | a.conf:2=2*",
                  "a.conf:2=2* | a.conf:2=2*" },
                { "net/ipv4/*=2\nnet/*/*=3\n", "a.conf:2=3* | a.conf:2=3*",
                  "a.conf:2=3* | a.conf:2=3*" },
                /* the same value keeps its place, another one goes to the end */
                { "net/ipv4/*=2\nnet/*/*=3\n-net/ipv4/*=2\n", "a.conf:2=3* | a.conf:3=2*-",
                  "a.conf:2=3* | a.conf:3=2*-" },
                { "net/ipv4/*=2\nnet/*/*=3\nnet/ipv4/*=4\n", "a.conf:3=4* | a.conf:3=4*",
                  "a.conf:3=4* | a.conf:3=4*" },
                { "-" FIN "=1\n" FIN "=1\n", "a.conf:2=1- | a.conf:2=1", "nobody | nobody" },
                { "net//ipv4/tcp_fin_timeout=1\nnet/ipv4/tcp_*=2\n", "a.conf:1=1 | a.conf:2=2*",
                  "a.conf:2=2* | a.conf:2=2*" },
                { FIN "=1\nnet//ipv4/tcp_*=2\n", "a.conf:1=1 | a.conf:2=2*",
                  "a.conf:2=2* | a.conf:2=2*" },
                { "net//ipv4/tcp_fin_timeout=1\nnet//ipv4/./tcp_*/=2\n", "a.conf:1=1 | a.conf:2=2*",
                  "a.conf:2=2* | a.conf:2=2*" },
                { "net.ipv4.tcp_fin_timeout.=1\n", "a.conf:1=1 | nobody", "nobody | nobody" },
        };
        TEST_EACH(row, rows) {
                Fixture f;
                fixture_init(&f);
                scratch_write(&f.scratch, "etc/sysctl.d/a.conf", row->text);
                read_all(&f, NULL);
                assert_winner(&f, FIN, row->fin);
                assert_winner(&f, BUCKETS, row->buckets);
                fixture_deinit(&f);
        }
}

static void test_winner_predict_refused_and_partial(void **state UNUSED) {
        static const struct {
                const char *text, *path, *want;
        } rows[] = {
                { "", FIN, "nobody | nobody" },
                { FIN "=0x20\n", FIN, "32 by a.conf:1=0x20 | 32 by a.conf:1=0x20" },
                { FIN "=5\n" FIN "=abc\n", FIN,
                  "nobody refused a.conf:2=abc | 5 by a.conf:1=5 refused a.conf:2=abc" },
                { "net/*/tcp_fin_timeout=5\nnet/ipv4/tcp_fin*=\n", FIN,
                  "5 by a.conf:1=5* refused a.conf:2=* | 5 by a.conf:1=5* refused a.conf:2=*" },
                { "net/ipv4/tcp_tw_reuse=1\nnet/ipv4/tcp_tw_reuse=3\n", "net/ipv4/tcp_tw_reuse",
                  "nobody refused a.conf:2=3 | 1 by a.conf:1=1 refused a.conf:2=3" },
                { "net/ipv4/ip_local_port_range=5000\n", "net/ipv4/ip_local_port_range",
                  "? by a.conf:1=5000 | ? by a.conf:1=5000" },
                { "net/ipv4/ip_local_port_range=5000 6000\nnet/ipv4/ip_local_port_range=\n",
                  "net/ipv4/ip_local_port_range",
                  "nobody refused a.conf:2= | 5000\t6000 by a.conf:1=5000 6000 refused a.conf:2=" },
                { "net/ipv4/ip_local_reserved_ports=\n", "net/ipv4/ip_local_reserved_ports",
                  " by a.conf:1= |  by a.conf:1=" },
        };
        TEST_EACH(row, rows) {
                Fixture f;
                fixture_init(&f);
                scratch_write(&f.scratch, "etc/sysctl.d/a.conf", row->text);
                read_all(&f, NULL);
                assert_prediction(&f, row->path, row->want);
                fixture_deinit(&f);
        }
}

static void test_winner_flaws(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        scratch_write(&f.scratch, "etc/sysctl.d/10-fine.conf", "# x\n;y\na=1\n-b\n");
        scratch_write(&f.scratch, "etc/sysctl.d/20-bad.conf", "a=1\nfoo\nbar\n");
        scratch_write(&f.scratch, "etc/sysctl.d/30-cr.conf", "a=1\rb=2\n");
        scratch_write(&f.scratch, "etc/sysctl.d/40-versions.conf", "a=1\n-a.*\n");
        scratch_write(&f.scratch, "etc/sysctl.d/50-up.conf", "a/../b=1\n");
        scratch_write(&f.scratch, "etc/sysctl.d/60-[x].conf", "a=1\n");
        scratch_link(&f.scratch, "etc/sysctl.d/70-gone.conf", "nowhere");
        scratch_link(&f.scratch, "etc/sysctl.d/80-loop.conf", "80-loop.conf");
        scratch_mkdir(&f.scratch, "etc/sysctl.conf");
        read_all(&f, NULL);
        assert_flaws(&f, "/etc/sysctl.d/20-bad.conf:2:0 /etc/sysctl.d/30-cr.conf:1:0 "
                         "/etc/sysctl.d/40-versions.conf:2:0 /etc/sysctl.d/50-up.conf:1:0 "
                         "/etc/sysctl.d/60-[x].conf:0:0 /etc/sysctl.d/80-loop.conf:0:40 ");

        f.fault.at = 2; /* the first list */
        f.fault.kind = SEAM_FAULT_ERROR;
        f.fault.error = EACCES;
        f.fault.n_calls = 0;
        read_all(&f, NULL);
        assert_flaws(&f, "/etc/sysctl.d:0:13 ");
        fixture_deinit(&f);
}

static void test_winner_many_flaws_and_lines(void **state UNUSED) {
        Fixture f;
        fixture_init(&f);
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        for (unsigned i = 0; i < 3000; i++)
                strbuf_addf(&text, "a%u.b=%u\n", i % 100, i);
        for (unsigned i = 0; i < 40; i++) {
                char path[64];
                (void) snprintf(path, sizeof(path), "etc/sysctl.d/%02u.conf", i);
                scratch_write(&f.scratch, path, i % 2 ? strbuf_text(&text) : "bad line\n");
        }
        read_all(&f, NULL);
        assert_int_equal(winner_count_flaws(f.files), 20);
        assert_winner(&f, "a7/b", "39.conf:2908=2907 | 39.conf:2908=2907");
        fixture_deinit(&f);
}

TEST_MAIN(cmocka_unit_test(test_winner_order_of_files), cmocka_unit_test(test_winner_own_fragment),
          cmocka_unit_test(test_winner_credential),
          cmocka_unit_test(test_winner_lines_as_systemd_folds_them),
          cmocka_unit_test(test_winner_predict_refused_and_partial),
          cmocka_unit_test(test_winner_flaws), cmocka_unit_test(test_winner_many_flaws_and_lines))

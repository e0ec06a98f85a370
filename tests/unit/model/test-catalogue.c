/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/catalogue.h"
#include "test.h"

static void test_catalogue_rows_are_sorted_and_whole(void **state) {
        (void) state;
        assert_true(catalogue_count() >= 150);

        for (size_t i = 0; i < catalogue_count(); i++) {
                const SysctlSpec *spec = catalogue_get(i);
                if (i > 0) {
                        assert_true(strcmp(catalogue_get(i - 1)->key, spec->key) < 0);
                        assert_true(strcmp(catalogue_get(i - 1)->path, spec->path) < 0);
                }
                assert_int_equal(strlen(spec->key), strlen(spec->path));
                assert_null(strchr(spec->path, '.'));
                assert_true(spec->kernel_min <= spec->sane_min &&
                            spec->sane_max <= spec->kernel_max);
                assert_true(spec->sane_min >= 0 && spec->sane_min <= spec->sane_max);
                assert_int_equal(spec->settable, spec->not_settable_because == NULL);
                assert_true(spec->n_sources > 0 && spec->does[0] && spec->risk_reason[0]);
                assert_true(spec->default_text || spec->default_note || !spec->settable);
        }
}

static void test_catalogue_find_every_row(void **state) {
        (void) state;
        for (size_t i = 0; i < catalogue_count(); i++) {
                const SysctlSpec *spec = catalogue_get(i);
                assert_ptr_equal(catalogue_find(spec->key), spec);
                assert_ptr_equal(catalogue_find_path(spec->path), spec);
                assert_ptr_equal(catalogue_find_nearest(spec->key), spec);
        }
}

static void test_catalogue_find_only_exact_spellings(void **state) {
        (void) state;
        static const char *const rows[] = {
                "",
                "net",
                "net/ipv4/tcp_tw_reuse",
                "net.ipv4/tcp_tw_reuse",
                "net.ipv4.tcp_tw_reus",
                "net.ipv4.tcp_tw_reuse ",
                "net.ipv4.TCP_TW_REUSE",
                "\xef\xbb\xbfnet.ipv4.tcp_tw_reuse",
                "zzz",
        };
        TEST_EACH(row, rows)
                assert_null(catalogue_find(*row));
        assert_null(catalogue_find_path("net.ipv4.tcp_tw_reuse"));
        assert_null(catalogue_find_path("/net/ipv4/tcp_tw_reuse"));
}

static void test_catalogue_find_nearest_by_slip(void **state) {
        (void) state;
        static const struct {
                const char *written, *want; /* NULL: nothing is near */
        } rows[] = {
                { "net.ipv4.tcp_tw_resue", "net.ipv4.tcp_tw_reuse" },
                { "net.ipv4.tcp_tw_reuse1", "net.ipv4.tcp_tw_reuse" },
                { "net.ipv4.tcp_tw_reuse_dealy", "net.ipv4.tcp_tw_reuse_delay" },
                { "net/ipv4/tcp_tw_reuse", "net.ipv4.tcp_tw_reuse" },
                { "tcp_tw_reuse", "net.ipv4.tcp_tw_reuse" },
                { "net.core.tcp_fin_timeout", "net.ipv4.tcp_fin_timeout" },
                { "net.ipv4.somaxconn", "net.core.somaxconn" },
                { "net.ipv4.tcp_max_tw_bucket", "net.ipv4.tcp_max_tw_buckets" },
                { "net.ipv4.netfilter.nf_conntrack_max", "net.netfilter.nf_conntrack_max" },
                { "net.ipv4.ip_local_port_rang", "net.ipv4.ip_local_port_range" },
                { "net.ipv4.completely_different_name", NULL },
                { "vm.swappiness", NULL },
                { "net.ipv4.", NULL },
                { "", NULL },
                { ".", NULL },
                { "net.ipv4.x", NULL },
        };
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = catalogue_find_nearest(row->written);
                assert_true(streq_null(spec ? spec->key : NULL, row->want));
        }
}

static void test_catalogue_find_nearest_of_hostile_length(void **state) {
        (void) state;
        char text[400];
        static const size_t rows[] = { 64, 65, 191, 192, 399 };
        TEST_EACH(row, rows) {
                memset(text, 'a', *row);
                text[*row] = '\0';
                assert_null(catalogue_find_nearest(text));
        }
}

static void test_catalogue_known_rows(void **state) {
        (void) state;
        const SysctlSpec *recycle = catalogue_find("net.ipv4.tcp_tw_recycle");
        assert_false(recycle->settable);
        assert_int_equal(recycle->until.major, 4);
        assert_int_equal(recycle->until.minor, 12);
        assert_non_null(recycle->replacement);
        assert_non_null(recycle->myth);

        const SysctlSpec *timeout = catalogue_find("net.ipv4.tcp_tw_timeout");
        assert_string_equal(timeout->vendor, "Alibaba Cloud Linux");
        assert_int_equal(timeout->kernel_min, 1);
        assert_int_equal(timeout->kernel_max, 600);

        const SysctlSpec *range = catalogue_find("net.ipv4.ip_local_port_range");
        assert_int_equal(range->n_values, 2);
        assert_string_equal(range->default_text, "32768\t60999");

        assert_false(catalogue_find("net.netfilter.nf_conntrack_count")->settable);
        assert_int_equal(
                        catalogue_find("net.netfilter.nf_conntrack_max")->scope, SYSCTL_SCOPE_HOST);
        assert_string_equal(
                        catalogue_find("net.netfilter.nf_conntrack_max")->module, "nf_conntrack");
        assert_string_equal(catalogue_find("net.ipv4.ip_local_reserved_ports")->default_text, "");
}

/* What must be written first, because the other depends on it. */
static void test_catalogue_write_order_of_dependent_keys(void **state) {
        (void) state;
        static const struct {
                const char *first, *second;
        } rows[] = {
                { "net.ipv4.tcp_timestamps", "net.ipv4.tcp_tw_reuse" },
                { "net.ipv4.tcp_tw_reuse_delay", "net.ipv4.tcp_tw_reuse" },
                { "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_local_port_range" },
                { "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start" },
                { "net.netfilter.nf_conntrack_buckets", "net.netfilter.nf_conntrack_max" },
                { "net.netfilter.nf_conntrack_tcp_timeout_established",
                  "net.ipv4.tcp_keepalive_time" },
                { "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_syncookies" },
                { "net.ipv4.tcp_max_orphans", "net.ipv4.tcp_fin_timeout" },
        };
        TEST_EACH(row, rows)
                assert_true(catalogue_find(row->first)->write_order <
                            catalogue_find(row->second)->write_order);
}

static void test_kernel_version_parse_table(void **state) {
        (void) state;
        static const struct {
                const char *text;
                int r;
                KernelVersion want;
        } rows[] = {
                { "6.18.44-rc1-vendor", 0, { 6, 18, 44 } },
                { "5.10", 0, { 5, 10, 0 } },
                { "7.2-rc3", 0, { 7, 2, 0 } },
                { "6.1.0-28-amd64", 0, { 6, 1, 0 } },
                { "4.19.43-13.al7", 0, { 4, 19, 43 } },
                { "5.10.", 0, { 5, 10, 0 } },
                { "5.10.x", 0, { 5, 10, 0 } },
                { "4294967295.0", 0, { 4294967295U, 0, 0 } },
                { "4294967296.0", -EINVAL, { 0 } },
                { "5.99999999999", -EINVAL, { 0 } },
                { "5.10.99999999999", -EINVAL, { 0 } },
                { "", -EINVAL, { 0 } },
                { "5", -EINVAL, { 0 } },
                { "5.", -EINVAL, { 0 } },
                { ".5", -EINVAL, { 0 } },
                { "5-10", -EINVAL, { 0 } },
                { " 5.10", -EINVAL, { 0 } },
                { "v5.10", -EINVAL, { 0 } },
                { "-5.10", -EINVAL, { 0 } },
        };
        TEST_EACH(row, rows) {
                KernelVersion got = { 77, 77, 77 };
                assert_int_equal(kernel_version_parse(row->text, &got), row->r);
                KernelVersion untouched = { 77, 77, 77 };
                const KernelVersion *want = row->r == 0 ? &row->want : &untouched;
                assert_int_equal(kernel_version_compare(&got, want), 0);
        }
}

static void test_kernel_version_compare_table(void **state) {
        (void) state;
        static const struct {
                KernelVersion a, b;
                int want;
        } rows[] = {
                { { 5, 10, 0 }, { 5, 10, 0 }, 0 }, { { 5, 10, 0 }, { 5, 9, 9 }, 1 },
                { { 5, 10, 1 }, { 5, 10, 0 }, 1 }, { { 6, 0, 0 }, { 5, 99, 99 }, 1 },
                { { 4, 12, 0 }, { 5, 0, 0 }, -1 },
        };
        TEST_EACH(row, rows) {
                assert_int_equal(kernel_version_compare(&row->a, &row->b), row->want);
                assert_int_equal(kernel_version_compare(&row->b, &row->a), -row->want);
        }
}

static void test_sysctl_names(void **state) {
        (void) state;
        assert_string_equal(sysctl_type_name(SYSCTL_TYPE_BOOL), "bool");
        assert_string_equal(sysctl_type_name(SYSCTL_TYPE_RANGE), "range");
        assert_string_equal(sysctl_type_name(SYSCTL_TYPE_STRINGS), "strings");
        assert_string_equal(sysctl_unit_name(SYSCTL_UNIT_NONE), "");
        assert_string_equal(sysctl_unit_name(SYSCTL_UNIT_SECONDS), "s");
        assert_string_equal(sysctl_unit_name(SYSCTL_UNIT_PAGES), "pages");
        assert_string_equal(sysctl_unit_name(SYSCTL_UNIT_COUNT), "");
}

TEST_MAIN(cmocka_unit_test(test_catalogue_rows_are_sorted_and_whole),
          cmocka_unit_test(test_catalogue_find_every_row),
          cmocka_unit_test(test_catalogue_find_only_exact_spellings),
          cmocka_unit_test(test_catalogue_find_nearest_by_slip),
          cmocka_unit_test(test_catalogue_find_nearest_of_hostile_length),
          cmocka_unit_test(test_catalogue_known_rows),
          cmocka_unit_test(test_catalogue_write_order_of_dependent_keys),
          cmocka_unit_test(test_kernel_version_parse_table),
          cmocka_unit_test(test_kernel_version_compare_table), cmocka_unit_test(test_sysctl_names))

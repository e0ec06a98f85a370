/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-settings.h"
#include "test.h"

static void test_ports_parse(void **state) {
        (void) state;
        static const struct {
                const char *range, *reserved;
                int r;
                uint32_t ports;
        } rows[] = {
                { "32768\t60999\n", "\n", 0, 28232 },
                { "32768\t60999\n", "", 0, 28232 },
                { "1024 1024\n", "\n", 0, 1 },
                { "1000 1009\n", "1000\n", 0, 9 },
                { "1000 1009\n", "22,1003-1005,2000-3000\n", 0, 7 },
                { "1000 1009\n", "900-1001,1009-1100\n", 0, 7 },
                { "1000 1009\n", "0-65535\n", 0, 0 },
                { "1009 1000\n", "\n", -EBADMSG, 0 },
                { "1000\n", "\n", -EBADMSG, 0 },
                { "1000 70000\n", "\n", -EBADMSG, 0 },
                { "1000 1009\n", "1-2-3\n", -EBADMSG, 0 },
                { "1000 1009\n", "x\n", -EBADMSG, 0 },
        };
        TEST_EACH(row, rows) {
                uint32_t ports = 0;
                assert_int_equal(lab_ports_parse(row->range, row->reserved, &ports), row->r);
                assert_int_equal(ports, row->ports);
        }
}

static void test_general_keys_are_those_of_tcp_in_a_namespace(void **state) {
        (void) state;
        static const struct {
                const char *key;
                bool general;
        } rows[] = {
                { "net.ipv4.tcp_tw_reuse", true },
                { "net.ipv4.ip_local_port_range", true },
                { "net.core.somaxconn", true },
                { "net.ipv4.tcp_mem", false },        /* one for the host */
                { "net.ipv4.tcp_tw_recycle", false }, /* gone */
                { "net.core.netdev_max_backlog", false },
        };
        TEST_EACH(row, rows) {
                const SysctlSpec *spec = catalogue_find(row->key);
                assert_non_null(spec);
                assert_int_equal(lab_setting_is_general(spec), row->general);
        }
}

static void test_host_wide_setting_is_not_written(void **state) {
        (void) state;
        const LabSetting setting = { catalogue_find("net.core.netdev_max_backlog"), "1000" };
        assert_int_equal(lab_setting_write(&setting), LAB_SETTING_HOST_WIDE);
        assert_string_equal(lab_setting_state_name(LAB_SETTING_HOST_WIDE), "host-wide");
}

TEST_MAIN(cmocka_unit_test(test_ports_parse),
          cmocka_unit_test(test_general_keys_are_those_of_tcp_in_a_namespace),
          cmocka_unit_test(test_host_wide_setting_is_not_written))

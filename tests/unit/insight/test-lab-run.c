/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-run.h"

#include "insight/lab-nat.h"
#include "test.h"

/* A hundred ports make every effect of the real range visible within a second. */
#define PORTS_TEXT "30000 30099"
#define PORTS      100U

static LabSetting settings[8];
static LabRunResult *result;
static Error error;

static void set(size_t i, const char *key, const char *text) {
        settings[i] = (LabSetting){ catalogue_find(key), text };
        assert_non_null(settings[i].spec);
}

static void run(const LabLoad *load, size_t n_settings) {
        const LabRunRequest request = { load, settings, n_settings };
        int r = lab_run(&request, NULL, NULL, result, &error);
        if (r < 0)
                print_error("%s\n", error.text);
        assert_int_equal(r, 0);
        for (size_t i = 0; i < n_settings; i++)
                assert_int_equal(result->states[i], LAB_SETTING_WRITTEN);
}

static LabLoad churn(LabOrder order) {
        return (LabLoad){
                .order = order,
                .requests = 1,
                .destinations = 1,
                .concurrency = 8,
                .duration_ms = 600,
        };
}

static void test_first_refusal_is_at_exactly_the_ports(void **state) {
        (void) state;
        set(0, "net.ipv4.ip_local_port_range", PORTS_TEXT);
        set(1, "net.ipv4.tcp_tw_reuse", "0");
        LabLoad load = churn(LAB_ORDER_KEEP);
        run(&load, 2);
        assert_int_equal(result->tally.ports, PORTS);
        assert_int_equal(result->tally.opened_before_refusal, PORTS);
        assert_int_equal(result->tally.connections, PORTS);
        assert_int_equal(result->tally.failures[0].error, EADDRNOTAVAIL);
        assert_int_equal(result->client_peak, PORTS);
        assert_int_equal(result->server_peak, 0);
        assert_int_equal(result->client.value[LAB_TW], PORTS);
        assert_true(result->n_samples >= 4);
}

/* A hundred a second on fifty ports: the pace counts what fails, too. */
static void test_pace_is_kept(void **state) {
        (void) state;
        set(0, "net.ipv4.ip_local_port_range", "30000 30049");
        LabLoad load = churn(LAB_ORDER_KEEP);
        load.per_second = 100;
        load.duration_ms = 1000;
        run(&load, 2);
        set(0, "net.ipv4.ip_local_port_range", PORTS_TEXT);
        assert_int_equal(result->tally.connections, 50);
        assert_in_range(result->tally.opened + result->tally.refused, 90, 101);
        assert_in_range(result->tally.refused, 40, 51);
}

static void test_several_destinations_share_the_ports(void **state) {
        (void) state;
        LabLoad load = churn(LAB_ORDER_KEEP);
        load.destinations = 3;
        run(&load, 2);
        assert_int_equal(result->tally.connections, 3 * PORTS);
}

static void test_bind_takes_the_port_for_all_destinations(void **state) {
        (void) state;
        LabLoad load = churn(LAB_ORDER_KEEP);
        load.destinations = 2;
        load.bind = LAB_BIND_ADDRESS;
        run(&load, 2);
        assert_int_equal(result->tally.connections, PORTS);
        assert_int_equal(result->tally.failures[0].error, EADDRINUSE);
        load.bind = LAB_BIND_NO_PORT;
        run(&load, 2);
        assert_int_equal(result->tally.connections, 2 * PORTS);
}

/* Each port is used once: with fewer of them the client would come back to a bucket, which then makes room. */
static void test_server_that_closes_first_keeps_the_buckets(void **state) {
        (void) state;
        set(0, "net.ipv4.ip_local_port_range", "32768 60999");
        LabLoad load = churn(LAB_ORDER_CLOSE);
        load.max_connections = 300;
        load.duration_ms = 5000;
        run(&load, 2);
        assert_int_equal(result->tally.connections, 300);
        assert_int_equal(result->client_peak, 0);
        assert_int_equal(result->server_peak, 300);
        assert_int_equal(result->server.value[LAB_PASSIVE_OPENS], 300);
        assert_int_equal(result->tally.failures[0].n, 0);
}

static void test_keep_alive_leaves_one_bucket_for_many_requests(void **state) {
        (void) state;
        LabLoad load = churn(LAB_ORDER_KEEP);
        load.requests = 50;
        load.max_connections = 4;
        run(&load, 2);
        assert_int_equal(result->tally.requests, 200);
        assert_int_equal(result->tally.connections, 4);
        assert_int_equal(result->client_peak, 4);
        assert_int_equal(result->tally.exchange.n, 200);
}

static void test_limit_of_buckets_causes_resets(void **state) {
        (void) state;
        set(2, "net.ipv4.tcp_max_tw_buckets", "20");
        LabLoad load = churn(LAB_ORDER_LATE);
        load.linger_ms = 50;
        load.concurrency = 10;
        load.max_connections = 100;
        load.duration_ms = 5000;
        run(&load, 3);
        assert_int_equal(result->tally.connections, 100);
        assert_int_equal(result->client_peak, 20);
        assert_int_equal(result->client.value[LAB_TW_OVERFLOW], 80);
        assert_int_equal(result->client.value[LAB_OUT_RSTS], 80);
}

/* Which of the clients have older timestamps depends on the kernel's secret, that of this boot, on addresses and ports:
 * in both runs it is the same ones. */
static void test_returning_clients_by_rfc1337(void **state) {
        (void) state;
        const LabLoad load = { .destinations = 1, .duration_ms = 7000, .returning_clients = true };
        set(0, "net.ipv4.tcp_timestamps", "1");
        set(1, "net.ipv4.tcp_rfc1337", "0");
        run(&load, 2);
        uint64_t all = UINT64_C(2) * LAB_NAT_CLIENTS;
        assert_int_equal(result->tally.opened, all);
        assert_int_equal(result->tally.connections, all);
        uint64_t older = result->client.value[LAB_OUT_RSTS];
        assert_in_range(older, 1, all - 1);
        set(1, "net.ipv4.tcp_rfc1337", "1");
        run(&load, 2);
        assert_int_equal(result->tally.connections, all - older);
        assert_int_equal(result->tally.failures[0].error, ETIMEDOUT);
        assert_int_equal(result->tally.failures[0].n, older);
}

static int stop(void *userdata, uint32_t elapsed_ms) {
        (void) userdata;
        return elapsed_ms > 150 ? -ECANCELED : 0;
}

static void test_watch_ends_a_run(void **state) {
        (void) state;
        LabLoad load = churn(LAB_ORDER_KEEP);
        load.duration_ms = 60000;
        const LabRunRequest request = { &load, NULL, 0 };
        uint64_t since_ns = lab_now_ns();
        assert_int_equal(lab_run(&request, stop, NULL, result, &error), -ECANCELED);
        assert_true(lab_now_ns() - since_ns < UINT64_C(5000000000));
}

static int can_run(void) {
        LabLoad load = churn(LAB_ORDER_KEEP);
        load.max_connections = 1;
        const LabRunRequest request = { &load, NULL, 0 };
        int r = lab_run(&request, NULL, NULL, result, &error);
        if (r == 0)
                return 0;
        print_message("skipped: this host makes no lab: %s\n", error.text);
        return r;
}

int main(void) {
        result = calloc(1, sizeof(*result));
        if (!result)
                return 1;
        int r = can_run();
        if (r < 0)
                return r == -EPERM || r == -ENOSPC || r == -EOPNOTSUPP || r == -EROFS ? TEST_SKIP
                                                                                      : 1;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_refusal_is_at_exactly_the_ports),
                cmocka_unit_test(test_pace_is_kept),
                cmocka_unit_test(test_several_destinations_share_the_ports),
                cmocka_unit_test(test_bind_takes_the_port_for_all_destinations),
                cmocka_unit_test(test_server_that_closes_first_keeps_the_buckets),
                cmocka_unit_test(test_keep_alive_leaves_one_bucket_for_many_requests),
                cmocka_unit_test(test_limit_of_buckets_causes_resets),
                cmocka_unit_test(test_returning_clients_by_rfc1337),
                cmocka_unit_test(test_watch_ends_a_run),
        };
        r = cmocka_run_group_tests(tests, NULL, NULL);
        free(result);
        return r;
}

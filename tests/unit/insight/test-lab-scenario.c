/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/lab-scenario.h"

#include "model/catalogue.h"
#include "test.h"

static void test_every_scenario_can_be_played(void **state) {
        (void) state;
        for (size_t i = 0; i < lab_scenario_count(); i++) {
                const LabScenario *scenario = lab_scenario_get(i);
                assert_ptr_equal(
                                lab_scenario_find(scenario->name, strlen(scenario->name)),
                                scenario);
                assert_true(scenario->n_steps > 0);
                for (size_t k = 0; k < scenario->n_steps; k++) {
                        const LabStep *step = &scenario->steps[k];
                        const LabLoad *load = &step->load;
                        assert_in_range(load->destinations, 1, LAB_DESTINATIONS_MAX);
                        if (!load->returning_clients) {
                                assert_in_range(load->concurrency, 1, LAB_CONCURRENCY_MAX);
                                assert_in_range(load->requests, 1, 100000);
                        }
                        assert_int_equal(!step->key, !step->value);
                        if (step->key)
                                assert_non_null(catalogue_find(step->key));
                        assert_true(scenario->n_steps == 1 || *step->name != '\0');
                }
        }
}

static void test_find_wants_the_whole_name(void **state) {
        (void) state;
        assert_non_null(lab_scenario_find("nat,bind", 3));
        assert_null(lab_scenario_find("na", 2));
        assert_null(lab_scenario_find("", 0));
        assert_null(lab_scenario_find("natt", 4));
}

TEST_MAIN(cmocka_unit_test(test_every_scenario_can_be_played),
          cmocka_unit_test(test_find_wants_the_whole_name))

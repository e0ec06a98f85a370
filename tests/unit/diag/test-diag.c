/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/diag.h"

#include "test.h"

static Span span_of(const Source *source, uint32_t line, uint32_t column) {
        return (Span){ .source = source,
                       .line = line,
                       .column = column,
                       .end_line = line,
                       .end_column = column + 1 };
}

static void test_add_copies_everything(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        CLEANUP(source_freep) Source *source = source_new("a", "x", 1);
        char key[] = "net.a", name[] = "web";
        Diag *diag = diag_add(list, DIAG_OUT_OF_RANGE, span_of(source, 1, 1), "value %d", 7);
        diag_set_key(list, diag, key);
        diag_set_profile(list, diag, name);
        diag_add_label(list, diag, span_of(source, 1, 2), "label %s", key);
        diag_add_note(list, diag, "note %s", name);
        diag_set_help(list, diag, "help %d", 8);
        key[0] = name[0] = '!';

        assert_int_equal(diag_list_count(list), 1);
        const Diag *got = diag_list_get(list, 0);
        assert_int_equal(got->id, DIAG_OUT_OF_RANGE);
        assert_string_equal(got->message, "value 7");
        assert_string_equal(got->key, "net.a");
        assert_string_equal(got->profile, "web");
        assert_int_equal(got->n_labels, 1);
        assert_string_equal(got->labels[0].text, "label net.a");
        assert_int_equal(got->n_notes, 1);
        assert_string_equal(got->notes[0], "note web");
        assert_string_equal(got->help, "help 8");
        assert_true(diag_list_is_complete(list));
}

static void test_sort_by_place_then_code(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Source *a = source_new("a.yaml", "", 0), *b = source_new("b.yaml", "", 0);
        diag_list_take_source(list, a);
        diag_list_take_source(list, b);
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "8");
        (void) diag_add(list, DIAG_DRIFT, (Span){ 0 }, "9"); /* no place: as added */
        (void) diag_add(list, DIAG_OUT_OF_RANGE, span_of(b, 1, 1), "7");
        (void) diag_add(list, DIAG_OUT_OF_RANGE, span_of(a, 2, 5), "4");
        (void) diag_add(list, DIAG_UNKNOWN_KEY, span_of(a, 2, 5), "3");
        (void) diag_add(list, DIAG_OUT_OF_RANGE, span_of(a, 2, 5), "5");
        (void) diag_add(list, DIAG_OUT_OF_RANGE, span_of(a, 2, 4), "2");
        (void) diag_add(list, DIAG_OUT_OF_RANGE, span_of(a, 10, 1), "6");
        (void) diag_add(list, DIAG_USAGE, span_of(a, 1, 9), "1");
        diag_list_sort(list);

        char order[10] = "";
        for (size_t i = 0; i < diag_list_count(list); i++)
                order[i] = diag_list_get(list, i)->message[0];
        assert_string_equal(order, "123456789");
}

static void test_move_keeps_texts_and_sources(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        DiagList *from = diag_list_new();
        Source *source = source_new("a.yaml", "x", 1);
        diag_list_take_source(from, source);
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "first");
        (void) diag_add(from, DIAG_DRIFT, span_of(source, 1, 1), "second");
        diag_list_move(list, from);
        assert_int_equal(diag_list_count(from), 0);
        (void) diag_add(from, DIAG_USAGE, (Span){ 0 }, "third"); /* usable again */
        diag_list_move(list, from);
        diag_list_move(list, from); /* nothing to move */
        (void) diag_list_free(from);

        assert_int_equal(diag_list_count(list), 3);
        assert_string_equal(diag_list_get(list, 1)->message, "second");
        assert_string_equal(source_name(diag_list_get(list, 1)->span.source), "a.yaml");
        assert_string_equal(diag_list_get(list, 2)->message, "third");
        assert_null(diag_list_free(NULL));
}

static void test_many_are_kept(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        for (unsigned i = 0; i < 1000; i++)
                (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "%u", i);
        assert_int_equal(diag_list_count(list), 1000);
        assert_string_equal(diag_list_get(list, 999)->message, "999");
        assert_string_equal(diag_list_get(list, 0)->message, "0");
}

static void test_exit_code_is_the_worst(void **state UNUSED) {
        static const struct {
                DiagId ids[3];
                int want;
                size_t n, errors;
        } rows[] = {
                { { 0 }, 0, 0, 0 },
                { { DIAG_NOTHING_TO_DO }, 0, 1, 0 },
                { { DIAG_DROPPED_BY_REBOOT, DIAG_KEY_PENDING }, 7, 2, 0 },
                { { DIAG_KEY_PENDING, DIAG_DRIFT }, 4, 2, 1 },
                { { DIAG_DRIFT, DIAG_OUT_OF_RANGE, DIAG_DRIFT }, 3, 3, 3 },
                { { DIAG_TIME_WAIT_BELOW_RFC, DIAG_DRIFT }, 3, 2, 2 },
                { { DIAG_OUT_OF_RANGE, DIAG_UNKNOWN_PROFILE }, 5, 2, 2 },
                { { DIAG_UNKNOWN_PROFILE, DIAG_STATE_UNKNOWN }, 8, 2, 2 },
                { { DIAG_APPLY_UNDONE, DIAG_STATE_UNKNOWN }, 8, 2, 2 },
                { { DIAG_STATE_UNKNOWN, DIAG_IO_FAILED }, 2, 2, 2 },
                { { DIAG_USAGE }, 64, 1, 1 },
        };
        TEST_EACH(row, rows) {
                CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
                for (size_t i = 0; i < row->n; i++)
                        (void) diag_add(list, row->ids[i], (Span){ 0 }, "x");
                assert_int_equal(diag_list_exit_code(list), row->want);
                assert_int_equal(diag_list_count_errors(list), row->errors);
        }
}

static void test_set_profile_leaves_what_is_set(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        diag_set_profile(list, diag_add(list, DIAG_BUSY, (Span){ 0 }, "x"), "one");
        (void) diag_add(list, DIAG_BUSY, (Span){ 0 }, "y");
        diag_list_set_profile(list, "two");
        assert_string_equal(diag_list_get(list, 0)->profile, "one");
        assert_string_equal(diag_list_get(list, 1)->profile, "two");
}

/* A text that cannot be made, as when memory is short: "%ls" with a character that the C locale lacks. */
#define UNMAKEABLE "%ls", L"\x20AC"

static void test_lost_findings_are_remembered(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Diag *dummy = diag_add(list, DIAG_NOTHING_TO_DO, (Span){ 0 }, UNMAKEABLE);
        assert_non_null(dummy);
        for (size_t i = 0; i < 9; i++) { /* swallows without end */
                diag_add_label(list, dummy, (Span){ 0 }, "l");
                diag_add_note(list, dummy, "n");
        }
        diag_set_help(list, dummy, "h");
        assert_int_equal(diag_list_count(list), 0);
        assert_false(diag_list_is_complete(list));
        assert_int_equal(diag_list_exit_code(list), 2);

        CLEANUP(diag_list_freep) DiagList *to = diag_list_new();
        diag_list_move(to, list);
        assert_true(diag_list_is_complete(list));
        assert_false(diag_list_is_complete(to));
}

static void test_lost_details_are_remembered(void **state UNUSED) {
        CLEANUP(diag_list_freep) DiagList *list = diag_list_new();
        Diag *diag = diag_add(list, DIAG_BUSY, (Span){ 0 }, "m");
        assert_true(diag_list_is_complete(list));
        diag_add_label(list, diag, (Span){ 0 }, UNMAKEABLE);
        diag_add_note(list, diag, UNMAKEABLE);
        assert_int_equal(diag->n_labels, 0);
        assert_int_equal(diag->n_notes, 0);
        assert_false(diag_list_is_complete(list));
}

static void test_every_row_is_found_by_name_and_code(void **state UNUSED) {
        assert_true(diag_row_count() > 80);
        for (size_t i = 0; i < diag_row_count(); i++) {
                const DiagRow *row = diag_row((DiagId) i);
                assert_ptr_equal(diag_row_find(row->name), row);
                assert_ptr_equal(diag_row_find(row->code), row);
                assert_int_equal(diag_row_id(row), i);
                assert_non_null(diag_severity_name(row->severity));
                assert_non_null(diag_severity_word(row->severity));
        }
        assert_null(diag_row_find("no-such-row"));
        assert_string_equal(diag_row(DIAG_OUT_OF_RANGE)->code, "TW417");
        assert_int_equal(diag_row(DIAG_UNKNOWN_PROFILE)->exit_code, 5);
        const DiagRow *rule = diag_row(DIAG_TIME_WAIT_BELOW_RFC);
        assert_true(rule->n_sources >= 1);
        assert_true(strstr(rule->sources[0], "RFC 9293") != NULL);
        assert_int_equal(diag_row(DIAG_USAGE)->n_sources, 0);
}

TEST_MAIN(cmocka_unit_test(test_add_copies_everything),
          cmocka_unit_test(test_sort_by_place_then_code),
          cmocka_unit_test(test_move_keeps_texts_and_sources), cmocka_unit_test(test_many_are_kept),
          cmocka_unit_test(test_exit_code_is_the_worst),
          cmocka_unit_test(test_set_profile_leaves_what_is_set),
          cmocka_unit_test(test_lost_findings_are_remembered),
          cmocka_unit_test(test_lost_details_are_remembered),
          cmocka_unit_test(test_every_row_is_found_by_name_and_code))

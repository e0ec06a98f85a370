/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record/audit-chain.h"

#include "audit-fixture.h"

#define N_RECORDS  12U
#define FILE_NAME  "audit-1.ndjson"
#define PIECES_MAX 32U

/* A log as the writer makes it; tests take it apart. Line i has record i + 1, unless something was put between. */
typedef struct Log {
        char *lines[PIECES_MAX];
        size_t n;
        AuditHead heads[N_RECORDS + 1]; /* by number */
} Log;

static AuditRecord record_of(AuditEvent event) {
        AuditRecord record = event == AUDIT_OPEN ? test_open() : test_record();
        record.event = event;
        return record;
}

static void log_new(Log *log) {
        AuditHead head = { 0 };
        *log = (Log){ 0 };
        while (log->n < N_RECORDS) {
                AuditRecord record = record_of(
                                log->n == 0       ? AUDIT_OPEN
                                : log->n % 2 == 1 ? AUDIT_INTENT
                                                  : AUDIT_OUTCOME);
                log->lines[log->n++] = test_encode(&record, &head);
                log->heads[head.seq] = head;
        }
}

static void log_free(Log *log) {
        for (size_t i = 0; i < log->n; i++)
                free(log->lines[i]);
}

static void log_remove(Log *log, size_t at) {
        free(log->lines[at]);
        log->n--;
        memmove(log->lines + at, log->lines + at + 1, (log->n - at) * sizeof(log->lines[0]));
}

static void log_insert(Log *log, size_t at, char *line) {
        assert_true(log->n < PIECES_MAX);
        memmove(log->lines + at + 1, log->lines + at, (log->n - at) * sizeof(log->lines[0]));
        log->lines[at] = line;
        log->n++;
}

static void log_edit(Log *log, size_t at, const char *from, const char *to) {
        char *edited = test_replace(log->lines[at], from, to);
        free(log->lines[at]);
        log->lines[at] = edited;
}

static void log_swap(Log *log, size_t a, size_t b) {
        char *line = log->lines[a];
        log->lines[a] = log->lines[b];
        log->lines[b] = line;
}

/* One file of some of the lines. */
static void feed(AuditChain *chain, const Log *log, const char *name, size_t from, size_t to) {
        uint64_t first = strtoull(name + strlen("audit-"), NULL, 10);
        audit_chain_begin_file(chain, name, first);
        for (size_t i = from; i < to; i++)
                audit_chain_add_line(chain, log->lines[i], strlen(log->lines[i]), true);
}

static AuditVerdict judge(const Log *log, const AuditAnchor *anchors, size_t n_anchors) {
        AuditChain chain;
        AuditVerdict verdict;
        audit_chain_init(&chain, anchors, n_anchors);
        feed(&chain, log, FILE_NAME, 0, log->n);
        audit_chain_end(&chain, &verdict);
        return verdict;
}

static void expect_break(const AuditVerdict *verdict, AuditBreak kind, uint64_t seq) {
        if (verdict->kind != kind || verdict->seq != seq)
                fail_msg("%s at %ju (%s), not %s at %ju", audit_break_name(verdict->kind),
                         (uintmax_t) verdict->seq, verdict->why ? verdict->why : "-",
                         audit_break_name(kind), (uintmax_t) seq);
        assert_int_equal(verdict->why != NULL, kind != AUDIT_BREAK_NONE);
}

static AuditAnchor anchor_of(const Log *log, uint64_t seq) {
        return (AuditAnchor){ seq, log->heads[seq].hash, "a head" };
}

/* --- whole ---------------------------------------------------------------------------------------------- */

static void test_whole_with_every_prefix_as_head(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_NONE, 0);
        assert_int_equal(verdict.n_records, N_RECORDS);
        assert_int_equal(verdict.first, 1);
        assert_int_equal(verdict.head.seq, N_RECORDS);
        assert_true(sha256_equal(&verdict.head.hash, &log.heads[N_RECORDS].hash));
        for (uint64_t seq = 1; seq <= N_RECORDS; seq++) {
                AuditAnchor anchor = anchor_of(&log, seq);
                verdict = judge(&log, &anchor, 1);
                expect_break(&verdict, AUDIT_BREAK_NONE, 0);
                assert_int_equal(verdict.n_anchors, 1);
        }
}

static void test_nothing_is_whole(void **state) {
        (void) state;
        AuditChain chain;
        AuditVerdict verdict;
        audit_chain_init(&chain, NULL, 0);
        audit_chain_end(&chain, &verdict);
        expect_break(&verdict, AUDIT_BREAK_NONE, 0);
        assert_int_equal(verdict.first, 0);
}

/* --- tampering ------------------------------------------------------------------------------------------ */

/* Whatever record is changed, it is named; only a head tells it of the last one. */
static void test_edited_record(void **state) {
        (void) state;
        for (size_t at = 1; at < N_RECORDS; at++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                log_edit(&log, at, "CHG-17", "CHG-18");
                AuditVerdict verdict = judge(&log, NULL, 0);
                bool is_last = at == N_RECORDS - 1;
                expect_break(&verdict, is_last ? AUDIT_BREAK_NONE : AUDIT_BREAK_EDITED,
                             is_last ? 0 : at + 1);
                AuditAnchor head = anchor_of(&log, N_RECORDS);
                verdict = judge(&log, &head, 1);
                expect_break(&verdict, is_last ? AUDIT_BREAK_OTHER : AUDIT_BREAK_EDITED, at + 1);
        }
}

static void test_edited_first_record(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        log_edit(&log, 0, TEST_LOG, "9d7b6c1e-0000-4000-8000-00000000000b");
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_EDITED, 1);
}

/* The record behind tells which of two neighbours was changed. */
static void test_edited_link(void **state) {
        (void) state;
        for (size_t at = 1; at < N_RECORDS - 1; at++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                log_edit(&log, at, "\"prev\":\"", "\"prev\":\"0000");
                char *prev = strstr(log.lines[at], "\"prev\":\"0000");
                memmove(prev + 72, prev + 76, strlen(prev + 76) + 1);
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_EDITED, at + 1);
        }
}

static void test_edited_link_by_an_anchor(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        log_edit(&log, N_RECORDS - 1, "\"prev\":\"", "\"prev\":\"0000");
        char *prev = strstr(log.lines[N_RECORDS - 1], "\"prev\":\"0000");
        memmove(prev + 72, prev + 76, strlen(prev + 76) + 1);
        AuditAnchor anchor = anchor_of(&log, N_RECORDS - 1);
        AuditVerdict verdict = judge(&log, &anchor, 1);
        expect_break(&verdict, AUDIT_BREAK_EDITED, N_RECORDS);
}

static void test_edited_number_or_shape(void **state) {
        (void) state;
        static const struct {
                const char *from, *to;
        } rows[] = {
                { "\"seq\":5", "\"seq\":50" },
                { "\"seq\":5", "\"seq\":2" },
                { "{\"boot\"", "# {\"boot\"" },
                { "\"v\":1", "\"v\":0" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                log_edit(&log, 4, row->from, row->to);
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_EDITED, 5);
                assert_string_equal(verdict.file, FILE_NAME);
        }
}

/* Changed, and the record behind it made to fit: then that one is what the next does not know. */
static void test_edited_and_carried_on(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        AuditHead head = log.heads[4];
        AuditRecord record = record_of(AUDIT_OUTCOME);
        record.reason = "another";
        for (size_t at = 4; at < 7; at++) {
                free(log.lines[at]);
                log.lines[at] = test_encode(&record, &head);
        }
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_EDITED, 7);
        AuditAnchor anchors[] = { anchor_of(&log, 3), anchor_of(&log, 5), anchor_of(&log, 7) };
        verdict = judge(&log, anchors, ELEMENTSOF(anchors));
        expect_break(&verdict, AUDIT_BREAK_OTHER, 5);
        assert_string_equal(verdict.source, "a head");
}

static void test_removed_record(void **state) {
        (void) state;
        for (size_t at = 0; at < N_RECORDS - 1; at++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                log_remove(&log, at);
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_REMOVED, at + 1);
        }
}

static void test_swapped_records(void **state) {
        (void) state;
        for (size_t at = 0; at < N_RECORDS - 1; at++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                log_swap(&log, at, at + 1);
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_REORDERED, at + 1);
        }
        CLEANUP(log_free) Log log;
        log_new(&log);
        log_swap(&log, 3, 9);
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_REORDERED, 4);
}

/* A record put between 4 and 5 in several ways. */
static void test_inserted_record(void **state) {
        (void) state;
        for (int way = 0; way < 4; way++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                AuditHead head = log.heads[4];
                if (way == 1)
                        head.hash = sha256_of("x", 1);
                AuditRecord record = record_of(AUDIT_DENIED);
                char *line = way == 2 ? strdup(log.lines[1]) : test_encode(&record, &head);
                if (way == 3) {
                        free(line);
                        line = strdup("# a remark");
                }
                log_insert(&log, 4, line);
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_REORDERED, way == 2 ? 2 : 5);
        }
}

static void test_cut_or_older(void **state) {
        (void) state;
        for (size_t n = 0; n < N_RECORDS; n++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                AuditAnchor anchor = anchor_of(&log, N_RECORDS);
                while (log.n > n)
                        log_remove(&log, log.n - 1);
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_NONE, 0);
                verdict = judge(&log, &anchor, 1);
                expect_break(&verdict, AUDIT_BREAK_CUT, n + 1);
                assert_string_equal(verdict.source, "a head");
        }
}

static void test_another_log(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        AuditAnchor anchor = { 1, sha256_of("x", 1), "a head" };
        AuditVerdict verdict = judge(&log, &anchor, 1);
        expect_break(&verdict, AUDIT_BREAK_OTHER, 1);
}

/* --- tears ---------------------------------------------------------------------------------------------- */

/* Line `at` is a tear: the record that was to stand there. Behind it, its torn record and the rest. */
static void log_tear(Log *log, size_t at, const char *bytes, bool is_ended) {
        size_t offset = 0;
        for (size_t i = 0; i < at; i++)
                offset += strlen(log->lines[i]) + 1;
        AuditRecord torn = record_of(AUDIT_TORN);
        torn.torn_offset = offset;
        CLEANUP(strbuf_deinit) StrBuf text = {};
        strbuf_add(&text, bytes);
        strbuf_add(&text, is_ended ? "\n" : "");
        torn.torn_length = text.length;
        torn.torn_hash = sha256_of(text.data, text.length);
        while (log->n > at)
                log_remove(log, at);
        AuditHead head = log->heads[at];
        for (const char *p = bytes;;) {
                size_t n = strcspn(p, "\n");
                log_insert(log, log->n, strndup(p, n));
                if (p[n] == '\0')
                        break;
                p += n + 1;
        }
        if (at == 0) {
                AuditRecord open = record_of(AUDIT_OPEN);
                log_insert(log, log->n, test_encode(&open, &head));
        }
        log_insert(log, log->n, test_encode(&torn, &head));
        log->heads[head.seq] = head;
        AuditRecord record = record_of(AUDIT_BOOT);
        log_insert(log, log->n, test_encode(&record, &head));
}

static void test_tear_with_its_record(void **state) {
        (void) state;
        for (size_t at = 0; at < N_RECORDS - 2; at++)
                for (int is_ended = 0; is_ended < 2; is_ended++) {
                        CLEANUP(log_free) Log log;
                        log_new(&log);
                        log_tear(&log, at, at % 3 == 0 ? "{\"a\":1}\n{\"half" : "{\"half",
                                 is_ended != 0);
                        AuditVerdict verdict = judge(&log, NULL, 0);
                        expect_break(&verdict, AUDIT_BREAK_NONE, 0);
                        assert_int_equal(verdict.n_tears, 1);
                        assert_false(verdict.has_open_tear);
                }
}

static void test_tear_without_its_record(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        log_insert(&log, 4, strdup("{\"half"));
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_REORDERED, 5);
        assert_int_equal(verdict.n_tears, 0);
}

/* Nothing was written since: the head says whether more is missing than what was being written. */
static void test_tear_at_the_end(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        AuditAnchor anchor = anchor_of(&log, N_RECORDS);
        log.lines[N_RECORDS - 1][100] = '\0';
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_NONE, 0);
        assert_true(verdict.has_open_tear);
        assert_int_equal(verdict.head.seq, N_RECORDS - 1);
        verdict = judge(&log, &anchor, 1);
        expect_break(&verdict, AUDIT_BREAK_CUT, N_RECORDS);
        anchor = anchor_of(&log, N_RECORDS - 1);
        verdict = judge(&log, &anchor, 1);
        expect_break(&verdict, AUDIT_BREAK_NONE, 0);
}

static void test_forged_torn_record(void **state) {
        (void) state;
        for (int way = 0; way < 4; way++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                log_tear(&log, 4, "{\"half", false);
                if (way == 0)
                        log.lines[4][2] = 'H'; /* other bytes of the same length */
                else if (way == 1)
                        log_edit(&log, 4, "{", "{{");
                else if (way == 2)
                        log_remove(&log, 4);
                else
                        log_insert(&log, 4, strdup("{\"half")); /* another place */
                AuditVerdict verdict = judge(&log, NULL, 0);
                expect_break(&verdict, AUDIT_BREAK_EDITED, 5);
        }
        /* One that names the remains of an edited record does not fit into the chain. */
        CLEANUP(log_free) Log log, forged;
        log_new(&log);
        log_new(&forged);
        log_tear(&forged, 4, "{\"half", false);
        free(log.lines[4]);
        log.lines[4] = strdup(forged.lines[4]);
        log_insert(&log, 5, strdup(forged.lines[5]));
        AuditVerdict verdict = judge(&log, NULL, 0);
        expect_break(&verdict, AUDIT_BREAK_EDITED, 5);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static AuditVerdict judge_files(const Log *log, bool has[3], const AuditAnchor *anchor) {
        AuditChain chain;
        AuditVerdict verdict;
        audit_chain_init(&chain, anchor, anchor ? 1 : 0);
        if (has[0])
                feed(&chain, log, "audit-1.ndjson", 0, 4);
        if (has[1])
                feed(&chain, log, "audit-5.ndjson", 4, 8);
        if (has[2])
                feed(&chain, log, "audit-9.ndjson", 8, log->n);
        audit_chain_end(&chain, &verdict);
        return verdict;
}

static void test_files(void **state) {
        (void) state;
        static const struct {
                bool has[3];
                AuditBreak kind;
                uint64_t seq;
        } rows[] = {
                { { true, true, true }, AUDIT_BREAK_NONE, 0 },
                { { false, true, true }, AUDIT_BREAK_REMOVED, 1 },
                { { true, false, true }, AUDIT_BREAK_REMOVED, 5 },
                { { true, true, false }, AUDIT_BREAK_CUT, 9 },
                { { false, false, false }, AUDIT_BREAK_CUT, 1 },
        };
        CLEANUP(log_free) Log log;
        log_new(&log);
        AuditAnchor anchor = anchor_of(&log, N_RECORDS);
        TEST_EACH(row, rows) {
                bool has[3] = { row->has[0], row->has[1], row->has[2] };
                AuditVerdict verdict = judge_files(&log, has, &anchor);
                expect_break(&verdict, row->kind, row->seq);
        }
}

/* A later record says that the first file was pruned; the anchor of what is gone is compared with what it names. */
static void test_pruned(void **state) {
        (void) state;
        for (int way = 0; way < 3; way++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                char hex[SHA256_HEX_SIZE], member[160];
                sha256_to_hex(&log.heads[way == 1 ? 3 : 4].hash, hex);
                (void) snprintf(member, sizeof(member),
                                "\"prof\":[],\"prune\":{\"sha256\":\"%s\",\"through\":%d},\"seq\"",
                                hex, way == 2 ? 3 : 4);
                AuditHead head = log.heads[N_RECORDS];
                AuditRecord record = record_of(AUDIT_BOOT);
                cleanup_free char *line = test_encode(&record, &head);
                log_insert(&log, log.n,
                           test_replace(line,
                                        "\"prof\":[\"hygiene@1111\",\"web@2222\"],\"res\":{\"exit\":0,\"outcome\":\"applied\"},\"seq\"",
                                        member));
                bool has[3] = { false, true, true };
                AuditVerdict verdict = judge_files(&log, has, NULL);
                expect_break(&verdict, way == 0 ? AUDIT_BREAK_NONE : AUDIT_BREAK_REMOVED,
                             way == 0 ? 0 : 1);
                assert_int_equal(verdict.first, 5);
                if (way > 0)
                        continue;
                AuditAnchor anchor = anchor_of(&log, 4);
                verdict = judge_files(&log, has, &anchor);
                expect_break(&verdict, AUDIT_BREAK_NONE, 0);
                anchor.hash = sha256_of("x", 1);
                verdict = judge_files(&log, has, &anchor);
                expect_break(&verdict, AUDIT_BREAK_OTHER, 4);
                anchor = anchor_of(&log, 2); /* gone: nothing to compare it with */
                verdict = judge_files(&log, has, &anchor);
                expect_break(&verdict, AUDIT_BREAK_NONE, 0);
                assert_int_equal(verdict.n_anchors, 0);
        }
}

static void test_renamed_file(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        AuditChain chain;
        AuditVerdict verdict;
        audit_chain_init(&chain, NULL, 0);
        feed(&chain, &log, "audit-1.ndjson", 0, 4);
        feed(&chain, &log, "audit-6.ndjson", 4, log.n);
        audit_chain_end(&chain, &verdict);
        expect_break(&verdict, AUDIT_BREAK_REORDERED, 5);
        assert_string_equal(verdict.file, "audit-6.ndjson");
        assert_int_equal(verdict.line, 1);
}

static void test_tear_before_the_next_file(void **state) {
        (void) state;
        CLEANUP(log_free) Log log;
        log_new(&log);
        log_insert(&log, 4, strdup("half"));
        AuditChain chain;
        AuditVerdict verdict;
        audit_chain_init(&chain, NULL, 0);
        feed(&chain, &log, "audit-1.ndjson", 0, 5);
        feed(&chain, &log, "audit-5.ndjson", 5, log.n);
        audit_chain_end(&chain, &verdict);
        expect_break(&verdict, AUDIT_BREAK_EDITED, 5);
}

/* Not judged from there on, but what was broken before stays broken. */
static void test_newer_format(void **state) {
        (void) state;
        for (int is_edited = 0; is_edited < 2; is_edited++) {
                CLEANUP(log_free) Log log;
                log_new(&log);
                AuditAnchor anchor = anchor_of(&log, N_RECORDS);
                log_edit(&log, 7, "\"v\":1", "\"v\":2");
                if (is_edited)
                        log_edit(&log, 3, "CHG-17", "CHG-18");
                AuditVerdict verdict = judge(&log, &anchor, 1);
                expect_break(&verdict, is_edited ? AUDIT_BREAK_EDITED : AUDIT_BREAK_NONE,
                             is_edited ? 4 : 0);
                assert_true(verdict.is_newer);
        }
}

static void test_anchors_are_sorted(void **state) {
        (void) state;
        AuditAnchor anchors[] = { { .seq = 9 }, { .seq = 2 }, { .seq = 9 }, { .seq = 1 } };
        qsort(anchors, ELEMENTSOF(anchors), sizeof(anchors[0]), audit_anchor_compare);
        assert_int_equal(anchors[0].seq, 1);
        assert_int_equal(anchors[1].seq, 2);
        assert_int_equal(anchors[3].seq, 9);
        assert_string_equal(audit_break_name(AUDIT_BREAK_CUT), "cut");
}

TEST_MAIN(cmocka_unit_test(test_whole_with_every_prefix_as_head),
          cmocka_unit_test(test_nothing_is_whole), cmocka_unit_test(test_edited_record),
          cmocka_unit_test(test_edited_first_record), cmocka_unit_test(test_edited_link),
          cmocka_unit_test(test_edited_link_by_an_anchor),
          cmocka_unit_test(test_edited_number_or_shape),
          cmocka_unit_test(test_edited_and_carried_on), cmocka_unit_test(test_removed_record),
          cmocka_unit_test(test_swapped_records), cmocka_unit_test(test_inserted_record),
          cmocka_unit_test(test_cut_or_older), cmocka_unit_test(test_another_log),
          cmocka_unit_test(test_tear_with_its_record),
          cmocka_unit_test(test_tear_without_its_record), cmocka_unit_test(test_tear_at_the_end),
          cmocka_unit_test(test_forged_torn_record), cmocka_unit_test(test_files),
          cmocka_unit_test(test_pruned), cmocka_unit_test(test_renamed_file),
          cmocka_unit_test(test_tear_before_the_next_file), cmocka_unit_test(test_newer_format),
          cmocka_unit_test(test_anchors_are_sorted))

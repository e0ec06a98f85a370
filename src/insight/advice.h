/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Advice: what is wrong with the TCP sockets of one network namespace, by which numbers, and what helps, in the order in
 * which it should be tried. Pure: two snapshots in, findings out. Needs no privilege and changes nothing.
 *
 *         AdviceInput input = { .before = &before, .now = &now };
 *         r = advise(&input, arena, &advice);
 *
 * A rule is a row of a table (AdviceRules), one table for each subject; advice.c joins them. Its title, explanation, cure and
 * severity stand in the registry (schema/diagnostics.yaml, TW810 to TW879, named as the rule in small letters), so that
 * `twprofile explain PORT-1` knows it. The function of a rule raises one finding for each thing that it finds, mostly a tuple,
 * or says what kept it from judging: what was not evaluated is listed, and is never taken as fine.
 *
 * When all rules have run, the findings that another one explains are dropped (AdviceRule.subsumes), the others sorted by
 * severity, then in the order of the rules.
 *
 * Everything that is returned lives in the arena or for ever. To add a rule: a row and a function in its subject's file, a row
 * in the registry, and recordings in tests/golden/advice (see the README there).
 */

#include "base/arena.h"
#include "diag/registry.h"
#include "insight/advice-remedy.h"
#include "insight/rates.h"

#define ADVICE_RULE_SUBSUMES 8U
#define ADVICE_MAX_SUBJECTS  5U /* findings of one rule; how many there are beyond is counted */
#define ADVICE_MAX_NUMBERS   12U

/* The worst first. */
typedef enum AdviceSeverity {
        ADVICE_CRITICAL, /* connections fail or data is lost now, or a setting guarantees it */
        ADVICE_WARNING,  /* it will at about twice the load, or a protection is off */
        ADVICE_NOTICE,   /* an inefficient, misleading or useless setting */
        ADVICE_INFO,     /* an explanation: nothing to do */
        ADVICE_SEVERITIES,
} AdviceSeverity;

/* "critical", "warning", "notice", "info" */
const char *advice_severity_name(AdviceSeverity severity);

/* --- what is judged ------------------------------------------------------------------------------------- */

typedef struct AdviceInput {
        const Snapshot *before; /* the earlier sample of the same namespace, or NULL: no rates then */
        const Snapshot *now;
} AdviceInput;

/* --- what is found -------------------------------------------------------------------------------------- */

typedef struct AdviceRule AdviceRule;

/* "P", 28232, "ports" */
typedef struct AdviceNumber {
        const char *name;
        double value;
        const char *unit;
} AdviceNumber;

typedef struct AdviceFinding {
        const AdviceRule *rule;
        AdviceSeverity severity;
        const char *subject; /* "10.0.0.1 -> 10.0.0.2:80", or the key or counter that it is about */
        const SnapshotTuple *tuple; /* where the subject is one */
        const char *evidence;       /* sentences, with numbers */
        const char *formula; /* with the numbers put in: "T / 60 s = 28,230 / 60 = 470.5 connections/s" */
        AdviceNumber numbers[ADVICE_MAX_NUMBERS];
        size_t n_numbers;
        bool has_remedy[ADVICE_REMEDIES];           /* printed in the order of the enum, always */
        const char *remedy_detail[ADVICE_REMEDIES]; /* numbers of this case, or NULL */
        const char *next;                           /* the command to run next */
        const char *profile; /* the shipped profile that would help, or NULL */
        uint32_t n_more; /* subjects of the same rule that are not listed; with the last that is */
} AdviceFinding;

/* A rule that could not be judged. */
typedef struct AdviceSkipped {
        const AdviceRule *rule;
        const char *why;
} AdviceSkipped;

typedef struct Advice {
        uint64_t netns;
        bool initial_netns;
        int64_t interval_us; /* between the samples; 0: one sample */
        const AdviceFinding *findings;
        size_t n_findings;
        const AdviceSkipped *skipped; /* in the order of the rules */
        size_t n_skipped;
        bool is_normal;      /* nothing above info, and enough is known to say so */
        const char *summary; /* why it is normal, or what is the matter */
        const char *profile; /* the shipped profile of the worst finding that has one, or NULL */
} Advice;

/* 0 or -ENOMEM. Borrows the input for as long as the advice is used. */
NODISCARD int advise(const AdviceInput *input, Arena *arena, Advice *ret);

/* How many findings are of that severity. */
size_t advice_count_severity(const Advice *advice, AdviceSeverity severity);

/* The remedies in order: the first is 0, ADVICE_REMEDIES when there are no more. Begin with `after` = ADVICE_REMEDIES. */
AdviceRemedyId advice_next_remedy(const AdviceFinding *finding, AdviceRemedyId after);

/* --- rules ---------------------------------------------------------------------------------------------- */

/* What a rule works with. */
typedef struct AdviceRun {
        const AdviceInput *input;
        const Snapshot *now;     /* input->now */
        SnapshotRates rates;     /* interval_us 0: there are none */
        const AdviceRule *rule;  /* that is being judged */
        struct AdviceWork *work; /* of advice.c */
} AdviceRun;

/* What has to be there for a rule to be asked at all; else it is listed as not evaluated. */
typedef enum AdviceNeeds {
        ADVICE_NEEDS_RATES = 1 << 0,   /* two samples of one namespace */
        ADVICE_NEEDS_SOCKETS = 1 << 1, /* the list of sockets */
        ADVICE_NEEDS_POOL = 1 << 2,    /* the port range */
} AdviceNeeds;

struct AdviceRule {
        const char *id; /* "PORT-1" */
        DiagId diag;    /* its row: title, explanation, cure, severity */
        unsigned needs; /* of AdviceNeeds */
        /* The only ones that may name tcp_fin_timeout: FIN_WAIT2 is what it is about, not TIME_WAIT. */
        bool is_about_fin_wait2;
        void (*judge)(AdviceRun *run);
        /* Rules whose findings this one's explain. Between two findings with a tuple: those of the same tuple. */
        const char *subsumes[ADVICE_RULE_SUBSUMES];
};

typedef struct AdviceRules {
        const AdviceRule *rows;
        size_t n_rows;
} AdviceRules;

/* Of all tables, in their order. */
size_t advice_rule_count(void);
const AdviceRule *advice_rule_get(size_t i);
/* NULL when there is none. */
const AdviceRule *advice_rule_find(const char *id);
/* That of the registry; a rule may raise a finding with another one. */
AdviceSeverity advice_rule_severity(const AdviceRule *rule);

/* --- for the functions of rules ------------------------------------------------------------------------- */

/*
 * A finding is begun with its severity and subject, and filled:
 *
 *         AdviceFinding *f = advice_find(run, advice_rule_severity(run->rule), tuple, NULL);
 *         advice_evidence(run, f, "%s TIME_WAITs of %s ports", advice_count(run, t), advice_count(run, p));
 *         advice_formula(run, f, …);
 *         advice_number(f, "T", t, "sockets");
 *         advice_remedy(run, f, ADVICE_REMEDY_REUSE_CONNECTIONS, NULL);
 *         advice_next(run, f, "twprofile lab --scenario …");
 *
 * Evidence, formula, a number, a remedy and the next command have to be there: advise() asserts it. Never NULL; memory that
 * ran out is told by advise(). Each call adds a sentence to evidence, and to formula a part behind "; ".
 */
AdviceFinding *advice_find(
                AdviceRun *run, AdviceSeverity severity, const SnapshotTuple *tuple,
                const char *subject);
void advice_evidence(AdviceRun *run, AdviceFinding *f, const char *format, ...) PRINTF_LIKE(3, 4);
void advice_formula(AdviceRun *run, AdviceFinding *f, const char *format, ...) PRINTF_LIKE(3, 4);
void advice_number(AdviceFinding *f, const char *name, double value, const char *unit);
/* `format` is what to say of this case, or NULL. */
void advice_remedy(AdviceRun *run, AdviceFinding *f, AdviceRemedyId id, const char *format, ...)
                PRINTF_LIKE(4, 5);
void advice_next(AdviceRun *run, AdviceFinding *f, const char *format, ...) PRINTF_LIKE(3, 4);

/* The rule cannot be judged. Once is enough; a rule that also finds something keeps both. */
void advice_skip(AdviceRun *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* Thousandths of an event per second. false, and the rule is skipped, when the counter or its rate is not known. */
bool advice_rate(AdviceRun *run, SnapshotCounterId id, uint64_t *ret);

/* Texts for evidence: "28,232"; "470.5" of thousandths, "0.02"; "10.0.0.1 -> 10.0.0.2:80"; any other. */
const char *advice_count(AdviceRun *run, uint64_t n);
const char *advice_decimal(AdviceRun *run, uint64_t thousandths);
const char *advice_tuple(AdviceRun *run, const SnapshotTuple *tuple);
const char *advice_text(AdviceRun *run, const char *format, ...) PRINTF_LIKE(2, 3);

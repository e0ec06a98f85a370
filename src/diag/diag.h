/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Diagnostics and findings: the third channel, for what the input or this host asks us to say.
 *
 * Every one has a row in the registry (schema/diagnostics.yaml, compiled into diag/registry.h): a
 * permanent code TWnnn, a kebab-case name, a severity and the exit code it leads to. A finding about a
 * text carries its place; a finding about the host carries none.
 *
 *         Diag *d = diag_add(list, DIAG_OUT_OF_RANGE, node->span, "value %d is out of range for '%s'", …);
 *         diag_add_label(d, other->span, "first given here");
 *         diag_add_note(d, "the limit is in the sysctl catalogue, entry '%s'", key);
 *         diag_set_help(d, "choose a value from %d to %d", min, max);
 *
 * A list owns everything added to it. Adding never fails towards the caller: when memory runs out the
 * list remembers it (diag_list_is_complete()), and diag_add() returns a dummy that swallows the rest.
 * Sources named by spans must outlive the list, or be handed over with diag_list_take_source().
 */

#include "diag/registry.h"
#include "diag/source.h"

#define DIAG_MAX_LABELS 2U
#define DIAG_MAX_NOTES  4U

typedef struct DiagLabel {
        Span span;
        const char *text;
} DiagLabel;

typedef struct Diag {
        DiagId id;
        Span span;           /* line 0: about the host, or about nothing in particular */
        const char *message; /* lower case, no full stop; control characters are escaped when shown */
        const char *key;     /* the sysctl it is about, or NULL */
        const char *profile; /* the profile it is about, or NULL */
        DiagLabel labels[DIAG_MAX_LABELS];
        size_t n_labels;
        const char *notes[DIAG_MAX_NOTES];
        size_t n_notes;
        const char *help; /* the cure, or NULL */
} Diag;

typedef struct DiagList DiagList;

DiagList *diag_list_new(void);
DiagList *diag_list_free(DiagList *list);
DEFINE_CLEANUP_PTR(DiagList, diag_list_free)

/* Never NULL. The texts are copied. */
Diag *diag_add(DiagList *list, DiagId id, Span span, const char *format, ...) PRINTF_LIKE(4, 5);
void diag_set_key(DiagList *list, Diag *diag, const char *key);
void diag_set_profile(DiagList *list, Diag *diag, const char *profile);
void diag_add_label(DiagList *list, Diag *diag, Span span, const char *format, ...)
                PRINTF_LIKE(4, 5);
void diag_add_note(DiagList *list, Diag *diag, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_set_help(DiagList *list, Diag *diag, const char *format, ...) PRINTF_LIKE(3, 4);

/* Keeps `source` until the list is freed. */
void diag_list_take_source(DiagList *list, Source *source);

/* Says of every finding that names no profile which one it is about. */
void diag_list_set_profile(DiagList *list, const char *profile);

size_t diag_list_count(const DiagList *list);
const Diag *diag_list_get(const DiagList *list, size_t i);
/* By source name, line, column, code; findings without a place come last, in the order they were added. */
void diag_list_sort(DiagList *list);
/* Moves all of `from` behind `list`; `from` is empty afterwards. Both stay owned by the caller. */
void diag_list_move(DiagList *list, DiagList *from);

/* How many are of severity `refuse` or of severity `acceptance` (an acceptance that is given is not added
 * at all, or added as the note DIAG_ACCEPTED). */
size_t diag_list_count_errors(const DiagList *list);
/* The exit code that the list as a whole leads to: 0 without errors, else that of the worst one
 * (2 before 8 before 5 before 3 before 4 before 7 before 1). */
int diag_list_exit_code(const DiagList *list);
bool diag_list_is_complete(const DiagList *list);

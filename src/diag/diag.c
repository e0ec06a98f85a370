/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

typedef struct Item {
        Diag *diag;
        size_t order; /* of addition, so that sorting is stable */
} Item;

typedef struct PtrList {
        void **items;
        size_t n, capacity;
} PtrList;

struct DiagList {
        Arena *arena; /* of what was added here; made with the first */
        Item *items;
        size_t n_items, capacity;
        PtrList arenas;  /* of what was moved here */
        PtrList sources; /* taken over */
        bool incomplete;
        Diag dummy;
};

DiagList *diag_list_new(void) {
        return calloc(1, sizeof(DiagList));
}

DiagList *diag_list_free(DiagList *list) {
        if (!list)
                return NULL;

        for (size_t i = 0; i < list->arenas.n; i++)
                (void) arena_free(list->arenas.items[i]);
        for (size_t i = 0; i < list->sources.n; i++)
                (void) source_free(list->sources.items[i]);
        (void) arena_free(list->arena);
        free(list->arenas.items);
        free(list->sources.items);
        free(list->items);
        free(list);
        return NULL;
}

/* Makes room for `more` members behind the n that are there. */
static bool array_reserve(void **array, size_t *capacity, size_t n, size_t more, size_t size) {
        if (more <= *capacity - n)
                return true;
        if (more > SIZE_MAX / size / 2 - n)
                return false;

        size_t want = (n + more) * 2;
        void *grown = realloc(*array, want * size);
        if (!grown)
                return false;

        *array = grown;
        *capacity = want;
        return true;
}

static bool items_reserve(DiagList *list, size_t more) {
        void *items = list->items;
        if (!array_reserve(&items, &list->capacity, list->n_items, more, sizeof(Item)))
                return false;
        list->items = items;
        return true;
}

static bool ptrs_reserve(PtrList *ptrs, size_t more) {
        void *items = ptrs->items;
        if (!array_reserve(&items, &ptrs->capacity, ptrs->n, more, sizeof(void *)))
                return false;
        ptrs->items = items;
        return true;
}

static Arena *list_arena(DiagList *list) {
        if (!list->arena)
                list->arena = arena_new();
        return list->arena;
}

/* NULL, and remembered, when memory runs out. */
static const char *list_format(DiagList *list, const char *format, va_list args) PRINTF_LIKE(2, 0);
static const char *list_format(DiagList *list, const char *format, va_list args) {
        va_list again;
        va_copy(again, args);
        int n = vsnprintf(NULL, 0, format, again);
        va_end(again);

        char *text = NULL;
        if (n >= 0 && list_arena(list))
                text = arena_alloc(list->arena, (size_t) n + 1);
        if (!text) {
                list->incomplete = true;
                return NULL;
        }
        (void) vsnprintf(text, (size_t) n + 1, format, args);
        return text;
}

static const char *list_copy(DiagList *list, const char *text) {
        char *copy = list_arena(list) ? arena_copy(list->arena, text) : NULL;
        if (!copy)
                list->incomplete = true;
        return copy;
}

static Diag *list_swallow(DiagList *list) {
        list->incomplete = true;
        list->dummy = (Diag){ .id = DIAG_OUT_OF_MEMORY, .message = "memory ran out" };
        return &list->dummy;
}

Diag *diag_add(DiagList *list, DiagId id, Span span, const char *format, ...) {
        Diag *diag = list_arena(list) ? arena_alloc(list->arena, sizeof(Diag)) : NULL;
        if (!diag || !items_reserve(list, 1))
                return list_swallow(list);

        va_list args;
        va_start(args, format);
        const char *message = list_format(list, format, args);
        va_end(args);
        if (!message)
                return list_swallow(list);

        *diag = (Diag){ .id = id, .span = span, .message = message };
        list->items[list->n_items] = (Item){ .diag = diag, .order = list->n_items };
        list->n_items++;
        return diag;
}

void diag_set_key(DiagList *list, Diag *diag, const char *key) {
        diag->key = list_copy(list, key);
}

void diag_set_profile(DiagList *list, Diag *diag, const char *profile) {
        diag->profile = list_copy(list, profile);
}

void diag_add_label(DiagList *list, Diag *diag, Span span, const char *format, ...) {
        assert(diag == &list->dummy || diag->n_labels < DIAG_MAX_LABELS);
        if (diag->n_labels == DIAG_MAX_LABELS)
                return;

        va_list args;
        va_start(args, format);
        const char *text = list_format(list, format, args);
        va_end(args);
        if (text)
                diag->labels[diag->n_labels++] = (DiagLabel){ .span = span, .text = text };
}

void diag_add_note(DiagList *list, Diag *diag, const char *format, ...) {
        assert(diag == &list->dummy || diag->n_notes < DIAG_MAX_NOTES);
        if (diag->n_notes == DIAG_MAX_NOTES)
                return;

        va_list args;
        va_start(args, format);
        const char *text = list_format(list, format, args);
        va_end(args);
        if (text)
                diag->notes[diag->n_notes++] = text;
}

void diag_set_help(DiagList *list, Diag *diag, const char *format, ...) {
        va_list args;
        va_start(args, format);
        diag->help = list_format(list, format, args);
        va_end(args);
}

void diag_list_take_source(DiagList *list, Source *source) {
        if (!ptrs_reserve(&list->sources, 1)) {
                /* Spans point into it, so it must stay: better lost than freed under them. */
                list->incomplete = true;
                return;
        }
        list->sources.items[list->sources.n++] = source;
}

void diag_list_set_profile(DiagList *list, const char *profile) {
        for (size_t i = 0; i < list->n_items; i++)
                if (!list->items[i].diag->profile)
                        diag_set_profile(list, list->items[i].diag, profile);
}

size_t diag_list_count(const DiagList *list) {
        return list->n_items;
}

const Diag *diag_list_get(const DiagList *list, size_t i) {
        assert(i < list->n_items);
        return list->items[i].diag;
}

static int number_compare(size_t a, size_t b) {
        return (a > b) - (a < b);
}

static int item_compare(const void *a, const void *b) {
        const Item *x = a, *y = b;
        const Span *p = &x->diag->span, *q = &y->diag->span;

        int r = span_is_set(q) - span_is_set(p);
        if (r == 0 && span_is_set(p)) {
                r = strcmp(source_name(p->source), source_name(q->source));
                if (r == 0)
                        r = number_compare(p->line, q->line);
                if (r == 0)
                        r = number_compare(p->column, q->column);
                if (r == 0) /* rows are sorted by code */
                        r = number_compare(x->diag->id, y->diag->id);
        }
        return r != 0 ? r : number_compare(x->order, y->order);
}

void diag_list_sort(DiagList *list) {
        if (list->n_items > 1)
                qsort(list->items, list->n_items, sizeof(Item), item_compare);
}

static void ptrs_move(PtrList *to, PtrList *from) {
        for (size_t i = 0; i < from->n; i++)
                to->items[to->n++] = from->items[i];
        from->n = 0;
}

void diag_list_move(DiagList *list, DiagList *from) {
        list->incomplete = list->incomplete || from->incomplete;
        from->incomplete = false;
        if (!items_reserve(list, from->n_items) ||
            !ptrs_reserve(&list->arenas, from->arenas.n + 1) ||
            !ptrs_reserve(&list->sources, from->sources.n)) {
                list->incomplete = true;
                from->n_items = 0;
                return;
        }

        for (size_t i = 0; i < from->n_items; i++) {
                list->items[list->n_items] = (Item){ .diag = from->items[i].diag,
                                                     .order = list->n_items };
                list->n_items++;
        }
        from->n_items = 0;
        ptrs_move(&list->arenas, &from->arenas);
        ptrs_move(&list->sources, &from->sources);
        if (from->arena)
                list->arenas.items[list->arenas.n++] = TAKE_PTR(from->arena);
}

static bool diag_is_error(const Diag *diag) {
        DiagSeverity severity = diag_row(diag->id)->severity;
        return severity == DIAG_SEVERITY_REFUSE || severity == DIAG_SEVERITY_ACCEPTANCE;
}

size_t diag_list_count_errors(const DiagList *list) {
        size_t n = 0;
        for (size_t i = 0; i < list->n_items; i++)
                if (diag_is_error(list->items[i].diag))
                        n++;
        return n;
}

/* The worst first. 6 stands behind 8: it tells of a state that is known to be the old one. */
static const int exit_codes_by_weight[] = { 2, 8, 6, 64, 5, 3, 4, 7, 1 };

static size_t exit_code_weight(int exit_code) {
        for (size_t i = 0; i < ELEMENTSOF(exit_codes_by_weight); i++)
                if (exit_codes_by_weight[i] == exit_code)
                        return ELEMENTSOF(exit_codes_by_weight) - i;
        return 0;
}

int diag_list_exit_code(const DiagList *list) {
        int worst = list->incomplete ? diag_row(DIAG_OUT_OF_MEMORY)->exit_code : 0;
        for (size_t i = 0; i < list->n_items; i++) {
                int exit_code = diag_row(list->items[i].diag->id)->exit_code;
                if (exit_code_weight(exit_code) > exit_code_weight(worst))
                        worst = exit_code;
        }
        return worst;
}

bool diag_list_is_complete(const DiagList *list) {
        return !list->incomplete;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the tests of the profile checker share: a text in, the names of the findings out.
 */

#include "base/strbuf.h"
#include "diag/text.h"
#include "model/profile-check.h"
#include "test.h"

typedef struct Checked {
        Profile *profile; /* NULL when refused */
        DiagList *diags;
        char names[512]; /* "out-of-range bad-number", sorted by place */
} Checked;

static inline void checked_deinit(Checked *checked) {
        (void) profile_free(checked->profile);
        (void) diag_list_free(checked->diags);
}

static inline void checked_add_names(Checked *checked) {
        CLEANUP(strbuf_deinit) StrBuf names = { 0 };
        for (size_t i = 0; i < diag_list_count(checked->diags); i++)
                strbuf_addf(&names, "%s%s", i > 0 ? " " : "",
                            diag_row(diag_list_get(checked->diags, i)->id)->name);
        assert_true(names.length < sizeof(checked->names));
        memcpy(checked->names, strbuf_text(&names), names.length + 1);
}

static inline Checked check_text(const char *text, const char *name) {
        Checked checked = { .diags = diag_list_new() };
        Error error = { 0 };
        Source *source = source_new("test.yaml", text, strlen(text));
        assert_non_null(source);
        int r = profile_parse(source, name, checked.diags, &checked.profile, &error);
        assert_true(r == 0 || r == PROFILE_E_INVALID);
        assert_int_equal(r == 0, checked.profile != NULL);
        assert_int_equal(r == 0, diag_list_count_errors(checked.diags) == 0);
        checked_add_names(&checked);
        return checked;
}

/* The fields that every profile needs, then `body`. */
static inline Checked check_body(const char *body) {
        CLEANUP(strbuf_deinit) StrBuf text = { 0 };
        strbuf_addf(&text, "version: 1\nname: test\nsummary: a test\n%s", body);
        return check_text(strbuf_text(&text), "test");
}

/* One setting, `line` is "key: value". */
static inline Checked check_setting(const char *line) {
        CLEANUP(strbuf_deinit) StrBuf body = { 0 };
        strbuf_addf(&body, "sysctl:\n  %s\n", line);
        return check_body(strbuf_text(&body));
}

static inline const char *checked_help(const Checked *checked) {
        return diag_list_count(checked->diags) > 0 ? diag_list_get(checked->diags, 0)->help : NULL;
}

/* A value alone, read by a reader that wants a context. */
typedef struct Lone {
        Arena *arena;
        Source *source;
        DiagList *diags;
        YamlNode *node;
        ProfileCheck check;
} Lone;

static inline void lone_deinit(Lone *lone) {
        (void) diag_list_free(lone->diags);
        (void) arena_free(lone->arena);
        (void) source_free(lone->source);
}

static inline void lone_init(Lone *lone, const char *text) {
        *lone = (Lone){ .arena = arena_new(),
                        .source = source_new("lone.yaml", text, strlen(text)),
                        .diags = diag_list_new() };
        Error error = { 0 };
        int r = yaml_tree_parse(lone->source, lone->arena, lone->diags, &lone->node, &error);
        assert_int_equal(r, 0);
        lone->check = (ProfileCheck){ .arena = lone->arena, .diags = lone->diags };
}

/* The name of the only finding, "" without any. */
static inline const char *lone_finding(const Lone *lone) {
        if (diag_list_count(lone->diags) == 0)
                return "";
        assert_int_equal(diag_list_count(lone->diags), 1);
        return diag_row(diag_list_get(lone->diags, 0)->id)->name;
}

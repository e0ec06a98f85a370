/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-code.h"
#include "cli/explain-page.h"
#include "cli/verbs.h"

/* How many keys with the word in them are named. */
#define CONTAINING_MAX 5U

static void add_suggestion(const char *word, StrBuf *out) {
        strbuf_addf(out, "%s'%s'", out->length == 0 ? "did you mean " : ", ", word);
}

/* Keys and names that have the word in them, in the order of the tables; the nearest stands there already. */
static void add_containing(const char *word, const char *nearest, StrBuf *out) {
        size_t n = 0;
        for (size_t i = 0; i < catalogue_count() && n < CONTAINING_MAX; i++) {
                const char *key = catalogue_get(i)->key;
                if (strstr(key, word) && (!nearest || !streq(key, nearest))) {
                        add_suggestion(key, out);
                        n++;
                }
        }
        for (size_t i = 0; i < diag_row_count() && n < CONTAINING_MAX; i++) {
                const char *name = diag_row((DiagId) i)->name;
                if (strstr(name, word) && (!nearest || !streq(name, nearest))) {
                        add_suggestion(name, out);
                        n++;
                }
        }
}

/* What a person may have meant: a name that looks like the word, then those that have it in them. */
static void suggest(const char *word, const char *dotted, StrBuf *out) {
        const char *nearest = explain_code_find_nearest(word);
        const SysctlSpec *spec = nearest ? NULL : catalogue_find_nearest(dotted);
        if (spec)
                nearest = spec->key;
        if (nearest)
                add_suggestion(nearest, out);
        if (strlen(dotted) >= 3)
                add_containing(dotted, nearest, out);
        if (out->length > 0)
                strbuf_add_char(out, '?');
        else
                strbuf_add(out,
                           "twprofile-sysctls(7) lists the keys, twprofile-rules(7) the codes");
}

static int report_unknown(Context *context, const char *word, const char *dotted) {
        CLEANUP(strbuf_deinit) StrBuf help = {};
        suggest(word, dotted, &help);
        if (help.failed)
                return -ENOMEM;
        (void) context_fail(
                        context, DIAG_UNKNOWN_TOPIC, strbuf_text(&help),
                        "'%s' is no sysctl of the catalogue, and no diagnostic", word);
        return 0;
}

/* Takes the reference over. */
static int add_topic(json_t *topics, json_t *topic) {
        return json_array_append_new(topics, topic) < 0 ? -ENOMEM : 0;
}

static void add_separator(Context *context) {
        if (context->text.length > 0)
                strbuf_add_char(&context->text, '\n');
}

static int explain_code(Context *context, const DiagRow *row, json_t *topics) {
        if (topics)
                return add_topic(topics, explain_code_to_json(row));
        add_separator(context);
        explain_code_render(row, context->out.width, &context->text);
        return 0;
}

static int explain_key(Context *context, Host *host, const SysctlSpec *spec, json_t *topics) {
        int r = host->root_fd < 0 ? host_open(host, context, &context->error) : 0;
        if (r < 0)
                return r;
        ExplainKey key;
        r = explain_key_look(context, host, spec, &key);
        if (r < 0)
                return r;
        if (topics)
                return add_topic(topics, explain_key_to_json(&key, context->arena));
        add_separator(context);
        return explain_page_render(&key, context->arena, context->out.width, &context->text);
}

static int explain_word(Context *context, Host *host, const char *word, json_t *topics) {
        const DiagRow *row = explain_code_find(word);
        if (row)
                return explain_code(context, row, topics);
        const SysctlSpec *spec = NULL;
        const char *dotted = NULL;
        int r = explain_key_find(word, context->arena, &spec, &dotted);
        if (r < 0)
                return r;
        return spec ? explain_key(context, host, spec, topics)
                    : report_unknown(context, word, dotted);
}

static int explain_run(Context *context) {
        CLEANUP(host_close) Host host = HOST_EMPTY;
        json_t *topics = NULL;
        if (context_is_json(context)) {
                topics = json_array();
                int r = context_take_result(
                                context, topics ? json_pack("{s:o}", "topics", topics) : NULL);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < context->n_args; i++) {
                int r = explain_word(context, &host, context->args[i], topics);
                if (r < 0)
                        return r;
        }
        return context_finish(context);
}

const Command cmd_explain = {
        .name = "explain",
        .args = "KEY|CODE…",
        .help = "Explain a sysctl, or what a finding means",
        .more = "A KEY is one of the catalogue: net.ipv4.tcp_tw_reuse, or with slashes. A CODE is\n"
                "what stands in brackets behind error, warning or note, or its name: TW451,\n"
                "time-wait-below-rfc. All of them: twprofile-sysctls(7), twprofile-rules(7).\n",
        .group = COMMAND_GROUP_PROFILES,
        .min_args = 1,
        .max_args = ARGS_ANY,
        .options = OPT_ROOT,
        .run = explain_run,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * twprofile: reads, explains, plans and observes by itself; asks the helper for every change.
 *
 * main() turns words into a Context, hands it to one verb, prints what the verb left. Nothing is loaded or
 * initialised here that a verb may not need: `validate` is called by editors for every save.
 */

#include <fcntl.h>
#include <unistd.h>

#include "cli/envelope.h"
#include "cli/help.h"
#include "config.h"

/* What is written to a file that took the place of a closed standard descriptor would end up there. */
static void occupy_standard_fds(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        /* the lowest free number is this one; NOLINTNEXTLINE(android-cloexec-open): children shall have it too */
                        (void) open("/dev/null", O_RDWR);
}

typedef struct Words {
        const char **args;
        size_t n_args;
        unsigned seen;      /* OPT_ bits */
        const char *family; /* first word of a verb of two, while the second is awaited */
} Words;

/* The verb that the word, or both words, are. 0 also when it is the first of two. */
static int find_verb(Context *context, Words *words, const char *word) {
        if (!words->family && command_is_family(word, NULL)) {
                words->family = word;
                return 0;
        }
        if (words->family) {
                word = arena_format(context->arena, "%s %s", words->family, word);
                if (!word)
                        return -ENOMEM;
        }
        context->command = command_find(word);
        if (context->command)
                return 0;
        const Command *near = command_find_nearest(word);
        if (near)
                return context_fail_usage(
                                context, "unknown verb '%s'; did you mean '%s'?", word, near->name);
        return context_fail_usage(context, "unknown verb '%s'; twprofile --help lists them", word);
}

static int no_verb(Context *context, const Words *words) {
        CLEANUP(strbuf_deinit) StrBuf rest = {};
        if (!words->family)
                return context_fail_usage(context, "no verb is given; twprofile --help lists them");
        (void) command_is_family(words->family, &rest);
        return context_fail_usage(
                        context, "'%s' is followed by one of: %s", words->family,
                        strbuf_text(&rest));
}

/* Options may stand anywhere before "--", also before the verb. */
static int sort_words(Context *context, size_t argc, char *const *argv, Words *words) {
        CLEANUP(strbuf_deinit) StrBuf problem = {};
        bool options_end = false;
        for (size_t i = 1; i < argc; i++) {
                const char *word = argv[i];
                if (!options_end && streq(word, "--")) {
                        options_end = true;
                        continue;
                }
                if (!options_end && word[0] == '-' && word[1] != '\0') {
                        int r = option_parse(
                                        argv, argc, &i, &context->options, &words->seen, &problem);
                        if (r != 0)
                                return context_fail_usage(context, "%s", strbuf_text(&problem));
                        continue;
                }
                if (!context->command) {
                        int r = find_verb(context, words, word);
                        if (r != 0)
                                return r;
                        continue;
                }
                words->args[words->n_args++] = word;
                options_end |= (context->command->flags & COMMAND_ARGS_ARE_COMMAND) != 0;
        }
        return 0;
}

static int check_options(Context *context, unsigned seen) {
        unsigned strange = seen & ~(context->command->options | OPT_COMMON);
        for (size_t i = 0; i < option_count(); i++) {
                const OptionRow *row = option_get(i);
                if ((strange & row->bit) == 0 || !option_is_given(row, &context->options))
                        continue;
                CLEANUP(strbuf_deinit) StrBuf owners = {};
                help_render_owners(row->bit, &owners);
                return context_fail_usage(
                                context, "does not take '--%s', which goes with: %s", row->name,
                                strbuf_text(&owners));
        }
        return 0;
}

static int check_arguments(Context *context) {
        const Command *command = context->command;
        if (context->n_args >= command->min_args && context->n_args <= command->max_args)
                return 0;
        CLEANUP(strbuf_deinit) StrBuf synopsis = {};
        help_render_synopsis(command, &synopsis);
        if (context->n_args < command->min_args)
                return context_fail_usage(
                                context, "an argument is missing: %s", strbuf_text(&synopsis));
        return context_fail_usage(
                        context, "'%s' is one argument too many: %s",
                        context->args[command->max_args], strbuf_text(&synopsis));
}

static int show_version(Context *context) {
        strbuf_addf(&context->text, "twprofile %s\n", PROJECT_VERSION);
        if (!context_is_json(context))
                return EXIT_OK;
        return context_take_result(context, json_pack("{s:s}", "version", PROJECT_VERSION));
}

static int show_help(Context *context) {
        help_render(context->command, &context->text);
        return context_is_json(context)
                               ? context_take_result(context, help_to_json(context->command))
                               : EXIT_OK;
}

/* The exit code, or <0 with context->error set. */
static int dispatch(Context *context, size_t argc, char *const *argv) {
        Words words = { .args = arena_alloc_array(context->arena, argc, sizeof(char *)) };
        if (!words.args)
                return -ENOMEM;
        int r = sort_words(context, argc, argv, &words);
        if (r != 0)
                return r;
        context->args = words.args;
        context->n_args = words.n_args;
        if (context->options.help)
                return show_help(context);
        if (context->options.version)
                return show_version(context);
        if (!context->command)
                return no_verb(context, &words);
        r = check_options(context, words.seen);
        if (r == 0)
                r = check_arguments(context);
        return r != 0 ? r : context->command->run(context);
}

static int run(Context *context, size_t argc, char *const *argv) {
        context->out = terminal_inspect(STDOUT_FILENO);
        context->err = terminal_inspect(STDERR_FILENO);
        context->options.json = option_scan_json(argv, argc);
        int code = dispatch(context, argc, argv);
        if (code < 0) {
                const char *text = error_is_set(&context->error) ? context->error.text
                                                                 : strerror(-code);
                code = context_fail(context, context_row_of_errno(code), NULL, "%s", text);
        }
        return code;
}

int main(int argc, char **argv) {
        occupy_standard_fds();
        if (argc < 1)
                return EXIT_USAGE;
        Context context;
        int code = context_init(&context);
        if (code < 0)
                return envelope_print_out_of_memory(
                                option_scan_json(argv, (size_t) argc) != JSON_MODE_OFF);
        code = run(&context, (size_t) argc, argv);
        if (context.text.failed || !diag_list_is_complete(context.findings))
                code = envelope_print_out_of_memory(context_is_json(&context));
        else
                code = envelope_print(&context, code);
        if (context.command && context.command->linger)
                code = context.command->linger(&context, code);
        context_deinit(&context);
        return code;
}

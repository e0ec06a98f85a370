/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/help.h"

#include "config.h"
#include "diag/utf8.h"

#define LEFT_COLUMN 28U

static void add_padded(StrBuf *out, const char *left, const char *right) {
        size_t width = utf8_count(left, strlen(left));
        strbuf_add(out, left);
        if (width + 2 > LEFT_COLUMN) {
                strbuf_add_char(out, '\n');
                width = 0;
        }
        strbuf_add_repeat(out, ' ', LEFT_COLUMN - width);
        strbuf_add(out, right);
        strbuf_add_char(out, '\n');
}

static void add_option(const OptionRow *row, StrBuf *out) {
        CLEANUP(strbuf_deinit) StrBuf left = {};
        if (row->letter != '\0')
                strbuf_addf(&left, "  -%c, --%s", row->letter, row->name);
        else
                strbuf_addf(&left, "      --%s", row->name);
        if (row->argument && row->argument[0] == '[')
                strbuf_addf(&left, "[=%s", row->argument + 1);
        else if (row->argument)
                strbuf_addf(&left, "=%s", row->argument);
        add_padded(out, strbuf_text(&left), row->help);
}

static void add_options(unsigned bits, StrBuf *out) {
        for (size_t i = 0; i < option_count(); i++)
                if ((option_get(i)->bit & bits) != 0)
                        add_option(option_get(i), out);
}

void help_render_synopsis(const Command *command, StrBuf *out) {
        strbuf_addf(out, "twprofile %s", command->name);
        if (*command->args)
                strbuf_addf(out, " %s", command->args);
}

void help_render_owners(unsigned option, StrBuf *out) {
        const char *separator = "";
        for (size_t i = 0; i < command_count(); i++) {
                if ((command_get(i)->options & option) == 0)
                        continue;
                strbuf_addf(out, "%s%s", separator, command_get(i)->name);
                separator = ", ";
        }
}

static void add_exit_codes(StrBuf *out) {
        strbuf_add(out, "\nExit codes:\n");
        for (size_t i = 0; i < exit_code_count(); i++)
                strbuf_addf(out, "  %2d  %s\n", (int) exit_code_get(i)->code,
                            exit_code_get(i)->meaning);
}

static void render_verb(const Command *command, StrBuf *out) {
        strbuf_add(out, command->help);
        strbuf_add(out, ".\n\nUsage: ");
        help_render_synopsis(command, out);
        strbuf_add_char(out, '\n');
        if (command->more)
                strbuf_addf(out, "\n%s", command->more);
        if (command->options != 0) {
                strbuf_add(out, "\nOptions:\n");
                add_options(command->options, out);
        }
        strbuf_add(out, "\nOptions of every verb:\n");
        add_options(OPT_COMMON, out);
}

static void add_verbs(CommandGroup group, StrBuf *out) {
        strbuf_addf(out, "\n%s:\n", command_group_title(group));
        for (size_t i = 0; i < command_count(); i++) {
                const Command *command = command_get(i);
                if (command->group != group)
                        continue;
                CLEANUP(strbuf_deinit) StrBuf left = {};
                strbuf_addf(&left, "  %s %s", command->name, command->args);
                add_padded(out, strbuf_text(&left), command->help);
        }
}

void help_render(const Command *command, StrBuf *out) {
        if (command) {
                render_verb(command, out);
                return;
        }
        strbuf_add(out, "Vetted sysctl profiles: applied whole, recorded, and taken back exactly.\n"
                        "\nUsage: twprofile [OPTION…] VERB [ARGUMENT…]\n");
        for (CommandGroup group = COMMAND_GROUP_PROFILES; group <= COMMAND_GROUP_TRY; group++)
                add_verbs(group, out);
        strbuf_add(out, "\nOptions of every verb:\n");
        add_options(OPT_COMMON, out);
        add_exit_codes(out);
        strbuf_add(out,
                   "\ntwprofile VERB --help tells more about one verb; the manual is twprofile(8).\n");
}

static const char *const group_names[] = {
        [COMMAND_GROUP_PROFILES] = "profiles",
        [COMMAND_GROUP_CHANGE] = "change",
        [COMMAND_GROUP_WATCH] = "watch",
        [COMMAND_GROUP_TRY] = "try",
};

static json_t *verb_to_json(const Command *command) {
        json_t *options = json_array();
        for (size_t i = 0; options && i < option_count(); i++)
                if ((option_get(i)->bit & (command->options | OPT_COMMON)) != 0)
                        (void) json_array_append_new(options, json_string(option_get(i)->name));
        return json_pack(
                        "{s:s, s:s, s:s, s:s, s:o}", "name", command->name, "args", command->args,
                        "help", command->help, "group", group_names[command->group], "options",
                        options);
}

static json_t *option_to_json(const OptionRow *row) {
        char letter[2] = { row->letter, '\0' };
        return json_pack(
                        "{s:s, s:s?, s:s?, s:s}", "name", row->name, "letter",
                        row->letter != '\0' ? letter : NULL, "argument", row->argument, "help",
                        row->help);
}

static json_t *exit_code_to_json(const ExitCodeRow *row) {
        return json_pack(
                        "{s:i, s:s, s:s}", "code", (int) row->code, "name", row->name, "meaning",
                        row->meaning);
}

json_t *help_to_json(const Command *command) {
        CLEANUP(strbuf_deinit) StrBuf text = {};
        help_render(command, &text);
        json_t *verbs = json_array(), *options = json_array(), *codes = json_array();
        for (size_t i = 0; i < command_count(); i++)
                if (!command || command == command_get(i))
                        (void) json_array_append_new(verbs, verb_to_json(command_get(i)));
        for (size_t i = 0; i < option_count(); i++)
                if (!command || (option_get(i)->bit & (command->options | OPT_COMMON)) != 0)
                        (void) json_array_append_new(options, option_to_json(option_get(i)));
        for (size_t i = 0; i < exit_code_count(); i++)
                (void) json_array_append_new(codes, exit_code_to_json(exit_code_get(i)));
        return json_pack(
                        "{s:s, s:s, s:o, s:o, s:o}", "help", strbuf_text(&text), "version",
                        PROJECT_VERSION, "verbs", verbs, "options", options, "exit_codes", codes);
}

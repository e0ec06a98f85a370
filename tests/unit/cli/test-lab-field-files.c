/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/lab-field-files.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "test-root.h"
#include "test.h"

#define FIELD "profiles/field"

static Context context;
static FieldFiles files;
static const FieldCase no_case;

static int setup(void **state) {
        (void) state;
        return context_init(&context);
}

static int teardown(void **state) {
        (void) state;
        context_deinit(&context);
        return 0;
}

static int read_words(const char *const *words, size_t n) {
        context.args = words;
        context.n_args = n;
        return lab_field_files_read(&context, FIELD, &files);
}

static const FieldCase *find(
                const FieldCase *cases, size_t n, const char *claim, const char *value) {
        for (size_t i = 0; i < n; i++)
                if (streq(cases[i].claim->name, claim) &&
                    (!value || streq(cases[i].line->text, value)))
                        return &cases[i];
        fail_msg("no case of %s", claim);
        return &no_case;
}

/* All four, and every line of them is known. */
static void test_the_four_files_are_covered(void **state) {
        (void) state;
        FieldCase *cases = NULL;
        size_t n = 0;
        assert_int_equal(read_words(NULL, 0), 0);
        assert_int_equal(files.n_items, 4);
        assert_int_equal(files.n_strays, 0);
        assert_int_equal(
                        files.items[0].n_settings + files.items[1].n_settings +
                                        files.items[2].n_settings + files.items[3].n_settings,
                        1 + 4 + 2 + 7);
        assert_int_equal(lab_field_files_match(&context, &files, &cases, &n), 0);
        const FieldCase *reuse = find(cases, n, "reuse-client", NULL);
        assert_int_equal(reuse->n_places, 3);
        assert_string_equal(reuse->places[0].file, "b-keepalive-article.conf");
        assert_int_equal(reuse->places[0].line, 3);
        assert_ptr_not_equal(
                        find(cases, n, "fin-timeout", "10"), find(cases, n, "fin-timeout", "30"));
        assert_int_equal(find(cases, n, "keep-alive", NULL)->n_places, 2);
        const FieldCase *table = find(cases, n, "table", NULL);
        assert_null(table->line);
        assert_string_equal(lab_field_files_of(&files, table)->name, "d-tuning-article.conf");
}

static void test_letters_and_paths(void **state) {
        (void) state;
        const char *const words[] = { "c", FIELD "/a-alinux.conf" };
        assert_int_equal(read_words(words, 2), 0);
        assert_int_equal(files.n_items, 2);
        assert_string_equal(files.items[0].path, FIELD "/c-answer.conf");
        assert_string_equal(files.items[1].name, "a-alinux.conf");
        const char *const unknown[] = { "z" };
        assert_int_equal(read_words(unknown, 1), EXIT_NOT_FOUND);
        const char *const absent[] = { "./not-there.conf" };
        assert_int_equal(read_words(absent, 1), EXIT_NOT_FOUND);
        context.args = NULL;
        context.n_args = 0;
        assert_int_equal(lab_field_files_read(&context, "/nonexistent", &files), EXIT_NOT_FOUND);
}

static void write_file(const char *path, const char *text) {
        cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* What no claim is about is told, with its line; of a key the last assignment counts. */
static void test_other_lines_are_told(void **state) {
        (void) state;
        char root[64], path[128];
        root_new(root);
        (void) snprintf(path, sizeof(path), "%s/own.conf", root);
        write_file(path, "# mine\nnet.ipv4.tcp_fin_timeout = 5\nvm.swappiness=10\n"
                         "net/ipv4/tcp_fin_timeout = 7\nnonsense\nnet.ipv4.conf.*.rp_filter = 1\n"
                         "-net.ipv4.tcp_tw_reuse\nno.such.key = 1\n");
        const char *const words[] = { path };
        int r = read_words(words, 1);
        (void) unlink(path);
        (void) rmdir(root);
        assert_int_equal(r, 0);
        assert_int_equal(files.items[0].n_settings, 1);
        assert_string_equal(files.items[0].settings[0].text, "7");
        assert_int_equal(files.items[0].lines[0], 4);
        static const struct {
                uint32_t line;
                const char *text;
        } strays[] = {
                { 3, "vm.swappiness = 10" },     { 6, "net.ipv4.conf.*.rp_filter = 1" },
                { 7, "-net.ipv4.tcp_tw_reuse" }, { 8, "no.such.key = 1" },
                { 5, "no line of sysctl.d" },
        };
        assert_int_equal(files.n_strays, ELEMENTSOF(strays));
        for (size_t i = 0; i < ELEMENTSOF(strays); i++) {
                assert_int_equal(files.strays[i].place.line, strays[i].line);
                assert_string_equal(files.strays[i].text, strays[i].text);
        }
        assert_int_equal(diag_list_count(context.findings), ELEMENTSOF(strays));
        assert_true(context_has_finding(&context, DIAG_FIELD_LINE_UNCOVERED));
}

TEST_MAIN(cmocka_unit_test_setup_teardown(test_the_four_files_are_covered, setup, teardown),
          cmocka_unit_test_setup_teardown(test_letters_and_paths, setup, teardown),
          cmocka_unit_test_setup_teardown(test_other_lines_are_told, setup, teardown))

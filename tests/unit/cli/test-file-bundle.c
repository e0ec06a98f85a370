/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/file-bundle.h"

#include "cli/local-plan.h"
#include "test-root.h"

#define HEAD(name) "version: 1\nname: " name "\nsummary: s\n"

typedef struct Tree {
        char root[64];
        Context context;
        Host host;
} Tree;

static void tree_init(Tree *tree) {
        root_new(tree->root);
        assert_int_equal(context_init(&tree->context), 0);
        tree->context.options.root = tree->root;
        tree->host = HOST_EMPTY;
        root_write(tree->root, "usr/share/twprofile/profiles/common.yaml",
                   HEAD("common") "sysctl:\n  net.core.somaxconn: 1024\n");
        root_write(tree->root, "srv/common.yaml",
                   HEAD("common") "sysctl:\n  net.core.somaxconn: 2048\n");
        root_write(tree->root, "srv/web.yaml",
                   HEAD("web") "include: [common]\nsysctl:\n  net.ipv4.tcp_tw_reuse: 1\n");
        root_write(tree->root, "alone/web.yaml",
                   HEAD("web") "include: [common, nowhere]\nsysctl:\n  net.ipv4.tcp_tw_reuse: 1\n");
        root_write(tree->root, "alone/broken.yaml",
                   HEAD("broken") "include: [common]\nsysctl:\n  net.no.key: 1\n");
        root_write(tree->root, "alone/other.txt",
                   HEAD("any-name") "sysctl:\n  net.ipv4.tcp_tw_reuse: 1\n");
        root_write(tree->root, "alone/bad.txt", "[]\n");
}

static void tree_deinit(Tree *tree) {
        host_close(&tree->host);
        context_deinit(&tree->context);
        root_remove(tree->root);
}

static int load(Tree *tree, const char *file, Bundle **ret) {
        char path[128];
        (void) snprintf(path, sizeof(path), "%s/%s", tree->root, file);
        Error error = {};
        return file_bundle_load(&tree->context, &tree->host, path, ret, &error);
}

static size_t count(const Tree *tree, DiagId id) {
        size_t n = 0;
        for (size_t i = 0; i < diag_list_count(tree->context.findings); i++)
                n += diag_list_get(tree->context.findings, i)->id == id ? 1 : 0;
        return n;
}

static void test_file_bundle_load_table(void **state) {
        (void) state;
        static const struct {
                const char *file;
                int want;
                const char *somaxconn; /* NULL: not set */
                size_t n_missing;
                size_t n_errors;
        } rows[] = {
                { "srv/web.yaml", 0, "2048", 0, 0 }, /* beside comes first */
                { "alone/web.yaml", 0, "1024", 1,
                  0 }, /* then what is installed; "nowhere" is said */
                { "alone/broken.yaml", FILE_BUNDLE_E_REFUSED, NULL, 0, 1 },
                { "alone/other.txt", 0, NULL, 0, 0 }, /* any name where the file's says nothing */
                { "alone/bad.txt", FILE_BUNDLE_E_REFUSED, NULL, 0, 1 },
                { "alone/absent.yaml", FILE_BUNDLE_E_REFUSED, NULL, 0, 1 },
                { "alone", FILE_BUNDLE_E_REFUSED, NULL, 0, 1 },
        };
        TEST_EACH(row, rows) {
                Tree tree;
                tree_init(&tree);
                Bundle *bundle = NULL;
                assert_int_equal(load(&tree, row->file, &bundle), row->want);
                assert_int_equal(count(&tree, DIAG_INCLUDE_NOT_JUDGED), row->n_missing);
                assert_int_equal(diag_list_count_errors(tree.context.findings), row->n_errors);
                const BundleSetting *setting =
                                bundle ? bundle_find_setting(
                                                         bundle,
                                                         catalogue_find("net.core.somaxconn"))
                                       : NULL;
                assert_int_equal(setting != NULL, row->somaxconn != NULL);
                if (setting)
                        assert_string_equal(
                                        sysctl_value_to_kernel(
                                                        setting->setting->spec,
                                                        &setting->setting->value,
                                                        tree.context.arena),
                                        row->somaxconn);
                local_plan_release_bundle(&tree.context, bundle);
                tree_deinit(&tree);
        }
}

static void test_file_bundle_does_not_wait_for_a_fifo_beside(void **state) {
        (void) state;
        Tree tree;
        tree_init(&tree);
        char path[128];
        (void) snprintf(path, sizeof(path), "%s/alone/common.yaml", tree.root);
        assert_int_equal(mkfifo(path, 0600), 0);
        Bundle *bundle = NULL;
        (void) alarm(10);
        assert_int_equal(load(&tree, "alone/web.yaml", &bundle), FILE_BUNDLE_E_REFUSED);
        (void) alarm(0);
        assert_null(bundle);
        tree_deinit(&tree);
}

TEST_MAIN(cmocka_unit_test(test_file_bundle_load_table),
          cmocka_unit_test(test_file_bundle_does_not_wait_for_a_fifo_beside))

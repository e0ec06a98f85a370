/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/sysctl-glob.h"

#include <fnmatch.h>
#include <stdio.h>

#include "test.h"

static void test_sysctl_glob_match(void **state UNUSED) {
        static const struct {
                const char *pattern, *path;
                bool want;
        } rows[] = {
                { "a/b", "a/b", true },
                { "a/b", "a/c", false },
                { "a/b", "a/b/c", false },
                { "a/b/c", "a/b", false },
                { "", "", true },
                { "*", "", true },
                { "*", "abc", true },
                { "*", "a/b", false },
                { "*/*", "a/b", true },
                { "a*c", "abbc", true },
                { "a*c", "abbcd", false },
                { "*a*b*c*", "xaxbxcx", true },
                { "*a*b*c*", "xaxcxbx", false },
                { "a**", "a", true },
                { "a?c", "abc", true },
                { "a?c", "ac", false },
                { "a?c", "a/c", false },
                { "?", ".", false },
                { "*", ".hidden", false },
                { ".*", ".hidden", true },
                { "\\.*", ".hidden", true },
                { "a/*", "a/.b", false },
                { "a/[.]b", "a/.b", false },
                { "[ab]c", "bc", true },
                { "[!ab]c", "bc", false },
                { "[^ab]c", "xc", true },
                { "[]a]c", "]c", true },
                { "[!]a]c", "]c", false },
                { "[a-c]x", "bx", true },
                { "[[:digit:]]x", "5x", true },
                { "[[:digit:]]x", "ax", false },
                { "[[.a.]b]x", "ax", true },
                { "[[:digit]x", "dx", true },
                { "[\\]]x", "]x", true },
                { "[abc", "[abc", true },
                { "a[b/c]d", "a[b/c]d", true },
                { "a\\*b", "a*b", true },
                { "a\\*b", "axb", false },
                { "a\\", "a\\", true },
                { "*[", "ab[", true },
                { "net/ipv4/conf/*/rp_filter", "net/ipv4/conf/eth0.100/rp_filter", true },
        };
        TEST_EACH(row, rows)
                assert_int_equal(sysctl_glob_match(row->pattern, row->path), row->want);

        /* a bracket longer than any that makes sense matches nothing */
        char bracket[128];
        (void) snprintf(bracket, sizeof(bracket), "[%0100d]", 0);
        assert_false(sysctl_glob_match(bracket, "0"));
        assert_true(sysctl_glob_is_pattern("a[b"));
        assert_false(sysctl_glob_is_pattern("a]b"));
}

/* All short patterns and paths over a few characters say what the C library says. */
static void test_sysctl_glob_match_as_fnmatch(void **state UNUSED) {
        static const char pattern_chars[] = "ab*?[]!\\/.-", path_chars[] = "ab./-]";
        size_t n_patterns = 1, n_paths = 1;
        for (unsigned i = 0; i < 5; i++)
                n_patterns *= sizeof(pattern_chars) - 1;
        for (unsigned i = 0; i < 3; i++)
                n_paths *= sizeof(path_chars) - 1;

        size_t n_matches = 0;
        for (size_t i = 0; i < n_patterns; i += 7) {
                char pattern[6] = { 0 };
                for (size_t k = 0, rest = i; k < 5; k++, rest /= sizeof(pattern_chars) - 1)
                        pattern[k] = pattern_chars[rest % (sizeof(pattern_chars) - 1)];
                /* What an open bracket or a backslash in front of a slash means differs even between glob(3) and
                 * fnmatch(3); the trees of the differential test have it from the tools. */
                if (strstr(pattern, "\\/") || endswith(pattern, "\\") || strchr(pattern, '['))
                        continue;
                for (size_t j = 0; j < n_paths; j++) {
                        char path[4] = { 0 };
                        for (size_t k = 0, rest = j; k < 3; k++, rest /= sizeof(path_chars) - 1)
                                path[k] = path_chars[rest % (sizeof(path_chars) - 1)];
                        bool want = fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
                        n_matches += want;
                        if (sysctl_glob_match(pattern, path) != want)
                                fail_msg("'%s' and '%s': not %d", pattern, path, want);
                }
        }
        assert_true(n_matches > 1000);
}

/* fnmatch(3) would need longer than anybody lives. */
static void test_sysctl_glob_match_takes_no_time(void **state UNUSED) {
        char pattern[401] = { 0 }, path[401] = { 0 };
        for (size_t i = 0; i + 1 < sizeof(pattern); i++)
                pattern[i] = i % 2 ? '*' : 'a';
        memset(path, 'a', sizeof(path) - 2);
        path[sizeof(path) - 2] = 'b';
        pattern[sizeof(pattern) - 2] = 'c';
        assert_false(sysctl_glob_match(pattern, path));
}

TEST_MAIN(cmocka_unit_test(test_sysctl_glob_match),
          cmocka_unit_test(test_sysctl_glob_match_as_fnmatch),
          cmocka_unit_test(test_sysctl_glob_match_takes_no_time))

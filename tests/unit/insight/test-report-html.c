/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "insight/report-html.h"

#include "report-test.h"

static void test_text(void **state UNUSED) {
        static const struct {
                const char *in, *want;
        } rows[] = {
                { "plain", "plain" },
                { "", "" },
                { NULL, "–" },
                { "a < b & c > \"d\" 'e'", "a &lt; b &amp; c &gt; &quot;d&quot; &#39;e&#39;" },
                { "32768\t60999", "32768 60999" },
                { "\t", " " },
                { "line\nline", "line\\x0aline" },
                { "müsli ✓", "müsli ✓" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                Html html = { .out = &out };
                html_text(&html, row->in);
                assert_string_equal(strbuf_text(&out), row->want);
        }
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        html_text(&html, HOSTILE);
        report_test_check_escaped(strbuf_text(&out));
        strbuf_reset(&out);
        html_textf(&html, "%s and %d", "<b>", 7);
        assert_string_equal(strbuf_text(&out), "&lt;b&gt; and 7");
}

typedef void (*Adder)(Html *html, uint64_t number);

static void check(Adder add, uint64_t number, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        add(&html, number);
        assert_string_equal(strbuf_text(&out), want);
}

static void test_numbers(void **state UNUSED) {
        check(html_number, 0, "0");
        check(html_number, 999, "999");
        check(html_number, 1000, "1,000");
        check(html_number, 25087, "25,087");
        check(html_number, UINT64_MAX, "18,446,744,073,709,551,615");
        check(html_thousandths, 0, "0.0");
        check(html_thousandths, 470560, "471");
        check(html_thousandths, 99999, "99.9");
        check(html_thousandths, 1234567, "1,235");
        check(html_bytes, 0, "0&nbsp;bytes");
        check(html_bytes, 999, "999&nbsp;bytes");
        check(html_bytes, 6300000, "6.3&nbsp;MB");
        check(html_bytes, UINT64_MAX, "18446744.0&nbsp;TB");
        check(html_duration, 400000, "0.4&nbsp;s");
        check(html_duration, 10000000, "10&nbsp;s");
        check(html_duration, 125000000, "2&nbsp;min 5&nbsp;s");
        check(html_duration, UINT64_C(93780000000), "26&nbsp;h 3&nbsp;min");
}

static void check_time(int64_t us, int32_t offset_s, const char *want) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out, .utc_offset_s = offset_s };
        html_time(&html, us);
        strbuf_add_char(&out, ' ');
        html_zone(&html);
        assert_string_equal(strbuf_text(&out), want);
}

static void test_times(void **state UNUSED) {
        check_time(INT64_C(1795262400000000), 0,
                   "<time datetime=\"2026-11-21T12:00:00Z\">2026-11-21 12:00:00</time> UTC");
        check_time(INT64_C(1795262400000000), 19800,
                   "<time datetime=\"2026-11-21T12:00:00Z\">2026-11-21 17:30:00</time> UTC+05:30");
        check_time(INT64_C(1795262400000000), -3 * 3600,
                   "<time datetime=\"2026-11-21T12:00:00Z\">2026-11-21 09:00:00</time> UTC−03:00");
        check_time(INT64_MAX, 0, "– UTC");
        check_time(INT64_MIN, 0, "– UTC");
}

static void test_table(void **state UNUSED) {
        static const HtmlColumn columns[] = { { "<Name>", false, false }, { "Count", true, true } };
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        html_table(&html, "A & B", columns, ELEMENTSOF(columns));
        html_row(&html);
        html_cell_text(&html, "a<b");
        html_cell_number(&html, 1234);
        html_table_end(&html);
        assert_string_equal(
                        strbuf_text(&out),
                        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"A &amp; B\">\n<table>\n"
                        "<caption>A &amp; B</caption>\n<thead><tr><th scope=\"col\">&lt;Name&gt;</th>"
                        "<th scope=\"col\" class=\"n x\">Count</th></tr></thead>\n<tbody>\n"
                        "<tr><th scope=\"row\">a&lt;b</th><td class=\"n x\">1,234</td></tr>\n</tbody>\n</table>\n</div>\n");
}

static void test_key(void **state UNUSED) {
        static const struct {
                const char *in, *want;
        } rows[] = {
                { "net.ipv4.tcp_mem", "<code>net.<wbr>ipv4.<wbr>tcp_mem</code>" },
                { "plain", "<code>plain</code>" },
                { "", "<code></code>" },
                { "a.<b>.", "<code>a.<wbr>&lt;b&gt;.</code>" },
        };
        TEST_EACH(row, rows) {
                CLEANUP(strbuf_deinit) StrBuf out = {};
                Html html = { .out = &out };
                html_key(&html, row->in);
                assert_string_equal(strbuf_text(&out), row->want);
        }
}

static void test_section(void **state UNUSED) {
        CLEANUP(strbuf_deinit) StrBuf out = {};
        Html html = { .out = &out };
        html_section(&html, "one", "A & B");
        html_paragraph(&html, "note", "x < y");
        html_section_end(&html);
        assert_string_equal(
                        strbuf_text(&out),
                        "<section id=\"one\" aria-labelledby=\"one-title\">\n<h2 id=\"one-title\">A &amp; B</h2>\n"
                        "<p class=\"note\">x &lt; y</p>\n</section>\n");
}

TEST_MAIN(cmocka_unit_test(test_text), cmocka_unit_test(test_numbers), cmocka_unit_test(test_times),
          cmocka_unit_test(test_table), cmocka_unit_test(test_key), cmocka_unit_test(test_section))

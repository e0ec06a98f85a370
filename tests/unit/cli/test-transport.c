/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test program is its own helper: started as one it behaves as the file "mode" below its --root says. */
#include "cli/transport.h"

#include <signal.h>
#include <sys/socket.h>

#include "test-root.h"

static void answer(const char *text) {
        (void) !send(STDIN_FILENO, text, strlen(text) + 1,
                     MSG_NOSIGNAL); /* the test sees what is missing */
}

static int act_as_helper(const char *root) {
        char path[128], mode[16] = "", call[4096];
        (void) snprintf(path, sizeof(path), "%s/mode", root);
        cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, mode, sizeof(mode) - 1) <= 0)
                return 1;
        if (read(STDIN_FILENO, call, sizeof(call)) <= 0)
                return 1;
        if (streq(mode, "die"))
                (void) raise(SIGKILL);
        if (streq(mode, "half"))
                (void) !send(STDIN_FILENO, "{\"parame", 8, MSG_NOSIGNAL);
        if (streq(mode, "garbage"))
                answer("no json");
        if (streq(mode, "progress"))
                answer("{\"parameters\":{\"progress\":{\"step\":\"write\",\"done\":1,\"total\":2,\"text\":\"\"}},\"continues\":true}");
        if (streq(mode, "progress") || streq(mode, "good"))
                answer("{\"parameters\":{\"result\":{\"x\":1}}}");
        if (streq(mode, "error"))
                answer("{\"error\":\"org.twprofile.Busy\",\"parameters\":{}}");
        return 0;
}

static int call_in_mode(const char *mode, Context *context, json_t **ret) {
        char root[64], self[512];
        root_new(root);
        root_write(root, "mode", mode);
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        assert_true(n > 0);
        self[n] = '\0';
        assert_int_equal(setenv("TWPROFILE_HELPER", self, 1), 0);
        assert_int_equal(context_init(context), 0);
        context->options.root = root;
        int r = transport_call(context, "Enable", json_pack("{s:i}", "netns", 1), ret);
        root_remove(root);
        context->options.root = NULL;
        return r;
}

static void test_transport_call_gives_the_last_reply(void **state) {
        (void) state;
        static const char *const modes[] = { "good", "progress", "error" };
        TEST_EACH(mode, modes) {
                CLEANUP(context_deinit) Context context;
                json_t *reply = NULL;
                assert_int_equal(call_in_mode(*mode, &context, &reply), 0);
                assert_non_null(json_object_get(reply, "parameters"));
                assert_null(json_object_get(reply, "continues"));
                json_decref(reply);
        }
}

static void test_transport_call_when_the_helper_is_lost(void **state) {
        (void) state;
        static const char *const modes[] = { "die", "half", "nothing" };
        TEST_EACH(mode, modes) {
                CLEANUP(context_deinit) Context context;
                json_t *reply = NULL;
                assert_int_equal(call_in_mode(*mode, &context, &reply), EXIT_FAILED);
                assert_int_equal(diag_list_get(context.findings, 0)->id, DIAG_HELPER_LOST);
                assert_null(reply);
        }
}

static void test_transport_call_when_the_answer_is_no_message(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        json_t *reply = NULL;
        assert_int_equal(call_in_mode("garbage", &context, &reply), -EBADMSG);
        assert_true(error_is_set(&context.error));
}

static void test_transport_call_without_a_helper(void **state) {
        (void) state;
        CLEANUP(context_deinit) Context context;
        json_t *reply = NULL;
        assert_int_equal(context_init(&context), 0);
        assert_int_equal(setenv("TWPROFILE_HELPER", "/nonexistent/helper", 1), 0);
        assert_string_equal(transport_helper_path(&context), "/nonexistent/helper");
        context.options.root = "/tmp";
        assert_int_equal(transport_call(&context, "Enable", json_object(), &reply), EXIT_FAILED);
        assert_int_equal(diag_list_get(context.findings, 0)->id, DIAG_IO_FAILED);
}

static void test_transport_netns_inode(void **state) {
        (void) state;
        struct stat st;
        assert_int_equal(stat("/proc/self/ns/net", &st), 0);
        assert_int_equal(transport_netns_inode(), st.st_ino);
}

int main(int argc, char **argv) {
        if (argc == 3 && streq(argv[1], "serve"))
                return act_as_helper(argv[2] + strlen("--root="));
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(
                                test_transport_call_gives_the_last_reply, test_report_row),
                cmocka_unit_test_teardown(
                                test_transport_call_when_the_helper_is_lost, test_report_row),
                cmocka_unit_test(test_transport_call_when_the_answer_is_no_message),
                cmocka_unit_test(test_transport_call_without_a_helper),
                cmocka_unit_test(test_transport_netns_inode),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

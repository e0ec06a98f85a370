/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session.h"

#include "engine/recovery.h"
#include "seam/engine-world.h"
#include "test.h"

typedef struct Fixture {
        World world;
        EngineResult result;
        EngineRequest request;
        Session session;
} Fixture;

static void fixture_start(Fixture *f, bool reading) {
        f->result = (EngineResult){ .arena = arena_new(), .findings = diag_list_new() };
        f->request = (EngineRequest){ .via = "direct" };
        f->session = (Session){
                .engine = &f->world.engine,
                .request = &f->request,
                .result = &f->result,
                .arena = f->result.arena,
                .reading = reading,
                .state = SEAM_FD_EMPTY,
                .lock = SEAM_FD_EMPTY,
        };
}

static void fixture_stop(Fixture *f) {
        session_deinit(&f->session);
        engine_result_deinit(&f->result);
}

static void test_session_reading_makes_nothing(void **state UNUSED) {
        Fixture f;
        world_init(&f.world);
        fixture_start(&f, /* reading= */ true);
        assert_int_equal(session_open(&f.session, &f.world.error), 0);
        assert_int_equal(session_load(&f.session, &f.world.error), 0);
        assert_null(f.session.current);
        assert_false(scratch_has(&f.world.scratch, "var/lib"));
        fixture_stop(&f);
        world_deinit(&f.world);
}

static void test_session_reading_needs_no_lock(void **state UNUSED) {
        Fixture f;
        world_init(&f.world);
        assert_int_equal(world_enable(&f.world, "alpha"), 0);
        fixture_start(&f, /* reading= */ false);
        assert_int_equal(session_open(&f.session, &f.world.error), 0); /* holds the lock */

        char *text = NULL;
        size_t n;
        assert_int_equal(engine_read_state(&f.world.engine, &text, &n, &f.world.error), 0);
        free(text);
        f.world.engine.lock_wait_ms = 20;
        assert_int_equal(world_disable(&f.world, "alpha"), 4);
        fixture_stop(&f);
        assert_int_equal(world_disable(&f.world, "alpha"), 0);
        world_deinit(&f.world);
}

static void test_session_state_is_private(void **state UNUSED) {
        Fixture f;
        world_init(&f.world);
        fixture_start(&f, /* reading= */ false);
        assert_int_equal(session_open(&f.session, &f.world.error), 0);
        struct stat st;
        assert_int_equal(seam_fstat(&f.session.state, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        fixture_stop(&f);
        world_deinit(&f.world);
}

static void test_session_cannot_open_the_state(void **state UNUSED) {
        static const bool readings[] = { false, true };
        TEST_EACH(reading, readings) {
                Fixture f;
                world_init(&f.world);
                scratch_remove(&f.world.scratch, "var");
                scratch_write(&f.world.scratch, "var", "no directory");
                fixture_start(&f, *reading);
                assert_int_equal(session_open(&f.session, &f.world.error), -ENOTDIR);
                assert_non_null(strstr(f.world.error.text, "/var/lib/twprofile"));
                fixture_stop(&f);
                assert_int_equal(world_enable(&f.world, "alpha"), 2);
                assert_true(world_has_finding(&f.world, DIAG_STATE_UNWRITABLE));
                world_deinit(&f.world);
        }
}

static void test_session_audit_tells_the_caller(void **state UNUSED) {
        World w;
        world_init(&w);
        AuditCaller caller = {
                .uid = 0, .pid = 4711, .auid = 1000, .session = 5, .comm = "ansible"
        };
        const char *names[] = { "alpha" };
        EngineRequest request = {
                .verb = ENGINE_ENABLE,
                .profiles = names,
                .n_profiles = 1,
                .caller = &caller,
                .reason = "ticket 4711",
                .via = "socket",
        };
        assert_int_equal(world_run(&w, &request), 0);
        cleanup_free char *audit = scratch_read(&w.scratch, WORLD_AUDIT, NULL);
        static const char *const parts[] = {
                "\"via\":\"socket\"", "ticket 4711",    "ansible",
                "net.core.somaxconn", "\"w\":\"8192\"", "\"b\":\"4000\"",
        };
        TEST_EACH(part, parts)
                assert_non_null(strstr(audit, *part));
        world_deinit(&w);
}

static void test_session_publish_says_who_owns_what(void **state UNUSED) {
        World w;
        world_init(&w);
        assert_int_equal(world_enable(&w, "alpha"), 0);
        cleanup_free char *status = scratch_read(&w.scratch, WORLD_STATUS, NULL);
        static const char *const parts[] = { "net.core.somaxconn", "8192", "4000", "alpha",
                                             "applied" };
        TEST_EACH(part, parts)
                assert_non_null(strstr(status, *part));
        struct stat st;
        assert_int_equal(fstatat(w.scratch.fd, WORLD_STATUS, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        world_deinit(&w);
}

TEST_MAIN(cmocka_unit_test(test_session_reading_makes_nothing),
          cmocka_unit_test(test_session_reading_needs_no_lock),
          cmocka_unit_test(test_session_state_is_private),
          cmocka_unit_test(test_session_cannot_open_the_state),
          cmocka_unit_test(test_session_audit_tells_the_caller),
          cmocka_unit_test(test_session_publish_says_who_owns_what))

# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds for the suites; source it after suite.sh.
#   build_dir NAME               $TW_BUILD/NAME: shared by the suites of a run, kept between runs
#   build_setup NAME INI...      meson setup with tests/native/INI.ini, once; a changed tree is reconfigured by ninja
#   build_all NAME               compiles all; one test line
#   build_tests NAME             runs the unit tests of that build; one test line per meson test
# All return non-zero after a failure, which they have already counted.

build_dir() {
        printf '%s/%s' "$TW_BUILD" "$1"
}

build_setup() {
        local name=$1 dir args=() ini
        shift
        dir=$(build_dir "$name")
        for ini in "$@"; do
                args+=(--native-file "$TW_TOP/tests/native/$ini.ini")
        done
        # another set of native files, or a set-up that died half-way: from scratch
        if [[ -f $dir/build.ninja && $(cat "$dir/.native" 2>/dev/null) == "$*" ]]; then
                return 0
        fi
        rm -rf "$dir"
        if ! meson setup "${args[@]}" "$dir" "$TW_TOP" >"$TW_TMP/setup.log" 2>&1; then
                not_ok "$name: meson setup" "$(tail -n 40 "$TW_TMP/setup.log")"
                return 1
        fi
        cat "$TW_TMP/setup.log"
        printf '%s' "$*" >"$dir/.native"
}

build_all() {
        local name=$1 dir
        dir=$(build_dir "$name")
        step "$name: compile"
        check "$name: compile" ninja -C "$dir" -j "$TW_JOBS"
}

# Other suites run what is registered as integration, crash or bench.
build_tests() {
        local name=$1 dir rc=0 result test detail
        dir=$(build_dir "$name")
        step "$name: unit tests"
        rm -f "$dir"/meson-logs/testlog.json
        meson test -C "$dir" --no-rebuild --num-processes "$TW_JOBS" --print-errorlogs \
                --no-suite integration --no-suite crash --no-suite bench >"$TW_TMP/test.log" 2>&1 || rc=$?
        cat "$TW_TMP/test.log"
        if [[ ! -s $dir/meson-logs/testlog.json ]]; then
                not_ok "$name: unit tests" "meson test (exit code $rc) ran nothing: $(tail -n 20 "$TW_TMP/test.log")"
                return 1
        fi
        while IFS=$'\t' read -r result test detail; do
                case $result in
                OK | EXPECTEDFAIL) ok "$name: $test" ;;
                SKIP) skip "$name: $test" "${detail:-the test says so by exit code 77}" ;;
                *) not_ok "$name: $test" "$result, $detail; its output stands above" ;;
                esac
        done < <(/usr/bin/python3 "$TW_TOP/tests/lib/testlog.py" "$dir")
        [[ $rc -eq 0 ]]
}

# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What every suite sources. A suite is an executable tests/suites/NN-name, started by tests/run or by hand:
#
#   #!/bin/bash
#   # suite: one line that says what it shows (tests/run --list prints it)
#   # needs: build test            purposes of packaging/install-deps
#   # root: yes                    without root the runner skips the suite
#   # timeout: 300                 seconds; default 600
#   . "$(dirname "$0")/../lib/suite.sh"
#   step "what comes now"          progress line
#   ok NAME                        a test passed
#   not_ok NAME [DETAIL]           a test failed; DETAIL goes into the log
#   skip NAME REASON               a test could not run here
#   check NAME CMD [ARG...]        ok when CMD exits 0, else not_ok with its output
#   expect NAME WANT GOT           ok when both strings are the same
#   suite_end                      last line: without it the suite counts as broken
#
# Results go to file descriptor 3 as TAP ("ok - x", "not ok - x", "ok - x # SKIP why", "# step: x", "1..N");
# started by hand that is the standard output. stdout and stderr are free for tools: they end in the log.
# Nothing here ends a suite early: a failed test is counted and the suite goes on, unless it says otherwise
# (`check ... || suite_end_early`). Work space: $TW_TMP, private to the suite, removed at its end.
#
# Variables: TW_TOP the source tree, TW_BUILD the build directory, TW_LONG 1 with --long, TW_TMP scratch.

set -uo pipefail

TW_TOP=${TW_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
TW_BUILD=${TWPROFILE_BUILDDIR:-$TW_TOP/build}
TW_LONG=${TW_LONG:-0}
TW_SUITE=${0##*/}
mkdir -p "$TW_BUILD"
TW_BUILD=$(cd "$TW_BUILD" && pwd)
TW_TMP=$(mktemp -d "${TMPDIR:-/tmp}/twprofile-$TW_SUITE.XXXXXX")
export TW_TOP TW_BUILD TW_LONG TW_TMP
cd "$TW_TOP" || exit 1

# The tools of the distribution, not what the caller's shell happens to prefer.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC
unset CC CFLAGS LDFLAGS CPPFLAGS DESTDIR LD_PRELOAD LIBRARY_PATH CPATH PYTHONPATH PYTHONHOME
umask 022

TW_JOBS=$(nproc)
[[ $TW_JOBS -le 2 ]] || TW_JOBS=${TWPROFILE_JOBS:-2}
export TW_JOBS

if [[ ${TW_TAP:-} != 3 ]]; then
        exec 3>&1
fi
export TW_TAP=3

tap_count=0
tap_failed=0
tap_cleanups=()

# One line for the runner, and the same line in the log.
tap_line() {
        printf '%s\n' "$1" >&3
        [[ -t 3 || /dev/fd/3 -ef /dev/fd/1 ]] || printf '%s\n' "$1"
}

# A name becomes one line without '#', which would start a TAP directive.
tap_name() {
        local s=${1//$'\n'/ }
        printf '%s' "${s//\#/}"
}

step() {
        tap_line "# step: $(tap_name "$*")"
}

ok() {
        tap_count=$((tap_count + 1))
        tap_line "ok - $(tap_name "$1")"
}

not_ok() {
        tap_count=$((tap_count + 1))
        tap_failed=$((tap_failed + 1))
        if [[ -n ${2:-} ]]; then
                printf '%s\n' "$2" | sed 's/^/    /'
        fi
        tap_line "not ok - $(tap_name "$1")"
}

skip() {
        tap_count=$((tap_count + 1))
        tap_line "ok - $(tap_name "$1") # SKIP $(tap_name "$2")"
}

check() {
        local name=$1 rc=0
        shift
        "$@" >"$TW_TMP/.check" 2>&1 || rc=$?
        if [[ $rc -eq 0 ]]; then
                ok "$name"
                return 0
        fi
        not_ok "$name" "$(printf 'exit code %d of: %.300s\n' "$rc" "$*"; tail -n 50 "$TW_TMP/.check")"
        return 1
}

expect() {
        if [[ $2 == "$3" ]]; then
                ok "$1"
                return 0
        fi
        not_ok "$1" "$(printf 'wanted: %s\ngot:    %s\n' "$2" "$3")"
        return 1
}

# Runs CMD when the suite ends, however it ends; the last one first.
at_exit() {
        tap_cleanups+=("$*")
}

tap_at_exit() {
        local rc=$? i
        trap - EXIT INT TERM HUP
        for ((i = ${#tap_cleanups[@]} - 1; i >= 0; i--)); do
                eval "${tap_cleanups[i]}" || true
        done
        rm -rf --one-file-system "$TW_TMP"
        exit "$rc"
}
trap tap_at_exit EXIT
trap 'exit 143' INT TERM HUP

suite_end() {
        tap_line "1..$tap_count"
        [[ $tap_failed -eq 0 ]]
        exit
}

# For a suite that cannot go on after what just failed.
suite_end_early() {
        suite_end
}

# Files of the tree: tracked, and new ones that are not ignored; also where there is no git.
tree_files() {
        if git -C "$TW_TOP" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
                git -C "$TW_TOP" ls-files -co --exclude-standard | while read -r f; do
                        [[ -f $TW_TOP/$f && ! -L $TW_TOP/$f ]] && printf '%s\n' "$f"
                done
        else
                (cd "$TW_TOP" && find . -name .git -prune -o -path ./build -prune -o -type f -printf '%P\n' | sort)
        fi
        return 0
}

# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the suites about crashes count, for docs/crash-matrix.md: one JSON line for each scenario and kind of fault.
# Sourced behind suite.sh. tests/crash/make-matrix runs the suites and renders the page from these lines.
#
#   counts_begin TOOL         empties $TW_BUILD/crash-counts/TOOL-FORM.jsonl, FORM being short or long
#   count_row SCENARIO FAULT POINTS RUNS VIOLATIONS
#                             SCENARIO: the verb or situation, "enable"; FAULT: what was done to it, "SIGKILL before and
#                             after each call"; POINTS: the places where; RUNS: how often it was tried in all
#   count_planted FAULT FOUND
#                             where a tool proves that it can fail: a fault planted in the program, and whether (1, 0) the
#                             tool found it. What each such tool has to find is called as in tests/crash/matrix_tools.py
#   counts_end SECONDS        the last line, without which the page does not take the file: how long it took; the suite adds
#                             when, on which kernel, and of which tree

counts_file=

counts_begin() {
        local form=short
        [[ $TW_LONG -eq 0 ]] || form=long
        mkdir -p "$TW_BUILD/crash-counts"
        counts_file=$TW_BUILD/crash-counts/$1-$form.jsonl
        : >"$counts_file"
}

# Texts of our own suites: without quotes and backslashes.
count_row() {
        printf '{"scenario": "%s", "fault": "%s", "points": %d, "runs": %d, "violations": %d}\n' "$@" >>"$counts_file"
}

count_planted() {
        printf '{"planted": "%s", "found": %d}\n' "$@" >>"$counts_file"
}

# The program whose lines are counted broke off: what it told before counts nothing. Also from a subshell.
counts_broke_off() {
        : >"$TW_TMP/.broke-off"
}

counts_end() {
        if [[ -e $TW_TMP/.broke-off ]]; then
                rm -f "$counts_file"
                return
        fi
        local tree
        tree=$(git -C "$TW_TOP" describe --always --dirty 2>/dev/null) || tree="not told"
        printf '{"seconds": %d, "date": "%s", "kernel": "%s", "tree": "%s"}\n' "$1" "$(date -u +%F)" "$(uname -r)" "$tree" \
                >>"$counts_file"
}

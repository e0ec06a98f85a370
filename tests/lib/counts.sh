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
#   counts_end SECONDS        the last line, without which the page does not take the file: how long it took

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

counts_end() {
        printf '{"seconds": %d}\n' "$1" >>"$counts_file"
}

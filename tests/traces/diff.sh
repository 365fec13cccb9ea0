#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paravane diff: equal, different, bad input.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
sample=$PARAVANE_BUILD/tests/traces/sample
"$sample" "$tap_dir/a" 4000 && "$sample" "$tap_dir/b" 4000 1234 || exit 1

# diff STATUS OPTION... - the output; a line "status N" before it if that is not STATUS
diff_of() {
    local wanted=$1 output status
    shift
    output=$("$PARAVANE" diff "$@" 2>&1)
    status=$?
    [ $status -eq "$wanted" ] || echo "status $status"
    echo "$output"
}

tap_equal "a trace equals itself" "equal: 4000 events" "$(diff_of 0 "$tap_dir/a" "$tap_dir/a")"
tap_equal "the event that differs is found" 2 \
    "$(diff_of 1 "$tap_dir/a" "$tap_dir/b" | grep -c '^[AB] \[#1234 ')"
tap_equal "three events before it are shown" "1231 1232 1233" \
    "$(diff_of 1 "$tap_dir/a" "$tap_dir/b" | sed -n 's/^  \[#\([0-9]*\).*/\1/p' | xargs)"
tap_equal "the rest is equal" "3999 events are equal, 1 difference" \
    "$(diff_of 1 --all "$tap_dir/a" "$tap_dir/b" | tail -1)"
tap_equal "what a filter leaves out does not count" "equal: 1234 events" \
    "$(diff_of 0 "$tap_dir/a" "$tap_dir/b" --number ..1233)"
tap_equal "--quiet says it by the status alone" "" "$(diff_of 1 -q "$tap_dir/a" "$tap_dir/b")"
size=$(stat -c %s "$tap_dir/a")
head -c $((size - 20000)) "$tap_dir/a" >"$tap_dir/cut"
tap_check "a trace that ends earlier is different, and this is said" \
    sh -c "'$PARAVANE' diff '$tap_dir/a' '$tap_dir/cut' | grep -q '^B ends here'"
tap_equal "one file is not enough" \
    "paravane: diff: an argument is missing (see paravane diff --help)" "$(diff_of 2 "$tap_dir/a")"
tap_equal "a file that is not there" "paravane: $tap_dir/c: No such file or directory" \
    "$(diff_of 2 "$tap_dir/a" "$tap_dir/c")"
tap_done

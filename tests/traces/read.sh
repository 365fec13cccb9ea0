#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paravane trace info, dump, stat, grep: what they print of a trace with events of every kind.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
sample=$PARAVANE_BUILD/tests/traces/sample
file=$tap_dir/sample.pvt
events=5000
"$sample" "$file" $events || exit 1

# trace COMMAND... - its output, or its status and what it said on standard error
trace() {
    local output status
    output=$("$PARAVANE" trace "$@" 2>"$tap_dir/error")
    status=$?
    [ $status -eq 0 ] && [ ! -s "$tap_dir/error" ] && echo "$output" && return
    echo "status $status: $(cat "$tap_dir/error")"
}

# info
tap_equal "info counts the events" "events      $events" "$(trace info "$file" | grep -o '^events *[0-9]*')"
tap_check "info --json is JSON with the same count" \
    sh -c "'$PARAVANE' trace info --json '$file' | jq -e '.events == $events and .complete'"

# dump and its filters
tap_equal "dump has one line for each event" $events "$(trace dump "$file" | wc -l)"
tap_equal "the kinds of all lines add up to all events" $events "$(
    for kind in $(trace info --json "$file" | jq -r '.kinds[]'); do
        trace dump "$file" --kind "$kind"
    done | wc -l)"
tap_equal "kinds that are left out are the rest" \
    $((events - $(trace dump "$file" --kind hypercall | wc -l))) \
    "$(trace dump "$file" --kind no-hypercall | wc -l)"
tap_equal "a range of numbers has so many lines" 11 "$(trace dump "$file" --number 990..1000 | wc -l)"
tap_equal "a range of instructions is of the same events" \
    "$(trace dump "$file" --number 990..1000)" "$(trace dump "$file" --insns 49600..50100)"
tap_equal "a range of times as well" \
    "$(trace dump "$file" --number 990..1000)" "$(trace dump "$file" --time 69301us..70001us)"
tap_equal "what tables are is known where a range begins in the middle" \
    "$(trace dump "$file" | sed -n '4001,$p')" "$(trace dump "$file" --number 4000..)"
tap_equal "domains add up to all events" $events \
    "$(for d in d0 d1 d2 none; do trace dump "$file" --domain $d; done | wc -l)"
tap_equal "--domain shows its own only" "" \
    "$(trace dump "$file" --domain d1 | grep -v '^\[[ 0-9.]* d1v')"
tap_equal "--hypercall shows this one only" "" \
    "$(trace dump "$file" --hypercall sched_op | grep -v '] sched_op(')"
tap_check "--hypercall takes numbers" cmp <(trace dump "$file" --hypercall sched_op) \
    <(trace dump "$file" --hypercall 29)
tap_check "--failed shows failures" sh -c "'$PARAVANE' trace dump '$file' --failed --kind pin | grep -q 'result=-'"
tap_equal "--failed shows nothing else" "" "$(trace dump "$file" --failed --kind pin | grep -v 'result=-')"
tap_check "--show-number and --show-insns" \
    sh -c "'$PARAVANE' trace dump '$file' --number 7 --show-number --show-insns | grep -q '^\[#7 .* i450 '"
tap_check "a pipe that is closed early is no error" \
    bash -c "set -o pipefail; '$PARAVANE' trace dump '$file' 2>'$tap_dir/error' | head -1; [ \${PIPESTATUS[0]} = 0 ] && [ ! -s '$tap_dir/error' ]"

# following: the file is cut off, and what it lacks is written while dump waits
size=$(stat -c %s "$file")
head -c $((size / 2)) "$file" >"$tap_dir/growing"
timeout 20 "$PARAVANE" trace dump --follow "$tap_dir/growing" >"$tap_dir/followed" 2>&1 &
follower=$!
sleep 0.3
tail -c +$((size / 2 + 1)) "$file" >>"$tap_dir/growing"
wait $follower
tap_equal "--follow ends when the recording does" 0 $?
tap_check "--follow shows what dump shows" cmp "$tap_dir/followed" <(trace dump "$file")

# stat
tap_equal "stat counts all events" $events "$(trace stat "$file" --json | jq '[.rows[].count] | add')"
tap_equal "stat's sum of hypercalls is dump's" "$(trace dump "$file" --kind hypercall | wc -l)" \
    "$(trace stat "$file" --json | jq '[.rows[] | select(.kind == "hypercall").count] | add')"
tap_equal "stat's text counts them as well" "$events events" "$(trace stat "$file" | tail -1)"

# grep
frame=$(trace dump "$file" --kind page_type --number ..2000 | sed -n 's/.*mfn=\(0x[0-9a-f]*\).*/\1/p' | head -1)
tap_check "grep finds a frame's type and says so" \
    sh -c "'$PARAVANE' trace grep frame=$frame '$file' | grep -q '^type .*mfn=$frame,'"
tap_equal "grep's last line counts" \
    "$(trace dump "$file" --frame "$frame" | wc -l) events" \
    "$(trace grep "frame=$frame" "$file" | tail -1 | grep -o '^[0-9]* events')"
tap_check "grep text= shows lines with it" cmp <(trace dump "$file" --kind no-hypercall | grep EINVAL) \
    <(trace grep "$file" text=EINVAL --kind no-hypercall | head -n -1)

# help
tap_equal "help trace dump is what trace dump --help says" "$("$PARAVANE" trace dump --help)" \
    "$("$PARAVANE" help trace dump)"
tap_equal "help diff is what diff --help says" "$("$PARAVANE" diff --help)" "$("$PARAVANE" help diff)"
tap_equal "help for what is not there is an error" "2: paravane: help: there is no command frob (see paravane help)" \
    "$(out=$("$PARAVANE" help frob 2>&1); echo "$?: $out")"

# refusals: one line, status 2
refuses() {
    local claim=$1 wanted=$2
    shift 2
    tap_equal "$claim" "status 2: paravane: $wanted" "$(trace "$@")"
}
refuses "no command" "trace: no command; there are info, dump, stat, grep, export, report (see paravane trace --help)"
refuses "no file" "trace dump: no trace file is given (see paravane trace dump --help)" dump
refuses "an unknown option" "trace dump: Unknown option --frob (see paravane trace dump --help)" dump --frob "$file"
refuses "an unknown hypercall" \
    "trace dump: there is no hypercall \"frob\" (a number is taken as well) (see paravane trace dump --help)" \
    dump --hypercall frob "$file"
refuses "a file that is not there" "$tap_dir/nothing: No such file or directory" dump "$tap_dir/nothing"
refuses "grep for nothing" \
    "trace grep: nothing to look for is given, such as frame=0x1a2b3 (see paravane trace grep --help)" grep "$file"
printf 'hello' >"$tap_dir/hello"
tap_check "a file that is no trace is refused" sh -c "'$PARAVANE' trace info '$tap_dir/hello'; [ \$? = 2 ]"
tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every way a run can end has its stop reason, its exit status and its message; and
# stopping on the way changes nothing.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs

# ends NAME CLAIM STATUS REASON ARGUMENT... - run the small guest and compare its end.
ends() {
    local name=$1 claim=$2 wanted="status $3, $4"
    shift 4
    small_run "$name" "$@"
    tap_equal "$claim" "$wanted" "status $guest_status, $(guest_value "$name" stop_reason)"
}

# reports NAME TEXT... - the messages of the last run hold each TEXT.
reports() {
    local name=$1 text
    shift
    for text in "$@"; do
        if grep -qF -- "$text" "$tap_dir/$name.messages"; then
            tap_result 0 "$name: the report has \"$text\""
        else
            tap_result 1 "$name: the report has \"$text\"" "$(cat "$tap_dir/$name.messages")"
        fi
    done
}

# --- the guest ends the run
small_guest EXIT 0
ends EXIT "the exit port with 0 is a good end" 0 exit-port
tap_equal "the exit value is in the summary" 0 "$(guest_value EXIT exit_value)"
small_guest EXIT 7
ends EXIT "the exit port with another value is a bad end" 1 exit-port
tap_equal "the bad exit value is in the summary" 7 "$(guest_value EXIT exit_value)"
small_guest HALT
ends HALT "HLT with interrupts off is a bad end" 1 halted
ends HALT "HLT with interrupts off is a good end if the machine file says so" 0 halted \
    --set machine.on-halt=good
small_guest IDLE
ends IDLE "waiting for what never comes is a bad end" 1 idle
small_guest RESET
ends RESET "a reset is a bad end" 1 reset

# --- catastrophes
small_guest TRIPLE
ends TRIPLE "a triple fault is a bad end" 1 triple-fault
reports TRIPLE "The guest cannot go on" "vcpu 0, after " "<faulty+0x1>" "  rip " "  cr3 " "ud2" \
    "Last " "vcpu 0  "
small_guest NOWHERE
ends NOWHERE "a jump out of RAM is a bad end" 1 crash
reports NOWHERE "The guest cannot go on" "e0000000" "<faulty+0x"
small_guest TABLES
small_run TABLES
tap_equal "page tables out of RAM are a bad end" 1 "$guest_status"
reports TABLES "The guest cannot go on" "80000000" "<faulty+0x"

# --- the user ends the run
small_guest SPIN
ends SPIN "a limit of instructions is a good end" 0 limit --until insns=12345
tap_equal "the limit of instructions is exact" 12345 "$(guest_value SPIN insns)"
ends SPIN "a limit of virtual time is a good end" 0 limit --until vtime=1ms
tap_equal "the limit of virtual time is exact" 1000000 "$(guest_value SPIN virtual_ns)"
cp "$tap_dir/SPIN.json" "$tap_dir/whole.json"
small_run SPIN --until vtime=1ms --pause-random 1000:1:1M
small_same "1,000 stops on the way change nothing" whole SPIN
small_run SPIN --until vtime=1ms --pause-at 1,2,3,5,999999
small_same "stops next to each other change nothing" whole SPIN
small_guest SPEW
ends SPEW "a text on the console is a good end" 0 limit --until "console=small gu"
tap_equal "nothing is shown behind the text" "small gu" "$(cat "$tap_dir/SPEW.console")"

# The signal must reach the program itself, and bash must see what ended it.
(exec "$PARAVANE" run "$machines/bare.machine" --set "boot.kernel=$tap_dir/SPIN.elf" \
    >"$tap_dir/signal.console" 2>"$tap_dir/signal.messages" </dev/null) &
for ((i = 0; i < 200; i++)); do
    grep -qs "small guest" "$tap_dir/signal.console" && break
    sleep 0.1
done
kill -TERM $!
wait $! 2>/dev/null
tap_equal "SIGTERM ends the run and is handed on" 143 $?
tap_check "SIGTERM ends with the summary line" grep -q "paravane: interrupted after" "$tap_dir/signal.messages"

# --- the output fails
"$PARAVANE" run "$machines/bare.machine" --set "boot.kernel=$tap_dir/SPEW.elf" \
    >/dev/full 2>"$tap_dir/full" </dev/null
tap_equal "a full disk has status 2" 2 $?
tap_equal "a full disk has its message" "paravane: standard output: No space left on device" \
    "$(head -n 1 "$tap_dir/full")"
"$PARAVANE" run "$machines/bare.machine" --set "boot.kernel=$tap_dir/SPEW.elf" \
    2>"$tap_dir/pipe" </dev/null | head -n 1 >/dev/null
tap_equal "a closed pipe has status 2" 2 "${PIPESTATUS[0]}"
tap_equal "a closed pipe has its message" "paravane: standard output: Broken pipe" \
    "$(head -n 1 "$tap_dir/pipe")"
small_run SPIN --until insns=1k --summary /dev/full
tap_equal "a summary that cannot be written has status 2" 2 "$guest_status"

# --- the same every time
tap_check "--verify finds equal runs identical" "$PARAVANE" run "$machines/bare.machine" \
    --set "boot.kernel=$tap_dir/SPIN.elf" --until vtime=1ms --verify 3 --quiet
"$PARAVANE" run "$machines/bare.machine" --set "boot.kernel=$tap_dir/TRIPLE.elf" --verify 2 \
    --quiet 2>/dev/null
tap_equal "--verify hands on a bad end that is always the same" 1 $?

tap_done

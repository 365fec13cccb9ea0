#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Console scripts type into a guest at instants of virtual time, and judge what it says.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs
small_guest ECHO

# scripted NAME LINES ARGUMENT... - run the echoing guest with a script of these lines.
scripted() {
    local name=$1 lines=$2
    shift 2
    printf '%s\n' "$lines" >"$tap_dir/$name.script"
    guest_run "$name" "$machines/bare.machine" --set "boot.kernel=$tap_dir/ECHO.elf" \
        --console-script "$tap_dir/$name.script" "$@"
}

scripted good 'expect small guest\r\n
send hello, \x77orld
expect hello, world
wait 5
send Q'
tap_equal "a script that is met has status 0" 0 "$guest_status"
guest_says good "what is sent arrives" "hello, worldQ"
scripted good_again "$(cat "$tap_dir/good.script")"
guest_same "a scripted run is the same again" good good_again
scripted paused "$(cat "$tap_dir/good.script")" --pause-random 500:3:18M
small_same "stops on the way change nothing" good paused

scripted long "expect guest
send $(printf '%0100d' 0)
expect $(printf '%0100d' 0)
send Q"
tap_equal "a text longer than any FIFO arrives whole" 0 "$guest_status"

scripted bad 'send F'
tap_equal "the guest's own verdict counts" 1 "$guest_status"
scripted unmet 'send Q
expect never'
tap_equal "an expect that is not met at the end has status 1" 1 "$guest_status"
tap_equal "an expect that is not met is named" \
    "paravane: $tap_dir/unmet.script:2: the console never said: \"never\"" \
    "$(head -n 1 "$tap_dir/unmet.messages")"
scripted late 'timeout 0.05
expect never
send Q'
tap_equal "an expect that times out has status 1" 1 "$guest_status"
tap_equal "an expect that times out is named" \
    "paravane: $tap_dir/late.script:2: timed out waiting for: \"never\"" \
    "$(head -n 1 "$tap_dir/late.messages")"
tap_equal "an expect that times out is the stop reason" script "$(guest_value late stop_reason)"
scripted limited 'expect never' --until vtime=10ms
tap_equal "a run that the user ends is not judged by its script" 0 "$guest_status"

printf 'send Q' | "$PARAVANE" run "$machines/bare.machine" --set "boot.kernel=$tap_dir/ECHO.elf" \
    --console-script - >/dev/null 2>&1
tap_equal "a script may come from standard input" 0 $?
printf 'Q' | "$PARAVANE" run "$machines/bare.machine" --set "boot.kernel=$tap_dir/ECHO.elf" \
    --until vtime=50ms --summary "$tap_dir/piped.json" >/dev/null 2>&1
tap_equal "standard input that is no terminal is not typed" limit "$(guest_value piped stop_reason)"

tap_done

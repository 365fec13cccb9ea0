#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A recorded run is the run; its replay is the recording; a state that is saved goes on.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs
edit=$PARAVANE_BUILD/tests/replay/edit_trace
cd "$tap_dir" || exit 1

# pv NAME ARGUMENT... - the program; NAME.out, NAME.messages, NAME.json; sets $status.
pv() {
    local name=$1 command=$2
    shift 2
    "$PARAVANE" "$command" --summary "$name.json" "$@" >"$name.out" 2>"$name.messages" </dev/null
    status=$?
}

# says NAME CLAIM TEXT - the messages hold TEXT.
says() {
    grep -qF -- "$3" "$1.messages"
    tap_result $? "$2" "no \"$3\" in:" "$(head -n 5 "$1.messages")"
}

# --- a guest that reads its console
small_guest ECHO
cat >typed <<'END'
expect small guest
wait 12
send hello
expect hello
wait 3
send Q
END
bare="$machines/bare.machine --set boot.kernel=ECHO.elf"
pv plain run $bare --console-script typed
tap_equal "the guest ends well" 0 "$status"
pv recorded record $bare --console-script typed -o echo.trace --checkpoint-every 10M --events all
tap_equal "recording ends as running does" 0 "$status"
small_same "a recorded run has the same state, instructions, time and console" plain recorded
pv again record $bare --console-script typed -o echo2.trace --checkpoint-every 10M --events all
cmp -s echo.trace echo2.trace
tap_result $? "the same run is recorded as the same file"
mkdir empty && mv echo.trace empty/ && mv ECHO.elf aside.elf
cd empty || exit 1
"$PARAVANE" replay echo.trace --summary ../replayed.json --verify full >../replayed.out 2>../replayed.messages
tap_equal "the trace alone replays" 0 $?
cd .. && mv empty/echo.trace . && mv aside.elf ECHO.elf
small_same "the replay has the same state, instructions, time and console" plain replayed
cmp -s plain.out replayed.out
tap_result $? "the replay says what the guest said"

insns=$(guest_value plain insns)
for n in 0 1 12345 $((insns / 2)) $((insns - 1)) "$insns" $((insns + 5)); do
    want=$n
    [ "$n" -gt "$insns" ] && want=$insns
    pv until replay echo.trace --until "insns=$n"
    tap_equal "replay --until insns=$n stops there" "status 0, $want" "status $status, $(guest_value until insns)"
    [ "$n" -gt 0 ] && [ "$n" -lt "$insns" ] || continue
    pv stopped run $bare --console-script typed --until "insns=$n"
    tap_equal "... in the state of a run that stops there" "$(guest_value stopped state_hash)" \
        "$(guest_value until state_hash)"
done
pv event replay echo.trace --until event=1
tap_equal "replay --until event=1 stops" 0 "$status"
pv event replay echo.trace --until event=99999999
tap_equal "an event that is not there is an error" 2 "$status"

# --- saving and going on
for n in 5000 $((insns / 2)) $((insns - 10)); do
    pv saving run $bare --console-script typed --save saved --save-at "insns=$n"
    tap_equal "a run that saves at $n ends well" 0 "$status"
    small_same "... and as it would have without" plain saving
    printf 'send Q\n' >rest
    pv direct run $bare --console-script typed --until "insns=$n"
    pv restored run --restore saved --until "insns=$n"
    tap_equal "... and what it has saved at $n has the same state" "$(guest_value direct state_hash)" \
        "$(guest_value restored state_hash)"
done
small_guest SPIN
spin="$machines/bare.machine --set boot.kernel=SPIN.elf"
pv plain run $spin --until insns=47M
pv saving run $spin --until insns=47M --save saved --save-at insns=33333333
small_same "saving changes nothing" plain saving
pv restored run --restore saved --until insns=47M
tap_equal "a new process goes on from a saved state to the same end" \
    "$(guest_value plain insns) $(guest_value plain state_hash)" \
    "$(guest_value restored insns) $(guest_value restored state_hash)"
pv nothing run $spin --until insns=1M --save saved --save-at insns=2M
tap_equal "a run that ends before its place to save is an error" 2 "$status"

# --- differences
pv whole replay echo.trace --quiet
tap_equal "the trace replays before it is changed" 0 "$status"
# changed CLAIM TEXT ARGUMENT... - edit the trace; the replay says TEXT and exits with 3.
changed() {
    local claim=$1 text=$2
    shift 2
    rm -f edited.trace
    if ! "$edit" $trace edited.trace "$@"; then
        tap_result 1 "$claim" "edit_trace $* failed"
        return
    fi
    pv edited replay edited.trace --quiet $mode
    tap_equal "$claim is found" 3 "$status"
    says edited "... and it says where" "$text"
    says edited "... between which instructions" "between instruction"
}
mode= trace=echo.trace
changed "a flipped bit in an image" "memory: frame 0x100" flip 2 0 0xb0 0
changed "a flipped bit in the input log" "between instruction" replace 3 $'\x01h' $'\x01j'
pv spinning record $spin --until insns=25M -o spin.trace --quiet
trace=spin.trace
changed "an altered cost of RDTSC" "virtual time" replace 1 rdtsc-cycles=0 rdtsc-cycles=1
trace=echo.trace
changed "an altered cost of port accesses" "virtual_ns" replace 1 port-cycles=0 port-cycles=1
mode="--until insns=11M"
changed "a flipped bit in a checkpoint's memory" "memory: frame 0x" flip 5 0 0x20 3
mode="--verify full"
changed "... from power-on, comparing all," "in the checkpoint" flip 5 0 0x20 3
mode=

# --- damage: a bit is another one in the file, and its checksum is as it was
# damaged CLAIM TYPE N - of the Nth frame of the type; replaying all exits with 2, and info --check as well.
damaged() {
    rm -f edited.trace
    "$edit" echo.trace edited.trace damage "$2" "$3" 20 3 || tap_result 1 "$1" "edit_trace failed"
    pv edited replay edited.trace --quiet
    tap_equal "a flipped bit in $1 of the file is found" 2 "$status"
    says edited "... and it says where" "damaged: the frame at byte"
    "$PARAVANE" trace info --check edited.trace >info.out 2>&1
    tap_equal "... and info --check finds it" 2 $?
}
damaged "an image" 2 0
damaged "the log" 3 1
damaged "a checkpoint's memory" 5 0
damaged "a checkpoint's state" 6 0
"$PARAVANE" trace info --check echo.trace >info.out 2>&1
tap_equal "info --check has nothing to say about a good one" 0 $?

# --- what is not a trace
head -c 5 echo.trace >cut.trace
for bad in "$machines/bare.machine" cut.trace /dev/null "$tap_dir" missing.trace; do
    pv bad replay "$bad"
    tap_equal "replaying ${bad##*/} is an error" 2 "$status"
    tap_equal "... told in one line" 1 "$(wc -l <bad.messages)"
done
pv bad record $bare
tap_equal "record without -o is an error" 2 "$status"
pv bad record $bare -o x.trace --events nonsense
tap_equal "an unknown kind of event is an error" 2 "$status"
pv bad record $bare -o "$tap_dir/no/such/folder/x.trace"
tap_equal "a trace that cannot be made is an error" 2 "$status"
pv bad record $bare -o /dev/full
tap_equal "a full device is an error" 2 "$status"

# --- a trace without its images
pv unpacked record $bare --console-script typed -o small.trace --no-pack --events none
tap_equal "recording without images" 0 "$status"
pv unpacked replay small.trace
tap_equal "a trace without images replays where they are" 0 "$status"
small_guest EXIT
cp EXIT.elf ECHO.elf
pv unpacked replay small.trace
tap_equal "... and not with others in their place" 2 "$status"
says unpacked "... which it says" "another SHA-256"

# --- no room
(
    trap '' XFSZ
    ulimit -f 64
    "$PARAVANE" record $spin --until insns=100M -o full.trace --checkpoint-every 10M --quiet \
        >full.out 2>full.messages
)
tap_equal "a file that cannot grow ends the recording with an error" 2 $?
says full "... that says so" "File too large"
pv full replay full.trace
tap_equal "... and what was written replays" 0 "$status"
says full "... as far as it goes" "cut off"
tap_done

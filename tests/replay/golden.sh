#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The trace that was recorded once and committed still replays.
#
# When machines go on differently for good (SIM_MACHINE_STATE_NUMBER is raised then), or the format's
# oldest reader is raised, record it anew:
#
#     PARAVANE=build/paravane PARAVANE_SRC=. tests/replay/golden.sh --record
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
golden=$(cd "$PARAVANE_SRC" && pwd)/tests/replay/golden.trace

if [ "${1:-}" = --record ]; then
    program=$(realpath "$PARAVANE")
    small_guest ECHO
    cp "$machines/bare.machine" "$tap_dir"
    cd "$tap_dir" || exit 1
    printf 'expect small guest\nwait 12\nsend hello\nexpect hello\nwait 3\nsend Q\n' >typed
    "$program" record bare.machine --set boot.kernel=ECHO.elf --console-script typed --quiet \
        --checkpoint-every 10M --events exception,interrupt,console,input -o "$golden"
    exit
fi

guest_needs "$golden"
tap_check "it replays, state by state and event by event" "$PARAVANE" replay "$golden" --quiet --verify full
"$PARAVANE" replay "$golden" --summary "$tap_dir/golden.json" >"$tap_dir/golden.console" 2>/dev/null
tap_equal "the guest says what it said" "small guest/helloQ" "$(tr -d '\r' <"$tap_dir/golden.console" | paste -sd/)"
tap_equal "it ends where it ended" exit-port "$(guest_value golden stop_reason)"
tap_check "it replays from its checkpoints" "$PARAVANE" replay "$golden" --quiet --until insns=20500000
tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random hypercalls of four domains at once, domain 0 among them, end well: no panic, no hang, no domain
# lost, every count right now and then and in the end, and all that the domains had comes back.
#
#   tests/guest/fuzz_hypercalls.sh [SEED [CALLS [STEP]]]
#
# does what SEED decides, again and again the same; STEP calls are made between two recounts.
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD/guests
guest_needs "$PARAVANE_BUILD/hv/hv-audit.elf" "$built/fuzz/fuzz.elf" "$built/fuzz/director.elf"

# fuzz NAME SEED CALLS STEP - the run of one seed
fuzz() {
    guest_run "$1" "$built/machines/hv-fuzz.machine" --until insns=40G \
        --set module.dom0.cmdline="seed=$2 calls=$3 step=$4 table"
    grep -a '^fuzz: .* made ' "$tap_dir/$1.console" | sed 's/^/# /'
    tap_equal "seed $2: $3 calls end well" 0 "$guest_status"
    guest_says "$1" "seed $2: the end of it" "fuzz: seed $2: "
    grep -qaE "^fuzz: seed $2: [0-9]+ calls, .* audited" "$tap_dir/$1.console" ||
        grep -av ' made ' "$tap_dir/$1.console" | tail -n 30 | sed 's/^/# /'
}

if [ $# -gt 0 ]; then
    fuzz run "$1" "${2:-100000}" "${3:-5000}"
    tap_done
fi
fuzz first 1 8000 2000
fuzz second 1 8000 2000
guest_same "the same seed does the same" first second
tap_done

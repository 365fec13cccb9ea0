#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random hypercalls of five domains at once, domain 0 among them, end well: no panic, no hang, no domain
# lost but the reckless one, every count right now and then and in the end, and all that the domains had
# comes back.
#
#   tests/guest/fuzz_hypercalls.sh [SEED [CALLS [STEP]]]
#
# does what SEED decides, again and again the same; STEP calls are made between two recounts.  After a failure
# the command that does it again is printed.  HYPERCALL_KEEP=FOLDER: there its console and a recording are put.
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD/guests
guest_needs "$PARAVANE_BUILD/hv/hv-audit.elf" "$built/fuzz/fuzz.elf" "$built/fuzz/director.elf"

# keep SEED MACHINE OPTION... - do the run once more, and record it.
keep() {
    local seed=$1 kept
    shift
    [ -n "${HYPERCALL_KEEP:-}" ] || return
    mkdir -p "$HYPERCALL_KEEP"
    kept=$(cd "$HYPERCALL_KEEP" && pwd)/seed-$seed
    "$PARAVANE" record "$@" -o "$kept.trace" >"$kept.console" 2>"$kept.messages" </dev/null
    echo "# kept:  $kept.trace, .console, .messages"
}

# fuzz NAME SEED CALLS STEP OPTION... - the run of one seed
fuzz() {
    local console=$tap_dir/$1.console good=1
    # several times what it takes: some of what hangs is not seen from inside
    local run=("$built/machines/hv-fuzz.machine" --until "insns=$((2000 + $3 / 20))M"
        --set "module.dom0.cmdline=seed=$2 calls=$3 step=$4 table" "${@:5}")

    guest_run "$1" "${run[@]}"
    grep -a '^fuzz: .* made ' "$console" | sed 's/^/# /'
    # A run that is stopped by its limit has status 0 as well.
    grep -qaE "^fuzz: seed $2: [0-9]+ calls, .* audited [1-9]" "$console" && good=$guest_status
    if [ "$good" -eq 0 ]; then
        grep -aE '^fuzz: (domain|the reckless|seed)' "$console" | sed 's/^/# /'
        tap_result 0 "seed $2: $3 calls end well"
        return
    fi
    tap_result 1 "seed $2: $3 calls end well" "$(grep -av ' made ' "$console" | tail -n 30)" \
        "$(tail -n 5 "$tap_dir/$1.messages")" "again: $PARAVANE run ${run[*]@Q}"
    keep "$2" "${run[@]}"
}

if [ $# -gt 0 ]; then
    fuzz run "$1" "${2:-100000}" "${3:-5000}"
    tap_done
fi
fuzz first 1 8000 2000
fuzz second 1 8000 2000
guest_same "the same seed does the same" first second

# Domain 0 has nearly all: what needs memory fails, at its beginning or half way.
guest_run size "$built/machines/hv-fuzz.machine" --until 'console=frames of'
free=$(sed -n 's/^(HV) \([0-9]*\) frames of.*/\1/p' "$tap_dir/size.console")
needed=4200 # frames, by the three domains that must not fail, and too few for a fourth
fuzz scarce 2 8000 2000 --set "boot.cmdline=dom0_mem=$((48 * 1024 + (${free:-0} - needed) * 4))K"
tap_check "there was no room for a domain" grep -qaE '^fuzz: the reckless .* without room [1-9]' "$tap_dir/scarce.console"
tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paravane diff --bisect names the instruction that stepping through both runs names.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
machine=$PARAVANE_SRC/guests/machines/bare.machine
guest() {
    "${PARAVANE_CC:-cc}" -m32 -c "${@:2}" -o "$tap_dir/$1.o" "$PARAVANE_SRC/tests/traces/bisect.S" &&
        ld -m elf_i386 -N -Ttext=0x100000 -e _start -o "$tap_dir/$1.elf" "$tap_dir/$1.o" 2>"$tap_dir/ld" ||
        tap_skip_all "no 32-bit x86 assembler and linker"
}
guest guest
guest other -DFACTOR=5

# record NAME KERNEL OPTION...
record() {
    "$PARAVANE" record "$machine" -o "$tap_dir/$1.pvt" --quiet --set "boot.kernel=$2" "${@:3}" \
        >/dev/null 2>"$tap_dir/$1.log" || tap_result 1 "$1 can be recorded" "$(cat "$tap_dir/$1.log")"
}
record plain "$tap_dir/guest.elf"
record again "$tap_dir/guest.elf"
record slow "$tap_dir/guest.elf" --set timing.rdtsc-cycles=50
record other "$tap_dir/other.elf"

bisect() { "$PARAVANE" diff --bisect "$tap_dir/$1.pvt" "$tap_dir/$2.pvt" 2>&1; }

# The state after each instruction, by replaying up to it: "N HASH" lines.
states() {
    local n
    for ((n = 1; n <= $2; n++)); do
        "$PARAVANE" replay "$tap_dir/$1.pvt" --until insns=$n --quiet --hash \
            --summary "$tap_dir/summary" >/dev/null 2>&1
        echo "$n $(jq -r .state_hash "$tap_dir/summary")"
    done
}

insns=$("$PARAVANE" trace info --json "$tap_dir/plain.pvt" | jq .insns)
tap_equal "two recordings of the same are equal" "equal: states after $insns instructions" \
    "$(bisect plain again)"
tap_check "and the exit status says so" "$PARAVANE" diff -q --bisect "$tap_dir/plain.pvt" "$tap_dir/again.pvt"

states plain "$insns" >"$tap_dir/plain.states"
states slow "$insns" >"$tap_dir/slow.states"
wanted=$(diff "$tap_dir/plain.states" "$tap_dir/slow.states" | sed -n 's/^< \([0-9]*\) .*/\1/p' | head -1)
tap_equal "stepping and bisecting name the same instruction" \
    "different after instruction ${wanted:-none}, equal before it" \
    "$(bisect plain slow | head -1 | sed 's/ (.*//')"
tap_check "it is the one that asks for the time" \
    sh -c "'$PARAVANE' diff --bisect '$tap_dir/plain.pvt' '$tap_dir/slow.pvt' | grep -A1 'stands at' | grep -q rdtsc"
tap_check "its registers are shown" \
    sh -c "'$PARAVANE' diff --bisect '$tap_dir/plain.pvt' '$tap_dir/slow.pvt' | grep -q 'vcpu 0 cycles   A .*  B '"
tap_equal "the exit status is 1" 1 "$(bisect plain slow >/dev/null; echo $?)"
tap_equal "other code is different before the first instruction" \
    "different before the first instruction" "$(bisect plain other | head -1)"
tap_check "and the bytes are shown" \
    sh -c "'$PARAVANE' diff --bisect '$tap_dir/plain.pvt' '$tap_dir/other.pvt' | grep -q '^  B .* 6b c0 05'"
tap_done

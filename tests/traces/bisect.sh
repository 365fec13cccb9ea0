#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# paravane diff --bisect names the instruction that stepping through both runs names.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
machine=$PARAVANE_SRC/guests/machines/bare.machine
# guest NAME SOURCE OPTION...
guest() {
    "${PARAVANE_CC:-cc}" -m32 -c "${@:3}" -o "$tap_dir/$1.o" "$PARAVANE_SRC/tests/traces/$2" &&
        ld -m elf_i386 -N -Ttext=0x100000 -e _start -o "$tap_dir/$1.elf" "$tap_dir/$1.o" 2>"$tap_dir/ld" ||
        tap_skip_all "no 32-bit x86 assembler and linker"
}
guest guest bisect.S
guest other bisect.S -DFACTOR=5
guest two bisect-smp.S

# record NAME KERNEL OPTION...
record() {
    "$PARAVANE" record "$machine" -o "$tap_dir/$1.pvt" --quiet --set "boot.kernel=$2" "${@:3}" \
        >/dev/null 2>"$tap_dir/$1.log" || tap_result 1 "$1 can be recorded" "$(cat "$tap_dir/$1.log")"
}
record plain "$tap_dir/guest.elf"
record again "$tap_dir/guest.elf"
record slow "$tap_dir/guest.elf" --set timing.rdtsc-cycles=50
record other "$tap_dir/other.elf"

# Two CPUs that change places every four instructions.
smp="--set machine.cpus=2 --set timing.frequency=4MHz --set timing.quantum-ns=1000"
record two "$tap_dir/two.elf" $smp
record two-again "$tap_dir/two.elf" $smp
record two-slow "$tap_dir/two.elf" $smp --set timing.rdtsc-cycles=50

bisect() { "$PARAVANE" diff --bisect "$tap_dir/$1.pvt" "$tap_dir/$2.pvt" 2>&1; }

# state NAME N - after N instructions, by replaying up to there.
state() {
    "$PARAVANE" replay "$tap_dir/$1.pvt" --until "insns=$2" --quiet --hash \
        --summary "$tap_dir/summary" >/dev/null 2>&1
    jq -r .state_hash "$tap_dir/summary"
}

insns=$("$PARAVANE" trace info --json "$tap_dir/plain.pvt" | jq .insns)
tap_equal "two recordings of the same are equal" "equal: states after $insns instructions" \
    "$(bisect plain again)"
tap_check "and the exit status says so" "$PARAVANE" diff -q --bisect "$tap_dir/plain.pvt" "$tap_dir/again.pvt"

# stepped CLAIM A B INSNS - bisecting names what stepping through both runs names.
stepped() {
    local n wanted=none
    for ((n = 1; n <= $4; n++)); do
        [ "$(state "$2" $n)" = "$(state "$3" $n)" ] && continue
        wanted=$n
        break
    done
    tap_equal "$1" "different after instruction $wanted, equal before it" \
        "$(bisect "$2" "$3" | head -1 | sed 's/ (.*//')"
}
stepped "stepping and bisecting name the same instruction" plain slow "$insns"
tap_check "it is the one that asks for the time" \
    sh -c "'$PARAVANE' diff --bisect '$tap_dir/plain.pvt' '$tap_dir/slow.pvt' | grep -A1 'stands at' | grep -q rdtsc"
tap_check "its registers are shown" \
    sh -c "'$PARAVANE' diff --bisect '$tap_dir/plain.pvt' '$tap_dir/slow.pvt' | grep -q 'vcpu 0 cycles   A .*  B '"
tap_equal "the exit status is 1" 1 "$(bisect plain slow >/dev/null; echo $?)"
tap_equal "other code is different before the first instruction" \
    "different before the first instruction" "$(bisect plain other | head -1)"
tap_check "and the bytes are shown" \
    sh -c "'$PARAVANE' diff --bisect '$tap_dir/plain.pvt' '$tap_dir/other.pvt' | grep -q '^  B .* 6b c0 05'"

# --- two CPUs
insns=$("$PARAVANE" trace info --json "$tap_dir/two.pvt" | jq .insns)
tap_equal "two CPUs: two recordings of the same are equal" "equal: states after $insns instructions" \
    "$(bisect two two-again)"
stepped "two CPUs: stepping and bisecting name the same instruction" two two-slow "$insns"
tap_equal "two CPUs: it is the one that asks for the time, on the second" \
    "before it, vCPU 1 stands at/rdtsc" \
    "$(bisect two two-slow | sed -n '/stands at/{p;n;s/.*  //p}' | paste -sd/)"
tap_equal "two CPUs: its cycles are what is different" "vcpu 1 cycles" \
    "$(bisect two two-slow | sed -n 's/^\(vcpu [01] [a-z0-9]*\) .*/\1/p' | paste -sd,)"
tap_done

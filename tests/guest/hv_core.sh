#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The hypervisor boots a PV kernel as domain 0, the same every time, and its books are right when the
# guest ends: the audit build recounts every reference of every frame and panics otherwise.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_BUILD" || exit 1
bare=$PARAVANE_SRC/guests/machines/bare.machine

# on HV KERNEL [ARGUMENT...] - runs KERNEL as domain 0
on() {
    "$PARAVANE" run "$bare" --set machine.memory=256M --set boot.kernel="hv/$1.elf" \
        --set boot.cmdline="dom0_mem=64M ${seed:+seed=$seed}" --set module.dom0.path="$2" "${@:3}" \
        >"$tap_dir/out" 2>"$tap_dir/err"
}

on hv guests/hello/hello.elf --verify 2
tap_equal "two runs are the same to the last bit" 0 $?
tap_check "the guest speaks" grep -q '^hello from a PV guest' "$tap_dir/out"
tap_check "its power-off is the machine's" grep -q '^(HV) domain 0 powers off' "$tap_dir/out"

cp "$tap_dir/out" "$tap_dir/first"
seed=77 on hv guests/hello/hello.elf
tap_equal "other frames (seed=77), the same guest" "$(grep ^hello "$tap_dir/first")" "$(grep ^hello "$tap_dir/out")"

for guest in memory-op pin linear pt-upper grant-map gdt baseptr; do
    on hv-audit "guests/conform/$guest.elf"
    tap_equal "every count is right after $guest" 0 $?
    tap_empty "$guest: nothing to complain about" "$(grep -E 'PANIC|audit:' "$tap_dir/out")"
done

on hv-audit guests/fuzz/fuzz.elf --set module.dom0.cmdline='seed=5 calls=20000 step=2000'
# A step of the guest may be two calls, the last one as well.
tap_check "random memory calls, interrupted, leave the books right" grep -q '^fuzz: seed 5: 2000[0-9] calls, .*, audited' "$tap_dir/out"

printf 'no kernel' >"$tap_dir/junk"
on hv "$tap_dir/junk"
tap_equal "a module that is no kernel ends the machine" 1 $?
tap_check "and says why" grep -q 'PANIC: domain 0: the module is no 64-bit ELF image' "$tap_dir/out"
tap_done

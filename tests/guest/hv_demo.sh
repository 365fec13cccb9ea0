#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration on the project's own hypervisor: two domains that work, balloon, talk and end;
# the same every time, the same text on QEMU; and a domain of the user's own.
. "${PARAVANE_SRC:-.}/tests/tap.sh"
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD/guests
hv=$PARAVANE_BUILD/hv/hv.elf
guest_needs "$hv" "$built/dom0/dom0.elf" "$built/domu/domu.elf"

# What dom0 and the domains say: all from dom0's first line on, without what the hypervisor says.
guest_text() { sed -n '/^dom0: ready/,$p' "$tap_dir/$1.console" | grep -av '^(HV)' | tr -d '\r'; }
expected=$(cat "$PARAVANE_SRC/tests/guest/demo.expected")

guest_run demo "$built/machines/hv-demo.machine"
tap_equal "the demonstration ends well" 0 "$guest_status"
tap_equal "the machine is powered off" power-off "$(guest_value demo stop_reason)"
tap_equal "its text is the expected one" "$expected" "$(guest_text demo)"

guest_run again "$built/machines/hv-demo.machine"
guest_same "a second run is the same" demo again

guest_run once "$built/machines/hv-guest.machine" --set domu.kernel="$built/domu/domu.elf" \
    --set domu.cmdline=once --set domu.vcpus=2
tap_equal "one domain that powers off: exit status 0" 0 "$guest_status"
guest_says once "its console is the machine's" "init: process 5, 2 CPUs"

printf 'no kernel' >"$tap_dir/text"
guest_run bad "$built/machines/hv-guest.machine" --set domu.kernel="$tap_dir/text"
tap_equal "what is no kernel: exit status 1" 1 "$guest_status"
guest_says bad "and a line that says why" "create: guest: it is not a little-endian ELF64 file"

# A reboot is no power-off: its number is the exit value.
guest_run reboot "$built/machines/hv-guest.machine" --set domu.kernel="$built/domu/domu.elf" \
    --set domu.cmdline='once end=reboot init=primes'
tap_equal "one domain that reboots: exit status 1" 1 "$guest_status"
tap_equal "with its number as the exit value" 1 "$(guest_value reboot exit_value)"

# Eight domains with two vCPUs each come and go, and nothing is left of them.
scripts=$PARAVANE_SRC/tests/guest/scripts
guest_run churn "$built/machines/hv-demo.machine" --set module.dom0.cmdline=script=few \
    --set archive.initrd.churn="$scripts/churn" --set archive.initrd.few="$scripts/churn-few"
tap_equal "domains come and go, dom0 stays responsive, nothing is left behind" 0 "$guest_status"
guest_says churn "and the audit says so" "as they were"

if command -v qemu-system-x86_64 >/dev/null 2>&1; then
    printf 'file /demo 0644 %s\nfile /domu.elf 0644 %s\n' "$built/dom0/demo.script" \
        "$built/domu/domu.elf" >"$tap_dir/list"
    perl "$PARAVANE_SRC/tools/mkcpio" "$tap_dir/list" >"$tap_dir/demo.cpio"
    (cd "$tap_dir" && timeout 300 qemu-system-x86_64 -m 256 -cpu Haswell,-smap,-smep -display none \
        -no-reboot -serial file:qemu.console -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -kernel "$hv" -initrd "$built/dom0/dom0.elf script=demo,demo.cpio" </dev/null >qemu.out 2>&1)
    tap_equal "QEMU shows the same text" "$expected" "$(guest_text qemu)"
else
    tap_skip "QEMU shows the same text" "qemu-system-x86_64 is not installed"
fi

tap_done

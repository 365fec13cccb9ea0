#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration on the project's own hypervisor: two domains that work, balloon, talk and end;
# the same every time, the same text on QEMU; and a domain of the user's own.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/dom0.sh"
hv=$PARAVANE_BUILD/hv/hv.elf
guest_needs "$hv" "$built/dom0/dom0.elf" "$built/domu/domu.elf"

dom0_suite

# Eight domains with two vCPUs each come and go, and nothing is left of them.
guest_run churn "$built/machines/hv-demo.machine" --set module.dom0.cmdline=script=few \
    --set archive.initrd.churn="$scripts/churn" --set archive.initrd.few="$scripts/churn-few"
tap_equal "domains come and go, dom0 stays responsive, nothing is left behind" 0 "$guest_status"
guest_says churn "and the audit says so" "as they were"

# Whatever a domain does to its rings and to itself, domain 0 goes on serving the others.
guest_run rude "$built/machines/hv-demo.machine" --set module.dom0.cmdline=script=rude \
    --set archive.initrd.rude="$scripts/rude" --set archive.initrd.rudeguest="$built/rude/rude.elf"
tap_equal "domain 0 survives domains that misuse its services" 0 "$guest_status"

if command -v qemu-system-x86_64 >/dev/null 2>&1; then
    printf 'file /demo 0644 %s\nfile /domu.elf 0644 %s\n' "$built/dom0/demo.script" \
        "$built/domu/domu.elf" >"$tap_dir/list"
    perl "$PARAVANE_SRC/tools/mkcpio" "$tap_dir/list" >"$tap_dir/demo.cpio"
    (cd "$tap_dir" && timeout 300 qemu-system-x86_64 -m 256 -cpu Haswell,-smap,-smep -display none \
        -no-reboot -serial file:qemu.console -device isa-debug-exit,iobase=0xf4,iosize=4 \
        -kernel "$hv" -append 'hv dom0_mem=64M' -initrd "$built/dom0/dom0.elf script=demo,demo.cpio" </dev/null >qemu.out 2>&1)
    tap_equal "QEMU shows the same text" "$expected" "$(guest_text qemu)"
else
    tap_skip "QEMU shows the same text" "qemu-system-x86_64 is not installed"
fi

tap_done

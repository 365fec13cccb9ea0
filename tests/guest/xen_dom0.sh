#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The project's own domain 0 on Debian's Xen: it starts domains there by the same calls as on the
# project's hypervisor, serves them, and ends.
. "${PARAVANE_SRC:-.}/tests/tap.sh"
. "$PARAVANE_SRC/tests/guest/guest.sh"
real=$PARAVANE_SRC/guests/real
built=$PARAVANE_BUILD/guests
guest_needs "$real/xen.gz" "$built/dom0/dom0.elf" "$built/domu/domu.elf"

# Xen in the place of the machine's hypervisor.
xen=(--set boot.kernel="$real/xen.gz" --set timing.port-cycles=1000 --set machine.on-halt=good
     --set 'boot.cmdline=console=com1 com1=115200,8n1 no-real-mode dom0_mem=64M')

# What dom0 and the domains say, without what Xen says.
guest_text() { sed -n '/^dom0: ready/,$p' "$tap_dir/$1.console" | grep -av '^(XEN)' | tr -d '\r'; }

guest_run demo "$built/machines/hv-demo.machine" "${xen[@]}"
tap_equal "the demonstration ends well" 0 "$guest_status"
tap_equal "its text is the expected one" "$(cat "$PARAVANE_SRC/tests/guest/demo.expected")" "$(guest_text demo)"

guest_run again "$built/machines/hv-demo.machine" "${xen[@]}"
guest_same "a second run is the same" demo again

guest_run once "$built/machines/hv-guest.machine" "${xen[@]}" \
    --set domu.kernel="$built/domu/domu.elf" --set domu.cmdline=once --set domu.vcpus=2
tap_equal "one domain that powers off: exit status 0" 0 "$guest_status"
guest_says once "its console is the machine's" "init: process 5, 2 CPUs"

printf 'no kernel' >"$tap_dir/text"
guest_run bad "$built/machines/hv-guest.machine" "${xen[@]}" --set domu.kernel="$tap_dir/text"
tap_equal "what is no kernel: exit status 1" 1 "$guest_status"
guest_says bad "and a line that says why" "create: guest: it is not a little-endian ELF64 file"

tap_done

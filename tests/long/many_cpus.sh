#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen and Linux boot on four and on eight CPUs and run a load on each.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs_real
demo='module.dom0.cmdline=console=hvc0 loglevel=8 paravane.demo'

for cpus in 4 8; do
    guest_run "cpus$cpus" "$machines/xen-linux-smp.machine" --set "machine.cpus=$cpus" --set "$demo"
    tap_equal "a machine with $cpus CPUs ends well" 0 "$guest_status"
    guest_says "cpus$cpus" "Linux brings up $cpus CPUs" "Brought up 1 node, $cpus CPUs"
    guest_says "cpus$cpus" "a load runs on the last of $cpus" "load $((cpus - 1)) on CPU $((cpus - 1)):"
done
tap_done

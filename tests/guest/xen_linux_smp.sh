#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Xen and Linux run a load on each of two CPUs, the same way every time.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs_real
demo='module.dom0.cmdline=console=hvc0 loglevel=8 paravane.demo'

guest_run one "$machines/xen-linux-smp.machine" --set "$demo"
tap_equal "xen-linux-smp ends well" 0 "$guest_status"
tap_equal "xen-linux-smp ends by ACPI power-off" power-off "$(guest_value one stop_reason)"
guest_says one "Xen brings up two CPUs" "Brought up 2 CPUs"
guest_says one "Linux brings up two CPUs" "Brought up 1 node, 2 CPUs"
guest_says one "a load runs on CPU 0" "load 0 on CPU 0: 07854d2fef297a06"
guest_says one "a load runs on CPU 1" "load 1 on CPU 1: 07854d2fef297a06"

guest_run two "$machines/xen-linux-smp.machine" --set "$demo"
guest_same "a second run is the same" one two
tap_check "its console is the same, byte for byte" cmp "$tap_dir/one.console" "$tap_dir/two.console"

tap_done

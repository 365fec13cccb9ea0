#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Xen and Linux boot, work and power off, with one and with two CPUs, and
# do the same when run again with another environment on a busy host.
. "${PARAVANE_SRC:-.}/tests/tap.sh"
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs_real
demo='module.dom0.cmdline=console=hvc0 loglevel=8 paravane.demo'

guest_run one "$machines/xen-linux.machine" --set "$demo"
tap_equal "xen-linux ends well" 0 "$guest_status"
tap_equal "xen-linux ends by ACPI power-off" power-off "$(guest_value one stop_reason)"
guest_says one "Xen starts" "Xen version 4.17"
guest_says one "Xen builds a PV dom0" "*** Building a PV Dom0 ***"
guest_says one "Linux finds itself on Xen" "Hypervisor detected: Xen PV"
guest_says one "Linux brings up one CPU" "Brought up 1 node, 1 CPU"
guest_says one "Linux starts /init" "Run /init as init process"
guest_says one "dom0 is ready" "paravane: dom0 ready"
guest_says one "uname names Debian's kernel" "Linux (none) 6.1.0-"
guest_says one "Xen tells its capabilities" "xen-3.0-x86_64"
guest_says one "processes, pipes and sha256sum work" \
    "1b09989718a55ea296dcc6dff8bcbb0d2bfcf40cd9228776bef3479651151551  -"
guest_says one "sleep returns" "paravane: demo done"

# The same again: other environment, other address layout, a busy host.
(while :; do :; done) &
busy=$!
guest_run again "$machines/xen-linux.machine" --set "$demo"
kill "$busy"
wait "$busy" 2>/dev/null
guest_same "a second run on a busy host is the same" one again
(
    for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p' | grep -v '^PARAVANE\|^PATH$'); do
        unset "$name"
    done
    export PAD="$(printf '%4000s' x)"
    guest_run env "$machines/xen-linux.machine" --set "$demo"
)
guest_same "a third run with another environment is the same" one env
tap_check "the consoles are the same" cmp "$tap_dir/one.console" "$tap_dir/env.console"

guest_run two "$machines/xen-linux-smp.machine" --set "$demo"
tap_equal "xen-linux-smp ends well" 0 "$guest_status"
guest_says two "Linux brings up two CPUs" "Brought up 1 node, 2 CPUs"
guest_says two "a load runs on CPU 0" "load 0 on CPU 0: 07854d2fef297a06"
guest_says two "a load runs on CPU 1" "load 1 on CPU 1: 07854d2fef297a06"
guest_run two_again "$machines/xen-linux-smp.machine" --set "$demo"
guest_same "a second run with two CPUs is the same" two two_again

tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Xen and Linux boot, work and power off, and do the same when run again
# with another environment and address layout on a busy host.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs_real
demo='module.dom0.cmdline=console=hvc0 loglevel=8 paravane.demo'

guest_run one "$machines/xen-linux.machine" --set "$demo"
tap_equal "xen-linux ends well" 0 "$guest_status"
tap_equal "xen-linux ends by ACPI power-off" power-off "$(guest_value one stop_reason)"
guest_says one "Xen starts" "Xen version 4.17"
guest_says one "Xen builds a PV dom0" "Dom0 kernel: 64-bit"
guest_says one "Linux finds itself on Xen" "Hypervisor detected: Xen PV"
guest_says one "Linux brings up one CPU" "Brought up 1 node, 1 CPU"
guest_says one "Linux starts /init" "Run /init as init process"
guest_says one "dom0 is ready" "paravane: dom0 ready"
guest_says one "uname names Debian's kernel" "Linux (none) 6.1.0-"
guest_says one "Xen tells its capabilities" "xen-3.0-x86_64"
guest_says one "processes, pipes and sha256sum work" \
    "1b09989718a55ea296dcc6dff8bcbb0d2bfcf40cd9228776bef3479651151551  -"
guest_says one "sleep returns" "paravane: demo done"

(while :; do :; done) &
busy=$!
(
    for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p' | grep -v '^PARAVANE\|^PATH$'); do
        unset "$name"
    done
    export PADDING="$(printf '%4000s' x)"
    guest_run two "$machines/xen-linux.machine" --set "$demo"
)
kill "$busy"
wait "$busy" 2>/dev/null
guest_same "a second run, on a busy host in another environment, is the same" one two
tap_check "its console is the same, byte for byte" cmp "$tap_dir/one.console" "$tap_dir/two.console"

tap_done

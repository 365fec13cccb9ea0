#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `paravane run --verify 3` of both machines with Linux.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs_real

for machine in xen-linux xen-linux-smp; do
    tap_check "three runs of $machine are the same" "$PARAVANE" run --verify 3 --quiet \
        --console-script "$machines/demo.console" "$machines/$machine.machine"
done
tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's Xen and Linux, with a session typed into dom0's shell: stopping at 1,000 random
# instructions and going on changes nothing, with one CPU and with two; and three runs under
# other circumstances are the same.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs_real

for machine in xen-linux xen-linux-smp; do
    session=("$machines/$machine.machine" --console-script "$machines/demo.console")
    guest_run "$machine" "${session[@]}"
    tap_equal "$machine: the session is met and ends by power-off" "0 power-off" \
        "$guest_status $(guest_value "$machine" stop_reason)"
    insns=$(guest_value "$machine" insns)
    guest_run paused "${session[@]}" --quiet --pause-random "1000:${SEED:-1}:$insns"
    small_same "$machine: 1,000 stops (seed ${SEED:-1}) change nothing" "$machine" paused
    tap_check "$machine: --verify 3 finds all runs identical" \
        "$PARAVANE" run "${session[@]}" --quiet --verify 3
done
tap_done

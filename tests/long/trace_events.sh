#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Events of whole boots on one and on several CPUs are true, and tracing changes nothing.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/traces/events.sh"
trace_needs

for name in xen-linux xen-linux-smp; do
    machine=("$machines/$name.machine" --console-script "$machines/demo.console")
    guest_run "$name" "${machine[@]}"
    for profile in "$xen_profile" none; do
        what="$name, profile $(basename "$profile")"
        trace_check "$name" "${machine[@]}" --profile "$profile"
        trace_good "$name" "$what"
        trace_same "$name" "$what"
    done
done
for elf in "$PARAVANE_BUILD"/guests/conform/*.elf; do
    [ -e "$elf" ] || continue
    name=$(basename "$elf" .elf)
    trace_check "$name" "$machines/xen-guest.machine" --set "module.dom0.path=$elf" \
        --profile "$xen_profile"
    trace_good "$name" "$name"
done
tap_done

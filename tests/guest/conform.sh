#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The conformance guests: all of them on the project's hypervisor, a few on Debian's Xen beside
# it.  tests/long/conform.sh runs all on both, in both roles.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
suite=$PARAVANE_SRC/tests/guest/conform-suite

# run CLAIM ARGUMENT... - one run of the suite is one claim; what it prints is the diagnostic.
run() {
    local claim=$1
    shift
    tap_check "$claim" bash "$suite" --build "$PARAVANE_BUILD" "$@"
}

guest_needs "$PARAVANE_BUILD/guests/conform/sched.elf"
if [ -e "$PARAVANE_BUILD/hv/hv.elf" ]; then
    run "hv answers every guest as Xen does, or as explained" --on hv
    run "the same for a domain that domain 0 builds" --on hv --as domu
fi
if [ -e "$PARAVANE_SRC/guests/real/xen.gz" ]; then
    run "on Xen the hypotheses hold: a domain 0" --on xen \
        boot-state bounce crash-bad-stack evtchn-ports grant-map hypercalls pin pt-l1
    run "on Xen the hypotheses hold: another domain" --on xen --as domu boot-state grant-copy ptwr
fi
[ "$tap_count" -gt 0 ] || tap_skip_all "neither hv nor Debian's Xen is there"
tap_done

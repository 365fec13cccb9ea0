#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The CPU conformance kernels of guests/bare, each case a claim.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs "$machines/bare.machine"
# The suite reads what its own make says; options of an outer make would add to that.
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$PARAVANE_BUILD/guests/bare"
bash "$PARAVANE_SRC/tests/guest/cpu-suite" --paravane "$PARAVANE" --build "$PARAVANE_BUILD/guests/bare"
# Status 1 says that a case failed; its line has said so already.
status=$?
[ "$status" -le 1 ] && exit 0
exit "$status"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every conformance guest on hv and on Debian's Xen, as domain 0 and as another domain.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs "$PARAVANE_BUILD/guests/conform/sched.elf" "$PARAVANE_SRC/guests/real/xen.gz"
on=both
[ -e "$PARAVANE_BUILD/hv/hv.elf" ] || on=xen
for role in dom0 domu; do
    tap_check "the verdicts agree: $role" bash "$PARAVANE_SRC/tests/guest/conform-suite" \
        --build "$PARAVANE_BUILD" --on $on --as $role
done
tap_done

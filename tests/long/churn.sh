#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Eight domains with two vCPUs each are created, work, change their size and are destroyed, 100 times
# over; afterwards frames, event channels, grants and the store are as they were.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD/guests
guest_needs "$PARAVANE_BUILD/hv/hv.elf" "$built/dom0/dom0.elf" "$built/domu/domu.elf"
scripts=$PARAVANE_SRC/tests/guest/scripts

guest_run churn "$built/machines/hv-demo.machine" --set module.dom0.cmdline=script=many \
    --set archive.initrd.churn="$scripts/churn" --set archive.initrd.many="$scripts/churn-many"
tap_equal "800 domains come and go, and dom0 stays responsive" 0 "$guest_status"
guest_says churn "nothing is left behind" "as they were"
tap_equal "none of them found anything wrong" "" "$(grep -aE ' wrong|panic|exception' "$tap_dir/churn.console" | grep -av ' 0 wrong')"

tap_done

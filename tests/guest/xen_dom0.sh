#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The project's own domain 0 on Debian's Xen: it starts domains there by the same calls as on the
# project's hypervisor, serves them, and ends.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/dom0.sh"
real=$PARAVANE_SRC/guests/real
guest_needs "$real/xen.gz" "$built/dom0/dom0.elf" "$built/domu/domu.elf"

# Xen in the place of the machine's hypervisor.
dom0_suite --set boot.kernel="$real/xen.gz" --set timing.port-cycles=1000 \
    --set machine.on-halt=good \
    --set 'boot.cmdline=console=com1 com1=115200,8n1 no-real-mode dom0_mem=64M'

tap_done

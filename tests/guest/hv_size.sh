#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The hypervisor's code and constants, drivers aside, are at most 64 KiB.
. "$(dirname "$0")/../tap.sh"
limit=65536
sum=$(size -A "$PARAVANE_BUILD/hv/hv.elf" | awk '$1 == ".head" || $1 == ".text" || $1 == ".rodata" { n += $2 } END { print n + 0 }')
drivers=$(size "$PARAVANE_BUILD/hv/uart.hv.o" "$PARAVANE_BUILD/hv/apic.hv.o" | awk 'NR > 1 { n += $1 } END { print n + 0 }')
size_bytes=$((sum - drivers))
if [ "$sum" -gt "$drivers" ] && [ "$size_bytes" -le "$limit" ]; then verdict=0; else verdict=1; fi
tap_check "code and constants without drivers take at most $limit bytes ($size_bytes)" test "$verdict" -eq 0
tap_done

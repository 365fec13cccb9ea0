#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A timer interrupt at the instructions of hypercalls, which brings an attack on what the call works with,
# by another vCPU or in the event upcall: the answers are right, nothing is lost, all counts are right.
# guests/hostile/window.c tells how. WINDOW_OPTIONS=... for the guest: budget=0 takes each instruction.
# WINDOW_LIMIT=... is when a machine that hangs is stopped, in virtual time.
# Few frames are free, so that one that is given back is soon another one's, and whoever still uses it shows.
. "${PARAVANE_SRC:-.}/tests/tap.sh"
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD
guest_needs "$built/hv/hv-audit.elf" "$built/guests/dom0/dom0.elf" "$built/guests/hostile/window.elf"
options=${WINDOW_OPTIONS:-budget=100}
machine=("$built/guests/machines/hv-guest.machine" --set boot.kernel="$built/hv/hv-audit.elf" --set machine.memory=96M
    --set domu.memory=8M --set domu.vcpus=3 --set domu.kernel="$built/guests/hostile/window.elf" --set domu.cmdline="$options")
needed=2240 # frames, by the guest and what the hypervisor has for it, and a few more

guest_run size "${machine[@]}" --set boot.cmdline=dom0_mem=40M --until 'console=frames of'
free=$(sed -n 's/^(HV) \([0-9]*\) frames of.*/\1/p' "$tap_dir/size.console")
guest_run window "${machine[@]}" --set boot.cmdline="dom0_mem=$((40 * 1024 + (${free:-0} - needed) * 4))K" \
    --until "vtime=${WINDOW_LIMIT:-20s}"
tap_equal "the guest comes to its end, and the hypervisor with it" "0 exit-port" "$guest_status $(guest_value window stop_reason)"
tr -d '\r' <"$tap_dir/window.console" >"$tap_dir/text"
while IFS='|' read -r _ name verdict detail what; do
    tap_result "$([ "$verdict" = Success ]; echo $?)" "${name#window/}: $what" "$detail"
done < <(grep -a '^case|' "$tap_dir/text")
tap_check "each window was walked through in both ways" \
    test "$(grep -ac '^window|' "$tap_dir/text")" -eq $((2 * $(grep -c '^    {"[a-z_0-9]*", "' "$PARAVANE_SRC/guests/hostile/window_calls.c")))
# An interrupt that does not come in the midst proves nothing.
read -r positions inside < <(sed -n 's/^windows: \([0-9]*\) positions, the attack came inside \([0-9]*\) of them, audited$/\1 \2/p' "$tap_dir/text")
tap_check "at least 3000 positions (${positions:-0}), most of them inside (${inside:-0})" \
    test "${positions:-0}" -ge 3000 -a "${inside:-0}" -gt $((${positions:-0} / 2))
tap_equal "the recounts find nothing" "" "$(grep -aE 'PANIC|audit:' "$tap_dir/text")"
tap_done

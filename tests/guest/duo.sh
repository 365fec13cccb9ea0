#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attacks that take two domains (guests/hostile/duo.c): one uses another while that is destroyed, at many
# different moments of it; and one that lets the hypervisor write to an address where another has a page.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD
guest_needs "$built/hv/hv-audit.elf" "$built/guests/dom0/dom0.elf" "$built/guests/hostile/duo.elf"
# What each mapper is told: how long it sleeps between its turns, in ns; at which turn all references are
# recounted, or all is given up.  At about the 145th the hypervisor is at the very frames that are given up.
pairs=("period=3000 recount=20" "period=3000 lose" "period=4000 recount=7" "period=6000 lose"
    "period=9000 recount=30" "period=15000 lose")
for turn in $(seq 110 7 180); do pairs+=("period=3000 all=$turn"); done

{
    echo "create warm kernel=duoguest mem=4M cmdline=none; wait warm 10; audit mark" # domain 1
    n=2
    for pair in "${pairs[@]}"; do
        echo "create granter kernel=duoguest mem=8M cmdline=\"granter peer=$((n + 1))\""
        echo "until granter data/state ready 5"
        echo "create mapper kernel=duoguest mem=8M cmdline=\"mapper peer=$n $pair\""
        echo "until mapper data/state worked 5; until granter data/state worked 5"
        # While domain 0 works for another the mapper sleeps, and so has the right to interrupt it then.
        echo "create other kernel=duoguest mem=8M paused"
        echo "store write mapper:data/die now; sleep 1; destroy granter; store write mapper:data/gone yes"
        echo "wait mapper 5; destroy other; audit check 64"
        n=$((n + 3))
    done
    echo "create watcher kernel=duoguest mem=4M cmdline=\"watcher peer=$((n + 1))\"; until watcher data/state ready 5"
    echo "create toucher kernel=duoguest mem=4M cmdline=\"toucher peer=$n\"; wait watcher 5; wait toucher 5; audit check 64"
    echo poweroff
} >"$tap_dir/script"
# Whoever hangs, be it the hypervisor, is stopped in virtual time.
guest_run duo "$built/guests/machines/hv-demo.machine" --set boot.kernel="$built/hv/hv-audit.elf" \
    --set machine.memory=128M --set boot.cmdline=dom0_mem=40M --set module.dom0.cmdline=script=duo \
    --set archive.initrd.duo="$tap_dir/script" --set archive.initrd.duoguest="$built/guests/hostile/duo.elf" \
    --until vtime=20s
tr -d '\r' <"$tap_dir/duo.console" | sed 's/^[a-z]*: //' >"$tap_dir/text"
tap_equal "the machine ends by itself and well, and the books of domain 0 are right" "0 exit-port" \
    "$guest_status $(guest_value duo stop_reason)"
n=0
while IFS='|' read -r _ name verdict detail what; do
    tap_result "$([ "$verdict" = Success ]; echo $?)" "$((n += 1)). ${name#duo/}: $what" "$detail"
done < <(grep -a '^case|' "$tap_dir/text")
tap_equal "each pair came to its end" "$((${#pairs[@]} + 2))" "$(grep -ac '^end|duo|1|1|0|0|0' "$tap_dir/text")"
# A destruction that nobody could interrupt proves nothing.
turns=$(sed -n 's/^duo: \([0-9]*\) turns while it died/\1/p' "$tap_dir/text" | tr '\n' ' ')
tap_check "turns came in the midst of each destruction ($turns)" \
    awk -v turns="$turns" 'BEGIN { n = split(turns, t, " "); for (i = 1; i <= n; i++) if (t[i] < 5) exit 1; exit n < '"${#pairs[@]}"' }'
tap_equal "nothing to complain about" "" "$(grep -aE 'PANIC|\(HV\) audit:|^audit: .*(were|wrong) [0-9]' "$tap_dir/text")"
tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Attacks that take two domains (guests/hostile/duo.c): one uses another while that is destroyed, at many
# different moments of it; and one that lets the hypervisor write to an address where another has a page.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
built=$PARAVANE_BUILD
guest_needs "$built/hv/hv-audit.elf" "$built/guests/dom0/dom0.elf" "$built/guests/hostile/duo.elf"
periods="7000 11000 19000 31000 53000 120000"

{
    echo "create warm kernel=duoguest mem=4M cmdline=none; wait warm 10; audit mark" # domain 1
    n=2
    for period in $periods; do
        echo "create granter kernel=duoguest mem=8M cmdline=\"granter peer=$((n + 1))\""
        echo "create mapper kernel=duoguest mem=8M cmdline=\"mapper peer=$n period=$period $([ $((n % 4)) = 2 ] || echo lose)\""
        echo "until mapper data/state worked 20; until granter data/state worked 20"
        echo "destroy granter; wait mapper 60; audit check 64"
        n=$((n + 2))
    done
    echo "create watcher kernel=duoguest mem=4M cmdline=watcher; until watcher data/state worked 20"
    echo "create toucher kernel=duoguest mem=4M cmdline=toucher; wait watcher 60; wait toucher 60; audit check 64"
    echo poweroff
} >"$tap_dir/script"
guest_run duo "$built/guests/machines/hv-demo.machine" --set boot.kernel="$built/hv/hv-audit.elf" \
    --set machine.memory=128M --set boot.cmdline=dom0_mem=40M --set module.dom0.cmdline=script=duo \
    --set archive.initrd.duo="$tap_dir/script" --set archive.initrd.duoguest="$built/guests/hostile/duo.elf"
tr -d '\r' <"$tap_dir/duo.console" | sed 's/^[a-z]*: //' >"$tap_dir/text"
tap_equal "the machine ends well, and the books of domain 0 are right" 0 "$guest_status"
n=0
while IFS='|' read -r _ name verdict detail what; do
    tap_result "$([ "$verdict" = Success ]; echo $?)" "$((n += 1)). ${name#duo/}: $what" "$detail"
done < <(grep -a '^case|' "$tap_dir/text")
tap_equal "each pair came to its end" "$(($(wc -w <<<"$periods") + 1))" "$(grep -ac '^end|duo|1|1|0|0|0' "$tap_dir/text")"
tap_check "the areas were there" grep -q '^touched' "$tap_dir/text"
# Turns after the end of the destruction are none in its midst: the pair that wakes often has many of them.
tap_check "turns came in the midst of destructions" grep -qE '^duo: [1-9][0-9]* turns while it died' "$tap_dir/text"
tap_equal "nothing to complain about" "" "$(grep -aE 'PANIC|\(HV\) audit:|^audit: .*(were|wrong) [0-9]' "$tap_dir/text")"
tap_done

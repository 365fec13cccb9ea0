#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The boot of Xen and Linux with all kinds of events, exported: three readers that are not ours
# count the same events of each kind.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/traces/counts.sh"
machines=$PARAVANE_SRC/guests/machines
[ -e "$PARAVANE_SRC/guests/real/xen.gz" ] || tap_skip_all "no real guests: run tools/fetch-guests"
for reader in jq babeltrace2; do
    command -v $reader >/dev/null 2>&1 || tap_skip_all "no $reader"
done

file=$tap_dir/boot.pvt
tap_check "the boot is recorded" "$PARAVANE" record "$machines/xen-linux.machine" -o "$file" \
    --events all --quiet --console-script "$machines/demo.console"
counts_dump "$file" >"$tap_dir/counts"
tap_check "what is decoded of requests is what memory held" \
    bash -c 'set -o pipefail; "$1" trace export "$2" --format json -o - \
        --hypercall mmu_update,mmuext_op,grant_table_op | "$3" 10 >"$4"' - \
    "$PARAVANE" "$file" "$PARAVANE_SRC/tests/traces/decoded-check" "$tap_dir/decoded"
tap_check "these are more than 10,000" \
    awk '{ sum += $2 } END { print sum; exit !(sum > 10000) }' "$tap_dir/decoded"
for format in json perfetto ctf; do
    "$PARAVANE" trace export "$file" --format $format -o "$tap_dir/$format" 2>/dev/null
    case $format in
    json) counts_json "$tap_dir/json" ;;
    perfetto) "$PARAVANE_SRC/tests/traces/perfetto-walk" "$tap_dir/perfetto" ;;
    ctf) counts_ctf "$tap_dir/ctf" 2>"$tap_dir/warnings" ;;
    esac >"$tap_dir/counts.$format"
    rm -rf "${tap_dir:?}/$format"
    tap_check "$format holds the events that dump shows" diff "$tap_dir/counts" "$tap_dir/counts.$format"
done
tap_empty "babeltrace2 has nothing to say" "$(cat "$tap_dir/warnings")"
tap_equal "and these are all" "$("$PARAVANE" trace info --json "$file" | jq .events)" \
    "$(awk '{ sum += $2 } END { print sum }' "$tap_dir/counts")"
tap_done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every truncation of a small trace replays as a prefix, and every changed byte (three values) is
# found or harmless.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs
small_guest EXIT 0
trace=$tap_dir/t.trace
"$PARAVANE" record "$machines/bare.machine" --set "boot.kernel=$tap_dir/EXIT.elf" -o "$trace" \
    --quiet --events port,console 2>/dev/null
size=$(stat -c %s "$trace")

# try CLAIM - replay $tap_dir/x.trace; its status must be 0 or 2, its console a beginning of the
# guest's, a message must be there with 2.
try() {
    timeout 20 "$PARAVANE" replay "$tap_dir/x.trace" >"$tap_dir/x.out" 2>"$tap_dir/x.messages"
    local status=$?
    case $status in
    0) zeros=$((zeros + 1)) ;;
    2) grep -q '^paravane: ' "$tap_dir/x.messages" || bad="$bad$1: status 2 without a message"$'\n' ;;
    *) bad="$bad$1: status $status: $(head -n 2 "$tap_dir/x.messages")"$'\n' ;;
    esac
    cmp -s -n "$(stat -c %s "$tap_dir/x.out")" "$tap_dir/x.out" "$tap_dir/whole" ||
        bad="$bad$1: the console differs"$'\n'
}
"$PARAVANE" replay "$trace" >"$tap_dir/whole" 2>/dev/null

bad= zeros=0
for ((n = 0; n < size; n++)); do
    head -c "$n" "$trace" >"$tap_dir/x.trace"
    try "$n bytes"
done
tap_empty "each of $size truncations is a prefix or an error ($zeros replay)" "$bad"

bad= zeros=0
for ((n = 0; n < size; n++)); do
    byte=$(od -An -tu1 -j "$n" -N 1 "$trace")
    for flip in 1 128 255; do
        cp "$trace" "$tap_dir/x.trace"
        printf "\\x$(printf %x $((byte ^ flip)))" | dd of="$tap_dir/x.trace" bs=1 seek="$n" conv=notrunc status=none
        try "byte $n ^ $flip"
    done
done
tap_empty "each of $((3 * size)) changed bytes is found or harmless ($zeros replay)" "$bad"
tap_done

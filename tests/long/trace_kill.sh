#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A recording that is killed at any moment, or runs out of disk, replays as far as it was written.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs
small_guest SPIN
bare="$machines/bare.machine --set boot.kernel=$tap_dir/SPIN.elf"
RANDOM=4711

killed=0 cut=0 bad=
for i in $(seq 50); do
    rm -f "$tap_dir/k.trace"
    "$PARAVANE" record $bare -o "$tap_dir/k.trace" --quiet --checkpoint-every 20M --events all 2>/dev/null &
    pid=$!
    # The moment is chosen by what has been written, up to 20 MB: hosts are slower and faster.
    moment=$((RANDOM * 600 + 1))
    while kill -0 "$pid" && [ "$(stat -c %s "$tap_dir/k.trace" 2>/dev/null || echo 0)" -lt "$moment" ]; do
        sleep "0.0$((RANDOM % 3 + 1))"
    done
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    killed=$((killed + 1))
    "$PARAVANE" replay "$tap_dir/k.trace" --quiet >/dev/null 2>"$tap_dir/k.messages"
    status=$?
    case $status in
    0) cut=$((cut + $(grep -c 'cut off' "$tap_dir/k.messages"))) ;;
    2) grep -q 'cut off' "$tap_dir/k.messages" || bad="$bad$i: $(cat "$tap_dir/k.messages")"$'\n' ;;
    *) bad="$bad$i: status $status: $(cat "$tap_dir/k.messages")"$'\n' ;;
    esac
done
tap_equal "50 recordings were killed" 50 "$killed"
tap_empty "each replays as far as it goes, or says that nothing is there" "$bad"
tap_result "$((cut < 40))" "most of them had something to replay" "$cut of 50"

# --- a full disk: a small file system of our own, where we may make one
full() {
    mount -t tmpfs -o size=2m none "$tap_dir/disk" 2>/dev/null || exit 77
    "$PARAVANE" record $bare -o "$tap_dir/disk/f.trace" --quiet --checkpoint-every 10M --until insns=500M \
        2>"$tap_dir/f.messages"
    echo $? >"$tap_dir/f.status"
    "$PARAVANE" replay "$tap_dir/disk/f.trace" --quiet 2>"$tap_dir/f.replay"
    echo $? >"$tap_dir/f.replayed"
}
mkdir "$tap_dir/disk"
export -f full
export tap_dir bare
unshare -rm bash -c full
if [ $? -eq 77 ]; then
    tap_skip "a full disk" "cannot mount a file system"
else
    tap_equal "a full disk ends the recording with an error" 2 "$(cat "$tap_dir/f.status")"
    tap_result "$((!$(grep -c 'No space left' "$tap_dir/f.messages")))" "... that says so" \
        "$(cat "$tap_dir/f.messages")"
    tap_equal "... and what was written replays" 0 "$(cat "$tap_dir/f.replayed")"
fi
tap_done

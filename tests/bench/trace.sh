#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# trace.sh - what recording and replaying cost: power-on to `Run /init` of Debian's Xen and Linux, plain,
# recorded and replayed, all in one run and alternating, QEMU's record/replay beside.  Prints markdown
# tables: medians of wall and of CPU time, and how large the recordings are.
#
#     tests/bench/trace.sh [REPEATS] [POINTS]
#
# REPEATS: 3; POINTS: random places that `replay --until` goes to, 20 (0: none).
set -eu
src=${PARAVANE_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
paravane=${PARAVANE:-${PARAVANE_BUILD:-$src}/paravane}
repeats=${1:-3}
points=${2:-20}
real=$src/guests/real
machine=$src/guests/machines/xen-linux.machine
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -e "$real/vmlinuz" ] || { echo "trace.sh: no guests (tools/fetch-guests)" >&2; exit 2; }
until='console=Run /init'
TIMEFORMAT='%R %U %S'

# measure NAME COMMAND... - append wall and CPU seconds to $work/NAME.
measure() {
    local name=$1
    shift
    { time "$@" >/dev/null 2>&1 </dev/null || true; } 2>"$work/time"
    awk '{ print $1, $2 + $3 }' "$work/time" >>"$work/$name"
}
# qemu ICOUNT - until the console says `Run /init`.
qemu() {
    local pid
    mkfifo "$work/console"
    qemu-system-x86_64 -machine pc -cpu Haswell,-smap,-smep -m 768 -display none -net none \
        -serial stdio -no-reboot -accel tcg -icount "shift=0$1" -kernel "$work/xen" \
        -append "xen console=com1 com1=115200,8n1 no-real-mode noreboot dom0_mem=384M" \
        -initrd "$real/vmlinuz console=hvc0 loglevel=8,$real/initramfs.cpio.gz" >"$work/console" 2>/dev/null &
    pid=$!
    grep -aqm1 'Run /init' <"$work/console" || true
    kill "$pid" 2>/dev/null || true # in order: its recording has an end then
    wait "$pid" 2>/dev/null || true
    rm -f "$work/console"
}
record() {
    measure "$1" "$paravane" record "$machine" --quiet --until "$until" -o "$work/$1.trace" "${@:3}"
    measure "$2" "$paravane" replay "$work/$1.trace" --quiet
}

peers=
command -v qemu-system-x86_64 >/dev/null && peers=yes && gunzip -c "$real/xen.gz" >"$work/xen"
for ((i = 0; i < repeats; i++)); do
    measure plain "$paravane" run "$machine" --quiet --until "$until"
    record log log-replay --events none --checkpoint-every 0
    record events events-replay --events hypercall,validation,grant --checkpoint-every 0
    record default default-replay
    if [ "$peers" ]; then
        measure qemu qemu ''
        measure qemu-record qemu ",rr=record,rrfile=$work/qemu.rr"
        measure qemu-replay qemu ",rr=replay,rrfile=$work/qemu.rr"
    fi
    [ -t 2 ] && echo "round $((i + 1)) of $repeats" >&2
done

# median NAME COLUMN
median() { awk -v c="$2" '{ print $c }' "$work/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# row TITLE NAME BASE
row() {
    [ -e "$work/$2" ] || return 0
    echo "$(median "$2" 1) $(median "$2" 2) $(median "$3" 1) $(median "$3" 2)" |
        awk -v t="$1" -v b="$3" '{ printf "| %s | %.2f | %.2f | %.2f | %.2f | %s |\n", t, $1, $2, $1 / $3, $2 / $4, b }'
}
echo "| power-on to \`Run /init\` | wall s | CPU s | wall, ratio | CPU, ratio | of |"
echo "|---|---|---|---|---|---|"
row "run" plain plain
row "record, inputs and hash chain" log plain
row "replay of that" log-replay log
row "record, with hypercall, validation and grant events" events plain
row "replay of that" events-replay events
row "record, as without options (more events, checkpoints)" default plain
row "replay of that" default-replay default
row "QEMU -icount shift=0" qemu plain
row "QEMU, rr=record" qemu-record qemu
row "QEMU, rr=replay" qemu-replay qemu-record
echo
for name in log events default; do
    echo "### $name"
    "$paravane" trace info "$work/$name.trace" | grep -E '^(size|log|events|checkpoints)' | sed 's/;* kinds.*//; s/^/    /'
done
if [ -e "$work/qemu.rr" ]; then
    echo "QEMU's log: $(stat -c %s "$work/qemu.rr") bytes"
fi

[ "$points" -gt 0 ] || exit 0
insns=$("$paravane" trace info --json "$work/default.trace" 2>/dev/null | sed -n 's/.*"insns" *: *\([0-9]*\).*/\1/p' | head -n 1)
RANDOM=1
for ((i = 0; i < points; i++)); do
    at=$(((RANDOM * 32768 + RANDOM) * 16 % ${insns:-6000000000}))
    measure until "$paravane" replay "$work/default.trace" --quiet --until "insns=$at"
done
echo "replay --until, $points random places: median $(median until 1) s wall, $(median until 2) s CPU;" \
    "longest $(awk '{ print $1 }' "$work/until" | sort -n | tail -n 1) s wall," \
    "$(awk '{ print $2 }' "$work/until" | sort -n | tail -n 1) s CPU"

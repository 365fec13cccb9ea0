#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh - power-on to `Run /init` of Debian's Xen and Linux: Paravane beside QEMU, same images,
# same run, alternating.  Prints a markdown table of medians.
#
#     tests/bench/boot.sh [REPEATS]         (default 3; needs tools/setup --peers, tools/fetch-guests)
set -eu
src=${PARAVANE_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
paravane=${PARAVANE:-${PARAVANE_BUILD:-$src}/paravane}
repeats=${1:-3}
real=$src/guests/real
machine=$src/guests/machines/xen-linux.machine
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v qemu-system-x86_64 >/dev/null || { echo "boot.sh: no QEMU (tools/setup --peers)" >&2; exit 2; }
[ -e "$real/vmlinuz" ] || { echo "boot.sh: no guests (tools/fetch-guests)" >&2; exit 2; }
gunzip -c "$real/xen.gz" >"$work/xen"

# seconds COMMAND...: until the console says `Run /init`, then the command is ended.
seconds() {
	local start end pid
	mkfifo "$work/console"
	start=$(date +%s.%N)
	"$@" >"$work/console" 2>/dev/null </dev/null &
	pid=$!
	grep -aqm1 'Run /init' <"$work/console" || true
	end=$(date +%s.%N)
	kill -9 "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	rm -f "$work/console"
	echo "$end $start" | awk '{ printf "%.2f\n", $1 - $2 }'
}
qemu() {
	seconds qemu-system-x86_64 -machine pc -cpu Haswell,-smap,-smep -m 768 -display none \
		-serial stdio -no-reboot -accel tcg "$@" -kernel "$work/xen" \
		-append "xen console=com1 com1=115200,8n1 no-real-mode noreboot dom0_mem=384M" \
		-initrd "$real/vmlinuz console=hvc0 loglevel=8,$real/initramfs.cpio.gz"
}
paravane() {
	seconds "$paravane" run "$machine" "$@"
}

names=('Paravane' 'Paravane, RDTSC costs 60 cycles' 'QEMU -icount shift=0' 'QEMU')
for ((i = 0; i < repeats; i++)); do
	paravane >>"$work/0"
	paravane --set timing.rdtsc-cycles=60 >>"$work/1"
	qemu -icount shift=0 >>"$work/2"
	qemu >>"$work/3"
	[ -t 2 ] && echo "round $((i + 1)) of $repeats" >&2
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
base=$(median "$work/2")
echo "| power-on to \`Run /init\` | median s | lowest | highest | of QEMU -icount |"
echo "|---|---|---|---|---|"
for k in 0 1 2 3; do
	m=$(median "$work/$k")
	printf '| %s | %s | %s | %s | %s |\n' "${names[$k]}" "$m" "$(sort -n "$work/$k" | head -n 1)" \
		"$(sort -n "$work/$k" | tail -n 1)" "$(echo "$m $base" | awk '{ printf "%.2f", $1 / $2 }')"
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hypercalls.sh - what hypercalls cost on the project's hypervisor beside Debian's Xen: the same guests
# (guests/cost) on the same machine, in instructions, exact.  Prints a markdown table.  The rows with
# `domain` and `switch` are from one domain to another, both started by the project's domain 0.
#
#     tests/bench/hypercalls.sh        (needs a build; tools/fetch-guests for Xen's column)
#
# Exit status: 0, or 1 if an operation costs more than half of Xen's.
set -eu
src=${PARAVANE_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${PARAVANE_BUILD:-$src}
paravane=${PARAVANE:-$build/paravane}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# costs NAME KIND MACHINE OPTION...: the guests' lines, NAME LOWEST MEDIAN, added to $work/NAME
costs() {
	local name=$1 console=$work/$1.$2.console
	shift 2
	timeout 600 "$paravane" run "$@" --until vtime=60s >"$console" 2>"$console.err" </dev/null || true
	tr -d '\r' <"$console" | sed -n 's/^.*cost \([a-zA-Z0-9_-]* [0-9-]* [0-9-]*\)$/\1/p' >>"$work/$name"
	grep -q 'cost done' "$console" || {
		echo "hypercalls.sh: the guest did not end on $name:" >&2
		tail -n 5 "$console" "$console.err" >&2
		exit 2
	}
}

alone=(--set module.dom0.path="$build/guests/cost/cost.elf")
pair=("$build/guests/machines/hv-demo.machine" --set archive.initrd.demo="$src/guests/cost/pair.script"
	--set archive.initrd.pair="$build/guests/cost/pair.elf")
xen='console=com1 com1=115200,8n1 no-real-mode'

costs hv alone "$src/guests/machines/bare.machine" "${alone[@]}" --set machine.memory=256M \
	--set boot.kernel="$build/hv/hv.elf" --set boot.cmdline='dom0_mem=128M dom0_max_vcpus=2'
costs hv pair "${pair[@]}"
if [ -e "$src/guests/real/xen.gz" ]; then
	costs xen alone "$src/guests/machines/xen-guest.machine" "${alone[@]}" \
		--set boot.cmdline="$xen dom0_mem=256M dom0_max_vcpus=2"
	costs xen pair "${pair[@]}" --set boot.kernel="$src/guests/real/xen.gz" --set machine.on-halt=good \
		--set timing.port-cycles=1000 --set boot.cmdline="$xen dom0_mem=64M"
else
	echo "hypercalls.sh: no Xen to compare with (tools/fetch-guests)" >&2
	: >"$work/xen"
fi

awk '
	FILENAME ~ /xen$/ { xen[$1] = $3; next }
	FNR == 1 {
		print "| operation | instructions on hv | on Xen | ratio |"
		print "|---|---|---|---|"
	}
	{
		ratio = "-"
		if (xen[$1] > 0) {
			ratio = sprintf("%.2f", $3 / xen[$1])
			if (2 * $3 > xen[$1])
				over++
		}
		printf "| %s | %s | %s | %s |\n", $1, $3, xen[$1] == "" ? "-" : xen[$1], ratio
		hv[$1] = $3
	}
	END {
		# The crossover: the least number of calls whose batch costs less than the calls by themselves.
		for (n = 1; n <= 32; n *= 2)
			if (hv["multicall-" n] < n * hv["xen_version"]) {
				printf "\nA batch costs less than separate calls from %d calls on; a call in a batch of 32 costs %.1f instructions, a separate one %d.\n",
					n, hv["multicall-32"] / 32, hv["xen_version"]
				break
			}
		exit over > 0
	}' "$work/xen" "$work/hv"

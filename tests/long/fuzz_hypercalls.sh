#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 1,000,000 random hypercalls of four domains, and more of a reckless one, in ten seeds of HYPERCALL_CALLS
# (100000) calls.  HYPERCALL_SEEDS=FIRST:COUNT chooses others.
#
# Of a seed that fails, the console and a recording are put into HYPERCALL_KEEP (fuzz-hypercalls, beneath
# the current folder), and the command that does it again is printed.
. "${PARAVANE_SRC:-.}/tests/tap.sh"
seeds=${HYPERCALL_SEEDS:-1:10}
first=${seeds%:*} count=${seeds#*:} calls=${HYPERCALL_CALLS:-100000}
export HYPERCALL_KEEP=${HYPERCALL_KEEP:-fuzz-hypercalls}

for ((seed = first; seed < first + count; seed++)); do
    output=$(bash "$PARAVANE_SRC/tests/guest/fuzz_hypercalls.sh" "$seed" "$calls" 10000)
    grep -qa '^ok 1 - seed' <<<"$output"
    tap_result $? "$calls calls of seed $seed end well"
    grep -a '^# ' <<<"$output" | grep -av ' made '
done
tap_done

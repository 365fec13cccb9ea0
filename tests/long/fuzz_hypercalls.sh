#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 1,000,000 random hypercalls of four domains, and more of a reckless one, in ten seeds of HYPERCALL_CALLS
# (100000) calls.  HYPERCALL_SEEDS=FIRST:COUNT chooses others.  In the end all of them are added up.
#
# Of a seed that fails, the console and a recording are put into HYPERCALL_KEEP (fuzz-hypercalls, beneath
# the current folder), and the command that does it again is printed.
. "${PARAVANE_SRC:-.}/tests/tap.sh"
seeds=${HYPERCALL_SEEDS:-1:10}
first=${seeds%:*} count=${seeds#*:} calls=${HYPERCALL_CALLS:-100000}
export HYPERCALL_KEEP=${HYPERCALL_KEEP:-fuzz-hypercalls}

# add_up - of all output: who called, what was called.
add_up() {
    awk '
        / made / && $3 ~ /^[0-9]+$/ {
            made = good = 0
            for (i = 4; i <= NF; i++) {
                if ($i == "made") made = $(i - 1)
                if ($i == "good") good = $(i - 1)
            }
            name[$3] = $4 ~ /[a-z]/ ? $4 : $3 == 255 ? "(255 and more)" : "(" $3 ")"
            all_made[$3] += made; all_good[$3] += good
        }
        / made / && $3 == "others" { name[256] = "others"; all_made[256] += $4; all_good[256] += $6 }
        /^# fuzz: domain/ {
            who = $0
            sub(/^# fuzz: /, "", who); sub(/:.*/, "", who)
            rest = $0
            sub(/^.*: /, "", rest)
            split(rest, n, " ")
            calls[who] += n[1]; batched[who] += n[4]
        }
        /^# fuzz: seed/ {
            for (i = 1; i < NF; i++) {
                if ($(i + 1) == "calls,") total += $i
                if ($i == "and") inside += $(i + 1)
                if ($i == "audited") audits += $(i + 1)
            }
        }
        / begun / { for (i = 1; i < NF; i++) if ($i == "begun") begun += $(i + 1) }
        END {
            for (k = 0; k <= 256; k++)
                if (k in name)
                    printf "# all: %-30s %8d made %8d good %3d %%\n", name[k], all_made[k], all_good[k], all_good[k] * 100 / all_made[k]
            for (who in calls)
                printf "# all: %s: %d calls, and %d in multicalls\n", who, calls[who], batched[who] | "sort"
            close("sort")
            printf "# all: %d calls, and %d in multicalls, audited %d times; %d reckless domains\n", total, inside, audits, begun
        }' "$tap_dir/all"
}

for ((seed = first; seed < first + count; seed++)); do
    output=$(bash "$PARAVANE_SRC/tests/guest/fuzz_hypercalls.sh" "$seed" "$calls" 10000)
    grep -qa '^ok 1 - seed' <<<"$output"
    tap_result $? "$calls calls of seed $seed end well"
    grep -a '^# ' <<<"$output" >>"$tap_dir/all"
    grep -a '^# ' <<<"$output" | grep -av ' made '
done
add_up
tap_done

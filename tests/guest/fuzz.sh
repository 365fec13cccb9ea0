#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random guests never crash, hang or leak the simulator, and do the same every time:
# tests/fuzz/fuzz_guest.c says how.  FUZZ_SEEDS=FIRST:COUNT and FUZZ_INSNS change the amount.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
fuzz=$PARAVANE_BUILD/tests/fuzz/fuzz_guest
seeds=${FUZZ_SEEDS:-1:300}
insns=${FUZZ_INSNS:-2000}
[ -x "$fuzz" ] || tap_skip_all "the program fuzz_guest is not built"

# What "$@" prints goes to $tap_dir/NAME.
fuzz_run() {
    local name=$1
    shift
    "$@" "$fuzz" --seeds "$seeds" --points --restore --insns "$insns" --jobs "$(nproc)" >"$tap_dir/$name" 2>&1
    tap_result $? "seeds $seeds, $insns instructions each: $name" "$(tail -n 40 "$tap_dir/$name")"
}

# Seeds that once were findings, each for a reason of its own.
if [ "${FUZZ_AGAIN:-yes}" = yes ]; then
    again=
    for seed in 530 542 1062 1724 1787 1988 3856 4449 11016 11207 15622 15761 16667 19542 29870 30068 \
        34135 34461 36146 36489 41466 43919 65076 71184 81393 96304 \
        88 217 306 580 705 1000 1028 1064 2107 2280 2481 2959 3290 3546 3720 4969 5233 10012 49143; do
        "$fuzz" --seeds "$seed:1" --points --restore --insns 2000 >"$tap_dir/seed" 2>&1 || again+=$(grep finding: "$tap_dir/seed")
    done
    tap_equal "seeds that were findings are none" "" "$again"
fi
fuzz_run "no crash, no hang, no leak, the same with stops, execution points, another machine" env
if [ "${FUZZ_TWICE:-yes}" = yes ]; then
    fuzz_run "again, without address space randomization and with another environment" \
        setarch -R env "PAD=$(printf '%5000s' x)"
    tap_equal "both end in the same states" "$(tail -n 1 "$tap_dir"/no*)" "$(tail -n 1 "$tap_dir"/again*)"
fi
tap_done

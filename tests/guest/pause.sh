#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the machine does is independent of where the CPU library ends its blocks: stopping before
# any instructions and going on changes nothing, and neither does leaving out all of the
# library but its public interface.  All kernels of guests/bare, and the beginning of a boot.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
guest_needs "$machines/bare.machine"
unset MAKEFLAGS MFLAGS MAKELEVEL
build=$PARAVANE_BUILD/guests/bare
mkdir -p "$build"
make -s -C "$PARAVANE_SRC/guests/bare" O="$build" >&2 || {
    tap_result 1 "the kernels build"
    tap_done
    exit
}

more_facts= # not where code writes itself: blocks
# facts NAME - what must be equal.
facts() {
    local key
    for key in insns virtual_ns state_hash console_hash stop_reason $more_facts; do
        echo -n "$key $(guest_value "$1" $key) "
    done
}

# pauses NAME WHAT COUNT MACHINE ARGUMENT... - run plain, with COUNT stops, and portable.
pauses() {
    local name=$1 what=$2 count=$3 insns
    shift 3
    guest_run "$name" "$@" --quiet
    insns=$(guest_value "$name" insns)
    guest_run "$name-paused" "$@" --quiet --pause-random "$count:${SEED:-1}:${insns:-1}"
    tap_equal "$what: $count stops (seed ${SEED:-1}) change nothing" "$(facts "$name")" \
        "$(facts "$name-paused")"
    guest_run "$name-portable" "$@" --quiet --portable
    tap_equal "$what: the same through the public interface alone" "$(facts "$name")" \
        "$(facts "$name-portable")"
}

for kernel in $(make -s -C "$PARAVANE_SRC/guests/bare" list); do
    case $kernel in
    ap | smc) cpus=2 ;;
    *) cpus=1 ;;
    esac
    pauses "$kernel" "$kernel" "${PAUSES:-100000}" "$machines/bare.machine" \
        --set boot.kernel="$build/$kernel.elf" --set machine.cpus=$cpus
done
if [ -e "$PARAVANE_SRC/guests/real/xen.gz" ] && [ -e "$PARAVANE_SRC/guests/real/vmlinuz" ]; then
    more_facts=blocks
    pauses xen "Xen and Linux, 300 M instructions" 5000 "$machines/xen-linux.machine" \
        --until insns=300M
else
    echo "# no real guests here: tools/fetch-guests" >&2
fi
tap_done

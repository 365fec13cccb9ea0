#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Events of Debian's Xen are true: counted by breakpoints of the checker's own, compared with guest
# memory, replayed into a model of page types.  With the profile, and without.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/traces/events.sh"
trace_needs
guests="hypercalls multicall iret evtchn-ports callbacks"

for guest in $guests; do
    elf=$PARAVANE_BUILD/guests/conform/$guest.elf
    [ -e "$elf" ] || continue
    machine=("$machines/xen-guest.machine" --set "module.dom0.path=$elf")
    guest_run "$guest" "${machine[@]}"
    trace_check "$guest" "${machine[@]}" --profile "$xen_profile"
    trace_good "$guest" "$guest"
    trace_same "$guest" "$guest"
    # This one makes a hypercall from a page in the lower half, which from outside is user space.
    [ "$guest" = hypercalls ] && continue
    trace_check "$guest" "${machine[@]}" --profile none
    trace_good "$guest" "$guest, without a profile"
    trace_same "$guest" "$guest, without a profile"
done

# Two domains of a domain 0 of our own, with grants, event channels, and a frame transferred.
built=$PARAVANE_BUILD/guests
if [ -e "$built/domu/domu.elf" ]; then
    demo=("$built/machines/hv-demo.machine" --set "boot.kernel=$PARAVANE_SRC/guests/real/xen.gz"
        --set timing.port-cycles=1000 --set machine.on-halt=good
        --set 'boot.cmdline=console=com1 com1=115200,8n1 no-real-mode dom0_mem=64M')
    guest_run demo "${demo[@]}"
    for profile in "$xen_profile" none; do
        what="two domains, profile $(basename "$profile")"
        trace_check demo "${demo[@]}" --profile "$profile"
        trace_good demo "$what"
        trace_same demo "$what"
        for kind in grant_map grant_unmap grant_copy grant_transfer evtchn_send domain; do
            tap_check "$what: there are $kind events" \
                test "$(trace_value demo "kind_$kind" || echo 0)" -gt 0
        done
    done
fi

# The project's own hypervisor, by its own profile.
hv=$PARAVANE_BUILD/hv/hv.elf
for guest in multicall hypercalls; do
    elf=$PARAVANE_BUILD/guests/conform/$guest.elf
    [ -e "$hv" ] && [ -e "$elf" ] || continue
    machine=("$machines/xen-guest.machine" --set "boot.kernel=$hv" --set boot.cmdline=
        --set "module.dom0.path=$elf")
    guest_run hv "${machine[@]}"
    xen_symbols=$hv trace_check hv "${machine[@]}" --ends-only \
        --profile "$PARAVANE_SRC/traces/profiles/hv.profile"
    trace_good hv "$guest on our own hypervisor"
    trace_same hv "$guest on our own hypervisor"
    for kind in page_type cr3 frame_owner switch; do
        tap_check "$guest on our own hypervisor: there are $kind events" \
            test "$(trace_value hv "kind_$kind" || echo 0)" -gt 0
    done
done

# Its demo: domains that share, copy and transfer frames, and end.
demo=$PARAVANE_BUILD/guests/machines/hv-demo.machine
if [ -e "$hv" ] && [ -e "$demo" ]; then
    guest_run demo "$demo"
    xen_symbols=$hv trace_check demo "$demo" --ends-only \
        --profile "$PARAVANE_SRC/traces/profiles/hv.profile"
    trace_good demo "the demo on our own hypervisor"
    trace_same demo "the demo on our own hypervisor"
    for kind in pin grant_map grant_unmap grant_copy grant_transfer evtchn_send domain; do
        tap_check "the demo on our own hypervisor: there are $kind events" \
            test "$(trace_value demo "kind_$kind" || echo 0)" -gt 0
    done
    "$PARAVANE" record "$demo" -o "$tap_dir/demo.pvt" --quiet --events hypercall,grant 2>/dev/null
    tap_check "what is decoded of its requests is what memory held" \
        bash -c 'set -o pipefail; "$1" trace export "$2" --format json -o - | "$3" 1' - \
        "$PARAVANE" "$tap_dir/demo.pvt" "$PARAVANE_SRC/tests/traces/decoded-check"
    mfn=$("$PARAVANE" trace dump "$tap_dir/demo.pvt" --kind grant_transfer | sed -n 's/.* mfn=\([0-9a-fx]*\),.*/\1/p')
    tap_equal "a transferred frame's way from domain to domain shows" \
        "old=d1, new=DOMID_INVALID/old=DOMID_INVALID, new=d2/giver=d1, receiver=d2" \
        "$("$PARAVANE" trace grep "frame=$mfn" "$tap_dir/demo.pvt" |
            grep -B2 '^transferred' | sed 's/.*\(old=.*\))$/\1/; s/.*(\(giver=.*\), ref=.*/\1/' | paste -sd/)"
fi

# The profile's numbers are those that the disassembly shows.
if command -v objdump >/dev/null; then
    tap_check "xen-offsets finds all that it looks for" \
        bash -c '"$1" "$2" >"$3"' - "$PARAVANE_SRC/tools/xen-offsets" "$xen_symbols" "$tap_dir/offsets"
    for line in "build-id = 151b373fd64b321593bf987fd923cd10dabadac4;" "stack-bytes = 0x8000" \
        "current = u64[(rsp | 0x7fff) - 0x37]" "vcpu_domain = u64[\$ + 0x10]" "vcpu_id = u32[\$ + 0]" \
        "frame_table = 0xffff82e000000000" "type_info = u64[\$ + 0x10]" \
        "user_root = u64[current + 0xb00]"; do
        tap_check "xen-offsets says $line" grep -qxF "$line" "$tap_dir/offsets"
    done
fi

# A whole Linux, from power-on to power-off.
linux=("$machines/xen-linux.machine" --console-script "$machines/demo.console")
trace_check linux "${linux[@]}" --profile "$xen_profile"
trace_good linux linux
tap_check "linux: more than 10,000 requests were compared with memory" \
    test "$(trace_value linux requests)" -gt 10000
tap_check "linux: more than 10,000 page table entries are as the updates say" \
    test "$(trace_value linux entries)" -gt 10000
tap_check "linux: the model has seen page types" test "$(trace_value linux page_events)" -gt 100000
tap_equal "linux: every hypercall was seen to end" 0 "$(trace_value linux unfinished)"
tap_equal "linux: no function was lost" 0 "$(trace_value linux abandoned)"
tap_equal "linux: nothing was cut" 0 "$(trace_value linux cut)"
for kind in hypercall page_type pin cr3 pt_write tlb_flush frame_owner virq upcall switch mode \
    exception interrupt demand_walk console port mmio; do
    tap_check "linux: there are $kind events" test "$(trace_value linux "kind_$kind" || echo 0)" -gt 0
done
tap_done

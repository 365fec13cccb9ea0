/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of hypercalls that lie where they must not: in the hypervisor's range, across its borders, at
 * no address, in pages that cannot be written; and areas that the hypervisor is told to write to.
 */
#include "guests/hostile/hostile.h"

#include <xen/hvm/hvm_op.h>

#define GROUP "calls"

static const u64 bad[] = {VA_HYPERVISOR, 0xffff82d080200000, MACH2PHYS_BASE, HYPERVISOR_END - 1, HYPERVISOR_END - 8,
                          VA_NONCANONICAL, VA_NONCANONICAL - 1, VA_NONCANONICAL - 3, 0xffff7fffffffffff, 0xffff7ffffffffffc, ~0ul, ~0ul - 6,
                          VA_UNMAPPED};

/* A call whose argument number @at is the address; the others are as they are here. */
static const struct {
    const char *what;
    u8 number, at;
    u64 args[4];
} calls[] = {
    {"set_trap_table", __HYPERVISOR_set_trap_table, 0, {0}},
    {"mmu_update", __HYPERVISOR_mmu_update, 0, {0, 1, 0, DOMID_SELF}},
    {"mmu_update of many", __HYPERVISOR_mmu_update, 0, {0, 0x7fffffff, 0, DOMID_SELF}},
    {"set_gdt", __HYPERVISOR_set_gdt, 0, {0, 1}},
    {"set_gdt, full", __HYPERVISOR_set_gdt, 0, {0, 7168}},
    {"multicall", __HYPERVISOR_multicall, 0, {0, 1}},
    {"multicall of many", __HYPERVISOR_multicall, 0, {0, 0xffffffff}},
    {"platform_op", __HYPERVISOR_platform_op, 0, {0}},
    {"sysctl", __HYPERVISOR_sysctl, 0, {0}},
    {"domctl", __HYPERVISOR_domctl, 0, {0}},
    {"event_channel_op_compat", __HYPERVISOR_event_channel_op_compat, 0, {0}},
    {"physdev_op_compat", __HYPERVISOR_physdev_op_compat, 0, {0}},
    {"physdev_op, status", __HYPERVISOR_physdev_op, 1, {PHYSDEVOP_irq_status_query}},
    {"physdev_op, iopl", __HYPERVISOR_physdev_op, 1, {PHYSDEVOP_set_iopl}},
    {"physdev_op, bitmap", __HYPERVISOR_physdev_op, 1, {PHYSDEVOP_set_iobitmap}},
    {"mmuext_op", __HYPERVISOR_mmuext_op, 0, {0, 1, 0, DOMID_SELF}},
    {"mmuext_op of many", __HYPERVISOR_mmuext_op, 0, {0, 0x7fffffff, 0, DOMID_SELF}},
    {"exchange", __HYPERVISOR_memory_op, 1, {XENMEM_exchange}},
    {"current_reservation", __HYPERVISOR_memory_op, 1, {XENMEM_current_reservation}},
    {"maximum_reservation", __HYPERVISOR_memory_op, 1, {XENMEM_maximum_reservation}},
    {"maximum_gpfn", __HYPERVISOR_memory_op, 1, {XENMEM_maximum_gpfn}},
    {"memory_map", __HYPERVISOR_memory_op, 1, {XENMEM_memory_map}},
    {"machphys_mapping", __HYPERVISOR_memory_op, 1, {XENMEM_machphys_mapping}},
    {"machphys_mfn_list", __HYPERVISOR_memory_op, 1, {XENMEM_machphys_mfn_list}},
    {"initialise", __HYPERVISOR_vcpu_op, 2, {VCPUOP_initialise, 1}},
    {"get_runstate_info", __HYPERVISOR_vcpu_op, 2, {VCPUOP_get_runstate_info, 0}},
    {"runstate area", __HYPERVISOR_vcpu_op, 2, {VCPUOP_register_runstate_memory_area, 0}},
    {"time area", __HYPERVISOR_vcpu_op, 2, {VCPUOP_register_vcpu_time_memory_area, 0}},
    {"vcpu_info", __HYPERVISOR_vcpu_op, 2, {VCPUOP_register_vcpu_info, 0}},
    {"periodic timer", __HYPERVISOR_vcpu_op, 2, {VCPUOP_set_periodic_timer, 0}},
    {"singleshot timer", __HYPERVISOR_vcpu_op, 2, {VCPUOP_set_singleshot_timer, 0}},
    {"poll", __HYPERVISOR_sched_op, 1, {SCHEDOP_poll}},
    {"shutdown", __HYPERVISOR_sched_op, 1, {SCHEDOP_shutdown}},
    {"shutdown_code", __HYPERVISOR_sched_op, 1, {SCHEDOP_shutdown_code}},
    {"remote_shutdown", __HYPERVISOR_sched_op, 1, {SCHEDOP_remote_shutdown}},
    {"watchdog", __HYPERVISOR_sched_op, 1, {SCHEDOP_watchdog}},
    {"pin_override", __HYPERVISOR_sched_op, 1, {SCHEDOP_pin_override}},
    {"callback_op", __HYPERVISOR_callback_op, 1, {CALLBACKOP_register}},
    {"callback_op, end", __HYPERVISOR_callback_op, 1, {CALLBACKOP_unregister}},
    {"nmi_op", __HYPERVISOR_nmi_op, 1, {XENNMI_register_callback}},
    {"hvm_op", __HYPERVISOR_hvm_op, 1, {HVMOP_get_param}},
    {"hvm_op, time", __HYPERVISOR_hvm_op, 1, {HVMOP_get_time}},
    {"features", __HYPERVISOR_xen_version, 1, {XENVER_get_features}},
    {"platform parameters", __HYPERVISOR_xen_version, 1, {XENVER_platform_parameters}},
    {"handle", __HYPERVISOR_xen_version, 1, {XENVER_guest_handle}},
};

static long call_with(u32 i, u64 address)
{
    u64 args[5] = {calls[i].args[0], calls[i].args[1], calls[i].args[2], calls[i].args[3], 0};

    args[calls[i].at] = address;
    return hypercall(calls[i].number, args[0], args[1], args[2], args[3], args[4]);
}

ATTACK(every_argument, FLAW_ADDRESS, "45 calls with their argument in the hypervisor's range, across its borders, not canonical, wrapping, in nothing: an error each time")
{
    for (u32 i = 0; i < ARRAY_SIZE(calls); i++)
        for (u32 k = 0; k < ARRAY_SIZE(bad); k++) {
            long answer = call_with(i, bad[k]);

            if (answer >= 0) {
                char what[80];

                print_to(what, sizeof what, "%s at %lx", calls[i].what, bad[k]);
                equal(what, (u64)answer, (u64)-XEN_EFAULT);
            }
        }
}

ATTACK(half_an_argument, FLAW_ADDRESS, "the same calls with their argument across the end of what is mapped, by every distance of 8 bytes: an error, and nothing behind it is touched")
{
    u8 *pages = pages_alloc(2);

    memory_unmap(pages + PAGE_SIZE);
    for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
        /* What is there first would do something, or has no size of its own that is larger. */
        if (calls[i].number == __HYPERVISOR_sched_op || calls[i].number == __HYPERVISOR_multicall)
            continue;
        memset(pages, 0, PAGE_SIZE);
        holds(calls[i].what, call_with(i, (u64)pages + PAGE_SIZE - 1) < 0);
        for (u32 k = 1; k < 4; k++)
            call_with(i, (u64)pages + PAGE_SIZE - k * 8 + 4);
    }
    equal("mapped again", (u64)memory_protect(pages + PAGE_SIZE, MEMORY_RW), 0);
    for (u32 i = 0; i < PAGE_SIZE; i++)
        if (pages[PAGE_SIZE + i])
            equal("untouched", i, ~0ul);
    hypercall_set_gdt(NULL, 0);
    struct vcpu_register_runstate_memory_area area = {{.v = NULL}};
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    struct vcpu_register_time_memory_area time = {{.v = NULL}};
    hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
    hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    trap_install();
    page_free(pages);
    page_free(pages + PAGE_SIZE);
}

ATTACK(inner_addresses, FLAW_ADDRESS, "lists that an argument points to, in the hypervisor's range or in nothing: an error, or nothing done")
{
    for (u32 k = 0; k < ARRAY_SIZE(bad); k++) {
        struct xen_memory_reservation r = {.extent_start.p = (void *)bad[k], .nr_extents = 2, .domid = DOMID_SELF};
        struct xen_machphys_mfn_list l = {.max_extents = 4, .extent_start.p = (void *)bad[k]};
        sched_poll_t poll = {.ports.p = (void *)bad[k], .nr_ports = 4, .timeout = 1};
        struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_MULTI, .arg2.vcpumask.p = (void *)bad[k]};

        equal("decrease", (u64)hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
        equal("populate", (u64)hypercall_memory_op(XENMEM_populate_physmap, &r), 0);
        equal("increase", (u64)hypercall_memory_op(XENMEM_increase_reservation, &r), 0);
        equal("machphys", (u64)hypercall_memory_op(XENMEM_machphys_mfn_list, &l), (u64)-XEN_EFAULT);
        equal("poll", (u64)hypercall_sched_op(SCHEDOP_poll, &poll), (u64)-XEN_EFAULT);
        equal("vcpumask", (u64)hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF), (u64)-XEN_EINVAL);
    }
}

ATTACK(counts_of_done, FLAW_ADDRESS, "the count of what is done, of mmu_update and mmuext_op, at every bad address: nothing is written there, what was done stays done")
{
    u64 *page = page_alloc();

    for (u32 k = 0; k < ARRAY_SIZE(bad); k++) {
        mmu_update_t request = {.ptr = memory_virt_to_maddr(page), .val = k + 1};
        struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

        hypercall_mmu_update(&request, 1, (u32 *)bad[k], DOMID_SELF);
        equal("stored", page[0], k + 1);
        hypercall_mmuext_op(&op, 1, (u32 *)bad[k], DOMID_SELF);
        /* As if it were the rest of a call that was interrupted. */
        hypercall_mmu_update(&request, 1 | 0x80000000, (u32 *)bad[k], DOMID_SELF);
        hypercall_mmuext_op(&op, 1 | 0x80000000, (u32 *)bad[k], DOMID_SELF);
    }
    equal("the hypervisor is read by nobody", load((void *)VA_HYPERVISOR), TRAP_PF);
    page_free(page);
}

ATTACK(readonly_results, FLAW_ADDRESS, "results for a page that is read-only: -EFAULT, and the page is as it was")
{
    static const u8 writers[] = {XENVER_extraversion, XENVER_compile_info, XENVER_capabilities, XENVER_changeset, XENVER_platform_parameters,
                                 XENVER_guest_handle, XENVER_commandline};
    u64 *page = page_alloc();

    memset(page, 0, PAGE_SIZE);
    memory_protect(page, MEMORY_RO);
    for (u32 i = 0; i < ARRAY_SIZE(writers); i++)
        equal("xen_version", (u64)hypercall_xen_version(writers[i], page), (u64)-XEN_EFAULT);
    equal("machphys_mapping", (u64)hypercall_memory_op(XENMEM_machphys_mapping, page), (u64)-XEN_EFAULT);
    equal("machphys_mfn_list", (u64)hypercall_memory_op(XENMEM_machphys_mfn_list, page), (u64)-XEN_EFAULT);
    equal("runstate", (u64)hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, page), (u64)-XEN_EFAULT);
    equal("irq status", (u64)hypercall_physdev_op(PHYSDEVOP_irq_status_query, page), (u64)-XEN_EFAULT);
    for (u32 i = 0; i < PAGE_SIZE / 8; i++)
        if (page[i])
            equal("as it was", page[i], 0);
    page_back(page);
}

ATTACK(vcpu_info_places, FLAW_FRAME, "vcpu_info in a frame of a victim, of the hypervisor, of nobody, a table, at offsets that do not fit: refused")
{
    u64 *table = pinned_table(1);
    u64 frames[] = {victim_frame(), MFN_HYPERVISOR, MFN_BEYOND, ~0ul, 0xfee00, mfn_of(table), mfn_of(memory_root())};
    static const u32 offsets[] = {4096, 4095, 4096 - 63, 4, 1, 0x80000000, ~0u, ~0u - 63};

    for (u32 vcpu = 0; vcpu < 2; vcpu++) {
        for (u32 i = 0; i < ARRAY_SIZE(frames); i++) {
            struct vcpu_register_vcpu_info info = {.mfn = frames[i]};

            equal("frame", (u64)hypercall_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &info), (u64)-XEN_EINVAL);
        }
        for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
            struct vcpu_register_vcpu_info info = {.mfn = mfn_of(calls), .offset = offsets[i]};

            equal("offset", (u64)hypercall_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &info), (u64)-XEN_ENXIO);
        }
    }
    equal("unpin", (u64)unpin(table), 0);
    page_back(table);
}

ATTACK(areas, FLAW_ADDRESS, "runstate and time areas in the hypervisor's range or across its borders: -EFAULT; in nothing, read-only, across a hole: left alone at 300 context switches")
{
    u8 *pages = pages_alloc(2);
    u64 good[] = {VA_UNMAPPED, (u64)pages, (u64)pages + PAGE_SIZE - 16, (u64)pages + PAGE_SIZE - 1, (u64)pages + PAGE_SIZE};
    struct vcpu_register_runstate_memory_area area;
    struct vcpu_register_time_memory_area time;

    for (u32 vcpu = 0; vcpu < 2; vcpu++)
        for (u32 k = 0; k < ARRAY_SIZE(bad); k++) {
            if (bad[k] == VA_UNMAPPED)
                continue;
            area.addr.v = (void *)bad[k];
            time.addr.v = (void *)bad[k];
            equal("runstate", (u64)hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, vcpu, &area), (u64)-XEN_EFAULT);
            equal("time", (u64)hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, vcpu, &time), (u64)-XEN_EFAULT);
        }
    memory_protect(pages, MEMORY_RO);
    memory_unmap(pages + PAGE_SIZE);
    for (u32 assist = 0; assist < 2; assist++) {
        hypercall_vm_assist(assist ? VMASST_CMD_enable : VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag);
        for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
            area.addr.v = (void *)good[i];
            time.addr.v = (void *)good[i];
            equal("runstate", (u64)hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
            equal("time", (u64)hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time), 0);
            for (u32 k = 0; k < 30; k++) {
                sched_poll_t poll = {.nr_ports = 0, .timeout = clock_system_ns() + 1000};

                hypercall_sched_op(SCHEDOP_poll, &poll);
            }
        }
    }
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag);
    area.addr.v = NULL;
    time.addr.v = NULL;
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
    memory_protect(pages + PAGE_SIZE, MEMORY_RW);
    memory_protect(pages, MEMORY_RW);
    for (u32 i = 0; i < 2 * PAGE_SIZE; i++)
        if (pages[i])
            equal("left alone", i, ~0ul);
    page_free(pages);
    page_free(pages + PAGE_SIZE);
}

ATTACK(timers, FLAW_TIME, "timers in the past, at the end of time, of other vCPUs, with periods of nothing: -EINVAL or in order; 1000 of them do not starve anybody")
{
    struct vcpu_set_periodic_timer period = {.period_ns = 0};
    struct vcpu_set_singleshot_timer single = {.timeout_abs_ns = 1};
    static const u64 times[] = {1, 1000, 0x7fffffffffffffff, 0x8000000000000000, ~0ul, ~0ul - 1};

    for (u64 ns = 0; ns < 1000000; ns = ns * 7 + 1) {
        period.period_ns = ns;
        equal("period", (u64)hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), (u64)-XEN_EINVAL);
    }
    period.period_ns = ~0ul;
    equal("for ever", (u64)hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), (u64)-XEN_EINVAL);
    equal("of another vCPU", (u64)hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 1, &single), (u64)-XEN_EINVAL);
    for (u32 i = 0; i < 1000; i++) {
        single.timeout_abs_ns = times[i % ARRAY_SIZE(times)];
        hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
        hypercall_set_timer_op(times[(i + 1) % ARRAY_SIZE(times)]);
    }
    hypercall_set_timer_op(0);
    hypercall_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
    for (u32 cmd = 14; cmd < 40; cmd++)
        equal("no such operation", (u64)hypercall_vcpu_op(cmd, 0, &single), (u64)-XEN_ENOSYS);
}

ATTACK(assists, FLAW_STATE, "vm_assist of every type and command: only those there are; the others -EINVAL or -ENOSYS")
{
    for (u32 type = 0; type < 70; type++) {
        bool there = type == VMASST_TYPE_4gb_segments || type == VMASST_TYPE_4gb_segments_notify || type == VMASST_TYPE_writable_pagetables ||
                     type == VMASST_TYPE_pae_extended_cr3 || type == VMASST_TYPE_architectural_iopl ||
                     type == VMASST_TYPE_runstate_update_flag || type == VMASST_TYPE_m2p_strict;

        for (u32 cmd = 2; cmd < 5; cmd++)
            holds("command", hypercall_vm_assist(cmd, type) < 0);
        if (!there)
            equal("type", (u64)hypercall_vm_assist(VMASST_CMD_enable, type), (u64)-XEN_EINVAL);
    }
    equal("the last type", (u64)hypercall_vm_assist(VMASST_CMD_enable, ~0u), (u64)-XEN_EINVAL);
}

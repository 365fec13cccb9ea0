/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every hypercall as an entry of a multicall: the answers are those of the call by itself.
 */
#include "guests/conform/conform.h"

#define NUMBERS 64u

static multicall_entry_t entries[NUMBERS];

static bool fit(u32 n)
{
    return n != __HYPERVISOR_multicall && n != __HYPERVISOR_iret;
}

static void set(u32 i, u32 n, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    entries[i] = (multicall_entry_t){.op = n, .result = 0x5555, .args = {a, b, c, d, e, 0x6666}};
}

/* With arguments that no call takes. */
static void refused(void)
{
    u32 wrong = 0, i = 0;

    for (u32 n = 0; n < NUMBERS; n++) {
        static char names[NUMBERS][16];

        if (!fit(n))
            continue;
        print_to(names[n], sizeof names[n], "number-%u", n);
        test(names[n], "number %u with impossible arguments: the same answer in a multicall", n);
        set(0, n, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul);
        equal("multicall", hypercall_multicall(entries, 1), 0);
        equal("result", entries[0].result, (u64)hypercall(n, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul));
    }
    trap_install();
    hypercall_fpu_taskswitch(0);
    test("all", "all of them in one multicall");
    for (u32 n = 0; n < NUMBERS; n++)
        if (fit(n))
            set(i++, n, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul);
    equal("multicall", hypercall_multicall(entries, i), 0);
    for (u32 k = 0; k < i; k++)
        wrong += entries[k].result != (u64)hypercall(entries[k].op, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul);
    equal("wrong", wrong, 0);
    trap_install();
    hypercall_fpu_taskswitch(0);
}

/* Calls that do something, one of each family, in one batch. */
static void done(void)
{
    u64 *page = page_alloc(), *target = page_alloc();
    u64 at = memory_reserve(1);
    u32 port = (u32)event_bind_ipi(0), count = 0;
    evtchn_send_t send = {.port = port};
    evtchn_status_t status = {.dom = DOMID_SELF, .port = port};
    mmu_update_t update = {.ptr = memory_virt_to_maddr(page), .val = 0x1234};
    struct mmuext_op copy = {.cmd = MMUEXT_COPY_PAGE};
    struct vcpu_runstate_info runstate = {.state = 99};
    struct physdev_set_iopl iopl = {.iopl = 0};
    gnttab_query_size_t size = {.dom = DOMID_SELF};
    struct callback_register callback = {.type = CALLBACKTYPE_failsafe, .address = (u64)trap_entry_failsafe};
    domid_t self = DOMID_SELF;
    xen_feature_info_t features = {0};

    copy.arg1.mfn = memory_virt_to_mfn(target);
    copy.arg2.src_mfn = memory_virt_to_mfn(page);
    memory_map(at, 0);
    set(0, __HYPERVISOR_mmu_update, (u64)&update, 1, (u64)&count, DOMID_SELF, 0);
    set(1, __HYPERVISOR_mmuext_op, (u64)&copy, 1, (u64)&count, DOMID_SELF, 0);
    set(2, __HYPERVISOR_update_va_mapping, at, entry_of(target, MEMORY_RO), UVMF_INVLPG, 0, 0);
    set(3, __HYPERVISOR_event_channel_op, EVTCHNOP_send, (u64)&send, 0, 0, 0);
    set(4, __HYPERVISOR_event_channel_op, EVTCHNOP_status, (u64)&status, 0, 0, 0);
    set(5, __HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (u64)&runstate, 0, 0);
    set(6, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (u64)&iopl, 0, 0, 0);
    set(7, __HYPERVISOR_grant_table_op, GNTTABOP_query_size, (u64)&size, 1, 0, 0);
    set(8, __HYPERVISOR_callback_op, CALLBACKOP_register, (u64)&callback, 0, 0, 0);
    set(9, __HYPERVISOR_memory_op, XENMEM_current_reservation, (u64)&self, 0, 0, 0);
    set(10, __HYPERVISOR_set_debugreg, 0, 0x400000, 0, 0, 0);
    set(11, __HYPERVISOR_get_debugreg, 0, 0, 0, 0, 0);
    set(12, __HYPERVISOR_set_segment_base, SEGBASE_FS, 0x12345000, 0, 0, 0);
    set(13, __HYPERVISOR_xen_version, XENVER_get_features, (u64)&features, 0, 0, 0);
    set(14, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
    set(15, __HYPERVISOR_set_debugreg, 0, 0, 0, 0, 0);
    test("batch", "a batch of calls of all families: each does its work, in order");
    equal("multicall", hypercall_multicall(entries, 16), 0);
    for (u32 i = 0; i < 16; i++)
        if (i != 9 && i != 11)
            equal("result", entries[i].result, 0);
    equal("reservation", entries[9].result, (u64)hypercall_memory_op(XENMEM_current_reservation, &self));
    equal("debugreg", entries[11].result, 0x400000);
    test("batch-effects", "what they did is there");
    equal("done", count, 1);
    equal("copied", *(volatile u64 *)at, 0x1234);
    holds("pending", event_pending(port));
    equal("status", status.status, EVTCHNSTAT_ipi);
    equal("runstate", (u32)runstate.state, RUNSTATE_running);
    differ("frames", size.nr_frames, 0);
    differ("features", features.submap, 0);
    test("args-kept", "op and arguments of all entries are as they were");
    equal("op", entries[0].op, __HYPERVISOR_mmu_update);
    equal("first", entries[0].args[0], (u64)&update);
    equal("sixth", entries[0].args[5], 0x6666);
}

/* A call that takes long is interrupted and goes on within the multicall. */
static void long_calls(void)
{
    static mmu_update_t updates[512];
    u64 *page = page_alloc();
    u32 count = 0;

    for (u32 i = 0; i < 512; i++)
        updates[i] = (mmu_update_t){.ptr = memory_virt_to_maddr(page) + i * 8, .val = i + 1};
    test("long", "long calls in a batch all come to their end, with what follows them");
    for (u32 i = 0; i < 20; i++)
        set(i, __HYPERVISOR_mmu_update, (u64)updates, 512, (u64)&count, DOMID_SELF, 0);
    set(20, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0, 0, 0);
    equal("multicall", hypercall_multicall(entries, 21), 0);
    for (u32 i = 0; i < 20; i++)
        equal("result", entries[i].result, 0);
    equal("last", entries[20].result, PAGE_SIZE);
    equal("done", count, 512);
    equal("word", page[511], 512);
    equal("count kept", entries[0].args[1], 512);
}

void guest_main(void)
{
    report_start("multicall-all");
    refused();
    done();
    long_calls();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * multicall: results, order, errors inside and of the call itself.
 */
#include "guests/conform/conform.h"

static multicall_entry_t calls[64];

static void set(u32 i, u64 op, u64 a, u64 b, u64 c)
{
    calls[i] = (multicall_entry_t){.op = op, .result = 0x5555, .args = {a, b, c, 0, 0, 0}};
}

static void results(void)
{
    test("empty", "no entry: 0, the list is not read");
    equal("result", hypercall_multicall(NULL, 0), 0);
    equal("bad list", hypercall_multicall((void *)VA_UNMAPPED, 0), 0);
    test("one", "the entry's result is written, the call answers 0");
    set(0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
    equal("result", hypercall_multicall(calls, 1), 0);
    equal("entry", calls[0].result, 4 << 16 | 17);
    test("results", "each entry has its own result; one that fails stops nothing");
    set(0, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0);
    set(1, __HYPERVISOR_xen_version, 99, 0, 0);
    set(2, 63, 0, 0, 0);
    set(3, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
    equal("result", hypercall_multicall(calls, 4), 0);
    equal("0", calls[0].result, PAGE_SIZE);
    equal("1", calls[1].result, (u64)-XEN_ENOSYS);
    equal("2", calls[2].result, (u64)-XEN_ENOSYS);
    equal("3", calls[3].result, 4 << 16 | 17);
    test("number-64", "a number beyond the table: -ENOSYS in the entry");
    set(0, 64, 0, 0, 0);
    set(1, ~0ul, 0, 0, 0);
    set(2, 1ul << 32 | __HYPERVISOR_xen_version, 0, 0, 0);
    equal("result", hypercall_multicall(calls, 3), 0);
    equal("64", calls[0].result, (u64)-XEN_ENOSYS);
    equal("-1", calls[1].result, (u64)-XEN_ENOSYS);
    equal("33 bits", calls[2].result, (u64)-XEN_ENOSYS);
    test("args-kept", "op and args of the entry are left as they were");
    set(0, __HYPERVISOR_xen_version, XENVER_pagesize, 0x1111, 0x2222);
    hypercall_multicall(calls, 1);
    equal("op", calls[0].op, __HYPERVISOR_xen_version);
    equal("arg 1", calls[0].args[1], 0x1111);
}

static void nested(void)
{
    test("nested", "a multicall inside a multicall: -EINVAL in the entry, no call of it made");
    static multicall_entry_t inner = {.op = __HYPERVISOR_xen_version, .result = 0x7777};
    set(0, __HYPERVISOR_multicall, (u64)&inner, 1, 0);
    equal("result", hypercall_multicall(calls, 1), 0);
    equal("entry", calls[0].result, (u64)-XEN_EINVAL);
    equal("inner", inner.result, 0x7777);
    test("nested-after", "and the next multicall works");
    set(0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
    equal("result", hypercall_multicall(calls, 1), 0);
}

static void in_order(void)
{
    test("many", "64 entries");
    for (u32 i = 0; i < 64; i++)
        set(i, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0);
    equal("result", hypercall_multicall(calls, 64), 0);
    u32 bad = 0;
    for (u32 i = 0; i < 64; i++)
        bad += calls[i].result != PAGE_SIZE;
    equal("wrong", bad, 0);
    test("order", "entries run in order: a later one sees what an earlier one did");
    u8 *page = page_alloc();
    u64 mfn = memory_virt_to_mfn(page);
    set(0, __HYPERVISOR_update_va_mapping, (u64)page, mfn << 12 | MEMORY_RO, UVMF_INVLPG);
    struct mmuext_op pin = {.cmd = MMUEXT_PIN_L1_TABLE}, unpin = {.cmd = MMUEXT_UNPIN_TABLE};
    pin.arg1.mfn = unpin.arg1.mfn = mfn;
    set(1, __HYPERVISOR_mmuext_op, (u64)&pin, 1, 0);
    calls[1].args[3] = DOMID_SELF;
    set(2, __HYPERVISOR_update_va_mapping, (u64)page, mfn << 12 | MEMORY_RW, UVMF_INVLPG);
    set(3, __HYPERVISOR_mmuext_op, (u64)&unpin, 1, 0);
    calls[3].args[3] = DOMID_SELF;
    set(4, __HYPERVISOR_update_va_mapping, (u64)page, mfn << 12 | MEMORY_RW, UVMF_INVLPG);
    equal("result", hypercall_multicall(calls, 5), 0);
    equal("protect", calls[0].result, 0);
    equal("pin", calls[1].result, 0);
    equal("rw refused", calls[2].result, (u64)-XEN_EBUSY);
    equal("unpin", calls[3].result, 0);
    equal("rw", calls[4].result, 0);
}

static void faults(void)
{
    test("fault", "an unreadable list: -EFAULT");
    equal("unmapped", hypercall_multicall((void *)VA_UNMAPPED, 1), -XEN_EFAULT);
    equal("hypervisor", hypercall_multicall((void *)VA_HYPERVISOR, 1), -XEN_EFAULT);
    test("fault-second", "a list that leaves mapped memory: the first entries are done, then -EFAULT");
    u8 *edge = pages_alloc(2);
    memory_unmap(edge + PAGE_SIZE);
    multicall_entry_t *last = (multicall_entry_t *)(edge + PAGE_SIZE) - 1;
    *last = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}};
    equal("result", hypercall_multicall(last, 2), -XEN_EFAULT);
    equal("first", last->result, PAGE_SIZE);
    test("read-only", "a list that cannot be written: -EFAULT");
    u8 *ro = page_alloc();
    *(multicall_entry_t *)ro = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}};
    memory_protect(ro, MEMORY_RO);
    equal("result", hypercall_multicall((multicall_entry_t *)ro, 1), -XEN_EFAULT);
}

static void others(void)
{
    test("upcall-inside", "an event made inside is pending afterwards, and what stands behind it is done");
    u32 port = (u32)event_bind_ipi(0);
    evtchn_send_t send = {.port = port};
    event_mask(port);
    set(0, __HYPERVISOR_event_channel_op, EVTCHNOP_send, (u64)&send, 0);
    set(1, __HYPERVISOR_xen_version, XENVER_pagesize, 0, 0);
    equal("result", hypercall_multicall(calls, 2), 0);
    equal("1", calls[1].result, PAGE_SIZE);
    holds("pending", event_pending(port));
    test("stack-switch", "a call without memory works as well");
    set(0, __HYPERVISOR_stack_switch, SEL_DS, (u64)page_alloc(), 0);
    equal("result", hypercall_multicall(calls, 1), 0);
    equal("0", calls[0].result, 0);
}

void guest_main(void)
{
    report_start("multicall");
    results();
    nested();
    in_order();
    faults();
    others();
    report_end();
}

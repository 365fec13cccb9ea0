/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu_op: states, areas in guest memory, bringing up, errors.
 */
#include "guests/conform/conform.h"
#include "guests/lib/clock.h"

static vcpu_runstate_info_t runstate;

static void states(void)
{
    test("is-up", "vCPU 0 is up: 1");
    equal("result", hypercall_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    test("none", "a vCPU that does not exist: -ENOENT, whatever the operation");
    equal("is_up", hypercall_vcpu_op(VCPUOP_is_up, 7000, NULL), -XEN_ENOENT);
    equal("up", hypercall_vcpu_op(VCPUOP_up, 7000, NULL), -XEN_ENOENT);
    equal("down", hypercall_vcpu_op(VCPUOP_down, ~0u, NULL), -XEN_ENOENT);
    equal("unknown", hypercall_vcpu_op(99, 7000, NULL), -XEN_ENOENT);
    test("unknown", "an unknown operation: -ENOSYS");
    equal("99", hypercall_vcpu_op(99, 0, NULL), -XEN_ENOSYS);
    equal("-1", hypercall_vcpu_op(~0u, 0, NULL), -XEN_ENOSYS);
    test("initialise-running", "initialise of a vCPU that is initialised: -EEXIST");
    static struct vcpu_guest_context context;
    equal("result", hypercall_vcpu_op(VCPUOP_initialise, 0, &context), -XEN_EEXIST);
    test("initialise-fault", "initialise with an unreadable context: -EFAULT");
    equal("result", hypercall_vcpu_op(VCPUOP_initialise, 0, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("up-running", "up of a running vCPU: 0");
    equal("result", hypercall_vcpu_op(VCPUOP_up, 0, NULL), 0);
    test("nmi-none", "send_nmi to a vCPU that does not exist: -ENOENT");
    equal("result", hypercall_vcpu_op(VCPUOP_send_nmi, 4000, NULL), -XEN_ENOENT);
    test("physid", "get_physid: for the initial domain on a machine with one processor");
    struct vcpu_get_physid id;
    long got = hypercall_vcpu_op(VCPUOP_get_physid, 0, &id);
    if (runtime_is_dom0())
        equal("result", got, 0);
    else
        equal("result", got, -XEN_EINVAL);
}

static void runstates(void)
{
    struct vcpu_register_runstate_memory_area area;

    test("runstate-info", "get_runstate_info: running, times that add up");
    vcpu_runstate_info_t info = {0};
    equal("result", hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
    equal("state", (u32)info.state, RUNSTATE_running);
    differ("running time", info.time[RUNSTATE_running], 0);
    holds("sum", info.time[0] + info.time[1] + info.time[2] + info.time[3] <= clock_system_ns());
    test("runstate-info-fault", "unwritable: -EFAULT");
    equal("result", hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("runstate-area", "a registered area is filled at once");
    area.addr.v = &runstate;
    equal("result", hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    equal("state", (u32)runstate.state, RUNSTATE_running);
    differ("entry time", runstate.state_entry_time, 0);
    test("runstate-area-blocked", "and kept: blocked time grows while the vCPU sleeps");
    u64 before = runstate.time[RUNSTATE_blocked];
    clock_sleep_ns(3000000);
    holds("blocked", runstate.time[RUNSTATE_blocked] - before >= 2000000);
    equal("state", (u32)runstate.state, RUNSTATE_running);
    test("runstate-area-hypervisor", "an area in the hypervisor's range: -EFAULT");
    area.addr.v = (void *)VA_HYPERVISOR;
    equal("result", hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), -XEN_EFAULT);
    test("runstate-area-unmapped", "an area that is not mapped is taken: 0");
    area.addr.v = (void *)VA_UNMAPPED;
    equal("result", hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    test("runstate-area-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, (void *)VA_UNMAPPED), -XEN_EFAULT);
}

static void info_page(void)
{
    struct vcpu_register_vcpu_info reg = {0};
    u8 *page = page_alloc();

    test("info-beyond", "register_vcpu_info with a frame beyond memory: -EINVAL");
    reg.mfn = MFN_BEYOND;
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg), -XEN_EINVAL);
    test("info-offset", "an offset that does not fit into the page: -ENXIO");
    reg.mfn = memory_virt_to_mfn(page);
    reg.offset = PAGE_SIZE - 32;
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg), -XEN_ENXIO);
    test("info-alignment", "an offset that is not aligned: -ENXIO");
    reg.offset = 4;
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg), -XEN_ENXIO);
    test("info-table", "a page table: -EINVAL");
    reg.mfn = memory_virt_to_mfn(memory_root());
    reg.offset = 0;
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg), -XEN_EINVAL);
    test("info-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("info", "a page of the domain: the record moves there, with its contents");
    vcpu_info_t *moved = (vcpu_info_t *)(page + 64);
    reg.mfn = memory_virt_to_mfn(page);
    reg.offset = 64;
    vcpu_info()->evtchn_upcall_mask = 1;
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg), 0);
    equal("mask", moved->evtchn_upcall_mask, 1);
    differ("time", moved->time.tsc_to_system_mul, 0);
    test("info-pending", "all ports count as pending once, so nothing is lost");
    equal("sel", moved->evtchn_pending_sel, ~0ul);
    equal("pending", moved->evtchn_upcall_pending, 1);
    test("info-events", "events are signalled there");
    moved->evtchn_pending_sel = vcpu_info()->evtchn_pending_sel = 0;
    moved->evtchn_upcall_pending = 0;
    u32 port = (u32)event_bind_ipi(0);
    event_unmask(port);
    event_send(port);
    equal("pending", moved->evtchn_upcall_pending, 1);
    equal("old", vcpu_info()->evtchn_pending_sel, 0);
    test("info-twice", "once more: -EINVAL");
    equal("result", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg), -XEN_EINVAL);
    test("info-held", "the page is held writable: it cannot become a page table");
    memory_protect(page, MEMORY_RO);
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(page), 0), -XEN_EINVAL);
}

void guest_main(void)
{
    report_start("vcpu");
    states();
    runstates();
    info_page();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The windows: pieces of code, mostly one hypercall each. */
#include "guests/hostile/window.h"

/* Windows that need something set up have it done by a function of the name prepare_. */
void window_ready(void) {}

static long run_pin(void) { return pin_as(4, T4); }
static void prepare_unpin(void) { pin_as(4, T4); }
static long run_unpin(void) { return mmuext(MMUEXT_UNPIN_TABLE, mfns[T4], 0); }
static long run_pin_l1(void) { return pin_as(1, T1); }

static void prepare_update(void) { pin_as(3, T3); }
static long run_update(void)
{
    /* An L1 entry, a subtree that goes, one that comes back and has to be checked again, a plain store. */
    mmu_update_t requests[] = {{.ptr = slot(T1, 3), .val = pte(DC, MEMORY_RW)},
                               {.ptr = slot(T3, 1), .val = 0},
                               {.ptr = slot(T3, 2), .val = pte(T2B, MEMORY_TABLE)},
                               {.ptr = slot(T2, 1), .val = pte(T1B, MEMORY_TABLE)}};
    u32 done = 0;

    return hypercall_mmu_update(requests, ARRAY_SIZE(requests), &done, DOMID_SELF);
}

static long run_va_mapping(void) { return put(AT_WINDOW, pte(DA, MEMORY_RW)); }

static long run_roots(void)
{
    struct mmuext_op ops[] = {{.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = mfns[T4]},
                              {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = mfns[T4]},
                              {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = kernel_root},
                              {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = kernel_root}};

    return hypercall_mmuext_op(ops, ARRAY_SIZE(ops), NULL, DOMID_SELF);
}

static void prepare_grant_map(void)
{
    for (u32 i = 0; i < 3; i++)
        maps[i] = (gnttab_map_grant_ref_t){.host_addr = at(AT_WINDOW + i), .dom = own_id(),
                                           .flags = GNTMAP_host_map | (i == 1 ? GNTMAP_readonly : 0),
                                           .ref = i == 1 ? REF_B : REF_A, .status = 1};
}
static long run_grant_map(void)
{
    long error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, 3);

    return error ? error : maps[0].status | maps[1].status | maps[2].status;
}

static void prepare_grant_unmap(void)
{
    prepare_grant_map();
    run_grant_map();
    for (u32 i = 0; i < 3; i++)
        unmaps[i] = (gnttab_unmap_grant_ref_t){.host_addr = at(AT_WINDOW + i), .handle = maps[i].handle, .status = 1};
}
static long run_grant_unmap(void)
{
    long error = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, 3);

    for (u32 i = 0; i < 3; i++)
        if (!unmaps[i].status)
            maps[i].status = GNTST_general_error;
    return error ? error : unmaps[0].status | unmaps[1].status | unmaps[2].status;
}

static void prepare_grant_copy(void)
{
    for (u32 i = 0; i < 3; i++)
        copies[i] = (gnttab_copy_t){.source = {.u.ref = REF_B, .domid = own_id()},
                                    .dest = {.u.ref = REF_A, .domid = own_id(), .offset = (u16)(i * 64)},
                                    .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref, .len = 64, .status = 1};
}
static long run_grant_copy(void)
{
    long error = hypercall_grant_table_op(GNTTABOP_copy, copies, 3);

    return error ? error : copies[0].status | copies[1].status | copies[2].status;
}

static long run_transfer(void)
{
    gnttab_transfer_t transfers[2] = {{.mfn = mfns[DC], .domid = own_id(), .ref = REF_ACCEPT, .status = 1},
                                      {.mfn = mfns[T1], .domid = own_id(), .ref = REF_B, .status = 1}};
    long error = hypercall_grant_table_op(GNTTABOP_transfer, transfers, 2);

    return error ? error : transfers[0].status;
}

static void prepare_exchange(void)
{
    for (u32 i = 0; i < 3; i++) {
        exchange_in[i] = mfns[DA + i];
        exchange_out[i] = pfns[DA + i];
    }
    exchange = (struct xen_memory_exchange){.in = {.nr_extents = 3, .domid = DOMID_SELF},
                                            .out = {.nr_extents = 3, .domid = DOMID_SELF}};
    set_xen_guest_handle(exchange.in.extent_start, exchange_in);
    set_xen_guest_handle(exchange.out.extent_start, exchange_out);
}
static long run_exchange(void) { return hypercall_memory_op(XENMEM_exchange, &exchange); }

static void prepare_release(void)
{
    for (u32 i = 0; i < 3; i++)
        released[i] = mfns[DA + i];
}
static long run_release(void)
{
    return frames_give(released, 3);
}

static void prepare_populate(void) { release_frame(DA); release_frame(DB); }
static long run_populate(void)
{
    u64 frames[2] = {pfns[DA], pfns[DB]};
    long n = frames_take(frames, 2);

    for (long i = 0; i < n; i++)
        populated[i] = frames[i];
    return n;
}

static void prepare_multicall(void)
{
    static struct mmuext_op pin_op, unpin_op;

    pin_op = (struct mmuext_op){.cmd = MMUEXT_PIN_L2_TABLE, .arg1.mfn = mfns[T2B]};
    unpin_op = (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfns[T2B]};
    prepare_grant_copy();
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping, .args = {at(AT_WINDOW), pte(DA, MEMORY_RW), UVMF_INVLPG}};
    calls[1] = (multicall_entry_t){.op = __HYPERVISOR_mmuext_op, .args = {(u64)&pin_op, 1, 0, DOMID_SELF}};
    calls[2] = (multicall_entry_t){.op = __HYPERVISOR_grant_table_op, .args = {GNTTABOP_copy, (u64)copies, 3}};
    calls[3] = (multicall_entry_t){.op = __HYPERVISOR_mmuext_op, .args = {(u64)&unpin_op, 1, 0, DOMID_SELF}};
    calls[4] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping, .args = {at(AT_WINDOW), 0, UVMF_INVLPG}};
    calls[5] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_version, 0}};
}
static long run_multicall(void) { return hypercall_multicall(calls, ARRAY_SIZE(calls)); }

static long run_descriptors(void)
{
    long error = hypercall_set_gdt(&mfns[DA], 512);

    if (!error)
        error = hypercall_update_descriptor(slot(DA, 3), 0x00cff3000000ffff);
    hypercall_set_gdt(NULL, 0);
    return error;
}

static long run_traps(void)
{
    trap_install();
    return TRAP_INSN("hlt", (), ()) == TRAP_GP && TRAP_INSN("ud2", (), ()) == TRAP_UD ? 0 : -1;
}

static u64 in_user_mode(u64 arg) { return arg + 1; }
static long run_user(void) { return user_call(in_user_mode, 41) == TRAP_NONE ? (long)trap_result : -1; }

static void prepare_emulated(void)
{
    pin_as(1, T1);
    put(AT_WINDOW, pte(T1, MEMORY_RO));
}
static long run_emulated(void)
{
    u32 vector = store((u64 *)at(AT_WINDOW) + 3, pte(DC, MEMORY_RW));

    return vector == TRAP_NONE ? 0 : vector;
}

static long run_ports(void)
{
    evtchn_bind_vcpu_t to = {.vcpu = 1};
    evtchn_status_t status = {.dom = DOMID_SELF};
    long first = event_alloc_unbound(DOMID_SELF, DOMID_SELF), second, error;

    if (first < 0)
        return first;
    second = event_bind_interdomain(DOMID_SELF, (u32)first);
    if (second < 0)
        return second;
    to.port = status.port = (u32)second;
    error = event_send((u32)first);
    if (!error)
        error = hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &to);
    if (!error)
        error = hypercall_event_channel_op(EVTCHNOP_status, &status);
    if (!error)
        error = event_close((u32)second);
    return error ? error : event_close((u32)first);
}

static long run_poll(void)
{
    evtchn_port_t port = port_first + 30;
    sched_poll_t poll = {.nr_ports = 1, .timeout = clock_system_ns() + 700};

    set_xen_guest_handle(poll.ports, &port);
    hypercall_sched_op(SCHEDOP_poll, &poll);
    return hypercall_sched_op(SCHEDOP_yield, NULL);
}

static long run_vcpu(void)
{
    context.ctrlreg[3] = mfns[T4] << PAGE_SHIFT;
    return hypercall_vcpu_op(VCPUOP_initialise, 2, &context);
}

static long run_area(void)
{
    struct vcpu_register_runstate_memory_area area = {{.v = (void *)at(AT_WINDOW)}};
    long error = hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);

    hypercall_sched_op(SCHEDOP_yield, NULL);
    area.addr.v = NULL;
    return error ? error : hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
}
static void prepare_area(void) { put(AT_WINDOW, pte(DA, MEMORY_RW)); }

static long run_version(void)
{
    gnttab_set_version_t version = {.version = 2};
    long error = hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);

    version.version = 1;
    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
    return error;
}

#define ANY 12345678 /* of what the attacks lead to: any answer */
const struct window windows[] = {
    {"pin", "pinning a tree of six tables", window_ready, run_pin, 0, {0}},
    {"unpin", "unpinning it", prepare_unpin, run_unpin, 0, {0}},
    {"pin_l1", "pinning an L1 table", window_ready, run_pin_l1, 0, {0}},
    {"update", "mmu_update of four entries, with a subtree that goes and comes", prepare_update, run_update, 0, {0}},
    {"va_mapping", "update_va_mapping", window_ready, run_va_mapping, 0, {0}},
    {"roots", "new page-table roots for kernel and user mode, and back", window_ready, run_roots, 0, {0}},
    {"grant_map", "mapping three grants", prepare_grant_map, run_grant_map, 0, {ANY}},
    {"grant_unmap", "unmapping three grants", prepare_grant_unmap, run_grant_unmap, 0, {ANY}},
    {"grant_copy", "copying by three grants", prepare_grant_copy, run_grant_copy, 0, {ANY}},
    {"transfer", "transferring a frame, and one that is not accepted", window_ready, run_transfer, 0, {GNTST_bad_page, GNTST_general_error}},
    {"exchange", "exchanging three frames", prepare_exchange, run_exchange, 0, {0}},
    {"release", "giving three frames back", prepare_release, run_release, 3, {ANY}},
    {"populate", "getting two frames", prepare_populate, run_populate, 2, {0, 1}},
    {"multicall", "a batch of six calls", prepare_multicall, run_multicall, 0, {0}},
    {"descriptors", "a descriptor table comes, changes and goes", window_ready, run_descriptors, 0, {0}},
    {"traps", "trap table and callbacks, two exceptions with their iret", window_ready, run_traps, 0, {0}},
    {"user", "to user mode and back by a system call", window_ready, run_user, 42, {0}},
    {"emulated", "an emulated store to an L1 table", prepare_emulated, run_emulated, 0, {TRAP_PF, 0}},
    {"ports", "a pair of ports is made, used and closed", window_ready, run_ports, 0, {0}},
    {"poll", "waiting with a timeout, and yielding", window_ready, run_poll, 0, {0}},
    {"vcpu", "a context for a vCPU whose user root is refused", window_ready, run_vcpu, -XEN_EINVAL, {0}},
    {"area", "a runstate area comes, is written and goes", prepare_area, run_area, 0, {0}},
    {"version", "the version of the grant table changes twice", window_ready, run_version, 0, {0}},
};

const u32 window_count = ARRAY_SIZE(windows);

bool window_fits(const struct window *w, u32 attack, long result)
{
    if (result == w->alone)
        return true;
    if (attack == 0)
        return false;
    return result == -XEN_EINVAL || result == -XEN_EBUSY || w->others[0] == ANY || result == w->others[0] ||
           result == w->others[1];
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl and sysctl.  Domain 0 controls the others, destroys the reckless one now and then, and makes domains of its
 * own, toys, which have memory but never run; the others are refused.
 *
 * Left out: what would end or lose a domain that is to survive (destroy, another context, a hypercall page in the
 * middle of its kernel); pauses are ended soon by fuzz_unpause_all().
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/memory.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

#define TOYS 3u

static u16 toy[TOYS];              /* 0: none */
static u32 paused[BOARD_RECKLESS]; /* how often we have paused it */

/* ---- domains that nobody misses: toys, and the reckless one ---- */

static void destroy_now(u16 domid)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_destroydomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = domid};

    hypercall_domctl(&op);
}

static bool learn_create(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    struct xen_domctl *op = call->buffer;

    (void)cpu;
    if (result)
        return false;
    /* A multicall may have made more than there are places. */
    for (u32 i = 0; i < TOYS; i++)
        if (!toy[i]) {
            toy[i] = op->domain;
            return true;
        }
    destroy_now(op->domain);
    return true;
}

static void create(struct fuzz_cpu *cpu, struct fuzz_call *call, struct xen_domctl *op)
{
    op->cmd = XEN_DOMCTL_createdomain;
    op->domain = 0;
    op->u.createdomain = (struct xen_domctl_createdomain){
        .max_vcpus = 1 + (u32)fuzz_below(cpu, 3),
        .max_evtchn_port = fuzz_one_in(cpu, 2) ? ~0u : (u32)fuzz_below(cpu, 2000),
        .max_grant_frames = (int32_t)fuzz_below(cpu, 66),
        .max_maptrack_frames = (int32_t)fuzz_below(cpu, 1030),
        .grant_opts = XEN_DOMCTL_GRANT_version(1 + fuzz_below(cpu, 2)),
    };
    if (fuzz_one_in(cpu, 12))
        op->u.createdomain.flags = (u32)fuzz_random(cpu);
    if (fuzz_one_in(cpu, 12))
        op->u.createdomain.max_vcpus = (u32)fuzz_below(cpu, 40);
    call->buffer = op;
    call->whole = true;
    call->learn = learn_create;
}

static bool learn_destroy(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    const struct xen_domctl *op = call->buffer;

    (void)cpu;
    if (result && result != -XEN_ESRCH)
        return false;
    for (u32 i = 0; i < TOYS; i++)
        if (toy[i] == op->domain)
            toy[i] = 0;
    if (fuzz.victim == op->domain)
        fuzz.victim = DOMID_INVALID;
    return !result;
}

/* Something for such a domain: for a toy often what a toolstack would do next. */
static void control(struct fuzz_cpu *cpu, struct fuzz_call *call, struct xen_domctl *op, u16 domid)
{
    op->domain = domid;
    switch (fuzz_below(cpu, domid == fuzz.victim ? 7 : 9)) {
    case 0:
        op->cmd = XEN_DOMCTL_max_vcpus;
        op->u.max_vcpus.max = 1 + (u32)fuzz_below(cpu, 3);
        break;
    case 1:
        op->cmd = XEN_DOMCTL_max_mem;
        op->u.max_mem.max_memkb = fuzz_below(cpu, 200) * 4;
        break;
    case 2:
        op->cmd = XEN_DOMCTL_setvcpucontext;
        op->u.vcpucontext.vcpu = (u32)fuzz_below(cpu, 3);
        op->u.vcpucontext.ctxt.p = fuzz_one_in(cpu, 3) ? NULL : fuzz_buffer(cpu, sizeof(vcpu_guest_context_t));
        break;
    case 3:
        op->cmd = XEN_DOMCTL_hypercall_init;
        op->u.hypercall_init.gmfn = fuzz_mfn(cpu);
        break;
    case 4:
        op->cmd = fuzz_one_in(cpu, 2) ? XEN_DOMCTL_pausedomain : XEN_DOMCTL_unpausedomain;
        break;
    case 5:
        op->cmd = XEN_DOMCTL_resumedomain;
        break;
    default:
        op->cmd = XEN_DOMCTL_destroydomain;
        call->buffer = op;
        call->learn = learn_destroy;
        break;
    }
}

/* Memory for a toy, or away from it: what it had comes back when it is destroyed. */
static bool gen_toy_memory(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct xen_memory_reservation *r = fuzz_buffer(cpu, sizeof *r);
    u64 *pfns = fuzz_buffer(cpu, 32 * sizeof *pfns);
    u16 domid = toy[fuzz_below(cpu, TOYS)];

    if (!domid)
        return false;
    for (u32 i = 0; i < 32; i++)
        pfns[i] = fuzz_below(cpu, 200);
    r->nr_extents = fuzz_below(cpu, 33);
    r->domid = domid;
    r->extent_start.p = (void *)fuzz_pointer(cpu, pfns);
    fuzz_call_set(call, __HYPERVISOR_memory_op, XENMEM_populate_physmap, XENMEM_populate_physmap, (u64)r, 0);
    return true;
}

/* ---- the others ---- */

static bool learn_pause(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    (void)cpu;
    if (!result)
        paused[call->note[0]] += (u32)call->note[1];
    return !result;
}

void fuzz_unpause_all(void)
{
    for (u32 slot = 1; slot < BOARD_RECKLESS; slot++)
        for (; paused[slot]; paused[slot]--) {
            struct xen_domctl op = {.cmd = XEN_DOMCTL_unpausedomain,
                                    .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                                    .domain = fuzz_board(slot, 0)->domid};

            hypercall_domctl(&op);
        }
}

void fuzz_destroy_toys(void)
{
    for (u32 i = 0; i < TOYS; i++) {
        if (toy[i])
            destroy_now(toy[i]);
        toy[i] = 0;
    }
}

/* A pause, or the end of one of ours. */
static void pause(struct fuzz_cpu *cpu, struct fuzz_call *call, struct xen_domctl *op, u32 slot)
{
    bool more = !paused[slot] || fuzz_one_in(cpu, 2);

    call->note[0] = slot;
    call->note[1] = more ? 1 : ~0u; /* is added */
    call->learn = learn_pause;
    call->alone = true;
    op->cmd = more ? XEN_DOMCTL_pausedomain : XEN_DOMCTL_unpausedomain;
}

static void bitmap(struct fuzz_cpu *cpu, struct xenctl_bitmap *map)
{
    u64 *bits = fuzz_buffer(cpu, 8);

    *bits = fuzz_one_in(cpu, 4) ? fuzz_random(cpu) & ~1ul : ~0ul;
    map->nr_bits = fuzz_one_in(cpu, 8) ? (u32)fuzz_random(cpu) & 63 : 64;
    map->bitmap.p = (void *)fuzz_pointer(cpu, bits);
}

/* The body of @op, as its command wants it. */
static void body(struct fuzz_cpu *cpu, struct xen_domctl *op, bool self)
{
    switch (op->cmd) {
    case XEN_DOMCTL_max_mem:
        /* Not much less than it has: it gives and takes all the time. */
        op->u.max_mem.max_memkb = (1024 + 256 + fuzz_below(cpu, 64)) * 4;
        if (self)
            op->cmd = XEN_DOMCTL_getdomaininfo;
        break;
    case XEN_DOMCTL_getpageframeinfo3: {
        u64 *list = fuzz_buffer(cpu, 64 * sizeof *list);

        for (u32 i = 0; i < 64; i++)
            list[i] = fuzz_mfn(cpu);
        op->u.getpageframeinfo3.num = fuzz_one_in(cpu, 10) ? fuzz_random(cpu) | 1024 : fuzz_below(cpu, 65);
        op->u.getpageframeinfo3.array.p = (void *)fuzz_pointer(cpu, list);
        break;
    }
    case XEN_DOMCTL_getvcpucontext:
        op->u.vcpucontext.vcpu = (u32)fuzz_below(cpu, 4);
        op->u.vcpucontext.ctxt.p = (void *)fuzz_pointer(cpu, fuzz_buffer(cpu, sizeof(vcpu_guest_context_t)));
        break;
    case XEN_DOMCTL_getvcpuinfo:
        op->u.getvcpuinfo.vcpu = (u32)fuzz_below(cpu, 4);
        break;
    case XEN_DOMCTL_setvcpuaffinity: case XEN_DOMCTL_getvcpuaffinity:
        op->u.vcpuaffinity.vcpu = (u32)fuzz_below(cpu, 4);
        op->u.vcpuaffinity.flags = (u32)fuzz_below(cpu, 5);
        bitmap(cpu, &op->u.vcpuaffinity.cpumap_hard);
        bitmap(cpu, &op->u.vcpuaffinity.cpumap_soft);
        break;
    case XEN_DOMCTL_setnodeaffinity: case XEN_DOMCTL_getnodeaffinity:
        bitmap(cpu, &op->u.nodeaffinity.nodemap);
        break;
    case XEN_DOMCTL_scheduler_op:
        op->u.scheduler_op.sched_id = fuzz_one_in(cpu, 8) ? (u32)fuzz_below(cpu, 10) : XEN_SCHEDULER_CREDIT2;
        op->u.scheduler_op.cmd = (u32)fuzz_below(cpu, 4);
        op->u.scheduler_op.u.credit2.weight = self ? FUZZ_WEIGHT : (u16)(64 + fuzz_below(cpu, 512));
        break;
    case XEN_DOMCTL_irq_permission:
        op->u.irq_permission.pirq = (u32)fuzz_below(cpu, 30);
        op->u.irq_permission.allow_access = self || fuzz_one_in(cpu, 2);
        break;
    case XEN_DOMCTL_iomem_permission:
        op->u.iomem_permission.first_mfn = fuzz_one_in(cpu, 4) ? fuzz_random(cpu) : fuzz_below(cpu, 0x200);
        op->u.iomem_permission.nr_mfns = fuzz_one_in(cpu, 8) ? fuzz_random(cpu) : fuzz_below(cpu, 64);
        op->u.iomem_permission.allow_access = self || fuzz_one_in(cpu, 2);
        break;
    case XEN_DOMCTL_ioport_permission:
        op->u.ioport_permission.first_port = (u32)fuzz_below(cpu, 0x10100);
        op->u.ioport_permission.nr_ports = (u32)fuzz_below(cpu, 300);
        op->u.ioport_permission.allow_access = self || fuzz_one_in(cpu, 2);
        break;
    case XEN_DOMCTL_sendtrigger:
        op->u.sendtrigger.trigger = (u32)fuzz_below(cpu, 6);
        op->u.sendtrigger.vcpu = 0; /* which has a handler */
        break;
    case XEN_DOMCTL_set_virq_handler:
        /* One that nobody needs: domain 0's are its own. */
        op->u.set_virq_handler.virq = fuzz_one_in(cpu, 4) ? (u32)fuzz_random(cpu) | 32 : VIRQ_ENOMEM;
        break;
    default:
        *(u64 *)&op->u = fuzz_below(cpu, 70);
        break;
    }
}

static const u8 harmless[] = {
    XEN_DOMCTL_getdomaininfo,    XEN_DOMCTL_getpageframeinfo3, XEN_DOMCTL_max_mem,         XEN_DOMCTL_getvcpucontext,
    XEN_DOMCTL_getvcpuinfo,      XEN_DOMCTL_setvcpuaffinity,   XEN_DOMCTL_getvcpuaffinity, XEN_DOMCTL_setnodeaffinity,
    XEN_DOMCTL_getnodeaffinity,  XEN_DOMCTL_scheduler_op,      XEN_DOMCTL_setdomainhandle, XEN_DOMCTL_irq_permission,
    XEN_DOMCTL_iomem_permission, XEN_DOMCTL_ioport_permission, XEN_DOMCTL_settimeoffset,   XEN_DOMCTL_set_address_size,
    XEN_DOMCTL_get_address_size, XEN_DOMCTL_sendtrigger,       XEN_DOMCTL_gettscinfo,      XEN_DOMCTL_set_virq_handler,
    XEN_DOMCTL_shadow_op,        XEN_DOMCTL_ioport_mapping,    XEN_DOMCTL_assign_device,   XEN_DOMCTL_resumedomain,
    XEN_DOMCTL_get_paging_mempool_size, XEN_DOMCTL_debug_op,   XEN_DOMCTL_set_target,      XEN_DOMCTL_subscribe};

static bool gen_domctl(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct xen_domctl *op = fuzz_buffer(cpu, sizeof *op);
    u32 slot = (u32)fuzz_below(cpu, BOARD_SLOTS), index = (u32)fuzz_below(cpu, TOYS);

    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    if (fuzz.toolstack && fuzz_one_in(cpu, 3)) {
        if (toy[index])
            control(cpu, call, op, toy[index]);
        else
            create(cpu, call, op);
    } else if (slot == BOARD_RECKLESS && fuzz.victim != DOMID_INVALID && fuzz_one_in(cpu, 3)) {
        control(cpu, call, op, fuzz.victim);
    } else if (slot && slot < BOARD_RECKLESS && fuzz.toolstack && fuzz_one_in(cpu, 6)) {
        op->domain = fuzz_board(slot, 0)->domid;
        pause(cpu, call, op, slot);
    } else {
        op->domain = fuzz_one_in(cpu, 10) ? fuzz_domid(cpu) : fuzz_board(slot, 0)->domid;
        op->cmd = FUZZ_PICK(cpu, harmless);
        if (!fuzz.dom0 && fuzz_one_in(cpu, 2)) /* to be refused, whatever it is */
            op->cmd = (u32)fuzz_below(cpu, 90);
        body(cpu, op, op->domain == 0);
        if (fuzz_one_in(cpu, 20))
            op->interface_version++;
    }
    fuzz_call_set(call, __HYPERVISOR_domctl, op->cmd, (u64)op, 0, 0);
    return true;
}

static bool gen_sysctl(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 commands[] = {XEN_SYSCTL_physinfo,   XEN_SYSCTL_sched_id, XEN_SYSCTL_getdomaininfolist,
                                  XEN_SYSCTL_getcpuinfo, XEN_SYSCTL_availheap, XEN_SYSCTL_cputopoinfo,
                                  XEN_SYSCTL_numainfo,   XEN_SYSCTL_cpupool_op, XEN_SYSCTL_readconsole,
                                  XEN_SYSCTL_tbuf_op,    XEN_SYSCTL_perfc_op};
    struct xen_sysctl *op = fuzz_buffer(cpu, sizeof *op);
    u64 *list = fuzz_buffer(cpu, 1024);

    op->interface_version = fuzz_one_in(cpu, 20) ? (u32)fuzz_random(cpu) : XEN_SYSCTL_INTERFACE_VERSION;
    op->cmd = fuzz_one_in(cpu, 10) ? (u32)fuzz_below(cpu, 32) : FUZZ_PICK(cpu, commands);
    switch (op->cmd) {
    case XEN_SYSCTL_readconsole:
        op->u.readconsole.incremental = (u8)fuzz_below(cpu, 2);
        op->u.readconsole.index = (u32)fuzz_random(cpu);
        op->u.readconsole.count = (u32)fuzz_below(cpu, 1025);
        op->u.readconsole.buffer.p = (void *)fuzz_pointer(cpu, list);
        break;
    case XEN_SYSCTL_getdomaininfolist:
        op->u.getdomaininfolist.first_domain = (u16)fuzz_below(cpu, 8);
        op->u.getdomaininfolist.max_domains = (u32)fuzz_below(cpu, 8);
        op->u.getdomaininfolist.buffer.p = (void *)fuzz_pointer(cpu, list);
        break;
    case XEN_SYSCTL_getcpuinfo:
        op->u.getcpuinfo.max_cpus = (u32)fuzz_below(cpu, 8);
        op->u.getcpuinfo.info.p = (void *)fuzz_pointer(cpu, list);
        break;
    case XEN_SYSCTL_cputopoinfo:
        op->u.cputopoinfo.num_cpus = (u32)fuzz_below(cpu, 8);
        op->u.cputopoinfo.cputopo.p = (void *)fuzz_pointer(cpu, list);
        break;
    case XEN_SYSCTL_numainfo:
        op->u.numainfo.num_nodes = (u32)fuzz_below(cpu, 8);
        op->u.numainfo.meminfo.p = (void *)fuzz_pointer(cpu, list);
        op->u.numainfo.distance.p = (void *)fuzz_pointer(cpu, list + 64);
        break;
    case XEN_SYSCTL_cpupool_op:
        op->u.cpupool_op.op = (u32)fuzz_below(cpu, 9);
        op->u.cpupool_op.cpupool_id = (u32)fuzz_below(cpu, 3);
        bitmap(cpu, &op->u.cpupool_op.cpumap);
        break;
    }
    fuzz_call_set(call, __HYPERVISOR_sysctl, op->cmd, (u64)op, 0, 0);
    return true;
}

fuzz_generator fuzz_gen_control(struct fuzz_cpu *cpu)
{
    static const fuzz_generator generators[] = {gen_domctl, gen_domctl, gen_domctl, gen_sysctl, gen_toy_memory};

    return FUZZ_PICK(cpu, generators);
}

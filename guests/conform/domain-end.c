/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a domain that another one still has ports and maps of.  The domain never runs: it has
 * two frames, one of which it grants, and a port.
 */
#include "guests/conform/conform.h"
#include "guests/lib/grant.h"

#include <xen/domctl.h>

#define GRANTED 8 /* the first reference that is not reserved */

static xen_domctl_t dom;
static u16 other;
static u64 frame, spare;
static u32 port;
static u64 window;
static u8 *mapped; /* what it grants, by its grant */
static u32 handle;

static long domctl(u32 cmd)
{
    dom.cmd = cmd;
    dom.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    dom.domain = other;
    return hypercall_domctl(&dom);
}

/* A frame of the other domain, at the window; NULL if it cannot be had. */
static void *foreign(u64 mfn, u64 flags)
{
    mmu_update_t update = {memory_entry_maddr(window, 1) | MMU_NORMAL_PT_UPDATE, mfn << PAGE_SHIFT | flags};
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    if (hypercall_mmu_update(&update, 1, NULL, flags ? other : DOMID_SELF) ||
        hypercall_mmuext_op(&flush, 1, NULL, DOMID_SELF))
        return NULL;
    return (void *)window;
}

static bool create(void)
{
    u64 pfns[2] = {0, 1};
    xen_memory_reservation_t populate = {.nr_extents = 2};

    memset(&dom, 0, sizeof dom);
    dom.u.createdomain.max_vcpus = 1;
    dom.u.createdomain.max_evtchn_port = 1023;
    dom.u.createdomain.max_grant_frames = 4;
    dom.u.createdomain.max_maptrack_frames = 4;
    dom.u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
    other = 0;
    if (domctl(XEN_DOMCTL_createdomain))
        return false;
    other = dom.domain;
    memset(&dom, 0, sizeof dom);
    dom.u.max_vcpus.max = 1;
    if (domctl(XEN_DOMCTL_max_vcpus))
        return false;
    dom.u.max_mem.max_memkb = 64;
    if (domctl(XEN_DOMCTL_max_mem))
        return false;
    populate.domid = other;
    set_xen_guest_handle(populate.extent_start, pfns);
    if (hypercall_memory_op(XENMEM_populate_physmap, &populate) != 2)
        return false;
    frame = pfns[0];
    spare = pfns[1];
    return true;
}

/* Its entry GRANTED permits domain 0 to map @frame. */
static bool grant(void)
{
    static u64 list[1];
    gnttab_setup_table_t setup = {.dom = other, .nr_frames = 1};
    grant_entry_v1_t *table;

    set_xen_guest_handle(setup.frame_list, (void *)list);
    if (hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1) || setup.status)
        return false;
    table = foreign(list[0], MEMORY_RW);
    if (!table)
        return false;
    table[GRANTED].frame = (u32)frame;
    table[GRANTED].domid = 0;
    table[GRANTED].flags = GTF_permit_access;
    return foreign(0, 0);
}

static long send(u32 to)
{
    evtchn_send_t op = {.port = to};

    return hypercall_event_channel_op(EVTCHNOP_send, &op);
}

static long port_status(u32 of)
{
    evtchn_status_t op = {.dom = DOMID_SELF, .port = of};
    long error = hypercall_event_channel_op(EVTCHNOP_status, &op);

    return error ? error : (long)op.status;
}

static long alloc_unbound(u16 in, u32 *out)
{
    evtchn_alloc_unbound_t op = {.dom = in, .remote_dom = DOMID_SELF};
    long error = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    *out = op.port;
    return error;
}

static void alive(void)
{
    evtchn_bind_interdomain_t bind = {.remote_dom = other};
    u32 remote;

    test("hypercall-page", "hypercall_init fills a frame with stubs: mov eax, number; syscall");
    dom.u.hypercall_init.gmfn = spare;
    equal("result", domctl(XEN_DOMCTL_hypercall_init), 0);
    u8 *page = foreign(spare, MEMORY_RO);
    holds("mapped", page);
    for (u32 i = 0; page && i < 64; i++) {
        u8 *stub = page + 32 * i;

        if (i == __HYPERVISOR_iret)
            stub++; /* RAX is pushed as well */
        equal("mov", stub[3], 0xb8);
        equal("number", *(u32 *)(stub + 4), i);
        equal("syscall", *(u16 *)(stub + 8), 0x050f);
    }
    foreign(0, 0);
    test("connect", "a port of the new domain can be bound");
    equal("port", alloc_unbound(other, &remote), 0);
    bind.remote_port = remote;
    equal("bind", hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &bind), 0);
    port = bind.local_port;
    equal("send", send(port), 0);
    test("map", "its frame can be mapped by its grant");
    u64 va = memory_reserve(1);
    memory_map(va, 0);
    long answer = grant_map(other, GRANTED, va, 0);
    holds("handle", answer >= 0);
    handle = (u32)answer;
    mapped = (u8 *)va;
    *mapped = 0x5a;
}

static void dead(void)
{
    evtchn_bind_interdomain_t bind = {.remote_dom = other, .remote_port = 1};
    evtchn_close_t close = {.port = port};
    u32 none;

    test("destroy", "it can be destroyed although its frame is mapped");
    long error;
    do
        error = domctl(XEN_DOMCTL_destroydomain);
    while (error == -XEN_EAGAIN);
    equal("result", error, 0);
    test("zombie", "it is listed as dying as long as the frame is mapped");
    equal("result", domctl(XEN_DOMCTL_getdomaininfo), 0);
    equal("domain", dom.domain, other);
    holds("dying", dom.u.getdomaininfo.flags & XEN_DOMINF_dying);
    holds("pages", dom.u.getdomaininfo.tot_pages >= 1);
    equal("frame", *mapped, 0x5a);
    test("port-unbound", "the port it was connected to is unbound; a send is lost");
    equal("status", (u64)port_status(port), EVTCHNSTAT_unbound);
    equal("send", send(port), 0);
    test("port-new", "no port of it can be made: -EINVAL");
    equal("result", alloc_unbound(other, &none), -XEN_EINVAL);
    test("port-bind", "nor bound: -EINVAL");
    equal("result", hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &bind), -XEN_EINVAL);
    test("destroy-again", "destroying it again has nothing to do");
    equal("result", domctl(XEN_DOMCTL_destroydomain), 0);
    test("port-close", "the port can be closed");
    equal("result", hypercall_event_channel_op(EVTCHNOP_close, &close), 0);
    test("unmap", "the frame can be unmapped");
    equal("status", (u64)grant_unmap(handle, (u64)mapped), GNTST_okay);
    test("gone", "then there is no such domain");
    for (u32 i = 0; i < 1000; i++)
        if (domctl(XEN_DOMCTL_getdomaininfo) || dom.domain != other)
            break;
        else
            vcpu_yield();
    holds("gone", domctl(XEN_DOMCTL_getdomaininfo) == -XEN_ESRCH);
}

void guest_main(void)
{
    report_start("domain-end");
    window = memory_reserve(1);
    memory_map(window, 0);
    if (!create() || !grant()) {
        test("create", "a domain with two frames, a grant and a vCPU can be made");
        if (start_info->flags & SIF_PRIVILEGED)
            broken("it cannot be made");
        else
            skip("for a privileged domain");
    } else {
        alive();
        dead();
    }
    report_end();
}

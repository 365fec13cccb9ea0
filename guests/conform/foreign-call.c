/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain without privilege can do to another one, here the initial domain: by grants and event
 * channels what it was allowed, by all other calls nothing.  The domain makes the calls it is told.
 */
#include "guests/conform/child.h"
#include "guests/lib/grant.h"

#include <xen/platform.h>

static struct child child;
static volatile struct child_data *data;
/* Its page for the structures of calls, as it and as this domain sees it. */
#define THERE (CHILD_VA + CHILD_FREE * PAGE_SIZE)
static u8 *here;
/* An address of its own with an L1 entry that is free. */
#define SPARE_VA (CHILD_VA + 20 * PAGE_SIZE)

/* A call of the child with one structure, which is copied there and back. */
static long call(u64 number, u64 cmd, void *op, size_t size_bytes, u64 count)
{
    long result;

    memcpy(here, op, size_bytes);
    result = child_call(data, number, cmd, THERE, count, 0, 0);
    memcpy(op, here, size_bytes);
    return result;
}

#define GRANT_CALL(cmd, op) call(__HYPERVISOR_grant_table_op, cmd, &(op), sizeof(op), 1)
#define EVENT_CALL(cmd, op) call(__HYPERVISOR_event_channel_op, cmd, &(op), sizeof(op), 0)

static u16 in_use(u32 ref)
{
    return *(volatile u16 *)&grant_table[ref].flags & (GTF_reading | GTF_writing);
}

static void grants(void)
{
    u64 *page = page_alloc(), *result = page_alloc();
    u64 mfn = memory_virt_to_mfn(page);
    u32 ref = grant_access(child.domid, mfn, false);
    gnttab_map_grant_ref_t map = {.host_addr = SPARE_VA, .flags = GNTMAP_host_map, .ref = ref, .dom = 0};

    page[0] = 0x1234;
    test("map", "it maps a page that this domain grants it; the entry says so");
    equal("call", GRANT_CALL(GNTTABOP_map_grant_ref, map), 0);
    equal("status", map.status, GNTST_okay);
    equal("address", map.dev_bus_addr, mfn << PAGE_SHIFT);
    equal("use", in_use(ref), GTF_reading | GTF_writing);
    holds("end refused", !grant_end(ref));
    test("map-type", "meanwhile the page cannot become a table of this domain");
    page[0] = 0;
    memory_protect(page, MEMORY_RO);
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL);
    memory_protect(page, MEMORY_RW);
    page[0] = 0x1234;
    test("map-not-own", "nor does it count as its own: it cannot map it by its tables: -EBUSY");
    equal("result", child_call(data, __HYPERVISOR_update_va_mapping, SPARE_VA + PAGE_SIZE,
                               mfn << PAGE_SHIFT | MEMORY_RW, UVMF_INVLPG, 0, 0), -XEN_EBUSY);
    test("unmap", "it unmaps it; the grant can be taken back");
    gnttab_unmap_grant_ref_t unmap = {.host_addr = SPARE_VA, .handle = map.handle};
    equal("call", GRANT_CALL(GNTTABOP_unmap_grant_ref, unmap), 0);
    equal("status", unmap.status, GNTST_okay);
    equal("use", in_use(ref), 0);
    test("unmap-other", "handles are each domain's own: this one has no such handle");
    equal("unmap", grant_unmap(map.handle, 0), GNTST_bad_handle);
    test("copy-from", "it copies out of the page, by the grant, into its own frame");
    gnttab_copy_t copy = {.len = 8, .flags = GNTCOPY_source_gref};
    copy.source.u.ref = ref;
    copy.source.domid = 0;
    copy.dest.u.gmfn = child.mfn[CHILD_FREE + 1];
    copy.dest.domid = DOMID_SELF;
    equal("call", GRANT_CALL(GNTTABOP_copy, copy), 0);
    equal("status", copy.status, GNTST_okay);
    u64 *theirs = child_map(&child, child.mfn[CHILD_FREE + 1]);
    equal("word", theirs[0], 0x1234);
    test("copy-to", "and into it");
    theirs[0] = 0x4321;
    copy = (gnttab_copy_t){.len = 8, .flags = GNTCOPY_dest_gref};
    copy.source.u.gmfn = child.mfn[CHILD_FREE + 1];
    copy.source.domid = DOMID_SELF;
    copy.dest.u.ref = ref;
    copy.dest.domid = 0;
    copy.dest.offset = 8;
    equal("call", GRANT_CALL(GNTTABOP_copy, copy), 0);
    equal("status", copy.status, GNTST_okay);
    equal("word", page[1], 0x4321);
    memory_unmap(theirs);
    test("copy-frame", "not by this domain's frame numbers: permission_denied");
    copy = (gnttab_copy_t){.len = 8, .flags = 0};
    copy.source.u.gmfn = memory_virt_to_mfn(result);
    copy.source.domid = 0;
    copy.dest.u.gmfn = child.mfn[CHILD_FREE + 1];
    copy.dest.domid = DOMID_SELF;
    equal("call", GRANT_CALL(GNTTABOP_copy, copy), 0);
    equal("status", copy.status, GNTST_permission_denied);
    test("taken-back", "a grant that was taken back is no grant: general_error");
    holds("end", grant_end(ref));
    map.ref = ref;
    equal("call", GRANT_CALL(GNTTABOP_map_grant_ref, map), 0);
    equal("status", map.status, GNTST_general_error);
    test("table", "this domain's table is not its business: permission_denied");
    gnttab_query_size_t size = {.dom = 0};
    equal("call", GRANT_CALL(GNTTABOP_query_size, size), 0);
    equal("query", size.status, GNTST_permission_denied);
    gnttab_setup_table_t setup = {.dom = 0, .nr_frames = 1};
    set_xen_guest_handle(setup.frame_list, (xen_pfn_t *)(THERE + 512));
    equal("call", GRANT_CALL(GNTTABOP_setup_table, setup), 0);
    equal("setup", setup.status, GNTST_permission_denied);
    test("version", "nor its version: -EPERM");
    gnttab_get_version_t version = {.dom = 0};
    equal("call", GRANT_CALL(GNTTABOP_get_version, version), -XEN_EPERM);
}

static void transfer(void)
{
    u32 ref = grant_accept(child.domid);
    gnttab_transfer_t op = {.mfn = child.mfn[CHILD_PAGES - 1], .domid = 0, .ref = ref};
    u64 mfn = child.mfn[CHILD_PAGES - 1];
    u64 *there = child_map(&child, mfn);
    xen_domctl_getdomaininfo_t info;
    domid_t self = DOMID_SELF;
    long ours = hypercall_memory_op(XENMEM_current_reservation, &self);

    there[0] = 0x7777;
    memory_unmap(there);
    test("transfer-mapped", "a frame that its tables map cannot be transferred: bad_page");
    equal("call", GRANT_CALL(GNTTABOP_transfer, op), 0);
    equal("status", op.status, GNTST_bad_page);
    /* Room for it: this domain may have no more than it has. */
    u64 *spare = page_alloc();
    u64 own = memory_virt_to_mfn(spare);
    memory_unmap(spare);
    struct xen_memory_reservation give = {.nr_extents = 1, .domid = DOMID_SELF};
    set_xen_guest_handle(give.extent_start, &own);
    test("room", "this domain gives a page back");
    equal("done", hypercall_memory_op(XENMEM_decrease_reservation, &give), 1);
    test("transfer", "one that is not mapped comes to this domain, with its contents");
    equal("unmapped", child_call(data, __HYPERVISOR_update_va_mapping, CHILD_VA + (CHILD_PAGES - 1) * PAGE_SIZE, 0,
                                 UVMF_INVLPG, 0, 0), 0);
    op = (gnttab_transfer_t){.mfn = mfn, .domid = 0, .ref = ref};
    equal("call", GRANT_CALL(GNTTABOP_transfer, op), 0);
    equal("status", op.status, GNTST_okay);
    equal("frame", grant_end_transfer(ref), mfn);
    u64 *arrived = memory_map_mfn(mfn, MEMORY_RW);
    holds("mapped", arrived);
    if (arrived)
        equal("word", arrived[0], 0x7777);
    equal("ours", hypercall_memory_op(XENMEM_current_reservation, &self), ours);
    child_info(&child, &info);
    equal("theirs", info.tot_pages, CHILD_PAGES - 1);
}

static void events(void)
{
    long offered = event_alloc_unbound(DOMID_SELF, child.domid);
    long other = event_alloc_unbound(DOMID_SELF, DOMID_NOBODY);
    evtchn_bind_interdomain_t bind = {.remote_dom = 0, .remote_port = (u32)offered};
    evtchn_alloc_unbound_t alloc = {.dom = 0, .remote_dom = DOMID_SELF};
    evtchn_status_t status = {.dom = 0, .port = (u32)offered};
    evtchn_reset_t reset = {.dom = 0};

    test("bind", "it binds a port that this domain offers it");
    equal("bind", EVENT_CALL(EVTCHNOP_bind_interdomain, bind), 0);
    equal("port", bind.local_port, 1);
    test("send", "it sends: the port here is pending");
    evtchn_send_t send = {.port = bind.local_port};
    equal("send", EVENT_CALL(EVTCHNOP_send, send), 0);
    holds("pending", event_pending((u32)offered));
    test("bind-other", "one that is offered to another domain, or closed, it cannot bind: -EINVAL");
    bind.remote_port = (u32)other;
    equal("other", EVENT_CALL(EVTCHNOP_bind_interdomain, bind), -XEN_EINVAL);
    bind.remote_port = (u32)other + 1;
    equal("closed", EVENT_CALL(EVTCHNOP_bind_interdomain, bind), -XEN_EINVAL);
    test("ports", "it can neither make, see nor reset this domain's ports: -EPERM");
    equal("alloc", EVENT_CALL(EVTCHNOP_alloc_unbound, alloc), -XEN_EPERM);
    equal("status", EVENT_CALL(EVTCHNOP_status, status), -XEN_EPERM);
    equal("reset", EVENT_CALL(EVTCHNOP_reset, reset), -XEN_EPERM);
    test("virq", "a VIRQ of the initial domain it can bind or not, but nothing comes of it");
    evtchn_bind_virq_t virq = {.virq = VIRQ_DOM_EXC, .vcpu = 0};
    long got = EVENT_CALL(EVTCHNOP_bind_virq, virq);
    holds("answer", got == 0 || got == -XEN_EPERM);
    event_close((u32)other);
}

static void others(void)
{
    xen_domctl_t ctl = {.cmd = XEN_DOMCTL_pausedomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION};
    xen_sysctl_t sys = {.cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};
    xen_platform_op_t platform = {.cmd = XENPF_get_cpuinfo, .interface_version = XENPF_INTERFACE_VERSION};
    u64 ours = memory_virt_to_mfn(page_alloc()), root = memory_virt_to_mfn(memory_root());
    mmu_update_t update = {.ptr = ours << PAGE_SHIFT, .val = 1};
    struct mmuext_op ext = {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = root};
    sched_remote_shutdown_t shutdown = {.domain_id = 0, .reason = SHUTDOWN_crash};
    struct physdev_setup_gsi gsi = {.gsi = 5};
    domid_t zero = 0;

    test("control", "domctl, sysctl and platform_op: -EPERM");
    equal("domctl", call(__HYPERVISOR_domctl, THERE, &ctl, sizeof ctl, 0), -XEN_EPERM);
    equal("sysctl", call(__HYPERVISOR_sysctl, THERE, &sys, sizeof sys, 0), -XEN_EPERM);
    equal("platform", call(__HYPERVISOR_platform_op, THERE, &platform, sizeof platform, 0), -XEN_EPERM);
    test("mmu-update", "mmu_update of this domain's frames: -EINVAL as its own, -EPERM as this domain's");
    memcpy(here, &update, sizeof update);
    equal("own", child_call(data, __HYPERVISOR_mmu_update, THERE, 1, 0, DOMID_SELF, 0), -XEN_EINVAL);
    equal("foreign", child_call(data, __HYPERVISOR_mmu_update, THERE, 1, 0, 0, 0), -XEN_EPERM);
    equal("table", child_call(data, __HYPERVISOR_mmu_update, THERE, 1, 0, 1 << 16 | DOMID_SELF, 0), -XEN_EPERM);
    test("va-mapping", "update_va_mapping of this domain's frame: -EBUSY as its own, -EPERM as this domain's");
    equal("own", child_call(data, __HYPERVISOR_update_va_mapping, SPARE_VA, ours << PAGE_SHIFT | MEMORY_RO, 0, 0, 0),
          -XEN_EBUSY);
    equal("foreign", child_call(data, __HYPERVISOR_update_va_mapping_otherdomain, SPARE_VA,
                                ours << PAGE_SHIFT | MEMORY_RO, 0, 0, 0), -XEN_EPERM);
    test("mmuext", "mmuext_op on this domain's tables: -EINVAL as its own, -EPERM as this domain's");
    memcpy(here, &ext, sizeof ext);
    equal("own", child_call(data, __HYPERVISOR_mmuext_op, THERE, 1, 0, DOMID_SELF, 0), -XEN_EINVAL);
    equal("foreign", child_call(data, __HYPERVISOR_mmuext_op, THERE, 1, 0, 0, 0), -XEN_EPERM);
    test("root", "this domain's root as its own: -EINVAL");
    ext.cmd = MMUEXT_NEW_BASEPTR;
    memcpy(here, &ext, sizeof ext);
    equal("result", child_call(data, __HYPERVISOR_mmuext_op, THERE, 1, 0, DOMID_SELF, 0), -XEN_EINVAL);
    test("shutdown", "SCHEDOP_remote_shutdown: -EPERM");
    equal("result", call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &shutdown, sizeof shutdown, 0), -XEN_EPERM);
    test("memory", "what this domain has: -EPERM");
    equal("current", call(__HYPERVISOR_memory_op, XENMEM_current_reservation, &zero, sizeof zero, 0), -XEN_EPERM);
    equal("maximum", call(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &zero, sizeof zero, 0), -XEN_EPERM);
    struct xen_memory_reservation give = {.nr_extents = 1, .domid = 0};
    set_xen_guest_handle(give.extent_start, (xen_pfn_t *)(THERE + 512));
    *(u64 *)(here + 512) = ours;
    equal("decrease", call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &give, sizeof give, 0), 0);
    test("machine-map", "the machine's memory map: -EPERM");
    struct xen_memory_map map = {.nr_entries = 8};
    set_xen_guest_handle(map.buffer, (void *)(THERE + 512));
    equal("result", call(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, &map, sizeof map, 0), -XEN_EPERM);
    test("gsi", "physdev_op setup_gsi: -EPERM");
    equal("result", call(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, &gsi, sizeof gsi, 0), -XEN_EPERM);
    test("descriptor", "update_descriptor of this domain's frame: -EINVAL");
    equal("result", child_call(data, __HYPERVISOR_update_descriptor, ours << PAGE_SHIFT, 0, 0, 0, 0), -XEN_EINVAL);
    test("gdt", "set_gdt with this domain's frame: -EINVAL");
    *(u64 *)here = ours;
    equal("result", child_call(data, __HYPERVISOR_set_gdt, THERE, 512, 0, 0, 0), -XEN_EINVAL);
    test("vcpu-info", "its vcpu_info in this domain's frame: -EINVAL");
    struct vcpu_register_vcpu_info reg = {.mfn = ours};
    memcpy(here, &reg, sizeof reg);
    equal("result", child_call(data, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, THERE, 0, 0), -XEN_EINVAL);
    test("command-line", "the hypervisor's command line is denied");
    equal("result", child_call(data, __HYPERVISOR_xen_version, XENVER_commandline, THERE, 0, 0, 0), 0);
    equal("text", memcmp(here, "<denied>", 8), 0);
    test("callback", "what it is refused leaves it running");
    u64 before = data->counter;
    child_call(data, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);
    differ("counter", data->counter, before);
}

/* The mapper ends while it maps: what it used is given up. */
static void end(void)
{
    u64 *page = page_alloc();
    u32 ref = grant_access(child.domid, memory_virt_to_mfn(page), false);
    gnttab_map_grant_ref_t map = {.host_addr = SPARE_VA, .flags = GNTMAP_host_map, .ref = ref, .dom = 0};

    test("mapper-ends", "when it is destroyed, the grants it mapped are not in use any more");
    equal("call", GRANT_CALL(GNTTABOP_map_grant_ref, map), 0);
    equal("status", map.status, GNTST_okay);
    equal("use", in_use(ref), GTF_reading | GTF_writing);
    memory_unmap((void *)data);
    memory_unmap(here);
    equal("destroy", child_end(&child), 0);
    equal("use", in_use(ref), 0);
    holds("end", grant_end(ref));
    test("mapper-page", "and the page can become a table again");
    equal("pin", memory_pin(page, 1), 0);
    equal("unpin", memory_unpin(page), 0);
}

void guest_main(void)
{
    report_start("foreign-call");
    if (!runtime_is_dom0()) {
        test("not-dom0", "no domain is made by one that may not: -EPERM");
        equal("result", child_make(&child, 1), -XEN_EPERM);
        report_end();
        return;
    }
    test("make", "a domain is made and runs");
    long error = grant_init(1);
    error = error ? error : child_make(&child, 1);
    error = error ? error : child_boot(&child);
    error = error ? error : domctl_plain(XEN_DOMCTL_unpausedomain, child.domid);
    equal("result", error, 0);
    if (!error) {
        data = child_map(&child, child.mfn[CHILD_DATA]);
        here = child_map(&child, child.mfn[CHILD_FREE]);
        equal("version", child_call(data, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0), 4 << 16 | 17);
        grants();
        transfer();
        events();
        others();
        end();
    }
    report_end();
}

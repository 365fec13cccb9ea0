/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a toolstack does with a domain: domctl on one that this guest makes, runs and ends.
 */
#include "guests/conform/child.h"
#include "guests/lib/clock.h"

static struct child child;
static volatile struct child_data *data;
static xen_domctl_t op;

static long ctl(u32 cmd)
{
    return domctl_op(&op, cmd, child.domid);
}

static void clear(void)
{
    memset(&op, 0, sizeof op);
}

static u32 flags_of(void)
{
    xen_domctl_getdomaininfo_t info;

    return child_info(&child, &info) ? 0 : info.flags;
}

static void made(void)
{
    xen_domctl_getdomaininfo_t info;
    static const u8 handle[16] = "0123456789abcde";

    test("number", "createdomain with a number takes that, if it is free, else -EEXIST");
    clear();
    op.u.createdomain.max_vcpus = 1;
    op.u.createdomain.max_evtchn_port = 10;
    op.u.createdomain.max_grant_frames = 1;
    op.u.createdomain.max_maptrack_frames = 1;
    op.u.createdomain.grant_opts = 1;
    equal("777", domctl_op(&op, XEN_DOMCTL_createdomain, 777), 0);
    equal("domain", op.domain, 777);
    equal("again", domctl_op(&op, XEN_DOMCTL_createdomain, 777), -XEN_EEXIST);
    equal("destroy", domctl_plain(XEN_DOMCTL_destroydomain, 777), 0);
    test("info", "getdomaininfo: paused, its pages, its vCPUs, none of them online");
    equal("result", child_info(&child, &info), 0);
    equal("paused", info.flags & (XEN_DOMINF_paused | XEN_DOMINF_dying | XEN_DOMINF_shutdown), XEN_DOMINF_paused);
    equal("pages", info.tot_pages, CHILD_PAGES);
    equal("max pages", info.max_pages, CHILD_PAGES + 8);
    equal("online", info.nr_online_vcpus, 0);
    equal("max vcpu", info.max_vcpu_id, 1);
    test("list", "getdomaininfolist: both domains, in order");
    static xen_domctl_getdomaininfo_t list[4];
    xen_sysctl_t sys = {.u.getdomaininfolist = {.max_domains = 4}};
    set_xen_guest_handle(sys.u.getdomaininfolist.buffer, list);
    equal("result", sysctl_op(&sys, XEN_SYSCTL_getdomaininfolist), 0);
    equal("number", sys.u.getdomaininfolist.num_domains, 2);
    equal("first", list[0].domain, 0);
    equal("second", list[1].domain, child.domid);
    test("handle", "setdomainhandle: getdomaininfo tells it");
    clear();
    memcpy(op.u.setdomainhandle.handle, handle, sizeof handle);
    equal("result", ctl(XEN_DOMCTL_setdomainhandle), 0);
    child_info(&child, &info);
    equal("handle", memcmp(info.handle, handle, sizeof handle), 0);
    test("max-vcpus", "max_vcpus with another number than it was created for: -EINVAL; with the same: 0");
    clear();
    op.u.max_vcpus.max = 3;
    equal("3", ctl(XEN_DOMCTL_max_vcpus), -XEN_EINVAL);
    op.u.max_vcpus.max = 2;
    equal("2", ctl(XEN_DOMCTL_max_vcpus), 0);
    test("max-mem", "max_mem below what it has: it keeps it, and gets no more");
    clear();
    op.u.max_mem.max_memkb = 16;
    equal("result", ctl(XEN_DOMCTL_max_mem), 0);
    child_info(&child, &info);
    equal("pages", info.tot_pages, CHILD_PAGES);
    u64 pfn = 100;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = child.domid};
    set_xen_guest_handle(r.extent_start, &pfn);
    equal("populated", hypercall_memory_op(XENMEM_populate_physmap, &r), 0);
    op.u.max_mem.max_memkb = (CHILD_PAGES + 8) * 4;
    equal("raised", ctl(XEN_DOMCTL_max_mem), 0);
    equal("populated", hypercall_memory_op(XENMEM_populate_physmap, &r), 1);
    test("memory", "current and maximum reservation of another domain");
    u16 domid = child.domid;
    equal("current", hypercall_memory_op(XENMEM_current_reservation, &domid), CHILD_PAGES + 1);
    equal("maximum", hypercall_memory_op(XENMEM_maximum_reservation, &domid), CHILD_PAGES + 8);
    test("decrease-other", "decrease_reservation for another domain");
    equal("done", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    equal("current", hypercall_memory_op(XENMEM_current_reservation, &domid), CHILD_PAGES);
}

static void contexts(void)
{
    static vcpu_guest_context_t context;

    test("context-none", "getvcpucontext of a vCPU that is not initialised: -ENODATA");
    clear();
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    equal("result", ctl(XEN_DOMCTL_getvcpucontext), -XEN_ENODATA);
    test("context-range", "of one that does not exist: -EINVAL");
    op.u.vcpucontext.vcpu = 2;
    equal("get", ctl(XEN_DOMCTL_getvcpucontext), -XEN_EINVAL);
    equal("set", ctl(XEN_DOMCTL_setvcpucontext), -XEN_EINVAL);
    op.u.vcpucontext.vcpu = 0;
    test("context-root", "setvcpucontext without a root, or with a frame that is no L4 table: -EINVAL");
    memset(&context, 0, sizeof context);
    context.flags = VGCF_in_kernel;
    context.ctrlreg[3] = MFN_BEYOND << PAGE_SHIFT;
    equal("beyond", ctl(XEN_DOMCTL_setvcpucontext), -XEN_EINVAL);
    context.ctrlreg[3] = memory_virt_to_mfn(memory_root()) << PAGE_SHIFT;
    equal("another domain's", ctl(XEN_DOMCTL_setvcpucontext), -XEN_EINVAL);
    test("context-noncanonical", "with an address that is not canonical: -EINVAL");
    context.user_regs.rip = VA_NONCANONICAL;
    equal("rip", ctl(XEN_DOMCTL_setvcpucontext), -XEN_EINVAL);
    context.user_regs.rip = 0;
    context.event_callback_eip = VA_NONCANONICAL;
    equal("callback", ctl(XEN_DOMCTL_setvcpucontext), -XEN_EINVAL);
    test("context-fault", "one that cannot be read: -EFAULT");
    set_xen_guest_handle(op.u.vcpucontext.ctxt, (vcpu_guest_context_t *)VA_UNMAPPED);
    equal("result", ctl(XEN_DOMCTL_setvcpucontext), -XEN_EFAULT);
    test("upcalls", "upcalls of a new vCPU are not masked: its builder does that");
    equal("mask", child.shared->vcpu_info[0].evtchn_upcall_mask, 0);
    test("boot", "page tables in its memory are pinned, and a context with them is taken");
    equal("result", child_boot(&child), 0);
    test("upcalls-context", "a context does not change that");
    child.shared->vcpu_info[0].evtchn_upcall_mask = 0;
    equal("result", child_context(&child), 0);
    equal("mask", child.shared->vcpu_info[0].evtchn_upcall_mask, 0);
    child.shared->vcpu_info[0].evtchn_upcall_mask = 1;
    test("context", "getvcpucontext gives it back");
    clear();
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    equal("result", ctl(XEN_DOMCTL_getvcpucontext), 0);
    equal("rip", context.user_regs.rip, CHILD_VA + CHILD_CODE * PAGE_SIZE);
    equal("cs", context.user_regs.cs, FLAT_KERNEL_CS);
    equal("root", context.ctrlreg[3], child.mfn[CHILD_L4] << PAGE_SHIFT);
    equal("kernel", context.flags & VGCF_in_kernel, VGCF_in_kernel);
    test("frames", "getpageframeinfo3 of its frames: tables, the root pinned, and data");
    static u64 frames[6];
    clear();
    for (u32 i = 0; i < 6; i++)
        frames[i] = child.mfn[i];
    op.u.getpageframeinfo3.num = 6;
    set_xen_guest_handle(op.u.getpageframeinfo3.array, frames);
    equal("result", ctl(XEN_DOMCTL_getpageframeinfo3), 0);
    equal("L4", frames[CHILD_L4], XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB);
    equal("L3", frames[CHILD_L3], XEN_DOMCTL_PFINFO_L3TAB);
    equal("L2", frames[CHILD_L2], XEN_DOMCTL_PFINFO_L2TAB);
    equal("L1", frames[CHILD_L1], XEN_DOMCTL_PFINFO_L1TAB);
    equal("code", frames[CHILD_CODE], XEN_DOMCTL_PFINFO_NOTAB);
    test("foreign-table", "the initial domain changes an entry of its table by mmu_update, in its name");
    u64 at = child.mfn[CHILD_L1] << PAGE_SHIFT | 20 * 8;
    mmu_update_t update = {.ptr = at, .val = child.mfn[CHILD_FREE] << PAGE_SHIFT | MEMORY_RO};
    u32 both = (u32)(child.domid + 1) << 16 | child.domid;
    equal("update", hypercall_mmu_update(&update, 1, NULL, both), 0);
    test("foreign-owner", "with a frame of its own it is refused: -EBUSY, or -EINVAL");
    update.val = memory_virt_to_mfn(page_alloc()) << PAGE_SHIFT | MEMORY_RO;
    long got = hypercall_mmu_update(&update, 1, NULL, both);
    equal("update", got, -XEN_EBUSY);
}

static void vcpus(void)
{
    u8 map = 0;

    test("vcpu-info", "getvcpuinfo: online, not running; its time is 0");
    clear();
    equal("result", ctl(XEN_DOMCTL_getvcpuinfo), 0);
    equal("online", op.u.getvcpuinfo.online, 1);
    equal("running", op.u.getvcpuinfo.running, 0);
    equal("blocked", op.u.getvcpuinfo.blocked, 0);
    equal("time", op.u.getvcpuinfo.cpu_time, 0);
    test("vcpu-info-down", "of one that is not initialised: not online");
    clear();
    op.u.getvcpuinfo.vcpu = 1;
    equal("result", ctl(XEN_DOMCTL_getvcpuinfo), 0);
    equal("online", op.u.getvcpuinfo.online, 0);
    test("affinity", "setvcpuaffinity to the one CPU; getvcpuaffinity tells it");
    clear();
    map = 1;
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard.nr_bits = 8;
    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, &map);
    equal("set", ctl(XEN_DOMCTL_setvcpuaffinity), 0);
    map = 0;
    equal("get", ctl(XEN_DOMCTL_getvcpuaffinity), 0);
    equal("map", map & 1, 1);
    test("affinity-none", "without a CPU, or a flag, or the vCPU: -EINVAL");
    map = 0;
    equal("no cpu", ctl(XEN_DOMCTL_setvcpuaffinity), -XEN_EINVAL);
    map = 1;
    op.u.vcpuaffinity.flags = 0;
    equal("no flag", ctl(XEN_DOMCTL_setvcpuaffinity), -XEN_EINVAL);
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.vcpu = 9;
    equal("no vcpu", ctl(XEN_DOMCTL_setvcpuaffinity), -XEN_EINVAL);
    test("node-affinity", "setnodeaffinity to the one node; an empty map: -EINVAL");
    clear();
    map = 1;
    op.u.nodeaffinity.nodemap.nr_bits = 8;
    set_xen_guest_handle(op.u.nodeaffinity.nodemap.bitmap, &map);
    equal("set", ctl(XEN_DOMCTL_setnodeaffinity), 0);
    equal("get", ctl(XEN_DOMCTL_getnodeaffinity), 0);
    equal("map", map & 1, 1);
    map = 0;
    equal("none", ctl(XEN_DOMCTL_setnodeaffinity), -XEN_EINVAL);
    test("weight", "scheduler_op: the weight is 256, can be set, and 0 leaves it");
    clear();
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    equal("get", ctl(XEN_DOMCTL_scheduler_op), 0);
    equal("weight", op.u.scheduler_op.u.credit2.weight, 256);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit2.weight = 512;
    op.u.scheduler_op.u.credit2.cap = 0;
    equal("put", ctl(XEN_DOMCTL_scheduler_op), 0);
    op.u.scheduler_op.u.credit2.weight = 0;
    equal("put 0", ctl(XEN_DOMCTL_scheduler_op), 0);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    equal("get", ctl(XEN_DOMCTL_scheduler_op), 0);
    equal("weight", op.u.scheduler_op.u.credit2.weight, 512);
    test("weight-other", "of another scheduler: -EINVAL");
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_RTDS;
    equal("result", ctl(XEN_DOMCTL_scheduler_op), -XEN_EINVAL);
}

/* What op holds is permitted and then not any more; @allow: its allow_access. */
static void given_and_taken(u32 cmd, u8 *allow)
{
    *allow = 1;
    equal("give", ctl(cmd), 0);
    *allow = 0;
    equal("take", ctl(cmd), 0);
}

static void permissions(void)
{
    test("ioport", "ioport_permission: given, taken; a range beyond the ports, or empty: -EINVAL");
    clear();
    op.u.ioport_permission.first_port = 0x3f0;
    op.u.ioport_permission.nr_ports = 8;
    given_and_taken(XEN_DOMCTL_ioport_permission, &op.u.ioport_permission.allow_access);
    op.u.ioport_permission.first_port = 0xfffc;
    equal("beyond", ctl(XEN_DOMCTL_ioport_permission), -XEN_EINVAL);
    op.u.ioport_permission.nr_ports = 0;
    equal("empty", ctl(XEN_DOMCTL_ioport_permission), -XEN_EINVAL);
    test("iomem", "iomem_permission: given, taken; a range that wraps: -EINVAL");
    clear();
    op.u.iomem_permission.first_mfn = 0xa0;
    op.u.iomem_permission.nr_mfns = 16;
    given_and_taken(XEN_DOMCTL_iomem_permission, &op.u.iomem_permission.allow_access);
    op.u.iomem_permission.nr_mfns = ~0ul;
    equal("wraps", ctl(XEN_DOMCTL_iomem_permission), -XEN_EINVAL);
    test("irq", "irq_permission of a number that does not exist: -EINVAL");
    clear();
    op.u.irq_permission.pirq = 100000;
    equal("result", ctl(XEN_DOMCTL_irq_permission), -XEN_EINVAL);
}

static void details(void)
{
    u8 *page;

    test("hypercall-page", "hypercall_init fills a frame of it: each stub loads its number and calls");
    clear();
    op.u.hypercall_init.gmfn = child.mfn[CHILD_FREE];
    equal("result", ctl(XEN_DOMCTL_hypercall_init), 0);
    page = child_map(&child, child.mfn[CHILD_FREE]);
    holds("mapped", page);
    if (page) {
        holds("differ", page[5 * 32] != page[5 * 32 + 1] || page[5 * 32] != 0);
        memory_unmap(page);
    }
    test("hypercall-page-none", "a frame beyond memory, or another domain's: -EACCES or -EINVAL");
    op.u.hypercall_init.gmfn = MFN_BEYOND;
    long got = ctl(XEN_DOMCTL_hypercall_init);
    equal("beyond", got, -XEN_EINVAL);
    test("hypercall-page-table", "one of its page tables: -EPERM");
    op.u.hypercall_init.gmfn = child.mfn[CHILD_L1];
    got = ctl(XEN_DOMCTL_hypercall_init);
    equal("table", got, -XEN_EPERM);
    test("address-size", "get_address_size: 64; set to 64 is right, to 48 is not: -EINVAL");
    clear();
    equal("get", ctl(XEN_DOMCTL_get_address_size), 0);
    equal("size", op.u.address_size.size, 64);
    equal("64", ctl(XEN_DOMCTL_set_address_size), 0);
    op.u.address_size.size = 48;
    equal("48", ctl(XEN_DOMCTL_set_address_size), -XEN_EINVAL);
    test("time-offset", "settimeoffset moves its wall clock");
    u32 before = child.shared->wc_sec;
    clear();
    op.u.settimeoffset.time_offset_seconds = 3600;
    equal("result", ctl(XEN_DOMCTL_settimeoffset), 0);
    holds("an hour", child.shared->wc_sec - before >= 3600 - 2 && child.shared->wc_sec - before <= 3600 + 2);
    test("trigger", "sendtrigger: -ESRCH without the vCPU, -ENOSYS for an unknown trigger, -EINVAL for a button");
    clear();
    op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
    op.u.sendtrigger.vcpu = 7;
    got = ctl(XEN_DOMCTL_sendtrigger);
    equal("vcpu", got, -XEN_ESRCH);
    op.u.sendtrigger.vcpu = 0;
    op.u.sendtrigger.trigger = 77;
    equal("unknown", ctl(XEN_DOMCTL_sendtrigger), -XEN_ENOSYS);
    op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_POWER;
    equal("power", ctl(XEN_DOMCTL_sendtrigger), -XEN_EINVAL);
    test("tsc", "gettscinfo: the mode of a new domain, and a frequency");
    clear();
    equal("result", ctl(XEN_DOMCTL_gettscinfo), 0);
    equal("mode", op.u.tsc_info.tsc_mode, 0);
    differ("khz", op.u.tsc_info.gtsc_khz, 0);
    test("virq-handler", "set_virq_handler of a VIRQ that does not exist, or is a vCPU's: -EINVAL");
    clear();
    op.u.set_virq_handler.virq = 99;
    equal("99", ctl(XEN_DOMCTL_set_virq_handler), -XEN_EINVAL);
    op.u.set_virq_handler.virq = VIRQ_TIMER;
    equal("timer", ctl(XEN_DOMCTL_set_virq_handler), -XEN_EINVAL);
    test("hvm-only", "what only HVM domains have: -EINVAL");
    clear();
    equal("gethvmcontext", ctl(XEN_DOMCTL_gethvmcontext), -XEN_EINVAL);
    equal("sethvmcontext", ctl(XEN_DOMCTL_sethvmcontext), -XEN_EINVAL);
}

static bool counts(void)
{
    u64 before = data->counter;

    clock_sleep_ns(2000000);
    return data->counter != before;
}

static void running(void)
{
    xen_domctl_getdomaininfo_t info;

    test("unpause", "unpaused, it runs");
    holds("still", !counts());
    equal("unpause", domctl_plain(XEN_DOMCTL_unpausedomain, child.domid), 0);
    holds("counts", counts());
    test("unpause-twice", "unpaused once more: -EINVAL");
    equal("unpause", domctl_plain(XEN_DOMCTL_unpausedomain, child.domid), -XEN_EINVAL);
    test("time", "its time is counted");
    child_info(&child, &info);
    u64 time = info.cpu_time;
    differ("time", time, 0);
    counts();
    child_info(&child, &info);
    holds("grows", info.cpu_time > time);
    test("pause", "paused, it stands still, and says so");
    equal("pause", domctl_plain(XEN_DOMCTL_pausedomain, child.domid), 0);
    holds("still", !counts());
    equal("flags", flags_of() & XEN_DOMINF_paused, XEN_DOMINF_paused);
    test("pause-counts", "paused twice, it takes two to go on");
    equal("pause", domctl_plain(XEN_DOMCTL_pausedomain, child.domid), 0);
    equal("unpause", domctl_plain(XEN_DOMCTL_unpausedomain, child.domid), 0);
    holds("still", !counts());
    equal("unpause", domctl_plain(XEN_DOMCTL_unpausedomain, child.domid), 0);
    holds("counts", counts());
    equal("flags", flags_of() & XEN_DOMINF_paused, 0);
    test("context-running", "getvcpucontext of a domain that runs: an address in its code");
    static vcpu_guest_context_t context;
    clear();
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    equal("result", ctl(XEN_DOMCTL_getvcpucontext), 0);
    equal("page", context.user_regs.rip >> PAGE_SHIFT, (CHILD_VA >> PAGE_SHIFT) + CHILD_CODE);
    test("blocked", "asleep it is blocked");
    data->command = CHILD_BLOCK;
    counts();
    equal("flags", flags_of() & (XEN_DOMINF_blocked | XEN_DOMINF_running), XEN_DOMINF_blocked);
    holds("still", !counts());
    test("kicked", "an event to a vCPU that sleeps wakes it; without a callback it is not entered");
    data->command = CHILD_COUNT;
    long port = event_alloc_unbound(child.domid, 0);
    long ours = event_bind_interdomain(child.domid, (u32)port);
    child.shared->evtchn_mask[0] = ~0ul;
    child.shared->vcpu_info[0].evtchn_upcall_mask = 0;
    holds("bound", ours > 0);
    test("reset", "setvcpucontext without a context resets the vCPU: then there is none");
    equal("pause", domctl_plain(XEN_DOMCTL_pausedomain, child.domid), 0);
    clear();
    equal("set", ctl(XEN_DOMCTL_setvcpucontext), 0);
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    equal("get", ctl(XEN_DOMCTL_getvcpucontext), -XEN_ENODATA);
    test("set-again", "and can be set up again");
    context.user_regs.rip = CHILD_VA + CHILD_CODE * PAGE_SIZE;
    context.flags |= VGCF_online;
    equal("set", ctl(XEN_DOMCTL_setvcpucontext), 0);
    equal("unpause", domctl_plain(XEN_DOMCTL_unpausedomain, child.domid), 0);
    holds("counts", counts());
}

/* It has shut down, and getdomaininfo tells why. */
static void has_shut_down(u32 reason)
{
    u32 flags;

    counts();
    flags = flags_of();
    equal("flags", flags & XEN_DOMINF_shutdown, XEN_DOMINF_shutdown);
    equal("reason", flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, reason);
}

static void ends(void)
{
    xen_domctl_getdomaininfo_t info;
    long virq = event_bind_virq(VIRQ_DOM_EXC, 0);
    sched_remote_shutdown_t remote = {.domain_id = child.domid, .reason = SHUTDOWN_suspend};

    event_clear((u32)virq);
    test("shutdown", "its SCHEDOP_shutdown: the reason is told, and VIRQ_DOM_EXC is pending");
    data->reason = SHUTDOWN_reboot;
    data->command = CHILD_SHUTDOWN;
    has_shut_down(SHUTDOWN_reboot);
    holds("virq", event_pending((u32)virq));
    holds("still", !counts());
    test("resume", "resumedomain: it goes on after its call");
    data->command = CHILD_COUNT;
    equal("resume", domctl_plain(XEN_DOMCTL_resumedomain, child.domid), 0);
    holds("counts", counts());
    equal("flags", flags_of() & XEN_DOMINF_shutdown, 0);
    test("remote-shutdown", "SCHEDOP_remote_shutdown shuts it down with that reason");
    equal("result", hypercall_sched_op(SCHEDOP_remote_shutdown, &remote), 0);
    has_shut_down(SHUTDOWN_suspend);
    equal("resume", domctl_plain(XEN_DOMCTL_resumedomain, child.domid), 0);
    test("crash", "an exception without a handler: it has crashed");
    event_clear((u32)virq);
    data->command = CHILD_UNDEFINED;
    has_shut_down(SHUTDOWN_crash);
    holds("virq", event_pending((u32)virq));
    test("destroy", "destroyed, it is gone");
    memory_unmap((void *)data);
    equal("destroy", child_end(&child), 0);
    equal("info", child_info(&child, &info), -XEN_ESRCH);
}

static void machine(void)
{
    xen_sysctl_t sys = {0};
    static xen_sysctl_cpuinfo_t cpus[4];
    static xen_sysctl_cputopo_t topo[4];
    static xen_sysctl_meminfo_t nodes[4];
    u8 map = 0;

    test("cpuinfo", "sysctl getcpuinfo: one CPU");
    sys.u.getcpuinfo.max_cpus = 4;
    set_xen_guest_handle(sys.u.getcpuinfo.info, cpus);
    equal("result", sysctl_op(&sys, XEN_SYSCTL_getcpuinfo), 0);
    equal("cpus", sys.u.getcpuinfo.nr_cpus, 1);
    test("topology", "cputopoinfo: one CPU; a null array asks for the number");
    memset(&sys, 0, sizeof sys);
    equal("null", sysctl_op(&sys, XEN_SYSCTL_cputopoinfo), 0);
    equal("cpus", sys.u.cputopoinfo.num_cpus, 1);
    sys.u.cputopoinfo.num_cpus = 4;
    set_xen_guest_handle(sys.u.cputopoinfo.cputopo, topo);
    equal("result", sysctl_op(&sys, XEN_SYSCTL_cputopoinfo), 0);
    equal("cpus", sys.u.cputopoinfo.num_cpus, 1);
    equal("core", topo[0].core, 0);
    equal("node", topo[0].node, 0);
    test("numa", "numainfo: one node");
    memset(&sys, 0, sizeof sys);
    sys.u.numainfo.num_nodes = 4;
    set_xen_guest_handle(sys.u.numainfo.meminfo, nodes);
    equal("result", sysctl_op(&sys, XEN_SYSCTL_numainfo), 0);
    equal("nodes", sys.u.numainfo.num_nodes, 1);
    holds("memory", nodes[0].memfree > 0 && nodes[0].memfree < nodes[0].memsize);
    test("availheap", "availheap: what is free");
    memset(&sys, 0, sizeof sys);
    sys.u.availheap.node = -1;
    equal("result", sysctl_op(&sys, XEN_SYSCTL_availheap), 0);
    holds("bytes", sys.u.availheap.avail_bytes > 0);
    test("cpupool", "cpupool_op: pool 0 with the CPU; there is no other: -ENOENT");
    memset(&sys, 0, sizeof sys);
    sys.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
    sys.u.cpupool_op.cpumap.nr_bits = 8;
    set_xen_guest_handle(sys.u.cpupool_op.cpumap.bitmap, &map);
    equal("result", sysctl_op(&sys, XEN_SYSCTL_cpupool_op), 0);
    equal("map", map & 1, 1);
    equal("scheduler", sys.u.cpupool_op.sched_id, XEN_SCHEDULER_CREDIT2);
    sys.u.cpupool_op.cpupool_id = 1;
    equal("other", sysctl_op(&sys, XEN_SYSCTL_cpupool_op), -XEN_ENOENT);
}

void guest_main(void)
{
    report_start("toolstack");
    if (!runtime_is_dom0()) {
        test("not-dom0", "a domain without privilege can ask for itself by no domctl: -EPERM");
        equal("info", domctl_plain(XEN_DOMCTL_getdomaininfo, 0), -XEN_EPERM);
        equal("pause", domctl_plain(XEN_DOMCTL_pausedomain, 0), -XEN_EPERM);
        report_end();
        return;
    }
    test("make", "a domain with two vCPUs is made");
    long error = child_make(&child, 2);
    equal("result", error, 0);
    if (!error) {
        made();
        contexts();
        data = child_map(&child, child.mfn[CHILD_DATA]);
        vcpus();
        permissions();
        details();
        running();
        ends();
    }
    machine();
    report_end();
}

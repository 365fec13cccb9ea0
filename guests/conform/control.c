/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl, domctl and platform_op: versions, queries, errors; hvm_op, xsm_op and their like.
 */
#include "guests/conform/conform.h"

#include <xen/domctl.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

static xen_sysctl_t sys;
static xen_domctl_t dom;
static xen_platform_op_t plat;

static long sysctl(u32 cmd)
{
    sys.cmd = cmd;
    sys.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall_sysctl(&sys);
}

static long domctl(u32 cmd, u16 domid)
{
    dom.cmd = cmd;
    dom.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    dom.domain = domid;
    return hypercall_domctl(&dom);
}

static long platform(u32 cmd)
{
    plat.cmd = cmd;
    plat.interface_version = XENPF_INTERFACE_VERSION;
    return hypercall_platform_op(&plat);
}

static void system_(void)
{
    test("sysctl-version", "another interface version: -EACCES");
    memset(&sys, 0, sizeof sys);
    sys.cmd = XEN_SYSCTL_physinfo;
    sys.interface_version = 1;
    equal("result", hypercall_sysctl(&sys), -XEN_EACCES);
    test("sysctl-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_sysctl((void *)VA_UNMAPPED), -XEN_EFAULT);
    test("sysctl-unknown", "an unknown operation: -ENOSYS");
    equal("result", sysctl(9999), -XEN_ENOSYS);
    test("physinfo", "physinfo: one processor, memory, free memory");
    memset(&sys, 0, sizeof sys);
    equal("result", sysctl(XEN_SYSCTL_physinfo), 0);
    equal("cpus", sys.u.physinfo.nr_cpus, 1);
    equal("threads", sys.u.physinfo.threads_per_core, 1);
    holds("total", sys.u.physinfo.total_pages > start_info->nr_pages);
    holds("free", sys.u.physinfo.free_pages < sys.u.physinfo.total_pages);
    differ("khz", sys.u.physinfo.cpu_khz, 0);
    test("getdomaininfolist", "the list of domains has this one");
    static xen_domctl_getdomaininfo_t info[4];
    memset(&sys, 0, sizeof sys);
    sys.u.getdomaininfolist.first_domain = 0;
    sys.u.getdomaininfolist.max_domains = 4;
    set_xen_guest_handle(sys.u.getdomaininfolist.buffer, info);
    equal("result", sysctl(XEN_SYSCTL_getdomaininfolist), 0);
    equal("domains", sys.u.getdomaininfolist.num_domains, 1);
    equal("id", info[0].domain, 0);
    holds("pages", info[0].tot_pages >= start_info->nr_pages);
    equal("vcpus", info[0].nr_online_vcpus, 1);
    test("getdomaininfolist-first", "from a number above all domains: none");
    sys.u.getdomaininfolist.first_domain = 1;
    equal("result", sysctl(XEN_SYSCTL_getdomaininfolist), 0);
    equal("domains", sys.u.getdomaininfolist.num_domains, 0);
    test("readconsole", "readconsole gives what the hypervisor has said");
    static char text[128];
    memset(&sys, 0, sizeof sys);
    sys.u.readconsole.count = sizeof text;
    set_xen_guest_handle(sys.u.readconsole.buffer, text);
    equal("result", sysctl(XEN_SYSCTL_readconsole), 0);
    holds("text", sys.u.readconsole.count > 0 && sys.u.readconsole.count <= sizeof text);
    test("sched-id", "sched_id answers a scheduler");
    memset(&sys, 0, sizeof sys);
    equal("result", sysctl(XEN_SYSCTL_sched_id), 0);
    differ("id", sys.u.sched_id.sched_id, 0);
    u32 scheduler = sys.u.sched_id.sched_id;
    test("scheduler-op", "the parameters of that scheduler can be asked for");
    memset(&sys, 0, sizeof sys);
    sys.u.scheduler_op.sched_id = scheduler;
    sys.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    equal("result", sysctl(XEN_SYSCTL_scheduler_op), 0);
    test("scheduler-op-other", "of another scheduler: -EINVAL");
    sys.u.scheduler_op.sched_id = 77;
    equal("result", sysctl(XEN_SYSCTL_scheduler_op), -XEN_EINVAL);
    test("scheduler-op-pool", "of a pool that does not exist: -ESRCH");
    sys.u.scheduler_op.sched_id = scheduler;
    sys.u.scheduler_op.cpupool_id = 77;
    equal("result", sysctl(XEN_SYSCTL_scheduler_op), -XEN_ESRCH);
    test("scheduler-op-cmd", "an unknown command: -EINVAL");
    sys.u.scheduler_op.cpupool_id = 0;
    sys.u.scheduler_op.cmd = 77;
    equal("result", sysctl(XEN_SYSCTL_scheduler_op), -XEN_EINVAL);
}

static void domctl_errors(void)
{
    test("domctl-version", "another interface version: -EACCES");
    memset(&dom, 0, sizeof dom);
    dom.cmd = XEN_DOMCTL_getdomaininfo;
    dom.interface_version = 1;
    equal("result", hypercall_domctl(&dom), -XEN_EACCES);
    test("domctl-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_domctl((void *)VA_UNMAPPED), -XEN_EFAULT);
    test("domctl-unknown", "an unknown operation: -ENOSYS");
    equal("result", domctl(9999, 0), -XEN_ENOSYS);
    test("domctl-nobody", "an unknown domain: -ESRCH");
    static const u32 cmds[] = {XEN_DOMCTL_pausedomain, XEN_DOMCTL_unpausedomain, XEN_DOMCTL_destroydomain,
                               XEN_DOMCTL_max_vcpus, XEN_DOMCTL_max_mem, XEN_DOMCTL_getvcpucontext,
                               XEN_DOMCTL_getvcpuinfo, XEN_DOMCTL_hypercall_init, XEN_DOMCTL_ioport_permission};
    for (u32 i = 0; i < ARRAY_SIZE(cmds); i++)
        equal("result", domctl(cmds[i], DOMID_NOBODY), -XEN_ESRCH);
}

static void own_domain(void)
{
    test("getdomaininfo", "getdomaininfo of the own domain");
    memset(&dom, 0, sizeof dom);
    equal("result", domctl(XEN_DOMCTL_getdomaininfo, 0), 0);
    equal("domain", dom.domain, 0);
    equal("running", dom.u.getdomaininfo.flags & XEN_DOMINF_running, XEN_DOMINF_running);
    equal("hvm", dom.u.getdomaininfo.flags & XEN_DOMINF_hvm_guest, 0);
    equal("shared info", dom.u.getdomaininfo.shared_info_frame, start_info->shared_info >> 12);
    equal("max vcpu", dom.u.getdomaininfo.max_vcpu_id, 0);
    test("getdomaininfo-next", "getdomaininfo above all domains: -ESRCH");
    equal("result", domctl(XEN_DOMCTL_getdomaininfo, 1), -XEN_ESRCH);
    test("pause-self", "a domain cannot pause or destroy itself: -EINVAL");
    equal("pause", domctl(XEN_DOMCTL_pausedomain, 0), -XEN_EINVAL);
    equal("unpause", domctl(XEN_DOMCTL_unpausedomain, 0), -XEN_EINVAL);
    equal("destroy", domctl(XEN_DOMCTL_destroydomain, 0), -XEN_EINVAL);
    test("max-vcpus", "max_vcpus of another number for a running domain: -EINVAL");
    dom.u.max_vcpus.max = 4;
    equal("result", domctl(XEN_DOMCTL_max_vcpus, 0), -XEN_EINVAL);
    test("getvcpucontext-self", "the context of the own vCPU: -EINVAL");
    static vcpu_guest_context_t context;
    memset(&dom, 0, sizeof dom);
    set_xen_guest_handle(dom.u.vcpucontext.ctxt, &context);
    equal("result", domctl(XEN_DOMCTL_getvcpucontext, 0), -XEN_EINVAL);
    test("getvcpuinfo", "getvcpuinfo: online, running, on processor 0");
    memset(&dom, 0, sizeof dom);
    equal("result", domctl(XEN_DOMCTL_getvcpuinfo, 0), 0);
    equal("online", dom.u.getvcpuinfo.online, 1);
    equal("running", dom.u.getvcpuinfo.running, 1);
    equal("cpu", dom.u.getvcpuinfo.cpu, 0);
    test("getvcpuinfo-none", "of a vCPU that does not exist: -EINVAL");
    dom.u.getvcpuinfo.vcpu = 5;
    equal("result", domctl(XEN_DOMCTL_getvcpuinfo, 0), -XEN_EINVAL);
    dom.u.getvcpuinfo.vcpu = 5000;
    equal("result", domctl(XEN_DOMCTL_getvcpuinfo, 0), -XEN_EINVAL);
    test("pageframe", "getpageframeinfo3: the types of frames");
    static u64 frames[3];
    u64 *table = table_page();
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    frames[0] = memory_virt_to_mfn(page_alloc());
    frames[1] = memory_virt_to_mfn(table);
    frames[2] = MFN_BEYOND;
    memset(&dom, 0, sizeof dom);
    dom.u.getpageframeinfo3.num = 3;
    set_xen_guest_handle(dom.u.getpageframeinfo3.array, frames);
    equal("result", domctl(XEN_DOMCTL_getpageframeinfo3, 0), 0);
    equal("data", frames[0], XEN_DOMCTL_PFINFO_NOTAB);
    equal("table", frames[1], XEN_DOMCTL_PFINFO_L1TAB | XEN_DOMCTL_PFINFO_LPINTAB);
    equal("beyond", frames[2], XEN_DOMCTL_PFINFO_XTAB);
}

static void made_domain(u16 made)
{
    test("create", "createdomain makes a domain without memory and paused");
    memset(&dom, 0, sizeof dom);
    equal("info", domctl(XEN_DOMCTL_getdomaininfo, made), 0);
    equal("pages", dom.u.getdomaininfo.tot_pages, 0);
    equal("paused", dom.u.getdomaininfo.flags & XEN_DOMINF_paused, XEN_DOMINF_paused);
    test("max-mem", "max_mem sets its limit");
    dom.u.max_mem.max_memkb = 4096;
    equal("result", domctl(XEN_DOMCTL_max_mem, made), 0);
    equal("info", domctl(XEN_DOMCTL_getdomaininfo, made), 0);
    equal("max pages", dom.u.getdomaininfo.max_pages, 1024);
    test("populate-other", "memory can be given to it");
    static u64 list[16];
    struct xen_memory_reservation r = {.nr_extents = 16, .domid = made};
    for (u32 i = 0; i < 16; i++)
        list[i] = i;
    set_xen_guest_handle(r.extent_start, list);
    equal("populated", hypercall_memory_op(XENMEM_populate_physmap, &r), 16);
    equal("m2p", memory_mfn_to_pfn(list[3]), 3);
    test("foreign-map", "and its frames can be mapped");
    u64 va = memory_reserve(1);
    memory_map(va, 0);
    equal("result", hypercall_update_va_mapping_otherdomain(va, list[3] << 12 | MEMORY_RW, UVMF_INVLPG, made), 0);
    *(volatile u64 *)va = 0x1234;
    test("foreign-own", "not as the own domain's: -EBUSY");
    u64 va2 = memory_reserve(1);
    memory_map(va2, 0);
    equal("result", hypercall_update_va_mapping(va2, list[3] << 12 | MEMORY_RW, UVMF_INVLPG), -XEN_EBUSY);
    test("foreign-type", "a frame that is mapped writable by another domain cannot become its page table: -EINVAL");
    struct mmuext_op pin = {.cmd = MMUEXT_PIN_L1_TABLE};
    pin.arg1.mfn = list[3];
    equal("result", hypercall_mmuext_op(&pin, 1, NULL, made), -XEN_EINVAL);
    test("foreign-pin", "unmapped it can");
    memory_unmap((void *)va);
    memory_map(va, 0);
    hypercall_update_va_mapping_otherdomain(va, list[4] << 12 | MEMORY_RW, UVMF_INVLPG, made);
    memset((void *)va, 0, PAGE_SIZE);
    memory_unmap((void *)va);
    pin.arg1.mfn = list[4];
    equal("result", hypercall_mmuext_op(&pin, 1, NULL, made), 0);
    test("unmade-unpause", "a domain without a vCPU cannot run: unpause answers 0 or -EINVAL");
    equal("result", domctl(XEN_DOMCTL_unpausedomain, made), 0);
    test("destroy", "destroydomain ends it");
    equal("result", domctl(XEN_DOMCTL_destroydomain, made), 0);
    equal("gone", domctl(XEN_DOMCTL_destroydomain, made), -XEN_ESRCH);
}

static void creation(void)
{
    test("create-bad", "createdomain with flags that do not exist: -EINVAL");
    memset(&dom, 0, sizeof dom);
    dom.u.createdomain.flags = 0xffffff00;
    equal("result", domctl(XEN_DOMCTL_createdomain, DOMID_SELF), -XEN_EINVAL);
    test("create-taken", "createdomain with a number in use: -EINVAL or -EEXIST");
    memset(&dom, 0, sizeof dom);
    dom.u.createdomain.max_vcpus = 1;
    dom.u.createdomain.max_grant_frames = 4;
    dom.u.createdomain.max_maptrack_frames = 4;
    dom.u.createdomain.max_evtchn_port = 100;
    dom.u.createdomain.grant_opts = 1;
    dom.u.createdomain.arch.emulation_flags = 0;
    long got = domctl(XEN_DOMCTL_createdomain, 0);
    holds("a domain of another number, or an error", got == 0 ? dom.domain != 0 : got < 0);
    if (!got)
        made_domain(dom.domain);
}

static void platforms(void)
{
    test("platform-version", "another interface version: -EACCES");
    memset(&plat, 0, sizeof plat);
    plat.cmd = XENPF_settime64;
    plat.interface_version = 1;
    equal("result", hypercall_platform_op(&plat), -XEN_EACCES);
    test("platform-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_platform_op((void *)VA_UNMAPPED), -XEN_EFAULT);
    test("platform-unknown", "an unknown operation: -ENOSYS");
    equal("result", platform(9999), -XEN_ENOSYS);
    test("settime", "settime64 sets the wall clock of the shared info page");
    memset(&plat, 0, sizeof plat);
    plat.u.settime64.secs = 1234567890;
    plat.u.settime64.nsecs = 500;
    plat.u.settime64.system_time = 0;
    equal("result", platform(XENPF_settime64), 0);
    equal("sec", shared_info->wc_sec, 1234567890);
    equal("nsec", shared_info->wc_nsec, 500);
    equal("version", shared_info->wc_version & 1, 0);
    test("settime-mbz", "settime64 with a field that must be zero: -EINVAL");
    plat.u.settime64.mbz = 1;
    equal("result", platform(XENPF_settime64), -XEN_EINVAL);
    test("firmware-unknown", "firmware_info of an unknown kind: -EINVAL");
    memset(&plat, 0, sizeof plat);
    plat.u.firmware_info.type = 99;
    equal("result", platform(XENPF_firmware_info), -XEN_EINVAL);
    test("cpu-info", "pcpu_info of processor 0: online");
    memset(&plat, 0, sizeof plat);
    plat.u.pcpu_info.xen_cpuid = 0;
    equal("result", platform(XENPF_get_cpuinfo), 0);
    equal("max", plat.u.pcpu_info.max_present, 0);
    holds("online", plat.u.pcpu_info.flags & XEN_PCPU_FLAGS_ONLINE);
}

static void others(void)
{
    struct xen_hvm_param param = {.domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN};

    test("hvm-param", "hvm_op get_param of a PV domain: -EINVAL");
    long got = hypercall_hvm_op(HVMOP_get_param, &param);
    equal("get", got, -XEN_EINVAL);
    test("hvm-unknown", "an unknown hvm_op: -ENOSYS");
    equal("result", hypercall_hvm_op(999, &param), -XEN_ENOSYS);
    test("hvm-time", "hvm_op get_time is for HVM domains: 0 or an error");
    xen_hvm_get_time_t now;
    got = hypercall_hvm_op(HVMOP_get_time, &now);
    equal("result", got, 0);
    test("xsm", "xsm_op without a policy module: -ENOSYS");
    got = hypercall_xsm_op((void *)VA_UNMAPPED);
    equal("result", got, -XEN_ENOSYS);
    test("xenoprof", "xenoprof_op: -ENOSYS, -EPERM or -EINVAL for an unknown operation");
    got = hypercall_xenoprof_op(999, &param);
    holds("error", got < 0);
    test("kexec", "kexec_op with an unknown operation answers 0");
    got = hypercall_kexec_op(999, &param);
    equal("result", got, runtime_is_dom0() ? 0 : -XEN_EPERM);
}

static void compat(void)
{
    test("sched-compat-yield", "the old sched_op: yield");
    equal("result", hypercall_sched_op_compat(SCHEDOP_yield, 0), 0);
    test("sched-compat-unknown", "an unknown operation: -ENOSYS");
    equal("result", hypercall_sched_op_compat(77, 0), -XEN_ENOSYS);
    evtchn_op_t op = {.cmd = EVTCHNOP_bind_ipi};
    test("evtchn-compat", "the old event_channel_op: bind_ipi");
    op.u.bind_ipi.vcpu = 0;
    long got = hypercall_event_channel_op_compat(&op);
    equal("result", got, 0);
    holds("port", op.u.bind_ipi.port > 0);
    test("evtchn-compat-send", "its send and close");
    evtchn_op_t send = {.cmd = EVTCHNOP_send};
    send.u.send.port = op.u.bind_ipi.port;
    equal("send", hypercall_event_channel_op_compat(&send), 0);
    holds("pending", event_pending(op.u.bind_ipi.port));
    evtchn_op_t close = {.cmd = EVTCHNOP_close};
    close.u.close.port = op.u.bind_ipi.port;
    equal("close", hypercall_event_channel_op_compat(&close), 0);
    test("evtchn-compat-unknown", "an unknown operation: -ENOSYS");
    op.cmd = 77;
    equal("result", hypercall_event_channel_op_compat(&op), -XEN_ENOSYS);
    test("evtchn-compat-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_event_channel_op_compat((void *)VA_UNMAPPED), -XEN_EFAULT);
    physdev_op_t phys = {.cmd = PHYSDEVOP_set_iopl};
    test("physdev-compat", "the old physdev_op: set_iopl");
    phys.u.set_iopl.iopl = 0;
    equal("result", hypercall_physdev_op_compat(&phys), 0);
    test("physdev-compat-unknown", "an unknown operation: -ENOSYS");
    phys.cmd = 77;
    equal("result", hypercall_physdev_op_compat(&phys), -XEN_ENOSYS);
    test("physdev-compat-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_physdev_op_compat((void *)VA_UNMAPPED), -XEN_EFAULT);
}

void guest_main(void)
{
    report_start("control");
    if (runtime_is_dom0()) {
        system_();
        domctl_errors();
        own_domain();
        creation();
        platforms();
    } else {
        test("not-dom0", "sysctl, domctl and platform_op: -EPERM for other domains");
        memset(&sys, 0, sizeof sys);
        equal("sysctl", sysctl(XEN_SYSCTL_physinfo), -XEN_EPERM);
        equal("domctl", domctl(XEN_DOMCTL_getdomaininfo, 0), -XEN_EPERM);
        equal("platform", platform(XENPF_get_cpuinfo), -XEN_EPERM);
    }
    others();
    compat();
    report_end();
}

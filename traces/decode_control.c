/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl, sysctl, platform_op: one structure, whose first member is the command.
 * Source: Xen's public domctl.h, sysctl.h, platform.h.
 */
#include "traces/xen_public.h"

#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#include "traces/decode_table.h"

/* Members of the union, counted from the start of the whole structure. */
#define D_IN(label, member, kind)        IN(label, struct xen_domctl, u.member, kind)
#define D_OUT(label, member, kind)       OUT(label, struct xen_domctl, u.member, kind)
#define D_FLAGS(label, member, names)    IN_NAMED(label, struct xen_domctl, u.member, FLAGS, names)
#define S_IN(label, member, kind)        IN(label, struct xen_sysctl, u.member, kind)
#define S_OUT(label, member, kind)       OUT(label, struct xen_sysctl, u.member, kind)
#define P_IN(label, member, kind)        IN(label, struct xen_platform_op, u.member, kind)
#define P_OUT(label, member, kind)       OUT(label, struct xen_platform_op, u.member, kind)

/* --- domctl -------------------------------------------------------------------------------- */

static const struct trace_name create_flags[] = {
    {XEN_DOMCTL_CDF_hvm, "hvm"},         {XEN_DOMCTL_CDF_hap, "hap"},
    {XEN_DOMCTL_CDF_s3_integrity, "s3_integrity"}, {XEN_DOMCTL_CDF_oos_off, "oos_off"},
    {XEN_DOMCTL_CDF_xs_domain, "xs_domain"}, {XEN_DOMCTL_CDF_iommu, "iommu"},
    {XEN_DOMCTL_CDF_nested_virt, "nested_virt"}, {XEN_DOMCTL_CDF_vpmu, "vpmu"}};
static const struct trace_name info_flags[] = {
    {XEN_DOMINF_dying, "dying"},     {XEN_DOMINF_hvm_guest, "hvm_guest"},
    {XEN_DOMINF_shutdown, "shutdown"}, {XEN_DOMINF_paused, "paused"},
    {XEN_DOMINF_blocked, "blocked"}, {XEN_DOMINF_running, "running"},
    {XEN_DOMINF_debugged, "debugged"}, {XEN_DOMINF_xs_domain, "xs_domain"}};

static const struct decode_field create_fields[] = {
    D_IN("ssidref", createdomain.ssidref, U64),
    D_IN("handle", createdomain.handle, BYTES),
    D_FLAGS("flags", createdomain.flags, create_flags),
    D_IN("max_vcpus", createdomain.max_vcpus, U64),
    D_IN("max_evtchn_port", createdomain.max_evtchn_port, U64),
    D_IN("max_grant_frames", createdomain.max_grant_frames, I64),
    D_IN("max_maptrack_frames", createdomain.max_maptrack_frames, I64),
    D_IN("grant_opts", createdomain.grant_opts, HEX),
    D_IN("emulation_flags", createdomain.arch.emulation_flags, HEX),
    OUT(".domain_after", struct xen_domctl, domain, DOMID)};
static const struct decode_field info_fields[] = {
    OUT("of", struct xen_domctl, u.getdomaininfo.domain, DOMID),
    OUT_NAMED("flags", struct xen_domctl, u.getdomaininfo.flags, FLAGS, info_flags),
    D_OUT("tot_pages", getdomaininfo.tot_pages, U64),
    D_OUT("max_pages", getdomaininfo.max_pages, U64),
    D_OUT("shared_info_frame", getdomaininfo.shared_info_frame, HEX),
    D_OUT("cpu_time", getdomaininfo.cpu_time, TIME),
    D_OUT("online_vcpus", getdomaininfo.nr_online_vcpus, U64),
    D_OUT("max_vcpu_id", getdomaininfo.max_vcpu_id, U64)};
static const struct decode_field affinity_fields[] = {
    D_IN("vcpu", vcpuaffinity.vcpu, U64), D_IN("flags", vcpuaffinity.flags, HEX)};
static const struct decode_field shadow_fields[] = {
    D_IN("shadow_op", shadow_op.op, U64), D_IN("mode", shadow_op.mode, HEX),
    D_IN("mb", shadow_op.mb, U64), D_IN("pages", shadow_op.pages, U64)};
static const struct decode_field max_mem_fields[] = {D_IN("max_memkb", max_mem.max_memkb, U64)};
static const struct decode_field context_fields[] = {D_IN("vcpu", vcpucontext.vcpu, U64),
                                                     D_IN("ctxt", vcpucontext.ctxt, HEX)};
static const struct decode_field vcpuinfo_fields[] = {
    D_IN("vcpu", getvcpuinfo.vcpu, U64),          D_OUT("online", getvcpuinfo.online, BOOL),
    D_OUT("blocked", getvcpuinfo.blocked, BOOL),  D_OUT("running", getvcpuinfo.running, BOOL),
    D_OUT("cpu_time", getvcpuinfo.cpu_time, TIME), D_OUT("cpu", getvcpuinfo.cpu, U64)};
static const struct decode_field max_vcpus_fields[] = {D_IN("max", max_vcpus.max, U64)};
static const struct decode_field sched_fields[] = {D_IN("sched_id", scheduler_op.sched_id, U64),
                                                   D_IN("sched_cmd", scheduler_op.cmd, U64)};
static const struct decode_field handle_fields[] = {D_IN("handle", setdomainhandle.handle, BYTES)};
static const struct decode_field debugging_fields[] = {D_IN("enable", setdebugging.enable, BOOL)};
static const struct decode_field irq_fields[] = {
    D_IN("pirq", irq_permission.pirq, U64), D_IN("allow", irq_permission.allow_access, BOOL)};
static const struct decode_field iomem_fields[] = {
    D_IN("first_mfn", iomem_permission.first_mfn, MFN),
    D_IN("nr_mfns", iomem_permission.nr_mfns, U64),
    D_IN("allow", iomem_permission.allow_access, BOOL)};
static const struct decode_field ioport_fields[] = {
    D_IN("first_port", ioport_permission.first_port, HEX),
    D_IN("nr_ports", ioport_permission.nr_ports, U64),
    D_IN("allow", ioport_permission.allow_access, BOOL)};
static const struct decode_field hypercall_fields[] = {D_IN("gmfn", hypercall_init.gmfn, GFN)};
static const struct decode_field timeoffset_fields[] = {
    D_IN("seconds", settimeoffset.time_offset_seconds, I64)};
static const struct decode_field size_fields[] = {D_IN("size", address_size.size, U64)};
static const struct decode_field trigger_fields[] = {D_IN("trigger", sendtrigger.trigger, U64),
                                                     D_IN("vcpu", sendtrigger.vcpu, U64)};
static const struct decode_field mapping_fields[] = {
    D_IN("first_gfn", memory_mapping.first_gfn, HEX), D_IN("first_mfn", memory_mapping.first_mfn, MFN),
    D_IN("nr_mfns", memory_mapping.nr_mfns, U64), D_IN("add", memory_mapping.add_mapping, BOOL)};
static const struct decode_field ioport_map_fields[] = {
    D_IN("first_gport", ioport_mapping.first_gport, HEX),
    D_IN("first_mport", ioport_mapping.first_mport, HEX),
    D_IN("nr_ports", ioport_mapping.nr_ports, U64), D_IN("add", ioport_mapping.add_mapping, BOOL)};
static const struct decode_field ext_fields[] = {D_IN("vcpu", ext_vcpucontext.vcpu, U64),
                                                 D_IN("size", ext_vcpucontext.size, U64)};
static const struct decode_field target_fields[] = {D_IN("target", set_target.target, DOMID)};
static const struct decode_field tsc_fields[] = {
    D_IN("mode", tsc_info.tsc_mode, U64), D_IN("khz", tsc_info.gtsc_khz, U64),
    D_IN("incarnation", tsc_info.incarnation, U64), D_IN("elapsed", tsc_info.elapsed_nsec, TIME)};
static const struct decode_field frameinfo_fields[] = {
    D_IN("num", getpageframeinfo3.num, U64), D_IN("array", getpageframeinfo3.array, HEX)};
static const struct decode_field extstate_fields[] = {
    D_IN("vcpu", vcpuextstate.vcpu, U64), D_IN("xfeature_mask", vcpuextstate.xfeature_mask, HEX),
    D_IN("size", vcpuextstate.size, U64)};
static const struct decode_field virq_fields[] = {D_IN("virq", set_virq_handler.virq, U64)};
static const struct decode_field msrs_fields[] = {D_IN("vcpu", vcpu_msrs.vcpu, U64),
                                                  D_IN("msr_count", vcpu_msrs.msr_count, U64)};
static const struct decode_field policy_fields[] = {
    D_IN("nr_leaves", cpu_policy.nr_leaves, U64), D_IN("nr_msrs", cpu_policy.nr_msrs, U64),
    D_IN("leaves", cpu_policy.leaves, HEX), D_IN("msrs", cpu_policy.msrs, HEX),
    D_OUT("err_leaf", cpu_policy.err_leaf, HEX), D_OUT("err_subleaf", cpu_policy.err_subleaf, HEX),
    D_OUT("err_msr", cpu_policy.err_msr, HEX)};
static const struct decode_field mempool_fields[] = {D_IN("size", paging_mempool.size, U64)};

#define DOMCTL(name, table) OP(XEN_DOMCTL_##name, #name, struct xen_domctl, table)
#define DOMCTL_BARE(name)   OP_BARE(XEN_DOMCTL_##name, #name)

static const struct decode_op domctl_ops[] = {
    DOMCTL(createdomain, create_fields),
    DOMCTL_BARE(destroydomain),
    DOMCTL_BARE(pausedomain),
    DOMCTL_BARE(unpausedomain),
    DOMCTL(getdomaininfo, info_fields),
    DOMCTL(setvcpuaffinity, affinity_fields),
    DOMCTL(shadow_op, shadow_fields),
    DOMCTL(max_mem, max_mem_fields),
    DOMCTL(setvcpucontext, context_fields),
    DOMCTL(getvcpucontext, context_fields),
    DOMCTL(getvcpuinfo, vcpuinfo_fields),
    DOMCTL(max_vcpus, max_vcpus_fields),
    DOMCTL(scheduler_op, sched_fields),
    DOMCTL(setdomainhandle, handle_fields),
    DOMCTL(setdebugging, debugging_fields),
    DOMCTL(irq_permission, irq_fields),
    DOMCTL(iomem_permission, iomem_fields),
    DOMCTL(ioport_permission, ioport_fields),
    DOMCTL(hypercall_init, hypercall_fields),
    DOMCTL(settimeoffset, timeoffset_fields),
    DOMCTL(getvcpuaffinity, affinity_fields),
    DOMCTL_BARE(resumedomain),
    DOMCTL(sendtrigger, trigger_fields),
    DOMCTL_BARE(subscribe),
    DOMCTL_BARE(gethvmcontext),
    DOMCTL_BARE(sethvmcontext),
    DOMCTL(set_address_size, size_fields),
    DOMCTL(get_address_size, size_fields),
    DOMCTL_BARE(assign_device),
    DOMCTL_BARE(bind_pt_irq),
    DOMCTL(memory_mapping, mapping_fields),
    DOMCTL(ioport_mapping, ioport_map_fields),
    DOMCTL(set_ext_vcpucontext, ext_fields),
    DOMCTL(get_ext_vcpucontext, ext_fields),
    DOMCTL_BARE(test_assign_device),
    DOMCTL(set_target, target_fields),
    DOMCTL_BARE(deassign_device),
    DOMCTL_BARE(unbind_pt_irq),
    DOMCTL_BARE(get_device_group),
    DOMCTL_BARE(debug_op),
    DOMCTL_BARE(gethvmcontext_partial),
    DOMCTL_BARE(vm_event_op),
    DOMCTL_BARE(mem_sharing_op),
    DOMCTL(gettscinfo, tsc_fields),
    DOMCTL(settscinfo, tsc_fields),
    DOMCTL(getpageframeinfo3, frameinfo_fields),
    DOMCTL(setvcpuextstate, extstate_fields),
    DOMCTL(getvcpuextstate, extstate_fields),
    DOMCTL_BARE(set_access_required),
    DOMCTL_BARE(audit_p2m),
    DOMCTL(set_virq_handler, virq_fields),
    DOMCTL_BARE(set_broken_page_p2m),
    DOMCTL_BARE(setnodeaffinity),
    DOMCTL_BARE(getnodeaffinity),
    DOMCTL_BARE(cacheflush),
    DOMCTL(get_vcpu_msrs, msrs_fields),
    DOMCTL(set_vcpu_msrs, msrs_fields),
    DOMCTL_BARE(setvnumainfo),
    DOMCTL_BARE(psr_cmt_op),
    DOMCTL_BARE(monitor_op),
    DOMCTL_BARE(psr_alloc),
    DOMCTL_BARE(soft_reset),
    DOMCTL_BARE(vuart_op),
    DOMCTL(get_cpu_policy, policy_fields),
    DOMCTL(set_cpu_policy, policy_fields),
    DOMCTL_BARE(vmtrace_op),
    DOMCTL(get_paging_mempool_size, mempool_fields),
    DOMCTL(set_paging_mempool_size, mempool_fields),
    DOMCTL_BARE(gdbsx_guestmemio),
    DOMCTL_BARE(gdbsx_pausevcpu),
    DOMCTL_BARE(gdbsx_unpausevcpu),
    DOMCTL_BARE(gdbsx_domstatus),
};

/* --- sysctl -------------------------------------------------------------------------------- */

static const struct decode_field readconsole_fields[] = {
    S_IN("clear", readconsole.clear, BOOL), S_IN("incremental", readconsole.incremental, BOOL),
    S_IN("index", readconsole.index, U64), S_IN("count", readconsole.count, U64),
    S_OUT(".count_after", readconsole.count, U64)};
static const struct decode_field physinfo_fields[] = {
    S_OUT("nr_cpus", physinfo.nr_cpus, U64), S_OUT("cpu_khz", physinfo.cpu_khz, U64),
    S_OUT("total_pages", physinfo.total_pages, U64), S_OUT("free_pages", physinfo.free_pages, U64),
    S_OUT("max_mfn", physinfo.max_mfn, HEX), S_OUT("capabilities", physinfo.capabilities, HEX)};
static const struct decode_field sched_id_fields[] = {S_OUT("sched_id", sched_id.sched_id, U64)};
static const struct decode_field list_fields[] = {
    S_IN("first_domain", getdomaininfolist.first_domain, DOMID),
    S_IN("max_domains", getdomaininfolist.max_domains, U64),
    S_OUT("num_domains", getdomaininfolist.num_domains, U64)};
static const struct decode_field keys_fields[] = {S_IN("keys", debug_keys.keys, HEX),
                                                  S_IN("nr_keys", debug_keys.nr_keys, U64)};
static const struct decode_field cpuinfo_fields[] = {S_IN("max_cpus", getcpuinfo.max_cpus, U64),
                                                     S_OUT("nr_cpus", getcpuinfo.nr_cpus, U64)};
static const struct decode_field heap_fields[] = {
    S_IN("min_bitwidth", availheap.min_bitwidth, U64),
    S_IN("max_bitwidth", availheap.max_bitwidth, U64), S_IN("node", availheap.node, I64),
    S_OUT("avail_bytes", availheap.avail_bytes, U64)};
static const struct decode_field hotplug_fields[] = {S_IN("cpu", cpu_hotplug.cpu, U64),
                                                     S_IN("hotplug_op", cpu_hotplug.op, U64)};
static const struct decode_field topology_fields[] = {S_IN("num_cpus", cputopoinfo.num_cpus, U64)};
static const struct decode_field featureset_fields[] = {
    S_IN("index", cpu_featureset.index, U64), S_IN("nr", cpu_featureset.nr_features, U64)};
static const struct decode_field sys_policy_fields[] = {
    S_IN("index", cpu_policy.index, U64), S_IN("nr_leaves", cpu_policy.nr_leaves, U64),
    S_IN("nr_msrs", cpu_policy.nr_msrs, U64)};

#define SYSCTL(name, table) OP(XEN_SYSCTL_##name, #name, struct xen_sysctl, table)
#define SYSCTL_BARE(name)   OP_BARE(XEN_SYSCTL_##name, #name)

static const struct decode_op sysctl_ops[] = {
    SYSCTL(readconsole, readconsole_fields),
    SYSCTL_BARE(tbuf_op),
    SYSCTL(physinfo, physinfo_fields),
    SYSCTL(sched_id, sched_id_fields),
    SYSCTL_BARE(perfc_op),
    SYSCTL(getdomaininfolist, list_fields),
    SYSCTL(debug_keys, keys_fields),
    SYSCTL(getcpuinfo, cpuinfo_fields),
    SYSCTL(availheap, heap_fields),
    SYSCTL_BARE(get_pmstat),
    SYSCTL(cpu_hotplug, hotplug_fields),
    SYSCTL_BARE(pm_op),
    SYSCTL_BARE(page_offline_op),
    SYSCTL_BARE(lockprof_op),
    SYSCTL(cputopoinfo, topology_fields),
    SYSCTL_BARE(numainfo),
    SYSCTL_BARE(cpupool_op),
    SYSCTL_BARE(scheduler_op),
    SYSCTL_BARE(coverage_op),
    SYSCTL_BARE(psr_cmt_op),
    SYSCTL_BARE(pcitopoinfo),
    SYSCTL_BARE(psr_alloc),
    SYSCTL_BARE(get_cpu_levelling_caps),
    SYSCTL(get_cpu_featureset, featureset_fields),
    SYSCTL_BARE(livepatch_op),
    SYSCTL(get_cpu_policy, sys_policy_fields),
};

/* --- platform_op --------------------------------------------------------------------------- */

static const struct trace_name firmware_names[] = {
    {XEN_FW_DISK_INFO, "disk_info"},     {XEN_FW_DISK_MBR_SIGNATURE, "disk_mbr_signature"},
    {XEN_FW_VBEDDC_INFO, "vbeddc_info"}, {XEN_FW_EFI_INFO, "efi_info"},
    {XEN_FW_KBD_SHIFT_FLAGS, "kbd_shift_flags"}};

static const struct decode_field settime32_fields[] = {
    P_IN("secs", settime32.secs, U64), P_IN("nsecs", settime32.nsecs, U64),
    P_IN("system_time", settime32.system_time, TIME)};
static const struct decode_field settime64_fields[] = {
    P_IN("secs", settime64.secs, U64), P_IN("nsecs", settime64.nsecs, U64),
    P_IN("system_time", settime64.system_time, TIME)};
static const struct decode_field add_memtype_fields[] = {
    P_IN("mfn", add_memtype.mfn, MFN), P_IN("nr_mfns", add_memtype.nr_mfns, U64),
    P_IN("type", add_memtype.type, U64), P_OUT("handle", add_memtype.handle, U64),
    P_OUT("reg", add_memtype.reg, U64)};
static const struct decode_field del_memtype_fields[] = {P_IN("handle", del_memtype.handle, U64),
                                                         P_IN("reg", del_memtype.reg, U64)};
static const struct decode_field read_memtype_fields[] = {
    P_IN("reg", read_memtype.reg, U64), P_OUT("mfn", read_memtype.mfn, MFN),
    P_OUT("nr_mfns", read_memtype.nr_mfns, U64), P_OUT("type", read_memtype.type, U64)};
static const struct decode_field microcode_fields[] = {P_IN("data", microcode.data, HEX),
                                                       P_IN("length", microcode.length, U64)};
static const struct decode_field efi_fields[] = {
    P_IN("function", efi_runtime_call.function, U64), P_IN("misc", efi_runtime_call.misc, HEX),
    P_OUT("status", efi_runtime_call.status, HEX)};
static const struct decode_field firmware_fields[] = {
    IN_NAMED("type", struct xen_platform_op, u.firmware_info.type, ENUM, firmware_names),
    P_IN("index", firmware_info.index, U64)};
static const struct decode_field sleep_fields[] = {
    P_IN("val_a", enter_acpi_sleep.val_a, HEX), P_IN("val_b", enter_acpi_sleep.val_b, HEX),
    P_IN("sleep_state", enter_acpi_sleep.sleep_state, U64),
    P_IN("flags", enter_acpi_sleep.flags, HEX)};
static const struct decode_field pminfo_fields[] = {P_IN("id", set_pminfo.id, U64),
                                                    P_IN("type", set_pminfo.type, U64)};
static const struct decode_field cpu_fields[] = {
    P_IN("xen_cpuid", pcpu_info.xen_cpuid, U64), P_OUT("max_present", pcpu_info.max_present, U64),
    P_OUT("flags", pcpu_info.flags, HEX), P_OUT("apic_id", pcpu_info.apic_id, U64),
    P_OUT("acpi_id", pcpu_info.acpi_id, U64)};
static const struct decode_field version_fields[] = {
    P_IN("xen_cpuid", pcpu_version.xen_cpuid, U64),
    P_OUT("vendor", pcpu_version.vendor_id, TEXT), P_OUT("family", pcpu_version.family, U64),
    P_OUT("model", pcpu_version.model, U64), P_OUT("stepping", pcpu_version.stepping, U64)};
static const struct decode_field cpuid_fields[] = {P_IN("cpuid", cpu_ol.cpuid, U64)};
static const struct decode_field parking_fields[] = {P_IN("type", core_parking.type, U64),
                                                     P_IN("idle_nums", core_parking.idle_nums, U64)};
static const struct decode_field resource_fields[] = {
    P_IN("nr_entries", resource_op.nr_entries, U64), P_IN("cpu", resource_op.cpu, U64)};
static const struct decode_field symbol_fields[] = {
    P_IN("namelen", symdata.namelen, U64), P_IN("symnum", symdata.symnum, U64),
    P_OUT("address", symdata.address, HEX)};

#define PLATFORM(name, table) OP(XENPF_##name, #name, struct xen_platform_op, table)
#define PLATFORM_BARE(name)   OP_BARE(XENPF_##name, #name)

static const struct decode_op platform_ops[] = {
    PLATFORM(settime32, settime32_fields),
    PLATFORM(settime64, settime64_fields),
    PLATFORM(add_memtype, add_memtype_fields),
    PLATFORM(del_memtype, del_memtype_fields),
    PLATFORM(read_memtype, read_memtype_fields),
    PLATFORM(microcode_update, microcode_fields),
    PLATFORM_BARE(platform_quirk),
    PLATFORM(efi_runtime_call, efi_fields),
    PLATFORM(firmware_info, firmware_fields),
    PLATFORM(enter_acpi_sleep, sleep_fields),
    PLATFORM_BARE(change_freq),
    PLATFORM_BARE(getidletime),
    PLATFORM(set_processor_pminfo, pminfo_fields),
    PLATFORM(get_cpuinfo, cpu_fields),
    PLATFORM(get_cpu_version, version_fields),
    PLATFORM(cpu_online, cpuid_fields),
    PLATFORM(cpu_offline, cpuid_fields),
    PLATFORM_BARE(cpu_hotadd),
    PLATFORM_BARE(mem_hotadd),
    PLATFORM(core_parking, parking_fields),
    PLATFORM(resource_op, resource_fields),
    PLATFORM(get_symbol, symbol_fields),
};

/* --- all three ----------------------------------------------------------------------------- */

/* The captured structure, as it was at the entry; the end stands in for it. */
static struct decode_span whole(const struct decode_call *c, enum trace_role role)
{
    struct decode_span in = decode_blob(c->event, role, 0, 0);

    return in.data ? in : decode_blob(c->event, role, 1, 0);
}

static const struct decode_op *find(struct decode_span all, const struct decode_op *ops,
                                    unsigned count)
{
    return all.size_bytes >= 4 ? decode_op_find(ops, count, decode_read_u64(all.data, 4)) : NULL;
}

static void put(struct decode_call *c, enum trace_role role, const struct decode_op *ops,
                unsigned count)
{
    struct decode_span all = whole(c, role);
    const struct decode_op *op = find(all, ops, count);
    uint64_t domain;

    if (!all.data) {
        trace_out_hex(c->o, ".arg", c->arg[0]);
        return;
    }
    if (op)
        trace_out_word(c->o, ".op", op->name);
    else if (all.size_bytes >= 4)
        trace_out_u64(c->o, "op", decode_read_u64(all.data, 4));
    if (role == TRACE_ROLE_DOMCTL &&
        all.size_bytes >= offsetof(struct xen_domctl, domain) + sizeof(domid_t)) {
        domain = decode_read_u64(all.data + offsetof(struct xen_domctl, domain), 2);
        trace_out_domid(c->o, "domain", domain, "domctl");
    }
    if (op && op->field) {
        struct decode_span out = decode_blob(c->event, role, 1, 0);

        if (c->result < 0)
            out = (struct decode_span){0};
        trace_out_begin(c->o, ".arg");
        decode_members(c->o, op->field, op->fields, all, out);
        trace_out_end(c->o);
    } else if (!op) {
        trace_out_bytes(c->o, ".arg", all.data, all.size_bytes);
    }
    decode_raw(c);
}

static const char *name(const struct decode_call *c, enum trace_role role,
                        const struct decode_op *ops, unsigned count)
{
    const struct decode_op *op = find(whole(c, role), ops, count);

    return op ? op->name : NULL;
}

#define HANDLER(word, role)                                                                        \
    static void word##_args(struct decode_call *c)                                                 \
    {                                                                                              \
        put(c, role, word##_ops, ARRAY_LEN(word##_ops));                                           \
    }                                                                                              \
    static const char *word##_name(const struct decode_call *c)                                    \
    {                                                                                              \
        return name(c, role, word##_ops, ARRAY_LEN(word##_ops));                                   \
    }

HANDLER(domctl, TRACE_ROLE_DOMCTL)
HANDLER(sysctl, TRACE_ROLE_SYSCTL)
HANDLER(platform, TRACE_ROLE_PLATFORM_OP)

const struct decode_handler decode_domctl = {domctl_args, domctl_name};
const struct decode_handler decode_sysctl = {sysctl_args, sysctl_name};
const struct decode_handler decode_platform_op = {platform_args, platform_name};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory behind a hypercall's arguments: which structures of the guest it names, by number and
 * command, as Xen's public headers say.
 *
 * Stage 0 is taken at the entry, stage 1 when the hypercall returns; only what the hypervisor writes
 * is taken at stage 1.  A structure that cannot be read as a whole is there as far as it can be: its
 * blob is shorter, or empty.
 */
#include <string.h>

#include "traces/capture_internal.h"
#include "traces/xen_public.h"

#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define ARRAY_BYTES_MAX 16384u /* of one array of a hypercall */
#define TEXT_BYTES_MAX  1024u
#define DATA_BYTES_MAX  4096u

enum way { IN = 1, OUT = 2, INOUT = 3 };

struct shape {
    uint32_t command;
    uint16_t bytes;
    uint8_t way;
};

struct taker {
    const struct base_guest *guest;
    struct trace_build *build;
    unsigned stage;
    bool failed; /* the hypercall: there is nothing new in its memory */
};

/* Take @size bytes at @gva.  Returns: them, @got of them; NULL if none could be read. */
static const uint8_t *take(struct taker *t, enum trace_role role, uint64_t gva, uint64_t size,
                           uint32_t *got)
{
    uint32_t bytes = (uint32_t)MIN(size, ARRAY_BYTES_MAX);
    uint8_t *room;

    *got = 0;
    if (!gva || !bytes)
        return NULL;
    room = trace_build_blob(t->build, TRACE_HYPERCALL_MEMORY, role, t->stage, gva, bytes);
    if (!room)
        return NULL;
    *got = (uint32_t)t->guest->read(t->guest->user, gva, room, bytes);
    if (*got < bytes)
        trace_build_blob_shrink(t->build, *got);
    return *got ? room : NULL;
}

static bool wanted(const struct taker *t, unsigned way)
{
    return t->stage == 0 ? (way & IN) != 0 : (way & OUT) != 0 && !t->failed;
}

static void array(struct taker *t, enum trace_role role, uint64_t gva, uint64_t count, size_t size,
                  unsigned way)
{
    uint32_t got;

    if (wanted(t, way))
        take(t, role, gva, MIN(count, ARRAY_BYTES_MAX / size) * size, &got);
}

static void one(struct taker *t, enum trace_role role, uint64_t gva, size_t size, unsigned way)
{
    array(t, role, gva, 1, size, way);
}

static void by_command(struct taker *t, enum trace_role role, const struct shape *shape,
                       unsigned shapes, uint64_t command, uint64_t gva)
{
    for (unsigned i = 0; i < shapes; i++)
        if (shape[i].command == command)
            one(t, role, gva, shape[i].bytes, shape[i].way);
}
#define BY_COMMAND(t, role, table, command, gva) by_command(t, role, table, ARRAY_LEN(table), command, gva)

/* A copy of the guest's structure; false if it cannot be read whole. */
static bool peek(const struct taker *t, uint64_t gva, void *out, size_t size)
{
    return gva && t->guest->read(t->guest->user, gva, out, size) == size;
}

/* ---- memory_op ---- */

static const struct shape memory_shapes[] = {
    {XENMEM_current_reservation, sizeof(domid_t), IN},
    {XENMEM_maximum_reservation, sizeof(domid_t), IN},
    {XENMEM_maximum_gpfn, sizeof(domid_t), IN},
    {XENMEM_machphys_mfn_list, sizeof(struct xen_machphys_mfn_list), INOUT},
    {XENMEM_machphys_compat_mfn_list, sizeof(struct xen_machphys_mfn_list), INOUT},
    {XENMEM_machphys_mapping, sizeof(struct xen_machphys_mapping), OUT},
    {XENMEM_add_to_physmap, sizeof(struct xen_add_to_physmap), IN},
    {XENMEM_add_to_physmap_batch, sizeof(struct xen_add_to_physmap_batch), IN},
    {XENMEM_remove_from_physmap, sizeof(struct xen_remove_from_physmap), IN},
    {XENMEM_memory_map, sizeof(struct xen_memory_map), INOUT},
    {XENMEM_machine_memory_map, sizeof(struct xen_memory_map), INOUT},
    {XENMEM_set_memory_map, sizeof(struct xen_foreign_memory_map), IN},
    {XENMEM_set_pod_target, sizeof(struct xen_pod_target), INOUT},
    {XENMEM_get_pod_target, sizeof(struct xen_pod_target), INOUT},
    {XENMEM_claim_pages, sizeof(struct xen_memory_reservation), IN},
    {XENMEM_acquire_resource, sizeof(struct xen_mem_acquire_resource), INOUT},
    {XENMEM_reserved_device_memory_map, sizeof(struct xen_reserved_device_memory_map), INOUT},
};

static uint64_t handle(const void *field)
{
    uint64_t gva;

    memcpy(&gva, field, sizeof(gva));
    return gva;
}

static void reservation(struct taker *t, uint64_t gva, unsigned way)
{
    struct xen_memory_reservation r;

    one(t, TRACE_ROLE_MEMORY_OP, gva, sizeof(r), IN);
    if (peek(t, gva, &r, sizeof(r)))
        array(t, TRACE_ROLE_FRAME_LIST, handle(&r.extent_start), r.nr_extents, sizeof(xen_pfn_t),
              way);
}

static void memory_exchange(struct taker *t, uint64_t gva)
{
    struct xen_memory_exchange x;

    one(t, TRACE_ROLE_MEMORY_OP, gva, sizeof(x), INOUT);
    if (!peek(t, gva, &x, sizeof(x)))
        return;
    array(t, TRACE_ROLE_FRAME_LIST, handle(&x.in.extent_start), x.in.nr_extents, sizeof(xen_pfn_t),
          IN);
    array(t, TRACE_ROLE_FRAME_LIST, handle(&x.out.extent_start), x.out.nr_extents,
          sizeof(xen_pfn_t), INOUT);
}

static void memory_map(struct taker *t, uint64_t gva)
{
    struct xen_memory_map map;

    if (t->stage == 1 && peek(t, gva, &map, sizeof(map)))
        array(t, TRACE_ROLE_DATA, handle(&map.buffer), map.nr_entries, 20, OUT);
}

static void memory_op(struct taker *t, uint64_t command, uint64_t gva)
{
    command &= (1u << 6) - 1; /* above it: where a continuation goes on */
    if (command == XENMEM_increase_reservation || command == XENMEM_populate_physmap)
        reservation(t, gva, INOUT);
    else if (command == XENMEM_decrease_reservation)
        reservation(t, gva, IN);
    else if (command == XENMEM_exchange)
        memory_exchange(t, gva);
    else
        BY_COMMAND(t, TRACE_ROLE_MEMORY_OP, memory_shapes, command, gva);
    if (command == XENMEM_memory_map || command == XENMEM_machine_memory_map)
        memory_map(t, gva);
}

/* ---- the others ---- */

static const struct shape evtchn_shapes[] = {
    {EVTCHNOP_bind_interdomain, sizeof(struct evtchn_bind_interdomain), INOUT},
    {EVTCHNOP_bind_virq, sizeof(struct evtchn_bind_virq), INOUT},
    {EVTCHNOP_bind_pirq, sizeof(struct evtchn_bind_pirq), INOUT},
    {EVTCHNOP_close, sizeof(struct evtchn_close), IN},
    {EVTCHNOP_send, sizeof(struct evtchn_send), IN},
    {EVTCHNOP_status, sizeof(struct evtchn_status), INOUT},
    {EVTCHNOP_alloc_unbound, sizeof(struct evtchn_alloc_unbound), INOUT},
    {EVTCHNOP_bind_ipi, sizeof(struct evtchn_bind_ipi), INOUT},
    {EVTCHNOP_bind_vcpu, sizeof(struct evtchn_bind_vcpu), IN},
    {EVTCHNOP_unmask, sizeof(struct evtchn_unmask), IN},
    {EVTCHNOP_reset, sizeof(struct evtchn_reset), IN},
    {EVTCHNOP_init_control, sizeof(struct evtchn_init_control), INOUT},
    {EVTCHNOP_expand_array, sizeof(struct evtchn_expand_array), IN},
    {EVTCHNOP_set_priority, sizeof(struct evtchn_set_priority), IN},
};

static const struct shape sched_shapes[] = {
    {SCHEDOP_shutdown, sizeof(struct sched_shutdown), IN},
    {SCHEDOP_poll, sizeof(struct sched_poll), IN},
    {SCHEDOP_remote_shutdown, sizeof(struct sched_remote_shutdown), IN},
    {SCHEDOP_shutdown_code, sizeof(struct sched_shutdown), IN},
    {SCHEDOP_watchdog, sizeof(struct sched_watchdog), IN},
    {SCHEDOP_pin_override, sizeof(struct sched_pin_override), IN},
};

static const struct shape physdev_shapes[] = {
    {PHYSDEVOP_eoi, sizeof(struct physdev_eoi), IN},
    {PHYSDEVOP_pirq_eoi_gmfn_v1, sizeof(struct physdev_pirq_eoi_gmfn), IN},
    {PHYSDEVOP_pirq_eoi_gmfn_v2, sizeof(struct physdev_pirq_eoi_gmfn), IN},
    {PHYSDEVOP_irq_status_query, sizeof(struct physdev_irq_status_query), INOUT},
    {PHYSDEVOP_set_iopl, sizeof(struct physdev_set_iopl), IN},
    {PHYSDEVOP_set_iobitmap, sizeof(struct physdev_set_iobitmap), IN},
    {PHYSDEVOP_apic_read, sizeof(struct physdev_apic), INOUT},
    {PHYSDEVOP_apic_write, sizeof(struct physdev_apic), IN},
    {PHYSDEVOP_alloc_irq_vector, sizeof(struct physdev_irq), INOUT},
    {PHYSDEVOP_map_pirq, sizeof(struct physdev_map_pirq), INOUT},
    {PHYSDEVOP_unmap_pirq, sizeof(struct physdev_unmap_pirq), IN},
    {PHYSDEVOP_manage_pci_add, sizeof(struct physdev_manage_pci), IN},
    {PHYSDEVOP_manage_pci_remove, sizeof(struct physdev_manage_pci), IN},
    {PHYSDEVOP_setup_gsi, sizeof(struct physdev_setup_gsi), IN},
    {PHYSDEVOP_get_free_pirq, sizeof(struct physdev_get_free_pirq), INOUT},
    {PHYSDEVOP_pci_mmcfg_reserved, sizeof(struct physdev_pci_mmcfg_reserved), IN},
    {PHYSDEVOP_pci_device_add, offsetof(struct physdev_pci_device_add, optarr), IN},
    {PHYSDEVOP_pci_device_remove, sizeof(struct physdev_pci_device), IN},
    {PHYSDEVOP_dbgp_op, sizeof(struct physdev_dbgp_op), IN},
};

static const struct shape vcpu_shapes[] = {
    {VCPUOP_initialise, sizeof(struct vcpu_guest_context), IN},
    {VCPUOP_get_runstate_info, sizeof(struct vcpu_runstate_info), OUT},
    {VCPUOP_register_runstate_memory_area, 8, IN},
    {VCPUOP_set_periodic_timer, sizeof(struct vcpu_set_periodic_timer), IN},
    {VCPUOP_set_singleshot_timer, sizeof(struct vcpu_set_singleshot_timer), IN},
    {VCPUOP_register_vcpu_info, sizeof(struct vcpu_register_vcpu_info), IN},
    {VCPUOP_get_physid, sizeof(struct vcpu_get_physid), OUT},
    {VCPUOP_register_vcpu_time_memory_area, 8, IN},
};

static const struct shape version_shapes[] = {
    {XENVER_extraversion, sizeof(xen_extraversion_t), OUT},
    {XENVER_compile_info, sizeof(struct xen_compile_info), OUT},
    {XENVER_capabilities, sizeof(xen_capabilities_info_t), OUT},
    {XENVER_changeset, sizeof(xen_changeset_info_t), OUT},
    {XENVER_platform_parameters, sizeof(struct xen_platform_parameters), OUT},
    {XENVER_get_features, sizeof(struct xen_feature_info), INOUT},
    {XENVER_guest_handle, sizeof(xen_domain_handle_t), OUT},
    {XENVER_commandline, sizeof(xen_commandline_t), OUT},
};

static const struct shape callback_shapes[] = {
    {CALLBACKOP_register, sizeof(struct callback_register), IN},
    {CALLBACKOP_unregister, sizeof(struct callback_unregister), IN},
};

static const struct shape hvm_shapes[] = {
    {HVMOP_set_param, sizeof(struct xen_hvm_param), IN},
    {HVMOP_get_param, sizeof(struct xen_hvm_param), INOUT},
};

static void sched_op(struct taker *t, uint64_t command, uint64_t gva)
{
    struct sched_poll poll;

    BY_COMMAND(t, TRACE_ROLE_SCHED_OP, sched_shapes, command, gva);
    if (command == SCHEDOP_poll && peek(t, gva, &poll, sizeof(poll)))
        array(t, TRACE_ROLE_PORT_LIST, handle(&poll.ports), poll.nr_ports, sizeof(evtchn_port_t),
              IN);
}

static void console_io(struct taker *t, const uint64_t *arg, int64_t result)
{
    if (arg[0] == CONSOLEIO_write)
        array(t, TRACE_ROLE_CONSOLE, arg[2], MIN((uint32_t)arg[1], TEXT_BYTES_MAX), 1, IN);
    else if (arg[0] == CONSOLEIO_read && t->stage == 1 && result > 0)
        array(t, TRACE_ROLE_CONSOLE, arg[2], MIN((uint64_t)result, TEXT_BYTES_MAX), 1, OUT);
}

/* Up to the entry without an address, as the hypercall reads them. */
static void set_trap_table(struct taker *t, uint64_t gva)
{
    struct trap_info info;
    unsigned n = 0;

    if (t->stage == 1)
        return;
    while (n < 257 && peek(t, gva + n * sizeof(info), &info, sizeof(info)) && info.address)
        n++;
    array(t, TRACE_ROLE_TRAP_INFO, gva, n, sizeof(info), IN);
}

static const struct shape grant_shapes[] = {
    {GNTTABOP_map_grant_ref, sizeof(struct gnttab_map_grant_ref), INOUT},
    {GNTTABOP_unmap_grant_ref, sizeof(struct gnttab_unmap_grant_ref), INOUT},
    {GNTTABOP_setup_table, sizeof(struct gnttab_setup_table), INOUT},
    {GNTTABOP_dump_table, sizeof(struct gnttab_dump_table), INOUT},
    {GNTTABOP_transfer, sizeof(struct gnttab_transfer), INOUT},
    {GNTTABOP_copy, sizeof(struct gnttab_copy), INOUT},
    {GNTTABOP_query_size, sizeof(struct gnttab_query_size), INOUT},
    {GNTTABOP_unmap_and_replace, sizeof(struct gnttab_unmap_and_replace), INOUT},
    {GNTTABOP_set_version, sizeof(struct gnttab_set_version), INOUT},
    {GNTTABOP_get_status_frames, sizeof(struct gnttab_get_status_frames), INOUT},
    {GNTTABOP_get_version, sizeof(struct gnttab_get_version), INOUT},
    {GNTTABOP_swap_grant_ref, sizeof(struct gnttab_swap_grant_ref), INOUT},
    {GNTTABOP_cache_flush, sizeof(struct gnttab_cache_flush), IN},
};

size_t capture_grant_op_bytes(uint64_t command)
{
    for (unsigned i = 0; i < ARRAY_LEN(grant_shapes); i++)
        if (grant_shapes[i].command == command)
            return grant_shapes[i].bytes;
    return 0;
}

static void grant_table_op(struct taker *t, const uint64_t *arg)
{
    uint64_t command = arg[0] & ((1u << 12) - 1); /* above it: where a continuation goes on */
    size_t bytes = capture_grant_op_bytes(command);
    struct gnttab_setup_table setup;

    if (!bytes)
        return;
    array(t, TRACE_ROLE_GRANT_OP, arg[1], (uint32_t)arg[2], bytes,
          command == GNTTABOP_cache_flush ? IN : INOUT);
    if (command == GNTTABOP_setup_table && peek(t, arg[1], &setup, sizeof(setup)))
        array(t, TRACE_ROLE_FRAME_LIST, handle(&setup.frame_list), setup.nr_frames,
              sizeof(xen_pfn_t), OUT);
}

static void page_table_updates(struct taker *t, const struct capture_call *call)
{
    const uint64_t *arg = call->arg;
    uint64_t count = arg[1] & 0x7fffffff; /* bit 31: goes on after a preemption */

    if (call->number == __HYPERVISOR_mmu_update)
        array(t, TRACE_ROLE_MMU_UPDATE, arg[0], count, sizeof(struct mmu_update), IN);
    else
        array(t, TRACE_ROLE_MMUEXT_OP, arg[0], count, sizeof(struct mmuext_op), IN);
    t->failed = false; /* how many were done is told in any case */
    one(t, TRACE_ROLE_DATA, arg[2], sizeof(uint32_t), INOUT);
}

static void control_op(struct taker *t, const struct capture_call *call)
{
    static const struct {
        uint64_t number;
        enum trace_role role;
        size_t bytes;
    } ops[] = {
        {__HYPERVISOR_platform_op, TRACE_ROLE_PLATFORM_OP, sizeof(struct xen_platform_op)},
        {__HYPERVISOR_sysctl, TRACE_ROLE_SYSCTL, sizeof(struct xen_sysctl)},
        {__HYPERVISOR_domctl, TRACE_ROLE_DOMCTL, sizeof(struct xen_domctl)},
    };

    for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
        if (ops[i].number == call->number)
            one(t, ops[i].role, call->arg[0], ops[i].bytes, INOUT);
}

/* The old entry at stage 0, the new one at stage 1. */
static void l1_entry(struct taker *t, const struct capture_call *call, uint64_t cr3)
{
    uint64_t pte;
    uint8_t *room;

    if (!capture_read_l1e(t->guest, cr3, call->arg[0], &pte))
        return;
    room = trace_build_blob(t->build, TRACE_HYPERCALL_MEMORY, TRACE_ROLE_L1E, t->stage, 0,
                            sizeof(pte));
    if (room)
        memcpy(room, &pte, sizeof(pte));
}

void capture_memory(struct trace_capture *c, struct trace_build *build, const struct capture_call *call,
                    const struct base_guest_view *view, unsigned stage)
{
    struct taker t = {.guest = c->guest,
                      .build = build,
                      .stage = stage,
                      .failed = stage == 1 && call->result < 0};
    const uint64_t *arg = call->arg;

    switch (call->number) {
    case __HYPERVISOR_set_trap_table:
        set_trap_table(&t, arg[0]);
        break;
    case __HYPERVISOR_mmu_update:
    case __HYPERVISOR_mmuext_op:
        page_table_updates(&t, call);
        break;
    case __HYPERVISOR_set_gdt:
        array(&t, TRACE_ROLE_FRAME_LIST, arg[0], ((uint32_t)arg[1] + 511) / 512, sizeof(uint64_t),
              IN);
        break;
    case __HYPERVISOR_platform_op:
    case __HYPERVISOR_sysctl:
    case __HYPERVISOR_domctl:
        control_op(&t, call);
        break;
    case __HYPERVISOR_memory_op:
        memory_op(&t, arg[0], arg[1]);
        break;
    case __HYPERVISOR_multicall:
        if (!c->sees_multicall_entries) /* else each is an event of its own */
            array(&t, TRACE_ROLE_MULTICALL_ENTRY, arg[0], (uint32_t)arg[1],
                  sizeof(struct multicall_entry), INOUT);
        break;
    case __HYPERVISOR_update_va_mapping:
    case __HYPERVISOR_update_va_mapping_otherdomain:
        l1_entry(&t, call, view->cr3);
        break;
    case __HYPERVISOR_event_channel_op_compat:
        one(&t, TRACE_ROLE_EVTCHN_OP, arg[0], sizeof(struct evtchn_op), INOUT);
        break;
    case __HYPERVISOR_event_channel_op:
        BY_COMMAND(&t, TRACE_ROLE_EVTCHN_OP, evtchn_shapes, arg[0], arg[1]);
        break;
    case __HYPERVISOR_xen_version:
        BY_COMMAND(&t, TRACE_ROLE_XEN_VERSION, version_shapes, arg[0], arg[1]);
        break;
    case __HYPERVISOR_console_io:
        console_io(&t, arg, call->result);
        break;
    case __HYPERVISOR_physdev_op_compat:
        one(&t, TRACE_ROLE_PHYSDEV_OP, arg[0], sizeof(struct physdev_op), INOUT);
        break;
    case __HYPERVISOR_physdev_op:
        BY_COMMAND(&t, TRACE_ROLE_PHYSDEV_OP, physdev_shapes, arg[0], arg[1]);
        break;
    case __HYPERVISOR_grant_table_op:
        grant_table_op(&t, arg);
        break;
    case __HYPERVISOR_iret:
        one(&t, TRACE_ROLE_IRET_FRAME, call->rsp, sizeof(struct iret_context), IN);
        break;
    case __HYPERVISOR_vcpu_op:
        BY_COMMAND(&t, TRACE_ROLE_VCPU_OP, vcpu_shapes, arg[0], arg[2]);
        break;
    case __HYPERVISOR_nmi_op:
        if (arg[0] == XENNMI_register_callback)
            one(&t, TRACE_ROLE_NMI_OP, arg[1], sizeof(struct xennmi_callback), IN);
        break;
    case __HYPERVISOR_sched_op:
        sched_op(&t, arg[0], arg[1]);
        break;
    case __HYPERVISOR_callback_op:
        BY_COMMAND(&t, TRACE_ROLE_CALLBACK_OP, callback_shapes, arg[0], arg[1]);
        break;
    case __HYPERVISOR_hvm_op:
        BY_COMMAND(&t, TRACE_ROLE_HVM_OP, hvm_shapes, arg[0], arg[1]);
        break;
    default: /* all arguments are values, or nothing is known of them */
        break;
    }
}

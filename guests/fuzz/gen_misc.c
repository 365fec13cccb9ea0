/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All the others: xen_version, console_io, physdev_op, platform_op, hvm_op, xsm_op, the old forms, and numbers
 * behind which there is nothing.
 *
 * Left out: text on the machine's console, which others read.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/memory.h"

#include <xen/platform.h>
#include <xen/hvm/hvm_op.h>

static bool gen_version(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 command = (u32)fuzz_below(cpu, 13);
    u32 *arg = fuzz_buffer(cpu, 2048);

    if (command == XENVER_get_features)
        *arg = (u32)fuzz_below(cpu, 3);
    if (command == XENVER_build_id)
        *arg = (u32)fuzz_below(cpu, 64);
    fuzz_call_set(call, __HYPERVISOR_xen_version, command, command, command == XENVER_pagesize || command == XENVER_version ? 0 : (u64)arg, 0);
    return true;
}

static bool gen_console(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u8 *text = fuzz_buffer(cpu, 64);
    u32 command = (u32)fuzz_below(cpu, 3);
    u64 n = fuzz_one_in(cpu, 4) ? fuzz_random(cpu) >> fuzz_below(cpu, 40) : fuzz_below(cpu, 64);

    if (command == CONSOLEIO_write && fuzz.dom0)
        n = 0;
    if (command == CONSOLEIO_read && fuzz.dom0) /* what is typed is the toolstack's */
        n = fuzz_below(cpu, 2) << 31;
    fuzz_call_set(call, __HYPERVISOR_console_io, command, command, n, (u64)text);
    return true;
}

static bool gen_physdev(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 commands[] = {
        PHYSDEVOP_eoi,        PHYSDEVOP_irq_status_query, PHYSDEVOP_set_iopl,      PHYSDEVOP_set_iobitmap,
        PHYSDEVOP_apic_read,  PHYSDEVOP_apic_write,       PHYSDEVOP_alloc_irq_vector, PHYSDEVOP_map_pirq,
        PHYSDEVOP_map_pirq,   PHYSDEVOP_unmap_pirq,       PHYSDEVOP_setup_gsi,     PHYSDEVOP_get_free_pirq,
        PHYSDEVOP_pirq_eoi_gmfn_v1, PHYSDEVOP_pirq_eoi_gmfn_v2, PHYSDEVOP_restore_msi, PHYSDEVOP_prepare_msix,
        PHYSDEVOP_pci_mmcfg_reserved, PHYSDEVOP_dbgp_op,  PHYSDEVOP_manage_pci_add};
    u64 *arg = fuzz_buffer(cpu, 128);
    u32 command = fuzz_one_in(cpu, 16) ? (u32)fuzz_below(cpu, 40) : FUZZ_PICK(cpu, commands);
    u32 irq = fuzz_one_in(cpu, 10) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, 26);

    *(u32 *)arg = irq;
    switch (command) {
    case PHYSDEVOP_set_iopl:
        *(u32 *)arg = (u32)fuzz_below(cpu, 5);
        break;
    case PHYSDEVOP_set_iobitmap: {
        physdev_set_iobitmap_t *op = (void *)arg;

        set_xen_guest_handle(op->bitmap, (u8 *)fuzz_address(cpu));
        op->nr_ports = fuzz_one_in(cpu, 4) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, 65537);
        break;
    }
    case PHYSDEVOP_apic_read: case PHYSDEVOP_apic_write: {
        physdev_apic_t *op = (void *)arg;

        op->apic_physbase = fuzz_one_in(cpu, 8) ? fuzz_random(cpu) : 0xfec00000;
        op->reg = (u32)fuzz_below(cpu, 70);
        op->value = (u32)fuzz_random(cpu);
        break;
    }
    case PHYSDEVOP_map_pirq: {
        physdev_map_pirq_t *op = (void *)arg;

        op->domid = fuzz.dom0 && !fuzz_one_in(cpu, 6) ? DOMID_SELF : fuzz_domid(cpu);
        op->type = fuzz.dom0 && !fuzz_one_in(cpu, 4) ? MAP_PIRQ_TYPE_GSI : (int)fuzz_below(cpu, 5);
        op->index = (int)irq;
        op->pirq = fuzz_one_in(cpu, 2) ? -1 : (int)fuzz_below(cpu, 30);
        break;
    }
    case PHYSDEVOP_unmap_pirq: {
        physdev_unmap_pirq_t *op = (void *)arg;

        op->domid = fuzz.dom0 && !fuzz_one_in(cpu, 6) ? DOMID_SELF : fuzz_domid(cpu);
        op->pirq = (int)irq;
        break;
    }
    case PHYSDEVOP_setup_gsi: {
        physdev_setup_gsi_t *op = (void *)arg;

        op->gsi = (int)irq;
        op->triggering = (u8)fuzz_below(cpu, 3);
        op->polarity = (u8)fuzz_below(cpu, 3);
        break;
    }
    case PHYSDEVOP_pirq_eoi_gmfn_v1: case PHYSDEVOP_pirq_eoi_gmfn_v2:
        arg[0] = fuzz_one_in(cpu, 3) ? fuzz_mfn(cpu) : FUZZ_PICK(cpu, fuzz.page_mfn);
        break;
    }
    fuzz_call_set(call, __HYPERVISOR_physdev_op, command, command, (u64)arg, 0);
    return true;
}

/* The old forms carry the command in the structure. */
static bool gen_old_form(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct fuzz_call new = {0};
    bool events = fuzz_one_in(cpu, 2);
    u64 *arg;

    fuzz_buffer(cpu, 64); /* whatever the new form is, so much of it can be copied */
    if (events)
        fuzz_gen_events(cpu)(cpu, &new);
    else
        gen_physdev(cpu, &new);
    arg = fuzz_buffer(cpu, 72);
    *(u32 *)arg = new.command;
    /* The member follows the command, aligned as 64 bits. */
    for (u32 i = 0; i < 4; i++)
        arg[1 + i] = ((u64 *)new.arg[1])[i];
    if (events) /* ... and here as 32 bits */
        for (u32 i = 0; i < 6; i++)
            ((u32 *)arg)[1 + i] = ((u32 *)new.arg[1])[i];
    fuzz_call_set(call, events ? __HYPERVISOR_event_channel_op_compat : __HYPERVISOR_physdev_op_compat, new.command, (u64)arg, 0, 0);
    return true;
}

static bool gen_platform(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 commands[] = {XENPF_settime32,    XENPF_settime64,       XENPF_firmware_info, XENPF_get_cpuinfo,
                                  XENPF_get_cpu_version, XENPF_cpu_online,   XENPF_cpu_offline,   XENPF_getidletime,
                                  XENPF_change_freq,  XENPF_microcode_update, XENPF_add_memtype,  XENPF_resource_op};
    struct xen_platform_op *op = fuzz_buffer(cpu, sizeof *op);
    u64 *body = (u64 *)&op->u;

    op->cmd = fuzz_one_in(cpu, 12) ? (u32)fuzz_below(cpu, 80) : FUZZ_PICK(cpu, commands);
    op->interface_version = fuzz_one_in(cpu, 20) ? (u32)fuzz_random(cpu) : XENPF_INTERFACE_VERSION;
    for (u32 i = 0; i < 4; i++)
        body[i] = fuzz_one_in(cpu, 4) ? fuzz_random(cpu) : fuzz_below(cpu, 6);
    fuzz_call_set(call, __HYPERVISOR_platform_op, op->cmd, (u64)op, 0, 0);
    return true;
}

static bool gen_hvm(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u64 *arg = fuzz_buffer(cpu, 128);
    u32 command = (u32)fuzz_below(cpu, 28);

    arg[0] = fuzz_domid(cpu);
    for (u32 i = 1; i < 8; i++)
        arg[i] = fuzz_one_in(cpu, 2) ? fuzz_random(cpu) : 0;
    fuzz_call_set(call, __HYPERVISOR_hvm_op, command, command, fuzz_one_in(cpu, 8) ? 0 : (u64)arg, 0);
    return true;
}

static bool gen_nothing(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 numbers[] = {11, __HYPERVISOR_xsm_op, __HYPERVISOR_xenoprof_op, __HYPERVISOR_kexec_op, 38, 39, 40, 41, 42, 48, 49, 55, 62};

    fuzz_call_set(call, FUZZ_PICK(cpu, numbers), 0, fuzz_random(cpu) & 15, (u64)fuzz_buffer(cpu, 64), 1);
    if (fuzz_one_in(cpu, 4))
        call->number = fuzz_random(cpu) | 64;
    return true;
}

fuzz_generator fuzz_gen_misc(struct fuzz_cpu *cpu)
{
    static const fuzz_generator generators[] = {gen_version, gen_version, gen_console, gen_physdev, gen_physdev, gen_physdev,
                                                gen_old_form, gen_old_form, gen_old_form, gen_platform, gen_hvm, gen_nothing};

    return FUZZ_PICK(cpu, generators);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that are not for an unprivileged domain, in its own name and in the name of others.
 */
#include "guests/hostile/hostile.h"

#include <xen/domctl.h>
#include <xen/hvm/hvm_op.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>

#define GROUP "rights"

ATTACK(domctls, FLAW_RIGHTS, "every domctl on domain 0, the victims, the attacker itself: -EPERM; on nobody: -ESRCH; of another version: -EACCES")
{
    static struct xen_domctl op;

    for (u32 cmd = 0; cmd < 100; cmd++)
        for (u16 dom = 0; dom <= 4; dom++) {
            memset(&op, 0xff, sizeof op);
            op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
            op.cmd = cmd;
            op.domain = dom < 3 ? dom : dom == 3 ? own_id() : DOMID_NOBODY;
            equal("answer", (u64)hypercall_domctl(&op),
                  (u64)(dom == 4 && cmd != XEN_DOMCTL_createdomain ? -XEN_ESRCH : -XEN_EPERM));
            op.interface_version++;
            equal("version", (u64)hypercall_domctl(&op), (u64)-XEN_EACCES);
        }
    equal("the hypervisor's memory", (u64)hypercall_domctl((void *)VA_HYPERVISOR), (u64)-XEN_EFAULT);
}

ATTACK(sysctls, FLAW_RIGHTS, "every sysctl and platform_op: -EPERM; of another version: -EACCES")
{
    static struct xen_sysctl op;
    static xen_platform_op_t platform;

    for (u32 cmd = 0; cmd < 40; cmd++) {
        memset(&op, 0xff, sizeof op);
        op.cmd = cmd;
        op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
        equal("sysctl", (u64)hypercall_sysctl(&op), (u64)-XEN_EPERM);
        op.interface_version = 0;
        equal("version", (u64)hypercall_sysctl(&op), (u64)-XEN_EACCES);
    }
    for (u32 cmd = 0; cmd < 80; cmd++) {
        memset(&platform, 0, sizeof platform);
        platform.cmd = cmd;
        platform.interface_version = XENPF_INTERFACE_VERSION;
        equal("platform_op", (u64)hypercall_platform_op(&platform), (u64)-XEN_EPERM);
    }
    equal("the hypervisor's memory", (u64)hypercall_sysctl((void *)VA_HYPERVISOR), (u64)-XEN_EFAULT);
    equal("the same", (u64)hypercall_platform_op((void *)VA_HYPERVISOR), (u64)-XEN_EFAULT);
}

ATTACK(console, FLAW_RIGHTS, "console_io: -EPERM, for any operation, size and address")
{
    static const u64 at[] = {VA_HYPERVISOR, VA_UNMAPPED, VA_NONCANONICAL, 0};
    static char text[64];

    for (u32 cmd = 0; cmd < 4; cmd++) {
        for (u32 i = 0; i < ARRAY_SIZE(at); i++)
            equal("bad address", (u64)hypercall_console_io(cmd, 64, (void *)at[i]), (u64)-XEN_EPERM);
        equal("good address", (u64)hypercall_console_io(cmd, 64, text), (u64)-XEN_EPERM);
        equal("huge", (u64)hypercall_console_io(cmd, ~0u, text), (u64)-XEN_EPERM);
    }
}

ATTACK(devices, FLAW_RIGHTS, "physdev_op that reads or writes the interrupt controllers, maps or sets up interrupts: refused")
{
    union {
        physdev_apic_t apic;
        physdev_irq_t irq;
        physdev_map_pirq_t map;
        physdev_unmap_pirq_t unmap;
        physdev_setup_gsi_t gsi;
        physdev_pirq_eoi_gmfn_t eoi;
        physdev_set_iobitmap_t bitmap;
        physdev_set_iopl_t iopl;
        u8 bytes[128];
    } a;

    for (u32 cmd = 0; cmd < 40; cmd++)
        for (u32 round = 0; round < 3; round++) {
            long answer;

            if (cmd == PHYSDEVOP_IRQ_UNMASK_NOTIFY || cmd == PHYSDEVOP_irq_status_query || cmd == PHYSDEVOP_set_iopl ||
                cmd == PHYSDEVOP_set_iobitmap)
                continue;
            memset(&a, round == 2 ? 0xff : round, sizeof a);
            if (cmd == PHYSDEVOP_apic_read || cmd == PHYSDEVOP_apic_write)
                a.apic.apic_physbase = 0xfec00000;
            answer = hypercall_physdev_op(cmd, &a);
            if (answer >= 0)
                equal("operation that succeeds", cmd, ~0ul);
        }
    a.eoi.gmfn = victim_frame();
    equal("a victim's page for ends of interrupts", (u64)hypercall_physdev_op(PHYSDEVOP_pirq_eoi_gmfn_v2, &a), (u64)-XEN_EPERM);
    a.iopl.iopl = 4;
    equal("IOPL 4", (u64)hypercall_physdev_op(PHYSDEVOP_set_iopl, &a), (u64)-XEN_EINVAL);
    a.bitmap = (physdev_set_iobitmap_t){.bitmap.p = (void *)VA_HYPERVISOR, .nr_ports = 65536};
    equal("bitmap in the hypervisor", (u64)hypercall_physdev_op(PHYSDEVOP_set_iobitmap, &a), (u64)-XEN_EINVAL);
    a.bitmap = (physdev_set_iobitmap_t){.bitmap.p = (void *)VA_UNMAPPED, .nr_ports = 65537};
    equal("too many ports", (u64)hypercall_physdev_op(PHYSDEVOP_set_iobitmap, &a), (u64)-XEN_EINVAL);
}

static u64 read_port(u64 port)
{
    u32 value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(port));
    return value;
}

static u64 write_port(u64 port)
{
    __asm__ volatile("outl %0, %w1" : : "a"(0xdeadbeefu), "d"(port));
    return 0;
}

ATTACK(ports_of_devices, FLAW_RIGHTS, "with IOPL 3 every port of the machine reads as all ones and takes nothing: the exit port, the UART, the timers, PCI")
{
    static const u16 ports[] = {0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0xa0, 0xe9, 0xf4, 0x3f8, 0x3fd, 0x608,
                                0xb004, 0xcfc, 0xcfe, 0xffff};
    physdev_set_iopl_t iopl = {.iopl = 3};

    hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    for (u32 i = 0; i < ARRAY_SIZE(ports); i++) {
        u32 vector = trap_try(read_port, ports[i]);

        if (vector == TRAP_NONE)
            equal("value", trap_result, 0xffffffff);
        trap_try(write_port, ports[i]);
    }
    /* The address register is the domain's own. */
    trap_try(write_port, 0xcf8);
    trap_try(read_port, 0xcfc);
    equal("configuration space", trap_result, 0xffffffff);
    iopl.iopl = 0;
    hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    equal("and without it they fault", trap_try(read_port, 0x3f8), TRAP_GP);
}

ATTACK(scheduling, FLAW_RIGHTS, "shutting another domain down, pinning to a processor: -EPERM; watchdogs that are not there: -EINVAL, more than two: -ENOSPC")
{
    sched_remote_shutdown_t remote;
    sched_watchdog_t dog;
    struct sched_pin_override pin_to = {.pcpu = 0};
    long ids[2];

    for (u16 dom = 0; dom <= 2; dom++)
        for (u32 reason = 0; reason < 6; reason++) {
            remote = (sched_remote_shutdown_t){.domain_id = dom, .reason = reason};
            equal("remote_shutdown", (u64)hypercall_sched_op(SCHEDOP_remote_shutdown, &remote), (u64)-XEN_EPERM);
        }
    remote.domain_id = DOMID_NOBODY;
    equal("of nobody", (u64)hypercall_sched_op(SCHEDOP_remote_shutdown, &remote), (u64)-XEN_ESRCH);
    equal("pin_override", (u64)hypercall_sched_op(SCHEDOP_pin_override, &pin_to), (u64)-XEN_EPERM);
    pin_to.pcpu = -1;
    equal("its end", (u64)hypercall_sched_op(SCHEDOP_pin_override, &pin_to), (u64)-XEN_EPERM);
    for (u32 id = 1; id < 5; id++) {
        dog = (sched_watchdog_t){.id = id == 4 ? ~0u : id, .timeout = 5};
        equal("no such watchdog", (u64)hypercall_sched_op(SCHEDOP_watchdog, &dog), (u64)-XEN_EINVAL);
    }
    for (u32 i = 0; i < 2; i++) {
        dog = (sched_watchdog_t){.id = 0, .timeout = ~0u};
        ids[i] = hypercall_sched_op(SCHEDOP_watchdog, &dog);
        holds("a watchdog", ids[i] > 0);
    }
    dog = (sched_watchdog_t){.id = 0, .timeout = 5};
    equal("a third one", (u64)hypercall_sched_op(SCHEDOP_watchdog, &dog), (u64)-XEN_ENOSPC);
    for (u32 i = 0; i < 2; i++) {
        dog = (sched_watchdog_t){.id = (u32)ids[i], .timeout = 0};
        equal("its end", (u64)hypercall_sched_op(SCHEDOP_watchdog, &dog), 0);
        equal("twice", (u64)hypercall_sched_op(SCHEDOP_watchdog, &dog), (u64)-XEN_EINVAL);
    }
    for (u32 cmd = 9; cmd < 40; cmd++)
        equal("no such operation", (u64)hypercall_sched_op(cmd, &dog), (u64)-XEN_ENOSYS);
}

ATTACK(other_calls, FLAW_RIGHTS, "calls of number 0 to 200 that are for others or not there answer with an error; HVM's operations too")
{
    static const u8 none[] = {11, 27, 28, 30, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 50, 51, 52, 53, 54, 55, 56};
    struct xen_hvm_param param = {.domid = DOMID_SELF};

    for (u32 i = 0; i < ARRAY_SIZE(none); i++)
        holds("not there", hypercall(none[i], 0, VA_HYPERVISOR, VA_HYPERVISOR, ~0ul, ~0ul) < 0);
    for (u64 nr = 64; nr < 200; nr++)
        equal("behind the table", (u64)hypercall(nr, 1, 2, 3, 4, 5), (u64)-XEN_ENOSYS);
    equal("the last number", (u64)hypercall(~0ul, 0, 0, 0, 0, 0), (u64)-XEN_ENOSYS);
    equal("32 bits too many", (u64)hypercall((1ul << 32) | __HYPERVISOR_xen_version, 0, 0, 0, 0, 0), (u64)-XEN_ENOSYS);
    equal("the sign", (u64)hypercall(1ul << 63, 0, 0, 0, 0, 0), (u64)-XEN_ENOSYS);
    for (u32 cmd = 0; cmd < 2; cmd++)
        for (u32 index = 0; index < 60; index++) {
            param.index = index;
            param.domid = index % 3;
            holds("hvm_op", hypercall_hvm_op(cmd, &param) < 0);
        }
}

ATTACK(memory_of_others, FLAW_RIGHTS, "memory_op in the name of domain 0 or a victim: nothing is done; the machine's memory map: -EPERM")
{
    u64 frame = victim_frame(), list[2] = {frame, frame};
    struct xen_memory_reservation r = {.nr_extents = 1};
    struct xen_memory_map map = {.nr_entries = 16};
    static u8 buffer[4096];

    for (u16 dom = 0; dom <= 2; dom++) {
        struct xen_memory_exchange e = {.in = {.nr_extents = 1, .domid = dom}, .out = {.nr_extents = 1, .domid = dom}};
        domid_t id = dom;

        r.domid = dom;
        set_xen_guest_handle(r.extent_start, list);
        equal("decrease", (u64)hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
        equal("increase", (u64)hypercall_memory_op(XENMEM_increase_reservation, &r), 0);
        equal("populate", (u64)hypercall_memory_op(XENMEM_populate_physmap, &r), 0);
        set_xen_guest_handle(e.in.extent_start, list);
        set_xen_guest_handle(e.out.extent_start, list + 1);
        equal("exchange", (u64)hypercall_memory_op(XENMEM_exchange, &e), (u64)-XEN_EPERM);
        equal("current", (u64)hypercall_memory_op(XENMEM_current_reservation, &id), (u64)-XEN_EPERM);
        equal("maximum", (u64)hypercall_memory_op(XENMEM_maximum_reservation, &id), (u64)-XEN_EPERM);
        equal("gpfn", (u64)hypercall_memory_op(XENMEM_maximum_gpfn, &id), (u64)-XEN_EPERM);
    }
    set_xen_guest_handle(map.buffer, (void *)buffer);
    equal("machine map", (u64)hypercall_memory_op(XENMEM_machine_memory_map, &map), (u64)-XEN_EPERM);
}

ATTACK(what_is_told, FLAW_STATE, "texts of xen_version fill their buffers with zeros behind them, and nothing of the hypervisor's stack; the command line is denied")
{
    static const struct {
        u8 cmd;
        u16 size;
    } texts[] = {{XENVER_extraversion, 16}, {XENVER_compile_info, 64 + 16 + 32 + 32}, {XENVER_capabilities, 1024}, {XENVER_changeset, 64},
                 {XENVER_commandline, 1024}};
    static u8 buffer[2048];

    for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
        bool ended = false;

        memset(buffer, 0xa5, sizeof buffer);
        equal("answer", (u64)hypercall_xen_version(texts[i].cmd, buffer), 0);
        if (texts[i].cmd != XENVER_compile_info)
            for (u32 at = 0; at < texts[i].size; at++) {
                ended |= !buffer[at];
                if (ended && buffer[at])
                    equal("a byte behind the end", at, ~0ul);
            }
        equal("the byte behind the buffer", buffer[texts[i].size], 0xa5);
        equal("into the hypervisor", (u64)hypercall_xen_version(texts[i].cmd, (void *)VA_HYPERVISOR), (u64)-XEN_EFAULT);
        equal("across its border", (u64)hypercall_xen_version(texts[i].cmd, (void *)(HYPERVISOR_END - 4)), (u64)-XEN_EFAULT);
    }
    hypercall_xen_version(XENVER_commandline, buffer);
    holds("denied", !strcmp((char *)buffer, "<denied>"));
    equal("build id", (u64)hypercall_xen_version(XENVER_build_id, buffer), (u64)-XEN_EPERM);
}

static u64 do_wrmsr(u64 number)
{
    __asm__ volatile("wrmsr" : : "c"((u32)number), "a"(0u), "d"(0u));
    return 0;
}

static u64 do_rdmsr(u64 number)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((u32)number));
    return (u64)high << 32 | low;
}

ATTACK(msrs, FLAW_RIGHTS, "writing the MSRs the hypervisor lives by (STAR, LSTAR, CSTAR, FMASK, SYSENTER, PAT, APIC base, machine checks): #GP or no effect; reading them tells nothing")
{
    static const u32 vital[] = {0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0x174, 0x175, 0x176, 0x277, 0x1b, 0x1d9, 0xda0, 0x6e0,
                                0x830, 0x38f, 0xc0000102 + 0x100};

    for (u32 i = 0; i < ARRAY_SIZE(vital); i++) {
        if (trap_try(do_wrmsr, vital[i]) == TRAP_NONE)
            holds("only what has no effect", vital[i] == 0x1b || vital[i] == 0x277);
        if (trap_try(do_rdmsr, vital[i]) == TRAP_NONE)
            holds("no address of the hypervisor", trap_result < MACH2PHYS_BASE || trap_result >= HYPERVISOR_END);
    }
    for (u32 number = 0x800; number < 0x840; number++) /* the x2APIC's */
        holds("x2APIC", trap_try(do_wrmsr, number) != TRAP_NONE);
    /* It still takes calls. */
    equal("alive", (u64)hypercall_xen_version(XENVER_version, NULL) >> 16, 4);
}

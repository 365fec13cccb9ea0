/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's part of every address space, L4 slots 256 to 271, and the selectors.
 * For C, assembler and the linker script alike.
 *
 *   slot  from                what                                        guest sees
 *   256   ffff8000 00000000   machine-to-phys table                       read-only
 *   257-9 ffff8080 00000000   nothing
 *   260   ffff8200 00000000   per domain: each vCPU's GDT and LDT         no
 *   261   ffff8280 00000000   machine-to-phys table, writable             no
 *         ffff82d0 80000000   this image                                  no
 *         ffff82d0 c0000000   device registers (APICs)                    no
 *         ffff82e0 00000000   frame table                                 no
 *   262   ffff8300 00000000   direct map of all memory                    no
 */
#ifndef HV_LAYOUT_H
#define HV_LAYOUT_H

#define HV_L4_FIRST 256
#define HV_L4_LAST 271

#define HV_VA_START 0xffff800000000000
#define HV_VA_END 0xffff880000000000
#define HV_VA_M2P 0xffff800000000000
#define HV_VA_PERDOMAIN 0xffff820000000000
#define HV_VA_M2P_RW 0xffff828000000000
#define HV_VA_IMAGE 0xffff82d080000000 /* physical 0; the image lies at 2 MiB */
#define HV_VA_DEVICES 0xffff82d0c0000000
#define HV_VA_FRAMES 0xffff82e000000000
#define HV_VA_DIRECT 0xffff830000000000

/* The image is loaded at this physical address. */
#define HV_PA_IMAGE 0x200000

#define HV_STACK_SIZE 0x4000
#define HV_IST_SIZE 0x1000

/* Selectors: the guest's own entries come first; those from 0xe000 are ours, as Xen's. */
#define HV_SEL_CS 0xe008
#define HV_SEL_SS 0xe010
#define HV_SEL_GUEST_CS32 0xe023
#define HV_SEL_GUEST_SS 0xe02b
#define HV_SEL_GUEST_CS64 0xe033
#define HV_SEL_TSS 0xe040
#define HV_SEL_LDT 0xe050
#define HV_GDT_LIMIT 0xe06f

/* Offsets into struct hv_cpu and struct hv_vcpu for entry.S; asserted in trap.c. */
#define HV_CPU_CURRENT 0
#define HV_CPU_REGS_END 8
#define HV_CPU_WORK 16
#define HV_CPU_SCRATCH 24
#define HV_VCPU_REGS 136
#define HV_VCPU_INFO 336
#define HV_VCPU_FLAGS 344

/* struct cpu_user_regs */
#define HV_REGS_R15 0
#define HV_REGS_R11 48
#define HV_REGS_RAX 80
#define HV_REGS_RCX 88
#define HV_REGS_RDX 96
#define HV_REGS_RSI 104
#define HV_REGS_RDI 112
#define HV_REGS_ERROR 120
#define HV_REGS_VECTOR 124
#define HV_REGS_RIP 128
#define HV_REGS_CS 136
#define HV_REGS_RFLAGS 144
#define HV_REGS_RSP 152
#define HV_REGS_SS 160
#define HV_REGS_END 168

/* hv_vcpu.flags */
#define HV_VCPU_KERNEL 0x1	/* in guest kernel mode */
#define HV_VCPU_SYSRET 0x2	/* the guest's RCX and R11 may be lost on return */

#endif

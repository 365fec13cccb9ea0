/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a PV guest of this runtime lives.  Read by C, by the assembler and by the linker.
 *
 *   VIRT_BASE + pfn * 4096   every frame of the domain that is mapped so far (memory.h)
 *   WINDOW_BASE ...          foreign frames, tables of the hypervisor, scratch mappings
 */
#ifndef GUESTS_LIB_LAYOUT_H
#define GUESTS_LIB_LAYOUT_H

#define VIRT_BASE   0xffffffff80000000
#define IMAGE_PADDR 0x100000
#define WINDOW_BASE 0xffffffffc0000000
#define WINDOW_SIZE 0x20000000

/* The machine-to-physical table: at the start of the hypervisor's range. */
#define MACH2PHYS_BASE 0xffff800000000000
#define HYPERVISOR_END 0xffff880000000000

#define STACK_SIZE 32768

/* Vectors of trap_frame that are no exceptions of the processor. */
#define TRAP_SYSCALL  256 /* SYSCALL in user mode */
#define TRAP_EVENT    257 /* the event upcall */
#define TRAP_FAILSAFE 258 /* a selector could not be loaded on the way back to the guest */
#define TRAP_VECTORS  259

#endif

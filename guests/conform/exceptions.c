/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which exceptions reach the guest, with which error code and address.
 */
#include "guests/conform/conform.h"

INSN(div0, "xorl %%ecx, %%ecx\n movl $1, %%eax\n cltd\n idivl %%ecx")
INSN(ud2, "ud2")
INSN(int3, "int3")
INSN(int1, ".byte 0xf1")
INSN(hlt, "hlt")
INSN(lgdt, "lgdt (%%rsp)")
INSN(lidt, "lidt (%%rsp)")
INSN(ltr, "movl $0xe000, %%eax\n ltr %%ax")
INSN(invlpg, "invlpg (%%rdi)")
INSN(invd, "invd")
INSN(swapgs, "swapgs")
INSN(sysret, "sysretq")
INSN(read8, "movq (%%rdi), %%rax")
INSN(write8, "movq %%rax, (%%rdi)")
INSN(execute, "call *%%rdi")
INSN(load_ds, "movl %%edi, %%ds")
INSN(load_ss, "movl %%edi, %%ss")
INSN(load_fs, "movl %%edi, %%fs")
INSN(noncanonical_stack, "pushq %%rbp\n movq %%rdi, %%rbp\n movq (%%rbp), %%rax\n popq %%rbp")
INSN(monitor, "xorl %%ecx, %%ecx\n xorl %%edx, %%edx\n movq %%rsp, %%rax\n monitor")
INSN(rdpmc, "movl $0x12345, %%ecx\n rdpmc")
INSN(popf_ac, "pushfq\n orl $0x40000, (%%rsp)\n popfq\n movl 1(%%rsp), %%eax\n pushfq\n andl $~0x40000, (%%rsp)\n popfq")
INSN(int_29, "int $0x29")
INSN(int_20, "int $0x20")
INSN(int_0e, "int $14")
INSN(int_ff, "int $255")
INSN(forced_mov, "ud2\n .ascii \"xen\"\n movl %%eax, %%eax")

static void kinds(void)
{
    test("divide", "#DE without error code");
    equal("vector", trap_try(div0, 0), TRAP_DE);
    test("undefined", "#UD at the instruction");
    equal("vector", trap_try(ud2, 0), TRAP_UD);
    equal("opcode", *(u16 *)trap_last.frame.rip, 0x0b0f);
    test("forced-prefix", "the forced-emulation prefix before any instruction but CPUID: #UD at the prefix");
    equal("vector", trap_try(forced_mov, 0), TRAP_UD);
    equal("opcode", *(u16 *)trap_last.frame.rip, 0x0b0f);
    test("int3", "INT3: #BP behind the instruction");
    equal("vector", trap_try(int3, 0), TRAP_BP);
    equal("opcode", *(u8 *)(trap_last.frame.rip - 1), 0xcc);
    test("int1", "INT1: #DB");
    equal("vector", trap_try(int1, 0), TRAP_DB);
    test("alignment", "alignment checks cannot be turned on: CR0.AM is not the guest's");
    u32 v = trap_try(popf_ac, 0);
    holds("none or #AC", v == TRAP_NONE || v == TRAP_AC);
}

static void privileged(void)
{
    static const struct {
        const char *name, *what;
        u64 (*fn)(u64);
    } refused[] = {
        {"hlt", "HLT", hlt},       {"lgdt", "LGDT", lgdt},       {"lidt", "LIDT", lidt},
        {"ltr", "LTR", ltr},       {"invlpg", "INVLPG", invlpg}, {"invd", "INVD", invd},
        {"swapgs", "SWAPGS", swapgs}, {"sysret", "SYSRET", sysret}, {"rdpmc", "RDPMC", rdpmc},
    };

    for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
        test(refused[i].name, "%s is not emulated: #GP with error code 0", refused[i].what);
        equal("vector", trap_try(refused[i].fn, (u64)&refused), TRAP_GP);
        equal("error", trap_last.error, 0);
    }
    test("monitor", "MONITOR outside ring 0: #UD");
    equal("vector", trap_try(monitor, 0), TRAP_UD);
}

static void page_faults(void)
{
    u8 *page = page_alloc();

    test("pf-read", "a read of an unmapped page: error code 0 in kernel mode, CR2 in vcpu_info");
    equal("vector", trap_try(read8, VA_UNMAPPED + 0x123), TRAP_PF);
    equal("error", trap_last.error, 0);
    equal("cr2", trap_last.cr2, VA_UNMAPPED + 0x123);
    test("pf-cr2-read", "MOV from CR2 reads the same");
    u64 cr2;
    __asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
    equal("cr2", cr2, VA_UNMAPPED + 0x123);
    test("pf-write", "a write to an unmapped page: W");
    equal("vector", trap_try(write8, VA_UNMAPPED), TRAP_PF);
    equal("error", trap_last.error, PF_WRITE);
    test("pf-fetch", "a fetch from an unmapped page: I");
    equal("vector", trap_try(execute, VA_UNMAPPED), TRAP_PF);
    equal("error", trap_last.error & ~PF_FETCH, 0);
    equal("rip", trap_last.frame.rip, VA_UNMAPPED);
    test("pf-protection", "a write to a read-only page: P and W, without U");
    memory_protect(page, MEMORY_RO);
    equal("vector", trap_try(write8, (u64)page), TRAP_PF);
    equal("error", trap_last.error, PF_PRESENT | PF_WRITE);
    test("pf-nx", "a fetch from a page with NX: P and I");
    memory_protect(page, MEMORY_RW | PTE_NX);
    equal("vector", trap_try(execute, (u64)page), TRAP_PF);
    equal("error", trap_last.error, PF_PRESENT | PF_FETCH);
    test("pf-hypervisor", "an address in the hypervisor's range: #PF, present or not is hidden");
    equal("vector", trap_try(read8, VA_HYPERVISOR), TRAP_PF);
    equal("cr2", trap_last.cr2, VA_HYPERVISOR);
    test("pf-m2p-write", "a write to the m2p table: P and W");
    equal("vector", trap_try(write8, MACH2PHYS_BASE), TRAP_PF);
    equal("error", trap_last.error, PF_PRESENT | PF_WRITE);
    test("gp-noncanonical", "an address that is not canonical: #GP with error code 0");
    equal("vector", trap_try(read8, VA_NONCANONICAL), TRAP_GP);
    equal("error", trap_last.error, 0);
    test("ss-noncanonical", "a stack access that is not canonical: #SS with error code 0");
    equal("vector", trap_try(noncanonical_stack, VA_NONCANONICAL), TRAP_SS);
    equal("error", trap_last.error, 0);
}

static void selectors(void)
{
    static const struct {
        const char *name, *what;
        u64 (*load)(u64);
        u16 selector, error;
    } refused[] = {
        {"sel-limit", "a selector behind the GDT's end", load_ds, 0xfff8, 0xfff8},
        {"sel-empty", "a selector of an empty guest slot", load_ds, 0x10, 0x10},
        {"sel-hypervisor", "the hypervisor's own data segment", load_ds, 0xe010, 0xe010},
        {"sel-ldt", "a selector of an empty LDT", load_fs, 0x0f, 0x0c},
        {"sel-ss-null", "a null SS in ring 3", load_ss, 0, 0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
        test(refused[i].name, "%s: #GP with %s", refused[i].what,
             refused[i].error ? "the selector" : "error code 0");
        equal("vector", trap_try(refused[i].load, refused[i].selector), TRAP_GP);
        equal("error", trap_last.error, refused[i].error);
    }
    test("sel-flat", "the flat segments of the ABI load");
    equal("ds", trap_try(load_ds, FLAT_KERNEL_DS), TRAP_NONE);
    equal("ss", trap_try(load_ss, FLAT_KERNEL_SS), TRAP_NONE);
    equal("null", trap_try(load_ds, 0), TRAP_NONE);
}

static void software(void)
{
    test("int-n", "INT n with a privilege level that allows it: the vector, behind the instruction");
    equal("vector", trap_try(int_29, 0), 0x29);
    equal("opcode", *(u16 *)(trap_last.frame.rip - 2), 0x29cd);
    test("int-ff", "INT 255");
    equal("vector", trap_try(int_ff, 0), 0xff);
    test("int-n-level-0", "INT n with level 0: #GP with n * 8 + 2, at the instruction");
    set_trap(0x20, 0, 0x20);
    equal("vector", trap_try(int_20, 0), TRAP_GP);
    equal("error", trap_last.error, 0x20 * 8 + 2);
    equal("opcode", *(u16 *)trap_last.frame.rip, 0x20cd);
    test("int-n-level-1", "level 1 is enough in kernel mode");
    set_trap(0x20, 1, 0x20);
    equal("vector", trap_try(int_20, 0), 0x20);
    test("int-n-level-2", "level 2 as well");
    set_trap(0x20, 2, 0x20);
    equal("vector", trap_try(int_20, 0), 0x20);
    test("int-exception", "INT 14 with level 0: #GP with 14 * 8 + 2");
    equal("vector", trap_try(int_0e, 0), TRAP_GP);
    equal("error", trap_last.error, 14 * 8 + 2);
    test("int-exception-allowed", "INT 14 with level 3: vector 14 without an error code");
    set_trap(14, 3, 0x21);
    equal("vector", trap_try(int_0e, 0), 0x21);
    trap_install();
    test("int3-level", "INT3 is not checked against the level");
    set_trap(TRAP_BP, 0, TRAP_BP);
    equal("vector", trap_try(int3, 0), TRAP_BP);
    trap_install();
}

void guest_main(void)
{
    report_start("exceptions");
    kinds();
    privileged();
    page_faults();
    selectors();
    software();
    report_end();
}

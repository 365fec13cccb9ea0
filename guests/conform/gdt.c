/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_gdt, update_descriptor and the LDT: which pages, which descriptors, what loads.
 */
#include "guests/conform/conform.h"

/* A descriptor of a flat data or code segment with privilege level 3. */
#define DESC_DATA 0x00cff3000000fffful
#define DESC_CODE 0x00affb000000fffful

static u64 *gdt;

static u64 load_fs(u64 selector)
{
    __asm__ volatile("movl %%edi, %%fs\n xorl %%eax, %%eax\n movl %%eax, %%fs" : : "D"((u32)selector) : "rax");
    return 0;
}

static u64 lar(u64 selector)
{
    u64 rights = 0;
    bool ok;

    __asm__ volatile("larq %2, %0" : "=r"(rights), "=@ccz"(ok) : "r"(selector), "0"(rights));
    return ok ? rights : ~0ul;
}

static long set_gdt(u64 mfn, u32 entries)
{
    return hypercall_set_gdt(&mfn, entries);
}

static void table(void)
{
    u64 *page = page_alloc(), *l1 = table_page();
    u64 mfn;

    test("set", "a page of descriptors, mapped read-only");
    gdt = page_alloc();
    gdt[2] = DESC_DATA;
    gdt[3] = DESC_CODE;
    mfn = memory_virt_to_mfn(gdt);
    memory_protect(gdt, MEMORY_RO);
    equal("result", set_gdt(mfn, 512), 0);
    equal("loads", trap_try(load_fs, 2 * 8 + 3), TRAP_NONE);
    test("empty-slot", "an empty slot does not load: #GP");
    equal("vector", trap_try(load_fs, 5 * 8 + 3), TRAP_GP);
    test("held", "the page cannot be mapped writable while it is a GDT");
    equal("rw", memory_protect(gdt, MEMORY_RW), -XEN_EBUSY);
    test("writable", "a page that is mapped writable: -EINVAL, the GDT stays");
    equal("result", set_gdt(memory_virt_to_mfn(page), 512), -XEN_EINVAL);
    equal("loads", trap_try(load_fs, 2 * 8 + 3), TRAP_NONE);
    test("too-many", "more entries than the guest's part of the GDT: -EINVAL");
    equal("result", set_gdt(mfn, FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
    test("beyond", "a frame beyond memory: -EINVAL");
    equal("result", set_gdt(MFN_BEYOND, 512), -XEN_EINVAL);
    test("page-table", "a page table: -EINVAL");
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(l1), 0);
    equal("result", set_gdt(memory_virt_to_mfn(l1), 512), -XEN_EINVAL);
    mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(l1), 0);
    test("fault", "an unreadable list: -EFAULT");
    equal("result", hypercall_set_gdt((u64 *)VA_UNMAPPED, 512), -XEN_EFAULT);
    test("fault-hypervisor", "a list in the hypervisor's range: -EFAULT");
    equal("result", hypercall_set_gdt((u64 *)VA_HYPERVISOR, 512), -XEN_EFAULT);
    test("flat-stay", "the flat segments are there with any GDT");
    u16 cs;
    __asm__ volatile("movw %%cs, %0" : "=r"(cs));
    equal("cs", cs, FLAT_KERNEL_CS);
    equal("loads", trap_try(load_fs, FLAT_KERNEL_DS ? FLAT_KERNEL_DS : 0xe02b), TRAP_NONE);
    test("zero-entries", "0 entries: the GDT is given back");
    equal("result", hypercall_set_gdt(NULL, 0), 0);
    equal("vector", trap_try(load_fs, 2 * 8 + 3), TRAP_GP);
    equal("rw", memory_protect(gdt, MEMORY_RW), 0);
    memory_protect(gdt, MEMORY_RO);
    set_gdt(mfn, 512);
}

static void descriptors(void)
{
    static const struct {
        const char *name, *what;
        u64 value;
        long want;
    } t[] = {
        {"desc-zero", "all zero", 0, 0},
        {"desc-not-present", "not present, of any kind", 0x00cf7f000000fffful & ~0x800000000000ul, 0},
        {"desc-data", "data, level 3", DESC_DATA, 0},
        {"desc-data-0", "data, level 0", DESC_DATA & ~0x600000000000ul, 0},
        {"desc-data-1", "data, level 1", (DESC_DATA & ~0x600000000000ul) | 0x200000000000ul, 0},
        {"desc-code", "64-bit code, level 3", DESC_CODE, 0},
        {"desc-code-0", "64-bit code, level 0", DESC_CODE & ~0x600000000000ul, 0},
        {"desc-code32", "32-bit code", 0x00cffb000000fffful, 0},
        {"desc-conforming", "conforming code", 0x00affe000000fffful, 0},
        {"desc-l-and-d", "code with L and D", 0x00effb000000fffful, 0},
        {"desc-expand-down", "expand-down data", 0x00cff7000000fffful, 0},
        {"desc-ldt", "an LDT", 0x0000e2000000fffful, -XEN_EINVAL},
        {"desc-tss", "a task state segment", 0x0000e9000000fffful, -XEN_EINVAL},
        {"desc-busy-tss", "a busy task state segment", 0x0000eb000000fffful, -XEN_EINVAL},
        {"desc-task-gate", "a task gate", 0x0000e5000000fffful, -XEN_EINVAL},
        {"desc-int-gate", "an interrupt gate", 0x0000ee00e0330000ul, -XEN_EINVAL},
        {"desc-trap-gate", "a trap gate", 0x0000ef00e0330000ul, -XEN_EINVAL},
        {"desc-call-gate", "a call gate to the flat code segment", 0x0000ec00e0330000ul, 0},
        {"desc-call-gate-xen", "a call gate to the hypervisor's code segment", 0x0000ec00e0080000ul, -XEN_EINVAL},
        {"desc-call-gate-guest", "a call gate to a code segment of the guest", 0x0000ec00001b0000ul, 0},
        {"desc-call-gate-reserved", "a call gate with reserved bits", 0x0000ec1fe0330000ul, -XEN_EINVAL},
        {"desc-type-0", "system type 0, present", 0x0000e00000000000ul, 0},
    };
    u64 maddr = memory_virt_to_maddr(gdt);

    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        test(t[i].name, "update_descriptor of %s: %ld", t[i].what, t[i].want);
        hypercall_update_descriptor(maddr + 8 * 8, 0);
        equal("result", hypercall_update_descriptor(maddr + 8 * 8, t[i].value), t[i].want);
        if (t[i].want)
            equal("kept", gdt[8], 0);
    }
    test("desc-dpl-forced", "the level of a present segment becomes 3");
    hypercall_update_descriptor(maddr + 8 * 8, DESC_DATA & ~0x600000000000ul);
    equal("level", gdt[8] >> 45 & 3, 3);
    test("desc-call-gate-dpl", "the level of a call gate becomes 0, so using it faults");
    hypercall_update_descriptor(maddr + 8 * 8, 0x0000ec00e0330000ul);
    equal("level", gdt[8] >> 45 & 3, 0);
    hypercall_update_descriptor(maddr + 8 * 8, 0);
    test("desc-alignment", "an address that is not aligned to 8: -EINVAL");
    equal("result", hypercall_update_descriptor(maddr + 8 * 8 + 4, DESC_DATA), -XEN_EINVAL);
    test("desc-beyond", "a frame beyond memory: -EINVAL");
    equal("result", hypercall_update_descriptor(MFN_BEYOND << 12, DESC_DATA), -XEN_EINVAL);
    test("desc-plain", "a page that is no descriptor table: an ordinary store, after the check");
    u64 *page = page_alloc();
    equal("result", hypercall_update_descriptor(memory_virt_to_maddr(page), DESC_DATA), 0);
    equal("word", page[0], DESC_DATA);
    equal("bad", hypercall_update_descriptor(memory_virt_to_maddr(page), 0x0000ee00e0330000ul), -XEN_EINVAL);
    test("desc-page-table", "a page table: -EINVAL");
    u64 *l1 = table_page();
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(l1), 0);
    equal("result", hypercall_update_descriptor(memory_virt_to_maddr(l1), 0), -XEN_EINVAL);
    test("desc-mmu-update", "mmu_update of a descriptor page in use: -EINVAL");
    equal("result", memory_update(maddr + 8 * 8, 0), -XEN_EINVAL);
    test("desc-takes-effect", "a new descriptor is in force at once");
    hypercall_update_descriptor(maddr + 9 * 8, DESC_DATA);
    equal("loads", trap_try(load_fs, 9 * 8 + 3), TRAP_NONE);
    hypercall_update_descriptor(maddr + 9 * 8, 0);
    equal("vector", trap_try(load_fs, 9 * 8 + 3), TRAP_GP);
    equal("lar", lar(9 * 8 + 3), ~0ul);
    test("set-bad", "a page with a descriptor that is not allowed cannot become a GDT: -EINVAL");
    u64 *bad = page_alloc();
    bad[100] = 0x0000ee00e0330000ul;
    memory_protect(bad, MEMORY_RO);
    u64 mfn = memory_virt_to_mfn(bad);
    equal("result", hypercall_set_gdt(&mfn, 512), -XEN_EINVAL);
    equal("rw", memory_protect(bad, MEMORY_RW), 0);
}

static void ldt(void)
{
    u64 *page = page_alloc(), *spare = page_alloc();

    page[1] = DESC_DATA;
    memory_protect(page, MEMORY_RO);
    test("ldt-set", "SET_LDT with a page of the domain");
    equal("result", mmuext(MMUEXT_SET_LDT, (u64)page, 512), 0);
    test("ldt-load", "a selector of it loads: the page is brought in when it is needed");
    equal("vector", trap_try(load_fs, 1 * 8 + 7), TRAP_NONE);
    test("ldt-empty", "an empty slot: #GP with the selector");
    equal("vector", trap_try(load_fs, 2 * 8 + 7), TRAP_GP);
    equal("error", trap_last.error, 2 * 8 + 4);
    test("ldt-held", "once used the page cannot be mapped writable");
    equal("rw", memory_protect(page, MEMORY_RW), -XEN_EBUSY);
    test("ldt-limit", "a selector behind the last entry: #GP");
    mmuext(MMUEXT_SET_LDT, (u64)page, 1);
    equal("vector", trap_try(load_fs, 1 * 8 + 7), TRAP_GP);
    test("ldt-none", "SET_LDT with no entries gives it back");
    equal("result", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    equal("vector", trap_try(load_fs, 1 * 8 + 7), TRAP_GP);
    equal("rw", memory_protect(page, MEMORY_RW), 0);
    test("ldt-unaligned", "an address inside a page: -EINVAL");
    equal("result", mmuext(MMUEXT_SET_LDT, (u64)page + 8, 1), -XEN_EINVAL);
    test("ldt-many", "more than 8192 entries: -EINVAL");
    equal("result", mmuext(MMUEXT_SET_LDT, (u64)page, 8193), -XEN_EINVAL);
    equal("8192", mmuext(MMUEXT_SET_LDT, (u64)page, 8192), 0);
    test("ldt-hypervisor", "an address in the hypervisor's range: -EINVAL");
    equal("result", mmuext(MMUEXT_SET_LDT, VA_HYPERVISOR, 512), -XEN_EINVAL);
    test("ldt-unmapped", "an address that is not mapped is taken; using it is the guest's fault: #PF or #GP");
    equal("result", mmuext(MMUEXT_SET_LDT, VA_UNMAPPED, 512), 0);
    u32 vector = trap_try(load_fs, 1 * 8 + 7);
    equal("vector", vector, TRAP_PF);
    equal("cr2", trap_last.cr2, VA_UNMAPPED + 8);
    test("ldt-bad", "a page with a descriptor that is not allowed: not brought in");
    spare[1] = DESC_DATA;
    spare[9] = 0x0000ee00e0330000ul;
    memory_protect(spare, MEMORY_RO);
    equal("result", mmuext(MMUEXT_SET_LDT, (u64)spare, 512), 0);
    equal("vector", trap_try(load_fs, 1 * 8 + 7), TRAP_PF);
    test("ldt-writable", "a page that is mapped writable: not brought in");
    memory_protect(spare, MEMORY_RW);
    spare[9] = 0;
    equal("vector", trap_try(load_fs, 1 * 8 + 7), TRAP_PF);
    mmuext(MMUEXT_SET_LDT, 0, 0);
}

void guest_main(void)
{
    report_start("gdt");
    table();
    descriptors();
    ldt();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments, gates, selectors, and the registers beside them: bases and breakpoints.
 */
#include "guests/hostile/hostile.h"

#define GROUP "descriptors"

#define DATA3 0x00cff3000000fffful
#define CODE3 0x00affb000000fffful

/* Descriptors that would be a way into the hypervisor. */
static const struct {
    const char *name;
    u64 value;
} refused[] = {
    {"LDT", 0x0000e2000000fffful},          {"TSS", 0x0000e9000000fffful},
    {"busy TSS", 0x0000eb000000fffful},     {"16-bit TSS", 0x0000e1000000fffful},
    {"task gate", 0x0000e5000000fffful},    {"interrupt gate", 0x0000ee00e0080000ul},
    {"trap gate", 0x0000ef00e0080000ul},    {"16-bit call gate", 0x0000e400e0080000ul},
    {"16-bit interrupt gate", 0x0000e600e0080000ul}, {"system type 8", 0x0000e80000000000ul},
    {"call gate to the hypervisor's code", 0x0000ec00e0080000ul},
    {"the same with RPL 3", 0x0000ec00e00b0000ul},
    {"call gate to its TSS", 0x0000ec00e0400000ul},
    {"call gate with a stack switch count", 0x0000ec01e0330000ul},
    {"call gate with reserved bits", 0x0000ecffe0330000ul},
};

static u64 load_fs(u64 selector)
{
    __asm__ volatile("movl %%edi, %%fs\n xorl %%eax, %%eax\n movl %%eax, %%fs" : : "D"((u32)selector) : "rax");
    return 0;
}

static u64 far_call_to;
static u64 far_call(u64 selector)
{
    struct {
        u64 offset;
        u16 selector;
    } __attribute__((packed)) to = {far_call_to, (u16)selector};

    __asm__ volatile("rex64 lcall *%0" : : "m"(to) : "memory", "rax", "rcx", "rdx");
    return 0;
}

static u64 far_return(u64 selector)
{
    __asm__ volatile("pushq %0\n leaq 1f(%%rip), %%rax\n pushq %%rax\n lretq\n1:" : : "r"(selector) : "rax", "memory");
    return 0;
}

static u64 iret_to(u64 selector)
{
    __asm__ volatile("movq %%rsp, %%rax\n pushq $0xe02b\n pushq %%rax\n pushfq\n pushq %0\n leaq 1f(%%rip), %%rax\n"
                     "pushq %%rax\n iretq\n1:" : : "r"(selector) : "rax", "memory");
    return 0;
}

static long set_gdt(const void *page, u32 entries)
{
    u64 mfn = mfn_of(page);

    return hypercall_set_gdt(&mfn, entries);
}

ATTACK(gates_by_update, FLAW_DESCRIPTOR, "system descriptors and gates by update_descriptor, into the GDT in use or a plain page: -EINVAL")
{
    u64 *gdt = table_page(), *plain = page_alloc();

    equal("set", set_gdt(gdt, 512), 0);
    for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
        equal(refused[i].name, hypercall_update_descriptor(memory_virt_to_maddr(gdt + 4), refused[i].value), -XEN_EINVAL);
        equal(refused[i].name, hypercall_update_descriptor(memory_virt_to_maddr(plain), refused[i].value), -XEN_EINVAL);
        equal("loads", trap_try(load_fs, 4 * 8 + 3), TRAP_GP);
    }
    equal("slot", gdt[4], 0);
    equal("plain", plain[0], 0);
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    page_back(gdt);
    page_free(plain);
}

ATTACK(gates_by_page, FLAW_DESCRIPTOR, "a page with one of them in its first, a middle or its last slot, as GDT: -EINVAL; as LDT: its selectors do not load")
{
    static const u32 places[] = {0, 1, 300, 511};

    for (u32 i = 0; i < ARRAY_SIZE(refused); i++)
        for (u32 k = 0; k < ARRAY_SIZE(places); k++) {
            u64 *page = page_alloc();
            u32 good = places[k] == 1 ? 2 : 1;

            page[good] = DATA3;
            page[places[k]] = refused[i].value;
            memory_protect(page, MEMORY_RO);
            equal(refused[i].name, set_gdt(page, 512), -XEN_EINVAL);
            equal("LDT", mmuext(MMUEXT_SET_LDT, (u64)page, 512), 0);
            differ(refused[i].name, trap_try(load_fs, good * 8 + 7), TRAP_NONE);
            differ("itself", trap_try(load_fs, places[k] * 8 + 7), TRAP_NONE);
            equal("no LDT", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
            page_back(page);
        }
}

ATTACK(privilege_is_taken, FLAW_DESCRIPTOR, "segments of level 0 to 2 become level 3, call gates level 0, however they come in; far calls, returns and IRET to them stay in ring 3")
{
    u64 *gdt = page_alloc();
    u16 cs;

    gdt[1] = DATA3 & ~(3ul << 45);
    gdt[2] = CODE3 & ~(3ul << 45);
    gdt[3] = (CODE3 & ~(3ul << 45)) | 1ul << 42; /* conforming */
    gdt[4] = 0x0000ec00e0330000ul;               /* call gate */
    memory_protect(gdt, MEMORY_RO);
    equal("set", set_gdt(gdt, 512), 0);
    for (u32 i = 1; i < 4; i++)
        equal("level", gdt[i] >> 45 & 3, 3);
    equal("gate", gdt[4] >> 45 & 3, 0);
    for (u32 dpl = 0; dpl < 4; dpl++) {
        equal("update", hypercall_update_descriptor(memory_virt_to_maddr(gdt + 2), (CODE3 & ~(3ul << 45)) | (u64)dpl << 45), 0);
        equal("level", gdt[2] >> 45 & 3, 3);
    }
    equal("gate from here", trap_try(far_call, 4 * 8 + 3), TRAP_GP);
    for (u32 rpl = 0; rpl < 4; rpl++) {
        trap_try(far_return, 2 * 8 + rpl);
        __asm__ volatile("movw %%cs, %0" : "=r"(cs));
        equal("ring", cs & 3, 3);
        trap_try(iret_to, 2 * 8 + rpl);
        __asm__ volatile("movw %%cs, %0" : "=r"(cs));
        equal("ring", cs & 3, 3);
    }
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    page_back(gdt);
}

ATTACK(hypervisor_selectors, FLAW_DESCRIPTOR, "the hypervisor's selectors (code, data, TSS, LDT) in FS, far returns, far calls, IRET and SEGBASE_GS_USER_SEL: #GP or no effect")
{
    static const u16 selectors[] = {0xe008, 0xe010, 0xe040, 0xe048, 0xe050, 0xe058, 0xe068};
    u16 cs, gs;

    for (u32 i = 0; i < ARRAY_SIZE(selectors); i++)
        for (u32 rpl = 0; rpl < 4; rpl++) {
            u16 s = (u16)(selectors[i] | rpl);

            equal("FS", trap_try(load_fs, s), TRAP_GP);
            differ("far return", trap_try(far_return, s), TRAP_NONE);
            differ("far call", trap_try(far_call, s), TRAP_NONE);
            differ("IRET", trap_try(iret_to, s), TRAP_NONE);
            hypercall_set_segment_base(SEGBASE_GS_USER_SEL, s);
            __asm__ volatile("movw %%cs, %0\n movw %%gs, %1" : "=r"(cs), "=r"(gs));
            equal("ring", cs & 3, 3);
            equal("GS", gs, 0);
        }
}

ATTACK(descriptors_written, FLAW_TABLE, "a page of the GDT in use written by every way: a writable mapping, mmu_update, clear, copy, an emulated store, a grant, as a table")
{
    u64 *gdt = table_page(), *data = page_alloc(), va = memory_reserve(1), before;
    u32 handle, ref;

    hypercall_update_descriptor(memory_virt_to_maddr(gdt + 1), DATA3);
    equal("set", set_gdt(gdt, 512), 0);
    before = gdt[1];
    ref = offer(mfn_of(gdt));
    memory_map(va, 0);
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    equal("mapping", memory_protect(gdt, MEMORY_RW), -XEN_EBUSY);
    equal("mmu_update", set_entry(gdt + 1, 0), -XEN_EINVAL);
    equal("clear", mmuext(MMUEXT_CLEAR_PAGE, mfn_of(gdt), 0), -XEN_EINVAL);
    equal("copy", mmuext(MMUEXT_COPY_PAGE, mfn_of(gdt), mfn_of(data)), -XEN_EINVAL);
    equal("store", store(gdt + 1, 0), TRAP_PF);
    equal("grant", map_grant(ref, va, GNTMAP_host_map, &handle), GNTST_general_error);
    for (u32 level = 1; level <= 4; level++)
        equal("as a table", pin(level, gdt), -XEN_EINVAL);
    equal("emulated mapping", store(memory_entry(va, 1), entry_of(gdt, MEMORY_RW)), TRAP_PF);
    equal("descriptor", gdt[1], before);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
    holds("the grant ends", grant_end(ref));
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    page_back(gdt);
    page_free(data);
}

ATTACK(descriptors_let_go, FLAW_STALE, "a GDT page is given up and written: its selectors are gone, what it says now is not used; as a GDT again it is checked again")
{
    u64 *gdt = page_alloc();

    gdt[1] = DATA3;
    memory_protect(gdt, MEMORY_RO);
    equal("set", set_gdt(gdt, 512), 0);
    equal("loads", trap_try(load_fs, 1 * 8 + 3), TRAP_NONE);
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    equal("writable", memory_protect(gdt, MEMORY_RW), 0);
    equal("does not load", trap_try(load_fs, 1 * 8 + 3), TRAP_GP);
    gdt[1] = 0x0000ee00e0080000ul;
    memory_protect(gdt, MEMORY_RO);
    equal("bad now", set_gdt(gdt, 512), -XEN_EINVAL);
    equal("writable", memory_protect(gdt, MEMORY_RW), 0);
    gdt[1] = DATA3;
    memory_protect(gdt, MEMORY_RO);
    equal("set", set_gdt(gdt, 512), 0);
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    page_back(gdt);
}

ATTACK(gdt_arguments, FLAW_ADDRESS, "set_gdt with too many entries, lists at bad addresses, one page 14 times, a good page before a bad one: answered, and the counts right")
{
    u64 *gdt = table_page(), list[14];

    equal("7169", hypercall_set_gdt(list, 7169), -XEN_EINVAL);
    equal("2^31", hypercall_set_gdt(list, 0x80000000u), -XEN_EINVAL);
    equal("all ones", hypercall_set_gdt(list, ~0u), -XEN_EINVAL);
    equal("hypervisor", hypercall_set_gdt((u64 *)VA_HYPERVISOR, 512), -XEN_EFAULT);
    equal("not canonical", hypercall_set_gdt((u64 *)VA_NONCANONICAL, 512), -XEN_EFAULT);
    equal("at the very end", hypercall_set_gdt((u64 *)~7ul, 1024), -XEN_EFAULT);
    for (u32 i = 0; i < 14; i++)
        list[i] = mfn_of(gdt);
    equal("14 times", hypercall_set_gdt(list, 7168), 0);
    equal("recount", (u64)recount(), 0);
    list[13] = MFN_HYPERVISOR;
    equal("a bad one last", hypercall_set_gdt(list, 7168), -XEN_EINVAL);
    equal("recount", (u64)recount(), 0);
    equal("none", hypercall_set_gdt(NULL, 0), 0);
    page_back(gdt);
}

ATTACK(ldt_places, FLAW_ADDRESS, "an LDT in the hypervisor's range, not canonical, across the gap, unaligned, too long: -EINVAL")
{
    static const struct {
        u64 base, entries;
    } t[] = {
        {VA_HYPERVISOR, 1},       {MACH2PHYS_BASE, 512},     {HYPERVISOR_END - PAGE_SIZE, 1}, {0x7ffffffff000ul, 513},
        {VA_NONCANONICAL, 1},     {0x800000000000ul, 1},     {0xfffffffffffff000ul, 513},     {0x1008, 1},
        {0x1001, 1},              {0x10000, 8193},           {0x10000, 0x20000000},           {0x10000, 0xffffffff},
        {0xffff7ffffffff000ul, 8},
    };

    for (u32 i = 0; i < ARRAY_SIZE(t); i++)
        equal("set", mmuext(MMUEXT_SET_LDT, t[i].base, t[i].entries), -XEN_EINVAL);
    equal("loads", trap_try(load_fs, 7), TRAP_GP);
}

ATTACK(ldt_of_what, FLAW_TYPE, "an LDT on a page table, the root, a writable page, the shared info page, the machine-to-phys table's alias: selectors do not load")
{
    u64 *table = pinned_table(1), *data = page_alloc();
    const void *bases[] = {table, memory_root(), data, (void *)((u64)shared_info & PAGE_MASK)};

    data[1] = DATA3;
    for (u32 i = 0; i < ARRAY_SIZE(bases); i++) {
        equal("set", mmuext(MMUEXT_SET_LDT, (u64)bases[i], 512), 0);
        differ("loads", trap_try(load_fs, 1 * 8 + 7), TRAP_NONE);
        equal("recount", (u64)recount(), 0);
    }
    equal("no LDT", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
    equal("unpin", unpin(table), 0);
    page_back(table);
    page_free(data);
}

ATTACK(ldt_let_go, FLAW_LIFE, "an LDT page in use is unmapped and given back: it is held until the LDT changes, or the root does")
{
    for (u32 way = 0; way < 2; way++) {
        u64 *ldt = page_alloc(), mfn = mfn_of(ldt);
        long before = pages_now();

        ldt[1] = DATA3;
        memory_protect(ldt, MEMORY_RO);
        equal("set", mmuext(MMUEXT_SET_LDT, (u64)ldt, 512), 0);
        equal("loads", trap_try(load_fs, 1 * 8 + 7), TRAP_NONE);
        equal("writable", memory_protect(ldt, MEMORY_RW), -XEN_EBUSY);
        memory_unmap(ldt);
        equal("give back", give_frame_back(mfn), 1);
        equal("still counted", pages_now(), before);
        equal("recount", (u64)recount(), 0);
        equal("still loads", trap_try(load_fs, 1 * 8 + 7), TRAP_NONE);
        if (way) {
            u64 *root = memory_root(), *second = page_alloc();

            for (u32 i = 0; i < 512; i++)
                second[i] = i >= 256 && i <= 271 ? 0 : root[i];
            memory_protect(second, MEMORY_RO);
            equal("second root", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(second), 0), 0);
            equal("back", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(root), 0), 0);
            page_back(second);
        } else {
            equal("no LDT", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
        }
        equal("gone", pages_now(), before - 1);
        differ("loads", trap_try(load_fs, 1 * 8 + 7), TRAP_NONE);
        equal("no LDT", mmuext(MMUEXT_SET_LDT, 0, 0), 0);
        page_again(ldt);
    }
}

ATTACK(segment_bases, FLAW_ADDRESS, "segment bases that are not canonical: -EINVAL or #GP by each way; one in the hypervisor's range lets nothing be read")
{
    static const u32 which[] = {SEGBASE_FS, SEGBASE_GS_USER, SEGBASE_GS_KERNEL};
    static const u64 bad[] = {VA_NONCANONICAL, 0x800000000000ul, 0xffff7ffffffffffful, 1ul << 62};
    static const u32 msrs[] = {0xc0000100, 0xc0000101, 0xc0000102};
    u64 got;

    for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
        for (u32 k = 0; k < 3; k++) {
            equal("set", hypercall_set_segment_base(which[k], bad[i]), -XEN_EINVAL);
            equal("wrmsr", TRAP_INSN("wrmsr", (), ("c"(msrs[k]), "a"((u32)bad[i]), "d"((u32)(bad[i] >> 32)))), TRAP_GP);
        }
    for (u32 i = 4; i < 40; i++)
        equal("no such base", hypercall_set_segment_base(i, 0), -XEN_EINVAL);
    equal("in the hypervisor's range", hypercall_set_segment_base(SEGBASE_FS, VA_HYPERVISOR), 0);
    equal("load", TRAP_INSN("movq %%fs:0, %0", ("=r"(got)), ()), TRAP_PF);
    equal("store", TRAP_INSN("movq %%rax, %%fs:0", (), ()), TRAP_PF);
    equal("back", hypercall_set_segment_base(SEGBASE_FS, 0), 0);
}

ATTACK(breakpoints, FLAW_ADDRESS, "breakpoints on the hypervisor or at no address: -EPERM, or #GP by instruction; general detect, port breakpoints, high bits: refused")
{
    static const u64 bad[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 1, 0xffff82d080200000ul, VA_NONCANONICAL, 0x800000000000ul};

    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        for (u32 reg = 0; reg < 4; reg++)
            equal("set", hypercall_set_debugreg(reg, bad[i]), -XEN_EPERM);
        equal("DR0", TRAP_INSN("movq %0, %%dr0", (), ("r"(bad[i]))), TRAP_GP);
        equal("DR3", TRAP_INSN("movq %0, %%dr3", (), ("r"(bad[i]))), TRAP_GP);
    }
    equal("general detect", hypercall_set_debugreg(7, 0x2001), -XEN_EPERM);
    equal("ports", hypercall_set_debugreg(7, 0x20001), -XEN_EPERM);
    equal("high bits", hypercall_set_debugreg(7, 1ul << 32), -XEN_EINVAL);
    equal("high bits of DR6", hypercall_set_debugreg(6, 1ul << 40), -XEN_EINVAL);
    for (u32 reg = 8; reg < 20; reg++)
        equal("no such register", hypercall_set_debugreg(reg, 0), -XEN_ENODEV);
    equal("nothing enabled", hypercall_get_debugreg(7) & 0xff, 0);
}

static volatile u32 watched;
static volatile u32 stops;

static bool count_stop(struct trap_frame *frame)
{
    (void)frame;
    stops++;
    return true;
}

ATTACK(breakpoint_on_arguments, FLAW_STATE, "a breakpoint on memory that the hypervisor itself reads or writes for the guest: no #DB in the hypervisor, the call is right")
{
    u64 rsp = (u64)__builtin_frame_address(0);
    mmu_update_t request = {MFN_HYPERVISOR << 12, 0};
    trap_handler before = trap_set_handler(TRAP_DB, count_stop);

    stops = 0;
    watched = 40;
    equal("address", hypercall_set_debugreg(0, (u64)&watched), 0);
    equal("any access, 4 bytes", hypercall_set_debugreg(7, 0xf0003), 0);
    watched = 41;
    if (!stops)
        skip("this processor does not stop at data breakpoints");
    equal("a call that counts there", hypercall_mmu_update(&request, 1, (u32 *)&watched, DOMID_SELF), -XEN_EINVAL);
    equal("off", hypercall_set_debugreg(7, 0), 0);
    equal("what it wrote", watched, 0);
    /* The stack, on which the hypervisor puts exception frames, at the depth of each of them. */
    for (u32 below = 8; below < 1024; below += 8) {
        equal("address", hypercall_set_debugreg(0, (rsp - below) & ~7ul), 0);
        equal("writes, 8 bytes", hypercall_set_debugreg(7, 0x90003), 0);
        equal("vector", TRAP_INSN("ud2", (), ()), TRAP_UD);
        equal("off", hypercall_set_debugreg(7, 0), 0);
    }
    hypercall_set_debugreg(0, 0);
    hypercall_set_debugreg(6, 0);
    trap_set_handler(TRAP_DB, before);
}

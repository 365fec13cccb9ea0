/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in use by somebody else: the other vCPU, or the hypervisor, when a domain takes its own ground away.
 */
#include "guests/hostile/hostile.h"

#define GROUP "life"

static u64 *copy_of_root(void)
{
    u64 *root = memory_root(), *copy = page_alloc();

    for (u32 i = 0; i < 512; i++)
        copy[i] = i >= 256 && i <= 271 ? 0 : root[i];
    memory_protect(copy, MEMORY_RO);
    return copy;
}

/* ---- a vCPU's state as one structure ---- */

static vcpu_guest_context_t context;

static long initialise(void)
{
    return hypercall_vcpu_op(VCPUOP_initialise, 1, &context);
}

static u64 counter;

static void count(u64 arg)
{
    counter += arg;
}

ATTACK(vcpu_from_bad_state, FLAW_STATE, "a vCPU made from a state with a forged root, GDT, LDT, handlers or bases: -EINVAL, nothing is held")
{
    u64 *table = pinned_table(1), *data = page_alloc();
    u64 roots[] = {victim_frame(), MFN_HYPERVISOR, mfn_of(table), mfn_of(data), MFN_BEYOND, 0, start_info->shared_info >> 12};

    for (u32 i = 0; i < ARRAY_SIZE(roots); i++) {
        second_context(&context, memory_root());
        context.ctrlreg[3] = roots[i] << 12;
        equal("root", initialise(), -XEN_EINVAL);
        second_context(&context, memory_root());
        context.ctrlreg[1] = roots[i] << 12 | (roots[i] ? 0 : 1ul << 51);
        equal("user root", initialise(), -XEN_EINVAL);
        second_context(&context, memory_root());
        context.gdt_ents = 1024;
        context.gdt_frames[0] = mfn_of(table); /* no descriptors either */
        context.gdt_frames[1] = roots[i];
        equal("GDT", initialise(), -XEN_EINVAL);
        equal("recount", (u64)recount(), 0);
    }
    for (u32 i = 0; i < 8; i++) {
        second_context(&context, memory_root());
        u64 *words[] = {&context.event_callback_eip, &context.failsafe_callback_eip, &context.syscall_callback_eip, &context.fs_base,
                        &context.gs_base_kernel,     &context.gs_base_user,          &context.trap_ctxt[200].address,  &context.ldt_base};
        *words[i] = VA_NONCANONICAL | 1;
        equal("address", initialise(), -XEN_EINVAL);
    }
    second_context(&context, memory_root());
    context.ldt_base = VA_HYPERVISOR;
    context.ldt_ents = 512;
    equal("LDT of the hypervisor", initialise(), -XEN_EINVAL);
    context.ldt_base = 0x10000;
    context.ldt_ents = ~0ul / 8;
    equal("LDT without end", initialise(), -XEN_EINVAL);
    second_context(&context, memory_root());
    context.gdt_ents = ~0ul;
    equal("GDT without end", initialise(), -XEN_EINVAL);
    equal("unreadable", hypercall_vcpu_op(VCPUOP_initialise, 1, (void *)VA_HYPERVISOR), -XEN_EFAULT);
    equal("it is down", hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    equal("up", hypercall_vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
    equal("unpin", unpin(table), 0);
    page_back(table);
    page_free(data);
}

/* The root of the second vCPU, a copy of ours; pinned only while it is made. */
static u64 *second_root;

ATTACK(vcpu_with_privilege, FLAW_STATE, "a vCPU made with the hypervisor's selectors, IOPL 3, cleared IF, NT and VM, breakpoints on the hypervisor: it starts without them")
{
    second_root = copy_of_root();
    second_context(&context, second_root);
    context.user_regs.cs = 0xe030;
    context.user_regs.ss = 0xe028;
    context.user_regs.ds = context.user_regs.es = 0xe010;
    context.user_regs.fs = 0xe008;
    context.user_regs.gs = 0xe040;
    context.user_regs.rflags = 0x7ffff0 & ~0x300ul;
    context.ctrlreg[0] = ~0ul;
    context.ctrlreg[4] = ~0ul;
    for (u32 i = 0; i < 4; i++)
        context.debugreg[i] = VA_HYPERVISOR;
    context.debugreg[7] = 0xffff2755;
    context.failsafe_callback_eip = context.user_regs.rip; /* what cannot be loaded: it starts here instead */
    equal("initialise", initialise(), 0);
    second_initialised();
    equal("the root became a table", memory_protect(second_root, MEMORY_RW), -XEN_EBUSY);
    second_do(count, 3);
    equal("it ran", counter, 3);
    equal("CS", second_registers.cs & 3, 3);
    equal("SS", second_registers.ss & 3, 3);
    equal("DS", second_registers.ds, 0);
    equal("ES", second_registers.es, 0);
    equal("FS", second_registers.fs, 0);
    equal("GS", second_registers.gs, 0);
    equal("IF is on", second_registers.rflags & 0x200, 0x200);
    equal("IOPL, NT and VM are not", second_registers.rflags & 0x27000, 0);
}

static u64 switch_answer;

static void switch_root(u64 mfn)
{
    switch_answer = (u64)mmuext(MMUEXT_NEW_BASEPTR, mfn, 0);
}

ATTACK(root_of_other_vcpu, FLAW_LIFE, "the root of another vCPU: it cannot be written, cleared or be another type; given back, it lives until that vCPU has another")
{
    u64 mfn = mfn_of(second_root);
    long before = pages_now();

    if (!counter) {
        broken("needs life/vcpu_with_privilege before it: run the group");
        return;
    }
    equal("writable", memory_protect(second_root, MEMORY_RW), -XEN_EBUSY);
    equal("clear", mmuext(MMUEXT_CLEAR_PAGE, mfn, 0), -XEN_EINVAL);
    for (u32 level = 1; level <= 3; level++)
        equal("as another table", pin(level, second_root), -XEN_EINVAL);
    equal("unpin", unpin(second_root), -XEN_EINVAL);
    equal("give back", give_frame_back(mfn), 1);
    memory_unmap(second_root);
    equal("still counted", pages_now(), before);
    equal("recount", (u64)recount(), 0);
    second_do(count, 4);
    equal("it runs on it", counter, 7);
    second_do(switch_root, mfn_of(memory_root()));
    equal("switch", switch_answer, 0);
    equal("gone", pages_now(), before - 1);
    page_again(second_root);
}

static long gdt_answer;

static void take_gdt(u64 mfn)
{
    gdt_answer = mfn ? hypercall_set_gdt(&mfn, 512) : hypercall_set_gdt(NULL, 0);
}

ATTACK(descriptors_of_other_vcpu, FLAW_TABLE, "the GDT page of another vCPU: it cannot be written or become a table")
{
    u64 *gdt = table_page();

    second_do(take_gdt, mfn_of(gdt));
    equal("taken", (u64)gdt_answer, 0);
    equal("writable", memory_protect(gdt, MEMORY_RW), -XEN_EBUSY);
    equal("mmu_update", set_entry(gdt, 0x0000ee00e0080000ul), -XEN_EINVAL);
    equal("clear", mmuext(MMUEXT_CLEAR_PAGE, mfn_of(gdt), 0), -XEN_EINVAL);
    for (u32 level = 1; level <= 4; level++)
        equal("as a table", pin(level, gdt), -XEN_EINVAL);
    equal("recount", (u64)recount(), 0);
    second_do(take_gdt, 0);
    page_back(gdt);
}

static u64 *translated;

static void write_translated(u64 va)
{
    *(volatile u64 *)va = 0x5a;
}

ATTACK(stale_on_other_vcpu, FLAW_STALE, "a page that the other vCPU has just written through becomes a table here: the change is flushed, and recounted")
{
    u64 va = memory_reserve(1);

    translated = page_alloc();
    memory_map(va, entry_of(translated, MEMORY_RW));
    second_do(write_translated, va);
    equal("written", translated[0], 0x5a);
    translated[0] = 0;
    equal("unmap", memory_update(memory_entry_maddr(va, 1), 0), 0);
    equal("read-only", memory_update(memory_entry_maddr((u64)translated, 1), entry_of(translated, MEMORY_RO)), 0);
    equal("pin", pin(1, translated), 0);
    equal("store", store((void *)va, 1), TRAP_PF);
    equal("entry", translated[0], 0);
    equal("unpin", unpin(translated), 0);
    page_back(translated);
}

/* ---- a domain against itself ---- */

ATTACK_ENDS(without_memory, FLAW_LIFE, "a domain takes its own kernel out of its root: it is ended, not the hypervisor")
{
    crashes();
    set_entry(memory_root() + 511, 0);
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

ATTACK_ENDS(empty_root, FLAW_LIFE, "a domain changes to a root that maps nothing: it is ended")
{
    u64 *l4 = pinned_table(4);

    crashes();
    mmuext(MMUEXT_NEW_BASEPTR, mfn_of(l4), 0);
}

ATTACK_ENDS(without_stack, FLAW_ADDRESS, "a domain's stack becomes a page table under it, and it faults: it is ended, the table is not written")
{
    u64 *table = pinned_table(1);

    crashes();
    hypercall_stack_switch(FLAT_KERNEL_SS, (u64)(table + 256));
    __asm__ volatile("movq %0, %%rsp\n ud2" : : "r"(table + 256));
}

ATTACK_ENDS(all_given_back, FLAW_LIFE, "a domain gives back every frame it has, its tables, code and stack as well, then ends badly: they were held as long as they were mapped")
{
    static u64 list[8192];
    u64 *root = memory_root();

    for (u64 pfn = 0; pfn < start_info->nr_pages && pfn < ARRAY_SIZE(list); pfn++)
        list[pfn] = memory_pfn_to_mfn(pfn);
    unpin(root);
    equal("give back", frames_give(list, start_info->nr_pages), start_info->nr_pages);
    equal("recount", (u64)recount(), 0);
    crashes();
    set_entry(root + 511, 0); /* the machine-to-phys table does not know it any more */
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

static u64 user_nothing(u64 arg)
{
    return arg;
}

ATTACK(user_in_empty_root, FLAW_STATE, "user mode in a root that maps nothing: its #PF comes to the kernel, in the kernel's root")
{
    u64 *l4 = pinned_table(4);

    equal("user root", mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(l4), 0), 0);
    equal("vector", user_call(user_nothing, 1), TRAP_PF);
    equal("from user mode", trap_last.error & PF_USER, PF_USER);
    user_init();
    equal("unpin", unpin(l4), 0);
    page_back(l4);
}

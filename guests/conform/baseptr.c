/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NEW_BASEPTR: changing the root, references of roots, CR3 as an emulated register.
 */
#include "guests/conform/conform.h"

static u64 mfn(const void *page)
{
    return memory_virt_to_mfn(page);
}

/* A copy of the root in use. */
static u64 *copy_root(void)
{
    u64 *root = memory_root(), *copy = page_alloc();

    for (u32 i = 0; i < 512; i++)
        if (i < 256 || i > 271)
            copy[i] = root[i];
    memory_protect(copy, MEMORY_RO);
    return copy;
}

static u64 read_cr3(void)
{
    u64 cr3;

    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    return cr3;
}

void guest_main(void)
{
    u64 *old = memory_root(), *copy = copy_root(), *data = page_alloc();

    report_start("baseptr");
    test("cr3-read", "CR3 reads as the root's machine address");
    equal("cr3", read_cr3(), memory_virt_to_maddr(old));
    test("same", "the root in use again: 0");
    equal("result", mmuext(MMUEXT_NEW_BASEPTR, mfn(old), 0), 0);
    test("new", "an unpinned page that can be an L4 table becomes the root");
    equal("result", mmuext(MMUEXT_NEW_BASEPTR, mfn(copy), 0), 0);
    equal("cr3", read_cr3(), memory_virt_to_maddr(copy));
    test("new-held", "it is a table while it is in use");
    equal("rw", memory_protect(copy, MEMORY_RW), -XEN_EBUSY);
    test("old-pinned", "the old root stays a table: it is pinned");
    equal("rw", memory_protect(old, MEMORY_RW), -XEN_EBUSY);
    test("back", "and back");
    equal("result", mmuext(MMUEXT_NEW_BASEPTR, mfn(old), 0), 0);
    test("released", "a root that is not pinned is released by the change");
    equal("rw", memory_protect(copy, MEMORY_RW), 0);
    memory_protect(copy, MEMORY_RO);
    test("writable", "a page that is mapped writable: refused, the root stays");
    equal("result", mmuext(MMUEXT_NEW_BASEPTR, mfn(data), 0), -XEN_EINVAL);
    equal("cr3", read_cr3(), memory_virt_to_maddr(old));
    test("beyond", "a frame beyond memory: -EINVAL");
    equal("result", mmuext(MMUEXT_NEW_BASEPTR, MFN_BEYOND, 0), -XEN_EINVAL);
    test("table-l3", "a table of another level: -EINVAL");
    equal("result", mmuext(MMUEXT_NEW_BASEPTR, (old[511] & PTE_MFN_MASK) >> 12, 0), -XEN_EINVAL);
    test("foreign", "on behalf of another domain: -ESRCH for an unknown one");
    struct mmuext_op op = {.cmd = MMUEXT_NEW_BASEPTR};
    op.arg1.mfn = mfn(copy);
    equal("result", hypercall_mmuext_op(&op, 1, NULL, DOMID_NOBODY), -XEN_ESRCH);
    test("mov-cr3", "MOV to CR3 is emulated: it loads a root by its machine address");
    equal("vector", TRAP_INSN("movq %0, %%cr3", (), ("r"(memory_virt_to_maddr(copy)))), TRAP_NONE);
    equal("cr3", read_cr3(), memory_virt_to_maddr(copy));
    TRAP_INSN("movq %0, %%cr3", (), ("r"(memory_virt_to_maddr(old))));
    equal("back", read_cr3(), memory_virt_to_maddr(old));
    test("mov-cr3-bad", "a frame that cannot be a root: #GP, the root stays");
    equal("vector", TRAP_INSN("movq %0, %%cr3", (), ("r"(memory_virt_to_maddr(data)))), TRAP_GP);
    equal("cr3", read_cr3(), memory_virt_to_maddr(old));
    test("mov-cr3-beyond", "a frame beyond memory: #GP");
    equal("vector", TRAP_INSN("movq %0, %%cr3", (), ("r"(MFN_BEYOND << 12))), TRAP_GP);
    test("mov-cr3-low", "the low 12 bits are ignored");
    equal("vector", TRAP_INSN("movq %0, %%cr3", (), ("r"(memory_virt_to_maddr(copy) | 0x18))), TRAP_NONE);
    equal("cr3", read_cr3(), memory_virt_to_maddr(copy));
    mmuext(MMUEXT_NEW_BASEPTR, mfn(old), 0);
    test("mov-cr3-flushes", "MOV to CR3 flushes the TLB");
    u64 va = memory_reserve(1);
    u64 *other = page_alloc();
    data[0] = 1;
    other[0] = 2;
    memory_map(va, entry_of(data, MEMORY_RW));
    equal("first", *(volatile u64 *)va, 1);
    memory_update(memory_entry_maddr(va, 1), entry_of(other, MEMORY_RW));
    TRAP_INSN("movq %0, %%cr3", (), ("r"(memory_virt_to_maddr(old))));
    equal("second", *(volatile u64 *)va, 2);
    test("unpin-in-use", "the root in use may be unpinned; the next one releases it");
    memory_protect(copy, MEMORY_RO);
    mmuext(MMUEXT_PIN_L4_TABLE, mfn(copy), 0);
    mmuext(MMUEXT_NEW_BASEPTR, mfn(copy), 0);
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn(copy), 0), 0);
    equal("held", memory_protect(copy, MEMORY_RW), -XEN_EBUSY);
    mmuext(MMUEXT_NEW_BASEPTR, mfn(old), 0);
    equal("released", memory_protect(copy, MEMORY_RW), 0);
    report_end();
}

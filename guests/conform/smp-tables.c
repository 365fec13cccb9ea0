/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables that another vCPU has loaded: they are held; and flushes that reach it.
 */
#include "guests/conform/second.h"

#define DESC_DATA 0x00cff3000000fffful

static u64 load_root(u64 mfn)
{
    return (u64)mmuext(MMUEXT_NEW_BASEPTR, mfn, 0);
}

static u64 load_user_root(u64 mfn)
{
    return (u64)mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0);
}

static u64 cr3(u64 unused)
{
    __asm__ volatile("movq %%cr3, %0" : "=r"(unused));
    return unused >> PAGE_SHIFT;
}

static u64 read(u64 at)
{
    return *(volatile u64 *)at;
}

static u64 try_write(u64 at)
{
    return TRAP_INSN("movq $1, (%0)", (), ("r"(at)));
}

static u64 set_gdt(u64 mfn)
{
    return (u64)(mfn ? hypercall_set_gdt(&mfn, 512) : hypercall_set_gdt(NULL, 0));
}

static u64 set_ldt(u64 at)
{
    return (u64)mmuext(MMUEXT_SET_LDT, at, at ? 512 : 0);
}

/* Load FS and clear it again: whether the selector loads. */
static u64 try_fs(u64 selector)
{
    u32 vector = TRAP_INSN("movl %0, %%fs", (), ("r"((u32)selector)));

    __asm__ volatile("movl %0, %%fs" : : "r"(0));
    return vector;
}

static u64 keep_fs(u64 selector)
{
    return TRAP_INSN("movl %0, %%fs", (), ("r"((u32)selector)));
}

static void roots(void)
{
    u64 *root = page_alloc(), *kernel = memory_root();
    u64 mfn = memory_virt_to_mfn(root), old = memory_virt_to_mfn(kernel);

    memcpy(root, kernel, PAGE_SIZE);
    for (u32 i = 256; i < 272; i++)
        root[i] = 0;
    test("root", "each vCPU has its own root");
    equal("pin", memory_pin(root, 4), 0);
    equal("load", second_run(load_root, mfn), 0);
    equal("there", second_run(cr3, 0), mfn);
    equal("here", cr3(0), old);
    test("root-held", "a root that another vCPU has loaded stays a table after its unpin: -EBUSY");
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    equal("rw", memory_protect(root, MEMORY_RW), -XEN_EBUSY);
    test("root-update", "its entries can still be changed, and reach that vCPU");
    u64 *data = page_alloc();
    u64 at = 0x5000000000ul, *l3 = page_alloc(), *l2 = page_alloc(), *l1 = page_alloc();
    data[0] = 0x4242;
    l1[0] = entry_of(data, MEMORY_RW);
    l2[0] = entry_of(l1, MEMORY_TABLE);
    l3[at >> 30 & 511] = entry_of(l2, MEMORY_TABLE);
    memory_protect(l1, MEMORY_RO);
    memory_protect(l2, MEMORY_RO);
    memory_protect(l3, MEMORY_RO);
    equal("update", set_entry(&root[at >> 39 & 511], entry_of(l3, MEMORY_TABLE)), 0);
    equal("there", second_run(read, at), 0x4242);
    equal("here", trap_try(read, at), TRAP_PF);
    equal("clear", set_entry(&root[at >> 39 & 511], 0), 0);
    test("root-down", "so does the root of a vCPU that is taken down");
    equal("down", hypercall_vcpu_op(VCPUOP_down, 1, NULL), 0);
    equal("rw", memory_protect(root, MEMORY_RW), -XEN_EBUSY);
    equal("up", hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
    test("root-released", "when that vCPU has loaded another, it is an ordinary page");
    equal("load", second_run(load_root, old), 0);
    equal("rw", memory_protect(root, MEMORY_RW), 0);
    test("user-root-held", "a user root of another vCPU is held as well");
    equal("pin", memory_pin(root, 4), 0);
    equal("load", second_run(load_user_root, mfn), 0);
    equal("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0);
    equal("rw", memory_protect(root, MEMORY_RW), -XEN_EBUSY);
    equal("unload", second_run(load_user_root, 0), 0);
    equal("rw", memory_protect(root, MEMORY_RW), 0);
}

static void flushes(void)
{
    u64 *a = page_alloc(), *b = page_alloc();
    u64 at = memory_reserve(1), mask = 2;

    a[0] = 0xaaaa;
    b[0] = 0xbbbb;
    memory_map(at, entry_of(a, MEMORY_RW));
    test("flush-all", "update_va_mapping with INVLPG on all vCPUs: the other sees the new frame");
    equal("before", second_run(read, at), 0xaaaa);
    equal("update", hypercall_update_va_mapping(at, entry_of(b, MEMORY_RW), UVMF_INVLPG | UVMF_ALL), 0);
    equal("after", second_run(read, at), 0xbbbb);
    test("flush-multi", "with a bitmap of vCPUs");
    equal("update", hypercall_update_va_mapping(at, entry_of(a, MEMORY_RW), UVMF_INVLPG | UVMF_MULTI | (u64)&mask), 0);
    equal("after", second_run(read, at), 0xaaaa);
    test("flush-op", "mmuext_op INVLPG_MULTI and TLB_FLUSH_ALL");
    hypercall_update_va_mapping(at, entry_of(b, MEMORY_RW), UVMF_NONE);
    equal("invlpg", mmuext(MMUEXT_INVLPG_MULTI, at, (u64)&mask), 0);
    equal("after", second_run(read, at), 0xbbbb);
    hypercall_update_va_mapping(at, entry_of(a, MEMORY_RW), UVMF_NONE);
    equal("flush", mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
    equal("after", second_run(read, at), 0xaaaa);
    test("flush-retype", "a page that the other vCPU has just written can become a table, which it cannot write");
    u64 *page = page_alloc();
    equal("write", second_run(try_write, (u64)page), TRAP_NONE);
    page[0] = 0;
    equal("pin", memory_pin(page, 4), 0);
    equal("write", second_run(try_write, (u64)page), TRAP_PF);
    equal("unpin", memory_unpin(page), 0);
    equal("write", second_run(try_write, (u64)page), TRAP_NONE);
}

static void descriptor_tables(void)
{
    u64 *gdt = page_alloc(), *ldt = page_alloc();
    u64 mfn = memory_virt_to_mfn(gdt);

    gdt[6] = DESC_DATA;
    ldt[3] = DESC_DATA;
    memory_protect(gdt, MEMORY_RO);
    memory_protect(ldt, MEMORY_RO);
    test("gdt", "each vCPU has its own GDT");
    equal("set", second_run(set_gdt, mfn), 0);
    equal("there", second_run(try_fs, 6 * 8 + 3), TRAP_NONE);
    equal("here", try_fs(6 * 8 + 3), TRAP_GP);
    test("gdt-held", "a GDT page of another vCPU cannot be mapped writable: -EBUSY");
    equal("rw", memory_protect(gdt, MEMORY_RW), -XEN_EBUSY);
    equal("unset", second_run(set_gdt, 0), 0);
    equal("rw", memory_protect(gdt, MEMORY_RW), 0);
    test("ldt", "each vCPU has its own LDT");
    equal("set", second_run(set_ldt, (u64)ldt), 0);
    equal("there", second_run(keep_fs, 3 * 8 + 7), TRAP_NONE);
    equal("here", try_fs(3 * 8 + 7), TRAP_GP);
    test("ldt-held", "an LDT page that another vCPU has used cannot be mapped writable: -EBUSY");
    equal("rw", memory_protect(ldt, MEMORY_RW), -XEN_EBUSY);
    equal("no selector", second_run(try_fs, 0), TRAP_NONE);
    test("ldt-released", "when that vCPU has set none, it can");
    equal("unset", second_run(set_ldt, 0), 0);
    equal("rw", memory_protect(ldt, MEMORY_RW), 0);
}

void guest_main(void)
{
    report_start("smp-tables");
    if (second_up()) {
        roots();
        flushes();
        descriptor_tables();
    }
    report_end();
}

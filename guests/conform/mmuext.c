/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other mmuext operations: flushes, page operations, unknown ones.
 */
#include "guests/conform/conform.h"

static void flushes(void)
{
    u64 va = memory_reserve(1), vcpus = 1;
    u64 *a = page_alloc(), *b = page_alloc();
    static const struct {
        const char *name;
        u32 cmd;
    } t[] = {{"tlb-flush-local", MMUEXT_TLB_FLUSH_LOCAL}, {"invlpg-local", MMUEXT_INVLPG_LOCAL},
             {"tlb-flush-multi", MMUEXT_TLB_FLUSH_MULTI}, {"invlpg-multi", MMUEXT_INVLPG_MULTI},
             {"tlb-flush-all", MMUEXT_TLB_FLUSH_ALL},     {"invlpg-all", MMUEXT_INVLPG_ALL}};

    a[0] = 1;
    b[0] = 2;
    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        memory_map(va, entry_of(a, MEMORY_RW));
        (void)*(volatile u64 *)va;
        memory_update(memory_entry_maddr(va, 1), entry_of(b, MEMORY_RW));
        test(t[i].name, "after it the new entry is in force");
        equal("result", mmuext(t[i].cmd, va, (u64)&vcpus), 0);
        equal("word", *(volatile u64 *)va, 2);
    }
    test("multi-fault", "an unreadable vCPU mask: -EINVAL");
    equal("tlb", mmuext(MMUEXT_TLB_FLUSH_MULTI, va, VA_UNMAPPED), -XEN_EINVAL);
    equal("invlpg", mmuext(MMUEXT_INVLPG_MULTI, va, VA_UNMAPPED), -XEN_EINVAL);
    test("multi-beyond", "bits of vCPUs that do not exist are ignored");
    vcpus = ~0ul;
    equal("result", mmuext(MMUEXT_TLB_FLUSH_MULTI, va, (u64)&vcpus), 0);
    test("invlpg-noncanonical", "INVLPG of an address that is not canonical: nothing");
    equal("local", mmuext(MMUEXT_INVLPG_LOCAL, VA_NONCANONICAL, 0), 0);
    equal("all", mmuext(MMUEXT_INVLPG_ALL, VA_NONCANONICAL, 0), 0);
    test("invlpg-hypervisor", "INVLPG of the hypervisor's range: nothing");
    equal("local", mmuext(MMUEXT_INVLPG_LOCAL, VA_HYPERVISOR, 0), 0);
    test("cache", "FLUSH_CACHE: 0 for the initial domain, -EACCES for one without devices");
    equal("result", mmuext(MMUEXT_FLUSH_CACHE, 0, 0), runtime_is_dom0() ? 0 : -XEN_EACCES);
    test("cache-global", "FLUSH_CACHE_GLOBAL as well, but -EINVAL");
    equal("result", mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), runtime_is_dom0() ? 0 : -XEN_EINVAL);
}

static void pages(void)
{
    u64 *a = page_alloc(), *b = page_alloc(), *table = table_page();
    u64 shared = start_info->shared_info >> 12;

    test("clear", "CLEAR_PAGE zeroes a page");
    memset(a, 0x55, PAGE_SIZE);
    equal("result", mmuext(MMUEXT_CLEAR_PAGE, memory_virt_to_mfn(a), 0), 0);
    u64 or_ = 0;
    for (u32 i = 0; i < 512; i++)
        or_ |= a[i];
    equal("contents", or_, 0);
    test("copy", "COPY_PAGE copies a page");
    memset(b, 0x77, PAGE_SIZE);
    equal("result", mmuext(MMUEXT_COPY_PAGE, memory_virt_to_mfn(a), memory_virt_to_mfn(b)), 0);
    equal("contents", memcmp(a, b, PAGE_SIZE), 0);
    test("clear-table", "CLEAR_PAGE of a page table: -EINVAL");
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    equal("result", mmuext(MMUEXT_CLEAR_PAGE, memory_virt_to_mfn(table), 0), -XEN_EINVAL);
    test("copy-to-table", "COPY_PAGE to a page table: -EINVAL");
    equal("result", mmuext(MMUEXT_COPY_PAGE, memory_virt_to_mfn(table), memory_virt_to_mfn(b)), -XEN_EINVAL);
    test("copy-from-table", "COPY_PAGE from a page table");
    equal("result", mmuext(MMUEXT_COPY_PAGE, memory_virt_to_mfn(a), memory_virt_to_mfn(table)), 0);
    test("clear-beyond", "a frame beyond memory: -EINVAL");
    equal("clear", mmuext(MMUEXT_CLEAR_PAGE, MFN_BEYOND, 0), -XEN_EINVAL);
    equal("to", mmuext(MMUEXT_COPY_PAGE, MFN_BEYOND, memory_virt_to_mfn(b)), -XEN_EINVAL);
    equal("from", mmuext(MMUEXT_COPY_PAGE, memory_virt_to_mfn(a), MFN_BEYOND), -XEN_EINVAL);
    test("copy-shared-info", "COPY_PAGE from the shared info page");
    equal("from", mmuext(MMUEXT_COPY_PAGE, memory_virt_to_mfn(a), shared), 0);
    test("clear-unmapped-table", "a page that was a table and is none can be cleared");
    mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(table), 0);
    equal("result", mmuext(MMUEXT_CLEAR_PAGE, memory_virt_to_mfn(table), 0), 0);
}

static void other(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    u32 done = 7;

    test("super", "MARK_SUPER and UNMARK_SUPER: -EOPNOTSUPP");
    equal("mark", mmuext(MMUEXT_MARK_SUPER, memory_virt_to_mfn(page_alloc()), 0), -XEN_EOPNOTSUPP);
    equal("unmark", mmuext(MMUEXT_UNMARK_SUPER, memory_virt_to_mfn(page_alloc()), 0), -XEN_EOPNOTSUPP);
    test("unknown", "unknown operations: -ENOSYS");
    equal("14", mmuext(14, 0, 0), -XEN_ENOSYS);
    equal("21", mmuext(21, 0, 0), -XEN_ENOSYS);
    equal("-1", mmuext(~0u, 0, 0), -XEN_ENOSYS);
    test("empty", "an empty list: 0");
    equal("result", hypercall_mmuext_op(NULL, 0, NULL, DOMID_SELF), 0);
    test("fault", "an unreadable list: -EFAULT");
    equal("unmapped", hypercall_mmuext_op((void *)VA_UNMAPPED, 1, NULL, DOMID_SELF), -XEN_EFAULT);
    equal("hypervisor", hypercall_mmuext_op((void *)VA_HYPERVISOR, 1, NULL, DOMID_SELF), -XEN_EFAULT);
    test("nobody", "an unknown domain: -ESRCH");
    equal("result", hypercall_mmuext_op(&op, 1, &done, DOMID_NOBODY), -XEN_ESRCH);
    test("foreign-io", "DOMID_IO: not for a flush, -EPERM");
    equal("result", hypercall_mmuext_op(&op, 1, &done, DOMID_IO), -XEN_EPERM);
    test("done-set", "the count is added to");
    done = 7;
    equal("result", hypercall_mmuext_op(&op, 1, &done, DOMID_SELF), 0);
    equal("done", done, 1);
}

void guest_main(void)
{
    report_start("mmuext");
    flushes();
    pages();
    other();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update_va_mapping and its form for another domain's frames: addresses, flags, errors.
 */
#include "guests/conform/conform.h"

void guest_main(void)
{
    u64 va = memory_reserve(2), unmasked;
    u64 *a = page_alloc(), *b = page_alloc(), *table = table_page();

    report_start("va-mapping");
    a[0] = 1;
    b[0] = 2;
    memory_map(va, 0);
    test("map", "an entry for a page of the domain");
    equal("result", hypercall_update_va_mapping(va, entry_of(a, MEMORY_RW), UVMF_INVLPG), 0);
    equal("word", *(volatile u64 *)va, 1);
    test("invlpg", "UVMF_INVLPG flushes the address");
    equal("result", hypercall_update_va_mapping(va, entry_of(b, MEMORY_RW), UVMF_INVLPG), 0);
    equal("word", *(volatile u64 *)va, 2);
    test("tlb-flush", "UVMF_TLB_FLUSH flushes everything");
    equal("result", hypercall_update_va_mapping(va, entry_of(a, MEMORY_RW), UVMF_TLB_FLUSH), 0);
    equal("word", *(volatile u64 *)va, 1);
    test("all", "UVMF_ALL: on all processors");
    equal("result", hypercall_update_va_mapping(va, entry_of(b, MEMORY_RW), UVMF_INVLPG | UVMF_ALL), 0);
    equal("word", *(volatile u64 *)va, 2);
    equal("result", hypercall_update_va_mapping(va, entry_of(a, MEMORY_RW), UVMF_TLB_FLUSH | UVMF_ALL), 0);
    equal("word", *(volatile u64 *)va, 1);
    test("multi", "UVMF_MULTI with a bitmap of vCPUs");
    static u64 bitmap = 1;
    equal("result", hypercall_update_va_mapping(va, entry_of(b, MEMORY_RW), UVMF_INVLPG | UVMF_MULTI | (u64)&bitmap), 0);
    equal("word", *(volatile u64 *)va, 2);
    test("multi-fault", "an unreadable bitmap: -EFAULT, but the entry is written");
    long got = hypercall_update_va_mapping(va, entry_of(a, MEMORY_RW), UVMF_INVLPG | UVMF_MULTI | VA_UNMAPPED);
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    equal("result", got, -XEN_EFAULT);
    equal("word", *(volatile u64 *)va, 1);
    test("offset", "an address inside the page is as good as its start");
    equal("result", hypercall_update_va_mapping(va + 0x123, entry_of(b, MEMORY_RW), UVMF_INVLPG), 0);
    equal("word", *(volatile u64 *)va, 2);
    test("flags-3", "flush type 3 does not exist: as no flush, or refused");
    got = hypercall_update_va_mapping(va, entry_of(b, MEMORY_RW), 3);
    equal("result", got, 0);
    test("unmap", "0 unmaps");
    equal("result", hypercall_update_va_mapping(va, 0, UVMF_INVLPG), 0);
    equal("vector", TRAP_INSN("movq (%1), %0", ("=r"(unmasked)), ("r"(va))), TRAP_PF);
    test("no-table", "an address without an L1 table: -EINVAL");
    equal("l4", hypercall_update_va_mapping(VA_UNMAPPED, entry_of(a, MEMORY_RW), UVMF_INVLPG), -XEN_EINVAL);
    equal("l2", hypercall_update_va_mapping(WINDOW_BASE + WINDOW_SIZE - PAGE_SIZE, entry_of(a, MEMORY_RW), UVMF_INVLPG), -XEN_EINVAL);
    test("hypervisor", "an address in the hypervisor's range: -EINVAL");
    equal("m2p", hypercall_update_va_mapping(MACH2PHYS_BASE, entry_of(a, MEMORY_RW), UVMF_INVLPG), -XEN_EINVAL);
    equal("text", hypercall_update_va_mapping(0xffff82d040200000, 0, UVMF_INVLPG), -XEN_EINVAL);
    test("noncanonical", "an address that is not canonical: -EINVAL");
    equal("result", hypercall_update_va_mapping(VA_NONCANONICAL, entry_of(a, MEMORY_RW), UVMF_INVLPG), -XEN_EINVAL);
    test("noncanonical-bad", "with a bad entry as well: -EINVAL, and no flush is tried");
    equal("result", hypercall_update_va_mapping(VA_NONCANONICAL, MFN_BEYOND << 12 | 3, UVMF_INVLPG), -XEN_EINVAL);
    test("table-rw", "a writable entry for a table: -EBUSY, the old entry stays");
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    hypercall_update_va_mapping(va, entry_of(a, MEMORY_RW), UVMF_INVLPG);
    equal("result", hypercall_update_va_mapping(va, entry_of(table, MEMORY_RW), UVMF_INVLPG), -XEN_EBUSY);
    equal("word", *(volatile u64 *)va, 1);
    test("beyond", "a frame beyond memory: -EINVAL");
    equal("result", hypercall_update_va_mapping(va, MFN_BEYOND << 12 | MEMORY_RW, UVMF_INVLPG), -XEN_EINVAL);
    equal("word", *(volatile u64 *)va, 1);

    test("other-self", "the form for another domain, for the own one");
    equal("result", hypercall_update_va_mapping_otherdomain(va, entry_of(b, MEMORY_RW), UVMF_INVLPG, DOMID_SELF), 0);
    equal("word", *(volatile u64 *)va, 2);
    test("other-nobody", "for an unknown domain: -ESRCH");
    equal("result", hypercall_update_va_mapping_otherdomain(va, entry_of(a, MEMORY_RW), UVMF_INVLPG, DOMID_NOBODY), -XEN_ESRCH);
    test("other-special", "for DOMID_XEN: refused, or the own page is not its: an error");
    got = hypercall_update_va_mapping_otherdomain(va, entry_of(a, MEMORY_RW), UVMF_INVLPG, DOMID_XEN);
    holds("error", got < 0);
    test("other-io", "DOMID_IO for a page of RAM, which is not its: -EBUSY");
    got = hypercall_update_va_mapping_otherdomain(va, entry_of(a, MEMORY_RW), UVMF_INVLPG, DOMID_IO);
    equal("result", got, runtime_is_dom0() ? -XEN_EBUSY : -XEN_EPERM);
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping and unmapping grants, loopback: the domain grants to itself by its number.
 */
#include "guests/conform/conform.h"
#include "guests/lib/grant.h"

static u16 self;
static u64 va, va2;
static u64 *data;

static gnttab_map_grant_ref_t map_op(u32 ref, u64 at, u32 flags)
{
    return (gnttab_map_grant_ref_t){.host_addr = at, .flags = flags, .ref = ref, .dom = self,
                                    .status = 77, .handle = 0xabcd};
}

static s64 do_map(gnttab_map_grant_ref_t *op)
{
    long error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, op, 1);

    return error ? 1000 - error : op->status;
}

static s64 map(u32 ref, u64 at, u32 flags)
{
    gnttab_map_grant_ref_t op = map_op(ref, at, flags);

    return do_map(&op);
}

static s64 unmap_full(u64 host, u64 dev, u32 handle)
{
    gnttab_unmap_grant_ref_t op = {.host_addr = host, .dev_bus_addr = dev, .handle = handle, .status = 77};
    long error = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return error ? 1000 - error : op.status;
}

static void mapping(void)
{
    u32 ref = grant_access(self, memory_virt_to_mfn(data), false);
    gnttab_map_grant_ref_t op = map_op(ref, va, GNTMAP_host_map);

    data[0] = 0xfeed;
    test("map", "a grant is mapped at an address whose tables are there");
    equal("status", do_map(&op), GNTST_okay);
    equal("word", *(volatile u64 *)va, 0xfeed);
    equal("bus address", op.dev_bus_addr, memory_virt_to_maddr(data));
    test("map-flags", "the entry shows that it is read and written");
    equal("flags", grant_table[ref].flags, GTF_permit_access | GTF_reading | GTF_writing);
    test("map-entry", "the L1 entry: present, A, D, RW, NX, kernel");
    equal("entry", *memory_entry(va, 1), memory_virt_to_maddr(data) | PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D | PTE_NX | 1ul << 52);
    test("map-write", "writes go to the granted page");
    *(volatile u64 *)va = 0xbeef;
    equal("word", data[0], 0xbeef);
    test("map-end", "a grant in use cannot be ended");
    holds("refused", !grant_end(ref));
    test("map-held", "the granted page is held: it cannot become a page table");
    memory_protect(data, MEMORY_RO);
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(data), 0), -XEN_EINVAL);
    memory_protect(data, MEMORY_RW);
    test("map-twice", "a second map of the same grant");
    gnttab_map_grant_ref_t second = map_op(ref, va2, GNTMAP_host_map | GNTMAP_readonly);
    equal("status", do_map(&second), GNTST_okay);
    differ("handle", second.handle, op.handle);
    test("unmap-one", "with one map left the entry stays in use");
    equal("status", unmap_full(va2, 0, second.handle), GNTST_okay);
    equal("flags", grant_table[ref].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
    test("unmap", "unmapping clears the L1 entry and the flags");
    equal("status", unmap_full(va, 0, op.handle), GNTST_okay);
    equal("entry", *memory_entry(va, 1), 0);
    equal("flags", grant_table[ref].flags, GTF_permit_access);
    equal("vector", TRAP_INSN("movq (%0), %%rax", (), ("r"(va)), "rax"), TRAP_PF);
    test("unmap-twice", "once more: bad handle");
    equal("status", unmap_full(va, 0, op.handle), GNTST_bad_handle);
    test("unmap-handle", "a handle that never was: bad handle");
    equal("status", unmap_full(va, 0, 0x7ffffff), GNTST_bad_handle);
    test("handle-reused", "handles are used again");
    gnttab_map_grant_ref_t third = map_op(ref, va, GNTMAP_host_map);
    equal("status", do_map(&third), GNTST_okay);
    holds("small", third.handle < 1024);
    unmap_full(va, 0, third.handle);
    holds("end", grant_end(ref));
}

static void readonly(void)
{
    u32 ref = grant_access(self, memory_virt_to_mfn(data), true);
    gnttab_map_grant_ref_t op = map_op(ref, va, GNTMAP_host_map | GNTMAP_readonly);

    test("ro-rw", "a read-only grant cannot be mapped writable: general error");
    equal("status", map(ref, va, GNTMAP_host_map), GNTST_general_error);
    equal("flags", grant_table[ref].flags, GTF_permit_access | GTF_readonly);
    test("ro", "it can be mapped read-only");
    equal("status", do_map(&op), GNTST_okay);
    equal("flags", grant_table[ref].flags, GTF_permit_access | GTF_readonly | GTF_reading);
    equal("rw", *memory_entry(va, 1) & PTE_RW, 0);
    test("ro-upgrade", "the mapping cannot be made writable by hand: the page is the domain's own, so it is an ordinary update");
    long got = hypercall_update_va_mapping(va, entry_of(data, MEMORY_RW), UVMF_INVLPG);
    equal("result", got, 0);
    test("ro-unmap-changed", "and then unmapping it as read-only is refused: general error");
    equal("status", unmap_full(va, 0, op.handle), GNTST_general_error);
    hypercall_update_va_mapping(va, entry_of(data, MEMORY_RO), UVMF_INVLPG);
    test("ro-unmap-restored", "with a read-only entry of the same frame it is accepted");
    equal("status", unmap_full(va, 0, op.handle), GNTST_okay);
    grant_end(ref);
}

static void errors(void)
{
    u32 ref = grant_access(self, memory_virt_to_mfn(data), false);
    u64 *table = table_page();

    test("no-kind", "neither host nor device map: bad reference");
    equal("status", map(ref, va, 0), GNTST_bad_gntref);
    test("domain", "an unknown domain: bad domain");
    gnttab_map_grant_ref_t op = map_op(ref, va, GNTMAP_host_map);
    op.dom = DOMID_NOBODY;
    equal("status", do_map(&op), GNTST_bad_domain);
    test("domain-self", "DOMID_SELF is no domain here: bad domain");
    op.dom = DOMID_SELF;
    equal("status", do_map(&op), GNTST_bad_domain);
    test("ref-range", "a reference beyond the table: bad reference");
    equal("status", map(1000000, va, GNTMAP_host_map), GNTST_bad_gntref);
    equal("status", map(~0u, va, GNTMAP_host_map), GNTST_bad_gntref);
    test("ref-free", "an entry that grants nothing: general error");
    equal("status", map(ref + 1, va, GNTMAP_host_map), GNTST_general_error);
    test("other-domain", "an entry for another domain: general error");
    u32 other = grant_access(self + 1, memory_virt_to_mfn(data), false);
    equal("status", map(other, va, GNTMAP_host_map), GNTST_general_error);
    grant_end(other);
    test("accept-transfer", "an entry for a transfer: general error");
    other = grant_accept(self);
    equal("status", map(other, va, GNTMAP_host_map), GNTST_general_error);
    grant_table[other].flags = 0;
    test("frame-beyond", "a frame beyond memory: an error, and the flags are clear again");
    other = grant_access(self, 0xfffffff0, false);
    s64 got = map(other, va, GNTMAP_host_map);
    equal("status", got, GNTST_bad_page);
    equal("flags", grant_table[other].flags, GTF_permit_access);
    grant_end(other);
    test("frame-table", "a page table, writable: general error");
    mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(table), 0);
    other = grant_access(self, memory_virt_to_mfn(table), false);
    equal("status", map(other, va, GNTMAP_host_map), GNTST_general_error);
    equal("flags", grant_table[other].flags, GTF_permit_access);
    test("frame-table-ro", "a page table, read-only: mapped");
    gnttab_map_grant_ref_t ro = map_op(other, va, GNTMAP_host_map | GNTMAP_readonly);
    equal("status", do_map(&ro), GNTST_okay);
    unmap_full(va, 0, ro.handle);
    grant_end(other);
    test("address-no-table", "an address without tables: general error, and the flags are clear again");
    equal("status", map(ref, VA_UNMAPPED, GNTMAP_host_map), GNTST_general_error);
    equal("flags", grant_table[ref].flags, GTF_permit_access);
    test("address-hypervisor", "an address in the hypervisor's range: general error");
    equal("status", map(ref, VA_HYPERVISOR, GNTMAP_host_map), GNTST_general_error);
    test("address-noncanonical", "an address that is not canonical: general error");
    equal("status", map(ref, VA_NONCANONICAL, GNTMAP_host_map), GNTST_general_error);
    test("fault", "an unreadable operation: -EFAULT");
    equal("result", hypercall_grant_table_op(GNTTABOP_map_grant_ref, (void *)VA_UNMAPPED, 1), -XEN_EFAULT);
    equal("result", hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, (void *)VA_HYPERVISOR, 1), -XEN_EFAULT);
    test("count-negative", "a count with the sign bit: -EINVAL");
    equal("result", hypercall_grant_table_op(GNTTABOP_map_grant_ref, NULL, 0x80000000), -XEN_EINVAL);
    test("count-0", "no operation: 0");
    equal("result", hypercall_grant_table_op(GNTTABOP_map_grant_ref, NULL, 0), 0);
    test("unknown", "an unknown command: -ENOSYS");
    equal("result", hypercall_grant_table_op(99, &op, 1), -XEN_ENOSYS);
    test("can-fail", "after all that the grant still maps");
    gnttab_map_grant_ref_t last = map_op(ref, va, GNTMAP_host_map);
    equal("status", do_map(&last), GNTST_okay);
    equal("unmap", unmap_full(va, 0, last.handle), GNTST_okay);
    grant_end(ref);
}

static void halves(void)
{
    u32 ref = grant_access(self, memory_virt_to_mfn(data), false);
    u64 maddr = memory_virt_to_maddr(data);
    gnttab_map_grant_ref_t op = map_op(ref, va, GNTMAP_device_map);

    test("device", "a device map gives the bus address and touches no table");
    equal("status", do_map(&op), GNTST_okay);
    equal("bus address", op.dev_bus_addr, maddr);
    equal("entry", *memory_entry(va, 1), 0);
    equal("flags", grant_table[ref].flags, GTF_permit_access | GTF_reading | GTF_writing);
    test("device-unmap-host", "its host half is not there: unmapping by host address does nothing");
    long got = unmap_full(va, 0, op.handle);
    equal("status", got, GNTST_okay);
    equal("flags", grant_table[ref].flags, GTF_permit_access | GTF_reading | GTF_writing);
    test("device-unmap-wrong", "another bus address: bad device address");
    equal("status", unmap_full(0, maddr + 4096, op.handle), GNTST_bad_dev_addr);
    test("device-unmap", "unmapped by its bus address");
    equal("status", unmap_full(0, maddr, op.handle), GNTST_okay);
    equal("flags", grant_table[ref].flags, GTF_permit_access);
    equal("handle", unmap_full(0, maddr, op.handle), GNTST_bad_handle);
    test("both", "host and device map in one");
    op = map_op(ref, va, GNTMAP_host_map | GNTMAP_device_map);
    equal("status", do_map(&op), GNTST_okay);
    test("both-host-first", "the host half goes alone");
    equal("status", unmap_full(va, 0, op.handle), GNTST_okay);
    equal("entry", *memory_entry(va, 1), 0);
    equal("flags", grant_table[ref].flags & GTF_writing, GTF_writing);
    test("both-then-device", "then the device half, and the handle is free");
    equal("status", unmap_full(0, maddr, op.handle), GNTST_okay);
    equal("flags", grant_table[ref].flags, GTF_permit_access);
    equal("handle", unmap_full(va, 0, op.handle), GNTST_bad_handle);
    test("neither", "unmapping neither half: nothing happens");
    op = map_op(ref, va, GNTMAP_host_map);
    do_map(&op);
    equal("status", unmap_full(0, 0, op.handle), GNTST_okay);
    equal("word", *memory_entry(va, 1) & PTE_P, PTE_P);
    test("wrong-address", "another host address: general error, the map stays");
    equal("status", unmap_full(va2, 0, op.handle), GNTST_general_error);
    equal("unmap", unmap_full(va, 0, op.handle), GNTST_okay);
    grant_end(ref);
}

static void by_pte(void)
{
    u32 ref = grant_access(self, memory_virt_to_mfn(data), false);
    u64 pte = memory_entry_maddr(va, 1);
    gnttab_map_grant_ref_t op = map_op(ref, pte, GNTMAP_host_map | GNTMAP_contains_pte);

    test("pte", "contains_pte: the machine address of an L1 entry");
    equal("status", do_map(&op), GNTST_okay);
    equal("word", *(volatile u64 *)va, data[0]);
    test("pte-unmap", "unmapped by the same address");
    equal("status", unmap_full(pte, 0, op.handle), GNTST_okay);
    equal("entry", *memory_entry(va, 1), 0);
    test("pte-unaligned", "an address that is not aligned to 8: general error");
    for (u32 i = 1; i < 8; i++)
        equal("status", map(ref, pte + i, GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
    equal("entry", *memory_entry(va, 1), 0);
    test("pte-no-table", "an address in a page that is no L1 table: general error");
    equal("data", map(ref, memory_virt_to_maddr(data), GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
    equal("l2", map(ref, memory_entry_maddr(va, 2), GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
    equal("beyond", map(ref, MFN_BEYOND << 12, GNTMAP_host_map | GNTMAP_contains_pte), GNTST_general_error);
    test("application", "application_map: a user entry");
    op = map_op(ref, va, GNTMAP_host_map | GNTMAP_application_map);
    equal("status", do_map(&op), GNTST_okay);
    equal("entry", *memory_entry(va, 1) & (PTE_US | PTE_G | 1ul << 52), PTE_US | PTE_G);
    unmap_full(va, 0, op.handle);
    test("guest-avail", "guest-available bits go into the entry");
    op = map_op(ref, va, GNTMAP_host_map | 5u << 16);
    equal("status", do_map(&op), GNTST_okay);
    equal("bits", *memory_entry(va, 1) & PTE_AVAIL, 5ul << 9);
    unmap_full(va, 0, op.handle);
    test("replaces", "the map replaces what was mapped there, and drops its reference");
    u64 *old = page_alloc();
    memory_map(va, entry_of(old, MEMORY_RW));
    op = map_op(ref, va, GNTMAP_host_map);
    equal("status", do_map(&op), GNTST_okay);
    memory_protect(old, MEMORY_RO);
    equal("old is free", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(old), 0), 0);
    unmap_full(va, 0, op.handle);
    grant_end(ref);
}

static void replace(void)
{
    u32 ref = grant_access(self, memory_virt_to_mfn(data), false);
    gnttab_map_grant_ref_t op = map_op(ref, va, GNTMAP_host_map);
    u64 *other = page_alloc();

    other[0] = 0x0123;
    memory_map(va2, entry_of(other, MEMORY_RW));
    do_map(&op);
    test("replace", "unmap_and_replace moves the entry of the new address to the old one");
    gnttab_unmap_and_replace_t r = {.host_addr = va, .new_addr = va2, .handle = op.handle, .status = 77};
    equal("result", hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &r, 1), 0);
    equal("status", r.status, GNTST_okay);
    equal("word", *(volatile u64 *)va, 0x0123);
    equal("new address", *memory_entry(va2, 1), 0);
    equal("flags", grant_table[ref].flags, GTF_permit_access);
    test("replace-handle", "a bad handle: bad handle");
    equal("result", hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &r, 1), 0);
    equal("status", r.status, GNTST_bad_handle);
    test("replace-zero", "new address 0: a plain unmap");
    hypercall_update_va_mapping(va, 0, UVMF_INVLPG);
    op = map_op(ref, va, GNTMAP_host_map);
    do_map(&op);
    r = (gnttab_unmap_and_replace_t){.host_addr = va, .new_addr = 0, .handle = op.handle, .status = 77};
    equal("result", hypercall_grant_table_op(GNTTABOP_unmap_and_replace, &r, 1), 0);
    equal("status", r.status, GNTST_okay);
    grant_end(ref);
}

static void many(void)
{
    static gnttab_map_grant_ref_t maps[40];
    static gnttab_unmap_grant_ref_t unmaps[40];
    u64 at = memory_reserve(40);
    u32 ref = grant_access(self, memory_virt_to_mfn(data), false);
    u32 bad = 0;

    for (u32 i = 0; i < 40; i++) {
        memory_map(at + i * PAGE_SIZE, 0);
        maps[i] = map_op(i == 20 ? 999999 : ref, at + i * PAGE_SIZE, GNTMAP_host_map);
    }
    test("batch", "each of 40 operations has its own status; a bad one stops nothing");
    equal("result", hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, 40), 0);
    for (u32 i = 0; i < 40; i++)
        bad += maps[i].status != (i == 20 ? GNTST_bad_gntref : GNTST_okay);
    equal("wrong", bad, 0);
    test("batch-unmap", "the same for unmapping, more than one batch of it");
    for (u32 i = 0; i < 40; i++)
        unmaps[i] = (gnttab_unmap_grant_ref_t){.host_addr = at + i * PAGE_SIZE, .handle = i == 20 ? 0x7fffffff : maps[i].handle, .status = 77};
    equal("result", hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, 40), 0);
    bad = 0;
    for (u32 i = 0; i < 40; i++)
        bad += unmaps[i].status != (i == 20 ? GNTST_bad_handle : GNTST_okay);
    equal("wrong", bad, 0);
    equal("flags", grant_table[ref].flags, GTF_permit_access);
    grant_end(ref);
}

void guest_main(void)
{
    long error = grant_init(1);

    report_start("grant-map");
    test("setup", "the table is set up and mapped");
    equal("error", error, 0);
    self = own_id();
    va = memory_reserve(1);
    va2 = memory_reserve(1);
    memory_map(va, 0);
    memory_map(va2, 0);
    data = page_alloc();
    mapping();
    readonly();
    errors();
    halves();
    by_pte();
    replace();
    many();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L1 entries: which bits, which frames, what the hypervisor adds, what it keeps.
 *
 * All updates go to a table of its own, in the window, with mmu_update.
 */
#include "guests/conform/conform.h"

static u64 at; /* an address whose L1 entry is there */
static u64 *entry;
static u64 entry_maddr;
static u64 *data;

#define ADJUST (PTE_US | 1ul << 52)

static long set(u64 pte)
{
    return memory_update(entry_maddr, pte);
}

static void bits(void)
{
    static const struct {
        const char *name;
        u64 bit;
        long want;
    } t[] = {
        {"bit-pwt", PTE_PWT, 0}, {"bit-pcd", PTE_PCD, 0}, {"bit-pat", PTE_PSE, 0},
        {"bit-avail-9", 0x200, 0}, {"bit-avail-10", 0x400, 0}, {"bit-avail-11", 0x800, 0},
        {"bit-nx", PTE_NX, 0}, {"bit-g", PTE_G, 0},
        {"bit-53", 1ul << 53, 0}, {"bit-58", 1ul << 58, 0}, {"bit-61", 1ul << 61, 0},
        {"bit-62", 1ul << 62, 0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        test(t[i].name, "an entry with bit %lx answers %ld to the initial domain", t[i].bit, t[i].want);
        long got = set(entry_of(data, MEMORY_RW) | t[i].bit);
        if (!runtime_is_dom0() && (t[i].bit & (PTE_PWT | PTE_PCD | PTE_PSE)))
            equal("result", got, -XEN_EINVAL);
        else
            equal("result", got, t[i].want);
        set(0);
    }
    test("address-bits", "an address beyond the physical width: refused");
    long got = set(0x000ffffffffff000ul | MEMORY_RW);
    holds("refused", got < 0);
    test("address-error", "with -EINVAL");
    equal("result", got, -XEN_EINVAL);
}

static void adjust(void)
{
    test("add-kernel", "an entry without US becomes US with bit 52");
    equal("result", set(entry_of(data, PTE_P | PTE_RW | PTE_A)), 0);
    equal("entry", *entry, entry_of(data, PTE_P | PTE_RW | PTE_A) | PTE_US | 1ul << 52);
    test("add-user", "an entry with US gets G");
    equal("result", set(entry_of(data, PTE_P | PTE_RW | PTE_A | PTE_US)), 0);
    equal("entry", *entry, entry_of(data, PTE_P | PTE_RW | PTE_A | PTE_US) | PTE_G);
    test("keep-52", "an entry with US and bit 52 stays a kernel entry, without G");
    equal("result", set(entry_of(data, PTE_P | PTE_RW | PTE_US) | 1ul << 52), 0);
    equal("entry", *entry, entry_of(data, PTE_P | PTE_RW | PTE_US) | 1ul << 52);
    test("absent-kept", "an entry that is not present is stored as it is");
    equal("result", set(0x0fed00000000aaa8ul & ~0x000ffffffffff000ul), 0);
    equal("entry", *entry, 0x0fed00000000aaa8ul & ~0x000ffffffffff000ul);
    test("zero", "0 is stored as 0");
    equal("result", set(0), 0);
    equal("entry", *entry, 0);
}

static void frames(void)
{
    u64 *table = page_alloc();

    test("rw", "a writable mapping of an own page");
    equal("result", set(entry_of(data, MEMORY_RW)), 0);
    *(volatile u64 *)at = 0x4711;
    equal("seen", data[0], 0x4711);
    set(0);
    hypercall_update_va_mapping(at, 0, UVMF_INVLPG);
    test("beyond", "a frame beyond memory: refused");
    equal("result", set(MFN_BEYOND << 12 | MEMORY_RW), -XEN_EINVAL);
    equal("entry kept", *entry, 0);
    test("hypervisor-frame", "a frame of the hypervisor: refused");
    u64 hyper = *(u64 *)&memory_root()[262] & PTE_MFN_MASK;
    long got = hyper ? set(hyper | MEMORY_RO) : -XEN_EBUSY;
    holds("refused", got < 0);
    test("free-frame", "the frame just given back: refused with -EBUSY");
    u64 *gone = page_alloc();
    u64 pfn = memory_virt_to_pfn(gone), mfn = memory_virt_to_mfn(gone);
    memory_unmap(gone);
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    set_xen_guest_handle(r.extent_start, &mfn);
    equal("given back", hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    got = set(mfn << 12 | MEMORY_RO);
    holds("refused", got < 0);
    equal("result", got, -XEN_EBUSY);
    (void)pfn;
    test("m2p-frame", "a frame of the m2p table is not the domain's: -EBUSY");
    struct xen_machphys_mfn_list list = {.max_extents = 1};
    xen_pfn_t m2p;
    set_xen_guest_handle(list.extent_start, &m2p);
    if (hypercall_memory_op(XENMEM_machphys_mfn_list, &list))
        skip("no list of the m2p's frames");
    else {
        mmu_update_t request = {entry_maddr, m2p << 12 | MEMORY_RO};

        equal("ro", set(m2p << 12 | MEMORY_RO), -XEN_EBUSY);
        test("m2p-frame-ro", "the initial domain may map it read-only as DOMID_XEN's");
        long want = runtime_is_dom0() ? 0 : -XEN_EPERM;
        equal("ro", hypercall_mmu_update(&request, 1, NULL, DOMID_XEN), want);
        set(0);
        test("m2p-frame-rw", "but not writable: -EBUSY");
        request.val = m2p << 12 | MEMORY_RW;
        want = runtime_is_dom0() ? -XEN_EBUSY : -XEN_EPERM;
        equal("rw", hypercall_mmu_update(&request, 1, NULL, DOMID_XEN), want);
    }
    test("table-rw", "a writable mapping of a page table: -EBUSY");
    memory_pin(table, 1);
    equal("result", set(entry_of(table, MEMORY_RW)), -XEN_EBUSY);
    equal("entry kept", *entry, 0);
    test("table-ro", "a read-only one is allowed");
    equal("result", set(entry_of(table, MEMORY_RO)), 0);
    test("ro-to-rw", "making it writable: -EBUSY, the entry stays");
    u64 before = *entry;
    equal("result", set(entry_of(table, MEMORY_RW)), -XEN_EBUSY);
    equal("entry", *entry, before);
    set(0);
    memory_unpin(table);
    test("shared-info", "the shared info page may be mapped writable");
    equal("result", set(start_info->shared_info | MEMORY_RW), 0);
    set(0);
    test("mmio", "device memory may be mapped by the initial domain, the local APIC not");
    if (runtime_is_dom0()) {
        equal("vga", set(0xb8000 | MEMORY_RW), 0);
        set(0);
        holds("apic", set(0xfee00000 | MEMORY_RW) < 0);
    } else
        equal("vga", set(0xb8000 | MEMORY_RW), -XEN_EPERM);
    test("mmio-error", "with -EPERM");
    equal("apic", set(0xfee00000 | MEMORY_RW), -XEN_EPERM);
    set(0);
}

static void preserve(void)
{
    mmu_update_t request;

    test("preserve-ad", "PRESERVE_AD adds the entry's A and D to the new value");
    set(entry_of(data, PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D));
    request = (mmu_update_t){entry_maddr | MMU_PT_UPDATE_PRESERVE_AD, entry_of(data, PTE_P | PTE_US)};
    equal("result", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF), 0);
    equal("ad", *entry & (PTE_A | PTE_D), PTE_A | PTE_D);
    equal("rw", *entry & PTE_RW, 0);
    test("preserve-ad-not", "a normal update replaces them");
    set(entry_of(data, PTE_P | PTE_US));
    equal("ad", *entry & (PTE_A | PTE_D), 0);
    test("preserve-ad-hardware", "A and D as the processor sets them are kept");
    set(entry_of(data, PTE_P | PTE_RW | PTE_US));
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    *(volatile u64 *)at = 1;
    equal("set", *entry & (PTE_A | PTE_D), PTE_A | PTE_D);
    request.val = entry_of(data, PTE_P | PTE_RW | PTE_US);
    equal("result", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF), 0);
    equal("ad", *entry & (PTE_A | PTE_D), PTE_A | PTE_D);
    set(0);
}

static void references(void)
{
    u64 *page = page_alloc();

    test("rw-blocks-table", "a page mapped writable anywhere cannot become a table: -EINVAL");
    set(entry_of(page, MEMORY_RW));
    memory_protect(page, MEMORY_RO);
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(page), 0), -XEN_EINVAL);
    test("rw-last", "once the last writable mapping is gone it can");
    set(entry_of(page, MEMORY_RO));
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(page), 0), 0);
    test("table-no-rw", "and no writable mapping can be made");
    equal("rw", memory_protect(page, MEMORY_RW), -XEN_EBUSY);
    test("unpinned-rw", "unpinned it can be writable again");
    mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(page), 0);
    equal("rw", memory_protect(page, MEMORY_RW), 0);
    test("rw-twice", "two writable mappings count twice");
    set(entry_of(page, MEMORY_RW));
    memory_protect(page, MEMORY_RO);
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(page), 0), -XEN_EINVAL);
    set(0);
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(page), 0), 0);
    mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(page), 0);
    test("absent-drops", "an entry made absent drops its reference");
    set(entry_of(page, MEMORY_RW));
    set(entry_of(page, MEMORY_RW & ~PTE_P));
    equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(page), 0), 0);
    mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(page), 0);
    set(0);
}

void guest_main(void)
{
    report_start("pt-l1");
    at = memory_reserve(1);
    if (!memory_map(at, 0))
        panic("no table");
    entry = memory_entry(at, 1);
    entry_maddr = memory_entry_maddr(at, 1);
    data = page_alloc();
    bits();
    adjust();
    frames();
    preserve();
    references();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frame numbers that are not this domain's to use, in every place where a call takes one.
 */
#include "guests/hostile/hostile.h"

#define GROUP "frames"

/* An address of the window with an L1 table, and an own page for what needs one. */
static u64 window;
static u64 *own;

static long map_read_only(u64 mfn)
{
    return hypercall_update_va_mapping(window, mfn << 12 | MEMORY_RO, UVMF_INVLPG);
}
static long map_writable(u64 mfn)
{
    return hypercall_update_va_mapping(window, mfn << 12 | MEMORY_RW, UVMF_INVLPG);
}
static long plain_store(u64 mfn) { return memory_update(mfn << 12, 0); }
static long keeping_ad(u64 mfn)
{
    mmu_update_t request = {mfn << 12 | MMU_PT_UPDATE_PRESERVE_AD, 0};

    return hypercall_mmu_update(&request, 1, NULL, DOMID_SELF);
}
static long set_m2p(u64 mfn)
{
    mmu_update_t request = {mfn << 12 | MMU_MACHPHYS_UPDATE, 5};

    return hypercall_mmu_update(&request, 1, NULL, DOMID_SELF);
}
static long as_l1(u64 mfn) { return mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0); }
static long as_l2(u64 mfn) { return mmuext(MMUEXT_PIN_L2_TABLE, mfn, 0); }
static long as_l3(u64 mfn) { return mmuext(MMUEXT_PIN_L3_TABLE, mfn, 0); }
static long as_l4(u64 mfn) { return mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0); }
static long unpin_it(u64 mfn) { return mmuext(MMUEXT_UNPIN_TABLE, mfn, 0); }
static long as_root(u64 mfn) { return mmuext(MMUEXT_NEW_BASEPTR, mfn, 0); }
static long as_user_root(u64 mfn) { return mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0); }
static long clear(u64 mfn) { return mmuext(MMUEXT_CLEAR_PAGE, mfn, 0); }
static long copy_to(u64 mfn) { return mmuext(MMUEXT_COPY_PAGE, mfn, mfn_of(own)); }
static long copy_from(u64 mfn) { return mmuext(MMUEXT_COPY_PAGE, mfn_of(own), mfn); }
static long as_gdt(u64 mfn) { return hypercall_set_gdt(&mfn, 1); }
static long descriptor(u64 mfn) { return hypercall_update_descriptor(mfn << 12, 0); }
static long vcpu_info_in(u64 mfn)
{
    struct vcpu_register_vcpu_info info = {.mfn = mfn};

    return hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info);
}
static long exchange(u64 mfn)
{
    u64 pfn = 0;
    struct xen_memory_exchange e = {.in = {.nr_extents = 1, .domid = DOMID_SELF}, .out = {.nr_extents = 1, .domid = DOMID_SELF}};

    set_xen_guest_handle(e.in.extent_start, &mfn);
    set_xen_guest_handle(e.out.extent_start, &pfn);
    return hypercall_memory_op(XENMEM_exchange, &e);
}
static long transfer(u64 mfn)
{
    gnttab_transfer_t t = {.mfn = mfn, .domid = own_id(), .ref = 8};

    hypercall_grant_table_op(GNTTABOP_transfer, &t, 1);
    return t.status;
}
static long copy_by_number(u64 mfn)
{
    gnttab_copy_t c = {.len = 8};

    c.source.domid = c.dest.domid = DOMID_SELF;
    c.source.u.gmfn = mfn;
    c.dest.u.gmfn = mfn_of(own);
    hypercall_grant_table_op(GNTTABOP_copy, &c, 1);
    return c.status;
}
static long granted_to_self(u64 mfn)
{
    u32 handle, ref = offer(mfn);
    long status = map_grant(ref, window, GNTMAP_host_map, &handle);

    grant_end(ref);
    return status;
}

/* All uses, with the answer for a frame that exists and is somebody else's. */
static const struct use {
    const char *name;
    long (*use)(u64 mfn);
    long want;
} uses[] = {
    {"map read-only", map_read_only, -XEN_EBUSY}, {"map writable", map_writable, -XEN_EBUSY},
    {"store", plain_store, -XEN_EINVAL},          {"store, A and D kept", keeping_ad, -XEN_EINVAL},
    {"m2p", set_m2p, -XEN_EINVAL},                {"pin L1", as_l1, -XEN_EINVAL},
    {"pin L2", as_l2, -XEN_EINVAL},               {"pin L3", as_l3, -XEN_EINVAL},
    {"pin L4", as_l4, -XEN_EINVAL},               {"unpin", unpin_it, -XEN_EINVAL},
    {"root", as_root, -XEN_EINVAL},               {"user root", as_user_root, -XEN_EINVAL},
    {"clear", clear, -XEN_EINVAL},                {"copy to", copy_to, -XEN_EINVAL},
    {"copy from", copy_from, -XEN_EINVAL},        {"GDT", as_gdt, -XEN_EINVAL},
    {"descriptor", descriptor, -XEN_EINVAL},      {"vcpu_info", vcpu_info_in, -XEN_EINVAL},
    {"give back", give_frame_back, 0},                  {"exchange", exchange, -XEN_EINVAL},
    {"transfer", transfer, GNTST_bad_page},       {"copy by number", copy_by_number, GNTST_bad_page},
    {"granted to itself", granted_to_self, GNTST_bad_page},
};

/* @exists: it is RAM; else mapping it is refused as device memory, -EPERM, or as no number at all, -EINVAL. */
static void try_all(u64 mfn, bool exists)
{
    u64 *entry;

    if (!window) {
        window = memory_reserve(1);
        memory_map(window, 0);
        own = page_alloc();
    }
    entry = memory_entry(window, 1);
    for (u32 i = 0; i < ARRAY_SIZE(uses); i++) {
        long got = uses[i].use(mfn), want = uses[i].want;

        if (!exists && i < 2)
            want = mfn == MFN_BEYOND ? -XEN_EINVAL : -XEN_EPERM;
        if (!exists && uses[i].use == as_user_root && !mfn)
            want = 0;
        equal(uses[i].name, (u64)got, (u64)want);
        equal("entry", *entry, 0);
    }
    equal("nothing came over", own[0], 0);
}

ATTACK(of_a_victim, FLAW_FRAME, "a frame of another domain in every place that takes one (23 of them): refused, the frame untouched")
{
    u64 mfn = victim_frame();

    if (!mfn)
        skip("this hypervisor names no frame of another domain");
    else
        try_all(mfn, true);
}

ATTACK(of_the_code, FLAW_FRAME, "frames of the hypervisor's image in every place: refused")
{
    for (u64 mfn = MFN_HYPERVISOR; mfn < MFN_HYPERVISOR + 64; mfn += 9)
        try_all(mfn, true);
}

ATTACK(of_its_tables, FLAW_FRAME, "the hypervisor's page tables, whose numbers stand in each L4, in every place: refused")
{
    for (u32 slot = 256; slot <= 271; slot++)
        if ((memory_root()[slot] & PTE_P) && (memory_root()[slot] & PTE_MFN_MASK) >> 12 != mfn_of(memory_root()))
            try_all((memory_root()[slot] & PTE_MFN_MASK) >> 12, true);
}

ATTACK(of_the_m2p, FLAW_FRAME, "the frames of the machine-to-phys table, which everybody may read at its own address: refused in every other way")
{
    u64 list[8] = {0};
    struct xen_machphys_mfn_list l = {.max_extents = 8};

    set_xen_guest_handle(l.extent_start, list);
    equal("list", hypercall_memory_op(XENMEM_machphys_mfn_list, &l), 0);
    holds("there is one", l.nr_extents > 0);
    for (u32 i = 0; i < l.nr_extents && i < 8; i++) {
        try_all(list[i], true);
        equal("in its owner's name", hypercall_update_va_mapping_otherdomain(window, list[i] << 12 | MEMORY_RO, 0, DOMID_XEN),
              -XEN_EPERM);
    }
}

ATTACK(of_devices, FLAW_FRAME, "device memory (APICs, the display, beyond RAM) in every place, and in the name of DOMID_IO: refused")
{
    static const u64 mfns[] = {0xfee00, 0xfec00, 0xb8, 0xa0, 0xc0000, 0xfffffff};

    for (u32 i = 0; i < ARRAY_SIZE(mfns); i++) {
        mmu_update_t request;

        try_all(mfns[i], false);
        request = (mmu_update_t){memory_entry_maddr(window, 1), mfns[i] << 12 | MEMORY_RW};
        equal("DOMID_IO", hypercall_mmu_update(&request, 1, NULL, DOMID_IO), -XEN_EPERM);
    }
}

ATTACK(of_nothing, FLAW_FRAME, "numbers beyond all memory, to the last bit, in every place: refused")
{
    for (u32 bit = 28; bit < 40; bit++)
        try_all(1ul << bit, false);
    try_all(MFN_BEYOND, false);
}

ATTACK(high_bits, FLAW_FRAME, "an own frame with bits above the 52nd set in its number or address: refused, not cut off")
{
    u64 *table = table_page();

    for (u32 bit = 52; bit < 64; bit++) {
        u64 mfn = mfn_of(table) | 1ul << (bit - 12), far = mfn_of(table) | 1ul << bit;

        equal("store", memory_update(mfn << 12 | 8, 1), -XEN_EINVAL);
        equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, far, 0), -XEN_EINVAL);
        equal("clear", mmuext(MMUEXT_CLEAR_PAGE, far, 0), -XEN_EINVAL);
        equal("root", mmuext(MMUEXT_NEW_BASEPTR, far, 0), -XEN_EINVAL);
        equal("GDT", hypercall_set_gdt(&far, 1), -XEN_EINVAL);
        equal("give back", give_frame_back(far), 0);
        equal("exchange", exchange(far), -XEN_EINVAL);
    }
    equal("the root, with a bit too many", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(memory_root()) | 1ul << 52, 0), -XEN_EINVAL);
    equal("untouched", table[1], 0);
    page_back(table);
}

ATTACK(sweep, FLAW_FRAME, "each frame number of the machine that is not this domain's own: not one can be mapped")
{
    u64 last = (u64)hypercall_memory_op(XENMEM_maximum_ram_page, NULL), mapped = 0;
    static u8 mine[1 << 17];

    if (last >= sizeof mine * 8) {
        skip("too much memory");
        return;
    }
    for (u64 pfn = 0; pfn < start_info->nr_pages; pfn++)
        mine[memory_pfn_to_mfn(pfn) / 8] |= (u8)(1 << memory_pfn_to_mfn(pfn) % 8);
    if (!window) {
        window = memory_reserve(1);
        memory_map(window, 0);
    }
    /* The pages that the hypervisor shares with this domain, too, are its own. */
    mine[(start_info->shared_info >> 12) / 8] |= (u8)(1 << (start_info->shared_info >> 12) % 8);
    if (!grant_table)
        grant_init(1);
    u64 *entry = memory_entry((u64)grant_table, 1), shared = (*entry & PTE_MFN_MASK) >> 12;
    mine[shared / 8] |= (u8)(1 << shared % 8);
    for (u64 mfn = 0; mfn <= last; mfn++)
        if (!(mine[mfn / 8] >> mfn % 8 & 1) && !map_read_only(mfn)) {
            mapped++;
            map_read_only(0);
            memory_unmap((void *)window);
        }
    equal("frames mapped", mapped, 0);
}

ATTACK(sweep_tables, FLAW_FRAME, "others' frames entered into L2, L3 and L4 tables: -EINVAL for each")
{
    u64 last = (u64)hypercall_memory_op(XENMEM_maximum_ram_page, NULL);
    struct tree t = tree_make();

    for (u64 mfn = 0; mfn <= last; mfn += 61) {
        u64 pfn = memory_mfn_to_pfn(mfn);

        if (pfn < start_info->nr_pages && memory_pfn_to_mfn(pfn) == mfn)
            continue;
        for (u32 level = 2; level <= 4; level++)
            equal("enter", set_entry(t.table[level] + 1, mfn << 12 | MEMORY_TABLE), -XEN_EINVAL);
    }
    tree_free(&t);
}

ATTACK(in_others_name, FLAW_RIGHTS, "mmu_update and mmuext_op in the name of a victim, domain 0, the hypervisor: -EPERM; of nobody: -ESRCH")
{
    u16 others[] = {0, DOMID_XEN, victim_first, victim_last};
    mmu_update_t request = {0, 0};
    struct mmuext_op op = {.cmd = MMUEXT_CLEAR_PAGE};

    op.arg1.mfn = victim_frame();
    request.ptr = victim_frame() << 12;
    for (u32 i = 0; i < (victim_last ? 4 : 2); i++) {
        equal("frames", hypercall_mmu_update(&request, 1, NULL, others[i]), -XEN_EPERM);
        equal("operations", hypercall_mmuext_op(&op, 1, NULL, others[i]), -XEN_EPERM);
        equal("tables", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF | (u32)(others[i] + 1) << 16), -XEN_EPERM);
    }
    equal("frames of nobody", hypercall_mmu_update(&request, 1, NULL, DOMID_NOBODY), -XEN_ESRCH);
    equal("tables of nobody", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF | 0x7abdu << 16), -XEN_ESRCH);
    equal("operations of nobody", hypercall_mmuext_op(&op, 1, NULL, DOMID_NOBODY), -XEN_ESRCH);
    equal("own tables, named", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF | (own_id() + 1u) << 16), -XEN_ESRCH);
}

ATTACK(m2p_lies, FLAW_STATE, "a domain may write any number into the machine-to-phys entry of its own frame, and nobody is misled by it")
{
    static const u64 lies[] = {~0ul, 0, 1ul << 63, MFN_HYPERVISOR, 0x5555555555555555ul};
    u64 *page = page_alloc(), mfn = mfn_of(page), pfn = memory_virt_to_pfn(page);

    for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
        mmu_update_t request = {mfn << 12 | MMU_MACHPHYS_UPDATE, lies[i]};

        equal("set", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF), 0);
        equal("read", memory_mfn_to_pfn(mfn), lies[i]);
        equal("pin as it is mapped", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL);
        equal("clear", mmuext(MMUEXT_CLEAR_PAGE, mfn, 0), 0);
    }
    mmu_update_t back = {mfn << 12 | MMU_MACHPHYS_UPDATE, pfn};
    equal("back", hypercall_mmu_update(&back, 1, NULL, DOMID_SELF), 0);
    page_free(page);
}

ATTACK(commands, FLAW_RIGHTS, "mmu_update with a command that does not exist: -ENOSYS, whatever the frame is")
{
    for (u32 cmd = 4; cmd < 8; cmd++) {
        mmu_update_t request = {victim_frame() << 12 | cmd, 0};

        equal("a victim", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF), -XEN_ENOSYS);
        request.ptr = memory_entry_maddr((u64)&window, 1) | cmd;
        equal("own table", hypercall_mmu_update(&request, 1, NULL, DOMID_SELF), -XEN_ENOSYS);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting a page table that can be written, by every way an entry can be made.
 */
#include "guests/hostile/hostile.h"

#define GROUP "tables"

ATTACK(by_va_mapping, FLAW_TABLE, "update_va_mapping of a pinned table of any level with RW: -EBUSY, and it stays read-only")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("map", memory_protect(table, MEMORY_RW), -XEN_EBUSY);
        equal("store", store(&table[7], 0x1000), TRAP_PF);
        equal("entry", table[7], 0);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(by_mmu_update, FLAW_TABLE, "mmu_update of an L1 entry to map a pinned table of any level writable: -EBUSY")
{
    u64 va = memory_reserve(1);

    memory_map(va, 0);
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("map", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RW)), -XEN_EBUSY);
        equal("read-only", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RO)), 0);
        equal("upgrade", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RW)), -XEN_EBUSY);
        equal("store", store((void *)va, 0x1000), TRAP_PF);
        memory_unmap((void *)va);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(by_validation, FLAW_TABLE, "pinning an L1 table that maps a table, or itself, writable: -EBUSY, and nothing of it stays")
{
    u64 *table = pinned_table(2), *l1 = page_alloc();

    l1[511] = entry_of(table, MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("pin", pin(1, l1), -XEN_EBUSY);
    equal("writable again", memory_protect(l1, MEMORY_RW), 0);
    l1[511] = entry_of(l1, MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("itself", pin(1, l1), -XEN_EBUSY);
    page_back(l1);
    equal("unpin", unpin(table), 0);
    page_back(table);
}

ATTACK(by_other_domain, FLAW_RIGHTS, "update_va_mapping_otherdomain: own tables -EBUSY, in the name of others -EPERM, of nobody -ESRCH")
{
    u64 *table = pinned_table(1);

    equal("self", hypercall_update_va_mapping_otherdomain((u64)table, entry_of(table, MEMORY_RW), 0, DOMID_SELF), -XEN_EBUSY);
    equal("by its number", hypercall_update_va_mapping_otherdomain((u64)table, entry_of(table, MEMORY_RW), 0, own_id()), -XEN_ESRCH);
    equal("domain 0", hypercall_update_va_mapping_otherdomain((u64)table, entry_of(table, MEMORY_RW), 0, 0), -XEN_EPERM);
    equal("io", hypercall_update_va_mapping_otherdomain((u64)table, entry_of(table, MEMORY_RW), 0, DOMID_IO), -XEN_EPERM);
    equal("hypervisor", hypercall_update_va_mapping_otherdomain((u64)table, entry_of(table, MEMORY_RW), 0, DOMID_XEN), -XEN_EPERM);
    equal("nobody", hypercall_update_va_mapping_otherdomain((u64)table, entry_of(table, MEMORY_RW), 0, DOMID_NOBODY), -XEN_ESRCH);
    equal("store", store(table, 1), TRAP_PF);
    equal("unpin", unpin(table), 0);
    page_back(table);
}

/* Instructions that would turn the RW bit of an entry on. */
static u64 *target;
static u64 target_value;

static u64 by_mov(u64 arg) { *(volatile u64 *)target = target_value; return arg; }
static u64 by_or_byte(u64 arg) { __asm__ volatile("lock orb $2, (%0)" : : "r"(target) : "memory", "cc"); return arg; }
static u64 by_or(u64 arg) { __asm__ volatile("lock orq $2, (%0)" : : "r"(target) : "memory", "cc"); return arg; }
static u64 by_bts(u64 arg) { __asm__ volatile("lock btsq $1, (%0)" : : "r"(target) : "memory", "cc"); return arg; }
static u64 by_xchg(u64 arg) { __asm__ volatile("xchgq %1, (%0)" : : "r"(target), "r"(target_value) : "memory"); return arg; }
static u64 by_add(u64 arg) { __asm__ volatile("addq $2, (%0)" : : "r"(target) : "memory", "cc"); return arg; }
static u64 by_cmpxchg(u64 arg)
{
    u64 old = *target;

    __asm__ volatile("lock cmpxchgq %2, (%1)" : "+a"(old) : "r"(target), "r"(target_value) : "memory", "cc");
    return arg;
}
static u64 by_stos(u64 arg)
{
    u64 *to = target;

    __asm__ volatile("stosq" : "+D"(to) : "a"(target_value) : "memory");
    return arg;
}
static u64 by_movs(u64 arg)
{
    u64 *to = target, *from = &target_value;

    __asm__ volatile("movsq" : "+D"(to), "+S"(from) : : "memory");
    return arg;
}
static u64 by_short_store(u64 arg) { *(volatile u16 *)target = (u16)target_value; return arg; }

static u64 (*const ways[])(u64) = {by_mov, by_or_byte, by_or,   by_bts,  by_xchg,
                                   by_add, by_cmpxchg, by_stos, by_movs, by_short_store};

/* The entry of a fresh address of the window, through the read-only linear map. */
static u64 *window_entry(u64 *va)
{
    *va = memory_reserve(1);
    memory_map(*va, 0);
    return memory_entry(*va, 1);
}

ATTACK(by_emulated_write, FLAW_TABLE, "with writable page tables, every instruction that would make the entry for a table writable is a #PF and changes nothing")
{
    u64 va, *entry = window_entry(&va);

    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level), before;

        equal("read-only", memory_update(memory_entry_maddr(va, 1), entry_of(table, MEMORY_RO)), 0);
        before = *entry;
        target = entry;
        target_value = entry_of(table, MEMORY_RW);
        for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
            equal("vector", trap_try(ways[i], 0), TRAP_PF);
            equal("entry", *entry, before);
        }
        equal("store", store((void *)va, 1), TRAP_PF);
        memory_unmap((void *)va);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
}

ATTACK(by_emulated_self, FLAW_TABLE, "an L1 table that tries to map itself, or the root, writable by emulated writes: #PF")
{
    u64 va, *entry = window_entry(&va);

    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    target = entry;
    target_value = entry_of((void *)((u64)entry & PAGE_MASK), MEMORY_RW);
    equal("itself", trap_try(by_mov, 0), TRAP_PF);
    target_value = entry_of(memory_root(), MEMORY_RW);
    equal("the root", trap_try(by_mov, 0), TRAP_PF);
    equal("entry", *entry, 0);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
}

ATTACK(by_emulated_upper, FLAW_TABLE, "stores to L2, L3 and L4 tables, and unaligned ones to an L1, are not emulated: #PF, nothing changed")
{
    u64 va, *entry = window_entry(&va), *data = page_alloc();

    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    for (u32 level = 2; level <= 4; level++) {
        u64 *upper = memory_entry(va, level), before = *upper;

        target_value = before | PTE_PSE;
        for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
            target = upper;
            equal("vector", trap_try(ways[i], 0), TRAP_PF);
            equal("entry", *upper, before);
        }
    }
    target = (u64 *)((u64)entry + 4);
    target_value = entry_of(data, MEMORY_RW) << 32;
    equal("across two entries", trap_try(by_mov, 0), TRAP_PF);
    equal("entry", *entry, 0);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
    page_free(data);
}

ATTACK(by_emulation_in_user_mode, FLAW_RIGHTS, "user mode's stores to an L1 table are not emulated: #PF, nothing changed")
{
    u64 va, *entry = window_entry(&va), *data = page_alloc();

    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    target = entry;
    target_value = entry_of(data, MEMORY_RW);
    equal("vector", user_call(by_mov, 0), TRAP_PF);
    equal("entry", *entry, 0);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
    page_free(data);
}

ATTACK(by_results, FLAW_ADDRESS, "results written to a page that is a table: -EFAULT, with writable page tables or without: it is a read-only page for the hypervisor, too")
{
    u64 *table = pinned_table(1), out = 0;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    long pages = pages_now();

    set_xen_guest_handle(r.extent_start, table);
    for (u32 assist = 0; assist < 2; assist++) {
        hypercall_vm_assist(assist ? VMASST_CMD_enable : VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
        equal("populate", hypercall_memory_op(XENMEM_populate_physmap, &r), 0);
        equal("increase", hypercall_memory_op(XENMEM_increase_reservation, &r), 0);
        equal("pages", pages_now(), pages);
        equal("version", hypercall_xen_version(XENVER_extraversion, table), -XEN_EFAULT);
        equal("runstate", hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, table), -XEN_EFAULT);
        equal("machphys", hypercall_memory_op(XENMEM_machphys_mapping, table), -XEN_EFAULT);
        hypercall_mmuext_op(&op, 1, (u32 *)table, DOMID_SELF);
        hypercall_event_channel_op(EVTCHNOP_alloc_unbound, table);
        hypercall_grant_table_op(GNTTABOP_query_size, table, 1);
        set_entry(table, __HYPERVISOR_update_va_mapping); /* an absent entry, and a call: its result cannot be stored */
        equal("multicall", hypercall_multicall((multicall_entry_t *)table, 2), -XEN_EFAULT);
        set_entry(table, 0);
        for (u32 i = 0; i < 512; i++)
            out |= table[i];
        equal("the table", out, 0);
    }
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
    equal("unpin", unpin(table), 0);
    page_back(table);
}

ATTACK(by_areas, FLAW_ADDRESS, "a runstate or time area that lies in a table is not written, now or at context switches")
{
    struct vcpu_register_runstate_memory_area runstate = {0};
    struct vcpu_register_time_memory_area time = {0};
    u64 *table = pinned_table(1), sum = 0;

    runstate.addr.v = (void *)table;
    time.addr.v = (void *)(table + 64);
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &runstate);
    hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
    for (u32 i = 0; i < 3; i++)
        clock_sleep_ns(100000);
    for (u32 i = 0; i < 512; i++)
        sum |= table[i];
    equal("the table", sum, 0);
    runstate.addr.v = NULL;
    time.addr.v = NULL;
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &runstate);
    hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
    equal("unpin", unpin(table), 0);
    page_back(table);
}

ATTACK(by_grant_map, FLAW_TABLE, "a writable map of a granted frame that is a table: GNTST_general_error")
{
    u64 va, *entry = window_entry(&va);
    u32 handle;

    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);
        u32 ref = offer(mfn_of(table));

        equal("map", map_grant(ref, va, GNTMAP_host_map, &handle), GNTST_general_error);
        equal("by entry", map_grant(ref, memory_entry_maddr(va, 1), GNTMAP_host_map | GNTMAP_contains_pte, &handle),
              GNTST_general_error);
        equal("device", map_grant(ref, 0, GNTMAP_device_map, &handle), GNTST_general_error);
        equal("entry", *entry, 0);
        holds("the grant ends", grant_end(ref));
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(by_grant_in_use, FLAW_TABLE, "a frame that is mapped writable by grant cannot become a table until the map is gone: -EINVAL")
{
    u64 va, *page = table_page();
    u32 handle, ref = offer(mfn_of(page));

    window_entry(&va);
    equal("map", map_grant(ref, va, GNTMAP_host_map, &handle), GNTST_okay);
    for (u32 level = 1; level <= 4; level++)
        equal("pin", pin(level, page), -XEN_EINVAL);
    equal("store", store((void *)va, 0), TRAP_NONE);
    equal("unmap", grant_unmap(handle, va), GNTST_okay);
    equal("pin", pin(1, page), 0);
    equal("store", store((void *)va, 0), TRAP_PF);
    holds("the grant ends", grant_end(ref));
    equal("unpin", unpin(page), 0);
    page_back(page);
}

ATTACK(by_grant_into_tables, FLAW_TYPE, "a grant map whose entry lies in an L2, L3, L4 table, in data, in others' memory or across entries: GNTST_general_error")
{
    u64 va, *page = page_alloc(), *plain = page_alloc();
    u32 handle, ref = offer(mfn_of(page)), flags = GNTMAP_host_map | GNTMAP_contains_pte;

    window_entry(&va);
    for (u32 level = 2; level <= 4; level++) {
        u64 before = *memory_entry(va, level);

        equal("upper table", map_grant(ref, memory_entry_maddr(va, level), flags, &handle), GNTST_general_error);
        equal("its entry", *memory_entry(va, level), before);
    }
    for (u32 i = 1; i < 8; i++)
        equal("across entries", map_grant(ref, memory_entry_maddr(va, 1) + i, flags, &handle), GNTST_general_error);
    equal("data", map_grant(ref, memory_virt_to_maddr(plain), flags, &handle), GNTST_general_error);
    equal("the hypervisor", map_grant(ref, MFN_HYPERVISOR << 12, flags, &handle), GNTST_general_error);
    equal("beyond", map_grant(ref, MFN_BEYOND << 12, flags, &handle), GNTST_general_error);
    equal("a victim", map_grant(ref, victim_frame() << 12, flags, &handle), GNTST_general_error);
    equal("hypervisor address", map_grant(ref, VA_HYPERVISOR, GNTMAP_host_map, &handle), GNTST_general_error);
    equal("no address", map_grant(ref, VA_NONCANONICAL, GNTMAP_host_map, &handle), GNTST_general_error);
    holds("the grant ends", grant_end(ref));
    page_free(page);
    page_free(plain);
}

ATTACK(by_clear_and_copy, FLAW_TABLE, "CLEAR_PAGE and COPY_PAGE onto a table of any level: -EINVAL, its entries stay")
{
    u64 *data = page_alloc();
    struct tree t = tree_make();

    for (u32 i = 0; i < 512; i++)
        data[i] = MFN_HYPERVISOR << 12 | MEMORY_RW;
    for (u32 level = 1; level <= 4; level++) {
        u64 before = t.table[level][0];

        equal("clear", mmuext(MMUEXT_CLEAR_PAGE, mfn_of(t.table[level]), 0), -XEN_EINVAL);
        equal("copy", mmuext(MMUEXT_COPY_PAGE, mfn_of(t.table[level]), mfn_of(data)), -XEN_EINVAL);
        equal("entry", t.table[level][0], before);
    }
    tree_free(&t);
    page_free(data);
}

ATTACK(by_descriptor_update, FLAW_TYPE, "update_descriptor of a word of a table: -EINVAL, even where the word would pass as a descriptor")
{
    for (u32 level = 1; level <= 4; level++) {
        u64 *table = pinned_table(level);

        equal("update", hypercall_update_descriptor(memory_virt_to_maddr(table), 0), -XEN_EINVAL);
        equal("data segment", hypercall_update_descriptor(memory_virt_to_maddr(table), 0x00cff3000000fffful), -XEN_EINVAL);
        equal("entry", table[0], 0);
        equal("unpin", unpin(table), 0);
        page_back(table);
    }
}

ATTACK(by_vcpu_info, FLAW_TYPE, "vcpu_info put into a table, so that pending bits would be written there: -EINVAL")
{
    struct vcpu_register_vcpu_info info = {0};
    u64 *table = pinned_table(1);

    info.mfn = mfn_of(table);
    equal("register", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    info.mfn = MFN_HYPERVISOR;
    equal("the hypervisor", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    info.mfn = victim_frame();
    equal("a victim", hypercall_vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_EINVAL);
    equal("unpin", unpin(table), 0);
    page_back(table);
}

ATTACK(by_hidden_mapping, FLAW_TYPE, "a page that is mapped writable only by an L1 table that is loaded nowhere cannot become a table: -EINVAL")
{
    u64 *page = table_page(), *l1 = page_alloc();

    l1[5] = entry_of(page, MEMORY_RW);
    memory_protect(l1, MEMORY_RO);
    equal("pin the L1", pin(1, l1), 0);
    for (u32 level = 1; level <= 4; level++)
        equal("pin the page", pin(level, page), -XEN_EINVAL);
    equal("unpin", unpin(l1), 0);
    equal("pin the page", pin(1, page), 0);
    equal("pin the L1", pin(1, l1), -XEN_EBUSY);
    equal("unpin", unpin(page), 0);
    page_back(page);
    page_back(l1);
}

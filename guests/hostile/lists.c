/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmuext_op, mmu_update and multicall as calls: counts, lists, continuation marks, each operation's arguments.
 */
#include "guests/hostile/hostile.h"

#define GROUP "lists"

ATTACK(flush_arguments, FLAW_ADDRESS, "flushes of addresses that are not canonical or the hypervisor's do nothing; sets of vCPUs at bad addresses are -EINVAL")
{
    static const u64 places[] = {VA_NONCANONICAL, 0x800000000000ul, VA_HYPERVISOR, ~0ul};
    static const u32 masks[] = {MMUEXT_TLB_FLUSH_MULTI, MMUEXT_INVLPG_MULTI};

    for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
        equal("local", mmuext(MMUEXT_INVLPG_LOCAL, places[i], 0), 0);
        equal("all", mmuext(MMUEXT_INVLPG_ALL, places[i], 0), 0);
        for (u32 k = 0; k < 2; k++)
            equal("set", mmuext(masks[k], places[i], places[i]), -XEN_EINVAL);
        equal("update_va_mapping", hypercall_update_va_mapping(places[i], 0, UVMF_INVLPG), -XEN_EINVAL);
        equal("a bad entry", hypercall_update_va_mapping(places[i], ~0ul, UVMF_INVLPG | UVMF_ALL), -XEN_EINVAL);
    }
    equal("cache", mmuext(MMUEXT_FLUSH_CACHE, 0, 0), -XEN_EACCES);
    equal("cache, global", mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -XEN_EINVAL);
}

ATTACK(superpages, FLAW_FRAME, "MARK_SUPER and UNMARK_SUPER with any number: -EOPNOTSUPP; operations that do not exist: -ENOSYS")
{
    static const u64 mfns[] = {0, 0x200, 0x10000, MFN_BEYOND, ~0ul, 1ul << 63};
    static const u32 none[] = {14, 21, 22, 63, 0x7fffffff, 0x80000000, 0xffffffff};

    for (u32 i = 0; i < ARRAY_SIZE(mfns); i++) {
        equal("mark", mmuext(MMUEXT_MARK_SUPER, mfns[i], 0), -XEN_EOPNOTSUPP);
        equal("unmark", mmuext(MMUEXT_UNMARK_SUPER, mfns[i], 0), -XEN_EOPNOTSUPP);
        for (u32 k = 0; k < ARRAY_SIZE(none); k++)
            equal("none", mmuext(none[k], mfns[i], mfns[i]), -XEN_ENOSYS);
    }
}

ATTACK(counts, FLAW_ADDRESS, "lists whose count reaches around the address space or into the hypervisor: -EFAULT; the mark of a continued call gives no rights")
{
    static const u32 counts[] = {1, 2, 0x1000, 0x7fffffff, 0xffffffff, 0x80000001};
    static const u64 places[] = {VA_HYPERVISOR, MACH2PHYS_BASE, HYPERVISOR_END - 8, 0x7ffffffffff8ul, VA_NONCANONICAL, ~7ul, ~0ul};
    static u64 page[512] PAGE_ALIGNED;
    u32 done = 77;

    for (u32 i = 0; i < ARRAY_SIZE(places); i++)
        for (u32 k = 0; k < ARRAY_SIZE(counts); k++) {
            equal("updates", hypercall_mmu_update((void *)places[i], counts[k], NULL, DOMID_SELF), -XEN_EFAULT);
            equal("operations", hypercall_mmuext_op((void *)places[i], counts[k], NULL, DOMID_SELF), -XEN_EFAULT);
            equal("calls", hypercall_multicall((void *)places[i], counts[k]), -XEN_EFAULT);
        }
    /* A list of zeros: store 0 at machine address 0, which is not ours. */
    equal("first is bad", hypercall_mmu_update((void *)page, 0x80000000u | 32, &done, DOMID_SELF), -XEN_EINVAL);
    equal("done goes on", done, 77);
    equal("done not readable", hypercall_mmu_update((void *)page, 0x80000000u | 1, (u32 *)VA_UNMAPPED, DOMID_SELF), -XEN_EFAULT);
    equal("done in the hypervisor", hypercall_mmu_update((void *)page, 0x80000000u | 1, (u32 *)VA_HYPERVISOR, DOMID_SELF), -XEN_EFAULT);
    equal("none", hypercall_mmu_update((void *)VA_UNMAPPED, 0, NULL, DOMID_SELF), 0);
}

ATTACK(multicall_in_multicall, FLAW_TIME, "a multicall within a multicall, also of its own list: -EINVAL, the others are done")
{
    static multicall_entry_t calls[4];

    for (u32 i = 0; i < 3; i++)
        calls[i] = (multicall_entry_t){.op = __HYPERVISOR_multicall, .args = {(u64)calls, 4}};
    calls[3] = (multicall_entry_t){.op = __HYPERVISOR_xen_version, .args = {XENVER_version, 0}};
    equal("result", hypercall_multicall(calls, 4), 0);
    for (u32 i = 0; i < 3; i++)
        equal("inner", (u64)calls[i].result, (u64)-XEN_EINVAL);
    equal("version", calls[3].result >> 16, 4);
}

ATTACK(multicall_changes_itself, FLAW_RACE, "a multicall whose entries overwrite, unmap or make read-only the entries behind them: each is read once, when its turn comes")
{
    multicall_entry_t *calls = page_alloc();
    u64 *spare = page_alloc();
    mmu_update_t request = {memory_virt_to_maddr(&calls[1].op), __HYPERVISOR_xen_version};

    /* The first one rewrites the second one's number. */
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_mmu_update, .args = {(u64)&request, 1, 0, DOMID_SELF}};
    calls[1] = (multicall_entry_t){.op = __HYPERVISOR_set_trap_table, .args = {XENVER_version}};
    equal("rewritten", hypercall_multicall(calls, 2), 0);
    equal("first", calls[0].result, 0);
    equal("second", calls[1].result >> 16, 4);
    /* The first one makes the list read-only: its own result has no place to go. */
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping,
                                   .args = {(u64)calls, entry_of(calls, MEMORY_RO), UVMF_INVLPG}};
    equal("read-only", hypercall_multicall(calls, 2), -XEN_EFAULT);
    memory_protect(calls, MEMORY_RW);
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping, .args = {(u64)calls, 0, UVMF_INVLPG}};
    equal("unmapped", hypercall_multicall(calls, 2), -XEN_EFAULT);
    memory_protect(calls, MEMORY_RW);
    /* It turns the page of the list into a table, and the next entry pins it. */
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_update_va_mapping,
                                   .args = {(u64)spare, entry_of(spare, MEMORY_RO), UVMF_INVLPG}};
    struct mmuext_op pin_it = {.cmd = MMUEXT_PIN_L1_TABLE};
    pin_it.arg1.mfn = mfn_of(calls);
    calls[1] = (multicall_entry_t){.op = __HYPERVISOR_mmuext_op, .args = {(u64)&pin_it, 1, 0, DOMID_SELF}};
    equal("pin the list", hypercall_multicall(calls, 2), 0);
    equal("refused", (u64)calls[1].result, (u64)-XEN_EINVAL);
    page_free(calls);
    page_back(spare);
}

ATTACK(multicall_changes_root, FLAW_STATE, "a multicall that changes the root and goes on with a list that the new root does not map: -EFAULT, and back")
{
    struct tree t = tree_make();
    u64 *page = page_alloc(), va = 6ul << 39, *root = memory_root(), *second = page_alloc();
    multicall_entry_t *calls = (multicall_entry_t *)va;
    static struct mmuext_op change;

    equal("page", set_entry(t.table[1], entry_of(page, MEMORY_RW)), 0);
    for (u32 i = 0; i < 512; i++)
        second[i] = i >= 256 && i <= 271 ? 0 : root[i];
    memory_protect(second, MEMORY_RO);
    equal("enter", set_entry(root + 6, entry_of(t.table[3], MEMORY_TABLE)), 0);
    change.cmd = MMUEXT_NEW_BASEPTR;
    change.arg1.mfn = mfn_of(second);
    calls[0] = (multicall_entry_t){.op = __HYPERVISOR_mmuext_op, .args = {(u64)&change, 1, 0, DOMID_SELF}};
    calls[1] = (multicall_entry_t){.op = __HYPERVISOR_set_trap_table};
    equal("result", hypercall_multicall(calls, 2), -XEN_EFAULT);
    equal("back", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(root), 0), 0);
    equal("leave", set_entry(root + 6, 0), 0);
    page_back(second);
    tree_free(&t);
    page_free(page);
}

ATTACK(list_in_its_own_table, FLAW_RACE, "mmu_update whose list unmaps itself, or whose count lies in the entry that it changes: it stops where it cannot read, and the count is right")
{
    mmu_update_t *list = page_alloc();
    u32 done = 0;

    list[0] = (mmu_update_t){memory_entry_maddr((u64)list, 1), 0};
    list[1] = (mmu_update_t){memory_entry_maddr((u64)list, 1), entry_of(list, MEMORY_RW)};
    mmuext(MMUEXT_INVLPG_LOCAL, (u64)list, 0);
    long error = hypercall_mmu_update(list, 2, &done, DOMID_SELF);
    /* The old translation may still be there; it leads to a page that is still ours. */
    holds("all or one", (error == 0 && done == 2) || (error == -XEN_EFAULT && done == 1));
    equal("map", memory_protect(list, MEMORY_RW), 0);
    equal("recount", (u64)recount(), 0);
    page_free(list);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writable page tables: stores to a read-only L1 table are emulated.
 */
#include "guests/conform/conform.h"

static u64 at;      /* an address of the window */
static u64 *entry;  /* its L1 entry, in the read-only linear map */
static u64 *data, *other;

static u64 store(u64 value)
{
    *(volatile u64 *)entry = value;
    return 0;
}

static u64 store_pinned_root(u64 value)
{
    memory_root()[5] = value;
    return 0;
}

#define WRITE_INSN(name, text)                                                                           \
    static u64 name(u64 value)                                                                     \
    {                                                                                              \
        u64 a_ = value;                                                                            \
        __asm__ volatile(text : "+a"(a_) : "r"(entry) : "memory", "cc", "rcx", "rdx");             \
        return a_;                                                                                 \
    }
WRITE_INSN(store32, "movl %%eax, (%1)")
WRITE_INSN(store16, "movw %%ax, (%1)")
WRITE_INSN(store8, "movb %%al, (%1)")
WRITE_INSN(exchange, "xchgq %%rax, (%1)")
WRITE_INSN(lock_and8, "lock andb $0xfd, (%1)")
WRITE_INSN(lock_btr, "lock btrq $1, (%1)")
WRITE_INSN(lock_or, "lock orq %%rax, (%1)")
WRITE_INSN(lock_cmpxchg, "movq %%rax, %%rcx\n xorl %%eax, %%eax\n lock cmpxchgq %%rcx, (%1)")
WRITE_INSN(add, "addq $0x200, (%1)")
WRITE_INSN(unaligned, "movq %%rax, 4(%1)")
WRITE_INSN(stosq, "movq %1, %%rdx\n pushq %%rdi\n movq %%rdx, %%rdi\n stosq\n popq %%rdi")

static void off(void)
{
    test("off", "the initial domain need not enable the assist; for others a store is #PF without it");
    if (runtime_is_dom0()) {
        equal("vector", trap_try(store, 0x200), TRAP_NONE);
        equal("entry", *entry, 0x200);
        trap_try(store, 0);
    } else {
        equal("vector", trap_try(store, 0x200), TRAP_PF);
        equal("error", trap_last.error, PF_PRESENT | PF_WRITE);
        equal("cr2", trap_last.cr2, (u64)entry);
        equal("entry", *entry, 0);
    }
}

static void flush(void)
{
    mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

static void on(void)
{
    test("enable", "vm_assist enables it: 0");
    equal("result", hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    test("store", "a store of 8 bytes is made, adjusted as any update");
    equal("vector", trap_try(store, entry_of(data, PTE_P | PTE_RW | PTE_A | PTE_D)), TRAP_NONE);
    equal("entry", *entry, entry_of(data, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_US) | 1ul << 52);
    flush();
    *(volatile u64 *)at = 0x99;
    equal("mapped", data[0], 0x99);
    test("clear", "a store of 0");
    equal("vector", trap_try(store, 0), TRAP_NONE);
    equal("entry", *entry, 0);
    flush();
    test("references", "it takes and drops references");
    trap_try(store, entry_of(other, MEMORY_RW));
    memory_protect(other, MEMORY_RO);
    equal("held", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(other), 0), -XEN_EINVAL);
    trap_try(store, 0);
    equal("free", mmuext(MMUEXT_PIN_L1_TABLE, memory_virt_to_mfn(other), 0), 0);
    test("refused", "a writable entry for a table: made read-only, or #PF for the guest");
    u32 vector = trap_try(store, entry_of(other, MEMORY_RW));
    equal("vector", vector, TRAP_PF);
    equal("entry", *entry, 0);
    mmuext(MMUEXT_UNPIN_TABLE, memory_virt_to_mfn(other), 0);
    memory_protect(other, MEMORY_RW);
    test("refused-beyond", "an entry for a frame beyond memory: #PF");
    equal("vector", trap_try(store, MFN_BEYOND << 12 | MEMORY_RW), TRAP_PF);
    test("xchg", "XCHG gives the old entry");
    trap_try(store, entry_of(data, MEMORY_RW) | 1ul << 52);
    equal("vector", trap_try(exchange, 0), TRAP_NONE);
    equal("old", trap_result, entry_of(data, MEMORY_RW) | 1ul << 52);
    equal("entry", *entry, 0);
    test("cmpxchg", "LOCK CMPXCHG");
    equal("vector", trap_try(lock_cmpxchg, entry_of(data, MEMORY_RW) | 1ul << 52), TRAP_NONE);
    equal("entry", *entry, entry_of(data, MEMORY_RW) | 1ul << 52);
    test("cmpxchg-differs", "LOCK CMPXCHG with another old value leaves the entry");
    equal("vector", trap_try(lock_cmpxchg, entry_of(other, MEMORY_RW)), TRAP_NONE);
    equal("entry", *entry, entry_of(data, MEMORY_RW) | 1ul << 52);
    equal("old", trap_result, entry_of(data, MEMORY_RW) | 1ul << 52);
    test("btr", "LOCK BTR of the RW bit");
    equal("vector", trap_try(lock_btr, 0), TRAP_NONE);
    equal("rw", *entry & PTE_RW, 0);
    test("or", "LOCK OR of the RW bit");
    equal("vector", trap_try(lock_or, PTE_RW), TRAP_NONE);
    equal("rw", *entry & PTE_RW, PTE_RW);
    test("and-byte", "LOCK AND of a byte");
    equal("vector", trap_try(lock_and8, 0), TRAP_NONE);
    equal("rw", *entry & PTE_RW, 0);
    equal("mfn", *entry & PTE_MFN_MASK, memory_virt_to_mfn(data) << 12);
    test("add", "ADD to memory without LOCK");
    equal("vector", trap_try(add, 0), TRAP_NONE);
    equal("avail", *entry & PTE_AVAIL, 0x200);
    test("stosq", "STOSQ");
    equal("vector", trap_try(stosq, entry_of(data, MEMORY_RW) | 1ul << 52), TRAP_NONE);
    equal("entry", *entry, entry_of(data, MEMORY_RW) | 1ul << 52);
    test("store-32", "a store of 4 bytes changes the lower half");
    equal("vector", trap_try(store32, 0), TRAP_NONE);
    equal("entry", *entry, (entry_of(data, MEMORY_RW) | 1ul << 52) & 0xffffffff00000000ul);
    test("store-16", "a store of 2 bytes");
    trap_try(store, 0);
    equal("vector", trap_try(store16, 0xaa8), TRAP_NONE);
    equal("entry", *entry, 0xaa8);
    test("store-8", "a store of 1 byte");
    equal("vector", trap_try(store8, 0xa0), TRAP_NONE);
    equal("entry", *entry, 0xaa0);
    trap_try(store, 0);
    test("unaligned", "a store across two entries: #PF");
    equal("vector", trap_try(unaligned, 0), TRAP_PF);
    test("upper", "tables above L1 are not emulated: #PF");
    equal("vector", trap_try(store_pinned_root, 0), TRAP_PF);
}

static u64 user_store(u64 value)
{
    *(volatile u64 *)entry = value;
    return 0;
}

static void rest(void)
{
    test("user", "a store of user mode is not emulated: #PF with U");
    user_init();
    equal("vector", user_call(user_store, entry_of(data, MEMORY_RW)), TRAP_PF);
    equal("error", trap_last.error, PF_PRESENT | PF_WRITE | PF_USER);
    test("read-only-page", "a store to a read-only page that is no table: #PF");
    u64 *page = page_alloc();
    memory_protect(page, MEMORY_RO);
    u64 *saved = entry;
    entry = page;
    equal("vector", trap_try(store, 1), TRAP_PF);
    entry = saved;
    test("disable", "disabling the assist turns it off, but for the initial domain");
    equal("result", hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0);
    equal("vector", trap_try(store, 0), runtime_is_dom0() ? TRAP_NONE : TRAP_PF);
}

void guest_main(void)
{
    report_start("ptwr");
    at = memory_reserve(1);
    memory_map(at, 0);
    entry = memory_entry(at, 1);
    data = page_alloc();
    other = page_alloc();
    off();
    on();
    rest();
    report_end();
}

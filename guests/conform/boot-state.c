/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain finds at its first instruction: start_info, registers, the builder's page tables,
 * the p2m and m2p tables, shared_info.
 */
#include "guests/conform/conform.h"

extern u8 image_end[];

static void start_info_fields(void)
{
    test("magic", "start_info.magic names the 64-bit ABI");
    holds("xen-3.0-x86_64", !strncmp((const char *)start_info->magic, "xen-3.0-x86_64", 14));
    test("magic-dom0", "the initial domain's magic ends in p");
    if (runtime_is_dom0())
        equal("letter", (u8)start_info->magic[14], 'p');
    else
        skip("not the initial domain");
    test("flags", "the initial domain is SIF_PRIVILEGED and SIF_INITDOMAIN, another neither");
    equal("flags", start_info->flags & 3, runtime_is_dom0() ? 3 : 0);
    test("nr-pages", "nr_pages is not zero and agrees with current_reservation");
    domid_t self = DOMID_SELF;
    long pages = hypercall_memory_op(XENMEM_current_reservation, &self);
    differ("nr_pages", start_info->nr_pages, 0);
    holds("reservation is at least nr_pages", pages >= (long)start_info->nr_pages);
    test("shared-info-aligned", "start_info.shared_info is the machine address of a page");
    equal("offset", start_info->shared_info & ~PAGE_MASK, 0);
    differ("address", start_info->shared_info, 0);
    test("pt-base", "pt_base is the address of the L4 table in CR3");
    u64 cr3;
    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    equal("pt_base", start_info->pt_base, (u64)memory_mfn_to_virt(cr3 >> PAGE_SHIFT));
    test("nr-pt-frames", "nr_pt_frames is the number of tables the builder made, at least 4");
    holds("at least 4", start_info->nr_pt_frames >= 4);
    test("mfn-list", "mfn_list is mapped and above the kernel image");
    holds("above", start_info->mfn_list >= (u64)image_end);
    test("console", "the initial domain has no console ring");
    if (runtime_is_dom0())
        equal("store_mfn", start_info->store_mfn, 0);
    else
        differ("console mfn", start_info->console.domU.mfn, 0);
    test("layout-order", "image, p2m list, start_info, page tables and stack follow each other");
    holds("p2m before start_info", start_info->mfn_list < (u64)start_info);
    holds("start_info before tables", (u64)start_info < start_info->pt_base);
    holds("tables before stack", start_info->pt_base < boot_registers.rsp);
    test("stack-page", "RSP is the end of the page after the page tables");
    equal("aligned", boot_registers.rsp & ~PAGE_MASK, 0);
    equal("place", boot_registers.rsp,
          start_info->pt_base + (start_info->nr_pt_frames + 1) * PAGE_SIZE);
}

static void registers(void)
{
    const struct boot_registers *r = &boot_registers;

    test("rsi", "RSI is the address of start_info");
    equal("rsi", r->rsi, (u64)start_info);
    test("gpr-zero", "all other registers are 0");
    equal("or", r->rax | r->rbx | r->rcx | r->rdx | r->rdi | r->rbp | r->r8 | r->r9 | r->r10 |
                    r->r11 | r->r12 | r->r13 | r->r14 | r->r15, 0);
    test("rflags", "RFLAGS has IF set and no status flag");
    equal("rflags", r->rflags & 0x40fd7, 0x202);
    test("cs", "CS is the hypervisor's flat 64-bit code segment");
    equal("cs", r->cs, FLAT_KERNEL_CS);
    test("ss", "SS is the hypervisor's flat data segment");
    equal("ss", r->ss, FLAT_KERNEL_SS);
    test("data-segments", "DS, ES, FS and GS are null selectors");
    equal("or", (r->ds | r->es | r->fs | r->gs) & ~3ul, 0);
}

static void tables(void)
{
    u64 va = (u64)start_info;
    u64 *l4 = memory_root();
    u32 bad = 0;

    test("p2m-inverse", "m2p[p2m[pfn]] is pfn for all pages");
    for (u64 pfn = 0; pfn < start_info->nr_pages; pfn++)
        bad += memory_mfn_to_pfn(memory_pfn_to_mfn(pfn)) != pfn;
    equal("wrong entries", bad, 0);
    test("linear", "virtual addresses are VIRT_BASE + pfn * 4096 from pfn 0 on");
    bad = 0;
    for (u64 pfn = 0; pfn < memory_virt_to_pfn((void *)boot_registers.rsp); pfn++) {
        u64 *entry = memory_entry((u64)memory_pfn_to_virt(pfn), 1);

        bad += !entry || (*entry & PTE_MFN_MASK) != memory_pfn_to_mfn(pfn) << PAGE_SHIFT;
    }
    equal("wrong pages", bad, 0);
    test("mapped-end", "the initial mapping ends at a multiple of 4 MiB");
    u64 end = (u64)boot_registers.rsp;
    for (u64 *entry; (entry = memory_entry(end, 1)) && (*entry & PTE_P); )
        end += PAGE_SIZE;
    equal("remainder", end & 0x3fffff, 0);
    test("spare", "at least 512 KiB are mapped after the stack");
    holds("room", end - boot_registers.rsp >= 512 * 1024);
    test("l1-flags", "an L1 entry of a data page is present, writable, user and guest-kernel");
    equal("flags", *memory_entry(va, 1) & (PTE_P | PTE_RW | PTE_US | PTE_PSE | PTE_G | PTE_NX),
          PTE_P | PTE_RW | PTE_US);
    test("l1-guest-kernel", "the hypervisor marks kernel pages with bit 52");
    equal("bit 52", *memory_entry(va, 1) >> 52 & 1, 1);
    test("l1-table-flags", "an L1 entry of a page table is not writable");
    equal("rw", *memory_entry(start_info->pt_base, 1) & PTE_RW, 0);
    test("l2-flags", "an L2 entry is present, writable and user");
    equal("flags", *memory_entry(va, 2) & (PTE_P | PTE_RW | PTE_US | PTE_PSE | PTE_NX),
          PTE_P | PTE_RW | PTE_US);
    test("l4-m2p-slot", "L4 slot 256 is the hypervisor's, and readable");
    holds("present", l4[256] & PTE_P);
    holds("m2p", ((u64 *)MACH2PHYS_BASE)[memory_virt_to_mfn(l4)] == memory_virt_to_pfn(l4));
    test("m2p-read-only", "the m2p table cannot be written");
    u32 vector = TRAP_INSN("movq %0, (%1)", (), ("r"(0ul), "r"(MACH2PHYS_BASE)));
    equal("vector", vector, TRAP_PF);
    test("l4-hypervisor-slots", "the hypervisor's other memory cannot be read");
    u64 got;
    vector = TRAP_INSN("movq (%1), %0", ("=r"(got)), ("r"(VA_HYPERVISOR)));
    equal("vector", vector, TRAP_PF);
    test("low-half-empty", "the lower half of the address space is empty");
    bad = 0;
    for (u32 i = 0; i < 256; i++)
        bad += l4[i] & PTE_P;
    equal("entries", bad, 0);
}

static void shared(void)
{
    vcpu_info_t *v = vcpu_info();

    test("upcall-mask", "vCPU 0 starts with upcalls masked");
    equal("mask", v->evtchn_upcall_mask, 1);
    test("upcall-pending", "nothing is pending");
    equal("sel", v->evtchn_pending_sel, 0);
    test("time-version", "the time's version is even and not 0");
    equal("odd", v->time.version & 1, 0);
    differ("version", v->time.version, 0);
    test("time-scale", "the scale of time is there before the first event");
    differ("tsc_to_system_mul", v->time.tsc_to_system_mul, 0);
    test("wall-clock", "the wall clock is set, its version even");
    equal("odd", shared_info->wc_version & 1, 0);
    differ("wc_sec", shared_info->wc_sec, 0);
    test("shared-info-writable", "shared_info may be mapped writable");
    shared_info->arch.nmi_reason |= 0;
    holds("frame is not in the p2m",
          memory_mfn_to_pfn(start_info->shared_info >> PAGE_SHIFT) >= start_info->nr_pages);
}

void guest_main(void)
{
    report_start("boot-state");
    start_info_fields();
    registers();
    tables();
    shared();
    report_end();
}

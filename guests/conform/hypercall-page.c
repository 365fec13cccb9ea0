/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercall page: the builder fills the page that the ELF note names with a stub for each call.
 */
#include "guests/conform/conform.h"

#include <xen/elfnote.h>

#define SLOT_BYTES 32u
#define SLOTS      (u32)(PAGE_SIZE / SLOT_BYTES)
#define STR(x)     #x
#define XSTR(x)    STR(x)

extern u8 hypercall_page[PAGE_SIZE];
u8 hypercall_page[PAGE_SIZE] PAGE_ALIGNED;

__asm__(".pushsection .note.Xen, \"a\", @note\n"
        "    .balign 4\n"
        "    .long 4, 8, " XSTR(XEN_ELFNOTE_HYPERCALL_PAGE) "\n"
        "    .asciz \"Xen\"\n"
        "    .quad hypercall_page\n"
        ".popsection\n");

static const u8 *slot(u32 number)
{
    return hypercall_page + number * SLOT_BYTES;
}

/* Call the stub of @number; RCX and R11 before and after in @kept. */
static long call(u32 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 *kept)
{
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r11 __asm__("r11") = 0x1111;
    register u64 target __asm__("r12") = (u64)slot(number);
    u64 rcx = 0xcccc;
    long result;

    __asm__ volatile("call *%%r12"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+c"(rcx), "+r"(r11)
                     : "r"(target)
                     : "memory", "cc");
    kept[0] = rcx;
    kept[1] = r11;
    return result;
}

static void contents(void)
{
    u32 wrong = 0, calls = 0;

    test("filled", "each slot of the page loads its own number into EAX, and has a SYSCALL");
    for (u32 n = 0; n < SLOTS; n++) {
        bool number = false, syscall = false;

        for (u32 i = 0; i + 5 <= SLOT_BYTES; i++)
            if (slot(n)[i] == 0xb8 && slot(n)[i + 1] == n && !slot(n)[i + 2] && !slot(n)[i + 3] && !slot(n)[i + 4])
                number = true;
        for (u32 i = 0; i + 2 <= SLOT_BYTES; i++)
            syscall |= slot(n)[i] == 0x0f && slot(n)[i + 1] == 0x05;
        wrong += !number;
        calls += syscall;
    }
    equal("without the number", wrong, 0);
    equal("with SYSCALL", calls, SLOTS);
    test("rest", "a slot ends with INT3");
    wrong = 0;
    for (u32 n = 0; n < SLOTS; n++)
        wrong += slot(n)[SLOT_BYTES - 1] != 0xcc;
    equal("others", wrong, 0);
}

static void calls(void)
{
    u64 kept[2];
    xen_extraversion_t text;

    test("call", "a call through the page does what SYSCALL does");
    equal("version", call(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0, kept), 4 << 16 | 17);
    equal("extraversion", call(__HYPERVISOR_xen_version, XENVER_extraversion, (u64)text, 0, 0, 0, kept), 0);
    holds("text", text[0] == '.' || text[0] == '-');
    test("preserves", "and preserves RCX and R11 as well");
    call(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0, kept);
    equal("rcx", kept[0], 0xcccc);
    equal("r11", kept[1], 0x1111);
    test("arguments", "its arguments arrive");
    u64 *page = page_alloc();
    u32 done = 0;
    mmu_update_t update = {.ptr = memory_virt_to_maddr(page), .val = 0x1234};
    equal("mmu_update", call(__HYPERVISOR_mmu_update, (u64)&update, 1, (u64)&done, DOMID_SELF, 0, kept), 0);
    equal("done", done, 1);
    equal("stored", page[0], 0x1234);
    equal("va mapping", call(__HYPERVISOR_update_va_mapping, (u64)page, entry_of(page, MEMORY_RO), UVMF_INVLPG, 0, 0,
                             kept), 0);
    equal("otherdomain", call(__HYPERVISOR_update_va_mapping_otherdomain, (u64)page, entry_of(page, MEMORY_RW),
                              UVMF_INVLPG, DOMID_SELF, 0, kept), 0);
}

/* Every call with arguments that no call takes: the same answer both ways. */
static void every(void)
{
    for (u32 n = 0; n < SLOTS; n++) {
        static char names[SLOTS][16];
        u64 kept[2];

        if (n == __HYPERVISOR_iret)
            continue;
        print_to(names[n], sizeof names[n], "slot-%u", n);
        test(names[n], "the stub of number %u answers as the call itself", n);
        equal("result", (u64)call(n, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, kept),
              (u64)hypercall(n, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul));
        equal("rcx", kept[0], 0xcccc);
    }
    /* What some of them have done with that. */
    trap_install();
    hypercall_fpu_taskswitch(0);
}

u64 page_iret_rsp, page_iret_result[4];

/* The stub of iret takes a frame without RAX, R11 and RCX, which it keeps. */
static void iret(void)
{
    test("iret", "the stub of iret returns to the frame above, with RAX, RCX and R11 as they are");
    __asm__ volatile("pushq %%rbx\n pushq %%rbp\n"
                     "movq %%rsp, page_iret_rsp\n"
                     "movl $0xa1, %%eax\n movl $0xc1, %%ecx\n movl $0xb1, %%r11d\n"
                     "pushq %0\n pushq page_iret_rsp\n pushq $2\n pushq %1\n"
                     "pushq $page_iret_landing\n pushq $0\n"
                     "jmp hypercall_page + 23 * 32\n"
                     "page_iret_landing:\n"
                     "movq %%rax, page_iret_result\n movq %%rcx, page_iret_result+8\n"
                     "movq %%r11, page_iret_result+16\n movq %%rsp, page_iret_result+24\n"
                     "movq page_iret_rsp, %%rsp\n"
                     "popq %%rbp\n popq %%rbx\n"
                     :
                     : "i"(FLAT_KERNEL_SS), "i"(FLAT_KERNEL_CS & ~3)
                     : "rax", "rcx", "r11", "memory", "cc");
    equal("rax", page_iret_result[0], 0xa1);
    equal("rcx", page_iret_result[1], 0xc1);
    equal("r11", page_iret_result[2], 0xb1);
    equal("rsp", page_iret_result[3], page_iret_rsp);
}

void guest_main(void)
{
    report_start("hypercall-page");
    contents();
    calls();
    every();
    iret();
    report_end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other ways from user mode into the kernel: SYSENTER, and all of them from 32-bit code.
 */
#include "guests/conform/conform.h"

/* Below 4 GiB, for both kinds of code. */
#define CODE_VA  0x400000ul
#define STACK_VA 0x402000ul
/* Handlers are the stubs of these vectors. */
#define SYSENTER_STUB  0x90
#define SYSCALL32_STUB 0x91

enum { SYSENTER, SYSCALL, INT80, UD2, INT82, INT3, SPACE = 16 };
static const u8 code[][SPACE] = {
    [SYSENTER] = {0x0f, 0x34}, [SYSCALL] = {0x0f, 0x05}, [INT80] = {0xcd, 0x80},
    [UD2] = {0x0f, 0x0b},      [INT82] = {0xcd, 0x82},   [INT3] = {0xcc},
};

static u64 address_of(u32 which)
{
    return CODE_VA + which * SPACE;
}

static void prepare(void)
{
    u8 *page = page_alloc();

    memcpy(page, code, sizeof code);
    if (!memory_map(CODE_VA, entry_of(page, MEMORY_RW)) ||
        !memory_map(CODE_VA + PAGE_SIZE, entry_of(page_alloc(), MEMORY_RW)))
        panic("no mapping: %ld", memory_error);
}

static u64 enter(u64 frame)
{
    user_enter((const struct trap_frame *)frame);
}

/* Run one instruction in user mode with CS @cs; returns the vector of what it came to. */
static u32 run(u32 which, u16 cs, u64 rflags)
{
    struct trap_frame frame = {.rip = address_of(which),
                               .cs = cs,
                               .rflags = rflags | 2,
                               .rsp = STACK_VA - 64,
                               .ss = FLAT_USER_SS,
                               .rbx = 0xb1,
                               .rdi = 0xd1};

    trap_last.vector = TRAP_NONE;
    trap_guarded(enter, (u64)&frame);
    return trap_last.vector;
}

static void reg(u16 type, u16 flags, u64 address)
{
    struct callback_register r = {.type = type, .flags = flags, .address = address};

    equal("register", hypercall_callback_op(CALLBACKOP_register, &r), 0);
}

static void sysenter(void)
{
    test("sysenter-none", "SYSENTER without a callback: #GP with error code 0");
    equal("vector", run(SYSENTER, FLAT_USER_CS, 0), TRAP_GP);
    equal("error", trap_last.error, 0);
    test("sysenter-none-frame", "its frame says ring 3, but no RIP: SYSENTER leaves none");
    equal("cs", trap_last.frame.cs & 0xffff, 3);
    equal("rip", trap_last.frame.rip, 0);
    test("sysenter", "with a callback it is entered");
    reg(CALLBACKTYPE_sysenter, CALLBACKF_mask_events, trap_stub(SYSENTER_STUB));
    equal("vector", run(SYSENTER, FLAT_USER_CS, 0x200), SYSENTER_STUB);
    equal("rbx", trap_last.frame.rbx, 0xb1);
    equal("rdi", trap_last.frame.rdi, 0xd1);
    test("sysenter-frame", "its frame has neither RIP nor RSP, a null CS with RPL 3, and the flat SS");
    equal("rip", trap_last.frame.rip, 0);
    equal("rsp", trap_last.frame.rsp, 0);
    equal("cs", trap_last.frame.cs & 0xffff, 3);
    equal("ss", trap_last.frame.ss, FLAT_USER_SS);
    test("sysenter-flags", "and IF as the upcall mask was");
    equal("if", trap_last.frame.rflags >> 9 & 1, 1);
    equal("saved", trap_last.frame.cs >> 32 & 0xff, 0);
    test("sysenter-32", "from 32-bit code it is the same");
    equal("vector", run(SYSENTER, FLAT_USER_CS32, 0x200), SYSENTER_STUB);
    equal("cs", trap_last.frame.cs & 0xffff, 3);
    test("sysenter-nt", "NT does no harm, and is in the frame");
    equal("vector", run(SYSENTER, FLAT_USER_CS, 0x4200), SYSENTER_STUB);
    equal("nt", trap_last.frame.rflags >> 14 & 1, 1);
    event_disable();
}

static void from_32_bits(void)
{
    test("ud2-32", "an exception of 32-bit code: its CS in the frame");
    equal("vector", run(UD2, FLAT_USER_CS32, 0x200), TRAP_UD);
    equal("rip", trap_last.frame.rip, address_of(UD2));
    equal("cs", trap_last.frame.cs & 0xffff, FLAT_USER_CS32);
    equal("rsp", trap_last.frame.rsp, STACK_VA - 64);
    test("int80-32", "INT 0x80 of 32-bit code: the guest's vector, behind the instruction");
    equal("vector", run(INT80, FLAT_USER_CS32, 0x200), 0x80);
    equal("rip", trap_last.frame.rip, address_of(INT80) + 2);
    test("int82-32", "INT 0x82 of 32-bit code in a 64-bit domain: the guest's vector, no hypercall");
    equal("vector", run(INT82, FLAT_USER_CS32, 0x200), 0x82);
    test("int3-32", "INT3 of 32-bit code");
    equal("vector", run(INT3, FLAT_USER_CS32, 0x200), TRAP_BP);
    equal("rip", trap_last.frame.rip, address_of(INT3) + 1);
    test("syscall-32", "SYSCALL of 32-bit code is #UD on a processor of Intel, at the instruction");
    equal("vector", run(SYSCALL, FLAT_USER_CS32, 0x200), TRAP_UD);
    equal("rip", trap_last.frame.rip, address_of(SYSCALL));
    test("syscall-32-callback", "with a callback for it as well");
    reg(CALLBACKTYPE_syscall32, CALLBACKF_mask_events, trap_stub(SYSCALL32_STUB));
    equal("vector", run(SYSCALL, FLAT_USER_CS32, 0x200), TRAP_UD);
    test("syscall-64", "SYSCALL of 64-bit code is not its business");
    equal("vector", run(SYSCALL, FLAT_USER_CS, 0x200), TRAP_SYSCALL);
    equal("rip", trap_last.frame.rip, address_of(SYSCALL) + 2);
    equal("cs", trap_last.frame.cs & 0xffff, FLAT_USER_CS);
    event_disable();
}

void guest_main(void)
{
    report_start("compat-entry");
    user_init();
    prepare();
    sysenter();
    from_32_bits();
    report_end();
}

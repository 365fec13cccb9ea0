/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event upcall: when it comes, what it finds, the two levels of pending bits.
 *
 * Events are made with an IPI port of this vCPU, which EVTCHNOP_send sets pending at once.
 */
#include "guests/conform/conform.h"

static u32 port, calls;
static u8 mask_inside;

static void count(u32 which, void *arg)
{
    (void)which;
    (void)arg;
    calls++;
    mask_inside = vcpu_info()->evtchn_upcall_mask;
}

u64 upcall_frame[8], upcall_pending, upcall_sel;
extern u8 upcall_probe[];
/* An upcall entry that keeps the frame, clears nothing but upcall_pending, and goes back. */
__asm__(".pushsection .text\n"
        "upcall_probe:\n"
        "    movq %rax, upcall_save\n"
        "    movq (%rsp), %rax\n movq %rax, upcall_frame\n"
        "    movq 8(%rsp), %rax\n movq %rax, upcall_frame+8\n"
        "    movq 16(%rsp), %rax\n movq %rax, upcall_frame+16\n"
        "    movq 24(%rsp), %rax\n movq %rax, upcall_frame+24\n"
        "    movq 32(%rsp), %rax\n movq %rax, upcall_frame+32\n"
        "    movq 40(%rsp), %rax\n movq %rax, upcall_frame+40\n"
        "    movq %rsp, upcall_frame+56\n"
        "    movq shared_info, %rax\n movzbl (%rax), %eax\n movq %rax, upcall_pending\n"
        "    movq shared_info, %rax\n movq 8(%rax), %rax\n movq %rax, upcall_sel\n"
        "    movq shared_info, %rax\n movzbl 1(%rax), %eax\n movq %rax, upcall_frame+48\n"
        "    movq shared_info, %rax\n movb $0, (%rax)\n movq $0, 8(%rax)\n"
        "    popq %rcx\n popq %r11\n"
        "    pushq $0\n pushq %rcx\n pushq %r11\n pushq upcall_save\n"
        "    movl $23, %eax\n syscall\n ud2\n"
        "    .pushsection .bss\n upcall_save: .quad 0\n .popsection\n"
        ".popsection\n");

static void clear_all(void)
{
    event_disable();
    event_clear(port);
    vcpu_info()->evtchn_pending_sel = 0;
    vcpu_info()->evtchn_upcall_pending = 0;
    calls = 0;
}

static void delivery(void)
{
    vcpu_info_t *v = vcpu_info();

    test("masked", "with upcalls masked a send sets all three levels and enters nothing");
    event_unmask(port);
    clear_all();
    equal("send", event_send(port), 0);
    equal("calls", calls, 0);
    holds("pending bit", event_pending(port));
    equal("sel", v->evtchn_pending_sel, 1ul << port / 64);
    equal("upcall_pending", v->evtchn_upcall_pending, 1);
    test("unmask-no-trap", "clearing the mask by itself enters nothing");
    v->evtchn_upcall_mask = 0;
    BARRIER();
    equal("calls", calls, 0);
    test("next-hypercall", "the way back from the next hypercall enters the handler");
    hypercall_xen_version(0, NULL);
    equal("calls", calls, 1);
    equal("mask inside", mask_inside, 1);
    test("mask-restored", "after its iret upcalls are unmasked again");
    equal("mask", v->evtchn_upcall_mask, 0);
    test("immediate", "with upcalls unmasked the handler runs before the send returns");
    clear_all();
    v->evtchn_upcall_mask = 0;
    equal("send", event_send(port), 0);
    equal("calls", calls, 1);
    test("port-masked", "a masked port sets its pending bit and nothing else");
    clear_all();
    event_mask(port);
    v->evtchn_upcall_mask = 0;
    equal("send", event_send(port), 0);
    event_disable();
    holds("pending bit", event_pending(port));
    equal("sel", v->evtchn_pending_sel, 0);
    equal("upcall_pending", v->evtchn_upcall_pending, 0);
    test("unmask-delivers", "EVTCHNOP_unmask of a pending port raises the upcall");
    calls = 0;
    v->evtchn_upcall_mask = 0;
    event_unmask(port);
    equal("calls", calls, 1);
    test("unmask-idle", "EVTCHNOP_unmask of a port that is not pending raises nothing");
    clear_all();
    event_mask(port);
    v->evtchn_upcall_mask = 0;
    event_unmask(port);
    equal("calls", calls, 0);
    test("pending-twice", "a send to a pending port changes nothing more");
    clear_all();
    event_send(port);
    v->evtchn_pending_sel = 0;
    v->evtchn_upcall_pending = 0;
    equal("send", event_send(port), 0);
    equal("sel", v->evtchn_pending_sel, 0);
    equal("upcall_pending", v->evtchn_upcall_pending, 0);
    clear_all();
    test("sel-set", "a set selector bit keeps upcall_pending from being set again");
    v->evtchn_pending_sel = 1ul << port / 64;
    equal("send", event_send(port), 0);
    holds("pending bit", event_pending(port));
    equal("upcall_pending", v->evtchn_upcall_pending, 0);
    clear_all();
}

static void probe(void)
{
    struct callback_register r = {.type = CALLBACKTYPE_event, .address = (u64)upcall_probe};
    vcpu_info_t *v = vcpu_info();

    clear_all();
    hypercall_callback_op(CALLBACKOP_register, &r);
    test("forged", "a guest that sets upcall_pending itself gets an upcall, without a port");
    v->evtchn_upcall_pending = 1;
    v->evtchn_upcall_mask = 0;
    BARRIER();
    hypercall_xen_version(0, NULL);
    event_disable();
    equal("pending", upcall_pending, 1);
    equal("sel", upcall_sel, 0);
    test("frame", "the upcall's frame is a bounce frame without error code");
    equal("cs", upcall_frame[3] & 0xffff, SEL_KERNEL_CS);
    equal("saved mask", upcall_frame[3] >> 32, 0);
    equal("if", upcall_frame[4] >> 9 & 1, 1);
    equal("place", upcall_frame[7], (upcall_frame[5] & ~15ul) - 56);
    test("frame-mask", "upcalls are masked at the entry");
    equal("mask", upcall_frame[48 / 8], 1);
    test("frame-rip", "it returns behind the SYSCALL");
    equal("opcode", *(u16 *)(upcall_frame[2] - 2), 0x050f);
    test("pending-kept", "the hypervisor leaves upcall_pending for the guest to clear");
    equal("pending", upcall_pending, 1);
    trap_install();
}

static u64 user_loop(u64 arg)
{
    u32 *spins = (u32 *)arg;

    while (!*(volatile u32 *)&calls)
        ++*spins;
    return 7;
}

static void from_user(void)
{
    static u32 spins;

    test("from-user", "a pending event interrupts user mode as soon as it is entered");
    clear_all();
    user_init();
    event_send(port);
    u32 vector = user_call_flags(user_loop, (u64)&spins, 0x202);
    equal("vector", vector, TRAP_NONE);
    equal("value", trap_result, 7);
    equal("calls", calls, 1);
    test("user-masked", "IF 0 in the iret frame keeps events masked in user mode");
    clear_all();
    event_send(port);
    calls = 1;
    vector = user_call_flags(user_loop, (u64)&spins, 0x002);
    equal("vector", vector, TRAP_NONE);
    equal("calls", calls, 1);
    clear_all();
}

void guest_main(void)
{
    long got = event_bind_ipi(0);

    report_start("upcall");
    test("ipi", "an IPI port of vCPU 0");
    holds("port", got > 0);
    port = (u32)got;
    event_set_handler(port, count, NULL);
    delivery();
    probe();
    from_user();
    report_end();
}

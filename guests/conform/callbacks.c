/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callback_op, set_callbacks and nmi_op: registering, errors, delivery.
 */
#include "guests/conform/conform.h"

static long reg(u16 type, u16 flags, u64 address)
{
    struct callback_register r = {.type = type, .flags = flags, .address = address};

    return hypercall_callback_op(CALLBACKOP_register, &r);
}

static long unreg(u16 type)
{
    struct callback_unregister r = {.type = type};

    return hypercall_callback_op(CALLBACKOP_unregister, &r);
}

static u64 do_syscall(u64 arg)
{
    __asm__ volatile("syscall" : : "a"(arg) : "rcx", "r11", "memory");
    return 0;
}

static u32 nmis;
static bool on_nmi(struct trap_frame *frame)
{
    (void)frame;
    nmis++;
    return true;
}

static void types(void)
{
    static const struct {
        const char *name;
        u16 type;
        long want;
    } t[] = {
        {"event", CALLBACKTYPE_event, 0},       {"failsafe", CALLBACKTYPE_failsafe, 0},
        {"syscall", CALLBACKTYPE_syscall, 0},   {"sysenter", CALLBACKTYPE_sysenter, 0},
        {"syscall32", CALLBACKTYPE_syscall32, 0}, {"nmi", CALLBACKTYPE_nmi, 0},
        {"type-3", 3, -XEN_ENOSYS},             {"type-6", 6, -XEN_ENOSYS},
        {"type-8", 8, -XEN_ENOSYS},             {"type-max", 0xffff, -XEN_ENOSYS},
    };

    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        test(t[i].name, "register of type %u answers %ld", t[i].type, t[i].want);
        equal("result", reg(t[i].type, 0, (u64)trap_entry_failsafe), t[i].want);
    }
    for (u32 i = 0; i < 6; i++) {
        static char names[6][24];

        print_to(names[i], sizeof names[i], "canonical-%s", t[i].name);
        test(names[i], "an address that is not canonical: -EINVAL");
        equal("result", reg(t[i].type, 0, VA_NONCANONICAL), -XEN_EINVAL);
    }
    trap_install();
}

static void unregister(void)
{
    test("unregister-event", "an event callback cannot be taken back: -EINVAL");
    equal("result", unreg(CALLBACKTYPE_event), -XEN_EINVAL);
    test("unregister-failsafe", "nor a failsafe callback: -EINVAL");
    equal("result", unreg(CALLBACKTYPE_failsafe), -XEN_EINVAL);
    test("unregister-syscall", "nor a syscall callback: -EINVAL");
    equal("result", unreg(CALLBACKTYPE_syscall), -XEN_EINVAL);
    test("unregister-sysenter", "nor a sysenter callback: -EINVAL");
    equal("result", unreg(CALLBACKTYPE_sysenter), -XEN_EINVAL);
    test("unregister-nmi", "an NMI callback can be taken back");
    equal("register", reg(CALLBACKTYPE_nmi, 0, trap_stub(TRAP_NMI)), 0);
    equal("unregister", unreg(CALLBACKTYPE_nmi), 0);
    test("unregister-unknown", "an unknown type: -ENOSYS");
    equal("result", unreg(9), -XEN_ENOSYS);
    test("fault", "an unreadable argument: -EFAULT");
    equal("register", hypercall_callback_op(CALLBACKOP_register, (void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("unregister", hypercall_callback_op(CALLBACKOP_unregister, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("unknown-op", "an unknown operation: -ENOSYS");
    struct callback_register r = {0};
    equal("result", hypercall_callback_op(2, &r), -XEN_ENOSYS);
    equal("result", hypercall_callback_op(~0u, &r), -XEN_ENOSYS);
}

static void old_call(void)
{
    test("set-callbacks", "set_callbacks answers 0");
    equal("result", hypercall_set_callbacks((u64)trap_entry_event, (u64)trap_entry_failsafe,
                                            (u64)trap_entry_syscall), 0);
    test("set-callbacks-bad", "set_callbacks answers 0 even to addresses that are not canonical, or -EINVAL");
    long result = hypercall_set_callbacks(VA_NONCANONICAL, VA_NONCANONICAL, VA_NONCANONICAL);
    trap_install();
    equal("result", result, 0);
    test("syscall-none", "without a syscall callback SYSCALL in user mode is #UD at the instruction");
    user_init();
    reg(CALLBACKTYPE_syscall, 0, 0);
    u32 vector = user_call(do_syscall, 0x123456);
    equal("vector", vector, TRAP_UD);
    equal("opcode", *(u16 *)trap_last.frame.rip, 0x050f);
    trap_install();
}

static void nmi(void)
{
    struct xennmi_callback callback = {.handler_address = trap_stub(TRAP_NMI), .pad = 0};
    struct callback_register r = {.type = CALLBACKTYPE_nmi, .address = trap_stub(TRAP_NMI)};

    trap_set_handler(TRAP_NMI, on_nmi);
    test("nmi-op-register", "nmi_op register answers 0");
    equal("result", hypercall_nmi_op(XENNMI_register_callback, &callback), 0);
    test("nmi-op-unregister", "nmi_op unregister answers 0");
    equal("result", hypercall_nmi_op(XENNMI_unregister_callback, NULL), 0);
    test("nmi-op-unknown", "an unknown nmi_op: -ENOSYS");
    equal("result", hypercall_nmi_op(2, &callback), -XEN_ENOSYS);
    test("nmi-op-fault", "an unreadable nmi_op argument: -EFAULT");
    equal("result", hypercall_nmi_op(XENNMI_register_callback, (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("nmi-op-noncanonical", "an nmi_op address that is not canonical: -EINVAL");
    callback.handler_address = VA_NONCANONICAL;
    equal("result", hypercall_nmi_op(XENNMI_register_callback, &callback), -XEN_EINVAL);
    test("nmi-delivery", "VCPUOP_send_nmi enters the NMI callback, also with upcalls masked");
    hypercall_callback_op(CALLBACKOP_register, &r);
    event_disable();
    nmis = 0;
    equal("result", hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    vcpu_yield();
    equal("count", nmis, 1);
    test("nmi-blocked", "between an NMI and the iret no other one comes; it comes after");
    nmis = 0;
    equal("first", hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    equal("second", hypercall_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0);
    vcpu_yield();
    equal("count", nmis, 2);
}

void guest_main(void)
{
    report_start("callbacks");
    types();
    unregister();
    old_call();
    nmi();
    report_end();
}

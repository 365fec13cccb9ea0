/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second vCPU: bringing it up, what each vCPU has for itself, taking it down and up again.
 */
#include "guests/conform/second.h"
#include "guests/lib/clock.h"

static long op(u32 cmd, void *arg)
{
    return hypercall_vcpu_op(cmd, 1, arg);
}

static u32 state_of(u32 vcpu)
{
    vcpu_runstate_info_t info = {.state = 77};

    hypercall_vcpu_op(VCPUOP_get_runstate_info, vcpu, &info);
    return (u32)info.state;
}

static void refused(void)
{
    struct vcpu_guest_context *c = second_context();
    u64 root = c->ctrlreg[3];

    test("is-down", "a vCPU nobody has set up is down: 0");
    equal("result", op(VCPUOP_is_up, NULL), 0);
    test("up-early", "it cannot be brought up: -EINVAL");
    equal("result", op(VCPUOP_up, NULL), -XEN_EINVAL);
    test("down-early", "taking it down does nothing: 0");
    equal("result", op(VCPUOP_down, NULL), 0);
    test("runstate-early", "its runstate is offline");
    equal("state", state_of(1), RUNSTATE_offline);
    test("initialise-root", "initialise with a root that is beyond memory, or no L4 table: -EINVAL");
    c->ctrlreg[3] = MFN_BEYOND << PAGE_SHIFT;
    equal("beyond", op(VCPUOP_initialise, c), -XEN_EINVAL);
    c->ctrlreg[3] = (u64)memory_virt_to_mfn(page_alloc()) << PAGE_SHIFT;
    equal("writable page", op(VCPUOP_initialise, c), -XEN_EINVAL);
    c->ctrlreg[3] = root;
    test("initialise-gdt", "with a GDT frame that cannot be one, or too many entries: -EINVAL");
    c->gdt_ents = 8;
    c->gdt_frames[0] = memory_virt_to_mfn(page_alloc());
    equal("writable page", op(VCPUOP_initialise, c), -XEN_EINVAL);
    c->gdt_ents = 8000;
    equal("entries", op(VCPUOP_initialise, c), -XEN_EINVAL);
    c->gdt_ents = 0;
    test("initialise-user-root", "with a user root that is no L4 table: -EINVAL");
    c->ctrlreg[1] = (u64)memory_virt_to_mfn(page_alloc()) << PAGE_SHIFT;
    equal("writable page", op(VCPUOP_initialise, c), -XEN_EINVAL);
    test("initialise-after", "after all that it is not initialised: up is -EINVAL");
    equal("result", op(VCPUOP_up, NULL), -XEN_EINVAL);
}

static void bring_up(void)
{
    struct vcpu_guest_context *c = second_context();

    c->user_regs.rax = 0xa1;
    c->user_regs.rbx = 0xb1;
    c->user_regs.rcx = 0xc1;
    c->user_regs.rdx = 0xd1;
    c->user_regs.rsi = 0x51;
    c->user_regs.rdi = 0xd2;
    c->user_regs.rbp = 0xb2;
    c->user_regs.r8 = 0x81;
    c->user_regs.r11 = 0x111;
    c->user_regs.r15 = 0x151;
    c->user_regs.rflags = 0x2d7;
    c->fs_base = 0x12345000;
    c->gs_base_kernel = 0x23456000;
    c->gs_base_user = 0x34567000;
    c->debugreg[0] = 0x400000;
    c->debugreg[7] = 0x400;
    test("initialise", "initialise with a good context: 0; it stays down");
    equal("result", op(VCPUOP_initialise, c), 0);
    equal("is_up", op(VCPUOP_is_up, NULL), 0);
    test("initialise-again", "once more: -EEXIST");
    equal("result", op(VCPUOP_initialise, c), -XEN_EEXIST);
    test("info-other", "register_vcpu_info for another vCPU that is down: 0");
    struct vcpu_register_vcpu_info reg = {.mfn = MFN_BEYOND};
    equal("beyond", op(VCPUOP_register_vcpu_info, &reg), -XEN_EINVAL);
    test("masked", "its upcalls are masked");
    equal("mask", shared_info->vcpu_info[1].evtchn_upcall_mask, 1);
    test("up", "up: 0, and it runs");
    equal("result", op(VCPUOP_up, NULL), 0);
    equal("is_up", op(VCPUOP_is_up, NULL), 1);
    holds("alive", second_alive());
    test("up-again", "up of a vCPU that is up: 0");
    equal("result", op(VCPUOP_up, NULL), 0);
    test("registers", "it starts with the registers of the context");
    equal("rax", second_registers.rax, 0xa1);
    equal("rbx", second_registers.rbx, 0xb1);
    equal("rcx", second_registers.rcx, 0xc1);
    equal("rdx", second_registers.rdx, 0xd1);
    equal("rsi", second_registers.rsi, 0x51);
    equal("rdi", second_registers.rdi, 0xd2);
    equal("rbp", second_registers.rbp, 0xb2);
    equal("rsp", second_registers.rsp, (u64)second_stack + SECOND_STACK_BYTES);
    equal("r8", second_registers.r8, 0x81);
    equal("r11", second_registers.r11, 0x111);
    equal("r15", second_registers.r15, 0x151);
    test("flags", "its flags are those of the context, with IF");
    equal("flags", second_registers.rflags & 0x3ad5, 0x2d5);
    test("selectors", "CS and SS are the flat ones, with RPL 3; the others null");
    equal("cs", second_registers.cs, FLAT_KERNEL_CS);
    equal("ss", second_registers.ss, FLAT_KERNEL_SS);
    equal("ds", second_registers.ds, 0);
    equal("gs", second_registers.gs, 0);
}

static u64 read_msr(u64 msr)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((u32)msr));
    return (u64)high << 32 | low;
}

static u64 get_debugreg(u64 n)
{
    return (u64)hypercall_get_debugreg(n);
}

static u64 set_fs(u64 base)
{
    return (u64)hypercall_set_segment_base(SEGBASE_FS, base);
}

static u64 read_cr0(u64 unused)
{
    (void)unused;
    __asm__ volatile("movq %%cr0, %0" : "=r"(unused));
    return unused;
}

static u64 task_switch(u64 set)
{
    return (u64)hypercall_fpu_taskswitch(set);
}

static u64 set_dr1(u64 value)
{
    return (u64)hypercall_set_debugreg(1, value);
}

static u64 ud2(u64 unused)
{
    __asm__ volatile("ud2");
    return unused;
}

static u64 try_ud2(u64 unused)
{
    (void)unused;
    return trap_try(ud2, 0);
}

static u64 set_table(u64 table)
{
    return (u64)hypercall_set_trap_table((const struct trap_info *)table);
}

static u64 set_iopl(u64 level)
{
    struct physdev_set_iopl iopl = {.iopl = (u32)level};

    return (u64)hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
}

static u64 in_port(u64 port)
{
    u8 value = 0;

    return TRAP_INSN("inb %%dx, %%al", ("=a"(value)), ("d"((u16)port)));
}

static u64 mask_of(u64 unused)
{
    (void)unused;
    return vcpu_info()->evtchn_upcall_mask;
}

/* What a vCPU has for itself. */
static void own(void)
{
    test("bases", "FS and GS bases are those of the context");
    equal("fs", second_run(read_msr, 0xc0000100), 0x12345000);
    equal("gs kernel", second_run(read_msr, 0xc0000101), 0x23456000);
    equal("gs user", second_run(read_msr, 0xc0000102), 0x34567000);
    test("own-bases", "and its own");
    equal("set", second_run(set_fs, 0x55555000), 0);
    hypercall_set_segment_base(SEGBASE_FS, 0x66666000);
    equal("there", second_run(read_msr, 0xc0000100), 0x55555000);
    equal("here", read_msr(0xc0000100), 0x66666000);
    test("own-debugregs", "debug registers are those of the context, and its own");
    equal("dr0", second_run(get_debugreg, 0), 0x400000);
    equal("set", second_run(set_dr1, 0x500000), 0);
    equal("there", second_run(get_debugreg, 1), 0x500000);
    equal("here", hypercall_get_debugreg(1), 0);
    test("own-ts", "CR0.TS is its own");
    equal("set", second_run(task_switch, 1), 0);
    equal("there", second_run(read_cr0, 0) & 8, 8);
    equal("here", read_cr0(0) & 8, 0);
    equal("clear", second_run(task_switch, 0), 0);
    test("own-traps", "its trap table is its own: that of the context");
    struct trap_info table[2] = {{.vector = TRAP_UD, .cs = FLAT_KERNEL_CS, .address = trap_stub(0x91)}};
    equal("there", second_run(try_ud2, 0), TRAP_UD);
    equal("set", second_run(set_table, (u64)table), 0);
    equal("there", second_run(try_ud2, 0), 0x91);
    equal("here", trap_try(ud2, 0), TRAP_UD);
    test("own-iopl", "the I/O privilege level is its own");
    equal("set", second_run(set_iopl, 1), 0);
    equal("there", second_run(in_port, 0x61), TRAP_NONE);
    equal("here", in_port(0x61), TRAP_GP);
    second_run(set_iopl, 0);
    test("own-mask", "its upcall mask is its own");
    event_enable();
    equal("there", second_run(mask_of, 0), 1);
    equal("here", mask_of(0), 0);
    event_disable();
    test("runstate", "a vCPU that waits for the processor is runnable");
    u32 state = state_of(1);
    equal("state", state, RUNSTATE_runnable);
    test("timer-other", "the timers of another vCPU cannot be set: -EINVAL");
    struct vcpu_set_singleshot_timer one = {.timeout_abs_ns = clock_system_ns() + 1000000};
    struct vcpu_set_periodic_timer many = {.period_ns = 10000000};
    equal("single", op(VCPUOP_set_singleshot_timer, &one), -XEN_EINVAL);
    equal("stop", op(VCPUOP_stop_singleshot_timer, NULL), -XEN_EINVAL);
    test("timer-periodic-other", "but for the periodic one: 0");
    equal("set", op(VCPUOP_set_periodic_timer, &many), 0);
    equal("stop", op(VCPUOP_stop_periodic_timer, NULL), 0);
    test("info-running", "register_vcpu_info for another vCPU that is up: -EINVAL");
    struct vcpu_register_vcpu_info reg = {.mfn = memory_virt_to_mfn(page_alloc())};
    equal("result", op(VCPUOP_register_vcpu_info, &reg), -XEN_EINVAL);
}

static volatile u64 counter;

static u64 count_up(u64 end)
{
    while (counter < end) {
        counter++;
        vcpu_yield();
    }
    return counter;
}

static u64 go_down(u64 unused)
{
    (void)unused;
    return (u64)hypercall_vcpu_op(VCPUOP_down, 1, NULL);
}

static u64 block(u64 unused)
{
    (void)unused;
    hypercall_sched_op(SCHEDOP_block, NULL);
    event_disable();
    return 1;
}

static void some_yields(void)
{
    for (u32 i = 0; i < 50; i++)
        vcpu_yield();
}

static void down_and_up(void)
{
    counter = 0;
    test("down", "a running vCPU that is taken down stops at once");
    second_start(count_up, 1000);
    some_yields();
    holds("it counts", counter > 0);
    equal("down", op(VCPUOP_down, NULL), 0);
    u64 before = counter;
    some_yields();
    equal("counter", counter, before);
    equal("is_up", op(VCPUOP_is_up, NULL), 0);
    equal("state", state_of(1), RUNSTATE_offline);
    test("down-again", "down of a vCPU that is down: 0");
    equal("result", op(VCPUOP_down, NULL), 0);
    test("down-up", "up again it goes on where it was");
    equal("up", op(VCPUOP_up, NULL), 0);
    for (u32 i = 0; i < 5000 && !second_done(); i++)
        vcpu_yield();
    holds("done", second_done());
    equal("counter", counter, 1000);
    test("down-self", "a vCPU can take itself down, and goes on after the call when it is up");
    second_start(go_down, 0);
    some_yields();
    holds("not done", !second_done());
    equal("is_up", op(VCPUOP_is_up, NULL), 0);
    equal("up", op(VCPUOP_up, NULL), 0);
    some_yields();
    holds("done", second_done());
    equal("result", second_result, 0);
    test("down-blocked", "a vCPU that sleeps and is taken down and up still sleeps");
    second_start(block, 0);
    some_yields();
    equal("state", state_of(1), RUNSTATE_blocked);
    equal("down", op(VCPUOP_down, NULL), 0);
    equal("state when down", state_of(1), RUNSTATE_blocked);
    equal("up", op(VCPUOP_up, NULL), 0);
    some_yields();
    holds("not done", !second_done());
    equal("state when up", state_of(1), RUNSTATE_blocked);
    test("down-event", "an event while it is down is there when it comes up");
    u32 port = (u32)event_bind_ipi(1);
    event_unmask(port);
    equal("down", op(VCPUOP_down, NULL), 0);
    equal("send", event_send(port), 0);
    equal("awake, but down", state_of(1), RUNSTATE_offline);
    some_yields();
    holds("not done", !second_done());
    equal("up", op(VCPUOP_up, NULL), 0);
    some_yields();
    holds("done", second_done());
}

static u64 install(u64 unused)
{
    trap_install();
    return unused;
}

static volatile u32 nmis;

static bool on_nmi(struct trap_frame *frame)
{
    (void)frame;
    nmis++;
    return true;
}

static u64 wait_nmi(u64 unused)
{
    for (u32 i = 0; i < 50 && !nmis; i++)
        vcpu_yield();
    return unused;
}

static void other(void)
{
    second_run(install, 0);
    trap_set_handler(TRAP_NMI, on_nmi);
    test("nmi", "send_nmi to another vCPU: it takes the NMI, with upcalls masked as well");
    equal("send", op(VCPUOP_send_nmi, NULL), 0);
    equal("not here", nmis, 0);
    second_run(wait_nmi, 0);
    equal("there", nmis, 1);
    test("nmi-wakes", "an NMI wakes a vCPU that sleeps, without any event");
    second_start(block, 0);
    some_yields();
    equal("asleep", state_of(1), RUNSTATE_blocked);
    equal("send", op(VCPUOP_send_nmi, NULL), 0);
    some_yields();
    holds("awake", second_done());
    equal("there", nmis, 2);
    test("none", "a third vCPU does not exist: -ENOENT");
    equal("is_up", hypercall_vcpu_op(VCPUOP_is_up, 2, NULL), -XEN_ENOENT);
    equal("initialise", hypercall_vcpu_op(VCPUOP_initialise, 2, NULL), -XEN_ENOENT);
}

static volatile u64 busy_until_ns;

static void be_busy(u64 end_ns)
{
    while (clock_system_ns() < end_ns)
        counter++;
}

static u64 sleep_and_be_busy(u64 arg)
{
    block(arg);
    be_busy(busy_until_ns);
    return 1;
}

#define ALONE_NS    40000000ul
#define TOGETHER_NS 40000000ul

/*
 * While one vCPU runs alone nobody needs to look at the shares.  The one that wakes up then has slept for
 * longer than anybody has noticed, and must not be given for it what the other has had.
 */
static void shares(void)
{
    u32 port = (u32)event_bind_ipi(1);
    u64 end, last, now, longest = 0;

    test("shares", "who wakes up after a long sleep shares with who ran meanwhile: neither waits for long");
    event_unmask(port);
    second_start(sleep_and_be_busy, 0);
    some_yields();
    be_busy(clock_system_ns() + ALONE_NS);
    last = clock_system_ns();
    end = busy_until_ns = last + TOGETHER_NS;
    equal("send", event_send(port), 0);
    for (; last < end; last = now) {
        now = clock_system_ns();
        longest = now - last > longest ? now - last : longest;
    }
    holds("the other ran too", longest > TOGETHER_NS / 100);
    holds("it waited for less than two thirds of the time", longest < TOGETHER_NS * 2 / 3);
    second_wait(100);
    event_close(port);
}

void guest_main(void)
{
    report_start("smp-vcpu");
    refused();
    bring_up();
    if (second_alive()) {
        own();
        down_and_up();
        other();
        shares();
    }
    report_end();
}

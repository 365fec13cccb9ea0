/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpu_op, sched_op, set_timer_op: who runs, who waits, and for how long.
 *
 * Left out of a domain that is to survive: its end (shutdown, the last vCPU down, a watchdog that bites);
 * waiting without a timer that ends it; another place for vcpu_info of a vCPU that runs, because this
 * runtime looks for it in shared_info.  vCPUs from fuzz.vcpus on exist but run nothing: they are for
 * playing.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/clock.h"
#include "guests/lib/event.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/trap.h"

/* ---- waiting ---- */

/* So that a wait ends: VIRQ_TIMER, whose port is kept, is not masked, and the timer runs. */
static void arm(struct fuzz_cpu *cpu)
{
    event_unmask(cpu->timer_port);
    hypercall_set_timer_op(clock_system_ns() + 1000 + fuzz_below(cpu, 50000));
}

static bool gen_block(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    arm(cpu);
    call->alone = true; /* what comes before it could take the timer away */
    fuzz_call_set(call, __HYPERVISOR_sched_op, SCHEDOP_block, SCHEDOP_block, 0, 0);
    if (fuzz_one_in(cpu, 4))
        fuzz_call_set(call, __HYPERVISOR_sched_op_compat, SCHEDOP_block, SCHEDOP_block, 0, 0);
    return true;
}

static bool gen_poll(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct sched_poll *poll = fuzz_buffer(cpu, sizeof *poll);
    u32 n = fuzz_one_in(cpu, 8) ? (u32)fuzz_below(cpu, 130) : (u32)fuzz_below(cpu, 4);
    u32 *ports = fuzz_buffer(cpu, n * sizeof *ports);

    for (u32 i = 0; i < n; i++)
        ports[i] = fuzz_one_in(cpu, 30) ? (u32)fuzz_random(cpu) : 1 + (u32)fuzz_below(cpu, 40);
    poll->ports.p = (void *)fuzz_pointer(cpu, ports);
    poll->nr_ports = fuzz_one_in(cpu, 30) ? (u32)fuzz_random(cpu) | 128 : n;
    poll->timeout = clock_system_ns() + 500 + fuzz_below(cpu, 20000);
    call->alone = fuzz_one_in(cpu, 2);
    fuzz_call_set(call, __HYPERVISOR_sched_op, SCHEDOP_poll, SCHEDOP_poll, (u64)poll, 0);
    return true;
}

static bool gen_yield(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    fuzz_call_set(call, __HYPERVISOR_sched_op, SCHEDOP_yield, SCHEDOP_yield, 0, 0);
    if (fuzz_one_in(cpu, 4))
        fuzz_call_set(call, __HYPERVISOR_sched_op_compat, SCHEDOP_yield, SCHEDOP_yield, 0, 0);
    return true;
}

/* ---- ends ---- */

static bool gen_shutdown(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 *arg = fuzz_buffer(cpu, 16);
    u32 command = fuzz_one_in(cpu, 2) ? SCHEDOP_shutdown_code : SCHEDOP_remote_shutdown;

    arg[0] = (u32)fuzz_below(cpu, 7);
    if (command == SCHEDOP_remote_shutdown) {
        sched_remote_shutdown_t *remote = (void *)arg;

        remote->domain_id = !fuzz.dom0 ? fuzz_domid(cpu) : fuzz_one_in(cpu, 8) ? fuzz.victim : DOMID_INVALID;
        remote->reason = (u32)fuzz_below(cpu, 7);
        call->whole = !fuzz.reckless; /* what it names must end, and nobody else */
    } else if (fuzz.reckless && fuzz_one_in(cpu, 16)) {
        command = SCHEDOP_shutdown;
    } else if (!fuzz.reckless) { /* the code stays when the domain ends well */
        arg[0] = SHUTDOWN_poweroff;
    }
    fuzz_call_set(call, __HYPERVISOR_sched_op, command, command, (u64)arg, 0);
    return true;
}

static bool gen_watchdog(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    sched_watchdog_t *dog = fuzz_buffer(cpu, sizeof *dog);

    dog->id = fuzz_one_in(cpu, 8) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, 3);
    dog->timeout = fuzz_one_in(cpu, 2) ? 0 : (u32)fuzz_random(cpu) | 0x10000;
    if (fuzz.reckless && fuzz_one_in(cpu, 16))
        dog->timeout = 1;
    fuzz_call_set(call, __HYPERVISOR_sched_op, SCHEDOP_watchdog, SCHEDOP_watchdog, (u64)dog, 0);
    return true;
}

static bool gen_pin_override(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    sched_pin_override_t *pin = fuzz_buffer(cpu, sizeof *pin);

    pin->pcpu = (int32_t)fuzz_below(cpu, 4) - 2;
    fuzz_call_set(call, __HYPERVISOR_sched_op, SCHEDOP_pin_override, SCHEDOP_pin_override, (u64)pin, 0);
    return true;
}

/* ---- timers ---- */

static u64 some_time(struct fuzz_cpu *cpu)
{
    switch (fuzz_below(cpu, 8)) {
    case 0:
        return fuzz_random(cpu);
    case 1:
        return 0;
    case 2:
        return fuzz_below(cpu, 1000); /* long ago */
    case 3: case 4:
        return clock_system_ns() + fuzz_below(cpu, 100000000); /* a domain may be destroyed meanwhile */
    }
    return clock_system_ns() + fuzz_below(cpu, 100000);
}

static bool gen_timer(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    fuzz_call_set(call, __HYPERVISOR_set_timer_op, 0, some_time(cpu), 0, 0);
    return true;
}

static bool gen_single_shot(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    vcpu_set_singleshot_timer_t *timer = fuzz_buffer(cpu, sizeof *timer);
    u32 command = fuzz_one_in(cpu, 4) ? VCPUOP_stop_singleshot_timer : VCPUOP_set_singleshot_timer;

    timer->timeout_abs_ns = some_time(cpu);
    timer->flags = (u32)fuzz_below(cpu, 3);
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, command, command,
                  fuzz_one_in(cpu, 6) ? fuzz_below(cpu, 5) : cpu->number, (u64)timer);
    return true;
}

static bool gen_periodic(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    vcpu_set_periodic_timer_t *timer = fuzz_buffer(cpu, sizeof *timer);
    u32 command = fuzz_one_in(cpu, 2) ? VCPUOP_stop_periodic_timer : VCPUOP_set_periodic_timer;

    timer->period_ns = fuzz_one_in(cpu, 4) ? fuzz_random(cpu) >> fuzz_below(cpu, 64) : 1000000 + fuzz_below(cpu, 1000000);
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, command, command, fuzz_below(cpu, fuzz.vcpus + 1), (u64)timer);
    return true;
}

/* ---- vCPUs ---- */

static u32 some_vcpu(struct fuzz_cpu *cpu)
{
    return fuzz_one_in(cpu, 12) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, fuzz.vcpus + 2);
}

static bool gen_area(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u64 *area = fuzz_buffer(cpu, 16);
    u32 command = fuzz_one_in(cpu, 2) ? VCPUOP_register_runstate_memory_area : VCPUOP_register_vcpu_time_memory_area;

    /* Pages that nobody needs, or none: the hypervisor writes there whenever it likes. */
    *area = fuzz_one_in(cpu, 8) ? 0 : fuzz_address(cpu);
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, command, command, some_vcpu(cpu), (u64)area);
    return true;
}

static bool gen_info_place(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    vcpu_register_vcpu_info_t *info = fuzz_buffer(cpu, sizeof *info);

    info->mfn = fuzz_one_in(cpu, 3) ? fuzz_mfn(cpu) : FUZZ_PICK(cpu, fuzz.page_mfn);
    info->offset = (u32)(fuzz_one_in(cpu, 4) ? fuzz_below(cpu, 4200) : fuzz_below(cpu, 64) * 64);
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, VCPUOP_register_vcpu_info,
                  fuzz.reckless ? some_vcpu(cpu) : fuzz.vcpus + fuzz_below(cpu, 3), (u64)info);
    return true;
}

static bool gen_ask(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u8 commands[] = {VCPUOP_is_up, VCPUOP_get_runstate_info, VCPUOP_get_physid, VCPUOP_send_nmi};
    u32 command = fuzz_one_in(cpu, 20) ? (u32)fuzz_below(cpu, 64) : FUZZ_PICK(cpu, commands);
    u32 vcpu = some_vcpu(cpu);
    void *arg = fuzz_buffer(cpu, 64);

    if (command < 16 && command != VCPUOP_is_up && command != VCPUOP_get_runstate_info && command != VCPUOP_send_nmi &&
        command != VCPUOP_get_physid)
        command = VCPUOP_is_up; /* those have their own generators */
    if (command == VCPUOP_send_nmi && vcpu >= fuzz.vcpus && !fuzz.reckless)
        vcpu = 0; /* the others have no handler */
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, command, command, vcpu, (u64)arg);
    return true;
}

/* vCPU 0 stays; the other one goes and comes. */
static bool gen_up_down(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 command = fuzz_one_in(cpu, 3) ? VCPUOP_down : VCPUOP_up, vcpu = some_vcpu(cpu);

    if (command == VCPUOP_down && vcpu == 0 && !fuzz.reckless)
        vcpu = fuzz.vcpus;
    if (command == VCPUOP_down && vcpu == cpu->number)
        call->alone = true;
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, command, command, vcpu, 0);
    return true;
}

/* A vCPU that nobody misses comes up for this, and goes down again; so it does when anything comes to it. */
NORETURN static void play(void)
{
    for (;;)
        for (u32 i = 0; i < 2; i++)
            hypercall_vcpu_op(VCPUOP_down, fuzz.vcpus + i, NULL);
}

static bool gen_initialise(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    vcpu_guest_context_t *c = fuzz_buffer(cpu, sizeof *c);
    u32 vcpu = fuzz_one_in(cpu, 6) ? some_vcpu(cpu) : fuzz.vcpus + (u32)fuzz_below(cpu, 2);

    call->alone = true;
    c->flags = VGCF_in_kernel | (u32)fuzz_below(cpu, 2) * VGCF_online;
    c->user_regs.rip = (u64)play;
    c->event_callback_eip = c->failsafe_callback_eip = (u64)play;
    c->user_regs.rsp = (u64)fuzz.page[0] + PAGE_SIZE - 8;
    c->user_regs.rflags = fuzz_one_in(cpu, 3) ? fuzz_random(cpu) & ~0x100ul : 0x200;
    c->user_regs.cs = FLAT_KERNEL_CS;
    c->user_regs.ss = FLAT_KERNEL_SS;
    c->kernel_ss = FLAT_KERNEL_SS;
    c->kernel_sp = c->user_regs.rsp;
    c->ctrlreg[3] = fuzz.root_mfn[fuzz_below(cpu, 2)] << PAGE_SHIFT;
    if (vcpu < BOARD_CPUS + 2 && vcpu < XEN_LEGACY_MAX_VCPUS)
        shared_info->vcpu_info[vcpu].evtchn_upcall_mask = 1;
    switch (fuzz_below(cpu, 8)) { /* one thing wrong, or odd */
    case 0:
        c->ctrlreg[3] = fuzz_mfn(cpu) << PAGE_SHIFT;
        if (!fuzz.reckless) /* without the kernel it would end us: refused for this, when the root has been taken */
            c->gdt_ents = 9000;
        break;
    case 1:
        c->gdt_ents = (u32)fuzz_below(cpu, 8000);
        for (u32 i = 0; i < ARRAY_SIZE(c->gdt_frames); i++)
            c->gdt_frames[i] = fuzz_mfn(cpu);
        break;
    case 2:
        c->fs_base = fuzz_random(cpu);
        c->gs_base_user = fuzz_address(cpu);
        break;
    case 3:
        c->ldt_base = fuzz_address(cpu);
        c->ldt_ents = fuzz_below(cpu, 9000);
        break;
    case 4:
        for (u32 i = 0; i < 8; i++)
            c->debugreg[i] = i < 4 ? fuzz_address(cpu) : fuzz_random(cpu) & ~0xfful;
        break;
    case 5:
        c->ctrlreg[1] = fuzz_mfn(cpu) << PAGE_SHIFT;
        break;
    case 6:
        c->flags |= VGCF_I387_VALID;
        for (u32 i = 0; i < sizeof c->fpu_ctxt.x; i += 8)
            *(u64 *)&c->fpu_ctxt.x[i] = fuzz_random(cpu);
        break;
    }
    fuzz_call_set(call, __HYPERVISOR_vcpu_op, VCPUOP_initialise, VCPUOP_initialise, vcpu, (u64)c);
    return true;
}

fuzz_generator fuzz_gen_vcpus(struct fuzz_cpu *cpu)
{
    static const fuzz_generator generators[] = {
        gen_block,   gen_poll,     gen_poll, gen_yield, gen_yield,      gen_shutdown, gen_watchdog, gen_pin_override, gen_timer,
        gen_timer,   gen_single_shot, gen_single_shot, gen_periodic, gen_area, gen_area, gen_info_place, gen_ask, gen_ask,
        gen_up_down, gen_initialise};

    return FUZZ_PICK(cpu, generators);
}

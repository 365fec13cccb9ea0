/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interrupt at every instruction of a hypercall.
 *
 * A window is a piece of code, mostly one hypercall.  It is run again and again, and each time a timer
 * runs out one nanosecond later, which with the machine's default timing is one instruction: from before
 * its first instruction until behind its last.  What the interrupt brings is an attack on the very frames,
 * tables, grants and ports that the window works with, by
 *
 *   other    another vCPU, which is woken in the midst and runs at once, or
 *   nested   the event upcall of the same vCPU, which comes wherever the call stops to go on later.
 *
 * After each one everything is given back: what then is not free again has lost a reference, and the
 * test build of the hypervisor recounts all of them now and then.
 *
 *   T = start of the window, exact to the cycle (window_align)      the timer runs out at T + k
 *
 *        arm        T                                   end
 *   -----|----------|===========window==================|-------> cycles
 *                       ^ k = -MARGIN ... length + MARGIN
 *
 * Words on the command line:
 *
 *   only=NAME   one window (all)          budget=N   positions of a window and mode (160), 0: each one
 *   phase=N     the first position (0)    rounds=N   how often, each time with the attacks shifted by one (1)
 *   only-attack=N                         list       the windows and attacks
 *
 * It wants three vCPUs.
 */
#include "guests/hostile/window.h"

#define MARGIN 60
/* Enough for the other vCPU to get ready. */
#define LEAD_CYCLES 16000
/* Nothing here takes so long. */
#define PATIENCE_CYCLES 50000000ul
/* Positions between two recounts. */
#define RECOUNT_EVERY 64

/* ---- the interrupt ------------------------------------------------------------------------------------ */

/*
 * u64 window_align(u64 tsc) - comes back so many cycles after TSC = @tsc, always the same; 0: too late.
 */
u64 window_align(u64 tsc);
__asm__(".pushsection .text\n"
        "window_align:\n"
        "1:  rdtsc\n"
        "    shlq $32, %rdx\n"
        "    orq %rdx, %rax\n"
        "    movq %rdi, %rcx\n"
        "    subq %rax, %rcx\n"
        "    cmpq $120, %rcx\n"
        "    jg 1b\n"
        "    testq %rcx, %rcx\n"
        "    js 3f\n"
        "    leaq 2f(%rip), %rax\n"
        "    subq %rcx, %rax\n"
        "    jmp *%rax\n"
        "    .skip 128, 0x90\n"
        "2:  movl $1, %eax\n"
        "    ret\n"
        "3:  xorl %eax, %eax\n"
        "    ret\n"
        ".popsection\n");

static void attack_now(void)
{
    order.inside = !order.finished;
    window_attacks[order.attack].run();
    BARRIER();
    order.done = true;
}

static void on_timer(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    if (order.armed && !order.done)
        attack_now();
}

static u8 other_stack[STACK_SIZE] ALIGNED(16);

static u32 which_vcpu(void)
{
    u64 rsp = (u64)__builtin_frame_address(0);

    return rsp > (u64)other_stack && rsp <= (u64)other_stack + STACK_SIZE;
}

/* The other vCPU sleeps until it is given an order, then until the instant of it. */
NORETURN static void other_main(void)
{
    for (;;) {
        evtchn_port_t port = bell;
        sched_poll_t until_rung = {.nr_ports = 1}, until_due = {.nr_ports = 0};

        set_xen_guest_handle(until_rung.ports, &port);
        hypercall_sched_op(SCHEDOP_poll, &until_rung);
        event_clear(bell);
        if (!order.wanted) {
            world_restore_vcpu();
            order.tidy = true;
            continue;
        }
        order.wanted = false;
        until_due.timeout = order.deadline_ns;
        order.armed = true;
        hypercall_sched_op(SCHEDOP_poll, &until_due);
        attack_now();
    }
}

static void other_start(void)
{
    long port = event_bind_ipi(1), error;
    static vcpu_guest_context_t c;

    if (port < 0)
        panic("no port for the other vCPU: %ld", port);
    bell = (u32)port;
    vcpu_context(&c, (u64)other_main, 0, other_stack + STACK_SIZE, kernel_root);
    shared_info->vcpu_info[2].evtchn_upcall_mask = 1;
    error = vcpu_start(1, &c);
    if (error)
        panic("the other vCPU does not start: %ld", error);
    /* For the window: all is well but the user root. */
    context = c;
    context.ctrlreg[1] = MFN_BEYOND << PAGE_SHIFT;
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

enum mode { OTHER, NESTED };

struct walk {
    u64 length;    /* of the window, in cycles */
    u32 positions; /* done */
    u32 inside;    /* where the attack came before the window's end */
};

/*
 * The hypervisor rounds instants down to nanoseconds of its own, which are some millionths longer or
 * shorter than a cycle.  The rounding is always the same at the instants that this waits for.
 */
static void same_rounding(void)
{
    const volatile struct vcpu_time_info *time = &shared_info->vcpu_info[0].time;
    u32 fraction;

    do {
        u64 ticks = clock_tsc() - time->tsc_timestamp;

        ticks = time->tsc_shift < 0 ? ticks >> -time->tsc_shift : ticks << time->tsc_shift;
        fraction = (u32)(ticks * time->tsc_to_system_mul);
    } while (fraction - 0x40000000u > 0x20000000u);
}

/* One run of @w with the interrupt at T + @k.  False: it has to be done again. */
static bool run_at(const struct window *w, enum mode mode, s64 k, u32 attack, struct walk *walk)
{
    u64 start, now, ns;
    long result;
    bool aligned;

    w->prepare();
    order.attack = attack;
    order.k = k;
    order.wanted = order.armed = order.finished = order.inside = order.done = false;
    same_rounding();
    ns = clock_system_ns();
    now = clock_tsc();
    start = now + LEAD_CYCLES;
    order.deadline_ns = ns + (start + (u64)k - now);
    if (mode == OTHER) {
        order.wanted = true;
        event_send(bell);
    } else {
        hypercall_set_timer_op(order.deadline_ns);
        order.armed = true;
        event_enable();
    }
    aligned = window_align(start) && order.armed;
    result = w->run();
    order.finished = true;
    walk->length = clock_tsc() - start;
    while (!order.done)
        if (clock_tsc() - start > PATIENCE_CYCLES) {
            equal("the attacker comes", 0, 1);
            break;
        }
    event_disable();
    hypercall_set_timer_op(0);
    if (!window_fits(w, attack, result))
        told("answer of window %u", (u32)(w - windows), result, w->alone);
    if (aligned) {
        walk->positions++;
        walk->inside += order.inside;
    }
    world_restore();
    return aligned;
}

/* 512 instructions of one byte. */
void window_nops(void);
extern const u8 window_nops_end[];
__asm__(".pushsection .text\n"
        "window_nops: .skip 512, 0x90\n"
        "window_nops_end: ret\n"
        ".popsection\n");
static long run_nops(void)
{
    window_nops();
    return 0;
}

static u64 interrupted;
static void note_rip(struct trap_frame *frame, void (*handle)(struct trap_frame *frame))
{
    if (frame->vector == TRAP_EVENT)
        interrupted = frame->rip;
    handle(frame);
}

/* That it is so: where the guest itself is interrupted its RIP tells. */
static void exactness(void)
{
    static const struct window nops = {"exact", "", window_ready, run_nops, 0, {0}};
    struct walk walk = {0};
    u64 before = 0;
    u32 hit = 0;

    test("exact", "a nanosecond later is an instruction later: 300 in a row are each interrupted once");
    trap_around = note_rip;
    for (s64 k = 60; k < 360; k++) {
        for (u32 tries = 0; !run_at(&nops, NESTED, k, 0, &walk) && tries < 5; tries++)
            ;
        hit += interrupted >= (u64)window_nops && interrupted < (u64)window_nops_end;
        if (before)
            equal("distance of two", interrupted - before, 1);
        before = interrupted;
    }
    trap_around = NULL;
    equal("within the instructions", hit, 300);
}

static u32 total, total_inside;

static void walk_through(const struct window *w, enum mode mode, u32 round)
{
    u32 budget = (u32)runtime_option_number("budget", 160), phase = (u32)runtime_option_number("phase", 0), only = (u32)runtime_option_number("only-attack", ~0u), turn = round;
    struct walk walk = {0};
    u64 span, step;
    static char names[2][48]; /* of the open case, and of the one that is closed by it */
    static u32 which;
    char *name = names[which++ % 2];

    print_to(name, sizeof names[0], "%s-%s%s%u", w->name, mode == OTHER ? "other" : "nested", round ? "-" : "", round);
    if (!round)
        name[strlen(name) - 1] = '\0';
    test(name, "%s, wherever it is interrupted: its answer is right, and nothing is lost", w->hypothesis);
    /* Without an interrupt: how long it is. */
    for (u32 i = 0; i < 2; i++)
        run_at(w, mode, 1000000, 0, &walk);
    span = walk.length + 2 * MARGIN;
    step = budget && span > budget ? (span + budget - 1) / budget : 1;
    walk.positions = walk.inside = 0;
    for (u64 k = phase % step; k < span; k += step, turn++) {
        u32 attack = only == ~0u ? turn % window_attack_count : only;
        struct walk one = walk;
        u32 tries = 0;

        while (!run_at(w, mode, (s64)k - MARGIN, attack, &one) && ++tries < 5)
            ;
        walk.positions = one.positions;
        walk.inside = one.inside;
        if (turn % RECOUNT_EVERY == 0)
            equal("wrong counts in the books", (u64)recount(), 0);
    }
    equal("wrong counts in the books", (u64)recount(), 0);
    print("window|%s|%lu|%lu|%u|%u\n", name, walk.length, step, walk.positions, walk.inside);
    total += walk.positions;
    total_inside += walk.inside;
}

static void setup(void)
{
    u64 cr3;
    long port;

    audit_find();
    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    kernel_root = cr3 >> PAGE_SHIFT;
    runtime_vcpu = which_vcpu;
    user_init();
    if (grant_init(1))
        panic("no grant table");
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    other_start();
    port = event_bind_virq(VIRQ_TIMER, 0);
    event_set_handler((u32)port, on_timer, NULL);
    event_unmask((u32)port);
    world_make();
}

void guest_main(void)
{
    char only[32] = "";
    u32 rounds = (u32)runtime_option_number("rounds", 1);

    runtime_option("only", only, sizeof only);
    if (runtime_option("list", NULL, 0)) {
        for (u32 i = 0; i < window_count; i++)
            print("window %s: %s\n", windows[i].name, windows[i].hypothesis);
        for (u32 i = 0; i < window_attack_count; i++)
            print("attack %u: %s\n", i, window_attacks[i].name);
        return;
    }
    setup();
    report_start("window");
    test("start", "what the windows need can be set up");
    world_restore();
    equal("wrong counts in the books", (u64)recount(), 0);
    if (!*only)
        exactness();
    for (u32 i = 0; i < window_count; i++)
        if (!*only || !strcmp(only, windows[i].name))
            for (u32 round = 0; round < rounds; round++) {
                walk_through(&windows[i], OTHER, round);
                walk_through(&windows[i], NESTED, round);
            }
    report_end();
    print("windows: %u positions, the attack came inside %u of them%s\n", total, total_inside, audited ? ", audited" : "");
}

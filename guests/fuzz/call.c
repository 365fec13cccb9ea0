/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/string.h"

/* ---- counting ---- */

static u8 cap(u64 value) { return value > 255 ? 255 : (u8)value; }

static void count(struct board *board, u64 called, u32 how, bool good)
{
    u8 number = cap(called), command = cap(how);
    u32 i;

    for (i = 0; i < board->kinds && i < BOARD_KINDS; i++)
        if (board->kind[i].number == number && board->kind[i].command == command)
            break;
    if (i >= BOARD_KINDS) {
        board->more.made++;
        board->more.good += good;
        return;
    }
    if (i == board->kinds) {
        board->kind[i] = (struct board_kind){.number = number, .command = command};
        board->kinds++;
    }
    board->kind[i].made++;
    board->kind[i].good += good;
    /* Next time it is found sooner. */
    if (i) {
        struct board_kind before = board->kind[i - 1];

        board->kind[i - 1] = board->kind[i];
        board->kind[i] = before;
    }
}

static void learn(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    bool good = call->learn ? call->learn(cpu, call, result) : result >= 0;

    count(cpu->board, call->number, call->command, good);
}

void fuzz_count(struct fuzz_cpu *cpu, u32 number, u32 command, bool good)
{
    cpu->board->calls++;
    count(cpu->board, number, command, good);
}

/* ---- making ---- */

void fuzz_make(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    long result;

    if (call->quiet)
        event_disable();
    result = hypercall(call->number, call->arg[0], call->arg[1], call->arg[2], call->arg[3], call->arg[4]);
    cpu->board->calls++;
    learn(cpu, call, result);
    if (call->quiet)
        event_enable();
}

static void new_buffers(struct fuzz_cpu *cpu)
{
    /* Wherever a page ends, or against the end of what is mapped. */
    cpu->arena_used = 0;
    cpu->places = 0;
    cpu->arena_down = fuzz_one_in(cpu, 4);
    cpu->arena_start = cpu->arena_down ? 0 : (u32)fuzz_below(cpu, PAGE_SIZE / 8) * 8;
}

/* Buffers become unusable now and then, as a whole. */
static void spoil(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 i = (u32)fuzz_below(cpu, 3);

    if (!call->whole && fuzz_one_in(cpu, 50) && call->arg[i] - cpu->arena < FUZZ_ARENA_PAGES * PAGE_SIZE)
        call->arg[i] = fuzz_bad_pointer(cpu);
}

static bool think(struct fuzz_cpu *cpu, fuzz_generator generator, struct fuzz_call *call)
{
    memset(call, 0, sizeof *call);
    if (!generator(cpu, call))
        return false;
    spoil(cpu, call);
    return true;
}

static fuzz_generator choose(struct fuzz_cpu *cpu)
{
    typedef fuzz_generator (*family)(struct fuzz_cpu *cpu);
    static const family families[] = {
        fuzz_gen_tables, fuzz_gen_tables, fuzz_gen_tables, fuzz_gen_memory, fuzz_gen_grants, fuzz_gen_grants, fuzz_gen_grants,
        fuzz_gen_events, fuzz_gen_events, fuzz_gen_vcpus,  fuzz_gen_vcpus,  fuzz_gen_cpu,    fuzz_gen_misc};

    /* Others are refused by the first check. */
    if (fuzz_one_in(cpu, fuzz.dom0 ? 4 : 50))
        return fuzz_gen_control(cpu);
    return FUZZ_PICK(cpu, families)(cpu);
}

void fuzz_batch(struct fuzz_cpu *cpu, fuzz_generator (*choose_one)(struct fuzz_cpu *cpu))
{
    struct fuzz_call calls[FUZZ_BATCH], whole = {0};
    u32 n = 1 + (u32)fuzz_below(cpu, FUZZ_BATCH), made = 0;
    multicall_entry_t *list = fuzz_buffer(cpu, n * sizeof *list);
    bool quiet = false;

    for (u32 tries = 0; made < n && tries < 4 * n; tries++) {
        struct fuzz_call *c = &calls[made];
        u32 used = cpu->arena_used;

        if (!think(cpu, choose_one(cpu), c) || c->alone) {
            cpu->arena_used = used;
            continue;
        }
        quiet |= c->quiet;
        list[made].op = c->number;
        list[made].result = 0xdead;
        memcpy(list[made].args, c->arg, sizeof c->arg);
        made++;
    }
    fuzz_call_set(&whole, __HYPERVISOR_multicall, 0, (u64)list, made, 0);
    if (fuzz_one_in(cpu, 200)) { /* a list that is none */
        whole.arg[0] = fuzz_bad_pointer(cpu);
        fuzz_make(cpu, &whole);
        return;
    }
    if (quiet)
        event_disable();
    fuzz_make(cpu, &whole);
    for (u32 i = 0; i < made; i++) {
        cpu->board->batched++;
        learn(cpu, &calls[i], (long)list[i].result);
    }
    if (quiet)
        event_enable();
}

/* An interrupt soon, so that it comes in the middle of a call. */
static void interrupt_soon(struct fuzz_cpu *cpu)
{
    struct fuzz_call call = {0};

    fuzz_call_set(&call, __HYPERVISOR_set_timer_op, 0, clock_system_ns() + 100 + fuzz_below(cpu, 6000), 0, 0);
    fuzz_make(cpu, &call);
}

void fuzz_step(struct fuzz_cpu *cpu)
{
    struct fuzz_call call;

    new_buffers(cpu);
    if (fuzz_one_in(cpu, fuzz.reckless ? 24 : 4)) /* the reckless one ends with timers of all kinds */
        interrupt_soon(cpu);
    if (fuzz_one_in(cpu, 24))
        fuzz_use_ldt(cpu);
    if (fuzz_one_in(cpu, 100))
        fuzz_iret(cpu);
    else if (fuzz_one_in(cpu, 12))
        fuzz_batch(cpu, choose);
    else if (think(cpu, choose(cpu), &call))
        fuzz_make(cpu, &call);
}

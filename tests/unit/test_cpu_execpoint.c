/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Execution points on the real engine: a small program of 32-bit code on bare vCPUs, its expected
 * history written down by hand, with the points in all kinds of places.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "cpu/cpu.h"

enum {
    ENTRY = 0x1000,
    LOOP = 0x100a,  /* CALL: a block's only instruction */
    AFTER = 0x100f, /* where the CALL returns to */
    ADD = 0x1010,   /* inside the block that begins at AFTER */
    IN_PORT = 0x1015,
    REP = 0x1021,
    END = 0x1023,
    FUNCTION = 0x1100,
    STORE = 0x1101, /* inside the function's block */
    ROUNDS = 50,
};

/* ENTRY:    mov esp, 0x7000;  mov ecx, ROUNDS
 * LOOP:     call FUNCTION;  inc eax;  add ebx, eax;  dec ecx;  jnz LOOP
 * IN_PORT:  in al, 0x80;  mov edi, 0x8000;  mov ecx, 5;  REP: rep stosb;  END: hlt */
static const uint8_t program[] = {
    0xbc, 0x00, 0x70, 0x00, 0x00, 0xb9, ROUNDS, 0x00, 0x00, 0x00, 0xe8, 0xf1, 0x00, 0x00,
    0x00, 0x40, 0x01, 0xc3, 0x49, 0x75, 0xf5,   0xe4, 0x80, 0xbf, 0x00, 0x80, 0x00, 0x00,
    0xb9, 0x05, 0x00, 0x00, 0x00, 0xf3, 0xaa,   0xf4,
};
/* FUNCTION: push eax;  STORE: mov [0x9000], eax;  pop eax;  ret */
static const uint8_t function[] = {0x50, 0xa3, 0x00, 0x90, 0x00, 0x00, 0x58, 0xc3};

#define ROUND_INSNS 9 /* CALL, four of the function, INC, ADD, DEC, JNZ */

static uint32_t port_read(void *user, uint16_t port, unsigned size_bytes)
{
    (void)user, (void)port, (void)size_bytes;
    return 0x5a;
}
static void port_write(void *user, uint16_t port, unsigned size_bytes, uint32_t value)
{
    (void)user, (void)port, (void)size_bytes, (void)value;
}
static uint64_t mmio_read(void *user, unsigned vcpu, gpa_t pa, unsigned size_bytes)
{
    (void)user, (void)vcpu, (void)pa, (void)size_bytes;
    return 0;
}
static void mmio_write(void *user, unsigned vcpu, gpa_t pa, unsigned size_bytes, uint64_t value)
{
    (void)user, (void)vcpu, (void)pa, (void)size_bytes, (void)value;
}
static int intr_ack(void *user, unsigned vcpu)
{
    (void)user, (void)vcpu;
    return -1;
}
static uint8_t tpr_read(void *user, unsigned vcpu)
{
    (void)user, (void)vcpu;
    return 0;
}
static void tpr_write(void *user, unsigned vcpu, uint8_t value)
{
    (void)user, (void)vcpu, (void)value;
}
static bool msr_read(void *user, unsigned vcpu, uint32_t msr, uint64_t *value)
{
    (void)user, (void)vcpu, (void)msr, (void)value;
    return false;
}
static bool msr_write(void *user, unsigned vcpu, uint32_t msr, uint64_t value)
{
    (void)user, (void)vcpu, (void)msr, (void)value;
    return false;
}

static const struct cpu_bus bus = {.port_read = port_read,
                                   .port_write = port_write,
                                   .mmio_read = mmio_read,
                                   .mmio_write = mmio_write,
                                   .intr_ack = intr_ack,
                                   .tpr_read = tpr_read,
                                   .tpr_write = tpr_write,
                                   .msr_read = msr_read,
                                   .msr_write = msr_write};

struct hit {
    uint64_t va, insns, cycles, ebx;
    unsigned vcpu;
};

struct rig {
    struct mmu_ram *ram;
    struct cpu *cpu;
    struct hit hit[2000];
    unsigned hits;
    uint64_t add_at_hit, add_va; /* at that hit, add a point there */
    uint64_t remove_at_hit;      /* at that hit, remove the point that was hit */
    uint64_t stop_at_hit;
};

static void start(struct cpu *cpu)
{
    cpu_start_multiboot(cpu, ENTRY, 0, 0);
}

static void rig_open(struct rig *r, bool portable)
{
    struct cpu_config config = {.count = 2,
                                .model = cpu_model_names()[0],
                                .frequency_hz = 1000000000,
                                .portable = portable};
    g_autoptr(GError) error = NULL;

    memset(r, 0, sizeof(*r));
    r->add_at_hit = r->remove_at_hit = r->stop_at_hit = UINT64_MAX;
    r->ram = mmu_ram_new(1 << 20, &error);
    cr_assert_not_null(r->ram);
    cr_assert(mmu_ram_write(r->ram, GPA(ENTRY), program, sizeof(program)));
    cr_assert(mmu_ram_write(r->ram, GPA(FUNCTION), function, sizeof(function)));
    r->cpu = cpu_new(&config, r->ram, &bus, &error);
    cr_assert_not_null(r->cpu, "%s", error ? error->message : "");
    start(r->cpu);
}

static void rig_close(struct rig *r)
{
    cpu_free(r->cpu);
    mmu_ram_free(r->ram);
}

static void on_hit(void *user, const struct base_guest_view *view)
{
    struct rig *r = user;
    unsigned n = r->hits++;

    cr_assert_lt(n, ARRAY_LEN(r->hit));
    r->hit[n] = (struct hit){view->rip, view->insns, view->cycles, view->gpr[BASE_RBX], view->vcpu};
    cr_assert_eq(view->cpl, 0);
    if (n == r->add_at_hit)
        view->guest->add(view->guest->user, r->add_va, on_hit, r);
    if (n == r->remove_at_hit)
        view->guest->remove(view->guest->user, view->rip, on_hit, r);
    if (n == r->stop_at_hit)
        cpu_request_stop(r->cpu);
}

static void point(struct rig *r, uint64_t va)
{
    cpu_execpoint_add(r->cpu, va, on_hit, r);
}

static enum cpu_stop run(struct rig *r, uint64_t insns)
{
    return cpu_run(r->cpu, 0, CPU_CYCLES_NEVER - 1, insns);
}

static void run_to_end(struct rig *r)
{
    enum cpu_stop stop = run(r, UINT64_MAX);

    cr_assert_eq(stop, CPU_STOP_HALT, "stop %d: %s", stop, cpu_fault_text(r->cpu));
}

static void state_hash(struct rig *r, char text[BASE_HASH_TEXT])
{
    struct base_hash hash;
    struct base_state st;

    base_hash_init(&hash);
    base_state_init_hash(&st, &hash);
    cpu_state(r->cpu, &st);
    mmu_ram_state(r->ram, &st);
    base_hash_final(&hash, text);
}

/* Instructions before round number @n (from 0) of the loop. */
static uint64_t before_round(unsigned n)
{
    return 2 + (uint64_t)n * ROUND_INSNS;
}

static const uint64_t places[] = {ENTRY, LOOP, AFTER, ADD, IN_PORT, REP, END, FUNCTION, STORE};

static unsigned executions(uint64_t va)
{
    return va == ENTRY || va == IN_PORT || va == END ? 1 : va == REP ? 6 : ROUNDS;
}

/* Where in a round the place is; the others are not in the loop. */
static unsigned offset(uint64_t va)
{
    return va == LOOP ? 0 : va == FUNCTION ? 1 : va == STORE ? 2 : va == AFTER ? 5 : 6;
}

static void check_hits(const struct rig *r, uint64_t va)
{
    unsigned seen = 0;

    for (unsigned i = 0; i < r->hits; i++) {
        const struct hit *h = &r->hit[i];
        uint64_t insns = executions(va) == ROUNDS ? before_round(seen) + offset(va)
                         : va == ENTRY            ? 0
                         : va == IN_PORT          ? before_round(ROUNDS)
                         : va == REP              ? before_round(ROUNDS) + 3 + seen
                                                  : before_round(ROUNDS) + 3 + 6;

        if (h->va != va)
            continue;
        cr_assert_eq(h->insns, insns, "%#lx, time %u: %lu instructions, not %lu", va, seen,
                     h->insns, insns);
        cr_assert_eq(h->cycles, insns, "%#lx, time %u: %lu cycles, not %lu", va, seen, h->cycles,
                     insns);
        seen++;
    }
    cr_assert_eq(seen, executions(va), "%#lx was told %u times, not %u", va, seen,
                 executions(va));
}

/* With all points: the same end, and every execution told with the exact count. */
static void check_all(bool portable, uint64_t stop_every)
{
    char plain[BASE_HASH_TEXT], traced[BASE_HASH_TEXT];
    struct rig r;

    rig_open(&r, portable);
    run_to_end(&r);
    state_hash(&r, plain);
    rig_close(&r);

    rig_open(&r, portable);
    for (unsigned i = 0; i < ARRAY_LEN(places); i++)
        point(&r, places[i]);
    for (uint64_t at = stop_every; stop_every && run(&r, at) == CPU_STOP_INSNS; at += stop_every)
        ;
    run_to_end(&r);
    state_hash(&r, traced);
    cr_assert_str_eq(plain, traced);
    for (unsigned i = 0; i < ARRAY_LEN(places); i++)
        check_hits(&r, places[i]);
    rig_close(&r);
}

Test(cpu_execpoint, every_execution_is_told_and_nothing_changes)
{
    check_all(false, 0);
}

Test(cpu_execpoint, the_portable_mode_is_no_different)
{
    check_all(true, 0);
}

/* Stops at each instruction, at each third, ...: no execution is told twice or not at all. */
Test(cpu_execpoint, stops_change_nothing)
{
    for (uint64_t every = 1; every < 12; every++)
        check_all(false, every);
}

Test(cpu_execpoint, each_place_alone_is_told)
{
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        struct rig r;

        rig_open(&r, false);
        point(&r, places[i]);
        run_to_end(&r);
        cr_assert_eq(r.hits, executions(places[i]), "%#lx", places[i]);
        check_hits(&r, places[i]);
        rig_close(&r);
    }
}

/* Where the observed block has run many times, and inside the very block that is about to. */
Test(cpu_execpoint, points_can_be_added_while_running)
{
    struct rig r;

    rig_open(&r, false);
    point(&r, FUNCTION);
    r.add_at_hit = 10;
    r.add_va = STORE;
    run_to_end(&r);
    cr_assert_eq(r.hits, ROUNDS + ROUNDS - 10, "%u", r.hits);
    cr_assert_eq(r.hit[11].va, STORE);
    cr_assert_eq(r.hit[11].insns, r.hit[10].insns + 1);
    rig_close(&r);

    rig_open(&r, false);
    point(&r, FUNCTION);
    r.add_at_hit = 10;
    r.add_va = AFTER;
    run_to_end(&r);
    cr_assert_eq(r.hits, ROUNDS + ROUNDS - 10, "%u", r.hits);
    cr_assert_eq(r.hit[11].va, AFTER);
    cr_assert_eq(r.hit[11].insns, r.hit[10].insns + 4);
    rig_close(&r);
}

Test(cpu_execpoint, points_can_be_removed_while_running)
{
    struct rig r;

    rig_open(&r, false);
    point(&r, FUNCTION);
    r.remove_at_hit = 10;
    run_to_end(&r);
    cr_assert_eq(r.hits, 11);
    rig_close(&r);

    rig_open(&r, false);
    point(&r, FUNCTION);
    point(&r, AFTER);
    cr_assert_eq(run(&r, before_round(7)), CPU_STOP_INSNS);
    cpu_execpoint_remove(r.cpu, FUNCTION, on_hit, &r);
    cpu_execpoint_remove(r.cpu, STORE, on_hit, &r); /* never was there */
    run_to_end(&r);
    cr_assert_eq(r.hits, 7 + ROUNDS);
    rig_close(&r);
}

Test(cpu_execpoint, a_stop_that_is_asked_for_comes_before_the_instruction)
{
    static const uint64_t stops[] = {FUNCTION, STORE, IN_PORT, REP};

    for (unsigned i = 0; i < ARRAY_LEN(stops); i++) {
        struct cpu_regs regs;
        struct rig r;

        rig_open(&r, false);
        point(&r, stops[i]);
        r.stop_at_hit = 0;
        cr_assert_eq(run(&r, UINT64_MAX), CPU_STOP_REQUEST);
        cr_assert_eq(r.hits, 1);
        cr_assert_eq(cpu_insns(r.cpu), r.hit[0].insns);
        cpu_get_regs(r.cpu, 0, &regs);
        cr_assert_eq(regs.rip, stops[i]);
        run_to_end(&r);
        check_hits(&r, stops[i]);
        rig_close(&r);
    }
}

static void count_only(void *user, const struct base_guest_view *view)
{
    (void)view;
    ++*(unsigned *)user;
}

Test(cpu_execpoint, observers_of_one_address_do_not_see_each_other)
{
    unsigned a = 0, b = 0;
    struct rig r;

    rig_open(&r, false);
    cpu_execpoint_add(r.cpu, FUNCTION, count_only, &a);
    point(&r, FUNCTION);
    cpu_execpoint_add(r.cpu, FUNCTION, count_only, &b);
    cpu_execpoint_add(r.cpu, FUNCTION, count_only, &b); /* counts once */
    r.remove_at_hit = 20;
    run_to_end(&r);
    cr_assert_eq(a, ROUNDS);
    cr_assert_eq(b, ROUNDS);
    cr_assert_eq(r.hits, 21);
    rig_close(&r);
}

Test(cpu_execpoint, memory_can_be_looked_at)
{
    uint8_t bytes[8];
    struct rig r;
    const struct base_guest *g;

    rig_open(&r, false);
    g = cpu_guest(r.cpu);
    cr_assert_eq(g->read(g->user, FUNCTION, bytes, sizeof(bytes)), sizeof(bytes));
    cr_assert(memcmp(bytes, function, sizeof(bytes)) == 0);
    cr_assert_eq(g->read(g->user, (1 << 20) - 4, bytes, sizeof(bytes)), 4, "up to the end of RAM");
    cr_assert(g->read_physical(g->user, FUNCTION, bytes, sizeof(bytes)));
    cr_assert_not(g->read_physical(g->user, (1 << 20) - 4, bytes, sizeof(bytes)));
    rig_close(&r);
}

/* An instruction that faults is told again when it is tried again: not a retry of the simulator's. */
Test(cpu_execpoint, code_that_writes_itself_is_told_once)
{
    /* mov byte [0x1120], 5;  nop at 0x1107 ... the store hits the page that executes */
    static const uint8_t store[] = {0xc6, 0x05, 0x20, 0x11, 0x00, 0x00, 0x05, 0xc3};
    struct rig r;

    rig_open(&r, false);
    cr_assert(mmu_ram_write(r.ram, GPA(FUNCTION), store, sizeof(store)));
    point(&r, FUNCTION);
    point(&r, AFTER);
    run_to_end(&r);
    cr_assert_eq(r.hits, 2 * ROUNDS, "%u", r.hits);
    for (unsigned i = 0; i < r.hits; i++)
        cr_assert_eq(r.hit[i].va, i % 2 ? AFTER : FUNCTION);
    rig_close(&r);
}

Test(cpu_execpoint, two_vcpus_are_told_apart)
{
    struct rig r;
    unsigned of[2] = {0};

    rig_open(&r, false);
    cr_assert(mmu_ram_write(r.ram, GPA(0x2000), "\xeb\xfe", 2)); /* real mode: jmp $ */
    point(&r, FUNCTION);
    point(&r, 0x2000);
    cpu_raise_sipi(r.cpu, 1, 2);
    for (unsigned i = 1; i <= 10; i++) {
        cpu_run(r.cpu, 0, i * 30, UINT64_MAX);
        cpu_run(r.cpu, 1, i * 30, UINT64_MAX);
    }
    for (unsigned i = 0; i < r.hits; i++) {
        of[r.hit[i].vcpu]++;
        cr_assert_eq(r.hit[i].va, r.hit[i].vcpu ? 0x2000 : FUNCTION);
    }
    cr_assert_eq(of[1], 300, "%u", of[1]); /* each instruction of the second */
    cr_assert_eq(of[0], 33, "%u", of[0]);  /* rounds begun in 300 instructions */
    rig_close(&r);
}

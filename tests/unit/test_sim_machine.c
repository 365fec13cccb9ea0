/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole board with scripted CPUs. */
#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sim/machine.h"
#include "tests/unit/fake_cpu.h"
#include "tests/unit/kernel_images.h"

#define IOAPIC 0xfec00000u
#define LAPIC  0xfee00000u

struct rig {
    char *folder;
    char *kernel;
    struct sim_machine *m;
    GString *console;
    const char *typed; /* what input gives, a byte a time */
    unsigned polls;
    uint64_t last_poll_ns;
    unsigned ports_seen;
};

/* Far beyond what any test needs. */
static const struct sim_limits no_limit = {UINT64_MAX, 1000000000};

static void console(void *user, uint8_t byte)
{
    g_string_append_c(((struct rig *)user)->console, (char)byte);
}

static size_t poll(void *user, enum base_input_channel channel, uint64_t virtual_ns, uint8_t *buf,
                   size_t size_bytes)
{
    struct rig *r = user;

    cr_assert_eq(channel, BASE_INPUT_CONSOLE);
    cr_assert_geq(size_bytes, 1);
    r->polls++;
    r->last_poll_ns = virtual_ns;
    if (!*r->typed)
        return 0;
    *buf = (uint8_t)*r->typed++;
    return 1;
}

static struct base_input input = {.poll = poll};

static void rig_open(struct rig *r, unsigned cpus, const char *typed)
{
    struct image image = elf32();
    struct sim_attachments attach = {.console = console, .console_user = r};
    struct sim_config config = {
        .memory_bytes = 16 << 20,
        .cpus = cpus,
        .cpu_model = (char *)"fake",
        .cmdline = (char *)"",
        .modules = g_ptr_array_new(),
        .frequency_hz = 1000000000,
        .quantum_ns = 1000,
        .input_poll_ns = 1000000,
        .start_seconds = 1704067200,
    };
    g_autoptr(GError) error = NULL;

    memset(r, 0, sizeof(*r));
    r->console = g_string_new("");
    r->typed = typed;
    r->folder = g_dir_make_tmp("paravane-machine-XXXXXX", NULL);
    r->kernel = g_build_filename(r->folder, "kernel", NULL);
    cr_assert(g_file_set_contents(r->kernel, (char *)image.bytes, sizeof(image.bytes), NULL));
    config.kernel = r->kernel;
    if (typed) {
        input.user = r;
        attach.input = &input;
    }
    r->m = sim_machine_new(&config, &attach, &error);
    cr_assert_not_null(r->m, "%s", error ? error->message : "");
    g_ptr_array_free(config.modules, TRUE);
}

static void rig_close(struct rig *r)
{
    sim_machine_free(r->m);
    g_unlink(r->kernel);
    g_rmdir(r->folder);
    g_free(r->kernel);
    g_free(r->folder);
    g_string_free(r->console, TRUE);
}

static void script(struct rig *r, unsigned vcpu, const struct fake_op *ops, unsigned count)
{
    fake_cpu_script(sim_machine_cpu(r->m), vcpu, ops, count, sim_machine_cpu(r->m));
}

/* Operands of the calls: what = port or address, how = value. */
#define OP(what, how) ((uint64_t)(what) << 32 | (how))

static void outb(void *user, unsigned vcpu, uint64_t n)
{
    const struct cpu_bus *bus = fake_cpu_bus(user);

    (void)vcpu;
    bus->port_write(bus->user, (uint16_t)(n >> 32), 1, (uint32_t)n);
}

static void outw(void *user, unsigned vcpu, uint64_t n)
{
    const struct cpu_bus *bus = fake_cpu_bus(user);

    (void)vcpu;
    bus->port_write(bus->user, (uint16_t)(n >> 32), 2, (uint32_t)n);
}

static void outl(void *user, unsigned vcpu, uint64_t n)
{
    const struct cpu_bus *bus = fake_cpu_bus(user);

    (void)vcpu;
    bus->port_write(bus->user, (uint16_t)(n >> 32), 4, (uint32_t)n);
}

static void mov(void *user, unsigned vcpu, uint64_t n)
{
    const struct cpu_bus *bus = fake_cpu_bus(user);

    bus->mmio_write(bus->user, vcpu, GPA(n >> 32), 4, (uint32_t)n);
}

/* Echoes what the UART has received to the debug console. */
static void echo(void *user, unsigned vcpu, uint64_t n)
{
    const struct cpu_bus *bus = fake_cpu_bus(user);

    (void)vcpu;
    (void)n;
    while (bus->port_read(bus->user, 0x3fd, 1) & 1)
        bus->port_write(bus->user, 0xe9, 1, bus->port_read(bus->user, 0x3f8, 1));
}

static void eoi(void *user, unsigned vcpu, uint64_t n)
{
    mov(user, vcpu, OP(LAPIC + 0xb0, n));
}

#define CALL(f, what, how)                                                                         \
    {                                                                                              \
        .kind = FAKE_CALL, .call = f, .n = OP(what, how)                                           \
    }

static void ends_with(const struct fake_op *ops, unsigned count, enum sim_stop want)
{
    struct rig r;
    enum sim_stop got;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, count);
    got = sim_machine_run(r.m, &(struct sim_limits){1000, 1000000000});
    cr_assert_eq(got, want, "%s, not %s", sim_stop_name(got), sim_stop_name(want));
    rig_close(&r);
}

Test(sim_machine, exit_port_ends_the_run_with_its_value)
{
    static const struct fake_op ops[] = {{.kind = FAKE_RUN, .n = 9}, CALL(outl, 0xf4, 0x12345)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert_eq(sim_machine_exit_value(r.m), 0x12345);
    cr_assert_eq(sim_machine_insns(r.m), 10);
    rig_close(&r);
}

Test(sim_machine, every_end_has_its_stop_reason)
{
    static const struct fake_op off[] = {CALL(outw, 0x604, 5 << 10 | 1 << 13)},
                                reset[] = {CALL(outb, 0xcf9, 6)}, kbd[] = {CALL(outb, 0x64, 0xfe)},
                                halted[] = {{.kind = FAKE_HALT_DEAD}},
                                triple[] = {{.kind = FAKE_RESET}}, crash[] = {{.kind = FAKE_CRASH}};

    ends_with(off, 1, SIM_STOP_POWER_OFF);
    ends_with(reset, 1, SIM_STOP_RESET);
    ends_with(kbd, 1, SIM_STOP_RESET);
    ends_with(halted, 1, SIM_STOP_HALTED);
    ends_with(triple, 1, SIM_STOP_TRIPLE_FAULT);
    ends_with(crash, 1, SIM_STOP_CRASH);
    ends_with(off, 0, SIM_STOP_LIMIT);
}

Test(sim_machine, names_of_stops_are_those_of_the_summary)
{
    cr_assert_str_eq(sim_stop_name(SIM_STOP_LIMIT), "limit");
    cr_assert_str_eq(sim_stop_name(SIM_STOP_REQUEST), "request");
    cr_assert_str_eq(sim_stop_name(SIM_STOP_POWER_OFF), "power-off");
    cr_assert_str_eq(sim_stop_name(SIM_STOP_CRASH), "crash");
}

Test(sim_machine, console_bytes_come_out_in_order)
{
    static const struct fake_op ops[] = {CALL(outb, 0x3f8, 'a'), CALL(outb, 0xe9, 'b'),
                                         CALL(outb, 0x3f8, 'c'), CALL(outb, 0xf4, 0)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert_str_eq(r.console->str, "abc");
    rig_close(&r);
}

/* Counter 0 of the 8254 in mode 2 with count 1193: a tick at clock 1193, 999848 ns. */
#define PIT_TICKS CALL(outb, 0x43, 0x34), CALL(outb, 0x40, 1193 & 0xff), CALL(outb, 0x40, 1193 >> 8)

Test(sim_machine, pit_interrupts_through_the_8259_in_virtual_wire_mode)
{
    /* Setting the mode raises the output: that edge is waiting when IRQ 0 is unmasked. */
    static const struct fake_op ops[] = {PIT_TICKS,
                                         CALL(outb, 0x21, 0xfe),
                                         CALL(outb, 0x20, 0x20),
                                         {.kind = FAKE_HALT},
                                         CALL(outb, 0xf4, 0)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert(strstr(fake_cpu_log(sim_machine_cpu(r.m)), "=8 "), "%s",
              fake_cpu_log(sim_machine_cpu(r.m)));
    cr_assert_geq(sim_machine_virtual_ns(r.m), 999000);
    cr_assert_lt(sim_machine_virtual_ns(r.m), 1002000);
    rig_close(&r);
}

Test(sim_machine, pit_interrupts_through_io_apic_pin_2)
{
    static const struct fake_op ops[] = {
        PIT_TICKS,           CALL(mov, IOAPIC, 0x14), CALL(mov, IOAPIC + 0x10, 0x31),
        {.kind = FAKE_HALT}, CALL(eoi, 0, 0),         {.kind = FAKE_HALT},
        CALL(outb, 0xf4, 0)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert(strstr(fake_cpu_log(sim_machine_cpu(r.m)), "=31 "), "%s",
              fake_cpu_log(sim_machine_cpu(r.m)));
    cr_assert_geq(sim_machine_virtual_ns(r.m), 1999000);
    cr_assert_lt(sim_machine_virtual_ns(r.m), 2003000);
    rig_close(&r);
}

Test(sim_machine, apic_timer_interrupts_exactly_on_time)
{
    static const struct fake_op ops[] = {CALL(mov, LAPIC + 0x3e0, 0xb),
                                         CALL(mov, LAPIC + 0x320, 0x40),
                                         CALL(mov, LAPIC + 0x380, 500),
                                         {.kind = FAKE_HALT},
                                         CALL(outb, 0xf4, 0)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert(g_str_has_suffix(fake_cpu_log(sim_machine_cpu(r.m)), "w0@502 i0@502=40 c0@502 "),
              "%s", fake_cpu_log(sim_machine_cpu(r.m)));
    rig_close(&r);
}

static void wrmsr_deadline(void *user, unsigned vcpu, uint64_t tsc)
{
    const struct cpu_bus *bus = fake_cpu_bus(user);

    cr_assert(bus->msr_write(bus->user, vcpu, 0x6e0, tsc));
}

Test(sim_machine, tsc_deadline_interrupts_at_its_cycle)
{
    static const struct fake_op ops[] = {CALL(mov, LAPIC + 0x320, 0x40040),
                                         {.kind = FAKE_CALL, .call = wrmsr_deadline, .n = 777},
                                         {.kind = FAKE_HALT},
                                         CALL(outb, 0xf4, 0)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert(g_str_has_suffix(fake_cpu_log(sim_machine_cpu(r.m)), "w0@777 i0@777=40 c0@777 "),
              "%s", fake_cpu_log(sim_machine_cpu(r.m)));
    rig_close(&r);
}

Test(sim_machine, init_and_startup_start_another_cpu)
{
    static const struct fake_op bsp[] = {CALL(mov, LAPIC + 0x310, 1 << 24),
                                         CALL(mov, LAPIC + 0x300, 0x4500),
                                         CALL(mov, LAPIC + 0x300, 0x4608),
                                         {.kind = FAKE_HALT}};
    static const struct fake_op ap[] = {{.kind = FAKE_RUN, .n = 5}, CALL(outb, 0xf4, 7)};
    struct rig r;

    rig_open(&r, 2, NULL);
    script(&r, 0, bsp, G_N_ELEMENTS(bsp));
    script(&r, 1, ap, G_N_ELEMENTS(ap));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    cr_assert_eq(sim_machine_exit_value(r.m), 7);
    cr_assert_str_eq(fake_cpu_log(sim_machine_cpu(r.m)), "c0@0 c0@1 c0@2 c1@7 ");
    rig_close(&r);
}

Test(sim_machine, nmi_from_the_pit_wakes_a_machine_with_interrupts_off)
{
    static const struct fake_op ops[] = {PIT_TICKS,
                                         CALL(mov, IOAPIC, 0x14),
                                         CALL(mov, IOAPIC + 0x10, 0x400),
                                         {.kind = FAKE_HALT_DEAD},
                                         CALL(outb, 0xf4, 3)};
    struct rig r;

    rig_open(&r, 1, NULL);
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &no_limit), SIM_STOP_EXIT_PORT);
    rig_close(&r);
}

Test(sim_machine, typed_bytes_arrive_at_polling_instants_by_interrupt)
{
    static const struct fake_op ops[] = {CALL(mov, IOAPIC, 0x18), CALL(mov, IOAPIC + 0x10, 0x34),
                                         CALL(outb, 0x3f9, 1),    CALL(outb, 0x3fc, 0xb),
                                         {.kind = FAKE_HALT},     CALL(echo, 0, 0),
                                         CALL(eoi, 0, 0),         {.kind = FAKE_LOOP, .n = 4}};
    struct rig r;

    rig_open(&r, 1, "hello");
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    cr_assert_eq(sim_machine_run(r.m, &(struct sim_limits){UINT64_MAX, 10000000}), SIM_STOP_LIMIT);
    cr_assert_str_eq(r.console->str, "hello");
    cr_assert_eq(r.polls, 10);
    cr_assert_eq(r.last_poll_ns, 10000000);
    rig_close(&r);
}

Test(sim_machine, silent_input_changes_nothing)
{
    static const struct fake_op ops[] = {
        PIT_TICKS, {.kind = FAKE_RUN, .n = 5000}, {.kind = FAKE_LOOP, .n = 3}};
    char text[2][BASE_HASH_TEXT];

    for (unsigned i = 0; i < 2; i++) {
        struct rig r;

        rig_open(&r, 3, i ? "" : NULL);
        script(&r, 0, ops, G_N_ELEMENTS(ops));
        sim_machine_run(r.m, &(struct sim_limits){UINT64_MAX, 7654321});
        sim_machine_state_hash(r.m, text[i]);
        rig_close(&r);
    }
    cr_assert_str_eq(text[0], text[1]);
}

Test(sim_machine, stopping_at_any_instruction_and_going_on_changes_nothing)
{
    static const struct fake_op bsp[] = {PIT_TICKS,
                                         CALL(outb, 0x21, 0xfe),
                                         CALL(mov, LAPIC + 0x310, 1 << 24),
                                         CALL(mov, LAPIC + 0x300, 0x4608),
                                         CALL(mov, LAPIC + 0x3e0, 0xb),
                                         CALL(mov, LAPIC + 0x320, 0x20040),
                                         CALL(mov, LAPIC + 0x380, 3001),
                                         {.kind = FAKE_RUN, .n = 700},
                                         CALL(mov, LAPIC + 0x300, 0xc4051),
                                         {.kind = FAKE_HALT},
                                         CALL(eoi, 0, 0),
                                         {.kind = FAKE_LOOP, .n = 9}};
    static const struct fake_op ap[] = {
        CALL(mov, LAPIC + 0xf0, 0x1ff), {.kind = FAKE_RUN, .n = 333}, CALL(eoi, 0, 0),
        CALL(outb, 0x3f8, 'x'),         {.kind = FAKE_HALT},          {.kind = FAKE_LOOP, .n = 1}};
    char want[BASE_HASH_TEXT], got[BASE_HASH_TEXT];

    for (unsigned step = 1; step < 3000; step = step * 2 + 1) {
        struct rig a, b;

        rig_open(&a, 2, NULL);
        script(&a, 0, bsp, G_N_ELEMENTS(bsp));
        script(&a, 1, ap, G_N_ELEMENTS(ap));
        cr_assert_eq(sim_machine_run(a.m, &(struct sim_limits){5000, UINT64_MAX}), SIM_STOP_LIMIT);
        sim_machine_state_hash(a.m, want);
        rig_open(&b, 2, NULL);
        script(&b, 0, bsp, G_N_ELEMENTS(bsp));
        script(&b, 1, ap, G_N_ELEMENTS(ap));
        for (uint64_t n = step; n < 5000 + step; n += step) {
            char ignored[BASE_HASH_TEXT];

            cr_assert_eq(sim_machine_run(b.m, &(struct sim_limits){MIN(n, 5000), UINT64_MAX}),
                         SIM_STOP_LIMIT);
            sim_machine_state_hash(b.m, ignored);
        }
        sim_machine_state_hash(b.m, got);
        cr_assert_str_eq(fake_cpu_log(sim_machine_cpu(a.m)), fake_cpu_log(sim_machine_cpu(b.m)),
                         "step %u", step);
        cr_assert_str_eq(want, got, "step %u", step);
        cr_assert_str_eq(a.console->str, b.console->str, "step %u", step);
        rig_close(&a);
        rig_close(&b);
    }
}

static void count_port(void *user, const struct base_probe_at *at, uint16_t port,
                       unsigned size_bytes, bool is_write, uint32_t value)
{
    struct rig *r = user;

    cr_assert_eq(at->insns, r->ports_seen);
    cr_assert_eq(port, 0xe9);
    cr_assert_eq(size_bytes, 1);
    cr_assert(is_write);
    cr_assert_eq(value, 'x');
    r->ports_seen++;
}

Test(sim_machine, probe_sees_port_accesses)
{
    static const struct fake_op ops[] = {CALL(outb, 0xe9, 'x'), CALL(outb, 0xe9, 'x')};
    struct base_probe probe = {.port = count_port};
    struct rig r;

    rig_open(&r, 1, NULL);
    probe.user = &r;
    script(&r, 0, ops, G_N_ELEMENTS(ops));
    sim_machine_attach_probe(r.m, &probe);
    sim_machine_run(r.m, &(struct sim_limits){10, UINT64_MAX});
    cr_assert_eq(r.ports_seen, 2);
    sim_machine_attach_probe(r.m, NULL);
    rig_close(&r);
}

Test(sim_machine, missing_kernel_is_an_error_and_leaves_nothing_behind)
{
    struct sim_config config = {
        .memory_bytes = 16 << 20,
        .cpus = 1,
        .kernel = (char *)"/nonexistent/kernel",
        .cmdline = (char *)"",
        .modules = g_ptr_array_new(),
        .frequency_hz = 1000000000,
        .quantum_ns = 1000,
        .input_poll_ns = 1000000,
    };
    g_autoptr(GError) error = NULL;

    cr_assert_null(sim_machine_new(&config, NULL, &error));
    cr_assert_not_null(error);
    cr_assert(strstr(error->message, "/nonexistent/kernel"), "%s", error->message);
    g_ptr_array_free(config.modules, TRUE);
}

Test(sim_machine, memory_of_no_size_is_an_error)
{
    struct sim_config config = {.cpus = 1, .frequency_hz = 1, .quantum_ns = 1};
    g_autoptr(GError) error = NULL;

    cr_assert_null(sim_machine_new(&config, NULL, &error));
    cr_assert_not_null(error);
}

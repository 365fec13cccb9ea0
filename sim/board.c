/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board: devices and the wires between them.
 *
 *     ISA IRQ n --+--> 8259 pair --INT--> LINT0 of all CPUs
 *                 |              \------> IO-APIC pin 0
 *                 \--> IO-APIC pin n (IRQ 0: pin 2) --messages--> local APICs
 *     PCI INTA#..INTD# ------> IO-APIC pins 16 to 19 (active low)
 */
#include "sim/machine_internal.h"

#include "sim/base/assert.h"
#include "sim/dev/acpipm.h"
#include "sim/dev/debugcon.h"
#include "sim/dev/exitport.h"
#include "sim/dev/i8042.h"
#include "sim/dev/i8254.h"
#include "sim/dev/mc146818.h"
#include "sim/dev/pci_host.h"

#define COM1_PORT      0x3f8
#define COM1_IRQ       4
#define PIC_IOAPIC_PIN 0
#define PIT_IOAPIC_PIN 2
#define PCI_WIRES      0xff0000u /* IO-APIC pins 16 to 23 */

/* ---- CPU to platform ---- */

static uint32_t bus_port_read(void *user, uint16_t port, unsigned size_bytes)
{
    struct sim_machine *m = user;
    uint32_t value = sim_bus_port_read(m->services.bus, port, size_bytes);

    if (base_unlikely(m->probe && m->probe->port)) {
        struct base_probe_at at = machine_at(m);

        m->probe->port(m->probe->user, &at, port, size_bytes, false, value);
    }
    return value;
}

static void bus_port_write(void *user, uint16_t port, unsigned size_bytes, uint32_t value)
{
    struct sim_machine *m = user;

    if (base_unlikely(m->probe && m->probe->port)) {
        struct base_probe_at at = machine_at(m);

        m->probe->port(m->probe->user, &at, port, size_bytes, true, value);
    }
    sim_bus_port_write(m->services.bus, port, size_bytes, value);
}

/* Probes see device memory from cpu/, which knows all its accesses. */
static uint64_t bus_mmio_read(void *user, unsigned vcpu, gpa_t pa, unsigned size_bytes)
{
    struct sim_machine *m = user;

    return sim_bus_mmio_read(m->services.bus, vcpu, pa, size_bytes);
}

static void bus_mmio_write(void *user, unsigned vcpu, gpa_t pa, unsigned size_bytes, uint64_t value)
{
    struct sim_machine *m = user;

    sim_bus_mmio_write(m->services.bus, vcpu, pa, size_bytes, value);
}

static int bus_intr_ack(void *user, unsigned vcpu)
{
    struct sim_machine *m = user;

    return lapic_ack(m->lapic, vcpu);
}

static uint8_t bus_tpr_read(void *user, unsigned vcpu)
{
    struct sim_machine *m = user;

    return lapic_get_tpr(m->lapic, vcpu);
}

static void bus_tpr_write(void *user, unsigned vcpu, uint8_t value)
{
    struct sim_machine *m = user;

    lapic_set_tpr(m->lapic, vcpu, value);
}

static bool bus_msr_read(void *user, unsigned vcpu, uint32_t msr, uint64_t *value)
{
    struct sim_machine *m = user;

    return lapic_msr_read(m->lapic, vcpu, msr, value);
}

static bool bus_msr_write(void *user, unsigned vcpu, uint32_t msr, uint64_t value)
{
    struct sim_machine *m = user;

    return lapic_msr_write(m->lapic, vcpu, msr, value);
}

void board_bus(struct sim_machine *m, struct cpu_bus *out)
{
    *out = (struct cpu_bus){
        .user = m,
        .port_read = bus_port_read,
        .port_write = bus_port_write,
        .mmio_read = bus_mmio_read,
        .mmio_write = bus_mmio_write,
        .intr_ack = bus_intr_ack,
        .tpr_read = bus_tpr_read,
        .tpr_write = bus_tpr_write,
        .msr_read = bus_msr_read,
        .msr_write = bus_msr_write,
    };
}

/* ---- local APICs to CPUs ---- */

static void wire_set_intr(void *user, unsigned vcpu, bool pending)
{
    struct sim_machine *m = user;

    if (pending)
        sim_scheduler_wake(m->scheduler, vcpu);
    cpu_set_intr(m->cpu, vcpu, pending);
}

static void wire_raise_nmi(void *user, unsigned vcpu)
{
    struct sim_machine *m = user;

    sim_scheduler_wake(m->scheduler, vcpu);
    cpu_raise_nmi(m->cpu, vcpu);
}

static void wire_raise_init(void *user, unsigned vcpu)
{
    struct sim_machine *m = user;

    sim_scheduler_wake(m->scheduler, vcpu);
    cpu_raise_init(m->cpu, vcpu);
}

static void wire_raise_sipi(void *user, unsigned vcpu, uint8_t page)
{
    struct sim_machine *m = user;

    sim_scheduler_wake(m->scheduler, vcpu);
    cpu_raise_sipi(m->cpu, vcpu, page);
}

static void wire_eoi(void *user, uint8_t vector)
{
    struct sim_machine *m = user;

    ioapic_eoi(m->ioapic, vector);
}

static int wire_extint_ack(void *user)
{
    struct sim_machine *m = user;

    return i8259_ack(m->pic);
}

static uint64_t wire_now_ns(void *user, unsigned vcpu)
{
    struct sim_machine *m = user;

    return sim_scheduler_cpu_now_ns(m->scheduler, vcpu);
}

static uint64_t wire_tsc_due_ns(void *user, unsigned vcpu, uint64_t tsc)
{
    struct sim_machine *m = user;
    uint64_t cycles = CPU_CYCLES_NEVER;

    cpu_tsc_due(m->cpu, vcpu, tsc, &cycles);
    return sim_scheduler_due_ns(m->scheduler, cycles);
}

/* ---- interrupt lines ---- */

static bool wire_deliver(void *user, const struct apic_message *msg)
{
    struct sim_machine *m = user;

    return lapic_deliver(m->lapic, msg);
}

static void pic_output_set(void *user, unsigned pin, bool level)
{
    struct sim_machine *m = user;

    (void)pin;
    lapic_set_lint(m->lapic, 0, level);
    ioapic_set_pin(m->ioapic, PIC_IOAPIC_PIN, level);
}

static void isa_irq_set(void *user, unsigned irq, bool level)
{
    struct sim_machine *m = user;

    i8259_set_irq(m->pic, irq, level);
    ioapic_set_pin(m->ioapic, irq == 0 ? PIT_IOAPIC_PIN : irq, level);
}

static struct sim_irq service_isa_irq(void *machine, unsigned irq)
{
    BASE_ASSERT(irq < 16 && irq != 2);
    return (struct sim_irq){.set = isa_irq_set, .user = machine, .pin = irq};
}

static void gsi_set(void *user, unsigned gsi, bool level)
{
    struct sim_machine *m = user;

    ioapic_set_pin(m->ioapic, gsi, level);
}

/* ---- other services ---- */

static void service_end(void *machine, enum sim_end why, uint32_t value)
{
    static const enum sim_stop stop[] = {
        [SIM_END_POWER_OFF] = SIM_STOP_POWER_OFF,
        [SIM_END_RESET] = SIM_STOP_RESET,
        [SIM_END_EXIT_PORT] = SIM_STOP_EXIT_PORT,
    };
    struct sim_machine *m = machine;

    if (why == SIM_END_NONE)
        return;
    if (why == SIM_END_EXIT_PORT)
        m->exit_value = value;
    sim_scheduler_end(m->scheduler, stop[why]);
}

static void console_tx(void *user, uint8_t byte)
{
    struct sim_machine *m = user;

    if (m->attach.console)
        m->attach.console(m->attach.console_user, byte);
    if (m->probe && m->probe->console) {
        struct base_probe_at at = machine_at(m);

        m->probe->console(m->probe->user, &at, byte);
    }
}

/*
 * Console input comes at fixed instants, as much as the UART has room for; the input is asked
 * even when there is no room, for it may want to end the run.  The event is armed with and
 * without an input, so that attaching a silent one changes nothing.
 */
static void input_poll_fire(void *user, uint64_t due_ns)
{
    struct sim_machine *m = user;
    const struct base_input *in = m->attach.input;
    size_t room = uart16550_room(m->uart);
    uint8_t buf[64];

    sim_event_arm(m->services.timeline, &m->input_poll, due_ns + m->input_poll_ns);
    if (!in || !in->poll)
        return;
    room = in->poll(in->user, BASE_INPUT_CONSOLE, due_ns, buf, MIN(room, sizeof(buf)));
    if (room)
        uart16550_receive(m->uart, buf, room);
}

/* ---- composition ---- */

static struct sim_device *next_device(struct sim_machine *m)
{
    BASE_ASSERT(m->devices < MACHINE_DEVICES_MAX);
    return &m->device[m->devices++];
}

static void build_interrupts(struct sim_machine *m)
{
    const struct sim_services *sv = &m->services;
    struct sim_irq pic_output = {.set = pic_output_set, .user = m};
    uint64_t cycles;

    m->lapic_wires = (struct lapic_wires){
        .user = m,
        .set_intr = wire_set_intr,
        .raise_nmi = wire_raise_nmi,
        .raise_init = wire_raise_init,
        .raise_sipi = wire_raise_sipi,
        .eoi = wire_eoi,
        .extint_ack = wire_extint_ack,
        .now_ns = wire_now_ns,
        .tsc_due_ns = cpu_tsc_due(m->cpu, 0, 0, &cycles) ? wire_tsc_due_ns : NULL,
    };
    m->lapic = lapic_new(sv, m->cpus, &m->lapic_wires);
    lapic_device(m->lapic, next_device(m));
    lapic_firmware_setup(m->lapic);
    m->ioapic = ioapic_new(sv, 0, PCI_WIRES, wire_deliver, m);
    ioapic_device(m->ioapic, next_device(m));
    m->pic = i8259_new(sv, 1u << ACPIPM_SCI_IRQ, &pic_output);
    i8259_device(m->pic, next_device(m));
}

void board_build(struct sim_machine *m, const struct sim_config *config)
{
    const struct sim_services *sv = &m->services;
    struct sim_irq intx[PCI_INTX_LINES];
    struct acpipm *pm;

    m->services = (struct sim_services){
        .bus = sim_bus_new(),
        .timeline = sim_scheduler_timeline(m->scheduler),
        .isa_irq = service_isa_irq,
        .end = service_end,
        .machine = m,
    };
    build_interrupts(m);
    i8254_device(i8254_new(sv), next_device(m));
    mc146818_device(mc146818_new(sv, config->start_seconds, config->memory_bytes), next_device(m));
    m->uart = uart16550_new(sv, COM1_PORT, COM1_IRQ, console_tx, m);
    uart16550_device(m->uart, next_device(m));
    i8042_device(i8042_new(sv), next_device(m));
    pm = acpipm_new(sv);
    for (unsigned i = 0; i < PCI_INTX_LINES; i++)
        intx[i] = (struct sim_irq){.set = gsi_set, .user = m, .pin = PCI_INTX_GSI_BASE + i};
    pci_host_device(pci_host_new(sv, intx, pm), next_device(m));
    acpipm_device(pm, next_device(m));
    debugcon_device(debugcon_new(sv, console_tx, m), next_device(m));
    exitport_device(exitport_new(sv), next_device(m));
    sim_event_register(sv->timeline, &m->input_poll, "input-poll", input_poll_fire, m);
    sim_event_arm(sv->timeline, &m->input_poll, m->input_poll_ns);
}

void board_free(struct sim_machine *m)
{
    while (m->devices > 0) {
        struct sim_device *d = &m->device[--m->devices];

        d->free(d->dev);
    }
    sim_bus_free(m->services.bus);
}

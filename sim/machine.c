/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole machine: life, run, state.  sim/scheduler.c has the run loop, sim/board.c the
 * devices and wires.
 */
#include "sim/machine_internal.h"

#include <inttypes.h>

#include "sim/acpi.h"
#include "sim/base/assert.h"
#include "sim/loader.h"

struct base_probe_at machine_at(const struct sim_machine *m)
{
    return (struct base_probe_at){
        .insns = cpu_insns(m->cpu),
        .virtual_ns = sim_scheduler_now_ns(m->scheduler),
        .vcpu = cpu_current(m->cpu),
    };
}

static void describe(FILE *out, void *user)
{
    struct sim_machine *m = user;
    struct cpu_regs regs = {0};
    unsigned vcpu;

    if (!m->cpu)
        return;
    vcpu = cpu_current(m->cpu);
    fprintf(out, "paravane %s: seed %" PRIu64 ", insns %" PRIu64 ", vcpu %u", PARAVANE_VERSION,
            m->seed, cpu_insns(m->cpu), vcpu);
    fflush(out);
    cpu_get_regs(m->cpu, vcpu, &regs);
    fprintf(out, ", rip 0x%" PRIx64 "\n", regs.rip);
}

/*
 * Nothing can run before an event comes: is there one to wait for?  A machine in which
 * everybody has interrupts off may still be woken by an NMI that the guest has routed
 * from an interrupt line.
 */
static bool machine_asleep(void *user, bool all_dead, enum sim_stop *stop)
{
    struct sim_machine *m = user;
    bool only_polling = sim_timeline_armed(m->services.timeline) <= 1;

    if (all_dead && !lapic_lint_is_nmi(m->lapic) && !ioapic_has_nmi(m->ioapic)) {
        *stop = SIM_STOP_HALTED;
        return true;
    }
    *stop = SIM_STOP_IDLE;
    return only_polling && !m->attach.input;
}

static struct cpu *make_cpu(struct sim_machine *m, const struct sim_config *config, GError **error)
{
    const struct cpu_config cpu = {
        .count = config->cpus,
        .model = config->cpu_model,
        .frequency_hz = config->frequency_hz,
        .seed = config->seed,
        .rdtsc_cycles = config->rdtsc_cycles,
        .port_cycles = config->port_cycles,
        .mmio_cycles = config->mmio_cycles,
        .portable = config->portable,
    };

    board_bus(m, &m->cpu_bus);
    return cpu_new(&cpu, m->ram, &m->cpu_bus, error);
}

static bool power_on(struct sim_machine *m, const struct sim_config *config, GError **error)
{
    const struct sim_scheduler_config scheduler = {
        .cpus = config->cpus,
        .frequency_hz = config->frequency_hz,
        .quantum_ns = config->quantum_ns,
        .asleep = machine_asleep,
        .user = m,
    };
    struct sim_loader_result image;

    m->ram = mmu_ram_new(config->memory_bytes, error);
    if (!m->ram)
        return false;
    m->scheduler = sim_scheduler_new(&scheduler);
    m->cpu = make_cpu(m, config, error);
    if (!m->cpu)
        return false;
    sim_scheduler_set_cpu(m->scheduler, m->cpu);
    board_build(m, config);
    if (!sim_acpi_install(m->ram, config->cpus, error) ||
        !sim_loader_load(m->ram, config, &image, error))
        return false;
    cpu_start_multiboot(m->cpu, image.entry, image.magic, image.info);
    return true;
}

struct sim_machine *sim_machine_new(const struct sim_config *config,
                                    const struct sim_attachments *attach, GError **error)
{
    struct sim_machine *m = g_new0(struct sim_machine, 1);

    if (attach)
        m->attach = *attach;
    m->cpus = config->cpus;
    m->seed = config->seed;
    m->input_poll_ns = MAX(config->input_poll_ns, 1);
    base_assert_set_context(describe, m);
    if (power_on(m, config, error))
        return m;
    sim_machine_free(m);
    return NULL;
}

void sim_machine_free(struct sim_machine *m)
{
    if (!m)
        return;
    base_assert_set_context(NULL, NULL);
    board_free(m);
    cpu_free(m->cpu);
    sim_scheduler_free(m->scheduler);
    mmu_ram_free(m->ram);
    g_free(m);
}

enum sim_stop sim_machine_run(struct sim_machine *m, const struct sim_limits *limits)
{
    base_assert_set_context(describe, m); /* of several machines, the one that runs */
    return sim_scheduler_run(m->scheduler, limits);
}

void sim_machine_request_stop(struct sim_machine *m)
{
    sim_scheduler_request_stop(m->scheduler);
}

void sim_machine_interrupt(struct sim_machine *m)
{
    sim_scheduler_interrupt(m->scheduler);
}

const char *sim_stop_name(enum sim_stop stop)
{
    static const char *const name[] = {
        [SIM_STOP_LIMIT] = "limit",
        [SIM_STOP_REQUEST] = "request",
        [SIM_STOP_POWER_OFF] = "power-off",
        [SIM_STOP_RESET] = "reset",
        [SIM_STOP_EXIT_PORT] = "exit-port",
        [SIM_STOP_HALTED] = "halted",
        [SIM_STOP_IDLE] = "idle",
        [SIM_STOP_TRIPLE_FAULT] = "triple-fault",
        [SIM_STOP_CRASH] = "crash",
    };

    BASE_ASSERT((unsigned)stop < ARRAY_LEN(name));
    return name[stop];
}

uint64_t sim_machine_insns(const struct sim_machine *m)
{
    return cpu_insns(m->cpu);
}

uint64_t sim_machine_virtual_ns(const struct sim_machine *m)
{
    return sim_scheduler_now_ns(m->scheduler);
}

uint32_t sim_machine_exit_value(const struct sim_machine *m)
{
    return m->exit_value;
}

unsigned sim_machine_cpus(const struct sim_machine *m)
{
    return m->cpus;
}

struct cpu *sim_machine_cpu(struct sim_machine *m)
{
    return m->cpu;
}

struct mmu_ram *sim_machine_ram(struct sim_machine *m)
{
    return m->ram;
}

void sim_machine_position(const struct sim_machine *m, struct sim_position *out)
{
    sim_scheduler_position(m->scheduler, out);
}

enum sim_stop sim_machine_run_to(struct sim_machine *m, const struct sim_position *to)
{
    base_assert_set_context(describe, m);
    return sim_scheduler_run_to(m->scheduler, to);
}

void sim_machine_set_input(struct sim_machine *m, const struct base_input *input)
{
    m->attach.input = input;
}

void sim_machine_on_settled(struct sim_machine *m, void (*fn)(void *user), void *user)
{
    sim_scheduler_on_settled(m->scheduler, fn, user);
}

void sim_machine_attach_probe(struct sim_machine *m, const struct base_probe *probe)
{
    m->probe = probe;
    cpu_attach_probe(m->cpu, probe);
}

void sim_machine_visit(struct sim_machine *m, struct base_state *st, unsigned parts)
{
    if (parts & SIM_PART_DEVICES) {
        base_state_tag(st, "machine");
        BASE_STATE(st, m->exit_value);
        sim_scheduler_state(m->scheduler, st);
        for (unsigned i = 0; i < m->devices; i++)
            m->device[i].state(m->device[i].dev, st);
    }
    if (parts & SIM_PART_CPUS)
        cpu_state(m->cpu, st);
    if (parts & SIM_PART_HIDDEN)
        cpu_hidden_state(m->cpu, st);
    if (parts & SIM_PART_RAM)
        mmu_ram_state(m->ram, st);
}

gboolean sim_machine_load(struct sim_machine *m, const void *data, size_t size_bytes,
                          GError **error)
{
    struct base_state st;

    mmu_ram_clear(m->ram);
    base_state_init_load(&st, data, size_bytes);
    sim_machine_visit(m, &st, SIM_PART_DEVICES | SIM_PART_CPUS | SIM_PART_HIDDEN);
    if (st.bad || st.in_left) {
        g_set_error(error, SIM_CONFIG_ERROR, SIM_CONFIG_ERROR_VALUE,
                    "the saved state is not that of such a machine");
        return FALSE;
    }
    sim_scheduler_restored(m->scheduler);
    return TRUE;
}

void sim_machine_state(struct sim_machine *m, struct base_state *st)
{
    sim_machine_visit(m, st, SIM_PART_DEVICES | SIM_PART_CPUS | SIM_PART_RAM);
}

void sim_machine_state_hash(struct sim_machine *m, char text[BASE_HASH_TEXT])
{
    struct base_hash hash;
    struct base_state st;

    base_hash_init(&hash);
    base_state_init_hash(&st, &hash);
    sim_machine_state(m, &st);
    base_hash_final(&hash, text);
}

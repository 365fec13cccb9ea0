/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_cpu.h"

#include <string.h>

struct fake_vcpu {
    const struct fake_op *ops;
    unsigned count;
    void *user;
    uint32_t at;
    uint64_t done; /* instructions of a FAKE_RUN */
    uint64_t cycles;
    uint8_t halted, dead, wait_sipi, intr, nmi;
};

struct cpu {
    unsigned count;
    unsigned current;
    const struct cpu_bus *bus;
    uint64_t insns;
    uint64_t deadline;
    bool stop;
    bool log_returns;
    GString *log;
    struct fake_vcpu vcpu[CPU_MAX_VCPUS];
};

GQuark cpu_error_quark(void)
{
    return g_quark_from_static_string("fake-cpu");
}

struct cpu *cpu_new(const struct cpu_config *config, struct mmu_ram *ram, const struct cpu_bus *bus,
                    GError **error)
{
    struct cpu *cpu = g_new0(struct cpu, 1);

    (void)ram;
    (void)error;
    cpu->count = config->count;
    cpu->bus = bus;
    cpu->log = g_string_new("");
    for (unsigned v = 1; v < cpu->count; v++)
        cpu->vcpu[v].wait_sipi = 1;
    return cpu;
}

struct cpu *fake_cpu_make(unsigned count)
{
    return cpu_new(&(struct cpu_config){.count = count}, NULL, NULL, NULL);
}

void fake_cpu_start(struct cpu *cpu)
{
    for (unsigned v = 0; v < cpu->count; v++)
        cpu->vcpu[v].wait_sipi = 0;
}

void cpu_free(struct cpu *cpu)
{
    if (!cpu)
        return;
    g_string_free(cpu->log, TRUE);
    g_free(cpu);
}

void fake_cpu_script(struct cpu *cpu, unsigned vcpu, const struct fake_op *ops, unsigned count,
                     void *user)
{
    cpu->vcpu[vcpu].ops = ops;
    cpu->vcpu[vcpu].count = count;
    cpu->vcpu[vcpu].user = user;
}

const struct cpu_bus *fake_cpu_bus(const struct cpu *cpu)
{
    return cpu->bus;
}

const char *fake_cpu_log(const struct cpu *cpu)
{
    return cpu->log->str;
}

void fake_cpu_log_returns(struct cpu *cpu, bool on)
{
    cpu->log_returns = on;
}

static void note(struct cpu *cpu, char what, unsigned vcpu)
{
    g_string_append_printf(cpu->log, "%c%u@%" G_GUINT64_FORMAT " ", what, vcpu,
                           cpu->vcpu[vcpu].cycles);
}

static void plain(struct cpu *cpu, struct fake_vcpu *v, uint64_t n)
{
    v->cycles += n;
    cpu->insns += n;
}

/* How many one-cycle instructions fit before the deadline and the limit. */
static uint64_t fits(const struct cpu *cpu, const struct fake_vcpu *v, uint64_t insn_limit)
{
    return MIN(cpu->deadline - v->cycles, insn_limit - cpu->insns);
}

static enum cpu_stop execute(struct cpu *cpu, struct fake_vcpu *v, uint64_t insn_limit)
{
    const struct fake_op *op = v->at < v->count ? &v->ops[v->at] : NULL;
    uint64_t n = fits(cpu, v, insn_limit);

    if (!op) {
        plain(cpu, v, n);
        return CPU_STOP_DEADLINE;
    }
    if (op->kind == FAKE_LOOP) {
        v->at = (uint32_t)op->n;
        return CPU_STOP_DEADLINE;
    }
    if (op->kind == FAKE_RUN) {
        n = MIN(n, op->n - v->done);
        plain(cpu, v, n);
        v->done += n;
        if (v->done < op->n)
            return CPU_STOP_DEADLINE;
        v->done = 0;
        v->at++;
        return CPU_STOP_DEADLINE;
    }
    v->at++;
    if (op->kind == FAKE_CALL) {
        note(cpu, 'c', cpu->current);
        op->call(v->user, cpu->current, op->n);
    }
    v->cycles += op->kind == FAKE_LONG ? op->n : 1;
    cpu->insns++;
    v->halted = op->kind == FAKE_HALT || op->kind == FAKE_HALT_DEAD;
    v->dead = op->kind == FAKE_HALT_DEAD;
    if (op->kind == FAKE_RESET)
        return CPU_STOP_RESET;
    return op->kind == FAKE_CRASH ? CPU_STOP_CRASH : CPU_STOP_DEADLINE;
}

static void take_interrupt(struct cpu *cpu, struct fake_vcpu *v)
{
    if (v->halted)
        note(cpu, 'w', cpu->current);
    v->halted = v->dead = 0;
    if (v->nmi) {
        v->nmi = 0;
        return;
    }
    if (!cpu->bus) {
        v->intr = 0;
        return;
    }
    g_string_append_printf(cpu->log, "i%u@%" G_GUINT64_FORMAT "=%x ", cpu->current, v->cycles,
                           (unsigned)cpu->bus->intr_ack(cpu->bus->user, cpu->current));
}

static enum cpu_stop run(struct cpu *cpu, struct fake_vcpu *v, uint64_t insn_limit)
{
    enum cpu_stop why;

    for (;;) {
        if (cpu->stop) {
            cpu->stop = false;
            return CPU_STOP_REQUEST;
        }
        if (cpu->insns >= insn_limit)
            return CPU_STOP_INSNS;
        if (v->cycles >= cpu->deadline)
            return CPU_STOP_DEADLINE;
        if (v->nmi || (v->intr && !v->dead))
            take_interrupt(cpu, v);
        if (v->halted || v->wait_sipi)
            return CPU_STOP_HALT;
        why = execute(cpu, v, insn_limit);
        if (why != CPU_STOP_DEADLINE)
            return why;
    }
}

enum cpu_stop cpu_run(struct cpu *cpu, unsigned vcpu, uint64_t deadline, uint64_t insn_limit)
{
    enum cpu_stop why;

    cpu->current = vcpu;
    cpu->deadline = deadline;
    why = run(cpu, &cpu->vcpu[vcpu], insn_limit);
    if (cpu->log_returns)
        g_string_append_printf(cpu->log, "v%u:%" G_GUINT64_FORMAT " ", vcpu,
                               cpu->vcpu[vcpu].cycles);
    return why;
}

void cpu_lower_deadline(struct cpu *cpu, uint64_t deadline)
{
    cpu->deadline = MIN(cpu->deadline, deadline);
}

void cpu_request_stop(struct cpu *cpu)
{
    cpu->stop = true;
}

unsigned cpu_current(const struct cpu *cpu)
{
    return cpu->current;
}

uint64_t cpu_cycles(const struct cpu *cpu, unsigned vcpu)
{
    return cpu->vcpu[vcpu].cycles;
}

bool cpu_tsc_due(const struct cpu *cpu, unsigned vcpu, uint64_t tsc, uint64_t *cycles)
{
    *cycles = MAX(cpu->vcpu[vcpu].cycles, tsc);
    return true;
}

void cpu_skip_to(struct cpu *cpu, unsigned vcpu, uint64_t cycles)
{
    cpu->vcpu[vcpu].cycles = MAX(cpu->vcpu[vcpu].cycles, cycles);
}

uint64_t cpu_insns(const struct cpu *cpu)
{
    return cpu->insns;
}

void cpu_set_intr(struct cpu *cpu, unsigned vcpu, bool pending)
{
    cpu->vcpu[vcpu].intr = pending;
}

void cpu_raise_nmi(struct cpu *cpu, unsigned vcpu)
{
    cpu->vcpu[vcpu].nmi = 1;
}

void cpu_raise_init(struct cpu *cpu, unsigned vcpu)
{
    cpu->vcpu[vcpu].wait_sipi = vcpu != 0;
    cpu->vcpu[vcpu].halted = cpu->vcpu[vcpu].dead = 0;
}

void cpu_raise_sipi(struct cpu *cpu, unsigned vcpu, uint8_t page)
{
    (void)page;
    cpu->vcpu[vcpu].wait_sipi = 0;
}

bool cpu_is_runnable(const struct cpu *cpu, unsigned vcpu)
{
    const struct fake_vcpu *v = &cpu->vcpu[vcpu];

    return !v->wait_sipi && (!v->halted || v->nmi || (v->intr && !v->dead));
}

bool cpu_is_dead_halted(const struct cpu *cpu, unsigned vcpu)
{
    return cpu->vcpu[vcpu].dead || cpu->vcpu[vcpu].wait_sipi;
}

void cpu_start_multiboot(struct cpu *cpu, uint32_t entry, uint32_t eax, uint32_t ebx)
{
    (void)cpu;
    (void)entry;
    (void)eax;
    (void)ebx;
}

void cpu_get_regs(struct cpu *cpu, unsigned vcpu, struct cpu_regs *out)
{
    memset(out, 0, sizeof(*out));
    out->rip = cpu->vcpu[vcpu].at;
}

void cpu_get_counters(const struct cpu *cpu, unsigned vcpu, struct cpu_counters *out)
{
    (void)vcpu;
    *out = (struct cpu_counters){.insns = cpu->insns};
}

void cpu_mmu_regs(struct cpu *cpu, unsigned vcpu, struct mmu_regs *out)
{
    (void)cpu;
    (void)vcpu;
    memset(out, 0, sizeof(*out));
}

void cpu_attach_probe(struct cpu *cpu, const struct base_probe *probe)
{
    (void)cpu;
    (void)probe;
}

void cpu_state(struct cpu *cpu, struct base_state *st)
{
    BASE_STATE(st, cpu->insns);
    for (unsigned i = 0; i < cpu->count; i++) {
        struct fake_vcpu *v = &cpu->vcpu[i];

        BASE_STATE(st, v->at);
        BASE_STATE(st, v->done);
        BASE_STATE(st, v->cycles);
        BASE_STATE(st, v->halted);
        BASE_STATE(st, v->dead);
        BASE_STATE(st, v->wait_sipi);
        BASE_STATE(st, v->intr);
        BASE_STATE(st, v->nmi);
    }
}

const char *cpu_fault_text(const struct cpu *cpu)
{
    (void)cpu;
    return "none";
}

unsigned cpu_recent_blocks(const struct cpu *cpu, struct cpu_block_ref *out, unsigned max)
{
    (void)cpu;
    (void)out;
    (void)max;
    return 0;
}

unsigned cpu_disassemble(struct cpu *cpu, unsigned vcpu, gva_t va, char *text, size_t text_size)
{
    (void)cpu;
    (void)vcpu;
    (void)va;
    (void)text;
    (void)text_size;
    return 0;
}

const char *cpu_library_text(const struct cpu *cpu)
{
    (void)cpu;
    return "fake";
}

const char *const *cpu_model_names(void)
{
    static const char *const names[] = {"fake", NULL};

    return names;
}

void cpu_settle(struct cpu *cpu)
{
    (void)cpu;
}

void cpu_hidden_state(struct cpu *cpu, struct base_state *st)
{
    (void)cpu, (void)st;
}

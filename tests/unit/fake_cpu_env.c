/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_cpu_env.h"

#include <stdarg.h>
#include <string.h>

static const struct env_offsets offsets = {
    .efer = 592,
    .star = 4824,
    .lstar = 4840,
    .cstar = 4848,
    .fmask = 4856,
    .kernel_gs_base = 4864,
    .sysenter_cs = 4800,
    .sysenter_esp = 4808,
    .sysenter_eip = 4816,
    .error_code = 5384,
    .exception_is_int = 5388,
    .old_exception = 5496,
    .dr = 5400,
    .tsc_aux = 5504,
};

static bool bus_msr_read(void *user, unsigned vcpu, uint32_t msr, uint64_t *value)
{
    struct cpu *c = user;

    (void)vcpu;
    if (msr == 0x1b)
        *value = c->apic_base;
    else if (msr == 0x6e0 && !c->no_deadline)
        *value = c->deadline;
    else
        return false;
    return true;
}

static bool bus_msr_write(void *user, unsigned vcpu, uint32_t msr, uint64_t value)
{
    struct cpu *c = user;

    (void)vcpu;
    if (msr == 0x1b)
        c->apic_base = value;
    else if (msr != 0x6e0 || c->no_deadline)
        return false;
    else {
        c->deadline = value;
        c->deadline_writes++;
    }
    return true;
}

struct cpu *fake_new(void)
{
    struct cpu *c = g_new0(struct cpu, 1);

    c->bus.user = c;
    c->bus.msr_read = bus_msr_read;
    c->bus.msr_write = bus_msr_write;
    c->apic_base = 0xfee00900;
    c->config.count = 1;
    c->config.frequency_hz = 1000000000;
    c->config.seed = 1;
    c->model = cpu_model_find("paravane-v1");
    c->env.df = 1;
    c->env.eflags = 2;
    return c;
}

uint64_t fake_peek(const struct cpu *c, uint64_t va, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, c->memory + va, size);
    return value;
}

void fake_poke(struct cpu *c, uint64_t va, uint64_t value, unsigned size)
{
    memcpy(c->memory + va, &value, size);
}

/* ---- in the place of engine.c ---- */

struct cpu_env *env_load(struct cpu *c)
{
    return &c->env;
}

void env_store(struct cpu *c)
{
    (void)c;
}

const struct env_offsets *env_offsets(const struct cpu *c)
{
    (void)c;
    return &offsets;
}

/* All of RFLAGS lies in eflags here. */
uint64_t env_rflags(struct cpu *c)
{
    return c->env.eflags;
}

void env_set_rflags(struct cpu *c, uint64_t rflags)
{
    c->env.eflags = rflags;
}

struct cpu_vcpu *cpu_loaded(struct cpu *c)
{
    return &c->vcpu;
}

const struct cpu_bus *cpu_get_bus(const struct cpu *c)
{
    return &c->bus;
}

const struct cpu_config *cpu_get_config(const struct cpu *c)
{
    return &c->config;
}

const struct cpu_model *cpu_get_model(const struct cpu *c)
{
    return c->model;
}

uint64_t cpu_cycles(const struct cpu *c, unsigned vcpu)
{
    (void)vcpu;
    return c->vcpu.cycles;
}

void cpu_set_crash(struct cpu *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_vsnprintf(c->crash, sizeof(c->crash), format, args);
    va_end(args);
}

void engine_write_cr0(struct cpu *c, uint64_t value)
{
    c->env.cr[0] = value;
}

void engine_write_cr3(struct cpu *c, uint64_t value)
{
    c->env.cr[3] = value;
}

void engine_write_cr4(struct cpu *c, uint64_t value)
{
    c->env.cr[4] = value;
}

void engine_write_efer(struct cpu *c, uint64_t value)
{
    ENV64(&c->env, offsets.efer) = value;
}

void engine_reset_fpu(struct cpu *c)
{
    (void)c;
}

void engine_write_xmm(struct cpu *c, unsigned n, const uint8_t value[16])
{
    memcpy(c->xmm[n], value, 16);
}

/* ---- in the place of memory.c ---- */

static bool page_fault(struct cpu_exc *exc, uint64_t va, uint32_t error)
{
    *exc = (struct cpu_exc){.vector = EXC_PF, .has_error = true, .error = error, .cr2 = va};
    return false;
}

static bool check(struct cpu *c, uint64_t va, size_t size, bool write, enum cpu_mem_how how,
                  bool stack, struct cpu_exc *exc)
{
    bool user = how == CPU_MEM_USER || (how == CPU_MEM_EXPLICIT && env_cpl(&c->env) == 3);
    uint32_t error = (write ? 2u : 0) | (user ? 4u : 0);

    if (!cpu_is_canonical(va) || !cpu_is_canonical(va + size - 1)) {
        *exc = (struct cpu_exc){.vector = stack ? EXC_SS : EXC_GP, .has_error = true};
        return false;
    }
    for (uint64_t at = va; at < va + size; at++) {
        uint8_t page = at < FAKE_MEMORY_BYTES ? c->page[at >> PAGE_SHIFT] : FAKE_ABSENT;

        if (page & FAKE_ABSENT)
            return page_fault(exc, at, error);
        if ((write && (page & FAKE_READ_ONLY)) || (user && (page & FAKE_SUPERVISOR)))
            return page_fault(exc, at, error | 1);
    }
    return true;
}

bool cpu_mem_read(struct cpu *c, uint64_t va, void *data, size_t size, enum cpu_mem_how how,
                  bool stack, struct cpu_exc *exc)
{
    if (!check(c, va, size, false, how, stack, exc))
        return false;
    memcpy(data, c->memory + va, size);
    return true;
}

bool cpu_mem_write(struct cpu *c, uint64_t va, const void *data, size_t size, enum cpu_mem_how how,
                   bool stack, struct cpu_exc *exc)
{
    if (!check(c, va, size, true, how, stack, exc))
        return false;
    memcpy(c->memory + va, data, size);
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPUs as the rest of the simulator sees them: construction, switching, queries. */
#include "cpu/cpu.h"

#include <stdarg.h>
#include <string.h>

#include "cpu/run.h"

G_DEFINE_QUARK(paravane-cpu-error-quark, cpu_error)

/* ---- construction ---- */

static bool create_vcpus(struct cpu *c)
{
    for (unsigned i = 0; i < c->config.count; i++) {
        struct cpu_vcpu *v = &c->vcpu[i];

        v->index = i;
        v->wait_sipi = i != 0;
        base_rng_init(&v->rng, c->config.seed, i);
        cpu_msr_reset(v, false);
        v->context = engine_context_new(c);
        if (!v->context)
            return false;
        c->current = i;
        env_load(c);
        cpu_reset_vcpu(c, false);
        env_store(c);
        engine_context_save(c, v->context);
    }
    c->current = 0;
    engine_context_load(c, c->vcpu[0].context);
    return true;
}

struct cpu *cpu_new(const struct cpu_config *config, struct mmu_ram *ram,
                    const struct cpu_bus *bus, GError **error)
{
    struct cpu *c = g_new0(struct cpu, 1);

    BASE_ASSERT(config->count >= 1 && config->count <= CPU_MAX_VCPUS);
    c->config = *config;
    c->bus = *bus;
    c->ram = ram;
    c->implicit_page = UINT64_MAX;
    c->timing.rdtsc_cycles = config->rdtsc_cycles;
    c->model = cpu_model_find(config->model);
    if (!c->model) {
        char *names = g_strjoinv(", ", (char **)cpu_model_names());

        g_set_error(error, CPU_ERROR, CPU_ERROR_MODEL, "no CPU model '%s' (there are: %s)",
                    config->model, names);
        g_free(names);
        g_free(c);
        return NULL;
    }
    c->timing.hidden = cpu_model_hidden(c->model);
    c->cr3_reserved = ~((1ull << cpu_model_physical_bits(c->model)) - 1);
    execpoint_init(c);
    if (!frames_init(c) || !tlb_init(c) || !device_init(c) || !engine_open(c, error))
        goto fail;
    if (!blocks_init(c) || !create_vcpus(c)) {
        g_set_error(error, CPU_ERROR, CPU_ERROR_LIBRARY, "the decoder cannot be opened");
        goto fail;
    }
    ram->code_written = frames_code_written;
    ram->code_written_user = c;
    return c;
fail:
    cpu_free(c);
    return NULL;
}

void cpu_free(struct cpu *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->config.count; i++)
        engine_context_free(c, c->vcpu[i].context);
    engine_context_free(c, c->undo);
    c->ram->code_written = NULL;
    engine_close(c);
    blocks_fini(c);
    frames_fini(c);
    tlb_fini(c);
    device_fini(c);
    execpoint_fini(c);
    g_free(c);
}

/* ---- switching ---- */

void cpu_settle_counters(struct cpu *c)
{
    struct cpu_vcpu *v = &c->vcpu[c->current];

    v->counters.insns += c->insns - c->insns_at_load;
    v->counters.blocks += blocks_done(c) - c->blocks_at_load;
    c->insns_at_load = c->insns;
    c->blocks_at_load = blocks_done(c);
    c->block_at_load = c->blocks;
}

void cpu_load_vcpu(struct cpu *c, unsigned vcpu)
{
    if (vcpu == c->current)
        return;
    cpu_settle_counters(c);
    env_store(c);
    engine_context_save(c, c->vcpu[c->current].context);
    c->vcpu[c->current].cycles = cpu_now(c);
    engine_context_load(c, c->vcpu[vcpu].context);
    c->current = vcpu;
    c->limit = c->vcpu[vcpu].cycles;
    c->left = 0;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    c->iret_ends_nmi = false;
}

/* ---- internal queries ---- */

struct cpu_vcpu *cpu_loaded(struct cpu *c)
{
    return &c->vcpu[c->current];
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
struct mmu_ram *cpu_get_ram(struct cpu *c)
{
    return c->ram;
}

void cpu_set_crash(struct cpu *c, const char *format, ...)
{
    va_list args;

    c->crashed = true;
    va_start(args, format);
    g_vsnprintf(c->fault_text, sizeof(c->fault_text), format, args);
    va_end(args);
}

/* The registers of any vCPU: the live view of the loaded one, else its saved context. */
static struct cpu_env *view(struct cpu *c, unsigned vcpu)
{
    return vcpu == c->current ? env_load(c) : engine_context_env(c, c->vcpu[vcpu].context);
}

/* ---- public interface ---- */

void cpu_lower_deadline(struct cpu *c, uint64_t deadline)
{
    c->target = MIN(c->target, deadline);
}

void cpu_request_stop(struct cpu *c)
{
    c->stop_requested = true;
}

unsigned cpu_current(const struct cpu *c)
{
    return c->current;
}

uint64_t cpu_cycles(const struct cpu *c, unsigned vcpu)
{
    return vcpu == c->current ? cpu_now(c) : c->vcpu[vcpu].cycles;
}

bool cpu_tsc_due(const struct cpu *c, unsigned vcpu, uint64_t tsc, uint64_t *cycles)
{
    uint64_t now = cpu_cycles(c, vcpu);
    uint64_t tsc_now = now + c->vcpu[vcpu].tsc_offset;
    uint64_t left = tsc > tsc_now ? tsc - tsc_now : 0;

    if (!cpu_model_has(c->model, CPU_FEATURE_TSC_DEADLINE))
        return false;
    *cycles = left < CPU_CYCLES_NEVER - now ? now + left : CPU_CYCLES_NEVER;
    return true;
}

void cpu_skip_to(struct cpu *c, unsigned vcpu, uint64_t cycles)
{
    if (cycles <= cpu_cycles(c, vcpu))
        return;
    if (vcpu == c->current) {
        c->limit = cycles;
        c->left = 0;
    } else {
        c->vcpu[vcpu].cycles = cycles;
    }
}

uint64_t cpu_insns(const struct cpu *c)
{
    return c->insns;
}

void cpu_set_intr(struct cpu *c, unsigned vcpu, bool pending)
{
    c->vcpu[vcpu].intr = pending;
}

void cpu_raise_nmi(struct cpu *c, unsigned vcpu)
{
    c->vcpu[vcpu].nmi_pending = true;
}

void cpu_raise_init(struct cpu *c, unsigned vcpu)
{
    c->vcpu[vcpu].init_pending = true;
    c->vcpu[vcpu].sipi_pending = false;
}

void cpu_raise_sipi(struct cpu *c, unsigned vcpu, uint8_t page)
{
    struct cpu_vcpu *v = &c->vcpu[vcpu];

    if (!v->wait_sipi && !v->init_pending)
        return;
    v->sipi_pending = true;
    v->sipi_page = page;
}

static bool interrupts_enabled(const struct cpu *c, unsigned vcpu)
{
    struct cpu *m = (struct cpu *)c; /* the portable view is a cache */

    return (view(m, vcpu)->eflags & FLAG_IF) != 0;
}

bool cpu_is_runnable(const struct cpu *c, unsigned vcpu)
{
    const struct cpu_vcpu *v = &c->vcpu[vcpu];

    if (v->init_pending)
        return true;
    if (v->wait_sipi)
        return v->sipi_pending;
    if (!v->halted)
        return true;
    return (v->nmi_pending && !v->nmi_blocked) || (v->intr && interrupts_enabled(c, vcpu));
}

bool cpu_is_dead_halted(const struct cpu *c, unsigned vcpu)
{
    const struct cpu_vcpu *v = &c->vcpu[vcpu];

    if (v->init_pending || v->sipi_pending)
        return false;
    return v->wait_sipi || (v->halted && !interrupts_enabled(c, vcpu));
}

static void flat_segment(struct env_seg *seg, uint16_t selector, uint32_t flags)
{
    *seg = (struct env_seg){.selector = selector, .limit = 0xffffffff, .flags = flags};
}

void cpu_start_multiboot(struct cpu *c, uint32_t entry, uint32_t eax, uint32_t ebx)
{
    struct cpu_env *env;

    cpu_load_vcpu(c, 0);
    env = env_load(c);
    memset(env->regs, 0, sizeof(env->regs));
    env->regs[0] = eax;
    env->regs[3] = ebx;
    env->eip = entry;
    env_set_rflags(c, 2);
    for (unsigned i = 0; i < ARRAY_LEN(env->segs); i++)
        flat_segment(&env->segs[i], 0x10, 0x00cf9300);
    flat_segment(&env->segs[CPU_CS], 0x08, 0x00cf9b00);
    env->hflags = HF_PE | HF_CS32 | HF_SS32;
    env->cr[0] = CR0_PE | CR0_ET;
    c->mode_key = CPU_KEY_MODE_UNKNOWN;
    env_store(c);
    cpu_flush_tlb(c);
}

static struct cpu_segment public_segment(const struct env_seg *s)
{
    return (struct cpu_segment){.selector = (uint16_t)s->selector,
                                .limit = s->limit,
                                .base = s->base,
                                .flags = s->flags};
}

void cpu_get_regs(struct cpu *c, unsigned vcpu, struct cpu_regs *out)
{
    const struct env_offsets *off = env_offsets(c);
    struct cpu_vcpu *v = &c->vcpu[vcpu];
    unsigned was = c->current;
    const struct cpu_env *env;

    cpu_load_vcpu(c, vcpu); /* lazy flags can be worked out in the engine only */
    env = env_load(c);
    memset(out, 0, sizeof(*out));
    memcpy(out->gpr, env->regs, sizeof(out->gpr));
    out->rip = env->eip;
    out->rflags = env_rflags(c);
    for (unsigned i = 0; i < ARRAY_LEN(out->seg); i++)
        out->seg[i] = public_segment(&env->segs[i]);
    out->ldt = public_segment(&env->ldt);
    out->tr = public_segment(&env->tr);
    out->gdt = public_segment(&env->gdt);
    out->idt = public_segment(&env->idt);
    out->cr0 = env->cr[0];
    out->cr2 = env->cr[2];
    out->cr3 = env->cr[3];
    out->cr4 = env->cr[4];
    out->cr8 = c->bus.tpr_read(c->bus.user, vcpu);
    out->efer = ENV64(env, off->efer);
    memcpy(out->dr, v->dr, sizeof(v->dr));
    out->dr[6] = v->dr6;
    out->dr[7] = v->dr7;
    out->star = ENV64(env, off->star);
    out->lstar = ENV64(env, off->lstar);
    out->cstar = ENV64(env, off->cstar);
    out->fmask = ENV64(env, off->fmask);
    out->kernel_gs_base = ENV64(env, off->kernel_gs_base);
    out->sysenter_cs = ENV32(env, off->sysenter_cs);
    out->sysenter_esp = ENV64(env, off->sysenter_esp);
    out->sysenter_eip = ENV64(env, off->sysenter_eip);
    out->tsc_aux = ENV32(env, off->tsc_aux);
    out->pat = v->msr_pat;
    cpu_load_vcpu(c, was);
}

void cpu_get_counters(const struct cpu *c, unsigned vcpu, struct cpu_counters *out)
{
    *out = c->vcpu[vcpu].counters;
    if (vcpu == c->current) {
        out->insns += c->insns - c->insns_at_load;
        out->blocks += blocks_done(c) - c->blocks_at_load;
    }
}

void cpu_mmu_regs(struct cpu *c, unsigned vcpu, struct mmu_regs *out)
{
    const struct cpu_env *env = view(c, vcpu);

    *out = (struct mmu_regs){.cr0 = env->cr[0],
                             .cr3 = env->cr[3],
                             .cr4 = env->cr[4],
                             .efer = ENV64(env, env_offsets(c)->efer),
                             .cpl = env->hflags & HF_CPL,
                             .ac = (env->eflags & FLAG_AC) != 0,
                             .pdpte = c->vcpu[vcpu].pdpte};
}

void cpu_attach_probe(struct cpu *c, const struct base_probe *probe)
{
    c->probe = probe;
}

const char *cpu_fault_text(const struct cpu *c)
{
    return c->fault_text;
}

unsigned cpu_recent_blocks(const struct cpu *c, struct cpu_block_ref *out, unsigned max)
{
    unsigned n = (unsigned)MIN(c->blocks, MIN(max, CPU_RING));

    for (unsigned i = 0; i < n; i++) {
        uint64_t key = c->ring[(c->blocks - n + i) % CPU_RING];

        out[i] = (struct cpu_block_ref){.rip = cpu_key_va(key),
                                        .size_bytes = cpu_key_size(key),
                                        .vcpu = (uint8_t)c->current};
    }
    return n;
}

size_t cpu_read_bytes(struct cpu *c, unsigned vcpu, uint64_t va, void *out, size_t max,
                      unsigned access)
{
    struct mmu_translation t;
    struct tlb_page page;
    struct mmu_regs regs;
    size_t n = 0;

    cpu_mmu_regs(c, vcpu, &regs);
    while (n < max) {
        size_t room = PAGE_SIZE - ((va + n) & PAGE_MASK), take = MIN(room, max - n);

        if (access == MMU_FETCH && vcpu == c->current && tlb_find(c, &regs, va + n, access, &page))
            t.pa = GPA(page.pa | ((va + n) & PAGE_MASK));
        else if (mmu_walk(c->ram, &regs, GVA(va + n), access | MMU_PROBE | MMU_ANY, &t) != MMU_OK)
            break;
        if (!mmu_ram_read(c->ram, t.pa, (uint8_t *)out + n, take))
            break;
        n += take;
    }
    return n;
}

size_t cpu_fetch_bytes(struct cpu *c, unsigned vcpu, uint64_t va, uint8_t *out, size_t max)
{
    return cpu_read_bytes(c, vcpu, va, out, max, MMU_FETCH);
}

unsigned cpu_disassemble(struct cpu *c, unsigned vcpu, gva_t va, char *text, size_t text_size)
{
    uint8_t bytes[15];
    size_t n = cpu_fetch_bytes(c, vcpu, va.v, bytes, sizeof(bytes));

    return cpu_decode_text(cpu_code_mode(view(c, vcpu)), bytes, n, va.v, text, text_size);
}

const char *cpu_library_text(const struct cpu *c)
{
    return engine_text(c);
}

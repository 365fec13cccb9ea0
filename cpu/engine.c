/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library: opening it, running it, its hooks.  Its state: engine_state.c.
 *
 * What is used beyond the documented interface, and why
 *
 *  - The data of a saved context is the start of the library's CPU state.  The public
 *    interface can write neither CPL nor hidden segment state, without which nothing can be
 *    delivered.  engine_layout.c finds every field by writing known values through the public
 *    interface, and refuses to run when the layout is not the one of struct cpu_env.
 *  - The raw view: a pointer to the live state instead of copies of it (a boot is 13 % faster),
 *    and the flag that leaves out the library's stop check after each guest load and store
 *    (another 16 %).  Both are searched for and tried out at start-up; without them, or with
 *    cpu_config.portable, contexts are saved and restored instead.  Results are equal.
 *  - abort(): see below.
 *  - gettimeofday(): the library sizes its TLB by the host's time.  Below it is our own, which
 *    stands still but in engine_settle(): a run costs the same each time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#include "cpu/engine.h"
#include "cpu/engine_layout.h"

#define MAGIC_BASE 0x0100000000000000ull /* linear = physical + this, for dropping code */
#define MAGIC_MASK 0xff00000000000000ull
#define TCG_BUFFER_BYTES (64u << 20)

static struct engine *timed; /* whose clock the library sees */

/*
 * The library's only use of the host's time: with it, flushes decide whether a TLB that was
 * little used shall shrink.
 */
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    uint64_t us = timed ? timed->clock_us : 0;

    (void)tz;
    tv->tv_sec = (time_t)(1700000000 + us / 1000000);
    tv->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}

/*
 * Some encodings (LOCK BT of a register) make the library's translator call abort(), long before
 * anything of the block is executed.  No guest may end the simulator: its abort() comes here and
 * leads back to engine_start().  Everybody else's is what it always was.
 */
static sigjmp_buf *library_runs;

static bool is_library(const void *code)
{
    Dl_info info;

    return dladdr(code, &info) && info.dli_fname && strstr(info.dli_fname, "libunicorn");
}

void abort(void)
{
    sigjmp_buf *back = library_runs;

    library_runs = NULL;
    if (back && is_library(__builtin_return_address(0)))
        siglongjmp(*back, 1);
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    _exit(127);
}

/* Returns: false when the library gave up. */
static bool run_library(struct engine *e, uint64_t rip, uc_err *err)
{
    sigjmp_buf back;

    if (sigsetjmp(back, 0)) {
        if (e->nesting) /* it counts on coming back, and refuses to begin the 65th time */
            *e->nesting = 0;
        return false;
    }
    library_runs = &back;
    *err = uc_emu_start(e->uc, rip, 0, 0, 0);
    library_runs = NULL;
    return true;
}

/* ---- running ---- */

/* The fill hook knows the page; the library knows the byte. */
static void engine_fault(struct cpu *c)
{
    struct engine *e = c->engine;
    uint64_t exact;

    c->why = WHY_FAULT;
    c->fault.exact = false;
    if (!e->fault_address)
        return;
    memcpy(&exact, (const uint8_t *)e->uc + e->fault_address, sizeof(exact));
    if (exact >> PAGE_SHIFT != c->fault.va >> PAGE_SHIFT)
        return;
    c->fault.va = exact;
    c->fault.exact = true;
}

void engine_start(struct cpu *c)
{
    struct engine *e = c->engine;
    uint64_t rip = env_load(c)->eip;
    uc_err err = UC_ERR_OK;

    env_store(c);
    if (base_unlikely(c->ahead))
        tlb_forget_ahead(c);
    timed = e;
    c->why = WHY_NONE;
    c->stopping = false;
    c->running = true;
    if (!run_library(e, rip, &err))
        c->why = WHY_GAVE_UP;
    c->running = false;
    c->stopping = false;
    if (err != UC_ERR_OK && c->why == WHY_NONE) {
        if (e->fill_refused)
            engine_fault(c);
        else
            cpu_set_crash(c, "the library stopped: %s", uc_strerror(err));
    }
    e->fill_refused = false;
    if (c->cutting)
        engine_cut(c, 0);
    env_load(c);
    if (base_unlikely(c->cr3_block) && c->cr3_block == c->blocks && !blocks_is_inside(c))
        tlb_cr3_is_loaded(c);
}

void engine_stop(struct cpu *c, enum cpu_why why)
{
    if (c->engine->skip_sync)
        *c->engine->skip_sync = 0; /* RIP is wanted now */
    c->why = why;
    c->stopping = true;
    cpu_set_limit(c, cpu_now(c)); /* so that the hook of a block not run any more looks */
    uc_emu_stop(c->engine->uc);
}

void engine_flush_tlb(struct cpu *c)
{
    timed = c->engine;
    uc_ctl_flush_tlb(c->engine->uc);
    frames_flushed(c);
}

/* The library makes its TLB smaller when little of it was used for 100 ms, and it is flushed. */
#define SETTLE_WINDOW_US 200000u

void engine_settle(struct cpu *c)
{
    c->engine->clock_us += SETTLE_WINDOW_US;
    engine_flush_tlb(c);
}

void engine_drop_all(struct cpu *c)
{
    uc_ctl_flush_tb(c->engine->uc);
    engine_flush_tlb(c);
}

void engine_drop_range(struct cpu *c, uint64_t va, uint32_t size)
{
    struct cpu_fault fault = c->fault;

    uc_ctl_remove_cache(c->engine->uc, va, va + size);
    c->fault = fault; /* the library may have asked for the page, and then does nothing */
    c->engine->fill_refused = false;
}

void engine_drop_frame(struct cpu *c, uint64_t mfn)
{
    uint64_t at = MAGIC_BASE | (mfn << PAGE_SHIFT);

    c->engine->dropping = true;
    uc_ctl_remove_cache(c->engine->uc, at, at + PAGE_SIZE);
    c->engine->dropping = false;
    engine_flush_tlb(c); /* also of the entry for the address above */
}

void engine_cut(struct cpu *c, uint64_t va)
{
    uint64_t exits[1] = {va};

    uc_ctl_set_exits(c->engine->uc, exits, va ? 1 : 0);
    c->cutting = va != 0;
}

/* ---- hooks ---- */

static void hook_intr(uc_engine *uc, uint32_t vector, void *user)
{
    struct cpu *c = user;

    (void)uc;
    if (c->stopping && (c->why == WHY_SYSCALL || c->why == WHY_SYSENTER))
        return; /* the single-step trap of a transition that has not happened yet */
    c->exc_vector = vector;
    engine_stop(c, WHY_EXCEPTION);
}

static bool hook_invalid(uc_engine *uc, void *user)
{
    struct cpu *c = user;

    (void)uc;
    c->exc_vector = EXC_UD;
    engine_stop(c, WHY_EXCEPTION);
    return true;
}

static void hook_syscall(uc_engine *uc, void *user)
{
    (void)uc;
    engine_stop(user, WHY_SYSCALL);
}

static void hook_sysenter(uc_engine *uc, void *user)
{
    (void)uc;
    engine_stop(user, WHY_SYSENTER);
}

static bool hook_fill(uc_engine *uc, uint64_t va, uc_mem_type type, uc_tlb_entry *out, void *user)
{
    struct cpu *c = user;
    unsigned access = type == UC_MEM_WRITE   ? MMU_WRITE
                      : type == UC_MEM_FETCH ? MMU_FETCH
                                             : MMU_READ;
    unsigned rights;
    uint64_t pa;

    (void)uc;
    if (c->engine->dropping && (va & MAGIC_MASK) == MAGIC_BASE) {
        out->paddr = va & ~MAGIC_MASK & ~PAGE_MASK;
        out->perms = UC_PROT_ALL;
        return true;
    }
    if (!frames_fill(c, va, access, &pa, &rights)) {
        c->engine->fill_refused = true;
        if (c->engine->skip_sync)
            *c->engine->skip_sync = 0;
        return false;
    }
    out->paddr = pa;
    out->perms = (rights & MMU_READ ? UC_PROT_READ : 0) | (rights & MMU_WRITE ? UC_PROT_WRITE : 0) |
                 (rights & MMU_FETCH ? UC_PROT_EXEC : 0);
    return true;
}

/* RDTSC reads the counter as it is before the instruction; the block is counted whole. */
static uint64_t tsc_in_block(struct cpu *c)
{
    uint64_t key = c->ring[(c->blocks - 1) % CPU_RING];
    const struct cpu_front *e = &c->front[CPU_FRONT_INDEX(cpu_key_va(key))];
    uint32_t tail = e->key == key && e->rdtsc_tail_cost != UINT16_MAX ? e->rdtsc_tail_cost
                                                                    : blocks_rdtsc_tail(c);

    return cpu_now(c) - tail + c->vcpu[c->current].tsc_offset;
}

static void write_gpr(struct cpu *c, unsigned n, uint64_t value)
{
    static const int id[] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX};

    if (c->portable)
        uc_reg_write(c->engine->uc, id[n], &value);
    else
        c->env->regs[n] = value;
}

static int hook_rdtsc(uc_engine *uc, void *user)
{
    struct cpu *c = user;
    uint64_t tsc = tsc_in_block(c);

    (void)uc;
    if (c->engine->skip_sync)
        *c->engine->skip_sync = 1; /* RIP is not needed here */
    write_gpr(c, 0, (uint32_t)tsc);
    write_gpr(c, 2, tsc >> 32);
    return 1;
}

static int hook_rdtscp(uc_engine *uc, void *user)
{
    struct cpu *c = user;
    uint64_t aux;

    hook_rdtsc(uc, user);
    aux = ENV32(env_load(c), env_offsets(c)->tsc_aux);
    write_gpr(c, 1, aux);
    return 1;
}

static int hook_cpuid(uc_engine *uc, void *user)
{
    struct cpu *c = user;
    struct cpu_env *env = env_load(c);
    struct cpuid_result r;

    (void)uc;
    cpu_model_cpuid(c, (uint32_t)env->regs[0], (uint32_t)env->regs[1], &r);
    write_gpr(c, 0, r.eax);
    write_gpr(c, 1, r.ecx);
    write_gpr(c, 2, r.edx);
    write_gpr(c, 3, r.ebx);
    return 1;
}

static bool add_hooks(struct cpu *c)
{
    uc_engine *uc = c->engine->uc;
    uc_hook h;

    return uc_hook_add(uc, &h, UC_HOOK_TLB_FILL, hook_fill, c, 1, 0) == UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_BLOCK, engine_block_hook(c), c, 1, 0) == UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INTR, hook_intr, c, 1, 0) == UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INSN_INVALID, hook_invalid, c, 1, 0) == UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INSN, hook_syscall, c, 1, 0, UC_X86_INS_SYSCALL) ==
               UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INSN, hook_sysenter, c, 1, 0, UC_X86_INS_SYSENTER) ==
               UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INSN, hook_cpuid, c, 1, 0, UC_X86_INS_CPUID) == UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INSN, hook_rdtsc, c, 1, 0, UC_X86_INS_RDTSC) == UC_ERR_OK &&
           uc_hook_add(uc, &h, UC_HOOK_INSN, hook_rdtscp, c, 1, 0, UC_X86_INS_RDTSCP) == UC_ERR_OK;
}

/* ---- opening ---- */

static bool map_ram(struct cpu *c)
{
    struct mmu_ram *ram = c->ram;

    if (uc_mem_map_ptr(c->engine->uc, 0, ram->low_bytes, UC_PROT_ALL, ram->host) != UC_ERR_OK)
        return false;
    if (uc_mem_map_ptr(c->engine->uc, CPU_SCRATCH_PA, CPU_SCRATCH_PAGES * PAGE_SIZE,
                       UC_PROT_READ | UC_PROT_WRITE, c->scratch.host) != UC_ERR_OK)
        return false;
    return ram->top <= MMU_RAM_HIGH_BASE ||
           uc_mem_map_ptr(c->engine->uc, MMU_RAM_HIGH_BASE, ram->top - MMU_RAM_HIGH_BASE,
                          UC_PROT_ALL, ram->host + MMU_RAM_HIGH_BASE) == UC_ERR_OK;
}

bool engine_open(struct cpu *c, GError **error)
{
    static const int library_model[] = {[CPU_LIBRARY_HASWELL] = UC_CPU_X86_HASWELL,
                                        [CPU_LIBRARY_BROADWELL] = UC_CPU_X86_BROADWELL};
    struct engine *e = g_new0(struct engine, 1);
    unsigned major, minor, version = uc_version(&major, &minor);

    c->engine = e;
    timed = e;
    if (version >> 8 < (2u << 16 | 1u << 8 | 4u)) {
        g_set_error(error, CPU_ERROR, CPU_ERROR_LIBRARY, "libunicorn %u.%u.%u is too old: 2.1.4 is "
                    "needed (tools/setup installs it)", major, minor, version >> 8 & 0xff);
        return false;
    }
    if (uc_open(UC_ARCH_X86, UC_MODE_64, &e->uc) != UC_ERR_OK ||
        uc_ctl_set_cpu_model(e->uc, library_model[cpu_model_library_id(c->model)]) != UC_ERR_OK ||
        uc_ctl_set_tcg_buffer_size(e->uc, TCG_BUFFER_BYTES) != UC_ERR_OK ||
        uc_ctl_exits_enable(e->uc) != UC_ERR_OK ||
        uc_ctl_tlb_mode(e->uc, UC_TLB_VIRTUAL) != UC_ERR_OK || !map_ram(c) ||
        uc_context_alloc(e->uc, &e->scratch) != UC_ERR_OK) {
        g_set_error(error, CPU_ERROR, CPU_ERROR_LIBRARY, "libunicorn cannot be opened");
        return false;
    }
    if (!engine_layout_find(e, error))
        return false;
    engine_layout_find_fault_address(e);
    engine_layout_find_nesting(e);
    c->portable = c->config.portable || !engine_layout_find_raw(e);
    c->env = c->portable ? engine_context_env(c, e->scratch) : e->raw_env;
    e->uses_raw = !c->portable;
    if (!c->portable) {
        e->uses_no_exit = engine_layout_leave_out_exit_checks(e);
        engine_layout_find_skip_sync(e);
    }
    if (!add_hooks(c)) {
        g_set_error(error, CPU_ERROR, CPU_ERROR_LIBRARY, "libunicorn refuses a hook");
        return false;
    }
    g_snprintf(e->text, sizeof(e->text), "libunicorn %u.%u.%u, %s view%s%s", major, minor,
               version >> 8 & 0xff, e->uses_raw ? "raw" : "portable",
               e->uses_no_exit ? ", no exit checks" : "", e->skip_sync ? ", lazy RIP" : "");
    return true;
}

void engine_close(struct cpu *c)
{
    struct engine *e = c->engine;

    if (!e)
        return;
    if (timed == e)
        timed = NULL;
    if (e->scratch)
        uc_context_free(e->scratch);
    if (e->uc)
        uc_close(e->uc);
    if (e->near)
        munmap(e->near, PAGE_SIZE);
    g_free(e);
    c->engine = NULL;
}

const char *engine_text(const struct cpu *c)
{
    return c->engine->text;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs to the processor: trap tables and callbacks, stacks, segments, debug registers, iret.
 *
 * Left out of a domain that is to survive: handlers that are none for what may come at any time (the NMI, our
 * own breakpoints).  Other handlers are nonsense for the moment of the call, with upcalls masked.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/event.h"
#include "guests/lib/memory.h"
#include "guests/lib/trap.h"
#include "guests/lib/user.h"

static bool put_right(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    (void)cpu;
    (void)call;
    trap_install();
    return result >= 0;
}

/* Where code could be, canonical or not. */
static u64 some_code(struct fuzz_cpu *cpu)
{
    if (fuzz_one_in(cpu, 4))
        return fuzz_bad_pointer(cpu);
    return trap_stub((u32)fuzz_below(cpu, 256));
}

static bool gen_trap_table(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 n = (u32)fuzz_below(cpu, fuzz_one_in(cpu, 8) ? 100 : 8);
    struct trap_info *table = fuzz_buffer(cpu, (n + 1) * sizeof *table);

    for (u32 i = 0; i < n; i++) {
        table[i].vector = fuzz.reckless ? (u8)fuzz_random(cpu) : (u8)(3 + fuzz_below(cpu, 253));
        table[i].flags = (u8)fuzz_random(cpu);
        table[i].cs = fuzz_one_in(cpu, 3) ? (u16)fuzz_random(cpu) : FLAT_KERNEL_CS;
        table[i].address = some_code(cpu);
    }
    call->quiet = true;
    call->learn = put_right;
    call->whole = !fuzz.reckless;
    fuzz_call_set(call, __HYPERVISOR_set_trap_table, 0, (u64)table, 0, 0);
    return true;
}

static bool gen_callbacks(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    call->quiet = true;
    call->learn = put_right;
    fuzz_call_set(call, __HYPERVISOR_set_callbacks, 0, some_code(cpu), some_code(cpu), some_code(cpu));
    return true;
}

static bool gen_callback_op(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct callback_register *callback = fuzz_buffer(cpu, sizeof *callback);
    u32 command = fuzz_one_in(cpu, 4) ? CALLBACKOP_unregister : CALLBACKOP_register;

    callback->type = (u16)(fuzz_one_in(cpu, 12) ? fuzz_random(cpu) : fuzz_below(cpu, 8));
    callback->flags = (u16)fuzz_below(cpu, 4);
    callback->address = callback->type == CALLBACKTYPE_nmi && !fuzz.reckless ? trap_stub(TRAP_NMI) : some_code(cpu);
    if (command == CALLBACKOP_unregister && callback->type == CALLBACKTYPE_nmi && !fuzz.reckless)
        command = CALLBACKOP_register;
    call->quiet = true;
    call->learn = put_right;
    fuzz_call_set(call, __HYPERVISOR_callback_op, command, fuzz_one_in(cpu, 30) ? fuzz_random(cpu) | 2 : command,
                  (u64)callback, 0);
    return true;
}

static bool gen_nmi(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    struct xennmi_callback *nmi = fuzz_buffer(cpu, sizeof *nmi);
    u32 command = fuzz.reckless ? (u32)fuzz_below(cpu, 3) : (u32)fuzz_below(cpu, 2) * 2;

    nmi->handler_address = fuzz.reckless ? some_code(cpu) : trap_stub(TRAP_NMI);
    nmi->pad = fuzz_random(cpu);
    call->whole = !fuzz.reckless;
    fuzz_call_set(call, __HYPERVISOR_nmi_op, command, command, (u64)nmi, 0);
    return true;
}

/* The stack of entries from user mode, where we only go with a stack of its own. */
static bool gen_stack(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    fuzz_call_set(call, __HYPERVISOR_stack_switch, 0, fuzz_one_in(cpu, 2) ? SEL_DS : fuzz_random(cpu) & 0xffff,
                  fuzz_one_in(cpu, 2) ? fuzz_random(cpu) : fuzz_address(cpu), 0);
    return true;
}

static bool gen_segment_base(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u64 which = fuzz_one_in(cpu, 16) ? fuzz_random(cpu) : fuzz_below(cpu, 4);

    fuzz_call_set(call, __HYPERVISOR_set_segment_base, (u32)which, which,
                  which == SEGBASE_GS_USER_SEL ? fuzz_random(cpu) & 0xffff
                                               : (fuzz_one_in(cpu, 4) ? fuzz_bad_pointer(cpu) : fuzz_address(cpu)), 0);
    return true;
}

/* Breakpoints where the hypervisor will read and write for us, too. */
static bool gen_debugreg(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u64 reg = fuzz_one_in(cpu, 16) ? fuzz_random(cpu) : fuzz_below(cpu, 8), value;

    if (fuzz_one_in(cpu, 4)) {
        fuzz_call_set(call, __HYPERVISOR_get_debugreg, 0, reg, 0, 0);
        return true;
    }
    switch (reg) {
    case 0: case 1: case 2: case 3:
        value = fuzz_one_in(cpu, 2) ? cpu->arena + fuzz_below(cpu, 2 * PAGE_SIZE) : fuzz_one_in(cpu, 2) ? some_code(cpu) : fuzz_address(cpu);
        if (value == trap_stub(TRAP_DB) && !fuzz.reckless) /* it would not get beyond its first instruction */
            value = trap_stub(TRAP_BP);
        break;
    case 7:
        value = fuzz_one_in(cpu, 3) ? fuzz_random(cpu) : (fuzz_random(cpu) & 0xffff00ff) | 0x400;
        break;
    default:
        value = fuzz_random(cpu);
        break;
    }
    fuzz_call_set(call, __HYPERVISOR_set_debugreg, (u32)(reg > 8 ? 8 : reg), reg, value, 0);
    return true;
}

static bool gen_simple(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    if (fuzz_one_in(cpu, 2)) {
        fuzz_call_set(call, __HYPERVISOR_fpu_taskswitch, 0, fuzz_below(cpu, 2), 0, 0);
        return true;
    }
    fuzz_call_set(call, __HYPERVISOR_vm_assist, 0, fuzz_one_in(cpu, 12) ? fuzz_random(cpu) : fuzz_below(cpu, 2),
                  fuzz_one_in(cpu, 12) ? fuzz_random(cpu) : fuzz_below(cpu, 8), 0);
    return true;
}

/* ---- descriptors ---- */

void fuzz_use_ldt(struct fuzz_cpu *cpu)
{
    u32 selector = (u32)fuzz_below(cpu, fuzz_one_in(cpu, 4) ? 8192 : 64) << 3 | 7, rights;

    switch (fuzz_below(cpu, 4)) {
    case 0:
        TRAP_INSN("mov %0, %%ds", (), ("r"(selector)));
        break;
    case 1:
        TRAP_INSN("mov %0, %%fs", (), ("r"(selector)));
        break;
    default:
        TRAP_INSN("lar %1, %0", ("=r"(rights)), ("r"(selector)), "cc");
        break;
    }
}

/* ---- iret ---- */

/* Comes back behind the call, whatever the selectors are: a bad one raises an exception there, see vcpus.c. */
__attribute__((noinline, noclone)) static void iret_here(u64 cs, u64 rflags, u64 ss, u64 flags)
{
    __asm__ volatile("movq %%rsp, %%rax\n"
                     "pushq %[ss]\n"
                     "pushq %%rax\n"
                     "pushq %[rflags]\n"
                     "pushq %[cs]\n"
                     "leaq fuzz_iret_landing(%%rip), %%rcx\n"
                     "pushq %%rcx\n"
                     "pushq %[flags]\n"
                     "pushq $0\n"
                     "pushq $0\n"
                     "pushq $0\n"
                     "movl %[number], %%eax\n"
                     "syscall\n"
                     "ud2\n"
                     ".globl fuzz_iret_landing\n"
                     "fuzz_iret_landing: pushq $2\n"
                     "popfq\n"
                     :
                     : [ss] "r"(ss), [rflags] "r"(rflags), [cs] "r"(cs), [flags] "r"(flags), [number] "i"(__HYPERVISOR_iret)
                     : "rax", "rcx", "r11", "memory", "cc");
}

static u64 in_user_mode(u64 arg) { return arg + 1; }

void fuzz_iret(struct fuzz_cpu *cpu)
{
    /* No single steps: there would be one for each instruction until somebody clears the flag. */
    u64 rflags = fuzz_random(cpu) & 0x3fffff & ~0x100ul;

    if (cpu->number == 0 && fuzz_one_in(cpu, 4)) {
        if (user_set_root(fuzz.root_mfn[fuzz_below(cpu, 2)]))
            return;
        /* user mode has no buffers that need to be aligned, but a stack */
        fuzz_count(cpu, __HYPERVISOR_iret, 1, user_call_flags(in_user_mode, 1, rflags & ~0x40000ul) == TRAP_NONE && trap_result == 2);
        return;
    }
    iret_here(fuzz_one_in(cpu, 3) ? fuzz_random(cpu) & ~3ul : SEL_KERNEL_CS, rflags,
              fuzz_one_in(cpu, 4) ? fuzz_random(cpu) : SEL_DS, fuzz_one_in(cpu, 2) ? VGCF_in_syscall : fuzz_random(cpu));
    fuzz_count(cpu, __HYPERVISOR_iret, 0, true);
}

fuzz_generator fuzz_gen_cpu(struct fuzz_cpu *cpu)
{
    static const fuzz_generator generators[] = {gen_trap_table,   gen_callbacks,    gen_callback_op, gen_nmi,     gen_stack,
                                                gen_segment_base, gen_segment_base, gen_debugreg,    gen_debugreg, gen_simple};

    return FUZZ_PICK(cpu, generators);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/report.h"

#include <inttypes.h>

#include "sim/base/types.h"

#define BLOCKS              16
#define LINES_PER_BLOCK_MAX 24

static void put_address(FILE *out, const struct symbols *symbols, uint64_t address)
{
    uint64_t offset;
    const char *name = symbols_find(symbols, address, &offset);

    fprintf(out, "%016" PRIx64, address);
    if (name)
        fprintf(out, " <%s+0x%" PRIx64 ">", name, offset);
}

static void put_segment(FILE *out, const char *name, const struct cpu_segment *s)
{
    fprintf(out, "  %-4s %04x  base %016" PRIx64 "  limit %08" PRIx32 "  flags %08" PRIx32 "\n",
            name, s->selector, s->base, s->limit, s->flags);
}

void report_registers(FILE *out, const struct cpu_regs *r)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        fprintf(out, "  %-3s %016" PRIx64 "%s", names[i], r->gpr[i], i % 4 == 3 ? "\n" : "");
    fprintf(out, "  rip %016" PRIx64 "  rflags %016" PRIx64 "\n", r->rip, r->rflags);
    fprintf(out,
            "  cr0 %08" PRIx64 "  cr2 %016" PRIx64 "  cr3 %016" PRIx64 "  cr4 %08" PRIx64
            "  cr8 %" PRIx64 "  efer %04" PRIx64 "\n",
            r->cr0, r->cr2, r->cr3, r->cr4, r->cr8, r->efer);
    fprintf(out,
            "  dr0 %016" PRIx64 "  dr1 %016" PRIx64 "  dr2 %016" PRIx64 "  dr3 %016" PRIx64 "\n",
            r->dr[0], r->dr[1], r->dr[2], r->dr[3]);
    fprintf(out, "  dr6 %016" PRIx64 "  dr7 %016" PRIx64 "\n", r->dr[6], r->dr[7]);
    for (unsigned i = 0; i < ARRAY_LEN(segments); i++)
        put_segment(out, segments[i], &r->seg[i]);
    put_segment(out, "ldtr", &r->ldt);
    put_segment(out, "tr", &r->tr);
    fprintf(out, "  gdtr base %016" PRIx64 "  limit %04" PRIx32 "\n", r->gdt.base, r->gdt.limit);
    fprintf(out, "  idtr base %016" PRIx64 "  limit %04" PRIx32 "\n", r->idt.base, r->idt.limit);
}

static void put_block(FILE *out, struct cpu *cpu, const struct cpu_block_ref *block,
                      const struct symbols *symbols)
{
    uint64_t at = block->rip, end = block->rip + block->size_bytes;
    char text[160];

    fprintf(out, "  vcpu %u  ", block->vcpu);
    put_address(out, symbols, block->rip);
    fputc('\n', out);
    for (unsigned line = 0; at < end; line++) {
        unsigned length = cpu_disassemble(cpu, block->vcpu, GVA(at), text, sizeof(text));

        if (length == 0 || line == LINES_PER_BLOCK_MAX) {
            fprintf(out, "      %016" PRIx64 "  %s\n", at,
                    length ? "..." : "(not mapped any more, or no instruction)");
            return;
        }
        fprintf(out, "      %016" PRIx64 "  %s\n", at, text);
        at += length;
    }
}

void report_catastrophe(FILE *out, struct sim_machine *m, const struct symbols *symbols)
{
    struct cpu *cpu = sim_machine_cpu(m);
    unsigned vcpu = cpu_current(cpu);
    struct cpu_block_ref blocks[BLOCKS];
    unsigned count = cpu_recent_blocks(cpu, blocks, BLOCKS);
    const char *why = cpu_fault_text(cpu);
    struct cpu_regs regs;

    cpu_get_regs(cpu, vcpu, &regs);
    fprintf(out, "\nThe guest cannot go on: %s\n", why ? why : "no reason is known");
    fprintf(out, "vcpu %u, after %" PRIu64 " instructions, at %" PRIu64 " ns, rip ", vcpu,
            sim_machine_insns(m), sim_machine_virtual_ns(m));
    put_address(out, symbols, regs.rip);
    fputs("\n\nRegisters\n", out);
    report_registers(out, &regs);
    fprintf(out, "\nLast %u blocks, oldest first\n", count);
    for (unsigned i = 0; i < count; i++)
        put_block(out, cpu, &blocks[i], symbols);
    fputc('\n', out);
}

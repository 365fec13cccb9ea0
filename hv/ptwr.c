/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writable page tables: a guest kernel's store to an L1 table, which it sees read-only, is
 * executed here as the change of an entry.  The fault tells the address; only what is stored
 * has to be found out.
 */
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/emul.h"
#include "hv/guest.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/trap.h"

#define ARITHMETIC 0x8d5ull

static u64 low_bits(u64 v, unsigned size) { return size == 8 ? v : v & ((1ull << size * 8) - 1); }

/* One of add or adc sbb and sub xor cmp on @size bytes; flags as the processor sets them. */
static u64 alu(unsigned op, unsigned size, u64 a, u64 b, u64 *flags)
{
    unsigned up = 64 - size * 8;
    u64 x = a << up, y = b << up, f, carry = *flags & 1, r;
    switch (op) {
    case 0: __asm__("add %2,%0; pushfq; popq %1" : "+r"(x), "=r"(f) : "r"(y) : "cc"); break;
    case 1: __asm__("or %2,%0; pushfq; popq %1" : "+r"(x), "=r"(f) : "r"(y) : "cc"); break;
    case 2: return low_bits(a + b + carry, size);
    case 3: return low_bits(a - b - carry, size);
    case 4: __asm__("and %2,%0; pushfq; popq %1" : "+r"(x), "=r"(f) : "r"(y) : "cc"); break;
    case 6: __asm__("xor %2,%0; pushfq; popq %1" : "+r"(x), "=r"(f) : "r"(y) : "cc"); break;
    default: __asm__("sub %2,%0; pushfq; popq %1" : "+r"(x), "=r"(f) : "r"(y) : "cc"); break;
    }
    r = x >> up;
    f &= ARITHMETIC & ~0x14ull;
    if (!__builtin_parity((unsigned)(r & 255)))
        f |= 4;
    f |= (a ^ b ^ r) & 0x10;
    *flags = (*flags & ~ARITHMETIC) | f;
    return r;
}

struct store {
    unsigned size;
    u64 value;
    u64 flags;		/* RFLAGS afterwards */
    u64 *reg;		/* a register that changes too, NULL: none */
    u64 reg_value;
    unsigned reg_size;
    bool writes;	/* a comparison that fails stores the old value */
};

static u64 immediate(struct hv_insn *i, unsigned size)
{
    s64 v = 0;
    unsigned n = HV_MIN(size, 4u);
    __builtin_memcpy(&v, &i->bytes[i->imm_at], n);
    i->length = (u8)(i->length + n);
    return n == 1 ? (u64)(s64)(s8)v : n == 2 ? (u64)(s64)(s16)v : (u64)(s64)(s32)v;
}

static u64 byte_or_whole(struct hv_insn *i, struct cpu_user_regs *r, unsigned size, u64 **reg)
{
    *reg = hv_reg(r, i->reg);
    if (size == 1 && !i->rex && i->reg >= 4 && i->reg < 8) {
        *reg = NULL;	/* AH and the like: not emulated as a target */
        return *hv_reg(r, i->reg - 4) >> 8 & 255;
    }
    return low_bits(**reg, size);
}

static bool one_byte(struct hv_insn *i, struct cpu_user_regs *r, struct store *s, u64 old)
{
    u64 *reg, v;
    u8 op = i->opcode;
    if (op == 0xa4 || op == 0xa5 || op == 0xaa || op == 0xab) {
        u64 step = r->rflags & HV_FLAG_DF ? -(u64)s->size : s->size;
        if (i->address32 || (i->rep && !r->rcx))
            return false;
        if (op >= 0xaa)
            v = r->rax;
        else if (hv_copy_from_guest(&v, r->rsi, s->size))
            return false;
        else
            r->rsi += step;
        r->rdi += step;
        s->value = low_bits(v, s->size);
        if (i->rep && --r->rcx)
            i->length = 0;	/* once more */
        return true;
    }
    if (!hv_insn_modrm(i) || i->mod == 3)
        return false;
    if (op < 0x40 && (op & 7) < 2 && op >> 3 != 7) {
        s->value = alu(op >> 3, s->size, old, byte_or_whole(i, r, s->size, &reg), &s->flags);
        return op >> 3 != 2 && op >> 3 != 3;
    }
    switch (op) {
    case 0x80: case 0x81: case 0x83:
        v = low_bits(immediate(i, op == 0x83 ? 1 : s->size), s->size);
        s->value = alu(i->reg & 7, s->size, old, v, &s->flags);
        return (i->reg & 7) != 2 && (i->reg & 7) != 3 && (i->reg & 7) != 7;
    case 0x86: case 0x87:
        s->value = byte_or_whole(i, r, s->size, &reg);
        s->reg = reg;
        s->reg_value = old;
        s->reg_size = s->size;
        return reg != NULL;
    case 0x88: case 0x89:
        s->value = byte_or_whole(i, r, s->size, &reg);
        return true;
    case 0xc6: case 0xc7:
        s->value = low_bits(immediate(i, s->size), s->size);
        return (i->reg & 7) == 0;
    case 0xf6: case 0xf7:
        s->value = low_bits(~old, s->size);
        return (i->reg & 7) == 2;
    }
    return false;
}

static bool two_bytes(struct hv_insn *i, struct cpu_user_regs *r, struct store *s, u64 old)
{
    u64 *reg, v, bit;
    u8 op = i->opcode;
    if (!hv_insn_modrm(i) || i->mod == 3)
        return false;
    switch (op) {
    case 0xb0: case 0xb1:
        v = byte_or_whole(i, r, s->size, &reg);
        alu(7, s->size, low_bits(r->rax, s->size), old, &s->flags);
        if (low_bits(r->rax, s->size) == old) {
            s->value = v;
        } else {
            s->value = old;
            s->reg = &r->rax;
            s->reg_value = old;
            s->reg_size = s->size;
        }
        return true;
    case 0xc0: case 0xc1:
        v = byte_or_whole(i, r, s->size, &reg);
        s->value = alu(0, s->size, old, v, &s->flags);
        s->reg = reg;
        s->reg_value = old;
        s->reg_size = s->size;
        return reg != NULL;
    case 0xc3:
        s->value = low_bits(*hv_reg(r, i->reg), s->size);
        return s->size >= 4;
    case 0xab: case 0xb3: case 0xbb: case 0xba:
        if (op == 0xba) {
            bit = immediate(i, 1);
            op = (u8)(0xa3 + (i->reg & 7) * 8 - 32);
            if ((i->reg & 7) < 5)
                return false;
        } else {
            bit = *hv_reg(r, i->reg);
        }
        bit = 1ull << (bit & (s->size * 8 - 1));
        s->flags = (s->flags & ~1ull) | !!(old & bit);
        s->value = op == 0xab ? old | bit : op == 0xb3 ? old & ~bit : old ^ bit;
        return true;
    }
    return false;
}

HV_PROBE bool hv_ptwr(struct hv_vcpu *v, u64 va)
{
    struct cpu_user_regs *r = &v->regs, saved;
    struct hv_insn i;
    u64 *slot = hv_walk_l1(v->cr3, va), word, mask;
    if (!slot || (*slot & (HV_PTE_P | HV_PTE_RW)) != HV_PTE_P || !hv_mfn_is_ram(hv_pte_mfn(*slot)))
        return false;
    struct hv_frame *f = hv_frame(hv_pte_mfn(*slot));
    if (f->type != HV_TYPE_L1 || !(f->flags & HV_FRAME_VALIDATED) || !f->type_count ||
        f->owner != v->domain->id || !hv_insn_fetch(&i, r))
        return false;
    unsigned size = i.rex & 8 ? 8 : i.operand16 ? 2 : 4, shift = (va & 7) * 8;
    bool bytes = i.two_byte ? i.opcode == 0xb0 || i.opcode == 0xc0 : !(i.opcode & 1) && i.opcode != 0x82;
    struct store s = {.size = bytes && !(i.two_byte && i.opcode == 0xba) ? 1 : size, .flags = r->rflags};
    if (i.opcode == 0x83 && !i.two_byte)
        s.size = size;
    if (va & (s.size - 1))
        return false;
    word = *(u64 *)((char *)hv_frame_va(f) + (va & 0xff8));
    mask = low_bits(~0ull, s.size) << shift;
    saved = *r;
    u64 old = low_bits(word >> shift, s.size);
    if (!(i.two_byte ? two_bytes(&i, r, &s, old) : one_byte(&i, r, &s, old)) || i.length > i.available) {
        *r = saved;
        return false;
    }
    u64 val = (word & ~mask) | (s.value << shift & mask);
    if (v->domain->paging->write_entry(f, (u64 *)((char *)hv_frame_va(f) + (va & 0xff8)), val, v->domain,
                                       v->domain, false)) {
        *r = saved;
        return false;
    }
    if (s.reg) {
        u64 keep = s.reg_size >= 4 ? 0 : ~low_bits(~0ull, s.reg_size);
        *s.reg = (*s.reg & keep) | s.reg_value;
    }
    r->rflags = s.flags;
    r->rip += i.length;
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking instructions apart: 64-bit code only. */
#include "hv/emul.h"
#include "hv/guest.h"

u64 *hv_reg(struct cpu_user_regs *r, unsigned n)
{
    static const u8 at[16] = {
        offsetof(struct cpu_user_regs, rax) / 8, offsetof(struct cpu_user_regs, rcx) / 8,
        offsetof(struct cpu_user_regs, rdx) / 8, offsetof(struct cpu_user_regs, rbx) / 8,
        offsetof(struct cpu_user_regs, rsp) / 8, offsetof(struct cpu_user_regs, rbp) / 8,
        offsetof(struct cpu_user_regs, rsi) / 8, offsetof(struct cpu_user_regs, rdi) / 8,
        offsetof(struct cpu_user_regs, r8) / 8,  offsetof(struct cpu_user_regs, r9) / 8,
        offsetof(struct cpu_user_regs, r10) / 8, offsetof(struct cpu_user_regs, r11) / 8,
        offsetof(struct cpu_user_regs, r12) / 8, offsetof(struct cpu_user_regs, r13) / 8,
        offsetof(struct cpu_user_regs, r14) / 8, offsetof(struct cpu_user_regs, r15) / 8,
    };
    return (u64 *)r + at[n & 15];
}

bool hv_insn_fetch(struct hv_insn *i, const struct cpu_user_regs *r)
{
    *i = (struct hv_insn){0};
    if (r->cs != HV_SEL_GUEST_CS64)
        return false;
    i->available = (u8)(15 - hv_copy_from_guest(i->bytes, r->rip, 15));
    u8 n = 0;
    for (; n < i->available; n++) {
        u8 b = i->bytes[n];
        if ((b & 0xf0) == 0x40) {
            i->rex = b;
            continue;
        }
        switch (b) {
        case 0x66: i->operand16 = true; break;
        case 0x67: i->address32 = true; break;
        case 0xf2: case 0xf3: i->rep = b; break;
        case 0xf0: case 0x2e: case 0x36: case 0x3e: case 0x26: case 0x64: case 0x65: break;
        case 0x0f:
            i->two_byte = true;
            n++;
            /* fall through */
        default:
            i->opcode = i->bytes[n];
            i->length = (u8)(n + 1);
            return i->length <= i->available;
        }
        i->rex = 0;	/* REX counts right before the opcode only */
    }
    return false;
}

bool hv_insn_modrm(struct hv_insn *i)
{
    u8 m, base;
    if (i->length >= i->available)
        return false;
    m = i->bytes[i->length++];
    i->mod = m >> 6;
    i->reg = (u8)((m >> 3 & 7) | (i->rex & 4) << 1);
    i->rm = (u8)((m & 7) | (i->rex & 1) << 3);
    if (i->mod != 3) {
        if ((m & 7) == 4)
            base = i->bytes[i->length++] & 7;
        else
            base = m & 7;
        if (i->mod == 1)
            i->length += 1;
        else if (i->mod == 2 || base == 5)
            i->length += 4;
    }
    i->imm_at = i->length;
    return i->length <= i->available;
}

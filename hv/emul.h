/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a guest's instruction: as much of the format as emulation needs. */
#ifndef HV_EMUL_H
#define HV_EMUL_H

#include "hv/types.h"

#include <xen/xen.h>

struct hv_insn {
    u8 bytes[16];
    u8 length;		/* of the whole instruction, once decoded */
    u8 available;	/* bytes that could be read */
    u8 rex, rep;	/* rep: 0, 0xf2, 0xf3 */
    bool operand16, address32, two_byte;
    u8 opcode;
    u8 mod, reg, rm;	/* with REX bits; of a one with ModRM */
    u8 imm_at;		/* where an immediate begins */
};

/** hv_insn_fetch - reads at RIP and takes prefixes and opcode apart; false: cannot be read. */
bool hv_insn_fetch(struct hv_insn *i, const struct cpu_user_regs *r);
/** hv_insn_modrm - the ModRM byte, SIB and displacement behind it; false: cut off. */
bool hv_insn_modrm(struct hv_insn *i);
u64 *hv_reg(struct cpu_user_regs *r, unsigned n);

#endif

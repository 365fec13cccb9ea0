/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instruction decoding: what a block consists of and costs, which instructions the
 * simulator executes itself, and the operands of those.  The only user of Capstone.
 */
#ifndef PARAVANE_CPU_DECODE_H
#define PARAVANE_CPU_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cpu_mode { CPU_MODE_16, CPU_MODE_32, CPU_MODE_64 };

/* What the run loop has to know of an instruction. */
enum {
    CPU_INSN_SPECIAL = 1 << 0,     /* the simulator executes it: see enum cpu_insn_kind */
    CPU_INSN_REP = 1 << 1,         /* string instruction with REP/REPE/REPNE */
    CPU_INSN_REP_ZF = 1 << 2,      /* ... that also ends by ZF: CMPS, SCAS */
    CPU_INSN_RDTSC = 1 << 3,       /* RDTSC or RDTSCP */
    CPU_INSN_SHADOW = 1 << 4,      /* STI, MOV SS, POP SS: interrupt shadow follows */
    CPU_INSN_PUSHF = 1 << 5,       /* stores RFLAGS in memory */
    CPU_INSN_LOADS_FLAGS = 1 << 6, /* POPF, IRET, SYSRET: TF comes from the instruction */
    CPU_INSN_FAR = 1 << 7,         /* may change CS: far JMP/CALL/RET, IRET, SYSRET, SYSEXIT,
                                      SYSCALL, SYSENTER, INT n */
    CPU_INSN_IRET = 1 << 8,
    CPU_INSN_BRANCH = 1 << 9,      /* any control transfer, also the FAR ones */
    CPU_INSN_WRITES_MEM = 1 << 10,
    CPU_INSN_SYSTABLE = 1 << 11,   /* reads descriptor tables or the TSS implicitly: MOV/POP to a
                                      segment register, LDS.., far transfers, LAR LSL VERR VERW */
    CPU_INSN_SYSRET = 1 << 12,
    CPU_INSN_INVALID = 1 << 13,    /* the bytes are no instruction known to the decoder */
    CPU_INSN_REP_STRING_IO = 1 << 14, /* INS, OUTS */
    CPU_INSN_MOV_SS = 1 << 15,     /* MOV SS, POP SS: hold debug exceptions back as well */
    CPU_INSN_GUARDED = 1 << 16,    /* special unless cpu_far_is_plain(): IRET, SYSRET in 64-bit code;
                                      always a block of its own */
    CPU_INSN_OPTIONAL = 1 << 17,   /* special if the CPU model hides its feature */
    CPU_INSN_MODIFIES_MEM = 1 << 19, /* WRITES_MEM, and what it writes depends on what was there */
    CPU_INSN_LOADS_CR3 = 1 << 20,    /* MOV CR3 that the library executes */
    CPU_INSN_NAMES_RSP = 1 << 21,    /* has rSP for an operand, or LEAVE, ENTER: may set it to anything */
    CPU_INSN_FSGS = 1 << 18,       /* prefixed with FS or GS, outside 64-bit mode */
};

/* What the simulator may have to execute, or to look at before. */
#define CPU_INSN_OURS (CPU_INSN_SPECIAL | CPU_INSN_GUARDED | CPU_INSN_OPTIONAL)

/* SPECIAL ones, and those the device-memory emulator knows. */
enum cpu_insn_kind {
    CPU_KIND_OTHER,
    /* special */
    CPU_KIND_IN,       /* also with DX; imm = port unless port_is_dx */
    CPU_KIND_OUT,
    CPU_KIND_INS,
    CPU_KIND_OUTS,
    CPU_KIND_RDMSR,
    CPU_KIND_WRMSR,
    CPU_KIND_RDPMC,
    CPU_KIND_RDRAND,
    CPU_KIND_RDSEED,
    CPU_KIND_RDTSC,    /* special only as a block's second one: see cpu_decode_block() */
    CPU_KIND_RDTSCP,
    CPU_KIND_HLT,
    CPU_KIND_INVLPG,
    CPU_KIND_MOV_TO_CR,   /* reg = general register, creg = number (0, 4, 8: special; 2, 3 not) */
    CPU_KIND_MOV_FROM_CR, /* creg 8 only */
    CPU_KIND_MOV_TO_DR,
    CPU_KIND_MOV_FROM_DR,
    CPU_KIND_CLTS,
    CPU_KIND_LMSW,
    CPU_KIND_WRFSBASE,
    CPU_KIND_WRGSBASE,
    CPU_KIND_RDFSBASE,
    CPU_KIND_RDGSBASE,
    CPU_KIND_MONITOR,
    CPU_KIND_MWAIT,
    CPU_KIND_XSETBV,
    CPU_KIND_XGETBV,
    CPU_KIND_INVPCID,
    CPU_KIND_INVD,     /* INVD, WBINVD, WBNOINVD */
    CPU_KIND_VEX,      /* VEX or EVEX encoded: #UD, the models have no AVX */
    CPU_KIND_ICEBP,    /* F1 */
    CPU_KIND_RSM,
    CPU_KIND_VMX,      /* VMX and SVM instructions: #UD */
    CPU_KIND_UD,       /* undefined encodings that the library would execute: #UD */
    CPU_KIND_SYSEXIT,  /* special when long mode needs checks the library lacks */
    CPU_KIND_LOCK_UD,  /* LOCK prefix on what cannot take it: #UD */
    CPU_KIND_LGDT,
    CPU_KIND_LIDT,
    CPU_KIND_LLDT,
    CPU_KIND_LTR,
    CPU_KIND_LDMXCSR,
    CPU_KIND_FXRSTOR,
    CPU_KIND_SEGMENT,  /* outside 64-bit mode: segment loads, and writes with a CS prefix */
    CPU_KIND_FAR,      /* far JMP, CALL, RET and IRET of 64-bit code, SYSRET */
    CPU_KIND_OPTIONAL, /* see feature */
    CPU_KIND_FLAGS,    /* for the library when the arithmetic flags are worked out */
    /* memory forms the device-memory emulator executes (special only where the library's own
       execution is wrong: LOCK NEG, SETcc) */
    CPU_KIND_MOV,      /* MOV r/m,r; r,r/m; r/m,imm; moffs; MOVNTI; MOVBE is OTHER */
    CPU_KIND_MOVZX,
    CPU_KIND_MOVSX,
    CPU_KIND_ALU,      /* ADD OR ADC SBB AND SUB XOR CMP TEST: alu_op */
    CPU_KIND_XCHG,
    CPU_KIND_INC,
    CPU_KIND_DEC,
    CPU_KIND_NOT,
    CPU_KIND_NEG,
    CPU_KIND_BT,       /* BT BTS BTR BTC: alu_op 0..3; of registers, too: see cpu_decode_block() */
    CPU_KIND_SETCC,    /* special, too: see decode_loses_flags() */
    CPU_KIND_CMPXCHG,
    CPU_KIND_XADD,
    CPU_KIND_STOS,
    CPU_KIND_LODS,
    CPU_KIND_MOVS,
    CPU_KIND_PUSH,
    CPU_KIND_POP,
    CPU_KIND_MOV_VEC,  /* MOVUPS, MOVAPS, MOVDQU, MOVDQA, MOVQ, MOVD: XMM and memory */
};

enum cpu_alu_op { CPU_ALU_ADD, CPU_ALU_OR, CPU_ALU_ADC, CPU_ALU_SBB, CPU_ALU_AND, CPU_ALU_SUB,
                  CPU_ALU_XOR, CPU_ALU_CMP, CPU_ALU_TEST };

/* Groups of instructions that a CPU model may hide although the library has them. */
enum cpu_insn_feature {
    CPU_INSN_SSE3,
    CPU_INSN_SSSE3,
    CPU_INSN_SSE41,
    CPU_INSN_SSE42,
    CPU_INSN_POPCNT,
    CPU_INSN_MOVBE,
    CPU_INSN_AES,
    CPU_INSN_PCLMULQDQ,
    CPU_INSN_CX16,
    CPU_INSN_RDTSCP,
    CPU_INSN_LAHF, /* and SAHF, in 64-bit mode */
    CPU_INSN_FEATURES, /* how many; also: none of them */
};

#define CPU_NO_REG 0xff
#define CPU_REG_RIP 0x10 /* as base of a memory operand */

struct cpu_insn {
    uint8_t length;
    uint8_t kind;           /* enum cpu_insn_kind */
    uint32_t flags;         /* CPU_INSN_* */
    uint8_t operand_bytes;  /* width of the operation: 1, 2, 4, 8, 16 */
    uint8_t source_bytes;   /* MOVZX/MOVSX: width of the source */
    uint8_t address_bytes;  /* 2, 4, 8 */
    uint8_t alu_op;
    uint8_t segment;        /* of the memory operand, enum cpu_seg, overrides applied */
    uint8_t string_segment; /* of what rSI points to, and of XLAT's table */
    bool has_mem;
    bool mem_is_dest;       /* the memory operand is the first operand */
    uint8_t base, index;    /* 0..15, CPU_REG_RIP, CPU_NO_REG */
    uint8_t scale;
    int64_t disp;
    uint8_t reg;            /* register operand 0..15 (CPU_NO_REG: none); XMM number for MOV_VEC */
    uint8_t rm_reg;         /* register in ModRM.rm 0..15 (CPU_NO_REG: none): BT and its kin only */
    bool reg_is_high8;      /* AH CH DH BH: reg is 0..3 */
    uint8_t creg;           /* CR or DR number */
    bool has_imm;
    uint64_t imm;           /* sign-extended to 64 bits as the instruction does */
    bool rep, repne, lock;
    bool port_is_dx;
    bool mem_aligned;       /* MOV_VEC: a 16-byte operand off its boundary is #GP(0) */
    bool rex_w;
    uint8_t feature;        /* enum cpu_insn_feature */
    uint8_t map, opcode;    /* enum decode_map; the last opcode byte */
    uint8_t modrm_reg;      /* ModRM.reg without REX.R */
};

/**
 * cpu_decode - one instruction.
 * @code: @size bytes (up to 15 are looked at) that lie at linear address @va.
 * Returns: false when the bytes are too few or no instruction: out->length is 0 and
 *          out->flags has CPU_INSN_INVALID.
 */
bool cpu_decode(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                struct cpu_insn *out);

/* Where one memory access of an instruction goes. */
enum cpu_access_at {
    CPU_ACCESS_OPERAND, /* cpu_effective_address() */
    CPU_ACCESS_POPPED,  /* the same, worked out after a pop: POP with a memory operand */
    CPU_ACCESS_PUSH,    /* below the stack pointer */
    CPU_ACCESS_POP,     /* at the stack pointer */
    CPU_ACCESS_BP,      /* at the frame pointer: LEAVE */
    CPU_ACCESS_BELOW_BP, /* below it: the outer frames' pointers that ENTER copies */
    CPU_ACCESS_SI,      /* of a string instruction: nothing when REP finds the count at zero */
    CPU_ACCESS_DI,
    CPU_ACCESS_DI_DS,   /* MASKMOVQ: rDI in DS or the segment of a prefix */
    CPU_ACCESS_XLAT,
};
struct cpu_access {
    uint8_t at; /* enum cpu_access_at */
    bool write;
    uint16_t bytes;
    bool read; /* at least one of both */
};
#define CPU_ACCESSES_MAX 3

/**
 * cpu_decode_accesses - the memory that one instruction accesses.
 * Returns: entries of @out.
 */
unsigned cpu_decode_accesses(enum cpu_mode mode, const uint8_t *code, size_t size,
                             struct cpu_access out[CPU_ACCESSES_MAX]);

/* A translated block as the library ends it. */
struct cpu_block {
    uint16_t insns;
    uint16_t rdtsc_tail_insns; /* from the first RDTSC(P) to the end, inclusive; 0: none */
    uint32_t cost;             /* in cycles */
    uint32_t rdtsc_tail_cost;
    uint32_t flags;            /* CPU_INSN_* of all its instructions, or-ed */
    uint32_t last_flags;       /* of its last instruction */
    int32_t cut_at;            /* offset of the first special instruction; -1: none */
    uint16_t last_at;          /* offset of its last instruction */
};

/* Cost of instructions in cycles: the timing model. */
struct cpu_timing {
    unsigned rdtsc_cycles; /* on top of 1 */
    uint32_t hidden;       /* 1 << enum cpu_insn_feature: these are special */
};

/**
 * cpu_decode_block - instructions and cost of a block.
 * @code, @size: the block's bytes.  An instruction that is unknown at the end counts as one (the
 *               library ends a block at an undefined opcode).
 * A special instruction ends the count (also the second RDTSC of a block, a bit test after an
 * instruction that sets arithmetic flags, and what the library takes for something shorter): insns
 * and cost are those before it, and cut_at says where it lies.
 */
void cpu_decode_block(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                      const struct cpu_timing *timing, struct cpu_block *out);

/**
 * cpu_decode_index - how many whole instructions of the block lie before @offset.
 * @cost: set to their cost when not NULL.
 */
unsigned cpu_decode_index(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                          size_t offset, const struct cpu_timing *timing, uint32_t *cost);

/** cpu_decode_boundary - whether an instruction of the block begins at @offset. */
bool cpu_decode_boundary(enum cpu_mode mode, const uint8_t *code, size_t size, size_t offset);

/** cpu_decode_text - disassembly of one instruction.  Returns: its length, 0 if none. */
unsigned cpu_decode_text(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                         char *text, size_t text_size);

/** cpu_decode_init/fini - open and close the decoder; init returns false if it cannot. */
bool cpu_decode_init(void);
void cpu_decode_fini(void);

#endif

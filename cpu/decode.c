/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks, and disassembly as text.
 *
 * decode_scan.c      where an instruction ends          (tables)
 * decode_kind.c      what the run loop must know of it
 * decode_operands.c  what the emulator must know of it
 * decode_feature.c   which feature it belongs to
 * decode.c           a block of them; Capstone prints
 *
 * Capstone is used for text only.  Its lengths are not relied on: 4.0.2 knows neither
 * ENDBR64 nor CLAC, and a wrong length would be a wrong instruction count.
 */
#include "cpu/decode.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <string.h>

#include "cpu/decode_scan.h"

static csh text_handle[3];
static unsigned text_users;

bool cpu_decode_init(void)
{
    static const cs_mode modes[3] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};

    if (text_users++)
        return true;
    for (unsigned i = 0; i < 3; i++) {
        if (cs_open(CS_ARCH_X86, modes[i], &text_handle[i]) == CS_ERR_OK)
            continue;
        while (i > 0)
            cs_close(&text_handle[--i]);
        text_users = 0;
        return false;
    }
    return true;
}

void cpu_decode_fini(void)
{
    if (!text_users || --text_users)
        return;
    for (unsigned i = 0; i < 3; i++)
        cs_close(&text_handle[i]);
}

static uint32_t insn_cost(uint32_t flags, const struct cpu_timing *timing)
{
    return flags & CPU_INSN_RDTSC ? 1 + timing->rdtsc_cycles : 1;
}

/* A block under way. */
struct walk {
    size_t at;      /* offset of the next instruction */
    uint32_t flags; /* of the instruction just stepped over */
    enum cpu_insn_feature feature;
    bool lazy_flags; /* an instruction before it in the block has left them to be worked out */
    bool bit_test;   /* it is a BT, BTS, BTR or BTC after such a one */
};

/*
 * One instruction further.  What is longer than 15 bytes takes all that is left: the library ended
 * the block at it.  So does what lacks bytes; the library sees something shorter in it (a POP in
 * XOP, a shift of a register in one of memory), and is not to execute that.  But a near branch with
 * 66 in 64-bit mode is one in either reading (and #UD in either with LOCK): it takes a displacement
 * of 16 bits.  Undefined opcodes
 * with bytes behind them are stepped over by their length: the library, which went on, took them
 * for something.
 */
static void step(enum cpu_mode mode, const uint8_t *code, size_t size, struct walk *w)
{
    struct decode_raw raw;
    enum cpu_insn_kind kind;

    enum decode_status status = decode_scan(mode, code + w->at, size - w->at, &raw);

    if (status == DECODE_OK) {
        w->flags = decode_classify(&raw, &kind);
        w->bit_test = w->lazy_flags && decode_is_bit_test(&raw);
        w->lazy_flags = w->lazy_flags || decode_sets_arith_flags(&raw);
        w->feature = w->flags & CPU_INSN_OPTIONAL ? decode_feature(&raw) : CPU_INSN_FEATURES;
        w->at += raw.length;
    } else {
        w->bit_test = false;
        w->flags = CPU_INSN_INVALID | (raw.attr & ATTR_BR ? CPU_INSN_BRANCH : 0);
        if (status == DECODE_SHORT && (!(w->flags & CPU_INSN_BRANCH) || raw.lock))
            w->flags |= CPU_INSN_SPECIAL;
        w->at = size;
    }
}

/*
 * A bit test begins a block unless the flags before it have been worked out: what it does to those
 * that the manual leaves undefined depends, in the library, on whether the instruction that set
 * them lies in the same block.
 */
static bool must_cut(const struct walk *w, const struct cpu_timing *timing)
{
    return w->flags & CPU_INSN_SPECIAL || w->bit_test ||
           (w->flags & CPU_INSN_OPTIONAL && timing->hidden >> w->feature & 1);
}

void cpu_decode_block(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                      const struct cpu_timing *timing, struct cpu_block *out)
{
    struct walk w = {.at = 0};
    unsigned insns = 0, tail_at = 0;
    uint32_t cost = 0, tail_cost_at = 0, flags = 0, last_flags = 0;
    bool rdtsc = false;

    (void)va;
    out->cut_at = -1;
    out->last_at = 0;
    while (w.at < size) {
        size_t start = w.at;

        step(mode, code, size, &w);
        if (must_cut(&w, timing) || (w.flags & CPU_INSN_RDTSC && rdtsc) ||
            (w.flags & CPU_INSN_GUARDED && insns)) {
            out->cut_at = (int32_t)start;
            break;
        }
        if (w.flags & CPU_INSN_RDTSC) {
            rdtsc = true;
            tail_at = insns;
            tail_cost_at = cost;
        }
        insns++;
        cost += insn_cost(w.flags, timing);
        flags |= w.flags;
        last_flags = w.flags;
        out->last_at = (uint16_t)start;
    }
    out->insns = insns;
    out->cost = cost;
    out->flags = flags;
    out->last_flags = last_flags;
    out->rdtsc_tail_insns = rdtsc ? insns - tail_at : 0;
    out->rdtsc_tail_cost = rdtsc ? cost - tail_cost_at : 0;
}

unsigned cpu_decode_index(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                          size_t offset, const struct cpu_timing *timing, uint32_t *cost)
{
    struct walk w = {.at = 0};
    unsigned n = 0;
    uint32_t sum = 0;

    (void)va;
    while (w.at < size && w.at < offset) {
        step(mode, code, size, &w);
        if (w.at > offset)
            break;
        n++;
        sum += insn_cost(w.flags, timing);
    }
    if (cost)
        *cost = sum;
    return n;
}

bool cpu_decode_boundary(enum cpu_mode mode, const uint8_t *code, size_t size, size_t offset)
{
    struct walk w = {.at = 0};

    while (w.at < size && w.at < offset)
        step(mode, code, size, &w);
    return w.at == offset;
}

/* Bytes as data, when the printer does not know what the decoder does. */
static void text_of_bytes(const uint8_t *code, unsigned length, char *text, size_t text_size)
{
    size_t at = 0;

    for (unsigned i = 0; i < length && at < text_size; i++)
        at += (size_t)snprintf(text + at, text_size - at, "%s0x%02x", i ? ", " : ".byte ", code[i]);
}

unsigned cpu_decode_text(enum cpu_mode mode, const uint8_t *code, size_t size, uint64_t va,
                         char *text, size_t text_size)
{
    struct cpu_insn insn;
    cs_insn *printed = NULL;
    size_t n = 0;

    if (text_size)
        text[0] = '\0';
    if (!cpu_decode(mode, code, size, va, &insn))
        return 0;
    if (text_users)
        n = cs_disasm(text_handle[mode], code, insn.length, va, 1, &printed);
    if (n == 1 && printed->size == insn.length)
        snprintf(text, text_size, "%s%s%s", printed->mnemonic, printed->op_str[0] ? " " : "",
                 printed->op_str);
    else
        text_of_bytes(code, insn.length, text, text_size);
    if (n)
        cs_free(printed, n);
    return insn.length;
}

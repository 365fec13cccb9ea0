/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block hook.  It runs before each block, a hundred million times a second.
 *
 * The library's translated code calls it directly where it lies within 2 GiB, and through a register
 * elsewhere; the program lies elsewhere.  Calls through a register from tens of thousands of places are more
 * than a host predicts (a boot takes 10 % longer), so the hook's code is copied to a page beside the
 * translated code.  It is therefore alone in its section, and uses nothing that it would have to find
 * relative to itself: what it calls, it finds in struct cpu.  can_be_copied() looks whether the compiler
 * has kept to that; instrumented code, for one, has not.
 */
#include <string.h>
#include <sys/mman.h>

#include "cpu/engine.h"
#include "cpu/engine_layout.h"

#define COPIED __attribute__((section("block_hook"), noinline, used))
#define BLOCK_HOOK_MAX 1024u

extern const uint8_t __start_block_hook[], __stop_block_hook[]; /* the linker's */

COPIED static void hook_block(struct uc_struct *uc, uint64_t va, uint32_t size, void *user)
{
    struct cpu *c = user;
    const struct cpu_front *e = &c->front[CPU_FRONT_INDEX(va)];
    uint64_t key = cpu_key(c, va, size);

    (void)uc;
    if (base_unlikely(e->key != key)) {
        c->block_miss(c, va, size);
        return;
    }
    c->left -= e->cost;
    c->insns += e->insns;
    c->ring[c->blocks++ % CPU_RING] = key;
    if (base_unlikely(c->left < 0))
        c->block_due(c, va, size, e->insns, e->cost);
}

static bool can_be_copied(const uint8_t *code, size_t size)
{
    struct cpu_insn insn;

    for (size_t at = 0; at < size; at += insn.length) {
        if (!cpu_decode(CPU_MODE_64, code + at, size - at, 0, &insn) ||
            (insn.has_mem && insn.base == CPU_REG_RIP))
            return false;
        if (insn.flags & CPU_INSN_BRANCH && insn.has_imm && at + insn.length + insn.imm > size)
            return false; /* backwards beyond the start is beyond the end, too */
    }
    return size > 0 && size <= BLOCK_HOOK_MAX;
}

void *engine_block_hook(struct cpu *c)
{
    size_t size = (size_t)(__stop_block_hook - __start_block_hook);
    size_t at = (size_t)((uintptr_t)hook_block - (uintptr_t)__start_block_hook);
    uint8_t *page;

    c->block_miss = blocks_miss;
    c->block_due = blocks_due;
    if (!can_be_copied(__start_block_hook, size))
        return (void *)hook_block;
    page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return (void *)hook_block;
    memcpy(page, __start_block_hook, size);
    if (mprotect(page, PAGE_SIZE, PROT_READ | PROT_EXEC) != 0) {
        munmap(page, PAGE_SIZE);
        return (void *)hook_block;
    }
    c->engine->near = page;
    return page + at;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots of page tables: what user mode may see.
 */
#include "guests/hostile/hostile.h"

#define GROUP "roots"

static u64 read_word(u64 at)
{
    return *(volatile u64 *)at;
}

ATTACK(strict_m2p, FLAW_STATE, "with m2p_strict user mode does not see the machine-to-phys table, and the kernel does")
{
    u64 *root = memory_root(), *user = page_alloc();

    for (u32 i = 0; i < 512; i++)
        user[i] = i >= 256 && i < 272 ? 0 : root[i];
    equal("read-only", (u64)memory_protect(user, MEMORY_RO), 0);
    equal("read before", load((void *)MACH2PHYS_BASE), TRAP_NONE);
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_m2p_strict);
    equal("user root", (u64)mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(user), 0), 0);
    equal("of user mode", user_call(read_word, MACH2PHYS_BASE), TRAP_PF);
    equal("of the kernel", load((void *)MACH2PHYS_BASE), TRAP_NONE);
    equal("of user mode again", user_call(read_word, MACH2PHYS_BASE), TRAP_PF);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_m2p_strict);
    equal("the root from before", (u64)mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(root), 0), 0);
    equal("shows it", user_call(read_word, MACH2PHYS_BASE), TRAP_NONE);
    page_back(user);
}

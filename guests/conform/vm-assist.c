/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm_assist: which assists there are, what they do.
 */
#include "guests/conform/conform.h"

static u64 flags_of(u64 arg)
{
    (void)arg;
    __asm__ volatile("int $0x40");
    return 0;
}

static u64 read_word(u64 at)
{
    return *(volatile u64 *)at;
}

void guest_main(void)
{
    static const struct {
        const char *name;
        u32 type;
        long want;
    } t[] = {{"4gb-segments", VMASST_TYPE_4gb_segments, 0},
             {"4gb-segments-notify", VMASST_TYPE_4gb_segments_notify, 0},
             {"writable-pagetables", VMASST_TYPE_writable_pagetables, 0},
             {"pae-extended-cr3", VMASST_TYPE_pae_extended_cr3, 0},
             {"architectural-iopl", VMASST_TYPE_architectural_iopl, 0},
             {"runstate-update-flag", VMASST_TYPE_runstate_update_flag, 0},
             {"m2p-strict", VMASST_TYPE_m2p_strict, 0},
             {"type-6", 6, -XEN_EINVAL},
             {"type-31", 31, -XEN_EINVAL},
             {"type-33", 33, -XEN_EINVAL},
             {"type-63", 63, -XEN_EINVAL},
             {"type-64", 64, -XEN_EINVAL},
             {"type-max", ~0u, -XEN_EINVAL}};

    report_start("vm-assist");
    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        test(t[i].name, "enable and disable of assist %u: %ld", t[i].type, t[i].want);
        equal("enable", hypercall_vm_assist(VMASST_CMD_enable, t[i].type), t[i].want);
        equal("disable", hypercall_vm_assist(VMASST_CMD_disable, t[i].type), t[i].want);
    }
    test("unknown", "an unknown command: -ENOSYS");
    equal("2", hypercall_vm_assist(2, 0), -XEN_ENOSYS);
    equal("-1", hypercall_vm_assist(~0u, 0), -XEN_ENOSYS);

    test("iopl-off", "without architectural_iopl the frame shows IOPL 0");
    struct physdev_set_iopl iopl = {.iopl = 3};
    equal("set_iopl", hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    trap_try(flags_of, 0);
    equal("iopl", trap_last.frame.rflags >> 12 & 3, 0);
    test("iopl-on", "with it the frame shows the virtual IOPL");
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl);
    hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    trap_try(flags_of, 0);
    equal("iopl", trap_last.frame.rflags >> 12 & 3, 3);
    iopl.iopl = 0;
    hypercall_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);

    test("pae-feature", "pae_extended_cr3 shows in the features");
    xen_feature_info_t f = {.submap_idx = 0};
    hypercall_xen_version(XENVER_get_features, &f);
    equal("off", f.submap >> XENFEAT_pae_pgdir_above_4gb & 1, 0);
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3);
    hypercall_xen_version(XENVER_get_features, &f);
    equal("on", f.submap >> XENFEAT_pae_pgdir_above_4gb & 1, 1);

    test("m2p-user", "a user root that is the kernel's as well shows the m2p table");
    user_init();
    equal("vector", user_call(read_word, MACH2PHYS_BASE), TRAP_NONE);
    hypercall_vm_assist(VMASST_CMD_enable, VMASST_TYPE_m2p_strict);
    test("m2p-strict-kernel", "with m2p_strict the kernel keeps the m2p table");
    equal("vector", trap_try(read_word, MACH2PHYS_BASE), TRAP_NONE);
    /* Whether user mode sees it then is another matter: with Xen's own tables for each CPU it does. */
    test("m2p-strict-root", "a user root that is taken then takes nothing from the kernel");
    u64 *root = memory_root(), *user = page_alloc(), kernel_mfn = memory_virt_to_mfn(root);
    for (u32 i = 0; i < 512; i++)
        user[i] = i >= 256 && i < 272 ? 0 : root[i];
    memory_protect(user, MEMORY_RO);
    equal("root", mmuext(MMUEXT_NEW_USER_BASEPTR, memory_virt_to_mfn(user), 0), 0);
    equal("kernel", trap_try(read_word, MACH2PHYS_BASE), TRAP_NONE);
    test("m2p-strict-off", "without the assist the next root shows it again");
    hypercall_vm_assist(VMASST_CMD_disable, VMASST_TYPE_m2p_strict);
    equal("root", mmuext(MMUEXT_NEW_USER_BASEPTR, kernel_mfn, 0), 0);
    equal("vector", user_call(read_word, MACH2PHYS_BASE), TRAP_NONE);
    report_end();
}

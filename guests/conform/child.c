/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/conform/child.h"

#include "guests/lib/clock.h"

#define DATA_VA "0x406000"

/* The child's code, see struct child_data. */
__asm__(".text\n"
        "child_code:\n"
        "1:  incq " DATA_VA "\n"
        "    movl " DATA_VA "+8, %ebx\n"
        "    cmpl $1, %ebx\n je 2f\n"
        "    cmpl $2, %ebx\n je 3f\n"
        "    cmpl $3, %ebx\n je 4f\n"
        "    cmpl $4, %ebx\n je 5f\n"
        "    movl $29, %eax\n xorl %edi, %edi\n xorl %esi, %esi\n syscall\n"
        "    jmp 1b\n"
        "2:  movl $29, %eax\n movl $2, %edi\n movl $" DATA_VA "+16, %esi\n syscall\n"
        "    jmp 1b\n"
        "3:  ud2\n"
        "4:  movl $29, %eax\n movl $1, %edi\n syscall\n"
        "    jmp 1b\n"
        "5:  movq " DATA_VA "+32, %rax\n"
        "    movq " DATA_VA "+40, %rdi\n movq " DATA_VA "+48, %rsi\n"
        "    movq " DATA_VA "+56, %rdx\n movq " DATA_VA "+64, %r10\n"
        "    movq " DATA_VA "+72, %r8\n syscall\n"
        "    movq %rax, " DATA_VA "+24\n"
        "    movq $0, " DATA_VA "+8\n"
        "    jmp 1b\n"
        "child_code_end:\n");
extern const u8 child_code[], child_code_end[];

_Static_assert(CHILD_VA + CHILD_DATA * PAGE_SIZE == 0x406000, "DATA_VA");
_Static_assert(offsetof(struct child_data, command) == 8 && offsetof(struct child_data, reason) == 16 &&
                   offsetof(struct child_data, result) == 24 && offsetof(struct child_data, number) == 32 &&
                   offsetof(struct child_data, args) == 40,
               "child_code");

long domctl_op(xen_domctl_t *op, u32 cmd, u16 domid)
{
    long error;

    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    error = hypercall_domctl(op);
    return error;
}

long sysctl_op(xen_sysctl_t *op, u32 cmd)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall_sysctl(op);
}

long domctl_plain(u32 cmd, u16 domid)
{
    xen_domctl_t op = {0};

    return domctl_op(&op, cmd, domid);
}

long child_info(const struct child *child, xen_domctl_getdomaininfo_t *info)
{
    xen_domctl_t op = {0};
    long error = domctl_op(&op, XEN_DOMCTL_getdomaininfo, child->domid);

    *info = op.u.getdomaininfo;
    return error ? error : info->domain == child->domid ? 0 : -XEN_ESRCH;
}

void *child_map(const struct child *child, u64 mfn)
{
    u64 va = memory_reserve(1);

    if (!memory_map(va, 0))
        panic("no place to map: %ld", memory_error);
    memory_error = hypercall_update_va_mapping_otherdomain(va, mfn << PAGE_SHIFT | MEMORY_RW,
                                                           UVMF_INVLPG, child->domid);
    return memory_error ? NULL : (void *)va;
}

static long populate(struct child *child)
{
    struct xen_memory_reservation r = {.nr_extents = CHILD_PAGES, .domid = child->domid};

    for (u32 i = 0; i < CHILD_PAGES; i++)
        child->mfn[i] = i;
    set_xen_guest_handle(r.extent_start, child->mfn);
    return hypercall_memory_op(XENMEM_populate_physmap, &r) == CHILD_PAGES ? 0 : -XEN_ENOMEM;
}

static long map_grants(struct child *child)
{
    u64 mfn = 0;
    gnttab_setup_table_t setup = {.dom = child->domid, .nr_frames = 1};
    long error;

    set_xen_guest_handle(setup.frame_list, &mfn);
    error = hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (error || setup.status)
        return error ? error : setup.status;
    child->grants = child_map(child, mfn);
    return child->grants ? 0 : memory_error;
}

long child_make(struct child *child, u32 vcpus)
{
    xen_domctl_t op = {.u.createdomain = {.max_vcpus = vcpus,
                                          .max_evtchn_port = CHILD_PORTS,
                                          .max_grant_frames = 4,
                                          .max_maptrack_frames = 4,
                                          .grant_opts = 1}};
    xen_domctl_getdomaininfo_t info;
    long error = domctl_op(&op, XEN_DOMCTL_createdomain, 0);

    *child = (struct child){0};
    if (error)
        return error;
    child->domid = op.domain;
    op = (xen_domctl_t){.u.max_vcpus.max = vcpus};
    error = domctl_op(&op, XEN_DOMCTL_max_vcpus, child->domid);
    op = (xen_domctl_t){.u.max_mem.max_memkb = (CHILD_PAGES + 8) * 4};
    error = error ? error : domctl_op(&op, XEN_DOMCTL_max_mem, child->domid);
    error = error ? error : populate(child);
    error = error ? error : child_info(child, &info);
    error = error ? error : map_grants(child);
    if (error)
        return error;
    child->shared = child_map(child, info.shared_info_frame);
    return child->shared ? 0 : memory_error;
}

long child_end(struct child *child)
{
    long error;

    if (child->grants)
        memory_unmap(child->grants);
    if (child->shared)
        memory_unmap(child->shared);
    do
        error = domctl_plain(XEN_DOMCTL_destroydomain, child->domid);
    while (error == -XEN_EAGAIN);
    return error;
}

/* Write a page of it; it must not be a table yet. */
static long fill(const struct child *child, u32 page, const void *from, size_t size_bytes)
{
    u8 *at = child_map(child, child->mfn[page]);

    if (!at)
        return memory_error;
    memset(at, 0, PAGE_SIZE);
    memcpy(at, from, size_bytes);
    memory_unmap(at);
    return 0;
}

long child_context(const struct child *child)
{
    static vcpu_guest_context_t context;
    xen_domctl_t op = {.u.vcpucontext.vcpu = 0};

    memset(&context, 0, sizeof context);
    context.flags = VGCF_in_kernel | VGCF_online;
    context.user_regs.rip = CHILD_VA + CHILD_CODE * PAGE_SIZE;
    context.user_regs.rsp = context.kernel_sp = CHILD_VA + (CHILD_STACK + 1) * PAGE_SIZE;
    context.user_regs.rflags = 0x200;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = context.kernel_ss = FLAT_KERNEL_SS;
    context.ctrlreg[3] = child->mfn[CHILD_L4] << PAGE_SHIFT;
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    return domctl_op(&op, XEN_DOMCTL_setvcpucontext, child->domid);
}

long child_boot(struct child *child)
{
    u64 table[512] = {0};
    struct mmuext_op pin = {.cmd = MMUEXT_PIN_L4_TABLE};
    long error = fill(child, CHILD_CODE, child_code, (size_t)(child_code_end - child_code));

    for (u32 i = 0; i < CHILD_PAGES; i++)
        table[i] = child->mfn[i] << PAGE_SHIFT | (i <= CHILD_L1 ? MEMORY_RO : MEMORY_RW);
    error = error ? error : fill(child, CHILD_L1, table, sizeof table);
    memset(table, 0, sizeof table);
    table[CHILD_VA >> 21 & 511] = child->mfn[CHILD_L1] << PAGE_SHIFT | MEMORY_TABLE;
    error = error ? error : fill(child, CHILD_L2, table, sizeof table);
    table[CHILD_VA >> 21 & 511] = 0;
    table[0] = child->mfn[CHILD_L2] << PAGE_SHIFT | MEMORY_TABLE;
    error = error ? error : fill(child, CHILD_L3, table, sizeof table);
    table[0] = child->mfn[CHILD_L3] << PAGE_SHIFT | MEMORY_TABLE;
    error = error ? error : fill(child, CHILD_L4, table, sizeof table);
    pin.arg1.mfn = child->mfn[CHILD_L4];
    error = error ? error : hypercall_mmuext_op(&pin, 1, NULL, child->domid);
    /* As a builder leaves it. */
    for (u32 i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        child->shared->vcpu_info[i].evtchn_upcall_mask = 1;
    return error ? error : child_context(child);
}

long child_call(volatile struct child_data *data, u64 number, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    const u64 args[] = {a, b, c, d, e};

    data->number = number;
    for (u32 i = 0; i < ARRAY_SIZE(args); i++)
        data->args[i] = args[i];
    BARRIER();
    data->command = CHILD_CALL;
    for (u32 i = 0; i < 1000 && data->command != CHILD_COUNT; i++)
        clock_sleep_ns(100000);
    if (data->command != CHILD_COUNT)
        panic("the child does not make its call");
    return (long)data->result;
}

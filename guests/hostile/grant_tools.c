/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/hostile/grant_tools.h"

u64 map_window, map_bus;
u32 map_handle;

void grants_begin(void)
{
    if (map_window)
        return;
    if (grant_init(1))
        broken("there is no grant table");
    map_window = memory_reserve(2);
    memory_map(map_window, 0);
    memory_map(map_window + PAGE_SIZE, 0);
}

void grant(u32 ref, u64 mfn, u16 flags)
{
    grant_table[ref].flags = 0;
    grant_table[ref].domid = own_id();
    grant_table[ref].frame = (u32)mfn;
    BARRIER();
    grant_table[ref].flags = GTF_permit_access | flags;
}

u16 marks(u32 ref) { return grant_table[ref].flags & (GTF_reading | GTF_writing); }

short map_of(u16 dom, u32 ref, u64 addr, u32 flags)
{
    gnttab_map_grant_ref_t op = {.host_addr = addr, .flags = flags, .ref = ref, .dom = dom, .status = 77};

    equal("map_grant_ref", (u64)hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1), 0);
    map_handle = op.handle;
    map_bus = op.dev_bus_addr;
    return op.status;
}

short map(u32 ref, u64 addr, u32 flags) { return map_of(own_id(), ref, addr, flags); }

short unmap(u32 handle, u64 addr, u64 dev)
{
    gnttab_unmap_grant_ref_t op = {.host_addr = addr, .dev_bus_addr = dev, .handle = handle, .status = 77};

    equal("unmap_grant_ref", (u64)hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

short copy(gnttab_copy_t op)
{
    op.status = 77;
    equal("copy", (u64)hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

short transfer(u64 mfn, u16 dom, u32 ref)
{
    gnttab_transfer_t op = {.mfn = mfn, .domid = dom, .ref = ref, .status = 77};

    equal("transfer", (u64)hypercall_grant_table_op(GNTTABOP_transfer, &op, 1), 0);
    return op.status;
}

long set_version(u32 version)
{
    gnttab_set_version_t op = {.version = version};

    return hypercall_grant_table_op(GNTTABOP_set_version, &op, 1);
}

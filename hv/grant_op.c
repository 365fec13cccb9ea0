/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grant_table_op: which operation, and going on in the middle of one. */
#include "hv/grant_table.h"

#include "hv/guest.h"
#include "hv/hypercall.h"

/* The size of an element of those calls which take an array, for going on in the middle of it. */
static unsigned element_size(unsigned cmd)
{
    static const u8 size[] = {
        [GNTTABOP_map_grant_ref] = sizeof(gnttab_map_grant_ref_t),
        [GNTTABOP_copy] = sizeof(gnttab_copy_t),
        [GNTTABOP_unmap_grant_ref] = sizeof(gnttab_unmap_grant_ref_t),
        [GNTTABOP_unmap_and_replace] = sizeof(gnttab_unmap_grant_ref_t),
        [GNTTABOP_transfer] = sizeof(gnttab_transfer_t),
        [GNTTABOP_swap_grant_ref] = sizeof(gnttab_swap_grant_ref_t),
        [GNTTABOP_cache_flush] = sizeof(gnttab_cache_flush_t),
    };

    return cmd < HV_ARRAY_SIZE(size) ? size[cmd] : 0;
}

static long dispatch(unsigned cmd, u64 arg, unsigned count)
{
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return hv_grant_map(arg, count);
    case GNTTABOP_unmap_grant_ref:
        return hv_grant_unmap(arg, count);
    case GNTTABOP_unmap_and_replace:
        return hv_grant_unmap_and_replace(arg, count);
    case GNTTABOP_transfer:
        return hv_grant_transfer(arg, count);
    case GNTTABOP_swap_grant_ref:
        return hv_grant_swap_ref(arg, count);
    case GNTTABOP_cache_flush:
        return hv_grant_cache_flush(arg, count);
    case GNTTABOP_setup_table:
        return count == 1 ? hv_grant_setup_table(arg) : -EINVAL;
    case GNTTABOP_query_size:
        return count == 1 ? hv_grant_query_size(arg) : -EINVAL;
    case GNTTABOP_get_status_frames:
        return count == 1 ? hv_grant_get_status_frames(arg) : -EINVAL;
    case GNTTABOP_set_version:
        return hv_grant_set_version(arg);
    case GNTTABOP_get_version:
        return hv_grant_get_version(arg);
    default:
        return -ENOSYS;
    }
}

HV_HYPERCALL(grant_table_op)
{
    u32 cmd = a0, count = a2, size;
    long done;

    if ((s32)count < 0)
        return -EINVAL;
    if (cmd >> 12)
        return -EINVAL;
    size = element_size(cmd);
    if (size && !hv_guest_range_ok(a1, (u64)count * size))
        return -EFAULT;
    done = likely(cmd == GNTTABOP_copy) ? hv_grant_copy(a1, count) : dispatch(cmd, a1, count);
    if (done <= 0 || done == count)
        return done < 0 ? done : 0;
    return HV_CONTINUE(__HYPERVISOR_grant_table_op, cmd, a1 + done * size, count - done);
}

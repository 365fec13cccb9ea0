/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op.  Source: Xen's public memory.h.
 */
#include "traces/xen_public.h"

#include <xen/memory.h>

#include "traces/decode_table.h"

static const struct trace_name space_names[] = {
    {XENMAPSPACE_shared_info, "shared_info"},   {XENMAPSPACE_grant_table, "grant_table"},
    {XENMAPSPACE_gmfn, "gmfn"},                 {XENMAPSPACE_gmfn_range, "gmfn_range"},
    {XENMAPSPACE_gmfn_foreign, "gmfn_foreign"}, {XENMAPSPACE_dev_mmio, "dev_mmio"}};
static const struct trace_name resource_names[] = {
    {XENMEM_resource_ioreq_server, "ioreq_server"},
    {XENMEM_resource_grant_table, "grant_table"},
    {XENMEM_resource_vmtrace_buf, "vmtrace_buf"}};

#define RESERVATION(prefix, structure, path)                                                       \
    IN(prefix "extents", structure, path extent_start, HEX),                                       \
        IN(prefix "nr_extents", structure, path nr_extents, U64),                                  \
        IN(prefix "order", structure, path extent_order, U64),                                     \
        IN(prefix "flags", structure, path mem_flags, HEX),                                        \
        IN(prefix "domid", structure, path domid, DOMID)

static const struct decode_field reservation_fields[] = {
    RESERVATION("", struct xen_memory_reservation, )};
static const struct decode_field exchange_fields[] = {
    RESERVATION("in_", struct xen_memory_exchange, in.),
    RESERVATION("out_", struct xen_memory_exchange, out.),
    OUT("nr_exchanged", struct xen_memory_exchange, nr_exchanged, U64)};
static const struct decode_field mfn_list_fields[] = {
    IN("max_extents", struct xen_machphys_mfn_list, max_extents, U64),
    IN("extents", struct xen_machphys_mfn_list, extent_start, HEX),
    OUT("nr_extents", struct xen_machphys_mfn_list, nr_extents, U64)};
static const struct decode_field machphys_fields[] = {
    OUT("v_start", struct xen_machphys_mapping, v_start, HEX),
    OUT("v_end", struct xen_machphys_mapping, v_end, HEX),
    OUT("max_mfn", struct xen_machphys_mapping, max_mfn, HEX)};
static const struct decode_field add_fields[] = {
    IN("domid", struct xen_add_to_physmap, domid, DOMID),
    IN("size", struct xen_add_to_physmap, size, U64),
    IN_NAMED("space", struct xen_add_to_physmap, space, ENUM, space_names),
    IN("idx", struct xen_add_to_physmap, idx, HEX),
    IN("gpfn", struct xen_add_to_physmap, gpfn, GFN)};
static const struct decode_field add_batch_fields[] = {
    IN("domid", struct xen_add_to_physmap_batch, domid, DOMID),
    IN_NAMED("space", struct xen_add_to_physmap_batch, space, ENUM, space_names),
    IN("size", struct xen_add_to_physmap_batch, size, U64),
    IN("idxs", struct xen_add_to_physmap_batch, idxs, HEX),
    IN("gpfns", struct xen_add_to_physmap_batch, gpfns, HEX),
    IN("errs", struct xen_add_to_physmap_batch, errs, HEX)};
static const struct decode_field remove_fields[] = {
    IN("domid", struct xen_remove_from_physmap, domid, DOMID),
    IN("gpfn", struct xen_remove_from_physmap, gpfn, GFN)};
static const struct decode_field map_fields[] = {
    IN("nr_entries", struct xen_memory_map, nr_entries, U64),
    IN("buffer", struct xen_memory_map, buffer, HEX),
    OUT(".nr_entries_after", struct xen_memory_map, nr_entries, U64)};
static const struct decode_field foreign_map_fields[] = {
    IN("domid", struct xen_foreign_memory_map, domid, DOMID),
    IN("nr_entries", struct xen_foreign_memory_map, map.nr_entries, U64),
    IN("buffer", struct xen_foreign_memory_map, map.buffer, HEX)};
static const struct decode_field domid_fields[] = {{.name = "domid", .size = 2, .type = DECODE_DOMID}};
static const struct decode_field pod_fields[] = {
    IN("target_pages", xen_pod_target_t, target_pages, U64),
    OUT("tot_pages", xen_pod_target_t, tot_pages, U64),
    OUT("pod_cache_pages", xen_pod_target_t, pod_cache_pages, U64),
    OUT("pod_entries", xen_pod_target_t, pod_entries, U64),
    IN("domid", xen_pod_target_t, domid, DOMID)};
static const struct decode_field acquire_fields[] = {
    IN("domid", struct xen_mem_acquire_resource, domid, DOMID),
    IN_NAMED("type", struct xen_mem_acquire_resource, type, ENUM, resource_names),
    IN("id", struct xen_mem_acquire_resource, id, HEX),
    IN("nr_frames", struct xen_mem_acquire_resource, nr_frames, U64),
    IN("frame", struct xen_mem_acquire_resource, frame, U64),
    IN("frame_list", struct xen_mem_acquire_resource, frame_list, HEX)};

/* libxen-dev names the first and last of these for the toolstack and for x86 guests only. */
static const struct decode_op ops[] = {
    OP(XENMEM_increase_reservation, "increase_reservation", struct xen_memory_reservation,
       reservation_fields),
    OP(XENMEM_decrease_reservation, "decrease_reservation", struct xen_memory_reservation,
       reservation_fields),
    OP(XENMEM_populate_physmap, "populate_physmap", struct xen_memory_reservation,
       reservation_fields),
    OP(XENMEM_exchange, "exchange", struct xen_memory_exchange, exchange_fields),
    OP_BARE(XENMEM_maximum_ram_page, "maximum_ram_page"),
    OP(XENMEM_current_reservation, "current_reservation", domid_t, domid_fields),
    OP(XENMEM_maximum_reservation, "maximum_reservation", domid_t, domid_fields),
    OP(XENMEM_maximum_gpfn, "maximum_gpfn", domid_t, domid_fields),
    OP(XENMEM_machphys_mfn_list, "machphys_mfn_list", struct xen_machphys_mfn_list,
       mfn_list_fields),
    OP(XENMEM_machphys_compat_mfn_list, "machphys_compat_mfn_list", struct xen_machphys_mfn_list,
       mfn_list_fields),
    OP(XENMEM_machphys_mapping, "machphys_mapping", struct xen_machphys_mapping, machphys_fields),
    OP(XENMEM_add_to_physmap, "add_to_physmap", struct xen_add_to_physmap, add_fields),
    OP(XENMEM_add_to_physmap_batch, "add_to_physmap_batch", struct xen_add_to_physmap_batch,
       add_batch_fields),
    OP(XENMEM_remove_from_physmap, "remove_from_physmap", struct xen_remove_from_physmap,
       remove_fields),
    OP(XENMEM_memory_map, "memory_map", struct xen_memory_map, map_fields),
    OP(XENMEM_machine_memory_map, "machine_memory_map", struct xen_memory_map, map_fields),
    OP(XENMEM_set_memory_map, "set_memory_map", struct xen_foreign_memory_map, foreign_map_fields),
    OP(16, "set_pod_target", xen_pod_target_t, pod_fields),
    OP(17, "get_pod_target", xen_pod_target_t, pod_fields),
    OP_BARE(18, "get_sharing_freed_pages"),
    OP_BARE(19, "get_sharing_shared_pages"),
    OP_BARE(20, "paging_op"),
    OP_BARE(21, "access_op"),
    OP_BARE(22, "sharing_op"),
    OP(24, "claim_pages", struct xen_memory_reservation, reservation_fields),
    OP_BARE(26, "get_vnumainfo"),
    OP_BARE(27, "reserved_device_memory_map"),
    OP(28, "acquire_resource", struct xen_mem_acquire_resource, acquire_fields),
};

/* The upper bits of the command say how far a continued operation has come. */
#define COMMAND_MASK 0x3fu

/* Entries of an E820 map, 20 bytes each: address, size, type.  Source: ACPI 15.4. */
static void put_map(struct decode_call *c)
{
    static const struct trace_name types[] = {
        {1, "ram"}, {2, "reserved"}, {3, "acpi"}, {4, "nvs"}, {5, "unusable"}};
    struct decode_span list = decode_blob(c->event, TRACE_ROLE_DATA, 1, 0);
    struct trace_out_array array;

    if (!list.data)
        return;
    trace_out_glue(c->o, " => ");
    trace_out_array(c->o, &array, ".map");
    for (uint32_t at = 0; at + 20 <= list.size_bytes; at += 20) {
        trace_out_item(c->o, &array);
        trace_out_begin(c->o, NULL);
        trace_out_hex(c->o, "addr", decode_read_u64(list.data + at, 8));
        trace_out_hex(c->o, "size", decode_read_u64(list.data + at + 8, 8));
        trace_out_enum(c->o, ".type", decode_read_u64(list.data + at + 16, 4), types,
                       ARRAY_LEN(types));
        trace_out_end(c->o);
        trace_out_item_done(c->o, &array);
    }
    trace_out_array_end(c->o, &array);
}

static void args(struct decode_call *c)
{
    uint64_t cmd = c->arg[0] & COMMAND_MASK;
    const char *in_how = NULL, *out_how = NULL;

    decode_simple(c, ops, ARRAY_LEN(ops), cmd, c->arg[1], TRACE_ROLE_MEMORY_OP);
    if (c->arg[0] >> 6)
        trace_out_u64(c->o, "start", c->arg[0] >> 6);
    switch (cmd) {
    case XENMEM_decrease_reservation:
        in_how = "given back";
        break;
    case XENMEM_exchange:
        in_how = "exchanged away";
        out_how = "exchanged for";
        break;
    case XENMEM_increase_reservation:
    case XENMEM_populate_physmap:
        out_how = "allocated";
        break;
    case 28: /* acquire_resource: frames of a PV guest's own */
        out_how = "resource";
        break;
    default:
        break;
    }
    decode_frame_list(c, in_how, out_how);
    if (cmd == XENMEM_memory_map || cmd == XENMEM_machine_memory_map)
        put_map(c);
    else
        decode_raw(c);
}

static const char *op_name(const struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(ops, ARRAY_LEN(ops), c->arg[0] & COMMAND_MASK);

    return op ? op->name : NULL;
}

const struct decode_handler decode_memory_op = {args, op_name};

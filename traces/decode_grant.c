/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant_table_op: a list of operations of one kind.  Source: Xen's public grant_table.h.
 */
#include "traces/xen_public.h"

#include <xen/grant_table.h>

#include "traces/decode_table.h"

static const struct trace_name map_flags[] = {
    {GNTMAP_device_map, "device_map"}, {GNTMAP_host_map, "host_map"},
    {GNTMAP_readonly, "readonly"},     {GNTMAP_application_map, "application_map"},
    {GNTMAP_contains_pte, "contains_pte"}};
static const struct trace_name copy_flags[] = {{GNTCOPY_source_gref, "source_gref"},
                                               {GNTCOPY_dest_gref, "dest_gref"}};

static const struct decode_field map_fields[] = {
    IN("host_addr", struct gnttab_map_grant_ref, host_addr, VA),
    IN_NAMED("flags", struct gnttab_map_grant_ref, flags, FLAGS, map_flags),
    IN("ref", struct gnttab_map_grant_ref, ref, REF),
    IN("dom", struct gnttab_map_grant_ref, dom, DOMID),
    OUT("status", struct gnttab_map_grant_ref, status, STATUS),
    OUT("handle", struct gnttab_map_grant_ref, handle, U64),
    OUT("dev_bus_addr", struct gnttab_map_grant_ref, dev_bus_addr, GFN)};
static const struct decode_field unmap_fields[] = {
    IN("host_addr", struct gnttab_unmap_grant_ref, host_addr, VA),
    IN("dev_bus_addr", struct gnttab_unmap_grant_ref, dev_bus_addr, HEX),
    IN("handle", struct gnttab_unmap_grant_ref, handle, U64),
    OUT("status", struct gnttab_unmap_grant_ref, status, STATUS)};
static const struct decode_field setup_fields[] = {
    IN("dom", struct gnttab_setup_table, dom, DOMID),
    IN("nr_frames", struct gnttab_setup_table, nr_frames, U64),
    IN("frame_list", struct gnttab_setup_table, frame_list, HEX),
    OUT("status", struct gnttab_setup_table, status, STATUS)};
static const struct decode_field dump_fields[] = {
    IN("dom", struct gnttab_dump_table, dom, DOMID),
    OUT("status", struct gnttab_dump_table, status, STATUS)};
static const struct decode_field transfer_fields[] = {
    IN("mfn", struct gnttab_transfer, mfn, MFN), IN("domid", struct gnttab_transfer, domid, DOMID),
    IN("ref", struct gnttab_transfer, ref, REF),
    OUT("status", struct gnttab_transfer, status, STATUS)};
static const struct decode_field query_fields[] = {
    IN("dom", struct gnttab_query_size, dom, DOMID),
    OUT("nr_frames", struct gnttab_query_size, nr_frames, U64),
    OUT("max_nr_frames", struct gnttab_query_size, max_nr_frames, U64),
    OUT("status", struct gnttab_query_size, status, STATUS)};
static const struct decode_field replace_fields[] = {
    IN("host_addr", struct gnttab_unmap_and_replace, host_addr, VA),
    IN("new_addr", struct gnttab_unmap_and_replace, new_addr, VA),
    IN("handle", struct gnttab_unmap_and_replace, handle, U64),
    OUT("status", struct gnttab_unmap_and_replace, status, STATUS)};
static const struct decode_field set_version_fields[] = {
    IN("version", struct gnttab_set_version, version, U64),
    OUT(".version_after", struct gnttab_set_version, version, U64)};
static const struct decode_field status_frames_fields[] = {
    IN("nr_frames", struct gnttab_get_status_frames, nr_frames, U64),
    IN("dom", struct gnttab_get_status_frames, dom, DOMID),
    IN("frame_list", struct gnttab_get_status_frames, frame_list, HEX),
    OUT("status", struct gnttab_get_status_frames, status, STATUS)};
static const struct decode_field get_version_fields[] = {
    IN("dom", struct gnttab_get_version, dom, DOMID),
    OUT("version", struct gnttab_get_version, version, U64)};
static const struct decode_field swap_fields[] = {
    IN("ref_a", struct gnttab_swap_grant_ref, ref_a, REF),
    IN("ref_b", struct gnttab_swap_grant_ref, ref_b, REF),
    OUT("status", struct gnttab_swap_grant_ref, status, STATUS)};
static const struct decode_field flush_fields[] = {
    IN("addr_or_ref", struct gnttab_cache_flush, a.dev_bus_addr, HEX),
    IN("offset", struct gnttab_cache_flush, offset, U64),
    IN("length", struct gnttab_cache_flush, length, U64),
    IN("op", struct gnttab_cache_flush, op, HEX)};

static const struct decode_op ops[] = {
    OP(GNTTABOP_map_grant_ref, "map_grant_ref", struct gnttab_map_grant_ref, map_fields),
    OP(GNTTABOP_unmap_grant_ref, "unmap_grant_ref", struct gnttab_unmap_grant_ref, unmap_fields),
    OP(GNTTABOP_setup_table, "setup_table", struct gnttab_setup_table, setup_fields),
    OP(GNTTABOP_dump_table, "dump_table", struct gnttab_dump_table, dump_fields),
    OP(GNTTABOP_transfer, "transfer", struct gnttab_transfer, transfer_fields),
    {GNTTABOP_copy, "copy", NULL, 0, sizeof(struct gnttab_copy)}, /* put_copy() */
    OP(GNTTABOP_query_size, "query_size", struct gnttab_query_size, query_fields),
    OP(GNTTABOP_unmap_and_replace, "unmap_and_replace", struct gnttab_unmap_and_replace,
       replace_fields),
    OP(GNTTABOP_set_version, "set_version", struct gnttab_set_version, set_version_fields),
    OP(GNTTABOP_get_status_frames, "get_status_frames", struct gnttab_get_status_frames,
       status_frames_fields),
    OP(GNTTABOP_get_version, "get_version", struct gnttab_get_version, get_version_fields),
    OP(GNTTABOP_swap_grant_ref, "swap_grant_ref", struct gnttab_swap_grant_ref, swap_fields),
    OP(GNTTABOP_cache_flush, "cache_flush", struct gnttab_cache_flush, flush_fields),
};

static void put_copy_end(struct trace_out *o, const char *name, const struct gnttab_copy_ptr *end,
                         bool by_ref)
{
    trace_out_begin(o, name);
    if (by_ref)
        trace_out_ref(o, "ref", end->u.ref, "copied");
    else
        trace_out_gfn(o, "gmfn", end->u.gmfn);
    trace_out_domid(o, "dom", end->domid, "named");
    trace_out_u64(o, "offset", end->offset);
    trace_out_end(o);
}

/* Whether source and destination are references is said by the flags behind them. */
static void put_copy(struct trace_out *o, struct decode_span in, struct decode_span out)
{
    struct gnttab_copy copy;

    if (!in.data)
        in = out;
    if (in.size_bytes < sizeof(copy)) {
        trace_out_bytes(o, ".bytes", in.data, in.size_bytes);
        trace_out_word(o, ".cut", "cut off");
        return;
    }
    memcpy(&copy, in.data, sizeof(copy));
    put_copy_end(o, "source", &copy.source, copy.flags & GNTCOPY_source_gref);
    put_copy_end(o, "dest", &copy.dest, copy.flags & GNTCOPY_dest_gref);
    trace_out_u64(o, "len", copy.len);
    trace_out_flags(o, "flags", copy.flags, copy_flags, ARRAY_LEN(copy_flags));
    if (out.size_bytes >= sizeof(copy)) {
        memcpy(&copy, out.data, sizeof(copy));
        trace_out_glue(o, " => ");
        trace_out_grant_status(o, "status", copy.status);
    }
}

static void put_list(struct decode_call *c, const struct decode_op *op)
{
    struct decode_span in = decode_blob(c->event, TRACE_ROLE_GRANT_OP, 0, 0);
    struct decode_span out = decode_blob(c->event, TRACE_ROLE_GRANT_OP, 1, 0);
    uint32_t size = MAX(in.size_bytes, out.size_bytes);
    struct trace_out_array array;

    trace_out_array(c->o, &array, ".list");
    for (uint32_t at = 0; at < size; at += op->size_bytes) {
        struct decode_span one = decode_slice(in, at, op->size_bytes);
        struct decode_span after = decode_slice(out, at, op->size_bytes);

        trace_out_item(c->o, &array);
        trace_out_begin(c->o, NULL);
        if (op->field)
            decode_members(c->o, op->field, op->fields, one, after);
        else
            put_copy(c->o, one, after);
        trace_out_end(c->o);
        trace_out_item_done(c->o, &array);
    }
    trace_out_array_end(c->o, &array);
    if (size / op->size_bytes < c->arg[2])
        trace_out_word(c->o, ".cut", "cut off");
}

static void args(struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(ops, ARRAY_LEN(ops), c->arg[0] & 0xfff);
    bool captured = decode_blob(c->event, TRACE_ROLE_GRANT_OP, 0, 0).data ||
                    decode_blob(c->event, TRACE_ROLE_GRANT_OP, 1, 0).data;

    if (!op || !captured) {
        decode_simple(c, ops, ARRAY_LEN(ops), c->arg[0] & 0xfff, c->arg[1], TRACE_ROLE_GRANT_OP);
    } else {
        trace_out_word(c->o, ".op", op->name);
        put_list(c, op);
    }
    trace_out_u64(c->o, "count", c->arg[2]);
    decode_frame_list(c, NULL, "grant table");
}

static const char *op_name(const struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(ops, ARRAY_LEN(ops), c->arg[0] & 0xfff);

    return op ? op->name : NULL;
}

const struct decode_handler decode_grant_table_op = {args, op_name};

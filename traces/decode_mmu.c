/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu_update, mmuext_op, update_va_mapping.  Source: Xen's public xen.h.
 */
#include "traces/xen_public.h"

#include "traces/decode_table.h"
#include "traces/levels.h"
#include "traces/names.h"

static const struct trace_name uvmf_names[] = {
    {UVMF_TLB_FLUSH, "TLB_FLUSH"}, {UVMF_INVLPG, "INVLPG"}, {UVMF_ALL, "ALL"}};

/* The upper half of mmu_update's domain argument is the owner of the frames, if it is not 0. */
static void put_subject(struct decode_call *c, uint64_t domain)
{
    trace_out_domid(c->o, "domain", domain & 0xffff, "named");
    if (domain >> 16 & 0xffff)
        trace_out_domid(c->o, "table_owner", (domain >> 16 & 0xffff) - 1, "named");
}

/* How many requests were done is written to where @pointer says. */
static void put_done(struct decode_call *c, uint64_t pointer)
{
    struct decode_span done = decode_blob(c->event, TRACE_ROLE_DATA, 1, 0);

    if (!pointer)
        return;
    trace_out_hex(c->o, "done", pointer);
    if (done.size_bytes != 4)
        return;
    trace_out_glue(c->o, " => ");
    trace_out_u64(c->o, ".done_after", decode_read_u64(done.data, 4));
}

static void put_table(struct trace_out *o, uint64_t address)
{
    static const char *const names[] = {".pte", ".l1e", ".l2e", ".l3e", ".l4e"};
    uint64_t mfn = address >> 12, index = (address & 0xfff) / 8;
    unsigned level = trace_levels_find(o->levels, mfn);

    trace_out_word(o, ".entry", names[level] + 1);
    trace_out_glue(o, " ");
    trace_out_mfn(o, ".table", mfn, "table");
    trace_out_glue(o, "[");
    trace_out_u64(o, ".index", index);
    trace_out_glue(o, "] <- ");
}

static void put_update(struct trace_out *o, const struct mmu_update *update)
{
    static const struct trace_name kinds[] = {
        {MMU_PT_UPDATE_PRESERVE_AD, "preserve_ad"}, {MMU_PT_UPDATE_NO_TRANSLATE, "no_translate"}};
    unsigned command = update->ptr & 3;

    if (command == MMU_MACHPHYS_UPDATE) {
        trace_out_word(o, ".entry", "m2p");
        trace_out_glue(o, " ");
        trace_out_mfn(o, ".mfn", update->ptr >> 12, "m2p");
        trace_out_glue(o, " <- ");
        trace_out_hex(o, "pfn", update->val);
        return;
    }
    put_table(o, update->ptr & ~3ull);
    trace_out_pte(o, ".val", update->val);
    if (command) {
        trace_out_glue(o, " ");
        trace_out_enum(o, ".command", command, kinds, ARRAY_LEN(kinds));
    }
}

static void args_mmu_update(struct decode_call *c)
{
    struct decode_span list = decode_blob(c->event, TRACE_ROLE_MMU_UPDATE, 0, 0);
    uint64_t there = list.size_bytes / sizeof(struct mmu_update), count = c->arg[1];
    struct trace_out_array array;

    if (!list.data) {
        trace_out_hex(c->o, ".reqs", c->arg[0]);
    } else {
        trace_out_array(c->o, &array, ".reqs");
        for (uint64_t i = 0; i < there; i++) {
            struct mmu_update update;

            memcpy(&update, list.data + i * sizeof(update), sizeof(update));
            trace_out_item(c->o, &array);
            trace_out_begin(c->o, NULL);
            put_update(c->o, &update);
            trace_out_end(c->o);
            trace_out_item_done(c->o, &array);
        }
        trace_out_array_end(c->o, &array);
    }
    trace_out_u64(c->o, "count", count & 0x7fffffff);
    if (list.data && there < (count & 0x7fffffff))
        trace_out_word(c->o, ".cut", "cut off");
    if (count & 0x80000000u)
        trace_out_bool(c->o, "preempted", true);
    put_done(c, c->arg[2]);
    put_subject(c, c->arg[3]);
}

const struct decode_handler decode_mmu_update = {args_mmu_update, NULL};

/* --- mmuext_op ----------------------------------------------------------------------------- */

static const struct decode_field mfn_fields[] = {IN("mfn", struct mmuext_op, arg1.mfn, MFN)};
static const struct decode_field va_fields[] = {IN("va", struct mmuext_op, arg1.linear_addr, VA)};
static const struct decode_field mask_fields[] = {
    IN("vcpumask", struct mmuext_op, arg2.vcpumask, HEX)};
static const struct decode_field va_mask_fields[] = {
    IN("va", struct mmuext_op, arg1.linear_addr, VA),
    IN("vcpumask", struct mmuext_op, arg2.vcpumask, HEX)};
static const struct decode_field ldt_fields[] = {
    IN("va", struct mmuext_op, arg1.linear_addr, VA),
    IN("entries", struct mmuext_op, arg2.nr_ents, U64)};
static const struct decode_field copy_fields[] = {
    IN("mfn", struct mmuext_op, arg1.mfn, MFN), IN("from", struct mmuext_op, arg2.src_mfn, MFN)};

static const struct decode_op mmuext_ops[] = {
    OP(MMUEXT_PIN_L1_TABLE, "pin_l1_table", struct mmuext_op, mfn_fields),
    OP(MMUEXT_PIN_L2_TABLE, "pin_l2_table", struct mmuext_op, mfn_fields),
    OP(MMUEXT_PIN_L3_TABLE, "pin_l3_table", struct mmuext_op, mfn_fields),
    OP(MMUEXT_PIN_L4_TABLE, "pin_l4_table", struct mmuext_op, mfn_fields),
    OP(MMUEXT_UNPIN_TABLE, "unpin_table", struct mmuext_op, mfn_fields),
    OP(MMUEXT_NEW_BASEPTR, "new_baseptr", struct mmuext_op, mfn_fields),
    OP_BARE(MMUEXT_TLB_FLUSH_LOCAL, "tlb_flush_local"),
    OP(MMUEXT_INVLPG_LOCAL, "invlpg_local", struct mmuext_op, va_fields),
    OP(MMUEXT_TLB_FLUSH_MULTI, "tlb_flush_multi", struct mmuext_op, mask_fields),
    OP(MMUEXT_INVLPG_MULTI, "invlpg_multi", struct mmuext_op, va_mask_fields),
    OP_BARE(MMUEXT_TLB_FLUSH_ALL, "tlb_flush_all"),
    OP(MMUEXT_INVLPG_ALL, "invlpg_all", struct mmuext_op, va_fields),
    OP_BARE(MMUEXT_FLUSH_CACHE, "flush_cache"),
    OP(MMUEXT_SET_LDT, "set_ldt", struct mmuext_op, ldt_fields),
    OP(MMUEXT_NEW_USER_BASEPTR, "new_user_baseptr", struct mmuext_op, mfn_fields),
    OP(MMUEXT_CLEAR_PAGE, "clear_page", struct mmuext_op, mfn_fields),
    OP(MMUEXT_COPY_PAGE, "copy_page", struct mmuext_op, copy_fields),
    OP_BARE(MMUEXT_FLUSH_CACHE_GLOBAL, "flush_cache_global"),
    OP(MMUEXT_MARK_SUPER, "mark_super", struct mmuext_op, mfn_fields),
    OP(MMUEXT_UNMARK_SUPER, "unmark_super", struct mmuext_op, mfn_fields),
};

static const struct decode_op *mmuext_op_at(struct decode_span one, uint32_t *cmd)
{
    if (!one.data || one.size_bytes < 4)
        return NULL;
    *cmd = (uint32_t)decode_read_u64(one.data, 4);
    return decode_op_find(mmuext_ops, ARRAY_LEN(mmuext_ops), *cmd);
}

static void put_mmuext(struct trace_out *o, struct decode_span one)
{
    uint32_t cmd = 0;
    const struct decode_op *op = mmuext_op_at(one, &cmd);

    if (op)
        trace_out_word(o, ".op", op->name);
    else if (one.size_bytes >= 4)
        trace_out_u64(o, "op", cmd);
    if (op)
        decode_members(o, op->field, op->fields, one, (struct decode_span){0});
    else
        trace_out_bytes(o, ".bytes", one.data, one.size_bytes);
}

static void args_mmuext(struct decode_call *c)
{
    struct decode_span list = decode_blob(c->event, TRACE_ROLE_MMUEXT_OP, 0, 0);
    struct trace_out_array array;
    uint64_t count = c->arg[1] & 0x7fffffff;

    if (!list.data) {
        trace_out_hex(c->o, ".ops", c->arg[0]);
    } else {
        trace_out_array(c->o, &array, ".ops");
        for (uint32_t at = 0; at < list.size_bytes; at += sizeof(struct mmuext_op)) {
            trace_out_item(c->o, &array);
            trace_out_begin(c->o, NULL);
            put_mmuext(c->o, decode_slice(list, at, sizeof(struct mmuext_op)));
            trace_out_end(c->o);
            trace_out_item_done(c->o, &array);
        }
        trace_out_array_end(c->o, &array);
    }
    trace_out_u64(c->o, "count", count);
    if (list.data && list.size_bytes / sizeof(struct mmuext_op) < count)
        trace_out_word(c->o, ".cut", "cut off");
    put_done(c, c->arg[2]);
    trace_out_domid(c->o, "domain", c->arg[3] & 0xffff, "named");
}

static const char *op_mmuext(const struct decode_call *c)
{
    uint32_t cmd;
    const struct decode_op *op =
        mmuext_op_at(decode_blob(c->event, TRACE_ROLE_MMUEXT_OP, 0, 0), &cmd);

    return op ? op->name : NULL;
}

const struct decode_handler decode_mmuext_op = {args_mmuext, op_mmuext};

/* --- update_va_mapping --------------------------------------------------------------------- */

static void put_va_mapping(struct decode_call *c)
{
    uint64_t flags = c->arg[2];

    struct decode_span old = decode_blob(c->event, TRACE_ROLE_L1E, 0, 0);

    trace_out_va(c->o, "va", c->arg[0], "mapping");
    trace_out_glue(c->o, " <- ");
    trace_out_pte(c->o, ".val", c->arg[1]);
    if (old.size_bytes == 8) {
        trace_out_glue(c->o, ", was ");
        trace_out_old_pte(c->o, ".was", decode_read_u64(old.data, 8), c->arg[1]);
    }
    if (flags & ~7ull) { /* a bitmap of vCPUs to flush */
        trace_out_flags(c->o, "flags", flags & 7, uvmf_names, ARRAY_LEN(uvmf_names));
        trace_out_hex(c->o, "vcpumask", flags & ~7ull);
    } else {
        trace_out_flags(c->o, "flags", flags, uvmf_names, ARRAY_LEN(uvmf_names));
    }
}

const struct decode_handler decode_update_va_mapping = {put_va_mapping, NULL};

static void put_va_mapping_otherdomain(struct decode_call *c)
{
    put_va_mapping(c);
    trace_out_domid(c->o, "domain", c->arg[3] & 0xffff, "named");
}

const struct decode_handler decode_update_va_mapping_otherdomain = {put_va_mapping_otherdomain,
                                                                     NULL};

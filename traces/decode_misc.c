/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callback_op, nmi_op, vm_assist, xen_version, console_io, hvm_op, kexec_op, multicall.
 * Source: Xen's public callback.h, nmi.h, xen.h, version.h, hvm/hvm_op.h, kexec.h.
 */
#include "traces/xen_public.h"

#include <xen/callback.h>
#include <xen/hvm/hvm_op.h>
#include <xen/kexec.h>
#include <xen/nmi.h>
#include <xen/version.h>

#include "traces/decode_table.h"

#define NAME_OF(ops, cmd)                                                                          \
    const struct decode_op *op = decode_op_find(ops, ARRAY_LEN(ops), cmd);                         \
    return op ? op->name : NULL

/* --- callback_op, nmi_op, vm_assist -------------------------------------------------------- */

static const struct trace_name callback_names[] = {
    {CALLBACKTYPE_event, "event"},       {CALLBACKTYPE_failsafe, "failsafe"},
    {CALLBACKTYPE_syscall, "syscall"},   {3, "sysenter_deprecated"},
    {CALLBACKTYPE_nmi, "nmi"},           {5, "sysenter"},
    {CALLBACKTYPE_syscall32, "syscall32"}};
static const struct trace_name callback_flags[] = {{CALLBACKF_mask_events, "mask_events"}};
static const struct decode_field register_fields[] = {
    IN_NAMED("type", struct callback_register, type, ENUM, callback_names),
    IN_NAMED("flags", struct callback_register, flags, FLAGS, callback_flags),
    IN("address", struct callback_register, address, VA)};
static const struct decode_field unregister_fields[] = {
    IN_NAMED("type", struct callback_unregister, type, ENUM, callback_names)};
static const struct decode_op callback_ops[] = {
    OP(CALLBACKOP_register, "register", struct callback_register, register_fields),
    OP(CALLBACKOP_unregister, "unregister", struct callback_unregister, unregister_fields),
};

static void args_callback(struct decode_call *c)
{
    decode_simple(c, callback_ops, ARRAY_LEN(callback_ops), c->arg[0], c->arg[1],
                  TRACE_ROLE_CALLBACK_OP);
}

static const char *op_callback(const struct decode_call *c)
{
    NAME_OF(callback_ops, c->arg[0]);
}

const struct decode_handler decode_callback_op = {args_callback, op_callback};

static const struct decode_field nmi_fields[] = {
    IN("handler", struct xennmi_callback, handler_address, VA)};
static const struct decode_op nmi_ops[] = {
    OP(XENNMI_register_callback, "register_callback", struct xennmi_callback, nmi_fields),
    OP_BARE(XENNMI_unregister_callback, "unregister_callback"),
};

static void args_nmi(struct decode_call *c)
{
    decode_simple(c, nmi_ops, ARRAY_LEN(nmi_ops), c->arg[0], c->arg[1], TRACE_ROLE_NMI_OP);
}

static const char *op_nmi(const struct decode_call *c)
{
    NAME_OF(nmi_ops, c->arg[0]);
}

const struct decode_handler decode_nmi_op = {args_nmi, op_nmi};

static void args_vm_assist(struct decode_call *c)
{
    static const struct trace_name commands[] = {{VMASST_CMD_enable, "enable"},
                                                 {VMASST_CMD_disable, "disable"}};
    static const struct trace_name types[] = {
        {VMASST_TYPE_4gb_segments, "4gb_segments"},
        {VMASST_TYPE_4gb_segments_notify, "4gb_segments_notify"},
        {VMASST_TYPE_writable_pagetables, "writable_pagetables"},
        {VMASST_TYPE_pae_extended_cr3, "pae_extended_cr3"},
        {VMASST_TYPE_architectural_iopl, "architectural_iopl"},
        {VMASST_TYPE_runstate_update_flag, "runstate_update_flag"},
        {VMASST_TYPE_m2p_strict, "m2p_strict"}};

    trace_out_enum(c->o, ".op", c->arg[0], commands, ARRAY_LEN(commands));
    trace_out_enum(c->o, ".type", c->arg[1], types, ARRAY_LEN(types));
}

const struct decode_handler decode_vm_assist = {args_vm_assist, NULL};

/* --- xen_version --------------------------------------------------------------------------- */

static const struct decode_field compile_fields[] = {
    OUT("compiler", struct xen_compile_info, compiler, TEXT),
    OUT("by", struct xen_compile_info, compile_by, TEXT),
    OUT("domain", struct xen_compile_info, compile_domain, TEXT),
    OUT("date", struct xen_compile_info, compile_date, TEXT)};
static const struct decode_field parameter_fields[] = {
    OUT("virt_start", struct xen_platform_parameters, virt_start, HEX)};
static const struct decode_field feature_fields[] = {
    IN("submap_idx", struct xen_feature_info, submap_idx, U64),
    OUT("submap", struct xen_feature_info, submap, HEX)};
static const struct decode_op version_ops[] = {
    OP_BARE(XENVER_version, "version"),
    OP_BARE(XENVER_extraversion, "extraversion"),
    OP(XENVER_compile_info, "compile_info", struct xen_compile_info, compile_fields),
    OP_BARE(XENVER_capabilities, "capabilities"),
    OP_BARE(XENVER_changeset, "changeset"),
    OP(XENVER_platform_parameters, "platform_parameters", struct xen_platform_parameters,
       parameter_fields),
    OP(XENVER_get_features, "get_features", struct xen_feature_info, feature_fields),
    OP_BARE(XENVER_pagesize, "pagesize"),
    OP_BARE(XENVER_guest_handle, "guest_handle"),
    OP_BARE(XENVER_commandline, "commandline"),
    OP_BARE(XENVER_build_id, "build_id"),
};

/* Some commands write a text. */
static bool is_text(uint64_t cmd)
{
    return cmd == XENVER_extraversion || cmd == XENVER_capabilities || cmd == XENVER_changeset ||
           cmd == XENVER_commandline;
}

static void args_version(struct decode_call *c)
{
    struct decode_span out = decode_blob(c->event, TRACE_ROLE_XEN_VERSION, 1, 0);
    const struct decode_op *op = decode_op_find(version_ops, ARRAY_LEN(version_ops), c->arg[0]);

    if (op && is_text(c->arg[0]) && out.data) {
        trace_out_word(c->o, ".op", op->name);
        trace_out_glue(c->o, " => ");
        trace_out_text(c->o, ".text", out.data, strnlen((const char *)out.data, out.size_bytes));
        return;
    }
    decode_simple(c, version_ops, ARRAY_LEN(version_ops), c->arg[0], c->arg[1],
                  TRACE_ROLE_XEN_VERSION);
}

static const char *op_version(const struct decode_call *c)
{
    NAME_OF(version_ops, c->arg[0]);
}

const struct decode_handler decode_xen_version = {args_version, op_version};

/* --- console_io ---------------------------------------------------------------------------- */

static const struct decode_op console_ops[] = {OP_BARE(CONSOLEIO_write, "write"),
                                               OP_BARE(CONSOLEIO_read, "read")};

static void args_console(struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(console_ops, ARRAY_LEN(console_ops), c->arg[0]);
    struct decode_span text = decode_blob(c->event, TRACE_ROLE_CONSOLE, 0, 0);

    if (op)
        trace_out_word(c->o, ".op", op->name);
    else
        trace_out_u64(c->o, "op", c->arg[0]);
    trace_out_u64(c->o, "count", c->arg[1]);
    if (!text.data)
        text = decode_blob(c->event, TRACE_ROLE_CONSOLE, 1, 0);
    if (text.data)
        trace_out_text(c->o, ".text", text.data, text.size_bytes);
    else
        trace_out_hex(c->o, ".buffer", c->arg[2]);
}

static const char *op_console(const struct decode_call *c)
{
    NAME_OF(console_ops, c->arg[0]);
}

const struct decode_handler decode_console_io = {args_console, op_console};

/* --- hvm_op, kexec_op ---------------------------------------------------------------------- */

static const struct decode_field param_fields[] = {
    IN("domid", struct xen_hvm_param, domid, DOMID), IN("index", struct xen_hvm_param, index, U64),
    IN("value", struct xen_hvm_param, value, HEX),
    OUT(".value_after", struct xen_hvm_param, value, HEX)};
static const struct decode_op hvm_ops[] = {
    OP(HVMOP_set_param, "set_param", struct xen_hvm_param, param_fields),
    OP(HVMOP_get_param, "get_param", struct xen_hvm_param, param_fields),
    OP_BARE(2, "set_pci_intx_level"),
    OP_BARE(3, "set_isa_irq_level"),
    OP_BARE(4, "set_pci_link_route"),
    OP_BARE(5, "flush_tlbs"),
    OP_BARE(9, "pagetable_dying"),
    OP_BARE(10, "get_time"),
    OP_BARE(11, "xentrace"),
    OP_BARE(12, "set_mem_access"),
    OP_BARE(13, "get_mem_access"),
    OP_BARE(15, "get_mem_type"),
    OP_BARE(23, "set_evtchn_upcall_vector"),
    OP_BARE(24, "guest_request_vm_event"),
    OP_BARE(25, "altp2m"),
};

static void args_hvm(struct decode_call *c)
{
    decode_simple(c, hvm_ops, ARRAY_LEN(hvm_ops), c->arg[0], c->arg[1], TRACE_ROLE_HVM_OP);
}

static const char *op_hvm(const struct decode_call *c)
{
    NAME_OF(hvm_ops, c->arg[0]);
}

const struct decode_handler decode_hvm_op = {args_hvm, op_hvm};

static const struct decode_op kexec_ops[] = {
    OP_BARE(0, "kexec"), OP_BARE(1, "load_v1"), OP_BARE(2, "unload_v1"), OP_BARE(3, "get_range"),
    OP_BARE(4, "load"),  OP_BARE(5, "unload"),  OP_BARE(6, "status"),
};

static void args_kexec(struct decode_call *c)
{
    decode_simple(c, kexec_ops, ARRAY_LEN(kexec_ops), c->arg[0], c->arg[1], TRACE_ROLE_RAW);
}

static const char *op_kexec(const struct decode_call *c)
{
    NAME_OF(kexec_ops, c->arg[0]);
}

const struct decode_handler decode_kexec_op = {args_kexec, op_kexec};

/* --- multicall ----------------------------------------------------------------------------- */

/* The entries are events of their own; here is which they are and what became of them. */
static void args_multicall(struct decode_call *c)
{
    struct decode_span in = decode_blob(c->event, TRACE_ROLE_MULTICALL_ENTRY, 0, 0);
    const struct trace_field *names = &c->event->kind->field[TRACE_HYPERCALL_NUMBER];
    struct trace_out_array array;

    if (in.data) {
        trace_out_array(c->o, &array, ".calls");
        for (uint32_t at = 0; at + sizeof(struct multicall_entry) <= in.size_bytes;
             at += sizeof(struct multicall_entry)) {
            trace_out_item(c->o, &array);
            trace_out_enum(c->o, NULL, decode_read_u64(in.data + at, 8), names->names,
                           names->name_count);
            trace_out_item_done(c->o, &array);
        }
        trace_out_array_end(c->o, &array);
    }
    trace_out_u64(c->o, "count", c->arg[1]);
}

const struct decode_handler decode_multicall = {args_multicall, NULL};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replaces privileged instructions: traps, segments, stacks, debug registers, iret.
 * Source: Xen's public xen.h and arch-x86/xen*.h.
 */
#include "traces/xen_public.h"

#include "traces/decode_table.h"

static const struct decode_field trap_fields[] = {
    IN("vector", struct trap_info, vector, HEX), IN("flags", struct trap_info, flags, HEX),
    IN("cs", struct trap_info, cs, HEX), IN("address", struct trap_info, address, VA)};

static void args_set_trap_table(struct decode_call *c)
{
    struct decode_span list = decode_blob(c->event, TRACE_ROLE_TRAP_INFO, 0, 0);
    struct trace_out_array array;

    if (!list.data) {
        trace_out_hex(c->o, ".table", c->arg[0]);
        return;
    }
    trace_out_array(c->o, &array, ".table");
    for (uint32_t at = 0; at < list.size_bytes; at += sizeof(struct trap_info)) {
        trace_out_item(c->o, &array);
        trace_out_begin(c->o, NULL);
        decode_members(c->o, trap_fields, ARRAY_LEN(trap_fields),
                       decode_slice(list, at, sizeof(struct trap_info)), (struct decode_span){0});
        trace_out_end(c->o);
        trace_out_item_done(c->o, &array);
    }
    trace_out_array_end(c->o, &array);
}

const struct decode_handler decode_set_trap_table = {args_set_trap_table, NULL};

static void args_set_gdt(struct decode_call *c)
{
    decode_frame_list(c, "descriptor table", NULL);
    if (!decode_blob(c->event, TRACE_ROLE_FRAME_LIST, 0, 0).data)
        trace_out_hex(c->o, ".frames", c->arg[0]);
    trace_out_u64(c->o, "entries", c->arg[1]);
}

const struct decode_handler decode_set_gdt = {args_set_gdt, NULL};

static void args_stack_switch(struct decode_call *c)
{
    trace_out_hex(c->o, "ss", c->arg[0]);
    trace_out_va(c->o, "rsp", c->arg[1], "stack");
}

const struct decode_handler decode_stack_switch = {args_stack_switch, NULL};

static void args_set_callbacks(struct decode_call *c)
{
    trace_out_va(c->o, "event", c->arg[0], "callback");
    trace_out_va(c->o, "failsafe", c->arg[1], "callback");
    trace_out_va(c->o, "syscall", c->arg[2], "callback");
}

const struct decode_handler decode_set_callbacks = {args_set_callbacks, NULL};

static void args_fpu_taskswitch(struct decode_call *c)
{
    trace_out_word(c->o, ".set", c->arg[0] ? "set" : "clear");
}

const struct decode_handler decode_fpu_taskswitch = {args_fpu_taskswitch, NULL};

static void args_set_debugreg(struct decode_call *c)
{
    trace_out_u64(c->o, "reg", c->arg[0]);
    trace_out_hex(c->o, "value", c->arg[1]);
}

const struct decode_handler decode_set_debugreg = {args_set_debugreg, NULL};

static void args_get_debugreg(struct decode_call *c)
{
    trace_out_u64(c->o, "reg", c->arg[0]);
}

const struct decode_handler decode_get_debugreg = {args_get_debugreg, NULL};

/* A descriptor's parts, see the SDM, volume 3, 3.4.5. */
static void args_update_descriptor(struct decode_call *c)
{
    uint64_t d = c->arg[1];

    trace_out_hex(c->o, "address", c->arg[0]);
    trace_out_touch(c->o, TRACE_TERM_FRAME, c->arg[0] >> 12, 1, "descriptor table");
    trace_out_glue(c->o, " <- ");
    trace_out_hex(c->o, ".descriptor", d);
    trace_out_begin(c->o, ".fields");
    trace_out_hex(c->o, "base", (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000));
    trace_out_hex(c->o, "limit", (d & 0xffff) | (d >> 32 & 0xf0000));
    trace_out_hex(c->o, "type", d >> 40 & 0x1f);
    trace_out_u64(c->o, "dpl", d >> 45 & 3);
    trace_out_bool(c->o, "present", d >> 47 & 1);
    trace_out_end(c->o);
}

const struct decode_handler decode_update_descriptor = {args_update_descriptor, NULL};

static void args_set_segment_base(struct decode_call *c)
{
    static const struct trace_name names[] = {{SEGBASE_FS, "fs"},
                                              {SEGBASE_GS_USER, "gs_user"},
                                              {SEGBASE_GS_KERNEL, "gs_kernel"},
                                              {SEGBASE_GS_USER_SEL, "gs_user_sel"}};

    trace_out_enum(c->o, ".which", c->arg[0], names, ARRAY_LEN(names));
    trace_out_hex(c->o, ".base", c->arg[1]);
}

const struct decode_handler decode_set_segment_base = {args_set_segment_base, NULL};

static const struct decode_field iret_fields[] = {
    IN("rip", struct iret_context, rip, HEX), IN("cs", struct iret_context, cs, HEX),
    IN("rflags", struct iret_context, rflags, HEX), IN("rsp", struct iret_context, rsp, HEX),
    IN("ss", struct iret_context, ss, HEX), IN("rax", struct iret_context, rax, HEX),
    IN("flags", struct iret_context, flags, HEX)};

static void args_iret(struct decode_call *c)
{
    struct decode_span frame = decode_blob(c->event, TRACE_ROLE_IRET_FRAME, 0, 0);

    if (frame.data)
        decode_members(c->o, iret_fields, ARRAY_LEN(iret_fields), frame, (struct decode_span){0});
}

const struct decode_handler decode_iret = {args_iret, NULL};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sched_op, vcpu_op, set_timer_op.  Source: Xen's public sched.h and vcpu.h.
 */
#include "traces/xen_public.h"

#include <xen/sched.h>
#include <xen/vcpu.h>

#include "traces/decode_table.h"

static const struct trace_name reason_names[] = {
    {SHUTDOWN_poweroff, "poweroff"}, {SHUTDOWN_reboot, "reboot"},
    {SHUTDOWN_suspend, "suspend"},   {SHUTDOWN_crash, "crash"},
    {SHUTDOWN_watchdog, "watchdog"}, {SHUTDOWN_soft_reset, "soft_reset"}};

static const struct decode_field shutdown_fields[] = {
    IN_NAMED("reason", struct sched_shutdown, reason, ENUM, reason_names)};
static const struct decode_field poll_fields[] = {
    IN("ports", struct sched_poll, ports, HEX), IN("nr_ports", struct sched_poll, nr_ports, U64),
    IN("timeout", struct sched_poll, timeout, TIME)};
static const struct decode_field remote_fields[] = {
    IN("domid", struct sched_remote_shutdown, domain_id, DOMID),
    IN_NAMED("reason", struct sched_remote_shutdown, reason, ENUM, reason_names)};
static const struct decode_field watchdog_fields[] = {
    IN("id", struct sched_watchdog, id, U64),
    IN("timeout_s", struct sched_watchdog, timeout, U64)};
static const struct decode_field override_fields[] = {
    IN("pcpu", struct sched_pin_override, pcpu, I64)};

static const struct decode_op sched_ops[] = {
    OP_BARE(SCHEDOP_yield, "yield"),
    OP_BARE(SCHEDOP_block, "block"),
    OP(SCHEDOP_shutdown, "shutdown", struct sched_shutdown, shutdown_fields),
    OP(SCHEDOP_poll, "poll", struct sched_poll, poll_fields),
    OP(SCHEDOP_remote_shutdown, "remote_shutdown", struct sched_remote_shutdown, remote_fields),
    OP(SCHEDOP_shutdown_code, "shutdown_code", struct sched_shutdown, shutdown_fields),
    OP(SCHEDOP_watchdog, "watchdog", struct sched_watchdog, watchdog_fields),
    OP(SCHEDOP_pin_override, "pin_override", struct sched_pin_override, override_fields),
};

static void put_ports(struct decode_call *c)
{
    struct decode_span list = decode_blob(c->event, TRACE_ROLE_PORT_LIST, 0, 0);
    struct trace_out_array array;

    if (!list.data)
        return;
    trace_out_array(c->o, &array, ".port_list");
    for (uint32_t at = 0; at + 4 <= list.size_bytes; at += 4) {
        trace_out_item(c->o, &array);
        trace_out_port(c->o, NULL, decode_read_u64(list.data + at, 4), "polled");
        trace_out_item_done(c->o, &array);
    }
    trace_out_array_end(c->o, &array);
}

static void args_sched(struct decode_call *c)
{
    bool bare = c->arg[0] == SCHEDOP_yield || c->arg[0] == SCHEDOP_block;

    decode_simple(c, sched_ops, ARRAY_LEN(sched_ops), c->arg[0], bare ? 0 : c->arg[1],
                  TRACE_ROLE_SCHED_OP);
    put_ports(c);
}

static const char *op_sched(const struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(sched_ops, ARRAY_LEN(sched_ops), c->arg[0]);

    return op ? op->name : NULL;
}

const struct decode_handler decode_sched_op = {args_sched, op_sched};

/* The old form: yield and block as above, shutdown with the reason in the second argument. */
static void args_sched_compat(struct decode_call *c)
{
    const char *name = op_sched(c);

    if (c->arg[0] > SCHEDOP_shutdown || !name) {
        trace_out_u64(c->o, "op", c->arg[0]);
        trace_out_hex(c->o, ".arg", c->arg[1]);
        return;
    }
    trace_out_word(c->o, ".op", name);
    if (c->arg[0] == SCHEDOP_shutdown)
        trace_out_enum(c->o, "reason", c->arg[1], reason_names, ARRAY_LEN(reason_names));
}

const struct decode_handler decode_sched_op_compat = {args_sched_compat, op_sched};

/* --- vcpu_op ------------------------------------------------------------------------------- */

static const struct trace_name runstate_names[] = {{RUNSTATE_running, "running"},
                                                   {RUNSTATE_runnable, "runnable"},
                                                   {RUNSTATE_blocked, "blocked"},
                                                   {RUNSTATE_offline, "offline"}};
static const struct trace_name timer_flags[] = {{VCPU_SSHOTTMR_future, "future"}};

static const struct decode_field runstate_fields[] = {
    OUT_NAMED("state", struct vcpu_runstate_info, state, ENUM, runstate_names),
    OUT("entered", struct vcpu_runstate_info, state_entry_time, TIME),
    OUT("running", struct vcpu_runstate_info, time[0], TIME),
    OUT("runnable", struct vcpu_runstate_info, time[1], TIME),
    OUT("blocked", struct vcpu_runstate_info, time[2], TIME),
    OUT("offline", struct vcpu_runstate_info, time[3], TIME)};
static const struct decode_field runstate_area_fields[] = {
    IN("addr", struct vcpu_register_runstate_memory_area, addr.p, VA)};
static const struct decode_field periodic_fields[] = {
    IN("period", struct vcpu_set_periodic_timer, period_ns, TIME)};
static const struct decode_field singleshot_fields[] = {
    IN("at", struct vcpu_set_singleshot_timer, timeout_abs_ns, TIME),
    IN_NAMED("flags", struct vcpu_set_singleshot_timer, flags, FLAGS, timer_flags)};
static const struct decode_field info_fields[] = {
    IN("gfn", struct vcpu_register_vcpu_info, mfn, GFN),
    IN("offset", struct vcpu_register_vcpu_info, offset, U64)};
static const struct decode_field physid_fields[] = {
    OUT("phys_id", struct vcpu_get_physid, phys_id, HEX)};
static const struct decode_field time_area_fields[] = {
    IN("addr", struct vcpu_register_time_memory_area, addr.p, VA)};
/* What matters of a new vCPU's context: where it starts, and on which tables. */
static const struct decode_field context_fields[] = {
    IN("flags", vcpu_guest_context_t, flags, HEX),
    IN("rip", vcpu_guest_context_t, user_regs.rip, VA),
    IN("rsp", vcpu_guest_context_t, user_regs.rsp, VA),
    IN("kernel_sp", vcpu_guest_context_t, kernel_sp, VA),
    IN("cr3", vcpu_guest_context_t, ctrlreg[3], HEX),
    IN("gdt_ents", vcpu_guest_context_t, gdt_ents, U64),
    IN("event_callback", vcpu_guest_context_t, event_callback_eip, VA),
    IN("syscall_callback", vcpu_guest_context_t, syscall_callback_eip, VA)};

static const struct decode_op vcpu_ops[] = {
    OP(VCPUOP_initialise, "initialise", vcpu_guest_context_t, context_fields),
    OP_BARE(VCPUOP_up, "up"),
    OP_BARE(VCPUOP_down, "down"),
    OP_BARE(VCPUOP_is_up, "is_up"),
    OP(VCPUOP_get_runstate_info, "get_runstate_info", struct vcpu_runstate_info, runstate_fields),
    OP(VCPUOP_register_runstate_memory_area, "register_runstate_memory_area",
       struct vcpu_register_runstate_memory_area, runstate_area_fields),
    OP(VCPUOP_set_periodic_timer, "set_periodic_timer", struct vcpu_set_periodic_timer,
       periodic_fields),
    OP_BARE(VCPUOP_stop_periodic_timer, "stop_periodic_timer"),
    OP(VCPUOP_set_singleshot_timer, "set_singleshot_timer", struct vcpu_set_singleshot_timer,
       singleshot_fields),
    OP_BARE(VCPUOP_stop_singleshot_timer, "stop_singleshot_timer"),
    OP(VCPUOP_register_vcpu_info, "register_vcpu_info", struct vcpu_register_vcpu_info,
       info_fields),
    OP_BARE(VCPUOP_send_nmi, "send_nmi"),
    OP(VCPUOP_get_physid, "get_physid", struct vcpu_get_physid, physid_fields),
    OP(VCPUOP_register_vcpu_time_memory_area, "register_vcpu_time_memory_area",
       struct vcpu_register_time_memory_area, time_area_fields),
};

static void args_vcpu(struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(vcpu_ops, ARRAY_LEN(vcpu_ops), c->arg[0]);

    decode_simple(c, vcpu_ops, ARRAY_LEN(vcpu_ops), c->arg[0], op && !op->field ? 0 : c->arg[2],
                  TRACE_ROLE_VCPU_OP);
    trace_out_u64(c->o, "vcpu", c->arg[1]);
}

static const char *op_vcpu(const struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(vcpu_ops, ARRAY_LEN(vcpu_ops), c->arg[0]);

    return op ? op->name : NULL;
}

const struct decode_handler decode_vcpu_op = {args_vcpu, op_vcpu};

/* --- set_timer_op -------------------------------------------------------------------------- */

static void args_set_timer(struct decode_call *c)
{
    if (c->arg[0])
        trace_out_time(c->o, "at", c->arg[0]);
    else
        trace_out_word(c->o, ".stop", "stop");
}

const struct decode_handler decode_set_timer_op = {args_set_timer, NULL};

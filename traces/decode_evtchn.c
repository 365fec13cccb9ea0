/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event_channel_op.  Source: Xen's public event_channel.h.
 */
#include "traces/xen_public.h"

#include <xen/event_channel.h>

#include "traces/decode_table.h"

static const struct trace_name virq_names[] = {
    {VIRQ_TIMER, "timer"},         {VIRQ_DEBUG, "debug"},       {VIRQ_CONSOLE, "console"},
    {VIRQ_DOM_EXC, "dom_exc"},     {VIRQ_TBUF, "tbuf"},         {VIRQ_DEBUGGER, "debugger"},
    {VIRQ_XENOPROF, "xenoprof"},   {VIRQ_CON_RING, "con_ring"}, {VIRQ_PCPU_STATE, "pcpu_state"},
    {VIRQ_MEM_EVENT, "mem_event"}, {VIRQ_ARGO, "argo"},         {VIRQ_ENOMEM, "enomem"},
    {VIRQ_XENPMU, "xenpmu"}};
static const struct trace_name status_names[] = {
    {EVTCHNSTAT_closed, "closed"}, {EVTCHNSTAT_unbound, "unbound"},
    {EVTCHNSTAT_interdomain, "interdomain"}, {EVTCHNSTAT_pirq, "pirq"},
    {EVTCHNSTAT_virq, "virq"}, {EVTCHNSTAT_ipi, "ipi"}};
static const struct trace_name pirq_flags[] = {{BIND_PIRQ__WILL_SHARE, "will_share"}};

static const struct decode_field interdomain_fields[] = {
    IN("remote_dom", struct evtchn_bind_interdomain, remote_dom, DOMID),
    IN("remote_port", struct evtchn_bind_interdomain, remote_port, PORT),
    OUT("local_port", struct evtchn_bind_interdomain, local_port, PORT)};
static const struct decode_field virq_fields[] = {
    IN_NAMED("virq", struct evtchn_bind_virq, virq, ENUM, virq_names),
    IN("vcpu", struct evtchn_bind_virq, vcpu, U64),
    OUT("port", struct evtchn_bind_virq, port, PORT)};
static const struct decode_field pirq_fields[] = {
    IN("pirq", struct evtchn_bind_pirq, pirq, U64),
    IN_NAMED("flags", struct evtchn_bind_pirq, flags, FLAGS, pirq_flags),
    OUT("port", struct evtchn_bind_pirq, port, PORT)};
static const struct decode_field port_fields[] = {IN("port", struct evtchn_send, port, PORT)};
static const struct decode_field status_fields[] = {
    IN("dom", struct evtchn_status, dom, DOMID), IN("port", struct evtchn_status, port, PORT),
    OUT_NAMED("status", struct evtchn_status, status, ENUM, status_names),
    OUT("vcpu", struct evtchn_status, vcpu, U64),
    OUT("detail", struct evtchn_status, u, BYTES)};
static const struct decode_field unbound_fields[] = {
    IN("dom", struct evtchn_alloc_unbound, dom, DOMID),
    IN("remote_dom", struct evtchn_alloc_unbound, remote_dom, DOMID),
    OUT("port", struct evtchn_alloc_unbound, port, PORT)};
static const struct decode_field ipi_fields[] = {
    IN("vcpu", struct evtchn_bind_ipi, vcpu, U64), OUT("port", struct evtchn_bind_ipi, port, PORT)};
static const struct decode_field bind_vcpu_fields[] = {
    IN("port", struct evtchn_bind_vcpu, port, PORT),
    IN("vcpu", struct evtchn_bind_vcpu, vcpu, U64)};
static const struct decode_field reset_fields[] = {IN("dom", struct evtchn_reset, dom, DOMID)};
static const struct decode_field control_fields[] = {
    IN("control_gfn", struct evtchn_init_control, control_gfn, GFN),
    IN("offset", struct evtchn_init_control, offset, U64),
    IN("vcpu", struct evtchn_init_control, vcpu, U64),
    OUT("link_bits", struct evtchn_init_control, link_bits, U64)};
static const struct decode_field expand_fields[] = {
    IN("array_gfn", struct evtchn_expand_array, array_gfn, GFN)};
static const struct decode_field priority_fields[] = {
    IN("port", struct evtchn_set_priority, port, PORT),
    IN("priority", struct evtchn_set_priority, priority, U64)};

static const struct decode_op ops[] = {
    OP(EVTCHNOP_bind_interdomain, "bind_interdomain", struct evtchn_bind_interdomain,
       interdomain_fields),
    OP(EVTCHNOP_bind_virq, "bind_virq", struct evtchn_bind_virq, virq_fields),
    OP(EVTCHNOP_bind_pirq, "bind_pirq", struct evtchn_bind_pirq, pirq_fields),
    OP(EVTCHNOP_close, "close", struct evtchn_close, port_fields),
    OP(EVTCHNOP_send, "send", struct evtchn_send, port_fields),
    OP(EVTCHNOP_status, "status", struct evtchn_status, status_fields),
    OP(EVTCHNOP_alloc_unbound, "alloc_unbound", struct evtchn_alloc_unbound, unbound_fields),
    OP(EVTCHNOP_bind_ipi, "bind_ipi", struct evtchn_bind_ipi, ipi_fields),
    OP(EVTCHNOP_bind_vcpu, "bind_vcpu", struct evtchn_bind_vcpu, bind_vcpu_fields),
    OP(EVTCHNOP_unmask, "unmask", struct evtchn_unmask, port_fields),
    OP(EVTCHNOP_reset, "reset", struct evtchn_reset, reset_fields),
    OP(EVTCHNOP_init_control, "init_control", struct evtchn_init_control, control_fields),
    OP(EVTCHNOP_expand_array, "expand_array", struct evtchn_expand_array, expand_fields),
    OP(EVTCHNOP_set_priority, "set_priority", struct evtchn_set_priority, priority_fields),
    OP(14, "reset_cont", struct evtchn_reset, reset_fields),
};

static void args(struct decode_call *c)
{
    decode_simple(c, ops, ARRAY_LEN(ops), c->arg[0], c->arg[1], TRACE_ROLE_EVTCHN_OP);
}

static const char *op_name(const struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(ops, ARRAY_LEN(ops), c->arg[0]);

    return op ? op->name : NULL;
}

const struct decode_handler decode_event_channel_op = {args, op_name};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/event.h"

#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"

static struct {
    event_handler handler;
    void *arg;
} ports[EVTCHN_2L_NR_CHANNELS];

#define WORDS (EVTCHN_2L_NR_CHANNELS / 64)

static bool test_and_clear_bit(volatile unsigned long *words, u32 bit)
{
    bool was;

    __asm__ volatile("lock btrq %2, %1"
                     : "=@ccc"(was), "+m"(words[bit / 64])
                     : "r"((u64)(bit % 64))
                     : "memory");
    return was;
}

static void set_bit(volatile unsigned long *words, u32 bit)
{
    __asm__ volatile("lock orq %1, %0" : "+m"(words[bit / 64]) : "r"(1ul << (bit % 64)) : "memory");
}

void event_init(void)
{
    for (u32 i = 0; i < WORDS; i++)
        shared_info->evtchn_mask[i] = ~0ul;
}

void event_dispatch(void)
{
    vcpu_info_t *vcpu = vcpu_info();

    while (__atomic_exchange_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST)) {
        unsigned long selected = __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);

        for (; selected; selected &= selected - 1) {
            u32 word = (u32)__builtin_ctzl(selected);
            unsigned long set = shared_info->evtchn_pending[word] & ~shared_info->evtchn_mask[word];

            for (; set; set &= set - 1) {
                u32 port = word * 64 + (u32)__builtin_ctzl(set);

                if (test_and_clear_bit(shared_info->evtchn_pending, port) && ports[port].handler)
                    ports[port].handler(port, ports[port].arg);
            }
        }
    }
}

void event_set_handler(u32 port, event_handler handler, void *arg)
{
    ASSERT(port < EVTCHN_2L_NR_CHANNELS);
    ports[port].arg = arg;
    ports[port].handler = handler;
}

bool event_has_handler(u32 port)
{
    return port < EVTCHN_2L_NR_CHANNELS && ports[port].handler;
}

void event_enable(void)
{
    vcpu_info_t *vcpu = vcpu_info();

    vcpu->evtchn_upcall_mask = 0;
    BARRIER();
    /* The way back from any hypercall delivers; this one does nothing else. */
    if (vcpu->evtchn_upcall_pending)
        hypercall_xen_version(XENVER_version, NULL);
}

void event_disable(void)
{
    vcpu_info()->evtchn_upcall_mask = 1;
    BARRIER();
}

bool event_enabled(void)
{
    return shared_info && !vcpu_info()->evtchn_upcall_mask;
}

void event_mask(u32 port)
{
    set_bit(shared_info->evtchn_mask, port);
}

void event_unmask(u32 port)
{
    evtchn_unmask_t unmask = {.port = port};

    hypercall_event_channel_op(EVTCHNOP_unmask, &unmask);
}

bool event_pending(u32 port)
{
    return (*(volatile unsigned long *)&shared_info->evtchn_pending[port / 64] >> (port % 64)) & 1;
}

bool event_clear(u32 port)
{
    return test_and_clear_bit(shared_info->evtchn_pending, port);
}

long event_alloc_unbound(u16 domid, u16 remote_domid)
{
    evtchn_alloc_unbound_t op = {.dom = domid, .remote_dom = remote_domid};
    long error = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    return error ? error : (long)op.port;
}

long event_bind_interdomain(u16 remote_domid, u32 remote_port)
{
    evtchn_bind_interdomain_t op = {.remote_dom = remote_domid, .remote_port = remote_port};
    long error = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &op);

    return error ? error : (long)op.local_port;
}

long event_bind_virq(u32 virq, u32 vcpu)
{
    evtchn_bind_virq_t op = {.virq = virq, .vcpu = vcpu};
    long error = hypercall_event_channel_op(EVTCHNOP_bind_virq, &op);

    return error ? error : (long)op.port;
}

long event_bind_ipi(u32 vcpu)
{
    evtchn_bind_ipi_t op = {.vcpu = vcpu};
    long error = hypercall_event_channel_op(EVTCHNOP_bind_ipi, &op);

    return error ? error : (long)op.port;
}

long event_send(u32 port)
{
    evtchn_send_t op = {.port = port};

    return hypercall_event_channel_op(EVTCHNOP_send, &op);
}

long event_close(u32 port)
{
    evtchn_close_t op = {.port = port};

    return hypercall_event_channel_op(EVTCHNOP_close, &op);
}

void event_wait(void)
{
    /* Blocking unmasks upcalls; a pending one ends it at once. */
    hypercall_sched_op(SCHEDOP_block, NULL);
}

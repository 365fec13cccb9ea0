/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO event channel ABI, once it is turned on.
 */
#include "guests/conform/conform.h"

static evtchn_fifo_control_block_t *control;
static event_word_t *array;
static bool on;

/* A case about it; says nothing where the ABI is not offered. */
#define FIFO_TEST(name, ...)                                                                       \
    test(name, __VA_ARGS__);                                                                       \
    if (!on) {                                                                                     \
        skip("the FIFO ABI is not offered");                                                       \
    } else

static u32 word(u32 port)
{
    return *(volatile event_word_t *)&array[port];
}

static bool bit(u32 port, u32 n)
{
    return word(port) >> n & 1;
}

static long priority(u32 port, u32 value)
{
    evtchn_set_priority_t op = {.port = port, .priority = value};

    return hypercall_event_channel_op(EVTCHNOP_set_priority, &op);
}

void guest_main(void)
{
    evtchn_init_control_t init = {.vcpu = 0, .offset = 0};
    evtchn_expand_array_t expand = {0};
    long before, port;

    report_start("evtchn-fifo");
    before = event_bind_ipi(0);
    control = page_alloc();
    array = page_alloc();
    init.control_gfn = memory_virt_to_mfn(control);
    expand.array_gfn = memory_virt_to_mfn(array);
    test("init", "init_control with a page of the domain: 0, the number of bits of a link");
    long error = hypercall_event_channel_op(EVTCHNOP_init_control, &init);
    on = !error;
    equal("result", error, 0);
    equal("bits", init.link_bits, EVTCHN_FIFO_LINK_BITS);
    test("stays", "a hypervisor that does not offer it answers so and stays with two levels");
    if (!on) {
        equal("error", error, -XEN_ENOSYS);
        equal("send", event_send((u32)before), 0);
        holds("pending", event_pending((u32)before));
    }
    FIFO_TEST("init-again", "init_control of a vCPU that has a control block: -EINVAL") {
        equal("result", hypercall_event_channel_op(EVTCHNOP_init_control, &init), -XEN_EINVAL);
    }
    FIFO_TEST("held", "the control block is held writable: it cannot become a table") {
        equal("ro", memory_protect(control, MEMORY_RO), 0);
        equal("pin", mmuext(MMUEXT_PIN_L1_TABLE, init.control_gfn, 0), -XEN_EINVAL);
        equal("rw", memory_protect(control, MEMORY_RW), 0);
    }
    FIFO_TEST("expand-bad", "expand_array with a frame beyond memory: -EINVAL") {
        expand.array_gfn = MFN_BEYOND;
        equal("result", hypercall_event_channel_op(EVTCHNOP_expand_array, &expand), -XEN_EINVAL);
        expand.array_gfn = memory_virt_to_mfn(array);
    }
    FIFO_TEST("expand", "expand_array adds a page of event words") {
        equal("result", hypercall_event_channel_op(EVTCHNOP_expand_array, &expand), 0);
    }
    port = event_bind_ipi(0);
    FIFO_TEST("masked", "a masked port becomes pending and is not linked") {
        array[port] |= 1u << EVTCHN_FIFO_MASKED;
        equal("send", event_send((u32)port), 0);
        holds("pending", bit((u32)port, EVTCHN_FIFO_PENDING));
        holds("not linked", !bit((u32)port, EVTCHN_FIFO_LINKED));
        equal("ready", control->ready, 0);
    }
    FIFO_TEST("unmask", "unmask links it into the queue of its priority, and makes that ready") {
        event_unmask((u32)port);
        holds("not masked", !bit((u32)port, EVTCHN_FIFO_MASKED));
        holds("linked", bit((u32)port, EVTCHN_FIFO_LINKED));
        equal("ready", control->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
        equal("head", control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], (u64)port);
        equal("upcall", vcpu_info()->evtchn_upcall_pending, 1);
    }
    FIFO_TEST("tail", "a second port is linked behind the first") {
        equal("send", event_send((u32)before), 0);
        equal("link", word((u32)port) & EVTCHN_FIFO_LINK_MASK, (u64)before);
        equal("head", control->head[EVTCHN_FIFO_PRIORITY_DEFAULT], (u64)port);
    }
    FIFO_TEST("two-levels-off", "the bits of the two-level ABI are left alone") {
        holds("pending", !event_pending((u32)port));
    }
    FIFO_TEST("priority", "set_priority: 0 to 15, above -EINVAL") {
        equal("0", priority((u32)port, 0), 0);
        equal("15", priority((u32)port, 15), 0);
        equal("16", priority((u32)port, 16), -XEN_EINVAL);
    }
    FIFO_TEST("priority-queue", "a port of another priority is linked into that queue") {
        long high = event_bind_ipi(0);

        equal("set", priority((u32)high, 3), 0);
        equal("send", event_send((u32)high), 0);
        equal("head", control->head[3], (u64)high);
        equal("ready", control->ready >> 3 & 1, 1);
    }
    FIFO_TEST("status", "ports keep their state") {
        evtchn_status_t s = {.dom = DOMID_SELF, .port = (u32)before};

        equal("result", hypercall_event_channel_op(EVTCHNOP_status, &s), 0);
        equal("ipi", s.status, EVTCHNSTAT_ipi);
    }
    report_end();
}

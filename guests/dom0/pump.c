/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/pump.h"

#include "guests/dom0/domain.h"
#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/runtime.h"

#define INPUT_BYTES 1024u /* a power of two */
#define CTRL_C      3

static char input[INPUT_BYTES];
static u32 input_read, input_written; /* free-running */
static bool input_event, interrupted;

static void on_input(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    input_event = true;
}

static void on_exception(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    domain_ended_event();
}

static void on_timer(u32 port, void *arg)
{
    (void)port;
    (void)arg;
}

static void bind(u32 virq, event_handler handler)
{
    long port = event_bind_virq(virq, 0);

    if (port < 0)
        panic("virtual interrupt %u: error %ld", virq, port);
    event_set_handler((u32)port, handler, NULL);
    event_unmask((u32)port);
}

void pump_init(void)
{
    bind(VIRQ_TIMER, on_timer);
    bind(VIRQ_CONSOLE, on_input);
    bind(VIRQ_DOM_EXC, on_exception);
    /* What was typed before anybody listened. */
    input_event = true;
}

static void take_input(void)
{
    char chunk[64];
    size_t n;

    input_event = false;
    while (INPUT_BYTES - (input_written - input_read) >= sizeof chunk &&
           (n = console_read(chunk, sizeof chunk)) != 0)
        for (size_t i = 0; i < n; i++) {
            interrupted |= chunk[i] == CTRL_C;
            input[input_written++ % INPUT_BYTES] = chunk[i];
        }
}

int pump_read(void)
{
    return input_read == input_written ? -1 : (u8)input[input_read++ % INPUT_BYTES];
}

enum pump_end pump_until(bool (*done)(void *arg), void *arg, u64 deadline_ns)
{
    interrupted = false;
    for (;;) {
        bool more;

        event_dispatch();
        if (input_event)
            take_input();
        more = domain_service();
        if (done(arg))
            return PUMP_DONE;
        if (interrupted) {
            /* As on a terminal, what was typed before goes as well. */
            input_read = input_written;
            return PUMP_INTERRUPTED;
        }
        if (deadline_ns != PUMP_FOR_EVER) {
            if (clock_system_ns() >= deadline_ns)
                return PUMP_TIMEOUT;
            hypercall_set_timer_op(deadline_ns);
        }
        if (!more) {
            event_wait();
            event_disable();
        }
    }
}

u32 pump_ports(void)
{
    u32 count = 0;

    for (u32 port = 1; port < EVTCHN_2L_NR_CHANNELS; port++) {
        evtchn_status_t status = {.dom = DOMID_SELF, .port = port};

        if (hypercall_event_channel_op(EVTCHNOP_status, &status))
            break; /* beyond what exists */
        count += status.status != EVTCHNSTAT_closed;
    }
    return count;
}

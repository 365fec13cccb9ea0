/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console: console_io of domain 0, its input, and the ring of what the hypervisor itself printed.
 */
#include "hv/access.h"
#include "hv/console_io.h"
#include "hv/guest.h"
#include "hv/hypercall.h"
#include "hv/lib.h"
#include "hv/uart.h"

#define RING_SIZE 16384u /* a power of 2 */
#define INPUT_SIZE 128u  /* likewise */
#define CHUNK 128u

/* Indices only grow; what is older than the ring is gone. */
static char ring[RING_SIZE];
static u32 ring_first, ring_end;

static char input[INPUT_SIZE];
static u32 input_first, input_end;

void hv_console_ring_put(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ring[ring_end++ % RING_SIZE] = text[i];
    if (ring_end - ring_first > RING_SIZE)
        ring_first = ring_end - RING_SIZE;
    hv_virq_raise_global(VIRQ_CON_RING);
}

void hv_console_input(void)
{
    bool any = false;
    int c;

    while ((c = hv_uart_getc()) >= 0) {
        if (input_end - input_first < INPUT_SIZE)
            input[input_end++ % INPUT_SIZE] = c;
        any = true;
    }
    if (any)
        hv_virq_raise_global(VIRQ_CONSOLE);
}

int hv_console_ring_read(struct xen_sysctl_readconsole *op)
{
    u32 at = ring_first, copied = 0;

    if (op->incremental && op->index - ring_first <= ring_end - ring_first)
        at = op->index;
    while (at != ring_end && copied < op->count) {
        u32 n = HV_MIN(op->count - copied, ring_end - at);

        n = HV_MIN(n, RING_SIZE - at % RING_SIZE);
        if (hv_copy_to_guest((u64)op->buffer.p + copied, &ring[at % RING_SIZE], n))
            return -EFAULT;
        at += n;
        copied += n;
    }
    if (op->clear)
        ring_first = at;
    op->count = copied;
    op->index = at;
    return 0;
}

/* Returns: how many bytes were written, less than @size if a preemption is due; -EFAULT. */
static long console_write(u64 from, u32 size)
{
    char text[CHUNK];
    u32 done = 0;

    if ((s32)size < 0)
        return -E2BIG;
    while (done < size) {
        u32 n = HV_MIN(size - done, CHUNK);

        if (done && hv_preempt())
            break;
        if (hv_copy_from_guest(text, from + done, n))
            return -EFAULT;
        for (u32 i = 0; i < n; i++)
            hv_uart_putc(text[i]);
        done += n;
    }
    return done;
}

static long console_read(u64 to, u32 size)
{
    u32 done = 0;

    if ((s32)size < 0)
        return -E2BIG;
    for (; done < size && input_first != input_end; done++) {
        if (hv_copy_to_guest(to + done, &input[input_first % INPUT_SIZE], 1))
            return -EFAULT;
        input_first++;
    }
    return done;
}

HV_HYPERCALL(console_io)
{
    u32 cmd = a0, size = a1;
    long done;

    if (!hv_privileged())
        return -EPERM;
    switch (cmd) {
    case CONSOLEIO_write:
        done = console_write(a2, size);
        if (done < 0 || done == size)
            return done < 0 ? done : 0;
        return HV_CONTINUE(__HYPERVISOR_console_io, cmd, size - done, a2 + done);
    case CONSOLEIO_read:
        return console_read(a2, size);
    default:
        return -ENOSYS;
    }
}

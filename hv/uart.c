/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16550 at 0x3f8, polled for output, by interrupt (IRQ 4) for input. */
#include "hv/uart.h"

#include "hv/cpu.h"

#define PORT 0x3f8
static u8 buffer[256];
static u32 head, tail;

void hv_uart_init(void)
{
    hv_outb(PORT + 1, 0);
    hv_outb(PORT + 3, 0x83);
    hv_outb(PORT, 1);
    hv_outb(PORT + 1, 0);
    hv_outb(PORT + 3, 3);
    hv_outb(PORT + 2, 7);
    hv_outb(PORT + 4, 0x0b);
    hv_outb(PORT + 1, 1);
}

void hv_uart_putc(char c)
{
    for (u32 n = 0; n < 100000 && !(hv_inb(PORT + 5) & 0x20); n++)
        ;
    hv_outb(PORT, (u8)c);
}

void hv_uart_irq(void)
{
    while (hv_inb(PORT + 5) & 1) {
        u8 c = hv_inb(PORT);
        if (head - tail < sizeof(buffer))
            buffer[head++ % sizeof(buffer)] = c;
    }
    (void)hv_inb(PORT + 2);
    hv_cpu.work |= HV_WORK_CONSOLE;
}

int hv_uart_getc(void)
{
    return head == tail ? -1 : buffer[tail++ % sizeof(buffer)];
}

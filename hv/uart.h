/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Driver: the first serial port, a 16550. */
#ifndef HV_UART_H
#define HV_UART_H

#include "hv/types.h"

void hv_uart_init(void);
void hv_uart_putc(char c);
/** hv_uart_getc - the next byte that has come in, or -1. */
int hv_uart_getc(void);
/** hv_uart_irq - moves received bytes into the buffer and asks for HV_WORK_CONSOLE. */
void hv_uart_irq(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a freestanding program has to bring along: memory, strings, printing, the end. */
#ifndef HV_LIB_H
#define HV_LIB_H

#include <stdarg.h>

#include "hv/types.h"

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/**
 * hv_printk - prints on the console: %s %c %d %u %x %lx %lu %ld %p, with width and 0.
 * Goes to the UART and into the console ring (hv_console_ring_put).
 */
void hv_printk(const char *format, ...) __attribute__((format(printf, 1, 2)));
void hv_vprintk(const char *format, va_list args);
/** hv_snprintf - the same into a buffer, always terminated; returns the length without limit. */
int hv_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/**
 * hv_panic - the end: message, registers if any, symbolised stack; exit port value 1.
 * Only for bugs of the hypervisor and for a machine it cannot run on; no guest reaches it.
 */
void hv_panic(const char *format, ...) HV_NORETURN __attribute__((format(printf, 1, 2), cold));
#define HV_ASSERT(x) \
    do { \
        if (unlikely(!(x))) \
            hv_panic("%s:%d: %s", __FILE_NAME__, __LINE__, #x); \
    } while (0)

/** hv_machine_off - ends the machine: 0 is a good end; reboot asks for a reset instead. */
void hv_machine_off(unsigned code) HV_NORETURN;
void hv_machine_reboot(void) HV_NORETURN;

/** hv_symbol - the function that holds @address, and how far into it; "?" if none. */
const char *hv_symbol(u64 address, u64 *offset);

#endif

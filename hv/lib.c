/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings, printing, and the end of the machine. */
#include "hv/lib.h"

#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/hypercall.h"
#include "hv/uart.h"

void *memmove(void *to, const void *from, size_t size)
{
    u8 *t = to;
    const u8 *f = from;
    if (t <= f || t >= f + size)
        return memcpy(to, from, size);
    while (size--)
        t[size] = f[size];
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const u8 *x = a, *y = b;
    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size && *a && *a == *b; size--)
        a++, b++;
    return size ? (u8)*a - (u8)*b : 0;
}

struct sink {
    char *to;		/* NULL: the console */
    size_t size, length;
};

static void put(struct sink *s, char c)
{
    if (!s->to) {
        if (c == '\n')
            hv_uart_putc('\r');
        hv_uart_putc(c);
        hv_console_ring_put(&c, 1);
    } else if (s->length + 1 < s->size) {
        s->to[s->length] = c;
    }
    s->length++;
}

static void put_number(struct sink *s, u64 n, unsigned base, int width, char pad, bool negative)
{
    char digits[24];
    int i = 0;
    do
        digits[i++] = "0123456789abcdef"[n % base];
    while (n /= base);
    if (negative)
        digits[i++] = '-';
    for (; width > i; width--)
        put(s, pad);
    while (i)
        put(s, digits[--i]);
}

static void format_to(struct sink *s, const char *f, va_list args)
{
    for (; *f; f++) {
        if (*f != '%') {
            put(s, *f);
            continue;
        }
        char pad = ' ';
        int width = 0, longs = 0;
        if (*++f == '0')
            pad = '0', f++;
        for (; *f >= '0' && *f <= '9'; f++)
            width = width * 10 + *f - '0';
        for (; *f == 'l' || *f == 'z'; f++)
            longs++;
        switch (*f) {
        case 'd': {
            s64 v = longs ? va_arg(args, s64) : va_arg(args, s32);
            put_number(s, v < 0 ? -(u64)v : (u64)v, 10, width, pad, v < 0);
            break;
        }
        case 'u':
        case 'x':
            put_number(s, longs ? va_arg(args, u64) : va_arg(args, u32), *f == 'u' ? 10 : 16, width, pad, false);
            break;
        case 'p':
            put_number(s, va_arg(args, u64), 16, 16, '0', false);
            break;
        case 'c':
            put(s, (char)va_arg(args, int));
            break;
        case 's':
            for (const char *t = va_arg(args, const char *); *t; t++)
                put(s, *t);
            break;
        default:
            put(s, *f);
        }
    }
}

void hv_vprintk(const char *format, va_list args)
{
    struct sink s = {0};
    format_to(&s, format, args);
}

void hv_printk(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    hv_vprintk(format, args);
    va_end(args);
}

int hv_snprintf(char *to, size_t size, const char *format, ...)
{
    struct sink s = {to, size, 0};
    va_list args;
    va_start(args, format);
    format_to(&s, format, args);
    va_end(args);
    if (size)
        to[HV_MIN(s.length, size - 1)] = 0;
    return (int)s.length;
}

extern const char hv_symbols[], hv_symbols_end[], hv_image[], hv_text_end[];

/* Records: u32 offset from hv_image, name, NUL; ascending.  An audit of the stack is rare. */
const char *hv_symbol(u64 address, u64 *offset)
{
    const char *best = "?";
    u64 at = address - (u64)hv_image;
    *offset = 0;
    for (const char *p = hv_symbols; p < hv_symbols_end; p += 4 + strlen(p + 4) + 1) {
        u32 start;
        memcpy(&start, p, 4);
        if (start > at)
            break;
        best = p + 4;
        *offset = at - start;
    }
    return best;
}

void hv_panic(const char *format, ...)
{
    va_list args;
    u64 *sp = __builtin_frame_address(0), offset;
    extern u64 hv_stack_top[];
    va_start(args, format);
    hv_printk("\n(HV) PANIC: ");
    hv_vprintk(format, args);
    va_end(args);
    if (hv_current)
        hv_printk("\n(HV) d%dv%u rip %lx rsp %lx", hv_current->domain ? hv_current->domain->id : -1,
                  hv_current->id, hv_current->regs.rip, hv_current->regs.rsp);
    hv_printk("\n(HV) stack:\n");
    for (; sp < hv_stack_top && (u64)sp > (u64)hv_image; sp++)
        if (*sp >= (u64)hv_image && *sp < (u64)hv_text_end) {
            const char *name = hv_symbol(*sp, &offset);
            hv_printk("  %lx %s+0x%lx\n", *sp, name, offset);
        }
    hv_machine_off(1);
}

void hv_machine_off(unsigned code)
{
    hv_outb(0xf4, (u8)code);
    hv_outw(0x604, 0x2000 | 5 << 10);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void hv_machine_reboot(void)
{
    hv_outb(0xcf9, 2);
    hv_outb(0xcf9, 6);
    for (;;)
        __asm__ volatile("cli; hlt");
}

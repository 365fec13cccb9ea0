/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/user/user.h"

#define LINE_BYTES 160

void _start(void);

static size_t put_number(char *to, long value)
{
    char digits[24];
    size_t n = 0, length = 0;
    unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;

    do
        digits[n++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        to[length++] = '-';
    while (n)
        to[length++] = digits[--n];
    return length;
}

void say(const char *format, long one, long two)
{
    char line[LINE_BYTES];
    size_t n = 0;

    for (; *format && n < sizeof line - 24; format++) {
        if (*format != '%') {
            line[n++] = *format;
            continue;
        }
        n += put_number(line + n, one);
        one = two;
    }
    syscall3(SYS_WRITE, (long)line, (long)n, 0);
}

void _start(void)
{
    exit(main());
}

/* The compiler calls these by itself. */
void *memset(void *to, int byte, size_t size_bytes);
void *memset(void *to, int byte, size_t size_bytes)
{
    void *at = to;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size_bytes) : "a"(byte) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t size_bytes);
void *memcpy(void *to, const void *from, size_t size_bytes)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size_bytes) : : "memory");
    return to;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/console.h"

#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#include <xen/io/console.h>

#define LINE_BYTES 512

static struct xencons_interface *ring;
static evtchn_port_t ring_port;

void console_init(void)
{
    if (start_info->flags & SIF_INITDOMAIN)
        return;
    if (!start_info->console.domU.mfn)
        return;
    ring = memory_mfn_to_virt(start_info->console.domU.mfn);
    ring_port = start_info->console.domU.evtchn;
}

static void notify(void)
{
    evtchn_send_t send = {.port = ring_port};

    hypercall_event_channel_op(EVTCHNOP_send, &send);
}

static void ring_write(const char *text, size_t size_bytes)
{
    while (size_bytes) {
        u32 prod = ring->out_prod;
        u32 room = sizeof ring->out - (prod - *(volatile XENCONS_RING_IDX *)&ring->out_cons);

        if (!room) {
            notify();
            hypercall_sched_op(SCHEDOP_yield, NULL);
            continue;
        }
        for (; room && size_bytes; room--, size_bytes--)
            ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = *text++;
        BARRIER();
        ring->out_prod = prod;
    }
    notify();
}

void console_write(const char *text, size_t size_bytes)
{
    if (ring)
        ring_write(text, size_bytes);
    else
        hypercall_console_io(CONSOLEIO_write, size_bytes, text);
}

void console_flush(void)
{
    while (ring && ring->out_prod != *(volatile XENCONS_RING_IDX *)&ring->out_cons)
        hypercall_sched_op(SCHEDOP_yield, NULL);
}

u32 console_port(void)
{
    return ring_port;
}

size_t console_read(char *to, size_t max_bytes)
{
    size_t n = 0;
    u32 cons;
    long got;

    if (!ring) {
        got = hypercall_console_io(CONSOLEIO_read, max_bytes, to);
        return got > 0 ? (size_t)got : 0;
    }
    cons = ring->in_cons;
    while (n < max_bytes && cons != *(volatile XENCONS_RING_IDX *)&ring->in_prod)
        to[n++] = ring->in[MASK_XENCONS_IDX(cons++, ring->in)];
    BARRIER();
    ring->in_cons = cons;
    if (n)
        notify();
    return n;
}

/* Where formatted text goes: counted in full, stored as far as it fits. */
struct sink {
    char *to;
    size_t size_bytes;
    size_t length;
};

static void put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size_bytes)
        sink->to[sink->length] = c;
    sink->length++;
}

struct spec {
    bool left, zero, negative;
    size_t width;
};

static void put_padded(struct sink *sink, const struct spec *spec, const char *text, size_t length)
{
    size_t pad = spec->width > length + spec->negative ? spec->width - length - spec->negative : 0;

    if (!spec->left && !spec->zero)
        for (; pad; pad--)
            put(sink, ' ');
    if (spec->negative)
        put(sink, '-');
    if (spec->zero && !spec->left)
        for (; pad; pad--)
            put(sink, '0');
    while (length--)
        put(sink, *text++);
    for (; pad; pad--)
        put(sink, ' ');
}

static void put_number(struct sink *sink, struct spec *spec, u64 value, u32 base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    size_t at = sizeof text;

    do
        text[--at] = digits[value % base];
    while (value /= base);
    put_padded(sink, spec, text + at, sizeof text - at);
}

/* The next integer of @args, whose length modifier was @size (-2 hh .. 2 ll). */
#define NEXT_SIGNED(args, size)                                                                    \
    ((size) > 0    ? va_arg(args, s64)                                                             \
     : (size) == 0 ? va_arg(args, int)                                                             \
     : (size) < -1 ? (signed char)va_arg(args, int)                                                \
                   : (short)va_arg(args, int))
#define NEXT_UNSIGNED(args, size)                                                                  \
    ((size) > 0    ? va_arg(args, u64)                                                             \
     : (size) == 0 ? va_arg(args, u32)                                                             \
     : (size) < -1 ? (u8)va_arg(args, u32)                                                         \
                   : (u16)va_arg(args, u32))

size_t print_to_v(char *to, size_t size_bytes, const char *format, va_list args)
{
    struct sink sink = {to, size_bytes, 0};

    for (; *format; format++) {
        struct spec spec = {0};
        int size = 0;

        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        for (format++; *format == '-' || *format == '0'; format++)
            *(*format == '-' ? &spec.left : &spec.zero) = true;
        for (; *format >= '0' && *format <= '9'; format++)
            spec.width = spec.width * 10 + (size_t)(*format - '0');
        for (; *format == 'l' || *format == 'h' || *format == 'z'; format++)
            size += *format == 'h' ? -1 : 1;
        if (*format == 'd' || *format == 'i') {
            s64 value = NEXT_SIGNED(args, size);

            spec.negative = value < 0;
            put_number(&sink, &spec, value < 0 ? -(u64)value : (u64)value, 10, false);
        } else if (*format == 'u') {
            put_number(&sink, &spec, NEXT_UNSIGNED(args, size), 10, false);
        } else if (*format == 'x' || *format == 'X') {
            put_number(&sink, &spec, NEXT_UNSIGNED(args, size), 16, *format == 'X');
        } else if (*format == 'p') {
            put(&sink, '0');
            put(&sink, 'x');
            put_number(&sink, &spec, (u64)va_arg(args, void *), 16, false);
        } else if (*format == 's') {
            const char *text = va_arg(args, const char *);

            put_padded(&sink, &spec, text ? text : "(null)", strlen(text ? text : "(null)"));
        } else if (*format == 'c') {
            char c = (char)va_arg(args, int);

            put_padded(&sink, &spec, &c, 1);
        } else if (*format) {
            put(&sink, *format);
        } else {
            break;
        }
    }
    if (size_bytes)
        to[sink.length < size_bytes ? sink.length : size_bytes - 1] = '\0';
    return sink.length;
}

size_t print_to(char *to, size_t size_bytes, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = print_to_v(to, size_bytes, format, args);
    va_end(args);
    return length;
}

void print(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    size_t length;

    va_start(args, format);
    length = print_to_v(line, sizeof line, format, args);
    va_end(args);
    console_write(line, length < sizeof line ? length : sizeof line - 1);
}

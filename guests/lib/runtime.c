/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/runtime.h"

#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/string.h"
#include "guests/lib/trap.h"

/* Set by start.S. */
u64 start_info_va, boot_stack_end;
struct boot_registers boot_registers;

start_info_t *start_info;
shared_info_t *shared_info;
u32 (*runtime_vcpu)(void);

bool runtime_is_dom0(void)
{
    return start_info->flags & SIF_INITDOMAIN;
}

bool runtime_option(const char *name, char *value, size_t size_bytes)
{
    const char *at = (const char *)start_info->cmd_line;
    size_t n = strlen(name);

    for (; *at; at++) {
        const char *end = at;

        while (*end && *end != ' ')
            end++;
        if ((size_t)(end - at) >= n && !strncmp(at, name, n) && (at + n == end || at[n] == '=')) {
            size_t length = at + n == end ? 0 : (size_t)(end - at) - n - 1;

            if (size_bytes) {
                length = length < size_bytes ? length : size_bytes - 1;
                memcpy(value, end - length, length);
                value[length] = '\0';
            }
            return true;
        }
        at = end;
        if (!*at)
            break;
    }
    return false;
}

u64 runtime_number(const char *text)
{
    u64 value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u64)(*text - '0');
    return value;
}

u64 runtime_option_number(const char *name, u64 otherwise)
{
    char text[24];

    return runtime_option(name, text, sizeof text) ? runtime_number(text) : otherwise;
}

void runtime_exit(u32 reason)
{
    sched_shutdown_t shutdown = {.reason = reason};

    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &shutdown);
}

void panic(const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    print_to_v(line, sizeof line, format, args);
    va_end(args);
    print("panic: %s\n", line);
    runtime_exit(SHUTDOWN_crash);
}

/* Called by start.S, once, on the boot stack. */
NORETURN void runtime_main(void);
void runtime_main(void)
{
    start_info = (start_info_t *)start_info_va;
    memory_init(boot_stack_end);
    console_init();
    trap_init();
    shared_info = memory_map_mfn(start_info->shared_info >> PAGE_SHIFT, MEMORY_RW);
    if (!shared_info)
        panic("the shared info page cannot be mapped");
    event_init();
    guest_main();
    runtime_exit(SHUTDOWN_poweroff);
}

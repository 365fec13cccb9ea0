/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/monitor.h"

#include "guests/domu/space.h"
#include "guests/domu/task.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define LINE_BYTES 80u

static char input_channel;
static char line[LINE_BYTES];
static u32 line_bytes;

static void on_input(u32 port, void *arg)
{
    (void)port;
    (void)arg;
    task_wake(&input_channel);
}

static void run_line(void)
{
    if (!strcmp(line, "ps"))
        task_print_all();
    else if (!strcmp(line, "mem"))
        print("%lu pages free, %lu with processes, %lu copied on write\n", page_count_free(),
              space_frames(), space_copies());
    else if (!strcmp(line, "poweroff"))
        runtime_exit(SHUTDOWN_poweroff);
    else if (line[0])
        print("there are: ps, mem, poweroff\n");
    print("domu> ");
}

static void take(char c)
{
    if (c == '\r' || c == '\n') {
        print("\n");
        line[line_bytes] = '\0';
        line_bytes = 0;
        run_line();
    } else if ((c == '\b' || c == 127) && line_bytes) {
        line_bytes--;
        print("\b \b");
    } else if (c >= ' ' && c < 127 && line_bytes < LINE_BYTES - 1) {
        line[line_bytes++] = c;
        print("%c", c);
    }
}

static void monitor_thread(void *arg)
{
    (void)arg;
    for (;;) {
        char text[16];
        size_t n = console_read(text, sizeof text);

        for (size_t i = 0; i < n; i++)
            take(text[i]);
        if (!n)
            task_sleep_on(&input_channel, TASK_NEVER);
    }
}

void monitor_start(void)
{
    if (!console_port())
        return;
    event_set_handler(console_port(), on_input, NULL);
    event_unmask(console_port());
    task_start_thread("monitor", monitor_thread, NULL);
}

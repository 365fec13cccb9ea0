/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was called, how often, and with what success. */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/console.h"

static const char *const names[] = {
    "set_trap_table",  "mmu_update",     "set_gdt",
    "stack_switch",    "set_callbacks",  "fpu_taskswitch",
    "sched_op_compat", "platform_op",    "set_debugreg",
    "get_debugreg",    "update_descriptor", "",
    "memory_op",       "multicall",      "update_va_mapping",
    "set_timer_op",    "event_channel_op_compat", "xen_version",
    "console_io",      "physdev_op_compat", "grant_table_op",
    "vm_assist",       "update_va_mapping_otherdomain", "iret",
    "vcpu_op",         "set_segment_base", "mmuext_op",
    "xsm_op",          "nmi_op",         "sched_op",
    "callback_op",     "xenoprof_op",    "event_channel_op",
    "physdev_op",      "hvm_op",         "sysctl",
    "domctl",          "kexec_op",       "tmem_op",
};

struct sum {
    u64 made, good;
};

/* All boards' calls of one number and command; @next: the smallest command above @command, or 256. */
static struct sum sum_of(u32 number, u32 command, u32 *next)
{
    struct sum sum = {0};

    *next = 256;
    for (u32 b = 0; b < BOARD_RECKLESS * BOARD_CPUS; b++)
        for (u32 i = 0; i < fuzz_board(0, b)->kinds && i < BOARD_KINDS; i++) {
            const struct board_kind *k = &fuzz_board(0, b)->kind[i];

            if (k->number != number)
                continue;
            if (k->command == command) {
                sum.made += k->made;
                sum.good += k->good;
            } else if (k->command > command && k->command < *next) {
                *next = k->command;
            }
        }
    return sum;
}

void fuzz_table(void)
{
    struct sum all = {0}, more = {0};

    for (u32 number = 0; number < 256; number++) {
        const char *name = number < ARRAY_SIZE(names) ? names[number] : "";

        for (u32 command = 0, next; command < 256; command = next) {
            struct sum sum = sum_of(number, command, &next);

            all.made += sum.made;
            all.good += sum.good;
            if (sum.made)
                print("fuzz: %3u %-28s %3u %9lu made %9lu good %3lu %%\n", number, name, command, sum.made, sum.good,
                      sum.good * 100 / sum.made);
        }
    }
    for (u32 b = 0; b < BOARD_RECKLESS * BOARD_CPUS; b++) {
        more.made += fuzz_board(0, b)->more.made;
        more.good += fuzz_board(0, b)->more.good;
    }
    if (more.made)
        print("fuzz: %-36s %9lu made %9lu good\n", "others", more.made, more.good);
    all.made += more.made;
    all.good += more.good;
    if (all.made)
        print("fuzz: all %36s %9lu made %9lu good %3lu %%\n", "", all.made, all.good, all.good * 100 / all.made);
}

void fuzz_shares(void)
{
    for (u32 slot = 0; slot < BOARD_SLOTS; slot++)
        for (u32 i = 0; i < BOARD_CPUS; i++)
            if (fuzz_board(slot, i)->calls)
                print("fuzz: domain %u%s, vCPU %u: %lu calls, and %lu in multicalls\n", slot,
                      slot == BOARD_RECKLESS ? " and its successors" : "", i, fuzz_board(slot, i)->calls,
                      fuzz_board(slot, i)->batched);
}

u64 fuzz_calls(u64 *batched)
{
    u64 calls = 0;

    *batched = 0;
    for (u32 b = 0; b < BOARD_RECKLESS * BOARD_CPUS; b++) {
        calls += fuzz_board(0, b)->calls;
        *batched += fuzz_board(0, b)->batched;
    }
    return calls;
}

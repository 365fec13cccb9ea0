/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/cost/samples.h"

#include "guests/lib/console.h"

u64 samples[SAMPLES];
u64 samples_overhead;
volatile u64 samples_arrived;
u64 samples_next, samples_rax, samples_rdx;

__asm__(".text\n"
        "    .globl samples_stub\n"
        "samples_stub:\n"
        "    movq %rax, samples_rax(%rip)\n"
        "    movq %rdx, samples_rdx(%rip)\n"
        "    rdtsc\n"
        "    movl %eax, samples_arrived(%rip)\n"
        "    movl %edx, 4+samples_arrived(%rip)\n"
        "    movq samples_rax(%rip), %rax\n"
        "    movq samples_rdx(%rip), %rdx\n"
        "    jmp *samples_next(%rip)\n");

static void sort(void)
{
    for (u32 i = 1; i < SAMPLES; i++)
        for (u32 k = i; k > 0 && samples[k] < samples[k - 1]; k--) {
            u64 swap = samples[k];

            samples[k] = samples[k - 1];
            samples[k - 1] = swap;
        }
}

void samples_report(const char *name)
{
    sort();
    print("cost %s %lu %lu\n", name, samples[0], samples[SAMPLES / 2]);
}

void samples_calibrate(void)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        u64 start = clock_tsc();

        samples[i] = clock_tsc() - start;
    }
    sort();
    samples_overhead = samples[SAMPLES / 2];
}

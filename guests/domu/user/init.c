/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process: puts the kernel to work, each part with a result that can be checked.
 * Its status is the number of parts that went wrong.
 */
#include "guests/domu/user/user.h"

#define CHILDREN   4
#define PAGE_BYTES 4096
#define PAGES      16

static long numbers[PAGES * PAGE_BYTES / sizeof(long)];
#define NUMBERS (PAGES * PAGE_BYTES / sizeof(long))

/* Wait for @count children; the sum of their statuses. */
static long reap(int count)
{
    long sum = 0;

    while (count--) {
        int status = 0;

        if (wait(&status) < 0)
            return -1;
        sum += status;
    }
    return sum;
}

/* Each child changes its own copy of the array and must not see what the others do. */
static int copy_on_write(void)
{
    long before = syscall3(SYS_COPIES, 0, 0, 0), copied, bad;

    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = (long)i;
    for (int child = 1; child <= CHILDREN; child++)
        if (fork() == 0) {
            int wrong = 0;

            for (size_t i = 0; i < NUMBERS; i++)
                numbers[i] *= child;
            syscall3(SYS_YIELD, 0, 0, 0);
            for (size_t i = 0; i < NUMBERS; i++)
                wrong |= numbers[i] != (long)i * child;
            exit(wrong);
        }
    bad = reap(CHILDREN);
    for (size_t i = 0; i < NUMBERS; i++)
        bad += numbers[i] != (long)i;
    copied = syscall3(SYS_COPIES, 0, 0, 0) - before;
    /* The array of each child; stacks besides. */
    if (copied < CHILDREN * PAGES)
        bad++;
    say("fork: % processes with their own copies, % wrong\n", CHILDREN, bad);
    return bad != 0;
}

/* The one that sleeps least wakes first. */
static int timers(void)
{
    long start = syscall3(SYS_CLOCK, 0, 0, 0), bad;

    for (int child = 3; child >= 1; child--)
        if (fork() == 0) {
            sleep_ms(child * 40);
            say("timer: % ms\n", child * 40, 0);
            exit(syscall3(SYS_CLOCK, 0, 0, 0) - start < child * 40000000);
        }
    bad = reap(3);
    return bad != 0;
}

/* Children that do what they may not are ended, and nobody else is. */
static int protection(void)
{
    volatile long *volatile nowhere = (volatile long *)8;
    int status = 0, bad = 0;

    if (fork() == 0) {
        *nowhere = 1;
        exit(0);
    }
    wait(&status);
    bad += status != STATUS_KILLED + 14;
    if (fork() == 0) {
        *(volatile long *)0xffffffff80100000 = 1;
        exit(0);
    }
    wait(&status);
    bad += status != STATUS_KILLED + 14;
    if (fork() == 0) {
        __asm__ volatile("hlt");
        exit(0);
    }
    wait(&status);
    bad += status != STATUS_KILLED + 13;
    bad += syscall3(SYS_WRITE, 8, 1, 0) != -14;
    bad += syscall3(SYS_WRITE, (long)0xffffffff80100000, 1, 0) != -14;
    bad += syscall3(4711, 0, 0, 0) != -38;
    say("protection: % wrong\n", bad, 0);
    return bad != 0;
}

static int other_program(void)
{
    int status = 0;

    if (fork() == 0) {
        syscall3(SYS_EXEC, (long)"primes", 0, 0);
        exit(1);
    }
    wait(&status);
    return status != 0;
}

/* s(n+1) = 3 s(n) + n modulo 2^64, from 0, after LOAD_STEPS. */
#define LOAD_STEPS 3000000ul
#define LOAD_SUM   0xf2b4d1432b1d1860ul

/* Loads that need the processor taken away from them to be done by turns. */
static int load(void)
{
    long bad;

    for (int child = 0; child < CHILDREN; child++)
        if (fork() == 0) {
            unsigned long sum = 0;

            for (unsigned long i = 0; i < LOAD_STEPS; i++)
                sum = sum * 3 + i;
            exit(sum != LOAD_SUM);
        }
    bad = reap(CHILDREN);
    say("load: % processes, % wrong\n", CHILDREN, bad);
    return bad != 0;
}

int main(void)
{
    int bad = 0;

    say("init: % CPUs\n", syscall3(SYS_CPUS, 0, 0, 0), 0);
    bad += copy_on_write();
    bad += timers();
    bad += protection();
    bad += other_program();
    bad += load();
    return bad;
}

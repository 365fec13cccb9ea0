/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user programs are made of: system calls and a little text.
 */
#ifndef GUESTS_DOMU_USER_USER_H
#define GUESTS_DOMU_USER_USER_H

#include "guests/domu/syscall.h"

#include <stddef.h>
#include <stdint.h>

static inline long syscall3(long number, long a, long b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long fork(void)
{
    return syscall3(SYS_FORK, 0, 0, 0);
}

static inline long wait(int *status)
{
    return syscall3(SYS_WAIT, (long)status, 0, 0);
}

static inline void sleep_ms(long ms)
{
    syscall3(SYS_NANOSLEEP, ms * 1000000, 0, 0);
}

__attribute__((noreturn)) static inline void exit(int status)
{
    syscall3(SYS_EXIT, status, 0, 0);
    __builtin_unreachable();
}

/** say - print up to two numbers: each % in @format is the next one. */
void say(const char *format, long one, long two);

/** main - of the program; what it returns is its status. */
int main(void);

#endif

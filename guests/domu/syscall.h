/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls, by SYSCALL: number in RAX, arguments in RDI, RSI, RDX; the result, or a negative
 * errno, in RAX.  Numbers and errors are Linux', as far as there is such a call.  Shared with the
 * user programs.
 */
#ifndef GUESTS_DOMU_SYSCALL_H
#define GUESTS_DOMU_SYSCALL_H

enum {
    SYS_WRITE = 1,       /* text, bytes */
    SYS_BRK_GROW = 12,   /* bytes: the end of the heap before */
    SYS_YIELD = 24,
    SYS_NANOSLEEP = 35,  /* ns */
    SYS_GETPID = 39,
    SYS_FORK = 57,
    SYS_EXEC = 59,       /* name of a program */
    SYS_EXIT = 60,       /* status */
    SYS_WAIT = 61,       /* address of an int: the child's id */
    SYS_CLOCK = 228,     /* system time in ns */
    SYS_CPUS = 309,      /* how many CPUs there are */
    SYS_COPIES = 400,    /* how many pages were copied by writes after a fork */
};

/* The status of a process that an exception ended: this and its vector. */
#define STATUS_KILLED 0x100

#endif

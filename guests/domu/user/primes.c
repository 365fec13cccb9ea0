/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts the primes below LIMIT with a sieve on the heap.
 */
#include "guests/domu/user/user.h"

#define LIMIT 20000

int main(void)
{
    char *sieve = (char *)syscall3(SYS_BRK_GROW, LIMIT, 0, 0);
    long count = 0;

    for (long n = 2; n < LIMIT; n++) {
        if (sieve[n])
            continue;
        count++;
        for (long m = 2 * n; m < LIMIT; m += n)
            sieve[m] = 1;
    }
    say("primes: % below %\n", count, LIMIT);
    return count == 2262 ? 0 : 1;
}

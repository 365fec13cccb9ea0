/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user programs, as the build made them.
 */
    .macro program name:req
    .pushsection .rodata
    .balign 16
1:  .incbin "guests/domu/user/\name\().user"
2:
3:  .asciz "\name"
    .popsection
    .quad 3b, 1b, 2b
    .endm

    .section .rodata.programs, "a"
    .balign 8
    .globl programs, programs_end
programs:
    program init
    program primes
programs_end:

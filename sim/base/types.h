/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address types of the simulated machine.
 *
 * The three address spaces are distinct C types, so that a linear address can
 * not be handed to a function that wants a physical one.  Values are byte
 * addresses; frame numbers are plain uint64_t named mfn or pfn.
 */
#ifndef PARAVANE_SIM_BASE_TYPES_H
#define PARAVANE_SIM_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Guest-physical (machine) byte address. */
typedef struct {
    uint64_t v;
} gpa_t;

/** Guest-linear (virtual, after segmentation) byte address. */
typedef struct {
    uint64_t v;
} gva_t;

#define GPA(x) ((gpa_t){(x)})
#define GVA(x) ((gva_t){(x)})

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK 0xfffull

#define base_likely(x) __builtin_expect(!!(x), 1)
#define base_unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of one delivery, shared by deliver*.c only.
 *
 * A step returns false after setting d->fault: the delivery is abandoned and the fault is
 * what happens next.  Steps write memory (pushes, accessed bits, TSS) but not the registers:
 * those change together, at the end, when nothing can fail any more.
 */
#ifndef PARAVANE_CPU_DELIVER_H
#define PARAVANE_CPU_DELIVER_H

#include "cpu/segment.h"

struct deliver {
    struct cpu *c;
    struct cpu_env *env;
    struct cpu_exc event;
    enum cpu_event_kind kind;
    uint32_t ext;    /* bit 0 of error codes: 0 for INT n, INT3 and INTO, else 1 */
    uint64_t ip;     /* to be pushed */
    uint64_t rflags; /* to be pushed */
    struct cpu_exc fault;
};

/* A gate of the IDT, or what stands for it. */
struct deliver_gate {
    unsigned type; /* SEG_TYPE_* */
    uint16_t selector;
    uint64_t offset;
    unsigned ist; /* 0: none */
    bool clears_if;
};

/* What is pushed: value[0] first, each @size bytes. */
struct deliver_frame {
    uint64_t value[12];
    unsigned count;
    unsigned size;
};

/* The stack it is pushed on. */
struct deliver_stack {
    struct env_seg seg; /* the new SS; unused in IA-32e mode */
    uint64_t sp;
    uint64_t mask; /* 0xffff, 0xffffffff, or all ones in IA-32e mode */
};

/* Each sets d->fault and returns false. */
bool deliver_fault(struct deliver *d, uint8_t vector, uint32_t error);
/** deliver_fault_ext - error code of a null selector: EXT only. */
bool deliver_fault_ext(struct deliver *d, uint8_t vector);
/** deliver_fault_selector - error code of a GDT or LDT selector, with EXT. */
bool deliver_fault_selector(struct deliver *d, uint8_t vector, uint16_t selector);
/** deliver_fault_idt - error code of the event's own gate, with EXT. */
bool deliver_fault_idt(struct deliver *d, uint8_t vector);
/** deliver_fault_memory - what cpu_mem_read/write left in d->fault, EXT added. */
bool deliver_fault_memory(struct deliver *d);

/** deliver_read, deliver_write - @size bytes of a descriptor table or TSS. */
bool deliver_read(struct deliver *d, uint64_t va, void *data, size_t size);
bool deliver_write(struct deliver *d, uint64_t va, const void *data, size_t size);

/** deliver_descriptor - @selector's descriptor; #@vector(selector) beyond the table's limit. */
bool deliver_descriptor(struct deliver *d, uint8_t vector, uint16_t selector,
                        struct cpu_descriptor *out);
/** deliver_check_code - fetch and check the code segment of a gate; @cpl: set to the new CPL. */
bool deliver_check_code(struct deliver *d, const struct deliver_gate *gate,
                        struct cpu_descriptor *code, unsigned *cpl);

/** deliver_has_room - would the frame fit into the stack segment's limit? */
bool deliver_has_room(const struct deliver_stack *stack, const struct deliver_frame *frame);
/** deliver_push - write the frame; stack->sp goes down. */
bool deliver_push(struct deliver *d, struct deliver_stack *stack, const struct deliver_frame *frame,
                  unsigned cpl);
/** deliver_frame_add - append a value. */
static inline void deliver_frame_add(struct deliver_frame *frame, uint64_t value)
{
    frame->value[frame->count++] = value;
}

/* Delivery by mode; deliver.c chooses. */
bool deliver_real(struct deliver *d);                    /* deliver_legacy.c */
bool deliver_protected(struct deliver *d);               /* deliver_legacy.c */
bool deliver_long(struct deliver *d);                    /* deliver_long.c */
bool deliver_task(struct deliver *d, uint16_t selector); /* deliver_task.c */

#endif

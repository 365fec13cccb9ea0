/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks of an unprivileged domain on the hypervisor and on the domains beside it.
 *
 * An attack is a function with a hypothesis: what the hypervisor does about it.  It tries, compares
 * each answer with the one that is right (guests/lib/report.h), and clears up.  The frame then asks
 * the test build of the hypervisor for a recount of all references, and for a digest of the memory of
 * the other domains; both must be as before, or the attack has succeeded and its case fails.
 *
 * A file holds one group of attacks, all of one subject:
 *
 *     #include "guests/hostile/hostile.h"
 *     #define GROUP "tables"
 *
 *     ATTACK(writable_l1, FLAW_TABLE, "an L1 table is mapped writable: -EBUSY")
 *     {
 *         u64 *l1 = pinned_table(1);
 *
 *         equal("map", memory_protect(l1, MEMORY_RW), -XEN_EBUSY);
 *         unpin(l1);
 *     }
 *
 * ATTACK_ENDS is for one that must end the attacker: it runs in a domain of its own and calls crashes()
 * before the last step.  ATTACK_KILLED is for one that never comes to its end, but says when it is
 * about to go on for ever by going_on(); domain 0 destroys it at some time after that.
 */
#ifndef GUESTS_HOSTILE_HOSTILE_H
#define GUESTS_HOSTILE_HOSTILE_H

#include "guests/lib/clock.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/grant.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/report.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"
#include "guests/lib/trap.h"
#include "guests/lib/trial.h"
#include "guests/lib/types.h"
#include "guests/lib/user.h"
#include "guests/lib/vcpu.h"

/* The class of flaw that would let the attack through. */
#define FLAW_TABLE      "writable table"     /* a page table or descriptor table the guest can write */
#define FLAW_FLAGS      "entry bits"         /* a bit of an entry that changes what it means */
#define FLAW_LINEAR     "linear table"       /* recursion of tables */
#define FLAW_FRAME      "forged frame"       /* a frame number that is not the caller's to use */
#define FLAW_TYPE       "type confusion"     /* one frame used as two things */
#define FLAW_COUNT      "lost reference"     /* a reference taken or dropped once too often */
#define FLAW_STALE      "stale translation"  /* a TLB entry that outlives its permission */
#define FLAW_LIFE       "freed in use"       /* a frame that is free while something leads to it */
#define FLAW_DESCRIPTOR "descriptor"         /* segments and gates with too much privilege */
#define FLAW_ADDRESS    "bad address"        /* an address the hypervisor must not use */
#define FLAW_STATE      "leaked state"       /* registers and modes of somebody else */
#define FLAW_TIME       "unbounded work"     /* one call that takes for ever, or starves others */
#define FLAW_RIGHTS     "missing check"      /* an operation that is for the privileged only */
#define FLAW_RACE       "race"               /* something changes between check and use */

enum attack_kind { ATTACK_RETURNS, ATTACK_CRASHES, ATTACK_GOES_ON };

struct attack {
    const char *group, *name, *flaw, *hypothesis;
    void (*run)(void);
    enum attack_kind kind;
};

#define ATTACK_(function, flaw_, hypothesis_, kind_)                                               \
    static void function(void);                                                                    \
    static const struct attack function##_attack = {                                               \
        .group = GROUP, .name = #function, .flaw = flaw_, .hypothesis = hypothesis_,               \
        .run = function, .kind = kind_};                                                           \
    static const struct attack *const function##_listed                                            \
        __attribute__((used, no_reorder, section("attacks"))) = &function##_attack;                \
    static void function(void)
#define ATTACK(function, flaw, hypothesis)        ATTACK_(function, flaw, hypothesis, ATTACK_RETURNS)
#define ATTACK_ENDS(function, flaw, hypothesis)   ATTACK_(function, flaw, hypothesis, ATTACK_CRASHES)
#define ATTACK_KILLED(function, flaw, hypothesis) ATTACK_(function, flaw, hypothesis, ATTACK_GOES_ON)

/* ---- hostile.c ---- */

/** The domains whose memory is compared: they sleep, and nothing of them may change. */
extern u16 victim_first, victim_last;

/** victim_frame - a frame of the first victim; 0 if there is none, or nobody tells. */
u64 victim_frame(void);

/** going_on - of ATTACK_KILLED: the rest is for ever. */
void going_on(void);

/* ---- tools for attacks: tools.c ---- */

/** The hypercall of the test build of Paravane's hypervisor: hv/audit.c. */
#define AUDIT 63

/** audit_find - find out whether the hypervisor is that: `audited`. */
void audit_find(void);
extern bool audited;
/** recount - the number of wrong counts, 0 where the hypervisor cannot recount.  The frame does it
 * after each attack; attacks may do it in between. */
long recount(void);

/* A frame of the hypervisor's own code: its image lies at 2 MiB. */
#define MFN_HYPERVISOR 0x200ul

/** pin, unpin - a table of the linear map; @level 1..4.  The answer. */
long pin(u32 level, const void *page);
long unpin(const void *page);
/** pinned_table - an empty table of @level, pinned. */
u64 *pinned_table(u32 level);
/** pages_now - how many the domain has.
 * frames_give - give @n frames back, frames_take - get some for the frame numbers in @frames, which become
 * theirs: how many were; give_frame_back - one. */
long pages_now(void);
long frames_give(u64 *mfns, u64 n);
long frames_take(u64 *frames, u64 n);
long give_frame_back(u64 mfn);
/** tree - an L4, L3, L2 and L1 in slot 0 of each other: table[level]; the L4 is pinned. */
struct tree {
    u64 *table[5];
};
struct tree tree_make(void);
/** tree_free - unpin it and give its pages back; the case fails if one of them is stuck. */
void tree_free(struct tree *tree);
/** page_back - make a page writable again and free it; the case fails if that is refused. */
void page_back(void *page);
/** page_again - the same for a page whose frame is gone: it gets another one, which must be empty. */
void page_again(void *page);

/** map_grant - map reference @ref of this domain itself at @host_addr with GNTMAP_* @flags.
 * Returns: GNTST_*; the handle in *@handle. */
long map_grant(u32 ref, u64 host_addr, u32 flags, u32 *handle);
/** offer - grant @mfn to this domain itself; grants are set up at the first call. */
u32 offer(u64 mfn);

/** store - write @value at @va; returns TRAP_NONE or the exception's vector. */
u32 store(const volatile void *va, u64 value);
/** load - read @va into trap_result; the same. */
u32 load(const volatile void *va);

/* ---- the second vCPU and the timer: second.c ---- */

/** struct second_registers - what the second vCPU found in its registers at its first instruction. */
struct second_registers {
    u16 cs, ss, ds, es, fs, gs;
    u64 rflags;
};
extern struct second_registers second_registers;

/** second_context - the state in which the second vCPU starts, with root @root (in the linear map). */
void second_context(vcpu_guest_context_t *context, const u64 *root);
/** second_initialised - the attack has made it by itself, from such a state. */
void second_initialised(void);
/** second_start - let it run @fn(@arg), beside us; the job must not fault, masked events stay masked.
 * second_busy, second_wait - whether it is still at it; let it run until it is through; second_do: both. */
void second_start(void (*fn)(u64 arg), u64 arg);
bool second_busy(void);
void second_wait(void);
void second_do(void (*fn)(u64 arg), u64 arg);

/** interrupt_after - a timer event in @ns from now, which calls @handler in the middle of whatever this vCPU
 * does, hypercalls that can be continued included. The handler may ask for the next one. */
void interrupt_after(u64 ns, void (*handler)(void));
/** interrupt_off - no more of them. */
void interrupt_off(void);
/** interruptions - how many there have been; to be set to 0. */
extern volatile u32 interruptions;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of window.elf share: the frames, grants and ports that windows work with and attacks go for,
 * and how all of it is brought back.  window.c tells what it is for.
 */
#ifndef GUESTS_HOSTILE_WINDOW_H
#define GUESTS_HOSTILE_WINDOW_H

#include "guests/hostile/hostile.h"
#include "guests/lib/grant.h"

/* ---- what is worked with: window_world.c ---- */

/*
 * T4[0] -> T3, T3[0] -> T2, T3[1] -> T2B, T2[0] -> T1, T2B[0] -> T1B, T2B[1] -> T1,
 * T1[0] -> DA writable, T1[1] -> DB, T1B[0] -> DB; T4[511] is the kernel's.  DA, DB, DC are empty.
 */
enum { T4, T3, T2, T1, T2B, T1B, DA, DB, DC, POOL };
extern u64 mfns[POOL], pfns[POOL];

/* Pages of address space: for the restorer, the window, the attacker. */
enum { AT_CHECK, AT_WINDOW, AT_WINDOW2, AT_WINDOW3, AT_ATTACK, AT_ATTACK2, AT_PAGES };
extern u64 space;

static inline u64 at(u32 page) { return space + ((u64)page << PAGE_SHIFT); }
static inline u64 pte(u32 frame, u64 flags) { return mfns[frame] << PAGE_SHIFT | flags; }
static inline long put(u32 page, u64 entry)
{
    return hypercall_update_va_mapping(at(page), entry, UVMF_INVLPG | UVMF_ALL);
}
/** The machine address of an entry. */
static inline u64 slot(u32 frame, u32 index) { return mfns[frame] << PAGE_SHIFT | (u64)index * 8; }
static inline long pin_as(u32 level, u32 frame) { return mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfns[frame], 0); }
static inline void release_frame(u32 frame) { give_frame_back(mfns[frame]); }

/* Grants to this domain itself. */
enum { REF_A = 20, REF_B, REF_ACCEPT, REFS };
extern gnttab_map_grant_ref_t maps[3];    /* the window's */
extern gnttab_map_grant_ref_t attack_map; /* the attacker's */
/* What the calls of windows take, for attacks that change it. */
extern gnttab_unmap_grant_ref_t unmaps[3];
extern gnttab_copy_t copies[3];
extern multicall_entry_t calls[6];
extern struct xen_memory_exchange exchange;
extern u64 exchange_in[3], exchange_out[3], released[3];
extern u64 populated[2], attack_populated; /* frames that somebody has got besides: to be given back */
extern u64 kernel_root;
extern u32 port_first; /* the first that is not needed for the test itself */
extern vcpu_guest_context_t context; /* for vCPU 2: its user root is refused */

/* What is to happen, and what has. */
struct order {
    u64 deadline_ns;
    s64 k; /* for messages: the interrupt's place */
    u32 attack;
    bool wanted, armed, finished, inside, done, tidy;
};
extern volatile struct order order;
extern u32 bell; /* the other vCPU's port */

/** world_make - once, when `bell` works; grants are set up. */
void world_make(void);
/** world_restore - everything back to where it was; what is in use although nobody uses it makes the case fail. */
void world_restore(void);
/** world_restore_vcpu - the same for what each vCPU has of its own. */
void world_restore_vcpu(void);
/** told - the case fails unless @got is @want; says at which place of the walk.  @format has one %u. */
void told(const char *format, u32 number, long got, long want);

/* ---- the attacks: window_attacks.c ---- */

struct window_attack {
    const char *name;
    void (*run)(void);
};
extern const struct window_attack window_attacks[];
extern const u32 window_attack_count;

/* ---- the windows: window_calls.c ---- */

struct window {
    const char *name, *hypothesis;
    void (*prepare)(void);
    long (*run)(void);
    long alone;     /* the answer when nothing is attacked */
    long others[2]; /* and otherwise, besides -EINVAL and -EBUSY */
};
extern const struct window windows[];
extern const u32 window_count;

/** window_ready - for windows that need nothing set up. */
void window_ready(void);
/** window_fits - whether @result may be the answer of @w while attack number @attack comes. */
bool window_fits(const struct window *w, u32 attack, long result);

#endif

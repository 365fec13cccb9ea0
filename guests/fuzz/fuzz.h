/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls, all of them, from several domains at once.
 *
 *   generator (gen_*.c)  thinks of a call: number, arguments, buffers      -> struct fuzz_call
 *   call.c               makes it, alone or in a multicall, and counts     -> the board
 *   learn()              of the generator takes notice of what came out    -> the pools
 *   pool.c               what a domain may play with, and choices from it
 *
 * A domain plays with what is in its pools: frames, pages, address space, grant entries, handles, ports.
 * All else - the kernel's text, stacks and tables, the board - is *kept*: it may be named by a call where
 * that does no harm (a mapping of it, say), but not where the call would change or take it.  So the
 * domain is still there after any number of calls.  A *reckless* domain knows no such restraint; it is
 * made to be lost, and made anew.
 */
#ifndef GUESTS_FUZZ_FUZZ_H
#define GUESTS_FUZZ_FUZZ_H

#include "guests/fuzz/board.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/types.h"

#define FUZZ_PAGES        8u  /* mapped for good: granted, copied to, registered as areas */
#define FUZZ_WINDOW       32u /* pages of address space whose L1 entries change */
#define FUZZ_GRANT_WINDOW 16u /* pages of address space for maps of grants only */
#define FUZZ_HANDLES      24u
#define FUZZ_REFS         BOARD_REFS /* of the own grant table: FUZZ_FIRST_REF and up */
#define FUZZ_PORTS        BOARD_PORTS
#define FUZZ_ARENA_PAGES  8u
#define FUZZ_BATCH        12u
#define FUZZ_WEIGHT       2048u /* domain 0's in the scheduler: it also looks after the others */

/** struct fuzz_cpu - what each vCPU has of its own. */
struct fuzz_cpu {
    u32 number;
    u64 random;
    struct board *board;
    u64 arena;      /* FUZZ_ARENA_PAGES pages for buffers; the page behind them is not mapped */
    u32 arena_used; /* bytes, from the end downwards if @arena_down, else from @arena_start on */
    u32 arena_start;
    bool arena_down;
    u32 timer_port; /* VIRQ_TIMER's */
    u32 places;     /* of the grant window, that maps of this step will take */
};

/** struct fuzz_handle - a map of a grant. */
struct fuzz_handle {
    bool used;
    u32 handle, flags;
    u64 host_addr, dev_bus_addr;
};

/** struct fuzz_domain - what the domain has; its vCPUs race for it. */
struct fuzz_domain {
    u32 slot;      /* its place on the boards */
    u16 domid;
    bool dom0, reckless;
    bool toolstack; /* domain 0 has one in it, which needs its ports, its handles and version 1 of grants */
    u16 victim;     /* for domain 0: the reckless domain, which it may end; DOMID_INVALID if there is none */
    u32 vcpus;
    u8 *boards;   /* BOARD_PAGES of them, one for each vCPU of each domain */
    u64 mfn[BOARD_FRAMES]; /* loose frames; 0: given away */
    u64 pfn[BOARD_FRAMES];
    u8 *page[FUZZ_PAGES];
    u64 page_mfn[FUZZ_PAGES];
    u64 window, grant_window;               /* linear addresses */
    u64 window_entry, grant_window_entry;   /* machine addresses of their first L1 entries */
    u64 root_mfn[2];                        /* two roots with the same kernel */
    u64 grant_frames;                       /* where the own grant table is mapped */
    u32 grant_version;
    u32 kept_handles;                       /* handles below are the board's */
    struct fuzz_handle handle[FUZZ_HANDLES];
};
extern struct fuzz_domain fuzz;

/** fuzz_board - the board of a vCPU of the domain in place @slot; fuzz_own_board: of our vCPU 0. */
static inline struct board *fuzz_board(u32 slot, u32 vcpu)
{
    return (struct board *)(fuzz.boards + (slot * BOARD_CPUS + vcpu) * PAGE_SIZE);
}
static inline struct board *fuzz_own_board(void)
{
    return fuzz_board(fuzz.slot, 0);
}

struct fuzz_call;

/** A learner takes notice of @result.  Returns whether the call did what it was asked for. */
typedef bool (*fuzz_learner)(struct fuzz_cpu *cpu, struct fuzz_call *call, long result);

/** struct fuzz_call - a call as it will be made. */
struct fuzz_call {
    u64 number;
    u64 arg[5];
    u32 command; /* for the table of what was called */
    bool quiet;  /* no upcalls until learn() has put right what the call has upset */
    bool alone;  /* not in a multicall */
    bool whole;  /* its buffers stay good */
    fuzz_learner learn; /* may be NULL */
    void *buffer; /* its structure */
    u64 note[2];
};

/** A generator fills @call, which is zeroed.  Returns false if it has nothing to do just now. */
typedef bool (*fuzz_generator)(struct fuzz_cpu *cpu, struct fuzz_call *call);

/* Random numbers: fuzz_random() any, fuzz_below() less than @n, fuzz_one_in() true every @n times. */
static inline u64 fuzz_random(struct fuzz_cpu *cpu)
{
    cpu->random ^= cpu->random << 13;
    cpu->random ^= cpu->random >> 7;
    cpu->random ^= cpu->random << 17;
    return cpu->random * 0x2545f4914f6cdd1dul;
}
static inline u64 fuzz_below(struct fuzz_cpu *cpu, u64 n)
{
    return (fuzz_random(cpu) >> 11) % n;
}
static inline bool fuzz_one_in(struct fuzz_cpu *cpu, u64 n)
{
    return fuzz_below(cpu, n) == 0;
}
#define FUZZ_PICK(cpu, array) ((array)[fuzz_below(cpu, ARRAY_SIZE(array))])

/* ---- pool.c ---- */

/** fuzz_domain_init - fill the pools.  @boards: where the boards are mapped. */
void fuzz_domain_init(void *boards, u32 slot, u32 vcpus);
/** fuzz_cpu_init - @seed decides all that this vCPU will do. */
void fuzz_cpu_init(struct fuzz_cpu *cpu, u32 number, u64 seed);
/** fuzz_keep_port - no call will upset this port. */
void fuzz_keep_port(u32 port);
/** fuzz_domain_tidy - let go of what other domains have, and of all tables made meanwhile. */
void fuzz_domain_tidy(void);

/** fuzz_buffer - zeroed room for a structure, valid until the call has been made. */
void *fuzz_buffer(struct fuzz_cpu *cpu, size_t size_bytes);
/** fuzz_pointer - @good, or now and then an address that cannot be used. */
u64 fuzz_pointer(struct fuzz_cpu *cpu, const void *good);
/** fuzz_bad_pointer - one that cannot be used. */
u64 fuzz_bad_pointer(struct fuzz_cpu *cpu);
/** fuzz_address - a linear address of the pools, now and then any. */
u64 fuzz_address(struct fuzz_cpu *cpu);
/** fuzz_window_address - one of the window. */
u64 fuzz_window_address(struct fuzz_cpu *cpu);

/** fuzz_set_frame - a loose frame has come into place @index, or gone (0). */
void fuzz_set_frame(u32 index, u64 mfn);
/** fuzz_loose - the index of a loose frame that is there. */
u32 fuzz_loose(struct fuzz_cpu *cpu);
/** fuzz_mfn - a frame to be named where it does no harm: mostly of the pools. */
u64 fuzz_mfn(struct fuzz_cpu *cpu);
/** fuzz_own_mfn - a frame that may be changed or taken: of the pools, unless reckless. */
u64 fuzz_own_mfn(struct fuzz_cpu *cpu);
/**
 * fuzz_may_write - whether the frame is in somebody's pool.  Others are mapped read-only: what is registered to
 * be written to by the hypervisor may be mapped to anything.
 */
bool fuzz_may_write(u64 mfn);
/** fuzz_domid - DOMID_SELF, the others' numbers, now and then one that makes no sense. */
u16 fuzz_domid(struct fuzz_cpu *cpu);
/** fuzz_peer - the board of the first vCPU of another domain; NULL if there is none. */
struct board *fuzz_peer(struct fuzz_cpu *cpu);
/** fuzz_port - a port that may be upset: none that the kernel uses. */
u32 fuzz_port(struct fuzz_cpu *cpu);

/* ---- call.c ---- */

/** fuzz_make - make @call and count it. */
void fuzz_make(struct fuzz_cpu *cpu, struct fuzz_call *call);
/** fuzz_batch - several calls in one multicall. */
void fuzz_batch(struct fuzz_cpu *cpu, fuzz_generator (*choose)(struct fuzz_cpu *cpu));
/** fuzz_count - a call that a family has made by itself. */
void fuzz_count(struct fuzz_cpu *cpu, u32 number, u32 command, bool good);
/** fuzz_step - one random call, alone or with others. */
void fuzz_step(struct fuzz_cpu *cpu);
/** fuzz_call_set - number, command and up to three arguments. */
static inline void fuzz_call_set(struct fuzz_call *call, u64 number, u32 command, u64 a, u64 b, u64 c)
{
    call->number = number;
    call->command = command;
    call->arg[0] = a;
    call->arg[1] = b;
    call->arg[2] = c;
}

/* ---- table.c ---- */

/* What the reckless domain writes on its boards is not relied on: it stands in fuzz_shares() alone. */

/** fuzz_table - print what was called, how often, and with what success: all domains together. */
void fuzz_table(void);
/** fuzz_shares - print who made how many calls. */
void fuzz_shares(void);
/** fuzz_calls - hypercalls of all domains that last.  @batched: and calls in multicalls. */
u64 fuzz_calls(u64 *batched);

/* ---- vcpus.c ---- */

/** fuzz_handlers - what can come to a vCPU through its own doing is taken. */
void fuzz_handlers(void);
/** fuzz_run - @vcpus of this domain call until the board says stop, or vCPU 0 has made @calls. */
void fuzz_run(u64 seed, u32 vcpus, u64 calls, u64 step);
/** fuzz_audit - recount everything.  False, and a line, if the books are wrong. */
bool fuzz_audit(const char *when);
extern u64 fuzz_audits; /* how often it was done: 0 if this hypervisor cannot */

/* ---- the families ---- */

fuzz_generator fuzz_gen_tables(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_memory(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_grants(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_events(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_vcpus(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_cpu(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_misc(struct fuzz_cpu *cpu);
fuzz_generator fuzz_gen_control(struct fuzz_cpu *cpu);

/** fuzz_unpause_all, fuzz_destroy_toys - end what the control family has begun. */
void fuzz_unpause_all(void);
void fuzz_destroy_toys(void);

/** fuzz_use_ldt - look at a descriptor or load a segment there: the hypervisor maps the table when it is used. */
void fuzz_use_ldt(struct fuzz_cpu *cpu);
/** fuzz_iret - leave to the kernel or to user mode with an odd frame, and come back. */
void fuzz_iret(struct fuzz_cpu *cpu);

#endif

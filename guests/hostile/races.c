/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations that are interrupted, and what happens meanwhile: on the same vCPU, on the other one, or the
 * domain's destruction.  window.c does this at every instruction, for short operations; here they are long.
 */
#include "guests/hostile/hostile.h"

#define GROUP "races"

/* ---- interrupted ---- */

/* A tree with 2 L3, 4 L2 and 16 L1 tables, each full: some ten thousand entries. Unpinned, read-only. */
enum { FIRST_L3, FIRST_L2 = 2, FIRST_L1 = 6, L4 = 22, TABLES };
static u64 *big[TABLES];

static void big_make(void)
{
    u64 *data = table_page();

    for (u32 i = 0; i < TABLES; i++)
        big[i] = page_alloc();
    for (u32 k = 0; k < 512; k++) {
        for (u32 i = FIRST_L1; i < L4; i++)
            big[i][k] = entry_of(data, MEMORY_RO);
        for (u32 i = FIRST_L2; i < FIRST_L1; i++)
            big[i][k] = entry_of(big[FIRST_L1 + (i - FIRST_L2) * 4 + k % 4], MEMORY_TABLE);
        big[0][k] = entry_of(big[FIRST_L2 + k % 2], MEMORY_TABLE);
        big[1][k] = entry_of(big[FIRST_L2 + 2 + k % 2], MEMORY_TABLE);
        if (k < 256 || k > 271)
            big[L4][k] = entry_of(big[k % 2], MEMORY_TABLE);
    }
    for (u32 i = 0; i < TABLES; i++)
        memory_protect(big[i], MEMORY_RO);
}

static u32 big_level(u32 i)
{
    return i < FIRST_L2 ? 3 : i < FIRST_L1 ? 2 : i < L4 ? 1 : 4;
}

static void big_free(void)
{
    for (u32 i = 0; i < TABLES; i++)
        page_back(big[i]);
}

static u32 written, wrong;

/* Try each table of the tree: what can be mapped writable now is no table, and goes back to read-only. */
static void try_tables(void)
{
    for (u32 i = 0; i < TABLES; i++) {
        if (!memory_protect(big[i], MEMORY_RW)) {
            written++;
            memory_protect(big[i], MEMORY_RO);
        }
        mmuext(MMUEXT_CLEAR_PAGE, MFN_HYPERVISOR + i, 0);
        unpin(big[i]);
        pin(big_level(i), big[i]); /* at another level its entries would be adjusted, and be no table's any more */
        unpin(big[i]);
        set_entry(big[i] + 3, big[i][3]);
    }
    wrong += recount() != 0;
}

static void while_pinning(void)
{
    try_tables();
    /* Not for ever: each time the pin may begin anew. */
    if (interruptions % 4)
        interrupt_after(5000, while_pinning);
}

ATTACK(interrupted_pin, FLAW_RACE, "whenever the pin of a big tree is interrupted, each of its tables is mapped, pinned, unpinned, changed: the counts are right at all these moments")
{
    long answer = 0;

    big_make();
    interruptions = written = wrong = 0;
    for (u32 round = 0; round < 8; round++) {
        interrupt_after(3000 + round * 1700, while_pinning);
        answer = pin(4, big[L4]);
        interrupt_off();
        holds("pinned, or refused", answer == 0 || answer == -XEN_EINVAL || answer == -XEN_EBUSY);
        for (u32 i = 0; i < TABLES && !answer; i++)
            equal("writable", memory_protect(big[i], MEMORY_RW), -XEN_EBUSY);
        unpin(big[L4]);
    }
    holds("it was interrupted", interruptions >= 8);
    equal("moments at which the counts were wrong", wrong, 0);
    big_free();
}

static u64 evil_entry;
static u32 planted;

/* The first page that is no table yet gets an entry for the hypervisor's memory. */
static void plant(void)
{
    for (u32 i = 0; i < TABLES && !planted; i++)
        if (!memory_protect(big[i], MEMORY_RW)) {
            evil_entry = big[i][511];
            big[i][511] = MFN_HYPERVISOR << 12 | MEMORY_RW;
            memory_protect(big[i], MEMORY_RO);
            planted = i + 1;
        }
    if (!planted)
        interrupt_after(3000, plant);
}

ATTACK(planted_while_pinning, FLAW_RACE, "an entry for the hypervisor's memory is written to a page of the tree while its pin is interrupted: the pin is refused")
{
    long answer;
    u32 times = 0;

    big_make();
    for (u32 round = 0; round < 6; round++) {
        planted = 0;
        interrupt_after(2000 + round * 4000, plant);
        answer = pin(4, big[L4]);
        interrupt_off();
        if (planted) {
            times++;
            holds("refused", answer < 0);
            equal("writable again", memory_protect(big[planted - 1], MEMORY_RW), 0);
            big[planted - 1][511] = evil_entry;
            memory_protect(big[planted - 1], MEMORY_RO);
        } else {
            equal("pin", answer, 0);
            equal("unpin", unpin(big[L4]), 0);
        }
        equal("recount", (u64)recount(), 0);
    }
    holds("planted", times > 0);
    big_free();
}

static void give_away(void)
{
    /* All but the L4, of which the rest hangs. */
    for (u32 i = 0; i < L4; i++)
        give_frame_back(mfn_of(big[i]));
    wrong += recount() != 0;
}

ATTACK(given_back_while_pinning, FLAW_LIFE, "all tables of the tree are given back while its pin is interrupted: they live until the tree goes, and are gone then")
{
    long before, answer;

    big_make();
    before = pages_now();
    interruptions = wrong = 0;
    interrupt_after(12000, give_away);
    answer = pin(4, big[L4]);
    interrupt_off();
    holds("it was interrupted", interruptions > 0);
    equal("pin", answer, 0);
    equal("counts at that moment", wrong, 0);
    equal("still counted", pages_now(), before);
    for (u32 i = 0; i < L4; i++)
        memory_unmap(big[i]);
    equal("unpin", unpin(big[L4]), 0);
    equal("gone", pages_now(), before - L4);
    for (u32 i = 0; i < L4; i++) {
        u64 pfn = memory_virt_to_pfn(big[i]), mfn = pfn;

        equal("a new frame", frames_take(&mfn, 1), 1);
        memory_set_p2m(pfn, mfn);
    }
    big_free();
}

/* ---- beside the other vCPU ---- */

static void pin_beside(u64 rounds)
{
    for (u64 i = 0; i < rounds; i++) {
        mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(big[L4]), 0);
        mmuext(MMUEXT_UNPIN_TABLE, mfn_of(big[L4]), 0);
        vcpu_yield();
    }
}

static void try_beside(u64 rounds)
{
    for (u64 i = 0; i < rounds; i++) {
        try_tables();
        vcpu_yield();
    }
}

static void nothing(void)
{
}

static volatile long answer_there; /* the second vCPU's */

ATTACK(two_vcpus_pin, FLAW_RACE, "two vCPUs pin and unpin one big tree, each stopped in the midst of it: the counts are right, and in the end all is free")
{
    big_make();
    wrong = 0;
    second_start(pin_beside, 12);
    for (u32 round = 0; round < 12 || second_busy(); round++) {
        interrupt_after(4000 + round * 1300, nothing);
        pin(4, big[L4]);
        vcpu_yield();
        unpin(big[L4]);
        interrupt_off();
        wrong += recount() != 0;
    }
    second_wait();
    unpin(big[L4]);
    equal("moments at which the counts were wrong", wrong, 0);
    big_free();
}

/* When the other one sleeps, and what this one may have for having slept is used up. */
static void pin_at(u64 instant_ns)
{
    while (clock_system_ns() < instant_ns)
        vcpu_yield();
    answer_there = mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(big[L4]), 0);
}

ATTACK(left_half_done, FLAW_TIME, "a vCPU is taken down in the midst of pinning a tree: another pins it without waiting, and the first has its answer when it is up again")
{
    u32 halves = 0;

    big_make();
    for (u32 round = 0; round < 8; round++) {
        u64 begin = clock_system_ns() + 3000000;
        struct sched_poll sleep = {.timeout = begin + 4000 + round * 3000};

        answer_there = 1;
        second_start(pin_at, begin);
        hypercall_sched_op(SCHEDOP_poll, &sleep);
        equal("down", hypercall_vcpu_op(VCPUOP_down, 1, NULL), 0);
        halves += answer_there == 1;
        equal("pin", pin(4, big[L4]), answer_there == 1 ? 0 : -XEN_EINVAL);
        equal("recount", (u64)recount(), 0);
        equal("up", hypercall_vcpu_op(VCPUOP_up, 1, NULL), 0);
        second_wait();
        holds("an answer", answer_there == 0 || answer_there == -XEN_EINVAL);
        equal("unpin", unpin(big[L4]), 0);
    }
    holds("it was in the midst of it", halves > 2);
    big_free();
}

ATTACK(pin_beside_writer, FLAW_RACE, "one vCPU pins a big tree again and again, the other maps its tables writable, pins and changes them: no table is ever writable")
{
    big_make();
    wrong = 0;
    second_start(try_beside, 6);
    for (u32 round = 0; round < 4 || second_busy(); round++) {
        interrupt_after(3000 + round * 900, nothing);
        if (!pin(4, big[L4]))
            for (u32 i = 0; i < TABLES; i++)
                equal("writable", memory_protect(big[i], MEMORY_RW), -XEN_EBUSY);
        unpin(big[L4]);
        interrupt_off();
        vcpu_yield();
    }
    second_wait();
    unpin(big[L4]);
    equal("moments at which the counts were wrong", wrong, 0);
    big_free();
}

/* ---- how long until an interrupt comes through ---- */

/* In system time: the same in every run. Ten times what the longest part that cannot be stopped takes. */
#define SOON_NS 2000000ul

static u64 due, came;

static void note_time(void)
{
    came = clock_system_ns();
}

static u64 delay_of(void (*operation)(void))
{
    u64 worst = 0;

    for (u32 i = 0; i < 5; i++) {
        came = 0;
        due = clock_system_ns() + 3000 + i * 5000;
        interrupt_after(3000 + i * 5000, note_time);
        operation();
        while (!came)
            vcpu_yield();
        interrupt_off();
        worst = came - due > worst ? came - due : worst;
    }
    return worst;
}

static void op_pin(void)
{
    pin(4, big[L4]);
    unpin(big[L4]);
}
static void op_updates(void)
{
    static mmu_update_t list[4096];

    for (u32 i = 0; i < 4096; i++)
        list[i] = (mmu_update_t){memory_virt_to_maddr(big[L4]) | MMU_MACHPHYS_UPDATE, memory_virt_to_pfn(big[L4])};
    hypercall_mmu_update(list, 4096, NULL, DOMID_SELF);
}
static void op_copies(void)
{
    static struct mmuext_op list[1024];
    u64 *to = page_alloc();

    for (u32 i = 0; i < 1024; i++) {
        list[i].cmd = MMUEXT_COPY_PAGE;
        list[i].arg1.mfn = mfn_of(to);
        list[i].arg2.src_mfn = mfn_of(big[0]);
    }
    hypercall_mmuext_op(list, 1024, NULL, DOMID_SELF);
    page_free(to);
}
static void op_calls(void)
{
    static multicall_entry_t list[1024];

    for (u32 i = 0; i < 1024; i++)
        list[i] = (multicall_entry_t){.op = __HYPERVISOR_set_gdt, .args = {0, 0}};
    hypercall_multicall(list, 1024);
}
static void op_memory(void)
{
    static u64 list[512], pfns[512];
    static u8 *pages[512];

    for (u32 i = 0; i < 512; i++) {
        pages[i] = page_alloc();
        list[i] = mfn_of(pages[i]);
        pfns[i] = memory_virt_to_pfn(pages[i]);
        memory_unmap(pages[i]);
    }
    equal("give back", frames_give(list, 512), 512);
    for (u32 i = 0; i < 512; i++)
        list[i] = pfns[i];
    equal("take", frames_take(list, 512), 512);
    for (u32 i = 0; i < 512; i++) {
        memory_set_p2m(pfns[i], list[i]);
        page_back(pages[i]);
    }
}

ATTACK(long_operations, FLAW_TIME, "a big pin, lists of thousands of updates, copies and calls, 512 pages given back and taken: an interrupt comes through before they end")
{
    static const struct {
        const char *name;
        void (*operation)(void);
    } t[] = {{"pin", op_pin}, {"updates", op_updates}, {"copies", op_copies}, {"calls", op_calls}, {"memory", op_memory}};

    big_make();
    for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
        u64 delay = delay_of(t[i].operation);

        if (delay > SOON_NS)
            equal(t[i].name, delay, 0);
    }
    big_free();
}

/* ---- that which does not come back ---- */

ATTACK_KILLED(pin_for_ever, FLAW_LIFE, "a domain that pins and unpins big trees is destroyed: all of its frames come back")
{
    big_make();
    going_on();
    for (u64 i = 0;; i++) {
        interrupt_after(2000 + i % 64 * 517, nothing);
        pin(4, big[L4]);
        unpin(big[L4]);
    }
}

ATTACK_KILLED(race_for_ever, FLAW_LIFE, "a domain whose two vCPUs work at one tree, interrupted, is destroyed: all of its frames come back")
{
    big_make();
    second_start(pin_beside, ~0ul);
    going_on();
    for (u64 i = 0;; i++) {
        interrupt_after(2000 + i % 64 * 517, nothing);
        pin(i % 3 + 2, big[i % TABLES]);
        pin(4, big[L4]);
        vcpu_yield();
        unpin(big[i % TABLES]);
    }
}

ATTACK_KILLED(memory_for_ever, FLAW_LIFE, "a domain that gives pages back, takes and exchanges them, with tables and grants on them, is destroyed: all of its frames come back")
{
    u64 *pages[8], va = memory_reserve(8);
    u32 handle;

    for (u32 i = 0; i < 8; i++) {
        pages[i] = table_page();
        memory_map(va + i * PAGE_SIZE, 0);
    }
    going_on();
    for (u64 i = 0;; i++) {
        u64 *page = pages[i % 8], pfn = memory_virt_to_pfn(page), mfn = mfn_of(page);
        u32 ref = offer(mfn);

        map_grant(ref, va + i % 8 * PAGE_SIZE, GNTMAP_host_map | (i & 1 ? GNTMAP_readonly : 0), &handle);
        if (i & 1)
            pin(i / 2 % 4 + 1, page);
        memory_unmap(page);
        give_frame_back(mfn);
        grant_unmap(handle, va + i % 8 * PAGE_SIZE);
        mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
        grant_end(ref);
        mfn = pfn;
        if (frames_take(&mfn, 1) == 1)
            memory_set_p2m(pfn, mfn);
        memory_protect(page, MEMORY_RO);
    }
}

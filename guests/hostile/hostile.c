/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attacker, and its victims.  Words on the command line:
 *
 *   list            print all attacks, as `attack|GROUP/NAME|KIND|flaw|hypothesis`
 *   victim          fill the memory and sleep: what the others try to get at
 *   only=GROUP      run the attacks of one group,
 *   only=GROUP/NAME or one attack, of any kind; otherwise all that come back
 *   victims=A-B     the numbers of the domains whose memory is compared
 *
 * The report is that of guests/lib/report.h, one `end` line for each group.
 */
#include "guests/hostile/hostile.h"

#define AUDIT_DIGEST 1
#define AUDIT_FRAME  2

extern const struct attack *const __start_attacks[], *const __stop_attacks[];

u16 victim_first, victim_last;

static u64 victims_digest(void)
{
    return audited && victim_last ? (u64)hypercall(AUDIT, AUDIT_DIGEST, victim_first, victim_last, 0, 0) : 0;
}

u64 victim_frame(void)
{
    return audited && victim_last ? (u64)hypercall(AUDIT, AUDIT_FRAME, victim_first, 0, 0, 0) : 0;
}

void going_on(void)
{
    print("going on\n");
    console_flush();
}

static void list(void)
{
    static const char *const kinds[] = {"returns", "ends", "killed"};

    for (const struct attack *const *a = __start_attacks; a < __stop_attacks; a++)
        print("attack|%s/%s|%s|%s|%s\n", (*a)->group, (*a)->name, kinds[(*a)->kind], (*a)->flaw,
              (*a)->hypothesis);
}

/* Every page that can be had holds numbers of its own; some are tables, one is granted to nobody. */
static void be_a_victim(void)
{
    u64 *page, pages = 0;

    while ((page = page_try_alloc()) != NULL) {
        pages++;
        for (u32 i = 0; i < PAGE_SIZE / sizeof *page; i++)
            page[i] = (u64)&page[i] * 0x9e3779b97f4a7c15ul;
    }
    print("victim of %lu pages\n", pages);
    console_flush();
    event_disable();
    for (;;) {
        sched_poll_t poll = {.nr_ports = 0};

        hypercall_sched_op(SCHEDOP_poll, &poll); /* no port, no timeout: for ever */
    }
}

static u64 run_guarded(u64 attack)
{
    ((const struct attack *)attack)->run();
    return TRAP_NONE;
}

static void run(const struct attack *a)
{
    u64 before = victims_digest();

    test(a->name, "%s", a->hypothesis);
    if (trap_guarded(run_guarded, (u64)a) != TRAP_NONE)
        broken("exception %u at %lx, error %x, cr2 %lx", trap_last.vector, trap_last.frame.rip, trap_last.error,
               trap_last.cr2);
    equal("wrong counts in the hypervisor's books", (u64)recount(), 0);
    equal("digest of the other domains' memory", victims_digest(), before);
}

static bool chosen(const struct attack *a, const char *only)
{
    size_t n = strlen(a->group);

    if (!*only)
        return a->kind == ATTACK_RETURNS;
    if (strncmp(only, a->group, n))
        return false;
    return only[n] ? only[n] == '/' && !strcmp(only + n + 1, a->name) : a->kind == ATTACK_RETURNS;
}

void guest_main(void)
{
    const struct attack *last = NULL;
    char only[64] = "", victims[32] = "";

    if (runtime_option("list", NULL, 0)) {
        list();
        return;
    }
    if (runtime_option("victim", NULL, 0))
        be_a_victim();
    runtime_option("only", only, sizeof only);
    if (runtime_option("victims", victims, sizeof victims) && strchr(victims, '-')) {
        victim_first = (u16)runtime_number(victims);
        victim_last = (u16)runtime_number(strchr(victims, '-') + 1);
    }
    audit_find();
    user_init();
    for (const struct attack *const *a = __start_attacks; a < __stop_attacks; a++) {
        if (!chosen(*a, only))
            continue;
        if (!last || strcmp(last->group, (*a)->group)) {
            if (last)
                report_end();
            report_start((*a)->group);
        }
        last = *a;
        run(*a);
    }
    if (last)
        report_end();
    else
        print("hostile: there is no attack %s\n", only);
}

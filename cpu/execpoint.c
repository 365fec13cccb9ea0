/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Execution points (sim/base/guest.h): observers that are called before an instruction.
 *
 *  - A block that begins with a point has a marked entry in the front cache, so that its hook comes
 *    to blocks_miss(), which counts it as any other and calls the observers in between.
 *  - A block with a point further inside is translated again, cut before it, as for special
 *    instructions.
 *  - What is executed on its own (steps, special instructions) looks here before.
 *
 * Invariants
 *  (1) Observers are called when nothing can keep the instruction from being started: no event, no
 *      limit, no breakpoint is due before it.
 *  (2) The same attempt is never told twice, whichever ways it takes through the run loop: an
 *      attempt is known by vCPU, address and instruction count.
 */
#include "cpu/run.h"

struct execpoint {
    uint64_t va;
    base_execpoint_fn *fn;
    void *user;
};

static struct execpoint *point_at(const struct cpu *c, unsigned i)
{
    return &g_array_index(c->points.list, struct execpoint, i);
}

/* The first point at or above @va; the number of points if there is none. */
static unsigned lower_bound(const struct cpu *c, uint64_t va)
{
    unsigned low = 0, high = c->points.count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (point_at(c, middle)->va < va)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Behind the last point at @va, or where the point is that is the same in all. */
static unsigned find(const struct cpu *c, const struct execpoint *p, bool *same)
{
    unsigned i = lower_bound(c, p->va);

    for (*same = false; i < c->points.count && point_at(c, i)->va == p->va; i++) {
        *same = point_at(c, i)->fn == p->fn && point_at(c, i)->user == p->user;
        if (*same)
            break;
    }
    return i;
}

static void changed(struct cpu *c, uint64_t va)
{
    c->points.count = c->points.list->len;
    c->points.generation++;
    blocks_forget_page(c, va >> PAGE_SHIFT);
}

void cpu_execpoint_add(struct cpu *c, uint64_t va, base_execpoint_fn *fn, void *user)
{
    struct execpoint p = {va, fn, user};
    bool same;
    unsigned i = find(c, &p, &same);

    if (same)
        return;
    g_array_insert_val(c->points.list, i, p);
    changed(c, va);
}

void cpu_execpoint_remove(struct cpu *c, uint64_t va, base_execpoint_fn *fn, void *user)
{
    struct execpoint p = {va, fn, user};
    bool same;
    unsigned i = find(c, &p, &same);

    if (!same)
        return;
    g_array_remove_index(c->points.list, i);
    changed(c, va);
}

bool execpoint_first(const struct cpu *c, uint64_t va, uint32_t size, uint64_t *first)
{
    unsigned i = lower_bound(c, va);

    if (i == c->points.count || point_at(c, i)->va - va >= size)
        return false;
    *first = point_at(c, i)->va;
    return true;
}

/* ---- what observers see ---- */

static void fill_view(struct cpu *c, uint64_t va, struct base_guest_view *view)
{
    const struct cpu_env *env = env_load(c);

    *view = (struct base_guest_view){.guest = &c->points.guest,
                                     .rip = va,
                                     .insns = c->insns,
                                     .cycles = cpu_now(c),
                                     .gpr = env->regs,
                                     .cr3 = env->cr[3],
                                     .vcpu = (uint8_t)c->current,
                                     .cpl = (uint8_t)env_cpl(env)};
}

static void guest_view(void *user, struct base_guest_view *out)
{
    struct cpu *c = user;

    fill_view(c, cpu_linear_rip(env_load(c)), out);
}

uint64_t cpu_virtual_ns(const struct cpu *c, uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * 1000000000u / c->config.frequency_hz);
}

static uint64_t guest_virtual_ns(void *user, uint64_t cycles)
{
    return cpu_virtual_ns(user, cycles);
}

static size_t guest_read(void *user, uint64_t va, void *out, size_t size_bytes)
{
    struct cpu *c = user;

    return cpu_read_bytes(c, c->current, va, out, size_bytes, MMU_READ);
}

static bool guest_read_physical(void *user, uint64_t pa, void *out, size_t size_bytes)
{
    return mmu_ram_read(((struct cpu *)user)->ram, GPA(pa), out, size_bytes);
}

static void guest_add(void *user, uint64_t va, base_execpoint_fn *fn, void *fn_user)
{
    cpu_execpoint_add(user, va, fn, fn_user);
}

static void guest_remove(void *user, uint64_t va, base_execpoint_fn *fn, void *fn_user)
{
    cpu_execpoint_remove(user, va, fn, fn_user);
}

const struct base_guest *cpu_guest(struct cpu *c)
{
    return &c->points.guest;
}

/* ---- firing ---- */

static bool is_told(struct cpu *c, uint64_t va)
{
    struct cpu_points *p = &c->points;

    if (p->last_va == va && p->last_insns == c->insns && p->last_vcpu == c->current)
        return true;
    p->last_va = va;
    p->last_insns = c->insns;
    p->last_vcpu = c->current;
    return false;
}

static bool still_there(const struct cpu *c, const struct execpoint *p)
{
    bool same;

    find(c, p, &same);
    return same;
}

/* An observer may add and remove points, its own and others', while this goes on. */
static void call_all(struct cpu *c, unsigned first, const struct base_guest_view *view)
{
    struct execpoint here[8];
    uint64_t generation = c->points.generation;
    unsigned n = 0;

    for (unsigned i = first; i < c->points.count && point_at(c, i)->va == view->rip; i++) {
        BASE_ASSERT(n < ARRAY_LEN(here)); /* as many observers at one address as a build has */
        here[n++] = *point_at(c, i);
    }
    for (unsigned i = 0; i < n; i++) {
        if (c->points.generation == generation || still_there(c, &here[i]))
            here[i].fn(here[i].user, view);
    }
}

void execpoint_fire(struct cpu *c, uint64_t va)
{
    unsigned first = lower_bound(c, va);
    struct base_guest_view view;

    if (first == c->points.count || point_at(c, first)->va != va || is_told(c, va))
        return;
    fill_view(c, va, &view);
    call_all(c, first, &view);
}

void execpoint_forget_last(struct cpu *c)
{
    c->points.last_vcpu = CPU_MAX_VCPUS;
}

void execpoint_init(struct cpu *c)
{
    c->points.list = g_array_new(FALSE, FALSE, sizeof(struct execpoint));
    c->points.guest = (struct base_guest){.user = c,
                                          .view = guest_view,
                                          .virtual_ns = guest_virtual_ns,
                                          .read = guest_read,
                                          .read_physical = guest_read_physical,
                                          .add = guest_add,
                                          .remove = guest_remove};
    execpoint_forget_last(c);
}

void execpoint_fini(struct cpu *c)
{
    if (c->points.list)
        g_array_free(c->points.list, TRUE);
}

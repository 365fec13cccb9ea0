/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/fake_guest.h"

#include <criterion/criterion.h>
#include <string.h>

struct point {
    uint64_t va;
    base_execpoint_fn *fn;
    void *user;
};

static void fill_view(struct fake_guest *g, uint64_t rip, struct base_guest_view *out)
{
    *out = (struct base_guest_view){.guest = &g->guest,
                                    .rip = rip,
                                    .insns = g->insns,
                                    .cycles = g->cycles,
                                    .gpr = g->gpr,
                                    .cr3 = g->cr3,
                                    .vcpu = (uint8_t)g->vcpu,
                                    .cpl = (uint8_t)g->cpl};
}

static void view(void *user, struct base_guest_view *out)
{
    fill_view(user, 0, out);
}

static uint64_t virtual_ns(void *user, uint64_t cycles)
{
    (void)user;
    return cycles * 2;
}

static size_t read_some(void *user, uint64_t va, void *out, size_t size_bytes)
{
    struct fake_guest *g = user;
    uint64_t offset = va - FAKE_GUEST_BASE;

    if (offset >= FAKE_GUEST_BYTES)
        return 0;
    size_bytes = MIN(size_bytes, FAKE_GUEST_BYTES - offset);
    memcpy(out, g->memory + offset, size_bytes);
    return size_bytes;
}

static bool read_physical(void *user, uint64_t pa, void *out, size_t size_bytes)
{
    uint64_t offset = pa - FAKE_GUEST_BASE;

    if (offset >= FAKE_GUEST_BYTES || size_bytes > FAKE_GUEST_BYTES - offset)
        return false;
    return read_some(user, pa, out, size_bytes) == size_bytes;
}

static void remove_point(void *user, uint64_t va, base_execpoint_fn *fn, void *fn_user)
{
    struct fake_guest *g = user;

    for (unsigned i = 0; i < g->points->len; i++) {
        struct point *p = &g_array_index(g->points, struct point, i);

        if (p->va == va && p->fn == fn && p->user == fn_user) {
            g_array_remove_index(g->points, i);
            return;
        }
    }
}

static void add_point(void *user, uint64_t va, base_execpoint_fn *fn, void *fn_user)
{
    struct fake_guest *g = user;
    struct point p = {va, fn, fn_user};

    remove_point(user, va, fn, fn_user);
    g_array_append_val(g->points, p);
}

void fake_guest_init(struct fake_guest *g)
{
    memset(g, 0, sizeof(*g));
    g->guest = (struct base_guest){.user = g,
                                   .view = view,
                                   .virtual_ns = virtual_ns,
                                   .read = read_some,
                                   .read_physical = read_physical,
                                   .add = add_point,
                                   .remove = remove_point};
    g->points = g_array_new(FALSE, FALSE, sizeof(struct point));
}

void fake_guest_fini(struct fake_guest *g)
{
    g_array_free(g->points, TRUE);
}

void fake_guest_poke(struct fake_guest *g, uint64_t va, const void *data, size_t size_bytes)
{
    uint64_t offset = va - FAKE_GUEST_BASE;

    cr_assert(offset < FAKE_GUEST_BYTES && size_bytes <= FAKE_GUEST_BYTES - offset, "test broken");
    memcpy(g->memory + offset, data, size_bytes);
}

void fake_guest_poke64(struct fake_guest *g, uint64_t va, uint64_t value)
{
    fake_guest_poke(g, va, &value, sizeof(value));
}

void fake_guest_reach(struct fake_guest *g, uint64_t va)
{
    struct base_guest_view at;
    struct point here[8];
    unsigned n = 0;

    g->insns += 10;
    g->cycles += 20;
    fill_view(g, va, &at);
    for (unsigned i = 0; i < g->points->len; i++)
        if (g_array_index(g->points, struct point, i).va == va)
            here[n++] = g_array_index(g->points, struct point, i);
    for (unsigned i = 0; i < n; i++)
        here[i].fn(here[i].user, &at);
}

void fake_guest_call(struct fake_guest *g, uint64_t function, uint64_t return_address)
{
    g->gpr[BASE_RSP] -= 8;
    fake_guest_poke64(g, g->gpr[BASE_RSP], return_address);
    fake_guest_reach(g, function);
}

void fake_guest_return(struct fake_guest *g, uint64_t rax)
{
    uint64_t ra = 0;

    cr_assert_eq(read_some(g, g->gpr[BASE_RSP], &ra, sizeof(ra)), sizeof(ra), "test broken");
    g->gpr[BASE_RSP] += 8;
    g->gpr[BASE_RAX] = rax;
    fake_guest_reach(g, ra);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/hv_domain_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "hv/apic.h"
#include "hv/boot.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/frame.h"
#include "hv/guest.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/trap.h"

/* The pool's own list lies in the first frames, which are nobody's. */
#define POOL_FRAMES (1 + DOMAIN_WORLD_FRAMES * 4 / HV_PAGE_SIZE + 1)

struct hv_cpu hv_cpu;
struct hv_boot hv_boot;
u64 hv_zero_mfn, hv_template[512];
char hv_init[1], hv_init_end[1];
const struct hv_paging_ops hv_paging_direct = {.name = "none"};

static void *taken[DOMAIN_WORLD_FRAMES];
static unsigned nr_taken, preempt_every;

/* ---- what is missing: it is never needed, or there is nothing for it to do ---- */

static HV_NORETURN void unexpected(const char *what)
{
    fprintf(stderr, "the world has no %s\n", what);
    abort();
}

void hv_printk(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

void hv_panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    abort();
}

void hv_machine_off(unsigned code) { (void)code; unexpected("end"); }
void hv_machine_reboot(void) { unexpected("reset"); }
void hv_enter_guest(void) { unexpected("guest"); }
bool hv_descriptor_fix(u64 *d) { (void)d; unexpected("descriptors"); }
size_t hv_copy_raw(void *to, const void *from, size_t size) { (void)to, (void)from; return size; }
long hv_continue(u32 nr, u32 nr_args, const u64 *args) { (void)nr, (void)nr_args, (void)args; return -ERESTART; }
int hv_ioapic_route(u32 gsi, bool level, bool low) { (void)gsi, (void)level, (void)low; return 0; }
void hv_ioapic_mask(u32 gsi, bool masked) { (void)gsi, (void)masked; }

void hv_ldt_drop(struct hv_vcpu *v) { (void)v; }
void hv_destroy_gdt(struct hv_vcpu *v) { (void)v; }
void hv_drop_roots(struct hv_vcpu *v) { (void)v; }
u64 hv_gdt_page_mfn(void) { return 0; }

u64 hv_now(void) { return 0; }
void hv_timer_set(struct hv_timer *t, u64 deadline_ns) { (void)t, (void)deadline_ns; }
void hv_timer_stop(struct hv_timer *t) { (void)t; }
void hv_time_vcpu_update(struct hv_vcpu *v) { (void)v; }
void hv_wallclock_update(struct hv_domain *d) { (void)d; }
void hv_sched_vcpu_init(struct hv_vcpu *v) { (void)v; }
void hv_hold(struct hv_vcpu *v, u32 why) { v->hold |= why; }
void hv_unhold(struct hv_vcpu *v, u32 why) { v->hold &= ~why; }
void hv_vcpu_kick(struct hv_vcpu *v) { (void)v; }
void hv_poll_wake_slow(struct hv_domain *d, u32 port) { (void)d, (void)port; }

bool hv_preempt_slow(void)
{
    hv_cpu.budget = preempt_every;
    return preempt_every != 0;
}

/* ---- the test's side ---- */

static void map_fixed(uint64_t va, size_t size)
{
    if (mmap((void *)va, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
        (void *)va)
        abort();
}

void domain_world_init(void)
{
    map_fixed(HV_VA_DIRECT, DOMAIN_WORLD_FRAMES * HV_PAGE_SIZE);
    map_fixed(HV_VA_FRAMES, DOMAIN_WORLD_FRAMES * sizeof(struct hv_frame));
    map_fixed(HV_VA_M2P_RW, DOMAIN_WORLD_FRAMES * sizeof(u64));
    hv_max_mfn = DOMAIN_WORLD_FRAMES;
    hv_frame_pool_init(HV_PAGE_SIZE, 1);
    for (u64 mfn = POOL_FRAMES; mfn < DOMAIN_WORLD_FRAMES; mfn++)
        hv_frame_pool_add(mfn, true);
    if (hv_domain_create(0, true, &hv_dom0) || hv_domain_set_max_vcpus(hv_dom0, 1))
        abort();
    hv_cpu.current = hv_dom0->vcpu[0];
}

void domain_world_fini(void)
{
    munmap((void *)HV_VA_DIRECT, DOMAIN_WORLD_FRAMES * HV_PAGE_SIZE);
    munmap((void *)HV_VA_FRAMES, DOMAIN_WORLD_FRAMES * sizeof(struct hv_frame));
    munmap((void *)HV_VA_M2P_RW, DOMAIN_WORLD_FRAMES * sizeof(u64));
}

void domain_world_leave(uint64_t n)
{
    while (hv_frames_free() > n && nr_taken < DOMAIN_WORLD_FRAMES)
        taken[nr_taken++] = hv_page_alloc();
    while (hv_frames_free() < n && nr_taken)
        hv_page_free(taken[--nr_taken]);
}

uint64_t domain_world_free(void)
{
    return hv_frames_free();
}

int domain_world_create(uint16_t id, unsigned vcpus)
{
    struct hv_domain *d;
    int rc = hv_domain_create(id, false, &d);

    return rc || !vcpus ? rc : hv_domain_set_max_vcpus(d, vcpus);
}

bool domain_world_exists(uint16_t id)
{
    return hv_domain_find(id) != NULL;
}

unsigned domain_world_vcpus(uint16_t id)
{
    return hv_domain_find(id)->max_vcpus;
}

void domain_world_kill(uint16_t id)
{
    if (hv_domain_kill(hv_domain_find(id)))
        abort();
}

void domain_world_is(uint16_t id, unsigned vcpu)
{
    hv_cpu.current = hv_domain_find(id)->vcpu[vcpu];
}

void domain_world_preempt(unsigned every)
{
    preempt_every = hv_cpu.budget = every;
}

uint64_t domain_world_frame(uint16_t id)
{
    struct hv_domain *d = hv_domain_find(id);

    d->max_pages = DOMAIN_WORLD_FRAMES;
    return hv_frame_mfn(hv_frame_alloc(d));
}

uint64_t *domain_world_table(uint64_t mfn)
{
    return hv_mfn_va(mfn);
}

int domain_world_get(uint64_t mfn, unsigned level)
{
    return hv_get_type(hv_frame(mfn), level);
}

void domain_world_put(uint64_t mfn)
{
    hv_put_type(hv_frame(mfn));
}

int domain_world_drain(void)
{
    return hv_types_drain();
}

unsigned domain_world_entries(uint64_t mfn)
{
    return hv_frame(mfn)->nr_valid;
}

bool domain_world_valid(uint64_t mfn)
{
    return hv_frame(mfn)->flags & HV_FRAME_VALIDATED;
}

uint32_t domain_world_count(uint64_t mfn)
{
    return hv_frame(mfn)->count;
}

uint32_t domain_world_type_count(uint64_t mfn)
{
    return hv_frame(mfn)->type_count;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

#define ARENA_BYTES (FUZZ_ARENA_PAGES * PAGE_SIZE)

/* Frames of the machines that this is for; those beyond are never ours. */
#define MACHINE_FRAMES 0x10000u

struct fuzz_domain fuzz;

/* What we have but is not in the pool: it must never get there, whatever a grant entry says. */
static u64 kept[MACHINE_FRAMES / 64];
/* What has ever been in the pool: a table that was given back while it was pinned still is one. */
static u64 had[MACHINE_FRAMES / 64];

static void keep(u64 mfn, bool yes)
{
    if (mfn >= MACHINE_FRAMES)
        panic("frame %lx is beyond what is kept track of", mfn);
    if (yes)
        kept[mfn / 64] |= 1ul << (mfn % 64);
    else
        kept[mfn / 64] &= ~(1ul << (mfn % 64));
}

void fuzz_set_frame(u32 index, u64 mfn)
{
    if (!fuzz.reckless && (mfn >= MACHINE_FRAMES || (kept[mfn / 64] >> (mfn % 64) & 1)))
        return;
    fuzz.mfn[index] = mfn;
    fuzz_own_board()->mfn[index] = mfn;
    if (mfn < MACHINE_FRAMES)
        had[mfn / 64] |= 1ul << (mfn % 64);
}

/* ---- setting up ---- */

/* @count pages of address space whose L1 entries exist, are empty and lie side by side. */
static u64 window(u64 count, u64 *entries)
{
    u64 va = memory_reserve(count);

    /* All in one L1 table. */
    while ((va >> 21) != ((va + count * PAGE_SIZE - 1) >> 21))
        va = memory_reserve(count);
    for (u64 i = 0; i < count; i++)
        if (!memory_map(va + i * PAGE_SIZE, 0))
            panic("no window: %ld", memory_error);
    *entries = memory_entry_maddr(va, 1);
    return va;
}

/* A second root, so that there is one to change to. */
static void make_roots(void)
{
    void *copy = page_alloc();
    long error;

    fuzz.root_mfn[0] = memory_virt_to_mfn(memory_root());
    memcpy(copy, memory_root(), PAGE_SIZE);
    error = memory_pin(copy, 4);
    if (error)
        panic("no second root: %ld", error);
    fuzz.root_mfn[1] = memory_virt_to_mfn(copy);
}

/* The frames of the own grant table, as many as both versions need for FUZZ_REFS. */
static void map_grant_table(void)
{
    u64 mfn = 0;
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = 1};

    set_xen_guest_handle(setup.frame_list, &mfn);
    if (hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1) || setup.status)
        panic("no grant table");
    fuzz.grant_frames = (u64)memory_map_mfn(mfn, MEMORY_RW);
    if (!fuzz.grant_frames)
        panic("the grant table cannot be mapped: %ld", memory_error);
    fuzz.grant_version = 1;
}

void fuzz_domain_init(void *boards, u32 slot, u32 vcpus)
{
    fuzz.slot = slot;
    fuzz.boards = boards;
    fuzz.vcpus = vcpus;
    fuzz.domid = fuzz_own_board()->domid;
    fuzz.dom0 = runtime_is_dom0();
    fuzz.victim = DOMID_INVALID;
    fuzz.window = window(FUZZ_WINDOW, &fuzz.window_entry);
    fuzz.grant_window = window(FUZZ_GRANT_WINDOW, &fuzz.grant_window_entry);
    make_roots();
    if (!fuzz.grant_frames)
        map_grant_table();
    for (u32 i = 0; i < FUZZ_PAGES; i++) {
        fuzz.page[i] = page_alloc();
        fuzz.page_mfn[i] = memory_virt_to_mfn(fuzz.page[i]);
    }
    for (u64 pfn = 0; pfn < start_info->nr_pages; pfn++)
        keep(memory_pfn_to_mfn(pfn), true);
    for (u32 i = 0; i < BOARD_FRAMES; i++) {
        void *page = page_alloc();
        u64 mfn = memory_virt_to_mfn(page);

        fuzz.pfn[i] = memory_virt_to_pfn(page);
        keep(mfn, false);
        fuzz_set_frame(i, mfn);
        memory_unmap(page);
    }
    for (u32 i = 0; i < BOARD_PORTS; i++)
        fuzz_own_board()->port_for[i] = 0xffff;
}

/* What has a handler is kept. */
static void nothing(u32 port, void *arg)
{
    (void)port;
    (void)arg;
}

void fuzz_keep_port(u32 port)
{
    event_set_handler(port, nothing, NULL);
}

void fuzz_cpu_init(struct fuzz_cpu *cpu, u32 number, u64 seed)
{
    u64 entries;
    long port;

    cpu->number = number;
    cpu->random = (seed * BOARD_PAGES + fuzz.slot * BOARD_CPUS + number) * 0x9e3779b97f4a7c15ul | 1;
    for (u32 i = 0; i < 8; i++)
        fuzz_random(cpu);
    cpu->board = fuzz_board(fuzz.slot, number);
    cpu->arena = window(FUZZ_ARENA_PAGES + 1, &entries);
    for (u32 i = 0; i < FUZZ_ARENA_PAGES; i++)
        if (!memory_map(cpu->arena + i * PAGE_SIZE,
                        memory_virt_to_mfn(page_alloc()) << PAGE_SHIFT | MEMORY_RW))
            panic("no room for buffers: %ld", memory_error);
    port = event_bind_virq(VIRQ_TIMER, number);
    cpu->timer_port = port > 0 ? (u32)port : 0;
    if (port > 0) {
        fuzz_keep_port(cpu->timer_port);
        event_unmask(cpu->timer_port);
    }
}

/* ---- buffers and addresses ---- */

void *fuzz_buffer(struct fuzz_cpu *cpu, size_t size_bytes)
{
    u64 at;

    size_bytes = (size_bytes + 7) & ~7ul;
    if (cpu->arena_start + cpu->arena_used + size_bytes > ARENA_BYTES)
        panic("too many buffers for one call");
    at = cpu->arena_down ? ARENA_BYTES - cpu->arena_used - size_bytes
                         : cpu->arena_start + cpu->arena_used;
    cpu->arena_used += (u32)size_bytes;
    memset((void *)(cpu->arena + at), 0, size_bytes);
    return (void *)(cpu->arena + at);
}

u64 fuzz_bad_pointer(struct fuzz_cpu *cpu)
{
    const u64 guard = cpu->arena + ARENA_BYTES;
    const u64 bad[] = {0,
                       8,
                       guard,
                       guard - 1,
                       fuzz.reckless ? guard - 4 : guard - 1, /* what can be read there would be a port, or a domain */
                       0x800000000000,
                       0xffff7ffffffffff8,
                       MACH2PHYS_BASE - 4,
                       MACH2PHYS_BASE,
                       MACH2PHYS_BASE + 0x8000000000,
                       0xffff830000000000 + (fuzz_random(cpu) & 0xffffff8),
                       HYPERVISOR_END - 8,
                       HYPERVISOR_END - 1,
                       ~0ul,
                       fuzz_random(cpu)};

    return FUZZ_PICK(cpu, bad);
}

u64 fuzz_pointer(struct fuzz_cpu *cpu, const void *good)
{
    return fuzz_one_in(cpu, 60) ? fuzz_bad_pointer(cpu) : (u64)good;
}

u64 fuzz_window_address(struct fuzz_cpu *cpu)
{
    return fuzz.window + fuzz_below(cpu, FUZZ_WINDOW) * PAGE_SIZE;
}

u64 fuzz_address(struct fuzz_cpu *cpu)
{
    if (fuzz_one_in(cpu, 10))
        return fuzz_bad_pointer(cpu);
    if (fuzz_one_in(cpu, 3))
        return fuzz_window_address(cpu) + (fuzz_one_in(cpu, 2) ? 0 : fuzz_below(cpu, PAGE_SIZE));
    return (u64)fuzz.page[fuzz_below(cpu, FUZZ_PAGES)] + (fuzz_one_in(cpu, 4) ? fuzz_below(cpu, PAGE_SIZE) : fuzz_below(cpu, 500) * 8);
}

/* ---- frames ---- */

u32 fuzz_loose(struct fuzz_cpu *cpu)
{
    u32 i = (u32)fuzz_below(cpu, BOARD_FRAMES);

    for (u32 n = 0; n < BOARD_FRAMES && !fuzz.mfn[i]; n++)
        i = (i + 1) % BOARD_FRAMES;
    return i;
}

static u64 odd_mfn(struct fuzz_cpu *cpu)
{
    static const u64 odd[] = {0, 1, 0x9f, 0xb8, 0xf0, 0x100, 0x200, 0xfec00, 0xfee00, 0xffffff, 1ul << 28, ~0ul >> 12, ~0ul};

    return FUZZ_PICK(cpu, odd);
}

u64 fuzz_mfn(struct fuzz_cpu *cpu)
{
    const struct board *peer;

    switch (fuzz_below(cpu, 32)) {
    case 0:
        return odd_mfn(cpu);
    case 1:
        return fuzz_below(cpu, 0x8800); /* any of a small machine */
    case 2:
        return fuzz_one_in(cpu, 2) ? start_info->shared_info >> PAGE_SHIFT : fuzz.root_mfn[fuzz_below(cpu, 2)];
    case 3:
        return fuzz.window_entry >> PAGE_SHIFT;
    case 4:
        peer = fuzz_peer(cpu);
        if (peer)
            return peer->mfn[fuzz_below(cpu, BOARD_FRAMES)];
        break;
    case 5: case 6: case 7:
        return FUZZ_PICK(cpu, fuzz.page_mfn);
    }
    return fuzz.mfn[fuzz_loose(cpu)];
}

bool fuzz_may_write(u64 mfn)
{
    if (fuzz.reckless)
        return true;
    for (u32 i = 0; i < FUZZ_PAGES; i++)
        if (fuzz.page_mfn[i] == mfn)
            return true;
    for (u32 slot = 0; slot < BOARD_RECKLESS; slot++) /* the reckless one may claim ours */
        for (u32 i = 0; i < BOARD_FRAMES; i++)
            if (fuzz_board(slot, 0)->mfn[i] == mfn)
                return true;
    return false;
}

u64 fuzz_own_mfn(struct fuzz_cpu *cpu)
{
    if (fuzz.reckless && fuzz_one_in(cpu, 4))
        return fuzz_one_in(cpu, 4) ? memory_pfn_to_mfn(fuzz_below(cpu, start_info->nr_pages)) : fuzz_mfn(cpu);
    return fuzz.mfn[fuzz_loose(cpu)];
}

/* ---- domains and ports ---- */

struct board *fuzz_peer(struct fuzz_cpu *cpu)
{
    u32 slot = (u32)fuzz_below(cpu, BOARD_SLOTS);

    for (u32 n = 0; n < BOARD_SLOTS; n++, slot = (slot + 1) % BOARD_SLOTS)
        if (slot != fuzz.slot && fuzz_board(slot, 0)->present)
            return fuzz_board(slot, 0);
    return NULL;
}

u16 fuzz_domid(struct fuzz_cpu *cpu)
{
    static const u16 odd[] = {DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, DOMID_IDLE, DOMID_FIRST_RESERVED, 0, 0xffff, 999};
    const struct board *peer = fuzz_peer(cpu);

    if (fuzz_one_in(cpu, 16))
        return FUZZ_PICK(cpu, odd);
    if (fuzz_one_in(cpu, 3))
        return fuzz_one_in(cpu, 4) ? fuzz.domid : DOMID_SELF;
    return peer ? peer->domid : DOMID_SELF;
}

u32 fuzz_port(struct fuzz_cpu *cpu)
{
    static const u32 odd[] = {0, 63, 64, 127, 1022, 1023, 1024, 4095, 4096, 131071, 1u << 20, 0x7fffffff, ~0u};
    u32 port;

    do
        port = fuzz_one_in(cpu, 24) ? FUZZ_PICK(cpu, odd) : 1 + (u32)fuzz_below(cpu, BOARD_PORTS - 1);
    while (!fuzz.reckless && event_has_handler(port));
    return port;
}

/* ---- the end ---- */

static void unpin_all(u64 mfn)
{
    struct mmuext_op op = {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfn};

    while (mfn && !hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF))
        ;
}

static void let_go_of_handles(void)
{
    for (u32 i = 0; i < FUZZ_HANDLES; i++) {
        struct fuzz_handle *h = &fuzz.handle[i];
        gnttab_unmap_grant_ref_t unmap = {.handle = h->handle};

        if (!h->used)
            continue;
        unmap.host_addr = h->flags & GNTMAP_host_map ? h->host_addr : 0;
        unmap.dev_bus_addr = h->flags & GNTMAP_device_map ? h->dev_bus_addr : 0;
        if (hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1) || unmap.status)
            print("fuzz: handle %u, flags %x, at %lx, is not let go of: %d\n", h->handle, h->flags, h->host_addr, unmap.status);
        h->used = false;
    }
}

static void close_ports(void)
{
    for (u32 port = 1; port < EVTCHN_2L_NR_CHANNELS; port++) {
        evtchn_status_t status = {.dom = DOMID_SELF, .port = port};

        if (hypercall_event_channel_op(EVTCHNOP_status, &status))
            break;
        if (status.status != EVTCHNSTAT_closed && !event_has_handler(port))
            event_close(port);
    }
}

void fuzz_domain_tidy(void)
{
    struct mmuext_op op[3] = {{.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = fuzz.root_mfn[0]},
                              {.cmd = MMUEXT_NEW_USER_BASEPTR},
                              {.cmd = MMUEXT_SET_LDT}};
    gnttab_set_version_t version = {.version = 1};

    hypercall_mmuext_op(op, 3, NULL, DOMID_SELF);
    hypercall_set_gdt(NULL, 0);
    let_go_of_handles();
    for (u32 i = 0; i < FUZZ_WINDOW; i++)
        hypercall_update_va_mapping(fuzz.window + i * PAGE_SIZE, 0, UVMF_INVLPG | UVMF_ALL);
    /* What unmap_and_replace has moved there may map a frame of a domain that is no more. */
    for (u32 i = 0; i < FUZZ_GRANT_WINDOW; i++)
        hypercall_update_va_mapping(fuzz.grant_window + i * PAGE_SIZE, 0, UVMF_INVLPG | UVMF_ALL);
    for (u64 mfn = 0; mfn < MACHINE_FRAMES; mfn++)
        if (had[mfn / 64] >> (mfn % 64) & 1)
            unpin_all(mfn);
    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
    close_ports();
}

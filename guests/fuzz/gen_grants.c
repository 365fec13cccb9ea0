/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant_table_op, versions 1 and 2.  Domains find each other's grants on the boards.
 *
 * Left out of a domain that is to survive: unmapping the boards, mapping anything over what is kept;
 * changing the version of a table that a toolstack lives on.
 */
#include "guests/fuzz/fuzz.h"

#include "guests/lib/memory.h"

#define LIST 6u /* elements of one call, at most */

/* @note: for @learn. */
static bool grant_op(struct fuzz_call *call, u32 command, void *list, u32 count, fuzz_learner learn, u64 note)
{
    call->buffer = list;
    call->note[0] = note;
    call->learn = learn;
    fuzz_call_set(call, __HYPERVISOR_grant_table_op, command, command, (u64)list, count);
    return true;
}

/* ---- the own table ---- */

static void write_entry(u32 ref, u16 flags, u16 domid, u64 mfn, struct fuzz_cpu *cpu)
{
    volatile grant_entry_v1_t *one = (grant_entry_v1_t *)fuzz.grant_frames + ref;
    volatile grant_entry_v2_t *two = (grant_entry_v2_t *)fuzz.grant_frames + ref;

    if (fuzz.grant_version == 1) {
        one->flags = 0;
        one->domid = domid;
        one->frame = (u32)mfn;
        one->flags = flags;
        return;
    }
    two->hdr.flags = 0;
    two->hdr.domid = domid;
    if ((flags & GTF_type_mask) == GTF_transitive) {
        const struct board *peer = fuzz_peer(cpu);

        two->transitive.trans_domid = peer ? peer->domid : fuzz.domid;
        two->transitive.gref = BOARD_FIRST_REF + (u32)fuzz_below(cpu, FUZZ_REFS);
    } else if (flags & GTF_sub_page) {
        two->sub_page.page_off = (u16)fuzz_below(cpu, 5000);
        two->sub_page.length = (u16)fuzz_below(cpu, 5000);
        two->sub_page.frame = mfn;
    } else {
        two->full_page.frame = mfn;
    }
    two->hdr.flags = flags;
}

/* Frames that came by transfer go to the pool. */
static void collect(struct board *board, u32 i)
{
    volatile grant_entry_v1_t *one = (grant_entry_v1_t *)fuzz.grant_frames + BOARD_FIRST_REF + i;
    volatile grant_entry_v2_t *two = (grant_entry_v2_t *)fuzz.grant_frames + BOARD_FIRST_REF + i;
    u16 flags = fuzz.grant_version == 1 ? one->flags : two->hdr.flags;
    u64 mfn = fuzz.grant_version == 1 ? one->frame : two->full_page.frame;

    if (board->ref[i].what != BOARD_ACCEPT || (flags & GTF_type_mask) != GTF_accept_transfer ||
        !(flags & GTF_transfer_completed))
        return;
    board->ref[i].what = BOARD_NOTHING;
    for (u32 k = 0; k < BOARD_FRAMES; k++)
        if (!fuzz.mfn[k]) {
            fuzz_set_frame(k, mfn);
            return;
        }
}

/* Change one entry; what is in use must stand that, too. */
static void offer(struct fuzz_cpu *cpu)
{
    struct board *board = fuzz_own_board();
    const struct board *peer = fuzz_peer(cpu);
    u32 i = (u32)fuzz_below(cpu, FUZZ_REFS), kind = (u32)fuzz_below(cpu, 16);
    u16 domid = peer && !fuzz_one_in(cpu, 6) ? peer->domid : fuzz.domid, flags = GTF_permit_access;
    u64 mfn = fuzz_one_in(cpu, 2) ? FUZZ_PICK(cpu, fuzz.page_mfn) : fuzz.mfn[fuzz_loose(cpu)];

    collect(board, i);
    board->ref[i].domid = domid;
    board->ref[i].what = BOARD_ACCESS;
    if (kind < 3) {
        flags = GTF_accept_transfer;
        board->ref[i].what = BOARD_ACCEPT;
        mfn = 0;
    } else if (kind == 3) {
        flags = GTF_transitive; /* not a type of version 1 */
        board->ref[i].what = BOARD_TRANSITIVE;
    } else if (kind == 4) {
        flags = (u16)fuzz_random(cpu);
        mfn = fuzz_mfn(cpu);
        if (!fuzz.reckless) /* the kernel itself is not for others to write to */
            flags |= GTF_readonly;
    } else if (kind == 5) {
        flags = 0;
        board->ref[i].what = BOARD_NOTHING;
    } else if (fuzz_one_in(cpu, 4)) {
        flags |= GTF_readonly;
    } else if (fuzz.grant_version == 2 && fuzz_one_in(cpu, 4)) {
        flags |= GTF_sub_page;
    }
    write_entry(BOARD_FIRST_REF + i, flags, domid, mfn, cpu);
}

/* ---- others' grants ---- */

/* An entry for us, of kind @what (BOARD_), and whose it is. */
static u32 find_ref(struct fuzz_cpu *cpu, u16 what, u16 *domid)
{
    const struct board *peer = fuzz_one_in(cpu, 6) ? fuzz_own_board() : fuzz_peer(cpu);
    u32 i = (u32)fuzz_below(cpu, FUZZ_REFS);

    if (fuzz_one_in(cpu, 24) || !peer) {
        static const u32 odd[] = {0, 1, 7, 255, 256, 511, 512, 4096, 32767, 1u << 20, ~0u};

        *domid = fuzz_domid(cpu);
        return FUZZ_PICK(cpu, odd);
    }
    *domid = peer->domid;
    for (u32 n = 0; n < FUZZ_REFS; n++, i = (i + 1) % FUZZ_REFS)
        if (peer->ref[i].what == what && peer->ref[i].domid == fuzz.domid)
            break;
    return BOARD_FIRST_REF + i;
}

/* A place for one map, and for no other until it has been let go of. */
static u64 free_place(struct fuzz_cpu *cpu, u32 *flags)
{
    u32 taken = cpu->places, i = (u32)fuzz_below(cpu, FUZZ_GRANT_WINDOW), n;

    for (u32 k = 0; k < FUZZ_HANDLES; k++)
        for (u32 p = 0; p < FUZZ_GRANT_WINDOW && fuzz.handle[k].used; p++)
            if (fuzz.handle[k].host_addr == fuzz.grant_window + p * PAGE_SIZE ||
                fuzz.handle[k].host_addr == fuzz.grant_window_entry + p * 8)
                taken |= 1u << p;
    for (n = 0; n < FUZZ_GRANT_WINDOW && (taken >> i & 1); n++)
        i = (i + 1) % FUZZ_GRANT_WINDOW;
    if (n == FUZZ_GRANT_WINDOW)
        return 0x10000000000;
    cpu->places |= 1u << i;
    if (!fuzz_one_in(cpu, 3))
        return fuzz.grant_window + i * PAGE_SIZE;
    *flags |= GNTMAP_contains_pte;
    return fuzz.grant_window_entry + i * 8;
}

static u64 map_place(struct fuzz_cpu *cpu, u32 *flags)
{
    /* A map that is overwritten can never be ended; domain 0 lives on, and would keep it. */
    if (fuzz.toolstack || !fuzz_one_in(cpu, 3))
        return free_place(cpu, flags);
    if (fuzz_one_in(cpu, 24) && !fuzz.reckless) /* nowhere */
        return fuzz_one_in(cpu, 2) ? 0x10000000000 : fuzz.window - (1ul << 40);
    if (fuzz_one_in(cpu, 4)) {
        *flags |= GNTMAP_contains_pte;
        if (fuzz_one_in(cpu, 4))
            return fuzz_own_mfn(cpu) << PAGE_SHIFT | fuzz_below(cpu, 8) << 3 | (fuzz_one_in(cpu, 8) ? fuzz_below(cpu, 8) : 0);
        return fuzz.grant_window_entry + fuzz_below(cpu, FUZZ_GRANT_WINDOW) * 8;
    }
    if (fuzz_one_in(cpu, 6))
        return fuzz_window_address(cpu);
    return fuzz.grant_window + fuzz_below(cpu, FUZZ_GRANT_WINDOW) * PAGE_SIZE;
}

static bool learn_map(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    gnttab_map_grant_ref_t *map = call->buffer;
    u32 good = 0, i = (u32)fuzz_below(cpu, FUZZ_HANDLES);

    if (result)
        return false;
    for (u32 k = 0; k < call->note[0]; k++) {
        if (map[k].status)
            continue;
        good++;
        for (u32 n = 0; n < FUZZ_HANDLES && fuzz.handle[i].used; n++)
            i = (i + 1) % FUZZ_HANDLES;
        /* If all places are taken, one map is forgotten, until the domain ends.  Domain 0 does not end. */
        if (fuzz.handle[i].used && fuzz.dom0) {
            gnttab_unmap_grant_ref_t undo = {.handle = map[k].handle,
                                             .host_addr = map[k].flags & GNTMAP_host_map ? map[k].host_addr : 0,
                                             .dev_bus_addr = map[k].flags & GNTMAP_device_map ? map[k].dev_bus_addr : 0};

            hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &undo, 1);
            continue;
        }
        fuzz.handle[i] = (struct fuzz_handle){.used = true,
                                              .handle = map[k].handle,
                                              .flags = map[k].flags,
                                              .host_addr = map[k].host_addr,
                                              .dev_bus_addr = map[k].dev_bus_addr};
    }
    return good > 0;
}

static bool gen_map(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 n = fuzz_one_in(cpu, 3) ? 1 + (u32)fuzz_below(cpu, LIST) : 1;
    gnttab_map_grant_ref_t *map = fuzz_buffer(cpu, n * sizeof *map);

    for (u32 i = 0; i < n; i++) {
        u16 domid;
        u32 flags = GNTMAP_host_map;

        map[i].ref = find_ref(cpu, BOARD_ACCESS, &domid);
        map[i].dom = domid;
        if (fuzz_one_in(cpu, 2))
            flags |= GNTMAP_readonly;
        if (fuzz_one_in(cpu, 5))
            flags |= GNTMAP_device_map;
        if (fuzz_one_in(cpu, 10))
            flags = fuzz_one_in(cpu, 3) ? GNTMAP_device_map : flags | (u32)fuzz_random(cpu);
        flags &= ~(u32)GNTMAP_contains_pte;
        map[i].host_addr = map_place(cpu, &flags);
        map[i].flags = flags;
        map[i].status = 1;
    }
    return grant_op(call, GNTTABOP_map_grant_ref, map, n, learn_map, n);
}

/* ---- letting go ---- */

static struct fuzz_handle *some_handle(struct fuzz_cpu *cpu)
{
    u32 i = (u32)fuzz_below(cpu, FUZZ_HANDLES);

    for (u32 n = 0; n < FUZZ_HANDLES; n++, i = (i + 1) % FUZZ_HANDLES)
        if (fuzz.handle[i].used)
            return &fuzz.handle[i];
    return NULL;
}

/* Also a number that was never given out, but none of those that are kept. */
static u32 odd_handle(struct fuzz_cpu *cpu)
{
    static const u32 odd[] = {255, 256, 511, 512, 4096, 262143, 262144, 1u << 30, ~0u};

    /* The toolstack's are small numbers; so would those be that happen to be free. */
    if (fuzz.toolstack || fuzz_one_in(cpu, 2))
        return FUZZ_PICK(cpu, odd);
    return fuzz.kept_handles + (u32)fuzz_below(cpu, 40);
}

static bool learn_unmap(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    gnttab_unmap_grant_ref_t *unmap = call->buffer;
    u32 good = 0;

    (void)cpu;
    if (result)
        return false;
    for (u32 k = 0; k < call->note[0]; k++)
        for (u32 i = 0; i < FUZZ_HANDLES; i++) {
            struct fuzz_handle *h = &fuzz.handle[i];

            if (!h->used || h->handle != unmap[k].handle)
                continue;
            good += !unmap[k].status;
            if (!unmap[k].status) {
                if (unmap[k].host_addr)
                    h->flags &= ~(u32)GNTMAP_host_map;
                if (unmap[k].dev_bus_addr)
                    h->flags &= ~(u32)GNTMAP_device_map;
            }
            if (!(h->flags & (GNTMAP_host_map | GNTMAP_device_map)) || unmap[k].status == GNTST_bad_handle)
                h->used = false;
        }
    return good > 0;
}

static bool gen_unmap(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 n = fuzz_one_in(cpu, 3) ? 1 + (u32)fuzz_below(cpu, LIST) : 1;
    gnttab_unmap_grant_ref_t *unmap = fuzz_buffer(cpu, n * sizeof *unmap);

    for (u32 i = 0; i < n; i++) {
        const struct fuzz_handle *h = some_handle(cpu);

        unmap[i].status = 1;
        unmap[i].handle = odd_handle(cpu);
        unmap[i].host_addr = fuzz_window_address(cpu);
        if (!h || fuzz_one_in(cpu, 16))
            continue;
        unmap[i].handle = h->handle;
        unmap[i].host_addr = h->flags & GNTMAP_host_map ? h->host_addr : 0;
        unmap[i].dev_bus_addr = h->flags & GNTMAP_device_map ? h->dev_bus_addr : 0;
        if (fuzz_one_in(cpu, 10))
            unmap[i].dev_bus_addr ^= fuzz_one_in(cpu, 2) ? h->dev_bus_addr : PAGE_SIZE;
        if (fuzz_one_in(cpu, 10))
            unmap[i].host_addr = fuzz_one_in(cpu, 2) ? 0 : fuzz_window_address(cpu);
    }
    return grant_op(call, GNTTABOP_unmap_grant_ref, unmap, n, learn_unmap, n);
}

static bool learn_replace(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    gnttab_unmap_and_replace_t *r = call->buffer;

    (void)cpu;
    if (result || r->status)
        return false;
    for (u32 i = 0; i < FUZZ_HANDLES; i++)
        if (fuzz.handle[i].used && fuzz.handle[i].handle == r->handle) {
            fuzz.handle[i].flags &= ~(u32)GNTMAP_host_map; /* the device half stays */
            fuzz.handle[i].used = fuzz.handle[i].flags & GNTMAP_device_map;
        }
    return true;
}

static bool gen_replace(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_unmap_and_replace_t *r = fuzz_buffer(cpu, sizeof *r);
    const struct fuzz_handle *h = some_handle(cpu);

    r->handle = h ? h->handle : odd_handle(cpu);
    r->host_addr = h && !fuzz_one_in(cpu, 8) ? h->host_addr : fuzz_window_address(cpu);
    /* The entry there moves, so it must be one that nobody needs. */
    r->new_addr = fuzz_one_in(cpu, 16) ? 0x10000000000 : fuzz_window_address(cpu);
    r->status = 1;
    return grant_op(call, GNTTABOP_unmap_and_replace, r, 1, learn_replace, 0);
}

/* ---- copies and transfers ---- */

static bool some_end(struct fuzz_cpu *cpu, u64 *mfn_or_ref, u16 *domid, u16 *offset, bool to)
{
    bool by_ref = !fuzz_one_in(cpu, 4);

    *offset = (u16)(fuzz_one_in(cpu, 8) ? fuzz_below(cpu, 5000) : fuzz_below(cpu, 2048));
    if (by_ref) {
        *mfn_or_ref = find_ref(cpu, fuzz_one_in(cpu, 6) ? BOARD_TRANSITIVE : BOARD_ACCESS, domid);
        return true;
    }
    *domid = fuzz_one_in(cpu, 20) ? fuzz_domid(cpu) : DOMID_SELF;
    *mfn_or_ref = to ? (fuzz_one_in(cpu, 2) ? FUZZ_PICK(cpu, fuzz.page_mfn) : fuzz_own_mfn(cpu)) : fuzz_mfn(cpu);
    return false;
}

static bool learn_copy(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    gnttab_copy_t *copy = call->buffer;
    u32 good = 0;

    (void)cpu;
    for (u32 i = 0; i < call->note[0]; i++)
        good += copy[i].status == 0;
    return !result && good;
}

static bool gen_copy(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    u32 n = fuzz_one_in(cpu, 3) ? 1 + (u32)fuzz_below(cpu, LIST) : 1;
    gnttab_copy_t *copy = fuzz_buffer(cpu, n * sizeof *copy);

    for (u32 i = 0; i < n; i++) {
        u64 what;

        if (some_end(cpu, &what, &copy[i].source.domid, &copy[i].source.offset, false)) {
            copy[i].source.u.ref = (u32)what;
            copy[i].flags |= GNTCOPY_source_gref;
        } else {
            copy[i].source.u.gmfn = what;
        }
        if (some_end(cpu, &what, &copy[i].dest.domid, &copy[i].dest.offset, true)) {
            copy[i].dest.u.ref = (u32)what;
            copy[i].flags |= GNTCOPY_dest_gref;
        } else {
            copy[i].dest.u.gmfn = what;
        }
        copy[i].len = (u16)(fuzz_one_in(cpu, 8) ? fuzz_random(cpu) : fuzz_below(cpu, 2049));
        copy[i].status = 1;
    }
    return grant_op(call, GNTTABOP_copy, copy, n, learn_copy, n);
}

static bool learn_transfer(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    gnttab_transfer_t *t = call->buffer;

    (void)cpu;
    if (result || t->status == 1)
        return false;
    /* It is gone unless it could not be taken. */
    if (t->status != GNTST_bad_page && fuzz.mfn[call->note[0]] == t->mfn)
        fuzz_set_frame((u32)call->note[0], 0);
    return !t->status;
}

static bool gen_transfer(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_transfer_t *t = fuzz_buffer(cpu, sizeof *t);
    u32 index = fuzz_loose(cpu);
    u16 domid;

    t->ref = find_ref(cpu, BOARD_ACCEPT, &domid);
    t->domid = domid;
    t->mfn = fuzz_one_in(cpu, 16) ? FUZZ_PICK(cpu, fuzz.root_mfn) : fuzz.mfn[index];
    t->status = 1;
    return grant_op(call, GNTTABOP_transfer, t, 1, learn_transfer, index);
}

/* ---- the table as a whole ---- */

/* The note: where the element has its status. */
static bool learn_status(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    (void)cpu;
    return !result && *(int16_t *)((u8 *)call->buffer + call->note[0]) == 0;
}

static bool gen_setup(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_setup_table_t *setup = fuzz_buffer(cpu, sizeof *setup);
    u64 *list = fuzz_buffer(cpu, 66 * sizeof *list);

    setup->dom = fuzz_one_in(cpu, 2) ? DOMID_SELF : fuzz_domid(cpu);
    setup->nr_frames = (u32)(fuzz_one_in(cpu, 12) ? fuzz_random(cpu) : fuzz_below(cpu, fuzz_one_in(cpu, 8) ? 66 : 3));
    setup->frame_list.p = (void *)fuzz_pointer(cpu, list);
    setup->status = 1;
    return grant_op(call, GNTTABOP_setup_table, setup, fuzz_one_in(cpu, 20) ? 2 : 1, learn_status,
                    offsetof(gnttab_setup_table_t, status));
}

static bool gen_query(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_query_size_t *query = fuzz_buffer(cpu, sizeof *query);

    query->dom = fuzz_domid(cpu);
    query->status = 1;
    return grant_op(call, GNTTABOP_query_size, query, 1, learn_status, offsetof(gnttab_query_size_t, status));
}

static bool learn_version(struct fuzz_cpu *cpu, struct fuzz_call *call, long result)
{
    gnttab_set_version_t *v = call->buffer;

    (void)cpu;
    if (result == 0 && (v->version == 1 || v->version == 2))
        fuzz.grant_version = v->version;
    return result == 0;
}

static bool gen_version(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_set_version_t *set = fuzz_buffer(cpu, sizeof *set);
    gnttab_get_version_t *get = (void *)set;

    if (fuzz_one_in(cpu, 3)) {
        get->dom = fuzz_domid(cpu);
        return grant_op(call, GNTTABOP_get_version, get, 1, NULL, 0);
    }
    set->version = fuzz_one_in(cpu, 12) ? (u32)fuzz_below(cpu, 5) : 1 + (u32)fuzz_below(cpu, 2);
    if (fuzz.toolstack && set->version == 2)
        set->version = 1;
    return grant_op(call, GNTTABOP_set_version, set, 1, learn_version, 0);
}

static bool gen_status_frames(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_get_status_frames_t *get = fuzz_buffer(cpu, sizeof *get);
    u64 *list = fuzz_buffer(cpu, 8 * sizeof *list);

    get->dom = fuzz_one_in(cpu, 3) ? fuzz_domid(cpu) : DOMID_SELF;
    get->nr_frames = fuzz_one_in(cpu, 12) ? (u32)fuzz_random(cpu) : (u32)fuzz_below(cpu, 3);
    get->frame_list.p = (void *)fuzz_pointer(cpu, list);
    get->status = 1;
    return grant_op(call, GNTTABOP_get_status_frames, get, 1, learn_status, offsetof(gnttab_get_status_frames_t, status));
}

static bool gen_swap(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_swap_grant_ref_t *swap = fuzz_buffer(cpu, sizeof *swap);

    /* Of the pool: the others are the rings' and the boards'. */
    swap->ref_a = BOARD_FIRST_REF + (u32)fuzz_below(cpu, FUZZ_REFS);
    swap->ref_b = fuzz_one_in(cpu, 8) ? 511 + (u32)fuzz_below(cpu, 2) : BOARD_FIRST_REF + (u32)fuzz_below(cpu, FUZZ_REFS);
    swap->status = 1;
    return grant_op(call, GNTTABOP_swap_grant_ref, swap, 1, learn_status, offsetof(gnttab_swap_grant_ref_t, status));
}

static bool gen_cache_flush(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    gnttab_cache_flush_t *flush = fuzz_buffer(cpu, sizeof *flush);

    flush->op = fuzz_one_in(cpu, 6) ? (u32)fuzz_random(cpu) : GNTTAB_CACHE_CLEAN | (u32)fuzz_below(cpu, 2) << 1;
    if (fuzz_one_in(cpu, 3)) {
        flush->op |= GNTTAB_CACHE_SOURCE_GREF;
        flush->a.ref = BOARD_FIRST_REF + (u32)fuzz_below(cpu, FUZZ_REFS);
    } else {
        flush->a.dev_bus_addr = fuzz_mfn(cpu) << PAGE_SHIFT;
    }
    flush->offset = (u16)fuzz_below(cpu, 4200);
    flush->length = (u16)fuzz_below(cpu, 4200);
    return grant_op(call, GNTTABOP_cache_flush, flush, 1, NULL, 0);
}

/* Commands and counts that do not exist. */
static bool gen_odd(struct fuzz_cpu *cpu, struct fuzz_call *call)
{
    static const u32 commands[] = {GNTTABOP_dump_table, 13, 100, ~0u};
    static const u32 counts[] = {0, 1, 0x7fffffff, 0x80000000, ~0u};
    u32 command = FUZZ_PICK(cpu, commands);

    return grant_op(call, command, fuzz_buffer(cpu, 64), FUZZ_PICK(cpu, counts), NULL, 0);
}

fuzz_generator fuzz_gen_grants(struct fuzz_cpu *cpu)
{
    static const fuzz_generator generators[] = {
        gen_map,      gen_map,     gen_map,           gen_map,     gen_map,   gen_unmap, gen_unmap,
        gen_unmap,    gen_unmap,   gen_copy,          gen_copy,    gen_copy,  gen_copy,  gen_copy,
        gen_transfer, gen_replace, gen_setup,         gen_query,   gen_swap,  gen_swap,  gen_cache_flush,
        gen_version,  gen_version, gen_status_frames, gen_transfer};

    if (fuzz_one_in(cpu, 2))
        offer(cpu);
    return fuzz_one_in(cpu, 80) ? gen_odd : FUZZ_PICK(cpu, generators);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest-physical memory: sparse, with a state byte per frame.
 *
 * Layout: RAM below 3 GiB lies at 0; what is more than 3 GiB lies from 4 GiB up
 * (the gap holds PCI, IO-APIC and local APIC).  docs/memory-layout.md has the map.
 *
 * Everything that writes RAM other than the CPU's own stores goes through
 * mmu_ram_write(), so that translated code of the frame is dropped.
 */
#ifndef PARAVANE_MMU_RAM_H
#define PARAVANE_MMU_RAM_H

#include <glib.h>

#include "sim/base/state.h"
#include "sim/base/types.h"

#define MMU_RAM_LOW_END 0xc0000000ull     /* end of the RAM below 4 GiB, at most */
#define MMU_RAM_HIGH_BASE 0x100000000ull  /* start of the RAM above 4 GiB */
#define MMU_RAM_MAX_BYTES (64ull << 30)

/*
 * State byte of a frame.
 *
 *    DATA (0) --fetch fill--> CODE --write fill or mmu_ram_write--> DATA
 *    CODE --more flips than MMU_FRAME_FLIPS_MAX--> MIXED (stays)
 *
 * TOUCHED: the frame may differ from zero; only such frames are hashed.
 * DIRTY:   it may have been written since mmu_ram_take_dirty(); it is in the list of those.
 * WRITTEN: a writable TLB entry for the frame may exist since the last flush.
 */
enum {
    MMU_FRAME_CODE = 1,
    MMU_FRAME_MIXED = 2,
    MMU_FRAME_WRITTEN = 4,
    MMU_FRAME_TOUCHED = 8,
    MMU_FRAME_DIRTY = 16,
};

struct mmu_ram {
    uint8_t *host;       /* host address of guest-physical 0; address space covers the gap too */
    uint64_t size_bytes; /* RAM, without the gap */
    uint64_t low_bytes;  /* RAM below 3 GiB */
    uint64_t top;        /* first guest-physical address after the last RAM byte */
    uint8_t *frame;      /* state byte of each frame below top */

    /* Called before a frame with CODE or MIXED is written by other than a CPU store. */
    void (*code_written)(void *user, uint64_t mfn);
    void *code_written_user;

    GArray *dirty; /* uint64_t: frames with MMU_FRAME_DIRTY, each once, in no order */
};

/**
 * mmu_ram_new - reserve guest RAM.
 * @size_bytes: multiple of 4 KiB, 1 MiB to 64 GiB.
 * Returns: zeroed RAM, owned by the caller (mmu_ram_free); NULL with @error set when the
 *          size is out of range or the host has no address space for it.
 */
struct mmu_ram *mmu_ram_new(uint64_t size_bytes, GError **error);
void mmu_ram_free(struct mmu_ram *ram);

/** mmu_ram_has - whether all of [@pa, @pa + @size_bytes) is RAM. */
static inline bool mmu_ram_has(const struct mmu_ram *ram, uint64_t pa, uint64_t size_bytes)
{
    if (pa < ram->low_bytes)
        return size_bytes <= ram->low_bytes - pa;
    return pa >= MMU_RAM_HIGH_BASE && pa < ram->top && size_bytes <= ram->top - pa;
}

/** mmu_ram_read - copy guest memory out.  Returns: false (and writes nothing) unless all is RAM. */
bool mmu_ram_read(const struct mmu_ram *ram, gpa_t pa, void *data, size_t size_bytes);

/**
 * mmu_ram_write - write guest memory from outside a CPU store: loaders, DMA, delivery.
 * Returns: false (and writes nothing) unless all is RAM.
 */
bool mmu_ram_write(struct mmu_ram *ram, gpa_t pa, const void *data, size_t size_bytes);

/** mmu_ram_mark - frame @mfn is about to be written, or may be from now on. */
static inline void mmu_ram_mark(struct mmu_ram *ram, uint64_t mfn)
{
    uint8_t *f = &ram->frame[mfn];

    *f |= MMU_FRAME_TOUCHED;
    if (base_unlikely(!(*f & MMU_FRAME_DIRTY))) {
        *f |= MMU_FRAME_DIRTY;
        g_array_append_val(ram->dirty, mfn);
    }
}

/**
 * mmu_ram_take_dirty - frames that may have been written since the last call, rising.
 * @out: uint64_t frame numbers; emptied first.
 *
 * A frame whose writable TLB entry is older than this call can be written unseen after it:
 * complete only if the TLB is empty, see sim_machine_on_settled().
 */
void mmu_ram_take_dirty(struct mmu_ram *ram, GArray *out);

/** mmu_ram_restore - the content of frame @mfn, 4 KiB, after mmu_ram_clear(); its state stays.
 *  Returns: false if it is not RAM. */
bool mmu_ram_restore(struct mmu_ram *ram, uint64_t mfn, const void *data);

/** mmu_ram_clear - as at power-on: all zero, no states.  Translated code must be gone. */
void mmu_ram_clear(struct mmu_ram *ram);

/** mmu_ram_state - visit size and all frames that are not zero. */
void mmu_ram_state(struct mmu_ram *ram, struct base_state *st);

/** mmu_ram_touched_bytes - how much RAM the guest has used, for reports. */
uint64_t mmu_ram_touched_bytes(const struct mmu_ram *ram);

GQuark mmu_error_quark(void);
#define MMU_ERROR mmu_error_quark()
enum mmu_error { MMU_ERROR_SIZE, MMU_ERROR_HOST };

#endif

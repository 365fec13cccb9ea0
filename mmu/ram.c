/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/ram.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

G_DEFINE_QUARK(paravane-mmu-error-quark, mmu_error)

#define MMU_RAM_MIN_BYTES (1ull << 20)

static void *reserve(uint64_t size_bytes)
{
    void *p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

struct mmu_ram *mmu_ram_new(uint64_t size_bytes, GError **error)
{
    struct mmu_ram *ram;

    if (size_bytes < MMU_RAM_MIN_BYTES || size_bytes > MMU_RAM_MAX_BYTES ||
        size_bytes % PAGE_SIZE) {
        g_set_error(error, MMU_ERROR, MMU_ERROR_SIZE,
                    "memory of %" G_GUINT64_FORMAT
                    " bytes: must be a multiple of 4 KiB from 1 MiB to 64 GiB",
                    size_bytes);
        return NULL;
    }
    ram = g_new0(struct mmu_ram, 1);
    ram->dirty = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    ram->size_bytes = size_bytes;
    ram->low_bytes = MIN(size_bytes, MMU_RAM_LOW_END);
    ram->top = size_bytes <= MMU_RAM_LOW_END ? size_bytes
                                             : MMU_RAM_HIGH_BASE + size_bytes - MMU_RAM_LOW_END;
    ram->host = reserve(ram->top);
    ram->frame = reserve(ram->top >> PAGE_SHIFT);
    if (!ram->host || !ram->frame) {
        g_set_error(error, MMU_ERROR, MMU_ERROR_HOST,
                    "cannot reserve address space for %" G_GUINT64_FORMAT " MiB of guest memory: %s",
                    size_bytes >> 20, g_strerror(errno));
        mmu_ram_free(ram);
        return NULL;
    }
    return ram;
}

void mmu_ram_free(struct mmu_ram *ram)
{
    if (!ram)
        return;
    if (ram->host)
        munmap(ram->host, ram->top);
    if (ram->frame)
        munmap(ram->frame, ram->top >> PAGE_SHIFT);
    g_array_unref(ram->dirty);
    g_free(ram);
}

bool mmu_ram_read(const struct mmu_ram *ram, gpa_t pa, void *data, size_t size_bytes)
{
    if (!mmu_ram_has(ram, pa.v, size_bytes))
        return false;
    memcpy(data, ram->host + pa.v, size_bytes);
    return true;
}

bool mmu_ram_write(struct mmu_ram *ram, gpa_t pa, const void *data, size_t size_bytes)
{
    uint64_t mfn, last;

    if (!mmu_ram_has(ram, pa.v, size_bytes))
        return false;
    if (!size_bytes)
        return true;
    last = (pa.v + size_bytes - 1) >> PAGE_SHIFT;
    for (mfn = pa.v >> PAGE_SHIFT; mfn <= last; mfn++) {
        if ((ram->frame[mfn] & (MMU_FRAME_CODE | MMU_FRAME_MIXED)) && ram->code_written)
            ram->code_written(ram->code_written_user, mfn);
        mmu_ram_mark(ram, mfn);
    }
    memcpy(ram->host + pa.v, data, size_bytes);
    return true;
}

static gint rising(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void mmu_ram_take_dirty(struct mmu_ram *ram, GArray *out)
{
    g_array_set_size(out, 0);
    if (!ram->dirty->len)
        return;
    g_array_append_vals(out, ram->dirty->data, ram->dirty->len);
    g_array_sort(out, rising);
    for (guint i = 0; i < out->len; i++)
        ram->frame[g_array_index(out, uint64_t, i)] &= (uint8_t)~MMU_FRAME_DIRTY;
    g_array_set_size(ram->dirty, 0);
}

static bool page_is_zero(const uint8_t *p)
{
    const uint64_t *w = (const uint64_t *)(const void *)p;

    for (unsigned i = 0; i < PAGE_SIZE / 8; i += 4)
        if (w[i] | w[i + 1] | w[i + 2] | w[i + 3])
            return false;
    return true;
}

/* Frames in ascending order, each as its number and contents; ends with an impossible number. */
static void visit_out(struct mmu_ram *ram, struct base_state *st)
{
    uint64_t frames = ram->top >> PAGE_SHIFT, end = UINT64_MAX;

    for (uint64_t mfn = 0; mfn < frames; mfn++) {
        uint8_t *page = ram->host + (mfn << PAGE_SHIFT);

        if (!(ram->frame[mfn] & MMU_FRAME_TOUCHED) || page_is_zero(page))
            continue;
        BASE_STATE(st, mfn);
        base_state_bytes(st, page, PAGE_SIZE);
    }
    BASE_STATE(st, end);
}

bool mmu_ram_restore(struct mmu_ram *ram, uint64_t mfn, const void *data)
{
    if (mfn >= ram->top >> PAGE_SHIFT || !mmu_ram_has(ram, mfn << PAGE_SHIFT, PAGE_SIZE))
        return false;
    memcpy(ram->host + (mfn << PAGE_SHIFT), data, PAGE_SIZE);
    mmu_ram_mark(ram, mfn);
    return true;
}

void mmu_ram_clear(struct mmu_ram *ram)
{
    uint64_t frames = ram->top >> PAGE_SHIFT;

    for (uint64_t mfn = 0; mfn < frames; mfn++) {
        if (ram->frame[mfn] & MMU_FRAME_TOUCHED)
            memset(ram->host + (mfn << PAGE_SHIFT), 0, PAGE_SIZE);
        ram->frame[mfn] = 0;
    }
    g_array_set_size(ram->dirty, 0);
}

static void visit_in(struct mmu_ram *ram, struct base_state *st)
{
    uint64_t frames = ram->top >> PAGE_SHIFT;

    mmu_ram_clear(ram);
    for (;;) {
        uint64_t mfn;

        BASE_STATE(st, mfn);
        if (st->bad || mfn == UINT64_MAX)
            return;
        if (mfn >= frames || !mmu_ram_has(ram, mfn << PAGE_SHIFT, PAGE_SIZE)) {
            st->bad = true;
            return;
        }
        base_state_bytes(st, ram->host + (mfn << PAGE_SHIFT), PAGE_SIZE);
        mmu_ram_mark(ram, mfn);
    }
}

void mmu_ram_state(struct mmu_ram *ram, struct base_state *st)
{
    uint64_t size_bytes = ram->size_bytes;

    base_state_tag(st, "ram");
    BASE_STATE(st, size_bytes);
    if (st->mode != BASE_STATE_LOAD)
        visit_out(ram, st);
    else if (size_bytes != ram->size_bytes)
        st->bad = true;
    else
        visit_in(ram, st);
}

uint64_t mmu_ram_touched_bytes(const struct mmu_ram *ram)
{
    uint64_t frames = ram->top >> PAGE_SHIFT, n = 0;

    for (uint64_t mfn = 0; mfn < frames; mfn++)
        n += (ram->frame[mfn] & MMU_FRAME_TOUCHED) != 0;
    return n << PAGE_SHIFT;
}

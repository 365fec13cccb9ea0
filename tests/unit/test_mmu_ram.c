/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM: which frames may have been written, and giving them back.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "mmu/ram.h"
#include "sim/base/hash.h"

static struct mmu_ram *ram_of(uint64_t size_bytes)
{
    GError *error = NULL;
    struct mmu_ram *ram = mmu_ram_new(size_bytes, &error);

    cr_assert(ram, "%s", error ? error->message : "");
    return ram;
}

Test(mmu_ram, written_frames_are_listed_once_and_rising)
{
    struct mmu_ram *ram = ram_of(1 << 20);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    static const uint64_t where[] = {0x9123, 0x2fff, 0x9000}; /* the second reaches into frame 3 */
    static const uint64_t want[] = {2, 3, 9};

    for (unsigned i = 0; i < ARRAY_LEN(where); i++)
        cr_assert(mmu_ram_write(ram, GPA(where[i]), "ab", 2));
    mmu_ram_take_dirty(ram, list);
    cr_assert_eq(list->len, 3);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(g_array_index(list, uint64_t, i), want[i], "entry %u", i);
    mmu_ram_take_dirty(ram, list);
    cr_assert_eq(list->len, 0, "taken twice");
    cr_assert(mmu_ram_write(ram, GPA(0x9000), "c", 1));
    mmu_ram_take_dirty(ram, list);
    cr_assert(list->len == 1 && g_array_index(list, uint64_t, 0) == 9);
    g_array_unref(list);
    mmu_ram_free(ram);
}

Test(mmu_ram, restored_frames_have_the_content_and_count_as_written)
{
    struct mmu_ram *ram = ram_of(1 << 20);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint8_t page[PAGE_SIZE], seen[2];

    memset(page, 0x5a, sizeof(page));
    cr_assert(mmu_ram_write(ram, GPA(0x1000), "ab", 2));
    mmu_ram_clear(ram);
    cr_assert(mmu_ram_read(ram, GPA(0x1000), seen, 2) && seen[0] == 0);
    cr_assert(mmu_ram_restore(ram, 7, page));
    cr_assert(!mmu_ram_restore(ram, 256, page), "behind the end");
    mmu_ram_take_dirty(ram, list);
    cr_assert(list->len == 1 && g_array_index(list, uint64_t, 0) == 7);
    cr_assert(memcmp(ram->host + 0x7000, page, PAGE_SIZE) == 0);
    g_array_unref(list);
    mmu_ram_free(ram);
}

Test(base_hash, of_a_page_is_zero_for_zeros_only_and_sees_every_byte)
{
    static uint8_t page[PAGE_SIZE];
    uint64_t last = 0;

    cr_assert_eq(base_hash_page(page), 0);
    for (unsigned i = 0; i < PAGE_SIZE; i += 5) {
        uint64_t hash;

        page[i] = 1;
        hash = base_hash_page(page);
        cr_assert(hash != 0 && hash != last, "byte %u", i);
        last = hash;
        page[i] = 0;
    }
}

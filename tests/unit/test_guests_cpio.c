/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guests/dom0/cpio.h"
#include "sim/base/rng.h"

static char archive[4096];
static size_t archive_bytes;

static void put(const char *name, u32 mode, const char *data)
{
    char header[120];

    snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1,
             mode, 0, 0, 1, 0, (u32)strlen(data), 0, 0, 0, 0, (u32)strlen(name) + 1, 0);
    memcpy(archive + archive_bytes, header, 110);
    strcpy(archive + archive_bytes + 110, name);
    archive_bytes = (archive_bytes + 110 + strlen(name) + 1 + 3) & ~3ul;
    memcpy(archive + archive_bytes, data, strlen(data));
    archive_bytes = (archive_bytes + strlen(data) + 3) & ~3ul;
}

static void set_up(void)
{
    archive_bytes = 0;
    put("dir", 0040755, "");
    put("dir/one", 0100644, "first");
    put("two", 0100644, "");
    put("link", 0120777, "two");
    put("TRAILER!!!", 0, "");
}

TestSuite(guests_cpio, .init = set_up);

Test(guests_cpio, files_are_found_by_name)
{
    struct cpio_file file;

    cr_assert(cpio_find(archive, archive_bytes, "dir/one", &file));
    cr_assert_eq(file.size_bytes, 5);
    cr_assert(!memcmp(file.data, "first", 5));
    cr_assert(cpio_find(archive, archive_bytes, "/two", &file));
    cr_assert_eq(file.size_bytes, 0);
    cr_assert_not(cpio_find(archive, archive_bytes, "three", &file));
    cr_assert_not(cpio_find(archive, archive_bytes, "dir", &file), "a folder is no file");
    cr_assert_not(cpio_find(archive, archive_bytes, "link", &file), "a link is no file");
}

Test(guests_cpio, archives_may_follow_each_other)
{
    struct cpio_file file;

    archive_bytes += 512;
    put("late", 0100644, "x");
    put("TRAILER!!!", 0, "");
    cr_assert(cpio_find(archive, archive_bytes, "late", &file));
}

Test(guests_cpio, a_cut_archive_is_broken_or_ends)
{
    for (size_t n = 0; n < archive_bytes; n++) {
        struct cpio_file file;
        size_t at = 0;
        char *copy = malloc(n + 1);
        int more;

        memcpy(copy, archive, n);
        while ((more = cpio_next(copy, n, &at, &file)) > 0)
            cr_assert(file.size_bytes == 0 || (char *)file.data + file.size_bytes <= copy + n,
                      "%zu bytes: data beyond the end", n);
        cr_assert_leq(at, n);
        free(copy);
    }
}

Test(guests_cpio, damage_is_no_harm)
{
    struct base_rng rng;

    base_rng_init(&rng, 1, 0);
    for (int i = 0; i < 20000; i++) {
        struct cpio_file file;
        char copy[sizeof archive];
        size_t at = 0;

        memcpy(copy, archive, archive_bytes);
        for (int k = 0; k < 4; k++)
            copy[base_rng_next(&rng) % archive_bytes] = (char)base_rng_next(&rng);
        while (cpio_next(copy, archive_bytes, &at, &file) > 0)
            cr_assert(file.size_bytes <= archive_bytes && at <= archive_bytes &&
                          memchr(file.name, 0, archive_bytes),
                      "round %d", i);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds kernel images, plain and gzip.  What is accepted keeps the promises of
 * sim/kernel.h: segments lie in the file and below 4 GiB, are sorted and apart, and the
 * entry point lies in one of them.
 */
#include <stdlib.h>

#include "sim/image.h"
#include "sim/kernel.h"

#define GUNZIP_BYTES_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check_promises(const struct sim_kernel *kernel, size_t size_bytes)
{
    uint64_t end = 0;
    int entry_inside = 0;

    if (kernel->count == 0 || kernel->count > SIM_KERNEL_SEGMENTS_MAX)
        abort();
    for (unsigned i = 0; i < kernel->count; i++) {
        const struct sim_kernel_segment *s = &kernel->segment[i];
        if (s->offset > size_bytes || s->file_bytes > size_bytes - s->offset)
            abort();
        if (s->mem_bytes == 0 || s->mem_bytes < s->file_bytes || s->pa < end)
            abort();
        end = (uint64_t)s->pa + s->mem_bytes;
        if (end > (uint64_t)1 << 32)
            abort();
        entry_inside |= kernel->entry >= s->pa && kernel->entry < end;
    }
    if (!entry_inside)
        abort();
}

static void check_refusal(GError **error)
{
    if (!*error || !(*error)->message[0])
        abort();
    g_clear_error(error);
}

static void feed(const uint8_t *data, size_t size_bytes)
{
    struct sim_kernel kernel;
    GError *error = NULL;

    if (sim_kernel_parse("fuzz", data, size_bytes, &kernel, &error))
        check_promises(&kernel, size_bytes);
    else
        check_refusal(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    GError *error = NULL;

    feed(data, size_bytes);
    GBytes *plain = sim_image_gunzip("fuzz", data, size_bytes, GUNZIP_BYTES_MAX, &error);
    if (!plain) {
        check_refusal(&error);
        return 0;
    }
    if (g_bytes_get_size(plain) == 0 || g_bytes_get_size(plain) > GUNZIP_BYTES_MAX)
        abort();
    feed(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain));
    g_bytes_unref(plain);
    return 0;
}

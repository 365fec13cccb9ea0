/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loader leaves in memory:
 *
 *    0x00010000  Multiboot information, map, module list, texts (at most 64 KiB)
 *    0x00100000  up: the kernel, where it wants to lie
 *    0x01000000  up, but above the kernel: the modules, each on a page of its own; directly
 *                above the kernel when there is not enough room from 16 MiB up
 *
 * sim_acpi_install() has the BIOS data area and the BIOS area; they are left alone here and
 * reserved in the map.
 *
 * Command lines start with a word that names the image, as the Multiboot convention of GRUB
 * legacy has it and as Xen expects of a loader that does not call itself GRUB 2: "kernel" for
 * the kernel, NAME for the module [module.NAME].  Never a path of the host.
 */
#include "sim/loader.h"

#include <inttypes.h>
#include <string.h>

#include "sim/acpi.h"
#include "sim/image.h"
#include "sim/kernel.h"
#include "sim/module.h"

G_DEFINE_QUARK(sim_loader_error, sim_loader_error)

#define BOOT_MAGIC       0x2badb002u
#define LOADER_NAME      "paravane"
#define KERNEL_BYTES_MAX (256ull << 20)

#define BASE_END        SIM_ACPI_EBDA /* base memory; from here to 640 KiB lies the EBDA */
#define BASE_TOP        0xa0000u
#define KERNEL_BASE_MIN 0x1000u /* below: interrupt vectors and BIOS data */
#define INFO_BASE       0x10000u
#define INFO_BYTES_MAX  0x10000u
#define BIOS_BASE       SIM_ACPI_BASE
#define BIOS_END        SIM_ACPI_END
#define MODULES_BASE    0x1000000u
#define IOAPIC_BASE     0xfec00000u
#define LAPIC_BASE      0xfee00000u

/* Multiboot information structure, specification section 3.3: the part that is filled in. */
#define INFO_MEMORY      (1u << 0)
#define INFO_CMDLINE     (1u << 2)
#define INFO_MODULES     (1u << 3)
#define INFO_MAP         (1u << 6)
#define INFO_LOADER_NAME (1u << 9)
struct info {
    uint32_t flags;
    uint32_t mem_lower_kib, mem_upper_kib;
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr;
    uint32_t config_table;
    uint32_t loader_name;
    uint32_t unused[13]; /* APM and video: absent */
};
struct info_module {
    uint32_t start, end, string, reserved;
};
struct info_range {
    uint32_t size_bytes; /* of what follows */
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));
enum { RANGE_RAM = 1, RANGE_RESERVED = 2 };

G_GNUC_PRINTF(3, 4)
static gboolean fail_space(GError **error, const char *path, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, SIM_LOADER_ERROR, SIM_LOADER_ERROR_SPACE, "%s: %s", path, text);
    return FALSE;
}

static bool overlaps(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    return a < b + b_bytes && b < a + a_bytes;
}

/* --- the kernel -------------------------------------------------------------------------- */

static gboolean check_place(const struct mmu_ram *ram, const char *path,
                            const struct sim_kernel_segment *s, GError **error)
{
    uint64_t end = (uint64_t)s->pa + s->mem_bytes;
    const char *what = NULL;

    if (overlaps(s->pa, s->mem_bytes, 0, KERNEL_BASE_MIN))
        what = "the interrupt vectors and BIOS data";
    else if (overlaps(s->pa, s->mem_bytes, INFO_BASE, INFO_BYTES_MAX))
        what = "the boot information";
    else if (overlaps(s->pa, s->mem_bytes, BASE_END, BIOS_END - BASE_END))
        what = "the BIOS and video areas";
    if (what)
        return fail_space(
            error, path, "its segment at 0x%x-0x%" PRIx64 " overlaps %s; link it at 1 MiB or above",
            s->pa, end, what);
    if (!mmu_ram_has(ram, s->pa, s->mem_bytes))
        return fail_space(error, path,
                          "its segment at 0x%x-0x%" PRIx64
                          " does not fit into RAM, which ends at 0x%" PRIx64,
                          s->pa, end, ram->low_bytes);
    return TRUE;
}

/* Returns: the end of the highest segment, 0 with @error. */
static uint64_t load_kernel(struct mmu_ram *ram, const struct sim_config *config, uint32_t *entry,
                            GError **error)
{
    const char *path = config->kernel;
    g_autoptr(GBytes) image =
        sim_config_read(config, path, KERNEL_BYTES_MAX, SIM_IMAGE_GUNZIP, error);
    struct sim_kernel kernel;
    const uint8_t *data;
    size_t size_bytes;
    uint64_t end = 0;

    if (!image)
        return 0;
    data = g_bytes_get_data(image, &size_bytes);
    if (!sim_kernel_parse(path, data, size_bytes, &kernel, error))
        return 0;
    for (unsigned i = 0; i < kernel.count; i++) {
        const struct sim_kernel_segment *s = &kernel.segment[i];

        if (!check_place(ram, path, s, error))
            return 0;
        /* RAM is zero and segments do not overlap: the rest of mem_bytes is zero already. */
        mmu_ram_write(ram, GPA(s->pa), data + s->offset, s->file_bytes);
        end = (uint64_t)s->pa + s->mem_bytes;
    }
    *entry = kernel.entry;
    return end;
}

/* --- the modules ------------------------------------------------------------------------- */

static uint64_t page_up(uint64_t value)
{
    return (value + PAGE_MASK) & ~PAGE_MASK;
}

/* The files of all modules; the caller frees the array, whose elements are GBytes. */
static GPtrArray *read_modules(const struct sim_config *config, uint64_t limit_bytes,
                               GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (unsigned i = 0; i < config->modules->len; i++) {
        const struct sim_config_module *m = g_ptr_array_index(config->modules, i);
        GError *why = NULL;
        GBytes *file = sim_module_read(config, m, limit_bytes, &why);

        if (!file) {
            g_propagate_prefixed_error(error, why, "module %s: ", m->name);
            return NULL;
        }
        g_ptr_array_add(files, file);
    }
    return g_steal_pointer(&files);
}

/* Where the first module goes so that all of them lie in low RAM; 0 with @error. */
static uint64_t place_modules(const struct mmu_ram *ram, const struct sim_config *config,
                              GPtrArray *files, uint64_t kernel_end, GError **error)
{
    uint64_t total = 0, start = MAX(page_up(kernel_end), MODULES_BASE);

    for (unsigned i = 0; i < files->len; i++)
        total += page_up(g_bytes_get_size(g_ptr_array_index(files, i)));
    if (start + total <= ram->low_bytes)
        return start;
    start = MAX(page_up(kernel_end), BIOS_END);
    if (start + total <= ram->low_bytes)
        return start;
    fail_space(
        error, config->file,
        "the %u modules need %" PRIu64 " KiB, but between the end of the kernel and the end of "
        "low RAM there are %" PRIu64 " KiB; give the machine more memory",
        files->len, total >> 10, ram->low_bytes > start ? (ram->low_bytes - start) >> 10 : 0);
    return 0;
}

static gboolean load_modules(struct mmu_ram *ram, const struct sim_config *config,
                             uint64_t kernel_end, GArray *list, GError **error)
{
    g_autoptr(GPtrArray) files = read_modules(config, ram->low_bytes, error);
    uint64_t at;

    if (!files)
        return FALSE;
    if (files->len == 0)
        return TRUE;
    at = place_modules(ram, config, files, kernel_end, error);
    if (at == 0)
        return FALSE;
    for (unsigned i = 0; i < files->len; i++) {
        size_t size_bytes;
        const void *data = g_bytes_get_data(g_ptr_array_index(files, i), &size_bytes);
        struct info_module module = {(uint32_t)at, (uint32_t)(at + size_bytes), 0, 0};

        mmu_ram_write(ram, GPA(at), data, size_bytes);
        g_array_append_val(list, module);
        at = page_up(at + size_bytes);
    }
    return TRUE;
}

/* --- boot information -------------------------------------------------------------------- */

/* Appends to the information area; Returns: the physical address of what was appended. */
static uint32_t put(GByteArray *area, const void *data, size_t size_bytes)
{
    uint32_t at = INFO_BASE + area->len;

    g_byte_array_append(area, data, (guint)size_bytes);
    return at;
}

static void align(GByteArray *area)
{
    static const uint8_t zero[8];

    put(area, zero, -area->len & 7u);
}

static uint32_t put_cmdline(GByteArray *area, const char *name, const char *cmdline)
{
    g_autofree char *text = g_strjoin(*cmdline ? " " : "", name, cmdline, NULL);

    return put(area, text, strlen(text) + 1);
}

static void put_range(GByteArray *area, uint64_t base, uint64_t end, uint32_t type)
{
    struct info_range range = {sizeof(range) - sizeof(range.size_bytes), base, end - base, type};

    if (end > base)
        put(area, &range, sizeof(range));
}

static void put_map(GByteArray *area, const struct mmu_ram *ram, struct info *info)
{
    info->mmap_addr = INFO_BASE + area->len;
    put_range(area, 0, BASE_END, RANGE_RAM);
    put_range(area, BASE_END, BASE_TOP, RANGE_RESERVED);
    put_range(area, BIOS_BASE, BIOS_END, RANGE_RESERVED);
    put_range(area, BIOS_END, ram->low_bytes, RANGE_RAM);
    put_range(area, IOAPIC_BASE, IOAPIC_BASE + PAGE_SIZE, RANGE_RESERVED);
    put_range(area, LAPIC_BASE, LAPIC_BASE + PAGE_SIZE, RANGE_RESERVED);
    put_range(area, MMU_RAM_HIGH_BASE, ram->top, RANGE_RAM);
    info->mmap_length = INFO_BASE + area->len - info->mmap_addr;
}

static gboolean load_info(struct mmu_ram *ram, const struct sim_config *config, GArray *modules,
                          GError **error)
{
    g_autoptr(GByteArray) area = g_byte_array_new();
    struct info info = {0};

    put(area, &info, sizeof(info)); /* overwritten below */
    put_map(area, ram, &info);
    info.loader_name = put(area, LOADER_NAME, sizeof(LOADER_NAME));
    info.cmdline = put_cmdline(area, "kernel", config->cmdline);
    for (unsigned i = 0; i < modules->len; i++) {
        const struct sim_config_module *m = g_ptr_array_index(config->modules, i);

        g_array_index(modules, struct info_module, i).string =
            put_cmdline(area, m->name, m->cmdline);
    }
    align(area);
    info.mods_count = modules->len;
    info.mods_addr = put(area, modules->data, modules->len * sizeof(struct info_module));
    info.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MAP | INFO_LOADER_NAME;
    info.mem_lower_kib = BASE_END >> 10;
    info.mem_upper_kib = (uint32_t)((ram->low_bytes - BIOS_END) >> 10);
    memcpy(area->data, &info, sizeof(info));
    if (area->len > INFO_BYTES_MAX)
        return fail_space(
            error, config->file,
            "the command lines are too long: %u bytes of boot information, at most %u "
            "are possible",
            area->len, INFO_BYTES_MAX);
    mmu_ram_write(ram, GPA(INFO_BASE), area->data, area->len);
    return TRUE;
}

gboolean sim_loader_load(struct mmu_ram *ram, const struct sim_config *config,
                         struct sim_loader_result *out, GError **error)
{
    g_autoptr(GArray) modules = g_array_new(FALSE, TRUE, sizeof(struct info_module));
    uint64_t kernel_end;

    kernel_end = load_kernel(ram, config, &out->entry, error);
    if (kernel_end == 0 || !load_modules(ram, config, kernel_end, modules, error) ||
        !load_info(ram, config, modules, error))
        return FALSE;
    out->info = INFO_BASE;
    out->magic = BOOT_MAGIC;
    return TRUE;
}

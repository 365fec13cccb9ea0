/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the multiboot information to the first guest. */
#include "hv/boot.h"

#include "hv/apic.h"
#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/frame.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/trap.h"
#include "hv/uart.h"
#include "hv/version.h"

struct multiboot {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
} __attribute__((packed));
struct multiboot_mmap {
    u32 size;
    u64 base, length;
    u32 type;
} __attribute__((packed));
struct multiboot_module {
    u32 start, end, cmdline, reserved;
};

struct hv_cpu hv_cpu;
struct hv_boot hv_boot;
const char *hv_command_line = hv_boot.cmdline;
u64 hv_template[512];	/* L4 slots of the hypervisor, as every table gets them */
extern char hv_image[], hv_text_end[], hv_rodata_end[], hv_end[];

#define direct(pa) ((void *)(HV_VA_DIRECT + (u64)(pa)))

static void copy_string(char *to, size_t size, u32 pa)
{
    const char *from = direct(pa);
    size_t i = 0;
    for (; pa && i + 1 < size && from[i]; i++)
        to[i] = from[i];
    to[i] = 0;
}

/* The first word of a command line names the image. */
static const char *skip_word(const char *s)
{
    while (*s && *s != ' ')
        s++;
    while (*s == ' ')
        s++;
    return s;
}

const char *hv_boot_option(const char *name)
{
    size_t n = strlen(name);
    for (const char *s = hv_boot.cmdline; *s; s = skip_word(s))
        if (!strncmp(s, name, n) && s[n] == '=')
            return s + n + 1;
    return NULL;
}

u64 hv_boot_number(const char *name, u64 otherwise)
{
    const char *s = hv_boot_option(name);
    u64 n = 0;
    if (!s)
        return otherwise;
    for (; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + (u64)(*s - '0');
    switch (*s) {
    case 'G': case 'g': return n << 30;
    case 'M': case 'm': return n << 20;
    case 'K': case 'k': return n << 10;
    }
    return n;
}

static void read_multiboot(u32 info)
{
    const struct multiboot *m = direct(info);
    struct hv_boot *b = &hv_boot;
    if (!(m->flags & 0x40))
        hv_panic("the loader gives no memory map");
    for (u32 at = 0; at < m->mmap_length && b->nr_map < HV_ARRAY_SIZE(b->map);) {
        const struct multiboot_mmap *e = direct(m->mmap_addr + at);
        b->map[b->nr_map++] = (struct hv_boot_range){e->base, e->base + e->length, e->type};
        at += e->size + 4;
    }
    if (m->flags & 4)
        copy_string(b->cmdline, sizeof(b->cmdline), m->cmdline);
    memmove(b->cmdline, skip_word(b->cmdline), strlen(skip_word(b->cmdline)) + 1);
    const struct multiboot_module *mod = direct(m->mods_addr);
    for (u32 i = 0; (m->flags & 8) && i < m->mods_count && i < HV_ARRAY_SIZE(b->module); i++, mod++) {
        struct hv_boot_module *to = &b->module[b->nr_modules++];
        to->start = mod->start;
        to->end = mod->end;
        copy_string(to->cmdline, sizeof(to->cmdline), mod->cmdline);
        memmove(to->cmdline, skip_word(to->cmdline), strlen(skip_word(to->cmdline)) + 1);
    }
}

/* Memory from the end of the image and of the modules upwards, page by page; before the pool. */
static u64 early_next;

u64 hv_early_alloc(u64 bytes)
{
    u64 pa = early_next;
    early_next += (bytes + 4095) & HV_PAGE_MASK;
    if (early_next > 0x100000000ull)
        hv_panic("the frame table does not fit below 4 GiB");
    memset(direct(pa), 0, early_next - pa);
    return pa;
}

/* @user: US only where guests may look; a guest that enters its root recursively sees all else. */
static u64 *table_below(u64 *slot, u64 user)
{
    if (!(*slot & HV_PTE_P))
        *slot = hv_early_alloc(4096) | HV_PTE_P | HV_PTE_RW | user | HV_PTE_A | HV_PTE_D;
    return direct(*slot & HV_PTE_FRAME);
}

/* Maps [va, va + bytes) to pa in the template's tables, by 2 MiB pages where they fit. */
static void map(u64 va, u64 pa, u64 bytes, u64 flags)
{
    u64 end = va + ((bytes + 4095) & HV_PAGE_MASK), user = flags & HV_PTE_US;
    while (va < end) {
        u64 *l3 = table_below(&hv_template[va >> 39 & 511], user);
        u64 *l2 = table_below(&l3[va >> 30 & 511], user);
        if (!((va | pa) & 0x1fffff) && end - va >= 0x200000) {
            l2[va >> 21 & 511] = pa | flags | HV_PTE_PSE;
            va += 0x200000, pa += 0x200000;
        } else {
            table_below(&l2[va >> 21 & 511], user)[va >> 12 & 511] = pa | flags;
            va += 4096, pa += 4096;
        }
    }
}

static void build_tables(void)
{
    const u64 rw = HV_PTE_P | HV_PTE_RW | HV_PTE_A | HV_PTE_D | HV_PTE_G | HV_PTE_NX, ro = rw & ~HV_PTE_RW;
    u64 top = 0x100000, image = (u64)hv_image - HV_VA_IMAGE;
    for (u32 i = 0; i < hv_boot.nr_map; i++)
        if (hv_boot.map[i].type == 1)
            top = HV_MAX(top, hv_boot.map[i].end & HV_PAGE_MASK);
    hv_max_mfn = top >> 12;
    early_next = ((u64)hv_end - HV_VA_IMAGE + 4095) & HV_PAGE_MASK;
    for (u32 i = 0; i < hv_boot.nr_modules; i++)
        early_next = HV_MAX(early_next, ((u64)hv_boot.module[i].end + 4095) & HV_PAGE_MASK);
    for (u64 pa = 0; pa < top; pa += 0x40000000)
        map(HV_VA_DIRECT + pa, pa, HV_MIN(top - pa, 0x40000000ull), rw);
    map((u64)hv_image, image, (u64)(hv_text_end - hv_image) & HV_PAGE_MASK, ro & ~HV_PTE_NX);
    u64 text = ((u64)hv_text_end & HV_PAGE_MASK) - HV_VA_IMAGE;
    map(HV_VA_IMAGE + text, text, 4096, ro & ~HV_PTE_NX);	/* shared by text and constants */
    text += 4096;
    if (text < (u64)hv_rodata_end - HV_VA_IMAGE)
        map(HV_VA_IMAGE + text, text, (u64)hv_rodata_end - HV_VA_IMAGE - text, ro);
    map((u64)hv_init, (u64)hv_init - HV_VA_IMAGE, (u64)(hv_init_end - hv_init), ro & ~HV_PTE_NX);
    map((u64)hv_init_end, (u64)hv_init_end - HV_VA_IMAGE, (u64)(hv_end - hv_init_end), rw);
    map(HV_VA_DEVICES, 0xfee00000, 4096, rw | HV_PTE_PCD | HV_PTE_PWT);
    map(HV_VA_DEVICES + 0x1000, 0xfec00000, 4096, rw | HV_PTE_PCD | HV_PTE_PWT);
    u64 frames = hv_early_alloc(hv_max_mfn * sizeof(struct hv_frame));
    map(HV_VA_FRAMES, frames, hv_max_mfn * sizeof(struct hv_frame), rw);
    u64 m2p = hv_boot.m2p_pa = hv_early_alloc(hv_max_mfn * 8);
    memset(direct(m2p), 0xff, (hv_max_mfn * 8 + 4095) & HV_PAGE_MASK);
    map(HV_VA_M2P, m2p, hv_max_mfn * 8, (ro & ~HV_PTE_G) | HV_PTE_US);	/* some roots do not show it */
    map(HV_VA_M2P_RW, m2p, hv_max_mfn * 8, rw);
    hv_boot.idle_cr3 = hv_early_alloc(4096);
    memcpy(direct(hv_boot.idle_cr3), hv_template, 4096);
    hv_write_cr3(hv_boot.idle_cr3);
    hv_cpu.cr3 = hv_boot.idle_cr3;
}

static bool is_taken(u64 pa)
{
    if (pa < 0x100000 || (pa >= (u64)hv_image - HV_VA_IMAGE && pa < (u64)hv_end - HV_VA_IMAGE))
        return true;
    for (u32 i = 0; i < hv_boot.nr_modules; i++)
        if (pa + 4096 > hv_boot.module[i].start && pa < hv_boot.module[i].end)
            return true;
    return pa >= hv_boot.early_start && pa < early_next;
}

/* Everything in RAM that nobody holds becomes free; modules do after domain 0 was built. */
static void fill_pool(void)
{
    hv_frame_pool_init(hv_early_alloc(hv_max_mfn * 4), hv_boot_number("seed", 1));
    for (u32 i = 0; i < hv_boot.nr_map; i++) {
        if (hv_boot.map[i].type != 1)
            continue;
        u64 end = hv_boot.map[i].end & HV_PAGE_MASK;
        for (u64 pa = (hv_boot.map[i].start + 4095) & HV_PAGE_MASK; pa < end; pa += 4096)
            hv_frame_pool_add(pa >> 12, !is_taken(pa));
    }
}

void hv_main(u32 magic, u32 info)
{
    hv_cpu.budget = 64;
    hv_uart_init();
    if (magic != 0x2badb002)
        hv_panic("not started by a multiboot loader");
    read_multiboot(info);
    hv_printk("(HV) Paravane hv: Xen 4.17 PV interface; %u modules\n", hv_boot.nr_modules);
    u64 before = ((u64)hv_end - HV_VA_IMAGE + 4095) & HV_PAGE_MASK;
    for (u32 i = 0; i < hv_boot.nr_modules; i++)
        before = HV_MAX(before, ((u64)hv_boot.module[i].end + 4095) & HV_PAGE_MASK);
    hv_boot.early_start = before;
    build_tables();
    hv_trap_init();
    hv_apic_init();
    hv_time_init();
#ifdef HV_AUDIT
    hv_audit_init();
#endif
    fill_pool();
    hv_trap_late_init();
    hv_sched_init();
    if (!hv_boot.nr_modules)
        hv_panic("no module: a PV kernel for domain 0 is needed");
    hv_dom0_build();
    for (u32 i = 0; i < hv_boot.nr_modules; i++)
        for (u64 pa = hv_boot.module[i].start & HV_PAGE_MASK; pa < hv_boot.module[i].end; pa += 4096)
            hv_frame_pool_add(pa >> 12, true);
    hv_printk("(HV) %lu frames of %lu free\n", hv_frames_free(), hv_frames_total());
    hv_ioapic_route(4, false, false);
    hv_ioapic_mask(4, false);
    hv_dom0->paused_by_tools = 0;
    hv_domain_unpause(hv_dom0);
    hv_cpu.work |= HV_WORK_SCHEDULE;
    hv_boot_release();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/builder.h"

#include "guests/dom0/control.h"
#include "guests/dom0/foreign.h"
#include "guests/lib/heap.h"
#include "guests/lib/memory.h"
#include "guests/lib/string.h"

#include <xen/grant_table.h>

#define MIB              (1024ul * 1024)
#define MAPPED_BOUNDARY  (4 * MIB)
#define FREE_ABOVE_STACK (512 * 1024ul)
#define POPULATE_AT_ONCE 512u

#define TABLE_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PAGE_FLAGS  (PTE_P | PTE_RW | PTE_A)
#define RO_FLAGS    (PTE_P | PTE_A)

/* A stretch of addresses that is mapped, and the tables for it below the L4 (index 1..3). */
struct range {
    u64 start, end; /* virtual; @end may be 0, the end of all addresses */
    u64 pfn;        /* that @start maps */
    u64 table_count[4], first_table[4];
};

struct build {
    const struct builder_request *request;
    const struct pv_image *image;
    u64 *p2m; /* pfn -> mfn of the new domain */
    const char *why;

    /* pfns; @stack is the end of the tables of the base range */
    u64 initrd, p2m_list, p2m_pages, start_info, store, console, tables, stack;
    u64 p2m_end; /* of the p2m range's frames and tables */
    struct range base, p2m_range; /* the latter is empty unless the image wants it */
};

static long failed(struct build *b, long error, const char *why)
{
    if (!b->why)
        b->why = why;
    return error;
}

static u64 pages_of(u64 size_bytes)
{
    return (size_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* ---- the plan ---- */

static u64 level_shift(u32 level)
{
    return PAGE_SHIFT + 9 * (u64)level;
}

/* Set the range's end and count its tables.  Returns how many it takes. */
static u64 range_set_end(struct range *range, u64 end)
{
    u64 count = 0;

    range->end = end;
    for (u32 level = 1; level <= 3; level++) {
        range->table_count[level] =
            ((end - 1) >> level_shift(level)) - (range->start >> level_shift(level)) + 1;
        count += range->table_count[level];
    }
    return count;
}

/* Put the range's tables from @pfn on, the higher levels first. */
static void range_set_tables(struct range *range, u64 pfn)
{
    for (u32 level = 3; level; level--) {
        range->first_table[level] = pfn;
        pfn += range->table_count[level];
    }
}

/* The tables of the base range map themselves: try until the number is enough for what it adds. */
static void plan_base(struct build *b)
{
    u64 start = b->image->virt_base, total = 4, need;

    b->base.start = start;
    for (;; total = need) {
        u64 end = ((b->tables + total + 1) << PAGE_SHIFT) + FREE_ABOVE_STACK;

        end = (start + end + MAPPED_BOUNDARY - 1) & ~(MAPPED_BOUNDARY - 1);
        need = range_set_end(&b->base, end) + 1;
        if (need <= total)
            break;
    }
    range_set_tables(&b->base, b->tables + 1);
    b->stack = b->tables + total;
}

/* The p2m in a place of its own: allowed below the image, in an L4 slot of its own. */
static bool p2m_apart(const struct build *b)
{
    u64 at = b->image->init_p2m;

    return at && !(at & ~PAGE_MASK) && at < b->image->virt_base &&
           at >> level_shift(3) != b->image->virt_base >> level_shift(3);
}

static long plan(struct build *b)
{
    const struct builder_request *r = b->request;
    u64 at = pages_of(b->image->end), initrd_pages = pages_of(r->initrd_bytes);
    bool apart = p2m_apart(b);

    if (b->image->end > r->pages << PAGE_SHIFT)
        return failed(b, -XEN_ENOMEM, "the image needs more memory");
    if (!b->image->initrd_by_pfn) {
        b->initrd = at;
        at += initrd_pages;
    }
    b->p2m_pages = pages_of(r->pages * sizeof(u64));
    if (!apart) {
        b->p2m_list = at;
        at += b->p2m_pages;
    }
    b->start_info = at++;
    b->store = at++;
    b->console = at++;
    b->tables = at;
    plan_base(b);
    at = (b->base.end - b->base.start) >> PAGE_SHIFT;
    if (b->image->virt_base && at << PAGE_SHIFT > -b->image->virt_base)
        return failed(b, -XEN_EINVAL, "the image lies too near to the end of the address space");
    if (b->image->initrd_by_pfn) {
        b->initrd = at;
        at += initrd_pages;
    }
    if (apart) {
        b->p2m_list = at;
        b->p2m_range.start = b->image->init_p2m;
        b->p2m_range.pfn = at;
        b->p2m_end = at + b->p2m_pages +
                     range_set_end(&b->p2m_range,
                                   b->image->init_p2m + (b->p2m_pages << PAGE_SHIFT));
        range_set_tables(&b->p2m_range, at + b->p2m_pages);
        at = b->p2m_end;
    }
    if (at > r->pages)
        return failed(b, -XEN_ENOMEM, "the image and its initial tables need more memory");
    return 0;
}

/* ---- filling memory ---- */

static long populate(struct build *b)
{
    for (u64 pfn = 0; pfn < b->request->pages; pfn += POPULATE_AT_ONCE) {
        u64 count = b->request->pages - pfn;
        long error;

        count = count < POPULATE_AT_ONCE ? count : POPULATE_AT_ONCE;
        for (u64 i = 0; i < count; i++)
            b->p2m[pfn + i] = pfn + i;
        error = control_populate(b->request->domid, b->p2m + pfn, (u32)count);
        if (error)
            return failed(b, error, "not enough memory");
    }
    return 0;
}

/* Write at guest-physical @address; @from NULL writes zeros. */
static long put(struct build *b, u64 address, const void *from, u64 size_bytes)
{
    const u8 *source = from;

    while (size_bytes) {
        u64 offset = address & ~PAGE_MASK, n = FOREIGN_PAGES * PAGE_SIZE - offset;
        u8 *there;

        n = n < size_bytes ? n : size_bytes;
        there = foreign_map(b->request->domid, b->p2m + (address >> PAGE_SHIFT),
                            (u32)pages_of(offset + n));
        if (!there)
            return failed(b, -XEN_EFAULT, "the domain's memory cannot be mapped");
        if (source)
            memcpy(there + offset, source, n);
        else
            memset(there + offset, 0, n);
        foreign_unmap();
        source = source ? source + n : NULL;
        address += n;
        size_bytes -= n;
    }
    return 0;
}

static long put_image(struct build *b)
{
    const struct builder_request *r = b->request;
    long error = 0;

    for (u32 i = 0; i < b->image->segment_count && !error; i++) {
        const struct pv_segment *s = &b->image->segments[i];

        error = put(b, s->address, s->data, s->file_bytes);
        if (!error)
            error = put(b, s->address + s->file_bytes, NULL, s->memory_bytes - s->file_bytes);
    }
    if (!error && r->initrd)
        error = put(b, b->initrd << PAGE_SHIFT, r->initrd, r->initrd_bytes);
    if (!error)
        error = put(b, b->p2m_list << PAGE_SHIFT, b->p2m, r->pages * sizeof(u64));
    if (!error)
        error = put(b, b->store << PAGE_SHIFT, NULL, 2 * PAGE_SIZE);
    return error;
}

static u64 virt_of(const struct build *b, u64 pfn)
{
    return b->image->virt_base + (pfn << PAGE_SHIFT);
}

static long put_start_info(struct build *b, const domain_info_t *info)
{
    const struct builder_request *r = b->request;
    start_info_t *si = heap_alloc(PAGE_SIZE);
    long error;

    if (!si)
        return failed(b, -XEN_ENOMEM, "domain 0 is out of memory");
    memcpy(si->magic, "xen-3.0-x86_64", sizeof "xen-3.0-x86_64");
    si->nr_pages = r->pages;
    si->shared_info = info->shared_info_frame << PAGE_SHIFT;
    si->store_mfn = b->p2m[b->store];
    si->store_evtchn = r->store_port;
    si->console.domU.mfn = b->p2m[b->console];
    si->console.domU.evtchn = r->console_port;
    si->pt_base = virt_of(b, b->tables);
    si->nr_pt_frames = b->stack - b->tables;
    si->mfn_list = virt_of(b, b->p2m_list);
    if (b->p2m_end) {
        si->mfn_list = b->image->init_p2m;
        si->first_p2m_pfn = b->p2m_list;
        si->nr_p2m_frames = b->p2m_end - b->p2m_list;
    }
    if (r->initrd) {
        si->mod_start = b->image->initrd_by_pfn ? b->initrd : virt_of(b, b->initrd);
        si->mod_len = r->initrd_bytes;
        if (b->image->initrd_by_pfn)
            si->flags |= SIF_MOD_START_PFN;
    }
    memcpy(si->cmd_line, r->cmdline, strlen(r->cmdline) + 1);
    error = put(b, b->start_info << PAGE_SHIFT, si, PAGE_SIZE);
    heap_free(si);
    return error;
}

/* ---- page tables ---- */

static bool is_table(const struct build *b, u64 pfn)
{
    return (pfn >= b->tables && pfn < b->stack) ||
           (pfn >= b->p2m_list + b->p2m_pages && pfn < b->p2m_end);
}

/* The entry at @level for @va, as far as the range has one; 0: it has none. */
static u64 range_entry(const struct build *b, const struct range *range, u32 level, u64 va)
{
    u64 pfn;

    /* By the last byte of what the entry maps: a range may end at the end of all addresses. */
    if (range->start == range->end || va + (1ul << level_shift(level - 1)) - 1 < range->start ||
        va > range->end - 1)
        return 0;
    if (level > 1) {
        pfn = range->first_table[level - 1] + (va >> level_shift(level - 1)) -
              (range->start >> level_shift(level - 1));
        return (b->p2m[pfn] << PAGE_SHIFT) | TABLE_FLAGS;
    }
    pfn = range->pfn + ((va - range->start) >> PAGE_SHIFT);
    return (b->p2m[pfn] << PAGE_SHIFT) | (is_table(b, pfn) ? RO_FLAGS : PAGE_FLAGS);
}

static long put_range(struct build *b, const struct range *range, u64 *table)
{
    long error = 0;

    for (u32 level = 3; level && !error; level--)
        for (u64 number = 0; number < range->table_count[level] && !error; number++) {
            u64 va = ((range->start >> level_shift(level)) + number) << level_shift(level);

            for (u64 index = 0; index < 512; index++)
                table[index] =
                    range_entry(b, range, level, va + (index << level_shift(level - 1)));
            error = put(b, (range->first_table[level] + number) << PAGE_SHIFT, table, PAGE_SIZE);
        }
    return error;
}

static long put_tables(struct build *b)
{
    u64 *table = heap_alloc(PAGE_SIZE);
    long error;

    if (!table)
        return failed(b, -XEN_ENOMEM, "domain 0 is out of memory");
    for (u64 index = 0; index < 512; index++) {
        /* Slots from 256 on are those of the upper, sign-extended half. */
        u64 va = (index << level_shift(3)) | (index < 256 ? 0 : 0xffff000000000000ul);

        table[index] =
            range_entry(b, &b->base, 4, va) | range_entry(b, &b->p2m_range, 4, va);
    }
    error = put(b, b->tables << PAGE_SHIFT, table, PAGE_SIZE);
    error = error ? error : put_range(b, &b->base, table);
    error = error ? error : put_range(b, &b->p2m_range, table);
    heap_free(table);
    if (error)
        return error;
    error = control_pin_l4(b->request->domid, b->p2m[b->tables]);
    return error ? failed(b, error, "the hypervisor does not take the page tables") : 0;
}

/* ---- what is not the domain's own memory ---- */

static long put_shared_info(struct build *b, const domain_info_t *info)
{
    shared_info_t *shared = foreign_map(b->request->domid, &info->shared_info_frame, 1);

    if (!shared)
        return failed(b, -XEN_EFAULT, "the shared info page cannot be mapped");
    memset(shared, 0, PAGE_SIZE);
    for (u32 i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        shared->vcpu_info[i].evtchn_upcall_mask = 1;
    foreign_unmap();
    return 0;
}

/* Domain 0 may map the two rings. */
static long put_grants(struct build *b)
{
    grant_entry_v1_t *grants;
    u64 mfn;
    long error = control_grant_frame(b->request->domid, &mfn);

    if (error)
        return failed(b, error, "no grant table");
    grants = foreign_map(b->request->domid, &mfn, 1);
    if (!grants)
        return failed(b, -XEN_EFAULT, "the grant table cannot be mapped");
    grants[GNTTAB_RESERVED_CONSOLE] =
        (grant_entry_v1_t){GTF_permit_access, 0, (u32)b->p2m[b->console]};
    grants[GNTTAB_RESERVED_XENSTORE] =
        (grant_entry_v1_t){GTF_permit_access, 0, (u32)b->p2m[b->store]};
    foreign_unmap();
    return 0;
}

static long set_vcpu(struct build *b)
{
    vcpu_guest_context_t *context = heap_alloc(sizeof *context);
    long error;

    if (!context)
        return failed(b, -XEN_ENOMEM, "domain 0 is out of memory");
    context->flags = VGCF_in_kernel | VGCF_online;
    context->user_regs.rip = b->image->entry;
    context->user_regs.rsp = virt_of(b, b->stack + 1);
    context->user_regs.rsi = virt_of(b, b->start_info);
    context->user_regs.rflags = 0x200;
    context->user_regs.cs = FLAT_KERNEL_CS;
    context->user_regs.ss = FLAT_KERNEL_SS;
    context->kernel_ss = FLAT_KERNEL_SS;
    context->kernel_sp = context->user_regs.rsp;
    context->ctrlreg[3] = b->p2m[b->tables] << PAGE_SHIFT;
    error = control_set_vcpu(b->request->domid, 0, context);
    heap_free(context);
    return error ? failed(b, error, "the hypervisor does not take the first vCPU's state") : 0;
}

static long put_hypercall_page(struct build *b)
{
    u64 page = b->image->hypercall_page, pfn = (page - b->image->virt_base) >> PAGE_SHIFT;
    long error;

    if (!page)
        return 0;
    if (pfn >= b->request->pages)
        return failed(b, -XEN_EINVAL, "the hypercall page lies outside of the domain");
    error = control_hypercall_page(b->request->domid, b->p2m[pfn]);
    return error ? failed(b, error, "no hypercall page") : 0;
}

long builder_build(const struct builder_request *request, struct builder_result *out,
                   const char **why)
{
    struct build b = {.request = request, .image = request->image};
    domain_info_t info;
    long error;

    *why = NULL;
    b.p2m = heap_alloc(request->pages * sizeof(u64));
    if (!b.p2m)
        error = failed(&b, -XEN_ENOMEM, "domain 0 is out of memory");
    else if (strlen(request->cmdline) >= MAX_GUEST_CMDLINE)
        error = failed(&b, -XEN_EINVAL, "the command line is too long");
    else
        error = control_info(request->domid, &info);
    error = error ? error : plan(&b);
    error = error ? error : populate(&b);
    error = error ? error : put_image(&b);
    error = error ? error : put_start_info(&b, &info);
    error = error ? error : put_hypercall_page(&b);
    error = error ? error : put_tables(&b);
    error = error ? error : put_shared_info(&b, &info);
    error = error ? error : put_grants(&b);
    error = error ? error : set_vcpu(&b);
    if (!error)
        *out = (struct builder_result){b.p2m[b.store], b.p2m[b.console]};
    heap_free(b.p2m);
    *why = b.why ? b.why : "the hypervisor does not know the domain";
    return error;
}

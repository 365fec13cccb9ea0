/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of the machine itself: exceptions, interrupts, page walks, devices, the console.
 *
 * Where the guest runs there is no hypervisor to ask who it is: it is who ran last on that vCPU.
 */
#include <string.h>

#include "traces/capture_internal.h"

#define LINE_BYTES_MAX  512
#define VECTOR_PF       14
#define PTE_PRESENT     1u
#define PTE_LARGE       (1u << 7)
#define PTE_ADDRESS     0x000ffffffffff000ull

static struct trace_build *begin(struct trace_capture *c, enum trace_kind_id kind,
                                 const struct base_probe_at *at)
{
    trace_build_begin(c->scratch, kind, at->insns, at->virtual_ns, at->vcpu);
    if (at->vcpu < CAPTURE_VCPUS_MAX)
        trace_build_domain(c->scratch, c->who[at->vcpu].domid, c->who[at->vcpu].dom_vcpu);
    return c->scratch;
}

/* ---- page walks ---- */

/* The entries for @va from the top table on; returns how many are present. */
static unsigned walk(const struct base_guest *guest, uint64_t cr3, uint64_t va, uint64_t pte[4])
{
    uint64_t table = cr3 & PTE_ADDRESS;

    memset(pte, 0, 4 * sizeof(pte[0]));
    for (unsigned i = 0; i < 4; i++) {
        uint64_t at = table + (va >> (39 - 9 * i) & 511) * 8;

        if (!guest->read_physical(guest->user, at, &pte[i], sizeof(pte[i])) ||
            !(pte[i] & PTE_PRESENT))
            return i;
        if ((i == 1 || i == 2) && (pte[i] & PTE_LARGE))
            return i + 1;
        table = pte[i] & PTE_ADDRESS;
    }
    return 4;
}

bool capture_read_l1e(const struct base_guest *guest, uint64_t cr3, uint64_t va, uint64_t *pte)
{
    uint64_t entry[4];
    unsigned present = walk(guest, cr3, va, entry);

    *pte = entry[3];
    return present >= 3 && !(entry[2] & PTE_LARGE);
}

/* result: 0 when all tables and the page are there, else the level of the entry that is not. */
static void demand_walk(struct trace_capture *c, const struct base_probe_at *at,
                        const struct base_probe_exception *exc)
{
    struct base_guest_view view;
    struct trace_build *b;
    uint64_t pte[4];
    unsigned present;
    bool large;

    c->guest->view(c->guest->user, &view);
    present = walk(c->guest, view.cr3, exc->cr2, pte);
    large = present > 1 && present < 4 && (pte[present - 1] & PTE_LARGE);
    b = begin(c, TRACE_KIND_DEMAND_WALK, at);
    trace_build_u64(b, TRACE_DEMAND_WALK_VA, exc->cr2);
    trace_build_u64(b, TRACE_DEMAND_WALK_ERROR, exc->error_code);
    for (unsigned i = 0; i < 4; i++)
        trace_build_u64(b, TRACE_DEMAND_WALK_L4E + i, pte[i]);
    trace_build_u64(b, TRACE_DEMAND_WALK_RESULT, large ? 0 : 4 - present);
    capture_emit(c, b);
}

/* ---- exceptions and interrupts ---- */

static void on_exception(void *user, const struct base_probe_at *at,
                         const struct base_probe_exception *exc)
{
    struct trace_capture *c = user;
    struct trace_build *b;

    if (c->want[TRACE_KIND_DEMAND_WALK] && exc->vector == VECTOR_PF && !exc->is_software)
        demand_walk(c, at, exc);
    if (!c->want[TRACE_KIND_EXCEPTION])
        return;
    b = begin(c, TRACE_KIND_EXCEPTION, at);
    trace_build_u64(b, TRACE_EXCEPTION_VECTOR, exc->vector);
    trace_build_u64(b, TRACE_EXCEPTION_HAS_ERROR, exc->has_error_code);
    trace_build_u64(b, TRACE_EXCEPTION_ERROR, exc->error_code);
    trace_build_u64(b, TRACE_EXCEPTION_SOFTWARE, exc->is_software);
    trace_build_u64(b, TRACE_EXCEPTION_RIP, exc->rip);
    trace_build_u64(b, TRACE_EXCEPTION_CR2, exc->vector == VECTOR_PF ? exc->cr2 : 0);
    capture_emit(c, b);
}

static void on_interrupt(void *user, const struct base_probe_at *at, uint8_t vector, bool nmi)
{
    struct trace_capture *c = user;
    struct trace_build *b = begin(c, TRACE_KIND_INTERRUPT, at);

    trace_build_u64(b, TRACE_INTERRUPT_VECTOR, vector);
    trace_build_u64(b, TRACE_INTERRUPT_NMI, nmi);
    capture_emit(c, b);
}

static void on_syscall(void *user, const struct base_probe_at *at, uint64_t rip)
{
    (void)at;
    capture_guest_syscall(user, rip);
}

/* ---- devices ---- */

static void on_port(void *user, const struct base_probe_at *at, uint16_t port, unsigned size_bytes,
                    bool is_write, uint32_t value)
{
    struct trace_capture *c = user;
    struct trace_build *b = begin(c, TRACE_KIND_PORT, at);

    trace_build_u64(b, TRACE_PORT_PORT, port);
    trace_build_u64(b, TRACE_PORT_SIZE, size_bytes);
    trace_build_u64(b, TRACE_PORT_WRITE, is_write);
    trace_build_u64(b, TRACE_PORT_VALUE, value);
    capture_emit(c, b);
}

static void on_mmio(void *user, const struct base_probe_at *at, uint64_t gpa, unsigned size_bytes,
                    bool is_write, uint64_t value)
{
    struct trace_capture *c = user;
    struct trace_build *b = begin(c, TRACE_KIND_MMIO, at);

    trace_build_u64(b, TRACE_MMIO_GPA, gpa);
    trace_build_u64(b, TRACE_MMIO_SIZE, size_bytes);
    trace_build_u64(b, TRACE_MMIO_WRITE, is_write);
    trace_build_u64(b, TRACE_MMIO_VALUE, value);
    capture_emit(c, b);
}

void capture_console_flush(struct trace_capture *c, const struct base_probe_at *at)
{
    struct trace_build *b;

    if (!c->console->len)
        return;
    b = begin(c, TRACE_KIND_CONSOLE, at);
    trace_build_bytes(b, TRACE_CONSOLE_TEXT, c->console->str, c->console->len);
    capture_emit(c, b);
    g_string_truncate(c->console, 0);
}

static void on_console(void *user, const struct base_probe_at *at, uint8_t byte)
{
    struct trace_capture *c = user;

    g_string_append_c(c->console, (char)byte);
    if (byte == '\n' || c->console->len == LINE_BYTES_MAX)
        capture_console_flush(c, at);
}

void trace_capture_probe(struct trace_capture *c, struct base_probe *out)
{
    const bool *want = c->want;
    bool calls = want[TRACE_KIND_HYPERCALL] || want[TRACE_KIND_PIN] || want[TRACE_KIND_CR3] ||
                 want[TRACE_KIND_TLB_FLUSH] || want[TRACE_KIND_GRANT_MAP] ||
                 want[TRACE_KIND_GRANT_UNMAP] || want[TRACE_KIND_GRANT_COPY] ||
                 want[TRACE_KIND_GRANT_TRANSFER] || want[TRACE_KIND_DOMAIN] ||
                 want[TRACE_KIND_EVTCHN_SEND];

    *out = (struct base_probe){.user = c};
    if (want[TRACE_KIND_EXCEPTION] || want[TRACE_KIND_DEMAND_WALK])
        out->exception = on_exception;
    if (want[TRACE_KIND_INTERRUPT])
        out->interrupt = on_interrupt;
    if (calls && !c->profile)
        out->syscall = on_syscall;
    if (want[TRACE_KIND_PORT])
        out->port = on_port;
    if (want[TRACE_KIND_MMIO])
        out->mmio = on_mmio;
    if (want[TRACE_KIND_CONSOLE])
        out->console = on_console;
}

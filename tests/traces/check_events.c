/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Are the events of a hypervisor profile true?
 *
 *   check_events MACHINE [--set GROUP.KEY=VALUE]... [--console-script FILE] [--profile FILE]
 *                [--symbols FILE] [--until INSNS] [--kinds LIST] [--no-checks]
 *                [--ends-only]
 *
 * Runs the machine once with the capture attached, and beside it checkers that look for themselves:
 * with execution points, page walks and register offsets of their own, not the profile's.
 *
 *  1. Hypercalls by number and depth: as many events as executions of the hypervisor's own entry.
 *  2. mmu_update, mmuext_op and grant_table_op: each request in an event is what guest memory held
 *     when the handler began; after a successful normal mmu_update the entry points to the frame.
 *  3. Page types: events replayed into a model (frame -> type, count) never contradict it.
 *  4. Pins and grants are those of the requests, in order; a page mapped by grant is mapped where the
 *     event says; what was copied by grant is the same on both sides.
 *
 * Says what it found, one "key value" a line; exit status 1 when something is wrong.  With --no-checks
 * events are only counted: for measuring what the capture costs.  --ends-only: the profile sees only the
 * first and the last reference to a page's type.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"
#include "tests/traces/page_model.h"
#include "tools/console_script.h"
#include "tools/profiles.h"
#include "tools/symbols.h"
#include "traces/capture.h"
#include "traces/xen_public.h"

#include <xen/grant_table.h>

#define NUMBERS 64
#define COMPLAINTS_MAX 20
#define REQUESTS_BYTES_MAX 16384 /* of one hypercall: what an event has room for */

/* The requests of one hypercall, read by the checker when its handler began. */
struct expected {
    bool valid;
    uint64_t gva;
    unsigned count;
    unsigned next; /* the first that no event of its own has told yet */
    size_t each_bytes;
    uint8_t data[REQUESTS_BYTES_MAX];
};

struct check {
    struct sim_machine *machine;
    struct console_script *script;
    struct symbols *symbols;
    struct trace_capture *capture;
    struct page_model *model;
    uint64_t entered[2][NUMBERS], told[2][NUMBERS], unfinished;
    uint64_t kinds[TRACE_KIND_MAX + 1];
    struct expected expected[CPU_MAX_VCPUS][3]; /* mmu_update, mmuext_op, grant_table_op */
    uint64_t requests, blobs, entries_checked, pins, grants;
    unsigned complaints;
    bool no_checks, has_profile;
};

static void G_GNUC_PRINTF(3, 4)
    complain(struct check *k, const struct trace_event *e, const char *format, ...)
{
    va_list args;

    if (k->complaints++ >= COMPLAINTS_MAX)
        return;
    printf("wrong at %" PRIu64 ": ", e->insns);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

/* ---- the checker's own view of the machine ---- */

static bool read_own(struct check *k, uint64_t va, void *out, size_t size)
{
    struct cpu *cpu = sim_machine_cpu(k->machine);
    struct mmu_ram *ram = sim_machine_ram(k->machine);
    struct mmu_translation t;
    struct mmu_regs regs;

    cpu_mmu_regs(cpu, cpu_current(cpu), &regs);
    for (size_t n = 0; n < size; n++) { /* byte by byte: no cleverness to share mistakes with */
        if (mmu_walk(ram, &regs, GVA(va + n), MMU_READ | MMU_PROBE | MMU_ANY, &t) != MMU_OK ||
            !mmu_ram_read(ram, t.pa, (uint8_t *)out + n, 1))
            return false;
    }
    return true;
}

/* RDI is struct cpu_user_regs, whose layout is public. */
static void on_entry(void *user, const struct base_guest_view *view)
{
    struct check *k = user;
    struct cpu_user_regs regs;

    if (read_own(k, view->gpr[BASE_RDI], &regs, sizeof(regs)) && regs.rax < NUMBERS)
        k->entered[0][regs.rax]++;
}

/* RDI is struct mc_state: flags, then the public struct multicall_entry. */
static void on_multicall_entry(void *user, const struct base_guest_view *view)
{
    struct check *k = user;
    struct multicall_entry entry;

    if (read_own(k, view->gpr[BASE_RDI] + 8, &entry, sizeof(entry)) && entry.op < NUMBERS)
        k->entered[1][entry.op]++;
}

/* RDI is the public structure. */
static void on_hv_multicall_entry(void *user, const struct base_guest_view *view)
{
    struct check *k = user;
    struct multicall_entry entry;

    if (read_own(k, view->gpr[BASE_RDI], &entry, sizeof(entry)) && entry.op < NUMBERS)
        k->entered[1][entry.op]++;
}

static void expect_requests(struct check *k, unsigned which, uint64_t gva, uint64_t count,
                            size_t each)
{
    struct expected *x = &k->expected[cpu_current(sim_machine_cpu(k->machine))][which];

    *x = (struct expected){.gva = gva, .each_bytes = each};
    x->count = (unsigned)MIN(count, REQUESTS_BYTES_MAX / each);
    x->valid = read_own(k, gva, x->data, x->count * each);
}

/* do_mmu_update(ureqs, count, pdone, foreigndom), do_mmuext_op the same,
 * do_grant_table_op(cmd, uop, count): by the C calling convention. */
static void on_mmu_update(void *user, const struct base_guest_view *view)
{
    expect_requests(user, 0, view->gpr[BASE_RDI], view->gpr[BASE_RSI] & 0x7fffffff,
                    sizeof(struct mmu_update));
}
static void on_mmuext_op(void *user, const struct base_guest_view *view)
{
    expect_requests(user, 1, view->gpr[BASE_RDI], view->gpr[BASE_RSI] & 0x7fffffff,
                    sizeof(struct mmuext_op));
}
static void on_grant_table_op(void *user, const struct base_guest_view *view)
{
    static const size_t bytes[] = {32, 24, 24, 0, 24, 40, 16, 32, 4, 24, 8, 8, 16};
    uint64_t command = view->gpr[BASE_RDI] & 0xfff;

    if (command < ARRAY_LEN(bytes) && bytes[command])
        expect_requests(user, 2, view->gpr[BASE_RSI], (uint32_t)view->gpr[BASE_RDX],
                        bytes[command]);
}

static const struct {
    const char *symbol;
    base_execpoint_fn *fn;
} points[] = {{"pv_hypercall", on_entry},
              {"pv_do_multicall_call", on_multicall_entry},
              {"do_mmu_update", on_mmu_update},
              {"do_mmuext_op", on_mmuext_op},
              {"do_grant_table_op", on_grant_table_op},
              /* the project's own hypervisor */
              {"hv_hypercall_dispatch", on_entry},
              {"hv_multicall_entry", on_hv_multicall_entry},
              {"hv_do_mmu_update", on_mmu_update},
              {"hv_do_mmuext_op", on_mmuext_op},
              {"hv_do_grant_table_op", on_grant_table_op}};

/* ---- hypercalls ---- */

static const struct trace_blob *blob_of(const struct trace_event *e, enum trace_role role,
                                        unsigned stage)
{
    const struct trace_value *v = &e->value[TRACE_HYPERCALL_MEMORY];

    for (uint64_t i = 0; i < v->u64; i++)
        if (v->blob[i].role == role && v->blob[i].stage == stage)
            return &v->blob[i];
    return NULL;
}

static void check_requests(struct check *k, const struct trace_event *e, unsigned which,
                           enum trace_role role)
{
    struct expected *x = &k->expected[e->vcpu][which];
    const struct trace_blob *blob = blob_of(e, role, 0);

    if (!x->valid || !x->count)
        return;
    if (!blob || blob->gva != x->gva || blob->size_bytes != x->count * x->each_bytes ||
        memcmp(blob->data, x->data, blob->size_bytes) != 0)
        complain(k, e, "requests of hypercall %" PRIu64 " are not what memory held",
                 e->value[TRACE_HYPERCALL_NUMBER].u64);
    else
        k->requests += x->count;
    k->blobs++;
    x->valid = false;
}

/* All requests were done: a page table's entry has the frame that was asked for last. */
static void check_entries(struct check *k, const struct trace_event *e)
{
    const struct trace_blob *blob = blob_of(e, TRACE_ROLE_MMU_UPDATE, 0);
    unsigned count = blob ? (unsigned)(blob->size_bytes / sizeof(struct mmu_update)) : 0;

    if (e->value[TRACE_HYPERCALL_RESULT].u64 || e->value[TRACE_HYPERCALL_END].u64)
        return;
    for (unsigned i = 0; i < count; i++) {
        struct mmu_update u, later;
        bool overwritten = false;
        uint64_t entry;

        memcpy(&u, blob->data + i * sizeof(u), sizeof(u));
        for (unsigned j = i + 1; j < count && !overwritten; j++) {
            memcpy(&later, blob->data + j * sizeof(u), sizeof(u));
            overwritten = (later.ptr & ~7ull) == (u.ptr & ~7ull);
        }
        if (overwritten || (u.ptr & 7) == MMU_MACHPHYS_UPDATE ||
            !mmu_ram_read(sim_machine_ram(k->machine), GPA(u.ptr & ~7ull), &entry, sizeof(entry)))
            continue;
        k->entries_checked++;
        if ((entry ^ u.val) & 0x000ffffffffff001ull)
            complain(k, e, "entry at %#" PRIx64 " is %#" PRIx64 ", not %#" PRIx64,
                     (uint64_t)(u.ptr & ~7ull), entry, (uint64_t)u.val);
    }
}

static void check_hypercall(struct check *k, const struct trace_event *e)
{
    uint64_t number = e->value[TRACE_HYPERCALL_NUMBER].u64;
    uint64_t depth = e->value[TRACE_HYPERCALL_DEPTH].u64;

    if (number < NUMBERS && depth < 2)
        k->told[depth][number]++;
    k->unfinished += e->value[TRACE_HYPERCALL_END].u64 == TRACE_END_UNFINISHED;
    if (number == __HYPERVISOR_mmu_update) {
        check_requests(k, e, 0, TRACE_ROLE_MMU_UPDATE);
        check_entries(k, e);
    } else if (number == __HYPERVISOR_mmuext_op) {
        check_requests(k, e, 1, TRACE_ROLE_MMUEXT_OP);
    } else if (number == __HYPERVISOR_grant_table_op) {
        check_requests(k, e, 2, TRACE_ROLE_GRANT_OP);
    }
}

/* ---- what follows from a hypercall ---- */

static void check_pin(struct check *k, const struct trace_event *e)
{
    struct expected *x = &k->expected[e->vcpu][1];
    bool unpin = e->value[TRACE_PIN_OP].u64 == TRACE_PIN_OP_UNPIN;
    struct mmuext_op op = {.cmd = UINT32_MAX};

    while (x->valid && x->next < x->count && op.cmd > MMUEXT_UNPIN_TABLE)
        memcpy(&op, x->data + sizeof(op) * x->next++, sizeof(op));
    if (op.cmd > MMUEXT_UNPIN_TABLE || op.arg1.mfn != e->value[TRACE_PIN_MFN].u64 ||
        unpin != (op.cmd == MMUEXT_UNPIN_TABLE) ||
        (!unpin && e->value[TRACE_PIN_TYPE].u64 != op.cmd - MMUEXT_PIN_L1_TABLE + TRACE_PAGE_L1))
        complain(k, e, "no request is this pin of frame %#" PRIx64, e->value[TRACE_PIN_MFN].u64);
    k->pins++;
}

static const void *next_grant(struct check *k, const struct trace_event *e, size_t size)
{
    struct expected *x = &k->expected[e->vcpu][2];

    if (x->valid && x->each_bytes == size && x->next < x->count)
        return x->data + size * x->next++;
    complain(k, e, "no request is this %s", e->kind->name);
    return NULL;
}

/* The entry that maps the page: at a machine address, or found from a linear one. */
static bool mapped_frame(struct check *k, uint64_t host_addr, bool by_entry, uint64_t *mfn)
{
    struct cpu *cpu = sim_machine_cpu(k->machine);
    struct mmu_translation t;
    struct mmu_regs regs;
    uint64_t entry;

    if (by_entry) {
        if (!mmu_ram_read(sim_machine_ram(k->machine), GPA(host_addr), &entry, sizeof(entry)))
            return false;
        *mfn = (entry & 0x000ffffffffff000ull) >> PAGE_SHIFT;
        return entry & 1;
    }
    cpu_mmu_regs(cpu, cpu_current(cpu), &regs);
    if (mmu_walk(sim_machine_ram(k->machine), &regs, GVA(host_addr), MMU_READ | MMU_PROBE | MMU_ANY,
                 &t) != MMU_OK)
        return false;
    *mfn = t.pa.v >> PAGE_SHIFT;
    return true;
}

static void check_grant_map(struct check *k, const struct trace_event *e)
{
    const struct gnttab_map_grant_ref *op = next_grant(k, e, sizeof(*op));
    uint64_t mfn = 0;

    if (!op)
        return;
    k->grants++;
    if (op->dom != e->value[TRACE_GRANT_MAP_GRANTER].u64 ||
        op->ref != e->value[TRACE_GRANT_MAP_REF].u64 ||
        op->host_addr != e->value[TRACE_GRANT_MAP_HOST_ADDR].u64 ||
        op->flags != e->value[TRACE_GRANT_MAP_FLAGS].u64)
        complain(k, e, "this grant_map is not what was asked for");
    if (e->value[TRACE_GRANT_MAP_STATUS].u64 || !(op->flags & GNTMAP_host_map))
        return;
    if (!mapped_frame(k, op->host_addr, op->flags & GNTMAP_contains_pte, &mfn) ||
        mfn != e->value[TRACE_GRANT_MAP_MFN].u64)
        complain(k, e, "grant_map says frame %#" PRIx64 ", mapped is %#" PRIx64,
                 e->value[TRACE_GRANT_MAP_MFN].u64, mfn);
}

static void check_grant_unmap(struct check *k, const struct trace_event *e)
{
    const struct gnttab_unmap_grant_ref *op = next_grant(k, e, sizeof(*op));

    if (!op)
        return;
    k->grants++;
    if (op->handle != e->value[TRACE_GRANT_UNMAP_HANDLE].u64 ||
        op->host_addr != e->value[TRACE_GRANT_UNMAP_HOST_ADDR].u64)
        complain(k, e, "this grant_unmap is not what was asked for");
}

static void check_grant_copy(struct check *k, const struct trace_event *e)
{
    const struct gnttab_copy *op = next_grant(k, e, sizeof(*op));
    uint64_t size = e->value[TRACE_GRANT_COPY_SIZE].u64;
    struct mmu_ram *ram = sim_machine_ram(k->machine);
    uint8_t from[PAGE_SIZE], to[PAGE_SIZE];

    if (!op)
        return;
    k->grants++;
    if (op->len != size || op->source.offset != e->value[TRACE_GRANT_COPY_SRC_OFFSET].u64 ||
        op->dest.offset != e->value[TRACE_GRANT_COPY_DST_OFFSET].u64)
        complain(k, e, "this grant_copy is not what was asked for");
    if (e->value[TRACE_GRANT_COPY_STATUS].u64 || !k->has_profile)
        return;
    if (size > PAGE_SIZE ||
        !mmu_ram_read(ram, GPA((e->value[TRACE_GRANT_COPY_SRC_MFN].u64 << PAGE_SHIFT) +
                               op->source.offset), from, size) ||
        !mmu_ram_read(ram, GPA((e->value[TRACE_GRANT_COPY_DST_MFN].u64 << PAGE_SHIFT) +
                               op->dest.offset), to, size) ||
        memcmp(from, to, size) != 0)
        complain(k, e, "the frames of this grant_copy differ");
}

static void check_grant_transfer(struct check *k, const struct trace_event *e)
{
    const struct gnttab_transfer *op = next_grant(k, e, sizeof(*op));

    if (!op)
        return;
    k->grants++;
    if (op->mfn != e->value[TRACE_GRANT_TRANSFER_MFN].u64 ||
        op->domid != e->value[TRACE_GRANT_TRANSFER_RECEIVER].u64 ||
        op->ref != e->value[TRACE_GRANT_TRANSFER_REF].u64)
        complain(k, e, "this grant_transfer is not what was asked for");
}

/* ---- the sink ---- */

static void on_event(void *user, const struct trace_event *e)
{
    struct check *k = user;
    const char *why;

    k->kinds[e->kind->id]++;
    if (k->no_checks)
        return;
    switch (e->kind->id) {
    case TRACE_KIND_HYPERCALL:
        check_hypercall(k, e);
        break;
    case TRACE_KIND_PIN:
        check_pin(k, e);
        break;
    case TRACE_KIND_GRANT_MAP:
        check_grant_map(k, e);
        break;
    case TRACE_KIND_GRANT_UNMAP:
        check_grant_unmap(k, e);
        break;
    case TRACE_KIND_GRANT_COPY:
        check_grant_copy(k, e);
        break;
    case TRACE_KIND_GRANT_TRANSFER:
        check_grant_transfer(k, e);
        break;
    default:
        break;
    }
    why = page_model_event(k->model, e);
    if (why)
        complain(k, e, "%s", why);
}

static void report(struct check *k)
{
    struct trace_capture_counts counts;
    uint64_t told = 0;
    char hash[BASE_HASH_TEXT];

    for (unsigned depth = 0; depth < 2; depth++)
        for (unsigned n = 0; n < NUMBERS; n++) {
            told += k->told[depth][n];
            if (depth == 1 && !k->has_profile)
                continue; /* from outside a multicall is one hypercall */
            if (k->entered[depth][n] == k->told[depth][n])
                continue;
            printf("wrong: hypercall %u at depth %u: %" PRIu64 " entered, %" PRIu64 " told\n", n,
                   depth, k->entered[depth][n], k->told[depth][n]);
            k->complaints++;
        }
    trace_capture_get_counts(k->capture, &counts);
    printf("hypercalls %" PRIu64 "\n", told);
    printf("unfinished %" PRIu64 "\n", k->unfinished);
    printf("requests %" PRIu64 "\n", k->requests);
    printf("request_arrays %" PRIu64 "\n", k->blobs);
    printf("entries %" PRIu64 "\n", k->entries_checked);
    printf("pins %" PRIu64 "\n", k->pins);
    printf("grants %" PRIu64 "\n", k->grants);
    printf("page_events %" PRIu64 "\n", page_model_events(k->model));
    printf("frames %u\n", page_model_frames(k->model));
    printf("abandoned %" PRIu64 "\n", counts.abandoned);
    printf("cut %" PRIu64 "\n", counts.cut);
    printf("unreadable %" PRIu64 "\n", counts.unreadable);
    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++)
        if (k->kinds[i])
            printf("kind_%s %" PRIu64 "\n", trace_schema_builtin()->kind[i]->name, k->kinds[i]);
    printf("insns %" PRIu64 "\n", sim_machine_insns(k->machine));
    sim_machine_state_hash(k->machine, hash);
    printf("state_hash %s\n", hash);
    printf("wrong %u\n", k->complaints);
}

/* ---- set-up ---- */

struct options {
    const char *machine, *script, *profile, *symbols, *kinds;
    GPtrArray *sets;
    uint64_t until;
    bool no_checks, ends_only;
};

static void console_out(void *user, uint8_t byte)
{
    struct check *k = user;

    if (k->script)
        console_script_output(k->script, byte);
}

static size_t poll_script(void *user, enum base_input_channel channel, uint64_t virtual_ns,
                          uint8_t *buf, size_t size_bytes)
{
    struct check *k = user;

    if (channel != BASE_INPUT_CONSOLE || !k->script)
        return 0;
    if (console_script_timed_out(k->script))
        sim_machine_request_stop(k->machine);
    return console_script_poll(k->script, virtual_ns, buf, size_bytes);
}

static void die(const char *what, GError *error)
{
    fprintf(stderr, "check_events: %s%s%s\n", what, error ? ": " : "", error ? error->message : "");
    exit(2);
}

static void parse(struct options *o, int argc, char **argv)
{
    const char **text = NULL;

    o->sets = g_ptr_array_new();
    o->until = UINT64_MAX;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
            g_ptr_array_add(o->sets, argv[++i]);
            continue;
        }
        text = strcmp(argv[i], "--console-script") == 0 ? &o->script
               : strcmp(argv[i], "--profile") == 0      ? &o->profile
               : strcmp(argv[i], "--symbols") == 0      ? &o->symbols
               : strcmp(argv[i], "--kinds") == 0        ? &o->kinds
                                                        : NULL;
        if (text && i + 1 < argc)
            *text = argv[++i];
        else if (strcmp(argv[i], "--until") == 0 && i + 1 < argc)
            o->until = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--no-checks") == 0)
            o->no_checks = true;
        else if (strcmp(argv[i], "--ends-only") == 0)
            o->ends_only = true;
        else if (!o->machine && argv[i][0] != '-')
            o->machine = argv[i];
        else
            die("usage: check_events MACHINE [--set G.K=V] [--console-script FILE] "
                "[--profile FILE] [--symbols FILE] [--kinds LIST] [--until INSNS]", NULL);
    }
    if (!o->machine)
        die("no machine file", NULL);
    g_ptr_array_add(o->sets, NULL);
}

static void want_kinds(struct trace_capture_config *config, const char *list)
{
    g_auto(GStrv) names = g_strsplit(list ? list : "", ",", -1);

    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++) {
        const struct trace_kind *kind = trace_schema_builtin()->kind[i];

        config->want[i] = kind && (!list || g_strv_contains((const char *const *)names, kind->name));
    }
}

static void attach(struct check *k, const struct trace_profile *profile, const struct options *o,
                   struct base_probe *probe)
{
    const struct base_guest *guest = cpu_guest(sim_machine_cpu(k->machine));
    struct trace_capture_config config = {
        .guest = guest, .profile = profile, .sink = {.user = k, .event = on_event}};
    uint64_t address;

    want_kinds(&config, o->kinds);
    for (unsigned i = 0; k->symbols && !k->no_checks && i < ARRAY_LEN(points); i++)
        if (symbols_address(k->symbols, points[i].symbol, &address))
            guest->add(guest->user, address, points[i].fn, k);
    k->capture = trace_capture_new(&config);
    trace_capture_probe(k->capture, probe);
    sim_machine_attach_probe(k->machine, probe);
}

int main(int argc, char **argv)
{
    struct check *k = g_new0(struct check, 1);
    struct base_input input = {.user = k, .poll = poll_script};
    struct sim_attachments attachments = {
        .input = &input, .console = console_out, .console_user = k};
    struct sim_limits limits = {UINT64_MAX, UINT64_MAX};
    struct trace_profile *profile = NULL;
    struct options o = {0};
    struct sim_config *config;
    struct base_probe probe;
    GError *error = NULL;
    char *note = NULL;
    int status;

    parse(&o, argc, argv);
    limits.insns = o.until;
    config = sim_config_load(o.machine, (const char *const *)o.sets->pdata, &error);
    if (!config || (o.script && !(k->script = console_script_load(o.script, &error))) ||
        !profiles_find(config->kernel, o.profile, o.symbols, &profile, &note, &error))
        die("cannot begin", error);
    if (o.symbols && !(k->symbols = symbols_load(o.symbols, &error)))
        die("no symbols", error);
    k->machine = sim_machine_new(config, &attachments, &error);
    if (!k->machine)
        die("no machine", error);
    k->model = page_model_new(o.ends_only);
    k->no_checks = o.no_checks;
    k->has_profile = profile != NULL;
    attach(k, profile, &o, &probe);
    printf("profile %s\n", note);
    printf("stop %s\n", sim_stop_name(sim_machine_run(k->machine, &limits)));
    trace_capture_finish(k->capture, sim_machine_insns(k->machine),
                         sim_machine_virtual_ns(k->machine));
    report(k);
    status = k->complaints != 0;
    trace_capture_free(k->capture);
    page_model_free(k->model);
    sim_machine_free(k->machine);
    trace_profile_free(profile);
    symbols_free(k->symbols);
    console_script_free(k->script);
    sim_config_free(config);
    g_ptr_array_free(o.sets, TRUE);
    g_free(note);
    g_free(k);
    return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the hash chains to one instruction:
 *
 *   low   the states after so many instructions are equal
 *   high  they are different; high > low
 *
 * In each round both runs stop at some places between them, rising, until the first one that is
 * different.  With one CPU a round has several places, as going back costs a replay from the
 * checkpoint before and going on costs nothing.  With more, looking at a state is only allowed
 * where the run is left behind (tools/digest.h), so each place is reached from a checkpoint.
 */
#include "tools/bisect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/digest.h"
#include "tools/replayer.h"
#include "traces/log.h"

#define PLACES         16 /* in a round */
#define INSTRUCTIONS   4  /* shown from the one on */
#define FRAMES_SHOWN   4
#define LINES_SHOWN    4 /* of 16 bytes, for each frame */

#define BISECT_FAILED g_quark_from_static_string("bisect")

struct bisect {
    struct trace_reader *reader[2];
    struct replayer *replayer[2];
    struct trace_link link[2]; /* the states where both stand */
    bool one_way;              /* several CPUs */
    uint64_t low, high;
    unsigned rounds;
};

/* --- hash chains --------------------------------------------------------------------------- */

static GArray *read_chain(struct trace_reader *r, GError **error)
{
    GArray *links = g_array_new(FALSE, FALSE, sizeof(struct trace_link));

    for (unsigned i = 0; i < trace_reader_logs(r); i++) {
        struct trace_log *log = trace_reader_log(r, i, error);

        if (!log) {
            g_array_unref(links);
            return NULL;
        }
        g_array_append_vals(links, log->points->data, log->points->len);
        trace_log_free(log);
    }
    return links;
}

static bool same_state(const struct trace_link *a, const struct trace_link *b)
{
    return a->at.virtual_ns == b->at.virtual_ns && a->digest.memory == b->digest.memory &&
           a->digest.memory_by_frame == b->digest.memory_by_frame &&
           a->digest.devices == b->digest.devices && a->digest.cpus == b->digest.cpus;
}

/* Sets low and, if the chains differ somewhere, high. */
static void narrow_by_chains(struct bisect *b, const GArray *x, const GArray *y)
{
    for (unsigned i = 0, j = 0; i < x->len && j < y->len;) {
        const struct trace_link *p = &g_array_index(x, struct trace_link, i);
        const struct trace_link *q = &g_array_index(y, struct trace_link, j);

        if (p->at.insns == q->at.insns) {
            if (!same_state(p, q)) {
                b->high = p->at.insns;
                return;
            }
            b->low = p->at.insns;
        }
        i += p->at.insns <= q->at.insns;
        j += q->at.insns <= p->at.insns;
    }
}

static gboolean read_chains(struct bisect *b, GError **error)
{
    GArray *x = read_chain(b->reader[0], error), *y = x ? read_chain(b->reader[1], error) : NULL;

    b->low = 0;
    b->high = MIN(trace_reader_info(b->reader[0])->insns, trace_reader_info(b->reader[1])->insns);
    if (y)
        narrow_by_chains(b, x, y);
    g_clear_pointer(&x, g_array_unref);
    if (!y)
        return FALSE;
    g_array_unref(y);
    return TRUE;
}

/* --- replaying ----------------------------------------------------------------------------- */

static gboolean run_to(struct bisect *b, unsigned side, uint64_t insns, GError **error)
{
    struct replayer *r = b->replayer[side];
    enum replayer_status status;

    if (b->one_way) {
        if (!replayer_seek(r, insns, error))
            return FALSE;
        status = replayer_run(r, insns, error);
    } else {
        status = replayer_run_to(r, insns, error);
    }
    if (status == REPLAYER_LIMIT || status == REPLAYER_END)
        return TRUE;
    if (error && !*error)
        g_set_error(error, BISECT_FAILED, 0,
                    "%s: the replay stops before %" PRIu64 " instructions",
                    side ? "the second trace" : "the first trace", insns);
    return FALSE;
}

/* Both stand at @insns afterwards.  Returns: -1 with @error; else whether the states are equal. */
static int equal_at(struct bisect *b, uint64_t insns, GError **error)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\rbisecting: %" PRIu64 " instructions left, round %u\033[K",
                b->high - b->low, b->rounds);
    for (unsigned side = 0; side < 2; side++) {
        if (!run_to(b, side, insns, error))
            return -1;
        replayer_point(b->replayer[side], &b->link[side]);
    }
    return same_state(&b->link[0], &b->link[1]);
}

/* One round.  Returns: false with @error. */
static bool narrow(struct bisect *b, GError **error)
{
    uint64_t low = b->low, high = b->high, places = MIN(b->one_way ? 1 : PLACES, high - low - 1);

    b->rounds++;
    for (uint64_t k = 1; k <= places; k++) {
        uint64_t at = low + (uint64_t)((unsigned __int128)(high - low) * k / (places + 1));
        int equal = equal_at(b, at, error);

        if (equal < 0)
            return false;
        if (!equal) {
            b->high = at;
            return true;
        }
        b->low = at;
    }
    return true;
}

static bool open_replayers(struct bisect *b, GError **error)
{
    const struct replayer_options options = {.unchecked = true, .no_events = true};

    for (unsigned side = 0; side < 2; side++) {
        b->replayer[side] = replayer_new(b->reader[side], &options, error);
        if (!b->replayer[side])
            return false;
        b->one_way |= sim_machine_cpus(replayer_machine(b->replayer[side])) > 1;
    }
    return true;
}

/* --- what is different --------------------------------------------------------------------- */

/*
 * Where each vCPU of a side stands.  Which one goes on is not known there, only when the next
 * instruction has been executed: between turns the machine still has the last one.
 */
struct stand {
    unsigned vcpus;
    uint64_t insns[CPU_MAX_VCPUS];
    GString *text[CPU_MAX_VCPUS];
};

static GString *disassemble(struct cpu *cpu, unsigned vcpu)
{
    GString *out = g_string_new(NULL);
    struct cpu_regs regs;
    uint64_t at;

    cpu_get_regs(cpu, vcpu, &regs);
    at = regs.rip + (regs.efer & 0x400 ? 0 : regs.seg[CPU_CS].base);
    for (unsigned i = 0; i < INSTRUCTIONS; i++) {
        char text[160];
        unsigned length = cpu_disassemble(cpu, vcpu, GVA(at), text, sizeof(text));

        g_string_append_printf(out, "  %016" PRIx64 "  %s\n", at, length ? text : "(not mapped)");
        if (!length)
            break;
        at += length;
    }
    return out;
}

static void stand_note(struct bisect *b, unsigned side, struct stand *s)
{
    struct sim_machine *m = replayer_machine(b->replayer[side]);
    struct cpu *cpu = sim_machine_cpu(m);

    s->vcpus = sim_machine_cpus(m);
    for (unsigned v = 0; v < s->vcpus; v++) {
        struct cpu_counters counters;

        cpu_get_counters(cpu, v, &counters);
        s->insns[v] = counters.insns;
        s->text[v] = disassemble(cpu, v);
    }
}

static void stand_clear(struct stand *s)
{
    for (unsigned v = 0; v < s->vcpus; v++)
        g_string_free(s->text[v], TRUE);
    s->vcpus = 0;
}

/* The vCPU that has executed something since @s; 0 if none has. */
static unsigned stand_left(struct bisect *b, unsigned side, const struct stand *s)
{
    struct cpu *cpu = sim_machine_cpu(replayer_machine(b->replayer[side]));
    struct cpu_counters counters;

    for (unsigned v = 0; v < s->vcpus; v++) {
        cpu_get_counters(cpu, v, &counters);
        if (counters.insns != s->insns[v])
            return v;
    }
    return 0;
}

static void put_instructions(struct bisect *b, const struct stand stand[2], GString *out)
{
    static const char *const whose[] = {"", " of A", " of B"};
    unsigned vcpu[2];
    bool same;

    for (unsigned side = 0; side < 2; side++)
        vcpu[side] = stand_left(b, side, &stand[side]);
    same = vcpu[0] == vcpu[1] &&
           g_string_equal(stand[0].text[vcpu[0]], stand[1].text[vcpu[1]]);
    for (unsigned side = 0; side < (same ? 1 : 2); side++)
        g_string_append_printf(out, "before it, vCPU %u%s stands at\n%s", vcpu[side],
                               whose[same ? 0 : side + 1], stand[side].text[vcpu[side]]->str);
}

static void put_registers(struct bisect *b, GString *out)
{
    const struct trace_link *x = &b->link[0], *y = &b->link[1];
    bool any = false;

    if (x->at.virtual_ns != y->at.virtual_ns)
        g_string_append_printf(out, "virtual time    A %" PRIu64 " ns  B %" PRIu64 " ns\n",
                               x->at.virtual_ns, y->at.virtual_ns);
    for (unsigned v = 0; v < MIN(x->vcpus, y->vcpus); v++) {
        for (unsigned i = 0; i < TRACE_LINK_REGS; i++) {
            if (x->reg[v][i] == y->reg[v][i])
                continue;
            g_string_append_printf(out, "vcpu %u %-8s A %016" PRIx64 "  B %016" PRIx64 "\n", v,
                                   trace_link_reg_names[i], x->reg[v][i], y->reg[v][i]);
            any = true;
        }
    }
    if (!any && x->digest.cpus != y->digest.cpus)
        g_string_append(out, "a register that is not among the main ones\n");
    if (x->digest.devices != y->digest.devices)
        g_string_append(out, "the state of a device or of the timeline\n");
}

static void put_line(GString *out, uint64_t gpa, char side, const uint8_t *bytes)
{
    g_string_append_printf(out, "  %c %010" PRIx64 " ", side, gpa);
    for (unsigned i = 0; i < 16; i++)
        g_string_append_printf(out, " %02x", bytes[i]);
    g_string_append_c(out, '\n');
}

static void put_frame(GString *out, uint64_t mfn, const uint8_t *x, const uint8_t *y)
{
    unsigned lines = 0, more = 0;

    g_string_append_printf(out, "memory, frame 0x%" PRIx64 "\n", mfn);
    for (unsigned at = 0; at < 4096; at += 16) {
        if (memcmp(x + at, y + at, 16) == 0)
            continue;
        if (lines++ >= LINES_SHOWN) {
            more++;
            continue;
        }
        put_line(out, mfn << 12 | at, 'A', x + at);
        put_line(out, mfn << 12 | at, 'B', y + at);
    }
    if (more)
        g_string_append_printf(out, "  ... %u more lines of 16 bytes\n", more);
}

static void put_memory(struct bisect *b, GString *out)
{
    const struct mmu_ram *x = sim_machine_ram(replayer_machine(b->replayer[0]));
    const struct mmu_ram *y = sim_machine_ram(replayer_machine(b->replayer[1]));
    uint64_t frames = 0;

    if (x->size_bytes != y->size_bytes)
        g_string_append(out, "the amount of memory\n");
    for (uint64_t mfn = 0; mfn < MIN(x->top, y->top) >> 12; mfn++) {
        const uint8_t *p = x->host + (mfn << 12), *q = y->host + (mfn << 12);

        if (!((x->frame[mfn] | y->frame[mfn]) & MMU_FRAME_TOUCHED) ||
            !mmu_ram_has(x, mfn << 12, 4096) || !mmu_ram_has(y, mfn << 12, 4096) ||
            memcmp(p, q, 4096) == 0)
            continue;
        if (frames++ < FRAMES_SHOWN)
            put_frame(out, mfn, p, q);
    }
    if (frames > FRAMES_SHOWN)
        g_string_append_printf(out, "... %" PRIu64 " more frames\n", frames - FRAMES_SHOWN);
}

/* Stands before the instruction, then behind it. */
static bool explain(struct bisect *b, GString *out, GError **error)
{
    struct stand stand[2] = {0};
    uint64_t insn = b->high;
    bool there;

    if (insn == 0) {
        g_string_append(out, "different before the first instruction\n");
        there = equal_at(b, insn, error) >= 0;
    } else {
        g_string_append_printf(out, "different after instruction %" PRIu64
                                    ", equal before it (%u rounds)\n",
                               insn, b->rounds);
        there = equal_at(b, insn - 1, error) >= 0;
        for (unsigned side = 0; there && side < 2; side++)
            stand_note(b, side, &stand[side]);
        there = there && equal_at(b, insn, error) >= 0;
        if (there)
            put_instructions(b, stand, out);
        for (unsigned side = 0; side < 2; side++)
            stand_clear(&stand[side]);
    }
    if (there) {
        put_registers(b, out);
        put_memory(b, out);
    }
    return there;
}

/* --- all of it ----------------------------------------------------------------------------- */

/* The ends of the stretch must be what the hash chains say. */
static enum bisect_result check_ends(struct bisect *b, GError **error)
{
    int equal = equal_at(b, b->low, error);

    if (equal < 0)
        return BISECT_ERROR;
    if (!equal && b->low) {
        g_set_error(error, BISECT_FAILED, 0,
                    "after %" PRIu64 " instructions the replays differ, but the hash chains do "
                    "not: check each file with paravane replay",
                    b->low);
        return BISECT_ERROR;
    }
    if (!equal) {
        b->high = 0;
        return BISECT_DIFFERENT;
    }
    if (b->high > b->low) {
        equal = equal_at(b, b->high, error);
        if (equal < 0)
            return BISECT_ERROR;
    }
    return equal ? BISECT_EQUAL : BISECT_DIFFERENT;
}

static void put_equal(const struct bisect *b, GString *out)
{
    uint64_t x = trace_reader_info(b->reader[0])->insns;
    uint64_t y = trace_reader_info(b->reader[1])->insns;

    g_string_append_printf(out, "equal: states after %" PRIu64 " instructions", b->high);
    if (x != y)
        g_string_append_printf(out, ", where %s ends; %s has %" PRIu64 " more", x < y ? "A" : "B",
                               x < y ? "B" : "A", x < y ? y - x : x - y);
    g_string_append_c(out, '\n');
}

static enum bisect_result search(struct bisect *b, GString *out, GError **error)
{
    enum bisect_result result;

    if (!read_chains(b, error) || !open_replayers(b, error))
        return BISECT_ERROR;
    result = check_ends(b, error);
    if (result == BISECT_EQUAL)
        put_equal(b, out);
    if (result != BISECT_DIFFERENT)
        return result;
    while (b->high > b->low + 1)
        if (!narrow(b, error))
            return BISECT_ERROR;
    return explain(b, out, error) ? BISECT_DIFFERENT : BISECT_ERROR;
}

enum bisect_result bisect_run(struct trace_reader *a, struct trace_reader *b, GString *out,
                              GError **error)
{
    struct bisect bisect = {.reader = {a, b}};
    GError *wrong = NULL;
    enum bisect_result result = search(&bisect, out, &wrong);

    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    for (unsigned side = 0; side < 2; side++)
        if (bisect.replayer[side])
            replayer_free(bisect.replayer[side]);
    if (wrong)
        g_propagate_error(error, wrong);
    return result;
}

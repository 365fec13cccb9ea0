/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/digest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct digest {
    struct sim_machine *machine;
    uint64_t frames;
    uint64_t *hash; /* of each frame at the last point; 0 for zero pages, as at the beginning */
    uint64_t memory, memory_by_frame;
    GArray *dirty;    /* uint64_t, scratch */
    uint8_t *changed; /* a bit for each frame */
};

struct digest *digest_new(struct sim_machine *machine)
{
    struct digest *d = g_new0(struct digest, 1);

    d->machine = machine;
    d->frames = sim_machine_ram(machine)->top >> PAGE_SHIFT;
    d->hash = calloc(d->frames, sizeof(*d->hash)); /* untouched pages of it cost nothing */
    d->changed = calloc(d->frames / 8 + 1, 1);
    d->dirty = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_assert(d->hash && d->changed);
    return d;
}

void digest_free(struct digest *d)
{
    if (!d)
        return;
    free(d->hash);
    free(d->changed);
    g_array_unref(d->dirty);
    g_free(d);
}

static void update_frame(struct digest *d, struct mmu_ram *ram, uint64_t mfn)
{
    uint64_t hash = base_hash_page(ram->host + (mfn << PAGE_SHIFT));

    if (ram->frame[mfn] & MMU_FRAME_WRITTEN)
        mmu_ram_mark(ram, mfn); /* it may be written unseen from now on */
    if (hash == d->hash[mfn])
        return;
    d->memory += hash - d->hash[mfn];
    d->memory_by_frame += (hash - d->hash[mfn]) * mfn;
    d->hash[mfn] = hash;
    d->changed[mfn / 8] |= (uint8_t)(1u << (mfn % 8));
}

static void update_memory(struct digest *d)
{
    struct mmu_ram *ram = sim_machine_ram(d->machine);

    mmu_ram_take_dirty(ram, d->dirty);
    for (guint i = 0; i < d->dirty->len; i++)
        update_frame(d, ram, g_array_index(d->dirty, uint64_t, i));
}

static uint64_t hash_parts(struct digest *d, unsigned parts)
{
    struct base_hash hash;
    struct base_state st;

    base_hash_init(&hash);
    base_state_init_hash(&st, &hash);
    sim_machine_visit(d->machine, &st, parts);
    return base_hash_final64(&hash);
}

static void registers(struct digest *d, unsigned vcpu, uint64_t out[TRACE_LINK_REGS])
{
    struct cpu *cpu = sim_machine_cpu(d->machine);
    struct cpu_regs r;

    cpu_get_regs(cpu, vcpu, &r);
    memcpy(out, r.gpr, sizeof(r.gpr));
    out[16] = r.rip;
    out[17] = r.rflags;
    out[18] = r.cr0;
    out[19] = r.cr2;
    out[20] = r.cr3;
    out[21] = r.cr4;
    out[22] = r.efer;
    out[23] = r.seg[CPU_CS].selector;
    out[24] = r.seg[CPU_SS].selector;
    out[25] = r.seg[CPU_FS].base;
    out[26] = r.seg[CPU_GS].base;
    out[27] = cpu_cycles(cpu, vcpu);
}

void digest_position(const struct sim_machine *machine, struct trace_position *out)
{
    struct sim_position at;

    sim_machine_position(machine, &at);
    *out = (struct trace_position){.insns = at.insns,
                                   .virtual_ns = sim_machine_virtual_ns(machine),
                                   .slice_ns = at.slice_ns,
                                   .turn = at.turn};
}

void digest_point(struct digest *d, struct trace_link *out)
{
    memset(out, 0, sizeof(*out));
    digest_position(d->machine, &out->at);
    update_memory(d);
    out->digest = (struct trace_digest){.memory = d->memory,
                                        .memory_by_frame = d->memory_by_frame,
                                        .devices = hash_parts(d, SIM_PART_DEVICES),
                                        .cpus = hash_parts(d, SIM_PART_CPUS)};
    out->vcpus = sim_machine_cpus(d->machine);
    for (unsigned v = 0; v < out->vcpus; v++)
        registers(d, v, out->reg[v]);
}

GArray *digest_take_changed(struct digest *d)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    for (uint64_t mfn = 0; mfn < d->frames; mfn++) {
        if (mfn % 8 == 0 && !d->changed[mfn / 8]) {
            mfn += 7;
            continue;
        }
        if (d->changed[mfn / 8] >> (mfn % 8) & 1)
            g_array_append_val(list, mfn);
    }
    memset(d->changed, 0, d->frames / 8 + 1);
    return list;
}

bool digest_is_zero(const struct digest *d, uint64_t mfn)
{
    return d->hash[mfn] == 0;
}

/* --- explaining ---------------------------------------------------------------------------- */

static bool explain_registers(const struct trace_link *a, const struct trace_link *b, GString *out)
{
    bool differs = false;

    for (unsigned v = 0; v < MIN(a->vcpus, b->vcpus); v++) {
        for (unsigned r = 0; r < TRACE_LINK_REGS; r++) {
            if (a->reg[v][r] == b->reg[v][r])
                continue;
            g_string_append_printf(
                out, "register %s of vcpu %u: 0x%" PRIx64 ", recorded 0x%" PRIx64 "\n",
                trace_link_reg_names[r], v, b->reg[v][r], a->reg[v][r]);
            differs = true;
        }
    }
    return differs;
}

/* If one frame differs, the two sums of differences have its number for a quotient. */
static void explain_memory(const struct trace_digest *a, const struct trace_digest *b,
                           uint64_t frames, GString *out)
{
    uint64_t d = b->memory - a->memory, by_frame = b->memory_by_frame - a->memory_by_frame;

    for (uint64_t mfn = 0; d && mfn < frames; mfn++) {
        if (d * mfn == by_frame) {
            g_string_append_printf(out, "memory: frame 0x%" PRIx64 "\n", mfn);
            return;
        }
    }
    g_string_append(out, "memory: several frames\n");
}

bool digest_explain(const struct trace_link *recorded, const struct trace_link *now,
                    uint64_t frames, GString *out)
{
    const struct trace_digest *a = &recorded->digest, *b = &now->digest;
    gsize before = out->len;

    if (recorded->at.virtual_ns != now->at.virtual_ns)
        g_string_append_printf(out, "virtual time: %" PRIu64 " ns, recorded %" PRIu64 " ns\n",
                               now->at.virtual_ns, recorded->at.virtual_ns);
    if (!explain_registers(recorded, now, out) && a->cpus != b->cpus)
        g_string_append(out, "a register of a CPU that the recording does not tell apart\n");
    if (a->devices != b->devices)
        g_string_append(out, "the state of a device or of the timeline\n");
    if (a->memory != b->memory || a->memory_by_frame != b->memory_by_frame)
        explain_memory(a, b, frames, out);
    return out->len > before;
}

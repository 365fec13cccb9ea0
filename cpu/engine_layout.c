/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing here trusts a constant: fields are found by writing values that occur nowhere else
 * through the public interface and looking for them in a saved context.
 */
#include "cpu/engine_layout.h"

#include <fcntl.h>
#include <string.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#define DATA_BYTES 5568
/* Of the flag that suppresses the stop check after loads and stores, in the library's own
 * structure; tried out below before it is used. */
#define NO_EXIT_OFFSET 0x7f2
/* Of the flag that keeps RIP as it is when RDTSC calls its hook. */
#define SKIP_SYNC_OFFSET 0x3a32

#define MSR_SYSENTER_CS 0x174
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_FMASK 0xc0000084
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

static void write_msr(uc_engine *uc, uint32_t msr, uint64_t value)
{
    uc_x86_msr x = {.rid = msr, .value = value};

    uc_reg_write(uc, UC_X86_REG_MSR, &x);
}

static void write_reg(uc_engine *uc, int id, uint64_t value)
{
    uc_reg_write(uc, id, &value);
}

/* Offset of the only aligned occurrence of @value in @data; 0 if none or several. */
static unsigned find(const uint8_t *data, uint64_t value, unsigned width)
{
    unsigned at = 0, n = 0;

    for (unsigned i = 0; i + width <= DATA_BYTES; i += width) {
        if (memcmp(data + i, &value, width) == 0) {
            at = i;
            n++;
        }
    }
    return n == 1 ? at : 0;
}

struct field {
    uint32_t msr;
    uint64_t value;
    unsigned width;
    size_t offset; /* in struct env_offsets */
};

static const struct field fields[] = {
    {MSR_STAR, 0x1111222233330001ull, 8, offsetof(struct env_offsets, star)},
    {MSR_LSTAR, 0x0000222233330002ull, 8, offsetof(struct env_offsets, lstar)},
    {MSR_CSTAR, 0x0000222233330003ull, 8, offsetof(struct env_offsets, cstar)},
    {MSR_FMASK, 0x0000000033330004ull, 8, offsetof(struct env_offsets, fmask)},
    {MSR_KERNEL_GS_BASE, 0x0000222233330005ull, 8, offsetof(struct env_offsets, kernel_gs_base)},
    {MSR_TSC_AUX, 0x0000000077665544ull, 4, offsetof(struct env_offsets, tsc_aux)},
    {MSR_SYSENTER_CS, 0x0000000000005a5bull, 4, offsetof(struct env_offsets, sysenter_cs)},
    {MSR_SYSENTER_CS + 1, 0x0000222233330006ull, 8, offsetof(struct env_offsets, sysenter_esp)},
    {MSR_SYSENTER_CS + 2, 0x0000222233330007ull, 8, offsetof(struct env_offsets, sysenter_eip)},
};

static bool fail(GError **error, const char *what)
{
    g_set_error(error, CPU_ERROR, CPU_ERROR_LIBRARY,
                "libunicorn's CPU state is not laid out as expected (%s): this version of the "
                "library is not supported", what);
    return false;
}

static bool find_header(struct engine *e)
{
    size_t size = uc_context_size(e->uc);
    const uint8_t *bytes = (const uint8_t *)e->scratch;
    uint64_t marks[2] = {0x1122334455667788ull, 0x99aabbccddeeff00ull}; /* RAX, RCX */

    for (size_t i = 0; i + DATA_BYTES <= size; i += 8) {
        if (memcmp(bytes + i, marks, sizeof(marks)) == 0) {
            e->layout.header_bytes = i;
            return true;
        }
    }
    return false;
}

static bool check_fixed_part(const struct cpu_env *env)
{
    return env->regs[15] == 0x5566778811223344ull && env->eip == 0x55667788 &&
           env->cr[3] == 0x12345000 && env->segs[CPU_FS].base == 0x31415926535ull &&
           env->segs[CPU_GS].base == 0x27182818284ull && (env->hflags & HF_CS64) &&
           (env->hflags & HF_LMA) && (env->df == 1 || env->df == -1);
}

static bool find_fields(struct engine *e, GError **error)
{
    const uint8_t *data = (const uint8_t *)e->scratch + e->layout.header_bytes;
    struct env_offsets *off = &e->layout.off;

    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        unsigned at = find(data, fields[i].value, fields[i].width);

        if (!at)
            return fail(error, "MSR");
        memcpy((uint8_t *)off + fields[i].offset, &at, sizeof(at));
    }
    off->dr = find(data, 0x1234567812340000ull, 8);
    if (!off->dr)
        return fail(error, "debug registers");
    off->error_code = off->dr - 16;
    off->exception_is_int = off->dr - 12;
    off->old_exception = off->dr + 96;
    if (ENV32(data, off->old_exception) != UINT32_MAX)
        return fail(error, "exception in flight");
    return true;
}

/* EFER: the one word that changes by exactly SCE when SCE is toggled. */
static bool find_efer(struct engine *e, GError **error)
{
    const uint8_t *data = (const uint8_t *)e->scratch + e->layout.header_bytes;
    uint8_t before[DATA_BYTES];
    unsigned n = 0;

    write_msr(e->uc, MSR_EFER, EFER_LME | EFER_LMA);
    uc_context_save(e->uc, e->scratch);
    memcpy(before, data, sizeof(before));
    write_msr(e->uc, MSR_EFER, EFER_LME | EFER_LMA | EFER_SCE);
    uc_context_save(e->uc, e->scratch);
    for (unsigned i = 0; i + 8 <= DATA_BYTES; i += 8) {
        if ((ENV64(before, i) ^ ENV64(data, i)) == EFER_SCE) {
            e->layout.off.efer = i;
            n++;
        }
    }
    write_msr(e->uc, MSR_EFER, EFER_LME | EFER_LMA);
    return n == 1 || fail(error, "EFER");
}

bool engine_layout_find(struct engine *e, GError **error)
{
    uc_engine *uc = e->uc;
    bool ok;

    write_reg(uc, UC_X86_REG_RAX, 0x1122334455667788ull);
    write_reg(uc, UC_X86_REG_RCX, 0x99aabbccddeeff00ull);
    write_reg(uc, UC_X86_REG_R15, 0x5566778811223344ull);
    write_reg(uc, UC_X86_REG_RIP, 0x55667788);
    write_reg(uc, UC_X86_REG_CR3, 0x12345000);
    write_reg(uc, UC_X86_REG_FS_BASE, 0x31415926535ull);
    write_reg(uc, UC_X86_REG_GS_BASE, 0x27182818284ull);
    write_reg(uc, UC_X86_REG_DR0, 0x1234567812340000ull);
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        write_msr(uc, fields[i].msr, fields[i].value);
    uc_context_save(uc, e->scratch);
    if (uc_context_size(uc) < DATA_BYTES || !find_header(e))
        return fail(error, "registers");
    if (!check_fixed_part((const struct cpu_env *)(const void *)((const uint8_t *)e->scratch +
                                                                 e->layout.header_bytes)))
        return fail(error, "segments and control registers");
    ok = find_fields(e, error) && find_efer(e, error);
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
        write_msr(uc, fields[i].msr, 0);
    write_reg(uc, UC_X86_REG_DR0, 0);
    return ok;
}

/* Our own memory; not kept open, for a child would look into its parent. */
static int open_memory(void)
{
    return open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
}

/* Copy our own memory without trusting the address. */
static bool peek_in(int memory, uint64_t at, void *out, size_t size)
{
    return memory >= 0 && pread(memory, out, size, (off_t)at) == (ssize_t)size;
}

static bool peek(uint64_t at, void *out, size_t size)
{
    int memory = open_memory();
    bool ok = peek_in(memory, at, out, size);

    if (memory >= 0)
        close(memory);
    return ok;
}

/* A pointer into the object at @object whose target equals the saved context. */
static bool find_state_in(struct engine *e, uint64_t object)
{
    enum { OBJECT_BYTES = 24576, NEAR_BYTES = 65536 };
    static uint64_t words[OBJECT_BYTES / 8];
    const uint8_t *want = (const uint8_t *)e->scratch + e->layout.header_bytes;
    uint8_t seen[sizeof(struct cpu_env)];
    size_t size = OBJECT_BYTES;
    int memory = open_memory(); /* there are thousands of pointers */

    while (size && !peek_in(memory, object, words, size))
        size /= 2;
    for (size_t i = 0; i < size / 8 && !e->raw_env; i++)
        if (words[i] >= object && words[i] <= object + NEAR_BYTES && !(words[i] & 7) &&
            peek_in(memory, words[i], seen, sizeof(seen)) && memcmp(seen, want, sizeof(seen)) == 0)
            e->raw_env = (struct cpu_env *)(uintptr_t)words[i];
    if (memory >= 0)
        close(memory);
    return e->raw_env != NULL;
}

/* Whether writes through the pointer are seen by the public interface, and the other way. */
static bool raw_view_works(struct engine *e)
{
    uint64_t v = 0;

    e->raw_env->regs[3] = 0x6a09e667f3bcc908ull;
    uc_reg_read(e->uc, UC_X86_REG_RBX, &v);
    if (v != 0x6a09e667f3bcc908ull)
        return false;
    write_reg(e->uc, UC_X86_REG_R9, 0xbb67ae8584caa73bull);
    return e->raw_env->regs[9] == 0xbb67ae8584caa73bull;
}

bool engine_layout_find_raw(struct engine *e)
{
    enum { WORDS = 512 };
    uint64_t words[WORDS];
    size_t n = WORDS;

    uc_context_save(e->uc, e->scratch);
    while (n && !peek((uint64_t)(uintptr_t)e->uc, words, n * 8))
        n /= 2;
    for (size_t i = 0; i < n; i++) {
        if (words[i] < 0x10000 || (words[i] & 7) || words[i] >> 47)
            continue;
        if (find_state_in(e, words[i]))
            return raw_view_works(e);
    }
    return false;
}

/* ---- the exact address of a refused fill (the hook is given the page only) ---- */

static bool refuse_data(uc_engine *uc, uint64_t va, uc_mem_type type, uc_tlb_entry *out,
                        void *user)
{
    (void)uc;
    (void)user;
    out->paddr = va & ~PAGE_MASK;
    out->perms = UC_PROT_READ | UC_PROT_EXEC;
    return type == UC_MEM_FETCH;
}

void engine_layout_find_fault_address(struct engine *e)
{
    static const uint8_t code[] = {0x8b, 0x07, 0xeb, 0xfe}; /* mov (%rdi),%eax; jmp . */
    const uint64_t address = 0x31415926a5a4ull;
    uint64_t words[512];
    uc_engine *uc;
    uc_hook h;
    unsigned n = 0;

    if (uc_open(UC_ARCH_X86, UC_MODE_64, &uc) != UC_ERR_OK)
        return;
    if (uc_ctl_set_tcg_buffer_size(uc, 8u << 20) == UC_ERR_OK &&
        uc_ctl_tlb_mode(uc, UC_TLB_VIRTUAL) == UC_ERR_OK &&
        uc_mem_map(uc, 0x1000, 0x1000, UC_PROT_ALL) == UC_ERR_OK &&
        uc_mem_write(uc, 0x1000, code, sizeof(code)) == UC_ERR_OK &&
        uc_hook_add(uc, &h, UC_HOOK_TLB_FILL, refuse_data, NULL, 1, 0) == UC_ERR_OK) {
        write_reg(uc, UC_X86_REG_RDI, address);
        if (uc_emu_start(uc, 0x1000, 0x1fff, 0, 0) != UC_ERR_OK &&
            peek((uint64_t)(uintptr_t)uc, words, sizeof(words))) {
            for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
                if (words[i] == address) {
                    e->fault_address = i * 8;
                    n++;
                }
            }
        }
    }
    if (n != 1)
        e->fault_address = 0;
    uc_close(uc);
}

/* ---- how many uc_emu_start() are under way ---- */

enum { NEST_WORDS = 4096 };
struct nest_test {
    unsigned depth;
    uint32_t words[3][NEST_WORDS]; /* outside, in a hook, in a hook of a start in that hook */
};

static int nest_test_rdtsc(uc_engine *uc, void *user)
{
    struct nest_test *t = user;

    if (t->depth < 2 &&
        peek((uint64_t)(uintptr_t)uc, t->words[++t->depth], sizeof(t->words[0])) && t->depth == 1)
        uc_emu_start(uc, 0x1001, 0x1fff, 0, 0);
    uc_emu_stop(uc);
    return 1;
}

void engine_layout_find_nesting(struct engine *e)
{
    static const uint8_t code[] = {0x90, 0x0f, 0x31, 0xeb, 0xfe};
    g_autofree struct nest_test *t = g_new0(struct nest_test, 1);
    unsigned found = 0, at = 0;
    uc_engine *uc;
    uc_hook h;

    if (uc_open(UC_ARCH_X86, UC_MODE_64, &uc) != UC_ERR_OK)
        return;
    if (uc_ctl_set_tcg_buffer_size(uc, 8u << 20) == UC_ERR_OK &&
        uc_mem_map(uc, 0x1000, 0x1000, UC_PROT_ALL) == UC_ERR_OK &&
        uc_mem_write(uc, 0x1000, code, sizeof(code)) == UC_ERR_OK &&
        uc_hook_add(uc, &h, UC_HOOK_INSN, nest_test_rdtsc, t, 1, 0, UC_X86_INS_RDTSC) ==
            UC_ERR_OK &&
        peek((uint64_t)(uintptr_t)uc, t->words[0], sizeof(t->words[0])) &&
        uc_emu_start(uc, 0x1000, 0x1fff, 0, 0) == UC_ERR_OK && t->depth == 2) {
        for (unsigned i = 0; i < NEST_WORDS; i++) {
            if (t->words[0][i] == 0 && t->words[1][i] == 1 && t->words[2][i] == 2) {
                at = i;
                found++;
            }
        }
    }
    uc_close(uc);
    if (found == 1)
        e->nesting = (int *)(void *)((uint8_t *)e->uc + at * 4);
}

/* ---- working out RIP for the hook of RDTSC ---- */

struct sync_test {
    unsigned calls;
    uint64_t rip[2];
};

static int sync_test_rdtsc(uc_engine *uc, void *user)
{
    struct sync_test *t = user;

    if (t->calls < 2)
        uc_reg_read(uc, UC_X86_REG_RIP, &t->rip[t->calls]);
    if (++t->calls == 2)
        uc_emu_stop(uc);
    else
        ((uint8_t *)uc)[SKIP_SYNC_OFFSET] = 1;
    return 1;
}

/*
 * Two RDTSC in one block.  The first hook sees its RIP and sets the flag; the second must see
 * the same RIP again, because it was not worked out anew.
 */
void engine_layout_find_skip_sync(struct engine *e)
{
    static const uint8_t code[] = {0x90, 0x0f, 0x31, 0x90, 0x0f, 0x31, 0xeb, 0xfe};
    unsigned major, minor, version = uc_version(&major, &minor);
    struct sync_test t = {0};
    uc_engine *uc;
    uc_hook h;

    if (version >> 8 != (2u << 16 | 1u << 8 | 4u) || uc_open(UC_ARCH_X86, UC_MODE_64, &uc))
        return;
    if (((uint8_t *)uc)[SKIP_SYNC_OFFSET] == 0 &&
        uc_ctl_set_tcg_buffer_size(uc, 8u << 20) == UC_ERR_OK &&
        uc_mem_map(uc, 0x1000, 0x1000, UC_PROT_ALL) == UC_ERR_OK &&
        uc_mem_write(uc, 0x1000, code, sizeof(code)) == UC_ERR_OK &&
        uc_hook_add(uc, &h, UC_HOOK_INSN, sync_test_rdtsc, &t, 1, 0, UC_X86_INS_RDTSC) ==
            UC_ERR_OK &&
        uc_emu_start(uc, 0x1000, 0x1fff, 0, 0) == UC_ERR_OK && t.calls == 2 &&
        t.rip[0] == 0x1001 && t.rip[1] == t.rip[0])
        e->skip_sync = (uint8_t *)e->uc + SKIP_SYNC_OFFSET;
    uc_close(uc);
}

/* ---- the stop check after each load and store ---- */

static uint64_t stop_in_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)offset;
    (void)size;
    (void)user;
    uc_emu_stop(uc);
    return 0;
}

/*
 * In an engine of its own: a load stops the emulation; was the instruction after it, in the
 * same block, executed?  -1: the flag is not where we think, or the engine failed.
 */
static int executes_after_stop(bool flag)
{
    static const uint8_t code[] = {0x8b, 0x07, 0xff, 0xc1, 0xeb, 0xfe}; /* mov (%rdi),%eax;
                                                                           inc %ecx; jmp . */
    uint64_t rcx = 0;
    uint8_t *byte;
    uc_engine *uc;
    int result = -1;

    if (uc_open(UC_ARCH_X86, UC_MODE_64, &uc) != UC_ERR_OK)
        return -1;
    byte = (uint8_t *)uc + NO_EXIT_OFFSET;
    if (uc_ctl_set_tcg_buffer_size(uc, 8u << 20) == UC_ERR_OK && *byte == 0 &&
        uc_mem_map(uc, 0x1000, 0x1000, UC_PROT_ALL) == UC_ERR_OK &&
        uc_mmio_map(uc, 0x4000, 0x1000, stop_in_read, NULL, NULL, NULL) == UC_ERR_OK &&
        uc_mem_write(uc, 0x1000, code, sizeof(code)) == UC_ERR_OK) {
        write_reg(uc, UC_X86_REG_RDI, 0x4000);
        write_reg(uc, UC_X86_REG_RCX, 0);
        *byte = flag;
        if (uc_emu_start(uc, 0x1000, 0x1fff, 0, 0) == UC_ERR_OK) {
            uc_reg_read(uc, UC_X86_REG_RCX, &rcx);
            result = (int)rcx;
        }
        *byte = 0;
    }
    uc_close(uc);
    return result;
}

bool engine_layout_leave_out_exit_checks(struct engine *e)
{
    unsigned major, minor, version = uc_version(&major, &minor);
    uint8_t *byte = (uint8_t *)e->uc + NO_EXIT_OFFSET;

    if (version >> 8 != (2u << 16 | 1u << 8 | 4u)) /* another version: another structure */
        return false;
    if (executes_after_stop(false) != 0 || executes_after_stop(true) != 1 || *byte != 0)
        return false;
    *byte = 1;
    return true;
}

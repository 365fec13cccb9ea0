/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privileged instructions of a guest kernel, which fault with #GP(0) in ring 3. */
#include "hv/emul.h"

#include "hv/cpu.h"
#include "hv/domain.h"
#include "hv/guest.h"
#include "hv/lib.h"
#include "hv/mm.h"
#include "hv/paging.h"
#include "hv/trap.h"

static bool is_kernel(void) { return hv_current->flags & HV_VCPU_KERNEL; }

static int safe_rdmsr(u32 n, u64 *v)
{
    u32 a, d;
    __asm__ goto("1: rdmsr\n mov %%eax,(%1)\n mov %%edx,4(%1)\n.pushsection .fixups,\"a\"\n.long 1b - ., %l2 - .\n.popsection"
                 ::"c"(n), "r"(v) : "eax", "edx", "memory" : fault);
    return 0;
fault:
    (void)a, (void)d;
    return -EIO;
}

/* ---- MSRs --------------------------------------------------------------------------------------- */
static bool read_msr(struct hv_vcpu *v, u32 n, u64 *value)
{
    switch (n) {
    case 0x10: *value = hv_rdtsc(); return true;
    case HV_MSR_FS_BASE: *value = hv_rdmsr(n); return true;
    case HV_MSR_GS_BASE: *value = hv_rdmsr(HV_MSR_GS_BASE); return true;
    case HV_MSR_KERNEL_GS: *value = hv_rdmsr(HV_MSR_KERNEL_GS); return true;
    case HV_MSR_EFER: *value = hv_rdmsr(n); return true;
    case 0x1b:
        *value = hv_rdmsr(n) & ~0x100ull;
        if (!v->domain->privileged || !v->id)
            *value |= v->id ? 0 : 0x100;
        return true;
    case 0x277: *value = hv_rdmsr(n); return true;
    case 0x1a0: return !safe_rdmsr(n, value);
    case 0xce: case 0x140: *value = 0; return true;
    case 0x17: case 0x3a: case 0x8b: case 0x10a: case 0x179: case 0x17a: case 0x198: case 0x19c:
    case 0x400: case 0x401: case 0x40000000: case 0xc0000103:
        /* known, and nothing a guest may see: what a processor without the feature shows */
        *value = 0;
        return true;
    }
    return false;
}

static bool write_msr(struct hv_vcpu *v, u32 n, u64 value)
{
    (void)v;
    switch (n) {
    case HV_MSR_FS_BASE:
    case HV_MSR_GS_BASE:
    case HV_MSR_KERNEL_GS:
        if (!hv_canonical(value))
            return false;
        hv_wrmsr(n, value);
        return true;
    case HV_MSR_EFER: return value == hv_rdmsr(n);
    case 0x140: return value == 0;
    case 0x1a0: case 0x179: case 0x17a: case 0x400: case 0x401: case 0xc0000103:
        return true;	/* accepted, without effect */
    }
    return false;
}

/* ---- control registers -------------------------------------------------------------------------- */
#define CR4_GUEST (HV_CR4_TSD | HV_CR4_DE | HV_CR4_FSGSBASE)

static bool read_cr(struct hv_vcpu *v, unsigned n, u64 *value)
{
    switch (n) {
    case 0: *value = (hv_read_cr0() & ~HV_CR0_TS) | v->cr0_ts; return true;
    case 2: *value = v->info->arch.cr2; return true;
    case 3: *value = v->cr3; return true;
    case 4: *value = (hv_read_cr4() & ~CR4_GUEST) | v->cr4; return true;
    }
    return false;
}

/* @restart: the instruction is to be executed again. */
static bool write_cr(struct hv_vcpu *v, unsigned n, u64 value, bool *restart)
{
    u64 now;
    switch (n) {
    case 0:
        read_cr(v, 0, &now);
        if ((now ^ value) & ~HV_CR0_TS)
            return false;
        v->cr0_ts = value & HV_CR0_TS;
        hv_write_cr0((hv_read_cr0() & ~HV_CR0_TS) | v->cr0_ts);
        return true;
    case 2:
        v->info->arch.cr2 = value;
        return true;
    case 3: {
        int rc = v->domain->paging->new_root(v, value >> 12, false);
        if (rc == -ERESTART)
            *restart = true;
        return rc == 0 || rc == -ERESTART;
    }
    case 4:
        v->cr4 = value & CR4_GUEST & (hv_virtual_fsgsbase() ? ~0ull : ~HV_CR4_FSGSBASE);
        hv_write_cr4((hv_read_cr4() & ~CR4_GUEST) | v->cr4);
        return true;
    }
    return false;
}

bool hv_virtual_fsgsbase(void)
{
    u32 r[4];
    hv_cpuid(7, 0, r);
    return r[1] & 1;
}

/* ---- ports ---------------------------------------------------------------------------------------- */
static bool port_allowed(struct hv_vcpu *v, u32 port, u32 bytes)
{
    u32 cpl = !is_kernel() ? 3 : v->domain->vm_assist & 1ull << VMASST_TYPE_architectural_iopl ? 0 : 1;
    u8 bits[2] = {0xff, 0xff};
    if (cpl <= v->iopl)
        return true;
    if (port + bytes > v->iobitmap_ports || !v->iobitmap)
        return false;
    if (hv_copy_from_guest(bits, v->iobitmap + port / 8, port / 8 == (port + bytes - 1) / 8 ? 1 : 2))
        return false;
    return !((bits[0] | bits[1] << 8) >> (port & 7) & ((1u << bytes) - 1));
}

/* The PCI address register is each domain's own; the machine's is loaded when data is accessed. */
static bool pci_address(struct hv_domain *d, u16 port, u32 bytes)
{
    if (port < 0xcfc || port + bytes > 0xd00 || !d->privileged)
        return false;
    hv_outl(0xcf8, d->pci_address);
    return true;
}

static u32 port_in(struct hv_domain *d, u16 port, u32 bytes)
{
    if (port == 0xcf8 && bytes == 4)
        return d->pci_address;
    pci_address(d, port, bytes);
    if (!hv_range_holds(d->io_ports, port, port + bytes - 1u))
        return ~0u;
    return bytes == 1 ? hv_inb(port) : bytes == 2 ? hv_inw(port) : hv_inl(port);
}

static void port_out(struct hv_domain *d, u16 port, u32 bytes, u32 v)
{
    if (port == 0xcf8 && bytes == 4) {
        d->pci_address = v;
        return;
    }
    pci_address(d, port, bytes);
    if (!hv_range_holds(d->io_ports, port, port + bytes - 1u))
        return;
    if (bytes == 1)
        hv_outb(port, (u8)v);
    else if (bytes == 2)
        hv_outw(port, (u16)v);
    else
        hv_outl(port, v);
}

static void set_rax(struct cpu_user_regs *r, u32 bytes, u32 v)
{
    r->rax = bytes == 4 ? v : bytes == 2 ? (r->rax & ~0xffffull) | (v & 0xffff) : (r->rax & ~0xffull) | (v & 0xff);
}

/* IN, OUT, INS, OUTS; false: #GP. */
static bool port_access(struct hv_vcpu *v, struct hv_insn *i)
{
    struct cpu_user_regs *r = &v->regs;
    u8 op = i->opcode;
    u32 bytes = !(op & 1) ? 1 : i->operand16 ? 2 : 4, port = (u16)r->rdx, value = 0;
    bool out = op & 2;
    if ((op & 0xfc) == 0xe4) {
        if (i->length >= i->available)
            return false;
        port = i->bytes[i->length++];
    }
    if (!port_allowed(v, port, bytes))
        return false;
    if ((op & 0xfc) != 0x6c) {
        if (out)
            port_out(v->domain, (u16)port, bytes, (u32)r->rax);
        else
            set_rax(r, bytes, port_in(v->domain, (u16)port, bytes));
        return true;
    }
    if (i->address32)
        return false;
    if (i->rep && !r->rcx)
        return true;
    u64 step = r->rflags & HV_FLAG_DF ? -(u64)bytes : bytes, *at = out ? &r->rsi : &r->rdi;
    if (out) {
        size_t left = hv_copy_from_guest(&value, *at, bytes);
        if (left) {
            hv_inject_pf(*at + bytes - left, 0);
            i->length = 0;
            return true;
        }
        port_out(v->domain, (u16)port, bytes, value);
    } else {
        value = port_in(v->domain, (u16)port, bytes);
        size_t left = hv_copy_to_guest(*at, &value, bytes);
        if (left) {
            hv_inject_pf(*at + bytes - left, 2);
            i->length = 0;
            return true;
        }
    }
    *at += step;
    if (i->rep && --r->rcx)
        i->length = 0;
    return true;
}

static bool move_special(struct hv_vcpu *v, struct hv_insn *i)
{
    struct cpu_user_regs *r = &v->regs;
    if (!hv_insn_modrm(i))
        return false;
    /* the mod field is ignored: there is no memory operand */
    i->length = (u8)(i->imm_at);
    u64 *reg = hv_reg(r, i->rm), value;
    bool restart = false, done;
    switch (i->opcode) {
    case 0x20:
        return read_cr(v, i->reg, reg);
    case 0x22:
        done = write_cr(v, i->reg, *reg, &restart);
        if (restart)
            i->length = 0;
        return done;
    case 0x21:
        if (i->reg > 7)
            return false;
        value = i->reg < 4 ? v->dr[i->reg] : (i->reg & 1) == 0 ? v->dr6 : v->dr7;
        *reg = value;
        return true;
    case 0x23:
        return i->reg < 8 && !hv_set_debugreg(v, i->reg, *reg);
    }
    return false;
}

static bool two_byte(struct hv_vcpu *v, struct hv_insn *i)
{
    struct cpu_user_regs *r = &v->regs;
    u64 value;
    u32 id[4];
    if (i->opcode == 0x31 || i->opcode == 0xa2) {
        if (i->opcode == 0x31) {
            if (!is_kernel() && (v->cr4 & HV_CR4_TSD))
                return false;
            value = hv_rdtsc();
            r->rax = (u32)value;
            r->rdx = value >> 32;
            return true;
        }
        hv_virtual_cpuid((u32)r->rax, (u32)r->rcx, id);
        r->rax = id[0], r->rbx = id[1], r->rcx = id[2], r->rdx = id[3];
        return true;
    }
    if (!is_kernel())
        return false;
    switch (i->opcode) {
    case 0x06:
        v->cr0_ts = 0;
        __asm__ volatile("clts");
        return true;
    case 0x09:
        if (v->domain->io_mem || v->domain->io_ports)
            __asm__ volatile("wbinvd" ::: "memory");
        return true;
    case 0x20: case 0x21: case 0x22: case 0x23:
        return move_special(v, i);
    case 0x30:
        return write_msr(v, (u32)r->rcx, (u32)r->rax | r->rdx << 32);
    case 0x32:
        if (!read_msr(v, (u32)r->rcx, &value)) {
            /* A kernel that has no handler yet gets 0 for a register that exists. */
            if (v->traps[HV_TRAP_GP].address || (u32)r->rcx >> 16 == 0x4000 || safe_rdmsr((u32)r->rcx, &value))
                return false;
            value = 0;
        }
        r->rax = (u32)value;
        r->rdx = value >> 32;
        return true;
    }
    return false;
}

bool hv_emulate_gp(struct cpu_user_regs *r)
{
    struct hv_vcpu *v = hv_current;
    struct hv_insn i;
    bool done;
    u64 rip = r->rip;
    if (!hv_insn_fetch(&i, r))
        return false;
    if (i.two_byte) {
        done = two_byte(v, &i);
    } else if ((i.opcode & 0xf4) == 0xe4 || (i.opcode & 0xfc) == 0x6c) {
        done = port_access(v, &i);
    } else if (i.opcode == 0xfa || i.opcode == 0xfb) {
        u32 cpl = !is_kernel() ? 3 : v->domain->vm_assist & 1ull << VMASST_TYPE_architectural_iopl ? 0 : 1;
        done = cpl <= v->iopl;
    } else {
        return false;
    }
    if (done && r->rip == rip)	/* not if an exception was injected meanwhile */
        r->rip += i.length;
    return done;
}

bool hv_emulate_ud(struct cpu_user_regs *r)
{
    static const u8 prefix[7] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
    u8 insn[7];
    u32 id[4], start;
    /* A guest's own UD2 is told apart by its first bytes. */
    if (hv_load_guest32(&start, r->rip) || start != 0x65780b0f)
        return false;
    if (r->cs != HV_SEL_GUEST_CS64 && r->cs != HV_SEL_GUEST_CS32)
        return false;
    if (hv_copy_from_guest(insn, r->rip, 7) || memcmp(insn, prefix, 7))
        return false;
    hv_virtual_cpuid((u32)r->rax, (u32)r->rcx, id);
    r->rax = id[0], r->rbx = id[1], r->rcx = id[2], r->rdx = id[3];
    r->rip += 7;
    return true;
}

/* ---- CPUID ------------------------------------------------------------------------------------- */
static void xen_leaf(u32 leaf, u32 sub, u32 r[4])
{
    struct hv_vcpu *v = hv_current;
    u64 khz = hv_tsc_khz;
    memset(r, 0, 16);
    switch (leaf & 0xff) {
    case 0:
        r[0] = 0x40000005;
        r[1] = 0x566e6558, r[2] = 0x65584d4d, r[3] = 0x4d4d566e;	/* XenVMMXenVMM */
        break;
    case 1:
        r[0] = 4 << 16 | 17;
        break;
    case 2:
        r[0] = 1;
        r[1] = 0x40000000;
        r[2] = 1;
        break;
    case 3:
        if (sub == 0) {
            r[0] = 0x6;	/* TSC reliable, offers its frequency */
            r[2] = (u32)khz;
        } else if (sub == 1) {
            r[2] = v->info->time.tsc_to_system_mul;
            r[3] = (u32)v->info->time.tsc_shift;
        } else if (sub == 2) {
            r[0] = (u32)khz;
        }
        break;
    case 5:
        r[1] = 40;
        break;
    }
}

/* XSAVE, and what uses registers that only it saves: leaf 1 ECX, leaf 7 EBX and ECX (SDM 2A CPUID). */
#define NEEDS_XSAVE_1C (1u << 12 | 1u << 26 | 1u << 28 | 1u << 29)
#define NEEDS_XSAVE_7B (1u << 5 | 1u << 14 | 1u << 16 | 1u << 17 | 1u << 21 | 7u << 26 | 3u << 30)
#define NEEDS_XSAVE_7C (1u << 1 | 1u << 6 | 0x1fu << 8 | 1u << 14)

void hv_virtual_cpuid(u32 leaf, u32 sub, u32 r[4])
{
    struct hv_vcpu *v = hv_current;
    if (leaf >= 0x40000000 && leaf < 0x40000100) {
        if ((leaf & 0xff) > 5)
            memset(r, 0, 16);
        else
            xen_leaf(leaf, sub, r);
        return;
    }
    hv_cpuid(leaf & 0x80000000, 0, r);
    if (leaf > r[0] || (leaf >= 0x40000000 && leaf < 0x80000000)) {
        memset(r, 0, 16);
        return;
    }
    hv_cpuid(leaf, sub, r);
    switch (leaf) {
    case 1:
        r[1] = (r[1] & 0xffff) | v->id << 25;
        r[2] = (r[2] & ~(1u << 2 | 1u << 3 | 1u << 5 | 1u << 15 | 1u << 17 | 1u << 21 | 1u << 24 | 1u << 27 | NEEDS_XSAVE_1C)) |
               1u << 31;
        r[3] &= ~(1u << 1 | 1u << 3 | 1u << 12 | 1u << 13 | 1u << 17 | 1u << 21);
        if (!v->domain->privileged)
            r[3] &= ~(1u << 7 | 1u << 9 | 1u << 14 | 1u << 22);
        break;
    case 5: case 6: case 10: case 11:
        if (leaf != 6)
            memset(r, 0, 16);
        break;
    case 7:
        r[1] &= ~(1u << 7 | 1u << 10 | 1u << 20 | 1u << 1 | NEEDS_XSAVE_7B);
        r[2] &= ~(1u << 2 | 1u << 3 | NEEDS_XSAVE_7C);
        break;
    case 0xd:
        memset(r, 0, 16);
        break;
    case 0x80000001:
        r[3] = (r[3] & ~(1u << 26 | 1u << 3 | 1u << 13 | 1u << 17)) | 1u << 11;
        break;
    }
}
